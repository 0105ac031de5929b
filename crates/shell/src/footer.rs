//! The rows that a table shows, and the lines below it.

use std::str::FromStr;
use std::time::Duration;

/// The number of rows that a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MaxRows {
    Limited(usize),
    Unlimited,
}

impl MaxRows {
    /// The same as a number.
    pub(super) fn limit(self) -> usize {
        match self {
            Self::Limited(rows) => rows,
            Self::Unlimited => usize::MAX,
        }
    }
}

impl FromStr for MaxRows {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "inf" | "infinite" | "none" => Ok(Self::Unlimited),
            number => number
                .parse()
                .map(Self::Limited)
                .map_err(|_| format!("maxrows takes a number of rows, or inf for all of them, not '{text}'")),
        }
    }
}

/// How results are printed, beside their look.
#[derive(Debug, Clone, Copy)]
pub(super) struct PrintOptions {
    /// Whether results stand alone, without footers, advice and progress bars.
    pub(super) quiet: bool,
    pub(super) maxrows: MaxRows,
    /// Whether the terminal has colours.
    pub(super) color: bool,
}

/// The lines below a table, with an empty one at their end.
pub(super) fn footer(rows: usize, maxrows: MaxRows, took: Duration) -> String {
    let shown = match maxrows {
        MaxRows::Limited(shown) if shown < rows => {
            format!("(First {shown} displayed. Use --maxrows to adjust)")
        }
        _ => String::new(),
    };
    format!("{rows} row(s) fetched. {shown}\nElapsed {:.3} seconds.\n\n", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footers_tell_rows_and_time() {
        let took = Duration::from_micros(1_234_500);
        for (maxrows, expected) in [
            (MaxRows::Unlimited, "7 row(s) fetched. \nElapsed 1.234 seconds.\n\n"),
            (MaxRows::Limited(7), "7 row(s) fetched. \nElapsed 1.234 seconds.\n\n"),
            (
                MaxRows::Limited(3),
                "7 row(s) fetched. (First 3 displayed. Use --maxrows to adjust)\nElapsed 1.234 seconds.\n\n",
            ),
        ] {
            assert_eq!(footer(7, maxrows, took), expected);
        }
    }

    #[test]
    fn numbers_of_rows_are_read() {
        assert_eq!("40".parse(), Ok(MaxRows::Limited(40)));
        assert_eq!("INF".parse(), Ok(MaxRows::Unlimited));
        let told = "-1".parse::<MaxRows>().expect_err("no number of rows");
        assert_eq!(told, "maxrows takes a number of rows, or inf for all of them, not '-1'");
    }
}
