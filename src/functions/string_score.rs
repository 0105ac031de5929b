//! `string_score`: `path_score` under a name for text that is no path, such as an account.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};
use datafusion_macros::user_doc;

use super::arguments::{self, Takes};
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
    fn name(&self) -> &'static str {
        "string_score"
    }

    fn signature(&self) -> &Signature {
        arguments::signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        arguments::coerce(self.name(), &[("s", Takes::String), ("scale", Takes::Number)], types)
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        divisor(self.name(), arguments::planned_option(self.name(), &args)?)?;
        Ok(arguments::result_field(self.name(), DataType::Int64))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (s, scale) = arguments::evaluated(self.name(), &args.args)?;
        let Some(scale) = divisor(self.name(), scale.as_ref())? else {
            return arguments::null(args.return_type());
        };
        scores(self.name(), s, scale)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
