#!/usr/bin/env python3
"""Compares rankings of process events: how many rows that somebody has labelled stand among the first ones?

    run.py [--dbcluster PATH] NAME=EVENTS.parquet ...

EVENTS has NewProcessName, CommandLine, and either `sigma_level` (high and critical are hits) or `is_anomaly`; ParentProcessName,
Account and Computer are used where they are there. The columns of labels are never shown to a ranking.

A reviewer reads rows that differ in their masked command line, so each such row counts once, and is a hit if an event with its
program and command line is labelled. Printed is a Markdown table: hits among the first 20, 50 and 100 rows, all hits of all
rows, and average precision. Nothing is drawn at random without a fixed seed.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig
from sklearn.cluster import DBSCAN
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import Normalizer, StandardScaler

LABELS = ["sigma_level", "sigma_rules", "is_anomaly", "anomaly_kind", "template", "SourceFile"]
MASKS = [(re.compile(pattern), mask) for pattern, mask in [
    (r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?", "<guid>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "<ip>"),
    (r"\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8,}\b", "<hex>"),
    (r"\d+", "<n>"),
]]
DELIMITERS = re.compile(r"[\s\-\\/.,\"'|&:;%$()]")
MOST = 100_000  # rows that the slow rivals are trained on


def masked(text):
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text.lower()


def name_of(path):
    return path.fillna("").str.lower().str.split(r"[\\/]").str[-1]


class Events:
    """Events with their labels, and the rows that a reviewer tells apart."""

    def __init__(self, path):
        frame = pd.read_parquet(path)
        frame = frame[frame.CommandLine.notna() & frame.NewProcessName.notna()].reset_index(drop=True)
        if "sigma_level" in frame:
            self.hits = frame.sigma_level.isin(["high", "critical"]).to_numpy()
        else:
            self.hits = frame.is_anomaly.to_numpy(dtype=bool)
        self.frame = frame.drop(columns=[column for column in LABELS if column in frame])
        self.templates = frame.CommandLine.map(masked).to_numpy()
        self.labelled = {}
        for key, hit in zip(zip(frame.NewProcessName.str.lower(), frame.CommandLine), self.hits):
            self.labelled[key] = self.labelled.get(key, False) or bool(hit)

    def measured(self, order, templates=None, hits=None):
        templates = self.templates if templates is None else templates
        hits = self.hits if hits is None else hits
        seen, found = set(), []
        for row in order:
            if templates[row] not in seen:
                seen.add(templates[row])
                found.append(bool(hits[row]))
        found = np.array(found)
        total = np.cumsum(found)
        precision = (total / np.arange(1, len(found) + 1))[found]
        first = [int(total[min(rows, len(total)) - 1]) for rows in (20, 50, 100)]
        return first, int(found.sum()), len(found), precision.mean() if len(precision) else 0.0


def by(score):
    """The order of the rows, the lowest score first; equal ones in a fixed random order."""
    score = np.asarray(score, float)
    return np.lexsort([np.random.RandomState(0).rand(len(score)), score])


def rivals(events):
    frame = events.frame
    count = lambda values: pd.Series(values).map(pd.Series(values).value_counts()).to_numpy()
    name = name_of(frame.NewProcessName)
    delimiters = frame.CommandLine.map(lambda text: "".join(DELIMITERS.findall(text)))
    yield "random order", by(np.zeros(len(frame)))
    yield "rarest command line", by(count(frame.CommandLine))
    yield "rarest masked command line", by(count(events.templates))
    yield "rarest (program, delimiters)", by(count(name + "|" + delimiters))
    if "ParentProcessName" in frame:
        pair = name_of(frame.ParentProcessName) + ">" + name
        yield "rarest parent and program", by(count(pair))
        yield "parent unusual for the program", by(count(pair) / count(name))
    # The mean log-likelihood of the words, each by the share of the events that have it.
    words = frame.CommandLine.str.lower().map(lambda text: set(re.findall(r"\w+", text)))
    of_word = pd.Series([word for one in words for word in one]).value_counts()
    likelihood = {word: np.log(n / len(frame)) for word, n in of_word.items()}
    yield "log-likelihood of the words", by([np.mean([likelihood[w] for w in one]) if one else 0.0 for one in words])
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    miner = TemplateMiner(config=config)
    found = [miner.add_log_message(text)["cluster_id"] for text in frame.CommandLine]
    yield "rarest Drain3 template", by(count(found))

    system = frame.get("SubjectLogonId", pd.Series("", index=frame.index)).astype(str).str.lower().isin(["0x3e7", "999"])
    points = np.c_[delimiters.str.len(), frame.NewProcessName.map(lambda text: sum(map(ord, text))), system]
    distinct, inverse, weight = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    label = DBSCAN(eps=1e-4, min_samples=2).fit(Normalizer().fit_transform(distinct), sample_weight=weight).labels_[inverse.ravel()]
    yield "DBSCAN of the notebook's features", by(np.where(label < 0, 0, count(label)))
    length = frame.CommandLine.str.len()
    ours = np.c_[points, np.log1p(length), np.log1p(frame.CommandLine.str.split().map(len)), frame.CommandLine.map(lambda t: len(set(t)))]
    scaled = StandardScaler().fit_transform(ours)
    some = np.random.RandomState(0).permutation(len(scaled))[:MOST]
    forest = IsolationForest(random_state=0, n_estimators=200).fit(scaled[some])
    yield "IsolationForest of form", by(forest.score_samples(scaled))
    factor = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(np.unique(scaled[some], axis=0))
    yield "LocalOutlierFactor of form", by(factor.score_samples(scaled))


def hunt(dbcluster, events):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "events.parquet"
        events.frame.to_parquet(path)
        query = f"SELECT \"NewProcessName\", \"CommandLine\" FROM hunt_processes('{path}')"
        found = subprocess.run([dbcluster, "--quiet", "--format", "nd-json", "-c", query], check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    keys = [(row["NewProcessName"].lower(), row["CommandLine"]) for row in rows]
    templates = [masked(text) for _, text in keys]
    return range(len(rows)), templates, [events.labelled[key] for key in keys]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbcluster", default="dbcluster")
    parser.add_argument("sets", nargs="+", metavar="NAME=EVENTS.parquet")
    args = parser.parse_args()
    for named in args.sets:
        name, _, path = named.rpartition("=")
        events = Events(path)
        print(f"\n{name or path}: {len(events.frame):,} events\n\n| ranking | first 20 | first 50 | first 100 | all | average precision |\n|---|---|---|---|---|---|")
        rankings = [("**hunt_processes**", *hunt(args.dbcluster, events))]
        rankings += [(rival, order, None, None) for rival, order in rivals(events)]
        for ranking, *order in rankings:
            first, hits, rows, precision = events.measured(*order)
            print(f"| {ranking} | {first[0]} | {first[1]} | {first[2]} | {hits} of {rows:,} | {precision:.2f} |")
            sys.stdout.flush()


main()
