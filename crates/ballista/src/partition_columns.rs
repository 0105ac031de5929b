//! Partition columns, which are in the names of folders (`host=a/`), as text.
//!
//! The engine makes dictionaries of them. Ballista 55 sends their values to executors as plain text, which then don't fit the
//! schema. So tables of a cluster have them as text from the start.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::Result;
use datafusion::datasource::listing::{ListingTable, ListingTableConfig};
use datafusion::execution::SessionState;
use datafusion::logical_expr::CreateExternalTable;

/// Makes `CREATE EXTERNAL TABLE` give partition columns the type of text, for every kind of table.
pub(super) fn as_text(state: &mut SessionState) {
    for factory in state.table_factories_mut().values_mut() {
        *factory = Arc::new(WithTextPartitions(Arc::clone(factory)));
    }
}

/// Whether a table has partition columns that can't travel.
pub(super) fn are_dictionaries(table: &ListingTable) -> bool {
    let columns = &table.options().table_partition_cols;
    columns.iter().any(|(_, data_type)| matches!(data_type, DataType::Dictionary(..)))
}

#[derive(Debug)]
struct WithTextPartitions(Arc<dyn TableProviderFactory>);

#[async_trait]
impl TableProviderFactory for WithTextPartitions {
    async fn create(
        &self,
        state: &dyn Session,
        command: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        let provider = self.0.create(state, command).await?;
        let any: &dyn std::any::Any = provider.as_ref();
        let Some(table) = any.downcast_ref::<ListingTable>().filter(|table| are_dictionaries(table)) else {
            return Ok(provider);
        };
        let mut options = table.options().clone();
        for (_, data_type) in &mut options.table_partition_cols {
            if let DataType::Dictionary(_, value) = data_type {
                *data_type = value.as_ref().clone();
            }
        }
        let is_in_files =
            |field: &Field| !options.table_partition_cols.iter().any(|(name, _)| name == field.name());
        let schema = table.schema();
        let fields: Vec<_> = schema.fields().iter().filter(|field| is_in_files(field)).cloned().collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let config = ListingTableConfig::new_with_multi_paths(table.table_paths().clone())
            .with_listing_options(options)
            .with_schema(schema);
        let table = ListingTable::try_new(config)?
            .with_definition(command.definition.clone())
            .with_constraints(command.constraints.clone())
            .with_column_defaults(command.column_defaults.clone());
        Ok(Arc::new(table))
    }
}
