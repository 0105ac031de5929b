//! The rooms of the library and what each may not know. The walls between the crates are the compiler's.

use std::path::{Path, PathBuf};

use crate::support::repository;

/// A room under `src`, and what its files may not name in a path.
const WALLS: [(&str, &[&str]); 10] = [
    ("constant.rs", &["crate::"]),
    ("near_miss.rs", &["crate::"]),
    ("feature.rs", &["crate::"]),
    ("file_versions.rs", &["crate::"]),
    ("nested_columns.rs", &["physical_plan", "crate::dbcluster::", "crate::window::", "crate::exec"]),
    ("functions", &["crate::dbcluster", "crate::dbscan", "crate::window::", "crate::exec", "crate::session"]),
    ("window", &["crate::dbcluster", "crate::functions", "crate::session"]),
    ("exec", &["crate::dbcluster", "crate::session"]),
    (
        "dbcluster",
        &[
            "physical_plan",
            "physical_expr",
            "physical_optimizer",
            "crate::exec",
            "crate::dbscan",
            "crate::session",
        ],
    ),
    (
        "figure_file",
        &[
            "crate::functions",
            "crate::dbcluster",
            "crate::dbscan",
            "crate::window::",
            "crate::exec",
            "crate::session",
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

#[test]
fn rooms_keep_their_walls() {
    let src = repository().join("src");
    let mut broken = vec![];
    for (room, forbidden) in WALLS {
        for file in source_files(&src.join(room)) {
            let text = std::fs::read_to_string(&file).expect("source files are text");
            let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (number, line) in code {
                broken.extend(
                    forbidden
                        .iter()
                        .filter(|name| line.contains(**name))
                        .map(|name| format!("{}:{}: {room} may not know {name}", file.display(), number + 1)),
                );
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn walls_have_rooms_behind_them() {
    let src = repository().join("src");
    for (room, _) in WALLS {
        assert!(!source_files(&src.join(room)).is_empty(), "{room} has moved: mend the list of walls");
    }
}
