//! `dbcluster import`: log files of any format as one Parquet file.

use datafusion_dbcluster::LogTables;

use super::args::ImportArgs;
use super::failure::Failure;
use super::program::Program;
use super::runner::Runner;
use super::script::{self, Origin};
use super::syntax::quoted;

/// The name under which the files are a table of the session.
const TABLE: &str = "dbcluster_import";

/// Runs the subcommand.
pub(super) fn run(program: &Program, runner: &mut Runner, args: &ImportArgs) -> Result<(), Failure> {
    if args.out.exists() && !args.force {
        return Err(Failure::new(format!(
            "{} is there already; --force overwrites it, --out names another file",
            args.out.display()
        )));
    }
    let Some(out) = args.out.to_str() else {
        return Err(Failure::new(format!("{} is no name in UTF-8", args.out.display())));
    };
    program.run("the import", async {
        register(runner, &args.paths).await?;
        let statement = format!("COPY {TABLE} TO {} STORED AS PARQUET", quoted(out));
        script::run(runner, &statement, Origin::Prompt).await.map(|_| ())
    })
}

/// Makes a table of the files of all paths.
async fn register(runner: &Runner, paths: &[String]) -> Result<(), Failure> {
    let state = runner.ctx.state();
    let options = LogTables::options(&state)?;
    let Some(tables) = LogTables::of(&state) else {
        return Err(Failure::new("this session reads no files by their path"));
    };
    let table = tables.table_of_all(&state, paths, &options).await?;
    runner.ctx.register_table(TABLE, table)?;
    Ok(())
}
