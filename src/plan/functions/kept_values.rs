//! `__kept_values(list)` returns the values that `__smallest_n` has kept, without the keys that ordered them.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use crate::error::internal_err;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct KeptValues;

impl ScalarUDFImpl for KeptValues {
    fn name(&self) -> &'static str {
        "__kept_values"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [list] = take_function_args(self.name(), arg_types)?;
        value_field(self.name(), list)?;
        Ok(vec![list.clone()])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [list] = take_function_args(self.name(), arg_types)?;
        Ok(DataType::List(value_field(self.name(), list)?))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [lists] = take_function_args(self.name(), args.args)?;
        let lists = lists.into_array(args.number_rows)?;
        let (Some(lists), field) = (lists.as_list_opt::<i32>(), value_field(self.name(), lists.data_type())?)
        else {
            return internal_err!("{} was planned for lists, got {}", self.name(), lists.data_type());
        };
        let Some(values) = lists.values().as_struct_opt().and_then(|structs| structs.columns().last()) else {
            return internal_err!("{} was planned for lists of structs", self.name());
        };
        let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
        let kept = ListArray::try_new(field, offsets, Arc::clone(values), nulls)?;
        Ok(ColumnarValue::Array(Arc::new(kept)))
    }
}

fn value_field(function: &str, list: &DataType) -> Result<FieldRef> {
    if let DataType::List(item) = list
        && let DataType::Struct(fields) = item.data_type()
        && let Some(value) = fields.last()
    {
        return Ok(Arc::new(Field::new_list_field(value.data_type().clone(), true)));
    }
    plan_err!("{function}: argument 1 is {list}, expected a list of structs")
}
