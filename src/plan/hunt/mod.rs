//! Builds the plan of `hunt`: events become shapes, and each shape a row with a score and the reasons for it.
//!
//! A shape is a subject (a program, an account) with what it did, masked ([`cmdline_template`](crate::functions)). Near-repeats are one
//! shape, so shapes are few beside the events. Events whose program lies where users can write, or not where it belongs, are a shape of
//! their own, as are those that have a text which the caller looks for: an event that stands out does not hide behind a common command
//! line. [`shapes`] counts them; the earliest event of each is fetched as `dbcluster` fetches exemplars ([`collapse`](super::collapse));
//! [`score`] judges each row from the event's text and the counts.
//!
//! Cost: two reads of the table, of which the second one fetches single rows; one aggregation of all events by these columns, with the
//! hosts and accounts of each group; hash tables of its groups and of their words, in memory.

pub(crate) mod score;
mod shapes;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::{contains, lower};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, ident, lit, when,
};

use super::collapse::fetched_rows;
use super::columns::{
    ACCOUNTS, EVENTS, FIRST_EVENT_TIME, FIRST_TIME, HOSTS, LAST_EVENT_TIME, LAST_TIME, REASONS, SCORE, SIZE,
    SUBJECT, TERMS, TEXT_TEMPLATE, cluster_col, partition_name,
};
use super::functions::shape_counts::NUMBERS;
use super::functions::{field_udf, review_udf};
use super::spec::{ClusterSpec, SpecBuilder, TableFunction};
use crate::error::internal_err;
use crate::functions::cmdline_template_udf;
use crate::options::{ClusterOption, Key, TimeColumn};
use score::Term;

/// A column of rows before the last projection.
const REVIEW: &str = "__review";

/// The expressions over the events that a call names.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) text: Option<Key>,
    pub(crate) subject: Option<Key>,
    pub(crate) path: Option<Key>,
    pub(crate) context: Option<Key>,
    /// Whether contexts are paths, of which the file's name counts.
    pub(crate) context_is_path: bool,
    pub(crate) who: Option<Key>,
    pub(crate) host: Option<Key>,
    pub(crate) time_column: Option<Key>,
}

/// The columns by which events are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Subject,
    Template,
    Context,
    /// Whether an event has a text that is looked for.
    Watched,
}

/// A checked call.
#[derive(Debug)]
pub(crate) struct HuntSpec {
    /// The events, grouped by the keys of its partitions.
    rows: ClusterSpec,
    /// The expressions that the keys of the partitions are, of which two may be the same.
    keys: Vec<(Written, Expr)>,
    subject_is_path: bool,
    context_is_path: bool,
    text: Expr,
    path: Option<Expr>,
    host: Option<Expr>,
    who: Option<Expr>,
    /// The terms that count.
    terms: Vec<Term>,
    /// The texts that the caller looks for.
    watch: Vec<String>,
}

impl HuntSpec {
    /// Checks a call.
    ///
    /// # Errors
    /// The events have no text, or a value that can't be grouped; they may differ from read to read; or a column has the name of
    /// one of the result.
    pub(crate) fn try_new(
        name: &'static str,
        input: LogicalPlan,
        inputs: Inputs,
        terms: Vec<Term>,
        watch: Vec<String>,
    ) -> Result<Self> {
        let Some(text) = inputs.text else {
            return plan_err!("{name}: text is missing; name what varies, as in text => CommandLine");
        };
        let mut builder = SpecBuilder::try_new(TableFunction::Hunt(name), input)?;
        let schema = Arc::clone(builder.input().schema());
        let as_text = |expr: Expr| -> Result<Expr> {
            let data_type = expr.get_type(&schema)?;
            let is_text = match &data_type {
                DataType::Dictionary(_, values) => values.is_string(),
                other => other.is_string(),
            };
            Ok(if is_text { expr } else { cast(expr, DataType::Utf8View) })
        };
        let text_value = as_text(text.expr)?;
        let subject_is_path = inputs.subject.is_none() && inputs.path.is_some();
        let subject = inputs.subject.or_else(|| {
            inputs.path.as_ref().map(|path| Key { expr: path.expr.clone(), text: path.text.clone() })
        });
        let mut keys = vec![];
        let mut partitions = vec![];
        if let Some(subject) = subject {
            partitions.push((Written::Subject, as_text(subject.expr)?, subject.text));
        }
        let template = cmdline_template_udf().call(vec![text_value.clone()]);
        partitions.push((Written::Template, template, text.text));
        let context = match inputs.context {
            Some(context) => Some((as_text(context.expr)?, context.text)),
            None => None,
        };
        if !watch.is_empty() {
            let path = inputs.path.as_ref().map(|path| as_text(path.expr.clone())).transpose()?;
            let subject = partitions.first().map(|(_, subject, _)| subject.clone());
            let texts =
                [Some(text_value.clone()), path, subject, context.clone().map(|(context, _)| context)];
            let watched = is_watched(texts.into_iter().flatten(), &watch)?;
            partitions.push((Written::Watched, watched, "watch".to_string()));
        }
        partitions.extend(context.map(|(context, text)| (Written::Context, context, text)));
        keys.extend(partitions.iter().map(|(what, expr, _)| (*what, expr.clone())));
        let partitions = partitions.into_iter().map(|(_, expr, text)| Key { expr, text }).collect();
        let option = |option: &str| match ClusterOption::find(option) {
            Some(option) => Ok(option),
            None => internal_err!("there is no option {option}"),
        };
        builder.set(option("partition_by")?, |options| options.partition_by = partitions)?;
        if let Some(time) = inputs.time_column {
            builder.set(option("time_column")?, |options| options.time_column = TimeColumn::Given(time))?;
        }
        let value = |key: Option<Key>| key.map(|key| as_text(key.expr)).transpose();
        let (path, host, who) = (value(inputs.path)?, value(inputs.host)?, value(inputs.who)?);
        Ok(Self {
            rows: builder.build()?,
            keys,
            subject_is_path,
            context_is_path: inputs.context_is_path,
            text: text_value,
            path,
            host,
            who,
            terms,
            watch,
        })
    }

    /// The place of a key among those of the partitions.
    fn place(&self, what: Written) -> Option<usize> {
        let (_, expr) = self.keys.iter().find(|(key, _)| *key == what)?;
        self.rows.partition_by().iter().position(|key| key.expr == *expr)
    }

    fn is_path(&self, what: Written) -> bool {
        match what {
            Written::Subject => self.subject_is_path,
            Written::Context => self.context_is_path,
            Written::Template | Written::Watched => false,
        }
    }
}

/// Whether one of these texts has one of those that are looked for, in any case.
fn is_watched(texts: impl Iterator<Item = Expr>, watch: &[String]) -> Result<Expr> {
    let mut any = lit(false);
    for text in texts {
        let small = lower(cast(text, DataType::Utf8View));
        for wanted in watch {
            any = any.or(contains(small.clone(), lit(wanted.to_lowercase())));
        }
    }
    // NULL has no text.
    when(any, lit(true)).otherwise(lit(false))
}

/// Builds the plan.
pub(crate) fn hunt(spec: &HuntSpec) -> Result<LogicalPlan> {
    let rows = fetched_rows(&spec.rows, LogicalPlanBuilder::from(shapes::shapes(spec)?), true)?;
    let events: Vec<Expr> = spec.rows.input.schema().columns().into_iter().map(Expr::Column).collect();
    let schema = spec.rows.input.schema();
    let of_shape = cluster_col;
    let as_view = |expr: Expr| cast(expr, DataType::Utf8View);
    let terms: Vec<ScalarValue> = spec.terms.iter().map(|term| ScalarValue::from(term.name())).collect();
    let watch: Vec<ScalarValue> = spec.watch.iter().map(|text| ScalarValue::from(text.as_str())).collect();
    let list = |values: &[ScalarValue]| {
        lit(ScalarValue::List(ScalarValue::new_list_nullable(values, &DataType::Utf8)))
    };
    let absent = || lit(ScalarValue::Utf8View(None));
    let mut args = vec![as_view(spec.text.clone()), spec.path.clone().map_or_else(absent, as_view)];
    args.extend([shapes::SUBJECT, shapes::CONTEXT, shapes::WORD].map(|text| as_view(of_shape(text))));
    args.push(
        spec.place(Written::Watched).map_or_else(|| lit(false), |place| of_shape(&partition_name(place))),
    );
    args.extend(NUMBERS.map(|number| of_shape(&shapes::number_name(number))));
    args.extend([list(&terms), list(&watch)]);
    let review = review_udf().call(args);
    let mut columns = vec![
        as_view(of_shape(shapes::SUBJECT)).alias(SUBJECT),
        as_view(of_shape(shapes::TEMPLATE)).alias(TEXT_TEMPLATE),
    ];
    columns.extend(events);
    columns.push(of_shape(SIZE).alias(EVENTS));
    for (is_given, of_shapes, name) in
        [(spec.host.is_some(), shapes::HOSTS, HOSTS), (spec.who.is_some(), shapes::ACCOUNTS, ACCOUNTS)]
    {
        columns.extend(is_given.then(|| of_shape(of_shapes).alias(name)));
    }
    if let Some(time) = spec.rows.time_column() {
        let data_type = time.get_type(schema)?;
        for (of_shapes, name) in [(FIRST_TIME, FIRST_EVENT_TIME), (LAST_TIME, LAST_EVENT_TIME)] {
            columns.push(of_shape(of_shapes).cast_to(&data_type, rows.schema())?.alias(name));
        }
    }
    columns.push(review.alias(REVIEW));
    let rows = rows.project(columns)?;
    let mut output: Vec<Expr> = rows.schema().columns().into_iter().map(Expr::Column).collect();
    // The review is the last column.
    output.pop();
    let of_review = |name: &str| field_udf().call(vec![ident(REVIEW), lit(name)]).alias(name);
    output.extend([of_review(SCORE), of_review(TERMS), of_review(REASONS)]);
    let rows = rows.project(output)?;
    let mut order = vec![ident(SCORE).sort(false, false), ident(SUBJECT).sort(true, false)];
    // Several shapes may have the same template, but for different reasons.
    order.extend([TEXT_TEMPLATE, EVENTS, REASONS].map(|name| ident(name).sort(true, false)));
    // The engine drops the order of a relation unless a limit needs it. It drops this limit later.
    rows.sort(order)?.limit(0, None)?.alias(spec.rows.function.name())?.build()
}
