//! `\h`: the functions of the session, described by their own documentation.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Documentation, Signature};

use datafusion_dbcluster::near_miss::did_you_mean;
use datafusion_dbcluster::{ClusterOption, reference};
use dbcluster_figures::Figure;

/// Text is wrapped to this width.
const WIDTH: usize = 100;

/// The kind of table functions.
const TABLE_FUNCTION: &str = "table function";

/// The engine's table functions, which carry no documentation: name, syntax and meaning.
const TABLE_FUNCTIONS: [(&str, &str, &str); 3] = [
    (
        "generate_series",
        "generate_series(start, stop [, step])",
        "The numbers or timestamps from start to stop, both included.",
    ),
    (
        "range",
        "range(start, stop [, step])",
        "The numbers or timestamps from start to stop, stop not included.",
    ),
    (
        "parquet_metadata",
        "parquet_metadata('file.parquet')",
        "The row groups and column chunks of a Parquet file, with their statistics.",
    ),
];

/// A registered function.
struct Function<'a> {
    kind: &'static str,
    name: &'a str,
    aliases: &'a [String],
    /// The argument types that it takes, for functions without documentation.
    signature: Option<&'a Signature>,
    documentation: Option<Cow<'a, Documentation>>,
}

impl Function<'_> {
    /// Whether people call it, and not only plans.
    fn is_public(&self) -> bool {
        !self.name.starts_with("__")
    }
}

/// Every function once, under its own name.
fn functions(state: &SessionState) -> Vec<Function<'_>> {
    let mut all = Vec::new();
    for f in state.scalar_functions().values() {
        all.push(Function {
            kind: "scalar function",
            name: f.name(),
            aliases: f.aliases(),
            signature: Some(f.signature()),
            documentation: f.documentation().map(Cow::Borrowed),
        });
    }
    for f in state.higher_order_functions().values() {
        all.push(Function {
            kind: "higher-order function",
            name: f.name(),
            aliases: f.aliases(),
            signature: None,
            documentation: f.documentation().map(Cow::Borrowed),
        });
    }
    for f in state.aggregate_functions().values() {
        all.push(Function {
            kind: "aggregate function",
            name: f.name(),
            aliases: f.aliases(),
            signature: Some(f.signature()),
            documentation: f.documentation().map(Cow::Borrowed),
        });
    }
    for f in state.window_functions().values() {
        all.push(Function {
            kind: "window function",
            name: f.name(),
            aliases: f.aliases(),
            signature: Some(f.signature()),
            documentation: f.documentation().map(Cow::Borrowed),
        });
    }
    let ours = reference::table_functions();
    for name in state.table_functions().keys() {
        let documentation = ours
            .iter()
            .find(|(table_function, _)| table_function == name)
            .map(|(_, text)| Cow::Owned(text.clone()));
        all.push(Function { kind: TABLE_FUNCTION, name, aliases: &[], signature: None, documentation });
    }
    // Forms that only the planner of a query knows.
    for (name, text) in &ours {
        if !state.table_functions().contains_key(*name) {
            let documentation = Some(Cow::Owned(text.clone()));
            all.push(Function { kind: TABLE_FUNCTION, name, aliases: &[], signature: None, documentation });
        }
    }
    // The session's maps have an entry for every alias.
    all.sort_by(|a, b| (a.kind, a.name).cmp(&(b.kind, b.name)));
    all.dedup_by(|a, b| (a.kind, a.name) == (b.kind, b.name));
    all
}

/// All names that a call can use, for completion.
pub(super) fn names(state: &SessionState) -> BTreeSet<String> {
    functions(state)
        .iter()
        .filter(|function| function.is_public())
        .flat_map(|function| function.aliases.iter().map(String::as_str).chain([function.name]))
        .map(str::to_string)
        .collect()
}

/// All functions by kind and section.
pub(super) fn list(state: &SessionState) -> String {
    let mut sections: BTreeMap<(u8, &str), BTreeSet<&str>> = BTreeMap::new();
    for function in functions(state).into_iter().filter(Function::is_public) {
        let label = function.documentation.as_ref().map_or("Other Functions", |text| text.doc_section.label);
        let key = match function.kind {
            TABLE_FUNCTION => (0, "Table Functions"),
            "aggregate function" if label == "Other Functions" => (2, "Aggregate Functions"),
            "window function" if label == "Other Functions" => (3, "Window Functions"),
            "aggregate function" => (2, label),
            "window function" => (3, label),
            _ => (1, label),
        };
        sections.entry(key).or_default().insert(function.name);
    }
    let mut text = String::new();
    for ((_, label), names) in sections {
        text.push_str(label);
        text.push('\n');
        let names: Vec<&str> = names.into_iter().collect();
        wrap(&mut text, &names.join(" "), "  ");
        text.push('\n');
    }
    text.push_str("\\h NAME shows what a function does.\n");
    text
}

/// The description of a function or an option; an error with similar names if there is none.
pub(super) fn of(state: &SessionState, wanted: &str) -> Result<String, String> {
    let lower = wanted.trim_end_matches(['(', ')']).to_lowercase();
    let all = functions(state);
    let mut text = String::new();
    for function in all.iter().filter(|f| f.name == lower || f.aliases.contains(&lower)) {
        if !text.is_empty() {
            text.push('\n');
        }
        describe(&mut text, function);
    }
    if !text.is_empty() {
        return Ok(text);
    }
    if let Some(option) = reference::options().iter().find(|option| option.name() == lower) {
        describe_option(&mut text, option);
        return Ok(text);
    }
    if let Some(figure) = Figure::ALL.iter().find(|figure| figure.name().eq_ignore_ascii_case(&lower)) {
        describe_figure(&mut text, *figure);
        return Ok(text);
    }
    let names: Vec<&str> =
        all.iter().filter(|function| function.is_public()).map(|function| function.name).collect();
    let longer: Vec<&str> = names.iter().copied().filter(|name| name.contains(&lower)).collect();
    Err(match longer.as_slice() {
        [] => format!("no function '{wanted}'{}; \\h lists them", did_you_mean(wanted, &names)),
        longer => format!("no function '{wanted}'; functions with it in their names: {}", longer.join(", ")),
    })
}

fn describe_figure(text: &mut String, figure: Figure) {
    // Writing to a String cannot fail
    let _ = writeln!(
        text,
        "COPY (SELECT ...) TO 'page.html' STORED AS {0} OPTIONS (name 'value', ...)\n\\plot {0} page.html name=value SELECT ...\nfigure\n\nOptions",
        figure.name()
    );
    for option in figure.options() {
        wrap(text, &format!("{}: {}", option.name, option.meaning), "  ");
    }
}

fn describe_option(text: &mut String, option: &ClusterOption) {
    // Writing to a String cannot fail
    let functions = option.only_in().unwrap_or("dbcluster and its relatives");
    let _ = writeln!(text, "{} => ...\noption of {functions}\n", option.name());
    let description =
        format!("{} Takes {}; default: {}.", option.meaning(), option.values(), option.default());
    wrap(text, &description, "  ");
    let example = option.sql_example().trim_start_matches("```sql\n").trim_end_matches("\n```");
    text.push_str("\nExample\n");
    for line in example.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

fn describe(text: &mut String, function: &Function) {
    let Function { kind, name, aliases, signature, documentation } = function;
    let builtin =
        TABLE_FUNCTIONS.iter().find(|(table_function, ..)| *kind == TABLE_FUNCTION && table_function == name);
    let syntax = match (documentation, builtin, signature) {
        (Some(documentation), ..) => documentation.syntax_example.clone(),
        (_, Some((_, syntax, _)), _) => (*syntax).to_string(),
        (_, _, Some(signature)) => {
            format!("{name}({})", signature.type_signature.to_string_repr().join(" | "))
        }
        _ => format!("{name}(...)"),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{syntax}\n{kind}{}",
        documentation.as_ref().map_or(String::new(), |text| format!(", {}", text.doc_section.label))
    );
    if let Some((_, _, meaning)) = builtin {
        text.push('\n');
        wrap(text, meaning, "  ");
    }
    if let Some(documentation) = documentation {
        text.push('\n');
        for paragraph in documentation.description.split("\n\n") {
            wrap(text, paragraph, "  ");
        }
        if let Some(arguments) = &documentation.arguments {
            text.push_str("\nArguments\n");
            for (argument, meaning) in arguments {
                wrap(text, &format!("{argument}: {}", plain(meaning)), "  ");
            }
        }
        if let Some(example) = &documentation.sql_example {
            text.push_str("\nExample\n");
            for line in example.lines().filter(|line| !line.trim_start().starts_with("```")) {
                let _ = writeln!(text, "  {line}");
            }
        }
        if let Some(other) = &documentation.alternative_syntax {
            let _ = writeln!(text, "\nAlso written\n  {}", other.join("\n  "));
        }
        if let Some(related) = &documentation.related_udfs {
            let _ = writeln!(text, "\nSee also {}", related.join(", "));
        }
    }
    if !aliases.is_empty() {
        let _ = writeln!(text, "\nAliases: {}", aliases.join(", "));
    }
}

/// The text without the marks of Markdown.
fn plain(markdown: &str) -> String {
    markdown.replace("**", "").replace('`', "")
}

/// Appends words in lines of at most [`WIDTH`]; list items and short lines keep their own line.
fn wrap(text: &mut String, words: &str, indent: &str) {
    for line in plain(words).lines() {
        let mut length = 0;
        for word in line.split_whitespace() {
            if length > 0 && indent.len() + length + 1 + word.len() > WIDTH {
                text.push('\n');
                length = 0;
            }
            text.push_str(if length == 0 { indent } else { " " });
            text.push_str(word);
            length += word.len() + 1;
        }
        if length > 0 {
            text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

    #[test]
    fn functions_are_found_by_name_and_alias() {
        let state = SessionContext::new().state();
        let text = of(&state, "ABS").expect("a function of the engine");
        assert!(text.starts_with("abs(numeric_expression)\nscalar function, Math Functions\n"), "{text}");
        let part = of(&state, "array_len").expect_err("a part of a name");
        assert_eq!(part, "no function 'array_len'; functions with it in their names: array_length");
        let misspelt = of(&state, "array_lenght").expect_err("a misspelt name");
        assert!(
            misspelt.starts_with("no function 'array_lenght' (did you mean 'array_length'"),
            "{misspelt}"
        );
        assert!(of(&state, "list_length").expect("an alias").starts_with("array_length("));
        assert_eq!(of(&state, "zzzzqqq").expect_err("unknown"), "no function 'zzzzqqq'; \\h lists them");
    }

    #[test]
    fn options_are_found_too() {
        let text = of(&SessionContext::new().state(), "Partition_By").expect("an option");
        assert!(text.starts_with("partition_by => ...\noption of dbcluster"), "{text}");
        assert!(text.contains("a column, an expression or a list") && text.contains("  > SELECT"), "{text}");
    }

    #[test]
    fn a_name_may_be_two_functions() {
        let text = of(&SessionContext::new().state(), "range").expect("a scalar and a table function");
        assert!(text.contains("scalar function") && text.contains(TABLE_FUNCTION), "{text}");
    }

    #[test]
    fn list_has_every_kind() {
        let text = list(&SessionContext::new().state());
        for name in ["generate_series", "abs", "sum", "row_number"] {
            assert!(text.split_whitespace().any(|word| word == name), "{name} in {text}");
        }
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }
}
