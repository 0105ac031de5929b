//! `process_name`: the last part of a path.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = r"What follows the last `/` or `\` of a path, decided for each value, so that events of Windows and of Linux can be mixed. Without either it is the whole path; behind a trailing one it is the empty string.",
    syntax_example = "process_name(path)",
    sql_example = r"```sql
> SELECT process_name('C:\Windows\System32\cmd.exe') AS windows, process_name('/usr/bin/ssh') AS linux;
+---------+-------+
| windows | linux |
+---------+-------+
| cmd.exe | ssh   |
+---------+-------+
```",
    argument(name = "path", description = "Path of a program."),
    related_udf(name = "path_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ProcessName;

impl ScalarUDFImpl for ProcessName {
    scalar_function!("process_name"("path": String) -> DataType::Utf8View);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [path] = take_function_args(self.name(), args.args)?;
        text::map_text(&path, |path, _| path.rsplit(['/', '\\']).next())
    }
}
