"""Checks that two sides give the same answer, and prints the differences as JSON.

- `python agreement.py labels OURS THEIRS` compares labels row by row. OURS is Parquet with `id` and `label`,
  THEIRS is what clustering.py wrote.
- `python agreement.py sizes VECTORS EPS SCALING` clusters distinct vectors with scikit-learn, each by the
  weight of its `n` rows. It counts the vectors, and for each size the clusters that have it, where a row of
  noise is a cluster of one.
"""

import json
import sys

import numpy as np
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
    vectors = np.column_stack([table[name].to_numpy() for name in table.column_names if name != "n"])
    vectors = vectors.astype(np.float64)
    if scaling == "l2":
        vectors = Normalizer().fit_transform(vectors)
    model = DBSCAN(eps=float(eps), min_samples=2, algorithm="kd_tree")
    labels = model.fit(vectors, sample_weight=weights).labels_
    noise = int(weights[labels < 0].sum())
    sizes = np.bincount(labels[labels >= 0], weights[labels >= 0]).astype(np.int64)
    found = dict(zip(*(side.tolist() for side in np.unique(sizes, return_counts=True))))
    # With min_samples 2 no cluster has a single row.
    return {"vectors": len(vectors), "sizes": found | ({1: noise} if noise else {})}


if __name__ == "__main__":
    question, *arguments = sys.argv[1:]
    print(json.dumps({"labels": compare_labels, "sizes": cluster_sizes}[question](*arguments)))
