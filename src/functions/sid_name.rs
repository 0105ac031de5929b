//! `sid_name`: the name of a well-known Windows security identifier.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;
use dbcluster_windows_names::sid;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The name of a well-known Windows security identifier, in Windows' own English words. In \
                   the SIDs of accounts of a machine or domain (`S-1-5-21-...`) the last number, matched as \
                   a whole, has the name: 500 is Administrator, 1500 is nobody known. Others are NULL.",
    syntax_example = "sid_name(s)",
    sql_example = "```sql
> SELECT sid_name('S-1-5-18') AS system, sid_name('S-1-5-21-1004336348-1177238915-682003330-500') AS admin, sid_name('S-1-5-21-1004336348-1177238915-682003330-1500') AS user;
+--------+---------------+------+
| system | admin         | user |
+--------+---------------+------+
| SYSTEM | Administrator |      |
+--------+---------------+------+
```",
    argument(name = "s", description = "Security identifier, such as `S-1-5-18`."),
    related_udf(name = "logon_type_name"),
    related_udf(name = "is_system_session")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SidName;

impl ScalarUDFImpl for SidName {
    scalar_function!("sid_name"("s": String) -> DataType::Utf8View);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_text(&s, |s, _| sid(s))
    }
}
