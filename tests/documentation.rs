//! The documentation is part of the code: complete, current, and true.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use datafusion::logical_expr::Documentation;
use datafusion_dbcluster::{all_window_functions, functions, json_fields, reference};
use dbcluster_figures::{ColumnType, Figure, Need};

use crate::support::{repository, rows, session, text};

/// Every function of this crate with its documentation, table functions first.
fn documentation() -> Vec<(String, Documentation)> {
    let of_tables = reference::table_functions().into_iter().map(|(name, text)| (name.to_string(), text));
    let undocumented = |name: &str| panic!("{name} has no documentation");
    let of_windows = all_window_functions();
    let of_windows = of_windows.iter().map(|function| {
        let text = function.documentation().unwrap_or_else(|| undocumented(function.name()));
        (function.name().to_string(), text.clone())
    });
    let of_scalars = functions::all().into_iter().chain(json_fields::all()).collect::<Vec<_>>();
    let of_scalars = of_scalars.iter().map(|function| {
        let text = function.documentation().unwrap_or_else(|| undocumented(function.name()));
        (function.name().to_string(), text.clone())
    });
    of_tables.chain(of_windows).chain(of_scalars).collect()
}

/// The grammar of a call, and each option with its example.
fn options() -> String {
    let mut page = format!("\n## Calls\n\n```text\n{}\n```\n\n## Options\n", reference::grammar());
    page.push_str(
        "\n`option => value`, behind the arguments without a name and in any order; `:=` is the same.\n",
    );
    for option in reference::options() {
        write!(
            page,
            "\n### `{}`\n\n{}\n\nTakes {}. Default: {}.\n\n{}\n",
            option.name(),
            option.meaning(),
            option.values(),
            option.default(),
            option.sql_example()
        )
        .expect("strings take text");
    }
    page
}

/// The function reference as Markdown.
fn reference_page() -> String {
    let all = documentation();
    let mut page = String::from(
        "# Function reference\n\nGenerated from the documentation in the code; a test keeps it current. `\\h name` shows the \
         same in the shell.\n",
    );
    page.push_str(&options());
    let mut section = "";
    for label in ["Table Functions", "Window Functions", "Event features", "JSON fields"] {
        for (name, text) in all.iter().filter(|(_, text)| text.doc_section.label == label) {
            if section != label {
                section = label;
                write!(page, "\n## {label}\n").expect("strings take text");
            }
            write!(page, "\n### `{name}`\n\n{}\n\n```sql\n{}\n", text.description, text.syntax_example)
                .expect("strings take text");
            for syntax in text.alternative_syntax.iter().flatten() {
                writeln!(page, "{syntax}").expect("strings take text");
            }
            page.push_str("```\n");
            if let Some(arguments) = &text.arguments {
                page.push_str("\n| argument | meaning |\n|---|---|\n");
                for (argument, meaning) in arguments {
                    writeln!(page, "| `{argument}` | {} |", meaning.replace('|', "\\|"))
                        .expect("strings take text");
                }
            }
            if let Some(example) = &text.sql_example {
                write!(page, "\n{example}\n").expect("strings take text");
            }
            if let Some(related) = &text.related_udfs {
                let links: Vec<String> = related.iter().map(|name| format!("[`{name}`](#{name})")).collect();
                write!(page, "\nSee also: {}\n", links.join(", ")).expect("strings take text");
            }
        }
    }
    for (name, _) in &all {
        assert!(
            page.contains(&format!("### `{name}`")),
            "{name} is in a section that the reference leaves out"
        );
    }
    page
}

#[test]
fn reference_is_current() {
    let path = repository().join("sql/functions.md");
    let reference = reference_page();
    if std::env::var_os("DBCLUSTER_COMPLETE").is_some() {
        std::fs::write(&path, &reference).expect("the reference can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == reference,
        "sql/functions.md is not current: run the tests once with DBCLUSTER_COMPLETE=1"
    );
}

/// The table of options in the README: of each meaning its first sentence.
#[test]
fn options_of_the_readme_are_current() {
    let path = repository().join("README.md");
    let page = std::fs::read_to_string(&path).expect("there is a README");
    let head = "| option | takes | default | meaning |\n|---|---|---|---|\n";
    let (before, rest) = page.split_once(head).expect("a table of options");
    let (written, after) = rest.split_once("\n\n").expect("text behind the table");
    let rows = reference::options().iter().map(|option| {
        let meaning = option.meaning().split_once(". ").map_or(option.meaning(), |(first, _)| first);
        let meaning = meaning.trim_end_matches('.');
        format!("| `{}` | {} | {} | {meaning} |", option.name(), option.values(), option.default())
    });
    let options = rows.collect::<Vec<_>>().join("\n");
    if std::env::var_os("DBCLUSTER_COMPLETE").is_some() {
        // Other tests read the page meanwhile, so it is written only where it changes.
        if written != options {
            let page = format!("{before}{head}{options}\n\n{after}");
            std::fs::write(&path, page).expect("the README can be written");
        }
    } else {
        assert!(
            written == options,
            "the README's options are not current: run the tests once with DBCLUSTER_COMPLETE=1"
        );
    }
}

/// The options of the figures, as docs/figures.md has them after its last heading.
#[test]
fn options_of_figures_are_current() {
    let path = repository().join("docs/figures.md");
    let page = std::fs::read_to_string(&path).expect("the page on figures");
    let heading = "## Options\n\n";
    let (prose, written) = page.split_once(heading).expect("a heading for the options");
    let mut options = String::new();
    for figure in Figure::ALL {
        let _ = write!(options, "### {}\n\n| option | takes | |\n|---|---|---|\n", figure.name());
        for option in figure.options() {
            let takes = match option.need {
                Need::Column { of, required } => {
                    let what = of.map_or("any column", |of| match of {
                        ColumnType::Number => "a column of numbers",
                        ColumnType::Time => "a column of times",
                        ColumnType::Text => "a column of text",
                    });
                    if required { format!("{what}, required") } else { what.to_string() }
                }
                Need::Columns(_) => "columns, with commas between".to_string(),
                Need::Number => "a number".to_string(),
                Need::Times => "times with labels, semicolons between".to_string(),
                Need::OneOf(words) => format!("one of {}", words.join(", ")),
                Need::Text => "text".to_string(),
            };
            let _ = writeln!(options, "| `{}` | {takes} | {} |", option.name, option.meaning);
        }
        options.push('\n');
    }
    let options = options.trim_end().to_string() + "\n";
    if std::env::var_os("DBCLUSTER_COMPLETE").is_some() {
        std::fs::write(&path, format!("{prose}{heading}{options}")).expect("the page can be written");
    } else {
        assert!(
            written == options,
            "docs/figures.md is not current: run the tests once with DBCLUSTER_COMPLETE=1"
        );
    }
}

#[tokio::test]
async fn examples_are_true() {
    let ctx = session();
    ctx.sql(reference::example_table())
        .await
        .expect("the example table")
        .collect()
        .await
        .expect("the example table");
    let folder = tempfile::tempdir().expect("a folder for logs");
    let logs = format!("'{}/", folder.path().display());
    let of_functions = documentation().into_iter().filter_map(|(name, text_of)| {
        assert!(text_of.sql_example.is_some(), "{name} has no example");
        text_of.sql_example.map(|example| (name, example))
    });
    let of_options = reference::options();
    let of_options =
        of_options.iter().map(|option| (option.name().to_string(), option.sql_example().to_string()));
    for (name, example) in of_functions.chain(of_options) {
        let example = example.trim().trim_start_matches("```sql\n> ").trim_end_matches("\n```");
        for statement in example.split("\n> ") {
            let (sql, printed) = statement.split_once(";\n").unwrap_or((statement, ""));
            let sql = sql.replace("'logs/", &logs);
            assert_eq!(printed, text(&ctx, &sql).await, "{name}: {sql}");
        }
    }
}

/// Every option that a call accepts is documented: the error about an unknown option lists them all.
#[tokio::test]
async fn every_option_is_documented() {
    let ctx = session();
    ctx.sql(reference::example_table()).await.expect("a table").collect().await.expect("a table");
    let mut listed = BTreeSet::new();
    for function in ["dbcluster", "dbcluster_eps", "dbcluster_values", "dbcluster_why"] {
        let call = format!("{function}(events, [1], nonsense => 1)");
        let error = ctx.sql(&format!("SELECT * FROM {call}")).await;
        let error = error.expect_err("there is no such option").strip_backtrace();
        let (_, options) = error.split_once("options are ").expect("the options");
        listed.extend(options.split(", ").map(ToString::to_string));
    }
    let documented: BTreeSet<String> =
        reference::options().iter().map(|option| option.name().to_string()).collect();
    assert_eq!(listed, documented);
}

#[test]
fn readme_names_every_function() {
    let path = repository().join("README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README");
    for (name, _) in documentation() {
        assert!(readme.contains(&format!("`{name}(")), "the README does not name {name}");
    }
}

#[test]
fn readme_names_every_figure() {
    let path = repository().join("README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README");
    for figure in Figure::ALL {
        assert!(
            readme.contains(&format!("| `{}` |", figure.name())),
            "the README does not name {}",
            figure.name()
        );
    }
}

/// A function that is not in `types.slt` could change the type of its result unseen.
#[test]
fn types_of_every_function_are_pinned() {
    let path = repository().join("tests/sqllogictest/types.slt");
    let types = std::fs::read_to_string(path).expect("there are types");
    for (name, _) in documentation() {
        let is_called =
            |(start, _): (usize, &str)| !types[..start].ends_with(|c: char| c == '_' || c.is_alphanumeric());
        assert!(types.match_indices(&format!("{name}(")).any(is_called), "types.slt does not call {name}");
    }
}

/// The statements of the README run, on a table with the columns that they name.
#[tokio::test]
async fn statements_of_the_readme_run() {
    let path = repository().join("README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README");
    let ctx = session();
    let table = r#"CREATE TABLE events AS SELECT * FROM (VALUES
        (TIMESTAMP '2026-01-15 05:00:00', 'cmd.exe /c a', 'C:\cmd.exe', 5, 'h1', 'c1', 1),
        (NULL, 'reg query', 'C:\reg.exe', 3, 'h1', 'c1', 2)
        ) AS t(time, "CommandLine", "NewProcessName", "LogonType", host, "Computer", "RecordId")"#;
    ctx.sql(table).await.expect("a table").collect().await.expect("a table");
    let blocks: Vec<&str> =
        readme.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let statements = blocks.iter().flat_map(|block| block.split(";\n")).filter(|sql| !sql.trim().is_empty());
    let folder = tempfile::tempdir().expect("a folder for pages");
    let mut run = 0;
    for sql in statements {
        let sql = &sql.replace("TO '", &format!("TO '{}/", folder.path().display()));
        assert!(rows(&ctx, sql).await.num_rows() > 0, "{sql}");
        run += 1;
    }
    assert!(run >= 3, "the README's statements were not found");
}

/// The options of reading, as docs/files.md has them, each with the flag of the program.
#[test]
fn options_of_reading_are_current() {
    let path = repository().join("docs/files.md");
    let page = std::fs::read_to_string(&path).expect("the page on files");
    let head = "| option | flag | |\n|---|---|---|\n";
    let (before, rest) = page.split_once(head).expect("a table of options");
    let (written, after) = rest.split_once("\n## ").expect("text behind the table");
    let mut options = String::new();
    for option in reference::read_options() {
        let flag = match option.name() {
            "format" => "read-format".to_string(),
            name => name.replace('_', "-"),
        };
        let _ = writeln!(
            options,
            "| `{} => {}` | `--{flag}` | {} |",
            option.name(),
            option.example(),
            option.meaning()
        );
    }
    if std::env::var_os("DBCLUSTER_COMPLETE").is_some() {
        let page = format!("{before}{head}{options}\n## {after}");
        std::fs::write(&path, page).expect("the page can be written");
    } else {
        assert!(
            written == options,
            "docs/files.md is not current: run the tests once with DBCLUSTER_COMPLETE=1"
        );
    }
}

/// The examples of a page, one after the other in one folder, print what the page shows.
#[cfg(unix)]
#[test]
fn examples_of_pages_are_true() {
    for page in ["docs/clustering.md", "docs/files.md", "docs/hunting.md", "docs/shell.md"] {
        check_examples(&repository().join(page));
    }
}

#[cfg(unix)]
fn check_examples(path: &Path) {
    let page = std::fs::read_to_string(path).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let programs = Path::new(env!("CARGO_BIN_EXE_dbcluster")).parent().expect("a folder");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(programs.to_path_buf()).chain(std::env::split_paths(&paths));
    let paths = std::env::join_paths(paths).expect("a list of folders");
    // Readings say how long they took where the machine is busy.
    let seconds = regex::Regex::new(r" in \d+\.\d s").expect("a pattern");
    let mut completed = String::new();
    let mut run = 0;
    for (at, part) in page.split("```sh\n").enumerate() {
        if at == 0 {
            completed.push_str(part);
            continue;
        }
        let (script, rest) = part.split_once("```\n").expect("the end of a script");
        let output = Command::new("sh")
            .current_dir(folder.path())
            .env("PATH", &paths)
            .env_remove("DBCLUSTER_CLUSTER")
            .args(["-e", "-c", &format!("exec 2>&1\n{script}")])
            .output()
            .expect("sh");
        let printed = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{script}\n{printed}");
        let printed = seconds.replace_all(&printed, "");
        let _ = write!(completed, "```sh\n{script}```\n");
        match rest.strip_prefix("\n```text\n") {
            Some(rest) => {
                let (shown, rest) = rest.split_once("```\n").map_or_else(
                    || panic!("no end of the output of {script}"),
                    |(shown, rest)| (shown, rest),
                );
                let _ = write!(completed, "\n```text\n{printed}```\n{rest}");
                if std::env::var_os("DBCLUSTER_COMPLETE").is_none() {
                    assert_eq!(shown, printed, "{script}");
                }
                run += 1;
            }
            None => {
                assert_eq!(printed, "", "{script}");
                completed.push_str(rest);
            }
        }
    }
    assert!(run >= 5, "the examples were not found");
    if std::env::var_os("DBCLUSTER_COMPLETE").is_some() {
        std::fs::write(path, completed).expect("the page can be written");
    }
}
