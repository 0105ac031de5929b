"""Targets of the clustering against itself: hard shapes against benign ones, growth, and threads."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench import Bench, PointSet
from measure import Disagreement, Sample, take_turns
from ours import literal
from results import AtLeast, AtMost, Target, rows_text
from targets.core import MIN_SAMPLES, SCIKIT_LEARN, compare_core

DIMENSIONS = 3


def one_cluster(rows: int, min_samples: int) -> tuple[int, int]:
    """Returns the numbers of clusters and of noise if all points are together."""
    return 1, 0


def all_noise(rows: int, min_samples: int) -> tuple[int, int]:
    """Returns the numbers if no points are neighbours."""
    return 0, rows


def each_with_two(rows: int, min_samples: int) -> tuple[int, int]:
    """Each point has two neighbours, so it is core only where that is enough."""
    return one_cluster(rows, min_samples) if min_samples <= 3 else all_noise(rows, min_samples)


def two_clusters(rows: int, min_samples: int) -> tuple[int, int]:
    """Everything is in one of two places."""
    return 2, 0


@dataclass(frozen=True)
class Hard:
    """A shape of points.py and its answer; an eps in place of the shape's own; how often the usual rows."""

    what: str
    shape: str
    answer: Callable[[int, int], tuple[int, int]]
    eps: float | None = None
    copies: int = 1


HARD = (
    Hard("all within eps", "one_spot", one_cluster),
    Hard("a chain, each eps apart", "chain", each_with_two),
    Hard("two vectors 0.99 eps apart, copied", "two_vectors", one_cluster, copies=2),
    Hard("two cells just beyond eps", "two_cells", two_clusters),
    Hard("eps above everything", "blobs", one_cluster, eps=1e9),
    Hard("eps 1e-12", "blobs", all_noise, eps=1e-12),
    Hard("eps 1e-200", "blobs", all_noise, eps=1e-200),
    Hard("eps 1e200", "blobs", one_cluster, eps=1e200),
)


def check(bench: Bench, case: Hard, points: PointSet, rows: int, min_samples: int) -> None:
    """Compares our answer with the known one."""
    (found,) = bench.binary.rows(f"""SELECT count(DISTINCT label) FILTER (WHERE label >= 0) AS clusters,
            count(*) FILTER (WHERE label < 0) AS noise
            FROM (SELECT {points.call(min_samples, case.eps)} AS label FROM {literal(points.parquet)})""")
    clusters, noise = int(found["clusters"]), int(found["noise"])
    if (clusters, noise) != case.answer(rows, min_samples):
        raise Disagreement(f"{clusters} clusters and {noise} noise with min_samples {min_samples}")


def worse(measure: Callable[[int], tuple[Sample, Sample]]) -> tuple[Sample, Sample]:
    """The pair with the higher ratio, of min_samples 2 and 10."""
    return max(map(measure, MIN_SAMPLES), key=lambda pair: pair[0].seconds / pair[1].seconds)


def hard(bench: Bench) -> None:
    """Target 17: shapes that make a clustering quadratic, or its numbers overflow."""
    core = bench.binary.core
    for case in HARD:
        rows = bench.sizes.shape_points * case.copies
        fewer = rows // 10

        def measurement(
            min_samples: int, other_shape: str, other_rows: int, other_eps: float | None
        ) -> tuple[Sample, Sample]:
            points = bench.points(case.shape, rows, DIMENSIONS)
            others = bench.points(other_shape, other_rows, DIMENSIONS)
            check(bench, case, points, rows, min_samples)
            return take_turns(
                lambda: core(points.call(min_samples, case.eps), points.parquet),
                lambda: core(others.call(min_samples, other_eps), others.parquet),
            )

        what, size = f"core, {case.what}", rows_text(rows)
        bench.measure(
            lambda: worse(lambda min_samples: measurement(min_samples, "blobs", rows, None)),
            Target(17, what, "benign points", size, AtMost(2)),
        )
        bench.measure(
            lambda: worse(lambda min_samples: measurement(min_samples, case.shape, fewer, case.eps)),
            Target(17, what, f"{rows_text(fewer)} of the same", size, AtMost(13)),
        )
    directions(bench)


def directions(bench: Bench) -> None:
    """Vectors on the sphere, whose labels scikit-learn can tell, so that is asked too."""
    rows = 23_000

    def measurement(min_samples: int) -> tuple[Sample, Sample]:
        points, benign = (bench.points(shape, rows, DIMENSIONS) for shape in ("sphere", "blobs"))
        compare_core(bench, points, SCIKIT_LEARN, min_samples)
        return take_turns(
            lambda: bench.binary.core(points.call(min_samples), points.parquet),
            lambda: bench.binary.core(benign.call(min_samples), benign.parquet),
        )

    target = Target(17, "core, directions, eps 0.01", "benign points", rows_text(rows), AtMost(2))
    bench.measure(lambda: worse(measurement), target)


def threads(bench: Bench) -> None:
    """Target 18: a second thread."""
    rows = 1_000_000
    two, one = (replace(bench.binary, threads=count) for count in (2, 1))
    for dimensions in (2, 3):
        for min_samples in MIN_SAMPLES:

            def measurement() -> tuple[Sample, Sample]:
                points = bench.points("blobs", rows, dimensions)
                counted = f"""SELECT label, count(*) AS n, min(id) AS first_id, max(id) AS last_id
                    FROM (SELECT id, {points.call(min_samples)} AS label FROM {literal(points.parquet)})
                    GROUP BY label ORDER BY label"""
                if two.rows(counted) != one.rows(counted):
                    raise Disagreement("the threads change the labels")
                return take_turns(
                    lambda: two.core(points.call(min_samples), points.parquet),
                    lambda: one.core(points.call(min_samples), points.parquet),
                )

            what = f"core, {dimensions}-D, min_samples {min_samples}, 2 threads"
            bench.measure(measurement, Target(18, what, "1 thread", rows_text(rows), AtLeast(1.6)))
