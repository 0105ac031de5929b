//! `entropy`: the Shannon entropy of a string's characters (Shannon, "A Mathematical Theory of Communication", 1948).

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
        text::map_primitive::<Float64Type>(&s, bits_per_character)
    }
}

fn bits_per_character(text: &str) -> f64 {
    if text.is_ascii() {
        let mut counts = [0_usize; 128];
        text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
        bits(counts.into_iter().filter(|&count| count > 0), text.len())
    } else {
        let mut counts = BTreeMap::new();
        text.chars().for_each(|c| *counts.entry(c).or_insert(0_usize) += 1);
        let length = counts.values().sum();
        bits(counts.into_values(), length)
    }
}

/// Computes the bits per character. The counts are in the order of their characters, since a sum of floats depends on order.
fn bits(counts: impl Iterator<Item = usize>, length: usize) -> f64 {
    counts.fold(0.0, |bits, count| {
        let share = count as f64 / length as f64;
        bits - share * share.log2()
    })
}
