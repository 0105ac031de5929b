//! Groups events to shapes, and counts what the score of a shape needs.
//!
//! ```text
//! project, filter            one row per shape: its earliest group, with the counts
//!   window                   __shape_counts: all counts of shapes, subjects, contexts and words
//!     aggregate              events by subject, template and context as they are written: count, first and last time, hosts, accounts
//!       scan                 only these columns and the time
//! ```
//!
//! The aggregation is the only step over all events. It takes the columns as they are, so that names are cut from paths and put in small
//! letters once per group. Hosts and accounts are lists of the groups: as keys, they would make many groups of each.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::expr_fn::{concat, lower};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, ident, lit, when,
};

use super::super::columns::{
    CLUSTERS, FIRST_TIME, GROUP_KEY, LAST_TIME, SIZE, WEIGHT, key_name, partition_name,
};
use super::super::functions::shape_counts::{self, NUMBERS};
use super::super::functions::{distinct_values, distinct_values_udaf, field_udf, shape_counts_udwf};
use super::super::sorting::{greatest, least};
use super::super::values::{over, through_windows};
use super::{HuntSpec, Written};
use crate::functions::{delim_hash_udf, expected_dir_udf, is_user_writable_path_udf, process_name_udf};

/// Columns of shapes: the subject, the template, the context that is rarest for the subject, and the rarest word of the template.
pub(super) const SUBJECT: &str = "__subject";
pub(super) const TEMPLATE: &str = "__template";
pub(super) const CONTEXT: &str = "__context";
pub(super) const WORD: &str = "__word";
/// The numbers of different hosts and accounts.
pub(super) const HOSTS: &str = "__hosts";
pub(super) const ACCOUNTS: &str = "__accounts";

/// Names of this plan alone.
const COUNTS: &str = "__counts";
const DELIMITERS: &str = "__delimiters";
const VALUE: &str = "__value";
const HOST: &str = "__host";
const MARK: &str = "__mark";
const ACCOUNT: &str = "__account";
const HOST_OF_EVENT: &str = "__host_of_event";
const ACCOUNT_OF_EVENT: &str = "__account_of_event";

/// The column of one of [`NUMBERS`].
pub(super) fn number_name(number: &str) -> String {
    format!("__{number}")
}

/// Builds the relation of shapes, as that of clusters: each has the keys by which its earliest event is found.
pub(super) fn shapes(spec: &HuntSpec) -> Result<LogicalPlan> {
    let written: Vec<String> = (0..spec.rows.partition_by().len()).map(partition_name).collect();
    let groups = groups(spec)?;
    let bounds = spec.bounds();

    // Texts are copied behind the aggregation, whose arrays are parts of large ones.
    let types: Vec<DataType> =
        written.iter().map(|name| ident(name).get_type(groups.schema())).collect::<Result<_>>()?;
    let mut columns = vec![];
    for name in &written {
        columns.push(through_windows(ident(name), groups.schema())?.alias(name));
    }
    for (name, of) in
        [(SUBJECT, Written::Subject), (TEMPLATE, Written::Template), (CONTEXT, Written::Context)]
    {
        columns.push(cast(spec.of_group(of), DataType::LargeUtf8).alias(name));
    }
    columns.extend([HOST, ACCOUNT].map(ident));
    columns.push(spec.mark()?.alias(MARK));
    columns.push(delim_hash_udf().call(vec![spec.of_group(Written::Template)]).alias(DELIMITERS));
    columns.push(ident(WEIGHT));
    columns.extend(bounds.iter().map(ident));

    // The earliest group of a shape has the least first key, and of several the least texts.
    let bound = |place: usize| bounds.get(place).map_or_else(|| lit(ScalarValue::Int64(None)), ident);
    let mut args: Vec<Expr> =
        [SUBJECT, TEMPLATE, MARK, CONTEXT, HOST, ACCOUNT, DELIMITERS, WEIGHT].map(ident).to_vec();
    args.extend([bound(0), bound(1)]);
    args.extend(written.iter().map(ident));
    let counts = over(shape_counts_udwf(), args, vec![], vec![], None).alias(COUNTS);
    let field = |name: &str| field_udf().call(vec![ident(COUNTS), lit(name)]);
    let shapes = groups.project(columns)?.window([counts])?.filter(field(shape_counts::IS_FIRST))?;

    let mut columns = vec![];
    for (name, data_type) in written.iter().zip(types) {
        columns.push(cast(ident(name), data_type).alias(name));
    }
    // A number of events is above 0, as is that of a cluster.
    columns.extend([field(shape_counts::EVENTS).alias(GROUP_KEY), field(shape_counts::EVENTS).alias(SIZE)]);
    columns.extend([SUBJECT, TEMPLATE].map(ident));
    columns.extend([field(shape_counts::CONTEXT).alias(CONTEXT), field(shape_counts::WORD).alias(WORD)]);
    columns.extend(NUMBERS.map(|name| field(name).alias(number_name(name))));
    columns.extend(bounds.first().map(ident));
    columns.extend(bounds.get(1).map(|last| field(shape_counts::LAST).alias(last)));
    columns.extend([field(shape_counts::HOSTS).alias(HOSTS), field(shape_counts::ACCOUNTS).alias(ACCOUNTS)]);
    shapes.project(columns)?.alias(CLUSTERS)?.build()
}

/// Builds the groups of events that have the same texts as they are written, with their counts, times, hosts and accounts.
fn groups(spec: &HuntSpec) -> Result<LogicalPlanBuilder> {
    let input = &spec.rows.input;
    let keys = spec.rows.partition_by().iter().enumerate();
    let mut columns: Vec<Expr> =
        keys.map(|(index, key)| key.expr.clone().alias(partition_name(index))).collect();
    let groups: Vec<Expr> = (0..columns.len()).map(|index| ident(partition_name(index))).collect();
    let mut absent = vec![];
    let mut aggregates = vec![count(lit(1_i64)).alias(WEIGHT)];
    for (value, name, of_event) in [(&spec.host, HOST, HOST_OF_EVENT), (&spec.who, ACCOUNT, ACCOUNT_OF_EVENT)]
    {
        match value {
            Some(value) => {
                columns.push(value.clone().alias(of_event));
                aggregates.push(distinct_values_udaf().call(vec![ident(of_event)]).alias(name));
            }
            None => absent.push(lit(ScalarValue::try_new_null(&distinct_values::list_type())?).alias(name)),
        }
    }
    // Without a time, the first of the columns that have an order takes its place as the key.
    if let Some(key) = spec.rows.exemplar_keys()?.into_iter().next() {
        let data_type = key.get_type(input.schema())?;
        columns.push(key.alias(VALUE));
        let bounds = spec.bounds();
        aggregates.extend(bounds.first().map(|first| least(ident(VALUE), &data_type).alias(first)));
        aggregates.extend(bounds.get(1).map(|last| greatest(ident(VALUE), &data_type).alias(last)));
    }
    let groups = LogicalPlanBuilder::from(input.clone()).project(columns)?.aggregate(groups, aggregates)?;
    let columns = groups.schema().columns().into_iter().map(Expr::Column).chain(absent).collect::<Vec<_>>();
    groups.project(columns)
}

impl HuntSpec {
    /// A text that is another one for events of a subject and template that have to be told apart.
    fn mark(&self) -> Result<Expr> {
        let mark = |condition: Expr, mark: &str| when(condition, lit(mark)).otherwise(lit(""));
        let mut marks = vec![];
        if self.place(Written::Watched).is_some() {
            marks.push(mark(self.of_group(Written::Watched), "watched ")?);
        }
        if self.subject_is_path
            && let Some(place) = self.place(Written::Subject)
        {
            let path = ident(partition_name(place));
            let elsewhere = expected_dir_udf().call(vec![path.clone(), path.clone()]).is_not_null();
            marks.extend([
                mark(is_user_writable_path_udf().call(vec![path]), "writable ")?,
                mark(elsewhere, "elsewhere ")?,
            ]);
        }
        Ok(marks.into_iter().reduce(|one, other| concat(vec![one, other])).unwrap_or_else(|| lit("")))
    }

    /// The names of the first and the last time of a group, or of its least key alone if events have no time.
    fn bounds(&self) -> Vec<String> {
        if self.rows.time_is_key() {
            return vec![FIRST_TIME.to_string(), LAST_TIME.to_string()];
        }
        let has_key = self.rows.exemplar_keys().is_ok_and(|keys| !keys.is_empty());
        has_key.then(|| key_name(0)).into_iter().collect()
    }

    /// The subject, the template or the context of a group, from the columns as they are written.
    fn of_group(&self, what: Written) -> Expr {
        let Some(place) = self.place(what) else { return lit(ScalarValue::LargeUtf8(None)) };
        let written = ident(partition_name(place));
        match what {
            Written::Template | Written::Watched => written,
            Written::Subject | Written::Context => lower(if self.is_path(what) {
                process_name_udf().call(vec![written])
            } else {
                cast(written, DataType::Utf8View)
            }),
        }
    }
}
