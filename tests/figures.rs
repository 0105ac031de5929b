//! Figures as a browser draws them: headless Chromium runs each page and tells what is in it.
//!
//! Without Chromium these tests can't run: they fail where `CI` is set, and tell so elsewhere.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use datafusion::prelude::SessionContext;

use crate::binary::{dbcluster, stderr};
use crate::support::session;

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

/// The page after its scripts have run, as HTML. `None` without a browser.
fn drawn(page: &Path) -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let Some(browser) = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
    else {
        assert!(
            std::env::var_os("CI").is_none(),
            "the figures' tests need Chromium: apt-get install chromium"
        );
        eprintln!("not tested in a browser: apt-get install chromium");
        return None;
    };
    let profile = tempfile::tempdir().expect("a folder for the browser");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ])
        .args(["--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    let console: Vec<String> =
        stderr(&output).lines().filter(|line| line.contains(":CONSOLE")).map(ToString::to_string).collect();
    assert!(console.is_empty(), "{console:#?}");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(dom.contains("data-drawn=\"true\""), "{} was not drawn: {}", page.display(), stderr(&output));
    Some(dom)
}

/// How many marks of this kind a drawn page has.
fn marks(dom: &str, class: &str) -> usize {
    dom.matches(&format!("class=\"{class}\"")).count()
}

/// A table of payloads with a number for each.
async fn hostile() -> SessionContext {
    let ctx = session();
    let mut values = String::new();
    for (row, payload) in PAYLOADS.iter().enumerate() {
        let comma = if row == 0 { "" } else { ", " };
        let _ = write!(values, "{comma}({row}, {}, '{}')", row * row, payload.replace('\'', "''"));
    }
    let sql = format!(
        "CREATE TABLE hostile AS SELECT column1 AS x, column2 AS y, column3 AS \"<b>text\", \
         to_timestamp(column1 * 3600) AS t FROM (VALUES {values})"
    );
    ctx.sql(&sql).await.expect("a table").collect().await.expect("a table");
    ctx
}

async fn copy(ctx: &SessionContext, select: &str, page: &Path, figure: &str, options: &str) -> String {
    let sql = format!("COPY ({select}) TO '{}' STORED AS {figure} OPTIONS ({options})", page.display());
    match ctx.sql(&sql).await {
        Ok(frame) => match frame.collect().await {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn every_row_is_a_mark_and_no_text_is_markup() {
    let ctx = hostile().await;
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        ("SCATTER", "x 'x', y 'y', size 'y', label '<b>text', color '<b>text'", "point", PAYLOADS.len()),
        ("BAR", "x '<b>text', y 'y'", "point", PAYLOADS.len()),
        ("BOX", "x 'x', y '<b>text', color '<b>text'", "trace boxes", PAYLOADS.len()),
        // The range slider shows each mark again.
        ("TIMELINE", "time 't', group_by '<b>text'", "point", 2 * PAYLOADS.len()),
    ];
    for (figure, options, mark, count) in cases {
        let page = folder.path().join(format!("{figure}.html"));
        let title = PAYLOADS[0].replace('\'', "''");
        let options = format!("{options}, title '{title}', query '{}'", PAYLOADS[1].replace('\'', "''"));
        let failure = copy(&ctx, "SELECT * FROM hostile", &page, figure, &options).await;
        assert_eq!(failure, "");
        let html = std::fs::read_to_string(&page).expect("a page");
        assert!(!html.contains(" src=\"http"), "{figure} reads from the network");
        let Some(dom) = drawn(&page) else { return };
        assert_eq!(marks(&dom, mark), count, "{figure}");
        let text = dom.split("<script").next().expect("a page begins before its scripts");
        assert!(text.contains("<title>&lt;img src=x onerror="), "{figure}: the title is shown as text");
        // In a page that a browser writes, only tags have a `<`.
        for tag in text.split('<').map(|tag| tag.split('>').next().unwrap_or_default()) {
            let is_link = tag.starts_with("a ") && tag.contains("href");
            let is_ours = !tag.starts_with("img") && !tag.starts_with("svg onload") && tag != "b" && !is_link;
            assert!(is_ours, "{figure}: <{tag}> became markup");
        }
        assert!(text.contains("bold") && text.contains("&lt;b&gt;"), "{figure}: the text is shown");
    }
}

#[tokio::test]
async fn what_cannot_be_drawn_is_said_before_reading() {
    let ctx = hostile().await;
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let all = "SELECT * FROM hostile";
    let cases = [
        (all, "SCATTER", "x 'x'", "SCATTER needs the option 'y'"),
        (
            all,
            "SCATTER",
            "x 'x', y 'z'",
            "names the column 'z', which the query does not have; its columns are: x, y, <b>text, t",
        ),
        (all, "BAR", "x 'x', y '<b>text'", "names the column '<b>text', which is no number"),
        (
            all,
            "BOX",
            "x 'x', y 'y', colour 'x'",
            "BOX has no option 'colour', expected one of: x, y, color, title, query",
        ),
        (all, "TIMELINE", "time 'x'", "names the column 'x', which is no time; to_timestamp(...) makes one"),
        (
            "SELECT * FROM range(100001)",
            "BAR",
            "x 'value', y 'value'",
            "BAR draws up to 100000 rows, got more",
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

#[test]
fn shell_writes_figures_and_says_what_was_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("sizes.html");
    let sql = format!(
        "COPY (SELECT column1 AS name, column2 AS size FROM (VALUES ('a', 3), ('a', 2), ('b', 1))) TO '{}' STORED AS bar \
         OPTIONS (x 'name', y 'size')",
        page.display()
    );
    let output = dbcluster().args(["-c", &sql]).output().expect("the shell runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.contains("<pre id=\"query\">COPY (SELECT column1 AS name"), "the page shows the statement");
    let Some(dom) = drawn(&page) else { return };
    assert_eq!(marks(&dom, "point"), 3, "two rows of one name are two bars");
    let read = format!("CREATE EXTERNAL TABLE page STORED AS BAR LOCATION '{}'", page.display());
    let output = dbcluster().args(["-c", &read]).output().expect("the shell runs");
    assert!(stderr(&output).contains("can't be read as a table"), "{}", stderr(&output));
}
