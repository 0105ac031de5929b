//! `double_extension`: a program that is named like a document.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "Whether a file that runs is named like one that is read: the ending of a document, a picture or an archive stands before that of a program, as in `invoice.pdf.exe` (MITRE ATT&CK T1036.007), or the name has a character that turns the direction of writing (T1036.002). A path may stand before the name.",
    syntax_example = "double_extension(name)",
    sql_example = r"```sql
> SELECT double_extension('C:\Users\a\invoice.pdf.exe') AS disguised, double_extension('setup.1.2.exe') AS numbered;
+-----------+----------+
| disguised | numbered |
+-----------+----------+
| true      | false    |
+-----------+----------+
```",
    argument(name = "name", description = "Name or path of a file."),
    related_udf(name = "process_name"),
    related_udf(name = "nearest_name")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DoubleExtension;

const RUNS: &[&str] = &[
    "exe", "scr", "com", "pif", "bat", "cmd", "ps1", "js", "jse", "vbs", "vbe", "wsf", "wsh", "hta", "lnk",
    "msi", "jar", "cpl", "dll", "sh", "elf", "app",
];
const IS_READ: &[&str] = &[
    "pdf", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "rtf", "odt", "ods", "txt", "csv",
    "htm", "html", "xml", "jpg", "jpeg", "png", "gif", "bmp", "svg", "webp", "mp3", "mp4", "avi", "mov",
    "wav", "zip", "rar", "7z", "eml", "msg", "one",
];

impl ScalarUDFImpl for DoubleExtension {
    scalar_function!("double_extension"("name": String) -> DataType::Boolean);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [name] = take_function_args(self.name(), args.args)?;
        text::map_boolean(&name, is_double)
    }
}

pub(crate) fn is_double(path: &str) -> bool {
    // The marks turn what follows: `cod.exe` is shown as `exe.doc`.
    const TURNS: &[char] =
        &['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}'];
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if name.contains(TURNS) {
        return true;
    }
    // Windows takes dots and spaces at the end away.
    let name = name.trim_end_matches(['"', '.', ' ']);
    let mut endings = name.rsplit('.').map(str::trim);
    let (Some(last), Some(before)) = (endings.next(), endings.next()) else { return false };
    // Without a third part, `pdf.exe` is a plain name.
    endings.next().is_some()
        && RUNS.iter().any(|runs| last.eq_ignore_ascii_case(runs))
        && IS_READ.iter().any(|read| before.eq_ignore_ascii_case(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_documents_that_run() {
        for name in [
            "a.pdf.exe",
            r"C:\x\A.PDF.EXE",
            "/tmp/report.docx.sh",
            "cv.pdf          .exe",
            "a\u{202e}fdp.exe",
            "a.pdf.exe. ",
            r#""C:\x\a.pdf.exe""#,
        ] {
            assert!(is_double(name), "{name}");
        }
        for name in
            ["", "a.exe", "pdf.exe", "a.exe.pdf", "1.2.3.exe", r"C:\a.pdf\b.exe", "a.pdf", "...", "é.é.é"]
        {
            assert!(!is_double(name), "{name}");
        }
    }
}
