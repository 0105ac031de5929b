"""Shared code of the targets: sizes, data that is made once, checks, and the report."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import peers
from measure import Disagreement, Sample
from ours import Binary, literal
from results import Report, Result, Target

SEED = 7


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run."""

    events: int
    most_events: int
    text_events: int
    notebook_events: int
    raw_events: int  # event vectors that scikit-learn clusters without grouping them
    points: int
    fewer_points: int
    points_in_8: int
    points_in_15: int
    shape_points: int


FULL = Sizes(
    events=10_000_000,
    most_events=100_000_000,
    text_events=1_000_000,
    notebook_events=100_000,
    raw_events=100_000,
    points=10_000_000,
    fewer_points=1_000_000,
    points_in_8=100_000,
    points_in_15=50_000,
    shape_points=1_000_000,
)
QUICK = Sizes(
    events=1_000_000,
    most_events=10_000_000,
    text_events=200_000,
    notebook_events=20_000,
    raw_events=50_000,
    points=1_000_000,
    fewer_points=100_000,
    points_in_8=20_000,
    points_in_15=10_000,
    shape_points=100_000,
)


@dataclass(frozen=True)
class PointSet:
    """Points in a folder, as points.py wrote them."""

    folder: Path
    dimensions: int

    @property
    def parquet(self) -> Path:
        return self.folder / "points.parquet"

    @property
    def array(self) -> Path:
        return self.folder / "points.npy"

    @property
    def eps(self) -> float:
        """The distance that belongs to the shape."""
        return float((self.folder / "eps").read_text())

    @property
    def columns(self) -> str:
        return ", ".join(f"x{axis}" for axis in range(self.dimensions))

    def call(self, min_samples: int, eps: float | None = None) -> str:
        """The window function over these points, numbered as scikit-learn numbers: by the first row."""
        eps = self.eps if eps is None else eps
        return f"dbscan({eps!r}, {min_samples}, {self.columns}) OVER (ORDER BY id)"


@dataclass(frozen=True, eq=False)
class Features:
    """The features that events are clustered by."""

    columns: dict[str, str]
    eps: float
    scaling: str
    partition_by: str | None = None

    def with_hash(self, values: int) -> "Features":
        """These columns and a hash of the command line with so many values, so that there are many vectors."""
        columns = self.columns | {"h": f"crc32_hash(CommandLine) % {values}"}
        return replace(self, columns=columns, eps=0.5, scaling="none")

    @property
    def keys(self) -> list[str]:
        """What rows of one vector have in common."""
        return [*([self.partition_by] if self.partition_by else []), *self.columns]

    def vectors(self, table: Path) -> str:
        """The narrow floor: GROUP BY the same features, with what a cluster needs to know of its vectors."""
        return f"""SELECT {", ".join(self.keys)}, count(*) AS n, min(TimeGenerated) AS first_time,
            max(TimeGenerated) AS last_time
            FROM ({self.per_row(table)}) GROUP BY {", ".join(self.keys)}"""

    def per_row(self, table: Path) -> str:
        """The features of each row, beside its time."""
        features = ", ".join(f"{sql} AS {name}" for name, sql in self.columns.items())
        partition = f", {self.partition_by}" if self.partition_by else ""
        return f"SELECT TimeGenerated, {features}{partition} FROM {literal(table)}"

    def call(self, function: str, table: Path, *options: str) -> str:
        """A table function over the same features."""
        features = ", ".join(f"{name}: {sql}" for name, sql in self.columns.items())
        named = [f"eps => {self.eps}", f"scaling => '{self.scaling}'", "time_column => TimeGenerated", *options]
        if self.partition_by:
            named.append(f"partition_by => {self.partition_by}")
        return f"{function}({literal(table)}, {{{features}}}, {', '.join(named)})"


# The three features of the notebook.
NOTEBOOK = Features(
    {
        "tokens": "cmdline_tokens(CommandLine)",
        "path": "path_score(NewProcessName)",
        "is_system": "is_system_session(SubjectLogonId)",
    },
    eps=0.0001,
    scaling="l2",
)


@dataclass(frozen=True, eq=False)
class Bench:
    """A run: its sizes, where its data is kept, our binary, and the report that grows."""

    sizes: Sizes
    cache: Path
    binary: Binary
    report: Report

    @property
    def threads(self) -> int:
        return self.binary.threads

    def measure(self, measurement: Callable[[], tuple[Sample, Sample]], *targets: Target) -> None:
        """Measures once for one or more targets; a failure is a result, too."""
        try:
            ours, theirs = measurement()
            results = [Result(target, ours, theirs) for target in targets]
        except Exception as error:  # whatever it is, the other targets go on
            results = [Result(target, failure=str(error) or repr(error)) for target in targets]
        for result in results:
            self.report.results.append(result)
            print("  ".join(result.cells()), flush=True)

    def note(self, text: str) -> None:
        """Something that stands below the table."""
        if text not in self.report.notes:
            self.report.notes.append(text)
            print(text, flush=True)

    # Data

    def events(self, rows: int, files: int = 1) -> Path:
        """Generated process events: a Parquet file, or a folder with several."""
        folder = self.cache / f"events-{rows}-{files}"
        if not folder.exists():
            unfinished = folder.with_name(f"unfinished-{folder.name}")
            options = ("--rows", str(rows), "--files", str(files), "--seed", str(SEED), "--force")
            self.binary.process("sample", *options, "--out", unfinished)
            unfinished.rename(folder)
        return folder / "processes.parquet"

    def derived(self, name: str, sql: str) -> Path:
        """A file made with a query."""
        file = self.cache / name
        return file if file.exists() else self.binary.copy(sql, file)

    def points(self, shape: str, rows: int, dimensions: int) -> PointSet:
        """Generated points."""
        folder = self.cache / f"{shape}-{rows}-{dimensions}"
        if not (folder / "eps").exists():
            peers.python("points.py", shape, rows, dimensions, folder, threads=self.threads)
        return PointSet(folder, dimensions)

    # Checks

    @functools.cache
    def check_sizes(self, features: Features, table: Path) -> int:
        """Our clusters have the sizes that scikit-learn gives the distinct vectors with their weights.

        Returns how many distinct vectors there are.
        """
        vectors = self.cache / "checks" / "vectors.parquet"
        doubles = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in features.columns)
        partition = f", {features.partition_by} AS partition" if features.partition_by else ""
        self.binary.copy(f"SELECT {doubles}, n{partition} FROM ({features.vectors(table)})", vectors)
        distinct, expected = peers.cluster_sizes(vectors, features.eps, features.scaling)
        if self.sizes_of(features.call("dbcluster", table)) != expected:
            raise Disagreement("the sizes of the clusters are not scikit-learn's")
        return distinct

    def sizes_of(self, clusters: str) -> dict[int, int]:
        """Counts the clusters of each size, for a query with a column `cluster_size`."""
        counted = self.binary.rows(
            f"SELECT cluster_size, count(*) AS clusters FROM {clusters} GROUP BY cluster_size"
        )
        return {int(row["cluster_size"]): int(row["clusters"]) for row in counted}

    def our_labels(self, points: PointSet, min_samples: int) -> Path:
        """Our label of each point, written to a file."""
        return self.binary.copy(
            f"SELECT id, {points.call(min_samples)} AS label FROM {literal(points.parquet)}",
            self.cache / "checks" / "labels.parquet",
        )
