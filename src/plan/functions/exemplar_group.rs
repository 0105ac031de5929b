//! `__exemplar_group(group)` returns the partition in which a row competes to stand for its cluster.
//!
//! A row of a cluster has the group of its cluster. Rows without a cluster (groups below 0) need no decision, so they share a
//! few groups: a window over millions of them then keeps no partition for each. It is a function and no `CASE` because the
//! optimizer would fold the `CASE` under a filter on the group, and the window would no longer match the sort below it.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

/// The number of groups for rows without a cluster: more than there are threads, so that all of them have work.
const SHARED_GROUPS: i64 = 64;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ExemplarGroup;

impl ScalarUDFImpl for ExemplarGroup {
    fn name(&self) -> &'static str {
        "__exemplar_group"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [group] = take_function_args(self.name(), arg_types)?;
        if !group.is_integer() {
            return plan_err!("{}: argument 1 is {group}, expected an integer", self.name());
        }
        Ok(vec![DataType::Int64])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [group] = take_function_args(self.name(), args.args)?;
        let group = group.into_array(args.number_rows)?;
        let shared = |group: i64| if group < 0 { group % SHARED_GROUPS - 1 } else { group };
        let groups = group.as_primitive::<Int64Type>().unary::<_, Int64Type>(shared);
        Ok(ColumnarValue::Array(Arc::new(groups)))
    }
}
