//! The page that `dbcluster report` writes, and `STORED AS REPORT`: what a reader finds on it, in a browser.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::binary::{dbcluster, stderr};
use crate::browser::Browser;
use crate::figures::{drawn, values};
use crate::support::{data_folder, session};

/// Writes the report of a table with further arguments, and returns its path.
fn report(folder: &Path, table: &str, more: &[&str]) -> PathBuf {
    let page = folder.join("report.html");
    let output = dbcluster()
        .current_dir(folder)
        .args(["report", "--force", "--table", table, "--out"])
        .arg(&page)
        .args(more)
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    page
}

/// The rows of a query, as the program gives them.
fn answers(sql: &str) -> Vec<Value> {
    let output =
        dbcluster().args(["-q", "--format", "nd-json", "-c", sql]).output().expect("the binary starts");
    assert!(output.status.success(), "{sql}: {}", stderr(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn text(browser: &mut Browser, selector: &str) -> String {
    let text = browser.ask(&format!("document.querySelector({}).textContent", json!(selector)));
    text.as_str().expect("a text").to_string()
}

/// The number of elements that are seen.
fn seen(browser: &mut Browser, selector: &str) -> u64 {
    let count = format!(
        "[...document.querySelectorAll({})].filter((element) => element.checkVisibility()).length",
        json!(selector)
    );
    browser.ask(&count).as_u64().expect("a number")
}

/// The places of names on the page, in pixels from its top.
fn top_of(browser: &mut Browser, name: &str) -> f64 {
    let place = browser.ask(&format!(
        "(() => {{ const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); \
         while (walker.nextNode()) {{ const element = walker.currentNode.parentElement; \
         if (walker.currentNode.textContent.includes({}) && element.checkVisibility() && !element.closest('script, select')) \
         return element.getBoundingClientRect().bottom + scrollY; }} return 1e9; }})()",
        json!(name)
    ));
    place.as_f64().expect("a place")
}

/// On the data of msticpy's notebook: what matters is on the first screen and a half, and one click leads to each event.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn finding_is_on_the_first_screen_and_a_half() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let table = data_folder().join("processes_on_host.csv").display().to_string();
    for more in [&["--eps", "0.0001"][..], &[]] {
        let page = report(folder.path(), &table, more);
        browser.resize(1280, 900);
        browser.open(&page);
        for name in ["mimikatz.exe", "ransomware.exe", "05:15"] {
            assert!(top_of(&mut browser, name) < 1.5 * 900.0, "{name}: {}", top_of(&mut browser, name));
        }
        assert_eq!(browser.console, [""; 0]);
    }
    let page = report(folder.path(), &table, &["--eps", "0.0001"]);
    browser.open(&page);
    assert_eq!(
        text(&mut browser, "h1"),
        "33 of 363 process starts look like nothing else; 27 of them fell into one minute (05:15)"
    );
    assert_eq!(text(&mut browser, "#status"), "62 rows to read instead of 363 events.");
    let context = text(&mut browser, "#context");
    for said in
        ["one host, MSTICAlertsWin1", "(time zone not recorded)", "Compared: tokens, path, is_system."]
    {
        assert!(context.contains(said), "{context}");
    }
    // 33 odd events and 22 patterns of at most ten events, the most unusual first.
    assert_eq!(browser.ask("reader.view.entries.length"), 55);
    let scores = "reader.view.entries.map((entry) => reader.page.score(entry.row)).every((score, i, all) => !i || score <= all[i - 1])";
    assert_eq!(browser.ask(scores), true);

    // A hidden name leads to its event, whose command line is whole.
    browser.ask("[...document.querySelectorAll('#hidden-names button')].find((button) => button.textContent.startsWith('mimikatz.exe')).click()");
    assert_eq!(seen(&mut browser, "#odd-list > .entry"), 1);
    browser.ask("document.querySelector('#odd-list summary').click()");
    browser.wait("document.querySelector('#odd-list .inside') !== null");
    assert!(text(&mut browser, "#odd-list .inside").contains(".\\mimikatz.exe"));
    browser.ask("document.getElementById('clear').click()");
    assert_eq!(text(&mut browser, "#status"), "62 rows to read instead of 363 events.");

    // An odd event opens to its reasons, its neighbour, the time around it, and all of its values.
    browser.ask("document.querySelector('.odd summary').click()");
    browser.wait("document.querySelector('.odd .inside') !== null");
    let inside = text(&mut browser, ".odd .inside");
    for said in [
        "Beside the nearest other event",
        "30 seconds around it on MSTICAlertsWin1",
        "SubjectLogonId",
        "SELECT *",
    ] {
        assert!(inside.contains(said), "{said}: {inside}");
    }
    // The tree has the odd events below those that started them.
    browser.ask("[...document.querySelectorAll('#drawings details')].find((part) => part.textContent.startsWith('Process tree')).open = true");
    browser.wait("document.querySelector('.tree') !== null");
    assert_eq!(seen(&mut browser, ".tree .odd"), 33);
    let below = "[...document.querySelectorAll('.tree .odd')].filter((item) => item.querySelector(':scope > b').textContent === 'net1.exe')\
                 .map((item) => item.parentElement.parentElement.querySelector(':scope > b').textContent)";
    assert_eq!(browser.ask(below), json!(["net.exe"]));
    // Text is searched, times are chosen, and the patterns follow.
    browser.ask("(() => { const input = document.getElementById('search'); input.value = 'KITTEN http'; input.dispatchEvent(new Event('input')); })()");
    assert_eq!(seen(&mut browser, "#odd-list > .entry"), 1);
    browser.ask("document.getElementById('clear').click()");
    browser.ask("document.querySelector('#bursts button').click()");
    assert!(
        text(&mut browser, "#status").starts_with("47 of 55 to read first"),
        "{}",
        text(&mut browser, "#status")
    );
    assert_eq!(browser.console, [""; 0]);
}

/// The clusters, noise and the largest cluster of the page at some eps.
fn of_page(browser: &mut Browser, list: &[f64]) -> Vec<[i64; 3]> {
    let asked = format!(
        "{}.map((eps) => {{ const view = new View(reader.page, eps); return [view.clusters.length, view.oddEvents, \
         Math.max(0, ...view.clusters.map((cluster) => cluster.events))]; }})",
        json!(list)
    );
    serde_json::from_value(browser.ask(&asked)).expect("numbers")
}

/// The slider is exact: at every eps the page finds what the engine finds.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn every_eps_of_the_page_is_that_of_the_engine() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let processes = "cmdline_tokens(coalesce(CommandLine, '')) AS tokens, path_score(coalesce(NewProcessName, '')) AS path, \
                     length(coalesce(CommandLine, '')) AS length";
    let calls =
        "string_score(coalesce(eventName, '')) AS name, string_score(coalesce(userAgent, '')) AS agent";
    for (table, features, flags, options) in [
        ("processes_on_host.csv", processes, &["--min-samples", "2"][..], "min_samples => 2"),
        ("processes_on_host.csv", processes, &["--min-samples", "1"], "min_samples => 1"),
        ("otrf_4688.parquet", processes, &["--min-samples", "5"], "min_samples => 5"),
        (
            "otrf_4688.parquet",
            processes,
            &["--min-samples", "3", "--scaling", "zscore", "--metric", "manhattan"],
            "min_samples => 3, scaling => 'zscore', metric => 'manhattan'",
        ),
        (
            "otrf_4688.parquet",
            processes,
            &["--min-samples", "4", "--scaling", "minmax", "--metric", "chebyshev", "--weights", "1,2,0.5"],
            "min_samples => 4, scaling => 'minmax', metric => 'chebyshev', weights => [1.0, 2.0, 0.5]",
        ),
        ("cloudtrail.parquet", calls, &["--min-samples", "4"], "min_samples => 4"),
    ] {
        let path = data_folder().join(table).display().to_string();
        let more = [&["--features", features, "--label", "'event'", "--eps", "0.001"], flags].concat();
        let page = report(folder.path(), &path, &more);
        browser.open(&page);
        assert_eq!(browser.console, [""; 0], "{table} {options}");
        let query = format!(
            "SELECT eps, clusters, noise, largest_cluster FROM dbcluster_eps('{path}', '{}', steps => 40, {options}) \
             WHERE eps IS NOT NULL",
            features.replace('\'', "''")
        );
        let answers = answers(&query);
        let list: Vec<f64> = answers.iter().filter_map(|row| row["eps"].as_f64()).collect();
        let number = |row: &Value, name: &str| row[name].as_i64().expect("a number");
        let expected =
            answers.iter().map(|row| ["clusters", "noise", "largest_cluster"].map(|name| number(row, name)));
        assert!(list.len() > 20, "{table} {options}: {}", list.len());
        let found = of_page(&mut browser, &list);
        for ((eps, found), expected) in list.iter().zip(found).zip(expected) {
            assert_eq!(found, expected, "{table} {options} eps {eps}");
        }
    }
}

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

/// Attackers write names and command lines.
const HOSTILE: &str = "NewProcessName,CommandLine,Account,Computer,TimeGenerated\n\
    C:\\a\\\u{202e}gpj.exe,\"<img src=x onerror=alert(1)>\u{7}\u{e0041}\",=cmd|'/c calc'!A1,h1,2025-01-01 00:00:00\n\
    C:\\a\\b.exe,</script><script>alert(2)</script>,amy,h1,2025-01-01 00:00:05\n\
    C:\\a\\b.exe,b.exe -x,amy,h2,2025-01-01 00:00:10\n\
    C:\\a\\b.exe,b.exe -x,amy,h2,2025-01-01 00:00:11\n";

#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn hostile_text_is_shown_and_does_nothing() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("events.csv"), HOSTILE).expect("a table");
    let page = report(folder.path(), "events.csv", &["--eps", "0.00001"]);
    browser.open(&page);
    browser.ask("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    browser.wait("document.querySelector('#odd-list .inside') !== null");
    assert_eq!(browser.ask("document.querySelectorAll('img').length"), 0);
    let shown = text(&mut browser, "#odd-list");
    for said in [
        "\u{27e8}U+202E\u{27e9}gpj.exe",
        "<img src=x onerror=alert(1)>\u{27e8}U+0007\u{27e9}\u{27e8}U+E0041\u{27e9}",
        "</script><script>alert(2)",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert_eq!(browser.console, [""; 0]);

    // A spreadsheet computes nothing of it.
    let downloads = browser.downloads();
    browser.ask("document.getElementById('csv').click()");
    let file = downloads.join("events.csv.csv");
    let csv = wait_for_file(&file);
    assert!(csv.contains(",'=cmd|'/c calc'!A1,"), "{csv}");
    assert_eq!(csv.lines().count(), 5, "{csv}");
}

fn wait_for_file(file: &Path) -> String {
    for _ in 0..200 {
        if let Ok(text) = fs::read_to_string(file)
            && !text.is_empty()
        {
            return text;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("no file {}", file.display());
}

/// Stars and notes are in the copy that is saved, also where the browser keeps nothing.
#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn notes_travel_with_a_copy_of_the_page() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("events.csv"), HOSTILE).expect("a table");
    let page = report(folder.path(), "events.csv", &["--eps", "0.00001"]);
    browser.open(&page);
    browser.ask("document.querySelector('.star').click()");
    browser.ask("document.querySelector('#odd-list summary').click()");
    browser.wait("document.querySelector('#odd-list textarea') !== null");
    browser.ask("(() => { const field = document.querySelector('#odd-list textarea'); field.value = 'ask </script> Amy'; field.dispatchEvent(new Event('input')); })()");
    let downloads = browser.downloads();
    browser.ask("document.getElementById('copy').click()");
    let copy = downloads.join("events.csv.html");
    wait_for_file(&copy);
    browser.ask("localStorage.clear()");
    browser.open(&copy);
    assert_eq!(seen(&mut browser, ".star[aria-pressed=true]"), 1);
    browser.ask("document.querySelector('#odd-list summary').click()");
    browser.wait("document.querySelector('#odd-list textarea') !== null");
    assert_eq!(browser.ask("document.querySelector('#odd-list textarea').value"), "ask </script> Amy");
    browser.ask("document.getElementById('starred').click()");
    assert_eq!(seen(&mut browser, "#odd-list > .entry"), 1);
    assert_eq!(browser.console, [""; 0]);
}

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

/// Pseudonyms stand wherever the value stood, and the value nowhere.
#[test]
fn redacted_values_are_not_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = "NewProcessName,CommandLine,Account,Computer,TimeGenerated\n\
                  C:\\Users\\amysmith\\b.exe,copy x C:\\Users\\AmySmith\\y,CORP\\amysmith,bank-pc7,2025-01-01 00:00:00\n\
                  C:\\a\\b.exe,ping bank-pc7,NT AUTHORITY\\SYSTEM,bank-pc7,2025-01-01 00:00:05\n";
    fs::write(folder.path().join("events.csv"), events).expect("a table");
    let page = report(folder.path(), "events.csv", &["--redact", "Account,Computer"]);
    let html = fs::read_to_string(page).expect("a page");
    let lower = html.to_lowercase();
    assert!(!lower.contains("amysmith") && !lower.contains("bank-pc7"), "a value is left");
    assert!(html.contains("Computer-") && html.contains("Account-"), "pseudonyms");
    let page = report(folder.path(), "events.csv", &["--redact", "Account", "--redact-key", "k"]);
    assert!(fs::read_to_string(page).expect("a page").contains("bank-pc7"), "the other column stays");

    let output = dbcluster()
        .current_dir(folder.path())
        .args(["report", "--table", "events.csv", "--out", "o.html", "--redact", "Acount"])
        .output()
        .expect("the binary starts");
    assert!(
        stderr(&output)
            .contains("--redact Acount: the page has no column of this name; it has process, CommandLine"),
        "{}",
        stderr(&output)
    );
    assert!(!folder.path().join("o.html").exists());

    // Without a name the page is beside the reader, and an earlier one stays.
    let run = || {
        dbcluster()
            .current_dir(folder.path())
            .args(["report", "events.csv"])
            .output()
            .expect("the binary starts")
    };
    assert!(folder.path().join("report.html").exists(), "written above");
    assert!(stderr(&run()).contains("report.html is there already; --force overwrites it"));
    fs::remove_file(folder.path().join("report.html")).expect("a page");
    assert!(run().status.success());
    assert!(folder.path().join("report.html").exists());
}

/// Nothing lies beyond the window, in any width, on paper, in the dark.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn page_is_whole_when_narrow_on_paper_and_in_the_dark() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let table = data_folder().join("otrf_4688.parquet").display().to_string();
    let page = report(folder.path(), &table, &[]);
    let beyond = "[...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() \
                  && !element.closest('svg, .events, .scroll, select') && element.getBoundingClientRect().right > innerWidth + 1)\
                  .map((element) => element.outerHTML.slice(0, 80))";
    for width in [400, 800, 1280] {
        browser.resize(width, 900);
        browser.open(&page);
        browser.ask("document.querySelector('#odd-list summary').click(); document.querySelector('#pattern-list summary').click()");
        browser.ask("document.querySelectorAll('#drawings details, #made details').forEach((details) => { details.open = true; })");
        browser.wait("document.querySelectorAll('#drawings svg').length > 3");
        assert_eq!(browser.ask(beyond), json!([]), "{width}");
    }
    browser.ask("document.documentElement.dataset.theme = 'dark'");
    let contrast = "(() => { const light = (text) => { const [r, g, b] = text.match(/[\\d.]+/g).map((value) => { const part = value / 255; \
                    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
                    const ground = (element) => { for (let e = element; e; e = e.parentElement) { const color = getComputedStyle(e).backgroundColor; \
                    if (!color.endsWith(', 0)')) return color; } return 'rgb(255, 255, 255)'; }; \
                    return [...document.querySelectorAll('h1, h1 b, #context, .facts, .why, .like, .size, .cmd, .rank, time, small, #status, button')] \
                    .filter((element) => element.checkVisibility()).map((element) => { const [a, b] = [light(getComputedStyle(element).color), light(ground(element))]; \
                    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.className || element.tagName]; }).sort((a, b) => a[0] - b[0])[0]; })()";
    for theme in ["dark", "light"] {
        browser.ask(&format!("document.documentElement.dataset.theme = '{theme}'"));
        let least = browser.ask(contrast);
        assert!(least[0].as_f64().is_some_and(|least| least >= 4.5), "{theme}: {least}");
    }

    browser.ask("document.documentElement.dataset.theme = 'dark'");
    assert!(seen(&mut browser, ".chips > .more") > 0, "some reasons are left to the opened entry");
    browser.ask("dispatchEvent(new Event('beforeprint'))");
    browser.order("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    browser.resize(718, 1000);
    assert_eq!(seen(&mut browser, ".chips > .more"), 0, "paper has all reasons");
    assert_eq!(browser.ask("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    assert_eq!(browser.ask("getComputedStyle(document.body).color"), "rgb(0, 0, 0)");
    assert_eq!(browser.ask(beyond), json!([]));
    let cut = "[...document.querySelectorAll('.cmd')].filter((element) => element.checkVisibility() && element.scrollHeight > element.clientHeight + 2).length";
    assert_eq!(browser.ask(cut), 0, "command lines that are cut");
}

/// Keys reach everything: entries, stars, the slider, and a span of time.
#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn page_is_worked_by_keys() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("events.csv"), HOSTILE).expect("a table");
    let page = report(folder.path(), "events.csv", &["--eps", "0.00001"]);
    browser.open(&page);
    let press = |browser: &mut Browser, key: &str| {
        for kind in ["keyDown", "keyUp"] {
            browser.order("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key, "code": key }));
        }
    };
    browser.ask("document.getElementById('histogram').focus()");
    press(&mut browser, "ArrowRight");
    assert_eq!(browser.ask("reader.state.time !== null"), true);
    press(&mut browser, "Escape");
    assert_eq!(browser.ask("reader.state.time"), Value::Null);
    // Whoever can't see it is told what it is.
    let nameless = "[...document.querySelectorAll('button, input, select, textarea, summary, [tabindex], svg[role]')].filter((element) => \
                    !(element.textContent.trim() || element.getAttribute('aria-label') || element.labels?.length)).map((element) => element.outerHTML)";
    assert_eq!(browser.ask(nameless), json!([]));
    let eps = browser.ask("reader.view.eps");
    browser.ask("(() => { const input = document.getElementById('eps'); input.value = 1000; input.dispatchEvent(new Event('input')); })()");
    assert_ne!(browser.ask("reader.view.eps"), eps);
    assert_eq!(browser.ask("reader.view.clusters.length"), 1, "all meet");
    assert!(
        text(&mut browser, "#query")
            .contains(&browser.ask("String(reader.view.eps)").as_str().expect("a number").to_string())
    );
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

/// On a telephone the words of a drawing have the size of other words, and none lies on another one.
#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn drawings_can_be_read_on_a_telephone() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let sample = dbcluster()
        .current_dir(folder.path())
        .args(["sample", "--rows", "600", "--seed", "5", "--out", "sample"])
        .output()
        .expect("the binary starts");
    assert!(sample.status.success(), "{}", stderr(&sample));
    let page = report(folder.path(), "sample/processes.parquet", &[]);
    browser.open(&page);
    // A time of microseconds has a line for its day and one for the rest.
    let high = "Math.max(...[...document.querySelectorAll('#odd-list time')].map((e) => { const range = document.createRange(); \
                range.selectNodeContents(e); return new Set([...range.getClientRects()].map((b) => Math.round(b.top))).size; }))";
    assert_eq!(browser.ask(high), 2);
    for width in [1280, 400] {
        browser.resize(width, 800);
        browser.open(&page);
        browser.ask("document.querySelectorAll('#drawings details').forEach((e) => { e.open = true; })");
        browser.wait("document.querySelectorAll('#drawings svg').length === 4");
        let smallest = browser.ask(
            "Math.min(...[...document.querySelectorAll('#drawings svg')].map((e) => 11 * e.getScreenCTM().a))",
        );
        let smallest = smallest.as_f64();
        assert!(smallest.is_some_and(|size| size > 10.0), "{width}: {smallest:?} pixels");
        let over = "[...document.querySelectorAll('#drawings svg')].flatMap((drawing) => { \
                    const texts = [...drawing.querySelectorAll('.eps-text, .odd-text, .name')].map((e) => [e.textContent, e.getBoundingClientRect()]); \
                    return texts.filter(([, a], at) => texts.some(([, b], other) => at < other && a.left < b.right && b.left < a.right && \
                    a.top + 3 < b.bottom && b.top + 3 < a.bottom)).map(([text]) => text); })";
        assert_eq!(browser.ask(over), json!([]), "{width}");
        let beyond = "[...document.querySelectorAll('#drawings svg text')].filter((e) => { const b = e.getBoundingClientRect(); return b.left < 0 || b.right > innerWidth; }).length";
        assert_eq!(browser.ask(beyond), 0, "{width}");
        assert_eq!(browser.console, [""; 0]);
    }
}

/// The same events give the same page, whatever the threads and the order of rows.
#[test]
fn page_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    for rows in ["3000", "30000"] {
        let sample = dbcluster()
            .current_dir(folder.path())
            .args(["sample", "--force", "--rows", rows, "--seed", "5", "--out", "sample"])
            .output()
            .expect("the binary starts");
        assert!(sample.status.success(), "{}", stderr(&sample));
        let table = "sample/processes.parquet";
        let mut pages = vec![];
        for threads in ["1", "2", "7", "7"] {
            let page = folder.path().join("report.html");
            let output = dbcluster()
                .current_dir(folder.path())
                .args(["-t", threads, "report", "--force", "--table", table, "--out"])
                .arg(&page)
                .output()
                .expect("the binary starts");
            assert!(output.status.success(), "{}", stderr(&output));
            pages.push(fs::read_to_string(&page).expect("a page"));
        }
        assert!(pages.iter().all(|page| *page == pages[0]), "{rows}");
    }
}
