//! Who started whom: processes below the process that started them.
//!
//! Systems use process ids again. A process is its id on its host since its time: the parent of a row is the latest
//! process with the parent's id that started no later than the row. Parents that are not among the rows are shown, as
//! what they are, so that siblings stay together.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::page::{Body, Part};
use super::rows::{Column, Rows};
use super::settings::Settings;
use super::text::{count, html};

/// How deep levels are set off; what is deeper stands at the last one, with its level beside it.
const LEVELS: usize = 24;

/// What stands in a column; nothing for NULL.
fn text(column: Option<&Column>, row: usize) -> &str {
    column.and_then(|column| column.text(row)).unwrap_or_default()
}

/// A process on a host.
type Identity = (Option<String>, String);

pub(super) fn draw(rows: &Rows, settings: &Settings) -> Part {
    let column = |name: &str| settings.column(name, rows);
    let tree = Tree::new(rows, settings);
    let [label, detail, id, time, size, mark] = ["label", "detail", "id", "time", "size", "mark"].map(column);
    let mut lines = String::new();
    let mut write = |level: usize, row: Option<&str>, class: &str, children: usize, content: &str| {
        let fold = if children > 0 {
            "<button class=\"fold\" type=\"button\" aria-label=\"Fold\">▾</button>"
        } else {
            "<span class=\"leaf\"></span>"
        };
        let deep = if level > LEVELS { format!("<small>level {level}</small> ") } else { String::new() };
        let row = row.map_or_else(String::new, |row| format!(" data-row=\"{row}\""));
        let _ = writeln!(
            lines,
            "<li role=\"treeitem\" aria-level=\"{level}\" class=\"level{}{class}\" data-level=\"{level}\"{row}>{fold}{deep}\
             {content}</li>",
            level.min(LEVELS)
        );
    };
    // Roots by the parent that they have in common, then depth first. Levels are no recursion of ours: a chain may be
    // as long as there are rows.
    let mut marked = 0;
    for (parent, roots) in &tree.missing {
        let mut level = 1;
        if let Some(parent) = parent {
            let host = parent.0.as_deref().map_or_else(String::new, |host| format!(" on {}", html(host)));
            let content = format!(
                "<b>process <code>{}</code>{host}</b> <span class=\"detail\">not among these rows</span>",
                html(&parent.1)
            );
            write(level, None, " missing", roots.len(), &content);
            level = 2;
        }
        let mut open: Vec<(usize, usize)> = roots.iter().rev().map(|&row| (row, level)).collect();
        while let Some((row, level)) = open.pop() {
            let children = tree.children.get(&row).map_or(&[][..], Vec::as_slice);
            let is_marked = mark.is_some_and(|mark| mark.is_set(row));
            marked += usize::from(is_marked);
            let size = size.and_then(|size| size.number(row)).filter(|size| *size > 1.0);
            let size = size.map_or_else(String::new, |size| {
                format!("<span class=\"badge strong\">{}</span> ", count(size as usize, "event"))
            });
            let mut content = String::new();
            if time.is_some() {
                let _ = write!(content, "<time>{}</time> ", html(text(time, row)));
            }
            let flag = if is_marked { "<span class=\"badge\">marked</span> " } else { "" };
            let called = match label {
                Some(_) => format!("<b>{}</b> <code>{}</code>", html(text(label, row)), html(text(id, row))),
                None => format!("<b><code>{}</code></b>", html(text(id, row))),
            };
            let _ = write!(
                content,
                "{called} {size}{flag}<span class=\"detail\">{}</span>",
                html(text(detail, row))
            );
            let class = if is_marked { " marked" } else { "" };
            write(level, Some(&row.to_string()), class, children.len(), &content);
            open.extend(children.iter().rev().map(|&child| (child, level + 1)));
        }
    }
    let mut note = vec![format!(
        "{} below the ones that started them.",
        count(rows.len(), "process").replace("processs", "processes")
    )];
    if mark.is_some() {
        note.push(format!("{} marked.", super::thousands(marked)));
    }
    note.push("Click an arrow to fold what is below.".to_string());
    Part::new(rows, note.join(" "), Body::Html(format!("<ul class=\"tree\" role=\"tree\">\n{lines}</ul>")))
}

/// Which rows are below which.
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
    use super::super::{ColumnType, Figure};
    use super::*;

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
