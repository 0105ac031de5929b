"""Targets of the clustering alone, against scikit-learn and the package `dbscan` (Wang, Gu, Shun)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import peers
from bench import Bench, PointSet
from measure import Disagreement, Sample, take_turns
from ours import literal
from results import AtLeast, AtMost, Target, rows_text

MIN_SAMPLES = (2, 10)
SCIKIT_LEARN = "scikit-learn"
DBSCAN = "dbscan"


def compare(
    bench: Bench,
    points: PointSet,
    package: str,
    min_samples: int,
    ours: Callable[[], Sample],
    our_labels: Callable[[], Path],
) -> tuple[Sample, Sample]:
    """Takes turns with a package on the same points, and compares the labels.

    scikit-learn's have to be ours, number by number. `dbscan` numbers clusters in another order and gives a
    border point to the nearest cluster instead of the first: in two dimensions the rest has to be equal. From
    three dimensions on it misses neighbours, so there the difference is noted.
    """
    labels = bench.cache / "checks" / "labels.npz"
    labels.parent.mkdir(parents=True, exist_ok=True)
    pair = take_turns(
        ours, lambda: peers.cluster(package, points.array, points.eps, min_samples, labels, bench.threads)
    )
    found = peers.compare(our_labels(), labels)
    case = f"{points.folder.name}, min_samples {min_samples}"
    if package == SCIKIT_LEARN:
        if not found.equal:
            raise Disagreement("the labels are not scikit-learn's")
    elif points.dimensions == 2:
        if found.noise_of_one or found.core_moved:
            raise Disagreement("the clusters are not those of dbscan")
        if found.moved:
            bench.note(f"{case}: dbscan puts {found.moved:,} border points into another cluster in reach.")
    elif found.noise_of_one or found.moved:
        bench.note(
            f"{case}: dbscan, not exact from three dimensions on, has {found.moved:,} points in other "
            f"clusters, and {found.noise_of_one:,} that are noise for one of the two."
        )
    return pair


def compare_core(bench: Bench, points: PointSet, package: str, min_samples: int) -> tuple[Sample, Sample]:
    """The same for the window function over all points, of which only the clustering is timed."""
    return compare(
        bench,
        points,
        package,
        min_samples,
        lambda: bench.binary.core(points.call(min_samples), points.parquet),
        lambda: bench.our_labels(points, min_samples),
    )


def per_min_samples(limits: tuple[float, float]) -> Iterator[tuple[int, AtLeast]]:
    """min_samples 2 and 10, each with its limit."""
    return zip(MIN_SAMPLES, map(AtLeast, limits))


def raw_events(bench: Bench) -> None:
    """Target 12: event vectors as they come, against our GROUP BY and clustering by weight."""
    for rows, package, limit in (
        (bench.sizes.raw_events, SCIKIT_LEARN, 300),
        (bench.sizes.events, DBSCAN, 50),
    ):

        def measurement() -> tuple[Sample, Sample]:
            points = bench.points("events", rows, 3)
            call = f"({literal(points.parquet)}, [{points.columns}], {points.eps}, order_by => id)"
            # All that our query does counts, since their input has not been grouped either.
            return compare(
                bench,
                points,
                package,
                2,
                lambda: bench.binary.session(f"SELECT * FROM dbcluster_summary{call}")[0],
                lambda: bench.binary.copy(
                    f"SELECT id, cluster_id AS label FROM dbcluster_members{call}",
                    bench.cache / "checks" / "labels.parquet",
                ),
            )

        target = Target(12, "event vectors, with GROUP BY", package, rows_text(rows), AtLeast(limit))
        bench.measure(measurement, target)


def plane(bench: Bench) -> None:
    """Target 13: distinct points in two dimensions, where `dbscan` is exact."""
    rows = bench.sizes.points
    size = rows_text(rows)
    for min_samples, goal in per_min_samples((8, 5)):
        what = f"core, 2-D, min_samples {min_samples}"
        bench.measure(
            lambda: compare_core(bench, bench.points("blobs", rows, 2), DBSCAN, min_samples),
            Target(13, what, DBSCAN, size, goal),
            Target(13, f"{what}, peak memory", DBSCAN, size, AtMost(0.25), "bytes"),
        )


def space(bench: Bench) -> None:
    """Targets 14 and 15: three dimensions."""
    for rows in (bench.sizes.fewer_points, bench.sizes.points):
        for min_samples, goal in per_min_samples((7, 4)):
            bench.measure(
                lambda: compare_core(bench, bench.points("blobs", rows, 3), DBSCAN, min_samples),
                Target(14, f"core, 3-D, min_samples {min_samples}", DBSCAN, rows_text(rows), goal),
            )
    rows = bench.sizes.fewer_points
    for min_samples, goal in per_min_samples((200, 80)):
        bench.measure(
            lambda: compare_core(bench, bench.points("blobs", rows, 3), SCIKIT_LEARN, min_samples),
            Target(15, f"core, 3-D, min_samples {min_samples}", SCIKIT_LEARN, rows_text(rows), goal),
        )


def dimensions(bench: Bench) -> None:
    """Target 16: more dimensions."""
    for count, rows in ((8, bench.sizes.points_in_8), (15, bench.sizes.points_in_15)):
        for package, limit in ((SCIKIT_LEARN, 10), (DBSCAN, 2)):
            for min_samples, goal in per_min_samples((limit, limit)):
                bench.measure(
                    lambda: compare_core(bench, bench.points("blobs", rows, count), package, min_samples),
                    Target(16, f"core, {count}-D, min_samples {min_samples}", package, rows_text(rows), goal),
                )
