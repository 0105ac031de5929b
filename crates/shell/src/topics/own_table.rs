//! Examples on a table of the user's own: what its columns are for is told by their names, as in a report and a hunt.

use arrow::datatypes::Schema;
use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{SetExpr, Statement, TableFactor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_dbcluster::near_miss::quoted_name;
use dbcluster_terminal::printable;

use crate::depth::sql;
use crate::failure::Failure;
use crate::hunt_defaults::Hunt;
use crate::report::{Defaults, any_text, defaults, named, time};
use crate::summarize;

/// A table, and what can be done with it.
pub(crate) struct OwnTable {
    /// As it stands behind FROM.
    table: String,
    /// The rows of the kind of events that the columns tell, as it stands behind FROM.
    events: String,
    /// The features as `{name: expression}`, with the options that belong to them; and the names.
    features: Option<(String, Vec<String>)>,
    /// The name of an event.
    label: Option<String>,
    time: Option<String>,
    /// The call of a hunt, and the text of an event.
    hunt: Option<(String, Option<String>)>,
}

impl OwnTable {
    /// Looks at the columns of a table: a name, a path in quotes, a call or a query.
    ///
    /// # Errors
    /// There is no such table.
    pub(crate) async fn read(ctx: &SessionContext, table: &str) -> Result<Self, Failure> {
        let table = &summarize::table(table);
        let query = format!("SELECT * FROM {table}");
        if let Some(alias) = alias(&query) {
            return Err(Failure::new(format!("\\h takes a topic and one table, and '{alias}' is behind it")));
        }
        let frame = sql(ctx, &query).await.map_err(|failure| failure.with_hint(&query))?;
        Self::of(table, frame.schema().as_arrow())
    }

    fn of(table: &str, schema: &Schema) -> Result<Self, Failure> {
        let found = defaults(schema);
        let features = found.as_ref().map(in_braces).transpose()?;
        let label = found.as_ref().map(|found| found.label.0.clone());
        let rows = found.and_then(|found| found.rows);
        let events =
            rows.map_or_else(|| table.to_string(), |rows| format!("(SELECT * FROM {table} WHERE {rows})"));
        let hunt = Hunt::of(table, schema).map(|hunt| (hunt.call, hunt.shape.map(|(_, text)| text)));
        // Any text can vary.
        let of_text = || any_text(schema).map(|text| (format!("hunt({table}, text => {text}"), Some(text)));
        Ok(Self {
            table: table.to_string(),
            events,
            features,
            label,
            time: time(schema, None).map(|(_, expression, _)| expression),
            hunt: hunt.or_else(of_text),
        })
    }

    /// The table in words.
    pub(super) fn name(&self) -> String {
        printable(&self.table).into_owned()
    }

    /// The statement of a topic on this table, if its columns allow one.
    pub(super) fn example(&self, topic: &str) -> Option<String> {
        let Self { table, events, features, label, time, hunt } = self;
        let example = match topic {
            "features" => {
                let (features, names) = features.as_ref()?;
                let label = label.as_ref()?;
                format!(
                    "SELECT cluster_size, {}, {label} AS name\nFROM dbcluster({events}, {features}, eps => 'auto')\n\
                     ORDER BY cluster_size LIMIT 10",
                    names.join(", ")
                )
            }
            "eps" => {
                let (features, _) = features.as_ref()?;
                format!(
                    "SELECT eps, clusters, noise, largest_share, is_auto\nFROM dbcluster_eps({events}, {features}, steps => 12)"
                )
            }
            "files" => match time {
                Some(time) => {
                    format!(
                        "SELECT count(*) AS events, min({time}) AS first, max({time}) AS last FROM {table}"
                    )
                }
                None => format!("SELECT count(*) AS events FROM {table}"),
            },
            "formats" => format!("COPY (SELECT * FROM {table} LIMIT 10) TO 'ten_events.csv'"),
            "figures" => format!(
                "COPY (SELECT {} AS name, count(*) AS events FROM {events} GROUP BY 1 ORDER BY 2 DESC LIMIT 20)\n\
                 TO 'names.html' STORED AS BAR OPTIONS (x 'name', y 'events')",
                label.as_ref()?
            ),
            "hunting" => {
                let (call, text) = hunt.as_ref()?;
                let text =
                    text.as_ref().map(|text| format!(", left({text}, 60) AS text")).unwrap_or_default();
                format!("SELECT score, reasons{text}\nFROM {call}) LIMIT 10")
            }
            "times" => {
                let time = time.as_ref()?;
                format!(
                    "SELECT date_trunc('day', {time}) AS day, count(*) AS events FROM {table} GROUP BY 1 ORDER BY 1"
                )
            }
            _ => return None,
        };
        // Names of columns come from other people's files.
        Some(example.lines().map(|line| printable(line).into_owned()).collect::<Vec<_>>().join("\n"))
    }
}

/// The other name that a query gives its table.
fn alias(query: &str) -> Option<String> {
    let parsed = Parser::parse_sql(&GenericDialect {}, query).ok()?;
    let [Statement::Query(query)] = parsed.as_slice() else { return None };
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    match &select.from.first()?.relation {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.to_string())
        }
        _ => None,
    }
}

/// The features of a table that names none, with their scaling.
fn in_braces(found: &Defaults) -> Result<(String, Vec<String>), Failure> {
    let features = named(&found.features, Dialect::Generic)?;
    let names: Vec<String> = features.iter().map(|(_, name)| quoted_name(name)).collect();
    let features: Vec<String> =
        features.iter().zip(&names).map(|((expression, _), name)| format!("{name}: {expression}")).collect();
    let scaling = found.scaling.map(|scaling| format!(", scaling => '{scaling}'")).unwrap_or_default();
    Ok((format!("{{{}}}{scaling}", features.join(", ")), names))
}
