//! Logons as cards: who, when, how, from where.

use crate::error::PlotError;
use crate::figure::Draw;
use crate::html::Html;
use crate::options::{OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, option};
use crate::page::{Body, Part};
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;
use crate::text::count;

/// The cards: [`Figure::Cards`](crate::Figure::Cards).
pub(crate) struct CardsFigure;

impl Draw for CardsFigure {
    const NAME: &'static str = "CARDS";
    const TITLE: &'static str = "Logons";
    const OPTIONS: &'static [OptionSpec] = &[
        option("account", OPTIONAL_NAMES, "Who logged on; otherwise TargetUserName or Account"),
        option("domain", OPTIONAL_NAMES, "Its domain; otherwise TargetDomainName"),
        option("time", OPTIONAL_NAMES, "When; otherwise TimeGenerated, TimeCreated or time"),
        option("logon_type", OPTIONAL_NAMES, "A number, shown with its name; otherwise LogonType"),
        option("sid", OPTIONAL_NAMES, "Shown with its name where it has one; otherwise TargetUserSid"),
        option("session", OPTIONAL_NAMES, "The logon session; otherwise TargetLogonId"),
        option("subject", OPTIONAL_NAMES, "Who asked for the logon; otherwise SubjectUserName"),
        option("subject_domain", OPTIONAL_NAMES, "Its domain; otherwise SubjectDomainName"),
        option("process", OPTIONAL_NAMES, "The logon process; otherwise LogonProcessName"),
        option("authentication", OPTIONAL_NAMES, "The package; otherwise AuthenticationPackageName"),
        option("address", OPTIONAL_NAMES, "Where it came from; otherwise IpAddress"),
        option("source", OPTIONAL_NAMES, "From which machine; otherwise WorkstationName"),
        option("computer", OPTIONAL_NAMES, "To which machine; otherwise Computer"),
        option("status", OPTIONAL_NAMES, "How it ended; otherwise Status"),
        option("size", OPTIONAL_NUMBERS, "How many events a card stands for; otherwise cluster_size"),
        TITLE,
        QUERY,
    ];
    /// Cards are read one by one, and each is an element of the page.
    const MAX_ROWS: usize = 1_000;

    fn check(settings: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        check(settings, columns)
    }

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)])
    }
}

/// The columns that are taken for an option that isn't given: those of Windows' event 4624 and of common exports of it.
const DEFAULTS: [(&str, &[&str]); 15] = [
    ("account", &["TargetUserName", "Account"]),
    ("domain", &["TargetDomainName"]),
    ("time", &["TimeGenerated", "TimeCreated", "time"]),
    ("logon_type", &["LogonType"]),
    ("sid", &["TargetUserSid"]),
    ("session", &["TargetLogonId"]),
    ("subject", &["SubjectUserName"]),
    ("subject_domain", &["SubjectDomainName"]),
    ("process", &["LogonProcessName"]),
    ("authentication", &["AuthenticationPackageName"]),
    ("address", &["IpAddress"]),
    ("source", &["WorkstationName"]),
    ("computer", &["Computer"]),
    ("status", &["Status"]),
    ("size", &["cluster_size"]),
];

/// The lines of a card below its head: their names, and the options whose columns they show.
const LINES: [(&str, &str); 9] = [
    ("Account SID", "sid"),
    ("Session", "session"),
    ("Subject", "subject"),
    ("Logon process", "process"),
    ("Authentication", "authentication"),
    ("Source address", "address"),
    ("Source host", "source"),
    ("Computer", "computer"),
    ("Status", "status"),
];

/// A card without an account and a logon type says nothing.
fn check(settings: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
    let has_any = |(option, names): &(&str, &[&str])| {
        settings.get(option).is_some()
            || names.iter().any(|name| columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name)))
    };
    if DEFAULTS.iter().any(has_any) {
        return Ok(());
    }
    Err(PlotError(format!(
        "CARDS shows logons, and none of the query's columns is one of a logon event; name them, as in OPTIONS (account \
         '{}')",
        columns.first().map_or("column", |(name, _)| name)
    )))
}

fn draw(rows: &Rows, settings: &Settings) -> Part {
    let column = |option: &str| -> Option<&Column> {
        let (_, names) = DEFAULTS.iter().find(|(name, _)| *name == option)?;
        settings.column(option, rows).or_else(|| names.iter().find_map(|name| rows.column(name)))
    };
    let mut cards = Html::default();
    for row in 0..rows.len() {
        // Windows writes a minus for nothing.
        let value =
            |option: &str| column(option)?.text(row).map(str::trim).filter(|text| !matches!(*text, "" | "-"));
        let account = value("account").unwrap_or("(no account)");
        // Some columns have both in one.
        let (domain, account) = match account.split_once('\\') {
            Some((domain, account)) => (Some(domain), account),
            None => (value("domain"), account),
        };
        let domain = domain.map(|domain| Html::raw("<span>").text(domain).markup("\\</span>"));
        let time = value("time").map(|time| Html::raw("<p class=\"time\">").text(time).markup("</p>"));
        let logon_type = value("logon_type").map(|number| {
            let badge = Html::raw("<p class=\"badge\">Type ").text(number);
            let name = number.parse().ok().and_then(dbcluster_windows_names::logon_type);
            badge.html(name.map(|name| Html::raw(" ").markup(name))).markup("</p>")
        });
        let size = column("size").and_then(|column| column.number(row)).filter(|size| *size > 1.0);
        let size = size.map(|size| {
            Html::raw("<p class=\"badge strong\">").text(count(size as usize, "event")).markup("</p>")
        });
        let lines = LINES.iter().filter_map(|&(name, option)| {
            let text = value(option)?;
            let line = Html::raw("<dt>").markup(name).markup("</dt><dd>");
            let line = match option {
                "subject" => {
                    line.html(value("subject_domain").map(|domain| Html::escaped(domain).markup("\\")))
                }
                _ => line,
            };
            let line = line.text(text);
            let line = match option {
                "sid" => line.html(
                    dbcluster_windows_names::sid(text).map(|name| Html::raw(" (").markup(name).markup(")")),
                ),
                _ => line,
            };
            Some(line.markup("</dd>"))
        });
        let card = Html::raw("<article class=\"card\" data-row=\"")
            .text(row)
            .markup("\">\n<h3>")
            .html(domain)
            .text(account)
            .markup("</h3>\n")
            .html(time)
            .markup("<div class=\"badges\">")
            .html(logon_type)
            .html(size)
            .markup("</div>\n<dl>")
            .html(lines.collect::<Html>())
            .markup("</dl>\n</article>\n");
        cards.extend([card]);
    }
    let note = format!("One card for each of {}, in their order.", count(rows.len(), "row"));
    let body = Html::raw("<div class=\"cards\">\n").html(cards).markup("</div>");
    Part::new(rows, note, Body::Html(body))
}
