//! Pages of other tables than those of process events: without times, of very many events or vectors, of a collapse.

use std::fs;

use serde_json::json;

use super::{answers, report, seen, text};
use crate::binary::{dbcluster, stderr};
use crate::browser::Browser;
use crate::figures::{drawn, values};
use crate::support::session;

/// Kinds of tables that a report knows no columns of: neither what is the same everywhere nor numbers of things make a name.
#[test]
fn names_tell_events_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let unknown = "kind,verb,RequestId\nweb,get,a1\nweb,get,b2\nweb,put,c3\n";
    fs::write(folder.path().join("unknown.csv"), unknown).expect("a table");
    let page = fs::read_to_string(report(folder.path(), "unknown.csv", &[])).expect("a page");
    assert!(page.contains("\"features\":[{\"name\":\"form of verb\""), "{page:.4000}");
    let loads = "Image,ImageLoaded,ProcessGuid\nC:\\a.exe,C:\\w\\x.dll,{1}\nC:\\a.exe,C:\\w\\y.dll,{2}\n";
    fs::write(folder.path().join("loads.csv"), loads).expect("a table");
    let page = fs::read_to_string(report(folder.path(), "loads.csv", &[])).expect("a page");
    assert!(page.contains("\"y.dll\"") && page.contains("loads of libraries"), "{page:.4000}");
}

/// Events beyond a few thousand are counted, and the counts are whole.
#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn many_events_are_counted_whole() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let sample = dbcluster()
        .current_dir(folder.path())
        .args(["sample", "--rows", "60000", "--seed", "5", "--out", "sample"])
        .output()
        .expect("the binary starts");
    assert!(sample.status.success(), "{}", stderr(&sample));
    let page = report(folder.path(), "sample/processes.parquet", &[]);
    browser.open(&page);
    assert_eq!(browser.console, [""; 0]);
    assert_eq!(browser.ask("reader.page.all"), 60_000);
    assert_eq!(browser.ask("reader.page.isComplete"), false);
    assert_eq!(browser.ask("reader.view.histogram.all.reduce((a, b) => a + b)"), 60_000);
    assert_eq!(browser.ask("[...reader.page.nameCounts.values()].reduce((a, b) => a + b)"), 60_000);
    assert_eq!(
        browser.ask("[...reader.page.values('host').values()].reduce((a, b) => a + b) <= 60000"),
        true
    );
    let size = fs::metadata(&page).expect("a page").len();
    assert!(size < 2_000_000, "{size}");
    // A search has looked at the rows of the page alone, and says how to look at all.
    browser.ask("(() => { const input = document.getElementById('search'); input.value = 'svchost 100%'; input.dispatchEvent(new Event('input')); })()");
    let statement = text(&mut browser, "#elsewhere pre");
    assert!(statement.contains("ILIKE '%svchost%'") && statement.contains("ILIKE '%100\\%%'"), "{statement}");
    assert!(
        answers(
            statement
                .replace("'sample/", &format!("'{}/sample/", folder.path().display()))
                .trim_end_matches(';')
        )
        .is_empty()
    );
    browser.ask("document.getElementById('clear').click()");
    assert_eq!(seen(&mut browser, "#elsewhere"), 0);
    // The patterns that a host takes part in are found, though their rows tell no host.
    browser.ask("(() => { const select = document.getElementById('host'); select.value = select.options[1].value; select.dispatchEvent(new Event('change')); })()");
    assert!(seen(&mut browser, "#pattern-list > .entry") > 0);
}

/// A table without times, names of hosts and accounts, and with skipped rows, few or many.
#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn table_without_times_is_a_page() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    for rows in [100, 9_000] {
        let table = format!(
            "(SELECT CASE WHEN value % 10 = 0 THEN NULL ELSE value % 7 END AS n, 'it''s ' || CAST(value % 3 AS VARCHAR) AS line FROM range({rows}))"
        );
        let page = report(
            folder.path(),
            &table,
            &["--features", "n", "--label", "line", "--nulls", "skip", "--scaling", "none", "--eps", "0.5"],
        );
        browser.open(&page);
        assert_eq!(browser.console, [""; 0], "{rows}");
        assert_eq!(seen(&mut browser, "#when"), 0);
        assert_eq!(browser.ask("reader.page.all"), rows * 9 / 10);
        assert_eq!(
            browser.ask("reader.page.skipped.reduce((sum, row) => sum + reader.page.rows.events[row], 0)"),
            rows / 10
        );
        assert_eq!(browser.ask("reader.view.clusters.length"), 7);
        assert_eq!(seen(&mut browser, "#skipped"), 1);
        let context = text(&mut browser, "#context");
        let skipped = format!(
            "Not among them: {rows} events with a NULL",
            rows = if rows == 100 { "10" } else { "900" }
        );
        assert!(context.contains(&skipped), "{context}");
    }
    for (table, said) in [
        ("(SELECT 1 AS n, 'a' AS line WHERE false)", "There are no events."),
        ("(SELECT CAST(NULL AS INT) AS n, 'a' AS line)", "All events were skipped."),
    ] {
        let page = report(folder.path(), table, &["--features", "n", "--label", "line", "--nulls", "skip"]);
        browser.open(&page);
        assert_eq!(text(&mut browser, "h1"), said);
        assert_eq!(browser.console, [""; 0], "{table}");
    }
}

/// More vectors than a slider serves: clusters are fixed, and what is left out is counted.
#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn page_of_too_many_vectors_says_what_it_leaves_out() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let table = "(SELECT value AS n, CASE WHEN value < 30000 THEN value * 10 ELSE 300000 + value END AS x, to_timestamp(value) AS t FROM range(60000))";
    let flags = ["--features", "x", "--label", "'event'", "--scaling", "none", "--eps", "1"];
    let page = report(folder.path(), table, &flags);
    browser.open(&page);
    assert_eq!(browser.console, [""; 0]);
    assert!(
        text(&mut browser, "h1").starts_with("30,000 of 60,000 events look like nothing else"),
        "{}",
        text(&mut browser, "h1")
    );
    assert_eq!(browser.ask("document.getElementById('eps-field').hidden"), true);
    let notes = values(&mut browser, ".note").to_string();
    assert!(
        notes.contains("60,000 different vectors") && notes.contains("25,000 odd events are counted"),
        "{notes}"
    );
    assert_eq!(browser.ask("reader.view.clusters.map((cluster) => cluster.events)"), json!([30000]));
}

/// The rows of a collapse, as `COPY` has them.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn collapse_is_a_page_of_fixed_clusters() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("report.html");
    let select = "SELECT value AS x, (value * 7919) % 6007 AS y, 'name ' || value AS name, value % 3 > 0 AS clustered, \
         CASE WHEN value % 100 = 99 THEN NULL WHEN value % 3 > 0 THEN value ELSE -1 END AS cluster_id, \
         CASE WHEN value % 3 > 0 THEN 2 + value % 50 ELSE 1 END AS cluster_size, \
         to_timestamp(value * 60) AS first_event_time, to_timestamp(value * 90) AS last_event_time FROM range(6000)";
    drawn(&ctx, select, &page, "REPORT", "label 'name', x 'x', y 'y', title 'Six thousand'").await;
    browser.open(&page);
    assert_eq!(browser.console, [""; 0]);
    assert!(text(&mut browser, "#context").starts_with("Six thousand; "));
    assert_eq!(
        browser.ask("[reader.view.clusters.length, reader.view.oddEvents, reader.page.skipped.length]"),
        json!([4000, 1980, 20])
    );
    assert_eq!(seen(&mut browser, "#eps-field"), 0);
    assert_eq!(seen(&mut browser, "#skipped"), 1);
    let more = text(&mut browser, "#more-patterns");
    assert_eq!(more, "Show more: 3,950 are not listed yet");
}
