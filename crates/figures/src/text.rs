//! Text and numbers as people read them, and text for the drawing script.

use std::borrow::Cow;

/// The longest text that a tooltip or an axis shows, in characters; the table of kept rows shows all of it.
pub(crate) const SHOWN: usize = 80;

/// Text for the drawing script, which reads `<b>`, `<a href>` and entities in any text: what it shows is `text`.
/// White space is a space, other characters that are not seen are codes, and what is longer than `limit` characters ends in an
/// ellipsis.
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
            '\t' | '\n' | '\r' => marked.push(' '),
            unseen if is_unseen(unseen) => marked.push_str(&code(unseen)),
            other => marked.push(other),
        }
    }
    marked
}

/// The number of characters that are seen of a text of [`marks`].
pub(crate) fn width(marked: &str) -> usize {
    let entities = [("&amp;", 4), ("&lt;", 3), ("&gt;", 3)];
    let hidden: usize =
        entities.into_iter().map(|(entity, more)| marked.matches(entity).count() * more).sum();
    marked.chars().count() - hidden
}

/// Text in which characters that are not seen, or that turn the writing around, are codes such as ⟨U+202E⟩. Tabs and ends of lines
/// stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            visible.push_str(&code(character));
        } else {
            visible.push(character);
        }
    }
    Cow::Owned(visible)
}

/// The code of a character, as in ⟨U+202E⟩.
pub(crate) fn code(character: char) -> String {
    format!("⟨U+{:04X}⟩", u32::from(character))
}

/// Whether a character is a control other than tabs and ends of lines, a mark of direction, or without a width.
pub(crate) fn is_unseen(character: char) -> bool {
    if matches!(character, '\t' | '\n' | '\r') {
        return false;
    }
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Text of at most `limit` characters; what is longer ends in an ellipsis.
pub(crate) fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        Some(_) => Cow::Owned(text.chars().take(limit).chain(['…']).collect()),
        None => Cow::Borrowed(text),
    }
}

/// A share between 0 and 1 in percent. It is 0 or 100 only if nothing or all is meant.
pub(crate) fn percent(share: f64) -> String {
    match (share * 100.0).round() {
        0.0 if share > 0.0 => "less than 1\u{a0}%".to_string(),
        100.0 if share < 1.0 => "more than 99\u{a0}%".to_string(),
        percent => format!("{percent}\u{a0}%"),
    }
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

/// The same with commas between the thousands of a whole number.
pub(crate) fn readable(value: f64) -> String {
    if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
        thousands(value as usize)
    } else {
        number(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_characters_are_codes_and_long_text_is_cut() {
        assert_eq!(
            visible("a\u{202e}gpj.exe\u{200b} \x1b\u{e0041}é\t\n"),
            "a⟨U+202E⟩gpj.exe⟨U+200B⟩ ⟨U+001B⟩⟨U+E0041⟩é\t\n"
        );
        assert_eq!([shortened("aé€b", 3), shortened("aé€", 3)], ["aé€…", "aé€"]);
    }

    #[test]
    fn percent_is_not_all_and_not_nothing_by_rounding() {
        assert_eq!(
            [0.0, 0.001, 0.256, 0.999, 1.0].map(percent),
            ["0\u{a0}%", "less than 1\u{a0}%", "26\u{a0}%", "more than 99\u{a0}%", "100\u{a0}%"]
        );
    }

    #[test]
    fn markup_stays_text_and_numbers_are_short() {
        assert_eq!(marks("<b>a</b> & \n&lt;", 80), "&lt;b&gt;a&lt;/b&gt; &amp;  &amp;lt;");
        assert_eq!(marks("\u{202e}gpj\t\x1b", 80), "⟨U+202E⟩gpj ⟨U+001B⟩");
        assert_eq!(marks("aé€b", 3), "aé€…");
        assert_eq!(marks("aé€", 3), "aé€");
        assert_eq!(["<b>a</b> & &lt;", "aé€"].map(|text| width(&marks(text, 80))), [15, 3]);
        assert_eq!(
            [count(1, "row"), count(0, "row"), count(1_234_567, "row")],
            ["1 row", "0 rows", "1,234,567 rows"]
        );
        assert_eq!([12_000.0, 0.5, -3.0].map(readable), ["12,000", "0.5", "-3"]);
        assert_eq!([1, 2].map(|n| count_of(n, "process", "processes")), ["1 process", "2 processes"]);
        assert_eq!(
            [56.0, -0.25, 0.1 + 0.2, 1e-7, 1.5e300].map(number),
            ["56", "-0.25", "0.3", "1e-7", "1.5e300"]
        );
    }
}
