//! `__common_template(text)` tells the pattern that texts have in common, such as `cmd.exe /c run_<*>.bat`.
//!
//! A text is cut at its delimiters. As long as all texts have the same delimiters in the same order, pieces that differ become `<*>`.
//! Otherwise the pattern is the longest common beginning, `<*>`, and the longest common end of what the beginning leaves of the shortest
//! text. The beginning is made of pieces with the delimiter behind them, and the end of pieces with the delimiter before them.
//!
//! The state is a pattern itself, and two patterns merge into one. Which pieces all texts share, how long their common beginning and end
//! are, and how many pieces the shortest has does not depend on the order in which they come, so neither does the result.
//! Cost: linear in the texts. A group holds one pattern, at most as long as its first text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature};

use crate::error::internal_err;
use crate::functions::cut;

/// The place of pieces that differ.
const DIFFERS: &str = "<*>";

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct CommonTemplate;

impl AggregateUDFImpl for CommonTemplate {
    fn name(&self) -> &'static str {
        "__common_template"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [_] = take_function_args(self.name(), arg_types)?;
        Ok(vec![DataType::Utf8])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OfGroup(None)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = |part: &str| format_state_name(args.name, part);
        Ok(vec![
            Arc::new(Field::new(name("parts"), parts_type(), true)),
            Arc::new(Field::new(name("beginning"), DataType::Int64, true)),
            Arc::new(Field::new(name("pieces"), DataType::Int64, true)),
        ])
    }
}

fn parts_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// The pattern of some texts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// All have the same delimiters. Pieces and delimiters take turns; a piece that differs is `None`.
    Aligned(Vec<Option<String>>),
    /// They have different delimiters.
    Framed {
        /// Pieces with the delimiter behind them.
        beginning: Vec<String>,
        /// Pieces with the delimiter before them.
        end: Vec<String>,
        /// The number of pieces of the shortest text.
        pieces: usize,
    },
}

impl Pattern {
    fn of(text: &str) -> Self {
        Self::Aligned(cut(text).into_iter().map(|part| Some(part.to_owned())).collect())
    }

    fn merged(self, other: Self) -> Self {
        match (self, other) {
            (Self::Aligned(mut ours), Self::Aligned(theirs)) if have_same_delimiters(&ours, &theirs) => {
                for (our, their) in ours.iter_mut().zip(theirs) {
                    if *our != their {
                        *our = None;
                    }
                }
                Self::Aligned(ours)
            }
            (ours, theirs) => {
                let ((mut beginning, mut end, pieces), (other_beginning, other_end, other_pieces)) =
                    (ours.frame(), theirs.frame());
                let common = |(our, their): &(&String, &String)| our == their;
                let shared = beginning.iter().zip(&other_beginning).take_while(common).count();
                beginning.truncate(shared);
                let shared = end.iter().rev().zip(other_end.iter().rev()).take_while(common).count();
                end.drain(..end.len() - shared);
                Self::Framed { beginning, end, pieces: pieces.min(other_pieces) }
            }
        }
    }

    /// Returns the beginning, the end, and the number of pieces of the shortest text.
    fn frame(self) -> (Vec<String>, Vec<String>, usize) {
        let parts = match self {
            Self::Framed { beginning, end, pieces } => return (beginning, end, pieces),
            Self::Aligned(parts) => parts,
        };
        let pieces = parts.len().div_ceil(2);
        let joined = |pair: &[Option<String>]| match pair {
            [Some(first), Some(second)] => Some(format!("{first}{second}")),
            _ => None,
        };
        let beginning = parts.chunks_exact(2).map_while(joined).collect();
        let mut end: Vec<String> = parts.rchunks_exact(2).map_while(joined).collect();
        end.reverse();
        (beginning, end, pieces)
    }

    fn text(&self) -> String {
        match self {
            Self::Aligned(parts) => parts.iter().map(|part| part.as_deref().unwrap_or(DIFFERS)).collect(),
            Self::Framed { beginning, end, pieces } => {
                // The beginning takes one delimiter for each of its pieces, and the end has one for each of its own.
                let left = pieces.saturating_sub(beginning.len() + 1);
                let end = &end[end.len() - left.min(end.len())..];
                format!("{}{DIFFERS}{}", beginning.concat(), end.concat())
            }
        }
    }

    fn size(&self) -> usize {
        let of_parts =
            |parts: &[String]| parts.iter().map(|part| part.capacity() + size_of::<String>()).sum();
        match self {
            Self::Aligned(parts) => parts
                .iter()
                .map(|part| part.as_ref().map_or(0, String::capacity) + size_of::<Option<String>>())
                .sum(),
            Self::Framed { beginning, end, .. } => {
                let of_beginning: usize = of_parts(beginning);
                let of_end: usize = of_parts(end);
                of_beginning + of_end
            }
        }
    }
}

/// Whether the delimiters are equal, which stand behind each piece but the last.
fn have_same_delimiters(ours: &[Option<String>], theirs: &[Option<String>]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).skip(1).step_by(2).all(|(our, their)| our == their)
}

/// The pattern of a group, `None` before the first text.
#[derive(Debug)]
struct OfGroup(Option<Pattern>);

impl OfGroup {
    fn add(&mut self, pattern: Pattern) {
        self.0 = Some(match self.0.take() {
            Some(before) => before.merged(pattern),
            None => pattern,
        });
    }
}

impl Accumulator for OfGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(texts) = values.first().and_then(|texts| texts.as_string_opt::<i32>()) else {
            return internal_err!("__common_template was planned for text");
        };
        texts.iter().flatten().for_each(|text| self.add(Pattern::of(text)));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Utf8View(self.0.as_ref().map(Pattern::text)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.as_ref().map_or(0, Pattern::size)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let numbers = |beginning: Option<i64>, pieces: Option<i64>| {
            [ScalarValue::Int64(beginning), ScalarValue::Int64(pieces)]
        };
        let (parts, [beginning, pieces]): (Vec<Option<&str>>, _) = match &self.0 {
            None => {
                let [beginning, pieces] = numbers(None, None);
                return Ok(vec![ScalarValue::try_new_null(&parts_type())?, beginning, pieces]);
            }
            Some(Pattern::Aligned(parts)) => {
                (parts.iter().map(Option::as_deref).collect(), numbers(None, None))
            }
            Some(Pattern::Framed { beginning, end, pieces }) => (
                beginning.iter().chain(end).map(|part| Some(part.as_str())).collect(),
                numbers(Some(beginning.len() as i64), Some(*pieces as i64)),
            ),
        };
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let offsets = OffsetBuffer::from_lengths([parts.len()]);
        let parts = ListArray::try_new(item, offsets, Arc::new(StringArray::from(parts)), None)?;
        Ok(vec![ScalarValue::List(Arc::new(parts)), beginning, pieces])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [parts, beginning, pieces] = states else {
            return internal_err!("the state of __common_template has three columns");
        };
        let [beginning, pieces] = [beginning, pieces].map(AsArray::as_primitive::<Int64Type>);
        for (row, parts) in parts.as_list::<i32>().iter().enumerate() {
            let Some(parts) = parts else { continue };
            let mut parts: Vec<Option<String>> =
                parts.as_string::<i32>().iter().map(|part| part.map(str::to_owned)).collect();
            let pattern = if beginning.is_null(row) {
                Pattern::Aligned(parts)
            } else {
                let end = parts.split_off(parts.len().min(beginning.value(row) as usize));
                let [beginning, end] = [parts, end].map(|parts| parts.into_iter().flatten().collect());
                Pattern::Framed { beginning, end, pieces: pieces.value(row) as usize }
            };
            self.add(pattern);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(texts: &[&str]) -> String {
        let merged = texts.iter().map(|text| Pattern::of(text)).reduce(Pattern::merged);
        merged.map(|pattern| pattern.text()).unwrap_or_default()
    }

    #[test]
    fn patterns_are_as_defined() {
        for (texts, expected) in [
            (vec!["cmd.exe /c run_1.bat"], "cmd.exe /c run_1.bat"),
            (vec!["cmd.exe /c run_1.bat", "cmd.exe /c run_22.bat"], "cmd.exe /c <*>.bat"),
            (vec!["a b c", "a x c", "a b d"], "a <*> <*>"),
            (vec!["a b", "a b c"], "a <*>"),
            (vec!["a b z", "a c d z"], "a <*> z"),
            // The beginning takes the shortest text but its last piece, so nothing is left for the end.
            (vec!["a b", "a a b"], "a <*>"),
            (vec!["a a", "a a a"], "a <*>"),
            (vec!["x", "a b"], "<*>"),
            (vec!["", ""], ""),
            (vec!["", "a"], "<*>"),
            (vec!["a-b", "a b"], "<*>"),
            (vec!["a-b c", "a b c"], "<*> c"),
            (vec!["é\u{a0}1", "é\u{a0}2"], "é\u{a0}<*>"),
        ] {
            assert_eq!(pattern(&texts), expected, "{texts:?}");
        }
    }

    /// The definition, over all texts at once.
    fn defined(texts: &[String]) -> String {
        let cuts: Vec<Vec<&str>> = texts.iter().map(|text| cut(text)).collect();
        let delimiters = |cut: &[&str]| cut.iter().skip(1).step_by(2).copied().collect::<Vec<_>>().join("");
        if cuts.iter().all(|other| other.len() == cuts[0].len() && delimiters(other) == delimiters(&cuts[0]))
        {
            let same = |place: usize| cuts.iter().all(|other| other[place] == cuts[0][place]);
            return (0..cuts[0].len())
                .map(|place| if same(place) { cuts[0][place] } else { "<*>" })
                .collect();
        }
        let shortest = cuts.iter().map(Vec::len).min().unwrap_or(0);
        let mut start = 0;
        while start + 2 < shortest + 1
            && cuts.iter().all(|other| other[start..start + 2] == cuts[0][start..start + 2])
        {
            start += 2;
        }
        let mut end = 0;
        let last = |other: &[&str], end: usize| other[other.len() - end..].concat();
        while start + end + 2 < shortest
            && cuts.iter().all(|other| last(other, end + 2) == last(&cuts[0], end + 2))
        {
            end += 2;
        }
        format!("{}<*>{}", cuts[0][..start].concat(), last(&cuts[0], end))
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[ab]{0,1}([ -][ab]{0,1}){0,4}", 1..6)
    }

    proptest! {
        #[test]
        fn order_and_grouping_change_nothing(texts in texts(), split in 0_usize..6) {
            let of = |texts: &[String]| texts.iter().map(|text| Pattern::of(text)).reduce(Pattern::merged);
            let whole = of(&texts);
            let mut reversed = texts.clone();
            reversed.reverse();
            prop_assert_eq!(&of(&reversed), &whole);
            let (one, two) = texts.split_at(split.min(texts.len()));
            let mut group = OfGroup(None);
            for part in [one, two] {
                let state = OfGroup(of(part)).state().expect("a state");
                let state: Vec<ArrayRef> =
                    state.into_iter().map(|value| value.to_array().expect("an array")).collect();
                group.merge_batch(&state).expect("it merges");
            }
            prop_assert_eq!(&group.0, &whole);
            prop_assert_eq!(whole.map(|pattern| pattern.text()), Some(defined(&texts)));
        }
    }
}
