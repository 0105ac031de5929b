//! `entropy`: the Shannon entropy of a string's characters (Shannon, "A Mathematical Theory of Communication", 1948).
//!
//! The text is counted in a table of 128 ASCII characters, and other characters are sorted. Each character that occurs adds a term
//! with a logarithm, which takes longer than all else: so the terms are kept for a batch. Command lines take 2 ns per byte
//! (400 to 650 MiB/s on one thread); text of many different characters beyond ASCII takes 3 to 6 ns.

use std::cell::RefCell;
use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl};
use datafusion_macros::user_doc;

use super::arguments::scalar_function;
use super::text;

#[user_doc(
    doc_section(label = "Event features"),
    description = "Shannon's entropy of the characters of a string, in bits per character: 0 for one \
                   character repeated (or none), 1 for two in equal parts, about 4 for plain command lines. \
                   Generated names and packed or obfuscated commands stand out.",
    syntax_example = "entropy(s)",
    sql_example = "```sql
> SELECT entropy('aaaa') AS repeated, entropy('abab') AS two, entropy('0123456789abcdef') AS hex;
+----------+-----+-----+
| repeated | two | hex |
+----------+-----+-----+
| 0.0      | 1.0 | 4.0 |
+----------+-----+-----+
```",
    argument(name = "s", description = "String to look at."),
    related_udf(name = "cmdline_tokens"),
    related_udf(name = "cmdline_template")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Entropy;

impl ScalarUDFImpl for Entropy {
    scalar_function!("entropy"("s": String) -> DataType::Float64);

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [s] = take_function_args(self.name(), args.args)?;
        let terms = RefCell::new(Terms::new());
        text::map_primitive::<Float64Type>(&s, |s| bits_per_character(s, &mut terms.borrow_mut()))
    }
}

fn bits_per_character(text: &str, terms: &mut Terms) -> f64 {
    const GROUP: usize = 32;

    // Counts of 32 bits are cleared and looked through in half the time.
    if u32::try_from(text.len()).is_err() {
        return bits_per_character_of_any_length(text, terms);
    }
    let mut counts = [0_u32; 128];
    let mut others = Vec::new();
    let mut length = text.len();
    if text.is_ascii() {
        text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    } else {
        length = 0;
        for c in text.chars() {
            length += 1;
            match counts.get_mut(c as usize) {
                Some(count) => *count += 1,
                None => others.push(c),
            }
        }
        others.sort_unstable();
    }
    // The characters come in their order, since a sum of floats depends on it. The bits are those of the counts above 0; a branch for
    // each count would often be guessed wrong by the processor.
    let mut bits = 0.0;
    for counts in counts.as_chunks::<GROUP>().0 {
        let mut occurring = (0..GROUP).fold(0_u32, |bits, i| bits | u32::from(counts[i] > 0) << i);
        while occurring != 0 {
            bits -= terms.term(counts[occurring.trailing_zeros() as usize] as usize, length);
            occurring &= occurring - 1;
        }
    }
    others.chunk_by(|one, next| one == next).fold(bits, |bits, same| bits - terms.term(same.len(), length))
}

/// Takes ten times as long.
#[cold]
fn bits_per_character_of_any_length(text: &str, terms: &mut Terms) -> f64 {
    let mut counts = BTreeMap::new();
    text.chars().for_each(|c| *counts.entry(c).or_insert(0_usize) += 1);
    let length = counts.values().sum();
    counts.into_values().fold(0.0, |bits, count| bits - terms.term(count, length))
}

/// The terms of the sum, which depend on nothing but a count and the length of the text.
struct Terms {
    /// The term of each count below `COUNTS` in texts of each length below `LENGTHS`; 0 if it is not yet computed, or is 0. That is 128
    /// KiB, of which a batch touches some lines. Greater counts are few in a text, and long texts have more bytes per term.
    known: Vec<f64>,
}

impl Terms {
    const COUNTS: usize = 32;
    const LENGTHS: usize = 512;

    fn new() -> Self {
        Self { known: vec![0.0; Self::COUNTS * Self::LENGTHS] }
    }

    #[inline]
    fn term(&mut self, count: usize, length: usize) -> f64 {
        if count >= Self::COUNTS || length >= Self::LENGTHS {
            return term(count, length);
        }
        // Both are below their limits, whose product is the length.
        let known = &mut self.known[Self::COUNTS * length + count];
        if *known == 0.0 {
            *known = term(count, length);
        }
        *known
    }
}

fn term(count: usize, length: usize) -> f64 {
    let share = count as f64 / length as f64;
    share * share.log2()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, with the terms in the order of the characters.
    fn defined(text: &str) -> f64 {
        let mut counts = BTreeMap::new();
        text.chars().for_each(|c| *counts.entry(c).or_insert(0_usize) += 1);
        let length = text.chars().count();
        counts.into_values().fold(0.0, |bits, count| {
            let share = count as f64 / length as f64;
            bits - share * share.log2()
        })
    }

    fn assert_equals_definition(text: &str, terms: &mut Terms) {
        for f in [bits_per_character, bits_per_character_of_any_length] {
            assert_eq!(f(text, terms).to_bits(), defined(text).to_bits(), "{text}");
        }
    }

    /// The terms of one text are right for the next one, on both sides of the limits.
    #[test]
    fn terms_are_kept() {
        let mut terms = Terms::new();
        for length in (0..80).chain(500..530).chain([5_000]) {
            let text: String = ('\0'..'\u{90}').cycle().take(length).collect();
            for text in [&text, &"ab".repeat(length), &format!("{}é", "a".repeat(length))] {
                assert_equals_definition(text, &mut terms);
                assert_equals_definition(text, &mut terms);
            }
        }
    }

    proptest! {
        #[test]
        fn equals_its_definition(texts in prop::collection::vec("[ -~]{0,300}|\\PC{0,60}|[a-fé中]{0,600}", 1..20)) {
            let mut terms = Terms::new();
            for text in texts {
                assert_equals_definition(&text, &mut terms);
            }
        }
    }
}
