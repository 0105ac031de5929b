//! Logons as cards: who, when, how, from where.

use std::fmt::Write as _;

use super::page::{Body, Part};
use super::rows::{Column, Rows};
use super::settings::Settings;
use super::text::{count, html};
use super::{ColumnType, PlotError};

/// Which columns are taken for an option that isn't given: those of Windows' event 4624 and of common exports of it.
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

/// The lines of a card below its head: what they say, and the option whose column has it.
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
pub(super) fn check(settings: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
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

pub(super) fn draw(rows: &Rows, settings: &Settings) -> Part {
    let column = |option: &str| -> Option<&Column> {
        let (_, names) = DEFAULTS.iter().find(|(name, _)| *name == option)?;
        settings.column(option, rows).or_else(|| names.iter().find_map(|name| rows.column(name)))
    };
    let mut cards = String::new();
    for row in 0..rows.len() {
        // What Windows writes for nothing.
        let value =
            |option: &str| column(option)?.text(row).map(str::trim).filter(|text| !matches!(*text, "" | "-"));
        let account = value("account").unwrap_or("(no account)");
        // Some columns have both in one.
        let (domain, account) = match account.split_once('\\') {
            Some((domain, account)) => (Some(domain), account),
            None => (value("domain"), account),
        };
        let domain = domain.map_or_else(String::new, |domain| format!("<span>{}\\</span>", html(domain)));
        let logon_type = value("logon_type").map_or_else(String::new, |number| {
            let name = number.parse().ok().and_then(dbcluster_windows_names::logon_type);
            let name = name.map_or_else(String::new, |name| format!(" {name}"));
            format!("<p class=\"badge\">Type {}{name}</p>", html(number))
        });
        let size = column("size").and_then(|column| column.number(row)).filter(|size| *size > 1.0);
        let size = size.map_or_else(String::new, |size| {
            format!("<p class=\"badge strong\">{}</p>", count(size as usize, "event"))
        });
        let time =
            value("time").map_or_else(String::new, |time| format!("<p class=\"time\">{}</p>", html(time)));
        let mut lines = String::new();
        for (name, option) in LINES {
            let Some(text) = value(option) else { continue };
            let more = match option {
                "sid" => dbcluster_windows_names::sid(text).map(|name| format!(" ({name})")),
                _ => None,
            };
            let before = match option {
                "subject" => value("subject_domain").map(|domain| format!("{}\\", html(domain))),
                _ => None,
            };
            let _ = write!(
                lines,
                "<dt>{name}</dt><dd>{}{}{}</dd>",
                before.unwrap_or_default(),
                html(text),
                more.unwrap_or_default()
            );
        }
        let _ = write!(
            cards,
            "<article class=\"card\" data-row=\"{row}\">\n<h3>{domain}{}</h3>\n{time}<div class=\"badges\">{logon_type}{size}</div>\
             \n<dl>{lines}</dl>\n</article>\n",
            html(account)
        );
    }
    let note = format!("One card for each of {}, in their order.", count(rows.len(), "row"));
    Part::new(rows, note, Body::Html(format!("<div class=\"cards\">\n{cards}</div>")))
}
