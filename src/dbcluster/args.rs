//! SQL arguments become a checked [`ClusterSpec`]. Every error about them is made here, once.
//!
//! Both forms of a call ([`table`](super::table) and [`relation`](super::relation)) hand over what was written
//! as a [`Call`]: an input plan, the features as SQL, the options by name. [`ClusterSpec::try_new`] is the only
//! way to a specification, and nothing behind it checks again.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;
use datafusion::common::{
    Column, DFSchema, DataFusionError, Result, ScalarValue, plan_datafusion_err, plan_err,
};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::sqlparser::ast::{self, visit_expressions_mut};
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::feature::{is_feature_type, make_it_a_number};
use crate::window::{params, scaling_names};

/// The table functions that cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableFunction {
    /// One row per cluster and one per noise event.
    Dbcluster,
    /// Every input row with its cluster.
    DbclusterMembers,
}

impl TableFunction {
    pub(crate) const ALL: [Self; 2] = [Self::Dbcluster, Self::DbclusterMembers];

    /// The SQL name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dbcluster => "dbcluster",
            Self::DbclusterMembers => "dbcluster_members",
        }
    }

    /// The function of this name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// Names of the columns that the function adds to the input's.
    fn output_columns(self, has_time: bool) -> &'static [&'static str] {
        match (self, has_time) {
            (Self::Dbcluster, true) => {
                &[CLUSTERED, CLUSTER_ID, CLUSTER_SIZE, FIRST_EVENT_TIME, LAST_EVENT_TIME]
            }
            (Self::Dbcluster, false) => &[CLUSTERED, CLUSTER_ID, CLUSTER_SIZE],
            (Self::DbclusterMembers, _) => &[CLUSTER_ID, POINT_TYPE],
        }
    }
}

pub(crate) const CLUSTERED: &str = "clustered";
pub(crate) const CLUSTER_ID: &str = "cluster_id";
pub(crate) const CLUSTER_SIZE: &str = "cluster_size";
pub(crate) const FIRST_EVENT_TIME: &str = "first_event_time";
pub(crate) const LAST_EVENT_TIME: &str = "last_event_time";
pub(crate) const POINT_TYPE: &str = "point_type";

/// What a feature that has no place among numbers does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Error,
    Zero,
    Skip,
}

impl Nulls {
    const ALL: [Self; 3] = [Self::Error, Self::Zero, Self::Skip];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Zero => "zero",
            Self::Skip => "skip",
        }
    }
}

/// An option's name; what it takes stands in [`ClusterSpec::try_new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OptionName {
    Eps,
    MinSamples,
    TimeColumn,
    OrderBy,
    Scaling,
    Nulls,
}

impl OptionName {
    const ALL: [Self; 6] =
        [Self::Eps, Self::MinSamples, Self::TimeColumn, Self::OrderBy, Self::Scaling, Self::Nulls];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Eps => "eps",
            Self::MinSamples => "min_samples",
            Self::TimeColumn => "time_column",
            Self::OrderBy => "order_by",
            Self::Scaling => "scaling",
            Self::Nulls => "nulls",
        }
    }

    /// The option that is written as `name`, in any case.
    ///
    /// # Errors
    /// There is none: names the closest ones, and all.
    pub(crate) fn parse(function: TableFunction, name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|option| option.as_str().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            plan_datafusion_err!(
                "{}: there is no option '{name}'{}; options are {}",
                function.name(),
                did_you_mean(name, &names),
                names.join(", ")
            )
        })
    }
}

/// One feature as it was written.
#[derive(Debug, Clone)]
pub(crate) struct WrittenFeature {
    pub(crate) sql: ast::Expr,
    /// The name that was given with AS or as a key; it is already normalised.
    pub(crate) alias: Option<String>,
}

/// A call as it was written, options in the order of writing.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: TableFunction,
    pub(crate) input: LogicalPlan,
    pub(crate) features: Vec<WrittenFeature>,
    pub(crate) options: Vec<(OptionName, ast::Expr)>,
}

/// `error` with the function's name before it: it comes from a place that does not know who asked.
pub(crate) fn said_by(function: &str, error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::Plan(text) => DataFusionError::Plan(format!("{function}: {text}")),
        other => other.context(function.to_string()),
    }
}

/// How the host plans SQL expressions.
pub(crate) trait SqlPlanner {
    /// `sql` over columns of `schema`.
    fn plan_expr(&mut self, sql: ast::Expr, schema: &DFSchema) -> Result<Expr>;
    /// The name that an identifier stands for under the session's rules.
    fn normalize(&self, ident: ast::Ident) -> String;
    /// The session's SQL dialect.
    fn dialect(&self) -> Result<Box<dyn Dialect>>;
}

/// A feature that is known to be a number.
#[derive(Debug, Clone)]
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    /// A column of the input under its own name: it is in the output already.
    pub(crate) is_input_column: bool,
}

/// A checked call: everything that the rewrite needs, and nothing that could still be wrong but the data.
#[derive(Debug, Clone)]
pub(crate) struct ClusterSpec {
    pub(crate) function: TableFunction,
    /// The rows to cluster. All columns have a qualifier.
    pub(crate) input: LogicalPlan,
    pub(crate) features: Vec<Feature>,
    pub(crate) eps: f64,
    pub(crate) min_samples: i64,
    pub(crate) time_column: Option<Column>,
    pub(crate) order_by: Vec<Expr>,
    pub(crate) scaling: String,
    pub(crate) nulls: Nulls,
}

impl ClusterSpec {
    /// Checks a call.
    ///
    /// # Errors
    /// Whatever is wrong with it, told to the person who wrote it: the option, the value, what is allowed.
    pub(crate) fn try_new(call: Call, planner: &mut dyn SqlPlanner) -> Result<Self> {
        let Call { function, input, features, options } = call;
        let name = function.name();
        check_repeatable(name, &input)?;
        let schema = input.schema().as_ref();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        if features.is_empty() {
            return plan_err!(
                "{name}: no features were given; name at least one, as in [cmdline_tokens(CommandLine)]"
            );
        }
        let features = features
            .into_iter()
            .map(|feature| plan_feature(name, feature, schema, planner))
            .collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
        if let Some(twice) = first_duplicate(&names) {
            return plan_err!(
                "{name}: two features are named '{twice}'; give one of them another name with AS"
            );
        }

        let (mut eps, mut min_samples) = (None, 2);
        let (mut time_column, mut order_by) = (default_time_column(schema), vec![]);
        let (mut scaling, mut nulls) = ("l2".to_string(), Nulls::Error);
        for (index, (option, value)) in options.iter().enumerate() {
            let option_name = option.as_str();
            if options[..index].iter().any(|(earlier, _)| earlier == option) {
                return plan_err!("{name}: option {option_name} was given twice");
            }
            match option {
                OptionName::Eps => eps = Some(number(name, option_name, value, planner)?),
                OptionName::MinSamples => min_samples = whole_number(name, option_name, value, planner)?,
                OptionName::TimeColumn => time_column = plan_time_column(name, value, schema, planner)?,
                OptionName::OrderBy => order_by = plan_order_by(name, value, schema, planner)?,
                OptionName::Scaling => {
                    scaling = one_of(name, option_name, value, planner, scaling_names())?.to_string();
                }
                OptionName::Nulls => {
                    let chosen = one_of(name, option_name, value, planner, &Nulls::ALL.map(Nulls::name))?;
                    nulls =
                        Nulls::ALL.into_iter().find(|nulls| nulls.name() == chosen).unwrap_or(Nulls::Error);
                }
            }
        }
        let Some(eps) = eps else {
            return plan_err!(
                "{name}: eps is missing; give the largest distance of neighbours, as in eps => 0.0001"
            );
        };
        params(name, eps, min_samples)?;

        let outputs = function.output_columns(time_column.is_some());
        for output in outputs {
            if columns.contains(output) || names.contains(output) {
                return plan_err!(
                    "{name}: the input has a column '{output}', which is a column of the result; leave it out with \
                     (SELECT * EXCEPT ({output}) FROM ...), or rename it"
                );
            }
        }
        if function == TableFunction::Dbcluster
            && let Some(feature) =
                features.iter().find(|f| !f.is_input_column && columns.contains(&f.name.as_str()))
        {
            return plan_err!(
                "{name}: the feature '{0}' has the name of a column of the input; give it another name with AS",
                feature.name
            );
        }
        Ok(Self { function, input, features, eps, min_samples, time_column, order_by, scaling, nulls })
    }

    /// The first keys of the canonical order; the features and the remaining columns follow.
    pub(crate) fn order_keys(&self) -> Vec<Expr> {
        if self.order_by.is_empty() {
            self.time_column.iter().cloned().map(Expr::Column).collect()
        } else {
            self.order_by.clone()
        }
    }
}

/// A comma-separated list in one string, as in `'a, f(b) AS path'`: features or order keys.
///
/// # Errors
/// A piece that is no SQL expression.
pub(crate) fn parse_list(
    function: &str,
    what: &str,
    text: &str,
    schema: &DFSchema,
    planner: &dyn SqlPlanner,
) -> Result<Vec<WrittenFeature>> {
    let dialect = planner.dialect()?;
    split_list(text)
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            // A column's name to the letter needs no quotes, even where it is no SQL identifier.
            if has_column(schema, piece) {
                let sql = ast::Expr::Identifier(ast::Ident::with_quote('"', piece));
                return Ok(WrittenFeature { sql, alias: None });
            }
            let mut parser = Parser::new(dialect.as_ref())
                .try_with_sql(piece)
                .map_err(|e| unreadable(function, what, piece, &e))?;
            let item = parser.parse_select_item().map_err(|e| unreadable(function, what, piece, &e))?;
            if parser.peek_token().token != Token::EOF {
                return plan_err!(
                    "{function}: can't read {what} '{piece}' behind '{item}'; separate items with commas"
                );
            }
            match item {
                ast::SelectItem::UnnamedExpr(sql) => Ok(WrittenFeature { sql, alias: None }),
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    Ok(WrittenFeature { sql: expr, alias: Some(planner.normalize(alias)) })
                }
                _ => plan_err!("{function}: {what} '{piece}' names no column; list the columns one by one"),
            }
        })
        .collect()
}

fn unreadable(function: &str, what: &str, piece: &str, error: &dyn std::fmt::Display) -> DataFusionError {
    plan_datafusion_err!("{function}: can't read {what} '{piece}': {error}")
}

/// Cuts at the commas that stand outside of quotes and brackets.
fn split_list(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (position, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth <= 0 => {
                pieces.push(text[start..position].trim());
                start = position + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[start..].trim());
    pieces
}

fn plan_feature(
    function: &str,
    written: WrittenFeature,
    schema: &DFSchema,
    planner: &mut dyn SqlPlanner,
) -> Result<Feature> {
    let text = match &written.sql {
        ast::Expr::Identifier(ident) => ident.value.clone(),
        sql => sql.to_string(),
    };
    let expr = plan_over(function, &text, written.sql, schema, planner)?;
    let data_type = expr.get_type(schema)?;
    if !is_feature_type(&data_type) {
        return plan_err!(
            "{function}: feature '{text}' is {data_type}, expected a number; {}",
            make_it_a_number(&text, &data_type)
        );
    }
    Ok(match (&expr, written.alias) {
        (Expr::Column(column), alias) if alias.as_ref().is_none_or(|alias| *alias == column.name) => {
            Feature { name: column.name.clone(), expr, is_input_column: true }
        }
        (_, alias) => Feature { name: alias.unwrap_or(text), expr, is_input_column: false },
    })
}

/// Plans an expression of the call over the input's columns; it has to be a function of one row.
fn plan_over(
    function: &str,
    text: &str,
    mut sql: ast::Expr,
    schema: &DFSchema,
    planner: &mut dyn SqlPlanner,
) -> Result<Expr> {
    quote_exact_names(&mut sql, schema);
    let expr = planner.plan_expr(sql, schema)?;
    let mut reason = None;
    expr.apply(|node| {
        reason = match node {
            Expr::AggregateFunction(_) => Some("aggregates rows: aggregate in a subquery first"),
            Expr::WindowFunction(_) => Some("is a window function: compute it in a subquery first"),
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                Some("holds a subquery: join it in a subquery first")
            }
            node if node.is_volatile_node() => {
                Some("gives another value each time, but the rows are read twice: store it in a table first")
            }
            _ => None,
        };
        Ok(if reason.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    match reason {
        Some(reason) => plan_err!("{function}: '{text}' {reason}"),
        None => Ok(expr),
    }
}

/// A plain name that matches a column to the letter is that column, whatever the session does to identifiers.
fn quote_exact_names(sql: &mut ast::Expr, schema: &DFSchema) {
    let _: ControlFlow<()> = visit_expressions_mut(sql, |node| {
        let ident = match node {
            ast::Expr::Identifier(ident) => Some(ident),
            ast::Expr::CompoundIdentifier(idents) => idents.last_mut(),
            _ => None,
        };
        if let Some(ident) = ident
            && ident.quote_style.is_none()
            && has_column(schema, &ident.value)
        {
            ident.quote_style = Some('"');
        }
        ControlFlow::Continue(())
    });
}

fn has_column(schema: &DFSchema, name: &str) -> bool {
    schema.fields().iter().any(|field| field.name() == name)
}

/// The first column of a timestamp or date type.
fn default_time_column(schema: &DFSchema) -> Option<Column> {
    schema
        .iter()
        .find(|(_, field)| {
            matches!(field.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
        })
        .map(Column::from)
}

fn plan_time_column(
    function: &str,
    value: &ast::Expr,
    schema: &DFSchema,
    planner: &mut dyn SqlPlanner,
) -> Result<Option<Column>> {
    let sql = match value {
        ast::Expr::Value(value) if matches!(value.value, ast::Value::Null) => return Ok(None),
        _ => match string_literal(value) {
            Some(name) => ast::Expr::Identifier(ast::Ident::with_quote('"', name)),
            None => value.clone(),
        },
    };
    match plan_over(function, &sql.to_string(), sql, schema, planner)? {
        Expr::Column(column) => Ok(Some(column)),
        other => plan_err!(
            "{function}: time_column is {other}, expected a column; compute it in a subquery and name it there"
        ),
    }
}

fn plan_order_by(
    function: &str,
    value: &ast::Expr,
    schema: &DFSchema,
    planner: &mut dyn SqlPlanner,
) -> Result<Vec<Expr>> {
    let items: Vec<ast::Expr> = match value {
        ast::Expr::Array(array) => array.elem.clone(),
        ast::Expr::Tuple(items) => items.clone(),
        other => vec![other.clone()],
    };
    let mut keys = vec![];
    for item in items {
        let written = match string_literal(&item) {
            Some(text) => parse_list(function, "order_by", text, schema, planner)?,
            None => vec![WrittenFeature { sql: item, alias: None }],
        };
        for WrittenFeature { sql, .. } in written {
            keys.push(plan_over(function, &sql.to_string(), sql, schema, planner)?);
        }
    }
    if keys.is_empty() {
        return plan_err!("{function}: order_by is empty, expected a column or a list of columns");
    }
    Ok(keys)
}

/// The text of a string constant.
pub(crate) fn string_literal(sql: &ast::Expr) -> Option<&str> {
    match sql {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::SingleQuotedString(text)
            | ast::Value::EscapedStringLiteral(text)
            | ast::Value::DollarQuotedString(ast::DollarQuotedString { value: text, .. }) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn constant(
    function: &str,
    option: &str,
    sql: &ast::Expr,
    planner: &mut dyn SqlPlanner,
) -> Result<ScalarValue> {
    let not_constant = || plan_datafusion_err!("{function}: {option} is {sql}, expected a constant");
    let expr = planner.plan_expr(sql.clone(), &DFSchema::empty()).map_err(|_| not_constant())?;
    match ExprSimplifier::new(SimplifyContext::default()).simplify(expr)? {
        Expr::Literal(value, _) => Ok(value),
        _ => Err(not_constant()),
    }
}

fn number(function: &str, option: &str, sql: &ast::Expr, planner: &mut dyn SqlPlanner) -> Result<f64> {
    let value = constant(function, option, sql, planner)?;
    if value.data_type().is_numeric()
        && let ScalarValue::Float64(Some(number)) = value.cast_to(&DataType::Float64)?
    {
        return Ok(number);
    }
    plan_err!("{function}: {option} is {sql}, expected a number")
}

fn whole_number(function: &str, option: &str, sql: &ast::Expr, planner: &mut dyn SqlPlanner) -> Result<i64> {
    let value = constant(function, option, sql, planner)?;
    if value.data_type().is_integer()
        && let Ok(ScalarValue::Int64(Some(number))) = value.cast_to(&DataType::Int64)
    {
        return Ok(number);
    }
    plan_err!("{function}: {option} is {sql}, expected a whole number from 1")
}

fn one_of<'a>(
    function: &str,
    option: &str,
    sql: &ast::Expr,
    planner: &mut dyn SqlPlanner,
    allowed: &[&'a str],
) -> Result<&'a str> {
    // A bare word is as clear as a string: scaling => none.
    let value = match sql {
        ast::Expr::Identifier(ident) => ident.value.clone(),
        _ => match constant(function, option, sql, planner)?.try_as_str().flatten() {
            Some(text) => text.to_string(),
            None => return plan_err!("{function}: {option} is {sql}, expected one of {}", quoted(allowed)),
        },
    };
    allowed.iter().copied().find(|name| name.eq_ignore_ascii_case(&value)).ok_or_else(|| {
        plan_datafusion_err!(
            "{function}: {option} is '{value}', expected one of {}{}",
            quoted(allowed),
            did_you_mean(&value, allowed)
        )
    })
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

/// `, did you mean ...?` with the names that are close to `name`, or nothing.
pub(crate) fn did_you_mean(name: &str, candidates: &[impl AsRef<str>]) -> String {
    let lower = name.to_lowercase();
    let mut close: Vec<(f64, &str)> = candidates
        .iter()
        .map(AsRef::as_ref)
        .map(|candidate| (normalized_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= 0.5)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    close.dedup_by_key(|(_, name)| *name);
    match close.as_slice() {
        [] => String::new(),
        close => {
            let names: Vec<String> = close.iter().take(3).map(|(_, name)| format!("'{name}'")).collect();
            format!(" (did you mean {}?)", names.join(" or "))
        }
    }
}

fn first_duplicate<'a>(names: &[&'a str]) -> Option<&'a str> {
    names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)).map(|(_, name)| *name)
}

/// The rows are read twice, so both reads have to see the same ones.
fn check_repeatable(function: &str, input: &LogicalPlan) -> Result<()> {
    let mut reason = None;
    input.apply_with_subqueries(|node| {
        if node.expressions().iter().any(Expr::is_volatile) {
            reason = Some("has an expression that gives another value each time, such as random()");
        } else if let LogicalPlan::Limit(limit) = node
            && !is_sorted(&limit.input)
        {
            reason = Some("has a LIMIT without ORDER BY, which may choose other rows each time");
        }
        Ok(if reason.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    match reason {
        Some(reason) => plan_err!(
            "{function}: the input {reason}, but its rows are read twice; store it first with CREATE TABLE ... AS \
             SELECT ..., and cluster that"
        ),
        None => Ok(()),
    }
}

fn is_sorted(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(projection) => is_sorted(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_sorted(&alias.input),
        _ => false,
    }
}
