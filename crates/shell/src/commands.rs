//! The commands that start with a backslash, after psql and datafusion-cli.

use std::path::PathBuf;

use datafusion_cli::print_format::PrintFormat;
use datafusion_cli::print_options::MaxRows;

use super::args::{FORMATS, parse_format};
use super::documentation;
use super::failure::Failure;
use super::output;
use super::plot;
use super::runner::Runner;

/// The commands and their meanings, as `\?` shows them; completion offers the first words.
pub(super) const COMMANDS: [(&str, &str); 11] = [
    ("\\d", "list the tables"),
    ("\\d NAME", "describe a table or a file: \\d events, \\d 'logs/*.parquet'"),
    ("\\h", "list the functions"),
    ("\\h NAME", "describe a function: its arguments, an example"),
    ("\\i FILE", "run the statements of a file"),
    (
        "\\plot KIND FILE QUERY",
        "draw a query: \\plot BAR sizes.html SELECT ..., options before the query as x=process y=cluster_size",
    ),
    ("\\pset", "show how results are printed"),
    ("\\pset NAME VALUE", "format table|csv|tsv|json|nd-json, or maxrows N|inf"),
    ("\\quiet [on|off]", "show or set whether footers and progress bars are left out"),
    (
        "\\object_store_profiling [MODE]",
        "show or set how remote reads are reported: disabled, summary, trace",
    ),
    ("\\q", "quit (or Ctrl-D)"),
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
        ("d", "") => {
            let tables = "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables \
                          WHERE table_schema <> 'information_schema' ORDER BY 1, 2, 3";
            return Ok(Outcome::Statement(tables.to_string()));
        }
        ("d", table) => return Ok(Outcome::Statement(format!("DESCRIBE {table}"))),
        ("h", "") => output::say(documentation::list(&runner.ctx.state()))?,
        ("h", function) => {
            output::say(documentation::of(&runner.ctx.state(), function).map_err(Failure::new)?)?;
        }
        ("i", "") => return Err(Failure::new("\\i needs a file: \\i queries.sql")),
        ("i", file) => return Ok(Outcome::Include(unquoted(file).into())),
        ("plot", line) => return Ok(Outcome::Statement(plot::copy(&runner.ctx, line).await?)),
        ("pset", setting) => output::say(print_setting(runner, setting)?)?,
        ("quiet", value) => {
            match value {
                "" => {}
                "on" | "true" | "t" | "yes" | "y" => runner.print.quiet = true,
                "off" | "false" | "f" | "no" | "n" => runner.print.quiet = false,
                _ => return Err(Failure::new(format!("\\quiet takes on or off, not '{value}'"))),
            }
            if value.is_empty() || runner.confirms {
                output::say(format!("Quiet is {}.\n", if runner.print.quiet { "on" } else { "off" }))?;
            }
        }
        ("object_store_profiling", mode) => {
            let stores = &runner.print.instrumented_registry;
            if !mode.is_empty() {
                stores.set_instrument_mode(mode.parse().map_err(|_| {
                    Failure::new(format!(
                        "\\object_store_profiling takes disabled, summary or trace, not '{mode}'"
                    ))
                })?);
            }
            if mode.is_empty() || runner.confirms {
                output::say(format!("Object store profiling is {}.\n", stores.instrument_mode()))?;
            }
        }
        _ => return Err(Failure::new(format!("there is no command \\{line}; \\? lists the commands"))),
    }
    Ok(Outcome::Done)
}

fn help() -> String {
    let width = COMMANDS.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let mut lines: Vec<String> =
        COMMANDS.iter().map(|(command, meaning)| format!("{command:width$}  {meaning}")).collect();
    lines.push(
        "\nA statement ends with ; and may span lines. Tab completes keywords, tables, columns, functions, files.\n\
         Ctrl-C stops a running query, or clears the line. Tables show control characters and line breaks as codes, \\u{1b} and\n\
         \\u{a}, and cut values of more than 20,000 characters: \\pset format csv or json shows all. Identifiers keep their case;\n\
         SET datafusion.sql_parser.enable_ident_normalization = true folds them to lower case, as SQL does.\n"
            .to_string(),
    );
    lines.join("\n")
}

/// `\pset`, `\pset format`, `\pset format csv`, `\pset maxrows 100`.
fn print_setting(runner: &mut Runner, setting: &str) -> Result<String, Failure> {
    let (name, value) = setting.split_once(char::is_whitespace).unwrap_or((setting, ""));
    let value = value.trim();
    match (name, value) {
        ("" | "format" | "maxrows", "") => {}
        ("format", value) if FORMATS.contains(&value.to_lowercase().as_str()) => {
            runner.print.format = parse_format(&value.to_lowercase());
        }
        ("format", value) => {
            return Err(Failure::new(format!("no format '{value}': choose one of {}", FORMATS.join(", "))));
        }
        ("maxrows", value) => runner.print.maxrows = value.parse().map_err(Failure::Message)?,
        (name, _) => return Err(Failure::new(format!("\\pset has no '{name}': it sets format or maxrows"))),
    }
    let maxrows = match runner.print.maxrows {
        MaxRows::Limited(rows) => rows.to_string(),
        MaxRows::Unlimited => "inf".to_string(),
    };
    Ok(match name {
        _ if !value.is_empty() && !runner.confirms => String::new(),
        "format" => format!("Output format is {}.\n", format_name(runner.print.format)),
        "maxrows" => format!("Tables show {maxrows} rows.\n"),
        _ => format!("format   {}\nmaxrows  {maxrows}\n", format_name(runner.print.format)),
    })
}

fn format_name(format: PrintFormat) -> &'static str {
    FORMATS.into_iter().find(|name| parse_format(name) == format).unwrap_or("table")
}

/// `\i 'my file.sql'` and `\i my file.sql` are the same.
fn unquoted(file: &str) -> &str {
    ['\'', '"'].into_iter().find_map(|quote| file.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(file)
}
