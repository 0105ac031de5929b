//! `__field(struct, name)` takes a field of a struct that a plan has made.
//!
//! The engine's `get_field` would be moved towards the scan, through projections that then have a column twice.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

use crate::error::internal_err;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct FieldOf;

impl ScalarUDFImpl for FieldOf {
    fn name(&self) -> &'static str {
        "__field"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [of, _] = take_function_args(self.name(), arg_types)?;
        Ok(vec![of.clone(), DataType::Utf8])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        internal_err!("{} was planned without its arguments", self.name())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let name =
            args.scalar_arguments.get(1).copied().flatten().and_then(|name| name.try_as_str().flatten());
        match (args.arg_fields.first().map(|field| field.data_type()), name) {
            (Some(DataType::Struct(fields)), Some(name)) => match fields.find(name) {
                Some((_, field)) => Ok(Arc::clone(field)),
                None => internal_err!("{}: there is no field {name}", self.name()),
            },
            _ => internal_err!("{} was planned without a struct", self.name()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let field = Arc::clone(&args.return_field);
        let [of, _] = take_function_args(self.name(), args.args)?;
        let of = of.into_array(args.number_rows)?;
        match of.as_struct_opt().and_then(|of| of.column_by_name(field.name())) {
            Some(column) => Ok(ColumnarValue::Array(Arc::clone(column))),
            None => internal_err!("{}: there is no field {}", self.name(), field.name()),
        }
    }
}
