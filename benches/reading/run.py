#!/usr/bin/env python3
"""Reading text files, beside duckdb, and queries over them, beside the same over Parquet.

    benches/reading/run.py target/release/dbcluster [--rows 1000000] [--rounds 5]

It needs duckdb (benches/peers/requirements.txt pins it). Both sides look at all rows before they choose types: duckdb with
sample_size = -1. Rounds take turns; the medians are shown. Before a time counts, both sides have to give the same number of rows
and of letters. The program's times are those of a whole process, duckdb's those of its CREATE TABLE.
"""

import argparse
import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

CLUSTERS = (
    "SELECT count(*) FROM dbcluster('{file}', [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 0.0001)"
)
LETTERS = "SELECT count(*) AS n, sum(length(CommandLine)) AS letters FROM {table}"


def answer(program, threads, *statements):
    """The output of the statements in one session, and its seconds."""
    started = time.monotonic()
    arguments = [argument for statement in statements for argument in ("-c", statement)]
    done = subprocess.run([program, "-t", str(threads), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout, time.monotonic() - started


def elapsed(output):
    """The seconds of each statement, as the program tells them."""
    return [float(seconds) for seconds in re.findall(r"Elapsed ([0-9.]+) seconds", output)]


def numbers(output):
    return [int(cell) for row in re.findall(r"^\| ([0-9 |]+)\|$", output, re.M) for cell in row.split("|")]


def read_by_duckdb(path, threads):
    """The rows and letters, and the seconds of reading."""
    with duckdb.connect(config={"threads": threads}) as connection:
        reader = "read_csv" if ".csv" in path.name else "read_json"
        started = time.monotonic()
        connection.execute(f"CREATE TABLE t AS SELECT * FROM {reader}('{path}', sample_size = -1)")
        seconds = time.monotonic() - started
        return list(connection.execute(LETTERS.format(table="t")).fetchone()), seconds


def files(program, folder, rows):
    """The same events in all formats."""
    subprocess.run([program, "-q", "sample", "--rows", str(rows), "--out", folder / "sample"], check=True)
    events = next((folder / "sample").glob("processes*.parquet"))
    paths = [folder / "events.csv", folder / "events.json"]
    for path in paths:
        answer(program, 2, f"COPY (SELECT * FROM '{events}') TO '{path}'")
    for path in list(paths):
        packed = path.with_name(path.name + ".gz")
        with open(path, "rb") as plain, gzip.open(packed, "wb", compresslevel=1) as into:
            shutil.copyfileobj(plain, into)
        paths.append(packed)
    return events, paths


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    program = options.program.resolve()
    with tempfile.TemporaryDirectory() as folder:
        events, paths = files(program, Path(folder), options.rows)
        print(f"{options.rows:,} events, {options.threads} threads, {os.cpu_count()} cores, duckdb {duckdb.__version__}")
        print("| file | MB | ours | duckdb | ratio | first dbcluster / reading | later dbcluster / Parquet |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        over_parquet = CLUSTERS.format(file=events)
        for path in paths:
            ours, theirs, first, later = [], [], [], []
            for _ in range(options.rounds):
                output, seconds = answer(program, options.threads, LETTERS.format(table=f"'{path}'"))
                ours.append(seconds)
                found, seconds = read_by_duckdb(path, options.threads)
                theirs.append(seconds)
                if numbers(output) != found:
                    sys.exit(f"{path.name}: {numbers(output)} and {found}")
                query = CLUSTERS.format(file=path)
                warm = [over_parquet] * 3 + [query] * 4
                output, _ = answer(program, options.threads, *warm)
                times = elapsed(output)
                first.append(times[3] / ours[-1])
                later.append(statistics.median(times[4:]) / statistics.median(times[:3]))
            ours, theirs = statistics.median(ours), statistics.median(theirs)
            print(
                f"| {path.name} | {path.stat().st_size / 1e6:.0f} | {ours:.2f} s | {theirs:.2f} s | {ours / theirs:.2f} "
                f"| {statistics.median(first):.2f} | {statistics.median(later):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
