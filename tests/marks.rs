//! All figures as a person meets them: what the keyboard and the wheel do, what is on paper, on a narrow screen and in a saved picture, and what
//! an attacker's characters look like.

use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::figures::{drawn, values};
use crate::pages::{BEYOND, middle, text, wait_for_tip};
use crate::support::session;

/// Presses a key.
pub(crate) fn press(browser: &mut Browser, key: &str) {
    let codes = [("Enter", 13), ("Escape", 27), ("Tab", 9)];
    let code = codes.into_iter().find(|(name, _)| *name == key).map_or(0, |(_, code)| code);
    for kind in ["keyDown", "keyUp"] {
        let mut event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
        if key.chars().count() == 1 && kind == "keyDown" {
            event["text"] = key.into();
        }
        browser.order("Input.dispatchKeyEvent", &event);
    }
}

/// Saves a part's picture as SVG and returns its text.
pub(crate) fn saved(browser: &mut Browser, folder: &Path, button: &str, name: &str) -> String {
    let place = middle(browser, button);
    browser.click(place);
    let file = folder.join(name);
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        // The browser writes a file under another name until it has all of it.
        match std::fs::read_to_string(&file) {
            Ok(text) if text.ends_with('>') => return text,
            _ => assert!(std::time::Instant::now() < until, "no {name}; {:?}", browser.console),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Names with a mark that turns the writing around, an escape, and a space without a width.
const HIDDEN: &str = "SELECT value AS x, value * value AS y, to_timestamp(value * 60) AS t, \
     'a' || chr(8238) || 'gnp' || chr(27) || chr(8203) || value || '.exe' AS name FROM range(5)";

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn characters_that_hide_are_shown_as_what_they_are() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::start();
    let downloads = browser.downloads();
    for (figure, options) in [
        ("BAR", "x 'name', y 'y'"),
        ("BOX", "x 'x', y 'name'"),
        ("SCATTER", "x 'x', y 'y', label 'name', color 'name'"),
        ("TIMELINE", "time 't', group_by 'name', series 'name'"),
        ("VALUES", "time 't', y 'y', series 'name'"),
        ("MATRIX", "x 'name', y 'x'"),
        ("CARDS", "account 'name'"),
        ("TREE", "id 'x', parent 'y', label 'name', detail 'name'"),
        ("REVIEW", "text 'name'"),
    ] {
        let page = folder.path().join("hidden.html");
        drawn(&ctx, HIDDEN, &page, figure, &format!("{options}, title 'hidden in {figure}'")).await;
        browser.open(&page);
        let body = text(&mut browser, "main");
        assert!(body.contains("a⟨U+202E⟩gnp⟨U+001B⟩⟨U+200B⟩3.exe"), "{figure}: {body}");
        let unseen = "[...document.querySelectorAll('main *')].filter((e) => /[\\u202e\\u001b\\u200b]/.test(e.textContent + \
                      [...e.attributes].map((a) => a.value).join())).length";
        assert_eq!(browser.ask(unseen), 0, "{figure}");
        let name = format!("hidden-in-{figure}.svg");
        let picture = saved(&mut browser, &downloads, "document.querySelector('[data-save=svg]')", &name);
        assert!(
            picture.contains("⟨U+202E⟩") && !picture.contains(['\u{202e}', '\u{1b}', '\u{200b}']),
            "{figure}"
        );
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
    // A tooltip and the kept rows.
    let page = folder.path().join("hidden.html");
    drawn(&ctx, HIDDEN, &page, "SCATTER", "x 'x', y 'y', tooltip 'name'").await;
    browser.open(&page);
    let mark = middle(&mut browser, "document.querySelector('.cartesianlayer .scatterlayer .point')");
    browser.hover(mark);
    wait_for_tip(&mut browser, "name", "a⟨U+202E⟩gnp⟨U+001B⟩⟨U+200B⟩0.exe");
    browser.click(mark);
    assert_eq!(text(&mut browser, ".kept td:nth-child(4)"), "a⟨U+202E⟩gnp⟨U+001B⟩⟨U+200B⟩0.exe");
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn saved_pictures_look_as_the_page_does() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::start();
    let downloads = browser.downloads();
    let rows = "SELECT value AS x, value % 3 AS y, to_timestamp(value * 60) AS t, 'name ' || value AS name, \
                'host ' || (value % 2) AS host, value / 10 AS z FROM range(30)";
    for (figure, options, names) in [
        ("BAR", "x 'name', y 'x'", &["name 29", "29"][..]),
        ("BOX", "x 'x', y 'host'", &["host 0", "host 1", "20"]),
        ("MATRIX", "x 'host', y 'y'", &["host 1", "5"]),
        ("CARDS", "account 'name', address 'host'", &["name 29", "Source address", "host 1"]),
        ("TREE", "id 'x', parent 'y', label 'name', detail 'host'", &["name 29", "host 1"]),
        ("SCATTER", "x 'z', y 'y', label 'name', color 'host'", &["host 1", "◆"]),
        ("VALUES", "time 't', y 'x', series 'host', kind 'bars'", &["host 1", "t (zone not recorded)"]),
    ] {
        let page = folder.path().join("page.html");
        drawn(&ctx, rows, &page, figure, &format!("{options}, title 'Saved {figure}: <all>'")).await;
        browser.open(&page);
        let name = format!("Saved-{figure}-all.svg");
        let picture = saved(&mut browser, &downloads, "document.querySelector('[data-save=svg]')", &name);
        assert!(picture.starts_with("<svg") && !picture.contains("foreignObject"), "{figure}");
        let checked = format!(
            "(() => {{ const made = new DOMParser().parseFromString({}, 'image/svg+xml'); \
             if (made.querySelector('parsererror')) return 'broken'; \
             return [...made.querySelectorAll('text')].map((e) => e.textContent.trim()); }})()",
            json!(picture)
        );
        let texts = browser.ask(&checked);
        let texts: Vec<&str> = texts.as_array().expect("texts").iter().filter_map(Value::as_str).collect();
        let title = format!("Saved {figure}: <all>");
        assert!(texts.contains(&title.as_str()), "{figure}: {texts:?}");
        for name in names {
            assert!(texts.iter().any(|text| text.contains(name)), "{figure}: no {name} in {texts:?}");
        }
        if figure == "SCATTER" {
            let shown = browser.ask(
                "[...document.querySelectorAll('.textpoint text:not(.covered)')].map((e) => e.textContent)",
            );
            let shown = shown.as_array().expect("labels").len();
            let labels = texts.iter().filter(|text| text.starts_with("name ")).count();
            assert!(shown < 30 && labels == shown, "{labels} labels of {shown}");
        }
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
    // A picture of pixels has an end, which it tells; it is as wide as the page.
    let page = folder.path().join("page.html");
    let many = "SELECT value AS x, value - 1 AS y, 'name ' || value AS name FROM range(1000)";
    drawn(&ctx, many, &page, "TREE", "id 'x', parent 'y', label 'name', title 'Long'").await;
    browser.open(&page);
    let button = middle(&mut browser, "document.querySelector('[data-save=png]')");
    browser.click(button);
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    let png = loop {
        match std::fs::read(downloads.join("Long.png")) {
            Ok(png) if png.ends_with(b"IEND\xaeB`\x82") => break png,
            _ => assert!(std::time::Instant::now() < until, "no picture; {:?}", browser.console),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let number = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    assert_eq!((number(16) >= 1000, number(20)), (true, 16_000), "width and height");
    // Each part has a name of its own.
    let page = folder.path().join("page.html");
    drawn(&ctx, rows, &page, "TIMELINE", "time 't', panel 'host', title 'Parts'").await;
    browser.open(&page);
    for (at, name) in ["Parts-host-0.svg", "Parts-host-1.svg"].into_iter().enumerate() {
        let button = format!("document.querySelectorAll('section')[{at}].querySelector('[data-save=svg]')");
        let picture = saved(&mut browser, &downloads, &button, name);
        assert!(picture.contains(&format!(">host {at}<")), "{name}");
    }
}

/// Times from ten o'clock on, in zones.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn axis_and_tooltip_have_one_zone_with_a_name() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("zone.html");
    let mut browser = Browser::start();
    let first = "(() => { const place = document.querySelector('.figure'); const ms = place.data.find((one) => one.ids).x[0]; \
                 return new Date(ms).toISOString().slice(0, 16); })()";
    let times = |zone: &str| {
        format!(
            "SELECT arrow_cast(to_timestamp(36000 + value * 60), 'Timestamp(Second, Some(\"{zone}\"))') AS t FROM range(3)"
        )
    };
    let mut shown = vec![];
    let at = "1970-01-01T10:00";
    let without = "SELECT to_timestamp(36000 + value * 60) AS t FROM range(3)".to_string();
    for (select, title) in
        [(times("+02:00"), "t (UTC+02:00)"), (times("+00:00"), "t (UTC)"), (without, "t (zone not recorded)")]
    {
        drawn(
            &ctx,
            &select,
            &page,
            "TIMELINE",
            "time 't', ref_times '1970-01-01 12:01 here; 1970-01-01 10:02Z there'",
        )
        .await;
        browser.open(&page);
        assert_eq!(values(&mut browser, ".xtitle"), json!([title]));
        assert_eq!(browser.ask(first), at);
        let mark = middle(&mut browser, "document.querySelector('.cartesianlayer .scatterlayer .point')");
        browser.hover(mark);
        browser.wait("!document.getElementById('tip').hidden");
        let tip = text(&mut browser, "#tip dd");
        assert!(tip.starts_with(at), "{tip} is not the time of the axis, {at}");
        let lines = browser.ask("document.querySelector('.figure').layout.shapes.map((line) => new Date(line.x0).toISOString().slice(11, 16)).sort()");
        shown.push(lines);
    }
    assert_eq!(shown[0], json!(["12:01", "12:02"]), "without Z in the zone of the axis, with it in UTC");
    assert_eq!(shown[1], json!(["10:02", "12:01"]));
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn series_differ_and_stand_out_on_both_grounds() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("series.html");
    let select = "SELECT to_timestamp(value * 60) AS t, 'series ' || (value % 9) AS s FROM range(90)";
    drawn(&ctx, select, &page, "TIMELINE", "time 't', series 's', ref_times '1970-01-01 01:00 alert'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    let looks = "(() => { const looks = document.querySelector('.figure').data.filter((one) => one.ids) \
                 .map((one) => `${one.marker.color} ${one.marker.symbol}`); return new Set(looks).size; })()";
    assert_eq!(browser.ask(looks), 9, "colour and symbol of nine series");
    let legend = values(&mut browser, ".legend button .symbol");
    assert_eq!(legend[0], "●");
    assert_eq!(legend[8], "◆");
    let contrast = "(() => { const parts = (color) => color.match(/[\\d.]+/g).map(Number); \
        const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); \
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
        const paper = parts(getComputedStyle(document.body).backgroundColor); \
        const to = (color, opacity) => { const c = parts(color).map((v, at) => v * opacity + paper[at] * (1 - opacity)); \
        const [a, b] = [light(c), light(paper)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); }; \
        const least = (all) => Math.min(...all); \
        const marks = [...document.querySelectorAll('.cartesianlayer .scatterlayer .point')].map((e) => { const s = getComputedStyle(e); return to(s.fill, Number(s.opacity)); }); \
        const texts = [...document.querySelectorAll('.annotation-text, .xtick text, .ytick text')].map((e) => to(getComputedStyle(e).fill, 1)); \
        const words = [...document.querySelectorAll('.note, .legend .name, .legend .symbol, button')].map((e) => to(getComputedStyle(e).color, 1)); \
        return [marks.length, least(marks), texts.length, least(texts), least(words)]; })()";
    for theme in ["light", "dark"] {
        browser.wait(&format!("document.documentElement.dataset.theme === '{theme}'"));
        let found = browser.ask(contrast);
        let number = |at: usize| found[at].as_f64().expect("a number");
        assert!(number(0) >= 90.0 && number(1) >= 3.0, "{theme}: marks {found}");
        assert!(number(2) > 10.0 && number(3) >= 4.5 && number(4) >= 4.5, "{theme}: text {found}");
        let button = browser.place("#theme");
        browser.click(button);
    }
    // The legend hides a series, its events in the strip too.
    let entry = middle(&mut browser, "document.querySelectorAll('.legend button')[3]");
    browser.click(entry);
    browser.wait("document.querySelectorAll('.cartesianlayer .scatterlayer .trace').length === 8");
    assert_eq!(
        browser.ask("document.querySelectorAll('.legend button')[3].getAttribute('aria-pressed')"),
        "false"
    );
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn the_keyboard_reaches_every_mark() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("keys.html");
    let mut browser = Browser::start();
    let select = "SELECT value AS x, value / 2 AS parent, 10 - value AS y, to_timestamp(value * 60) AS t, 'name ' || value AS name, \
                  value % 3 = 1 AS odd FROM range(1, 7)";
    for (figure, options) in
        [("SCATTER", "x 'x', y 'y', tooltip 'name'"), ("TIMELINE", "time 't', tooltip 'name'")]
    {
        drawn(&ctx, select, &page, figure, options).await;
        browser.open(&page);
        let label = "document.querySelector('.figure').getAttribute('aria-label')";
        assert!(browser.ask(label).as_str().is_some_and(|label| label.contains("Arrow keys")), "{figure}");
        for _ in 0..20 {
            press(&mut browser, "Tab");
            if browser
                .ask("document.activeElement.className")
                .as_str()
                .is_some_and(|name| name.contains("figure"))
            {
                break;
            }
        }
        press(&mut browser, "ArrowRight");
        wait_for_tip(&mut browser, "name", "name 1");
        press(&mut browser, "End");
        wait_for_tip(&mut browser, "name", "name 6");
        press(&mut browser, "ArrowLeft");
        wait_for_tip(&mut browser, "name", "name 5");
        press(&mut browser, "Enter");
        browser.wait("document.querySelectorAll('.kept tbody tr').length === 1");
        assert!(text(&mut browser, ".kept tbody").contains("name 5"), "{figure}");
        let width = "(() => { const [a, b] = document.querySelector('.figure')._fullLayout.xaxis.range; const n = (v) => (isNaN(v) ? Date.parse(v) : Number(v)); return n(b) - n(a); })()";
        let whole = browser.ask(width).as_f64().expect("a number");
        press(&mut browser, "+");
        browser.wait(&format!("Math.abs({width} / {whole} - 0.5) < 0.01"));
        press(&mut browser, "0");
        browser.wait(&format!("Math.abs({width} / {whole} - 1) < 0.01"));
        // The rows as a table, for those who can't see marks.
        browser.ask("document.querySelector('.data').open = true");
        browser.wait("document.querySelectorAll('.data tbody tr').length === 6");
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
    for (figure, options) in [
        ("BAR", "x 'name', y 'y'"),
        ("BOX", "x 'x', y 'odd'"),
        ("CARDS", "account 'name'"),
        ("MATRIX", "x 'name', y 'odd'"),
    ] {
        drawn(&ctx, select, &page, figure, options).await;
        browser.open(&page);
        for _ in 0..20 {
            press(&mut browser, "Tab");
            if browser.ask("document.activeElement.dataset.row !== undefined") == true {
                break;
            }
        }
        let outline = "getComputedStyle(document.activeElement).outlineStyle";
        assert_eq!(browser.ask(outline), "solid", "{figure}: the focus is seen");
        let name = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent";
        assert!(browser.ask(name).as_str().is_some_and(|name| name.trim().len() > 3), "{figure} has a name");
        press(&mut browser, "Enter");
        browser.wait("document.querySelectorAll('.kept tbody tr').length > 0");
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
    drawn(&ctx, select, &page, "TREE", "id 'x', parent 'parent', label 'name', mark 'odd'").await;
    browser.open(&page);
    let reached = browser.ask("document.querySelectorAll('.tree [tabindex=\"0\"]').length");
    assert_eq!(reached, 1, "one line is in the order of the tab key");
    browser.ask("document.querySelector('.tree [tabindex=\"0\"]').focus()");
    let here = "document.activeElement.querySelector('b').textContent";
    press(&mut browser, "ArrowDown");
    assert_eq!(browser.ask(here), "name 1");
    press(&mut browser, "ArrowLeft");
    assert_eq!(browser.ask("document.activeElement.getAttribute('aria-expanded')"), "false");
    press(&mut browser, "ArrowDown");
    assert_eq!(browser.ask(here), "name 1", "what is folded is passed over");
    press(&mut browser, "ArrowRight");
    press(&mut browser, "End");
    press(&mut browser, "Enter");
    browser.wait("document.querySelectorAll('.kept tbody tr').length === 1");
    assert_eq!(browser.console, [""; 0]);
}

/// Pages that are wide: names of 70 characters, nine series, many columns.
pub(crate) const WIDE: &str = "SELECT value AS x, value % 7 AS y, to_timestamp(value * 600) AS t, to_timestamp(value * 900) AS until, \
     repeat('a long name ', 5) || (value % 12) AS name, 'C:\\Windows\\' || repeat('folder\\', 20) AS line, 'series ' || (value % 9) AS s, \
     value % 5 = 0 AS odd FROM range(60)";

/// Every figure with the options that make it wide.
pub(crate) const FIGURES: [(&str, &str); 11] = [
    ("BAR", "x 'name', y 'x'"),
    ("BOX", "x 'x', y 'name', color 's'"),
    ("SCATTER", "x 'x', y 'y', label 'name', color 's'"),
    ("TIMELINE", "time 't', group_by 'name', series 's', color 'y'"),
    ("TIMELINE", "time 't', end 'until', series 's', ref_times '1970-01-01 03:00 a reference with a name'"),
    ("VALUES", "time 't', y 'x', series 'name', kind 'areas'"),
    ("MATRIX", "x 'y', y 'name'"),
    ("CURVE", "y 'x', eps '3'"),
    ("CARDS", "account 'name', domain 'line', status 'line'"),
    ("TREE", "id 'x', parent 'y', label 'name', detail 'line', mark 'odd'"),
    ("REVIEW", "text 'line', subject 'name'"),
];

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_telephone_shows_all_of_a_figure() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("narrow.html");
    let mut browser = Browser::start();
    browser.resize(400, 800);
    for (figure, options) in FIGURES {
        drawn(&ctx, WIDE, &page, figure, options).await;
        browser.open(&page);
        let wide = browser.ask("document.documentElement.scrollWidth");
        assert!(wide.as_u64().is_some_and(|wide| wide <= 400), "{figure} is {wide} wide");
        if figure != "MATRIX" {
            assert_eq!(browser.ask(BEYOND), json!([]), "{figure}");
        }
        // Half of the figure at least is for marks, and names lie within.
        let plot = "(() => { const plot = document.querySelector('.nsewdrag'); if (!plot) return []; \
                    const frame = document.querySelector('.figure').getBoundingClientRect(); \
                    return [plot.getBoundingClientRect().width / frame.width > 0.4, \
                    [...document.querySelectorAll('.ytick text, .rangeselector text')].every((e) => { const b = e.getBoundingClientRect(); \
                    return b.left > frame.left - 2 && b.right < frame.right + 2; })]; })()";
        assert!([json!([]), json!([true, true])].contains(&browser.ask(plot)), "{figure} ({options})");
        let legend = "[...document.querySelectorAll('.legend')].every((e) => e.getBoundingClientRect().bottom <= \
                      document.querySelector('.figure').getBoundingClientRect().top + 1)";
        assert_eq!(browser.ask(legend), true, "{figure}: the legend covers nothing");
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
}

/// Accounts whose domains are long, below each other.
const ACCOUNTS: &str = "SELECT value AS x, CASE WHEN value > 0 THEN value / 2 END AS parent, value * 1000 AS y, to_timestamp(value * 90000) AS t, \
     'WWWWWWWWWW-00006\\admin' || (value % 9) AS name FROM range(40)";

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_telephone_shows_accounts_numbers_and_levels() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("narrow.html");
    let mut browser = Browser::start();
    // Characters that are markup have the room of any other ones.
    let marked = "SELECT to_timestamp(value * 60) AS t, '<NUM>.<NUM>.<NUM>.<NUM>' AS name FROM range(9)";
    drawn(&ctx, marked, &page, "TIMELINE", "time 't', group_by 'name'").await;
    browser.open(&page);
    let room = "document.querySelector('.nsewdrag').getBoundingClientRect().left - document.querySelector('.figure').getBoundingClientRect().left";
    assert!(browser.ask(room).as_f64().is_some_and(|room| room < 230.0), "{:?}", browser.ask(room));
    browser.resize(400, 800);
    drawn(&ctx, ACCOUNTS, &page, "TIMELINE", "time 't', group_by 'name'").await;
    browser.open(&page);
    assert_eq!(values(&mut browser, ".ytick text")[0], "…admin0", "the account stays, and not its domain");
    let cut = "(() => { const frame = document.querySelector('.figure').getBoundingClientRect(); \
               return [...document.querySelectorAll('.ytick text, .rangeselector .button rect')].filter((e) => { const b = e.getBoundingClientRect(); \
               return b.left < frame.left || b.right > frame.right; }).length; })()";
    assert_eq!(browser.ask(cut), 0, "names and buttons lie within the figure");
    let room = "document.querySelector('.figure').getBoundingClientRect().top - document.querySelector('[data-save]').getBoundingClientRect().bottom";
    assert!(browser.ask(room).as_f64().is_some_and(|room| room >= 8.0), "buttons stand apart");
    // The eps that auto takes, with all of its digits, at the left end of the axis.
    let every_eps = "SELECT power(10, value - 6) * 1.2345678901234567 AS eps, 40 - value AS clusters, 40 - value AS noise, \
                     value / 10.0 AS largest_share, value = 0 AS is_auto FROM range(9)";
    drawn(&ctx, every_eps, &page, "CURVE", "title 'Every eps'").await;
    browser.open(&page);
    let cut = "(() => { const frame = document.querySelector('.figure').getBoundingClientRect(); \
               return [...document.querySelectorAll('.annotation-text')].map((e) => [e.textContent, e.getBoundingClientRect()]) \
               .filter(([, b]) => b.left < frame.left || b.right > frame.right).map(([text]) => text); })()";
    assert_eq!(browser.ask(cut), json!([]), "labels lie within the figure");
    drawn(&ctx, ACCOUNTS, &page, "BOX", "x 'y', y 'name'").await;
    browser.open(&page);
    let close = "(() => { const boxes = [...document.querySelectorAll('.boxes .scale span')].filter((e) => e.checkVisibility()) \
                 .map((e) => e.getBoundingClientRect()); return [boxes.length, boxes.filter((b, at) => at && b.left < boxes[at - 1].right + 2).length]; })()";
    let close = browser.ask(close);
    assert!(close[0].as_u64() > Some(1) && close[1] == 0, "numbers of the axis: {close}");
    drawn(&ctx, ACCOUNTS, &page, "TREE", "id 'x', parent 'parent', label 'name'").await;
    browser.open(&page);
    let depths = "[1, 2, 3, 4].map((level) => document.querySelector(`.tree .level${level}`).getBoundingClientRect().left)";
    let depths = browser.ask(depths);
    let depths: Vec<f64> = depths.as_array().expect("places").iter().filter_map(Value::as_f64).collect();
    assert!(depths.windows(2).all(|pair| pair[0] + 5.0 < pair[1]), "{depths:?}");
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn cards_on_paper_lie_beside_each_other() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("paper.html");
    let mut browser = Browser::start();
    drawn(&ctx, ACCOUNTS, &page, "CARDS", "account 'name', time 't'").await;
    browser.open(&page);
    browser.order("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    browser.resize(718, 1000);
    // A browser lays cells of a grid that is in another one over each other where a sheet ends.
    let nested = "[...document.querySelectorAll('.written *')].filter((e) => getComputedStyle(e).display === 'grid' && \
                  e.parentElement.closest('.accounts, .account')).length";
    assert_eq!(browser.ask(nested), 0);
    let beside = "(() => { const [first, second] = [...document.querySelectorAll('.account .card')].map((e) => e.getBoundingClientRect()); \
                  return Math.abs(first.top - second.top) < 3 && second.left > first.right; })()";
    assert_eq!(browser.ask(beside), true);
    let over = "(() => { const boxes = [...document.querySelectorAll('.card')].map((e) => e.getBoundingClientRect()); \
                return boxes.filter((a, at) => boxes.some((b, other) => at < other && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length; })()";
    assert_eq!(browser.ask(over), 0, "no card lies on another one");
    assert_eq!(browser.ask(BEYOND), json!([]));
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn paper_has_ink_on_white_also_from_dark() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("paper.html");
    let mut browser = Browser::start();
    for (at, (figure, options)) in FIGURES.into_iter().enumerate() {
        browser.resize(1280, 900);
        browser.order("Emulation.setEmulatedMedia", &json!({ "media": "" }));
        // With a title of its own no page remembers the theme of another one.
        drawn(&ctx, WIDE, &page, figure, &format!("{options}, title 'paper {at}'")).await;
        browser.open(&page);
        let button = browser.place("#theme");
        browser.click(button);
        browser.wait("document.documentElement.dataset.theme === 'dark'");
        browser.order("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
        browser.resize(718, 1000);
        browser.ask("dispatchEvent(new Event('beforeprint'))");
        assert_eq!(browser.ask(BEYOND), json!([]), "{figure}");
        let colors =
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]";
        assert_eq!(browser.ask(colors), json!(["rgb(27, 31, 36)", "rgb(255, 255, 255)"]), "{figure}");
        let marks = "(() => { const plot = document.querySelector('.figure'); return plot ? plot.getBoundingClientRect().height > 150 \
                     : [...document.querySelectorAll('.written [data-row]')].filter((e) => !e.closest('details:not([open])')) \
                     .every((e) => e.checkVisibility() && e.getBoundingClientRect().height > 0); })()";
        assert_eq!(browser.ask(marks), true, "{figure}");
        let tools = "[...document.querySelectorAll('.toolbar, .actions, .data, .scales')].filter((e) => e.checkVisibility()).length";
        assert_eq!(browser.ask(tools), 0, "{figure}: nothing to press on paper");
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
}
