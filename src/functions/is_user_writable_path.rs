//! `is_user_writable_path`: folders that a program needs no rights to write to.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;
use regex::Regex;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = r"Whether a text names a folder that ordinary users can write to, where a program that an attacker brings can lie: profiles and what is in them, `ProgramData`, temporary folders, `PerfLogs`, the recycle bin and `Windows\Tasks` of Windows; `/tmp`, `/var/tmp`, `/dev/shm`, `/run/user`, `/home` and `/Users` elsewhere; and variables for them, such as `%TEMP%` and `$env:APPDATA`. The text may be a path or a command line that has one in it.",
    syntax_example = "is_user_writable_path(s)",
    sql_example = r"```sql
> SELECT is_user_writable_path('C:\Users\Public\a.exe') AS public, is_user_writable_path('/dev/shm/x') AS shm, is_user_writable_path('C:\Windows\System32\cmd.exe') AS system;
+--------+------+--------+
| public | shm  | system |
+--------+------+--------+
| true   | true | false  |
+--------+------+--------+
```",
    argument(name = "s", description = "Path, or a command line."),
    related_udf(name = "expected_dir"),
    related_udf(name = "path_depth")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IsUserWritablePath;

impl ScalarUDFImpl for IsUserWritablePath {
    scalar_function!("is_user_writable_path"("s": String) -> DataType::Boolean);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_boolean(&s, is_user_writable)
    }
}

/// Whether a text names such a folder.
pub(crate) fn is_user_writable(text: &str) -> bool {
    static FOLDERS: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = concat!(
            r"(?i-u)[\\/](?:users|documents and settings|programdata|appdata|temp|tmp|perflogs|\$recycle\.bin|recycler)[\\/]",
            r"|\\windows\\(?:tasks|tracing)\\",
            r"|%(?:temp|tmp|appdata|localappdata|public|userprofile|programdata|allusersprofile)%",
            r"|\$(?:\{?env:)(?:temp|tmp|appdata|localappdata|public|userprofile|programdata|allusersprofile)",
            r"|/(?:dev/shm|var/tmp|run/user|home|var/folders)/",
        );
        #[expect(clippy::unwrap_used, reason = "a constant that the tests compile")]
        let folders = Regex::new(pattern).unwrap();
        folders
    });
    FOLDERS.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_users() {
        for text in [
            r"C:\Users\Public\a.exe",
            r"c:\programdata\x\y.exe",
            r"C:\Windows\Temp\a.exe",
            r"cmd /c %TEMP%\a.bat",
            r"powershell $env:APPDATA\a.ps1",
            r"C:\$Recycle.Bin\a.exe",
            r"C:\Windows\Tasks\a.exe",
            "/tmp/x",
            "/dev/shm/x",
            "/Users/ana/x",
            "sh -c /home/ana/x",
            r"C:/Users/a/b.exe",
        ] {
            assert!(is_user_writable(text), "{text}");
        }
        for text in [
            "",
            "C:\\Windows\\System32\\a.exe",
            "/usr/bin/tmp",
            r"C:\Program Files\temperature\a.exe",
            "users",
        ] {
            assert!(!is_user_writable(text), "{text}");
        }
    }
}
