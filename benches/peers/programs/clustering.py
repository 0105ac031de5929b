"""A peer clusters an array: `python clustering.py PACKAGE POINTS EPS MIN_SAMPLES LABELS`.

PACKAGE is `scikit-learn` or `dbscan`. Prints the seconds of the call alone; writes the labels, and which
points are core, to the file LABELS (.npz).
"""

import sys
import time

import numpy as np


def scikit_learn(points: np.ndarray, eps: float, min_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """The labels of scikit-learn, whose other algorithms round distances in other ways."""
    model = DBSCAN(eps=eps, min_samples=min_samples, algorithm="kd_tree").fit(points)
    core = np.zeros(len(points), bool)
    core[model.core_sample_indices_] = True
    return model.labels_, core


def dbscan(points: np.ndarray, eps: float, min_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """The labels of the package `dbscan`."""
    return DBSCAN(points, eps=eps, min_samples=min_samples)


if __name__ == "__main__":
    package, points_file, eps, min_samples, labels_file = sys.argv[1:]
    if package == "scikit-learn":
        from sklearn.cluster import DBSCAN

        cluster = scikit_learn
    else:
        # It imports scikit-learn for a wrapper that nobody needs here: that memory is not its own.
        sys.modules["sklearn"] = None
        from dbscan import DBSCAN

        cluster = dbscan
    points = np.load(points_file)
    started = time.perf_counter()
    labels, core = cluster(points, float(eps), int(min_samples))
    print(time.perf_counter() - started)
    np.savez(labels_file, labels=labels, core=core)
