//! Checks that no room of the library uses another that it may not use; between crates the compiler checks it. Every path in
//! the code is resolved, also in a `use` of several lines, in braces, or by way of `super`.

use std::path::{Path, PathBuf};

use regex::{Captures, Regex};

use crate::support::repository;

/// The rooms under `src`, each with the paths that its files may not use.
const WALLS: &[(&str, &[&str])] = &[
    ("constant.rs", &["crate::"]),
    (
        "error.rs",
        &[
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::window::",
            "crate::exec",
            "crate::register",
        ],
    ),
    ("near_miss.rs", &["crate::"]),
    (
        "read_options.rs",
        &[
            "crate::config",
            "crate::options",
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::window::",
            "crate::exec",
            "crate::formats",
            "crate::register",
        ],
    ),
    (
        "config.rs",
        &[
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::window::",
            "crate::exec::",
            "crate::formats",
        ],
    ),
    ("wait.rs", &["crate::"]),
    ("feature.rs", &["crate::"]),
    ("file_versions.rs", &["crate::"]),
    (
        "options",
        &[
            "sqlparser",
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::window::",
            "crate::exec",
            "crate::register",
        ],
    ),
    (
        "group.rs",
        &[
            "crate::options",
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::window::",
            "crate::exec",
        ],
    ),
    ("nested_columns.rs", &["physical_plan", "crate::call", "crate::plan", "crate::window::", "crate::exec"]),
    (
        "functions",
        &["crate::call", "crate::plan", "crate::dbscan", "crate::window::", "crate::exec", "crate::register"],
    ),
    (
        "plan/functions",
        &["crate::call", "crate::dbscan", "crate::window::", "crate::exec", "crate::register"],
    ),
    (
        "json_fields",
        &[
            "crate::options",
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::window::",
            "crate::exec",
            "crate::dbscan",
        ],
    ),
    ("window", &["crate::call", "crate::plan", "crate::functions", "crate::register"]),
    ("exec", &["crate::call", "crate::formats", "crate::register"]),
    (
        "call",
        &[
            "physical_plan",
            "physical_expr",
            "physical_optimizer",
            "crate::dbscan",
            "crate::window::",
            "crate::exec",
            "crate::formats",
            "crate::register",
        ],
    ),
    (
        "plan",
        &[
            "sqlparser",
            "physical_plan",
            "physical_expr",
            "physical_optimizer",
            "crate::call",
            "crate::exec",
            "crate::dbscan",
            "crate::register",
        ],
    ),
    ("dataframe.rs", &["sqlparser", "crate::call", "crate::exec", "crate::register"]),
    (
        "figure_file",
        &[
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::dbscan",
            "crate::window::",
            "crate::exec",
            "crate::register",
        ],
    ),
    (
        "formats",
        &[
            "crate::options",
            "crate::feature",
            "crate::group",
            "crate::functions",
            "crate::call",
            "crate::plan",
            "crate::dbscan",
            "crate::window::",
            "crate::exec",
            "crate::register",
        ],
    ),
];

fn source_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.flat_map(|entry| source_files(&entry.expect("a readable folder").path())).collect()
}

/// The code of a file of `src` without comments and line breaks, its `use` trees as whole paths from `crate`.
fn code(src: &Path, file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("source files are text");
    let module = file.strip_prefix(src).expect("a file of the crate").with_extension("");
    let module: Vec<&str> =
        module.iter().filter_map(|name| name.to_str()).filter(|name| *name != "mod").collect();
    plain_paths(&text, &module)
}

/// The same for the text of the file that holds `module`.
fn plain_paths(text: &str, module: &[&str]) -> String {
    // In a module within the file `super` is the file.
    let line = |line: &str| match line.trim().strip_prefix("use super::") {
        Some(rest) if line.starts_with(' ') => format!("use self::{rest}"),
        _ => line.trim().to_string(),
    };
    let lines: Vec<String> = text.lines().map(line).filter(|line| !line.starts_with("//")).collect();
    let spaces = Regex::new(r"\s*(::|[{},;])\s*").expect("a pattern");
    let code = spaces.replace_all(&lines.join(" "), "$1").into_owned();
    let imports = Regex::new(r"\buse ([^;]*);").expect("a pattern");
    let code = imports.replace_all(&code, |import: &Captures| format!("use {};", without_braces(&import[1])));
    let climbs = Regex::new(r"\b(super::)+").expect("a pattern");
    let climbed = |climb: &Captures| {
        let steps = climb[0].len() / "super::".len();
        let above = module.iter().take(module.len().saturating_sub(steps));
        let path: Vec<&str> = std::iter::once(&"crate").chain(above).copied().collect();
        format!("{}::", path.join("::"))
    };
    climbs.replace_all(&code, climbed).into_owned()
}

/// The paths of a `use` tree, each in full.
fn without_braces(tree: &str) -> String {
    let braces = Regex::new(r"([\w:]+::)\{([^{}]*)\}").expect("a pattern");
    let mut tree = tree.to_string();
    while braces.is_match(&tree) {
        let in_full = |group: &Captures| {
            let names = group[2].split(',').filter(|name| !name.is_empty());
            names.map(|name| format!("{}{name}", &group[1])).collect::<Vec<_>>().join(",")
        };
        tree = braces.replace_all(&tree, in_full).into_owned();
    }
    tree
}

#[test]
fn paths_are_seen_however_they_are_written() {
    for (written, seen) in [
        ("use crate::exec::DbscanExec;", "crate::exec::DbscanExec"),
        ("use crate::{exec::DbscanExec, files};", "crate::exec::DbscanExec"),
        (
            "use crate::{\n    files,\n    window::{\n        call,\n        labels::Labels,\n    },\n};",
            "crate::window::labels::Labels",
        ),
        ("    crate::\n        exec::run()", "crate::exec::run"),
        ("use super::super::exec;", "crate::exec"),
        ("use super::{arguments, super::exec::run};", "crate::exec::run"),
        ("fn f() -> super::super::exec::Rule {}", "crate::exec::Rule"),
        ("use super::arguments;", "crate::functions::arguments"),
    ] {
        let code = plain_paths(written, &["functions", "entropy"]);
        assert!(code.contains(seen), "{written}: {code}");
    }
    assert!(!plain_paths("// use crate::exec;", &["functions"]).contains("exec"));
    assert!(!plain_paths("mod tests {\n    use super::*;\n}", &["constant"]).contains("crate"));
}

#[test]
fn rooms_keep_their_walls() {
    let src = repository().join("src");
    let mut broken = vec![];
    for (room, forbidden) in WALLS.iter().copied() {
        // A room within a room has walls of its own.
        let within: Vec<PathBuf> = WALLS
            .iter()
            .filter(|(name, _)| name.starts_with(&format!("{room}/")))
            .map(|(name, _)| src.join(name))
            .collect();
        let files = source_files(&src.join(room)).into_iter();
        let files = files.filter(|file| !within.iter().any(|other| file.starts_with(other)));
        for file in &files.filter(|file| file.extension().is_some_and(|it| it == "rs")).collect::<Vec<_>>() {
            let code = code(&src, file);
            let named = forbidden.iter().filter(|name| code.contains(**name));
            broken.extend(named.map(|name| format!("{}: {room} may not know {name}", file.display())));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn walls_have_rooms_behind_them() {
    let src = repository().join("src");
    for (room, _) in WALLS.iter().copied() {
        assert!(!source_files(&src.join(room)).is_empty(), "{room} has moved: mend the list of walls");
    }
}
