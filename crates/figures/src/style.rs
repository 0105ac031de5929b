//! Colours, symbols and the layout that all figures share.

use std::fmt::Write as _;
use std::sync::LazyLock;

use plotly::Layout;
use plotly::common::{MarkerSymbol, Title};
use plotly::layout::{Legend, Margin};

use crate::text::{SHOWN, marks};

/// Colours on white and on dark. They follow those that Okabe and Ito chose for any colour vision (*Color Universal Design*, 2008),
/// darker on white and lighter on dark, so that a mark has a contrast of at least 3 to 1 to its ground.
const COLORS: [[&str; 2]; 8] = [
    ["#0072b2", "#56b4e9"],
    ["#c24a00", "#ff9b52"],
    ["#007d5a", "#2fc79c"],
    ["#b0478a", "#f09cc8"],
    ["#8f6a00", "#f0c541"],
    ["#157f8d", "#7fe0ea"],
    ["#6a51a3", "#b8a2ef"],
    ["#595959", "#c4c4c4"],
];

/// The colour of lines at events and of their labels, on white and on dark.
const ALERT: [&str; 2] = ["#b34700", "#ff9b52"];

/// The opacity of marks: one below another one is seen.
pub(crate) const OPACITY: f64 = 0.8;

/// The colour of lines at events and of their labels. The page replaces it on a dark ground.
pub(crate) const LINE_AT_EVENT: &str = ALERT[0];

/// The colour of a group, on white. The page replaces it on a dark ground.
pub(crate) fn color(group: usize) -> &'static str {
    COLORS[group % COLORS.len()][0]
}

/// The pairs of colours on white and on dark, for the drawing script.
pub(crate) fn color_pairs() -> impl Iterator<Item = [&'static str; 2]> {
    COLORS.into_iter().chain([ALERT])
}

/// The colours as variables of the style sheet, `--series0` and so on.
pub(crate) static COLOR_RULES: LazyLock<String> = LazyLock::new(|| {
    let mut rules = String::new();
    let grounds = [(":root", 0), (":root[data-theme=\"dark\"]", 1)];
    for (ground, of) in grounds {
        rules.push_str(ground);
        rules.push_str(" {");
        for (at, pair) in COLORS.iter().enumerate() {
            // Writing to a string can't fail.
            let _ = write!(rules, " --series{at}: {};", pair[of]);
        }
        rules.push_str(" }\n");
    }
    rules
});

/// The name of the style sheet's variable for the colour of a group.
pub(crate) fn variable(group: usize) -> usize {
    group % COLORS.len()
}

/// The symbols and the characters that a legend shows for them.
const SYMBOLS: [(MarkerSymbol, &str); 7] = [
    (MarkerSymbol::Circle, "●"),
    (MarkerSymbol::Diamond, "◆"),
    (MarkerSymbol::X, "✖"),
    (MarkerSymbol::Square, "■"),
    (MarkerSymbol::TriangleUp, "▲"),
    (MarkerSymbol::Cross, "✚"),
    (MarkerSymbol::Star, "★"),
];

/// The symbol of a group, so that colour is not needed. There are seven symbols and eight colours, so that 56 groups differ.
pub(crate) fn symbol(group: usize) -> MarkerSymbol {
    SYMBOLS[group % SYMBOLS.len()].0.clone()
}

/// The layout that all figures begin with; `groups` is the column that colours tell apart.
pub(crate) fn layout(groups: Option<&str>) -> Layout {
    let layout = Layout::new().auto_size(true).margin(Margin::new().left(24).right(24).top(36).bottom(68));
    match groups {
        Some(groups) => layout.legend(Legend::new().title(Title::with_text(marks(groups, SHOWN)))),
        None => layout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.
    fn luminance(color: [f64; 3]) -> f64 {
        let [red, green, blue] = color
            .map(|part| if part <= 0.039_28 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn parsed(color: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| f64::from(u8::from_str_radix(&color[at..at + 2], 16).expect("two digits")) / 255.0)
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn marks_and_labels_stand_out_from_their_ground() {
        for (of, paper) in ["#ffffff", "#0d1117"].into_iter().enumerate() {
            let ground = parsed(paper);
            for pair in COLORS {
                let color = parsed(pair[of]);
                let mark = [0, 1, 2].map(|at| color[at] * OPACITY + ground[at] * (1.0 - OPACITY));
                assert!(contrast(mark, ground) >= 3.0, "{} on {paper}", pair[of]);
                assert!(contrast(color, ground) >= 4.5, "{} as text on {paper}", pair[of]);
            }
            assert!(contrast(parsed(ALERT[of]), ground) >= 4.5, "{} on {paper}", ALERT[of]);
        }
        let css = include_str!("page.css");
        assert!(
            css.contains("--paper: #ffffff") && css.contains("--paper: #0d1117"),
            "the grounds are these"
        );
    }

    #[test]
    fn fifty_six_groups_differ() {
        let looks: Vec<String> = (0..56).map(|at| format!("{} {:?}", color(at), symbol(at))).collect();
        for (at, look) in looks.iter().enumerate() {
            assert!(!looks[..at].contains(look), "group {at} looks like an earlier one");
        }
        assert!(COLOR_RULES.contains("--series7: #595959;") && COLOR_RULES.contains("--series7: #c4c4c4;"));
    }
}
