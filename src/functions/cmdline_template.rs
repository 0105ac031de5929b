//! `cmdline_template`: a command line with all variable parts masked, as a readable name of its pattern.
//!
//! The text is read once from left to right, as runs of letters and digits with something else between them. Where a
//! run begins, the masks are tried in their order:
//!
//! | mask | replaces | but not |
//! |---|---|---|
//! | `<GUID>` | `4f1c2a90-5b1d-4c0e-9a55-0123456789ab`, also in braces, which go with it | |
//! | `<TIME>` | `2019-01-11T04:30:22.5Z`, `2019/01/11`, `20190111T043022Z`, `1/11/2019 4:30 PM`, `04:30:22` | `04:30` |
//! | `<IP>` | `10.0.0.17`, `fe80::1`, `::ffff:10.0.0.17`; a port remains a number: `<IP>:<NUM>` | `1.2.3.4.5`, `300.1.1.1`, `::` |
//! | `<HEX>` | `0x1F`; 8 or more hexadecimal digits with a digit and a letter among them | `deadbeef` |
//! | `<NUM>` | a run of digits | |
//!
//! A mask replaces whole runs only. Digits inside a word remain, since they are part of a name: `System32`, `x64`,
//! `v4`, `web01`. Any character that is neither letter nor digit separates: `tmp_123.log` is `tmp_<NUM>.log`.
//! Dates and addresses are recognised by their form (and range, for addresses), so a version of four small numbers becomes an
//! address.

use std::net::IpAddr;
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
    description = "Masks the parts of a command line that vary from one event to the next, which leaves the \
                   pattern that the events have in common: `<GUID>`, `<TIME>` (ISO and US dates, with or \
                   without time, and clock times with seconds), `<IP>` (versions 4 and 6), `<HEX>` (behind \
                   `0x`, or from 8 digits on) and `<NUM>`. Digits inside a word, as in `System32`, are left \
                   alone.",
    syntax_example = "cmdline_template(s)",
    sql_example = "```sql
> SELECT cmdline_template('ping -n 5 10.0.0.17') AS template;
+--------------------+
| template           |
+--------------------+
| ping -n <NUM> <IP> |
+--------------------+
> SELECT cmdline_template('svchost.exe -k {4f1c2a90-5b1d-4c0e-9a55-0123456789ab} /t 2019-01-11 04:30:22 0x1F System32') AS template;
+------------------------------------------------+
| template                                       |
+------------------------------------------------+
| svchost.exe -k <GUID> /t <TIME> <HEX> System32 |
+------------------------------------------------+
```",
    argument(name = "s", description = "String to look at."),
    related_udf(name = "delim_skeleton"),
    related_udf(name = "process_name")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CmdlineTemplate;

impl ScalarUDFImpl for CmdlineTemplate {
    scalar_function!("cmdline_template"("s": String) -> DataType::Utf8View);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_text(&s, |s, template| {
            mask(s, template);
            Some(template)
        })
    }
}

/// A mask for text that may span several runs.
struct Mask {
    name: &'static str,
    /// Whether a match can begin with this run, which may be empty, and the byte after it. Most places need no search then.
    begins: fn(&str, u8) -> bool,
    /// Matches at the beginning of a text.
    pattern: Regex,
    /// Returns the length of the match that is masked, given the text around it; `None` if it is no match after all.
    length: fn(before: &str, matched: &str, after: &str) -> Option<usize>,
}

static MASKS: LazyLock<[Mask; 3]> = LazyLock::new(|| {
    let mask = |name, begins, pattern: &str, length| Mask {
        name,
        begins,
        pattern: Regex::new(&format!("(?x)^(?:{pattern})")).expect("a pattern of this file"),
        length,
    };
    let guid = r"[0-9A-Fa-f]{8} (?:-[0-9A-Fa-f]{4}){3} -[0-9A-Fa-f]{12}";
    let seconds = r":[0-9]{2}(?:\.[0-9]+)?";
    let half = r"(?:\x20?[AaPp][Mm]\b)?";
    let clock = format!(r"[0-9]{{1,2}}:[0-9]{{2}}(?:{seconds})?{half}");
    [
        mask(
            "<GUID>",
            |run, next| run.len() == 8 && next == b'-' || run.is_empty() && next == b'{',
            &format!(r"\{{{guid}\}} | {guid}"),
            whole,
        ),
        mask(
            "<TIME>",
            |run, _| digit_first(run),
            &format!(
                r"[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}} (?:[T\x20]{clock}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}}\b)?)?
                | [0-9]{{8}}T[0-9]{{6}}Z?
                | [0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}} (?:,?\x20{clock})?
                | [0-9]{{1,2}}:[0-9]{{2}}{seconds}{half}"
            ),
            whole,
        ),
        mask(
            "<IP>",
            |run, next| run.len() <= 4 && (next == b':' || next == b'.' && digit_first(run)),
            r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}
            | [0-9A-Fa-f]{0,4} (?::[0-9A-Fa-f]{0,4}){2,8} (?:\.[0-9]{1,3}){0,3}",
            address,
        ),
    ]
});

fn whole(_before: &str, matched: &str, after: &str) -> Option<usize> {
    (!after.starts_with(char::is_alphanumeric)).then_some(matched.len())
}

fn address(before: &str, matched: &str, after: &str) -> Option<usize> {
    // A single colon after an address is not part of it, as in `fe80::1: text`.
    let matched = match matched.strip_suffix(':') {
        Some(shorter) if !shorter.ends_with(':') => shorter,
        _ => matched,
    };
    let part_of_more = before.ends_with('.')
        || after.starts_with(char::is_alphanumeric)
        || after.strip_prefix('.').is_some_and(digit_first)
        || matched.starts_with(':') && before.ends_with(|c: char| c == ':' || c.is_alphanumeric());
    // `[Collections]::Add` is no address, though ::add is one.
    let has_digit = matched.contains(|c: char| c.is_ascii_digit());
    (!part_of_more && has_digit && matched.parse::<IpAddr>().is_ok()).then_some(matched.len())
}

fn digit_first(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Appends the template of `text` to `out`.
fn mask(text: &str, out: &mut String) {
    let mut at = 0;
    while at < text.len() {
        let (before, rest) = text.split_at(at);
        let run = &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())];
        let next = rest.as_bytes().get(run.len()).copied().unwrap_or_default();
        let spanning = MASKS.iter().filter(|mask| (mask.begins)(run, next)).find_map(|mask| {
            let (matched, after) = rest.split_at(mask.pattern.find(rest)?.end());
            Some((mask.name, (mask.length)(before, matched, after)?))
        });
        at += if let Some((name, length)) = spanning {
            out.push_str(name);
            length
        } else if run.is_empty() {
            // The search goes on where a run or a mask may begin.
            let begins = |&(_, c): &(usize, char)| c.is_alphanumeric() || c == '{' || c == ':';
            let length = rest.char_indices().skip(1).find(begins).map_or(rest.len(), |(index, _)| index);
            out.push_str(&rest[..length]);
            length
        } else {
            out.push_str(mask_of_run(run).unwrap_or(run));
            run.len()
        };
    }
}

fn mask_of_run(run: &str) -> Option<&'static str> {
    if !run.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let all = |digits: &str, is_digit: fn(&u8) -> bool| digits.as_bytes().iter().all(is_digit);
    let behind_0x = run.strip_prefix("0x").or_else(|| run.strip_prefix("0X"));
    if all(run, u8::is_ascii_digit) {
        Some("<NUM>")
    } else if behind_0x.is_some_and(|digits| !digits.is_empty() && all(digits, u8::is_ascii_hexdigit))
        || run.len() >= 8 && all(run, u8::is_ascii_hexdigit) && run.contains(|c: char| c.is_ascii_digit())
    {
        Some("<HEX>")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::mask;

    fn template(text: &str) -> String {
        let mut template = String::new();
        mask(text, &mut template);
        template
    }

    #[test]
    fn masks_what_varies() {
        for (text, expected) in [
            ("{4f1c2a90-5b1d-4c0e-9a55-0123456789ab}", "<GUID>"),
            ("id=4F1C2A90-5B1D-4C0E-9A55-0123456789AB;", "id=<GUID>;"),
            ("x_4f1c2a90-5b1d-4c0e-9a55-0123456789ab_y", "x_<GUID>_y"),
            ("4f1c2a90-5b1d-4c0e-9a55-0123456789abc", "<HEX>-5b1d-4c0e-9a55-<HEX>"),
            ("2019-01-11T04:30:22.512Z|2019-01-11 04:30:22 +0100", "<TIME>|<TIME> +<NUM>"),
            ("2019-01-11T04:30:22+01:00 2019/1/1 20190111T043022Z", "<TIME> <TIME> <TIME>"),
            ("1/11/2019 4:30:22 PM, 1/11/2019 04:30 x", "<TIME>, <TIME> x"),
            ("1/11/2019 4:30 Pamela", "<TIME> Pamela"),
            ("at 04:30:22.5 or 04:30", "at <TIME> or <NUM>:<NUM>"),
            ("10.0.0.17:8080, 10.0.0.17.", "<IP>:<NUM>, <IP>."),
            (
                "1.2.3.4.5 300.1.1.1 1.2.3",
                "<NUM>.<NUM>.<NUM>.<NUM>.<NUM> <NUM>.<NUM>.<NUM>.<NUM> <NUM>.<NUM>.<NUM>",
            ),
            ("[fe80::1]:443 fe80::1: fe80::1%12 ::1", "[<IP>]:<NUM> <IP>: <IP>%<NUM> <IP>"),
            ("1:2:3:4:5:6:7:8 ::ffff:10.0.0.17 2001:db8::/32", "<IP> <IP> <IP>/<NUM>"),
            ("[Collections]::Add [Math]::Abs std::abc ::", "[Collections]::Add [Math]::Abs std::abc ::"),
            ("0x1F 0x 0xfg", "<HEX> 0x 0xfg"),
            ("9f86d081884c7d65 1234abc deadbeef 12345678", "<HEX> 1234abc deadbeef <NUM>"),
            (
                r"C:\Windows\System32\x64\1.exe v4.0 web01 é12 a_12",
                r"C:\Windows\System32\x64\<NUM>.exe v4.<NUM> web01 é12 a_<NUM>",
            ),
            ("", ""),
        ] {
            assert_eq!(template(text), expected, "{text}");
        }
    }

    proptest! {
        /// Attackers write the text, so no input may panic; text without digits has nothing to mask.
        #[test]
        fn takes_any_text(text in "\\PC*", dense in "[0-9a-fx:./ {}T-]*", wordy in "[^0-9]*") {
            template(&text);
            template(&dense);
            prop_assert_eq!(template(&wordy), wordy);
        }
    }
}
