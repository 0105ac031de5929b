//! The look of results on a terminal: the width that tables keep within, one value per line, and the pager.

use std::io::{self, IsTerminal};
use std::str::FromStr;
use std::sync::Arc;

use console::Term;
use dbcluster_terminal::{Border, Table};

use super::format::Format;
use super::tables::LONGEST_CELL;

/// The look of results.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) format: Format,
    pub(super) expanded: Expanded,
    pub(super) width: Width,
    /// Whether what is longer than the screen goes through a pager.
    pub(super) pages: bool,
    /// The zone of times that know theirs.
    pub(super) zone: Option<Arc<str>>,
}

/// Whether each value has a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expanded {
    On,
    Off,
    /// Where a table would not show all.
    Auto,
}

impl Expanded {
    pub(super) const NAMES: [(&str, Self); 3] = [("on", Self::On), ("off", Self::Off), ("auto", Self::Auto)];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(_, value)| *value == self).map_or("auto", |(name, _)| name)
    }
}

impl FromStr for Expanded {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map(|(_, value)| value).ok_or_else(|| format!("expected on, off or auto, not '{text}'"))
    }
}

/// The width of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// That of the terminal; all of it where there is none.
    Auto,
    Columns(usize),
    Unlimited,
}

impl FromStr for Width {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "inf" => Ok(Self::Unlimited),
            number => match number.parse() {
                Ok(columns @ 20..) => Ok(Self::Columns(columns)),
                _ => Err(format!("expected auto, inf or a number from 20, not '{text}'")),
            },
        }
    }
}

impl std::fmt::Display for Width {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Columns(columns) => write!(f, "{columns}"),
            Self::Unlimited => f.write_str("inf"),
        }
    }
}

impl Look {
    /// The look of a new session.
    pub(super) fn new(format: Format) -> Self {
        Self { format, expanded: Expanded::Off, width: Width::Auto, pages: true, zone: None }
    }

    /// The places of a line, or none if a table may have any width.
    fn columns(&self) -> Option<usize> {
        match self.width {
            Width::Auto => screen().map(|(_, columns)| columns),
            Width::Columns(columns) => Some(columns),
            Width::Unlimited => None,
        }
    }

    /// The characters of a value that a table keeps. A table of the terminal's width cuts values by itself, and one value per line
    /// is for seeing all of it.
    pub(super) fn longest(&self) -> Option<usize> {
        let is_fitted = self.expanded != Expanded::Off || self.columns().is_some();
        (!is_fitted).then_some(LONGEST_CELL)
    }

    /// The table as it is shown, and below it what is not.
    pub(super) fn draw(&self, table: &Table, names: &[&str], more: bool) -> String {
        let width = self.columns();
        let is_too_wide = width.is_some_and(|width| table.width() > width);
        let expanded = match self.expanded {
            Expanded::On => true,
            Expanded::Off => false,
            Expanded::Auto => is_too_wide,
        };
        if expanded {
            let mut text = table.one_value_per_line();
            if more {
                text.push_str(".\n.\n.\n");
            }
            return text;
        }
        let border = if self.format == Format::Box { Border::Box } else { Border::Ascii };
        let drawn = table.draw(border, width, more);
        let hidden: Vec<&str> = drawn.hidden.iter().filter_map(|place| names.get(*place).copied()).collect();
        let mut text = drawn.text;
        if let Some(width) = width {
            text.push_str(&not_shown(&hidden, drawn.is_cut, width));
        }
        text
    }

    /// Whether a text is to go through a pager.
    pub(super) fn needs_pager(&self, text: &str) -> bool {
        let Some((rows, columns)) = screen().filter(|_| self.pages && io::stdin().is_terminal()) else {
            return false;
        };
        // The footer and the next prompt need some lines, too.
        let lines: usize = text.lines().map(|line| 1 + line.chars().count() / (columns + 1)).sum();
        lines + 4 > rows
    }
}

/// The rows and the columns of the terminal that standard output is, if it is one that knows them.
fn screen() -> Option<(usize, usize)> {
    let terminal = Term::stdout();
    let (rows, columns) = terminal.is_term().then(|| terminal.size_checked()).flatten()?;
    Some((usize::from(rows), usize::from(columns)))
}

/// The lines that name hidden columns, and say how to see all.
fn not_shown(hidden: &[&str], is_cut: bool, width: usize) -> String {
    let all = "\\x shows all (-x on the command line)";
    let said = match hidden.len() {
        0 if is_cut => format!("Long values are cut; {all}"),
        0 => return String::new(),
        1 => format!("1 column not shown: {}; {all}", hidden[0]),
        many => format!("{many} columns not shown: {}; {all}", hidden.join(", ")),
    };
    let mut text = String::new();
    let mut used = 0;
    for word in said.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            text.push('\n');
            used = 0;
        }
        if used > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_columns_are_named_within_the_width() {
        assert_eq!(not_shown(&[], false, 80), "");
        assert_eq!(
            not_shown(&["a"], true, 80),
            "1 column not shown: a; \\x shows all (-x on the command line)\n"
        );
        let names: Vec<String> = (0..40).map(|at| format!("column_{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = not_shown(&names, false, 60);
        assert!(
            text.starts_with("40 columns not shown: column_0, column_1,") && text.contains("column_39; \\x")
        );
        assert!(text.lines().all(|line| line.len() <= 60), "{text}");
    }

    #[test]
    fn settings_are_read_back() {
        for (name, value) in Expanded::NAMES {
            assert_eq!((name.parse(), value.name()), (Ok(value), name));
        }
        for width in ["auto", "inf", "120"] {
            assert_eq!(width.parse::<Width>().expect("a width").to_string(), width);
        }
        assert!("0".parse::<Width>().is_err() && "wide".parse::<Width>().is_err());
    }
}
