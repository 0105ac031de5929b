"""Measures dbcluster beside its peers on the same data: `./run [quick | full] [options]`.

Each answer is checked before a time counts. The result is a table and a picture.
"""

import argparse
import importlib.metadata
import os
from pathlib import Path

import analysts
import core
import events
import shapes
from bench import FULL, QUICK, Bench
from measure import ROUNDS, Failed
from ours import Binary, default_binary
from results import Report, draw

THREADS = 2
HERE = Path(__file__).resolve().parent
PEERS = ("msticpy", "scikit-learn", "dbscan", "duckdb")

# In the order of their targets.
GROUPS = {
    "floors": events.floors,
    "vectors": events.many_vectors,
    "formats": events.formats,
    "scale": events.scale,
    "notebook": analysts.notebook,
    "pipeline": analysts.pipeline,
    "members": events.members,
    "raw": core.raw_events,
    "plane": core.plane,
    "space": core.space,
    "dimensions": core.dimensions,
    "hard": shapes.hard,
    "threads": shapes.threads,
    "functions": events.functions,
}


def arguments() -> argparse.Namespace:
    """The command line."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "datafusion-dbcluster" / "peers"
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("mode", nargs="?", choices=("quick", "full"), default="quick")
    parser.add_argument("--only", action="append", choices=GROUPS, help="a group of targets; may be repeated")
    parser.add_argument("--binary", type=Path, help="the binary to measure (default: Cargo's release build)")
    parser.add_argument("--data", type=Path, default=home / "data", help="where generated data is kept")
    parser.add_argument(
        "--results", type=Path, help="where the table and the picture go (quick: beside the data; full: here)"
    )
    return parser.parse_args()


def facts(mode: str, binary: Binary) -> list[str]:
    """What stands above the table."""
    version = binary.process("--version").output.strip()
    peers = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PEERS)
    lines = [
        f"{version}, {THREADS} threads, beside {peers}.",
        f"Medians of {ROUNDS} rounds in which both sides take turns; what takes longer than 20 s runs once.",
        "`≤` is ours divided by theirs, `≥` theirs divided by ours.",
        "scikit-learn uses one thread, as it does unless told.",
    ]
    if mode == "quick":
        lines.append("This is the quick run: the targets are set for the sizes of the full one.")
    return lines


def main() -> None:
    options = arguments()
    binary = Binary(options.binary or default_binary(), THREADS)
    if not binary.path.exists():
        raise SystemExit(f"There is no {binary.path}. Build it: cargo build --release --locked")
    report = Report(f"dbcluster beside its peers, {options.mode} run", facts(options.mode, binary))
    bench = Bench(FULL if options.mode == "full" else QUICK, options.data, binary, report)
    results = options.results or (HERE if options.mode == "full" else options.data)
    results.mkdir(parents=True, exist_ok=True)
    for name in options.only or GROUPS:
        print(f"== {name}", flush=True)
        try:
            GROUPS[name](bench)
        except Failed as error:
            bench.note(f"The group {name} stopped: {error}")
        (results / "results.md").write_text(report.markdown())
    draw(report.results, report.title, results / "results.svg")
    print(report.markdown())
    print(f"Written to {results / 'results.md'} and results.svg beside it.")


if __name__ == "__main__":
    main()
