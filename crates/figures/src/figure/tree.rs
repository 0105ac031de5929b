//! The process tree: processes below the process that started them.
//!
//! Systems use process ids again. A process is its id on its host since its time: the parent of a row is the latest
//! process with the parent's id that started no later than the row. Parents that are not among the rows are shown as
//! such, so that siblings stay together.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::error::PlotError;
use crate::figure::Draw;
use crate::html::Html;
use crate::options::{
    NAMES, OPTIONAL_NAMES, OPTIONAL_NUMBERS, OPTIONAL_TIMES, OptionSpec, QUERY, TITLE, option,
};
use crate::page::{Body, Part};
use crate::rows::{Column, Rows};
use crate::settings::Settings;
use crate::text::{SHOWN, count, count_of, shortened, thousands};

/// The tree: [`Figure::Tree`](crate::Figure::Tree).
pub(crate) struct TreeFigure;

impl Draw for TreeFigure {
    const NAME: &'static str = "TREE";
    const TITLE: &'static str = "Process tree";
    const OPTIONS: &'static [OptionSpec] = &[
        option("id", NAMES, "The process"),
        option("parent", NAMES, "The process that started it"),
        option("time", OPTIONAL_TIMES, "When it started: tells processes apart whose id was used again"),
        option("host", OPTIONAL_NAMES, "Where: the same id on two hosts is two processes"),
        option("label", OPTIONAL_NAMES, "What it is called"),
        option("detail", OPTIONAL_NAMES, "More of it, such as the command line"),
        option("size", OPTIONAL_NUMBERS, "How many events it stands for, shown beside it"),
        option(
            "mark",
            OPTIONAL_NAMES,
            "Marks rows where this column is true, or neither NULL nor false; a text is shown as the reason",
        ),
        TITLE,
        QUERY,
    ];
    /// Each process is an element of the page.
    const MAX_ROWS: usize = 20_000;

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)])
    }
}

/// The deepest level that is indented; deeper ones stand there, too, with their level beside them.
const LEVELS: usize = 24;

/// The text of a column; empty for NULL.
fn text(column: Option<&Column>, row: usize) -> &str {
    column.and_then(|column| column.text(row)).unwrap_or_default()
}

/// A process on a host.
type Identity = (Option<String>, String);

/// One line of the tree.
struct Line {
    level: usize,
    row: Option<usize>,
    class: &'static str,
    /// The lines just below it.
    children: usize,
}

impl Line {
    fn draw(&self, content: Html) -> Html {
        let Self { level, row, class, children } = *self;
        // The arrow keys fold and unfold; the button is for the mouse.
        let (fold, expanded) = if children > 0 {
            let fold =
                "<button class=\"fold\" type=\"button\" tabindex=\"-1\" aria-hidden=\"true\">▾</button>";
            (fold, " aria-expanded=\"true\"")
        } else {
            ("<span class=\"leaf\"></span>", "")
        };
        let deep = (level > LEVELS).then(|| Html::raw("<small>level ").text(level).markup("</small> "));
        let row = row.map(|row| Html::raw(" data-row=\"").text(row).markup("\""));
        Html::raw("<li role=\"treeitem\" tabindex=\"-1\" aria-level=\"")
            .text(level)
            .markup("\" class=\"level")
            .text(level.min(LEVELS))
            .markup(class)
            .markup("\" data-level=\"")
            .text(level)
            .markup("\"")
            .markup(expanded)
            .html(row)
            .markup(">")
            .markup(fold)
            .html(deep)
            .html(content)
            .markup("</li>\n")
    }
}

/// The words that a line has of its row.
fn content_of(rows: &Rows, settings: &Settings, row: usize, is_marked: bool) -> Html {
    let [label, detail, id, time, size, mark] =
        ["label", "detail", "id", "time", "size", "mark"].map(|name| settings.column(name, rows));
    let size = size.and_then(|size| size.number(row)).filter(|size| *size > 1.0);
    let size = size.map(|size| {
        Html::raw("<span class=\"badge strong\">").text(count(size as usize, "event")).markup("</span> ")
    });
    let time = time.map(|_| Html::raw("<time>").text(text(time, row)).markup("</time> "));
    let flag = is_marked.then(|| {
        // A value other than true is the reason.
        let reason = text(mark, row);
        let reason = if reason.eq_ignore_ascii_case("true") || reason == "1" { "marked" } else { reason };
        Html::raw("<span class=\"badge\">").text(shortened(reason, SHOWN)).markup("</span> ")
    });
    let code = Html::raw("<code>").text(text(id, row)).markup("</code>");
    let name = match label {
        Some(_) => Html::raw("<b>").text(text(label, row)).markup("</b> ").html(code),
        None => Html::raw("<b>").html(code).markup("</b>"),
    };
    Html::default()
        .html(time)
        .html(name)
        .markup(" ")
        .html(size)
        .html(flag)
        .markup("<span class=\"detail\">")
        .text(text(detail, row))
        .markup("</span>")
}

fn draw(rows: &Rows, settings: &Settings) -> Part {
    let column = |name: &str| settings.column(name, rows);
    let tree = Tree::new(rows, settings);
    let mark = column("mark");
    let mut lines = Html::default();
    // Roots by the parent that they have in common, then depth first. There is no recursion: a chain may be as long as
    // there are rows.
    let mut marked = 0;
    let hosts: HashSet<&str> =
        column("host").into_iter().flat_map(|host| host.shown.iter().flatten()).map(String::as_str).collect();
    let mut last_host = None;
    for (parent, roots) in &tree.missing {
        let mut level = 1;
        // On several hosts, each has its heading.
        let host = parent.as_ref().and_then(|parent| parent.0.as_deref());
        if hosts.len() > 1 && host.is_some() && last_host != host {
            last_host = host;
            let heading =
                Html::raw("<li class=\"host\" role=\"presentation\">").text(host.unwrap_or_default());
            lines.extend([heading.markup("</li>\n")]);
        }
        if let Some(parent) = parent {
            let host = parent.0.as_deref().map(|host| Html::raw(" on ").text(host));
            let content = Html::raw("<b>process <code>")
                .text(&parent.1)
                .markup("</code>")
                .html(host)
                .markup("</b> <span class=\"detail\">not among these rows</span>");
            lines.extend([Line { level, row: None, class: " missing", children: roots.len() }.draw(content)]);
            level = 2;
        }
        let mut open: Vec<(usize, usize)> = roots.iter().rev().map(|&row| (row, level)).collect();
        while let Some((row, level)) = open.pop() {
            let children = tree.children.get(&row).map_or(&[][..], Vec::as_slice);
            let is_marked = mark.is_some_and(|mark| mark.is_set(row));
            marked += usize::from(is_marked);
            let class = if is_marked { " marked" } else { "" };
            let line = Line { level, row: Some(row), class, children: children.len() };
            lines.extend([line.draw(content_of(rows, settings, row, is_marked))]);
            open.extend(children.iter().rev().map(|&child| (child, level + 1)));
        }
    }
    let mut note =
        vec![format!("{} below the ones that started them.", count_of(rows.len(), "process", "processes"))];
    if mark.is_some() {
        note.push(format!("{} marked.", thousands(marked)));
    }
    note.push("Click an arrow to fold what is below. The arrow keys go from line to line, fold and unfold; Enter keeps a row.".to_string());
    let toolbar = Html::raw(
        "<div class=\"toolbar\" role=\"toolbar\" aria-label=\"The tree\"><input type=\"search\" data-find \
                             aria-label=\"Find in the tree\" placeholder=\"Find: name, command line, id\"> <span class=\"found\" \
                             role=\"status\"></span>",
    );
    let toolbar = if marked > 0 {
        toolbar.markup(
            "<label><input type=\"checkbox\" data-only> only marked</label> <button type=\"button\" data-next>Next marked</button> ",
        )
    } else {
        toolbar
    };
    let body = toolbar
        .markup("<button type=\"button\" data-fold aria-pressed=\"false\">Fold all</button></div>\n<ul class=\"tree\" role=\"tree\" \
                 aria-label=\"Processes\">\n")
        .html(lines)
        .markup("</ul>");
    Part::new(rows, note.join(" "), Body::Html(body))
}

/// The children of each row.
#[derive(Debug, Default, PartialEq)]
struct Tree {
    children: HashMap<usize, Vec<usize>>,
    /// Rows without a parent among the rows, by the parent that they name.
    missing: BTreeMap<Option<Identity>, Vec<usize>>,
}

impl Tree {
    fn new(rows: &Rows, settings: &Settings) -> Self {
        let column = |name: &str| settings.column(name, rows);
        let (id, parent, host, time) = (column("id"), column("parent"), column("host"), column("time"));
        let identity = |column: Option<&Column>, row: usize| -> Option<Identity> {
            // Hexadecimal ids are written in either case.
            let id = column?.text(row)?.trim().to_lowercase();
            Some((host.and_then(|host| host.text(row)).map(str::to_lowercase), id))
        };
        // When each row started, ties by their order: NULL before all, since its process has been there always.
        let started = |row: usize| time.and_then(|time| time.number(row)).unwrap_or(f64::NEG_INFINITY);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| started(a).total_cmp(&started(b)).then(a.cmp(&b)));
        let mut instances: HashMap<Identity, Vec<usize>> = HashMap::new();
        for &row in &order {
            if let Some(identity) = identity(id, row) {
                instances.entry(identity).or_default().push(row);
            }
        }
        let mut parents: Vec<Option<usize>> = vec![None; rows.len()];
        let mut tree = Self::default();
        for &row in &order {
            let named = identity(parent, row);
            let candidates =
                named.as_ref().and_then(|named| instances.get(named)).map_or(&[][..], Vec::as_slice);
            // Without times any process of that id may be the parent.
            let no_later =
                candidates.iter().filter(|&&other| time.is_none() || started(other) <= started(row));
            // Times can be too coarse to tell a parent from its child: never below itself.
            let is_below = |other: usize| {
                let mut above = (started(other) >= started(row)).then_some(other);
                while let Some(each) = above {
                    if each == row {
                        return true;
                    }
                    above = parents[each];
                }
                false
            };
            let found = no_later.copied().rev().find(|&other| !is_below(other));
            parents[row] = found;
            match found {
                Some(found) => tree.children.entry(found).or_default().push(row),
                None => tree.missing.entry(named).or_default().push(row),
            }
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnType, Figure};

    fn tree(processes: &[(&str, &str, Option<f64>)]) -> Tree {
        let text = |name: &str, values: Vec<&str>| Column {
            name: name.to_string(),
            column_type: ColumnType::Text,
            shown: values.into_iter().map(|value| Some(value.to_string())).collect(),
            numbers: vec![],
        };
        let times = Column {
            name: "time".to_string(),
            column_type: ColumnType::Time,
            shown: processes.iter().map(|process| process.2.map(|time| time.to_string())).collect(),
            numbers: processes.iter().map(|process| process.2).collect(),
        };
        let rows = Rows(vec![
            text("id", processes.iter().map(|process| process.0).collect()),
            text("parent", processes.iter().map(|process| process.1).collect()),
            times,
        ]);
        let columns = [("id", ColumnType::Text), ("parent", ColumnType::Text), ("time", ColumnType::Time)];
        let given = [("id", "id"), ("parent", "parent"), ("time", "time")];
        Tree::new(&rows, &Settings::try_new(Figure::Tree, given, &columns).expect("good settings"))
    }

    fn roots(tree: &Tree) -> Vec<usize> {
        tree.missing.values().flatten().copied().collect()
    }

    #[test]
    fn a_reused_id_is_another_process() {
        let tree = tree(&[
            ("0x1", "0x0", Some(1.0)),
            ("0x2", "0X1", Some(2.0)),
            ("0x1", "0x2", Some(3.0)),
            ("0x3", "0x1", Some(4.0)),
            ("0x4", "0x1", Some(2.5)),
        ]);
        assert_eq!(roots(&tree), [0]);
        assert_eq!(tree.children, HashMap::from([(0, vec![1, 4]), (1, vec![2]), (2, vec![3])]));
    }

    #[test]
    fn coarse_and_missing_times_make_no_circle() {
        let circle =
            tree(&[("a", "b", Some(1.0)), ("b", "a", Some(1.0)), ("c", "c", Some(1.0)), ("d", "a", None)]);
        assert_eq!(
            roots(&circle).len(),
            3,
            "one of the circle, the one that names itself, the one before all"
        );
        assert_eq!(circle.children, HashMap::from([(1, vec![0])]));
    }
}
