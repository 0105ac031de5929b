//! `dbcluster_kept(list)`: the values that `dbcluster_smallest` has kept, without the keys that ordered them.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use datafusion_macros::user_doc;

use super::arguments;

#[user_doc(
    doc_section(label = "Building Blocks"),
    description = "A part of the plans of `dbcluster`: a list of the last field of each struct in a list.",
    syntax_example = "dbcluster_kept(list)",
    sql_example = r"```sql
> SELECT dbcluster_kept([named_struct('key', 1, 'value', 'a'), named_struct('key', 2, 'value', 'b')]) AS kept;
+--------+
| kept   |
+--------+
| [a, b] |
+--------+
```",
    argument(name = "list", description = "A list of structs.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DbclusterKept;

impl ScalarUDFImpl for DbclusterKept {
    fn name(&self) -> &'static str {
        "dbcluster_kept"
    }

    fn signature(&self) -> &Signature {
        arguments::signature()
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

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
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
