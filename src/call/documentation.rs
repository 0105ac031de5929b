//! The documentation of the table functions. The engine has a place for it on scalar and window functions only.

use datafusion_doc::{DocSection, Documentation};

use crate::options::ClusterOption;
use crate::plan::hunt::score::Term;
use crate::plan::spec::TableFunction;

const SECTION: DocSection = DocSection { include: true, label: "Table Functions", description: None };

/// The grammar of a call, in EBNF.
pub(crate) const GRAMMAR: &str = r#"call      = function "(" table "," features ["," eps ["," min_samples]] {"," option "=>" value} ")"
          | "dbcluster_eps" "(" table "," features ["," min_samples] {"," option "=>" value} ")"
function  = "dbcluster" | "dbcluster_members" | "dbcluster_summary" | "dbcluster_values" | "dbcluster_why"
                                                                          in any case, wherever a table may stand
table     = name | catalog "." schema "." name | "Name"                   a table, a view or a WITH query
          | 'name' | 'path'                                               also a file or folder, where the session reads them
          | "(" SELECT ... ")" | table_function "(" ... ")"
features  = "[" feature {"," feature} "]" | "(" feature "," feature {"," feature} ")" | feature
          | "{" name ":" feature {"," name ":" feature} "}"
          | "struct" "(" feature ["AS" name] {"," feature ["AS" name]} ")"
          | 'feature [AS name], ...' | "[" 'feature [AS name]' {"," ...} "]"
feature   = any expression over the table's columns that is a number; {name: feature} gives it a name in a list"#;

/// The events that the examples of this page read.
pub(crate) const EXAMPLE_TABLE: &str = "CREATE TABLE events AS SELECT * FROM (VALUES
  (TIMESTAMP '2026-01-15 05:00:00', 'wks-1', 'C:\\Windows\\System32\\cmd.exe', 'cmd.exe /c run_1.bat', '0x3e7'),
  (TIMESTAMP '2026-01-15 05:10:00', 'wks-1', 'C:\\Windows\\System32\\cmd.exe', 'cmd.exe /c run_2.bat', '0x3e7'),
  (TIMESTAMP '2026-01-15 05:20:00', 'wks-2', 'C:\\Windows\\System32\\cmd.exe', 'cmd.exe /c run_3.bat', '0x3e7'),
  (TIMESTAMP '2026-01-15 05:25:00', 'wks-2', 'C:\\Temp\\x.exe', 'x.exe --key=a;b;c --out=\"\\\\srv\\share\"', '0x1f4c2')
) AS t(\"TimeGenerated\", \"Computer\", \"NewProcessName\", \"CommandLine\", \"SubjectLogonId\")";

/// Every table function with its documentation, in alphabetical order.
pub(crate) fn all() -> Vec<(&'static str, Documentation)> {
    vec![
        ("dbcluster", dbcluster()),
        ("dbcluster_around", dbcluster_around()),
        ("dbcluster_eps", dbcluster_eps()),
        ("dbcluster_members", dbcluster_members()),
        ("dbcluster_summary", dbcluster_summary()),
        ("dbcluster_values", dbcluster_values()),
        ("dbcluster_why", dbcluster_why()),
        ("hunt", hunt()),
        ("hunt_logons", hunt_logons()),
        ("hunt_processes", hunt_processes()),
        ("logon_events", logon_events()),
        ("process_events", process_events()),
        ("process_features", process_features()),
    ]
}

fn dbcluster() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters the rows of a table with DBSCAN and collapses them: one row per cluster and one per noise event. \
         Columns: all columns of the input, then the features that were given as expressions, then `clustered`, \
         `cluster_id` (-1 for noise), `cluster_size`, `first_event_time`, `last_event_time` and `cluster_key`. A \
         cluster's row is its first event, all columns from that one row. Without a column of a time or date type the \
         two times are absent. `cluster_key` names a cluster by its partition and its core vectors, NULL for noise: the \
         same cluster has the same key in any order of the rows, on any machine, on any day. With `nulls => 'skip'` a column `point_type` tells `noise` and `skipped` rows apart, NULL for clusters.",
        "dbcluster(table, features, eps [, min_samples] [, option => value ...])",
    )
    .with_alternative_syntax("dbcluster('table', 'feature [AS name], ...', eps [, min_samples])")
    .with_sql_example(
        r#"```sql
> SELECT "CommandLine", cluster_id, cluster_size, last_event_time
  FROM dbcluster(events, {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.0001)
  ORDER BY cluster_size;
+---------------------------------------+------------+--------------+---------------------+
| CommandLine                           | cluster_id | cluster_size | last_event_time     |
+---------------------------------------+------------+--------------+---------------------+
| x.exe --key=a;b;c --out="\\srv\share" | -1         | 1            | 2026-01-15T05:25:00 |
| cmd.exe /c run_1.bat                  | 0          | 3            | 2026-01-15T05:20:00 |
+---------------------------------------+------------+--------------+---------------------+
```"#,
    );
    with_arguments(builder, TableFunction::Dbcluster)
        .with_related_udf("dbcluster_members")
        .with_related_udf("dbscan")
        .build()
}

fn dbcluster_around() -> Documentation {
    Documentation::builder(
        SECTION,
        "All rows of a table that happened around given events: each row once, with all columns of the table, then `odd_time` (the time of \
         the nearest given event, of two equally near ones the earlier), `seconds_from_odd` (below 0 before it) and `odd_events` (how many \
         of the given events are near). Ranges may overlap. The given events themselves are among the rows where the table has them. Rows \
         without a time are near nothing. It reads each of the two once.",
        "dbcluster_around(table, odd, within => interval [, by => [column, ...]] [, time_column => column])",
    )
    .with_sql_example(
        r#"```sql
> SELECT "TimeGenerated", "CommandLine", seconds_from_odd
  FROM dbcluster_around(events,
    (SELECT * FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none') WHERE NOT clustered),
    by => Computer, within => INTERVAL '10 minutes')
  ORDER BY "TimeGenerated";
+---------------------+---------------------------------------+------------------+
| TimeGenerated       | CommandLine                           | seconds_from_odd |
+---------------------+---------------------------------------+------------------+
| 2026-01-15T05:20:00 | cmd.exe /c run_3.bat                  | -300.0           |
| 2026-01-15T05:25:00 | x.exe --key=a;b;c --out="\\srv\share" | 0.0              |
+---------------------+---------------------------------------+------------------+
```"#,
    )
    .with_argument("table", "The rows to choose from: a table, a file or a subquery, as for `dbcluster`.")
    .with_argument("odd", "The events to look around: the same, with the columns of `by` and a time.")
    .with_argument("within", "The time before and after an event that is still near, inclusive: an INTERVAL without months.")
    .with_argument(
        "by",
        "Columns that have to be equal, such as the host: a column or a list of columns, which both relations have. NULL equals NULL. \
         Default: none.",
    )
    .with_argument(
        "time_column",
        "The time of the events, a timestamp or a date. Default: the first column of such a type. The given events' is the one of the \
         same name, or else their first.",
    )
    .with_related_udf("dbcluster")
    .with_related_udf("dbcluster_why")
    .build()
}

fn dbcluster_eps() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters as `dbcluster` does at many values of eps at once, and gives one row for each, of a partition ascending: the columns of \
         `partition_by`, `eps`, `clusters`, `noise` (rows), `collapsed_rows` (the rows that `dbcluster` gives), \
         `largest_cluster` (its rows), `largest_share` (of the rows that were not skipped) and `is_auto`: whether it is the eps \
         that `eps => 'auto'` takes. Without `eps => [...]` it chooses `steps` values, each the same factor above the one before, \
         from the least to the greatest at which anything changes, rounded up to two digits, and the one that is auto, \
         exactly. Where nothing changes at any eps there is one row, with eps NULL. `exemplar` and `keep_members` are checked, \
         and change nothing. It reads the table once.",
        "dbcluster_eps(table, features [, min_samples] [, eps => [number, ...] | steps => number] [, option => value ...])",
    )
    .with_sql_example(
        r"```sql
> SELECT eps, clusters, noise, largest_cluster, is_auto
  FROM dbcluster_eps(events, [cmdline_tokens(CommandLine)], steps => 4, scaling => 'none');
+-----+----------+-------+-----------------+---------+
| eps | clusters | noise | largest_cluster | is_auto |
+-----+----------+-------+-----------------+---------+
| 4.5 | 1        | 1     | 3               | true    |
| 9.0 | 1        | 0     | 4               | false   |
+-----+----------+-------+-----------------+---------+
> SELECT eps, clusters, noise
  FROM dbcluster_eps(events, [path_score(NewProcessName)], eps => [10, 2000], scaling => 'none');
+--------+----------+-------+
| eps    | clusters | noise |
+--------+----------+-------+
| 10.0   | 1        | 1     |
| 2000.0 | 1        | 0     |
+--------+----------+-------+
```",
    );
    with_arguments(builder, TableFunction::DbclusterEps)
        .with_related_udf("dbcluster_summary")
        .with_related_udf("dbcluster")
        .build()
}

fn dbcluster_members() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters as `dbcluster` does and gives every input row with its `cluster_id` (-1 for noise, NULL for skipped \
         rows), its `cluster_key` and its `point_type`: `core`, `border`, `noise` or `skipped`. The same call under \
         another name: `exemplar` and `keep_members` are checked, and change nothing.",
        "dbcluster_members(table, features, eps [, min_samples] [, option => value ...])",
    )
    .with_sql_example(
        r#"```sql
> SELECT "CommandLine", cluster_id, point_type
  FROM dbcluster_members(events, [path_score(NewProcessName)], eps => 10, scaling => 'none')
  ORDER BY "TimeGenerated" LIMIT 2;
+----------------------+------------+------------+
| CommandLine          | cluster_id | point_type |
+----------------------+------------+------------+
| cmd.exe /c run_1.bat | 0          | core       |
| cmd.exe /c run_2.bat | 0          | core       |
+----------------------+------------+------------+
```"#,
    );
    with_arguments(builder, TableFunction::DbclusterMembers)
        .with_related_udf("dbcluster")
        .with_related_udf("dbcluster_summary")
        .build()
}

fn dbcluster_summary() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters as `dbcluster` does and gives one row about it: `input_rows`, `distinct_vectors`, `clusters`, `noise` \
         (rows), `skipped` (rows), `largest_cluster` (its size), `collapsed_rows` (the rows that `dbcluster` gives), \
         `eps_least` and `eps_greatest` of its partitions, and all `options` in force. It reads the table once: the way to try \
         what an eps does; `dbcluster_eps` tries many.",
        "dbcluster_summary(table, features, eps [, min_samples] [, option => value ...])",
    )
    .with_sql_example(
        r"```sql
> SELECT input_rows, clusters, noise, collapsed_rows, options['eps'] AS eps
  FROM dbcluster_summary(events, [path_score(NewProcessName)], eps => 10, scaling => 'none')
  UNION ALL SELECT input_rows, clusters, noise, collapsed_rows, options['eps']
  FROM dbcluster_summary(events, [path_score(NewProcessName)], eps => 2000, scaling => 'none') ORDER BY eps;
+------------+----------+-------+----------------+--------+
| input_rows | clusters | noise | collapsed_rows | eps    |
+------------+----------+-------+----------------+--------+
| 4          | 1        | 1     | 2              | 10.0   |
| 4          | 1        | 0     | 1              | 2000.0 |
+------------+----------+-------+----------------+--------+
```",
    );
    with_arguments(builder, TableFunction::DbclusterSummary).with_related_udf("dbcluster").build()
}

fn dbcluster_values() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters as `dbcluster` does and counts the values that columns have in each cluster: one row per partition, cluster, column and \
         value. Noise and skipped rows are left out. Columns: those of `partition_by`, `cluster_id`, `cluster_key`, `column` (its name in \
         `of`), `value` (as text; bytes in hexadecimal), `events` (the cluster's rows with this value), `share` (of the cluster's rows), \
         `overall_share` (of all rows of the partition), `lift` (`share` / `overall_share`) and `shown`: whether the cluster's exemplar \
         has this value. NULL is a value. So `WHERE NOT shown` lists what the collapsed rows hide, and `ORDER BY lift DESC` what sets \
         a cluster apart. Nothing of a column hides where it is a key of `partition_by`. The counts, a row for each of these, are held in memory: the engine's \
         windows do not spill. `keep_members` is checked, and changes nothing.",
        "dbcluster_values(table, features, eps [, min_samples], of => [column, ...] [, top => number] [, option => value ...])",
    )
    .with_sql_example(
        r"```sql
> SELECT cluster_id, value, events, round(share, 2) AS share, round(lift, 2) AS lift, shown
  FROM dbcluster_values(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', of => Computer)
  ORDER BY value;
+------------+-------+--------+-------+------+-------+
| cluster_id | value | events | share | lift | shown |
+------------+-------+--------+-------+------+-------+
| 0          | wks-1 | 2      | 0.67  | 1.33 | true  |
| 0          | wks-2 | 1      | 0.33  | 0.67 | false |
+------------+-------+--------+-------+------+-------+
```",
    );
    with_arguments(builder, TableFunction::DbclusterValues)
        .with_related_udf("dbcluster")
        .with_related_udf("dbcluster_why")
        .build()
}

fn dbcluster_why() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters as `dbcluster` does and tells why each noise event is noise: one row per noise event. Columns: all columns of the \
         input, then the features that were given as expressions, then the cluster that is nearest (`nearest_cluster_id`, \
         `nearest_cluster_key`), the `distance` to its nearest core row, the same in units of eps (`distance_in_eps`), the least eps at \
         which the event would be in a cluster (`joins_at_eps`), for each feature by how much it differs from that core row before \
         scaling (`<feature>_difference`), and the columns of the cluster's exemplar that `show` names (`nearest_<column>`). Where \
         there is no cluster these are NULL. Of core rows at one distance that of the lowest cluster counts. A distance is told as \
         the least eps that reaches it, so that it can be typed back. `keep_members` is checked, and changes nothing.",
        "dbcluster_why(table, features, eps [, min_samples] [, show => [column, ...]] [, option => value ...])",
    )
    .with_sql_example(
        r#"```sql
> SELECT "CommandLine", distance, joins_at_eps, path_difference, "nearest_CommandLine"
  FROM dbcluster_why(events, {path: path_score(NewProcessName)}, eps => 10, scaling => 'none', show => [CommandLine]);
+---------------------------------------+----------+--------------+-----------------+----------------------+
| CommandLine                           | distance | joins_at_eps | path_difference | nearest_CommandLine  |
+---------------------------------------+----------+--------------+-----------------+----------------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1367.0   | 1367.0       | -1367.0         | cmd.exe /c run_1.bat |
+---------------------------------------+----------+--------------+-----------------+----------------------+
```"#,
    );
    with_arguments(builder, TableFunction::DbclusterWhy)
        .with_related_udf("dbcluster")
        .with_related_udf("dbcluster_eps")
        .build()
}

fn hunt() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Ranks events for review, the most unusual first, with reasons. Events of the same `subject` whose `text` is the same behind its mask \
         (`cmdline_template`) are one shape, and each shape is one row: `subject` (in small letters), `text_template`, all columns of its earliest \
         event, `events` (how many it stands for), `hosts` and `accounts` (how many different ones, where `host` and `who` are given), \
         `first_event_time` and `last_event_time`, `score`, `terms` (what each term adds to the score; NULL where a term has nothing to go by) \
         and `reasons` (short sentences, that of the greatest term first). All shapes are there; LIMIT is yours. Of equal scores the lower \
         subject and template come first. The score knows no attack: it asks how unusual a command is for its program, in which form it is \
         written, and what it touches. It reads the table twice. Its groups by all of these columns are held in \
         memory; `host => NULL` and `who => NULL` leave these two out.",
        "hunt(table, text => expression [, option => expression ...])",
    )
    .with_sql_example(
        r#"```sql
> SELECT round(score, 1) AS score, "CommandLine", events, reasons[1] AS reason
  FROM hunt(events, text => CommandLine, path => NewProcessName, host => Computer);
+-------+---------------------------------------+--------+------------------------------------------------------------------------------+
| score | CommandLine                           | events | reason                                                                       |
+-------+---------------------------------------+--------+------------------------------------------------------------------------------+
| 1.7   | x.exe --key=a;b;c --out="\\srv\share" | 1      | runs from a folder that users can write to and names an address, \\srv\share |
| 1.3   | cmd.exe /c run_1.bat                  | 3      | cmd.exe runs what it is given                                                |
+-------+---------------------------------------+--------+------------------------------------------------------------------------------+
```"#,
    );
    with_hunt_arguments(builder.with_argument("table", HUNT_TABLE))
        .with_related_udf("hunt_processes")
        .with_related_udf("dbcluster_around")
        .build()
}

fn hunt_logons() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "`hunt` for logons: the subject is the account (`TargetUserName`, `Account`, ...), the text the type of the logon with its \
         package, process and status, and the context where it came from (`IpAddress`, `WorkstationName`, ...), whatever of these the table has. Options \
         name others. Names of columns are found in any case. The time is the first value in the columns that collectors give the time of an event. If the table has \
         numbers of events, only logons are looked at: 4624 and 4625. Rows without an account are left out.",
        "hunt_logons(table [, option => expression ...])",
    )
    .with_sql_example(
        r#"```sql
> SELECT subject, text_template, round(terms['context'], 1) AS context, reasons[1] AS reason
  FROM hunt_logons((SELECT 'CORP\ana' AS "Account", CASE WHEN n < 58 THEN 3 ELSE 10 END AS "LogonType", '10.0.0.' || (n / 58) AS "IpAddress"
                    FROM generate_series(1, 60) AS t(n)));
+----------+-------------------+---------+----------------------------------------------+
| subject  | text_template     | context | reason                                       |
+----------+-------------------+---------+----------------------------------------------+
| corp\ana | RemoteInteractive | 0.7     | the word 'remoteinteractive' is nowhere else |
| corp\ana | Network           | 0.7     | the word 'network' is nowhere else           |
+----------+-------------------+---------+----------------------------------------------+
```"#,
    );
    builder
        .with_argument("table", HUNT_TABLE)
        .with_argument("option", "Those of `hunt`, in the place of the columns that it finds.")
        .with_related_udf("hunt")
        .build()
}

fn hunt_processes() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "`hunt` for process creations, with the columns that Windows, Sysmon, Microsoft 365 Defender, Elastic, auditd, osquery and \
         Velociraptor write, whatever of these the table has: the command line as `text`, the program's path as `path`, the parent's path as \
         `context` (of which the file's name counts), the account as `who` and the machine as `host`. Options name others. Names of columns are found in any case. \
         The time is the first value in the columns that collectors give the time of an event. If the table has numbers of events, only process creations \
         are looked at: 1 of Sysmon, 4688 of Windows; of the log of auditd, events with a record `EXECVE`, and calls of `execve` that did not \
         fail. Rows with neither a command line nor a path are left out.",
        "hunt_processes(table [, option => expression ...])",
    )
    .with_sql_example(
        r"```sql
> SELECT round(score, 1) AS score, subject, hosts, array_to_string(reasons, '; ') AS reasons
  FROM hunt_processes(events, watch => ['srv']) LIMIT 1;
+-------+---------+-------+---------------------------------------------------------------------------------------------------------------+
| score | subject | hosts | reasons                                                                                                       |
+-------+---------+-------+---------------------------------------------------------------------------------------------------------------+
| 11.7  | x.exe   | 1     | has 'srv', which is watched for; runs from a folder that users can write to and names an address, \\srv\share |
+-------+---------+-------+---------------------------------------------------------------------------------------------------------------+
```",
    );
    builder
        .with_argument("table", HUNT_TABLE)
        .with_argument("option", "Those of `hunt`, in the place of the columns that it finds.")
        .with_related_udf("hunt")
        .with_related_udf("process_features")
        .build()
}

const HUNT_TABLE: &str = "The events: a table, a file or a subquery, as for `dbcluster`.";

fn with_hunt_arguments(
    builder: datafusion_doc::DocumentationBuilder,
) -> datafusion_doc::DocumentationBuilder {
    let terms: Vec<String> =
        Term::ALL.iter().map(|term| format!("`{}`: {}", term.name(), term.meaning())).collect();
    builder
        .with_argument("text", "What varies: a command line, a User-Agent, a URL, a query. It has to be given.")
        .with_argument(
            "subject",
            "The thing whose habits count: a program, an account, a browser. Default: the name of the file in `path`, or without one all events \
             are of one subject.",
        )
        .with_argument("path", "The path of the program, for the terms that look at folders and at names of programs. Default: none.")
        .with_argument("context", "Where the event came from: the parent program, the source address. Default: none.")
        .with_argument("who", "The account, whose different values `accounts` counts. Default: none.")
        .with_argument("host", "The machine, whose different values `hosts` counts. Default: none.")
        .with_argument("time_column", "The time of the events. Default: the first column of a timestamp or date type.")
        .with_argument("terms", format!("The terms that are added up, as a list of names. Default: all. {}", terms.join(" ")))
        .with_argument("watch", "Texts that are looked for, in any case, as a list of strings: what you know of this case. Default: none.")
}

fn logon_events() -> Documentation {
    Documentation::builder(
        SECTION,
        "The logons of a table under the names that Windows uses, whatever collector wrote them: `TimeGenerated`, `Computer`, `Account` (with its \
         domain), `LogonType`, `IpAddress`, `WorkstationName`, `AuthenticationPackageName`, `LogonProcessName`, `Status`, `TargetLogonId` and \
         `EventID`, as text but for the time. NULL where the table has no such column. If it has numbers of events, only 4624 and 4625 are kept.",
        "logon_events(table)",
    )
    .with_sql_example(
        r#"```sql
> SELECT "Account", "LogonType", "IpAddress"
  FROM logon_events((SELECT 4624 AS "EventID", 'ana' AS "TargetUserName", 'CORP' AS "TargetDomainName", 3 AS "LogonType"));
+----------+-----------+-----------+
| Account  | LogonType | IpAddress |
+----------+-----------+-----------+
| CORP\ana | 3         |           |
+----------+-----------+-----------+
```"#,
    )
    .with_argument("table", HUNT_TABLE)
    .with_related_udf("process_events")
    .with_related_udf("hunt_logons")
    .build()
}

fn process_events() -> Documentation {
    Documentation::builder(
        SECTION,
        "The process creations of a table under the names that Windows uses, whatever collector wrote them (Windows, Sysmon, Microsoft 365 \
         Defender, Elastic, auditd, osquery, Velociraptor): `TimeGenerated`, `Computer`, `Account` (with its domain), `NewProcessName`, \
         `CommandLine`, `ParentProcessName`, `ParentCommandLine`, `NewProcessId`, `ProcessId` (the parent's) and `SubjectLogonId`, as text but for \
         the time. NULL where the table has no such column. Of several columns for one name the first that has a value counts. If the table has \
         numbers of events, only 1 (Sysmon) and 4688 (Windows) are kept; of the log of auditd, events with a record `EXECVE`, and calls of \
         `execve` that did not fail.",
        "process_events(table)",
    )
    .with_sql_example(
        r#"```sql
> SELECT "Account", "NewProcessName", "NewProcessId", "ProcessId"
  FROM process_events((SELECT 1 AS "EventID", 'CORP\ana' AS "User", '/bin/sh' AS "Image", 17 AS "ProcessId", 4 AS "ParentProcessId"));
+----------+----------------+--------------+-----------+
| Account  | NewProcessName | NewProcessId | ProcessId |
+----------+----------------+--------------+-----------+
| CORP\ana | /bin/sh        | 17           | 4         |
+----------+----------------+--------------+-----------+
```"#,
    )
    .with_argument("table", HUNT_TABLE)
    .with_related_udf("hunt_processes")
    .with_related_udf("process_features")
    .build()
}

fn process_features() -> Documentation {
    Documentation::builder(
        SECTION,
        "All columns of a table of process events, then the features that msticpy computes of `NewProcessName`, \
         `CommandLine` and `SubjectLogonId`, each where its source column exists: `processName`, `pathScore`, \
         `pathLogScore`, `pathHash`, `processNameLen`, `processNameTokens`, `commandlineLen`, `commandlineLogLen`, \
         `commandlineTokensFull`, `commandlineScore`, `commandlineLogScore`, `commandlineTokensHash`, \
         `commandlineTokens`, `isSystemSession`. NULL is read as an empty string; the logarithms have base 10, and \
         are 0 for 0.",
        "process_features(table)",
    )
    .with_sql_example(
        r#"```sql
> SELECT "processName", "pathScore", "commandlineTokensFull", "isSystemSession"
  FROM process_features('events') ORDER BY "TimeGenerated" LIMIT 1;
+-------------+-----------+-----------------------+-----------------+
| processName | pathScore | commandlineTokensFull | isSystemSession |
+-------------+-----------+-----------------------+-----------------+
| cmd.exe     | 2570      | 5                     | true            |
+-------------+-----------+-----------------------+-----------------+
```"#,
    )
    .with_argument("table", "A table's name, as an identifier or a string, or a subquery in brackets.")
    .build()
}

fn with_arguments(
    builder: datafusion_doc::DocumentationBuilder,
    function: TableFunction,
) -> datafusion_doc::DocumentationBuilder {
    let times = match function {
        TableFunction::DbclusterSummary | TableFunction::DbclusterEps => {
            "It is read once, and checked as for `dbcluster`, which reads twice"
        }
        _ => "It is read twice",
    };
    let builder = builder
        .with_argument(
            "table",
            format!(
                "A table, view or WITH query by its name (as an identifier or a string, qualified or not), the path of a file or \
                 folder as a string where the session reads files, a table function, or a subquery in brackets. {times}, so it must \
                 not change between two reads: what a query leaves open about equal rows (ORDER BY ... LIMIT, DISTINCT ON, \
                 `row_number()`) is decided by their other columns, and what can't be decided (`random()`, LIMIT without ORDER BY) is \
                 refused."
            ),
        )
        .with_argument(
            "features",
            "What rows are compared by: `[a, f(b)]`, `{name: f(b), ...}`, `struct(f(b) AS name, ...)`, one string \
             `'a, f(b) AS name'`, or an array of such strings. Booleans, integers, floats and decimals are numbers; text \
             needs a function. Names that match a column to the letter need no quotes.",
        );
    let by_position: Vec<&str> = function.by_position().iter().map(ClusterOption::name).collect();
    let names: Vec<String> = function.options().iter().map(|name| format!("`{name}`")).collect();
    builder.with_argument(
        "option",
        format!(
            "One of the options {}: `option => value`, in any order. Only {} may stand without {}.",
            names.join(", "),
            by_position.join(" and "),
            if by_position.len() == 1 { "its name" } else { "their names" }
        ),
    )
}
