//! `__smallest_n(struct, n)` aggregates the n smallest structs of a group, in order.
//!
//! `keep_members` uses it twice: over structs of the order keys and the value for every distinct vector, and over the lists of
//! these for every cluster. `array_agg(... ORDER BY ...)` would hold all values of a group in memory
//! before it takes the first n; here a group never holds more than n. Values are compared and held in Arrow's row
//! format, NULLs last. Cost: O(log n) per row.

use std::collections::BinaryHeap;
use std::fmt::{Debug, Formatter};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::row::{OwnedRow, Row, RowConverter, Rows, SortField};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature};
use datafusion::physical_expr::expressions::Literal;

use crate::error::internal_err;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct SmallestN;

/// Returns the type of the structs, which are given alone or in lists.
fn item_type(function: &str, argument: &DataType) -> Result<DataType> {
    match argument {
        DataType::Struct(_) => Ok(argument.clone()),
        DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => {
            Ok(item.data_type().clone())
        }
        other => plan_err!("{function}: argument 1 is {other}, expected a struct or a list of structs"),
    }
}

fn sort_field(item: &DataType) -> SortField {
    SortField::new_with_options(item.clone(), SortOptions { descending: false, nulls_first: false })
}

fn list_field(item: &DataType) -> FieldRef {
    Arc::new(Field::new_list_field(item.clone(), true))
}

impl AggregateUDFImpl for SmallestN {
    fn name(&self) -> &'static str {
        "__smallest_n"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [value, n] = take_function_args(self.name(), arg_types)?;
        item_type(self.name(), value)?;
        if !n.is_integer() {
            return plan_err!("{}: argument 2 is {n}, expected a whole number", self.name());
        }
        Ok(vec![value.clone(), DataType::Int64])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [value, _] = take_function_args(self.name(), arg_types)?;
        Ok(DataType::List(list_field(&item_type(self.name(), value)?)))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(Smallest::try_new(self.name(), &args)?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Smallest::try_new(self.name(), &args)?))
    }
}

/// The n smallest structs of every group.
struct Smallest {
    n: usize,
    item: DataType,
    converter: RowConverter,
    /// The kept rows of each group. The greatest is on top, to be replaced first.
    groups: Vec<BinaryHeap<OwnedRow>>,
    /// The bytes of the kept rows.
    bytes: usize,
}

impl Debug for Smallest {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smallest({} of {} groups)", self.n, self.groups.len())
    }
}

impl Smallest {
    fn try_new(function: &str, args: &AccumulatorArgs) -> Result<Self> {
        let n = args.exprs.get(1).and_then(|n| (n.as_ref() as &dyn std::any::Any).downcast_ref::<Literal>());
        let n = match n.map(Literal::value) {
            Some(ScalarValue::Int64(Some(n))) => usize::try_from(*n).ok().filter(|n| *n > 0),
            _ => None,
        };
        let (Some(n), Some(value)) = (n, args.expr_fields.first()) else {
            return plan_err!(
                "{function}: argument 2 is no constant, or below 1, expected a number of structs"
            );
        };
        let item = item_type(function, value.data_type())?;
        let converter = RowConverter::new(vec![sort_field(&item)])?;
        Ok(Self { n, item, converter, groups: vec![], bytes: 0 })
    }

    fn push(&mut self, group: usize, row: Row) {
        let heap = &mut self.groups[group];
        if heap.len() >= self.n {
            if heap.peek().is_none_or(|greatest| row >= greatest.row()) {
                return;
            }
            if let Some(greatest) = heap.pop() {
                self.bytes -= size_of_row(greatest.row());
            }
        }
        self.bytes += size_of_row(row);
        heap.push(row.owned());
    }

    fn push_all(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(groups.max(self.groups.len()), BinaryHeap::new);
        let is_in = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        if let Some(lists) = values.as_list_opt::<i32>() {
            let rows = self.rows(lists.values())?;
            for (index, &group) in group_indices.iter().enumerate() {
                if is_in(index) && lists.is_valid(index) {
                    let offsets = lists.offsets();
                    for item in offsets[index]..offsets[index + 1] {
                        self.push(group, rows.row(item as usize));
                    }
                }
            }
        } else {
            let rows = self.rows(values)?;
            for (index, &group) in group_indices.iter().enumerate() {
                if is_in(index) {
                    self.push(group, rows.row(index));
                }
            }
        }
        Ok(())
    }

    fn rows(&self, values: &ArrayRef) -> Result<Rows> {
        Ok(self.converter.convert_columns(std::slice::from_ref(values))?)
    }

    /// Returns the lists of the first groups and removes these groups.
    fn emit(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups: Vec<Vec<OwnedRow>> =
            emit_to.take_needed(&mut self.groups).into_iter().map(BinaryHeap::into_sorted_vec).collect();
        let rows = || groups.iter().flatten().map(OwnedRow::row);
        self.bytes -= rows().map(size_of_row).sum::<usize>();
        let offsets = OffsetBuffer::from_lengths(groups.iter().map(Vec::len));
        let values = self.converter.convert_rows(rows())?;
        let Some(values) = values.into_iter().next() else {
            return internal_err!("a row format of one column has no column");
        };
        Ok(Arc::new(ListArray::try_new(list_field(&self.item), offsets, values, None)?))
    }
}

fn size_of_row(row: Row) -> usize {
    row.as_ref().len() + size_of::<OwnedRow>()
}

impl GroupsAccumulator for Smallest {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.push_all(&values[0], group_indices, opt_filter, total_num_groups)
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
        self.push_all(&values[0], group_indices, None, total_num_groups)
    }

    /// Makes every row a group, for when grouping does not reduce them.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let mut each = Self {
            n: self.n,
            item: self.item.clone(),
            converter: RowConverter::new(vec![sort_field(&self.item)])?,
            groups: vec![],
            bytes: 0,
        };
        each.push_all(&values[0], &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<BinaryHeap<OwnedRow>>() + self.converter.size()
    }
}

/// The accumulator for a query without GROUP BY.
#[derive(Debug)]
struct OneGroup(Smallest);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.push_all(&values[0], &vec![0; values[0].len()], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let kept = self.0.groups.clone();
        let (bytes, lists) = (self.0.bytes, self.0.emit(EmitTo::All)?);
        (self.0.groups, self.0.bytes) = (kept, bytes);
        if lists.is_empty() {
            return ScalarValue::try_new_null(lists.data_type());
        }
        ScalarValue::try_from_array(&lists, 0)
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}
