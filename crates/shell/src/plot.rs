//! `\plot KIND FILE [option=value ...] QUERY`: a figure, with fewer words than `COPY` takes.

use datafusion::prelude::SessionContext;

use super::depth::sql;
use super::failure::Failure;
use super::syntax::quoted;
use datafusion_dbcluster::figure_file::columns;
use dbcluster_figures::{Figure, Settings};

/// The parts of a `\plot` line.
#[derive(Debug, PartialEq)]
struct Line<'a> {
    kind: &'a str,
    file: String,
    options: Vec<(String, String)>,
    query: &'a str,
}

/// The statement that the rest of a `\plot` line stands for. Columns that the line does not name are guessed from the query.
pub(super) async fn copy(ctx: &SessionContext, line: &str) -> Result<String, Failure> {
    let Line { kind, file, options, query } = read(line)?;
    let Some(figure) = Figure::ALL.into_iter().find(|figure| figure.name().eq_ignore_ascii_case(kind)) else {
        let kinds: Vec<&str> = Figure::ALL.iter().map(|figure| figure.name()).collect();
        return Err(Failure::new(format!(
            "\\plot has no figure '{kind}', expected one of: {}",
            kinds.join(", ")
        )));
    };
    let frame = sql(ctx, query).await.map_err(|failure| failure.with_hint(query))?;
    let options = Settings::guess(figure, &options, &columns(frame.schema().as_arrow()));
    let options: Vec<String> =
        options.iter().map(|(name, value)| format!("{name} {}", quoted(value))).collect();
    let options =
        if options.is_empty() { String::new() } else { format!("\nOPTIONS ({})", options.join(", ")) };
    Ok(format!("COPY (\n{query}\n)\nTO {} STORED AS {}{options};", quoted(&file), figure.name()))
}

fn read(line: &str) -> Result<Line<'_>, Failure> {
    let usage = || {
        Failure::new(
            "\\plot needs a figure, a file and a query: \\plot BAR sizes.html x=process y=cluster_size SELECT ...",
        )
    };
    let (kind, rest) = line.trim().split_once(char::is_whitespace).ok_or_else(usage)?;
    let (file, mut rest) = word(rest).ok_or_else(usage)?;
    let mut options = vec![];
    loop {
        rest = rest.trim_start();
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let Some(value) = rest.get(name..).and_then(|rest| rest.strip_prefix('=')) else { break };
        let (value, after) = word(value).ok_or_else(usage)?;
        options.push((rest.get(..name).unwrap_or_default().to_string(), value));
        rest = after;
    }
    let query = rest.trim().trim_end_matches(';').trim_end();
    if query.is_empty() {
        return Err(usage());
    }
    Ok(Line { kind, file, options, query })
}

/// The first word, or what stands between the first quotes, and the rest.
fn word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = ['\'', '"'].into_iter().find(|quote| text.starts_with(*quote));
    let Some(quote) = quote else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return (!word.is_empty()).then(|| (word.to_string(), rest));
    };
    let mut word = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            word.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            word.push(quote);
        } else {
            return Some((word, text.get(at + 1..).unwrap_or_default()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let line =
            read("bar 'my file.html' x=process title='it''s' SELECT a FROM t WHERE b = 1;").expect("a line");
        let expected = Line {
            kind: "bar",
            file: "my file.html".to_string(),
            options: vec![
                ("x".to_string(), "process".to_string()),
                ("title".to_string(), "it's".to_string()),
            ],
            query: "SELECT a FROM t WHERE b = 1",
        };
        assert_eq!(line, expected);
        for broken in ["", "bar", "bar x.html", "bar 'x.html SELECT 1", "bar x.html x="] {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
