//! Several tables as one: their columns meet by name.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, Result, ScalarValue, plan_datafusion_err};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::types::common;

/// A table of a union, with values of columns that its rows have in common.
pub(super) struct Part {
    pub(super) table: Arc<dyn TableProvider>,
    /// Columns that its files do not hold, such as those in the names of folders.
    pub(super) constants: Vec<(String, ScalarValue)>,
    /// Its name in errors.
    pub(super) name: String,
}

impl Part {
    fn columns(&self) -> Vec<(String, DataType)> {
        let schema: SchemaRef = self.table.schema();
        let own = schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone()));
        let constants = self.constants.iter().map(|(name, value)| (name.clone(), value.data_type()));
        own.chain(constants).collect()
    }

    /// The rows of the part with the columns of the union.
    fn plan(&self, columns: &[(String, DataType)]) -> Result<LogicalPlan> {
        const PART: &str = "part";
        let schema = self.table.schema();
        let scan = LogicalPlanBuilder::scan(PART, provider_as_source(Arc::clone(&self.table)), None)?;
        let of_union = columns.iter().map(|(name, data_type)| -> Result<Expr> {
            if let Ok(field) = schema.field_with_name(name) {
                let column = Expr::Column(Column::new(Some(PART), name.clone()));
                let is_same = field.data_type() == data_type;
                return Ok(if is_same { column } else { cast(column, data_type.clone()) }.alias(name));
            }
            let constant = self.constants.iter().find(|(constant, _)| constant == name);
            let value = match constant {
                Some((_, value)) => value.cast_to(data_type)?,
                None => ScalarValue::try_from(data_type)?,
            };
            Ok(lit(value).alias(name))
        });
        scan.project(of_union.collect::<Result<Vec<_>>>()?)?.build()
    }
}

/// The rows of all parts. A column has the type that holds its values in every part, and is NULL in the rows of a part without it.
///
/// # Errors
/// No type holds the values of a column in two parts; the error names both.
pub(super) fn union(parts: &[Part]) -> Result<Arc<dyn TableProvider>> {
    let mut columns: Vec<(String, DataType)> = vec![];
    for part in parts {
        for (name, data_type) in part.columns() {
            let Some((_, known)) = columns.iter_mut().find(|(known, _)| *known == name) else {
                columns.push((name, data_type));
                continue;
            };
            *known = common(known, &data_type).ok_or_else(|| {
                plan_datafusion_err!(
                    "column '{name}' is {data_type} in {}, and {known} in the files before it, and no type holds the values of \
                     both; read the files one by one, and choose the columns with SELECT",
                    part.name
                )
            })?;
        }
    }
    let mut plans = parts.iter().map(|part| part.plan(&columns));
    let Some(first) = plans.next() else {
        return Err(plan_datafusion_err!("there is no file to read"));
    };
    let mut union = LogicalPlanBuilder::from(first?);
    for plan in plans {
        union = union.union(plan?)?;
    }
    Ok(Arc::new(ViewTable::new(union.build()?, None)))
}
