//! Logons as cards: who, when, how, from where.

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
const LINES: [(&str, &str); 10] = [
    ("Source address", "address"),
    ("Source host", "source"),
    ("Computer", "computer"),
    ("Subject", "subject"),
    ("Logon process", "process"),
    ("Authentication", "authentication"),
    ("Session", "session"),
    ("Account SID", "sid"),
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

/// The name that stands beside a code.
fn named(name: &'static str) -> Html {
    Html::raw(" <span class=\"kind\">(").markup(name).markup(")</span>")
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
        // The more exact of two codes comes first; the other one is often a general one.
        let codes: Vec<&str> = ["sub_status", "status"].into_iter().filter_map(value).collect();
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
                    dbcluster_windows_names::sid(text)
                        .or_else(|| dbcluster_windows_names::sid_kind(text))
                        .map(named),
                ),
                "status" | "sub_status" => line.html(dbcluster_windows_names::logon_failure(text).map(named)),
                _ => line,
            };
            Some(line.markup("</dd>"))
        });
        let card = Html::raw("<article class=\"card\" tabindex=\"0\" data-row=\"")
            .text(row)
            .markup("\">\n<h3>")
            .html(domain)
            .text(account)
            .markup("</h3>\n")
            .html(time)
            .markup("<div class=\"badges\">")
            .html(failed)
            .html(logon_type)
            .html(system)
            .html(size)
            .markup("</div>\n<dl>")
            .html(lines.collect::<Html>())
            .markup("</dl>\n</article>\n");
        cards.extend([card]);
    }
    let mut note = format!("One card for each of {}, in their order.", count(rows.len(), "row"));
    if let Some(time) = column("time").filter(|time| time.column_type == ColumnType::Time) {
        // Writing to a string can't fail.
        let _ = write!(note, " Times are those of {} ({}).", time.name, Zone::of(Some(time)).name());
    }
    let body = Html::raw("<div class=\"cards\">\n").html(cards).markup("</div>");
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
        let cards: Vec<&str> = page.split("<article").skip(1).collect();
        assert!(cards[0].contains(">Failed: wrong password</p>"), "{}", cards[0]);
        assert!(cards[0].contains("<span class=\"kind\">(service)</span>"));
        assert!(cards[1].contains(">Failed: code 0xc0001234</p>"));
        assert!(!cards[2].contains("Failed") && cards[2].contains(">session of the system</p>"));
    }
}
