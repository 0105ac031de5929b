//! Finds the table that a path stands for.
//!
//! [`LogTables`] reads the files. What a path can mean in a shell is decided here: a name that a statement is about to make, or
//! that a table function has, is no path; standard input is a table unless it carries the statements; and the object store of
//! a URL is made by datafusion-cli.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, DynamicFileCatalog, MemoryCatalogProvider,
    MemoryCatalogProviderList, MemorySchemaProvider, TableProvider, UrlTableFactory,
};
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use datafusion_cli::catalog::DynamicObjectStoreCatalog;
use datafusion_cli::object_storage::{StdinCarriesCommands, is_stdin_location};
use datafusion_dbcluster::{LogTables, StoreMaker};

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
    let stores =
        DynamicObjectStoreCatalog::new(Arc::new(MemoryCatalogProviderList::new()), ctx.state_weak_ref());
    if let Some(tables) = LogTables::of(&ctx.state()) {
        tables.make_stores_with(Arc::new(UrlStores(stores)));
    }
    ctx
}

/// Finds tables by path.
#[derive(Debug)]
struct FileTables {
    /// The engine's factory, which holds the session.
    session: DynamicListTableFactory,
}

/// Catalogs without tables. One that is asked for a table makes the object store of the table's URL in the session.
///
/// datafusion-cli has its catalogs around those of the session, and asks the session again when the store is there. That would
/// read each file twice that can't be read.
struct UrlStores(DynamicObjectStoreCatalog);

impl FileTables {
    fn state(&self) -> Result<SessionState> {
        let session = self.session.session_store().get_session().upgrade();
        let state =
            session.and_then(|session| session.read().as_any().downcast_ref::<SessionState>().cloned());
        state.ok_or_else(|| plan_datafusion_err!("the session has ended"))
    }
}

#[async_trait]
impl StoreMaker for UrlStores {
    async fn make_store(&self, url: &str) -> Result<()> {
        let name = "stores";
        let catalog = Arc::new(MemoryCatalogProvider::new());
        catalog.register_schema(name, Arc::new(MemorySchemaProvider::new()))?;
        self.0.register_catalog(name.to_string(), catalog);
        match self.0.catalog(name).and_then(|catalog| catalog.schema(name)) {
            Some(schema) => schema.table(url).await.map(|_| ()),
            None => Ok(()),
        }
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
        if name == "-" || is_stdin_location(name) {
            check_standard_input(&state, name)?;
        }
        let options = LogTables::options(&state)?;
        match LogTables::of(&state) {
            Some(tables) => tables.table(&state, name, &options).await,
            None => Ok(None),
        }
    }
}

/// Fails if standard input holds no file.
fn check_standard_input(state: &SessionState, name: &str) -> Result<()> {
    let example = "cat a.json | dbcluster -c \"SELECT * FROM '/dev/stdin'\"";
    if state.config().get_extension::<StdinCarriesCommands>().is_some() {
        return plan_err!(
            "'{name}' is standard input, which carries the statements: give them with -c or -f, as in {example}"
        );
    }
    if io::stdin().is_terminal() {
        return plan_err!(
            "'{name}' is standard input, which is a terminal: let a pipe or a file fill it, as in {example}"
        );
    }
    Ok(())
}
