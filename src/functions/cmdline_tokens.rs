//! `cmdline_tokens`: the number of delimiters in a command line.

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::{self, scalar_function};
use super::delimiters::Delimiters;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "Counts the delimiters in a string, a measure of how many parts a command line has. Each \
                   single delimiter character counts, so two spaces count 2.",
    syntax_example = "cmdline_tokens(s[, class])",
    sql_example = r"```sql
> SELECT cmdline_tokens('C:\Windows\System32\cmd.exe') AS tokens;
+--------+
| tokens |
+--------+
| 5      |
+--------+
> SELECT cmdline_tokens('a=1 b=2', '[\s=]') AS tokens;
+--------+
| tokens |
+--------+
| 3      |
+--------+
```",
    argument(name = "s", description = "String to look at."),
    argument(
        name = "class",
        description = r#"The delimiters, a literal bracket expression as Python's `re` reads it, such as `'[\s=,]'` or `'[^\w]'`. Default: white space and ``- \ / . , " ' | & : ; % $ ( )``."#
    ),
    related_udf(name = "delim_hash"),
    related_udf(name = "delim_skeleton"),
    related_udf(name = "token_count")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CmdlineTokens;

impl ScalarUDFImpl for CmdlineTokens {
    scalar_function!("cmdline_tokens"("s": String, "class": String) -> DataType::Int64, option: Delimiters::from_option);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (s, class) = arguments::evaluated(self.name(), &args.args)?;
        let Some(class) = Delimiters::from_option(self.name(), class.as_ref())? else {
            return arguments::null(args.return_type());
        };
        text::map_primitive::<Int64Type>(s, |s| class.count(s))
    }
}
