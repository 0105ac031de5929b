"""Targets against whole programs that do the same job: msticpy's notebook, and DuckDB with scikit-learn."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import peers
from bench import NOTEBOOK, Bench
from measure import ROUNDS, Disagreement, Process, Sample, take_turns, typical
from ours import literal
from results import AtLeast, Target, rows_text


def sizes_in(file: Path) -> Counter[int]:
    """Counts the clusters of each size in a CSV of clusters; a noise row is a cluster of one."""
    with file.open(newline="") as text:
        return Counter(int(row["cluster_size"]) for row in csv.DictReader(text))


def measure_programs(
    bench: Bench, copy: str, theirs: Callable[[Path], Process], process: Target, warm: Target
) -> None:
    """Times a program of theirs against a COPY of ours that writes the same clusters.

    Once as processes, with all that it takes to start; and once warm: a statement in a session of ours,
    against what their program says it took without its imports.
    """
    checks = bench.cache / "checks"
    checks.mkdir(parents=True, exist_ok=True)
    our_file, their_file = checks / "clusters-ours.csv", checks / "clusters-theirs.csv"
    statement = f"COPY ({copy}) TO {literal(our_file)}"
    told: list[Sample] = []

    def their_process() -> Process:
        done = theirs(their_file)
        told.append(Sample(float(done.output)))
        return done

    def as_processes() -> tuple[Sample, Sample]:
        pair = take_turns(lambda: bench.binary.query(statement), their_process)
        if sizes_in(our_file) != sizes_in(their_file):
            told.clear()
            raise Disagreement("the clusters have other sizes")
        return pair

    def in_session() -> tuple[Sample, Sample]:
        if not told:
            raise Disagreement("there is no time of a process with the same answer")
        return typical(bench.binary.session(*(ROUNDS * [statement]))), typical(told)

    bench.measure(as_processes, process)
    bench.measure(in_session, warm)


def notebook(bench: Bench) -> None:
    """Target 9: the notebook's two functions."""
    rows = bench.sizes.notebook_events
    table, size = bench.events(rows), rows_text(rows)
    measure_programs(
        bench,
        f"""SELECT * FROM dbcluster(process_features({literal(table)}),
            [commandlineTokensFull, pathScore, isSystemSession], eps => 0.0001)""",
        lambda output: peers.python("notebook.py", table, output, threads=bench.threads),
        Target(9, "features and clusters, process", "msticpy", size, AtLeast(500)),
        Target(9, "features and clusters, warm", "msticpy", size, AtLeast(500)),
    )


def pipeline(bench: Bench) -> None:
    """Target 10: DuckDB groups, scikit-learn clusters the distinct vectors."""
    for rows in sorted({bench.sizes.events // 10, bench.sizes.events}):
        table, size = bench.events(rows), rows_text(rows)
        measure_programs(
            bench,
            f"""SELECT cluster_size, first_event_time, last_event_time
                FROM {NOTEBOOK.call("dbcluster", table)}""",
            lambda output: peers.python("analyst.py", table, output, bench.threads, threads=bench.threads),
            Target(10, "sizes and times, process", "duckdb + scikit-learn", size, AtLeast(1)),
            Target(10, "sizes and times, warm", "duckdb + scikit-learn", size, AtLeast(1)),
        )
