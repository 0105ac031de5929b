"""The two functions of msticpy's notebook on event clustering: `python notebook.py EVENTS OUTPUT`.

Reads Parquet, computes the features, clusters, writes CSV. Prints the seconds of the two functions alone.
"""

import sys
import time

import pandas as pd
from msticpy.analysis.eventcluster import add_process_features, dbcluster_events

events_file, output_file = sys.argv[1:]
events = pd.read_parquet(events_file)
started = time.perf_counter()
features = add_process_features(events)
collapsed, _, _ = dbcluster_events(
    features,
    cluster_columns=["commandlineTokensFull", "pathScore", "isSystemSession"],
    max_cluster_distance=0.0001,
    time_column="TimeGenerated",
)
print(time.perf_counter() - started)
collapsed.rename(columns={"ClusterSize": "cluster_size"}).to_csv(output_file, index=False)
