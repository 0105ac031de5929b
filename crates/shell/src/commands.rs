//! The commands that start with a backslash, after psql.

use std::path::PathBuf;

use super::catalog_file::CatalogFile;
use super::documentation;
use super::failure::Failure;
use super::footer::MaxRows;
use super::format::Format;
use super::habits;
use super::look::Expanded;
use super::output;
use super::plot;
use super::runner::Runner;
use super::summarize;
use super::target::Target;
use super::topics;
use super::variables;
use super::zone;
use datafusion_dbcluster::near_miss::did_you_mean;

/// The commands and their meanings, as `\?` shows them; completion offers the first words.
pub(super) const COMMANDS: [(&str, &str); 21] = [
    ("\\d", "list the tables"),
    ("\\d NAME", "describe a table or a file: \\d events, \\d 'logs/*.parquet'"),
    (
        "\\summarize TABLE",
        "a row for each column of a table, a file or a query: NULLs, values, least, greatest",
    ),
    ("\\h", "list the functions and the topics of help"),
    (
        "\\h NAME",
        "describe a function, an option, a figure or a topic: \\h dbcluster, \\h eps; \\h hunting 'logs/' has an example on it",
    ),
    ("\\i FILE", "run the statements of a file"),
    (
        "\\o [FILE]",
        "send results to a file, in the format that its ending says; without one, back to the terminal",
    ),
    (
        "\\plot KIND FILE QUERY",
        "draw a query: \\plot BAR sizes.html SELECT ..., options before the query as x=process y=cluster_size",
    ),
    (
        "\\x [on|off|auto]",
        "show each value on a line of its own, whole; auto where a table would not show all",
    ),
    ("\\pager [on|off]", "show or set whether what is longer than the screen goes through $PAGER, or less"),
    ("\\pset", "show how results are printed"),
    (
        "\\pset NAME VALUE",
        "format table|box|markdown|csv|tsv|json|nd-json, maxrows N|inf, or width N|auto|inf",
    ),
    ("\\timezone [ZONE|off]", "show times that know their zone in this one, as in \\timezone Europe/Berlin"),
    ("\\set [NAME VALUE]", "set a variable, which is used as $NAME; without one, list them"),
    ("\\unset NAME", "forget a variable"),
    (
        "\\catalog [FILE|off]",
        "keep views and external tables in a file, and make those that are in it; show which file",
    ),
    ("\\quiet [on|off]", "show or set whether footers, advice and progress bars are left out"),
    ("\\?", "this list; also help"),
    ("\\q", "quit (or exit, or Ctrl-D)"),
    ("SUMMARIZE TABLE;", "the same as \\summarize TABLE"),
    ("FROM TABLE;", "the same as SELECT * FROM TABLE"),
];

/// The way on after a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The command has done everything.
    Done,
    /// The program is to end.
    Quit,
    /// The command stands for this statement, which is to run in its place.
    Statement(String),
    /// The statements of this file are to run.
    Include(PathBuf),
}

/// Runs a command line, given without its backslash.
pub(super) async fn run(runner: &mut Runner, line: &str) -> Result<Outcome, Failure> {
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    match (name, argument) {
        ("q", "") => return Ok(Outcome::Quit),
        ("?", _) => output::say(help())?,
        ("d" | "dt" | "dv", "") => {
            let tables = "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables \
                          WHERE table_schema <> 'information_schema' ORDER BY 1, 2, 3";
            return Ok(Outcome::Statement(tables.to_string()));
        }
        ("d", table) => return Ok(Outcome::Statement(format!("DESCRIBE {table}"))),
        ("h" | "df", "") => {
            output::say(topics::list())?;
            output::say(documentation::list(&runner.ctx.state()))?;
        }
        ("h" | "df", about) => match topics::Topic::of(about) {
            Some((topic, table)) => {
                let own = runner.table_of_help(table).await?;
                output::say(topic.lesson(own.as_ref()))?;
                // The option of this name has values and a default, too.
                if let Ok(option) = documentation::of(&runner.ctx.state(), topic.name()) {
                    output::say(format!("\n{option}"))?;
                }
            }
            None => output::say(documentation::of(&runner.ctx.state(), about).map_err(Failure::new)?)?,
        },
        ("summarize", "") => {
            return Err(Failure::new("\\summarize needs a table: \\summarize events, \\summarize 'logs/'"));
        }
        ("summarize", what) => return Ok(Outcome::Statement(summarize::statement(&runner.ctx, what).await?)),
        ("o", file) => redirect(runner, file)?,
        ("i", "") => return Err(Failure::new("\\i needs a file: \\i queries.sql")),
        ("i", file) => return Ok(Outcome::Include(unquoted(file).into())),
        ("catalog", file) => keep_in(runner, unquoted(file)).await?,
        ("plot", line) => return Ok(Outcome::Statement(plot::copy(&runner.ctx, line).await?)),
        ("pset", setting) => output::say(print_setting(runner, setting)?)?,
        _ if change(runner, name, argument)? => {}
        _ => return Err(Failure::new(unknown(line, name))),
    }
    Ok(Outcome::Done)
}

/// Runs a command that changes how results look, or a variable. Returns whether there is such a command.
fn change(runner: &mut Runner, name: &str, argument: &str) -> Result<bool, Failure> {
    match (name, argument) {
        ("x", value) => {
            if !value.is_empty() {
                runner.look.expanded =
                    value.parse().map_err(|error| Failure::new(format!("\\x: {error}")))?;
            } else if runner.confirms {
                // As in psql, the bare command is a switch.
                runner.look.expanded =
                    if runner.look.expanded == Expanded::Off { Expanded::On } else { Expanded::Off };
            } else {
                runner.look.expanded = Expanded::On;
            }
            if runner.confirms {
                output::say(format!("One value per line is {}.\n", runner.look.expanded.name()))?;
            }
        }
        ("pager", value) => {
            if !value.is_empty() {
                runner.look.pages = switch("pager", value)?;
            }
            if value.is_empty() || runner.confirms {
                output::say(format!("The pager is {}.\n", on_or_off(runner.look.pages)))?;
            }
        }
        ("timezone", value) => {
            match value.to_ascii_lowercase().as_str() {
                "" => {}
                "off" => runner.look.zone = None,
                _ => runner.look.zone = Some(zone::checked(unquoted(value)).map_err(Failure::new)?),
            }
            if value.is_empty() || runner.confirms {
                output::say(match &runner.look.zone {
                    Some(zone) => format!("Times that know their zone are shown in {zone}.\n"),
                    None => "Times are shown in the zone that they have.\n".to_string(),
                })?;
            }
        }
        ("set", "") => {
            for (name, value) in &runner.variables {
                output::say(format!("${name} = {}\n", super::syntax::quoted(value)))?;
            }
        }
        ("set", setting) => {
            let (name, value) = setting
                .split_once(|c: char| c.is_whitespace() || c == '=')
                .ok_or_else(|| Failure::new(format!("\\set needs a value: \\set {setting} 2026-01-15")))?;
            let name = variables::checked(name).map_err(Failure::new)?;
            runner.variables.insert(name, unquoted(value.trim()).to_string());
        }
        ("unset", name) => {
            if runner.variables.remove(name.trim_start_matches('$')).is_none() {
                return Err(Failure::new(format!("there is no variable '{name}'; \\set lists them")));
            }
        }
        ("quiet", value) => {
            if !value.is_empty() {
                runner.print.quiet = switch("quiet", value)?;
            }
            if value.is_empty() || runner.confirms {
                output::say(format!("Quiet is {}.\n", on_or_off(runner.print.quiet)))?;
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The message about a command that does not exist.
fn unknown(line: &str, name: &str) -> String {
    if let Some(message) = habits::elsewhere(&format!("\\{line}")) {
        return message;
    }
    let names: Vec<&str> =
        COMMANDS.iter().filter_map(|(command, _)| command.split_whitespace().next()).collect();
    let near = did_you_mean(&format!("\\{name}"), &names);
    format!("there is no command \\{line}{near}; \\? lists the commands")
}

fn switch(command: &str, value: &str) -> Result<bool, Failure> {
    match value {
        "on" | "true" | "t" | "yes" | "y" => Ok(true),
        "off" | "false" | "f" | "no" | "n" => Ok(false),
        _ => Err(Failure::new(format!("\\{command} takes on or off, not '{value}'"))),
    }
}

fn on_or_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

/// `\catalog FILE`, `\catalog off` and `\catalog`.
async fn keep_in(runner: &mut Runner, file: &str) -> Result<(), Failure> {
    match file {
        "" => {}
        "off" => runner.catalog = None,
        file => {
            // Statements of this file are no changes of the one before.
            runner.catalog = None;
            runner.catalog = Some(CatalogFile::load(runner, file.as_ref()).await?);
        }
    }
    if file.is_empty() || runner.confirms {
        output::say(match &runner.catalog {
            Some(catalog) => format!("Views and external tables are kept in {}.\n", catalog.path().display()),
            None => "Views and external tables end with the session.\n".to_string(),
        })?;
    }
    Ok(())
}

/// `\o FILE` and `\o`.
fn redirect(runner: &mut Runner, file: &str) -> Result<(), Failure> {
    let target = match unquoted(file) {
        "" => None,
        file => Some(Target::open(file.as_ref(), runner.look.format)?),
    };
    let opened = target.as_ref().map(|target| {
        format!("Results go to {}, as {}, until \\o.\n", target.path().display(), target.format.name())
    });
    let closed = runner.send_to(target)?;
    if runner.confirms {
        output::say(closed.map(|text| format!("{text}\n")).unwrap_or_default())?;
        output::say(opened.unwrap_or_default())?;
    }
    Ok(())
}

fn help() -> String {
    let width = COMMANDS.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let mut lines: Vec<String> =
        COMMANDS.iter().map(|(command, meaning)| format!("{command:width$}  {meaning}")).collect();
    lines.push(
        "\nA statement ends with ; and may span lines. Tab completes keywords, tables, columns, functions, options and their values, files.\n\
         Ctrl-C stops a running query, or clears the line; Ctrl-R searches earlier statements. Tables show control characters and line\n\
         breaks as codes, \\u{1b} and \\u{a}, and cut what is too long: \\x shows all, and so do \\pset format csv and json. Identifiers keep\n\
         their case; SET datafusion.sql_parser.enable_ident_normalization = true folds them to lower case, as SQL does.\n"
            .to_string(),
    );
    lines.join("\n")
}

/// `\pset`, `\pset format`, `\pset format csv`, `\pset maxrows 100`, `\pset width 120`.
fn print_setting(runner: &mut Runner, setting: &str) -> Result<String, Failure> {
    let (name, value) = setting.split_once(char::is_whitespace).unwrap_or((setting, ""));
    let value = value.trim();
    match (name, value) {
        ("" | "format" | "maxrows" | "width", "") => {}
        ("format", value) => match Format::of(value) {
            Some(Format::Parquet) => {
                return Err(Failure::new(
                    "Parquet is a file: \\o odd.parquet sends the next result to one, or COPY (SELECT ...) TO 'odd.parquet'",
                ));
            }
            Some(format) => runner.look.format = format,
            None => {
                let near = did_you_mean(value, &Format::names());
                return Err(Failure::new(format!(
                    "no format '{value}'{near}: choose one of {}; \\x shows a value per line",
                    Format::names().join(", ")
                )));
            }
        },
        ("maxrows", value) => runner.print.maxrows = value.parse::<MaxRows>().map_err(Failure::new)?,
        ("width", value) => {
            runner.look.width =
                value.parse().map_err(|error| Failure::new(format!("\\pset width: {error}")))?;
        }
        ("expanded" | "x", _) => {
            return Err(Failure::new("\\x on|off|auto shows each value on a line of its own"));
        }
        ("pager", _) => return Err(Failure::new("\\pager on|off sets the pager")),
        ("null", _) => {
            return Err(Failure::new("SET datafusion.format.null = 'text' sets what NULL is shown as"));
        }
        (name, _) => {
            let near = did_you_mean(name, &["format", "maxrows", "width"]);
            return Err(Failure::new(format!(
                "\\pset has no '{name}'{near}: it sets format, maxrows or width"
            )));
        }
    }
    let maxrows = match runner.print.maxrows {
        MaxRows::Limited(rows) => rows.to_string(),
        MaxRows::Unlimited => "inf".to_string(),
    };
    let format = runner.look.format.name();
    Ok(match name {
        _ if !value.is_empty() && !runner.confirms => String::new(),
        "format" => format!("Output format is {format}.\n"),
        "maxrows" => format!("Tables show {maxrows} rows.\n"),
        "width" => format!("Tables have the width {}.\n", runner.look.width),
        _ => format!("format   {format}\nmaxrows  {maxrows}\nwidth    {}\n", runner.look.width),
    })
}

/// `\i 'my file.sql'` and `\i my file.sql` are the same.
fn unquoted(file: &str) -> &str {
    ['\'', '"'].into_iter().find_map(|quote| file.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(file)
}
