//! Options of a reading from the first bytes of an input. Zeros are the default, so that a seed is four zeros and a file.

use dbcluster_logs::{ColumnType, DateOrder, ReadOptions};

/// The rest of an input.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    /// The next byte; zeros at the end.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
}

/// One of some choices, by some bits of a byte.
fn choice<T: Clone>(choices: &[T], bits: u8) -> T {
    choices[usize::from(bits) % choices.len()].clone()
}

/// Options of two bytes, without a format and types.
pub fn options(input: &mut Bytes) -> ReadOptions {
    let (first, second) = (input.next(), input.next());
    let zones = [None, Some("Europe/Berlin"), Some("-03:30"), Some("Mars/Base")];
    let orders = [None, Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst), None];
    let nulls: [&[&str]; 4] = [&[], &["-"], &["0", "NULL"], &[""]];
    ReadOptions {
        delimiter: choice(
            &[None, None, Some(b','), Some(b'\t'), Some(b' '), Some(b'"'), Some(b'\n'), Some(b'x')],
            first & 7,
        ),
        header: choice(&[None, Some(true), Some(false), None], first >> 3 & 3),
        time_zone: choice(&zones, first >> 5 & 3).map(str::to_owned),
        date_order: choice(&orders, second & 3),
        encoding: None,
        nulls: choice(&nulls, second >> 2 & 3).iter().map(|text| (*text).to_owned()).collect(),
        records: choice(&[None, Some("Records"), Some("."), None], second >> 5 & 3)
            .map(|path| path.parse().expect("a path")),
        file_column: second >> 4 & 1 == 1,
        recovered: second >> 7 & 1 == 1,
        ..ReadOptions::default()
    }
}

/// An encoding.
pub fn encoding(byte: u8) -> Option<String> {
    let names = ["utf-8", "utf-16le", "utf-16be", "windows-1252", "shift_jis", "utf-32le", "no-such"];
    match byte {
        0 => None,
        byte => Some(choice(&names, byte).to_owned()),
    }
}

/// The name of a file.
pub fn name(byte: u8) -> &'static str {
    choice(&crate::NAMES, byte)
}

/// The type that is ordered for a column, if one is.
pub(crate) fn column_type(types: u8, column: usize) -> Option<ColumnType> {
    const NAMES: [&str; 11] = [
        "",
        "BIGINT",
        "DOUBLE",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
        "TIMESTAMPTZ",
        "TIMESTAMP(3)",
        "TIMESTAMP(9)",
        "JSON",
        "VARCHAR",
    ];
    let item = || ColumnType::of_sql_name("BIGINT").expect("a type");
    match (usize::from(types) + column) % (NAMES.len() + 2) {
        11 => Some(ColumnType::List(Box::new(item()))),
        12 => Some(ColumnType::Struct(vec![("a".into(), item())])),
        at => ColumnType::of_sql_name(NAMES[at]),
    }
}
