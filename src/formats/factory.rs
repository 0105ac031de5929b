//! `CREATE EXTERNAL TABLE t STORED AS LOGS LOCATION 'logs/' OPTIONS ('time_zone' 'Europe/Berlin')`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::CreateExternalTable;

use super::tables::LogTables;
use crate::error::internal;
use crate::read_options::set_all;
use dbcluster_logs::Format;

/// Makes external tables of logs. The files are read when the table is made.
#[derive(Debug, Default)]
pub struct LogTableFactory;

impl LogTableFactory {
    /// The name behind `STORED AS`.
    pub const NAME: &str = "LOGS";
    /// The name for event logs of Windows, which refuses other files.
    pub const EVTX: &str = "EVTX";
}

#[async_trait]
impl TableProviderFactory for LogTableFactory {
    async fn create(
        &self,
        session: &dyn Session,
        command: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        if !command.schema.fields().is_empty() {
            return plan_err!(
                "STORED AS LOGS finds the columns in the files; take them away, and give types by OPTIONS ('types' '{{column: ''VARCHAR''}}')"
            );
        }
        if !command.table_partition_cols.is_empty() {
            return plan_err!(
                "STORED AS LOGS finds the columns of folders such as day=1 itself; take PARTITIONED BY away"
            );
        }
        if !command.order_exprs.is_empty() {
            return plan_err!("STORED AS LOGS keeps the order of the files; take WITH ORDER away");
        }
        let mut options = LogTables::options(session)?;
        // The engine puts `format.` before a name without a dot.
        let mut given: Vec<(&str, &str)> = command
            .options
            .iter()
            .map(|(name, value)| (name.strip_prefix("format.").unwrap_or(name), value.as_str()))
            .collect();
        given.sort_unstable();
        set_all("STORED AS LOGS", &mut options, given)?;
        if command.file_type.eq_ignore_ascii_case(Self::EVTX) {
            options.format = Some(Format::Evtx);
        }
        let tables = LogTables::of(session).ok_or_else(|| internal("the session has no tables of files"))?;
        tables.table_of_locations(session, &command.locations, &options).await
    }
}
