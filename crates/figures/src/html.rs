//! HTML in which text is escaped, and only markup of this crate is not.
//!
//! Characters that are not seen or that turn the writing around are codes: `⟨U+202E⟩gnp.exe`, and not `exe.png`.
//!
//! Markup is `&'static str`: text of an event can't be one, so a forgotten escape does not compile.

use std::fmt::{self, Display, Write as _};

use crate::text::{code, is_unseen};

/// HTML in the making, part after part.
///
/// Text of events goes through [`Html::text`]; there is no way to add it as markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// Markup as it is.
    pub(crate) fn raw(markup: &'static str) -> Self {
        Self(markup.to_string())
    }

    /// Text of an element or of a quoted attribute.
    pub(crate) fn escaped(text: impl Display) -> Self {
        Self::default().text(text)
    }

    /// Adds markup as it is.
    #[must_use]
    pub(crate) fn markup(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text of an element or of a quoted attribute, escaped.
    #[must_use]
    pub(crate) fn text(mut self, text: impl Display) -> Self {
        // Writing to a string can't fail.
        let _ = write!(Escaping(&mut self.0), "{text}");
        self
    }

    /// Adds HTML.
    #[must_use]
    pub(crate) fn html(mut self, html: impl Into<Option<Self>>) -> Self {
        if let Some(html) = html.into() {
            self.0.push_str(&html.0);
        }
        self
    }

    /// Adds JSON to a script element: it has no `<`, so nothing in it ends the element or begins a comment.
    #[must_use]
    pub(crate) fn json_in_script(mut self, json: &str) -> Self {
        self.0.push_str(
            &json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"),
        );
        self
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl Extend<Html> for Html {
    fn extend<I: IntoIterator<Item = Html>>(&mut self, parts: I) {
        parts.into_iter().for_each(|part| self.0.push_str(&part.0));
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        let mut html = Self::default();
        html.extend(parts);
        html
    }
}

/// Escapes what is written to it.
struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                unseen if is_unseen(unseen) => self.0.push_str(&code(unseen)),
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_markup_is_not() {
        let html = Html::raw("<p title=\"").text("<a href=\"'&").markup("\">").text(7).markup("</p>");
        let all: Html = [html, Html::escaped("x>y")].into_iter().collect();
        let all = all.html(Html::raw("<br>")).html(None::<Html>);
        assert_eq!(all.into_string(), "<p title=\"&lt;a href=&quot;&#39;&amp;\">7</p>x&gt;y<br>");
        assert_eq!(Html::escaped("\u{202e}gnp\n\x1b").into_string(), "⟨U+202E⟩gnp\n⟨U+001B⟩");
    }

    #[test]
    fn json_ends_no_script_element() {
        let html = Html::default().json_in_script("\"</script><!--\u{2028}\"");
        assert_eq!(html.into_string(), "\"\\u003c/script>\\u003c!--\\u2028\"");
    }
}
