//! `obfuscation_score`: the marks of a command that was made hard to read.
//!
//! The marks are those that Bohannon's Invoke-Obfuscation and Invoke-DOSfuscation (2016, 2018) put between letters: they change how a
//! command looks, and not what it does. The cost is one pass over the bytes.

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::{base64_fraction, text};

#[user_doc(
    doc_section(label = "Event features"),
    description = r#"The number of marks in a command that only make it hard to read: `^` or a backtick before a letter or digit; a quote between two letters or digits (`po''wer`, `w"h"o`); a `+` between two quotes (`'a'+'b'`); a small letter between two capitals in a word that has at least three of them (`pOwErShElL`), but for runs of base64; a part of a variable (`%a:~1,2%`). Plain commands have none or a few."#,
    syntax_example = "obfuscation_score(s)",
    sql_example = r"```sql
> SELECT obfuscation_score('c^m^d /c pOwErShElL') AS obfuscated, obfuscation_score('ipconfig /all') AS plain;
+------------+-------+
| obfuscated | plain |
+------------+-------+
| 6          | 0     |
+------------+-------+
```",
    argument(name = "s", description = "Command line."),
    related_udf(name = "base64_fraction"),
    related_udf(name = "entropy")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ObfuscationScore;

impl ScalarUDFImpl for ObfuscationScore {
    scalar_function!("obfuscation_score"("s": String) -> DataType::Int64);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_primitive::<Int64Type>(&s, marks)
    }
}

/// Counts the marks of a text.
pub(crate) fn marks(text: &str) -> i64 {
    let bytes = text.as_bytes();
    let is_sign = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\''));
    let mut marks = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (before, behind) = (at.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(at + 1));
        marks += i64::from(match byte {
            b'^' | b'`' => is_sign(behind),
            // Two quotes in a row are one mark.
            b'"' | b'\'' if behind == Some(byte) => is_sign(before) && is_sign(bytes.get(at + 2)),
            b'"' | b'\'' => is_sign(before) && is_sign(behind),
            b'+' => is_quote(before) && is_quote(behind),
            b'~' => before == Some(&b':') && at >= 3,
            _ => false,
        });
    }
    marks + changes_of_case(text)
}

/// Counts small letters between two capitals, in words that have several: `NtLmSsp` has two, and is a name.
fn changes_of_case(text: &str) -> i64 {
    const LEAST: i64 = 3;
    let mut encoded = base64_fraction::runs(text).peekable();
    let (mut changes, mut of_word) = (0, 0);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        while encoded.next_if(|run| run.end <= at).is_some() {}
        if !byte.is_ascii_alphabetic() {
            changes += if of_word >= LEAST { of_word } else { 0 };
            of_word = 0;
            continue;
        }
        let is_capital =
            |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_uppercase);
        let is_change =
            byte.is_ascii_lowercase() && is_capital(at.checked_sub(1)) && is_capital(Some(at + 1));
        of_word += i64::from(is_change && !encoded.peek().is_some_and(|run| run.contains(&at)));
    }
    changes + if of_word >= LEAST { of_word } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_counted() {
        for (text, expected) in [
            ("", 0),
            ("ipconfig /all", 0),
            ("c^md", 1),
            ("po`w`er", 2),
            ("a^", 0),
            ("^", 0),
            ("w\"h\"oami", 2),
            ("po''wer", 1),
            ("say \"hello\" 'world'", 0),
            ("don't", 1),
            ("('down'+'load')", 1),
            ("pOwErShElL", 4),
            ("PowerShell", 0),
            ("NtLmSsp MsSense", 0),
            ("aBcDeFgH", 3),
            ("%comspec:~0,1%", 1),
            ("C:~", 0),
            ("-enc JABzAD0ATgBlAHcALQBPAGIAagBlAGMAdAAgAEkATwA=", 0),
            ("é^é", 0),
        ] {
            assert_eq!(marks(text), expected, "{text}");
        }
    }
}
