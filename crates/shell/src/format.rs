//! The formats of results: tables for people, and formats that are complete and as they are, for programs and documents.

use clap::builder::PossibleValue;

/// A format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A table with borders of ASCII, which fits the terminal.
    Table,
    /// The same with borders of Unicode.
    Box,
    /// A table of Markdown, complete, with all marks of Markdown in values escaped.
    Markdown,
    Csv,
    Tsv,
    Json,
    NdJson,
    /// A file, and never the terminal.
    Parquet,
}

impl Format {
    /// The formats by the names that `--format` and `\pset format` take.
    pub(super) const ALL: [(&str, Self); 8] = [
        ("table", Self::Table),
        ("box", Self::Box),
        ("markdown", Self::Markdown),
        ("csv", Self::Csv),
        ("tsv", Self::Tsv),
        ("json", Self::Json),
        ("nd-json", Self::NdJson),
        ("parquet", Self::Parquet),
    ];

    /// Other spellings.
    const ALIASES: [(&str, Self); 3] =
        [("ndjson", Self::NdJson), ("jsonl", Self::NdJson), ("md", Self::Markdown)];

    pub(super) fn names() -> [&'static str; Self::ALL.len()] {
        Self::ALL.map(|(name, _)| name)
    }

    /// The format of a name, in any case.
    pub(super) fn of(name: &str) -> Option<Self> {
        let all = Self::ALL.into_iter().chain(Self::ALIASES);
        all.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, format)| format)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, format)| *format == self).map_or("table", |(name, _)| name)
    }

    /// The format that the ending of a file's name says.
    pub(super) fn by_ending(file: &std::path::Path) -> Option<Self> {
        let ending = file.extension()?.to_str()?;
        Self::of(ending).filter(|format| !matches!(format, Self::Table | Self::Box))
    }

    /// Whether results are tables for people, of some rows.
    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Box)
    }

    /// The names as clap takes them.
    pub(super) fn possible_values() -> Vec<PossibleValue> {
        let value = |(name, format): (&'static str, Self)| {
            let aliases = Self::ALIASES.into_iter().filter(move |(_, other)| *other == format);
            PossibleValue::new(name).aliases(aliases.map(|(alias, _)| alias))
        };
        Self::ALL.into_iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_read_back() {
        for (name, format) in Format::ALL {
            assert_eq!((Format::of(name), format.name()), (Some(format), name));
        }
        assert_eq!(Format::of("JSONL"), Some(Format::NdJson));
        assert_eq!(Format::of("xml"), None);
        assert_eq!(Format::by_ending(Path::new("a.b/odd.ndjson")), Some(Format::NdJson));
        assert_eq!(Format::by_ending(Path::new("table")), None);
        assert_eq!(Format::by_ending(Path::new("x.table")), None);
    }
}
