//! `argument_count`: the number of arguments of a command line, with the quoting of Windows.
//!
//! Windows hands a program one string, and the program's runtime cuts it ("Parsing C++ command-line arguments" and
//! `CommandLineToArgvW`, Microsoft). The cost is one pass over the bytes.

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = r#"The number of arguments of a command line, the program included, cut as Windows programs cut it: at spaces and tabs outside of double quotes. `\"` is a quote that belongs to an argument, and `\\"` is a backslash before one that opens or closes. In the program's own name a backslash has no such meaning. Single quotes group nothing. Blank text has 0 arguments."#,
    syntax_example = "argument_count(s)",
    sql_example = r#"```sql
> SELECT argument_count('"C:\Program Files\app.exe" /run "two words"') AS quoted, argument_count('net user admin /add') AS plain;
+--------+-------+
| quoted | plain |
+--------+-------+
| 3      | 4     |
+--------+-------+
```"#,
    argument(name = "s", description = "Command line."),
    related_udf(name = "token_count"),
    related_udf(name = "cmdline_tokens")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ArgumentCount;

impl ScalarUDFImpl for ArgumentCount {
    scalar_function!("argument_count"("s": String) -> DataType::Int64);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_primitive::<Int64Type>(&s, arguments)
    }
}

fn arguments(line: &str) -> i64 {
    let mut count = 0;
    let (mut inside, mut quoted, mut backslashes) = (false, false, 0_usize);
    for byte in line.bytes() {
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') && !quoted {
            inside = false;
            backslashes = 0;
            continue;
        }
        if !inside {
            inside = true;
            count += 1;
        }
        match byte {
            b'\\' => backslashes += 1,
            b'"' => {
                // The first argument is the program, in whose path a backslash only separates folders.
                if count == 1 || backslashes % 2 == 0 {
                    quoted = !quoted;
                }
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases are those of Microsoft's documentation, behind the name of a program.
    #[test]
    fn arguments_are_those_of_windows() {
        for (line, expected) in [
            ("", 0),
            (" \t ", 0),
            ("a", 1),
            (r#"p "abc" d e"#, 4),
            (r#"p a\\b d"e f"g h"#, 4),
            (r#"p a\\\"b c d"#, 4),
            (r#"p a\\\\"b c" d e"#, 4),
            (r#"p a"b"" c d"#, 2),
            (r#""C:\Program Files\" x"#, 2),
            (r#"p "" x"#, 3),
            (r#"p "C:\dir\" x"#, 2),
            (r#"p "open and not closed"#, 2),
        ] {
            assert_eq!(arguments(line), expected, "{line}");
        }
    }
}
