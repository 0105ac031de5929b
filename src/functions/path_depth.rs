//! `path_depth`: how many folders a file lies in.

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = r"The number of folders between the root and the name of a file: the parts between `/` or `\` but for the last one. A drive, a server with its share, and empty parts don't count.",
    syntax_example = "path_depth(path)",
    sql_example = r"```sql
> SELECT path_depth('C:\Windows\System32\cmd.exe') AS windows, path_depth('/bin/sh') AS linux, path_depth('\\fs\tools\a.exe') AS share;
+---------+-------+-------+
| windows | linux | share |
+---------+-------+-------+
| 2       | 1     | 0     |
+---------+-------+-------+
```",
    argument(name = "path", description = "Path of a file."),
    related_udf(name = "process_name"),
    related_udf(name = "path_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PathDepth;

impl ScalarUDFImpl for PathDepth {
    scalar_function!("path_depth"("path": String) -> DataType::Int64);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [path] = take_function_args(self.name(), args.args)?;
        text::map_primitive::<Int64Type>(&path, folders)
    }
}

fn folders(path: &str) -> i64 {
    let separators: &[char] = &['/', '\\'];
    let Some((folders, _name)) = path.rsplit_once(separators) else { return 0 };
    let is_device = [r"\\?\", r"\\.\", r"\??\"].iter().any(|prefix| path.starts_with(prefix));
    let parts = folders.split(separators).filter(|part| !part.is_empty());
    let parts = parts.filter(|part| !matches!(part.as_bytes(), [_, b':'] | b"?" | b"." | b"??")).count();
    let root = if path.starts_with(r"\\") && !is_device { 2 } else { 0 };
    parts.saturating_sub(root) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_no_folders() {
        for (path, expected) in [
            ("", 0),
            ("cmd.exe", 0),
            (r"C:\a.exe", 0),
            (r"C:\Windows\a.exe", 1),
            (r"\??\C:\Windows\system32\conhost.exe", 2),
            (r"\\?\C:\Windows\a.exe", 1),
            (r"\\server\share\folder\a.exe", 1),
            ("/a", 0),
            ("/usr/bin//ssh", 2),
            ("./a", 0),
            (r"C:\folder\", 1),
        ] {
            assert_eq!(folders(path), expected, "{path}");
        }
    }
}
