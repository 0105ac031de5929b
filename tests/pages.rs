//! Pages as people read them: they are complete with many rows and on paper, tooltips show the right row, and a page says what
//! it leaves out.

use std::path::Path;

use serde_json::json;

use crate::binary::{dbcluster, stderr};
use crate::browser::Browser;
use crate::figures::{MARKS, copy, drawn, values};
use crate::support::{data_folder, repository, session};

/// Counts the rows of all marks, also of marks that WebGL draws, which the script does not list.
const ROWS: &str = "[...document.querySelectorAll('.figure')].flatMap((place) => place.data)
    .filter((trace) => trace.ids).reduce((sum, trace) => sum + trace.ids.length, 0)";

pub(crate) fn text(browser: &mut Browser, selector: &str) -> String {
    let text = browser.ask(&format!("document.querySelector({}).textContent", json!(selector)));
    text.as_str().expect("a text").to_string()
}

/// The middle of an element that an expression finds, scrolled into view.
pub(crate) fn middle(browser: &mut Browser, element: &str) -> (f64, f64) {
    let middle = browser.ask(&format!(
        "(() => {{ const e = {element}; e.scrollIntoView({{ block: 'center' }}); const b = e.getBoundingClientRect(); \
         return [b.x + b.width / 2, b.y + b.height / 2]; }})()"
    ));
    (middle[0].as_f64().expect("a place"), middle[1].as_f64().expect("a place"))
}

/// Waits for a tooltip with this line.
pub(crate) fn wait_for_tip(browser: &mut Browser, name: &str, value: &str) {
    browser.wait(&format!(
        "!document.getElementById('tip').hidden && [...document.querySelectorAll('#tip dt')].some((name) => \
         name.textContent === {} && name.nextSibling.textContent === {})",
        json!(name),
        json!(value)
    ));
}

/// Rows of a collapse without clustering anything: 6,000 clusters and odd events at places of their own.
const COLLAPSE: &str = "SELECT value AS x, (value * 7919) % 6007 AS y, 'name ' || value AS name, value % 3 > 0 AS clustered, \
     CASE WHEN value % 3 > 0 THEN value ELSE -1 END AS cluster_id, \
     CASE WHEN value % 3 > 0 THEN 2 + value % 50 ELSE 1 END AS cluster_size, \
     to_timestamp(value * 60) AS first_event_time, to_timestamp(value * 90) AS last_event_time FROM range(6000)";

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn labelled_map_of_many_rows_is_drawn() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("map.html");
    let options = "x 'x', y 'y', label 'name', size 'cluster_size', color 'clustered'";
    drawn(&ctx, COLLAPSE, &page, "SCATTER", options).await;
    browser.open(&page);
    assert_eq!(browser.ask(ROWS), 6000);
    assert_eq!(
        browser.ask("document.querySelectorAll('.gl-canvas-context').length"),
        1,
        "drawn through WebGL"
    );
    let labels = browser.ask("document.querySelectorAll('.textpoint text').length");
    assert_eq!(
        labels, 45,
        "labels are elements of the page: of the five largest marks and of forty small ones"
    );
    // Under the mouse is the mark and not its label; row 0 lies in a corner.
    let place = browser.ask(
        "(() => { const { xaxis, yaxis } = document.querySelector('.figure')._fullLayout; \
         const b = document.querySelector('.nsewdrag').getBoundingClientRect(); \
         return [b.x + xaxis.c2p(0), b.y + yaxis.c2p(0)]; })()",
    );
    let place = (place[0].as_f64().expect("a place"), place[1].as_f64().expect("a place"));
    browser.hover(place);
    // Marks that lie at the same place are told with it, the nearest one first.
    browser.wait(
        "!document.getElementById('tip').hidden && [...document.querySelectorAll('#tip dt')].some((name) => \
         name.textContent === 'name' && /^name 0(,|$)/.test(name.nextSibling.textContent))",
    );
    browser.click(place);
    assert_eq!(values(&mut browser, ".kept td:nth-child(3)")[0], "name 0");
    assert_eq!(browser.console, [""; 0]);
}

/// The drawing script fails for the first figure only.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn figure_that_fails_says_so_and_the_others_are_drawn() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("panels.html");
    let select =
        format!("SELECT *, CASE WHEN x < 25 THEN 'a' ELSE 'b' END AS panel FROM ({COLLAPSE} LIMIT 50)");
    drawn(&ctx, &select, &page, "TIMELINE", "time 'first_event_time', panel 'panel'").await;
    let broken = "let plotly; let calls = 0; Object.defineProperty(window, 'Plotly', { get: () => plotly, set: (made) => { \
                  const react = made.react; plotly = Object.assign(made, { react: (...given) => { \
                  calls += 1; if (calls === 1) throw new TypeError('it broke'); return react(...given); } }); } });";
    browser.order("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": broken }));
    browser.open(&page);
    let said = "This figure could not be drawn here: it broke";
    assert_eq!(values(&mut browser, ".failed"), json!([said]));
    let figures = browser.ask("document.querySelectorAll('.figure').length").as_u64().expect("a number");
    let alive = browser.ask("document.querySelectorAll('.figure .main-svg:first-child').length");
    assert_eq!(alive, figures - 1, "all others are drawn");
    let mark = middle(&mut browser, "document.querySelector('.scatterlayer .point')");
    browser.hover(mark);
    browser.wait("!document.getElementById('tip').hidden");
    // Drawing again leaves the message alone.
    let button = browser.place("#theme");
    browser.click(button);
    assert_eq!(values(&mut browser, ".failed"), json!([said]));
    assert_eq!(browser.console.len(), 1, "the console has the error: {:?}", browser.console);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn numbers_of_bars_lie_within_the_plot() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    for rows in [1, 3, 29, 60] {
        let page = folder.path().join(format!("bars{rows}.html"));
        let select = format!(
            "SELECT 'name ' || value AS name, CASE WHEN value IN (0, {rows} - 1) THEN 123456 ELSE 20000 - value END AS size \
             FROM range({rows})"
        );
        drawn(&ctx, &select, &page, "BAR", "x 'name', y 'size'").await;
        for width in [1440, 1024, 400] {
            browser.resize(width, 900);
            browser.open(&page);
            let cut = "(() => { const list = document.querySelector('.bars').getBoundingClientRect(); \
                       const lines = [...document.querySelectorAll('.bars li')].map((line) => ['.name', '.bar', '.number'] \
                       .map((part) => line.querySelector(part).getBoundingClientRect())); \
                       return lines.filter(([name, bar, number]) => name.left < list.left || name.right > bar.left || bar.right > number.left \
                       || number.right > list.right || number.width === 0 || bar.width < 1).length; })()";
            assert_eq!(browser.ask(cut), 0, "{rows} bars at {width} px");
            assert_eq!(browser.ask("document.querySelectorAll('.bars li').length"), rows);
            let lies = "[...document.querySelectorAll('.bars li')].every((line, at, all) => at === 0 || \
                        line.getBoundingClientRect().top >= all[at - 1].getBoundingClientRect().bottom)";
            assert_eq!(browser.ask(lies), true, "a bar is below the other one");
            assert_eq!(text(&mut browser, ".bars .number"), "123,456");
        }
    }
}

/// The values 1 to 9 and one of 56: the whisker ends at 9.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn box_tells_its_true_maximum() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("boxes.html");
    let select = "SELECT 'cmd<b>.exe' AS process, CASE WHEN value = 10 THEN 56 ELSE value END AS tokens, 2 AS events \
                  FROM range(1, 11)";
    drawn(&ctx, select, &page, "BOX", "x 'tokens', y 'process', weight 'events'").await;
    browser.open(&page);
    let whisker = middle(&mut browser, "document.querySelector('.lane .median')");
    browser.hover(whisker);
    wait_for_tip(&mut browser, "maximum", "56");
    let lines = browser.ask("[...document.querySelectorAll('#tip dt')].map((name) => [name.textContent, name.nextSibling.textContent])");
    let expected = [
        ("process", "cmd<b>.exe"),
        ("events", "20"),
        ("distinct values", "10"),
        ("minimum", "1"),
        ("first quartile", "3"),
        ("median", "5.5"),
        ("third quartile", "8"),
        ("maximum", "56"),
    ];
    assert_eq!(lines, json!(expected));
    // The rows of both ends are kept; the dot has a row of its own.
    browser.click(whisker);
    assert_eq!(values(&mut browser, ".kept td:nth-child(2)"), json!(["1", "56"]));
    let dot = middle(&mut browser, "document.querySelector('.lane .dot')");
    browser.hover(dot);
    wait_for_tip(&mut browser, "tokens", "56");
    assert_eq!(browser.console, [""; 0]);
}

/// The first panel has a quarter of an hour of one day, the second one two days.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn all_of_linked_timelines_is_all() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("linked.html");
    let select = "SELECT to_timestamp(100000 + value * 60) AS t, 'a' AS panel FROM range(15) UNION ALL \
                  SELECT to_timestamp(value * 86400) AS t, 'b' AS panel FROM range(3)";
    let options = "time 't', panel 'panel', ref_times '1970-01-05 later'";
    drawn(&ctx, select, &page, "TIMELINE", options).await;
    browser.open(&page);
    let ranges = "[...document.querySelectorAll('.figure')].map((e) => e.layout.xaxis.range.map((t) => \
                  typeof t === 'number' ? t : new Date(t + 'Z').getTime()))";
    let at_first = browser.ask(ranges);
    assert_eq!(at_first[0], at_first[1]);
    for panel in 0..2 {
        for (button, shows_all) in [("1 h", false), ("all", true)] {
            let selector = format!(
                "[...document.querySelectorAll('section.part')[{panel}].querySelectorAll('.rangeselector .button')] \
                 .find((one) => one.textContent === '{button}')"
            );
            let place = middle(&mut browser, &selector);
            browser.click(place);
            let expected = if shows_all {
                format!("JSON.stringify({ranges}) === {}", json!(at_first.to_string()))
            } else {
                format!("{ranges}.every(([first, last]) => last - first === 3600000)")
            };
            browser.wait(&expected);
        }
    }
    assert_eq!(browser.console, [""; 0]);
}

/// Lists the elements beyond the right edge, with their text or class.
pub(crate) const BEYOND: &str = "[...document.querySelectorAll('.part *, pre, h1')].filter((e) => e.checkVisibility() && !e.closest('.main-svg')) \
     .filter((e) => { const b = e.getBoundingClientRect(); return b.width > 0 && b.right > document.documentElement.clientWidth + 1; }) \
     .map((e) => `${e.tagName} ${e.className} ${e.getBoundingClientRect().right}`)";

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn paper_shows_all() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("map.html");
    let more: Vec<String> =
        (0..20).map(|i| format!("'value {i} of C:\\Windows\\System32\\' || value AS more{i}")).collect();
    let select = COLLAPSE.replace(" FROM range(6000)", &format!(", {} FROM range(90)", more.join(", ")));
    drawn(&ctx, &select, &page, "SCATTER", "label 'name', x 'x', y 'y'").await;
    browser.open(&page);
    let button = browser.place("#theme");
    browser.click(button);
    assert_eq!(browser.ask("document.documentElement.dataset.theme"), "dark");

    // The page is laid out for print on a sheet of A4.
    browser.ask("addEventListener('beforeprint', () => { window.paper = document.documentElement.dataset.theme; }), true");
    let pdf = browser.order("Page.printToPDF", &json!({ "paperWidth": 8.27, "paperHeight": 11.69 }));
    assert!(pdf["data"].as_str().is_some_and(|pdf| pdf.starts_with("JVBERi0")), "a PDF");
    assert_eq!(browser.ask("window.paper"), "light", "a print is light");
    browser.wait("document.documentElement.dataset.theme === 'dark'");

    browser.order("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    browser.resize(718, 1000);
    browser.ask("dispatchEvent(new Event('beforeprint'))");
    assert_eq!(browser.ask(BEYOND), json!([]));
    let figures = "[...document.querySelectorAll('.figure')].map((figure) => { const b = figure.getBoundingClientRect(); \
                   return [...figure.querySelectorAll('.xtick text, .ytick text, .barlayer .point, .scatterlayer .point, .legendtext')] \
                   .filter((e) => e.getBoundingClientRect().right > b.right + 1).length; })";
    assert_eq!(browser.ask(figures), json!([0]), "marks and names beyond the sheet");
    let low = "[...document.querySelectorAll('.figure')].filter((e) => e.getBoundingClientRect().height < 150).length";
    assert_eq!(browser.ask(low), 0, "figures have a height");
    browser.ask("dispatchEvent(new Event('afterprint'))");
    browser.wait(
        "document.documentElement.dataset.theme === 'dark' && !document.querySelector('.main-svg[viewBox]')",
    );
    browser.order("Emulation.setEmulatedMedia", &json!({ "media": "" }));
    browser.resize(1280, 900);
    browser.wait("document.querySelector('.figure .main-svg').getBoundingClientRect().width > 1000");
    assert_eq!(browser.console, [""; 0]);

    // Lines of a tree are whole.
    let page = folder.path().join("tree.html");
    let select = "SELECT value AS id, value - 1 AS parent, 'process ' || value AS name, repeat('an argument ', 60) AS line \
                  FROM range(12)";
    drawn(&ctx, select, &page, "TREE", "id 'id', parent 'parent', label 'name', detail 'line'").await;
    browser.open(&page);
    browser.order("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    browser.resize(718, 1000);
    browser.ask("dispatchEvent(new Event('beforeprint'))");
    assert_eq!(browser.ask(BEYOND), json!([]));
    let cut = "[...document.querySelectorAll('.tree .detail')].filter((e) => e.scrollWidth > e.clientWidth + 1).length";
    assert_eq!(browser.ask(cut), 0);
}

/// Columns with so many values that a page of them could not be read.
#[tokio::test]
async fn too_many_groups_are_refused_with_the_way_out() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let many = "SELECT value AS x, 'n' || (value % 90000) AS many, value % 2 AS few, to_timestamp(value) AS t FROM range(99000)";
    let way_out = "filter them, or take a coarser column";
    for (figure, options, expected) in [
        (
            "BOX",
            "x 'x', y 'many'",
            "BOX draws up to 1000 categories, the column of option 'y' has 90,000 values",
        ),
        (
            "BOX",
            "x 'x', y 'many', color 'many'",
            "BOX draws up to 1000 categories, the column of option 'y' has 90,000 values",
        ),
        (
            "BOX",
            "x 'x', y 'few', color 'many'",
            "BOX draws up to 1000 colours, the column of option 'color' has 90,000 values",
        ),
        (
            "SCATTER",
            "x 'x', y 'x', color 'many'",
            "SCATTER draws up to 1000 colours, the column of option 'color' has 90,000",
        ),
        (
            "TIMELINE",
            "time 't', group_by 'few', series 'many'",
            "TIMELINE draws up to 1000 series, the column of option 'series' has 90,000",
        ),
        (
            "TIMELINE",
            "time 't', panel 'many'",
            "TIMELINE draws up to 50 panels, the column of option 'panel' has 90,000",
        ),
    ] {
        let failure = copy(&ctx, many, &page, figure, options).await;
        assert!(failure.contains(expected) && failure.contains(way_out), "{figure} ({options}): {failure}");
    }
    // As many as are allowed.
    let most = "SELECT value AS x, 'n' || (value % 1000) AS many FROM range(50000)";
    drawn(&ctx, most, &page, "BOX", "x 'x', y 'many', color 'many'").await;
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn density_keeps_lines_and_says_what_it_does_not_show() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("density.html");
    let select = "SELECT to_timestamp(value * 60) AS t, to_timestamp(value * 60 + 30) AS until, value % 3 AS a, value % 2 AS b, \
                  CASE WHEN value = 77 THEN 'alert' END AS event FROM range(120000)";
    let options = "time 't', end 'until', group_by 'a', series 'b', panel 'b', tooltip 't', ref_event 'event', \
                   ref_times '1970-06-01 patched'";
    drawn(&ctx, select, &page, "TIMELINE", options).await;
    let mut browser = Browser::start();
    browser.open(&page);
    let note = text(&mut browser, ".note");
    let expected = "Dashed: 2 references. A click on one shows five minutes on each side. It does not show what needs marks: panel, series, end, tooltip. Up to 100,000 rows have \
                    them.";
    assert!(note.contains(expected), "{note}");
    assert_eq!(values(&mut browser, ".annotation-text"), json!(["alert", "patched"]));
    assert_eq!(browser.ask("document.querySelectorAll('.shapelayer path').length"), 2);
    // A scale tells what the colours mean, on both grounds, and a strip the sum of all groups.
    assert_eq!(values(&mut browser, ".cbtitle text"), json!(["rows"]));
    let counted = "document.querySelector('.figure').data[1].y.reduce((sum, rows) => sum + rows, 0)";
    assert_eq!(browser.ask(counted), 120_000);
    let colors = "JSON.stringify(document.querySelector('.figure').data[0].colorscale)";
    let light = browser.ask(colors);
    let button = browser.place("#theme");
    browser.click(button);
    browser.wait(&format!("{colors} !== {}", json!(light)));
    let inside = "(() => { const axis = document.querySelector('.figure')._fullLayout.xaxis; \
                  return document.querySelector('.figure').layout.shapes.every((line) => axis.d2p(line.x0) > 0 && axis.d2p(line.x0) < axis._length); })()";
    assert_eq!(browser.ask(inside), true, "lines lie within the time that is shown");
    // A series without groups has rows of its own, and lines need no mark.
    drawn(&ctx, select, &page, "TIMELINE", "time 't', series 'b', ref_event 'event'").await;
    browser.open(&page);
    assert!(!text(&mut browser, ".note").contains("does not show"));
    assert_eq!(values(&mut browser, ".ytick text"), json!(["0", "1"]));
    assert_eq!(browser.console, [""; 0]);
    let all = copy(&ctx, select, &page, "TIMELINE", "time 't', ref_event 'a'").await;
    assert!(all.contains("TIMELINE draws up to 200 lines of ref_event and ref_times"), "{all}");
}

/// Runs `dbcluster report` of a table with further arguments, and returns the message if it fails.
fn report(table: &Path, page: &Path, more: &[&str]) -> Result<(), String> {
    let output = dbcluster()
        .args(["report", "--force", "--table"])
        .arg(table)
        .arg("--out")
        .arg(page)
        .args(more)
        .output()
        .expect("the binary starts");
    if output.status.success() { Ok(()) } else { Err(stderr(&output)) }
}

#[test]
fn report_reads_null_text_as_empty_and_says_how_often() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("events.csv");
    let page = folder.path().join("report.html");
    let rows = [
        "NewProcessName,CommandLine,SubjectLogonId,flag",
        r"C:\a\cmd.exe,cmd /c dir,0x3e7,1",
        r"C:\a\cmd.exe,cmd /c dir,0x3e7,1",
        r"C:\a\net.exe,,0x5,",
        r"C:\a\net.exe,,,2",
    ];
    std::fs::write(&table, rows.join("\n")).expect("a table");
    report(&table, &page, &[]).expect("a page");
    let html = std::fs::read_to_string(&page).expect("a page");
    let said = "NULL, read as empty: CommandLine in 2 events, SubjectLogonId in 1 event.</p>";
    assert!(html.contains(said), "{html:.3000}");

    // Features of one's own: the advice is taken as it stands.
    let features = ["--features", "flag, path_score(NewProcessName) AS path", "--label", "NewProcessName"];
    let failure = report(&table, &page, &features).expect_err("a NULL");
    assert!(failure.contains("feature 'flag' is NULL in 1 of 4 rows"), "{failure}");
    assert!(
        failure.contains("coalesce(...), or choose --nulls zero (read as 0) or --nulls skip ("),
        "{failure}"
    );
    for (nulls, said) in
        [("zero", "NULL, read as 0: flag in 1 event."), ("skip", "NULL, skipped: flag in 1 event.")]
    {
        report(&table, &page, &[&features[..], &["--nulls", nulls]].concat()).expect("a page");
        let html = std::fs::read_to_string(&page).expect("a page");
        assert!(html.contains(said), "{nulls}");
        let places = html.split("\"place\":[").nth(1).and_then(|rest| rest.split(']').next());
        assert_eq!(places.is_some_and(|places| places.ends_with("null")), nulls == "skip", "{places:?}");
    }
    let coalesced = [
        "--features",
        "coalesce(flag, 0) AS flags, path_score(NewProcessName) AS path",
        "--label",
        "NewProcessName",
    ];
    report(&table, &page, &coalesced).expect("a page");
}

/// Real process events, 76 of 1,379 and more without a command line.
#[test]
#[cfg_attr(
    any(no_event_sets, no_browser),
    ignore = "no event sets (DBCLUSTER_DATA names their folder) or no browser"
)]
fn report_of_real_process_events_needs_no_option() {
    let data = data_folder();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("report.html");
    for (file, said) in [
        ("otrf_4688.parquet", "NULL, read as empty: CommandLine in 76 events."),
        ("otrf_process_labelled.parquet", "NULL, read as empty: CommandLine in "),
    ] {
        report(&data.join(file), &page, &[]).expect(file);
        let html = std::fs::read_to_string(&page).expect("a page");
        assert!(html.contains(said), "{file}");
        let mut browser = Browser::start();
        browser.open(&page);
        assert!(
            browser
                .ask("document.querySelectorAll('.entry').length")
                .as_u64()
                .is_some_and(|entries| entries > 0),
            "{file}"
        );
        assert_eq!(browser.console, [""; 0], "{file}");
    }
}

/// The report names features as dbcluster does: columns and expressions, with AS or without.
#[test]
fn report_takes_features_without_names() {
    let fixture = repository().join("tests/fixtures/logons.csv");
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("report.html");
    for (features, headings) in [
        ("string_score(Account), LogonType", ["string_score(Account)", "LogonType"]),
        ("LogonType, string_score(Account) + 1, length(Account)", ["LogonType", "string_score(Account) + 1"]),
        ("\"LogonType\", string_score(Account) AS label", ["LogonType", "label"]),
    ] {
        report(&fixture, &page, &["--features", features, "--label", "Account"]).expect(features);
        let html = std::fs::read_to_string(&page).expect("a page");
        for heading in headings {
            assert!(html.contains(&format!("\"name\":{}", json!(heading))), "{features}: {heading}");
        }
    }
    let failure = report(&fixture, &page, &["--features", "LogonType LogonType x", "--label", "Account"]);
    assert!(
        failure.as_ref().is_err_and(|said| said.contains("separate features with commas")),
        "{failure:?}"
    );
    // A query is a table, too.
    let query = format!("(SELECT * FROM '{}' WHERE LogonType > 3)", fixture.display());
    let features = ["--features", "string_score(Account), LogonType", "--label", "Account"];
    report(Path::new(&query), &page, &features).expect("a page");
}

/// The work of drawing names is linear in their number. It is counted in reads of the page's elements.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn names_of_an_axis_are_drawn_once() {
    let mut browser = Browser::start();
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let counting = "window.reads = 0; const read = Element.prototype.getAttribute; \
                    Element.prototype.getAttribute = function (name) { window.reads += 1; return read.call(this, name); };";
    browser.order("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": counting }));
    let mut reads = vec![];
    for names in [200, 400] {
        let page = folder.path().join("names.html");
        let select =
            format!("SELECT value, to_timestamp(value) AS t, 'name ' || value AS name FROM range({names})");
        drawn(&ctx, &select, &page, "TIMELINE", "time 't', group_by 'name'").await;
        browser.open(&page);
        let ticks = browser.ask("document.querySelectorAll('.xtick text, .ytick text').length");
        assert!(ticks.as_u64().is_some_and(|ticks| ticks >= names), "{ticks} names of {names}");
        reads.push(browser.ask("window.reads").as_f64().expect("a number"));
    }
    assert!(reads[1] < 3.0 * reads[0], "{reads:?} reads for 200 and 400 names");
}

/// The columns of `dbcluster_eps`, partitioned by a host whose name is markup with a mark of right-to-left writing, and by NULL.
const EVERY_EPS: &str = "SELECT column1 AS host, column2 AS eps, column3 AS clusters, column4 AS noise, column3 + column4 AS collapsed_rows, \
     column5 AS largest_cluster, column6 AS largest_share, column7 AS is_auto FROM (VALUES \
     ('<b>a\u{202e}</b>', 0.0001, 29, 33, 71, 0.19559228650137742, false), \
     ('<b>a\u{202e}</b>', 0.00016523, 22, 17, 94, 0.25895316804407714, true), \
     ('<b>a\u{202e}</b>', 0.00035, 4, 2, 338, 0.931129476584022, false), \
     (NULL, NULL, 1, 0, 5, 1.0, true))";

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn curve_of_every_eps_tells_its_rows() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("eps.html");
    drawn(&ctx, EVERY_EPS, &page, "CURVE", "title 'Which eps?'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(browser.ask(MARKS), 9, "three curves of three rows");
    assert_eq!(
        values(&mut browser, "h2"),
        json!(["Partitions", "host: <b>a⟨U+202E⟩</b>", "host: (NULL)", "Every eps"])
    );
    let notes = values(&mut browser, ".note");
    assert_eq!(
        notes[1],
        "At eps 0.00016523 (auto): 22 clusters, 17 noise events of 363; the largest cluster has 26\u{a0}%. Beyond it, at \
         0.00035, one cluster takes 93\u{a0}%."
    );
    assert!(notes[2].as_str().is_some_and(|note| note.starts_with("Nothing changes at any eps:")), "{notes}");
    assert_eq!(browser.ask("document.querySelectorAll('section:last-of-type tbody tr').length"), 4);
    // The page begins with links to its parts, which go there.
    assert_eq!(values(&mut browser, ".parts a"), values(&mut browser, "h2"));
    for (part, heading) in [(4, "Every eps"), (2, "host: <b>a⟨U+202E⟩</b>")] {
        browser.ask("scrollTo(0, 0)");
        let link = browser.place(&format!(".parts li:nth-child({part}) a"));
        browser.click(link);
        browser.wait(&format!("location.hash === '#part-{part}' && scrollY > 0"));
        let seen = "(() => { const { top, bottom } = document.querySelector(':target h2').getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; })()";
        browser.wait(seen);
        assert_eq!(text(&mut browser, ":target h2"), heading);
    }
    assert_eq!(
        values(&mut browser, "tr.marked td:nth-child(2)"),
        json!(["0.00016523", "(NULL)"]),
        "each partition has its auto"
    );
    let place = browser.place(".scatterlayer .point:nth-of-type(2)");
    browser.hover(place);
    wait_for_tip(&mut browser, "eps", "0.00016523");
    wait_for_tip(&mut browser, "largest_share", "0.25895316804407714");
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn the_knee_of_distances_lies_where_it_is_seen() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("distances.html");
    let select = "SELECT CASE WHEN value < 80 THEN 1.0 + value / 80.0 ELSE power(2.0, value - 78) END AS distance FROM range(100)";
    drawn(&ctx, select, &page, "CURVE", "y 'distance'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    let note = text(&mut browser, ".note");
    assert_eq!(
        browser.ask("document.querySelectorAll('.parts, section:not([id])').length"),
        0,
        "one part needs no links"
    );
    assert!(note.contains("is a candidate for eps") && !note.contains("alike"), "{note}");
    // The line of the knee goes through the point that lies farthest below the straight line on the screen.
    let beside = browser.ask(
        "(() => { const points = [...document.querySelectorAll('.scatterlayer .point')].map((e) => e.getBoundingClientRect()) \
         .map((b) => [b.x + b.width / 2, b.y + b.height / 2]); const [first, last] = [points[0], points.at(-1)]; \
         const below = ([x, y]) => y - first[1] - (x - first[0]) * (last[1] - first[1]) / (last[0] - first[0]); \
         const lowest = points.reduce((a, b) => (below(b) > below(a) ? b : a)); \
         const line = document.querySelector('.shapelayer path').getBoundingClientRect(); \
         return Math.abs(line.y + line.height / 2 - lowest[1]); })()",
    );
    assert!(beside.as_f64().is_some_and(|pixels| pixels < 2.0), "{beside} pixels beside it");
    assert_eq!(browser.console, [""; 0]);
}
