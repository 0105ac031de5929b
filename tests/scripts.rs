//! The scripts of `sql/`, on a generated sample, one after the other.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::binary::{dbcluster, stderr, stdout};

use crate::support::repository;

fn scripts() -> Vec<PathBuf> {
    let folder = repository().join("sql");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of scripts")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 7, "scripts are missing");
    scripts
}

/// A folder with `sample/` in it.
static WITH_SAMPLE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let output = dbcluster()
        .current_dir(folder.path())
        .args(["sample", "--rows", "4000", "--seed", "3", "--out", "sample"])
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    folder
});

/// The first lines of each script's output and the number of further lines. The sample is the same on every machine.
#[test]
fn scripts_run_on_the_sample() {
    let mut shown = String::new();
    for script in scripts() {
        let output = dbcluster()
            .current_dir(WITH_SAMPLE.path())
            .args(["--format", "csv", "-f"])
            .arg(&script)
            .output()
            .expect("the binary starts");
        assert!(output.status.success(), "{}\n{}", script.display(), stderr(&output));
        let name = script.file_name().expect("a file").to_string_lossy();
        let output = stdout(&output);
        let lines: Vec<&str> = output.lines().collect();
        let (first, others) = lines.split_at(lines.len().min(6));
        let _ = write!(shown, "{name}\n{}\nand {} lines\n\n", first.join("\n"), others.len());
    }
    insta::assert_snapshot!("scripts", shown);
}

#[test]
fn scripts_say_what_they_do() {
    for script in scripts() {
        let name = script.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&script).expect("text");
        assert!(text.starts_with("-- "), "{name} does not begin with what it does");
    }
}

/// The README's query on the README's sample has the output in the README.
#[test]
fn readme_shows_what_comes_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = ["sample", "--rows", "20000", "--out", "sample"];
    let output = dbcluster().current_dir(folder.path()).args(sample).output().expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("a README");
    let example =
        readme.split("```text\n> ").nth(1).and_then(|rest| rest.split("\n```").next()).expect("an example");
    let (sql, shown) = example.split_once(";\n").expect("a statement and its result");
    let output = dbcluster()
        .current_dir(folder.path())
        .args(["--quiet", "-c", sql])
        .output()
        .expect("the binary starts");
    assert_eq!(stdout(&output).trim_end(), shown, "{}", stderr(&output));
}
