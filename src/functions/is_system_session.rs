//! `is_system_session`: whether a logon or session id is the system's own.

use std::sync::Arc;

use arrow::array::{BooleanArray, downcast_integer_array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text::{self, with_strings};

#[user_doc(
    doc_section(label = "Event features"),
    description = "Whether a logon id (Windows) or session id (auditd) stands for the system: `0x3e7`, in \
                   any case and with any number of zeros in front, or the same in decimal, 999; and -1, \
                   auditd's word for *unset*, also as the unsigned numbers of 32 and 64 bits that it turns \
                   into.",
    syntax_example = "is_system_session(id)",
    sql_example = "```sql
> SELECT is_system_session('0x00000000000003E7') AS windows, is_system_session(4294967295) AS auditd, is_system_session('0x4c1f7') AS user;
+---------+--------+-------+
| windows | auditd | user  |
+---------+--------+-------+
| true    | true   | false |
+---------+--------+-------+
```",
    argument(name = "id", description = "Id as an integer, or as a hexadecimal or decimal string."),
    related_udf(name = "logon_type_name"),
    related_udf(name = "sid_name")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IsSystemSession;

impl ScalarUDFImpl for IsSystemSession {
    scalar_function!("is_system_session"("id": StringOrInteger) -> DataType::Boolean);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [id] = take_function_args(self.name(), args.args)?;
        text::per_value(&id, |array| {
            let result = downcast_integer_array!(
                array => BooleanArray::from_unary(array, |id| is_system_number(id.into())),
                _ => with_strings!(array, strings => Ok(BooleanArray::from_unary(strings, is_system_text)))?,
            );
            Ok(Arc::new(result))
        })
    }
}

const LOCAL_SYSTEM: i128 = 0x3e7;
const UNSET: [i128; 3] = [-1, u32::MAX as i128, u64::MAX as i128];

fn is_system_number(id: i128) -> bool {
    id == LOCAL_SYSTEM || UNSET.contains(&id)
}

fn is_system_text(id: &str) -> bool {
    let number = match id.strip_prefix("0x").or_else(|| id.strip_prefix("0X")) {
        // from_str_radix would accept a sign after 0x.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            i128::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => text::whole_number(id),
    };
    number.is_some_and(is_system_number)
}
