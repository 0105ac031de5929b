//! What each option means, with an example that a test runs.

/// An option of `dbcluster`, `dbcluster_members` and `dbcluster_summary`.
#[derive(Debug, Clone, Copy)]
pub struct OptionDocumentation {
    /// The name before `=>`.
    pub name: &'static str,
    /// What it takes.
    pub values: &'static str,
    /// What it is where it isn't given.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// A statement on the table `events` of [`documentation_example_table`](crate::documentation_example_table), and
    /// what it prints.
    pub sql_example: &'static str,
}

/// How a call is written.
pub(crate) const GRAMMAR: &str = r#"call      = function "(" table "," features ["," eps ["," min_samples]] {"," option "=>" value} ")"
function  = "dbcluster" | "dbcluster_members" | "dbcluster_summary"      in any case, wherever a table may stand
table     = name | catalog "." schema "." name | "Name"                   a table, a view or a WITH query
          | 'name' | 'path'                                               also a file or folder, where the session reads them
          | "(" SELECT ... ")" | table_function "(" ... ")"
features  = "[" feature {"," feature} "]" | "(" feature "," feature {"," feature} ")" | feature
          | "{" name ":" feature {"," name ":" feature} "}"
          | "struct" "(" feature ["AS" name] {"," feature ["AS" name]} ")"
          | 'feature [AS name], ...' | "[" 'feature [AS name]' {"," ...} "]"
feature   = any expression over the table's columns that is a number"#;

/// Every option, in the order of the reference.
pub(crate) const OPTIONS: [OptionDocumentation; 11] = [
    OptionDocumentation {
        name: "eps",
        values: "a number above 0, or a placeholder",
        default: "none: it has to be given",
        meaning: "How far apart neighbours may be, inclusive, in the unit of the scaled and weighted features. Also by \
                      position.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none')
  ORDER BY cluster_size;
+---------------------------------------+--------------+
| CommandLine                           | cluster_size |
+---------------------------------------+--------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            |
| cmd.exe /c run_1.bat                  | 3            |
+---------------------------------------+--------------+
```"#,
    },
    OptionDocumentation {
        name: "min_samples",
        values: "a whole number from 1, or a placeholder",
        default: "2",
        meaning: "How many rows within eps make a row core, itself counted. Also by position, behind eps.",
        sql_example: r"```sql
> SELECT clusters, noise FROM dbcluster_summary(events, [path_score(NewProcessName)], eps => 10, min_samples => 5, scaling => 'none');
+----------+-------+
| clusters | noise |
+----------+-------+
| 0        | 4     |
+----------+-------+
```",
    },
    OptionDocumentation {
        name: "time_column",
        values: "a column, or NULL for none",
        default: "the first column of a timestamp or date type",
        meaning: "The time of the events: the order of the rows, and `first_event_time` and `last_event_time`. Without \
                      one these two columns are absent.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size, cluster_id
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', time_column => NULL) ORDER BY cluster_id;
+---------------------------------------+--------------+------------+
| CommandLine                           | cluster_size | cluster_id |
+---------------------------------------+--------------+------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            | -1         |
| cmd.exe /c run_1.bat                  | 3            | 0          |
+---------------------------------------+--------------+------------+
```"#,
    },
    OptionDocumentation {
        name: "order_by",
        values: "a column, an expression or a list of up to 16",
        default: "the time column",
        meaning: "Which row of a cluster is the first, and which cluster has the lower number. Ties are decided by the \
                      features, then by the remaining columns. NULLs come last.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', order_by => [0 - date_part('epoch', TimeGenerated)])
  ORDER BY cluster_size;
+---------------------------------------+--------------+
| CommandLine                           | cluster_size |
+---------------------------------------+--------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            |
| cmd.exe /c run_3.bat                  | 3            |
+---------------------------------------+--------------+
```"#,
    },
    OptionDocumentation {
        name: "partition_by",
        values: "a column, an expression or a list of up to 16",
        default: "none: all rows are clustered together",
        meaning: "Rows of different partitions are never neighbours. Cluster ids start at 0 in each partition, and \
                      `cluster_key` tells the clusters of all partitions apart. Partitions are clustered in parallel, and a \
                      filter on their columns reaches the scan. It comes first in the canonical order; NULL is a partition \
                      of its own.",
        sql_example: r#"```sql
> SELECT "Computer", cluster_id, cluster_size, cluster_key
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 2000, scaling => 'none', partition_by => Computer)
  ORDER BY "Computer";
+----------+------------+--------------+------------------+
| Computer | cluster_id | cluster_size | cluster_key      |
+----------+------------+--------------+------------------+
| wks-1    | 0          | 2            | 82db35ae61733335 |
| wks-2    | 0          | 2            | 4d4d8b108596dccf |
+----------+------------+--------------+------------------+
```"#,
    },
    OptionDocumentation {
        name: "scaling",
        values: "`'l2'`, `'none'`, `'zscore'`, `'minmax'` or `'robust'`",
        default: "`'l2'`",
        meaning: "What is done to the features before distances are taken, over the rows of each partition, as in \
                      scikit-learn. `l2`: each row's vector is divided by its own length, so that only its direction counts \
                      (`Normalizer`). `zscore`: less the mean, divided by the standard deviation (`StandardScaler`). \
                      `minmax`: from 0 to 1 (`MinMaxScaler`). `robust`: less the median, divided by the distance of the \
                      quartiles (`RobustScaler`). `none`: as they are.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_id
  FROM dbcluster_members(events, [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 0.2, scaling => 'minmax')
  ORDER BY "TimeGenerated";
+---------------------------------------+------------+
| CommandLine                           | cluster_id |
+---------------------------------------+------------+
| cmd.exe /c run_1.bat                  | 0          |
| cmd.exe /c run_2.bat                  | 0          |
| cmd.exe /c run_3.bat                  | 0          |
| x.exe --key=a;b;c --out="\\srv\share" | -1         |
+---------------------------------------+------------+
```"#,
    },
    OptionDocumentation {
        name: "weights",
        values: "a list of numbers above 0, one per feature, or `{name: number}`",
        default: "1 for each feature",
        meaning: "How much a feature counts: it is multiplied by its number after scaling. By name, the others keep 1.",
        sql_example: r"```sql
> SELECT clusters, noise
  FROM dbcluster_summary(events, {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.2,
                         scaling => 'minmax', weights => {tokens: 0.1, path: 0.1});
+----------+-------+
| clusters | noise |
+----------+-------+
| 1        | 0     |
+----------+-------+
```",
    },
    OptionDocumentation {
        name: "metric",
        values: "`'euclidean'`, `'manhattan'` or `'chebyshev'`",
        default: "`'euclidean'`",
        meaning: "What a distance is: the root of the sum of squared differences, the sum of differences, or the largest \
                      of them. Each is exact: there is no tolerance.",
        sql_example: r"```sql
> SELECT clusters, noise
  FROM dbcluster_summary(events, [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 1600, scaling => 'none',
                         metric => 'chebyshev');
+----------+-------+
| clusters | noise |
+----------+-------+
| 1        | 0     |
+----------+-------+
```",
    },
    OptionDocumentation {
        name: "nulls",
        values: "`'error'`, `'zero'` or `'skip'`",
        default: "`'error'`",
        meaning: "What becomes of rows with a NULL, NaN or infinite feature: the query fails and names the feature; the \
                      feature is read as 0; or the row is kept as it is, with `cluster_id` NULL and `point_type` `skipped`.",
        sql_example: r#"```sql
> SELECT "CommandLine", point_type
  FROM dbcluster_members(events, [nullif(length(NewProcessName), 13)], eps => 1, scaling => 'none', nulls => 'skip')
  ORDER BY "TimeGenerated";
+---------------------------------------+------------+
| CommandLine                           | point_type |
+---------------------------------------+------------+
| cmd.exe /c run_1.bat                  | core       |
| cmd.exe /c run_2.bat                  | core       |
| cmd.exe /c run_3.bat                  | core       |
| x.exe --key=a;b;c --out="\\srv\share" | skipped    |
+---------------------------------------+------------+
```"#,
    },
    OptionDocumentation {
        name: "exemplar",
        values: "`'first'`, `'last'`, `'medoid'` or `'rarest'`",
        default: "`'first'`",
        meaning: "Which member stands for its cluster; all its columns come from that one row. The first or the last one \
                      in order (of events without a time only if no other has one). `medoid`: the first row of the vector \
                      with the smallest sum of distances to the distinct vectors of its cluster, ties by order; exact up to \
                      10,000 distinct vectors in a cluster, and among an even sample of 10,000 above that. `rarest`: the \
                      first row of the vector that occurs least.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', exemplar => 'last') ORDER BY cluster_size;
+---------------------------------------+--------------+
| CommandLine                           | cluster_size |
+---------------------------------------+--------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            |
| cmd.exe /c run_3.bat                  | 3            |
+---------------------------------------+--------------+
```"#,
    },
    OptionDocumentation {
        name: "keep_members",
        values: "a column, a list of columns, or `{column: number}`",
        default: "none",
        meaning: "Gives each cluster a list of a column's values in its first members, in order; ties are decided by the \
                      value. Without a number up to 10 of them, at most 1000. The list is named after its column, \
                      `CommandLine_members`.",
        sql_example: r#"```sql
> SELECT cluster_size, "CommandLine_members"
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', keep_members => {CommandLine: 2})
  ORDER BY cluster_size;
+--------------+----------------------------------------------+
| cluster_size | CommandLine_members                          |
+--------------+----------------------------------------------+
| 1            | [x.exe --key=a;b;c --out="\\srv\share"]      |
| 3            | [cmd.exe /c run_1.bat, cmd.exe /c run_2.bat] |
+--------------+----------------------------------------------+
```"#,
    },
];
