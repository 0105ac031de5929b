//! `base64_fraction`: how much of a text is base64 (RFC 4648).
//!
//! A run is base64 if its letters and digits are as mixed as those of encoded bytes: names in CamelCase, hexadecimal numbers and paths of
//! Linux are long runs of the same alphabet, too. The cost is one pass over the bytes.

use std::ops::Range;

use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "The share of a text that is base64, from 0 to 1: the bytes in runs of at least 20 letters, digits, `+` and `/`, with up to two `=` behind them, in which small and capital letters change as often as in encoded bytes (a quarter are capitals, and one pair of neighbours in ten is a small letter before a capital) and which have a digit, `+` or `=`. Encoded commands have most of their bytes there; words, paths, GUIDs and hexadecimal numbers have none.",
    syntax_example = "base64_fraction(s)",
    sql_example = "```sql
> SELECT base64_fraction('powershell -enc JABzAD0ATgBlAHcALQBPAGIAagBlAGMAdAAgAEkATwA=') AS encoded, base64_fraction('ipconfig /all') AS plain;
+--------------------+-------+
| encoded            | plain |
+--------------------+-------+
| 0.7333333333333333 | 0.0   |
+--------------------+-------+
```",
    argument(name = "s", description = "String to look at."),
    related_udf(name = "entropy"),
    related_udf(name = "obfuscation_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Base64Fraction;

impl ScalarUDFImpl for Base64Fraction {
    scalar_function!("base64_fraction"("s": String) -> DataType::Float64);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        text::map_primitive::<Float64Type>(&s, |s| {
            let encoded: usize = runs(s).map(|run| run.len()).sum();
            if encoded == 0 { 0.0 } else { encoded as f64 / s.len() as f64 }
        })
    }
}

/// Returns the places of the runs of base64, from left to right.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(|&byte| is_digit(byte))?;
            let digits = bytes[start..].iter().take_while(|&&byte| is_digit(byte)).count();
            let padding = bytes[start + digits..].iter().take(2).take_while(|&&byte| byte == b'=').count();
            at = start + digits + padding;
            if is_base64(&bytes[start..start + digits], padding) {
                return Some(start..at);
            }
        }
    })
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Looks at the longest piece between slashes, since paths of Linux are runs too.
fn is_base64(digits: &[u8], padding: usize) -> bool {
    const LEAST: usize = 20;
    if digits.len() < LEAST {
        return false;
    }
    let pieces = digits.split(|&byte| byte == b'/');
    let Some(longest) = pieces.max_by_key(|piece| piece.len()) else { return false };
    let changes = longest
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        .count();
    let capitals = longest.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    longest.len() >= LEAST
        && changes * 10 >= longest.len()
        && capitals * 4 >= longest.len()
        && (padding > 0 || longest.iter().any(|byte| byte.is_ascii_digit() || *byte == b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        runs(text).map(|run| &text[run]).collect()
    }

    #[test]
    fn encoded_bytes_are_found() {
        let encoded = "JABzAD0ATgBlAHcALQBPAGIAagBlAGMAdAAgAEkATwA=";
        assert_eq!(found(encoded), [encoded]);
        assert_eq!(found(&format!("a {encoded}b {encoded} é")), [encoded, encoded]);
        assert_eq!(found("aW1wb3J0IG9zCm9zLnN5c3RlbSgnaWQnKQ=="), ["aW1wb3J0IG9zCm9zLnN5c3RlbSgnaWQnKQ=="]);
    }

    #[test]
    fn other_long_runs_are_not() {
        for text in [
            "",
            "=",
            "Win32ShadowCopyProviderExtensionNumber2",
            "0123456789abcdef0123456789abcdef",
            "5A9C7E21B0D34F6688AA55CC33EE1177",
            "/Library/Frameworks/Python3/Versions/Current/bin/python3",
            "https/usr/local/share/applications",
            "MicrosoftEdgeUpdateTaskMachineCore",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
