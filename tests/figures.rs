//! Figures as a browser draws them: headless Chromium runs each page, moves the mouse in it, and tells what is there.
//!
//! Without Chromium these tests are ignored, see `tests/main.rs`. Pictures of the pages are written to the folder that the
//! environment variable `DBCLUSTER_PICTURES` names, if it is set.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use datafusion::prelude::SessionContext;
use dbcluster_figures::Figure;
use serde_json::{Value, json};

use crate::binary::{dbcluster, stderr, stdout};
use crate::browser::Browser;
use crate::support::{data_folder, repository, session};

/// Text that tries to become markup or script in each of the places where a page has text.
const PAYLOADS: [&str; 8] = [
    "<img src=x onerror=document.title='pwned'>",
    "</script><script>document.title='pwned'</script>",
    "<a href=\"javascript:document.title='pwned'\">link</a>",
    "<!--<script>",
    "\"><svg onload=document.title='pwned'>",
    "%{x} ${document.title='pwned'} {{7*7}}",
    "$\\href{javascript:document.title='pwned'}{x}$",
    "<b>bold</b>&lt;i&gt;",
];

/// Counts the marks that the drawing script made of a page's rows, over all of its drawings.
pub(crate) const MARKS: &str = "[...document.querySelectorAll('.figure')].flatMap((place) => place.calcdata)
    .filter((marks) => marks[0].trace.ids).reduce((sum, marks) => sum + marks.length, 0)";

/// Counts the elements that are marks.
pub(crate) const ELEMENTS: &str = "document.querySelectorAll('.written [data-row]').length";

/// A table of payloads with a number for each, as every figure needs it.
async fn hostile() -> SessionContext {
    let ctx = session();
    let mut values = String::new();
    for (row, payload) in PAYLOADS.iter().enumerate() {
        let comma = if row == 0 { "" } else { ", " };
        let _ = write!(values, "{comma}({row}, {}, '{}')", row * row, payload.replace('\'', "''"));
    }
    let sql = format!(
        "CREATE TABLE hostile AS SELECT column1 AS x, column2 AS y, column3 AS \"<b>text\", \
         to_timestamp(column1 * 3600) AS t, column1 % 2 = 0 AS clustered, column1 AS cluster_size, \
         to_timestamp(column1 * 3600) AS first_event_time, to_timestamp(column1 * 7200) AS last_event_time \
         FROM (VALUES {values})"
    );
    ctx.sql(&sql).await.expect("a table").collect().await.expect("a table");
    ctx
}

/// Writes a page, and returns the message if that fails.
pub(crate) async fn copy(
    ctx: &SessionContext,
    select: &str,
    page: &Path,
    figure: &str,
    options: &str,
) -> String {
    let sql = format!("COPY ({select}) TO '{}' STORED AS {figure} OPTIONS ({options})", page.display());
    match ctx.sql(&sql).await {
        Ok(frame) => match frame.collect().await {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

/// Writes a page, which has to succeed.
pub(crate) async fn drawn(ctx: &SessionContext, select: &str, page: &Path, figure: &str, options: &str) {
    assert_eq!(copy(ctx, select, page, figure, options).await, "", "{figure}");
}

/// Writes a picture for people, if they asked for one.
fn picture(browser: &mut Browser, name: &str) {
    let Some(folder) = std::env::var_os("DBCLUSTER_PICTURES").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    for (width, height, size) in [(1366, 768, "laptop"), (1920, 1080, "desktop")] {
        browser.resize(width, height);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let file = folder.join(format!("{name}-{size}.png"));
        std::fs::write(file, browser.picture()).expect("a picture");
    }
    browser.resize(1280, 900);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn every_row_is_a_mark_and_no_text_is_markup() {
    let ctx = hostile().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::start();
    let all = PAYLOADS.len();
    let boxes = "document.querySelectorAll('.boxes .lane').length";
    let odd = "reader.view.noise.length";
    let cases = [
        ("SCATTER", "x 'x', y 'y', size 'y', label '<b>text', color '<b>text'", MARKS, all),
        ("BAR", "x '<b>text', y 'y', detail '<b>text'", ELEMENTS, all),
        ("BAR", "x '<b>text', y 'y', cut_off '4', most '2'", ELEMENTS, all - 3),
        ("BOX", "x 'x', y '<b>text', color '<b>text'", ELEMENTS, all),
        ("BOX", "x 'x', y 'clustered', color '<b>text'", boxes, all),
        ("VALUES", "time 't', y 'y', series '<b>text', ref_event '<b>text'", MARKS, all),
        ("MATRIX", "x '<b>text', y '<b>text', size 'y'", ELEMENTS, all),
        ("TIMELINE", "time 't', group_by '<b>text', ref_event '<b>text'", MARKS, all),
        ("TIMELINE", "time 't', end 'last_event_time', series '<b>text', tooltip 'x, <b>text'", MARKS, all),
        (
            "TIMELINE",
            "time 't', panel '<b>text', ref_times '1970-01-01 <img src=x>; 1970-01-02 b'",
            MARKS,
            all,
        ),
        ("CURVE", "y 'x', eps '1.5'", MARKS, all),
        ("CARDS", "account '<b>text', domain '<b>text', status '<b>text', size 'x'", ELEMENTS, all),
        (
            "TREE",
            "id '<b>text', parent '<b>text', label '<b>text', detail '<b>text', host '<b>text'",
            ELEMENTS,
            all,
        ),
        ("REPORT", "label '<b>text', x 'x', y 'y', tooltip '<b>text'", odd, all / 2),
        (
            "REVIEW",
            "text '<b>text', subject '<b>text', reasons '<b>text', score 'x', events 'y'",
            ELEMENTS,
            all,
        ),
    ];
    for figure in Figure::ALL {
        assert!(cases.iter().any(|case| case.0 == figure.name()), "{} has no case", figure.name());
    }
    for (at, (figure, options, count, expected)) in cases.into_iter().enumerate() {
        let page = folder.path().join(format!("{figure}{at}.html"));
        let title = PAYLOADS[0].replace('\'', "''");
        let options = format!("{options}, title '{title}', query '{}'", PAYLOADS[1].replace('\'', "''"));
        drawn(&ctx, "SELECT * FROM hostile", &page, figure, &options).await;
        let html = std::fs::read_to_string(&page).expect("a page");
        assert!(!html.contains(" src=\"http"), "{figure} reads from the network");
        browser.open(&page);
        picture(&mut browser, &format!("hostile-{figure}{at}"));
        assert_eq!(browser.ask(count), expected, "{figure} ({options})");
        assert_eq!(browser.ask("document.title"), PAYLOADS[0], "{figure}: the title is text");
        assert_eq!(browser.ask("document.querySelector('#query').textContent"), PAYLOADS[1]);
        // These selectors find every element that a payload could have become, and every script in one.
        let made = "[...document.querySelectorAll('img, [onerror], [onload], a[href]:not(.parts > ul > li > a[href^=\"#part-\"]), [*|href^=\"javascript\" i], \
                    .figure b, dd b, td b, h3 b, .detail b')].filter((e) => !e.hasAttribute('download')).map((e) => e.outerHTML)";
        assert_eq!(browser.ask(made), json!([]), "{figure}: text became markup");
        if options.contains("panel '<b>text'") {
            let mut headings = PAYLOADS;
            headings.sort_unstable();
            assert_eq!(values(&mut browser, "h2"), json!(headings), "{figure}");
            assert_eq!(values(&mut browser, ".parts a"), json!(headings), "{figure}");
        }
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
}

#[tokio::test]
async fn wrong_figures_are_refused_before_reading() {
    let ctx = hostile().await;
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let all = "SELECT * FROM hostile";
    let many = "SELECT *, to_timestamp(value) AS t FROM range(100001)";
    let cases = [
        (all, "SCATTER", "x 'x'", "SCATTER needs the option 'y'"),
        (
            all,
            "SCATTER",
            "x 'x', y 'z'",
            "names the column 'z', which the query does not have; its columns are: x, y,",
        ),
        (all, "BAR", "x 'x', y '<b>text'", "names the column '<b>text', which is no number"),
        (
            all,
            "BOX",
            "x 'x', y 'y', colour 'x'",
            "BOX has no option 'colour', expected one of: x, y, color, weight, title,",
        ),
        (
            all,
            "TIMELINE",
            "time 'x'",
            "names the column 'x', which is no time; to_timestamp(\"x\") AS \"x\" in the query",
        ),
        (
            all,
            "TIMELINE",
            "time 't', ref_times 'noon'",
            "takes times and labels such as '2026-01-15 05:00 first alert",
        ),
        (all, "CURVE", "y 'x', eps 'small'", "takes a number such as 0.0001, got 'small'"),
        (all, "CURVE", "y 'x', panel 'y'", "option 'panel' is for the rows of dbcluster_eps, got 'y'"),
        (
            all,
            "CURVE",
            "title 'x'",
            "CURVE draws the rows of dbcluster_eps(...) and needs their columns eps,",
        ),
        ("SELECT 1 AS x", "CARDS", "title 'x'", "none of the query's columns is one of a logon event"),
        (all, "TREE", "id 'x'", "TREE needs the option 'parent' (The process that started it)"),
        (
            "SELECT 1 AS x",
            "REPORT",
            "label 'x'",
            "REPORT draws the rows of dbcluster(...) and needs their columns",
        ),
        (
            all,
            "TIMELINE",
            "time 't', order 'size'",
            "option 'order' takes one of name, count, first, got 'size'",
        ),
        (all, "SCATTER", "x 'x', y 'y', scale 'square'", "takes one of linear, log, quantile, got 'square'"),
        (many, "BAR", "x 'value', y 'value'", "BAR draws up to 100000 rows, got more"),
        (many, "CARDS", "account 'value'", "CARDS draws up to 1000 rows, got more"),
        (many, "TIMELINE", "time 't', group_by 'value'", "TIMELINE draws up to 1000 rows of marks"),
        (
            "SELECT * FROM range(60) JOIN hostile ON true",
            "TIMELINE",
            "time 't', panel 'value'",
            "draws up to 50 panels",
        ),
    ];
    for (select, figure, options, expected) in cases {
        let failure = copy(&ctx, select, &page, figure, options).await;
        assert!(failure.contains(expected), "{figure} ({options}): {failure}");
        assert!(!page.exists(), "a failed {figure} leaves no page");
    }
    let folder_for_page = copy(&ctx, all, &folder.path().join("pages"), "BAR", "x 'x', y 'y'").await;
    assert!(folder_for_page.contains("BAR writes one page, expected a file name"), "{folder_for_page}");
    let sql = format!("CREATE EXTERNAL TABLE page STORED AS SCATTER LOCATION '{}'", page.display());
    let read = ctx.sql(&sql).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(read.contains("a SCATTER is a page for people and can't be read as a table"), "{read}");
}

/// The texts of all elements of a selector, such as the values of a row in a tooltip.
pub(crate) fn values(browser: &mut Browser, selector: &str) -> Value {
    browser.ask(&format!("[...document.querySelectorAll({})].map((e) => e.textContent)", json!(selector)))
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn the_mouse_finds_rows_and_keeps_them() {
    let ctx = hostile().await;
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("map.html");
    drawn(&ctx, "SELECT x, y, \"<b>text\" FROM hostile ORDER BY x", &page, "SCATTER", "x 'x', y 'y'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    for row in [7, 2] {
        let place = browser.place(&format!(".scatterlayer .point:nth-of-type({})", row + 1));
        browser.hover(place);
        let expected = json!([row.to_string(), (row * row).to_string(), PAYLOADS[row]]);
        // The tooltip follows the mouse, so it never shows this of another row.
        browser.wait(&format!(
            "!document.getElementById('tip').hidden && \
             JSON.stringify([...document.querySelectorAll('#tip dd')].map((e) => e.textContent)) === {}",
            json!(expected.to_string())
        ));
        browser.click(place);
        browser.click(place);
    }
    assert_eq!(values(&mut browser, ".kept td:nth-child(3)"), json!([PAYLOADS[7], PAYLOADS[2]]), "each once");
    browser.hover((5.0, 5.0));
    browser.wait("document.getElementById('tip').hidden");

    // Elements of a page are marks too.
    let page = folder.path().join("tree.html");
    let select = "SELECT x, x / 2 AS parent, 'process ' || x AS name FROM hostile";
    drawn(&ctx, select, &page, "TREE", "id 'x', parent 'parent', label 'name'").await;
    browser.open(&page);
    let shown = "[...document.querySelectorAll('.tree li:not([hidden]) b')].map((e) => e.textContent).join()";
    let open = browser.ask(shown);
    assert_eq!(
        open,
        "process 0,process 0,process 1,process 2,process 4,process 5,process 3,process 6,process 7"
    );
    let fold = browser.place(".tree li button.fold");
    browser.click(fold);
    assert_eq!(browser.ask(shown), "process 0");
    browser.click(fold);
    assert_eq!(browser.ask(shown), open);
    let line = browser.place(".tree li[data-row='5'] b");
    browser.click(line);
    assert_eq!(values(&mut browser, ".kept td"), json!(["5", "2", "process 5"]));
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn linked_timelines_follow_each_other() {
    let ctx = hostile().await;
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("linked.html");
    let select = "SELECT *, x % 2 AS half FROM hostile";
    drawn(&ctx, select, &page, "TIMELINE", "time 't', group_by 'x', panel 'half'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    let ranges = "[...document.querySelectorAll('.figure')].map((e) => e.layout.xaxis.range.map((t) => new Date(t + 'Z').getTime()))";
    let span = |range: &Value| range[1].as_f64().expect("a time") - range[0].as_f64().expect("a time");
    let whole = browser.ask("document.querySelector('.figure').layout.xaxis.range[1] - document.querySelector('.figure').layout.xaxis.range[0]");
    assert!(whole.as_f64().expect("numbers at first") > 7.0 * 3_600_000.0, "all hours are shown: {whole}");

    // The mouse zooms in the first panel.
    let area = browser.ask(
        "(() => { const b = document.querySelector('.figure .nsewdrag').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()",
    );
    let at = |part: f64| {
        let number = |i: usize| area[i].as_f64().expect("a number");
        (number(0) + number(2) * part, number(1) + number(3) / 2.0)
    };
    browser.mouse("mouseMoved", at(0.2));
    browser.mouse("mousePressed", at(0.2));
    browser.mouse("mouseMoved", at(0.4));
    browser.mouse("mouseMoved", at(0.6));
    browser.mouse("mouseReleased", at(0.6));
    let same = "(() => { const [a, b] = [...document.querySelectorAll('.figure')].map((e) => String(e.layout.xaxis.range)); \
                return a === b && typeof document.querySelector('.figure').layout.xaxis.range[0] === 'string'; })()";
    browser.wait(same);
    let zoomed = browser.ask(ranges);
    let part = span(&zoomed[0]) / whole.as_f64().expect("a number");
    assert!((0.35..0.45).contains(&part), "{part}");

    // The range selector is that of the second panel.
    let hour = browser.place("section.part:nth-of-type(2) .rangeselector .button:nth-of-type(3)");
    browser.click(hour);
    browser.wait(&format!("{ranges}.every(([a, b]) => b - a === 3600000)"));
    browser.wait(same);
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn pages_are_saved_and_follow_the_theme() {
    let ctx = hostile().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::start();
    let downloads = browser.downloads();
    for (figure, options) in [("SCATTER", "x 'x', y 'y'"), ("CARDS", "account '<b>text', size 'x'")] {
        let page = folder.path().join("page.html");
        drawn(
            &ctx,
            "SELECT * FROM hostile",
            &page,
            figure,
            &format!("{options}, title '{figure}: all of it'"),
        )
        .await;
        browser.open(&page);
        for (format, start) in [("svg", &b"<svg"[..]), ("png", &b"\x89PNG"[..])] {
            let button = browser.place(&format!("[data-save={format}]"));
            browser.click(button);
            let file = downloads.join(format!("{figure}-all-of-it.{format}"));
            let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
            let saved = loop {
                match std::fs::read(&file) {
                    Ok(saved) if saved.len() > 1000 => break saved,
                    _ => assert!(std::time::Instant::now() < until, "no {}", file.display()),
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            };
            assert!(saved.starts_with(start), "{}", file.display());
        }
        let paper = "getComputedStyle(document.body).backgroundColor";
        let light = browser.ask(paper);
        let button = browser.place("#theme");
        browser.click(button);
        assert_ne!(browser.ask(paper), light);
        assert_eq!(browser.ask("document.documentElement.dataset.theme"), "dark");
        picture(&mut browser, &format!("dark-{figure}"));
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_hundred_thousand_marks_are_drawn_and_more_are_counted() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::start();
    let page = folder.path().join("many.html");
    let rows = |rows: usize| {
        format!("SELECT to_timestamp(value * 60) AS t, 'host ' || (value % 7) AS host FROM range({rows})")
    };
    drawn(&ctx, &rows(100_000), &page, "TIMELINE", "time 't', group_by 'host'").await;
    browser.open(&page);
    assert_eq!(
        browser.ask(
            "document.querySelector('.figure').data.reduce((sum, of) => sum + (of.ids?.length ?? 0), 0)"
        ),
        100_000
    );
    let picked = "document.querySelectorAll('.gl-canvas-context').length > 0";
    assert_eq!(browser.ask(picked), true, "marks are drawn by the graphics card's interface");
    picture(&mut browser, "many");
    drawn(&ctx, &rows(300_000), &page, "TIMELINE", "time 't', group_by 'host'").await;
    browser.open(&page);
    let counted = "document.querySelector('.figure').data[0].text.flat().reduce((sum, text) => sum + Number(text.replace(/[^0-9]/g, '')), 0)";
    assert_eq!(browser.ask(counted), 300_000, "every row is in one cell");
    let note = browser.ask("document.querySelector('.note').textContent");
    assert!(
        note.as_str().is_some_and(|note| note.contains("300,000 rows are too many for marks of their own")),
        "{note}"
    );
    picture(&mut browser, "density");
    assert_eq!(browser.console, [""; 0]);
}

/// The seed's figures from its own files: as many marks as rows.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn real_sets_are_drawn_by_the_shell() {
    let data = data_folder();
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let data = data.display();
    let features = "'cmdline_tokens(CommandLine) AS tokens, path_score(NewProcessName) AS path, is_system_session(SubjectLogonId) AS is_system'";
    let processes = format!("dbcluster('{data}/processes_on_host.csv', {features}, 0.0001)");
    let boxes = "document.querySelectorAll('.boxes .lane, .constant li').length";
    let cases = [
        (
            "bar",
            format!(
                "cut_off=1 y=cluster_size SELECT *, process_name(NewProcessName) AS process FROM {processes}"
            ),
            ELEMENTS,
            29,
        ),
        (
            "scatter",
            format!("x=tokens y=path label=NewProcessName color=clustered SELECT * FROM {processes}"),
            MARKS,
            62,
        ),
        (
            "scatter",
            format!(
                "x=tokens y=path scaled_by=tokens,path cut_off=2 label=NewProcessName SELECT * FROM {processes}"
            ),
            MARKS,
            62,
        ),
        (
            "box",
            format!(
                "SELECT process_name(NewProcessName) AS y, cmdline_tokens(CommandLine) AS x FROM '{data}/processes_on_host.csv'"
            ),
            boxes,
            63,
        ),
        (
            "timeline",
            format!(
                "time=TimeGenerated series=s SELECT TimeGenerated, 'all' AS s FROM '{data}/processes_on_host.csv' \
                 UNION ALL SELECT TimeGenerated, 'clusters' FROM {processes}"
            ),
            MARKS,
            363 + 62,
        ),
        ("cards", format!("SELECT * FROM '{data}/host_logons.csv'"), ELEMENTS, 14),
        (
            "tree",
            format!(
                "id=NewProcessId parent=ProcessId host=Computer time=TimeGenerated label=NewProcessName detail=CommandLine \
                 SELECT * FROM '{data}/process_tree.csv'"
            ),
            ELEMENTS,
            117,
        ),
        (
            "curve",
            format!("y=d eps=0.0001 SELECT (value % 13) * 0.001 AS d FROM range(200) -- {data}"),
            MARKS,
            200,
        ),
    ];
    for (at, (kind, rest, count, expected)) in cases.into_iter().enumerate() {
        let page = folder.path().join(format!("{kind}{at}.html"));
        let line = format!("\\plot {kind} '{}' {rest}", page.display());
        let output = dbcluster().args(["-c", &line]).output().expect("the shell runs");
        assert!(output.status.success(), "{line}: {}", stderr(&output));
        browser.open(&page);
        assert_eq!(browser.ask(count), expected, "{line}");
        assert!(
            browser
                .ask("document.querySelector('#query').textContent")
                .as_str()
                .is_some_and(|asked| asked.contains("COPY (\nSELECT"))
        );
        picture(&mut browser, &format!("seed-{kind}{at}"));
        assert_eq!(browser.console, [""; 0], "{line}");
    }
}

/// Every page that the scripts of `sql/` write of the sample: drawn, and with as many marks as the statement said rows.
#[test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
fn pages_of_the_scripts_are_drawn() {
    let mut browser = Browser::start();
    let folder = tempfile::tempdir().expect("a folder");
    let run = |args: &[&str]| {
        let output = dbcluster().current_dir(folder.path()).args(args).output().expect("the binary starts");
        assert!(output.status.success(), "{args:?}\n{}", stderr(&output));
        stdout(&output)
    };
    run(&["sample", "--rows", "2000", "--seed", "5", "--out", "sample"]);
    let scripts = repository().join("sql");
    let mut pages = 0;
    for script in ["08_figures_of_processes.sql", "09_figures_of_logons.sql", "10_process_tree.sql"] {
        let script = scripts.join(script);
        let counts = run(&["--format", "csv", "-f", script.to_str().expect("UTF-8")]);
        let counts: Vec<u64> = counts.lines().filter_map(|line| line.parse().ok()).collect();
        let text = std::fs::read_to_string(&script).expect("a script");
        let names = text.lines().filter_map(|line| line.strip_prefix("TO '")?.split('\'').next());
        for (name, rows) in names.zip(counts) {
            browser.open(&folder.path().join(name));
            picture(&mut browser, name.trim_end_matches(".html"));
            let marks = browser.ask(&format!("{MARKS} + {ELEMENTS}")).as_u64().expect("a number");
            match name {
                // Bars above a size; boxes and what is beyond them.
                "sizes.html" | "tokens.html" | "paths.html" => assert!(marks > 0, "{name}"),
                // Clusters, noise and the largest share at each eps.
                "eps.html" => assert_eq!(marks, 3 * rows, "{name}"),
                _ => assert_eq!(marks, rows, "{name}"),
            }
            assert_eq!(browser.console, [""; 0], "{name}");
            pages += 1;
        }
    }
    assert_eq!(pages, 12, "a page of the scripts is missing");
}

/// Rows without a group form a group, and rows without a time are counted on the page.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn nothing_is_left_out_silently() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("nulls.html");
    let select =
        "SELECT to_timestamp(column1) AS t, column2 AS who FROM (VALUES (1, 'a'), (2, NULL), (NULL, 'b'))";
    drawn(&ctx, select, &page, "TIMELINE", "time 't', group_by 'who'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(browser.ask(MARKS), 2);
    let shown = values(&mut browser, ".figure .ytick text");
    assert_eq!(shown, json!(["a", "(NULL)"]), "the time decides who is drawn, NULL comes last");
    let note = browser.ask("document.querySelector('.note').textContent");
    assert_eq!(note, "One mark for each of 2 rows, at its t. Not drawn: 1 row without a time.");
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn two_rows_of_one_name_are_two_bars() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("sizes.html");
    let select = "SELECT column1 AS name, column2 AS size FROM (VALUES ('a', 3), ('a', 2), ('b', 1))";
    drawn(&ctx, select, &page, "BAR", "x 'name', y 'size'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(browser.ask(ELEMENTS), 3);
}

#[test]
fn shell_writes_figures_and_says_what_was_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("sizes.html");
    let sql = format!(
        "COPY (SELECT column1 AS name, column2 AS cluster_size FROM (VALUES ('a', 3), ('a', 2), ('b', 1))) TO '{}' STORED AS bar \
         OPTIONS (x 'name', y 'cluster_size')",
        page.display()
    );
    let output = dbcluster().args(["-c", &sql]).output().expect("the shell runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.contains("<pre id=\"query\">COPY (SELECT column1 AS name"), "the page shows the statement");
    assert!(html.contains("6 events in, 3 rows out."), "size is how many events there were");
    let read = format!("CREATE EXTERNAL TABLE page STORED AS BAR LOCATION '{}'", page.display());
    let output = dbcluster().args(["-c", &read]).output().expect("the shell runs");
    assert!(stderr(&output).contains("can't be read as a table"), "{}", stderr(&output));
    for (line, expected) in [
        ("\\plot", "\\plot needs a figure, a file and a query"),
        ("\\plot pie x.html SELECT 1", "\\plot has no figure 'pie', expected one of: BAR, BOX, SCATTER,"),
        ("\\plot timeline x.html SELECT 1 AS a", "TIMELINE needs the option 'time' (When)"),
        ("\\plot bar x.html SELECT nothing", "nothing"),
    ] {
        let output = dbcluster().args(["-c", line]).output().expect("the shell runs");
        assert!(stderr(&output).contains(expected), "{line}: {}", stderr(&output));
    }
}
