//! Colours, symbols and the layout that all figures share.

use plotly::Layout;
use plotly::common::{MarkerSymbol, Title};
use plotly::layout::{Legend, Margin};

use crate::text::{SHOWN, marks};

/// Colours that people with any colour vision tell apart on light and on dark (Okabe, Ito: *Color Universal Design*,
/// 2008).
const COLORS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1"];

/// The colour of a group.
pub(crate) fn color(group: usize) -> &'static str {
    COLORS[group % COLORS.len()]
}

/// The symbol of a group, so that colour is not needed.
pub(crate) fn symbol(group: usize) -> MarkerSymbol {
    let symbols = [
        MarkerSymbol::Circle,
        MarkerSymbol::Diamond,
        MarkerSymbol::X,
        MarkerSymbol::Square,
        MarkerSymbol::TriangleUp,
        MarkerSymbol::Cross,
        MarkerSymbol::Star,
    ];
    symbols[group % symbols.len()].clone()
}

/// The layout that all figures begin with; `groups` is the column that colours tell apart.
pub(crate) fn layout(groups: Option<&str>) -> Layout {
    let layout = Layout::new().auto_size(true).margin(Margin::new().left(24).right(24).top(36).bottom(68));
    match groups {
        Some(groups) => layout.legend(Legend::new().title(Title::with_text(marks(groups, SHOWN)))),
        None => layout,
    }
}
