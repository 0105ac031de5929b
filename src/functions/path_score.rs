//! `path_score`: the characters of a path, added up. `string_score` is the same under a name for other text.

use std::sync::Arc;

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::{self, scalar_function};
use super::{ascii, text};
use crate::error::{argument_error, argument_text, internal_err};

#[user_doc(
    doc_section(label = "Event features"),
    description = "The sum of the Unicode code points of a string, divided by `scale` and rounded down: \
                   nearly a fingerprint of a path, on which small changes have small effects. Strings with \
                   the same characters in another order have the same score.",
    syntax_example = "path_score(s[, scale])",
    sql_example = r"```sql
> SELECT path_score('C:\Windows\System32\cmd.exe') AS score;
+-------+
| score |
+-------+
| 2570  |
+-------+
> SELECT path_score('C:\Windows\System32\cmd.exe', 100) AS score;
+-------+
| score |
+-------+
| 25    |
+-------+
```",
    argument(name = "s", description = "String to look at."),
    argument(
        name = "scale",
        description = "What to divide the sum by, a literal number, finite and not 0. Default: 1. The result \
                       is rounded down, also below zero."
    ),
    related_udf(name = "string_score"),
    related_udf(name = "process_name")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PathScore;

impl ScalarUDFImpl for PathScore {
    scalar_function!("path_score"("s": String, "scale": Number) -> DataType::Int64, option: divisor);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        scores(self.name(), &args)
    }
}

/// Returns the scale that argument 2 of `function` gives: 1 without one, `None` if it is NULL.
pub(super) fn divisor(function: &str, option: Option<&ScalarValue>) -> Result<Option<f64>> {
    let Some(option) = option else { return Ok(Some(1.0)) };
    match option.cast_to(&DataType::Float64)? {
        ScalarValue::Float64(Some(scale)) if !scale.is_finite() || scale == 0.0 => {
            let expected = "a finite number other than 0 to divide by";
            Err(argument_error(function, "argument 2 (scale)", &scale, expected, None))
        }
        ScalarValue::Float64(scale) => Ok(scale),
        other => internal_err!("{function}: the scale was cast to DOUBLE and came out as {other}"),
    }
}

/// Computes `floor(sum of code points / scale)` for every string, for `path_score` and `string_score`.
pub(super) fn scores(function: &str, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (s, scale) = arguments::evaluated(function, &args.args)?;
    let Some(scale) = divisor(function, scale.as_ref())? else {
        return arguments::null(args.return_type());
    };
    text::per_value(s, |array| {
        let sums = text::primitive::<Int64Type>(array, code_points)?;
        if scale.to_bits() == 1_f64.to_bits() {
            return Ok(Arc::new(sums));
        }
        // The division is that of Python: a sum below 2^53 is exact as f64, and longer strings do not fit into memory.
        let scores = sums.try_unary::<_, Int64Type, DataFusionError>(|sum| {
            let score = (sum as f64 / scale).floor();
            // 2^63 is the first f64 that is too large; i64::MIN is exact as f64.
            if (i64::MIN as f64..-(i64::MIN as f64)).contains(&score) {
                Ok(score as i64)
            } else {
                let (got, hint) = (format!("{sum} / {scale}"), Some("choose a larger scale"));
                let text = argument_text(function, "a score", &got, "a number that fits BIGINT", hint);
                exec_err!("{text}")
            }
        })?;
        Ok(Arc::new(scores))
    })
}

/// The sum of the code points.
fn code_points(text: &str) -> i64 {
    ascii::sum(text).unwrap_or_else(|| text.chars().map(|c| i64::from(u32::from(c))).sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn code_points_equal_their_definition(text in "[\\x00-\\x7f]{0,300}|[\\x00-\\x7f]{0,40}\\PC{0,40}") {
            prop_assert_eq!(code_points(&text), text.chars().map(|c| i64::from(u32::from(c))).sum::<i64>());
        }
    }
}
