//! The statements and the reasons on the page hold for the rows that they stand beside.

use serde_json::json;

use super::{answers, report, text};
use crate::browser::Browser;
use crate::support::data_folder;

/// The statement below a pattern gives its members.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn statements_of_the_page_give_what_they_promise() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let table = data_folder().join("processes_on_host.csv").display().to_string();
    let page = report(folder.path(), &table, &["--eps", "0.0001"]);
    browser.open(&page);
    let asked = "reader.view.clusters.map((cluster) => [reader.view.members(cluster), cluster.events])\
                 .concat(reader.view.noise.map((entry) => [reader.page.where(entry.row), 1]))";
    let statements = browser.ask(asked);
    let statements = statements.as_array().expect("a list");
    assert_eq!(statements.len(), 62);
    for statement in statements {
        let sql = statement[0].as_str().expect("a statement");
        let found: usize = answers(sql).len();
        // An odd event may have equal ones in other sessions.
        if sql.contains("cluster_id") {
            assert_eq!(json!(found), statement[1], "{sql}");
        } else {
            assert!(found > 0, "{sql}");
        }
    }
    let query = text(&mut browser, "#query");
    let found: usize = answers(&query).len();
    assert_eq!(found, 62, "{query}");
}

/// Clusters are numbered within their partition, and the statements say which.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn statements_of_partitions_give_their_members() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let table = data_folder().join("otrf_logons.parquet").display().to_string();
    for keys in
        [&["--partition-by", "Computer"][..], &["--partition-by", "Computer", "--partition-by", "Status"]]
    {
        let page = report(folder.path(), &table, &[keys, &["--eps", "0.001"]].concat());
        browser.open(&page);
        assert_eq!(browser.console, [""; 0]);
        let asked = "reader.view.clusters.map((cluster) => [reader.view.members(cluster), cluster.events])";
        let statements = browser.ask(asked);
        let statements = statements.as_array().expect("a list");
        assert!(statements.len() > 10, "{}", statements.len());
        for statement in statements.iter().take(25) {
            let sql = statement[0].as_str().expect("a statement");
            assert_eq!(json!(answers(sql).len()), statement[1], "{sql}");
        }
    }
}

/// A time in a statement means the same instant whatever the zone of the column.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn statements_about_a_time_have_its_zone() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let table = data_folder().join("processes_on_host.csv").display().to_string();
    for zone in ["None", "Some(\"UTC\")", "Some(\"+02:00\")"] {
        let copy = folder.path().join("zone.parquet").display().to_string();
        let time = format!("arrow_cast(\"TimeGenerated\", 'Timestamp(Microsecond, {zone})')");
        let query = format!(
            "COPY (SELECT {time} AS t, \"CommandLine\", \"NewProcessName\", \"Computer\" FROM '{table}') TO '{copy}'"
        );
        answers(&query);
        let page = report(folder.path(), &copy, &[]);
        browser.open(&page);
        let of_burst = "(({ start, events }) => [reader.page.between(start, start + reader.page.histogram.width), events])(reader.view.bursts[0])";
        let statement = browser.ask(of_burst);
        assert_eq!(json!(answers(statement[0].as_str().expect("a statement")).len()), statement[1], "{zone}");
        let around = "reader.page.aroundStatement(reader.view.noise[0].row)";
        let around = browser.ask(around);
        let around = answers(around.as_str().expect("a statement")).len();
        let listed = "(({ rows, byTime }, row) => reader.page.byTime(rows.first[row] - 30e6, rows.first[row] + 30e6)\
                      .filter((other) => rows.host[other] === rows.host[row]).length)(reader.page, reader.view.noise[0].row)";
        assert_eq!(browser.ask(listed), json!(around), "{zone}");
        assert!(around > 1, "something else happened");
    }
}

/// A note about a kind of events is told of those events alone for which it holds.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn reasons_hold_for_the_row_that_has_them() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let table = data_folder().join("processes_on_host.csv").display().to_string();
    let page = report(folder.path(), &table, &[]);
    browser.open(&page);
    let told = "Array.from({ length: reader.page.rows.count }, (_, row) => [reader.page.text(reader.page.rows.parent[row]), reader.page.reasons(row)])\
                .flatMap(([parent, reasons]) => reasons.filter((reason) => / started it: /.test(reason)).map((reason) => [parent.toLowerCase(), reason.split(' started it: ')[0]]))";
    let told = browser.ask(told);
    let told = told.as_array().expect("a list");
    assert!(told.len() > 5, "{}", told.len());
    assert!(told.iter().all(|pair| pair[0] == pair[1]), "{told:?}");
}
