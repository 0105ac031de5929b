//! The endings of files that `COPY` writes: `COPY ... TO 'clusters.csv.gz'` is compressed CSV.
//!
//! The engine takes what is behind the last dot for the name of a format: it knows `csv`, `json`, `parquet` and `arrow`, but
//! not `ndjson`, `tsv` or `gz`. The statement is completed to what its ending says, `STORED AS CSV OPTIONS
//! ('format.compression' 'gzip')`. What it says itself is kept: `STORED AS` decides the format, and an option its own value.

use datafusion::sql::parser::{CopyToStatement, Statement};
use datafusion::sql::sqlparser::ast::Value;

/// Endings that are no names of formats of the engine, with the format and the delimiter they stand for.
const FORMATS: [(&str, &str, Option<&str>); 5] = [
    ("csv", "CSV", None),
    ("tsv", "CSV", Some("\t")),
    ("json", "JSON", None),
    ("ndjson", "JSON", None),
    ("jsonl", "JSON", None),
];

/// Endings behind those of a format, with the engine's name of the compression.
const COMPRESSIONS: [(&str, &str); 4] = [("gz", "gzip"), ("zst", "zstd"), ("bz2", "bzip2"), ("xz", "xz")];

/// Names of formats of the engine that are no Parquet.
const OTHERS: [&str; 2] = ["arrow", "avro"];

/// Completes a `COPY` by the ending of its file.
pub(super) fn complete(statement: &mut Statement) {
    match statement {
        Statement::CopyTo(copy) => complete_copy(copy),
        Statement::Explain(explain) => complete(&mut explain.statement),
        _ => {}
    }
}

fn complete_copy(copy: &mut CopyToStatement) {
    let Some((format, settings)) = told_by(&copy.target).filter(|_| copy.stored_as.is_none()) else { return };
    copy.stored_as = Some(format.to_string());
    for (name, value) in settings {
        let is_given = copy.options.iter().any(|(given, _)| {
            let given = given.to_ascii_lowercase();
            given.strip_prefix("format.").unwrap_or(&given) == name
        });
        if !is_given {
            copy.options.push((format!("format.{name}"), Value::SingleQuotedString(value.to_string())));
        }
    }
}

/// The format of a file by its ending, and the options that it implies.
fn told_by(target: &str) -> Option<(&'static str, Vec<(&'static str, &'static str)>)> {
    let name = target.rsplit('/').next()?.to_ascii_lowercase();
    let (name, compression) = COMPRESSIONS
        .into_iter()
        .find_map(|(ending, compression)| Some((without(&name, ending)?, Some(compression))))
        .unwrap_or((&name, None));
    let (_, format, delimiter) = FORMATS.into_iter().find(|(ending, ..)| without(name, ending).is_some())?;
    let settings = [("delimiter", delimiter), ("compression", compression)];
    Some((format, settings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()))
}

/// The ending of a file that is not written as Parquet.
pub(super) fn other_than_parquet(target: &str) -> Option<String> {
    let name = target.rsplit('/').next()?.to_ascii_lowercase();
    let uncompressed =
        COMPRESSIONS.into_iter().find_map(|(ending, _)| without(&name, ending)).unwrap_or(&name);
    let (stem, format) = uncompressed.rsplit_once('.')?;
    let is_other = FORMATS.iter().any(|(ending, ..)| *ending == format) || OTHERS.contains(&format);
    name.get(stem.len() + 1..).filter(|_| is_other).map(ToString::to_string)
}

/// The name before `.ending`.
fn without<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    name.strip_suffix(ending)?.strip_suffix('.')
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::*;

    /// Writes a `COPY` as SQL. The engine's own text of it leaves the file's name without quotes.
    fn sql(copy: &CopyToStatement) -> String {
        let mut clauses = vec![format!("COPY {} TO {}", copy.source, text(&copy.target))];
        clauses.extend(copy.stored_as.as_ref().map(|format| format!("STORED AS {format}")));
        if !copy.partitioned_by.is_empty() {
            // The parser keeps the quotes of these names.
            clauses.push(format!("PARTITIONED BY ({})", copy.partitioned_by.join(", ")));
        }
        if !copy.options.is_empty() {
            let options: Vec<String> =
                copy.options.iter().map(|(name, value)| format!("{} {value}", text(name))).collect();
            clauses.push(format!("OPTIONS ({})", options.join(", ")));
        }
        clauses.join(" ")
    }

    fn text(text: &str) -> String {
        Value::SingleQuotedString(text.to_string()).to_string()
    }

    /// The statement after its completion, as SQL that is read as the same statement again.
    fn completed(sql: &str) -> Option<String> {
        let mut statements = DFParser::parse_sql(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut statement = statements.pop_front().unwrap_or_else(|| panic!("{sql}"));
        let before = statement.clone();
        complete(&mut statement);
        let Statement::CopyTo(copy) = &statement else { panic!("{sql}") };
        let written = self::sql(copy);
        let again = DFParser::parse_sql(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        let is_completed = before != statement;
        assert_eq!(again.into_iter().collect::<Vec<_>>(), [statement], "{written}");
        is_completed.then_some(written)
    }

    #[test]
    fn other_formats_than_parquet() {
        for (target, expected) in [
            ("a.parquet", None),
            ("a.csv/b", None),
            ("a.pq", None),
            ("b/a.CSV", Some("csv")),
            ("a.jsonl.gz", Some("jsonl.gz")),
            ("a.arrow", Some("arrow")),
        ] {
            assert_eq!(other_than_parquet(target).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn an_ending_says_format_delimiter_and_compression() {
        for (target, expected) in [
            ("a.csv", "STORED AS CSV"),
            ("a.ndjson", "STORED AS JSON"),
            ("a.JSONL", "STORED AS JSON"),
            ("a.tsv", "STORED AS CSV OPTIONS ('format.delimiter' '\t')"),
            ("a.b/c.csv.gz", "STORED AS CSV OPTIONS ('format.compression' 'gzip')"),
            ("a.csv.zst", "STORED AS CSV OPTIONS ('format.compression' 'zstd')"),
            ("a.json.bz2", "STORED AS JSON OPTIONS ('format.compression' 'bzip2')"),
            ("a.ndjson.xz", "STORED AS JSON OPTIONS ('format.compression' 'xz')"),
            ("a.tsv.GZ", "STORED AS CSV OPTIONS ('format.delimiter' '\t', 'format.compression' 'gzip')"),
            ("s3://logs/it''s.jsonl.gz", "STORED AS JSON OPTIONS ('format.compression' 'gzip')"),
        ] {
            let sql = format!("COPY (SELECT 1 AS \"A b\") TO '{target}'");
            assert_eq!(completed(&sql), Some(format!("{sql} {expected}")));
        }
    }

    #[test]
    fn what_the_statement_says_is_kept() {
        for sql in [
            "COPY t TO 'a.csv.gz' STORED AS PARQUET",
            "COPY t TO 'a.parquet'",
            "COPY t TO 'a.gz'",
            "COPY t TO 'csv'",
            "COPY t TO 'a.parquet.gz'",
            "COPY t TO 'folder.csv/'",
        ] {
            assert_eq!(completed(sql), None, "{sql}");
        }
        for (options, expected) in [
            ("('format.compression' 'zstd')", "'format.compression' 'zstd')"),
            ("(Compression zstd)", "'Compression' 'zstd')"),
            ("('format.has_header' false)", "'format.has_header' 'false', 'format.compression' 'gzip')"),
        ] {
            let sql = format!(
                "COPY (SELECT a, b FROM t) TO 'a.csv.gz' PARTITIONED BY (a, \"B b\") OPTIONS {options}"
            );
            let completed = completed(&sql).unwrap_or_default();
            assert!(completed.contains("STORED AS CSV PARTITIONED BY (a, \"B b\") OPTIONS ("), "{completed}");
            assert!(completed.ends_with(expected), "{completed}");
        }
    }
}
