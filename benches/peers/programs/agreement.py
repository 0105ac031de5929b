"""Checks that two sides give the same answer, and prints the differences as JSON.

- `python agreement.py labels OURS THEIRS` compares labels row by row. OURS is Parquet with `id` and `label`,
  THEIRS is what clustering.py wrote.
- `python agreement.py sizes VECTORS EPS SCALING` clusters distinct vectors with scikit-learn, each by the
  weight of its `n` rows, those of each `partition` by themselves if there is such a column. It counts the
  vectors, and for each size the clusters that have it, where a row of noise is a cluster of one.
"""

import json
import sys
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def our_labels(file: str) -> np.ndarray:
    """Our labels in the order of the rows."""
    table = pq.read_table(file, columns=["id", "label"])
    labels = np.empty(table.num_rows, np.int64)
    labels[table["id"].to_numpy()] = table["label"].to_numpy()
    return labels


def their_labels(file: str) -> tuple[np.ndarray, np.ndarray]:
    """A peer's labels, and which rows are core."""
    with np.load(file) as arrays:
        return arrays["labels"].astype(np.int64), arrays["core"]


def moved_rows(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Which rows are in another cluster, whatever the clusters' numbers are.

    A cluster of ours and one of theirs are the same when each shares more rows with the other than with any
    third one.
    """
    width = theirs.max(initial=0) + 1
    pairs, pair_of_row, counts = np.unique(ours * width + theirs, return_inverse=True, return_counts=True)
    matched = np.ones(len(pairs), bool)
    for cluster in np.divmod(pairs, width):
        # In this order the largest pair of each cluster comes last, in front of another cluster's first.
        order = np.lexsort((counts, cluster))
        smaller = cluster[order][:-1] == cluster[order][1:]
        matched[order[:-1][smaller]] = False
    return ~matched[pair_of_row]


def compare_labels(ours_file: str, theirs_file: str) -> dict[str, int | bool]:
    """Compares two labellings: as numbers, as noise or not, and as a partition."""
    ours = our_labels(ours_file)
    theirs, core = their_labels(theirs_file)
    both = (ours >= 0) & (theirs >= 0)
    moved = moved_rows(ours[both], theirs[both])
    return {
        "equal": bool(np.array_equal(ours, theirs)),
        "noise_of_one": int(((ours < 0) != (theirs < 0)).sum()),
        "core_moved": int(moved_rows(ours[both & core], theirs[both & core]).sum()),
        "moved": int(moved.sum()),
    }


def cluster_sizes(vectors_file: str, eps: str, scaling: str) -> dict[str, int | dict[int, int]]:
    """The sizes of the clusters of weighted vectors."""
    from sklearn.cluster import DBSCAN
    from sklearn.preprocessing import Normalizer

    table = pq.read_table(vectors_file)
    weights = table["n"].to_numpy()
    names = [name for name in table.column_names if name not in ("n", "partition")]
    vectors = np.column_stack([table[name].to_numpy() for name in names]).astype(np.float64)
    if scaling == "l2":
        vectors = Normalizer().fit_transform(vectors)
    model = DBSCAN(eps=float(eps), min_samples=2, algorithm="kd_tree")
    found: Counter[int] = Counter()
    for rows in partitions(table):
        # A vector by itself is a cluster of its rows, and with min_samples 2 no cluster has a single row.
        labels = model.fit(vectors[rows], sample_weight=weights[rows]).labels_ if len(rows) > 1 else np.zeros(1, int)
        noise = int(weights[rows][labels < 0].sum())
        found.update(np.bincount(labels[labels >= 0], weights[rows][labels >= 0]).astype(np.int64).tolist())
        found[1] += noise
    return {"vectors": len(vectors), "sizes": {size: count for size, count in found.items() if count}}


def partitions(table: pa.Table) -> list[np.ndarray]:
    """The rows of each partition."""
    if "partition" not in table.column_names:
        return [np.arange(table.num_rows)]
    keys = table["partition"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


if __name__ == "__main__":
    question, *arguments = sys.argv[1:]
    print(json.dumps({"labels": compare_labels, "sizes": cluster_sizes}[question](*arguments)))
