"""The events of the reference sets, and the calls that cluster them.

Everything is generated, with Python's own random numbers and no function of the platform's math library but the
logarithm of one feature, which no file holds.
"""

import math
import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Callable


@dataclass
class Feature:
    """A feature as SQL, and the same of a row in Python."""

    name: str
    value: Callable[[dict], Any]
    sql: str | None = None

    def as_list_item(self) -> str:
        return f"{self.name}: {self.sql}" if self.sql else self.name


@dataclass
class Call:
    """The arguments of one clustering."""

    eps: float
    min_samples: int = 2
    scaling: str = "none"
    metric: str = "euclidean"
    weights: list[float] = field(default_factory=list)
    nulls: str = "error"
    exemplar: str = "first"
    partition_by: str | None = None
    # The order of the rows; `time` without `explicit_order` is the default order of a table with that column.
    order_by: str = "row"
    exact: bool = False
    # Distances that are exactly eps have to occur.
    ties: bool = False

    def options(self) -> str:
        """The options of `dbcluster` and its like, where they are not the default."""
        options = [f"eps => {self.eps!r}", f"min_samples => {self.min_samples}"]
        options += [f"scaling => '{self.scaling}'"] if self.scaling != "l2" else []
        options += [f"metric => '{self.metric}'"] if self.metric != "euclidean" else []
        options += [f"weights => {self.weights}"] if self.weights else []
        options += [f"nulls => '{self.nulls}'"] if self.nulls != "error" else []
        options += [f"exemplar => '{self.exemplar}'"] if self.exemplar != "first" else []
        options += [f"partition_by => {self.partition_by}"] if self.partition_by else []
        options += [f"order_by => {self.order_by}"] if self.order_by != "time" else []
        return ", ".join(options)

    def window(self, features: list[Feature]) -> str | None:
        """The same as a window function, which knows NULL as NULL only."""
        if self.nulls != "error":
            return None
        options = [f"metric: '{self.metric}'"] if self.metric != "euclidean" else []
        options += [f"scaling: '{self.scaling}'"] if self.scaling != "none" else []
        options += [f"weights: {self.weights}"] if self.weights else []
        arguments = [repr(self.eps), str(self.min_samples)] + [f.sql or f.name for f in features]
        arguments += ["{" + ", ".join(options) + "}"] if options else []
        partition = f"PARTITION BY {self.partition_by} " if self.partition_by else ""
        return f"dbscan({', '.join(arguments)}) OVER ({partition}ORDER BY {self.order_by} NULLS LAST)"


@dataclass
class Set:
    """Events, the features of their rows, and the calls that cluster them."""

    name: str
    about: str
    rows: list[dict]
    features: list[Feature]
    calls: list[Call]


def columns(*names: str) -> list[Feature]:
    """Features that are columns of the table."""
    return [Feature(name, lambda row, name=name: row[name]) for name in names]


def about(random: Random, middle: float, spread: float, digits: int = 3) -> float:
    """A number around `middle`: a sum of three even ones, rounded."""
    return round(middle + spread * (random.random() + random.random() + random.random() - 1.5), digits)


def blobs() -> Set:
    random = Random(1)
    middles = [(0, 0), (6, 1), (3, 7), (9, 8), (-4, 5)]
    rows = [dict(zip("xy", (about(random, x, 2.2), about(random, y, 2.2)))) for x, y in middles for _ in range(42)]
    rows += [{"x": round(random.uniform(-8, 13), 3), "y": round(random.uniform(-5, 12), 3)} for _ in range(30)]
    random.shuffle(rows)
    calls = [
        Call(0.7, 4),
        Call(0.9505, 6, metric="manhattan"),
        Call(0.5005, 3, metric="chebyshev"),
        Call(0.16, 4, scaling="zscore"),
        Call(0.043, 3, scaling="minmax", metric="manhattan"),
        Call(0.11, 6, scaling="robust"),
        Call(0.0061, 3, scaling="l2"),
        Call(0.06, 4, scaling="robust", metric="chebyshev", weights=[1, 0.5]),
    ]
    return Set("blobs", "five dense spots among scattered rows", rows, columns("x", "y"), calls)


def lattice() -> Set:
    random = Random(2)
    places = [(x, y) for x in range(16) for y in range(16) if random.random() < 0.55]
    places += random.choices(places, k=30)
    random.shuffle(places)
    exact = dict(exact=True, ties=True)
    calls = [
        Call(1.0, 3, **exact),
        Call(1.0, 4, metric="manhattan", exemplar="medoid", **exact),
        Call(1.0, 7, metric="chebyshev", exemplar="last", **exact),
        Call(5.0, 55, **exact),
        Call(2.0, 9, metric="manhattan", weights=[1, 2], **exact),
        Call(0.5, 2, weights=[0.5, 0.25], **exact),
    ]
    rows = [{"x": x, "y": y} for x, y in places]
    return Set("lattice", "places on a grid, so that many distances are exactly eps", rows, columns("x", "y"), calls)


def line() -> Set:
    random = Random(3)
    places = []
    for _ in range(9):
        start = (places[-1] if places else 0) + random.randrange(3, 40) / 8
        places += [start] * random.randrange(1, 5)
        for _ in range(random.randrange(1, 9)):
            places.append(places[-1] + random.choice([0, 1, 2, 4, 8]) / 8)
    # Both spots reach the row between them, which is no core: the lower number takes it.
    for start in (100, 110):
        places += [start - 1] * 4 + [start, start + 2.5, start + 5] + [start + 6] * 4
    random.shuffle(places)
    calls = [
        Call(0.5, 3, exact=True, ties=True),
        Call(2.5, 5, exact=True, ties=True),
        Call(1.0, 5, metric="manhattan", exact=True, ties=True),
        Call(0.25, 2, exact=True, ties=True),
        Call(0.043, 3, scaling="zscore"),
        Call(0.011, 4, scaling="minmax"),
        Call(0.019, 4, scaling="robust"),
    ]
    return Set("line", "one feature, in eighths", [{"x": x} for x in places], columns("x"), calls)


def bridges() -> Set:
    random = Random(4)
    rows = []
    for group in range(12):
        x, y = 40 * (group % 4), 40 * (group // 4)
        # Two squares of four rows and a middle; the row between them is exactly 5 from a corner of each: 3, 4, 5.
        for side in (-1, 1):
            rows += [(x + side * (3 + dx), y + side * (4 + dy)) for dx, dy in ((0, 0), (2, 0), (0, 2), (2, 2), (1, 1))]
        rows.append((x, y))
        if group % 3 == 0:
            rows += [(x, y)]
    random.shuffle(rows)
    calls = [
        Call(5.0, 6, exact=True, ties=True),
        Call(5.0, 5, exact=True, ties=True),
        Call(7.0, 5, metric="manhattan", exact=True, ties=True),
        Call(4.0, 4, metric="chebyshev", exemplar="last", exact=True, ties=True),
    ]
    rows = [{"x": x, "y": y} for x, y in rows]
    return Set("bridges", "border rows that two clusters reach", rows, columns("x", "y"), calls)


def copies() -> Set:
    random = Random(5)
    distinct = [(random.randrange(40), random.randrange(6), random.random() < 0.5) for _ in range(45)]
    counts = [1, 1, 1, 2, 3, 5, 9, 20, 40]
    rows = [vector for vector in distinct for _ in range(random.choice(counts))]
    random.shuffle(rows)
    calls = [
        Call(1.0, 1, exact=True, exemplar="rarest"),
        Call(2.0, 2, exact=True, ties=True, exemplar="rarest"),
        Call(2.0, 5, exact=True, ties=True, exemplar="last"),
        Call(1.0, 30, exact=True, ties=True),
        Call(2.0, 100, exact=True, ties=True, metric="manhattan", exemplar="medoid"),
        Call(0.013, 5, scaling="l2"),
        Call(0.21, 20, scaling="zscore"),
    ]
    rows = [{"x": x, "y": y, "flag": flag} for x, y, flag in rows]
    return Set("copies", "few distinct rows, many times", rows, columns("x", "y", "flag"), calls)


def scattered() -> Set:
    random = Random(6)
    places = [(x, y, z) for x in range(5) for y in range(5) for z in range(4)]
    random.shuffle(places)
    rows = [{"x": 3 * x, "y": 3 * y, "z": 3 * z} for x, y, z in places]
    calls = [
        Call(2.5, 2, exact=True),
        Call(2.5, 1, exact=True),
        Call(3.0, 8, exact=True, ties=True),
        Call(3.0, 7, exact=True, ties=True),
        Call(3.0, 2, metric="chebyshev", exact=True, ties=True),
        Call(1e6, 101, exact=True),
    ]
    return Set("scattered", "noise alone, or one cluster of all", rows, columns("x", "y", "z"), calls)


def alike() -> Set:
    rows = [{"x": 7, "y": -0.125} for _ in range(50)]
    calls = [Call(1.0, 50, exact=True), Call(1.0, 51, exact=True), Call(1e-12, 2, exact=True, exemplar="last")]
    calls += [Call(0.5, 2, scaling=scaling) for scaling in ("l2", "zscore", "minmax", "robust")]
    return Set("alike", "all rows equal, so that no feature has a spread", rows, columns("x", "y"), calls)


def rays() -> Set:
    random = Random(7)
    directions = [(1, 0), (0, 1), (3, 4), (-3, 4), (5, -12), (8, 15), (1, 1), (-1, -1), (1, -1)]
    rows = [(x * n, y * n) for x, y in directions for n in random.sample(range(1, 60), 11)]
    rows += [(0, 0)] * 3 + [(random.randrange(-99, 99), random.randrange(-99, 99)) for _ in range(60)]
    random.shuffle(rows)
    calls = [
        Call(1e-6, 2, scaling="l2"),
        Call(0.05, 4, scaling="l2"),
        Call(0.05, 4, scaling="l2", metric="manhattan"),
        Call(0.031, 5, scaling="l2", metric="chebyshev", exemplar="last"),
        Call(0.07, 4, scaling="l2", weights=[2, 1]),
    ]
    rows = [{"x": x, "y": y} for x, y in rows]
    return Set("rays", "rows of few directions, and some at zero", rows, columns("x", "y"), calls)


def magnitudes(name: str, exponent: int) -> Set:
    random = Random(name)
    unit = f"e{exponent}"
    places = [random.randrange(-60, 60) for _ in range(110)] + [random.randrange(500, 520) for _ in range(30)]
    rows = [{"x": float(f"{place}{unit}"), "y": float(f"{random.randrange(12)}{unit}")} for place in places]
    calls = [
        Call(float(f"2.3{unit}"), 3),
        Call(float(f"3.5{unit}"), 5, metric="manhattan"),
        Call(float(f"1.5{unit}"), 4, metric="chebyshev"),
    ]
    return Set(name, f"values around 1{unit}", rows, columns("x", "y"), calls)


def mixed() -> Set:
    random = Random(8)
    rows = []
    for _ in range(120):
        kind = random.randrange(4)
        rows.append(
            {
                "bytes": 10**9 + 1000 * kind * kind + random.randrange(300),
                "share": round((1 + kind) * 1e-9 + random.randrange(300) * 1e-12, 12),
                "constant": 42,
            }
        )
    calls = [
        Call(0.05, 4, scaling="zscore"),
        Call(0.013, 3, scaling="minmax", metric="manhattan"),
        Call(0.012, 3, scaling="robust", metric="chebyshev"),
        Call(9.5, 4),
    ]
    return Set("mixed", "features of very different size", rows, columns("bytes", "share", "constant"), calls)


def incomplete() -> Set:
    random = Random(9)
    rows = []
    for _ in range(150):
        x, y = random.choice([(0, 0), (20, 5), (40, 30)])
        row = {"x": x + random.randrange(9), "written": f"{y + random.randrange(9)}.5"}
        if random.random() < 0.1:
            row["x"] = None
        if random.random() < 0.15:
            row["written"] = random.choice([None, "NaN", "inf", "-inf"])
        rows.append(row)
    number = lambda row: None if row["written"] is None else float(row["written"])
    features = columns("x") + [Feature("y", number, "CAST(written AS DOUBLE)")]
    calls = [
        Call(2.0, 4, nulls="zero", exact=True, ties=True),
        Call(2.0, 4, nulls="skip", exact=True, ties=True),
        Call(0.1, 3, nulls="skip", scaling="zscore"),
        Call(0.1, 3, nulls="zero", scaling="robust"),
        Call(0.051, 3, nulls="skip", scaling="minmax", metric="chebyshev", exemplar="last"),
        Call(0.04, 3, nulls="zero", scaling="l2"),
    ]
    return Set("incomplete", "NULL, NaN and infinite features", rows, features, calls)


def five() -> Set:
    random = Random(10)
    rows = []
    for _ in range(200):
        kind = random.randrange(5)
        rows.append(
            {
                "logons": kind * 3 + random.randrange(3),
                "bytes": about(random, 1000 * kind, 400, 2),
                "ports": random.randrange(1, 3 + kind),
                "rate": about(random, 0.2 * kind, 0.15, 4),
                "outbound": random.random() < 0.2 * kind,
            }
        )
    calls = [
        Call(0.7, 4, scaling="zscore"),
        Call(0.25, 3, scaling="minmax", metric="manhattan", exemplar="last"),
        Call(0.16, 5, scaling="robust", metric="chebyshev", weights=[0.2, 1, 0.2, 1, 0.1]),
        Call(60.0, 3),
        Call(0.004, 3, scaling="l2"),
        Call(0.9, 8, scaling="zscore", weights=[2, 1, 0.5, 1, 0.25], metric="manhattan"),
    ]
    features = columns("logons", "bytes", "ports", "rate", "outbound")
    return Set("five", "five features of several types, with weights", rows, features, calls)


def twenty() -> Set:
    random = Random(11)
    middles = [[random.randrange(10) for _ in range(20)] for _ in range(4)]
    rows = [[value + random.randrange(2) for value in random.choice(middles)] for _ in range(80)]
    names = [f"f{number}" for number in range(20)]
    calls = [
        Call(3.0, 14, exact=True, ties=True),
        Call(6.0, 4, metric="manhattan", exact=True, ties=True),
        Call(1.0, 22, metric="chebyshev", exact=True, ties=True),
        Call(0.08, 3, scaling="l2"),
    ]
    rows = [dict(zip(names, row)) for row in rows]
    return Set("twenty", "twenty features", rows, columns(*names), calls)


def timed() -> Set:
    random = Random(12)
    rows = []
    for _ in range(160):
        # Few times, some NULL: the features decide among equal times, then the remaining columns.
        minute = random.choice([None, *range(12)])
        time = None if minute is None else f"2026-01-15T05:{minute:02}:00"
        note = random.choice(["a", "b", "c"])
        rows.append({"time": time, "x": random.randrange(40), "y": random.randrange(4), "note": note})
    exact = dict(order_by="time", exact=True, ties=True)
    calls = [
        Call(1.0, 4, **exact),
        Call(2.0, 9, metric="manhattan", **exact),
        Call(1.0, 6, metric="chebyshev", **exact),
        Call(0.011, 4, scaling="l2", order_by="time"),
    ]
    return Set("timed", "rows in another order than their times", rows, columns("x", "y"), calls)


def hosts() -> Set:
    random = Random(13)
    rows = []
    for _ in range(220):
        host = random.choice(["wks-1", "wks-2", "srv-1", None])
        width = {"wks-1": 12, "wks-2": 40, "srv-1": 400, None: 5}[host]
        rows.append({"host": host, "tokens": random.randrange(width), "length": random.randrange(3 * width)})
    calls = [
        Call(2.0, 3, partition_by="host", exact=True, ties=True),
        Call(0.3, 4, partition_by="host", scaling="zscore"),
        Call(0.11, 3, partition_by="host", scaling="minmax", metric="manhattan", exemplar="last"),
        Call(0.17, 3, partition_by="host", scaling="robust"),
        Call(0.02, 3, partition_by="host", scaling="l2"),
    ]
    return Set("hosts", "partitions, one of them NULL", rows, columns("tokens", "length"), calls)


DELIMITERS = re.compile(r"""[\s\-\\/\.,"'|&:;%$()]""")


def delimiters(text: str) -> str:
    return "".join(DELIMITERS.findall(text))


def crc(text: str) -> int:
    return zlib.crc32(text.encode())


def score(text: str) -> int:
    return sum(map(ord, text))


def entropy(text: str) -> float:
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


COMMANDS = [
    ("C:\\Windows\\System32\\svchost.exe", "svchost.exe -k netsvcs -p -s {word}", "0x3e7"),
    ("C:\\Windows\\System32\\cmd.exe", 'cmd.exe /c "C:\\jobs\\{word}.bat" {number}', "0x{hex}"),
    ("C:\\Program Files\\Agent\\agent.exe", "agent.exe --job={number} --to=\\\\srv\\{word}$", "999"),
    ("/usr/bin/rsync", "rsync -a /srv/{word}/ backup:/srv/{word}/", "{number}"),
    ("C:\\Windows\\System32\\reg.exe", "reg query HKLM\\Software\\{word} /v {word}", "0x{hex}"),
    ("C:\\Users\\ana\\werkzeug\u00e9.exe", "werkzeug\u00e9.exe;{word}\u00a0|\u2003{number}", "-1"),
    ("/opt/\u76d1\u63a7/agent", "/opt/\u76d1\u63a7/agent \u2013\u2013\u5168\u90e8 {number} \U0001f600", "4294967295"),
]


def commands() -> list[dict]:
    random = Random(14)
    word = lambda: "".join(random.choices("abcdefghijklmnop", k=random.randrange(2, 9)))
    rows = []
    for _ in range(180):
        path, command, session = random.choices(COMMANDS, weights=[9, 7, 6, 4, 2, 2, 1])[0]
        fill = lambda text: text.format(word=word(), number=random.randrange(1, 5000), hex=f"{random.randrange(4096, 65536):x}")
        rows.append({"path": path, "command": fill(command), "session": "s" + fill(session)})
    for n in range(6):
        odd = " ".join(word() + random.choice(';&|(%$)') * random.randrange(1, 9) for _ in range(n + 3))
        rows.insert(random.randrange(len(rows)), {"path": f"C:\\Temp\\{word()}.exe", "command": odd, "session": "s0x3E7"})
    return rows


def processes() -> Set:
    system = {"s0x3e7", "s0x3E7", "s999", "s-1", "s4294967295"}
    features = [
        Feature("tokens", lambda row: len(delimiters(row["command"])), "cmdline_tokens(command)"),
        Feature("score", lambda row: score(row["path"]), "path_score(path)"),
        Feature("is_system", lambda row: row["session"] in system, "is_system_session(substr(session, 2))"),
    ]
    calls = [
        Call(0.0001, 2, scaling="l2"),
        Call(0.0007, 10, scaling="l2", exemplar="last"),
        Call(1.0, 12, exact=True),
        Call(0.11, 9, scaling="zscore"),
    ]
    return Set("processes", "features of command lines", commands(), features, calls)


def texts() -> Set:
    features = [
        Feature("path_crc", lambda row: crc(row["path"]), "crc32_hash(path)"),
        Feature("shape", lambda row: crc(delimiters(row["command"])), "delim_hash(command)"),
        Feature("pieces", lambda row: len(row["command"].split(" ")), "token_count(command)"),
        Feature("hundreds", lambda row: score(row["command"]) // 100, "string_score(command, 100)"),
        Feature("bits", lambda row: entropy(row["command"]), "entropy(command)"),
    ]
    calls = [
        Call(0.3, 4),
        Call(0.05, 3, scaling="minmax", metric="chebyshev"),
        Call(0.3, 4, scaling="zscore", metric="manhattan"),
        Call(3e-10, 3, scaling="l2", metric="manhattan"),
    ]
    return Set("texts", "hashes, scores and entropy of the same command lines", commands(), features, calls)


def sets() -> list[Set]:
    return [
        blobs(), lattice(), line(), bridges(), copies(), scattered(), alike(), rays(), magnitudes("huge", 150),
        magnitudes("tiny", -150), mixed(), incomplete(), five(), twenty(), timed(), hosts(), processes(), texts(),
    ]  # fmt: skip
