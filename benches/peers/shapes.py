"""Targets of the clustering against itself: hard shapes against benign ones, growth, and threads."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import Bench, PointSet
from core import MIN_SAMPLES
from measure import Disagreement, Sample, take_turns
from ours import Binary, literal
from results import AtLeast, AtMost, Target, rows_text

DIMENSIONS = 3


@dataclass(frozen=True)
class Hard:
    """A shape, with an eps of its own where the points are benign, and how many rows make a "point"."""

    what: str
    shape: str
    eps: float | None = None
    copies: int = 1


HARD = (
    Hard("all within eps", "one_spot"),
    Hard("a chain, each eps apart", "chain"),
    Hard("two vectors 0.99 eps apart, copied", "two_vectors", copies=2),
    Hard("two cells just beyond eps", "two_cells"),
    Hard("eps above everything", "blobs", eps=1e9),
    Hard("eps 1e-12", "blobs", eps=1e-12),
    Hard("eps 1e-200", "blobs", eps=1e-200),
    Hard("eps 1e200", "blobs", eps=1e200),
)


def known_answer(points: PointSet, eps: float | None, rows: int, min_samples: int) -> tuple[int, int]:
    """How many clusters and how much noise there are, as the shape decides it."""
    if eps is not None:
        return (1, 0) if eps > 1 else (0, rows)
    facts = points.facts
    # JSON has text for keys: an answer that depends on min_samples is an object.
    clusters, noise = (
        answer[str(min_samples)] if isinstance(answer := facts[name], dict) else answer
        for name in ("clusters", "noise")
    )
    return clusters, noise


def check(bench: Bench, points: PointSet, eps: float | None, rows: int, min_samples: int) -> None:
    """Compares our answer with the known one."""
    (found,) = bench.binary.rows(f"""SELECT count(DISTINCT label) FILTER (WHERE label >= 0) AS clusters,
            count(*) FILTER (WHERE label < 0) AS noise
            FROM (SELECT {points.call(min_samples, eps)} AS label FROM {literal(points.parquet)})""")
    if (int(found["clusters"]), int(found["noise"])) != known_answer(points, eps, rows, min_samples):
        raise Disagreement(
            f"{found['clusters']} clusters and {found['noise']} noise with min_samples {min_samples}"
        )


def worse(measure: Callable[[int], tuple[Sample, Sample]]) -> tuple[Sample, Sample]:
    """The pair with the higher ratio, of min_samples 2 and 10."""
    return max(map(measure, MIN_SAMPLES), key=lambda pair: pair[0].seconds / pair[1].seconds)


def hard(bench: Bench) -> None:
    """Target 17: shapes that make a clustering quadratic, or its numbers overflow."""
    core = bench.binary.core
    rows = bench.sizes.shape_points
    for case in HARD:
        many, few = rows * case.copies, rows * case.copies // 10

        def against_benign(min_samples: int) -> tuple[Sample, Sample]:
            points = bench.points(case.shape, many, DIMENSIONS)
            benign = bench.points("blobs", many, DIMENSIONS)
            check(bench, points, case.eps, many, min_samples)
            return take_turns(
                lambda: core(points.call(min_samples, case.eps), points.parquet),
                lambda: core(benign.call(min_samples), benign.parquet),
            )

        def growth(min_samples: int) -> tuple[Sample, Sample]:
            points, fewer = (bench.points(case.shape, size, DIMENSIONS) for size in (many, few))
            check(bench, fewer, case.eps, few, min_samples)
            return take_turns(
                lambda: core(points.call(min_samples, case.eps), points.parquet),
                lambda: core(fewer.call(min_samples, case.eps), fewer.parquet),
            )

        size = rows_text(many)
        bench.measure(
            lambda: worse(against_benign), Target(17, f"core, {case.what}", "benign points", size, AtMost(2))
        )
        bench.measure(
            lambda: worse(growth),
            Target(17, f"core, {case.what}", f"{rows_text(few)} of the same", size, AtMost(13)),
        )
    directions(bench)


def directions(bench: Bench) -> None:
    """Vectors on the sphere, whose labels scikit-learn can tell, so that is asked too."""
    from core import SCIKIT_LEARN, compare_core

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
    two, one = Binary(bench.binary.path, 2), Binary(bench.binary.path, 1)
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
