//! `--catalog FILE` and `\catalog FILE`: the views and external tables of a session are kept in a file, and are there in the next one.
//!
//! The file is a script of the statements that make them, to be read, edited and kept with the case that it belongs to. A statement that
//! makes, replaces or drops one changes the file after it has run: the new statement takes the place of the old one, or the end, and all
//! else, comments included, stays as it is. The file is written beside itself and renamed, while a lock keeps other sessions from it, so
//! two sessions lose nothing of each other.
//!
//! A view may stand before one that it reads. So statements that fail when the file is read are tried again after the others. One that
//! fails to the end, since its file has gone, is told and stays in the file. A view that reads itself, by way of the view that it
//! replaces, could never be made again, and is not kept. Tables in memory are not kept: they are data.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use datafusion::config::Dialect;
use datafusion::datasource::TableType;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser::ast::{self, ObjectName, ObjectNamePart, ObjectType, visit_relations};
use datafusion_dbcluster::near_miss::quoted_name;
use dbcluster_files::{lock_beside, write_file};
use dbcluster_terminal::complain;

use super::failure::Failure;
use super::runner::Runner;
use super::statements::{Piece, Script, Statement, decoded};
use super::syntax::parse;

/// The time that another session has to write the file, in looks at it and the pause between them.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// The file that keeps the views and external tables of a session.
#[derive(Debug)]
pub(super) struct CatalogFile {
    path: PathBuf,
}

/// The statements of a file, up to where it can't be cut into any, with the line and the reason.
struct Statements<'t> {
    statements: Vec<Statement<'t>>,
    broken: Option<(u64, String)>,
}

/// A change that a statement makes, once it has run.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    /// The tables that it makes or drops, each as the parts of its name.
    names: Vec<Vec<String>>,
    /// The statement, if it makes something.
    made_by: Option<String>,
    /// The tables that it reads.
    reads: Vec<Vec<String>>,
}

impl Change {
    /// The change of a statement with this text; none if it leaves views and external tables as they are.
    pub(super) fn of(ctx: &SessionContext, statement: &SqlStatement, text: &str) -> Option<Self> {
        let (name, if_new) = match statement {
            SqlStatement::CreateExternalTable(table) => (&table.name, table.if_not_exists),
            SqlStatement::Statement(statement) => match statement.as_ref() {
                ast::Statement::CreateView(view) => (&view.name, view.if_not_exists),
                ast::Statement::Drop { object_type: ObjectType::View | ObjectType::Table, names, .. } => {
                    let names = names.iter().map(parts).collect();
                    return Some(Self { names, made_by: None, reads: vec![] });
                }
                _ => return None,
            },
            _ => return None,
        };
        let is_there = || ctx.table_exist(name.to_string().as_str()).unwrap_or(false);
        if if_new && is_there() {
            return None;
        }
        Some(Self {
            names: vec![parts(name)],
            made_by: Some(text.trim().to_string()),
            reads: tables_of(statement),
        })
    }

    /// Whether it makes or drops something of this name.
    fn is_about(&self, name: &[String]) -> bool {
        self.names.iter().any(|ours| is_same(ours, name))
    }

    /// Whether what it makes reads itself, through statements of the file.
    fn reads_itself(&self, made: &[(Vec<String>, Vec<Vec<String>>)]) -> bool {
        let mut waiting = self.reads.clone();
        let mut seen: Vec<Vec<String>> = vec![];
        while let Some(name) = waiting.pop() {
            if self.is_about(&name) {
                return true;
            }
            if !seen.contains(&name) {
                let read_by = made.iter().filter(|(made, _)| is_same(made, &name));
                waiting.extend(read_by.flat_map(|(_, reads)| reads.iter().cloned()));
                seen.push(name);
            }
        }
        false
    }
}

/// Whether two names are of the same table. Either may be qualified.
fn is_same(one: &[String], other: &[String]) -> bool {
    one.ends_with(other) || other.ends_with(one)
}

/// The tables that a statement reads.
fn tables_of(statement: &SqlStatement) -> Vec<Vec<String>> {
    let mut tables = vec![];
    if let SqlStatement::Statement(statement) = statement
        && let ast::Statement::CreateView(view) = statement.as_ref()
    {
        // Nothing breaks the visit.
        let _ = visit_relations(view.query.as_ref(), |name| {
            tables.push(parts(name));
            ControlFlow::<()>::Continue(())
        });
    }
    tables
}

fn parts(name: &ObjectName) -> Vec<String> {
    let part = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(name) => name.value.clone(),
        ObjectNamePart::Function(function) => function.to_string(),
    };
    name.0.iter().map(part).collect()
}

impl CatalogFile {
    /// Reads the file, and makes what it keeps. A file that is not there yet keeps nothing.
    ///
    /// # Errors
    /// The file can't be read, or has something else in it than statements that make views and external tables.
    pub(super) async fn load(runner: &mut Runner, path: &Path) -> Result<Self, Failure> {
        let file = Self { path: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()) };
        let folder = file.path.parent().filter(|folder| !folder.is_dir());
        if let Some(folder) = folder {
            let message = format!("there is no folder {} for the catalog", folder.display());
            return Err(Failure::new(message));
        }
        let text = file.text()?;
        let Statements { statements: mut waiting, broken } = file.statements(&text, runner.dialect())?;
        if let Some((line, message)) = broken {
            file.warn(line, &format!("{message}; the rest of the file is left out"));
        }
        for Statement { tokens, line, .. } in &waiting {
            for parsed in parse(&runner.ctx, tokens.clone()).unwrap_or_default() {
                let Some(name) = made(&parsed) else { return Err(file.refused(*line)) };
                // The view of another catalog, or of an earlier look at this one, gives way; data do not.
                let name = name.iter().map(|part| quoted_name(part)).collect::<Vec<_>>().join(".");
                let table = runner.ctx.table_provider(name.as_str()).await;
                if table.is_ok_and(|table| table.table_type() == TableType::View) {
                    runner.ctx.deregister_table(name.as_str())?;
                }
            }
        }
        let quiet = std::mem::replace(&mut runner.print.quiet, true);
        loop {
            let before = waiting.len();
            let mut failed = vec![];
            for statement in waiting {
                let again = Statement { tokens: statement.tokens.clone(), ..statement };
                if let Err(failure) = runner.run(again).await {
                    failed.push((statement, failure));
                }
            }
            if failed.is_empty() || failed.len() == before {
                runner.print.quiet = quiet;
                for (statement, failure) in failed {
                    match failure.with_hint(statement.text) {
                        Failure::Message(message) | Failure::Placed(message) => {
                            file.warn(statement.line, &format!("{message}; the statement stays in the file"));
                        }
                        other => return Err(other),
                    }
                }
                return Ok(file);
            }
            waiting = failed.into_iter().map(|(statement, _)| statement).collect();
        }
    }

    fn warn(&self, line: u64, message: &str) {
        complain(&format!("warning: {}:{line}: {message}", self.path.display()));
    }

    /// The error about another statement than those that are kept.
    fn refused(&self, line: u64) -> Failure {
        let message = "a catalog has statements that make views and external tables; \\i FILE runs others";
        Failure::new(message).at(&format!("{}:{line}", self.path.display()))
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a change to the file.
    ///
    /// # Errors
    /// The file can't be read or written.
    pub(super) fn apply(
        &self,
        ctx: &SessionContext,
        dialect: Dialect,
        change: &Change,
    ) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            let error =
                format!("the statement has run, but {} can't be written: {error}", self.path.display());
            Failure::new(error)
        };
        let lock = self.lock().map_err(failed)?;
        let text = self.text()?;
        let Statements { statements, broken } = self.statements(&text, dialect)?;
        if let Some((line, message)) = broken {
            return Err(failed(io::Error::other(format!("line {line}: {message}"))));
        }
        let mut others = vec![];
        let mut kept = String::with_capacity(text.len());
        let mut end = 0;
        let mut new = change.made_by.as_deref();
        for Statement { text: of_statement, tokens, .. } in statements {
            // A statement that can't be parsed any more makes nothing that could be meant.
            let parsed = parse(ctx, tokens).unwrap_or_default();
            let is_changed =
                parsed.iter().any(|parsed| made(parsed).is_some_and(|name| change.is_about(&name)));
            if !is_changed {
                others.extend(parsed.iter().filter_map(|parsed| Some((made(parsed)?, tables_of(parsed)))));
                continue;
            }
            let start = of_statement.as_ptr().addr() - text.as_ptr().addr();
            kept.push_str(text.get(end..start).unwrap_or_default());
            end = start + of_statement.len();
            let rest = text.get(end..).unwrap_or_default();
            let after = rest.trim_start().strip_prefix(';').unwrap_or(rest);
            if let Some(statement) = new.take() {
                push_statement(&mut kept, statement);
                end = text.len() - after.len();
            } else {
                let line_end = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n'));
                end = text.len() - line_end.unwrap_or(after).len();
            }
        }
        if change.reads_itself(&others) {
            return Err(Failure::new(format!(
                "the view reads itself, so it lives in this session alone, and {} keeps it as it was: give the new view another name",
                self.path.display()
            )));
        }
        kept.push_str(text.get(end..).unwrap_or_default());
        if let Some(statement) = new {
            if !kept.is_empty() && !kept.ends_with('\n') {
                // A last statement may lack its semicolon, or end in a comment.
                kept.push_str("\n;\n");
            }
            push_statement(&mut kept, statement);
            kept.push('\n');
        }
        if kept != text {
            write_file(&self.path, kept.as_bytes()).map_err(failed)?;
            #[cfg(unix)]
            if text.is_empty() {
                // Options of external tables may be keys of a store.
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                fs::set_permissions(&self.path, mode).map_err(failed)?;
            }
        }
        drop(lock);
        Ok(())
    }

    /// The text of the file, which is empty before it is written.
    fn text(&self) -> Result<String, Failure> {
        let name = self.path.display().to_string();
        match fs::read(&self.path) {
            Ok(bytes) => decoded(bytes).map_err(|message| Failure::new(message).at(&name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(Failure::new(error.to_string()).at(&name)),
        }
    }

    /// The statements of the file.
    fn statements<'t>(&self, text: &'t str, dialect: Dialect) -> Result<Statements<'t>, Failure> {
        let mut script = Script::new(text);
        let mut statements = vec![];
        while let Some(piece) = script.next(dialect) {
            match piece {
                Piece::Statement { statement, .. } => statements.push(statement),
                Piece::Command { line, .. } => return Err(self.refused(line)),
                Piece::Broken { message, line, .. } => {
                    return Ok(Statements { statements, broken: Some((line, message)) });
                }
            }
        }
        Ok(Statements { statements, broken: None })
    }

    /// Keeps other sessions from the file.
    fn lock(&self) -> io::Result<fs::File> {
        for _ in 0..LOOKS {
            if let Some(lock) = lock_beside(&self.path)? {
                return Ok(lock);
            }
            thread::sleep(PAUSE);
        }
        Err(io::Error::other("another program writes to its folder"))
    }
}

/// The name of the view or external table that a statement makes.
fn made(statement: &SqlStatement) -> Option<Vec<String>> {
    match statement {
        SqlStatement::CreateExternalTable(table) => Some(parts(&table.name)),
        SqlStatement::Statement(statement) => match statement.as_ref() {
            ast::Statement::CreateView(view) => Some(parts(&view.name)),
            _ => None,
        },
        _ => None,
    }
}

/// Adds a statement with its semicolon, which a comment behind the statement must not swallow.
fn push_statement(text: &mut String, statement: &str) {
    text.push_str(statement);
    text.push_str(if ends_in_comment(statement) { "\n;" } else { ";" });
}

fn ends_in_comment(statement: &str) -> bool {
    statement.lines().last().is_some_and(|line| line.contains("--") || line.contains('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(sql: &str) -> SqlStatement {
        datafusion::sql::parser::DFParser::parse_sql(sql).expect("SQL").pop_front().expect("a statement")
    }

    fn change(sql: &str) -> Option<Change> {
        Change::of(&SessionContext::new(), &parsed(sql), sql)
    }

    fn changed(before: &str, sql: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = CatalogFile { path: folder.path().join("case.sql") };
        fs::write(&file.path, before).expect("it writes");
        let change = change(sql).expect("a change");
        let applied = file.apply(&SessionContext::new(), Dialect::Generic, &change);
        applied.unwrap_or_else(|failure| panic!("{failure:?}"));
        fs::read_to_string(&file.path).expect("a file")
    }

    #[test]
    fn only_what_is_made_again_changes() {
        let before = "-- the case\nCREATE VIEW a AS SELECT ';' AS x;\n\nCREATE VIEW b AS SELECT 2; -- two\n";
        for (sql, after) in [
            (
                "CREATE OR REPLACE VIEW a AS SELECT 3",
                "-- the case\nCREATE OR REPLACE VIEW a AS SELECT 3;\n\nCREATE VIEW b AS SELECT 2; -- two\n",
            ),
            ("DROP VIEW b", "-- the case\nCREATE VIEW a AS SELECT ';' AS x;\n\n -- two\n"),
            ("DROP TABLE IF EXISTS public.a, b", "-- the case\n\n -- two\n"),
            ("DROP VIEW c", before),
        ] {
            assert_eq!(changed(before, sql), after, "{sql}");
        }
        assert_eq!(
            changed("CREATE VIEW a AS SELECT 1 -- one", "CREATE VIEW b AS SELECT 2 -- two"),
            "CREATE VIEW a AS SELECT 1 -- one\n;\nCREATE VIEW b AS SELECT 2 -- two\n;\n"
        );
    }

    #[test]
    fn views_that_read_themselves_are_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = CatalogFile { path: folder.path().join("case.sql") };
        let before = "CREATE VIEW a AS SELECT 1 AS x;\nCREATE VIEW b AS SELECT * FROM a;\nCREATE VIEW c AS SELECT * FROM b;\n";
        fs::write(&file.path, before).expect("it writes");
        for (query, is_kept) in [
            ("SELECT * FROM a", false),
            ("SELECT 1 WHERE 1 IN (SELECT x FROM c)", false),
            ("SELECT * FROM d", true),
        ] {
            let change = change(&format!("CREATE OR REPLACE VIEW a AS {query}")).expect("a change");
            let applied = file.apply(&SessionContext::new(), Dialect::Generic, &change);
            assert_eq!(applied.is_ok(), is_kept, "{query}");
            let now = fs::read_to_string(&file.path).expect("a file");
            assert_eq!(now == before, !is_kept, "{query}: {now}");
        }
    }

    #[test]
    fn data_and_queries_are_not_kept() {
        for sql in ["CREATE TABLE t AS SELECT 1", "SELECT 1", "COPY (SELECT 1) TO 'x.csv'"] {
            assert_eq!(change(sql), None, "{sql}");
        }
        let table = change("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x.csv'").expect("a change");
        assert_eq!(table.names, [["t"]]);
    }
}
