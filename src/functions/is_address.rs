//! `is_address`: whether a text is the address of a machine.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::address_count;
use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = r"Whether a text is one address and nothing else: an IPv4 or IPv6 address, with or without a port or the length of a prefix, a URL, or a share (`\\server\share`). Blanks around it don't count.",
    syntax_example = "is_address(s)",
    sql_example = "```sql
> SELECT is_address('10.0.0.5:8080') AS address, is_address('dc01.corp.example') AS name;
+---------+-------+
| address | name  |
+---------+-------+
| true    | false |
+---------+-------+
```",
    argument(name = "s", description = "String to look at."),
    related_udf(name = "address_count")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IsAddress;

impl ScalarUDFImpl for IsAddress {
    scalar_function!("is_address"("s": String) -> DataType::Boolean);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_boolean(&s, address_count::is_address)
    }
}
