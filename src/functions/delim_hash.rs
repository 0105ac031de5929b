//! `delim_hash`: the delimiters of a command line as one number.

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::{self, scalar_function};
use super::delimiters::Delimiters;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The CRC-32 of the delimiters of a string, in their order, as an unsigned number; 0 if \
                   there is none. Command lines of the same form have the same hash, whatever stands between \
                   the delimiters. The number is a name, not a measure: two hashes near each other mean \
                   nothing.",
    syntax_example = "delim_hash(s[, class])",
    sql_example = r"```sql
> SELECT delim_hash('C:\Windows\System32\cmd.exe') AS hash;
+----------+
| hash     |
+----------+
| 51785571 |
+----------+
> SELECT delim_hash('ping -n 5 host1') = delim_hash('copy -y 7 host2') AS same;
+------+
| same |
+------+
| true |
+------+
```",
    argument(name = "s", description = "String to look at."),
    argument(
        name = "class",
        description = r#"The delimiters, a literal bracket expression as Python's `re` reads it, such as `'[\s=,]'` or `'[^\w]'`. Default: white space and ``- \ / . , " ' | & : ; % $ ( )``."#
    ),
    related_udf(name = "delim_skeleton"),
    related_udf(name = "cmdline_tokens"),
    related_udf(name = "crc32_hash")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DelimHash;

impl ScalarUDFImpl for DelimHash {
    scalar_function!("delim_hash"("s": String, "class": String) -> DataType::Int64, option: Delimiters::from_option);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (s, class) = arguments::evaluated(self.name(), &args.args)?;
        let Some(class) = Delimiters::from_option(self.name(), class.as_ref())? else {
            return arguments::null(args.return_type());
        };
        text::map_primitive::<Int64Type>(s, |s| {
            let mut hasher = crc32fast::Hasher::new();
            class.for_each_piece(s, |piece| hasher.update(piece.as_bytes()));
            i64::from(hasher.finalize())
        })
    }
}
