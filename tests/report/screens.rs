//! The page on narrow screens, on paper, in the dark, and worked by keys.

use std::fs;

use serde_json::{Value, json};

use super::{HOSTILE, report, seen, text};
use crate::binary::{dbcluster, stderr};
use crate::browser::Browser;
use crate::support::data_folder;

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
