//! The engine's answer: one session per query, with settings of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::Result;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, WindowFunctionDefinition, lit};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable, execute_stream};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use datafusion_dbcluster::dbscan_udwf;
use fastrand::Rng;
use futures::StreamExt;

use super::arrays::values;
use super::query::{Form, Input, Query, Scalar};
use super::source::Source;
use super::statement::TABLE;
use super::table::Table;
use super::tables::{one, percent};
use super::value::Value;
use crate::support::{session_with, session_without_operators, session_without_planner};

/// No query of these tables takes longer.
const TIME_LIMIT: Duration = Duration::from_mins(1);

const PREFER_HASH_JOIN: &str = "datafusion.optimizer.prefer_hash_join";

/// Settings of a session that must not change an answer.
const OPTIONS: [(&str, &str); 21] = [
    (PREFER_HASH_JOIN, "false"),
    ("datafusion.optimizer.prefer_existing_sort", "true"),
    ("datafusion.optimizer.repartition_joins", "false"),
    ("datafusion.optimizer.repartition_aggregations", "false"),
    ("datafusion.optimizer.repartition_windows", "false"),
    ("datafusion.optimizer.repartition_sorts", "false"),
    ("datafusion.optimizer.repartition_file_min_size", "1"),
    ("datafusion.optimizer.enable_round_robin_repartition", "false"),
    ("datafusion.optimizer.enable_dynamic_filter_pushdown", "false"),
    ("datafusion.optimizer.filter_null_join_keys", "true"),
    ("datafusion.optimizer.hash_join_single_partition_threshold", "0"),
    ("datafusion.optimizer.hash_join_single_partition_threshold_rows", "0"),
    ("datafusion.optimizer.max_passes", "1"),
    ("datafusion.execution.collect_statistics", "false"),
    ("datafusion.execution.coalesce_batches", "false"),
    ("datafusion.execution.skip_partial_aggregation_probe_rows_threshold", "0"),
    ("datafusion.execution.skip_partial_aggregation_probe_ratio_threshold", "0"),
    ("datafusion.execution.parquet.pushdown_filters", "true"),
    ("datafusion.execution.parquet.reorder_filters", "true"),
    ("datafusion.execution.parquet.enable_page_index", "false"),
    ("datafusion.execution.parquet.schema_force_view_types", "false"),
];

#[derive(Debug, Clone)]
pub struct Settings {
    partitions: usize,
    batch_size: usize,
    pub options: Vec<(&'static str, &'static str)>,
    /// Without `DbscanExec`: the engine's own operator runs the window function.
    is_without_rule: bool,
    /// Filters and limits are applied to the clusters.
    is_pushed_down: bool,
}

impl Settings {
    pub fn random(rng: &mut Rng, query: &Query) -> Self {
        let of_one_thread = query.form == Form::Again && rng.bool();
        let mut settings = Self {
            partitions: if of_one_thread { 1 } else { one(rng, &[1, 2, 3, 4, 8]) },
            batch_size: one(rng, &[1, 2, 3, 7, 8192, 8192]),
            options: OPTIONS.into_iter().filter(|_| percent(rng, 8)).collect(),
            is_without_rule: percent(rng, 10),
            is_pushed_down: true,
        };
        if settings.is_without_rule {
            // The rule keeps the engine's sort-merge join away, which panics (https://github.com/apache/datafusion/issues/24414).
            settings.options.retain(|(name, _)| *name != PREFER_HASH_JOIN);
        }
        settings
    }

    /// As statements; what SQL can't set is a comment.
    pub fn statements(&self) -> Vec<String> {
        let options = self.options.iter().map(|(name, value)| format!("SET {name} = {value}"));
        let without_rule = self.is_without_rule.then(|| "-- without our physical rule".to_string());
        [
            format!("SET datafusion.execution.target_partitions = {}", self.partitions),
            format!("SET datafusion.execution.batch_size = {}", self.batch_size),
            self.push_down(),
        ]
        .into_iter()
        .chain(options)
        .chain(without_rule)
        .collect()
    }

    pub fn without_pushdown(&self) -> Self {
        Self { is_pushed_down: false, ..self.clone() }
    }

    fn push_down(&self) -> String {
        format!("SET dbcluster.enable_cluster_pushdown = {}", self.is_pushed_down)
    }

    fn session(&self, query: &Query) -> SessionContext {
        let mut config =
            SessionConfig::new().with_target_partitions(self.partitions).with_batch_size(self.batch_size);
        for (name, value) in &self.options {
            config.options_mut().set(name, value).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        match query.form {
            Form::Positional => session_without_planner(config),
            _ if self.is_without_rule => session_without_operators(config),
            _ => session_with(config),
        }
    }
}

/// A query over a table of a source, and the settings that it runs with.
#[derive(Debug, Clone)]
pub struct Case {
    pub table: Arc<Table>,
    pub source: Arc<Source>,
    pub folder: PathBuf,
    pub query: Query,
    pub settings: Settings,
}

/// The engine's answer.
#[derive(Debug, Clone)]
pub struct Got {
    pub columns: Vec<(String, DataType)>,
    pub rows: Vec<Vec<Value>>,
    /// The types of the input's columns, as the session knows them.
    pub input: Vec<(String, DataType)>,
}

/// Runs the query to its end. A panic and a query that takes too long are errors too.
pub async fn run(case: Case) -> Result<Got, String> {
    let task = SpawnedTask::spawn(async move { run_here(&case).await });
    match tokio::time::timeout(TIME_LIMIT, task.join()).await {
        Err(_) => Err(format!("no answer after {TIME_LIMIT:?}")),
        Ok(Err(panic)) => Err(format!("panicked: {panic}")),
        Ok(Ok(Err(error))) => Err(error.strip_backtrace()),
        Ok(Ok(Ok(got))) => Ok(got),
    }
}

async fn run_here(case: &Case) -> Result<Got> {
    let Case { table, source, folder, query, settings } = case;
    let mut ctx = settings.session(query);
    if matches!(query.input, Input::Path) {
        ctx = ctx.enable_url_table();
    }
    source.register(&ctx, TABLE, table, folder).await;
    ctx.sql(&settings.push_down()).await?;
    let mut statements = query.statements(&source.path(folder));
    let last = statements.pop().unwrap_or_default();
    for statement in statements {
        ctx.sql(&statement).await?.collect().await?;
    }
    let frame =
        if query.form == Form::DataFrame { data_frame(&ctx, query).await? } else { ctx.sql(&last).await? };
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = if query.form == Form::Again { run_again(frame).await? } else { frame.collect().await? };
    let input = match &query.input {
        Input::Path => format!("SELECT * FROM '{}'", source.path(folder)),
        Input::View(_) => "SELECT * FROM seen".to_string(),
        _ => format!("SELECT * FROM {TABLE}"),
    };
    let input = ctx.sql(&input).await?;
    Ok(Got {
        columns: columns(&schema),
        rows: rows(&batches),
        input: columns(&Arc::new(input.schema().as_arrow().clone())),
    })
}

fn columns(schema: &SchemaRef) -> Vec<(String, DataType)> {
    schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

pub fn rows(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut rows = vec![];
    for batch in batches {
        let columns: Vec<Vec<Value>> = batch.columns().iter().map(values).collect();
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|it| it[row].clone()).collect()));
    }
    rows
}

/// A plan may be run again, also where the first run was dropped on its way.
async fn run_again(frame: DataFrame) -> Result<Vec<RecordBatch>> {
    let context = Arc::new(frame.task_ctx());
    let mut plan = frame.clone().create_physical_plan().await?;
    let mut first = execute_stream(Arc::<dyn ExecutionPlan>::clone(&plan), Arc::clone(&context))?;
    first.next().await.transpose()?;
    drop(first);
    // The engine's joins, exchanges and scans of files keep state of the first run, which a reset takes away. A sort that keeps
    // the first rows has given the scan a filter that stays, so such a plan is made anew.
    let keeps_filter = displayable(plan.as_ref()).indent(false).to_string().contains("TopK");
    plan = if keeps_filter { frame.create_physical_plan().await? } else { reset_plan_states(plan)? };
    collect(plan, context).await
}

/// The window function by the API, and SQL over it.
async fn data_frame(ctx: &SessionContext, query: &Query) -> Result<DataFrame> {
    let frame = ctx.table(if matches!(query.input, Input::View(_)) { "seen" } else { TABLE }).await?;
    let expr = |scalar: &Scalar| frame.parse_sql_expr(&scalar.sql());
    let mut arguments = vec![lit(query.eps), lit(query.min_samples)];
    for feature in &query.features {
        arguments.push(expr(&feature.scalar)?);
    }
    let options = query.window_options();
    if !options.is_empty() {
        arguments.push(frame.parse_sql_expr(&options)?);
    }
    let function = WindowFunctionDefinition::WindowUDF(dbscan_udwf());
    let window = Expr::from(WindowFunction::new(function, arguments));
    let partition_by = query.partition_by.iter().map(expr).collect::<Result<Vec<_>>>()?;
    let order_by =
        query.order_by.iter().map(|key| Ok(expr(&key.scalar)?.sort(!key.descending, key.nulls_first)));
    let order_by = order_by.collect::<Result<Vec<_>>>()?;
    let window = window.partition_by(partition_by);
    let window = if order_by.is_empty() { window } else { window.order_by(order_by) };
    let window = window.build()?;
    let frame = frame.window(vec![window.alias("cluster_id")])?;
    ctx.register_table("answer", frame.into_view())?;
    ctx.sql(&query.select("", "answer")).await
}
