//! Which queries go to the cluster, and which parts of them stay here.
//!
//! A plan is sent as a whole, except for two things that the client does itself, over rows that come from the cluster:
//!
//! - Figures, which are pages for people.
//! - `UNION`, and the operators above it. Version 55 of Ballista takes rows twice, or waits forever, where a branch of a union
//!   has one partition, in both of its planners. So each branch is a query of its own.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::config::BallistaConfig;
use ballista_core::planner::{BallistaQueryPlanner, scans_only_information_schema};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, Result, plan_err};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::{ViewTable, source_as_provider};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode, UserDefinedLogicalNodeCore, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use datafusion_proto::protobuf::LogicalPlanNode;
use dbcluster_figures::Figure;

use super::partition_columns::are_dictionaries;
use super::query::ClusterExec;

/// Makes plans that run on the cluster of one scheduler.
#[derive(Debug)]
pub(super) struct ClusterPlanner {
    scheduler: String,
    ballista: BallistaQueryPlanner<LogicalPlanNode>,
}

impl ClusterPlanner {
    /// The planner for the scheduler at this address, such as `http://localhost:50050`.
    pub(super) fn new(scheduler: String) -> Self {
        let ballista = BallistaQueryPlanner::new(scheduler.clone(), BallistaConfig::default());
        Self { scheduler, ballista }
    }
}

#[async_trait]
impl QueryPlanner for ClusterPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // EXPLAIN asks for the plan and for no row, so unions need no branches.
        if matches!(plan, LogicalPlan::Explain(_)) {
            return Ok(Arc::new(ClusterExec::try_new(plan, self.scheduler.clone(), session).await?));
        }
        let mut branches = vec![];
        let above = without_branches(plan, &mut branches)?;
        if !branches.is_empty() {
            if matches!(plan, LogicalPlan::Analyze(_)) {
                return plan_err!(
                    "EXPLAIN ANALYZE has no figures of a UNION, which a cluster does not run: take one of its branches"
                );
            }
            let mut ready = vec![];
            for branch in &branches {
                ready.push(self.create_physical_plan(branch, session).await?);
            }
            let here = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(BranchPlanner(ready))]);
            return here.create_physical_plan(&above, session).await;
        }
        if place(plan)? == Place::Here {
            return DefaultPhysicalPlanner::default().create_physical_plan(plan, session).await;
        }
        // Ballista's planner has operators of its own for these.
        if matches!(plan, LogicalPlan::EmptyRelation(_) | LogicalPlan::Analyze(_)) {
            return self.ballista.create_physical_plan(plan, session).await;
        }
        Ok(Arc::new(ClusterExec::try_new(plan, self.scheduler.clone(), session).await?))
    }
}

/// Whether a file of this kind is a page for people, which is drawn where they are.
fn is_figure(extension: &str) -> bool {
    Figure::ALL.iter().any(|figure| figure.name().eq_ignore_ascii_case(extension))
}

/// The part of a plan that the client runs, with placeholders for the branches, which run on the cluster.
fn without_branches(plan: &LogicalPlan, branches: &mut Vec<LogicalPlan>) -> Result<LogicalPlan> {
    let rewritten = plan.clone().transform_down_with_subqueries(|node| {
        let is_here = match &node {
            LogicalPlan::Copy(copy) => is_figure(&copy.file_type.get_ext()),
            LogicalPlan::Union(_) => true,
            _ => false,
        };
        if !is_here {
            return Ok(Transformed::no(node));
        }
        let inputs = node.inputs().into_iter().map(|branch| placeholder(branch, branches));
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let above = node.with_new_exprs(node.expressions(), inputs)?;
        Ok(Transformed::new(above, true, TreeNodeRecursion::Jump))
    })?;
    Ok(rewritten.data)
}

fn placeholder(branch: &LogicalPlan, branches: &mut Vec<LogicalPlan>) -> Result<LogicalPlan> {
    let rows = |plan: LogicalPlan, branches: &mut Vec<LogicalPlan>| {
        let rows = OnCluster { number: branches.len(), plan: plan.clone() };
        branches.push(plan);
        LogicalPlan::Extension(Extension { node: Arc::new(rows) })
    };
    if !branch.schema().fields().is_empty() {
        return Ok(rows(branch.clone(), branches));
    }
    // Rows without columns, which a count(*) needs, get lost on their way, so they travel with one.
    let with_one = LogicalPlanBuilder::from(branch.clone()).project([lit(true).alias("__row")])?.build()?;
    LogicalPlanBuilder::from(rows(with_one, branches)).project(Vec::<Expr>::new())?.build()
}

/// Stands in a plan for rows that come from the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash)]
struct OnCluster {
    number: usize,
    plan: LogicalPlan,
}

impl UserDefinedLogicalNodeCore for OnCluster {
    fn name(&self) -> &'static str {
        "OnCluster"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.plan.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnCluster")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// Puts the plans of branches, which are made already, in the places of [`OnCluster`].
struct BranchPlanner(Vec<Arc<dyn ExecutionPlan>>);

#[async_trait]
impl ExtensionPlanner for BranchPlanner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        _: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let node: &dyn Any = node.as_any();
        let place = node.downcast_ref::<OnCluster>().map(|rows| rows.number);
        Ok(place.and_then(|place| self.0.get(place)).cloned())
    }
}

/// The place where a plan can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Cluster,
    /// In this session, whose tables no other process has.
    Here,
}

/// The place where the tables of a plan are. A plan without tables goes to the cluster.
fn place(plan: &LogicalPlan) -> Result<Place> {
    if scans_only_information_schema(plan)? {
        return Ok(Place::Here);
    }
    let (mut shared, mut own) = (None, None);
    plan.apply_with_subqueries(|node| {
        let (name, source) = match node {
            LogicalPlan::TableScan(scan) => (&scan.table_name, &scan.source),
            LogicalPlan::Dml(dml) => (&dml.table_name, &dml.target),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        let provider = source_as_provider(source)?;
        let provider: &dyn Any = provider.as_ref();
        if provider.downcast_ref::<ListingTable>().is_some_and(are_dictionaries) {
            return plan_err!(
                "the partition columns of {name} are dictionaries, which a cluster can't read: make a table of it with CREATE \
                 EXTERNAL TABLE ... PARTITIONED BY (...), or declare them as text"
            );
        }
        let is_shared =
            provider.is::<ListingTable>() || provider.is::<ViewTable>() || provider.is::<EmptyTable>();
        *(if is_shared { &mut shared } else { &mut own }) = Some(name.clone());
        Ok(TreeNodeRecursion::Continue)
    })?;
    match (shared, own) {
        (Some(shared), Some(own)) => plan_err!(
            "the table {own} is in this session alone, where a cluster can't read it, and {shared} is on the cluster: COPY {own} to \
             Parquet files that every process of the cluster can read, and query those"
        ),
        (None, Some(_)) => Ok(Place::Here),
        (_, None) => Ok(Place::Cluster),
    }
}
