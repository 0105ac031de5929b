"""Targets over events: our queries against the GROUP BY that any answer needs, and growth in rows."""

from dataclasses import replace
from pathlib import Path

from bench import NOTEBOOK, Bench, Features
from measure import Disagreement, Sample, take_turns
from ours import literal
from results import AtLeast, AtMost, Target, rows_text

GIGABYTE = 10**9

# The generated columns beside the time.
EVENT_COLUMNS = [
    "Computer",
    "Account",
    "SubjectLogonId",
    "NewProcessName",
    "CommandLine",
    "ParentProcessName",
    "NewProcessId",
    "ProcessId",
    "is_anomaly",
    "anomaly_kind",
]

# Nearly every command line differs: most vectors are noise.
SPARSE = Features(
    {
        "command": "crc32_hash(CommandLine)",
        "path": "path_score(NewProcessName)",
        "tokens": "cmdline_tokens(CommandLine)",
        "process": "string_score(NewProcessId)",
    },
    eps=0.5,
    scaling="none",
)

# Bursts of a program on a host, in slots of five minutes: most vectors are in clusters.
BURSTS = Features(
    {
        "slot": "CAST(date_part('epoch', TimeGenerated) AS BIGINT) / 300",
        "host": "string_score(Computer)",
        "path": "path_score(NewProcessName)",
    },
    eps=1,
    scaling="none",
)

# The features of the notebook and a hash of the command line, cut to so many values: 2.2 and 0.3 million vectors of 10
# million events, of which the rarest are noise.
MANY = NOTEBOOK.with_hash(200_000)
FEWER = NOTEBOOK.with_hash(1_000)

# The features of the notebook, in a partition for each program.
PER_PROGRAM = replace(NOTEBOOK, partition_by="NewProcessName")

# The columns that a security product adds to each event. With the generated ones there are 50.
DERIVED_COLUMNS = {
    "EventID": "4688",
    "Level": "CASE WHEN is_anomaly THEN 'Warning' ELSE 'LogAlways' END",
    "Channel": "'Security'",
    "Provider": "'Microsoft-Windows-Security-Auditing'",
    "RecordId": "date_part('epoch', TimeGenerated) * 1000 + octet_length(CommandLine)",
    "IngestionTime": "TimeGenerated + INTERVAL '3 second'",
    "Day": "CAST(TimeGenerated AS DATE)",
    "Hour": "date_part('hour', TimeGenerated)",
    "HostName": "split_part(Computer, '.', 1)",
    "HostSite": "left(Computer, 3)",
    "HostDomain": "substr(Computer, strpos(Computer, '.') + 1)",
    "HostId": "md5(Computer)",
    "HostAddress": "concat('10.', string_score(Computer) % 256, '.', crc32_hash(Computer) % 256, '.17')",
    "HostGroup": "crc32_hash(Computer) % 40",
    "AccountDomain": "split_part(Account, '\\', 1)",
    "AccountName": "split_part(Account, '\\', 2)",
    "AccountSid": "concat('S-1-5-21-1004336348-1177238915-682003330-', 1000 + crc32_hash(Account) % 50000)",
    "AccountHash": "md5(Account)",
    "IsMachineAccount": "right(Account, 1) = '$'",
    "LogonGuid": "md5(concat(Account, SubjectLogonId))",
    "SessionKind": "CASE WHEN is_system_session(SubjectLogonId) THEN 'service' ELSE 'interactive' END",
    "ProcessName": "process_name(NewProcessName)",
    "ProcessFolder": "left(NewProcessName, length(NewProcessName) - length(process_name(NewProcessName)))",
    "ProcessExtension": "right(NewProcessName, 4)",
    "ProcessHash": "md5(NewProcessName)",
    "ProcessPathLength": "length(NewProcessName)",
    "ParentName": "process_name(ParentProcessName)",
    "ParentHash": "md5(ParentProcessName)",
    "ParentPathLength": "length(ParentProcessName)",
    "Lineage": "concat(process_name(ParentProcessName), ' > ', process_name(NewProcessName))",
    "CommandLength": "octet_length(CommandLine)",
    "CommandStart": "left(CommandLine, 20)",
    "CommandUpper": "upper(left(CommandLine, 40))",
    "CommandForm": "delim_skeleton(CommandLine)",
    "CommandHash": "crc32_hash(CommandLine)",
    "CommandPieces": "token_count(CommandLine)",
    "TokenElevation": "concat('%%', 1936 + crc32_hash(Account) % 3)",
    "MandatoryLabel": "concat('S-1-16-', 4096 * (1 + crc32_hash(Account) % 4))",
    "Severity": "CASE WHEN is_anomaly THEN 8 ELSE crc32_hash(Computer) % 3 END",
}


def wide_floor(features: Features, columns: list[str], table: Path) -> str:
    """The same GROUP BY, with the other columns of the first row."""
    derived = ", ".join(f"{sql} AS {name}" for name, sql in features.columns.items())
    first = ", ".join(f"first_value({name} ORDER BY TimeGenerated) AS {name}" for name in columns)
    return f"""SELECT {", ".join(features.columns)}, count(*) AS n, min(TimeGenerated) AS first_time,
        max(TimeGenerated) AS last_time, {first}
        FROM (SELECT *, {derived} FROM {literal(table)}) GROUP BY {", ".join(features.columns)}"""


def floors(bench: Bench) -> None:
    """Targets 1 to 3: all columns of the exemplars, against the GROUP BY of the same features."""
    rows = bench.sizes.events
    size = rows_text(rows)
    ours = "SELECT * FROM " + NOTEBOOK.call("dbcluster", bench.events(rows))

    def narrow() -> tuple[Sample, Sample]:
        bench.check_sizes(NOTEBOOK, bench.events(rows))
        return bench.binary.turns(ours, NOTEBOOK.vectors(bench.events(rows)))

    def wide() -> tuple[Sample, Sample]:
        bench.check_sizes(NOTEBOOK, bench.events(rows))
        return bench.binary.turns(ours, wide_floor(NOTEBOOK, EVENT_COLUMNS, bench.events(rows)))

    def fifty_columns() -> tuple[Sample, Sample]:
        derived = ", ".join(f"{sql} AS {name}" for name, sql in DERIVED_COLUMNS.items())
        table = bench.derived(
            f"wide-{rows}.parquet", f"SELECT *, {derived} FROM {literal(bench.events(rows))}"
        )
        bench.check_sizes(NOTEBOOK, table)
        return bench.binary.turns(
            "SELECT * FROM " + NOTEBOOK.call("dbcluster", table),
            wide_floor(NOTEBOOK, EVENT_COLUMNS + list(DERIVED_COLUMNS), table),
        )

    bench.measure(narrow, Target(1, "SELECT *, 3 features", "GROUP BY", size, AtMost(1.15)))
    bench.measure(wide, Target(2, "SELECT *, 3 features", "GROUP BY with first_value", size, AtMost(0.8)))
    bench.measure(
        fifty_columns, Target(3, "SELECT *, 50 columns", "GROUP BY with first_value", size, AtMost(0.33))
    )


def many_vectors(bench: Bench) -> None:
    """Target 4: nearly every second row has a vector of its own."""
    table = bench.events(bench.sizes.events)
    size = rows_text(bench.sizes.events)
    for features, kind in ((SPARSE, "mostly noise"), (BURSTS, "mostly in clusters")):
        floor = f"SELECT max(n), min(first_time), max(last_time) FROM ({features.vectors(table)})"
        clusters = features.call("dbcluster", table)
        all_columns = ", ".join(
            [f"count({name})" for name in EVENT_COLUMNS]
            + [f"max({name})" for name in features.columns]
            + ["max(cluster_size)", "min(first_event_time)", "max(last_event_time)", "count(cluster_key)"]
        )
        sizes = "max(cluster_size), min(first_event_time), max(last_event_time)"

        def measurement(shown: str) -> tuple[Sample, Sample]:
            distinct = bench.check_sizes(features, table)
            bench.note(f"4, {kind}: {distinct:,} distinct vectors.")
            return bench.binary.turns(f"SELECT {shown} FROM {clusters}", floor)

        for shown, what in ((sizes, "sizes"), (all_columns, "all columns")):
            target = Target(4, f"{what}, many vectors, {kind}", "GROUP BY", size, AtMost(2.5))
            bench.measure(lambda: measurement(shown), target)


def formats(bench: Bench) -> None:
    """Target 5: text, where reading is most of the work."""
    rows = bench.sizes.text_events
    for extension, name in (("csv", "CSV"), ("json", "newline JSON")):

        def measurement() -> tuple[Sample, Sample]:
            table = bench.derived(
                f"events-{rows}.{extension}", f"SELECT * FROM {literal(bench.events(rows))}"
            )
            bench.check_sizes(NOTEBOOK, table)
            return bench.binary.turns(
                "SELECT * FROM " + NOTEBOOK.call("dbcluster", table), NOTEBOOK.vectors(table)
            )

        bench.measure(measurement, Target(5, f"SELECT *, {name}", "GROUP BY", rows_text(rows), AtMost(2.2)))


def scale(bench: Bench) -> None:
    """Targets 6 to 8: ten times the rows, little memory, a limit on it. A process for each query."""
    rows, most = bench.sizes.events, bench.sizes.most_events
    size = rows_text(most)
    small, large = bench.events(rows), bench.events(most, files=16)

    def query(table: Path, *options: str) -> Sample:
        return bench.binary.query("SELECT * FROM " + NOTEBOOK.call("dbcluster", table), *options)

    def growth() -> tuple[Sample, Sample]:
        for table in (small, large):
            bench.check_sizes(NOTEBOOK, table)
        return take_turns(lambda: query(large), lambda: query(small))

    def limited() -> tuple[Sample, Sample]:
        # The rows are the same, only their order is free.
        free, held = query(large), query(large, "--memory-limit", "512m")
        if sorted(free.output.splitlines()) != sorted(held.output.splitlines()):
            raise Disagreement("the limit changes the result")
        return take_turns(lambda: query(large, "--memory-limit", "512m"), lambda: query(large))

    def peak() -> tuple[Sample, Sample]:
        bench.note(f"8: {bench.check_sizes(NOTEBOOK, large):,} distinct vectors.")
        return query(large), Sample(0, GIGABYTE)

    fewer = f"{rows_text(rows)} rows"
    bench.measure(
        growth,
        Target(6, "SELECT *, 16 files", fewer, size, AtMost(11)),
        Target(6, "SELECT *, 16 files, peak memory", fewer, size, AtMost(1.3), "bytes"),
    )
    bench.measure(limited, Target(7, "SELECT *, --memory-limit 512m", "no limit", size, AtMost(1.5)))
    bench.measure(peak, Target(8, "SELECT *, peak memory", "1 GB", size, AtMost(1), "bytes"))


def members(bench: Bench) -> None:
    """Target 11: every row with its cluster, against the way back to the rows in plain SQL."""
    table = bench.events(bench.sizes.events)
    labelled = f"""SELECT cluster_id, count(*) AS n
        FROM {NOTEBOOK.call("dbcluster_members", table)} GROUP BY cluster_id"""
    joined = f"""WITH vectors AS ({NOTEBOOK.vectors(table)})
        SELECT vectors.first_time, count(*) FROM ({NOTEBOOK.per_row(table)}) AS events
        JOIN vectors ON {" AND ".join(f"events.{name} = vectors.{name}" for name in NOTEBOOK.columns)}
        GROUP BY vectors.first_time"""

    def measurement() -> tuple[Sample, Sample]:
        bench.check_sizes(NOTEBOOK, table)
        clusters = f"(SELECT n AS cluster_size FROM ({labelled}) WHERE cluster_id >= 0)"
        collapsed = f"(SELECT * FROM {NOTEBOOK.call('dbcluster', table)} WHERE cluster_id >= 0)"
        if bench.sizes_of(clusters) != bench.sizes_of(collapsed):
            raise Disagreement("dbcluster_members counts other sizes than dbcluster")
        return bench.binary.turns(labelled, joined)

    size = rows_text(bench.sizes.events)
    target = Target(11, "dbcluster_members, counted", "GROUP BY joined back", size, AtLeast(2))
    bench.measure(measurement, target)


def questions(bench: Bench) -> None:
    """Target 20: what people ask beside SELECT *, against the GROUP BY of the same features."""
    table = bench.events(bench.sizes.events)

    def everything(features: Features, *options: str) -> str:
        return "SELECT * FROM " + features.call("dbcluster", table, *options)

    members = NOTEBOOK.call("dbcluster_members", table)
    sizes = "SELECT cluster_id, cluster_size FROM " + NOTEBOOK.call("dbcluster", table, "min_samples => 5")
    asked = [
        (NOTEBOOK, "sizes, min_samples => 5", sizes, 1.2),
        (NOTEBOOK, "SELECT *, min_samples => 5", everything(NOTEBOOK, "min_samples => 5"), 1.5),
        (NOTEBOOK, "SELECT *, nulls => 'skip'", everything(NOTEBOOK, "nulls => 'skip'"), 1.5),
        (NOTEBOOK, "SELECT *, order_by => [Computer]", everything(NOTEBOOK, "order_by => [Computer]"), 1.5),
        (PER_PROGRAM, "SELECT *, a partition for each program", everything(PER_PROGRAM), 1.6),
        (NOTEBOOK, "members, counted", f"SELECT cluster_id, count(*) FROM {members} GROUP BY cluster_id", 1.6),
        (
            NOTEBOOK,
            "command lines of one cluster",
            f"SELECT CommandLine, count(*) FROM {members} WHERE cluster_id = 20 GROUP BY CommandLine",
            1.5,
        ),
        (MANY, "sizes, many vectors", "SELECT cluster_id, cluster_size FROM " + MANY.call("dbcluster", table), 1.15),
        (MANY, "the 50 smallest", everything(MANY) + " ORDER BY cluster_size, first_event_time LIMIT 50", 1.2),
        (MANY, "the 20 largest", everything(MANY) + " ORDER BY cluster_size DESC LIMIT 20", 1.2),
        (MANY, "WHERE cluster_size > 100000", everything(MANY) + " WHERE cluster_size > 100000", 1.2),
        (MANY, "SELECT *, many rows", everything(MANY), 2.5),
        (FEWER, "SELECT *, fewer rows", everything(FEWER), 1.8),
    ]
    for features, question, ours, most in asked:

        def measurement() -> tuple[Sample, Sample]:
            bench.check_sizes(features, table)
            return bench.binary.turns(ours, features.vectors(table))

        bench.measure(measurement, Target(20, question, "GROUP BY", rows_text(bench.sizes.events), AtMost(most)))


def answers(bench: Bench) -> None:
    """Target 21: what sets events apart and what a cluster hides, against the GROUP BY of the same features; and a hunt."""
    table = bench.events(bench.sizes.events)
    size = rows_text(bench.sizes.events)

    def of(function: str, *options: str) -> str:
        return f"SELECT * FROM {NOTEBOOK.call(function, table, *options)}"

    odd = f"({of('dbcluster')} WHERE NOT clustered)"
    around = f"dbcluster_around({literal(table)}, {odd}, by => [Computer], within => INTERVAL '30 seconds')"
    asked = [
        ("dbcluster_why", of("dbcluster_why"), 1.5),
        ("dbcluster_around the odd events", f"SELECT * FROM {around}", 2.5),
        ("activity => 24", of("dbcluster", "activity => 24"), 2.5),
        ("dbcluster_values of one column", of("dbcluster_values", "of => NewProcessName"), 2.5),
        ("distinct_of two columns", of("dbcluster", "distinct_of => [Computer, Account]"), 2.5),
        ("template_of one column", of("dbcluster", "template_of => CommandLine"), 2.5),
    ]
    for question, ours, most in asked:

        def measurement() -> tuple[Sample, Sample]:
            bench.check_sizes(NOTEBOOK, table)
            return bench.binary.turns(ours, NOTEBOOK.vectors(table))

        bench.measure(measurement, Target(21, question, "GROUP BY", size, AtMost(most)))

    shapes = f"""SELECT cmdline_template(CommandLine), NewProcessName, ParentProcessName, count(*), min(TimeGenerated)
        FROM {literal(table)} GROUP BY 1, 2, 3"""

    def hunt() -> tuple[Sample, Sample]:
        hunted = f"SELECT sum(events) AS events FROM hunt_processes({literal(table)})"
        [row] = bench.binary.rows(hunted)
        if int(row["events"]) != bench.sizes.events:
            raise Disagreement("a hunt counts other events")
        return bench.binary.turns(f"SELECT * FROM hunt_processes({literal(table)})", shapes)

    bench.measure(hunt, Target(21, "hunt_processes", "GROUP BY of templates", size, AtMost(1.5)))


def functions(bench: Bench) -> None:
    """Target 19: a function of a column, against reading the column."""
    table = bench.events(bench.sizes.events)
    for function, in_python in (("cmdline_tokens", count_delimiters), ("path_score", sum_characters)):

        def measurement() -> tuple[Sample, Sample]:
            few = bench.events(bench.sizes.notebook_events)
            lines = bench.binary.rows(
                f"SELECT CommandLine, {function}(CommandLine) AS value FROM {literal(few)}"
            )
            if any(in_python(line["CommandLine"]) != int(line["value"]) for line in lines):
                raise Disagreement(f"{function} gives other numbers than Python")
            return bench.binary.turns(
                f"SELECT max({function}(CommandLine)) FROM {literal(table)}",
                f"SELECT max(octet_length(CommandLine)) FROM {literal(table)}",
            )

        size = rows_text(bench.sizes.events)
        target = Target(19, f"max({function}(...))", "max(octet_length(...))", size, AtMost(1.25))
        bench.measure(measurement, target)


def count_delimiters(text: str) -> int:
    """Counts delimiters as msticpy does, character by character."""
    return sum(character.isspace() or character in "-\\/.,\"'|&:;%$()" for character in text)


def sum_characters(text: str) -> int:
    """The sum of the code points."""
    return sum(map(ord, text))
