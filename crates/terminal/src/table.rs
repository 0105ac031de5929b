//! Tables as people read them: a row of the result is a line, in the width of the terminal.
//!
//! A result is wider than a terminal more often than not: event logs have dozens of columns and command lines of thousands of
//! characters. Wrapped by the terminal, each row is a block in which nobody finds a column. So a table that is given a width
//! keeps within it, in three steps:
//!
//! 1. Each column has a least width. Numbers and times are never cut; text may be, down to a fifth of the terminal.
//! 2. The columns are taken by their rank until the least widths fill the line. The others are hidden, and named by the caller.
//! 3. What is left of the line is shared by need: all columns grow by the same amount, up to the width of their longest value.
//!
//! A value that is still too long is cut in its middle, since the end of a command line tells as much as its beginning, and
//! says how many characters it has: `powershell -e…(3,012)…AAA=`. Widths are those of a terminal, where a Chinese character
//! or an emoji takes two places and a combining mark none.

use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::printable;

/// The least width of text that is cut, and of a name whose values are narrower.
const LEAST: usize = 12;

/// A cut value says its length if it has this many characters, and if some of it is still seen beside the length.
const LONG: usize = 100;
const SEEN: usize = 7;

/// Places between the values of two columns, and at each end of a line: `| `, ` | ` and ` |`.
const BETWEEN: usize = 3;

/// A value, with codes in place of characters that are not seen.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    /// The number of characters of the value itself.
    characters: usize,
}

impl Cell {
    /// A value on one line: its line breaks are codes, too.
    pub fn new(value: &str) -> Self {
        Self { text: printable(value).into_owned(), characters: value.chars().count() }
    }

    /// A value whose line breaks are kept.
    pub fn with_lines(value: &str) -> Self {
        let text = value.split('\n').map(printable).collect::<Vec<_>>().join("\n");
        Self { text, characters: value.chars().count() }
    }

    /// The value, or its first characters as they are shown and the number of all.
    #[must_use]
    pub fn at_most(mut self, characters: usize) -> Self {
        if let Some((end, _)) = self.text.char_indices().nth(characters) {
            self.text.truncate(end);
            // Writing to a String cannot fail.
            let _ = write!(self.text, "... [cut: {} characters in all]", self.characters);
        }
        self
    }

    fn width(&self) -> usize {
        self.text.split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0)
    }

    /// The lines of the value, each within a width.
    fn lines(&self, width: usize) -> Vec<String> {
        self.text.split('\n').map(|line| fitted(line, self.characters, width)).collect()
    }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name, in the head of the table.
    pub name: Cell,
    /// The values, one per row.
    pub cells: Vec<Cell>,
    /// Whether a part of a value would be read as another value, as with numbers.
    pub is_whole: bool,
    /// The place among the columns when not all fit: those of the lowest ranks are shown.
    pub rank: usize,
}

/// The lines around a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// `+---+` and `|`.
    Ascii,
    /// The line-drawing characters of Unicode.
    Box,
}

impl Border {
    fn vertical(self) -> &'static str {
        match self {
            Self::Ascii => "|",
            Self::Box => "│",
        }
    }

    /// A line above, below or within a table whose columns have these widths.
    fn line(self, place: Place, widths: &[usize]) -> String {
        let (left, middle, right, dash) = match (self, place) {
            (Self::Ascii, _) => ("+", "+", "+", "-"),
            (Self::Box, Place::Top) => ("┌", "┬", "┐", "─"),
            (Self::Box, Place::Middle) => ("├", "┼", "┤", "─"),
            (Self::Box, Place::Bottom) => ("└", "┴", "┘", "─"),
        };
        let dashes: Vec<String> = widths.iter().map(|width| dash.repeat(width + 2)).collect();
        format!("{left}{}{right}\n", dashes.join(middle))
    }
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Top,
    Middle,
    Bottom,
}

/// A drawn table.
#[derive(Debug)]
pub struct Drawn {
    /// The lines.
    pub text: String,
    /// The places of the columns that are not shown.
    pub hidden: Vec<usize>,
    /// Whether a value is cut.
    pub is_cut: bool,
}

/// Columns of equally many values.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// A table of these columns; one that has fewer values than another is empty at its end.
    pub fn new(columns: Vec<Column>) -> Self {
        let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
        Self { columns, rows }
    }

    /// The width that shows all of it.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| natural(column) + BETWEEN).sum::<usize>() + 1
    }

    /// Draws the table within a width, or whole if there is none. `more` says by dots that there are more rows.
    pub fn draw(&self, border: Border, width: Option<usize>, more: bool) -> Drawn {
        let layout = self.layout(width);
        let widths: Vec<usize> = layout.iter().map(|(_, width)| *width).collect();
        let columns: Vec<&Column> = layout.iter().map(|(place, _)| &self.columns[*place]).collect();
        let is_shown = |place: &usize| layout.iter().any(|(shown, _)| shown == place);
        let is_cut = columns.iter().zip(&widths).any(|(column, width)| natural(column) > *width);
        let hidden = (0..self.columns.len()).filter(|place| !is_shown(place)).collect();

        let mut text = border.line(Place::Top, &widths);
        push_row(&mut text, border, &widths, columns.iter().map(|column| Some(&column.name)));
        text.push_str(&border.line(Place::Middle, &widths));
        for row in 0..self.rows {
            push_row(&mut text, border, &widths, columns.iter().map(|column| column.cells.get(row)));
        }
        if more {
            let room = widths.iter().map(|width| width + BETWEEN).sum::<usize>().saturating_sub(2);
            let dots = format!("{0} {1:<2$}{0}\n", border.vertical(), ".", room);
            text.push_str(&dots.repeat(3));
        }
        text.push_str(&border.line(Place::Bottom, &widths));
        Drawn { text, hidden, is_cut }
    }

    /// One value per line, each of them whole, with a line above each row.
    pub fn one_value_per_line(&self) -> String {
        let widest = self.columns.iter().map(|column| column.name.width()).max().unwrap_or(0);
        let mut text = String::new();
        for row in 0..self.rows {
            let head = format!("-[ row {} ]", row + 1);
            let width = (widest + 2).max(head.len() + 3);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{head:-<width$}");
            for column in &self.columns {
                let Some(cell) = column.cells.get(row) else { continue };
                let padding = " ".repeat(widest - column.name.width());
                let _ = writeln!(text, "{}{padding} | {}", column.name.text, cell.text);
            }
        }
        text
    }

    /// The shown columns in their order, each with its width.
    fn layout(&self, width: Option<usize>) -> Vec<(usize, usize)> {
        let naturals: Vec<usize> = self.columns.iter().map(natural).collect();
        let Some(width) = width.filter(|width| self.width() > *width) else {
            return naturals.into_iter().enumerate().collect();
        };
        let leasts: Vec<usize> = self.columns.iter().map(|column| least(column, width)).collect();
        let mut by_rank: Vec<usize> = (0..self.columns.len()).collect();
        by_rank.sort_by_key(|place| (self.columns[*place].rank, *place));
        let mut spare = width.saturating_sub(1);
        let mut layout = vec![];
        for place in by_rank {
            let needed = leasts[place] + BETWEEN;
            if needed <= spare {
                spare -= needed;
                layout.push((place, leasts[place]));
            } else if layout.is_empty() {
                // The first column is shown however narrow the terminal is.
                layout.push((place, spare.saturating_sub(BETWEEN).max(1)));
                spare = 0;
            }
        }
        layout.sort_unstable();
        share(spare, &mut layout, &naturals);
        layout
    }
}

/// Widens columns by the same amount until nothing is left, or all have what they need.
fn share(mut spare: usize, layout: &mut [(usize, usize)], naturals: &[usize]) {
    loop {
        let needy = layout.iter().filter(|(place, width)| *width < naturals[*place]).count();
        if needy == 0 || spare == 0 {
            return;
        }
        let part = (spare / needy).max(1);
        for (place, width) in layout.iter_mut() {
            let given = part.min(naturals[*place].saturating_sub(*width)).min(spare);
            *width += given;
            spare -= given;
        }
    }
}

/// The width that shows every value of a column.
fn natural(column: &Column) -> usize {
    column.cells.iter().map(Cell::width).max().unwrap_or(0).max(column.name.width())
}

/// The width below which a column is rather hidden, on a terminal of this width.
fn least(column: &Column, terminal: usize) -> usize {
    let values = column.cells.iter().map(Cell::width).max().unwrap_or(0);
    let values = if column.is_whole { values } else { values.min((terminal / 5).max(LEAST)) };
    values.max(column.name.width().min(LEAST)).max(1)
}

fn push_row<'a>(
    text: &mut String,
    border: Border,
    widths: &[usize],
    cells: impl Iterator<Item = Option<&'a Cell>>,
) {
    let cells: Vec<Vec<String>> = cells
        .zip(widths)
        .map(|(cell, width)| cell.map_or_else(Vec::new, |cell| cell.lines(*width)))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    for line in 0..height {
        text.push_str(border.vertical());
        for (cell, width) in cells.iter().zip(widths) {
            let shown = cell.get(line).map_or("", String::as_str);
            text.push(' ');
            text.push_str(shown);
            text.push_str(&" ".repeat(width.saturating_sub(shown.width()) + 1));
            text.push_str(border.vertical());
        }
        text.push('\n');
    }
}

/// A line within a width: whole, or cut in its middle.
fn fitted(line: &str, characters: usize, width: usize) -> String {
    if line.width() <= width {
        return line.to_string();
    }
    let told = format!("…({})…", grouped(characters));
    let mark = if characters >= LONG && width >= told.width() + SEEN { told } else { "…".to_string() };
    let room = width.saturating_sub(mark.width());
    let (head, tail) = (room - room / 3, room / 3);
    format!("{}{mark}{}", first(line, head), last(line, tail))
}

/// The first characters that fit, with the marks that combine with the last of them.
fn first(line: &str, width: usize) -> &str {
    let mut used = 0;
    let end = line.char_indices().find(|(_, character)| {
        used += character.width().unwrap_or(0);
        used > width
    });
    end.map_or(line, |(end, _)| &line[..end])
}

/// The last characters that fit, without marks that combine with one before them.
fn last(line: &str, width: usize) -> &str {
    let mut used = 0;
    let fits = |character: char| {
        used += character.width().unwrap_or(0);
        used <= width
    };
    let start = line.trim_end_matches(fits).len();
    line[start..].trim_start_matches(|character: char| character.width() == Some(0))
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, is_whole: bool, rank: usize, values: &[&str]) -> Column {
        let cells = values.iter().map(|value| Cell::new(value)).collect();
        Column { name: Cell::new(name), cells, is_whole, rank }
    }

    #[test]
    fn whole_table_is_drawn_as_it_is() {
        let table =
            Table::new(vec![column("a", true, 0, &["1", "22"]), column("text", false, 0, &["x", "漢字"])]);
        let drawn = table.draw(Border::Ascii, None, true);
        assert_eq!(
            drawn.text,
            "+----+------+\n| a  | text |\n+----+------+\n| 1  | x    |\n| 22 | 漢字 |\n\
             | .         |\n| .         |\n| .         |\n+----+------+\n"
        );
        assert_eq!((drawn.hidden.len(), drawn.is_cut, table.width()), (0, false, 13));
        let drawn = table.draw(Border::Box, Some(13), false);
        assert_eq!(
            drawn.text,
            "┌────┬──────┐\n│ a  │ text │\n├────┼──────┤\n│ 1  │ x    │\n│ 22 │ 漢字 │\n└────┴──────┘\n"
        );
    }

    #[test]
    fn long_values_are_cut_in_the_middle_with_their_length() {
        let long = format!("powershell -enc {}AAA=", "x".repeat(2_992));
        let table =
            Table::new(vec![column("id", true, 0, &["1000000"]), column("command", false, 0, &[&long])]);
        let drawn = table.draw(Border::Ascii, Some(60), false);
        assert!(
            drawn.text.contains("| 1000000 | powershell -enc xxxxxxxxx…(3,012)…xxxxxxxxAAA= |"),
            "{}",
            drawn.text
        );
        assert!(drawn.is_cut && drawn.hidden.is_empty());
        assert!(drawn.text.lines().all(|line| line.width() == 60), "{}", drawn.text);
    }

    #[test]
    fn columns_of_high_rank_are_hidden() {
        let wide = "y".repeat(60);
        let columns =
            (0..50).map(|at| column(&format!("c{at}"), false, (at + 25) % 50, &[&wide, "z"])).collect();
        let table = Table::new(columns);
        for width in [80, 100, 200] {
            let drawn = table.draw(Border::Ascii, Some(width), false);
            assert!(drawn.text.lines().all(|line| line.width() <= width), "{}", drawn.text);
            assert!(drawn.text.contains("| c25 ") && !drawn.text.contains("| c0 "), "{}", drawn.text);
            assert!(drawn.hidden.len() >= 40 && drawn.hidden.contains(&0), "{:?}", drawn.hidden);
        }
    }

    #[test]
    fn columns_share_the_width_by_need() {
        let table = Table::new(vec![
            column("short", false, 0, &["five5"]),
            column("middle", false, 0, &[&"m".repeat(30)]),
            column("long", false, 0, &[&"l".repeat(300)]),
        ]);
        let layout = table.layout(Some(80));
        assert_eq!(layout, [(0, 5), (1, 30), (2, 35)]);
    }

    #[test]
    fn numbers_are_never_cut() {
        let table = Table::new(vec![
            column("text", false, 1, &[&"t".repeat(100)]),
            column("number", true, 0, &["123456789012345678901234567890"]),
        ]);
        let drawn = table.draw(Border::Ascii, Some(60), false);
        assert!(drawn.text.contains("123456789012345678901234567890"), "{}", drawn.text);
    }

    #[test]
    fn any_width_gives_a_table_within_it() {
        let values = [
            "漢字かな交じり文の長い値です",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            "\x1b[2J\u{202e}evil",
            "😀😀😀😀😀😀😀😀",
        ];
        let table = Table::new(vec![
            column("名前の列", false, 0, &values),
            column("n", true, 1, &["1", "2", "3"]),
            column("other", false, 2, &values),
        ]);
        for width in 5..140 {
            let drawn = table.draw(Border::Box, Some(width), true);
            for line in drawn.text.lines() {
                assert!(line.width() <= width, "{width}\n{}", drawn.text);
                assert!(!line.contains(['\x1b', '\u{202e}']), "{line:?}");
            }
            let widths: Vec<usize> = drawn.text.lines().map(UnicodeWidthStr::width).collect();
            assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{width}\n{}", drawn.text);
        }
        let narrow = table.draw(Border::Ascii, Some(1), false);
        assert_eq!(narrow.hidden, [1, 2]);
    }

    #[test]
    fn cuts_leave_characters_whole() {
        assert_eq!(fitted("漢字漢字漢字", 6, 6), "漢字…");
        assert_eq!(fitted("abcdefgh", 8, 5), "abc…h");
        assert_eq!(fitted("abc", 3, 0), "…");
        // An accent goes with its letter, or not at all.
        assert_eq!(last("ab\u{301}c", 1), "c");
        assert_eq!(last("ab\u{301}c", 2), "b\u{301}c");
        assert_eq!(first("ab\u{301}c", 2), "ab\u{301}");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn one_value_per_line_is_whole() {
        let long = "x".repeat(3_000);
        let table = Table::new(vec![
            column("id", true, 0, &["1", "2"]),
            column("command", false, 0, &[&long, "a\nb"]),
        ]);
        let text = table.one_value_per_line();
        assert_eq!(
            text,
            format!(
                "-[ row 1 ]---\nid      | 1\ncommand | {long}\n-[ row 2 ]---\nid      | 2\ncommand | a\\u{{a}}b\n"
            )
        );
    }

    #[test]
    fn lines_of_a_plan_are_kept() {
        let mut plan = column("plan", false, 0, &[]);
        plan.cells = vec![Cell::with_lines("one\n  two\tx")];
        let drawn = Table::new(vec![plan, column("n", true, 0, &["1"])]).draw(Border::Ascii, None, false);
        assert!(drawn.text.contains("| one         | 1 |\n|   two\\u{9}x |   |\n"), "{}", drawn.text);
    }

    #[test]
    fn very_long_values_say_how_long_they_are() {
        let cell = Cell::new(&"x ".repeat(250_000)).at_most(6);
        assert_eq!(cell.text, "x x x ... [cut: 500000 characters in all]");
        assert_eq!(Cell::new("x x x ").at_most(6).text, "x x x ");
    }
}
