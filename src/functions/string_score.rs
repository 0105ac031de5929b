//! `string_score`: `path_score` under a name for text that is no path, such as an account.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::path_score::{divisor, scores};

#[user_doc(
    doc_section(label = "Event features"),
    description = "The sum of the Unicode code points of a string, divided by `scale` and rounded down. The \
                   same as `path_score`, under a name that reads well for accounts and other text.",
    syntax_example = "string_score(s[, scale])",
    sql_example = "```sql
> SELECT string_score('adm1nistrator') AS score, string_score('administrator') AS usual;
+-------+-------+
| score | usual |
+-------+-------+
| 1353  | 1409  |
+-------+-------+
> SELECT string_score('café', 2.5) AS score;
+-------+
| score |
+-------+
| 212   |
+-------+
```",
    argument(name = "s", description = "String to look at."),
    argument(
        name = "scale",
        description = "What to divide the sum by, a literal number, finite and not 0. Default: 1. The result \
                       is rounded down, also below zero."
    ),
    related_udf(name = "path_score"),
    related_udf(name = "crc32_hash")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct StringScore;

impl ScalarUDFImpl for StringScore {
    scalar_function!("string_score"("s": String, "scale": Number) -> DataType::Int64, option: divisor);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        scores(self.name(), &args)
    }
}
