use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// A folder with these files, each with its name as content.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, file).expect("a file");
    }
    folder
}

/// The files that a name in the folder stands for, without the folder.
fn found(folder: &Path, name: &str) -> Vec<String> {
    let found = find(&at(folder, name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    found.files.iter().map(|file| without(folder, file.name())).collect()
}

/// The files that a name in the folder passes over, as `file: reason`.
fn passed_over(folder: &Path, name: &str) -> Vec<String> {
    let found = find(&at(folder, name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    found
        .passed_over
        .iter()
        .map(|passed| without(folder, &format!("{}: {}", passed.file, passed.reason)))
        .collect()
}

/// The error of a name in the folder, with `.` for the folder.
fn error(folder: &Path, name: &str) -> String {
    let error = find(&at(folder, name)).expect_err(name).to_string();
    error.replace(&folder.display().to_string(), ".")
}

fn at(folder: &Path, name: &str) -> String {
    format!("{}/{name}", folder.display())
}

fn without(folder: &Path, text: &str) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

#[test]
fn a_folder_stands_for_all_files_below_it_in_the_order_of_their_paths() {
    let folder =
        folder(&["b.csv", "a/z.log", "a/b/c.json", "A.csv", "2025/01/x", "a.csv", "day=2025-01-01/p.csv"]);
    let all = ["2025/01/x", "A.csv", "a.csv", "a/b/c.json", "a/z.log", "b.csv", "day=2025-01-01/p.csv"];
    assert_eq!(found(folder.path(), ""), all);
    assert_eq!(found(folder.path(), "a"), ["a/b/c.json", "a/z.log"]);
    assert_eq!(found(folder.path(), "a/"), ["a/b/c.json", "a/z.log"]);
}

#[test]
fn patterns_match_at_the_depth_that_they_say() {
    let folder =
        folder(&["a.csv", "b.csv", "b.txt", "2025/01/b.csv", "2025/02/c.csv", "2025/c.csv", "[x].csv"]);
    let cases: [(&str, &[&str]); 16] = [
        ("*.csv", &["[x].csv", "a.csv", "b.csv"]),
        ("?.csv", &["a.csv", "b.csv"]),
        ("**/*.csv", &["2025/01/b.csv", "2025/02/c.csv", "2025/c.csv", "[x].csv", "a.csv", "b.csv"]),
        ("**.csv", &["2025/01/b.csv", "2025/02/c.csv", "2025/c.csv", "[x].csv", "a.csv", "b.csv"]),
        ("**", &["2025/01/b.csv", "2025/02/c.csv", "2025/c.csv", "[x].csv", "a.csv", "b.csv", "b.txt"]),
        ("2025/**", &["2025/01/b.csv", "2025/02/c.csv", "2025/c.csv"]),
        ("**/c.csv", &["2025/02/c.csv", "2025/c.csv"]),
        ("**/0?/**/*.csv", &["2025/01/b.csv", "2025/02/c.csv"]),
        ("*/*/b.csv", &["2025/01/b.csv"]),
        ("20*/01/*", &["2025/01/b.csv"]),
        ("[ab].csv", &["a.csv", "b.csv"]),
        ("[!a].csv", &["b.csv"]),
        ("[^a].csv", &["b.csv"]),
        ("{b,a}.{csv,txt}", &["a.csv", "b.csv", "b.txt"]),
        ("2025/{01,02}/*.csv", &["2025/01/b.csv", "2025/02/c.csv"]),
        ("{2025/{01,02},.}/[bc].csv", &["./b.csv", "2025/01/b.csv", "2025/02/c.csv"]),
    ];
    for (pattern, expected) in cases {
        assert_eq!(found(folder.path(), pattern), expected, "{pattern}");
    }
}

#[test]
fn a_path_that_exists_is_no_pattern() {
    let folder =
        folder(&["a[1].csv", "a1.csv", "{x,y}.csv", "x.csv", "d[0]/*/q?", "d0/z", "e{0,1}/z", "e0/z"]);
    assert_eq!(found(folder.path(), "a[1].csv"), ["a[1].csv"]);
    assert_eq!(found(folder.path(), "{x,y}.csv"), ["{x,y}.csv"]);
    assert_eq!(found(folder.path(), "d[0]"), ["d[0]/*/q?"]);
    assert_eq!(found(folder.path(), "d[0]/*/q?"), ["d[0]/*/q?"]);
    assert_eq!(found(folder.path(), "d[0]/*/*"), ["d[0]/*/q?"]);
    assert_eq!(found(folder.path(), "d{0,1}/z*"), ["d0/z"]);
    assert_eq!(found(folder.path(), "e{0,1}/{z,y}*"), ["e{0,1}/z"]);
    assert_eq!(found(folder.path(), "d[0-9]/*"), ["d0/z"]);
    assert_eq!(found(folder.path(), "a[[]1].csv"), ["a[1].csv"]);
    assert_eq!(found(folder.path(), "a[*.csv"), ["a[1].csv"], "a bracket that doesn't close is a bracket");
}

#[test]
fn folders_that_match_are_read_if_no_file_does() {
    let folder = folder(&["2025-01/a.csv", "2025-02/x/b.csv", "2025.txt"]);
    assert_eq!(found(folder.path(), "2025-*"), ["2025-01/a.csv", "2025-02/x/b.csv"]);
    assert_eq!(found(folder.path(), "*/"), ["2025-01/a.csv", "2025-02/x/b.csv"]);
    assert_eq!(found(folder.path(), "2025*"), ["2025.txt"]);
    let reason = "a folder beside files that match; end the pattern with /** for what is in it";
    assert_eq!(
        passed_over(folder.path(), "2025*"),
        [format!("2025-01: {reason}"), format!("2025-02: {reason}")]
    );
}

#[test]
fn hidden_files_are_passed_over_unless_they_are_meant() {
    let files = [
        "a.csv",
        "._a.csv",
        ".DS_Store",
        "_SUCCESS",
        "_delta_log/0.json",
        ".git/config",
        "__MACOSX/a.csv",
        "Thumbs.db",
        "day=1/.part.crc",
        "day=1/part",
        "_day=1/part",
        "_audit.csv",
        "_committed_17",
        "desktop.ini",
        "..data/x",
        ".x",
    ];
    let folder = folder(&files);
    assert_eq!(found(folder.path(), ""), ["_audit.csv", "_day=1/part", "a.csv", "day=1/part"]);
    assert_eq!(passed_over(folder.path(), "").len(), 12);
    assert_eq!(passed_over(folder.path(), "*.csv"), ["._a.csv: left by a system, not data"]);
    for named in ["._a.csv", ".x", "_SUCCESS"] {
        assert_eq!(found(folder.path(), named), [named]);
    }
    assert_eq!(found(folder.path(), "_delta_log"), ["_delta_log/0.json"]);
    assert_eq!(found(folder.path(), ".git/*"), [".git/config"]);
    assert_eq!(found(folder.path(), ".[x]"), [".x"]);
    assert_eq!(found(folder.path(), "**/.p*"), ["day=1/.part.crc"]);
}

#[test]
fn if_all_files_are_hidden_they_are_meant() {
    let folder = folder(&["d/.a.csv", "d/.b/c.csv", "d/.DS_Store", "e/.DS_Store", "e/Thumbs.db"]);
    assert_eq!(found(folder.path(), "d"), ["d/.a.csv", "d/.b/c.csv"]);
    assert_eq!(found(folder.path(), "d/*.csv"), ["d/.a.csv"]);
    let expected = "the folder './e' has no file to read: './e/.DS_Store' is passed over (left by a system, not data), and one \
                    more is passed over";
    assert_eq!(error(folder.path(), "e"), expected);
}

#[test]
fn urls_and_the_home_folder_are_paths() {
    let folder = folder(&["a b.csv", "50%.csv", "a[1].csv"]);
    let url = |name: &str| find(&format!("file://{}/{name}", folder.path().display()));
    let names = |found: Result<Found>| -> Vec<String> {
        found.expect("files").files.iter().map(|file| without(folder.path(), file.name())).collect()
    };
    assert_eq!(names(url("a%20b.csv")), ["a b.csv"]);
    assert_eq!(names(url("50%25.csv")), ["50%.csv"]);
    assert_eq!(names(url("a%5b1%5D.csv")), ["a[1].csv"]);
    assert_eq!(names(url("*.csv")), ["50%.csv", "a b.csv", "a[1].csv"]);
    assert_eq!(path_of("FILE://localhost/x").expect("a path"), Path::new("/x"));
    for wrong in ["file://host/x", "file://x", "file:///a%2", "file:///a%+1", "file:///a%é"] {
        let error = path_of(wrong).expect_err(wrong).to_string();
        assert!(error.contains("is no URL of a file here"), "{error}");
    }
    let home = std::env::home_dir().expect("a home");
    assert_eq!(path_of("~/logs").expect("a path"), home.join("logs"));
    assert_eq!(path_of("~").expect("a path"), home.join(""));
    assert_eq!(path_of("~x/logs").expect("a path"), Path::new("~x/logs"));
}

#[test]
fn standard_input_is_not_looked_at() {
    for name in ["-", "/dev/stdin", "file:///dev/stdin"] {
        assert_eq!(find(name).expect("found").files[0].name(), "/dev/stdin");
    }
}

#[test]
fn what_is_not_there_is_said_with_the_nearest_name() {
    let folder = folder(&["hosts.csv", "processes.ndjson.gz", "logs/2025/a.csv", "empty.txt"]);
    fs::create_dir(folder.path().join("nothing")).expect("a folder");
    let cases = [
        ("host.csv", "there is no file './host.csv' (did you mean './hosts.csv'?)"),
        ("hsots.csv", "there is no file './hsots.csv' (did you mean './hosts.csv'?)"),
        ("HOSTS.CSV", "there is no file './HOSTS.CSV' (did you mean './hosts.csv'?)"),
        ("processes.json", "there is no file './processes.json' (did you mean './processes.ndjson.gz'?)"),
        ("hosts", "there is no file './hosts' (did you mean './hosts.csv'?)"),
        ("entirely-different", "there is no file './entirely-different'"),
        (
            "log/2025/a.csv",
            "there is no file './log/2025/a.csv': there is no folder './log' (did you mean './logs'?)",
        ),
        (
            "logs/2026/a.csv",
            "there is no file './logs/2026/a.csv': there is no folder './logs/2026' (did you mean './logs/2025'?)",
        ),
        ("hosts.csv/a", "there is no file './hosts.csv/a': './hosts.csv' is a file, not a folder"),
        ("hosts.csv/", "'./hosts.csv' is a file, not a folder: leave out the slash at the end"),
        ("nothing", "the folder './nothing' has no files"),
        ("nothing/*", "no file matches './nothing/*': the folder './nothing' is empty"),
        (
            "lgos/*.csv",
            "no file matches './lgos/*.csv': there is no folder './lgos' (did you mean './logs'?)",
        ),
        (
            "{x,y}.csv",
            "no file matches './{x,y}.csv': './x.csv' is passed over (it is not there), and one more is passed over",
        ),
        (
            "*.cvs",
            "no file matches './*.cvs': the folder '.' has 'empty.txt', 'hosts.csv', 'logs' and 2 more",
        ),
    ];
    for (name, expected) in cases {
        assert_eq!(error(folder.path(), name), expected, "{name}");
    }
    assert_eq!(find("").expect_err("no name").to_string(), "the name of a file is empty");
    let url = find("https://example.com/a.csv").expect_err("a URL").to_string();
    assert_eq!(url, "'https://example.com/a.csv' is no file of this machine: https:// is not read here");
    let many = find(&"{a,b}".repeat(64)).expect_err("too many").to_string();
    assert!(many.ends_with("stand for more than 10000 names"), "{many}");
    assert!(find("a\0b").is_err());
}

#[test]
fn messages_are_one_short_line() {
    let name = format!("/nowhere/\u{1B}]0;x\u{7}\n\u{202E}{}", "x*".repeat(5000));
    let error = find(&name).expect_err("nothing").to_string();
    assert!(
        error.len() < 1000 && !error.contains(|letter: char| letter.is_control() || letter == '\u{202E}'),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_end_and_no_file_is_read_twice() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["a/x.csv", "b/y.csv", "real.csv", "out/z.csv"]);
    let path = folder.path();
    symlink("..", path.join("a/up")).expect("a link");
    symlink("../b", path.join("a/0")).expect("a link");
    symlink("../a", path.join("b/a")).expect("a link");
    symlink("real.csv", path.join("latest.csv")).expect("a link");
    symlink("nowhere", path.join("broken.csv")).expect("a link");
    symlink("loop", path.join("loop")).expect("a link");
    assert_eq!(found(path, ""), ["a/x.csv", "b/y.csv", "out/z.csv", "real.csv"]);
    let expected = [
        "a/0: the same folder as 'b'",
        "a/up: a link to a folder that it is in",
        "b/a: the same folder as 'a'",
        "broken.csv: a link to nothing",
        "latest.csv: the same file as 'real.csv'",
        "loop: a link to nothing",
    ];
    assert_eq!(
        passed_over(path, "").iter().map(|text| text.replace(&at(path, ""), "")).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(found(path, "latest.csv"), ["latest.csv"]);
    assert_eq!(found(path, "l*.csv"), ["latest.csv"], "a link alone is read");
    assert_eq!(found(path, "a"), ["a/0/y.csv", "a/x.csv"], "a link to a folder outside is followed");
    assert_eq!(found(path, "a/*/*.csv"), ["a/0/y.csv"]);
    assert!(
        error(path, "broken.csv").starts_with("'./broken.csv' is a link to 'nowhere', which can't be opened")
    );
    assert!(error(path, "loop").starts_with("'./loop' is a link to 'loop', which can't be opened"));
}

/// Each of 30 folders links to all others: there are 30! ways through them.
#[cfg(unix)]
#[test]
fn links_between_folders_do_not_multiply_the_walk() {
    use std::os::unix::fs::symlink;
    let names: Vec<String> = (0..30).map(|number| format!("{number}/f.csv")).collect();
    let folder = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for from in 0..30 {
        for to in 0..30 {
            symlink(format!("../{to}"), folder.path().join(format!("{from}/to{to}"))).expect("a link");
        }
    }
    assert_eq!(found(folder.path(), "").len(), 30);
    assert_eq!(found(folder.path(), "**/*.csv").len(), 30);
}

#[cfg(unix)]
#[test]
fn sockets_and_pipes_in_folders_are_passed_over_unopened() {
    let folder = folder(&["a.csv"]);
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("s")).expect("a socket");
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("p")).status().expect("mkfifo");
    assert!(made.success());
    assert_eq!(found(folder.path(), ""), ["a.csv"]);
    assert_eq!(
        passed_over(folder.path(), ""),
        ["p: a pipe; it is read if it is named itself", "s: a socket"]
    );
    assert_eq!(found(folder.path(), "p"), ["p"]);
    assert!(find(&at(folder.path(), "p")).expect("a pipe").files[0].opens_once());
    assert_eq!(error(folder.path(), "s"), "can't read './s': it is a socket");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_unicode_are_found() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(&["a.csv"]);
    let name = std::ffi::OsStr::from_bytes(b"\xFF.csv");
    fs::write(folder.path().join(name), "x").expect("a file");
    let found = find(&at(folder.path(), "*.csv")).expect("files");
    assert_eq!(found.files[1].path(), folder.path().join(name));
    let url = format!("file://{}/%FF.csv", folder.path().display());
    assert_eq!(find(&url).expect("a file").files[0].path(), folder.path().join(name));
}

#[cfg(unix)]
#[test]
fn folders_that_may_not_be_listed_are_passed_over() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&["a.csv", "secret/b.csv"]);
    let secret = folder.path().join("secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("a mode");
    // Nothing is secret to the superuser.
    if fs::read_dir(&secret).is_err() {
        assert_eq!(found(folder.path(), ""), ["a.csv"]);
        assert!(passed_over(folder.path(), "")[0].starts_with("secret: can't be listed"));
        assert!(error(folder.path(), "secret").starts_with("can't list the folder './secret'"));
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o700)).expect("a mode");
}

#[test]
fn the_current_folder_needs_no_name() {
    let found = find("Cargo.tom[l]").expect("the package's own file");
    assert_eq!(found.files[0].name(), "Cargo.toml");
    let error = find("Cargo.tmol").expect_err("no file").to_string();
    assert_eq!(error, "there is no file 'Cargo.tmol' (did you mean 'Cargo.toml'?)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Patterns match the files that they match as texts.
    #[test]
    fn walking_finds_what_the_whole_paths_match(
        steps in prop::collection::vec(prop::sample::select(vec!["*", "**", "a*", "?", "[ab]", "a", "*.csv", "b.csv"]), 1..5)
    ) {
        let files = ["a/a/a/b.csv", "a/a/b.csv", "a/b.csv", "a/b/a", "a/b/b.csv", "ab/a/c.csv", "b.csv", "b/b/b/b/b.csv"];
        let folder = folder(&files);
        let pattern = steps.join("/");
        // As a text, `a/**` matches no folder at the end, and `**/**` is `**`.
        let text = glob::Pattern::new(&pattern).expect("a pattern");
        let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
        let expected: Vec<&str> = files.into_iter().filter(|file| text.matches_with(file, options)).collect();
        if !expected.is_empty() {
            prop_assert_eq!(found(folder.path(), &pattern), expected, "{}", pattern);
        }
    }

    /// Any name stands for files, or is an error.
    #[test]
    fn any_name_ends_in_files_or_an_error(name in "[ab./*?\\[\\]{},~%:-]{0,24}") {
        let name = format!("src/source/{name}");
        // It stays in the folder.
        prop_assume!(!name.contains(".."));
        if let Ok(found) = find(&name) {
            prop_assert!(!found.files.is_empty());
        }
    }
}
