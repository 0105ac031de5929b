//! The documentation of `read` and `rejected`. The engine has a place for it on scalar and window functions only.

use datafusion_doc::{DocSection, Documentation};

use crate::read_options::READ_OPTIONS;

const SECTION: DocSection = DocSection { include: true, label: "Table Functions", description: None };

/// The table functions of this room with their documentation, in alphabetical order.
pub(crate) fn all() -> Vec<(&'static str, Documentation)> {
    vec![("read", read()), ("rejected", rejected())]
}

fn read() -> Documentation {
    let mut builder = Documentation::builder(
        SECTION,
        "The rows of files: CSV and other delimited text, JSON in any form, Zeek, W3C, the log of auditd and plain lines, in any encoding, and \
         event logs of Windows (EVTX), all of them compressed or not; Parquet, Arrow and Avro. The content of a file says what it is, not its name. Every row is read before \
         the columns get their types: a type holds every value of a column exactly, else the column is text. The columns of \
         several files meet by name. Where the session reads files by their path, `FROM 'path'` is the same without options. \
         `SET dbcluster.read.option = value` sets an option for all files of the session, and `CREATE EXTERNAL TABLE t STORED \
         AS LOGS LOCATION 'path' OPTIONS ('option' 'value')` makes a table of them.",
        "read('path' [, option => value ...])",
    )
    .with_sql_example(
        r"```sql
> COPY (SELECT * FROM (VALUES ('15.01.2026 05:00', 'wks-1', '443'), ('16.01.2026 05:10', 'wks-2', '-')) AS t(time, host, port))
  TO 'logs/firewall.csv';
+-------+
| count |
+-------+
| 2     |
+-------+
> SELECT time, host, port FROM read('logs/*.csv', nulls => '-', types => {host: 'VARCHAR'}) ORDER BY time;
+---------------------+-------+------+
| time                | host  | port |
+---------------------+-------+------+
| 2026-01-15T05:00:00 | wks-1 | 443  |
| 2026-01-16T05:10:00 | wks-2 |      |
+---------------------+-------+------+
```",
    )
    .with_argument(
        "path",
        "A file, a folder with all that is below it, a pattern with `*`, `?`, `[...]`, `{a,b}` and `**`, a path that begins with \
         `~/`, a pipe or `/dev/stdin`, or the URL of an object store. Hidden files of a folder are passed over. Folders such as \
         `day=2026-01-15` are a column `day`.",
    );
    for option in READ_OPTIONS {
        let text =
            format!("Takes {}. {} Example: `{}`.", option.values(), option.meaning(), option.example());
        builder = builder.with_argument(option.name(), text);
    }
    builder.with_related_udf("rejected").build()
}

fn rejected() -> Documentation {
    Documentation::builder(
        SECTION,
        "The lines and values that could not be read, of the last reading of each path: `file`, `line` (the first is 1; of an event \
         log of Windows, the chunk), `column` \
         (NULL where the whole line is no record), `text` and `reason`. A value that is rejected is NULL in its row.",
        "rejected()",
    )
    .with_sql_example(
        r"```sql
> COPY (SELECT * FROM (VALUES ('wks-1', '443'), ('wks-2', 'https')) AS t(host, port)) TO 'logs/ports.csv';
+-------+
| count |
+-------+
| 2     |
+-------+
> SELECT count(port) AS ports FROM read('logs/ports.csv', types => {port: 'BIGINT'});
+-------+
| ports |
+-------+
| 1     |
+-------+
> SELECT line, column, text FROM rejected();
+------+--------+-------+
| line | column | text  |
+------+--------+-------+
| 3    | port   | https |
+------+--------+-------+
```",
    )
    .with_related_udf("read")
    .build()
}
