//! Each figure by itself: bars that are told apart, a map that names its marks, bursts of a timeline, lines of a tree, cards and their reasons.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::figures::{ELEMENTS, MARKS, drawn, values};
use crate::marks::{FIGURES, WIDE, press, saved};
use crate::pages::{BEYOND, middle, text, wait_for_tip};
use crate::support::session;

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn bars_are_told_apart_and_the_others_are_a_click_away() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("bars.html");
    let select = "SELECT CASE WHEN value < 3 THEN 'cmd.exe' ELSE 'p' || value END AS process, 200 - value AS size, \
                  'cmd /c ' || value AS \"CommandLine\" FROM range(100)";
    drawn(&ctx, select, &page, "BAR", "x 'process', y 'size'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(values(&mut browser, ".bars small"), json!(["cmd /c 0", "cmd /c 1", "cmd /c 2"]));
    let seen = "[...document.querySelectorAll('.bars li')].filter((e) => e.checkVisibility({ contentVisibilityAuto: true }) && e.getBoundingClientRect().height > 0).length";
    assert_eq!(browser.ask(seen), 60);
    assert_eq!(text(&mut browser, ".more summary"), "and 40 more, 4,820 in all");
    let more = browser.place(".more summary");
    browser.click(more);
    browser.wait(&format!("{seen} === 100"));
    let bar = middle(&mut browser, "document.querySelectorAll('.bars .bar')[2]");
    browser.hover(bar);
    wait_for_tip(&mut browser, "CommandLine", "cmd /c 2");
    browser.click(bar);
    assert_eq!(values(&mut browser, ".kept td"), json!(["cmd.exe", "198", "cmd /c 2"]));
    assert_eq!(browser.ask("typeof Plotly"), "undefined", "no drawing script");
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn boxes_keep_their_axis_in_sight() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("boxes.html");
    // The category n varies by n; those of 0 do not.
    let select = "SELECT c.value AS c, 'category ' || c.value AS name, (c.value % 90) * v.value AS x FROM range(100) c JOIN range(3) v ON true";
    drawn(&ctx, select, &page, "BOX", "x 'x', y 'name'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    let names = values(&mut browser, ".boxes .row .name");
    assert_eq!((&names[0], names.as_array().expect("names").len()), (&json!("category 89"), 98));
    assert_eq!(text(&mut browser, ".more summary"), "2 categories have one value only");
    assert_eq!(values(&mut browser, ".constant b"), json!(["category 0", "category 90"]));
    browser.ask("scrollTo(0, 1500)");
    let top = browser.ask("document.querySelector('.boxes .axis').getBoundingClientRect().top");
    assert_eq!(top, 0, "the axis is at the top of the window");
    // The greatest value lies where the axis says.
    let place = "(() => { const box = document.querySelector('.boxes .row:nth-of-type(2) .lane'); \
                 const ticks = [...document.querySelectorAll('.boxes .scale span')].map((e) => [Number(e.textContent.replace(',', '')), parseFloat(e.style.left)]); \
                 const [[a, x], [b, y]] = [ticks[0], ticks.at(-1)]; const end = parseFloat(box.querySelectorAll('.end')[1].style.left); \
                 return a + (end - x) / (y - x) * (b - a); })()";
    let end = browser.ask(place).as_f64().expect("a number");
    assert!((end - 178.0).abs() < 0.5, "{end}");
    assert_eq!(browser.console, [""; 0]);
}

/// A hundred small marks close together, a large one among them, and one far away.
const SQUEEZED: &str = "SELECT CASE WHEN value = 100 THEN 9000 ELSE value % 10 END AS x, CASE WHEN value = 100 THEN 50000 ELSE value / 10 END AS y, \
     CASE value WHEN 55 THEN 5000 WHEN 100 THEN 40 ELSE 5 END AS size, \
     CASE value WHEN 55 THEN 'the largest' WHEN 100 THEN 'the far one' ELSE 'n' || value END AS name FROM range(101)";

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_map_names_the_largest_and_the_odd_and_spreads_its_marks() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("map.html");
    drawn(&ctx, SQUEEZED, &page, "SCATTER", "x 'x', y 'y', size 'size', label 'name'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    let inside = "(() => { const plot = document.querySelector('.nsewdrag').getBoundingClientRect(); \
                  return [...document.querySelectorAll('.textpoint text:not(.covered)')].filter((e) => { const b = e.getBoundingClientRect(); \
                  return b.left < plot.left - 1 || b.right > plot.right + 1 || b.top < plot.top - 1 || b.bottom > plot.bottom + 1; }).map((e) => e.textContent); })()";
    let low = "(() => { const plot = document.querySelector('.nsewdrag').getBoundingClientRect(); \
               const marks = [...document.querySelectorAll('.cartesianlayer .scatterlayer .trace:first-child .point')].map((e) => e.getBoundingClientRect()); \
               return marks.filter((b) => (b.top + b.bottom) / 2 > plot.bottom - plot.height / 5).length / marks.length; })()";
    assert!(browser.ask(low).as_f64().expect("a share") > 0.9);
    assert!(text(&mut browser, ".note").contains("Most marks lie close together"));
    for (scale, most) in [("linear", 1.0), ("log", 0.7), ("quantile", 0.4)] {
        let button = browser.place(&format!("[data-scale={scale}]"));
        browser.click(button);
        browser.wait(&format!("document.querySelector('[data-scale={scale}]').getAttribute('aria-pressed') === 'true' && {low} <= {most}"));
        let names = values(&mut browser, ".textpoint text:not(.covered)");
        for name in ["the largest", "the far one"] {
            assert!(names.as_array().expect("names").iter().any(|one| one == name), "{scale}: {names}");
        }
        assert_eq!(browser.ask(inside), json!([]), "{scale}: labels beyond the frame");
        // A mark tells its row, whatever the scale.
        let far = middle(
            &mut browser,
            "document.querySelector('.cartesianlayer .scatterlayer .trace').querySelectorAll('.point')[1]",
        );
        browser.hover(far);
        wait_for_tip(&mut browser, "y", "50000");
        browser.hover((5.0, 5.0));
        browser.wait("document.getElementById('tip').hidden");
    }
    drawn(&ctx, SQUEEZED, &page, "SCATTER", "x 'x', y 'y', scale 'quantile'").await;
    browser.open(&page);
    assert!(browser.ask(low).as_f64().expect("a share") < 0.4, "the option chooses the scale at first");
    assert_eq!(browser.console, [""; 0]);
}

/// A burst of 172 events in one minute among 60 others.
const BURST: &str = "SELECT to_timestamp(value * 60) AS t, 'calm.exe' AS name, 1 AS n, value AS score FROM range(60) UNION ALL \
     SELECT to_timestamp(CASE WHEN value < 100 THEN 3000 ELSE 3001 END) AS t, CASE WHEN value < 100 THEN 'net.exe' ELSE 'cmd.exe' END AS name, 50 AS n, 99 AS score FROM range(172)";

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_burst_is_seen_above_the_marks_and_told_under_the_mouse() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("burst.html");
    drawn(&ctx, BURST, &page, "TIMELINE", "time 't', tooltip 'name, t'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(browser.ask(MARKS), 232);
    let strip = "document.querySelector('.figure').data.find((one) => one.yaxis === 'y2')";
    assert_eq!(browser.ask(&format!("{strip}.y.reduce((a, b) => a + b, 0)")), 232);
    let bar = middle(
        &mut browser,
        "[...document.querySelectorAll('.barlayer .point path')].sort((a, b) => b.getBBox().height - a.getBBox().height)[0]",
    );
    browser.hover(bar);
    browser.wait("document.getElementById('tip').textContent.includes('events17') && !document.getElementById('tip').hidden");
    let pile = "(() => { const { xaxis, yaxis } = document.querySelector('.figure')._fullLayout; \
         const b = document.querySelector('.figure').getBoundingClientRect(); \
         return [b.x + xaxis._offset + xaxis.d2p(3000000), b.y + yaxis._offset + yaxis.l2p(0)]; })()";
    let place = browser.ask(pile);
    let place = (place[0].as_f64().expect("a place"), place[1].as_f64().expect("a place"));
    browser.hover(place);
    browser.wait("!document.getElementById('tip').hidden && document.getElementById('tip').textContent.includes('net.exe 100')");
    let said = text(&mut browser, "#tip");
    assert!(
        said.contains("here173 rows") && said.contains("cmd.exe 72") && said.contains("calm.exe"),
        "{said}"
    );
    browser.click(place);
    browser.wait("document.querySelectorAll('.kept tbody tr').length === 50");

    // The wheel scrolls the page until the figure is chosen, and then zooms.
    browser.open(&page);
    let width = "(() => { const [a, b] = document.querySelector('.figure')._fullLayout.xaxis.range; return Date.parse(b) - Date.parse(a); })()";
    let whole = browser.ask(width);
    let wheel = json!({ "type": "mouseWheel", "x": place.0, "y": place.1, "deltaX": 0, "deltaY": -100 });
    browser.order("Input.dispatchMouseEvent", &wheel);
    browser.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    assert_eq!(browser.ask(width), whole);
    browser.ask("document.querySelector('.figure').focus()");
    browser.order("Input.dispatchMouseEvent", &wheel);
    browser.wait(&format!("Math.abs({width} / {whole} - 0.8) < 0.01"));
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_tooltip_of_many_columns_fits_the_window() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("wide.html");
    let same: Vec<String> = (0..20).map(|at| format!("'tenant' AS same{at}, NULL AS empty{at}")).collect();
    let select = format!("SELECT value AS x, {}, 'of ' || value AS last FROM range(4)", same.join(", "));
    drawn(&ctx, &select, &page, "SCATTER", "x 'x', y 'x'").await;
    let mut browser = Browser::start();
    browser.resize(1024, 700);
    browser.open(&page);
    let mark = middle(&mut browser, "document.querySelectorAll('.cartesianlayer .scatterlayer .point')[2]");
    browser.hover(mark);
    wait_for_tip(&mut browser, "last", "of 2");
    assert_eq!(
        values(&mut browser, "#tip dt"),
        json!(["x", "last", ""]),
        "what is the same in all rows is left out"
    );
    let fits = "(() => { const b = document.getElementById('tip').getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; })()";
    assert_eq!(browser.ask(fits), true);
    browser.click(mark);
    assert_eq!(browser.ask("document.querySelectorAll('.kept td').length"), 42, "kept rows have all columns");
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn timelines_have_sizes_colours_an_order_and_two_ends() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("timeline.html");
    let mut browser = Browser::start();
    for (order, expected) in [
        ("name", ["calm.exe", "cmd.exe", "net.exe"]),
        ("count", ["net.exe", "cmd.exe", "calm.exe"]),
        ("first", ["calm.exe", "net.exe", "cmd.exe"]),
    ] {
        let options = format!("time 't', group_by 'name', order '{order}', size 'n', color 'score'");
        drawn(&ctx, BURST, &page, "TIMELINE", &options).await;
        browser.open(&page);
        assert_eq!(values(&mut browser, ".ytick text"), json!(expected), "{order}");
    }
    assert_eq!(values(&mut browser, ".cbtitle text"), json!(["score"]));
    let sizes = browser.ask("(() => { const boxes = [...document.querySelectorAll('.cartesianlayer .scatterlayer .point')].map((e) => Math.round(e.getBoundingClientRect().width)); \
                             return [Math.min(...boxes), Math.max(...boxes)]; })()");
    assert!(sizes[1].as_u64() > sizes[0].as_u64().map(|least| 2 * least), "{sizes}");
    let colors = browser.ask("new Set([...document.querySelectorAll('.cartesianlayer .scatterlayer .point')].map((e) => getComputedStyle(e).fill)).size");
    assert!(colors.as_u64().is_some_and(|colors| colors > 30), "{colors}");

    // Two events an hour apart are two marks and a thin line.
    let select = "SELECT to_timestamp(0) AS t, to_timestamp(3600) AS until, 'a' AS name UNION ALL SELECT to_timestamp(60), to_timestamp(60), 'b'";
    drawn(&ctx, select, &page, "TIMELINE", "time 't', end 'until', group_by 'name'").await;
    browser.open(&page);
    assert_eq!(browser.ask("document.querySelectorAll('.barlayer .point').length"), 0);
    assert_eq!(browser.ask("document.querySelectorAll('.cartesianlayer .scatterlayer .point').length"), 3);
    let line = browser.ask(
        "document.querySelector('.cartesianlayer .scatterlayer .js-line').getBoundingClientRect().height",
    );
    assert!(line.as_f64().is_some_and(|height| height < 3.0), "{line}");
    let end = middle(
        &mut browser,
        "[...document.querySelectorAll('.cartesianlayer .scatterlayer .point')].sort((a, b) => b.getBoundingClientRect().x - a.getBoundingClientRect().x)[0]",
    );
    browser.hover(end);
    wait_for_tip(&mut browser, "name", "a");
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn many_lines_are_a_list_and_the_smaller_panel_comes_first() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("lines.html");
    let select = "SELECT CASE WHEN value < 30 THEN 'large' ELSE 'small' END AS panel, to_timestamp(value * 600) AS t, \
                  'group ' || (CASE WHEN value < 30 THEN value ELSE 30 END) AS name, \
                  CASE WHEN value % 4 = 0 THEN '<b>odd</b> ' || value END AS event FROM range(50)";
    drawn(
        &ctx,
        select,
        &page,
        "TIMELINE",
        "time 't', panel 'panel', group_by 'name', ref_event 'event', title 'Lines'",
    )
    .await;
    let mut browser = Browser::start();
    let downloads = browser.downloads();
    browser.open(&page);
    assert_eq!(values(&mut browser, "h2"), json!(["small", "large"]), "the few marks are in sight");
    assert!(text(&mut browser, ".note").contains("13 references, numbered as in the list below the figure."));
    let labels = "[...document.querySelectorAll('.figure')].map((place) => place.layout.annotations.map((one) => one.text).join())";
    let numbers = "1,2,3,4,5,6,7,8,9,10,11,12,13";
    assert_eq!(browser.ask(labels), json!([numbers, numbers]));
    assert_eq!(browser.ask("document.querySelectorAll('.references b').length"), 0);
    assert_eq!(text(&mut browser, ".references li:nth-child(2)"), "1970-01-01 00:40:00 <b>odd</b> 4");
    // An entry shows five minutes on each side of its line, in all panels.
    let ranges = "[...document.querySelectorAll('.figure')].map((place) => place._fullLayout.xaxis.range.map((t) => place._fullLayout.xaxis.r2l(t) / 60000))";
    let entry = browser.place("section:last-of-type .references li:nth-child(3) button");
    browser.click(entry);
    browser.wait(&format!("JSON.stringify({ranges}) === '[[75,85],[75,85]]'"));
    // So does a click on a line, beside the marks, which keeps no row.
    press(&mut browser, "Escape");
    browser.ask("document.querySelector('.figure').focus()");
    press(&mut browser, "0");
    browser.wait(&format!("{ranges}.every(([first]) => first < 0)"));
    let line = browser.ask(
        "(() => { const place = document.querySelector('.figure'); place.scrollIntoView({ block: 'center' }); \
         const box = place.querySelector('.nsewdrag').getBoundingClientRect(); \
         return [box.x + place._fullLayout.xaxis.l2p(160 * 60000), box.y + box.height - 6]; })()",
    );
    let line = (line[0].as_f64().expect("a place"), line[1].as_f64().expect("a place"));
    browser.hover(line);
    wait_for_tip(&mut browser, "event", "<b>odd</b> 16");
    wait_for_tip(&mut browser, "line", "5");
    browser.click(line);
    browser.wait(&format!("JSON.stringify({ranges}) === '[[155,165],[155,165]]'"));
    assert_eq!(browser.ask("document.querySelectorAll('.kept').length"), 0);
    assert_eq!(browser.ask("document.getElementById('tip').hidden"), true, "the line is elsewhere now");
    // A button above a line is a button.
    let button = browser.ask(
        "(async () => { const place = document.querySelector('.figure'); const button = place.querySelector('.rangeselector .button:last-of-type'); \
         const box = button.getBoundingClientRect(); const plot = place.querySelector('.nsewdrag').getBoundingClientRect(); \
         const x = box.x + box.width / 2; const axis = place._fullLayout.xaxis; const at = (160 * 60000 - axis.p2l(x - plot.x)); \
         await Plotly.relayout(place, { 'xaxis.range': axis.range.map((end) => axis.l2r(axis.r2l(end) + at)) }); return [x, box.y + box.height / 2]; })()",
    );
    browser.click((button[0].as_f64().expect("a place"), button[1].as_f64().expect("a place")));
    browser.wait(&format!("{ranges}.every(([first]) => first < 0)"));
    // A saved picture has the list, too.
    let picture =
        saved(&mut browser, &downloads, "document.querySelector('[data-save=svg]')", "Lines-small.svg");
    assert!(picture.contains(">13: 1970-01-01 08:00:00 &lt;b&gt;odd&lt;/b&gt; 48<"));
    assert_eq!(browser.console, [""; 0]);

    // Ten lines have their labels, and panels that fit a screen the order of their names.
    let select = format!("SELECT * FROM ({select}) WHERE t < to_timestamp(24000)");
    drawn(&ctx, &select, &page, "TIMELINE", "time 't', panel 'panel', ref_event 'event'").await;
    browser.open(&page);
    assert_eq!(values(&mut browser, "h2"), json!(["large", "small"]));
    let first = browser.ask("document.querySelector('.figure').layout.annotations[0].text");
    assert_eq!(first, "&lt;b&gt;odd&lt;/b&gt; 0");
    assert_eq!(browser.ask("document.querySelectorAll('.references').length"), 0);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_tree_finds_lines_and_shows_only_marked_ones() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("tree.html");
    let select = "SELECT value AS id, value / 10 AS parent, 'process ' || value AS name, 'C:\\Tools\\' || value || '.exe /arg' AS line, \
                  CASE WHEN value IN (42, 777) THEN 'rare path' END AS why, 'host ' || (value / 500) AS host FROM range(1, 1000)";
    let options = "id 'id', parent 'parent', label 'name', detail 'line', mark 'why', host 'host'";
    drawn(&ctx, select, &page, "TREE", options).await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(browser.ask(ELEMENTS), 999);
    assert_eq!(values(&mut browser, ".tree .host"), json!(["host 0", "host 1"]));
    assert_eq!(values(&mut browser, ".tree .badge"), json!(["rare path", "rare path"]), "the reason is told");
    let shown =
        "[...document.querySelectorAll('.tree li[data-row]:not([hidden]) b')].map((e) => e.textContent)";
    let find = |browser: &mut Browser, words: &str| {
        browser.ask(&format!(
            "(() => {{ const input = document.querySelector('[data-find]'); input.value = {}; input.dispatchEvent(new Event('input')); }})()",
            json!(words)
        ));
    };
    find(&mut browser, "TOOLS 423.exe");
    assert_eq!(
        browser.ask(shown),
        json!(["process 4", "process 42", "process 423"]),
        "a line and those above it"
    );
    assert_eq!(text(&mut browser, ".found"), "1 of 999");
    find(&mut browser, "");
    let only = browser.place("[data-only]");
    browser.click(only);
    assert_eq!(browser.ask(shown), json!(["process 4", "process 42", "process 777"]));
    let only = browser.place("[data-only]");
    browser.click(only);
    assert_eq!(browser.ask(&format!("{shown}.length")), 999);
    for name in ["process 42", "process 777"] {
        let next = browser.place("[data-next]");
        browser.click(next);
        browser.wait(&format!("document.activeElement.querySelector('b')?.textContent === '{name}'"));
        let inside = "(() => { const b = document.activeElement.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; })()";
        assert_eq!(browser.ask(inside), true, "{name} is in sight");
    }
    // A kept row is in sight, too, however long the tree is.
    press(&mut browser, "Enter");
    browser.wait("document.querySelectorAll('.kept tbody tr').length === 1");
    let kept = "(() => { const b = document.querySelector('.kept tbody tr').getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; })()";
    browser.wait(kept);
    let fold = browser.place("[data-fold]");
    browser.click(fold);
    assert!(browser.ask(&format!("{shown}.length")).as_u64().is_some_and(|lines| lines < 500));
    browser.click(fold);
    assert_eq!(browser.ask(&format!("{shown}.length")), 999);
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn folded_lines_of_a_tree_are_found_by_the_browser() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("tree.html");
    let select = "SELECT value AS id, value / 2 AS parent, 'process ' || value AS name FROM range(1, 64)";
    drawn(&ctx, select, &page, "TREE", "id 'id', parent 'parent', label 'name'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    let shown = "[...document.querySelectorAll('.tree li')].filter((e) => e.getBoundingClientRect().height > 0).map((e) => e.querySelector('b').textContent)";
    let fold = browser.place("[data-fold]");
    browser.click(fold);
    assert_eq!(browser.ask(shown), json!(["process 0"]), "folded lines take no room");
    let found = "[...document.querySelectorAll('.tree li[hidden]')].every((e) => e.getAttribute('hidden') === 'until-found' && \
                 getComputedStyle(e).display !== 'none' && getComputedStyle(e).contentVisibility === 'hidden' && e.ariaHidden === 'true')";
    assert_eq!(browser.ask(found), true, "the browser's search reads them");
    // An address of a hidden line is found in the same way as words are.
    browser.ask("(() => { [...document.querySelectorAll('.tree li')].find((e) => e.querySelector('b').textContent === 'process 11').id = 'found'; location.hash = '#found'; })()");
    let all = "['process 0', 'process 1', 'process 2', 'process 5', 'process 11']";
    browser.wait(&format!("{all}.every((name) => {shown}.includes(name))"));
    assert_eq!(
        browser.ask(shown),
        json!([
            "process 0",
            "process 1",
            "process 2",
            "process 4",
            "process 5",
            "process 10",
            "process 11",
            "process 3"
        ]),
        "it is unfolded with those above it, and nothing else is"
    );
    assert_eq!(browser.ask("document.getElementById('found').ariaHidden"), Value::Null);
    let below = "document.querySelectorAll('.tree li.folded').length";
    let found_below = browser.ask(below);
    browser.ask("document.querySelector('.tree li .fold').click()");
    assert_eq!(browser.ask(shown), json!(["process 0"]));
    browser.ask("document.querySelector('.tree li .fold').click()");
    assert_eq!(browser.ask(&format!("{shown}.length")), 8, "unfolding keeps what is folded below");
    assert_eq!(browser.ask(below), found_below);
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn kept_rows_can_be_removed_and_saved() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("bars.html");
    let select = "SELECT column1 AS name, column2 AS size FROM (VALUES ('=1+1', 3), ('a \"quoted\", name', 2), ('-5', 1))";
    drawn(&ctx, select, &page, "BAR", "x 'name', y 'size'").await;
    let mut browser = Browser::start();
    let downloads = browser.downloads();
    browser.open(&page);
    for bar in 0..3 {
        let place = middle(&mut browser, &format!("document.querySelectorAll('.bars .bar')[{bar}]"));
        browser.click(place);
    }
    assert_eq!(text(&mut browser, ".kept b"), "3 kept rows");
    let button = middle(&mut browser, "document.querySelector('.kept .bar button')");
    browser.click(button);
    let file = downloads.join("kept-rows.csv");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while std::fs::read(&file).map_or(0, |bytes| bytes.len()) < 20 {
        assert!(std::time::Instant::now() < until, "no file");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let csv = std::fs::read_to_string(&file).expect("a file");
    let expected =
        ["\"name\",\"size\"", "\"'=1+1\",\"3\"", "\"a \"\"quoted\"\", name\",\"2\"", "\"-5\",\"1\""];
    assert_eq!(csv.split("\r\n").collect::<Vec<_>>(), expected, "no spreadsheet calculates a name");
    let remove = middle(&mut browser, "document.querySelector('.kept .remove button')");
    browser.click(remove);
    assert_eq!(text(&mut browser, ".kept b"), "2 kept rows");
    let clear = middle(&mut browser, "document.querySelectorAll('.kept .bar button')[1]");
    browser.click(clear);
    assert_eq!(browser.ask("document.querySelectorAll('.kept').length"), 0);
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn theme_and_kept_rows_survive_a_reload() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("bars.html");
    let select = "SELECT 'bar ' || value AS name, value AS size FROM range(1, 5)";
    let options = "x 'name', y 'size', title 'Remembered'";
    drawn(&ctx, select, &page, "BAR", options).await;
    let mut browser = Browser::start();
    browser.open(&page);
    let kept = "[...document.querySelectorAll('.kept td:first-child')].map((e) => e.textContent)";
    let theme = "document.documentElement.dataset.theme";
    let keep = |browser: &mut Browser, bar: usize| {
        let place = middle(browser, &format!("document.querySelectorAll('.bars .bar')[{bar}]"));
        browser.click(place);
    };
    for bar in [2, 0, 1] {
        keep(&mut browser, bar);
    }
    let remove = middle(&mut browser, "document.querySelectorAll('.kept .remove button')[1]");
    browser.click(remove);
    let names = browser.ask(kept);
    assert_eq!(names.as_array().map(Vec::len), Some(2));
    let button = browser.place("#theme");
    browser.click(button);
    assert_eq!(browser.ask(theme), "dark");
    browser.open(&page);
    assert_eq!((browser.ask(kept), browser.ask(theme)), (names, json!("dark")));
    assert_eq!(text(&mut browser, ".kept b"), "2 kept rows");
    assert_eq!(browser.ask("scrollY"), 0, "the page begins at its beginning");
    assert!(
        !browser.ask("Object.values({ ...localStorage }).join()").to_string().contains("bar "),
        "only numbers"
    );

    // Other rows with the same title are another page.
    drawn(&ctx, "SELECT 'bar ' || value AS name, 7 AS size FROM range(1, 5)", &page, "BAR", options).await;
    browser.open(&page);
    assert_eq!((browser.ask(kept), browser.ask(theme)), (json!([]), json!("light")));

    // Whatever else was written there, and a browser that keeps nothing, are no hindrance.
    keep(&mut browser, 0);
    for odd in [
        "not JSON",
        "7",
        "null",
        r#"{"theme":"odd","kept":7}"#,
        r#"{"kept":[[99,"length",-1,null,{}],[0],8]}"#,
    ] {
        browser.ask(&format!(
            "Object.keys(localStorage).forEach((key) => localStorage.setItem(key, {}))",
            json!(odd)
        ));
        browser.open(&page);
        assert_eq!((browser.ask(kept), browser.ask(theme)), (json!([]), json!("light")), "{odd}");
        assert_eq!(browser.console, [""; 0], "{odd}");
    }
    let refusing = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })";
    browser.order("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": refusing }));
    browser.open(&page);
    keep(&mut browser, 0);
    let button = browser.place("#theme");
    browser.click(button);
    assert_eq!((browser.ask(&format!("{kept}.length")), browser.ask(theme)), (json!(1), json!("dark")));
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn values_and_pairs_are_drawn() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("values.html");
    let mut browser = Browser::start();
    let select = "SELECT to_timestamp(value * 3600) AS t, value % 4 AS y, CASE WHEN value % 2 = 0 THEN 'a' END AS s FROM range(20)";
    for (kind, marks, lines) in [("lines", 20, 2), ("areas", 20, 2), ("bars", 20, 0)] {
        drawn(&ctx, select, &page, "VALUES", &format!("time 't', y 'y', series 's', kind '{kind}'")).await;
        browser.open(&page);
        assert_eq!(browser.ask(MARKS), marks, "{kind}");
        assert_eq!(
            browser.ask("document.querySelectorAll('.cartesianlayer .scatterlayer .js-line').length"),
            lines,
            "{kind}"
        );
        assert_eq!(browser.ask("document.querySelectorAll('.barlayer .point').length > 0"), kind == "bars");
        assert_eq!(
            browser.ask("document.querySelectorAll('.cartesianlayer .js-fill').length > 0"),
            kind == "areas"
        );
        assert_eq!(values(&mut browser, ".legend .name"), json!(["a", "(NULL)"]));
        assert_eq!(browser.console, [""; 0], "{kind}");
    }
    let select = "SELECT 'who ' || (value % 3) AS who, 'what ' || (value % 2) AS what FROM range(11)";
    drawn(&ctx, select, &page, "MATRIX", "x 'what', y 'who', cut_off '2'").await;
    browser.open(&page);
    assert_eq!(values(&mut browser, ".matrix thead th div"), json!(["what 0", "what 1", "events"]));
    assert_eq!(values(&mut browser, ".matrix tbody th"), json!(["who 0", "who 1", "who 2"]));
    assert_eq!(values(&mut browser, ".matrix .count"), json!(["2", "2", "2", "2", "2", "1"]));
    assert_eq!(browser.ask("document.querySelectorAll('.matrix .rare').length"), 1);
    let cell = middle(&mut browser, "document.querySelector('.matrix td.mark')");
    browser.hover(cell);
    wait_for_tip(&mut browser, "events", "2 events");
    browser.click(cell);
    assert_eq!(
        values(&mut browser, ".kept td"),
        json!(["who 0", "what 0", "who 0", "what 0"]),
        "all rows of a pair"
    );
    assert_eq!(browser.console, [""; 0]);
}

/// A line is one element. Without a graphics card its interface takes half a minute for 100,000 values.
#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn lines_of_many_values_are_elements() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("lines.html");
    let mut browser = Browser::start();
    let select = "SELECT to_timestamp(value) AS t, 1 + (value * 7919) % 1009 AS y FROM range(20000)";
    for (figure, options) in [("VALUES", "time 't', y 'y'"), ("CURVE", "y 'y'")] {
        drawn(&ctx, select, &page, figure, options).await;
        browser.open(&page);
        let lines = "[document.querySelectorAll('.cartesianlayer .js-line').length, document.querySelectorAll('.gl-canvas-context').length]";
        assert_eq!(browser.ask(lines), json!([1, 0]), "{figure}");
        let policy = browser.ask("document.querySelector('meta[http-equiv]').content");
        assert!(policy.as_str().is_some_and(|policy| !policy.contains("unsafe-eval")), "{figure}: {policy}");
        browser.ask("document.querySelector('.figure').focus()");
        press(&mut browser, "Home");
        wait_for_tip(&mut browser, "y", "1");
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn a_failed_logon_is_told_with_its_reason() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("cards.html");
    let select = "SELECT column1 AS \"EventID\", column2 AS \"TargetUserName\", column3 AS \"Status\", column4 AS \"SubStatus\", column5 AS \"TargetLogonId\" \
                  FROM (VALUES (4625, 'pedro', '0xc000006d', '0xc000006a', NULL), (4624, 'SYSTEM', '0x0', NULL, '0x3e7'))";
    drawn(&ctx, select, &page, "CARDS", "title 'Logons'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(values(&mut browser, ".badge.failed"), json!(["Failed: wrong password"]));
    assert_eq!(values(&mut browser, ".account:nth-child(2) .badge"), json!(["session of the system"]));
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn cards_stand_by_account_and_break_no_name_that_fits() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("cards.html");
    let select = "SELECT column1 AS \"Account\", column2 AS \"TargetUserSid\", column3 AS \"Computer\" FROM (VALUES \
                  ('theshire\\pedro', 'S-1-5-21-1-2-3-1002', 'DESKTOP-WORKSTATION-0001.corp.theshire'), \
                  ('NT AUTHORITY\\SYSTEM', 'S-1-5-18', 'HR001.theshire.local'), \
                  ('THESHIRE\\Pedro', NULL, 'HR001.theshire.local'), \
                  ('frodo', 'S-1-5-21-1-2-3-1003', NULL), ('frodo', 'S-1-5-21-9-9-9-1003', NULL))";
    drawn(&ctx, select, &page, "CARDS", "title 'Logons'").await;
    let mut browser = Browser::start();
    browser.open(&page);
    assert_eq!(
        values(&mut browser, ".account h3"),
        json!(["theshire\\pedro", "NT AUTHORITY\\SYSTEM", "frodo"])
    );
    let rows = "[...document.querySelectorAll('.account')].map((e) => [...e.querySelectorAll('.card')].map((card) => card.dataset.row).join())";
    assert_eq!(browser.ask(rows), json!(["0,2", "1", "3,4"]));
    let sids = values(&mut browser, ".account > .sid");
    for (at, sid) in ["S-1-5-21-1-2-3-1002 (", "S-1-5-18 ("].into_iter().enumerate() {
        assert!(sids[at].as_str().is_some_and(|text| text.starts_with(sid)), "{sids}");
    }
    assert_eq!(sids.as_array().map(Vec::len), Some(2), "two accounts of one name have their own");
    let own = "[...document.querySelectorAll('.card .sid')].map((e) => e.textContent.split(' ')[0])";
    assert_eq!(browser.ask(own), json!(["S-1-5-21-1-2-3-1003", "S-1-5-21-9-9-9-1003"]));
    for width in [1280, 400] {
        browser.resize(width, 900);
        let lines = "[...document.querySelectorAll('.card dd, .account h3 span')].map((e) => { const range = document.createRange(); \
                     range.selectNodeContents(e); return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size; })";
        let lines = browser.ask(lines);
        assert!(
            lines.as_array().is_some_and(|all| all.len() > 6 && all.iter().all(|one| *one == 1)),
            "{width}: {lines}"
        );
        assert_eq!(browser.ask(BEYOND), json!([]), "{width}");
    }
    assert_eq!(browser.console, [""; 0]);
}

#[tokio::test]
#[cfg_attr(no_browser, ignore = "no browser: install Chromium")]
async fn nothing_to_draw_is_said() {
    let ctx = session();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("empty.html");
    let mut browser = Browser::start();
    for (figure, options) in FIGURES {
        drawn(&ctx, &format!("SELECT * FROM ({WIDE}) WHERE x < 0"), &page, figure, options).await;
        browser.open(&page);
        assert!(text(&mut browser, ".empty").contains("no row"), "{figure}");
        assert_eq!(
            browser.ask("document.querySelectorAll('.figure').length"),
            0,
            "{figure}: no axes of nothing"
        );
        assert_eq!(browser.console, [""; 0], "{figure}");
    }
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.contains("<noscript><p>This page draws by script"));
}
