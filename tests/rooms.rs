//! Which part of the crate may know which, as the crate's design says. A `use` line that breaks it fails here.

use std::path::{Path, PathBuf};

/// A room under `src`, and what its files may not name in a path.
const WALLS: [(&str, &[&str]); 16] = [
    (
        "dbscan",
        &[
            "datafusion::",
            "arrow::",
            "tokio::",
            "crate::functions",
            "crate::dbcluster",
            "crate::window::",
            "crate::exec",
            "crate::session",
            "crate::repl",
        ],
    ),
    ("constant.rs", &["crate::"]),
    ("near_miss.rs", &["crate::"]),
    ("feature.rs", &["crate::"]),
    ("files", &["crate::"]),
    ("windows_names.rs", &["crate::"]),
    ("writes", &["crate::"]),
    ("terminal.rs", &["crate::", "datafusion::"]),
    (
        "nested_columns.rs",
        &["physical_plan", "crate::dbcluster::", "crate::window::", "crate::exec", "crate::repl"],
    ),
    (
        "functions",
        &[
            "crate::dbcluster",
            "crate::dbscan",
            "crate::window::",
            "crate::exec",
            "crate::session",
            "crate::repl",
        ],
    ),
    ("window", &["crate::dbcluster", "crate::functions", "crate::session", "crate::repl"]),
    ("exec", &["crate::dbcluster", "crate::session", "crate::repl"]),
    (
        "dbcluster",
        &[
            "physical_plan",
            "physical_expr",
            "physical_optimizer",
            "crate::exec",
            "crate::dbscan",
            "crate::session",
            "crate::repl",
        ],
    ),
    (
        "plot",
        &[
            "datafusion::",
            "arrow::",
            "tokio::",
            "crate::functions",
            "crate::dbcluster",
            "crate::dbscan",
            "crate::window::",
            "crate::exec",
            "crate::session",
            "crate::figure_file",
            "crate::repl",
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
            "crate::repl",
        ],
    ),
    ("repl", &["crate::dbscan", "crate::dbcluster", "crate::exec"]),
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
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = vec![];
    for (room, forbidden) in WALLS {
        for file in source_files(&src.join(room)) {
            let text = std::fs::read_to_string(&file).expect("source files are text");
            let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (number, line) in code {
                // The core's own name in its own paths is no neighbour.
                let line =
                    line.replace("crate::dbscan::", if room == "dbscan" { "" } else { "crate::dbscan::" });
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

/// A cluster knows every room, and only the shell knows clusters.
#[test]
fn only_the_shell_knows_clusters() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let may = ["ballista", "repl", "bin", "lib.rs"].map(|room| src.join(room));
    let strangers =
        source_files(&src).into_iter().filter(|file| !may.iter().any(|room| file.starts_with(room)));
    for file in strangers {
        let text = std::fs::read_to_string(&file).expect("source files are text");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            assert!(
                !line.contains("ballista_") && !line.contains("ballista::"),
                "{}: {line}",
                file.display()
            );
        }
    }
}

#[test]
fn walls_have_rooms_behind_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, _) in WALLS {
        assert!(!source_files(&src.join(room)).is_empty(), "{room} has moved: mend the list of walls");
    }
}
