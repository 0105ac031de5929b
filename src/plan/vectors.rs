//! Builds the part of the plan that all functions share: rows become distinct vectors, which are labelled.

use std::sync::Arc;

use arrow::array::ListArray;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::{count, first_value, max, min};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, WindowFrame, cast, ident, lit,
};

use super::columns::{
    FIRST_TIME, LABEL, LAST_TIME, TIME, WEIGHT, kept_name, key_name, last_key_name, partition_name,
};
use super::sorting::{greatest, has_order_of_sort, least};
use super::spec::{ClusterSpec, TableFunction};
use super::values::{feature_value, over, smallest};
use crate::options::{Eps, ExemplarChoice, KeptColumn};
use crate::window::{
    dbscan_eps_udwf, dbscan_vectors_auto_udwf, dbscan_vectors_udwf, dbscan_why_auto_udwf, dbscan_why_udwf,
};

/// Builds the distinct vectors of each partition, with their weight, first order keys and label. Where exemplars are fetched they also have
/// their times, the last order keys if the exemplar needs them, and the kept members.
pub(super) fn labelled_vectors(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let keys = spec.exemplar_keys()?;
    let order_keys = spec.order_keys()?;
    let features: Vec<Expr> = spec.features().iter().map(|feature| ident(&feature.name)).collect();
    let partitions: Vec<Expr> =
        (0..spec.partition_by().len()).map(|index| ident(partition_name(index))).collect();

    let partition_keys = spec.partition_by().iter().enumerate();
    let mut columns: Vec<Expr> =
        partition_keys.map(|(index, key)| key.expr.clone().alias(partition_name(index))).collect();
    columns.extend(
        spec.features().iter().map(|feature| feature_value(spec, feature).alias(feature.name.as_str())),
    );
    columns.extend(keys.iter().enumerate().map(|(index, key)| key.clone().alias(key_name(index))));
    let mut aggregates = vec![count(lit(1_i64)).alias(WEIGHT)];
    if spec.function.fetches_exemplars() {
        if let Some(time) = spec.time()? {
            let data_type = time.get_type(spec.input.schema())?;
            if !spec.time_is_key() {
                columns.push(time.alias(TIME));
                aggregates.push(least(ident(TIME), &data_type).alias(FIRST_TIME));
            }
            let time = if spec.time_is_key() { key_name(0) } else { TIME.to_string() };
            aggregates.push(greatest(ident(time), &data_type).alias(LAST_TIME));
        }
        for (index, kept) in spec.options.keep_members.iter().enumerate() {
            columns.push(kept_value(spec, kept)?.alias(kept_name(index)));
            aggregates
                .push(smallest(kept_struct(spec, &order_keys, index)?, kept.count).alias(kept_name(index)));
        }
    }
    let rows = LogicalPlanBuilder::from(spec.input.clone()).project(columns)?;
    // The first row of a vector has the smallest keys, taken together, and the last one the greatest.
    let in_order = |ascending: bool| -> Vec<SortExpr> {
        (0..order_keys.len()).map(|index| ident(key_name(index)).sort(ascending, false)).collect()
    };
    let has_own_last_keys = spec.function.fetches_exemplars()
        && spec.options.exemplar == ExemplarChoice::Last
        && !spec.time_is_key();
    for index in 0..keys.len() {
        let key = ident(key_name(index));
        let data_type = key.get_type(rows.schema())?;
        let is_alone = keys.len() == 1 && has_order_of_sort(&data_type);
        let first = if is_alone { min(key.clone()) } else { first_value(key.clone(), in_order(true)) };
        aggregates.push(first.alias(key_name(index)));
        if has_own_last_keys {
            let last = if is_alone { max(key) } else { first_value(key, in_order(false)) };
            aggregates.push(last.alias(last_key_name(index)));
        }
    }
    let groups: Vec<Expr> = partitions.iter().chain(&features).cloned().collect();
    let vectors = rows.aggregate(groups, aggregates)?;

    let mut args = vec![spec.options.to_struct()?];
    let function = match (spec.function, &spec.options.eps) {
        (TableFunction::DbclusterEps, eps) => {
            args.extend([listed(eps), lit(spec.options.steps)]);
            dbscan_eps_udwf()
        }
        (TableFunction::DbclusterWhy, Eps::Auto) => dbscan_why_auto_udwf(),
        (TableFunction::DbclusterWhy, _) => dbscan_why_udwf(),
        (_, Eps::Auto) => dbscan_vectors_auto_udwf(),
        _ => dbscan_vectors_udwf(),
    };
    args.push(ident(WEIGHT));
    args.extend(features.iter().cloned());
    let mut order_by = in_order(true);
    order_by.extend(features.into_iter().map(|feature| feature.sort(true, false)));
    let frame = Some(WindowFrame::new(None));
    let label = over(function, args, partitions, order_by, frame);
    vectors.window([label.alias(LABEL)])?.build()
}

/// Returns the list of values of eps, NULL if the rows decide them.
fn listed(eps: &Eps) -> Expr {
    match eps {
        Eps::Each(list) => {
            let list: Vec<ScalarValue> = list.iter().map(|eps| ScalarValue::from(*eps)).collect();
            lit(ScalarValue::List(ScalarValue::new_list_nullable(&list, &DataType::Float64)))
        }
        Eps::Auto | Eps::Given(_) => {
            let item = Arc::new(Field::new_list_field(DataType::Float64, true));
            lit(ScalarValue::List(Arc::new(ListArray::new_null(item, 1))))
        }
    }
}

/// Returns the value of a column of `keep_members`.
pub(super) fn kept_value(spec: &ClusterSpec, kept: &KeptColumn) -> Result<Expr> {
    let value = Expr::Column(kept.column.clone());
    let data_type = value.get_type(spec.input.schema())?;
    Ok(without_dictionary(value, data_type))
}

/// Builds the struct by which members are ordered: the order keys, then the value itself, so that ties don't depend on
/// threads.
fn kept_struct(spec: &ClusterSpec, keys: &[Expr], index: usize) -> Result<Expr> {
    let mut fields = vec![];
    for (place, key) in keys.iter().enumerate() {
        let data_type = key.get_type(spec.input.schema())?;
        fields.extend([lit(key_name(place)), without_dictionary(ident(key_name(place)), data_type)]);
    }
    fields.extend([lit("value"), ident(kept_name(index))]);
    Ok(named_struct(fields))
}

/// Casts a dictionary to its values, since the row format in which members are kept does not return dictionaries.
fn without_dictionary(value: Expr, data_type: DataType) -> Expr {
    match data_type {
        DataType::Dictionary(_, value_type) => cast(value, *value_type),
        _ => value,
    }
}

/// Returns the name of an order key of a vector's last row.
pub(super) fn last_key_of_vector(spec: &ClusterSpec, index: usize) -> String {
    if spec.time_is_key() { LAST_TIME.to_string() } else { last_key_name(index) }
}
