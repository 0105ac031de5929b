//! The documentation of the functions, which `\h` and the function reference show.

use datafusion::logical_expr::{DocSection, Documentation};

use super::function::Reads;

/// Returns the documentation of the function that reads a value so.
pub(super) fn of(reads: Reads) -> Documentation {
    let section = DocSection {
        include: true,
        label: "JSON fields",
        description: Some("Fields of JSON in text columns."),
    };
    let syntax = format!("{}(json [, step, ...])", reads.name());
    Documentation::builder(section, reads.meaning(), syntax)
        .with_argument("json", "Text that is JSON. What is no JSON is read as NULL.")
        .with_argument(
            "step",
            "The way to the value: the name of a member of an object, or the place of an item of an array, from 0, or from -1 \
             backwards from its end.",
        )
        .with_sql_example(reads.example())
        .build()
}

impl Reads {
    fn meaning(self) -> &'static str {
        match self {
            Self::Text => {
                "A value of JSON text, as text: a string without its quotes, anything else as JSON. The operator `->>` with one \
                 step."
            }
            Self::IsThere => {
                "Whether JSON text has a value there, also if that is `null`. The operator `?` with one step, in the dialect \
                 `postgres`."
            }
            Self::Boolean => "A boolean of JSON text.",
            Self::Float => "A number of JSON text as DOUBLE.",
            Self::Integer => {
                "A whole number of JSON text as BIGINT. Numbers with a fraction or an exponent are NULL."
            }
            Self::Json => "A value of JSON text, as JSON text. The operator `->` with one step.",
            Self::String => "A string of JSON text. Values of other types are NULL.",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Text => {
                "```sql
> SELECT ev->>'user' AS name, ev->>'id' AS id, ev->'tags'->>0 AS first
  FROM (VALUES ('{\"user\": \"amy\", \"id\": 7, \"tags\": [\"a\", \"b\"]}')) AS t(ev);
+------+----+-------+
| name | id | first |
+------+----+-------+
| amy  | 7  | a     |
+------+----+-------+
```"
            }
            Self::IsThere => {
                "```sql
> SELECT json_contains('{\"user\": null}', 'user') AS is_there, json_contains('{\"user\": null}', 'id') AS another;
+----------+---------+
| is_there | another |
+----------+---------+
| true     | false   |
+----------+---------+
```"
            }
            Self::Boolean => {
                "```sql
> SELECT json_get_bool('{\"ok\": true}', 'ok') AS ok;
+------+
| ok   |
+------+
| true |
+------+
```"
            }
            Self::Float => {
                "```sql
> SELECT json_get_float('{\"load\": [0.5, 2]}', 'load', 1) AS load;
+------+
| load |
+------+
| 2.0  |
+------+
```"
            }
            Self::Integer => {
                "```sql
> SELECT json_get_int('{\"process\": {\"pid\": 4711}}', 'process', 'pid') AS pid;
+------+
| pid  |
+------+
| 4711 |
+------+
```"
            }
            Self::Json => {
                "```sql
> SELECT ev->'process' AS process, ev->'process'->'args'->-1 AS last
  FROM (VALUES ('{\"process\": {\"args\": [\"/c\", \"dir\"]}}')) AS t(ev);
+-------------------------+-------+
| process                 | last  |
+-------------------------+-------+
| {\"args\": [\"/c\", \"dir\"]} | \"dir\" |
+-------------------------+-------+
```"
            }
            Self::String => {
                "```sql
> SELECT json_get_str('{\"user\": {\"name\": \"amy\"}}', 'user', 'name') AS name, json_get_str('{\"user\": 7}', 'user') AS other;
+------+-------+
| name | other |
+------+-------+
| amy  |       |
+------+-------+
```"
            }
        }
    }
}
