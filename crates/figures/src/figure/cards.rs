//! Logons as cards by account: who, when, how, from where.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::error::PlotError;
use crate::figure::Draw;
use crate::html::Html;
use crate::options::{OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, option};
use crate::page::{Body, Part};
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;
use crate::text::count;
use crate::times::Zone;

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
        option("status", OPTIONAL_NAMES, "How it ended, with the reason of a failure; otherwise Status"),
        option("sub_status", OPTIONAL_NAMES, "The exact reason of a failure; otherwise SubStatus"),
        option(
            "event",
            OPTIONAL_NAMES,
            "The number of the event, of which 4625 is a failed logon; otherwise EventID",
        ),
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
const DEFAULTS: [(&str, &[&str]); 17] = [
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
    ("sub_status", &["SubStatus"]),
    ("event", &["EventID", "event_id", "EventCode"]),
    ("size", &["cluster_size"]),
];

/// The lines of a card below its head: their names, and the options whose columns they show.
const LINES: [(&str, &str); 9] = [
    ("Source address", "address"),
    ("Source host", "source"),
    ("Computer", "computer"),
    ("Subject", "subject"),
    ("Logon process", "process"),
    ("Authentication", "authentication"),
    ("Session", "session"),
    ("Status", "status"),
    ("Sub-status", "sub_status"),
];

/// The number of the event of a failed logon.
const FAILED: &str = "4625";

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

/// The rows of one account.
struct Account<'a> {
    domain: Option<&'a str>,
    name: &'a str,
    rows: Vec<usize>,
}

impl<'a> Account<'a> {
    /// The accounts in the order of their first rows. Windows reads their names in any case. The identifier does not tell them
    /// apart, since a failed logon has none.
    fn all(rows: usize, value: impl Fn(&str, usize) -> Option<&'a str>) -> Vec<Self> {
        let mut places = HashMap::new();
        let mut all: Vec<Self> = vec![];
        for row in 0..rows {
            let name = value("account", row).unwrap_or("(no account)");
            // Some columns have both in one.
            let (domain, name) = match name.split_once('\\') {
                Some((domain, name)) => (Some(domain), name),
                None => (value("domain", row), name),
            };
            let place =
                *places.entry((domain.map(str::to_lowercase), name.to_lowercase())).or_insert(all.len());
            match all.get_mut(place) {
                Some(account) => account.rows.push(row),
                None => all.push(Self { domain, name, rows: vec![row] }),
            }
        }
        all
    }
}

/// An identifier with its name or its kind.
fn identifier(sid: &str) -> Html {
    let name = dbcluster_windows_names::sid(sid).or_else(|| dbcluster_windows_names::sid_kind(sid));
    Html::raw("<p class=\"sid\">").text(sid).html(name.map(named)).markup("</p>\n")
}

/// The name that stands beside a code.
fn named(name: &'static str) -> Html {
    Html::raw(" <span class=\"kind\">(").markup(name).markup(")</span>")
}

/// An account as Windows writes it.
fn name_of(domain: Option<&str>, name: &str) -> String {
    domain.map_or_else(|| name.to_string(), |domain| format!("{domain}\\{name}"))
}

/// One logon of an account. The identifier is given if it is not that of the account.
fn card<'a>(
    row: usize,
    account: &str,
    sid: Option<&str>,
    value: impl Fn(&str) -> Option<&'a str>,
    events: f64,
) -> Html {
    let time = value("time").map(|time| Html::raw("<p class=\"time\">").text(time).markup("</p>"));
    let logon_type = value("logon_type").map(|number| {
        let badge = Html::raw("<p class=\"badge\">Type ").text(number);
        let name = number.parse().ok().and_then(dbcluster_windows_names::logon_type);
        badge.html(name.map(|name| Html::raw(" ").markup(name))).markup("</p>")
    });
    let size = (events > 1.0).then(|| {
        Html::raw("<p class=\"badge strong\">").text(count(events as usize, "event")).markup("</p>")
    });
    // The more exact of two codes comes first; the other one is often a general one.
    let codes: Vec<&str> = ["sub_status", "status"].into_iter().filter_map(&value).collect();
    let bad = codes.iter().find(|code| dbcluster_windows_names::is_success(code) == Some(false));
    let failed = (value("event") == Some(FAILED) || bad.is_some()).then(|| {
        let badge = Html::raw("<p class=\"badge failed\">Failed");
        let reason = codes.iter().find_map(|code| dbcluster_windows_names::logon_failure(code));
        match (reason, bad) {
            (Some(reason), _) => badge.markup(": ").markup(reason),
            (None, Some(code)) => badge.markup(": code ").text(code),
            (None, None) => badge,
        }
        .markup("</p>")
    });
    let system = value("session").and_then(dbcluster_windows_names::logon_session);
    let system = system.map(|name| Html::raw("<p class=\"badge\">").markup(name).markup("</p>"));
    let lines = LINES.iter().filter_map(|&(name, option)| {
        let text = value(option)?;
        let line = Html::raw("<div><dt>").markup(name).markup("</dt><dd>");
        let line = match option {
            "subject" => line.html(value("subject_domain").map(|domain| Html::escaped(domain).markup("\\"))),
            _ => line,
        };
        let line = line.text(text);
        let line = match option {
            "status" | "sub_status" => line.html(dbcluster_windows_names::logon_failure(text).map(named)),
            _ => line,
        };
        Some(line.markup("</dd></div>"))
    });
    Html::raw("<article class=\"card\" tabindex=\"0\" data-row=\"")
        .text(row)
        .markup("\" aria-label=\"")
        .text(account)
        .markup("\">\n")
        .html(time)
        .html(sid.map(identifier))
        .markup("<div class=\"badges\">")
        .html(failed)
        .html(logon_type)
        .html(system)
        .html(size)
        .markup("</div>\n<dl>")
        .html(lines.collect::<Html>())
        .markup("</dl>\n</article>\n")
}

fn draw(rows: &Rows, settings: &Settings) -> Part {
    let column = |option: &str| -> Option<&Column> {
        let (_, names) = DEFAULTS.iter().find(|(name, _)| *name == option)?;
        settings.column(option, rows).or_else(|| names.iter().find_map(|name| rows.column(name)))
    };
    // Windows writes a minus for nothing.
    let value_of = |option: &str, row: usize| {
        column(option)?.text(row).map(str::trim).filter(|text| !matches!(*text, "" | "-"))
    };
    let events = |row: usize| column("size").and_then(|column| column.number(row)).unwrap_or(1.0);
    let mut accounts = Html::default();
    for Account { domain, name, rows: logons } in Account::all(rows.len(), value_of) {
        let sids: BTreeSet<&str> = logons.iter().filter_map(|&row| value_of("sid", row)).collect();
        // One that all logons agree on belongs to the account.
        let sid = sids.first().filter(|_| sids.len() == 1).copied();
        let cards = logons.iter().map(|&row| {
            let own = value_of("sid", row).filter(|_| sid.is_none());
            card(row, &name_of(domain, name), own, |option| value_of(option, row), events(row))
        });
        let class = if logons.len() > 1 { " several" } else { "" };
        let account = Html::raw("<section class=\"account")
            .markup(class)
            .markup("\">\n<h3>")
            .html(domain.map(|domain| Html::raw("<span>").text(domain).markup("\\</span>")))
            .markup("<span class=\"name\">")
            .text(name)
            .markup("</span></h3>\n")
            .html(sid.map(identifier))
            .markup("<div class=\"cards\">\n")
            .html(cards.collect::<Html>())
            .markup("</div>\n</section>\n");
        accounts.extend([account]);
    }
    let mut note = format!(
        "One card for each of {}, by account in the order of their first rows.",
        count(rows.len(), "row")
    );
    if let Some(time) = column("time").filter(|time| time.column_type == ColumnType::Time) {
        // Writing to a string can't fail.
        let _ = write!(note, " Times are those of {} ({}).", time.name, Zone::of(Some(time)).name());
    }
    let body = Html::raw("<div class=\"accounts\">\n").html(accounts).markup("</div>");
    Part::new(rows, note, Body::Html(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Figure;

    #[test]
    fn a_failed_logon_says_why_and_a_session_of_the_system_is_named() {
        let text = |name: &str, values: [&str; 3]| Column {
            name: name.to_string(),
            column_type: ColumnType::Text,
            shown: values.map(|value| Some(value.to_string())).to_vec(),
            numbers: vec![],
        };
        let rows = Rows(vec![
            text("EventID", ["4625", "4625", "4624"]),
            text("TargetUserName", ["a", "b", "c"]),
            text("Status", ["0xc000006d", "0xc0001234", "0x0"]),
            text("SubStatus", ["0xc000006a", "0x0", ""]),
            text("TargetLogonId", ["", "", "0x3e7"]),
            text("TargetUserSid", ["S-1-5-80-1-2", "", "S-1-5-18"]),
        ]);
        let columns: Vec<(&str, ColumnType)> =
            rows.0.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
        let settings = Settings::try_new(Figure::Cards, [], &columns).expect("settings");
        let page = Figure::Cards.draw(&rows, &settings).expect("a page");
        let accounts: Vec<&str> = page.split("<section class=\"account").skip(1).collect();
        assert!(accounts[0].contains("S-1-5-80-1-2 <span class=\"kind\">(service)</span>"));
        assert!(!accounts[1].contains("class=\"sid\""));
        let cards: Vec<&str> = page.split("<article").skip(1).collect();
        assert!(cards[0].contains(">Failed: wrong password</p>"), "{}", cards[0]);
        assert!(cards[1].contains(">Failed: code 0xc0001234</p>"));
        assert!(!cards[2].contains("Failed") && cards[2].contains(">session of the system</p>"));
    }
}
