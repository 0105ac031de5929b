"""The other side: Python programs in processes of their own, and what they found."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from measure import Process, Sample, run

PROGRAMS = Path(__file__).resolve().parent / "programs"


def python(script: str, *arguments: object, threads: int) -> Process:
    """Runs one of the programs."""
    return run([sys.executable, PROGRAMS / script, *map(str, arguments)], threads)


def cluster(package: str, points: Path, eps: float, min_samples: int, labels: Path, threads: int) -> Sample:
    """A package clusters an array; the time is that of its call, the peak that of the process."""
    process = python("clustering.py", package, points, eps, min_samples, labels, threads=threads)
    return Sample(float(process.output), process.peak_bytes)


@dataclass(frozen=True)
class Comparison:
    """The differences of two labellings."""

    equal: bool  # number by number
    noise_of_one: int  # rows that only one side calls noise
    core_moved: int  # core rows in another cluster
    moved: int  # rows in another cluster, border rows among them


def compare(ours: Path, theirs: Path) -> Comparison:
    """Compares two files of labels."""
    return Comparison(**json.loads(python("agreement.py", "labels", ours, theirs, threads=1).output))


def cluster_sizes(vectors: Path, eps: float, scaling: str) -> tuple[int, dict[int, int]]:
    """Clusters weighted vectors with scikit-learn: how many vectors, and for each size how many clusters."""
    found = json.loads(python("agreement.py", "sizes", vectors, eps, scaling, threads=1).output)
    return found["vectors"], {int(size): clusters for size, clusters in found["sizes"].items()}
