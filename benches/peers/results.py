"""Targets, what was measured against them, and the table of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from measure import Sample


@dataclass(frozen=True)
class AtMost:
    """Ours divided by theirs stays below a limit."""

    limit: float

    def ratio(self, ours: float, theirs: float) -> float:
        return ours / theirs

    def margin(self, ratio: float) -> float:
        """The factor by which the target is exceeded; below 1 it is missed."""
        return self.limit / ratio

    def __str__(self) -> str:
        return f"≤ {self.limit:g}"


@dataclass(frozen=True)
class AtLeast:
    """Theirs divided by ours reaches a limit: ours is so many times faster, or smaller."""

    limit: float

    def ratio(self, ours: float, theirs: float) -> float:
        return theirs / ours

    def margin(self, ratio: float) -> float:
        """The factor by which the target is exceeded; below 1 it is missed."""
        return ratio / self.limit

    def __str__(self) -> str:
        return f"≥ {self.limit:g}"


@dataclass(frozen=True)
class Target:
    """One thing that is compared, and the ratio it should have."""

    number: int
    what: str
    against: str
    rows: str
    goal: AtMost | AtLeast
    unit: Literal["seconds", "bytes"] = "seconds"


@dataclass(frozen=True)
class Result:
    """A target with what was measured, or with the reason why nothing was."""

    target: Target
    ours: Sample | None = None
    theirs: Sample | None = None
    failure: str = ""

    def values(self) -> tuple[float, float] | None:
        """Both sides in the target's unit."""
        if self.ours is None or self.theirs is None:
            return None
        if self.target.unit == "bytes":
            return self.ours.peak_bytes, self.theirs.peak_bytes
        return self.ours.seconds, self.theirs.seconds

    def ratio(self) -> float | None:
        """The ratio in the direction of the goal."""
        values = self.values()
        return self.target.goal.ratio(*values) if values else None

    def margin(self) -> float | None:
        """The factor by which the target is exceeded."""
        ratio = self.ratio()
        return None if ratio is None else self.target.goal.margin(ratio)

    def met(self) -> bool:
        """Whether the target is reached. A target without a number is not."""
        margin = self.margin()
        return margin is not None and margin >= 1

    def cells(self) -> list[str]:
        """The result as a row of the table."""
        target = self.target
        known = [str(target.number), target.what, target.against, target.rows]
        values, ratio = self.values(), self.ratio()
        if values is None or ratio is None:
            return [*known, "", "", "", str(target.goal), f"no: {self.failure}"]
        measured = [quantity(value, target.unit) for value in values]
        return [*known, *measured, significant(ratio), str(target.goal), "yes" if self.met() else "no"]


@dataclass
class Report:
    """The results so far, with what else is worth knowing."""

    title: str
    facts: list[str]
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The whole page."""
        head = ["#", "what", "against", "rows", "ours", "theirs", "ratio", "target", "met"]
        lines = [head, ["---:", "---", "---", "---:", "---:", "---:", "---:", "---:", "---"]]
        lines += [result.cells() for result in self.results]
        missed = [result for result in self.results if not result.met()]
        return "\n".join(
            [
                f"# {self.title}",
                "",
                *self.facts,
                "",
                *(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines),
                "",
                f"{len(self.results) - len(missed)} of {len(self.results)} targets met.",
                *(["", "Beside the times:", ""] if self.notes else []),
                *(f"- {note}" for note in self.notes),
                "",
            ]
        )


def significant(value: float) -> str:
    """A number as people read it: two digits behind the point when it is small, thousands with commas."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def quantity(value: float, unit: str) -> str:
    """Seconds or bytes with a unit that suits their size."""
    if unit == "bytes":
        return f"{value / 2**20:,.0f} MiB"
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def rows_text(rows: int) -> str:
    """A number of rows: 10M, 23k."""
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if rows >= size:
            return f"{rows / size:g}{suffix}"
    return str(rows)


def draw(results: Sequence[Result], title: str, file: Path) -> None:
    """One bar per target: how many times better or worse than the target, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    # Text as text, and the same bytes for the same results.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": title}
    from matplotlib import pyplot

    shown = [(result, margin) for result in results if (margin := result.margin()) is not None][::-1]
    figure, axes = pyplot.subplots(figsize=(11, 1.5 + 0.27 * len(shown)), layout="constrained")
    for row, (result, margin) in enumerate(shown):
        met = result.met()
        axes.barh(
            row,
            width=margin - 1,
            left=1,
            height=0.7,
            color="#4477aa" if met else "#ee6677",
            hatch="" if met else "////",
            edgecolor="white",
        )
        axes.annotate(
            f"{significant(result.ratio())}  ({result.target.goal}{'' if met else ', missed'})",
            (max(margin, 1), row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    labels = [
        f"{result.target.number}. {result.target.what}, {result.target.rows}, against {result.target.against}"
        for result, _ in shown
    ]
    axes.set_yticks(range(len(shown)), labels, fontsize=8)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xscale("log")
    axes.margins(x=0.25)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("times better than the target (right of the line) or worse (left, hatched)")
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
