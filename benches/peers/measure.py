"""Measures the cost of a process, in rounds in which two sides take turns.

This side imports nothing but the standard library: until a child runs its own program the kernel counts its
parent's memory as its own, so the parent has to stay small.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROUNDS = 3
# Seconds. A side that takes longer than LONG runs once; if both sides are SHORT, they run three times as often.
LONG = 20.0
SHORT = 0.1


class Failed(Exception):
    """A process ended badly."""


class Disagreement(Exception):
    """The two sides don't give the same answer, so their times mean nothing."""


@dataclass(frozen=True)
class Sample:
    """A cost: seconds, and the peak memory of the process."""

    seconds: float
    peak_bytes: int = 0


@dataclass(frozen=True)
class Process(Sample):
    """A process that has ended, from start to end, with what it wrote."""

    output: str = ""


def run(command: Sequence[str | Path], threads: int) -> Process:
    """Runs a program; `threads` reach the peers' libraries through their environment."""
    # A memory limit for our binary that somebody has set would be measured, too.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DBCLUSTER_")}
    environment |= {"PARLAY_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            ended = f"ended by signal {-process.returncode}" if process.returncode < 0 else "failed"
            raise Failed(f"{Path(command[0]).name} {ended}: {' '.join(last) or 'no message'}")
        output.seek(0)
        # Linux counts in KiB, macOS in bytes.
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Process(seconds, peak, output.read().decode())


def typical(samples: Sequence[Sample]) -> Sample:
    """The median of the times and the highest of the peaks."""
    return Sample(median(s.seconds for s in samples), max(s.peak_bytes for s in samples))


def take_turns(ours: Callable[[], Sample], theirs: Callable[[], Sample]) -> tuple[Sample, Sample]:
    """Ours, theirs, ours, theirs: a noisy neighbour hits both."""
    sides: tuple[list[Sample], list[Sample]] = ([ours()], [theirs()])
    longest = max(side[0].seconds for side in sides)
    for _ in range(1, 3 * ROUNDS if longest < SHORT else ROUNDS):
        for side, again in zip(sides, (ours, theirs)):
            if side[0].seconds < LONG:
                side.append(again())
    return typical(sides[0]), typical(sides[1])
