//! `expected_dir`: where a program of the system belongs, if it runs from elsewhere.

use std::sync::Arc;

use arrow::array::StringViewArray;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments;
use super::system_programs::expected_folder;

#[user_doc(
    doc_section(label = "Event features"),
    description = r"The folder that a program of the system belongs to, if its path is in another one (MITRE ATT&CK T1036.005), as in `C:\Users\Public\svchost.exe`; NULL for programs in their place, for names that are none of the system's, and for paths without a folder. The name is the one to judge by: the end of the path, or the original name that Sysmon and EDRs read from the file, which a renamed copy keeps. Drives, device paths and `%SystemRoot%` count as what they mean.",
    syntax_example = "expected_dir(name, path)",
    sql_example = r"```sql
> SELECT expected_dir('svchost.exe', 'C:\Users\Public\svchost.exe') AS elsewhere, expected_dir('svchost.exe', 'C:\Windows\System32\svchost.exe') AS in_place;
+---------------------+----------+
| elsewhere           | in_place |
+---------------------+----------+
| C:\Windows\System32 |          |
+---------------------+----------+
```",
    argument(name = "name", description = "Name of the program. A path may stand before it."),
    argument(name = "path", description = "Path that it runs from."),
    related_udf(name = "nearest_name"),
    related_udf(name = "is_user_writable_path")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ExpectedDir;

impl ScalarUDFImpl for ExpectedDir {
    arguments::named_function!("expected_dir" -> DataType::Utf8View);

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        arguments::coerce_all_text(self.name(), &["name", "path"], types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [names, paths] = take_function_args(self.name(), &args.args)?;
        let names = arguments::texts(names, args.number_rows)?;
        let paths = arguments::texts(paths, args.number_rows)?;
        let folders: StringViewArray =
            names.iter().zip(&paths).map(|(name, path)| expected_folder(name?, path?)).collect();
        Ok(ColumnarValue::Array(Arc::new(folders)))
    }
}
