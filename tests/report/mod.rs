//! The page that `dbcluster report` writes, and `STORED AS REPORT`: what a reader finds on it, in a browser.

mod screens;
mod statements;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::binary::{dbcluster, stderr};
use crate::browser::Browser;
use crate::support::data_folder;

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
