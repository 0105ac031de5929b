"""Measures dbcluster beside its peers on the same data: `./run [quick | full] [options]`.

Each answer is checked before a time counts. The result is a table and a picture.
"""

import argparse
import importlib.metadata
import os
import time
from pathlib import Path

from bench import FULL, QUICK, Bench
from measure import ROUNDS
from ours import Binary, default_binary
from results import Report, draw
from targets import core, events, programs, shapes

THREADS = 2
HERE = Path(__file__).resolve().parent
PEERS = ("msticpy", "scikit-learn", "dbscan", "duckdb")

# In the order of their targets.
GROUPS = {
    "floors": events.floors,
    "vectors": events.many_vectors,
    "formats": events.formats,
    "scale": events.scale,
    "notebook": programs.notebook,
    "pipeline": programs.pipeline,
    "members": events.members,
    "raw": core.raw_events,
    "plane": core.plane,
    "space": core.space,
    "dimensions": core.dimensions,
    "hard": shapes.hard,
    "threads": shapes.threads,
    "functions": events.functions,
    "questions": events.questions,
    "answers": events.answers,
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
        "--results",
        type=Path,
        help="where the table and the picture go (default: beside this program when all is measured in full, "
        "otherwise beside the data)",
    )
    return parser.parse_args()


def facts(mode: str, binary: Binary) -> list[str]:
    """Returns the text above the table."""
    version = binary.process("--version").output.strip()
    peers = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PEERS)
    lines = [
        f"{version}, {THREADS} threads, beside {peers}.",
        f"Medians of {ROUNDS} rounds in which both sides take turns; what takes longer than 20 s runs once.",
        "`≤` is ours divided by theirs, `≥` theirs divided by ours.",
        "scikit-learn uses one thread, as it does unless told.",
        "Of 17 the worse one of min_samples 2 and 10 is shown.",
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
    complete = options.mode == "full" and not options.only
    results = options.results or (HERE if complete else options.data)
    results.mkdir(parents=True, exist_ok=True)
    for name in options.only or GROUPS:
        print(f"== {name}", flush=True)
        started = time.perf_counter()
        try:
            GROUPS[name](bench)
        except Exception as error:  # whatever it is, the other groups go on
            bench.note(f"The group {name} stopped: {str(error) or repr(error)}")
        (results / "results.md").write_text(report.markdown())
        print(f"== {name}: {time.perf_counter() - started:.0f} s", flush=True)
    draw(report.results, report.title, results / "results.svg")
    print(report.markdown())
    print(f"Written to {results / 'results.md'} and results.svg beside it.")


if __name__ == "__main__":
    main()
