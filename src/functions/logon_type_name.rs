//! `logon_type_name`: the name of a Windows logon type.

use std::sync::Arc;

use arrow::array::{StringViewArray, downcast_integer_array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text::{self, with_strings};
use dbcluster_windows_names::logon_type;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The name of a Windows logon type (event 4624, field LogonType): 0 System, 2 Interactive, \
                   3 Network, 4 Batch, 5 Service, 7 Unlock, 8 NetworkCleartext, 9 NewCredentials, 10 \
                   RemoteInteractive, 11 CachedInteractive, 12 CachedRemoteInteractive, 13 CachedUnlock. \
                   Others are NULL.",
    syntax_example = "logon_type_name(n)",
    sql_example = "```sql
> SELECT logon_type_name(10) AS name, logon_type_name('3') AS of_text, logon_type_name(1) AS unknown;
+-------------------+---------+---------+
| name              | of_text | unknown |
+-------------------+---------+---------+
| RemoteInteractive | Network |         |
+-------------------+---------+---------+
```",
    argument(
        name = "n",
        description = "Logon type as an integer, or as a decimal string such as `3` or `3.0`."
    ),
    related_udf(name = "sid_name"),
    related_udf(name = "is_system_session")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LogonTypeName;

impl ScalarUDFImpl for LogonTypeName {
    scalar_function!("logon_type_name"("n": StringOrInteger) -> DataType::Utf8View);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [n] = take_function_args(self.name(), args.args)?;
        text::per_value(&n, |array| {
            let names: StringViewArray = downcast_integer_array!(
                array => array.iter().map(|n| logon_type(n?.into())).collect(),
                _ => with_strings!(array, strings => {
                    Ok(strings.iter().map(|n| logon_type(text::whole_number(n?)?)).collect())
                })?,
            );
            Ok(Arc::new(names))
        })
    }
}
