//! `delim_skeleton`: a command line with nothing but its delimiters left.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};
use datafusion_macros::user_doc;

use super::arguments::{self, Takes};
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
    fn name(&self) -> &'static str {
        "delim_skeleton"
    }

    fn signature(&self) -> &Signature {
        arguments::signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        arguments::coerce(self.name(), &[("s", Takes::String), ("class", Takes::String)], types)
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        Delimiters::from_option(self.name(), arguments::planned_option(self.name(), &args)?)?;
        Ok(arguments::result_field(self.name(), DataType::Utf8View))
    }

    fn is_strict(&self) -> bool {
        true
    }

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

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
