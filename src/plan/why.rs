//! Builds the plan of `dbcluster_why`: every noise event, with the cluster that is nearest to it and how far it is.
//!
//! The plan is that of [`dbcluster`](super::collapse), with more from the clustering: of each vector without a cluster the nearest
//! core vector. Clusters are left out before the events are fetched, unless columns of their exemplars are shown: then a window
//! brings the exemplar's row to the noise that is nearest to it.
//!
//! Cost: that of `dbcluster`, and one search for each noise vector, O(log n) in few dimensions. The eps at which a vector would join
//! a cluster takes the hierarchy of all vectors, some ten times a clustering.

use datafusion::common::{Result, ScalarValue};
use datafusion::functions_window::nth_value::first_value_udwf;
use datafusion::logical_expr::{
    Expr, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits, ident, lit, when,
};

use super::collapse::{Fetched, OfClusters, fetched, shown_columns};
use super::columns::{
    DISTANCE, JOINS_AT, NEAREST, NEAREST_HASH, PARTITION_EPS, cluster_col, nearest_column_name,
    nearest_feature_name, partition_name,
};
use super::functions::cluster_key_udf;
use super::spec::{ClusterSpec, WHY_COLUMNS, difference_name, nearest_name};
use super::values::{group, over};
use crate::window::{EPS, WHY_FIELDS, nearest_field};

/// Builds the plan of `dbcluster_why`.
pub(super) fn why(spec: &ClusterSpec) -> Result<LogicalPlan> {
    let columns = [NEAREST, NEAREST_HASH, DISTANCE, JOINS_AT];
    let mut of_label: Vec<(String, String)> = WHY_FIELDS
        .into_iter()
        .zip(columns)
        .map(|(field, name)| (field.to_string(), name.to_string()))
        .collect();
    of_label.push((EPS.to_string(), PARTITION_EPS.to_string()));
    let features = 0..spec.features().len();
    of_label.extend(features.map(|index| (nearest_field(index), nearest_feature_name(index))));

    let show = &spec.options.show;
    let wanted = show.is_empty().then(|| group().is_noise());
    let more = OfClusters { of_label: &of_label, wanted, ..OfClusters::default() };
    let Fetched { mut rows, .. } = fetched(spec, &more)?;
    if !show.is_empty() {
        let of_exemplar = show.iter().enumerate().map(|(index, column)| {
            of_nearest_cluster(spec, Expr::Column(column.clone())).alias(nearest_column_name(index))
        });
        rows = rows.window(of_exemplar.collect::<Vec<_>>())?.filter(group().is_noise())?;
    }

    let nearest = || cluster_col(NEAREST);
    let if_any = |value: Expr| when(nearest().is_not_null(), value).end();
    let mut key = vec![cluster_col(NEAREST_HASH)];
    key.extend((0..spec.partition_by().len()).map(|index| cluster_col(&partition_name(index))));
    let values = [
        nearest(),
        when(nearest().is_not_null(), cluster_key_udf().call(key)).otherwise(lit(ScalarValue::Utf8(None)))?,
        cluster_col(DISTANCE),
        cluster_col(DISTANCE) / cluster_col(PARTITION_EPS),
        cluster_col(JOINS_AT),
    ];
    let mut output = shown_columns(spec);
    output.extend(values.into_iter().zip(WHY_COLUMNS).map(|(value, name)| value.alias(name)));
    for (index, feature) in spec.features().iter().enumerate() {
        let difference = cluster_col(&feature.name) - cluster_col(&nearest_feature_name(index));
        output.push(difference.alias(difference_name(&feature.name)));
    }
    for (index, column) in show.iter().enumerate() {
        output.push(if_any(ident(nearest_column_name(index)))?.alias(nearest_name(&column.name)));
    }
    rows.project(output)?.alias(spec.function.name())?.build()
}

/// Builds the value of the exemplar of a row's cluster, or of the cluster that is nearest to it.
fn of_nearest_cluster(spec: &ClusterSpec, value: Expr) -> Expr {
    let is_cluster = group().is_cluster();
    let mut partition_by: Vec<Expr> =
        (0..spec.partition_by().len()).map(|index| cluster_col(&partition_name(index))).collect();
    partition_by.push(cluster_or_nearest());
    // The one row of the cluster comes first.
    let order_by = vec![is_cluster.sort(false, false)];
    let frame = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::Following(ScalarValue::UInt64(None)),
    );
    over(first_value_udwf(), vec![value], partition_by, order_by, Some(frame))
}

/// The number of a row's cluster, or of the nearest one; NULL where there is none.
fn cluster_or_nearest() -> Expr {
    datafusion::functions::expr_fn::coalesce(vec![cluster_col(NEAREST), group().0])
}
