//! `token_count`: into how many pieces a string splits.

use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};
use datafusion_macros::user_doc;

use super::arguments::{self, Takes};
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The number of pieces that a separator splits a string into: one more than there are \
                   separators. The empty string is 1 piece, and two separators in a row have an empty piece \
                   between them.",
    syntax_example = "token_count(s[, sep])",
    sql_example = "```sql
> SELECT token_count('net user admin /add') AS pieces;
+--------+
| pieces |
+--------+
| 4      |
+--------+
> SELECT token_count('CN=db1,OU=Servers,DC=corp', ',') AS pieces;
+--------+
| pieces |
+--------+
| 3      |
+--------+
```",
    argument(name = "s", description = "String to look at."),
    argument(
        name = "sep",
        description = "The separator, a literal string that is not empty. Default: one space."
    ),
    related_udf(name = "cmdline_tokens")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenCount;

impl ScalarUDFImpl for TokenCount {
    fn name(&self) -> &'static str {
        "token_count"
    }

    fn signature(&self) -> &Signature {
        arguments::signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        arguments::coerce(self.name(), &[("s", Takes::String), ("sep", Takes::String)], types)
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        separator(self.name(), arguments::planned_option(self.name(), &args)?)?;
        Ok(arguments::result_field(self.name(), DataType::Int64))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (s, sep) = arguments::evaluated(self.name(), &args.args)?;
        let Some(sep) = separator(self.name(), sep.as_ref())? else {
            return arguments::null(args.return_type());
        };
        text::map_primitive::<Int64Type>(s, |s| pieces(s, &sep))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The separator that argument 2 of `function` asks for: a space without one, `None` if it is NULL.
fn separator(function: &str, option: Option<&ScalarValue>) -> Result<Option<String>> {
    let Some(option) = option else { return Ok(Some(" ".to_owned())) };
    match option.try_as_str().flatten() {
        Some("") => {
            plan_err!("{function}, argument 2 (sep): expected a string of at least one character, got ''")
        }
        separator => Ok(separator.map(str::to_owned)),
    }
}

fn pieces(text: &str, separator: &str) -> i64 {
    let separators = match separator.as_bytes() {
        // A loop over bytes is vectorized, a search for substrings is not.
        &[separator] => text.bytes().filter(|&byte| byte == separator).count(),
        _ => text.matches(separator).count(),
    };
    separators as i64 + 1
}
