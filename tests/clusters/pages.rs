//! The pages about clusters: their instructions work.

use std::process::Command;

use super::processes::{Cluster, local};

use crate::support::repository;

fn page(name: &str) -> String {
    let path = repository().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The page's query gives the README's answer on the page's cluster, and on one machine.
#[test]
fn a_newcomer_gets_the_notebooks_answer() {
    let page = page("docs/cluster.md");
    let sample = page.lines().find_map(|line| line.strip_prefix("./dbcluster sample ")).expect("a sample");
    let (_, query) = page.split_once("./dbcluster --cluster df://one:50050 -c \"\n").expect("a query");
    let (query, _) = query.split_once('"').expect("the query's end");
    let folder = tempfile::tempdir().expect("a folder");
    let args: Vec<&str> = std::iter::once("sample").chain(sample.split_whitespace()).collect();
    local(&args, folder.path());
    let expected = local(&["-c", query], folder.path());
    assert!(expected.contains("1,997,\"cmd.exe /v /c s^e^t x=p^o^w&&c^a^l^l"), "{expected}");
    let cluster = Cluster::start();
    let output =
        cluster.shell().current_dir(folder.path()).args(["-c", query]).output().expect("the shell runs");
    assert_eq!(crate::binary::stdout(&output), expected);
}

/// Every flag that the pages name is one of the programs'.
#[test]
fn flags_of_the_pages_are_there() {
    let help = |program: &str| {
        let output = Command::new(program).arg("--help").output().expect("the program starts");
        crate::binary::stdout(&output)
    };
    let known = [
        env!("CARGO_BIN_EXE_dbcluster"),
        env!("CARGO_BIN_EXE_dbcluster-scheduler"),
        env!("CARGO_BIN_EXE_dbcluster-executor"),
    ]
    .map(help)
    .concat();
    let of_cargo = ["--release", "--locked", "--all-features", "--bins"];
    for name in ["docs/cluster.md", "docs/scale.md"] {
        let text = page(name);
        let words = text.split(|c: char| c.is_whitespace() || "`,;|()".contains(c));
        let flags: Vec<&str> = words.filter(|word| word.starts_with("--") && word.len() > 2).collect();
        assert!(flags.len() > 3, "{name}");
        for flag in flags.into_iter().filter(|flag| !flag.starts_with("---") && !of_cargo.contains(flag)) {
            assert!(
                known.contains(&format!("{flag} ")) || known.contains(&format!("{flag}\n")),
                "{name}: {flag}"
            );
        }
    }
}

/// Every setting that the pages name is one of a cluster's session.
#[test]
fn settings_of_the_pages_are_there() {
    let cluster = Cluster::start();
    let known = cluster.answer(&["SHOW ALL"]);
    for name in ["docs/cluster.md", "docs/scale.md"] {
        let text = page(name);
        let words = text.split(|c: char| !(c.is_alphanumeric() || "._".contains(c)));
        let is_setting =
            |word: &&str| ["datafusion.", "ballista.", "s3."].iter().any(|start| word.starts_with(start));
        let settings: Vec<&str> = words.filter(is_setting).map(|word| word.trim_end_matches('.')).collect();
        assert!(!settings.is_empty(), "{name}");
        for setting in settings.into_iter().filter(|setting| !setting.contains("apache")) {
            assert!(known.contains(&format!("{setting},")), "{name}: {setting}");
        }
    }
}
