#!/usr/bin/env python3
"""Writes the small reference sets: events as CSV, and beside them the answers that scikit-learn gives.

    pip install -r requirements.txt
    python3 make.py            writes sets.json, <set>.csv and <set>.answers.csv
    python3 make.py --check    compares with the files that are there, and fails on a difference

Every run writes the same bytes. The events come from sets.py, which also computes the features of text a second time,
from their definitions. The labels are those of `DBSCAN(algorithm='kd_tree')` on the rows in canonical order: the keys of
the call, then the features, then the remaining columns, NULLs last. Scalings are scikit-learn's preprocessing.

Answers must not depend on the last bit of a sum. So a call either is `exact`, where all arithmetic is on numbers that a
float holds exactly, which is checked with fractions, or has no distance within a billionth of eps, which is checked too.
"""

import argparse
import csv
import io
import json
import math
import re
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.preprocessing import MinMaxScaler, Normalizer, RobustScaler, StandardScaler

from sets import Call, Set, sets

FOLDER = Path(__file__).resolve().parent
SCALERS = {"l2": Normalizer, "zscore": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}
MARGIN = 1e-9


def as_double(value: Any) -> float:
    """NULL is NaN here: both are what `nulls` speaks of."""
    return math.nan if value is None else float(value) + 0.0


def canonical_order(events: Set, call: Call, vectors: list[list[float]]) -> list[int]:
    def nulls_last(value: Any) -> tuple:
        return (value is None, 0 if value is None else value)

    def key(row: int) -> tuple:
        event = {"row": row} | events.rows[row]
        remaining = [name for name in events.rows[row] if name != call.order_by]
        # A NULL feature is ordered as what it is clustered as; sets with NULLs are ordered by their row number.
        return (
            nulls_last(event[call.order_by]),
            vectors[row],
            [nulls_last(event[name]) for name in remaining],
            row,
        )

    return sorted(range(len(events.rows)), key=key)


def distances(points: np.ndarray, metric: str) -> np.ndarray:
    """All distances, by the definition."""
    differences = np.abs(points[:, None, :] - points[None, :, :])
    if metric == "manhattan":
        return differences.sum(axis=2)
    if metric == "chebyshev":
        return differences.max(axis=2)
    # Divided first, so that squares of tiny and huge numbers are in range.
    largest = float(differences.max()) or 1.0
    return np.sqrt(((differences / largest) ** 2).sum(axis=2)) * largest


def exact_side(a: list[float], b: list[float], call: Call) -> int:
    """-1, 0 or 1: the distance is below, exactly or above eps, in fractions."""
    differences = [abs(Fraction(x) - Fraction(y)) for x, y in zip(a, b)]
    eps = Fraction(call.eps)
    if call.metric == "manhattan":
        distance = sum(differences)
    elif call.metric == "chebyshev":
        distance = max(differences)
    else:
        distance, eps = sum(d * d for d in differences), eps * eps
    return (distance > eps) - (distance < eps)


def check_distances(name: str, points: np.ndarray, call: Call) -> int:
    """Fails where a distance is so near to eps that rounding could decide. Returns how many are exactly eps."""
    if not call.exact:
        apart = np.abs(distances(points, call.metric) - call.eps)
        assert apart.min() > MARGIN * call.eps, f"{name}: a distance is within {apart.min()} of eps {call.eps}"
        return 0
    distinct = [list(point) for point in dict.fromkeys(map(tuple, points.tolist()))]
    ties = 0
    for i, a in enumerate(distinct):
        for b in distinct[:i]:
            ties += exact_side(a, b, call) == 0
            squares = [(x - y) * (x - y) for x, y in zip(a, b)]
            assert all(Fraction(s) == (Fraction(x) - Fraction(y)) ** 2 for s, x, y in zip(squares, a, b)), name
    return ties


def exemplar(call: Call, members: list[int], vectors: list[list[float]]) -> int:
    """The row that stands for a cluster; its members are in canonical order."""
    if call.exemplar == "first":
        return members[0]
    if call.exemplar == "last":
        return members[-1]
    distinct = Counter(tuple(vectors[row]) for row in members)
    if call.exemplar == "rarest":
        rank = distinct.__getitem__
    else:
        assert call.exemplar == "medoid" and call.metric == "manhattan" and call.exact, "sums have to be exact"
        rank = lambda vector: sum(abs(Fraction(x) - Fraction(y)) for other in distinct for x, y in zip(vector, other))
    # `min` takes the first of equals, and a dict keeps the order of the members.
    chosen = min(distinct, key=rank)
    return next(row for row in members if tuple(vectors[row]) == chosen)


def answers(events: Set, call: Call, name: str) -> list[tuple[Any, str, int]]:
    """For each row its cluster, its type, and the row that stands for its cluster or for itself."""
    raw = [[as_double(feature.value(row)) for feature in events.features] for row in events.rows]
    is_bad = [not all(map(math.isfinite, vector)) for vector in raw]
    vectors = [[value if math.isfinite(value) else 0.0 for value in vector] for vector in raw]
    assert call.nulls != "error" or not any(is_bad), f"{name}: a NULL"
    result: list[tuple[Any, str, int]] = [(None, "skipped", row) for row in range(len(vectors))]
    order = canonical_order(events, call, vectors)
    partitions: dict[Any, list[int]] = {}
    for row in order:
        if call.nulls != "skip" or not is_bad[row]:
            partitions.setdefault(events.rows[row].get(call.partition_by), []).append(row)
    ties = 0
    for members in partitions.values():
        points = np.array([vectors[row] for row in members])
        if call.scaling != "none":
            points = SCALERS[call.scaling]().fit_transform(points)
        if call.weights:
            points = points * np.array(call.weights)
        ties += check_distances(name, points, call)
        model = DBSCAN(eps=call.eps, min_samples=call.min_samples, metric=call.metric, algorithm="kd_tree").fit(points)
        cores = set(model.core_sample_indices_.tolist())
        labels = model.labels_.tolist()
        clusters: dict[int, list[int]] = {}
        for row, label in zip(members, labels):
            clusters.setdefault(label, []).append(row)
        stands_for = {label: exemplar(call, rows, vectors) for label, rows in clusters.items() if label >= 0}
        for place, (row, label) in enumerate(zip(members, labels)):
            kind = "core" if place in cores else "border" if label >= 0 else "noise"
            result[row] = (label, kind, stands_for.get(label, row))
    assert ties > 0 or not call.ties, f"{name}: no distance is exactly eps"
    return result


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def as_csv(header: list[str], rows: list[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def files() -> dict[str, str]:
    """Every file by its name."""
    result, described = {}, []
    for events in sets():
        header = list(events.rows[0])
        result[f"{events.name}.csv"] = as_csv(header, [[row[name] for name in header] for row in events.rows])
        calls, of_calls, names = [], [], []
        for number, call in enumerate(events.calls, 1):
            of_calls.append(answers(events, call, f"{events.name}, call {number}"))
            names += [f"id_{number}", f"type_{number}", f"exemplar_{number}"]
            calls.append({"options": call.options(), "window": call.window(events.features)})
        rows = [[value for answer in of_row for value in answer] for of_row in zip(*of_calls)]
        result[f"{events.name}.answers.csv"] = as_csv(names, rows)
        items = ", ".join(feature.as_list_item() for feature in events.features)
        features = f"{{{items}}}" if any(feature.sql for feature in events.features) else f"[{items}]"
        # A struct names each of its fields.
        features = re.sub(r"(?<=[{ ])(\w+)(?=[,}])", r"\1: \1", features) if features[0] == "{" else features
        described.append({"set": events.name, "about": events.about, "features": features, "calls": calls})
    result["sets.json"] = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files that are there")
    check = parser.parse_args().check
    made = files()
    if not check:
        for name, text in made.items():
            (FOLDER / name).write_text(text, encoding="utf-8", newline="")
    there = {path.name for path in FOLDER.iterdir() if path.suffix in (".csv", ".json")}
    read = lambda name: (FOLDER / name).read_bytes() if name in there else b""
    differing = sorted(name for name in made.keys() | there if made.get(name, "").encode() != read(name))
    if differing:
        sys.exit(f"not what this script writes: {', '.join(differing)}")


if __name__ == "__main__":
    main()
