//! The table functions for Rust programs: methods of the engine's `DataFrame`.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, plan_err};
use datafusion::logical_expr::expr_rewriter::normalize_col;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::DataFrame;

use crate::near_miss::{did_you_mean, excerpt};
use crate::options::{ClusterOptions, Feature, KeptColumn, Key, OPTIONS, Takes, TimeColumn};
use crate::plan;
use crate::plan::spec::{SpecBuilder, TableFunction, check_one_row};

/// Clusters the rows of a `DataFrame`, with the same plan as the table functions of SQL.
///
/// The input is read twice, so it has to be the same each time, as in SQL. A session without
/// [`register_all`](crate::register_all) gives the same rows. With it memory is accounted for, a query can be cancelled, and
/// only columns that are needed are read a second time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// use datafusion::prelude::{SessionContext, col};
/// use datafusion_dbcluster::dbscan::Scaling;
/// use datafusion_dbcluster::{ClusterOptions, DbclusterDataFrameExt};
///
/// let ctx = SessionContext::new();
/// datafusion_dbcluster::register_all(&ctx)?;
/// let events = ctx.sql("SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (9, 'c')) AS t(size, name)").await?;
///
/// let options = ClusterOptions::new(1.5).feature("size", col("size")).scaling(Scaling::None);
/// let clusters = events.dbcluster(options)?.select_columns(&["name", "cluster_size"])?.sort_by(vec![col("name")])?;
/// datafusion::assert_batches_eq!(
///     [
///         "+------+--------------+",
///         "| name | cluster_size |",
///         "+------+--------------+",
///         "| a    | 2            |",
///         "| c    | 1            |",
///         "+------+--------------+",
///     ],
///     &clusters.collect().await?
/// );
/// # Ok(())
/// # }
/// ```
pub trait DbclusterDataFrameExt: Sized {
    /// Gives one row per cluster and one per noise event, as `dbcluster` does.
    ///
    /// # Errors
    /// An option or a column is wrong; the text names it and says what is allowed.
    fn dbcluster(self, options: ClusterOptions) -> Result<Self>;

    /// Gives every row with its cluster, as `dbcluster_members` does.
    ///
    /// # Errors
    /// The same as for [`dbcluster`](Self::dbcluster).
    fn dbcluster_members(self, options: ClusterOptions) -> Result<Self>;

    /// Gives one row about the whole clustering, as `dbcluster_summary` does.
    ///
    /// # Errors
    /// The same as for [`dbcluster`](Self::dbcluster).
    fn dbcluster_summary(self, options: ClusterOptions) -> Result<Self>;

    /// Gives one row per partition and eps, as `dbcluster_eps` does: [`Eps::Auto`](crate::Eps::Auto) has it choose them, and
    /// [`Eps::Each`](crate::Eps::Each) lists them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datafusion::error::Result<()> {
    /// use datafusion::prelude::{SessionContext, col};
    /// use datafusion_dbcluster::dbscan::Scaling;
    /// use datafusion_dbcluster::{ClusterOptions, DbclusterDataFrameExt};
    ///
    /// let ctx = SessionContext::new();
    /// datafusion_dbcluster::register_all(&ctx)?;
    /// let events = ctx.sql("SELECT * FROM (VALUES (1), (2), (9)) AS t(size)").await?;
    ///
    /// let options = ClusterOptions::new(vec![0.5, 1.0, 7.0]).feature("size", col("size")).scaling(Scaling::None);
    /// let rows = events.dbcluster_eps(options)?.select_columns(&["eps", "clusters", "noise"])?;
    /// datafusion::assert_batches_eq!(
    ///     [
    ///         "+-----+----------+-------+",
    ///         "| eps | clusters | noise |",
    ///         "+-----+----------+-------+",
    ///         "| 0.5 | 0        | 3     |",
    ///         "| 1.0 | 1        | 1     |",
    ///         "| 7.0 | 1        | 0     |",
    ///         "+-----+----------+-------+",
    ///     ],
    ///     &rows.collect().await?
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The same as for [`dbcluster`](Self::dbcluster).
    fn dbcluster_eps(self, options: ClusterOptions) -> Result<Self>;

    /// Gives one row per noise event, with the cluster that is nearest to it, as `dbcluster_why` does.
    ///
    /// # Errors
    /// The same as for [`dbcluster`](Self::dbcluster).
    fn dbcluster_why(self, options: ClusterOptions) -> Result<Self>;

    /// Counts the values of columns in each cluster, as `dbcluster_values` does. [`ClusterOptions::of`] names the columns.
    ///
    /// # Errors
    /// The same as for [`dbcluster`](Self::dbcluster).
    fn dbcluster_values(self, options: ClusterOptions) -> Result<Self>;
}

impl DbclusterDataFrameExt for DataFrame {
    fn dbcluster(self, options: ClusterOptions) -> Result<Self> {
        clustered(self, TableFunction::Dbcluster, options)
    }

    fn dbcluster_members(self, options: ClusterOptions) -> Result<Self> {
        clustered(self, TableFunction::DbclusterMembers, options)
    }

    fn dbcluster_summary(self, options: ClusterOptions) -> Result<Self> {
        clustered(self, TableFunction::DbclusterSummary, options)
    }

    fn dbcluster_eps(self, options: ClusterOptions) -> Result<Self> {
        clustered(self, TableFunction::DbclusterEps, options)
    }

    fn dbcluster_why(self, options: ClusterOptions) -> Result<Self> {
        clustered(self, TableFunction::DbclusterWhy, options)
    }

    fn dbcluster_values(self, options: ClusterOptions) -> Result<Self> {
        clustered(self, TableFunction::DbclusterValues, options)
    }
}

fn clustered(frame: DataFrame, function: TableFunction, mut options: ClusterOptions) -> Result<DataFrame> {
    let (state, rows) = frame.into_parts();
    // All columns get one qualifier, so that none is mistaken for a column of the clusters.
    let input = LogicalPlanBuilder::from(rows.clone()).alias("input")?.build()?;
    let rows = Rows { function: function.name(), plan: rows, input };
    let mut builder = SpecBuilder::try_new(function, rows.input.clone())?;
    for Feature { name, expr, .. } in &mut options.features {
        *expr = rows.expression(&format!("feature '{name}'"), expr)?;
    }
    for option in OPTIONS {
        match option.takes {
            Takes::TimeColumn => {
                if let TimeColumn::Given(time) = &mut options.time_column {
                    time.expr = match &time.expr {
                        // A bare name is that of a column to the letter.
                        Expr::Column(column) if column.relation.is_none() => {
                            Expr::Column(rows.column(option.name, column)?)
                        }
                        expr => rows.expression(option.name, expr)?,
                    };
                }
            }
            Takes::Keys(of) | Takes::PartitionKeys(of) => {
                for Key { expr, text } in of(&mut options) {
                    *expr = rows.expression(&format!("{} '{}'", option.name, excerpt(text)), expr)?;
                }
            }
            Takes::Members => {
                for KeptColumn { column, .. } in &mut options.keep_members {
                    *column = rows.column(option.name, column)?;
                }
            }
            Takes::Named(of) => {
                for Feature { name, expr, .. } in of(&mut options) {
                    *expr = rows.expression(&format!("{} '{}'", option.name, excerpt(name)), expr)?;
                }
            }
            Takes::Columns { of, .. } => {
                for column in of(&mut options) {
                    *column = rows.column(option.name, column)?;
                }
            }
            // These options name no columns.
            Takes::Eps
            | Takes::Share(_)
            | Takes::WholeNumber(_)
            | Takes::Count { .. }
            | Takes::Word { .. }
            | Takes::Weights => {}
        }
    }
    builder.set_all(options)?;
    Ok(DataFrame::new(state, plan::plan(&builder.build()?)?))
}

/// The rows to cluster, with the caller's names of the columns and with the plan's.
struct Rows {
    function: &'static str,
    plan: LogicalPlan,
    input: LogicalPlan,
}

impl Rows {
    /// Rewrites an expression of the caller over the columns of the plan.
    fn expression(&self, place: &str, expr: &Expr) -> Result<Expr> {
        let schema = self.plan.schema();
        let renamed = normalize_col(expr.clone(), &self.plan).and_then(|expr| {
            expr.transform(|node| match &node {
                Expr::Column(column) => {
                    let column = self.column_at(schema.index_of_column(column)?);
                    Ok(Transformed::yes(Expr::Column(column)))
                }
                _ => Ok(Transformed::no(node)),
            })
        });
        let expr = renamed.map_err(|error| error.context(format!("{}: {place}", self.function)))?.data;
        check_one_row(self.function, place, &expr)?;
        Ok(expr)
    }

    /// Finds the column of the plan that has this name to the letter.
    fn column(&self, option: &str, wanted: &Column) -> Result<Column> {
        let names: Vec<&str> =
            self.plan.schema().fields().iter().map(|field| field.name().as_str()).collect();
        let Some(index) = names.iter().position(|name| *name == wanted.name) else {
            return plan_err!(
                "{}: {option}: the input has no column '{}'{}",
                self.function,
                wanted.name,
                did_you_mean(&wanted.name, &names)
            );
        };
        Ok(self.column_at(index))
    }

    fn column_at(&self, index: usize) -> Column {
        Column::from(self.input.schema().qualified_field(index))
    }
}
