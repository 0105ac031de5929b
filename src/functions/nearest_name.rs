//! `nearest_name`: names that are made to be taken for another.
//!
//! Two names look alike if they are the same once characters of the same shape are unified (Unicode Technical Standard 39 calls this a
//! skeleton), or if one edit leads from one to the other: a character more, less or another, or two neighbours swapped (Damerau, "A
//! technique for computer detection and correction of spelling errors", 1964). The cost is that of each name of the list whose
//! length is near, times the length.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::{arguments, system_programs, text};
use crate::error::{argument_error, internal_err};

#[user_doc(
    doc_section(label = "Event features"),
    description = "The name of a list that another name looks like without being it (MITRE ATT&CK T1036.004); NULL if it looks like none, or is one of them. It looks like one that is the same after characters of one shape are taken for the same (`0` and `o`; `1`, `l` and `i`; `5` and `s`; `rn` and `m`; `vv` and `w`; the Cyrillic, Greek and full-width forms of Latin letters), or that is one edit away, a character more, less, another, or two swapped, if both have at least 5 characters before the first point and the same behind it; a digit at the end is no such edit. Without a list these are the programs of the system (`svchost.exe`, `lsass.exe`, `sshd`, ...). Capital letters are as small ones, and a path or a domain may stand before the name.",
    syntax_example = "nearest_name(name[, names])",
    sql_example = r"```sql
> SELECT nearest_name('C:\Temp\suchost.exe') AS program, nearest_name('CORP\adm1nistrator', ['Administrator', 'krbtgt']) AS account, nearest_name('svchost.exe') AS itself;
+-------------+---------------+--------+
| program     | account       | itself |
+-------------+---------------+--------+
| svchost.exe | Administrator |        |
+-------------+---------------+--------+
```",
    argument(name = "name", description = "Name to look at."),
    argument(
        name = "names",
        description = "List of the names that it may look like. Default: the programs of the system."
    ),
    related_udf(name = "expected_dir"),
    related_udf(name = "double_extension")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NearestName;

impl ScalarUDFImpl for NearestName {
    arguments::named_function!("nearest_name" -> DataType::Utf8View);

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let mut coerced = arguments::coerce_all_text(self.name(), &["name"], &types[..types.len().min(1)])?;
        let expected = "a list of strings";
        match types.get(1) {
            None => {}
            Some(DataType::Null) => coerced.push(DataType::Null),
            Some(DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _))
                if item.data_type().is_string() || item.data_type().is_null() =>
            {
                coerced.push(DataType::new_list(DataType::Utf8View, true));
            }
            Some(other) => {
                let way_out = "such as ['Administrator', 'krbtgt']";
                return Err(argument_error(
                    self.name(),
                    "argument 2 (names)",
                    other,
                    expected,
                    Some(way_out),
                ));
            }
        }
        if types.len() > 2 {
            let call = "call it as nearest_name(name [, names])";
            return Err(argument_error(
                self.name(),
                "argument 3",
                &"one too many",
                "no more than 2",
                Some(call),
            ));
        }
        Ok(coerced)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let (names, lists) = match args.args.as_slice() {
            [names] => {
                let list = Names::of_system();
                return text::map_text(names, |name, nearest| {
                    nearest.push_str(list.nearest(name)?);
                    Some(nearest)
                });
            }
            [names, lists] => (arguments::texts(names, rows)?, lists.to_array(rows)?),
            other => return internal_err!("{} was planned with {} arguments", self.name(), other.len()),
        };
        let mut nearest = StringViewBuilder::with_capacity(rows);
        let Some(lists) = lists.as_list_opt::<i32>() else {
            (0..rows).for_each(|_| nearest.append_null());
            return Ok(ColumnarValue::Array(Arc::new(nearest.finish())));
        };
        let mut earlier: Option<(ArrayRef, Names)> = None;
        for (name, list) in names.iter().zip(lists.iter()) {
            let (Some(name), Some(list)) = (name, list) else {
                nearest.append_null();
                continue;
            };
            // A constant list comes once per row.
            let (_, list) = match earlier.take().filter(|(same, _)| same.as_ref() == list.as_ref()) {
                Some(same) => earlier.insert(same),
                None => {
                    let of_list = Names::new(arguments::views(&list)?.iter().flatten());
                    earlier.insert((list, of_list))
                }
            };
            nearest.append_option(list.nearest(name));
        }
        Ok(ColumnarValue::Array(Arc::new(nearest.finish())))
    }
}

/// A list of names that others may look like.
pub(crate) struct Names(Vec<Name>);

struct Name {
    written: String,
    small: Vec<char>,
    skeleton: String,
    /// The characters before the first point.
    stem: usize,
}

impl Names {
    pub(crate) fn of_system() -> Self {
        Self::new(system_programs::names())
    }

    /// The names of accounts that systems have.
    pub(crate) fn of_accounts() -> Self {
        const ACCOUNTS: [&str; 8] = [
            "administrator",
            "admin",
            "root",
            "guest",
            "krbtgt",
            "system",
            "local service",
            "network service",
        ];
        Self::new(ACCOUNTS.into_iter())
    }

    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let name = |written: &str| {
            let small = small(written);
            Name { written: written.to_owned(), skeleton: skeleton(&small), stem: stem(&small), small }
        };
        Self(names.map(name).collect())
    }

    /// Returns the first name of the same skeleton, or else the first that one edit leads to.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        const LEAST_STEM: usize = 5;
        let small = small(name.rsplit(['/', '\\']).next()?);
        if self.0.iter().any(|other| other.small == small) {
            return None;
        }
        let skeleton = skeleton(&small);
        let same = self.0.iter().find(|other| other.skeleton == skeleton && !skeleton.is_empty());
        let stem = stem(&small);
        // `rundll321.exe` is a numbered copy: digits behind a name deceive nobody.
        let is_numbered = |other: &Name| {
            let behind = small[..stem].strip_prefix(&other.small[..other.stem]);
            behind.is_some_and(|behind| behind.iter().all(char::is_ascii_digit))
        };
        let is_near = |other: &&Name| {
            other.stem >= LEAST_STEM
                && stem >= LEAST_STEM
                && other.small[other.stem..] == small[stem..]
                && !is_numbered(other)
                && are_one_edit_apart(&other.small, &small)
        };
        let near = || self.0.iter().find(is_near);
        same.or_else(near).map(|other| other.written.as_str())
    }
}

/// Returns the number of characters before the first point.
fn stem(small: &[char]) -> usize {
    small.iter().take_while(|&&c| c != '.').count()
}

fn small(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Unifies characters of one shape.
fn skeleton(small: &[char]) -> String {
    let one_of_each: String = small.iter().map(|&c| unified(c)).collect();
    one_of_each.replace("rn", "m").replace("vv", "w")
}

fn unified(c: char) -> char {
    match c {
        '0' | 'о' | 'ο' | 'օ' | 'ö' | 'ó' | 'ò' => 'o',
        '1' | 'i' | '|' | '!' | 'і' | 'ι' | 'ı' | 'ӏ' | 'í' | 'ì' | 'ï' => 'l',
        '5' | '$' | 'ѕ' => 's',
        '3' | 'е' | 'ё' | 'ε' | 'é' | 'è' | 'ë' => 'e',
        '4' | '@' | 'а' | 'α' | 'á' | 'à' | 'ä' => 'a',
        '7' | 'т' | 'τ' => 't',
        'с' | 'ϲ' => 'c',
        'р' | 'ρ' => 'p',
        'у' | 'γ' => 'y',
        'х' | 'χ' => 'x',
        'к' | 'κ' => 'k',
        'һ' | 'н' => 'h',
        'м' => 'm',
        'ԁ' => 'd',
        'ј' => 'j',
        'ո' | 'η' => 'n',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ω' => 'w',
        'в' => 'b',
        'ü' | 'ú' | 'ù' => 'u',
        // Full-width forms stand in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xff01 + 0x21).map_or(c, unified),
        _ => c,
    }
}

/// Whether one insertion, deletion, replacement or swap of neighbours leads from one to the other.
fn are_one_edit_apart(one: &[char], other: &[char]) -> bool {
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    // At most both lengths: the characters before it are the same.
    let (one, other) = (&one[same..], &other[same..]);
    match (one, other) {
        ([a, b, one @ ..], [c, d, other @ ..]) if a == d && b == c && one == other => true,
        ([_, rest @ ..], _) if rest == other => true,
        (_, [_, rest @ ..]) if rest == one => true,
        ([_, one @ ..], [_, other @ ..]) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_look_like_those_of_the_system() {
        let names = Names::of_system();
        for (name, expected) in [
            ("suchost.exe", Some("svchost.exe")),
            ("SVCH0ST.EXE", Some("svchost.exe")),
            ("scvhost.exe", Some("svchost.exe")),
            ("svchosts.exe", Some("svchost.exe")),
            (r"C:\x\svhost.exe", Some("svchost.exe")),
            ("ѕvсhоѕt.exe", Some("svchost.exe")),
            ("ｓｖｃｈｏｓｔ.exe", Some("svchost.exe")),
            ("1sass.exe", Some("lsass.exe")),
            ("cmd.exe", None),
            ("cmb.exe", None),
            ("svchost.exe", None),
            ("taskhost.exe", None),
            ("", None),
            ("implant.exe", None),
            ("rundll321.exe", None),
            ("svchost.com", None),
        ] {
            assert_eq!(names.nearest(name), expected, "{name}");
        }
    }

    #[test]
    fn one_edit() {
        let apart = |one: &str, other: &str| are_one_edit_apart(&small(one), &small(other));
        for (one, other) in
            [("abc", "abd"), ("abc", "ab"), ("abc", "abcd"), ("abc", "xabc"), ("abcd", "acbd"), ("a", "")]
        {
            assert!(apart(one, other) && apart(other, one), "{one} {other}");
        }
        for (one, other) in [("abc", "abc"), ("abc", "a"), ("abc", "cba"), ("", ""), ("abcd", "badc")] {
            assert!(!apart(one, other) && !apart(other, one), "{one} {other}");
        }
    }
}
