//! The canonical order of the rows of a call: it makes an answer the same for every file order and number of threads.
//!
//! First come the keys of `order_by`, or else the time; then the features in their order; then the remaining columns. NULLs
//! come last. The order decides which cluster has the lower number, which cluster a border row belongs to, and which row
//! stands for a cluster.

use arrow::datatypes::DataType;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::sorting::{canonical_float_key, has_order, has_order_of_sort};
use super::spec::{ClusterSpec, TableFunction};
use crate::options::{ExemplarChoice, NullPolicy};

impl ClusterSpec {
    /// The first keys of the canonical order inside of a partition; the features and the remaining columns follow.
    pub(crate) fn order_keys(&self) -> Result<Vec<Expr>> {
        if self.options.order_by.is_empty() {
            Ok(self.time()?.into_iter().collect())
        } else {
            Ok(self.options.order_by.iter().map(|key| key.expr.clone()).collect())
        }
    }

    /// The time of an event; a column of a floating-point type may be one too.
    pub(crate) fn time(&self) -> Result<Option<Expr>> {
        let column = self.time_column().cloned().map(Expr::Column);
        column.map(|column| canonical_float_key(column, self.input.schema())).transpose()
    }

    /// Whether the events are in the order of their time: a cluster's first key is its first time then.
    pub(crate) fn time_is_key(&self) -> bool {
        self.options.order_by.is_empty() && self.time_column().is_some()
    }

    /// All other columns, in the table's order: they decide among rows that are equal in the order keys and in the vector.
    /// Columns of types that have no order take no part.
    pub(super) fn remaining_columns(&self) -> Result<Vec<Expr>> {
        // A feature that is a whole number is its column's value. Others may stand for several values: -0.0 for 0.0, a DOUBLE
        // for more digits of a decimal, 0 for NULL.
        let schema = self.input.schema();
        let is_value = |expr: &Expr| -> Result<bool> {
            let data_type = expr.get_type(schema)?;
            Ok(self.options.nulls != NullPolicy::Zero
                && (data_type.is_integer() || data_type == DataType::Boolean))
        };
        let mut of_features = vec![];
        for feature in self.features() {
            if is_value(&feature.expr)? {
                of_features.push(feature.expr.clone());
            }
        }
        let of_partitions = self.partition_by().iter().map(|key| key.expr.clone());
        let known: Vec<Expr> =
            of_features.into_iter().chain(of_partitions).chain(self.order_keys()?).collect();
        Ok(schema
            .iter()
            .filter(|(_, field)| has_order(field.data_type()))
            .map(|field| Expr::Column(Column::from(field)))
            .filter(|column| !known.contains(column))
            .collect())
    }

    /// The keys that find the exemplars: those that order the rows, or where nothing does, the first of the columns that decide
    /// ties. By its least value the second look finds the candidates, which otherwise are all rows of their vectors.
    pub(super) fn exemplar_keys(&self) -> Result<Vec<Expr>> {
        let keys = self.order_keys()?;
        if !keys.is_empty()
            || self.function != TableFunction::Dbcluster
            || self.options.exemplar == ExemplarChoice::Last
        {
            return Ok(keys);
        }
        // None but the first: the others decide only where it is equal.
        let first = self.remaining_columns()?.into_iter().next();
        let data_type = first.as_ref().map(|column| column.get_type(self.input.schema())).transpose()?;
        Ok(first
            .filter(|_| data_type.is_some_and(|data_type| has_order_of_sort(&data_type)))
            .into_iter()
            .collect())
    }
}
