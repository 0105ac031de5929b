//! Finds the table that a path stands for.
//!
//! [`LogTables`] reads the files. What a path can mean in a shell is decided here: a name that a statement is about to make, or
//! that a table function has, is no path; and standard input is a table unless it carries the statements.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory};
use datafusion::common::{Result, plan_datafusion_err};
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use datafusion_dbcluster::{LogTables, StoreMaker};

use super::super::object_stores::{self, check_standard_input, is_standard_input};

tokio::task_local! {
    /// The name of the table that a statement makes.
    static NEW_TABLE: Option<String>;
}

/// Plans a statement that makes a table of this name. A file of the same name does not count as that table.
pub(crate) async fn creating_table<T>(name: Option<&str>, planning: impl Future<Output = T>) -> T {
    NEW_TABLE.scope(name.map(ToString::to_string), planning).await
}

/// Makes files tables of a session, as [`SessionContext::enable_url_table`] does, with errors that give reasons.
pub(crate) fn files_as_tables(ctx: SessionContext) -> SessionContext {
    let session = DynamicListTableFactory::default();
    let factory = Arc::new(FileTables { session });
    let tables = Arc::clone(&factory) as Arc<dyn UrlTableFactory>;
    let catalogs = Arc::new(DynamicFileCatalog::new(Arc::clone(ctx.state().catalog_list()), tables));
    let session_id = ctx.session_id();
    let builder = ctx.into_state_builder().with_session_id(session_id).with_catalog_list(catalogs);
    let ctx = SessionContext::from(builder.build());
    factory.session.session_store().with_state(ctx.state_weak_ref());
    if let Some(tables) = LogTables::of(&ctx.state()) {
        tables.make_stores_with(factory);
    }
    ctx
}

/// Finds tables by path.
#[derive(Debug)]
struct FileTables {
    /// The engine's factory, which holds the session.
    session: DynamicListTableFactory,
}

impl FileTables {
    fn state(&self) -> Result<SessionState> {
        let session = self.session.session_store().get_session().upgrade();
        let state =
            session.and_then(|session| session.read().as_any().downcast_ref::<SessionState>().cloned());
        state.ok_or_else(|| plan_datafusion_err!("the session has ended"))
    }
}

#[async_trait]
impl StoreMaker for FileTables {
    async fn make_store(&self, url: &str) -> Result<()> {
        object_stores::make(&self.state()?, url).await
    }
}

#[async_trait]
impl UrlTableFactory for FileTables {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if NEW_TABLE.try_with(|table| table.as_deref() == Some(name)).unwrap_or(false) {
            return Ok(None);
        }
        let state = self.state()?;
        // The engine asks for the names of table functions, too, as if they were tables. One is a table as well.
        if name != LogTables::REJECTED && state.table_functions().contains_key(name) {
            return Ok(None);
        }
        if name == "-" || is_standard_input(name) {
            check_standard_input(&state, name)?;
        }
        let options = LogTables::options(&state)?;
        match LogTables::of(&state) {
            Some(tables) => tables.table(&state, name, &options).await,
            None => Ok(None),
        }
    }
}
