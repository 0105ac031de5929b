"""Our side: the `dbcluster` binary, as a process for one query or as a session with several."""

import csv
import io
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measure import ROUNDS, Failed, Process, Sample, run, typical

REPOSITORY = Path(__file__).resolve().parents[2]
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def default_binary() -> Path:
    """Returns the folder of Cargo's release build."""
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps", "--offline"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "dbcluster"


def literal(text: str | Path) -> str:
    """A string as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"


@dataclass(frozen=True)
class Binary:
    """The binary, and with how many threads it runs."""

    path: Path
    threads: int

    def process(self, *arguments: str | Path) -> Process:
        """One run of the binary."""
        return run([self.path, "--threads", str(self.threads), *arguments], self.threads)

    def query(self, sql: str, *options: str) -> Process:
        """A statement in a process of its own, with its result as CSV."""
        return self.process("--format", "csv", *options, "-c", sql)

    def rows(self, sql: str) -> list[dict[str, str]]:
        """The rows of a result."""
        return list(csv.DictReader(io.StringIO(self.query(sql).output)))

    def copy(self, sql: str, target: Path) -> Path:
        """Writes a result to a file, whose name says the format. An unfinished file never has that name."""
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"unfinished-{target.name}")
        self.query(f"COPY ({sql}) TO {literal(unfinished)}")
        return unfinished.rename(target)

    def session(self, *statements: str) -> list[Sample]:
        """Statements in one session, each with the time that the shell tells."""
        output = self.process(*(part for sql in statements for part in ("-c", sql))).output
        seconds = [float(found) for found in re.findall(r"^Elapsed ([\d.]+) seconds", output, re.MULTILINE)]
        if len(seconds) != len(statements):
            raise Failed(f"{len(seconds)} of {len(statements)} statements told their time")
        return [Sample(each) for each in seconds]

    def turns(self, ours: str, theirs: str) -> tuple[Sample, Sample]:
        """Two statements that take turns in one session, and write their answers to files: nobody waits for a terminal."""
        with tempfile.TemporaryDirectory() as folder:
            turn = [
                f"COPY ({sql}) TO {literal(Path(folder, name))}"
                for sql, name in ((ours, "ours.parquet"), (theirs, "theirs.parquet"))
            ]
            samples = self.session(*(ROUNDS * turn))
        return typical(samples[::2]), typical(samples[1::2])

    def core(self, call: str, points: Path) -> Sample:
        """The clustering alone, from Arrow arrays to labels: what the operator says in EXPLAIN ANALYZE.

        The peak is that of the process, which also reads and sorts the rows.
        """
        sql = f"SELECT count(*), max(label) FROM (SELECT {call} AS label FROM {literal(points)})"
        process = self.query(f"EXPLAIN ANALYZE {sql}")
        found = re.search(r"DbscanExec.*?cluster_time=([\d.]+)(ns|µs|ms|s)\b", process.output)
        if not found:
            raise Failed("EXPLAIN ANALYZE shows no cluster_time")
        return Sample(float(found[1]) * UNITS[found[2]], process.peak_bytes)
