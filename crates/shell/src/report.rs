//! `dbcluster report`: clusters a table, and draws the result as one page.

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema};
use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{Expr, SelectItem};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use indicatif::HumanCount;

use super::args::{ReportArgs, ReportEps};
use super::depth::sql;
use super::failure::Failure;
use super::hunt_defaults::Hunt;
use super::output;
use super::program::Program;
use super::report_defaults::{Column, Defaults, defaults, free_name, identifier};
use super::runner::Runner;
use super::statements::dialect;
use super::syntax::quoted;
use datafusion_dbcluster::figure_file::{columns, rows};
use datafusion_dbcluster::near_miss::quoted_name;
use dbcluster_figures::{ColumnType, Figure, MAX_ROWS, Rows, Settings, draw_report};
use dbcluster_files::write_file;

/// Columns of a hunt. A table that has one of them is not ranked.
const HUNT_COLUMNS: [&str; 10] = [
    "subject",
    "text_template",
    "events",
    "hosts",
    "accounts",
    "first_event_time",
    "last_event_time",
    "score",
    "terms",
    "reasons",
];

/// The parameters of a report.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) table: &'a str,
    pub(super) features: Option<&'a str>,
    pub(super) label: Option<&'a str>,
    pub(super) eps: ReportEps,
    pub(super) min_samples: u64,
    pub(super) nulls: &'a str,
    pub(super) title: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// The report of a table of Windows' process events.
    pub(super) fn of(table: &'a str) -> Self {
        let (eps, min_samples) = (ReportEps::Given(0.0001), 2);
        Self { table, features: None, label: None, eps, min_samples, nulls: "error", title: None }
    }

    fn relation(&self) -> String {
        relation(self.table)
    }
}

/// A table as SQL: a file's name, or a query as it is.
pub(super) fn relation(table: &str) -> String {
    let table = table.trim();
    if table.starts_with('(') {
        table.to_string()
    } else if is_query(table) {
        format!("({})", table.trim_end_matches([';', ' ', '\n']))
    } else if is_call(table) {
        format!("(SELECT * FROM {table})")
    } else {
        quoted(table)
    }
}

/// Whether a table is a query without its brackets, and no file of such a name.
fn is_query(table: &str) -> bool {
    let first = table.split_ascii_whitespace().next().unwrap_or_default();
    ["select", "with"].iter().any(|word| first.eq_ignore_ascii_case(word))
        && first != table
        && !Path::new(table).exists()
}

/// Whether a table is `read('path', ...)` or another table function, and no file of such a name.
fn is_call(table: &str) -> bool {
    let Some((name, _)) = table.strip_suffix(')').and_then(|call| call.split_once('(')) else { return false };
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !Path::new(table).exists()
}

/// Features as they stand in a SELECT list: also if they were given as `[f1, f2]` or `{name: f1}`, as `dbcluster` takes them.
fn as_list(features: &str) -> Result<String, Failure> {
    let text = features.trim();
    if let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return Ok(list.to_string());
    }
    if !text.starts_with('{') {
        return Ok(features.to_string());
    }
    let unreadable = |error: &str| Failure::new(format!("--features '{features}': {error}"));
    let parser = Parser::new(&GenericDialect {}).try_with_sql(text);
    let read = parser.and_then(|mut parser| Ok((parser.parse_expr()?, parser.peek_token().token)));
    match read.map_err(|error| unreadable(&error.to_string()))? {
        (Expr::Dictionary(fields), Token::EOF) => {
            let fields = fields.iter().map(|field| format!("{} AS {}", field.value, field.key));
            Ok(fields.collect::<Vec<_>>().join(", "))
        }
        _ => Err(unreadable("expected {name: expression, ...} to end with the bracket")),
    }
}

/// Runs the subcommand.
pub(super) fn run(program: &Program, runner: &Runner, args: &ReportArgs) -> Result<(), Failure> {
    check_page(&args.out, args.force)?;
    runner.account.name_rejected();
    let features = args.features.as_deref().map(as_list).transpose()?;
    let report = Report {
        features: features.as_deref(),
        label: args.label.as_deref(),
        eps: args.eps,
        min_samples: args.min_samples,
        nulls: &args.nulls,
        title: args.title.as_deref(),
        ..Report::of(&args.table)
    };
    let (page, rows) = page(program, &runner.ctx, &report)?;
    write(&page, &args.out)?;
    if !runner.print.quiet {
        output::say(format!("{rows} rows on one page: {}\n", args.out.display()))?;
    }
    Ok(())
}

/// Checks that a page can be written, before the work that it is made of.
pub(super) fn check_page(out: &Path, force: bool) -> Result<(), Failure> {
    if out.is_dir() {
        return Err(Failure::new(format!(
            "--out {} is a folder, expected a file, as in {}",
            out.display(),
            out.join("page.html").display()
        )));
    }
    let ending = out.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if !["html", "htm", "xhtml"].contains(&ending.as_str()) {
        return Err(Failure::new(format!(
            "--out {}: a page is HTML, so the file's name ends in .html",
            out.display()
        )));
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::new(format!(
            "--out {}: there is no folder {}",
            out.display(),
            folder.display()
        )));
    }
    if out.exists() && !force {
        return Err(Failure::new(format!(
            "{} is there already; --force overwrites it, --out names another file",
            out.display()
        )));
    }
    Ok(())
}

/// The page, and the number of its rows: clusters and odd events.
pub(super) fn page(
    program: &Program,
    ctx: &SessionContext,
    report: &Report<'_>,
) -> Result<(String, usize), Failure> {
    program.run(&format!("the report of {}", report.table), draw(ctx, report))
}

/// Writes the page, in place of an earlier one.
pub(super) fn write(page: &str, out: &Path) -> Result<(), Failure> {
    write_file(out, page.as_bytes()).map_err(|error| Failure::new(format!("{}: {error}", out.display())))
}

async fn draw(ctx: &SessionContext, report: &Report<'_>) -> Result<(String, usize), Failure> {
    let table = report.relation();
    let input = sql(ctx, &format!("SELECT * FROM {table}")).await?;
    let input = input.schema().as_arrow().clone();
    let defaults = defaults(&input);
    let of_kind = defaults.as_ref().filter(|_| report.features.is_none());
    let (table, left_out_note) = match of_kind.and_then(|defaults| defaults.rows.as_ref()) {
        Some(rows) => only(ctx, table, rows).await?,
        None => (table, String::new()),
    };
    let features = features(report, defaults.as_ref(), &input)?;
    let label = label(report, defaults.as_ref(), &input)?;

    let dialect = ctx.state_ref().read().config_options().sql_parser.dialect;
    let features_with_names = named(&features, dialect)?;
    let first = sql(ctx, &format!("SELECT {features_with_names} FROM {table}")).await?;
    let feature_columns = columns(first.schema().as_arrow());
    // The first two numbers are the axes of the map.
    let is_number = |(_, found): &&(&str, ColumnType)| *found == ColumnType::Number;
    let numbers: Vec<String> =
        feature_columns.iter().filter(is_number).map(|(name, _)| (*name).to_string()).take(2).collect();
    let mut fields = first.schema().fields().iter();
    let color =
        fields.find(|field| field.data_type() == &DataType::Boolean).map(|field| field.name().clone());

    let label_column = if label.is_column {
        String::new()
    } else {
        format!(", {} AS {}", label.expression, quoted_name(&label.name))
    };
    let nulls = match report.nulls {
        "error" => String::new(),
        nulls => format!(", nulls => '{nulls}'"),
    };
    let scaling = match of_kind {
        Some(Defaults { scaling: Some(scaling), .. }) => format!(", scaling => '{scaling}'"),
        _ => String::new(),
    };
    let options = format!("min_samples => {}{scaling}{nulls}", report.min_samples);
    let features_text = quoted(&features);
    let (eps, eps_note) = match report.eps {
        ReportEps::Given(eps) => (format!("{eps:?}"), String::new()),
        ReportEps::Auto => auto_eps(ctx, &format!("{table}, {features_text}, {options}")).await?,
    };
    let query = format!(
        "SELECT *{label_column}\nFROM dbcluster({table}, {features_text},\n               eps => {eps}, {options})\n\
         ORDER BY cluster_size DESC"
    );
    let (asked, drawn) = ranked(&query, &table, &input);
    let collapse = collect(ctx, &drawn).await?;
    let title =
        report.title.map_or_else(|| format!("Clustered events of {}", report.table), ToString::to_string);
    let mut given = vec![("label", label.name.as_str()), ("title", &title), ("query", &asked)];
    for (option, name) in ["x", "y"].into_iter().zip(&numbers) {
        given.push((option, name));
    }
    if let Some(color) = &color {
        given.push(("color", color));
    }
    let settings = settings(Figure::Report, &given, &collapse)?;

    // Events with equal features and label are counted together, so that any number of them becomes few rows.
    let free = |name: &str| free_name(name, |name| feature_columns.iter().any(|(column, _)| *column == name));
    let (called, events) = (free("label"), free("events"));
    let names: Vec<String> = numbers.iter().chain(&color).map(|name| quoted_name(name)).collect();
    let names = names.join(", ");
    let grouped = format!(
        "SELECT {called}, {names}, count(*) AS {events} FROM (SELECT {} AS {called}, {features_with_names} FROM {table}) \
         GROUP BY {called}, {names} ORDER BY {called}, {names} LIMIT {}",
        label.expression,
        MAX_ROWS + 1,
    );
    let of_events = if numbers.is_empty() { Rows::default() } else { collect(ctx, &grouped).await? };
    let mut boxes = vec![];
    for (at, number) in numbers.iter().enumerate() {
        let mut given = vec![("x", number.as_str()), ("y", called.as_str()), ("weight", events.as_str())];
        // The notebook shows the first feature as a whole, and splits the second one by colour.
        if let (1, Some(color)) = (at, &color) {
            given.push(("color", color));
        }
        boxes.push(self::settings(Figure::Box, &given, &of_events)?);
    }
    // If they are too many, the boxes are those of the exemplars, and say so.
    let variability = (of_events.len() <= MAX_ROWS).then_some((&of_events, boxes.as_slice()));
    let nulls_note = nulls_note(ctx, report, &table, of_kind, &features_with_names).await?;
    let notes = [eps_note, left_out_note, nulls_note].into_iter().filter(|note| !note.is_empty());
    let note = notes.collect::<Vec<_>>().join(" ");
    let page = draw_report(&collapse, &settings, variability, &note)
        .map_err(|error| Failure::new(error.to_string()))?;
    Ok((page, collapse.len()))
}

/// Leaves out the rows of other kinds, and says how many they are.
async fn only(ctx: &SessionContext, table: String, rows: &str) -> Result<(String, String), Failure> {
    let others = format!("SELECT count(*) FROM {table} WHERE ({rows}) IS NOT TRUE");
    let batches = sql(ctx, &others).await?.collect().await?;
    let others: i64 =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values()).sum();
    Ok(match others {
        0 => (table, String::new()),
        1 => (
            format!("(SELECT * FROM {table} WHERE {rows})"),
            "1 event of another kind is left out.".to_string(),
        ),
        others => (
            format!("(SELECT * FROM {table} WHERE {rows})"),
            format!("{} events of other kinds are left out.", HumanCount(others.unsigned_abs())),
        ),
    })
}

/// Adds to the rows of a collapse how unusual each is among all events, and why, if the columns are of a known kind. Returns the query as the
/// page tells it, and as it runs.
fn ranked(query: &str, table: &str, input: &Schema) -> (String, String) {
    let unranked = || (query.to_string(), query.to_string());
    let Some(Hunt { call, shape: Some((subject, text)), .. }) = Hunt::of(table, input) else {
        return unranked();
    };
    if HUNT_COLUMNS.iter().any(|column| has(input, column)) {
        return unranked();
    }
    let [of_subject, of_text] =
        ["shape_subject", "shape_text"].map(|name| free_name(name, |name| has(input, name)));
    let and_same_subject = match &subject {
        Some(_) => format!("(h.subject IS NOT DISTINCT FROM c.{of_subject}) AND "),
        None => String::new(),
    };
    // The keys are columns before they are compared: the engine loses track of members of objects in the condition of a join.
    let drawn = format!(
        "SELECT c.* EXCEPT ({of_subject}, {of_text}), h.score, array_to_string(h.reasons, chr(10)) AS reasons \
         FROM (SELECT *, {} AS {of_subject}, cmdline_template({text}) AS {of_text} FROM ({query})) AS c \
         LEFT JOIN (SELECT subject, text_template, max(score) AS score, first_value(reasons ORDER BY score DESC, reasons) AS reasons \
         FROM {call}) GROUP BY subject, text_template) AS h \
         ON {and_same_subject}(h.text_template IS NOT DISTINCT FROM c.{of_text}) ORDER BY c.cluster_size DESC",
        subject.as_deref().unwrap_or("NULL"),
    );
    (
        format!("{query};\n\n-- The order of what is read first, and the reasons:\nSELECT * FROM {call});"),
        drawn,
    )
}

/// Finds the last eps before clusters chain, and says how it was chosen. The page's query has the number, so that it gives the
/// same rows when more events have come.
async fn auto_eps(ctx: &SessionContext, arguments: &str) -> Result<(String, String), Failure> {
    let query = format!("SELECT eps FROM dbcluster_eps({arguments}) WHERE is_auto");
    let batches = sql(ctx, &query).await.map_err(|failure| failure.map(as_flags))?.collect().await;
    let batches = batches.map_err(Failure::from).map_err(|failure| failure.map(as_flags))?;
    let found = batches.iter().find_map(|batch| batch.column(0).as_primitive::<Float64Type>().iter().next());
    Ok(match found.flatten() {
        Some(eps) => (
            format!("{eps:?}"),
            format!("eps is {eps:?}, the last one before clusters chain into one; --eps takes another."),
        ),
        None => ("'auto'".to_string(), "Every eps gives the same rows.".to_string()),
    })
}

fn settings(figure: Figure, given: &[(&str, &str)], rows: &Rows) -> Result<Settings, Failure> {
    let columns: Vec<(&str, ColumnType)> =
        rows.0.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
    Settings::try_new(figure, given.iter().copied(), &columns)
        .map_err(|error| Failure::new(error.to_string()))
}

async fn collect(ctx: &SessionContext, query: &str) -> Result<Rows, Failure> {
    let failed = |failure: Failure| failure.map(as_flags);
    let frame = sql(ctx, query).await.map_err(failed)?;
    let schema = std::sync::Arc::clone(frame.schema().inner());
    let batches = frame.collect().await.map_err(Failure::from).map_err(failed)?;
    Ok(rows(&schema, &batches)?)
}

/// Puts the advice of an error into the words of this command: flags instead of options.
fn as_flags(message: &str) -> String {
    ["error", "zero", "skip"].iter().fold(message.to_string(), |message, value| {
        message.replace(&format!("nulls => '{value}'"), &format!("--nulls {value}"))
    })
}

/// The features for a SELECT list, each with the name that dbcluster gives it: the one behind AS, or its text.
fn named(features: &str, name: Dialect) -> Result<String, Failure> {
    let unreadable = |error: String| Failure::new(format!("--features '{features}': {error}"));
    let dialect = dialect(name);
    let parser = Parser::new(dialect.as_ref()).try_with_sql(features);
    let read = parser.and_then(|mut parser| Ok((parser.parse_projection()?, parser.peek_token().token)));
    let (items, rest) = read.map_err(|error| unreadable(error.to_string()))?;
    if rest != Token::EOF {
        return Err(unreadable(format!("can't read '{rest}'; separate features with commas")));
    }
    let item = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(_)) => item.to_string(),
        SelectItem::UnnamedExpr(expression) => {
            format!("{expression} AS {}", quoted_name(&expression.to_string()))
        }
        item => item.to_string(),
    };
    Ok(items.iter().map(item).collect::<Vec<_>>().join(", "))
}

/// Counts the events with NULL in a column of a feature, and tells how they were read. Empty if there are none.
async fn nulls_note(
    ctx: &SessionContext,
    report: &Report<'_>,
    table: &str,
    defaults: Option<&Defaults>,
    features_with_names: &str,
) -> Result<String, Failure> {
    let (columns, relation, read_as): (Vec<(String, String)>, _, _) = match defaults {
        Some(defaults) => {
            let columns = defaults.columns.iter();
            let columns = columns.map(|column| (column.name.clone(), column.expression.clone()));
            let has_numbers = defaults.columns.iter().any(Column::is_number);
            (
                columns.collect(),
                table.to_string(),
                if has_numbers { "read as empty or 0" } else { "read as empty" },
            )
        }
        _ => {
            let read_as = match report.nulls {
                "zero" => "read as 0",
                "skip" => "skipped",
                _ => return Ok(String::new()),
            };
            let relation = format!("(SELECT {features_with_names} FROM {table})");
            let features = sql(ctx, &format!("SELECT * FROM {relation}")).await?;
            let columns = features.schema().fields().iter();
            let columns = columns.map(|field| (field.name().clone(), identifier(field.name())));
            (columns.collect(), relation, read_as)
        }
    };
    let counts: Vec<String> = columns
        .iter()
        .map(|(_, expression)| format!("count(*) FILTER (WHERE {expression} IS NULL)"))
        .collect();
    let frame = sql(ctx, &format!("SELECT {} FROM {relation}", counts.join(", "))).await?;
    let batches = frame.collect().await?;
    let mut found = vec![];
    for (at, (name, _)) in columns.iter().enumerate() {
        let count =
            |batch: &RecordBatch| batch.column(at).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        match batches.iter().map(count).sum::<i64>() {
            0 => {}
            1 => found.push(format!("{name} in 1 event")),
            rows => found.push(format!("{name} in {} events", HumanCount(rows.unsigned_abs()))),
        }
    }
    Ok(if found.is_empty() { String::new() } else { format!("NULL, {read_as}: {}.", found.join(", ")) })
}

fn has(schema: &Schema, name: &str) -> bool {
    schema.field_with_name(name).is_ok()
}

fn listed(schema: &Schema) -> String {
    schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
}

fn features(report: &Report<'_>, defaults: Option<&Defaults>, input: &Schema) -> Result<String, Failure> {
    let features = report.features.or(defaults.map(|defaults| defaults.features.as_str()));
    features.map(ToString::to_string).ok_or_else(|| {
        Failure::new(format!(
            "{} has no column of text or numbers, so say what to cluster on, as in --features \"date_part('hour', time) AS hour\"; \
             its columns are: {}",
            report.table,
            listed(input)
        ))
    })
}

/// The name of a row.
struct Label {
    expression: String,
    name: String,
    /// Whether the input has it.
    is_column: bool,
}

fn label(report: &Report<'_>, defaults: Option<&Defaults>, input: &Schema) -> Result<Label, Failure> {
    let (expression, name) = match (report.label, defaults) {
        (Some(column), _) if has(input, column) => {
            return Ok(Label { expression: identifier(column), name: column.to_string(), is_column: true });
        }
        (Some(expression), _) => (expression, "label"),
        (None, Some(defaults)) => (defaults.label.0.as_str(), defaults.label.1),
        (None, None) => {
            return Err(Failure::new(format!(
                "{} has no column of text or numbers, so say what a row is called, as in --label time; its columns are: {}",
                report.table,
                listed(input)
            )));
        }
    };
    let name = free_name(name, |name| has(input, name));
    Ok(Label { expression: expression.to_string(), name, is_column: false })
}
