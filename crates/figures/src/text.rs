//! Text and numbers as people read them, and text for the drawing script.

/// The longest text that a tooltip or an axis shows, in characters; the table of kept rows shows all of it.
pub(crate) const SHOWN: usize = 80;

/// Text for the drawing script, which reads `<b>`, `<a href>` and entities in any text: what it shows is `text`.
/// Control characters become spaces, and what is longer than `limit` characters ends in an ellipsis.
pub(crate) fn marks(text: &str, limit: usize) -> String {
    let mut marked = String::with_capacity(text.len());
    for (i, character) in text.chars().enumerate() {
        if i == limit {
            marked.push('…');
            break;
        }
        match character {
            '&' => marked.push_str("&amp;"),
            '<' => marked.push_str("&lt;"),
            '>' => marked.push_str("&gt;"),
            control if control.is_control() => marked.push(' '),
            other => marked.push(other),
        }
    }
    marked
}

/// "1 row", "2,000 rows".
pub(crate) fn count(number: usize, singular: &str) -> String {
    count_of(number, singular, &format!("{singular}s"))
}

/// "1 process", "2,000 processes".
pub(crate) fn count_of(number: usize, singular: &str, plural: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { singular } else { plural })
}

/// "1,234,567".
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number as people write it, in at most twelve digits: 56, 0.25, 1e-7.
pub(crate) fn number(value: f64) -> String {
    let short: f64 = format!("{value:.11e}").parse().unwrap_or(value);
    if short == 0.0 || (1e-5..1e15).contains(&short.abs()) { short.to_string() } else { format!("{short:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_stays_text_and_numbers_are_short() {
        assert_eq!(marks("<b>a</b> & \n&lt;", 80), "&lt;b&gt;a&lt;/b&gt; &amp;  &amp;lt;");
        assert_eq!(marks("aé€b", 3), "aé€…");
        assert_eq!(marks("aé€", 3), "aé€");
        assert_eq!(
            [count(1, "row"), count(0, "row"), count(1_234_567, "row")],
            ["1 row", "0 rows", "1,234,567 rows"]
        );
        assert_eq!([1, 2].map(|n| count_of(n, "process", "processes")), ["1 process", "2 processes"]);
        assert_eq!(
            [56.0, -0.25, 0.1 + 0.2, 1e-7, 1.5e300].map(number),
            ["56", "-0.25", "0.3", "1e-7", "1.5e300"]
        );
    }
}
