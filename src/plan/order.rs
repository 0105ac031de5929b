//! The canonical order of the rows of a call. It makes the answer the same for every order of files and number of threads.
//!
//! First come the keys of `order_by`, or else the time; then the features in their order; then the remaining columns. NULLs
//! come last. The order decides which cluster has the lower number, which cluster a border row belongs to, and which row
//! stands for a cluster.

use arrow::datatypes::DataType;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::sorting::{canonical_float_key, has_order, has_order_of_sort};
use super::spec::ClusterSpec;
use crate::options::{ExemplarChoice, NullPolicy};

impl ClusterSpec {
    /// Returns the first keys of the canonical order within a partition; the features and the remaining columns follow.
    pub(crate) fn order_keys(&self) -> Result<Vec<Expr>> {
        if self.options.order_by.is_empty() {
            Ok(self.time()?.into_iter().collect())
        } else {
            Ok(self.options.order_by.iter().map(|key| key.expr.clone()).collect())
        }
    }

    /// Returns the time of an event in a form that sorts -0.0 and 0.0 as equal, since a float may be a time.
    pub(crate) fn time(&self) -> Result<Option<Expr>> {
        let time = self.time_column().cloned();
        time.map(|time| canonical_float_key(time, self.input.schema())).transpose()
    }

    /// Returns whether the events are ordered by time, so that a cluster's first key is its first time.
    pub(crate) fn time_is_key(&self) -> bool {
        self.options.order_by.is_empty() && self.time_column().is_some()
    }

    /// Returns the columns that decide among rows with equal order keys and equal vectors: all other columns, in the table's
    /// order. Columns of types without an order are left out.
    pub(super) fn remaining_columns(&self) -> Result<Vec<Expr>> {
        // Rows with equal vectors have equal integers, so such a column decides nothing. Other features may be equal for
        // several values: -0.0 and 0.0, decimals with more digits than a DOUBLE, NULL and 0.
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

    /// Returns the keys by which the second read finds the exemplars: the order keys, or without any the first of the columns
    /// that decide ties. With no key at all, every row of the exemplar's vector would be a candidate.
    pub(super) fn exemplar_keys(&self) -> Result<Vec<Expr>> {
        let keys = self.order_keys()?;
        if !keys.is_empty()
            || !self.function.fetches_exemplars()
            || self.options.exemplar == ExemplarChoice::Last
        {
            return Ok(keys);
        }
        // One column is enough, since the others decide only where it is equal.
        let first = self.remaining_columns()?.into_iter().next();
        let data_type = first.as_ref().map(|column| column.get_type(self.input.schema())).transpose()?;
        Ok(first
            .filter(|_| data_type.is_some_and(|data_type| has_order_of_sort(&data_type)))
            .into_iter()
            .collect())
    }
}
