//! Builds the plan of `dbcluster_around`: the rows of a table that are near given events in time, on the same host.
//!
//! The ranges of the given events overlap, and a row that is near several of them must come out once. So the ranges are cut first, host
//! by host, into segments of time that have no other in common: in each the number of events that are near and the nearest of them stay
//! the same. A row lies in at most one segment.
//!
//! The engine has no join by ranges. So time is cut into buckets as long as a range, a segment is repeated for each bucket that it
//! touches, at most three, and rows are joined by host and bucket; the bounds of the segment are compared in the join's filter.
//!
//! Cost: the given events are sorted, and the table is read once and joined with their segments, in a hash table that holds three or
//! four segments for each of the given events.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column, JoinType, NullEquality, Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{get_field, greatest, least, named_struct};
use datafusion::functions_aggregate::expr_fn::{count, max, sum};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_nested::expr_fn::{gen_series, make_array};
use datafusion::functions_window::lead_lag::lead_udwf;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, WindowFrame,
    WindowFrameBound, WindowFrameUnits, cast, ident, lit, when,
};

use super::values::{over, through_windows};

/// The SQL name.
pub(crate) const NAME: &str = "dbcluster_around";

/// The columns behind those of the table.
const ODD_TIME: &str = "odd_time";
const SECONDS_FROM_ODD: &str = "seconds_from_odd";
const ODD_EVENTS: &str = "odd_events";

/// Names of the plan's own.
const SEGMENTS: &str = "__segments";
const AT: &str = "__at";
const BUCKET: &str = "__bucket";
const BUCKETS: &str = "__buckets";
const EVENT_AT: &str = "__event_at";
const EVENT_BUCKET: &str = "__event_bucket";
const POINTS: &str = "__points";
const EVENTS: &str = "__events";
const DELTA: &str = "__delta";
const ODD: &str = "__odd";
const NEXT: &str = "__next";
const BEFORE: &str = "__before";
const AFTER: &str = "__after";
const END: &str = "__end";
const NEAREST: &str = "__nearest";

/// A checked call.
#[derive(Debug)]
pub(crate) struct AroundSpec {
    /// The rows to choose from. All columns have a qualifier.
    pub(crate) events: LogicalPlan,
    /// The given events.
    pub(crate) odd: LogicalPlan,
    /// The columns that have to be equal, of the rows and of the given events.
    pub(crate) by: Vec<(Column, Column)>,
    /// The times of both, which are timestamps or dates.
    pub(crate) time: (Expr, DataType),
    pub(crate) odd_time: (Expr, DataType),
    /// The greatest distance in nanoseconds, not below 0.
    pub(crate) within: i128,
}

/// Returns the unit of a timestamp or a date, in nanoseconds. Dates are read as timestamps.
pub(crate) fn unit_of(data_type: &DataType) -> Option<TimeUnit> {
    match data_type {
        DataType::Timestamp(unit, _) => Some(*unit),
        DataType::Date32 => Some(TimeUnit::Second),
        DataType::Date64 => Some(TimeUnit::Millisecond),
        _ => None,
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Builds the plan.
///
/// # Errors
/// The table has a column of the result's already.
pub(crate) fn around(spec: AroundSpec) -> Result<LogicalPlan> {
    let AroundSpec { events, odd, by, time, odd_time, within } = spec;
    let taken: Vec<&str> = [ODD_TIME, SECONDS_FROM_ODD, ODD_EVENTS]
        .into_iter()
        .filter(|name| events.schema().fields().iter().any(|field| field.name() == name))
        .collect();
    if let Some(first) = taken.first() {
        return plan_err!(
            "{NAME}: the table has a column '{first}', which is a column of the result; leave it out with \
             (SELECT * EXCEPT ({}) FROM ...), or rename it",
            taken.join(", ")
        );
    }
    let units = [&time.1, &odd_time.1].map(|data_type| unit_of(data_type).unwrap_or(TimeUnit::Nanosecond));
    let unit = units.into_iter().max_by_key(|unit| per_second(*unit)).unwrap_or(TimeUnit::Nanosecond);
    let within = i64::try_from(within / i128::from(1_000_000_000 / per_second(unit))).unwrap_or(i64::MAX);
    // With this bound no sum below goes beyond 64 bits.
    let within = within.min(i64::MAX / 4);

    let segments = segments(odd, &by, as_number(odd_time, unit), within)?;
    let mut columns: Vec<Expr> = events.schema().columns().into_iter().map(Expr::Column).collect();
    let shown = columns.clone();
    let at = as_number(time.clone(), unit);
    columns.extend([bucket(at.clone(), within)?.alias(EVENT_BUCKET), at.alias(EVENT_AT)]);
    let events = LogicalPlanBuilder::from(events).project(columns)?.build()?;

    let of_segment = |name: &str| Expr::Column(Column::new(Some(SEGMENTS), name));
    let (mut left, mut right) =
        (vec![Column::new(Some(SEGMENTS), BUCKET)], vec![Column::from_name(EVENT_BUCKET)]);
    for (index, (column, _)) in by.into_iter().enumerate() {
        left.push(Column::new(Some(SEGMENTS), by_name(index)));
        right.push(column);
    }
    let is_within = of_segment(AT).lt_eq(ident(EVENT_AT)).and(ident(EVENT_AT).lt(of_segment(END)));
    let zone = match time.1 {
        DataType::Timestamp(_, zone) => zone,
        _ => None,
    };
    let mut output = shown;
    output.extend([
        cast(of_segment(NEAREST), DataType::Timestamp(unit, zone)).alias(ODD_TIME),
        (cast(ident(EVENT_AT) - of_segment(NEAREST), DataType::Float64) / lit(per_second(unit) as f64))
            .alias(SECONDS_FROM_ODD),
        of_segment(EVENTS).alias(ODD_EVENTS),
    ]);
    LogicalPlanBuilder::from(segments)
        .join_detailed(events, JoinType::Inner, (left, right), Some(is_within), NullEquality::NullEqualsNull)?
        .project(output)?
        .alias(NAME)?
        .build()
}

fn by_name(index: usize) -> String {
    format!("__by_{index}")
}

/// A time as a number of units.
fn as_number((time, data_type): (Expr, DataType), unit: TimeUnit) -> Expr {
    let zone = match data_type {
        DataType::Timestamp(_, zone) => zone,
        _ => None,
    };
    cast(cast(time, DataType::Timestamp(unit, zone)), DataType::Int64)
}

/// Cuts the ranges around the given events into segments: from `__at` to before `__end` there are `__events` of them near, and
/// `__nearest` is the time of the nearest. Each comes once for each bucket that it touches.
fn segments(odd: LogicalPlan, by: &[(Column, Column)], time: Expr, within: i64) -> Result<LogicalPlan> {
    let by_names: Vec<String> = (0..by.len()).map(by_name).collect();
    let keys = || by_names.iter().map(ident).collect::<Vec<_>>();
    let with = |columns: Vec<Expr>| keys().into_iter().chain(columns).collect::<Vec<_>>();
    let in_order = || vec![ident(AT).sort(true, false)];

    let (mut columns, mut shown_keys) = (vec![], vec![]);
    for ((_, column), name) in by.iter().zip(&by_names) {
        let key = Expr::Column(column.clone());
        shown_keys.push(cast(ident(name), key.get_type(odd.schema())?).alias(name));
        columns.push(through_windows(key, odd.schema())?.alias(name));
    }
    columns.push(time.alias(AT));
    let next = over(lead_udwf(), vec![ident(AT)], keys(), in_order(), None).alias(NEXT);
    let events = LogicalPlanBuilder::from(odd)
        .project(columns)?
        .filter(ident(AT).is_not_null())?
        .aggregate(with(vec![ident(AT)]), [count(lit(1_i64)).alias(EVENTS)])?
        .window([next])?;

    // Where the number of events that are near changes, where an event is, and where the next one becomes the nearest.
    let point = |at: Expr, delta: Expr, odd: Expr| {
        named_struct(vec![lit("at"), at, lit("delta"), delta, lit("odd"), odd])
    };
    let none = || lit(ScalarValue::Int64(None));
    let begin = greatest(vec![ident(AT), lit(i64::MIN + within)]) - lit(within);
    let end = least(vec![ident(AT), lit(i64::MAX - within - 1)]) + lit(within + 1);
    let turn =
        when(ident(NEXT).is_not_null(), middle(ident(AT), ident(NEXT)) + lit(1_i64)).otherwise(ident(AT))?;
    let points = make_array(vec![
        point(begin, ident(EVENTS), none()),
        point(ident(AT), lit(0_i64), ident(AT)),
        point(turn, lit(0_i64), none()),
        point(end, lit(0_i64) - ident(EVENTS), none()),
    ]);
    let points = events
        .project(with(vec![points.alias(POINTS)]))?
        .unnest_column(Column::from_name(POINTS))?
        .project(with(
            [("at", AT), ("delta", DELTA), ("odd", ODD)]
                .into_iter()
                .map(|(field, name)| get_field(ident(POINTS), field).alias(name))
                .collect(),
        ))?;

    let up_to_here = || {
        let first = WindowFrameBound::Preceding(ScalarValue::UInt64(None));
        Some(WindowFrame::new_bounds(WindowFrameUnits::Rows, first, WindowFrameBound::CurrentRow))
    };
    let from_here = {
        let last = WindowFrameBound::Following(ScalarValue::UInt64(None));
        Some(WindowFrame::new_bounds(WindowFrameUnits::Rows, WindowFrameBound::CurrentRow, last))
    };
    let segments = points
        .aggregate(with(vec![ident(AT)]), [sum(ident(DELTA)).alias(DELTA), max(ident(ODD)).alias(ODD)])?
        .window([
            over(sum_udaf(), vec![ident(DELTA)], keys(), in_order(), up_to_here()).alias(EVENTS),
            over(max_udaf(), vec![ident(ODD)], keys(), in_order(), up_to_here()).alias(BEFORE),
            over(min_udaf(), vec![ident(ODD)], keys(), in_order(), from_here).alias(AFTER),
            over(lead_udwf(), vec![ident(AT)], keys(), in_order(), None).alias(END),
        ])?
        .filter(ident(EVENTS).gt(lit(0_i64)).and(ident(END).is_not_null()))?;

    let nearest = when(ident(AFTER).is_null(), ident(BEFORE))
        .when(ident(BEFORE).is_null(), ident(AFTER))
        .when(ident(AT).lt_eq(middle(ident(BEFORE), ident(AFTER))), ident(BEFORE))
        .otherwise(ident(AFTER))?;
    let buckets =
        gen_series(bucket(ident(AT), within)?, bucket(ident(END) - lit(1_i64), within)?, lit(1_i64));
    segments
        .project(with(vec![
            ident(AT),
            ident(END),
            ident(EVENTS),
            nearest.alias(NEAREST),
            buckets.alias(BUCKETS),
        ]))?
        .unnest_column(Column::from_name(BUCKETS))?
        .project(shown_keys.into_iter().chain([
            ident(AT),
            ident(END),
            ident(EVENTS),
            ident(NEAREST),
            ident(BUCKETS).alias(BUCKET),
        ]))?
        .alias(SEGMENTS)?
        .build()
}

/// The middle of two numbers, rounded down. The sum of two may go beyond 64 bits, their bits do not.
fn middle(one: Expr, other: Expr) -> Expr {
    let bits = |left: Expr, op: Operator, right: Expr| {
        Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
    };
    let both = bits(one.clone(), Operator::BitwiseAnd, other.clone());
    let either = bits(one, Operator::BitwiseXor, other);
    both + bits(either, Operator::BitwiseShiftRight, lit(1_i64))
}

/// The bucket of a time: the quotient by the length of a range, rounded down also below 0.
fn bucket(at: Expr, within: i64) -> Result<Expr> {
    let length = || lit(within + 1);
    let below = lit(-1_i64) - (lit(-1_i64) - at.clone()) / length();
    when(at.clone().gt_eq(lit(0_i64)), at / length()).otherwise(below)
}
