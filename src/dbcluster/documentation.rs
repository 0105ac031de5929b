//! What the table functions are and take: the engine has a place for such texts on scalar and window functions only.

use datafusion_doc::{DocSection, Documentation};

const SECTION: DocSection = DocSection { include: true, label: "Table Functions", description: None };

/// The events that the examples of this page read.
pub(crate) const EXAMPLE_TABLE: &str = "CREATE TABLE events AS SELECT * FROM (VALUES
  (TIMESTAMP '2026-01-15 05:00:00', 'C:\\Windows\\System32\\cmd.exe', 'cmd.exe /c run_1.bat', '0x3e7'),
  (TIMESTAMP '2026-01-15 05:10:00', 'C:\\Windows\\System32\\cmd.exe', 'cmd.exe /c run_2.bat', '0x3e7'),
  (TIMESTAMP '2026-01-15 05:20:00', 'C:\\Windows\\System32\\cmd.exe', 'cmd.exe /c run_3.bat', '0x3e7'),
  (TIMESTAMP '2026-01-15 05:25:00', 'C:\\Temp\\x.exe', 'x.exe --key=a;b;c --out=\"\\\\srv\\share\"', '0x1f4c2')
) AS t(\"TimeGenerated\", \"NewProcessName\", \"CommandLine\", \"SubjectLogonId\")";

/// Every table function with its documentation, in alphabetical order.
pub(crate) fn all() -> Vec<(&'static str, Documentation)> {
    vec![
        ("dbcluster", dbcluster()),
        ("dbcluster_members", dbcluster_members()),
        ("process_features", process_features()),
    ]
}

fn dbcluster() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters the rows of a table with DBSCAN and collapses them: one row per cluster and one per noise event. \
         Columns: all columns of the input, then the features that were given as expressions, then `clustered`, \
         `cluster_id` (-1 for noise), `cluster_size`, `first_event_time` and `last_event_time`. A cluster's row is \
         its first event, all columns from that one row. Without a column of a time or date type the two times are \
         absent.",
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
    with_arguments(builder).with_related_udf("dbcluster_members").with_related_udf("dbscan").build()
}

fn dbcluster_members() -> Documentation {
    let builder = Documentation::builder(
        SECTION,
        "Clusters as `dbcluster` does and gives every input row with its `cluster_id` (-1 for noise, NULL for skipped \
         rows) and its `point_type`: `core`, `border`, `noise` or `skipped`.",
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
    with_arguments(builder).with_related_udf("dbcluster").build()
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

fn with_arguments(builder: datafusion_doc::DocumentationBuilder) -> datafusion_doc::DocumentationBuilder {
    builder
        .with_argument(
            "table",
            "A table, view or CTE by its name (as an identifier or a string, qualified or not), the path of a file or \
             folder as a string where the session reads files, or a subquery in brackets. It is read twice, so it \
             must not change between two reads: `random()` or LIMIT without ORDER BY are refused.",
        )
        .with_argument(
            "features",
            "What rows are compared by: `[a, f(b)]`, `{name: f(b), ...}`, one string `'a, f(b) AS name'`, or an array \
             of such strings. Booleans, integers, floats and decimals are numbers; text needs a function. Names that \
             match a column to the letter need no quotes.",
        )
        .with_argument("eps", "How far apart neighbours may be, a number above 0; also `eps => 0.0001`.")
        .with_argument(
            "min_samples",
            "How many rows make a dense spot, the row itself counted. Default 2; also `min_samples => 3`.",
        )
        .with_argument(
            "time_column",
            "The column of the events' time. Default: the first one of a timestamp or date type. NULL: none.",
        )
        .with_argument(
            "order_by",
            "A column or a list of columns that say which row of a cluster is the first, in place of the time. Ties are \
             decided by the features, then by the remaining columns. NULLs come last.",
        )
        .with_argument(
            "scaling",
            "`'l2'` (default) divides each row's vector by its length, so that only its direction counts; `'none'` \
             takes the features as they are.",
        )
        .with_argument(
            "nulls",
            "What becomes of rows with a NULL, NaN or infinite feature: `'error'` (default), `'zero'` reads such a \
             feature as 0, `'skip'` leaves the row as it is, with cluster_id NULL.",
        )
}
