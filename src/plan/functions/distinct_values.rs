//! `__distinct_values(text)` lists the different texts of a group, in no order. NULL is none of them.
//!
//! `hunt` counts the hosts and the accounts of each shape by it. As keys of the grouping, they would make a group of each pair, of which
//! there are many times more. The engine's `count(DISTINCT text)` has no fast path for groups, and can't be counted again over several
//! groups. Each different text is held once for all groups; a group holds numbers of texts.
//!
//! Cost: two lookups per row, in tables of the different texts and of those of its group.

use std::collections::{HashMap as StdMap, HashSet as StdSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, LargeListArray, LargeStringBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::hash_utils::RandomState;
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature};

use crate::error::internal_err;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct DistinctValues;

/// The type of the lists.
pub(crate) fn list_type() -> DataType {
    DataType::LargeList(item())
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::LargeUtf8, true))
}

impl AggregateUDFImpl for DistinctValues {
    fn name(&self) -> &'static str {
        "__distinct_values"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [_] = take_function_args(self.name(), arg_types)?;
        Ok(vec![DataType::Utf8View])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "values"), list_type(), true))])
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(Distinct::default())))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Distinct::default()))
    }
}

/// The numbers of the different texts of a group. Most groups have few.
#[derive(Debug, Clone)]
enum Numbers {
    /// In order.
    Few(Vec<u32>),
    Many(StdSet<u32, RandomState>),
}

impl Numbers {
    /// The greatest number of texts that are searched in order.
    const FEW: usize = 256;

    /// Returns whether the number was not there.
    fn insert(&mut self, number: u32) -> bool {
        match self {
            Self::Many(numbers) => numbers.insert(number),
            Self::Few(numbers) => {
                let Err(place) = numbers.binary_search(&number) else { return false };
                if numbers.len() < Self::FEW {
                    numbers.insert(place, number);
                } else {
                    let mut many: StdSet<u32, RandomState> = numbers.drain(..).collect();
                    many.insert(number);
                    *self = Self::Many(many);
                }
                true
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Few(numbers) => numbers.len(),
            Self::Many(numbers) => numbers.len(),
        }
    }

    fn for_each(&self, visit: impl FnMut(u32)) {
        match self {
            Self::Few(numbers) => numbers.iter().copied().for_each(visit),
            Self::Many(numbers) => numbers.iter().copied().for_each(visit),
        }
    }
}

/// The different texts of every group.
#[derive(Debug, Default)]
struct Distinct {
    numbers: StdMap<Arc<str>, u32, RandomState>,
    texts: Vec<Arc<str>>,
    groups: Vec<Numbers>,
    /// The bytes of the texts.
    bytes: usize,
    /// How many numbers all groups have.
    held: usize,
}

impl Distinct {
    fn push(&mut self, group: usize, text: &str) {
        let number = match self.numbers.get(text) {
            Some(number) => *number,
            None => {
                // An array has fewer texts than 2^32, and so has a table of all that a thread has seen before it is full.
                let number = self.texts.len() as u32;
                let text: Arc<str> = text.into();
                self.bytes += text.len();
                self.texts.push(Arc::clone(&text));
                self.numbers.insert(text, number);
                number
            }
        };
        // The caller has made room for all groups.
        self.held += usize::from(self.groups[group].insert(number));
    }

    fn make_room(&mut self, groups: usize) {
        self.groups.resize(groups.max(self.groups.len()), Numbers::Few(vec![]));
    }

    fn push_texts(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        let Some(texts) = values.first().and_then(|texts| texts.as_string_view_opt()) else {
            return internal_err!("__distinct_values was planned for text");
        };
        self.make_room(groups);
        let is_in = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        for (row, (text, group)) in texts.iter().zip(group_indices).enumerate() {
            if let Some(text) = text.filter(|_| is_in(row)) {
                self.push(*group, text);
            }
        }
        Ok(())
    }

    fn push_lists(&mut self, states: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        let Some(lists) = states.first().and_then(|lists| lists.as_list_opt::<i64>()) else {
            return internal_err!("the state of __distinct_values is a list");
        };
        self.make_room(groups);
        let Some(texts) = lists.values().as_string_opt::<i64>() else {
            return internal_err!("the state of __distinct_values is a list of texts");
        };
        let bounds = lists.value_offsets().windows(2);
        for ((row, group), bounds) in group_indices.iter().enumerate().zip(bounds) {
            let [start, end] = *bounds else { continue };
            if lists.is_valid(row) {
                // The offsets of an array lie within its values.
                (start..end).for_each(|place| self.push(*group, texts.value(place as usize)));
            }
        }
        Ok(())
    }

    /// Returns the lists of the first groups, and removes these groups.
    fn emit(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let lists = self.lists(&groups)?;
        self.held -= groups.iter().map(Numbers::len).sum::<usize>();
        if self.groups.is_empty() {
            *self = Self::default();
        }
        Ok(lists)
    }

    fn lists(&self, groups: &[Numbers]) -> Result<ArrayRef> {
        let offsets = OffsetBuffer::from_lengths(groups.iter().map(Numbers::len));
        let mut texts = LargeStringBuilder::new();
        for group in groups {
            // A number is a place among the texts.
            group.for_each(|number| texts.append_value(&self.texts[number as usize]));
        }
        Ok(Arc::new(LargeListArray::try_new(item(), offsets, Arc::new(texts.finish()), None)?))
    }
}

impl GroupsAccumulator for Distinct {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.push_texts(values, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.emit(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emit(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.push_lists(values, group_indices, total_num_groups)
    }

    /// Makes every row a group, for when grouping does not reduce them.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, Array::len);
        let mut each = Self::default();
        each.push_texts(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        // A text has a header of two counts, a place in the list, and one in the table.
        let of_text = 2 * size_of::<usize>() + 2 * size_of::<Arc<str>>() + size_of::<u32>();
        self.bytes
            + self.texts.capacity() * of_text
            + self.groups.capacity() * size_of::<Numbers>()
            + self.held * 2 * size_of::<u32>()
    }
}

/// The accumulator for a query without GROUP BY.
#[derive(Debug)]
struct OneGroup(Distinct);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, Array::len);
        self.0.push_texts(values, &vec![0; rows], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.make_room(1);
        ScalarValue::try_from_array(&self.0.lists(&self.0.groups)?, 0)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, Array::len);
        self.0.push_lists(states, &vec![0; rows], 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::StringViewArray;
    use proptest::prelude::*;

    use super::*;

    /// The texts of each list.
    fn sets(lists: &ArrayRef) -> Vec<BTreeSet<String>> {
        let lists = lists.as_list::<i64>();
        let texts = |list: ArrayRef| {
            let texts: Vec<String> = list.as_string::<i64>().iter().flatten().map(String::from).collect();
            let set: BTreeSet<String> = texts.iter().cloned().collect();
            assert_eq!(set.len(), texts.len(), "{texts:?}");
            set
        };
        lists.iter().map(|list| texts(list.expect("a list"))).collect()
    }

    proptest! {
        /// Groups have the texts of their rows, whether they are emitted at once, some first, or merged from the states of two halves.
        #[test]
        fn groups_have_their_texts(
            rows in proptest::collection::vec((0_usize..5, proptest::option::of(0_u32..600)), 0..1500),
            split in 0_usize..1500,
            first in 0_usize..5,
        ) {
            let mut expected = vec![BTreeSet::new(); 5];
            for (group, text) in &rows {
                expected[*group].extend(text.map(|text| text.to_string()));
            }
            let (one, other) = rows.split_at(split.min(rows.len()));
            let mut merged = Distinct::default();
            for half in [one, other] {
                let texts: StringViewArray =
                    half.iter().map(|(_, text)| text.map(|text| text.to_string())).collect();
                let groups: Vec<usize> = half.iter().map(|(group, _)| *group).collect();
                let texts: Vec<ArrayRef> = vec![Arc::new(texts)];
                let mut of_half = Distinct::default();
                of_half.update_batch(&texts, &groups, None, 5).expect("it updates");
                let mut states = vec![of_half.state(EmitTo::First(first)).expect("a state")];
                states.push(of_half.state(EmitTo::All).expect("a state"));
                prop_assert_eq!(of_half.held, 0);
                merged.merge_batch(&states[0], &(0..first).collect::<Vec<_>>(), 5).expect("it merges");
                merged.merge_batch(&states[1], &(first..5).collect::<Vec<_>>(), 5).expect("it merges");
                let each = of_half.convert_to_state(&texts, None).expect("states");
                prop_assert_eq!(each[0].len(), half.len());
                merged.merge_batch(&each, &groups, 5).expect("it merges");
            }
            prop_assert_eq!(sets(&merged.evaluate(EmitTo::All).expect("lists")), expected);
        }
    }
}
