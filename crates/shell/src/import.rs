//! `dbcluster import`: log files of any format as one Parquet file, or in an [archive].

use std::path::Path;

use datafusion_dbcluster::LogTables;
use datafusion_dbcluster::logs::find;

use super::archive;
use super::args::ImportArgs;
use super::endings;
use super::failure::Failure;
use super::program::Program;
use super::runner::Runner;
use super::script::{self, Origin};
use super::syntax::quoted;

/// The name under which the files are a table of the session.
const TABLE: &str = "dbcluster_import";

/// Runs the subcommand.
pub(super) fn run(program: &Program, runner: &mut Runner, args: &ImportArgs) -> Result<(), Failure> {
    if !is_file(&args.out) {
        check_ending(&args.out.to_string_lossy())?;
        return archive::import(program, runner, args);
    }
    if args.again {
        return Err(Failure::new(
            "--again is for archives, and a name that ends in .parquet is that of a file",
        ));
    }
    if args.out.exists() && !args.force {
        return Err(Failure::new(format!(
            "{} is there already; --force overwrites it, --out names another file",
            args.out.display()
        )));
    }
    let Some(out) = args.out.to_str() else {
        return Err(Failure::new(format!("{} is no name in UTF-8", args.out.display())));
    };
    check_ending(out)?;
    check_input(&args.paths, &args.out)?;
    runner.account.name_rejected();
    program.run("the import", async {
        register(runner, TABLE, &args.paths).await?;
        let rows = match args.shape {
            Some(shape) => format!("(SELECT * FROM {}({TABLE}))", shape.function()),
            None => TABLE.to_string(),
        };
        let statement = format!("COPY {rows} TO {} STORED AS PARQUET", quoted(out));
        script::run(runner, &statement, Origin::Prompt).await.map(|_| ())
    })
}

/// Whether a name is that of a Parquet file, and not of an archive.
fn is_file(out: &Path) -> bool {
    !out.is_dir() && out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// Refuses names that promise another format.
fn check_ending(out: &str) -> Result<(), Failure> {
    match endings::other_than_parquet(out) {
        None => Ok(()),
        Some(ending) => Err(Failure::new(format!(
            "--out {out}: an import writes Parquet, so the file's name ends in .parquet; for .{ending} say dbcluster -c \"COPY (SELECT \
             * FROM 'path') TO {}\"",
            quoted(out)
        ))),
    }
}

/// Refuses to overwrite a file that is read, and a file of an earlier import among those that are read.
pub(super) fn check_input(paths: &[String], out: &Path) -> Result<(), Failure> {
    let Ok(out_now) = out.canonicalize() else { return Ok(()) };
    for path in paths {
        let files = find(path).map(|found| found.files).unwrap_or_default();
        if files.iter().any(|file| file.path().canonicalize().is_ok_and(|file| file == out_now)) {
            return Err(Failure::new(format!(
                "--out {0} is one of the files of {path}, so it would be read and overwritten; --out names a file elsewhere",
                out.display()
            )));
        }
    }
    Ok(())
}

/// Makes a table of the files of all paths.
pub(super) async fn register(runner: &Runner, name: &str, paths: &[String]) -> Result<(), Failure> {
    let state = runner.ctx.state();
    let options = LogTables::options(&state)?;
    let Some(tables) = LogTables::of(&state) else {
        return Err(Failure::new("this session reads no files by their path"));
    };
    let table = tables.table_of_all(&state, paths, &options).await?;
    runner.ctx.register_table(name, table)?;
    Ok(())
}
