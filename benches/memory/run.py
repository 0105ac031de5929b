#!/usr/bin/env python3
"""Queries at memory limits: the right rows or an error that says what was missing, and how much memory the process takes.

    python3 benches/memory/run.py --rows 3m
    python3 benches/memory/run.py --rows 3m --only partition --limits 200 256 300 350 400 450 512 600 700 --times 3

Each query of queries.sql runs without a limit, and then at each limit. A run is held to this: its row is that of the run
without a limit, or it ends with "out of resources" and exit code 1; its memory (the peak of the process) stays below the
limit and 300 MB, or half as much again where that is more; nothing is left in its folder for spilled data; it ends in time
(--timeout). What breaks any of it is shown, and the exit code is 1. Needs the program `dbcluster` and nothing but Python.
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
LIMITS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
TIMEOUT = 600  # seconds, of a run


def queries(events):
    text = (HERE / "queries.sql").read_text()
    parts = re.split(r"^-- name: (.*)$", text, flags=re.MULTILINE)[1:]
    return {name: sql.strip().replace("EVENTS", str(events)) for name, sql in zip(parts[::2], parts[1::2])}


class Run:
    """One query in a process of its own."""

    def __init__(self, program, sql, limit, threads, timeout):
        command = [program, "--quiet", "--format", "csv", "--threads", str(threads), "-c", sql]
        if limit:
            command += ["--memory-limit", f"{limit}m"]
        with tempfile.TemporaryDirectory() as spill, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=out, stderr=err, env=dict(os.environ, TMPDIR=spill))
            # This is not `process.kill`, which may collect the process before `wait4` does.
            clock = threading.Timer(timeout, os.kill, (process.pid, signal.SIGKILL))
            clock.start()
            _, status, usage = os.wait4(process.pid, 0)
            clock.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - started
            self.timed_out = process.returncode == -signal.SIGKILL and self.seconds >= timeout
            self.left = len(os.listdir(spill))
            out.seek(0)
            err.seek(0)
            self.answer, self.error = out.read().decode(), err.read().decode()
        self.code, self.mebibytes = process.returncode, usage.ru_maxrss // 1024

    def faults(self, limit, expected):
        """Returns the fault of the run, if any, and a word for its end."""
        if self.timed_out:
            return "TIMEOUT", [f"no end after {self.seconds:.0f} s"]
        faults = []
        if self.code == 0:
            end = "right"
            if self.answer != expected:
                end = "WRONG"
                faults.append(f"other rows: {self.answer.strip()}")
        else:
            end = "exhausted"
            if self.code != 1 or "out of resources" not in self.error:
                end = f"FAILED ({self.code})"
                faults.append(self.error.strip())
            if "clustering 0 rows" in self.error:
                faults.append("a clustering that has had no rows is told of")
        most = max(limit + 300, limit + limit // 2)
        if self.mebibytes > most:
            faults.append(f"{self.mebibytes} MB, at most {most} are meant")
        if self.left:
            faults.append(f"{self.left} files of spilled data are left")
        return end, faults


def number(text):
    units = {"k": 10**3, "m": 10**6}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=HERE.parents[1] / "target/release/dbcluster", help="the program [default: %(default)s]")
    parser.add_argument("--rows", default="3m", help="events of the sample [default: %(default)s]")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="QUERY", help="some of the queries")
    parser.add_argument("--limits", nargs="+", type=int, default=LIMITS, metavar="MB")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help="stops a run [default: %(default)s]")
    parser.add_argument("--times", type=int, default=1, help="how often each runs [default: %(default)s]")
    args = parser.parse_args()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "datafusion-dbcluster/memory"
    sample = cache / f"rows-{number(args.rows)}"
    if not sample.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([args.program, "sample", "--rows", str(number(args.rows)), "--out", sample], check=True)
    asked = queries(sample / "processes.parquet")
    faulty = 0
    print("| query | " + " | ".join(f"{limit} MB" for limit in args.limits) + " | no limit |")
    print("|---|" + "---|" * (len(args.limits) + 1))
    for name in args.only or asked:
        plain = Run(args.program, asked[name], None, args.threads, args.timeout)
        if plain.code:
            sys.exit(f"{name}: {plain.error or f'no end after {plain.seconds:.0f} s'}")
        cells, notes = [], []
        for limit in args.limits:
            ends = []
            for _ in range(args.times):
                run = Run(args.program, asked[name], limit, args.threads, args.timeout)
                end, faults = run.faults(limit, plain.answer)
                ends.append(f"{end} {run.seconds:.1f} s {run.mebibytes} MB")
                notes += [f"{name}, {limit} MB: {fault}" for fault in faults]
            cells.append("; ".join(ends))
        faulty += len(notes)
        print(f"| {name} | " + " | ".join(cells) + f" | {plain.seconds:.1f} s {plain.mebibytes} MB |", flush=True)
        for note in notes:
            print(note, file=sys.stderr, flush=True)
    sys.exit(1 if faulty else 0)


if __name__ == "__main__":
    main()
