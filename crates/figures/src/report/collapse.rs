//! The page of the rows of `dbcluster(...)`, each a cluster or an odd event: what `STORED AS REPORT` writes. Its clusters are fixed.

use super::{Clustering, Feature, Place, Report, Role, RoleName, Row};
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;

/// The columns that play a part, by the names that logs have for them.
const ROLES: &[(RoleName, &[&str])] = &[
    (RoleName::Text, &["CommandLine", "cmdline", "command_line", "text_template", "line", "message"]),
    (RoleName::Parent, &["ParentProcessName", "ParentImage", "CreatorProcessName"]),
    (RoleName::Account, &["Account", "SubjectUserName", "User", "AccountName"]),
    (RoleName::Host, &["Computer", "DeviceName", "Hostname", "host"]),
    (RoleName::Path, &["NewProcessName", "Image", "exe"]),
];

/// The report of a collapse, by the settings of [`Figure::Report`](crate::Figure::Report).
pub(crate) fn of_collapse(rows: &Rows, settings: &Settings, title: &str) -> Report {
    let role = |role: RoleName| {
        let (_, names) = ROLES.iter().find(|(each, _)| *each == role)?;
        names.iter().find_map(|name| rows.column(name))
    };
    let label = settings.column("label", rows);
    let [text, parent, account, host, path] =
        [RoleName::Text, RoleName::Parent, RoleName::Account, RoleName::Host, RoleName::Path].map(role);
    let found = [
        (RoleName::Name, label),
        (RoleName::Text, text),
        (RoleName::Parent, parent),
        (RoleName::Account, account),
        (RoleName::Host, host),
        (RoleName::Path, path),
    ];
    let roles = found.iter().filter_map(|(role, column)| {
        Some(Role { role: *role, label: (*column)?.name.clone(), sql: String::new() })
    });
    let axes: Vec<&Column> = ["x", "y"].iter().filter_map(|name| settings.column(name, rows)).collect();
    let shown = settings.columns("tooltip", rows).unwrap_or_else(|| rows.0.iter().collect());
    let [first, last, score, reasons, clustered, cluster_id, size] = [
        "first_event_time",
        "last_event_time",
        "score",
        "reasons",
        "clustered",
        "cluster_id",
        "cluster_size",
    ]
    .map(|name| rows.column(name));
    let value = |column: Option<&Column>, row: usize| {
        column.and_then(|column| column.text(row)).map(ToString::to_string)
    };
    let time = |column: Option<&Column>, row: usize| {
        let column = column.filter(|column| column.column_type == ColumnType::Time)?;
        column.number(row).map(|milliseconds| (milliseconds * 1000.0).round() as i64)
    };

    let (mut places, mut made) = (vec![], vec![]);
    for row in 0..rows.len() {
        let is_cluster = clustered.is_some_and(|column| column.is_set(row));
        // Left out by nulls => 'skip'.
        let is_skipped = !is_cluster && cluster_id.is_some_and(|column| column.text(row).is_none());
        let events = size.and_then(|column| column.number(row)).unwrap_or(1.0) as u64;
        let times = time(first, row).map(|first_time| (first_time, time(last, row).unwrap_or(first_time)));
        let reasons = value(reasons, row).unwrap_or_default();
        made.push(Row {
            place: (!is_skipped).then_some(places.len() as u32),
            events,
            times,
            name: value(label, row),
            text: value(text, row),
            varies: false,
            parent: value(parent, row),
            account: value(account, row),
            host: value(host, row),
            path: value(path, row),
            score: score.and_then(|column| column.number(row)),
            reasons: reasons
                .lines()
                .filter(|reason| !reason.trim().is_empty())
                .map(ToString::to_string)
                .collect(),
            values: shown.iter().map(|column| column.text(row).map(ToString::to_string)).collect(),
        });
        if !is_skipped {
            let features = axes.iter().filter_map(|column| column.number(row)).collect();
            places.push(Place { events, times, features, clustered: is_cluster, ..Place::default() });
        }
    }
    Report {
        title: settings.get("title").unwrap_or(title).to_string(),
        features: axes
            .iter()
            .map(|column| Feature { name: column.name.clone(), sql: column.name.clone() })
            .collect(),
        roles: roles.collect(),
        query: settings.get("query").map(ToString::to_string),
        columns: shown.iter().map(|column| column.name.clone()).collect(),
        clustering: Clustering::Fixed,
        notes: vec!["A row stands for a whole cluster, and shows its earliest event.".to_string()],
        places,
        rows: made,
        ..Report::default()
    }
}
