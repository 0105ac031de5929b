//! `delim_skeleton`: a command line with nothing but its delimiters left.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::{self, scalar_function};
use super::delimiters::Delimiters;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The delimiters of a string, in their order, as text: what `delim_hash` makes a number of, \
                   as a key that people can read and group by.",
    syntax_example = "delim_skeleton(s[, class])",
    sql_example = r"```sql
> SELECT delim_skeleton('C:\Windows\System32\cmd.exe') AS skeleton;
+----------+
| skeleton |
+----------+
| :\\\.    |
+----------+
> SELECT delim_skeleton('user=adm;host=db1', '[=;]') AS skeleton;
+----------+
| skeleton |
+----------+
| =;=      |
+----------+
```",
    argument(name = "s", description = "String to look at."),
    argument(
        name = "class",
        description = r#"The delimiters, a literal bracket expression as Python's `re` reads it, such as `'[\s=,]'` or `'[^\w]'`. Default: white space and ``- \ / . , " ' | & : ; % $ ( )``."#
    ),
    related_udf(name = "delim_hash"),
    related_udf(name = "cmdline_template")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DelimSkeleton;

impl ScalarUDFImpl for DelimSkeleton {
    scalar_function!("delim_skeleton"("s": String, "class": String) -> DataType::Utf8View, option: Delimiters::from_option);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (s, class) = arguments::evaluated(self.name(), &args.args)?;
        let Some(class) = Delimiters::from_option(self.name(), class.as_ref())? else {
            return arguments::null(args.return_type());
        };
        text::map_text(s, |s, skeleton| {
            class.for_each_piece(s, |piece| skeleton.push_str(piece));
            Some(skeleton)
        })
    }
}
