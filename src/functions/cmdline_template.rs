//! `cmdline_template`: a command line with all variable parts masked, as a readable name of its pattern.
//!
//! A text is runs of letters and digits with something else between them. From left to right, where a run begins, the
//! masks are tried in their order:
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
//!
//! Most of a command line has nothing to mask and is copied in long pieces, or not at all if that is true of the whole text. Only
//! places with a digit, or with punctuation that belongs to a mask, are looked at closely: `signs.rs` finds them and
//! `masks.rs` decides. Command lines are masked at 600 to 1,100 MiB/s on one thread; a text made of nothing but short numbers and
//! dots, the worst one that is known, at some 30.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::masks::{self, Masked};
use super::signs::Signs;
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
        text::map_text(&s, |s, buffer| Some(template(s, buffer)))
    }
}

/// Returns the template of `text`. It is `text` itself if there is nothing to mask, else it is written into `buffer`, which is empty.
fn template<'a>(text: &'a str, buffer: &'a mut String) -> &'a str {
    let mut copied = 0;
    let mut at = 0;
    let mut signs = Signs::new(text.as_bytes());
    while let Some(sign) = signs.next(at) {
        at = match masks::look(text, at, sign) {
            Ok(Masked { start, end, mask }) => {
                // A mask is looked for behind the one before, and begins and ends at ASCII.
                buffer.push_str(&text[copied..start]);
                buffer.push_str(mask);
                copied = end;
                end
            }
            Err(end) => end,
        };
    }
    if copied == 0 {
        return text;
    }
    buffer.push_str(&text[copied..]);
    buffer
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use regex::Regex;

    fn template(text: &str) -> String {
        super::template(text, &mut String::new()).to_owned()
    }

    /// The definition: at every run the masks in their order, each a regular expression and a condition.
    fn defined(text: &str) -> String {
        type Condition = fn(before: &str, matched: &str, after: &str) -> Option<usize>;
        static MASKS: LazyLock<[(&str, Regex, Condition); 3]> = LazyLock::new(|| {
            let guid = r"[0-9A-Fa-f]{8} (?:-[0-9A-Fa-f]{4}){3} -[0-9A-Fa-f]{12}";
            let seconds = r":[0-9]{2}(?:\.[0-9]+)?";
            let half = r"(?:\x20?[AaPp][Mm]\b)?";
            let clock = format!(r"[0-9]{{1,2}}:[0-9]{{2}}(?:{seconds})?{half}");
            let guid = format!(r"\{{{guid}\}} | {guid}");
            let time = format!(
                r"[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}} (?:[T\x20]{clock}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}}\b)?)?
                | [0-9]{{8}}T[0-9]{{6}}Z?
                | [0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}} (?:,?\x20{clock})?
                | [0-9]{{1,2}}:[0-9]{{2}}{seconds}{half}"
            );
            let address = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}
                | [0-9A-Fa-f]{0,4} (?::[0-9A-Fa-f]{0,4}){2,8} (?:\.[0-9]{1,3}){0,3}";
            let regex = |pattern: &str| Regex::new(&format!("(?x)^(?:{pattern})")).expect("a pattern");
            [
                ("<GUID>", regex(&guid), is_whole),
                ("<TIME>", regex(&time), is_whole),
                ("<IP>", regex(address), is_address),
            ]
        });
        let mut out = String::new();
        let mut at = 0;
        while at < text.len() {
            let (before, rest) = text.split_at(at);
            let run = &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())];
            // A mask longer than its run begins with a short one.
            let spanning = MASKS.iter().filter(|_| run.len() <= 16).find_map(|(name, pattern, length)| {
                let (matched, after) = rest.split_at(pattern.find(rest)?.end());
                Some((name, length(before, matched, after)?))
            });
            let (piece, length) = if let Some((name, length)) = spanning {
                (*name, length)
            } else if run.is_empty() {
                let length = rest.chars().next().map_or(0, char::len_utf8);
                (&rest[..length], length)
            } else {
                (of_run(run), run.len())
            };
            out.push_str(piece);
            at += length;
        }
        out
    }

    fn is_whole(_before: &str, matched: &str, after: &str) -> Option<usize> {
        (!after.starts_with(char::is_alphanumeric)).then_some(matched.len())
    }

    fn is_address(before: &str, matched: &str, after: &str) -> Option<usize> {
        let matched = match matched.strip_suffix(':') {
            Some(shorter) if !shorter.ends_with(':') => shorter,
            _ => matched,
        };
        let part_of_more = before.ends_with('.')
            || after.starts_with(char::is_alphanumeric)
            || after.strip_prefix('.').is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()))
            || matched.starts_with(':') && before.ends_with(|c: char| c == ':' || c.is_alphanumeric());
        let has_digit = matched.contains(|c: char| c.is_ascii_digit());
        (!part_of_more && has_digit && matched.parse::<IpAddr>().is_ok()).then_some(matched.len())
    }

    fn of_run(run: &str) -> &str {
        let all = |text: &str, is_member: fn(&char) -> bool| text.chars().all(|c| is_member(&c));
        let has_digit = run.contains(|c: char| c.is_ascii_digit());
        match run.strip_prefix("0x").or_else(|| run.strip_prefix("0X")) {
            _ if all(run, char::is_ascii_digit) => "<NUM>",
            Some(digits) if !digits.is_empty() && all(digits, char::is_ascii_hexdigit) => "<HEX>",
            _ if run.len() >= 8 && has_digit && all(run, char::is_ascii_hexdigit) => "<HEX>",
            _ => run,
        }
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
            assert_eq!(defined(text), expected, "{text}");
        }
    }

    /// Attackers write the text: no part of it may be read again and again, whatever it repeats.
    #[test]
    fn long_texts_equal_their_definition() {
        for part in [
            "a1b2c3",
            "1234567890",
            "1.2.3.4.",
            "a:1:",
            "::",
            "1:22:33.44444",
            "abcdefab-abcd-",
            "{",
            "é1",
            "0x",
        ] {
            let text = part.repeat(2_000);
            assert_eq!(template(&text), defined(&text), "{part}");
        }
    }

    /// Returns texts that are made of what masks are made of, with characters beside them that matter at their ends.
    fn nearly_masked() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "4f1c2a90-5b1d-4c0e-9a55-0123456789ab",
            "abcdefab-abcd-abcd-abcd-abcdefabcdef",
            "2019-01-11",
            "20190111T043022",
            "1/11/2019",
            "04:30",
            ":22",
            ".5",
            "10.0.0.17",
            "256",
            "fe80",
            "ab",
            "::",
            "1",
            "00",
            "0x1F",
            "9f86d081884c7d65",
        ]);
        let between = "[ -/:-@_{}TZxapm+,]{0,3}|é|\u{a0}|\u{301}|²|\u{203f}";
        prop::collection::vec(prop_oneof![part.prop_map(str::to_owned), between], 0..8)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn equals_its_definition(
            text in "\\PC{0,80}",
            dense in "[0-9a-fxX:./ {}TZ-]{0,80}",
            numbers in "[0-2:.-]{0,60}",
            nearly in nearly_masked()
        ) {
            for text in [text, dense, numbers, nearly] {
                prop_assert_eq!(template(&text), defined(&text), "{}", text);
            }
        }

        /// Text without digits has nothing to mask, but for a GUID that has only letters.
        #[test]
        fn keeps_words(text in "[^0-9]*") {
            prop_assert_eq!(template(&text), text);
        }
    }
}
