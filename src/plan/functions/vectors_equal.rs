//! `__vectors_equal(a1, b1, ..., ak, bk)` tests whether two vectors are equal, feature by feature. Computed partition keys are
//! compared in the same way.
//!
//! It stands in the join that fetches the exemplars. Plain equalities there would become join keys, and a key is
//! computed for every row of the table; as a function it is computed for the rows whose time has matched.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::and;
use arrow::compute::kernels::cmp::not_distinct;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct VectorsEqual;

impl ScalarUDFImpl for VectorsEqual {
    fn name(&self) -> &'static str {
        "__vectors_equal"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.is_empty() || arg_types.len() % 2 == 1 {
            return plan_err!(
                "{} expects pairs of features, got {} argument(s)",
                self.name(),
                arg_types.len()
            );
        }
        // The types are not coerced, since both of a pair are made by the same expression.
        if let Some(place) = arg_types.chunks_exact(2).position(|pair| pair[0] != pair[1]) {
            return plan_err!(
                "{}: arguments {} and {} are {} and {}, expected one type",
                self.name(),
                2 * place + 1,
                2 * place + 2,
                arg_types[2 * place],
                arg_types[2 * place + 1]
            );
        }
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let mut same: Option<BooleanArray> = None;
        for pair in arrays.chunks_exact(2) {
            let equal = not_distinct(&pair[0], &pair[1])?;
            same = Some(match same {
                Some(same) => and(&same, &equal)?,
                None => equal,
            });
        }
        let same = same.unwrap_or_else(|| BooleanArray::from(vec![true; args.number_rows]));
        Ok(ColumnarValue::Array(Arc::new(same)))
    }
}
