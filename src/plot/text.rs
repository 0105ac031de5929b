//! Text on its way into a page.

/// The longest text that a tooltip or an axis shows, in characters; the table of kept rows shows all of it.
pub(super) const SHOWN: usize = 80;

/// Text for the drawing script, which reads `<b>`, `<a href>` and entities in any text: what it shows is `text`.
/// Control characters become spaces, and what is longer than `limit` characters ends in an ellipsis.
pub(super) fn marks(text: &str, limit: usize) -> String {
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

/// "1 row", "2 rows".
pub(super) fn count(number: usize, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {singular}s") }
}

/// Text of an HTML element or a quoted attribute.
pub(super) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON that can stand in a script element: it has no `<`, so nothing in it ends the element or begins a comment.
pub(super) fn json_in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// `text` as a JSON string.
pub(super) fn json_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\0'..' ' => {
                let code = u32::from(character);
                quoted.push_str("\\u00");
                quoted.extend([code / 16, code % 16].map(|digit| char::from_digit(digit, 16).unwrap_or('0')));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_stays_text() {
        assert_eq!(marks("<b>a</b> & \n&lt;", 80), "&lt;b&gt;a&lt;/b&gt; &amp;  &amp;lt;");
        assert_eq!(marks("aé€b", 3), "aé€…");
        assert_eq!(marks("aé€", 3), "aé€");
        assert_eq!(html("<a href=\"'&"), "&lt;a href=&quot;&#39;&amp;");
    }

    #[test]
    fn json_ends_no_script_element() {
        assert_eq!(json_string("a\"\\\n\u{1}"), r#""a\"\\\u000a\u0001""#);
        let json = json_in_script(&json_string("</script><!--\u{2028}"));
        assert_eq!(json, "\"\\u003c/script>\\u003c!--\\u2028\"");
    }
}
