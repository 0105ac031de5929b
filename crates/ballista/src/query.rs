//! The operator that runs a query on a cluster.
//!
//! Ballista's own operator sends a query and reads its answer. [`ClusterExec`] wraps it and does what it doesn't:
//!
//! - It asks the scheduler in intervals for the progress of the query, and shows it as metrics.
//! - If its rows are dropped before their end, it cancels the query on the cluster.
//! - An answer counts only if every executor stayed and no task failed. When an executor is lost, Ballista runs the tasks
//!   again whose output has gone; but in version 55 its adaptive planner then waits forever, and its other planner takes the
//!   output of some tasks twice. So the query is cancelled and sent again, some times, before anybody has seen a row. A
//!   query that writes files is not sent again, but fails.
//! - It sends the query again, too, if the scheduler has nothing else to do and gives out no task.
//! - It fails if the cluster has no executor.
//! - It checks that the files which are read twice stayed the same, see [`file_versions`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use ballista_core::JobId;
use ballista_core::config::BallistaConfig;
use ballista_core::execution_plans::DistributedQueryExec;
use ballista_core::serde::BallistaLogicalExtensionCodec;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{CancelJobParams, GetJobStatusParams};
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::config::OptimizerOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, Gauge, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datafusion_proto::protobuf::LogicalPlanNode;
use futures::StreamExt;
use log::warn;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

use super::failure;
use super::file_versions;
use super::rest::{Progress, RestClient};
use datafusion_dbcluster::distributed::assumes_few_rows;
use datafusion_dbcluster::file_versions::FileVersions;

/// A query that loses executors is sent this many times.
const ATTEMPTS: usize = 3;

/// The scheduler is asked in this interval for the progress of a query.
const INTERVAL: Duration = Duration::from_millis(500);

/// A query waits this long for the first executor.
const WITHOUT_EXECUTORS: Duration = Duration::from_secs(30);

/// A query on an otherwise idle cluster may have no running task for this long.
const STUCK: Duration = Duration::from_secs(20);

/// Batches that may wait for the reader of the answer.
const BATCHES_AHEAD: usize = 2;

/// A query that is dropped is cancelled within this time: a busy scheduler plans it first, and can't be told to stop meanwhile.
/// A program that ends earlier leaves it running.
pub const CANCEL_PATIENCE: Duration = Duration::from_secs(20);

/// A query that is to be cancelled waits this long for its name, which it is cancelled by, and looks for it in the interval.
const NAME_PATIENCE: Duration = Duration::from_secs(10);
const NAME_INTERVAL: Duration = Duration::from_millis(10);

/// A query is told to stop in this interval until it does.
const CANCEL_INTERVAL: Duration = Duration::from_millis(100);

/// The percentage of rows that planners are made to expect behind a filter by `__assume_few_rows`. Two of these filters stand
/// before the join with the events, so planners expect one vector in 10,000 events, and send the clusters to all tasks, even
/// if they are more.
const FEW: u8 = 1;

/// The setting of the planner that plans later stages when earlier ones have been measured.
const ADAPTIVE: &str = "ballista.planner.adaptive.enabled";

/// Ballista's operator that sends a logical plan to the cluster.
type Query = DistributedQueryExec<LogicalPlanNode>;

/// Runs a logical plan on a cluster: sends it, shows its progress as metrics, sends it again if executors are lost, and
/// cancels it when its rows are dropped.
#[derive(Debug, Clone)]
pub struct ClusterExec {
    plan: LogicalPlan,
    scheduler: String,
    session_id: String,
    properties: Arc<PlanProperties>,
    files: FileVersions,
    /// Whether there are filters that mean few rows.
    assumes_few_rows: bool,
    /// Whether a join reads through a LIMIT, which the adaptive planner gets wrong.
    joins_limited: bool,
    /// The query that was sent last.
    sent: Arc<Mutex<Option<Arc<Query>>>>,
    metrics: ExecutionPlanMetricsSet,
}

impl ClusterExec {
    /// Makes the operator for a plan that the cluster of this scheduler can run. Notes the files that the plan reads twice.
    pub(super) async fn try_new(
        plan: &LogicalPlan,
        scheduler: String,
        session: &dyn Session,
    ) -> Result<Self> {
        let query = ballista_query(plan, &scheduler, session.session_id());
        Ok(Self {
            properties: Arc::clone(query.properties()),
            files: file_versions::files_read_twice(plan, session).await?,
            assumes_few_rows: assumes_few_rows(plan)?,
            joins_limited: joins_limited(plan)?,
            plan: plan.clone(),
            scheduler,
            session_id: session.session_id().to_string(),
            sent: Arc::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The context with the settings that this query needs on a cluster.
    fn with_settings(&self, context: &Arc<TaskContext>) -> Result<Arc<TaskContext>> {
        let mut config = context.session_config().clone();
        let options = config.options_mut();
        // A setting of the user's own stays.
        let selectivity = &mut options.optimizer.default_filter_selectivity;
        if self.assumes_few_rows && *selectivity == OptimizerOptions::default().default_filter_selectivity {
            *selectivity = FEW;
        }
        if self.joins_limited {
            options.set(ADAPTIVE, "false")?;
        }
        Ok(Arc::new(TaskContext::new(
            context.task_id(),
            context.session_id(),
            config,
            context.scalar_functions().clone(),
            context.higher_order_functions().clone(),
            context.aggregate_functions().clone(),
            context.window_functions().clone(),
            context.runtime_env(),
        )))
    }

    /// The name of the query on the cluster, once it has one.
    pub fn job_id(&self) -> Option<JobId> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.job_id()
    }

    /// The address of the scheduler, such as `http://localhost:50050`.
    pub fn scheduler(&self) -> &str {
        &self.scheduler
    }
}

/// Whether a join reads rows through a LIMIT. The adaptive planner of Ballista 55 gives such a query no rows.
fn joins_limited(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if matches!(node, LogicalPlan::Join(_)) {
            node.apply_with_subqueries(|below| {
                found |= match below {
                    LogicalPlan::Limit(_) => true,
                    LogicalPlan::Sort(sort) => sort.fetch.is_some(),
                    _ => false,
                };
                Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })?;
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn ballista_query(plan: &LogicalPlan, scheduler: &str, session_id: &str) -> Query {
    Query::with_extension(
        scheduler.to_string(),
        BallistaConfig::default(),
        plan.clone(),
        Arc::new(BallistaLogicalExtensionCodec::default()),
        session_id.to_string(),
    )
}

impl DisplayAs for ClusterExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "ClusterExec: scheduler={}", self.scheduler)
            }
            DisplayFormatType::TreeRender => writeln!(f, "scheduler={}", self.scheduler),
        }
    }
}

impl ExecutionPlan for ClusterExec {
    fn name(&self) -> &'static str {
        "ClusterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let context = self.with_settings(&context)?;
        let mut rows = RecordBatchReceiverStream::builder(self.schema(), BATCHES_AHEAD);
        let run = QueryRun {
            exec: self.clone(),
            partition,
            context,
            rest: RestClient::new(self.scheduler.clone()),
            shown: ProgressMetrics::new(&self.metrics, partition),
            rows: rows.tx(),
        };
        rows.spawn(run.run());
        Ok(rows.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// The progress of the query as metrics of the operator.
struct ProgressMetrics {
    stages: Gauge,
    stages_done: Gauge,
    tasks: Gauge,
    tasks_done: Gauge,
}

impl ProgressMetrics {
    fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let gauge = |name: &'static str| MetricBuilder::new(metrics).gauge(name, partition);
        Self {
            stages: gauge("stages"),
            stages_done: gauge("stages_done"),
            tasks: gauge("tasks"),
            tasks_done: gauge("tasks_done"),
        }
    }

    fn set(&self, progress: Progress) {
        self.stages.set(progress.stages);
        self.stages_done.set(progress.stages_done);
        self.tasks.set(progress.tasks);
        self.tasks_done.set(progress.tasks_done);
    }
}

/// The reason for which the answer of an attempt does not count.
struct Lost(String);

/// One run of the operator.
struct QueryRun {
    exec: ClusterExec,
    partition: usize,
    context: Arc<TaskContext>,
    rest: RestClient,
    shown: ProgressMetrics,
    rows: Sender<Result<RecordBatch>>,
}

impl QueryRun {
    async fn run(self) -> Result<()> {
        let mut attempt = 1;
        let (first, answer) = loop {
            match self.attempt().await? {
                Ok(answer) => break answer,
                Err(Lost(why)) if self.writes() => {
                    return exec_err!(
                        "{why} while the query wrote: what is there may be written twice or in part; remove it and run the query again"
                    );
                }
                Err(Lost(why)) if attempt == ATTEMPTS => {
                    return exec_err!(
                        "{why}, and the query was sent {ATTEMPTS} times; run it again when the cluster is at rest"
                    );
                }
                Err(Lost(why)) => {
                    attempt += 1;
                    warn!("{why}: the query is sent again ({attempt} of {ATTEMPTS})");
                }
            }
        };
        let mut answer = answer;
        let mut next = first;
        while let Some(batch) = next {
            if self.rows.send(Ok(batch)).await.is_err() {
                return Ok(());
            }
            next = answer.next().await.transpose()?;
        }
        self.exec.files.check().await
    }

    /// Whether the query writes files.
    fn writes(&self) -> bool {
        matches!(self.exec.plan, LogicalPlan::Copy(_) | LogicalPlan::Dml(_))
    }

    /// Sends the query, and waits for its first rows; none if it has no rows.
    async fn attempt(&self) -> Result<Result<(Option<RecordBatch>, Answer), Lost>> {
        let before = self.rest.executors().await;
        let tells = before.is_some();
        let before = before.unwrap_or_default();
        let mut answer = Answer::begin(self)?;
        let mut unheeded = Instant::now();
        let (mut seen, mut moved) = (Progress::default(), Instant::now());
        let first = loop {
            tokio::select! {
                biased;
                first = answer.next() => break first,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            if let Some(executors) = self.rest.executors().await {
                if let Some(lost) = lost(&before, &executors) {
                    return Ok(Err(lost));
                }
                if !executors.is_empty() {
                    unheeded = Instant::now();
                } else if unheeded.elapsed() < WITHOUT_EXECUTORS {
                    moved = Instant::now();
                } else {
                    return exec_err!(
                        "the cluster of {} has no executor: start one with dbcluster-executor, whose --scheduler-host and --scheduler-port \
                         say where the scheduler is",
                        self.exec.scheduler
                    );
                }
            }
            let Some(job) = answer.query.job_id() else { continue };
            let Some(progress) = self.rest.progress(&job).await else { continue };
            self.shown.set(progress);
            if progress != seen || progress.is_at_work() {
                (seen, moved) = (progress, Instant::now());
            } else if moved.elapsed() > STUCK {
                // Other queries may have all executors.
                if self.rest.is_alone().await == Some(true) {
                    return Ok(Err(Lost(format!(
                        "the scheduler has stopped giving out tasks of the query {job}"
                    ))));
                }
                moved = Instant::now();
            }
        };
        // A scheduler that noticed the loss of an executor before the end has begun to run tasks again.
        let executors = self.rest.executors().await;
        if let Some(executors) = &executors
            && let Some(lost) = lost(&before, executors)
        {
            return Ok(Err(lost));
        }
        let first = first.transpose()?;
        let Some(job) = answer.query.job_id() else { return Ok(Ok((first, answer))) };
        match self.rest.progress(&job).await {
            Some(progress) if progress.tasks_failed > 0 => {
                let lost = format!("{} task(s) of the query {job} were lost", progress.tasks_failed);
                return Ok(Err(Lost(lost)));
            }
            Some(progress) => self.shown.set(progress),
            None if tells => {
                return Ok(Err(Lost(format!("the scheduler no longer tells how the query {job} went"))));
            }
            None => {}
        }
        Ok(Ok((first, answer)))
    }
}

/// The loss, if one of the executors has gone.
fn lost(before: &BTreeSet<String>, now: &BTreeSet<String>) -> Option<Lost> {
    let lost: Vec<&str> = before.difference(now).map(String::as_str).collect();
    (!lost.is_empty()).then(|| Lost(format!("the cluster has lost the executor {}", lost.join(", "))))
}

/// The rows of a query, which is cancelled if they are dropped before their end.
struct Answer {
    /// The rows; none after their end.
    stream: Option<SendableRecordBatchStream>,
    query: Arc<Query>,
    scheduler: String,
    /// Whether the scheduler may have heard of the query.
    was_sent: bool,
}

impl Answer {
    fn begin(run: &QueryRun) -> Result<Self> {
        let exec = &run.exec;
        let query = Arc::new(ballista_query(&exec.plan, &exec.scheduler, &exec.session_id));
        *exec.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&query));
        let stream = query.execute(run.partition, Arc::clone(&run.context))?;
        Ok(Self { stream: Some(stream), query, scheduler: exec.scheduler.clone(), was_sent: false })
    }

    async fn next(&mut self) -> Option<Result<RecordBatch>> {
        self.was_sent = true;
        let next = self.stream.as_mut()?.next().await;
        if matches!(next, None | Some(Err(_))) {
            self.stream = None;
        }
        Some(next?.map_err(failure::with_innermost_message))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take().filter(|_| self.was_sent) else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let (query, scheduler) = (Arc::clone(&self.query), self.scheduler.clone());
        // The caller does not wait for the cancellation, and could do nothing about its failure.
        runtime.spawn(async move {
            if let Err(error) = cancel(stream, &query, scheduler).await {
                warn!("a query was not cancelled: {error}");
            }
        });
    }
}

async fn cancel(mut stream: SendableRecordBatchStream, query: &Query, scheduler: String) -> Result<()> {
    let started = Instant::now();
    // The scheduler names a query when it accepts it. Until then the stream has to be polled.
    let named = async {
        loop {
            match query.job_id() {
                Some(job) => return job,
                None => tokio::time::sleep(NAME_INTERVAL).await,
            }
        }
    };
    let job = tokio::select! {
        biased;
        job = named => job,
        () = async { while stream.next().await.is_some() {} } => return Ok(()),
        () = tokio::time::sleep(NAME_PATIENCE) => return Ok(()),
    };
    drop(stream);
    let failed = |error: &dyn fmt::Display| exec_datafusion_err!("{job}: {error}");
    let mut scheduler = SchedulerGrpcClient::connect(scheduler).await.map_err(|error| failed(&error))?;
    // A query that is still being planned ignores the request, so it is repeated.
    while started.elapsed() < CANCEL_PATIENCE {
        let params = CancelJobParams { job_id: job.to_string() };
        scheduler.cancel_job(params).await.map_err(|error| failed(&error))?;
        tokio::time::sleep(CANCEL_INTERVAL).await;
        let params = GetJobStatusParams { job_id: job.to_string() };
        let answer = scheduler.get_job_status(params).await.map_err(|error| failed(&error))?;
        let status = answer.into_inner().status.and_then(|status| status.status);
        if matches!(status, Some(Status::Failed(_) | Status::Successful(_))) {
            return Ok(());
        }
    }
    Err(failed(&"it still runs"))
}
