//! The options of a figure as they were given, checked.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};

use crate::error::PlotError;
use crate::figure::Figure;
use crate::options::{Need, OptionSpec};
use crate::rows::{Column, ColumnType, Rows, position};
use crate::times;

/// Checked options of one figure: columns exist and are of the type that they have to be, numbers and times can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// Checks `given` names and values against what `figure` takes and against the columns of the query.
    ///
    /// # Errors
    /// An option that doesn't exist or is missing, a column that doesn't exist or is of another type, a number or a time
    /// that can't be read.
    pub fn try_new<'a>(
        figure: Figure,
        given: impl IntoIterator<Item = (&'a str, &'a str)>,
        columns: &[(&str, ColumnType)],
    ) -> Result<Self, PlotError> {
        let specs = figure.options();
        let mut settings = BTreeMap::new();
        for (name, value) in given {
            let Some(spec) = specs.iter().find(|spec| spec.name.eq_ignore_ascii_case(name)) else {
                let existing: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
                return Err(PlotError(format!(
                    "{} has no option '{name}', expected one of: {}",
                    figure.name(),
                    existing.join(", ")
                )));
            };
            let place = format!("{}: option '{}'", figure.name(), spec.name);
            match spec.need {
                Need::Column { of, .. } => check_column(&place, value, of, columns)?,
                Need::Columns(of) => {
                    list(value).try_for_each(|name| check_column(&place, name, of, columns))?;
                }
                Need::Number => {
                    value.trim().parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
                        PlotError(format!("{place} takes a number such as 0.0001, got '{value}'"))
                    })?;
                }
                Need::Times => {
                    references(value).map_err(|part| {
                        PlotError(format!(
                            "{place} takes times and labels such as '2026-01-15 05:00 first alert; 2026-01-16 patched', \
                             got '{part}'"
                        ))
                    })?;
                }
                Need::OneOf(words) => {
                    if !words.iter().any(|word| word.eq_ignore_ascii_case(value.trim())) {
                        return Err(PlotError(format!(
                            "{place} takes one of {}, got '{value}'",
                            words.join(", ")
                        )));
                    }
                }
                Need::Text => {}
            }
            settings.insert(spec.name, value.to_string());
        }
        let missing = specs.iter().find(|spec| {
            matches!(spec.need, Need::Column { required: true, .. }) && !settings.contains_key(spec.name)
        });
        if let Some(spec) = missing {
            return Err(missing_option(figure, spec, columns));
        }
        let settings = Self(settings);
        figure.check(&settings, columns)?;
        Ok(settings)
    }

    /// Chooses columns for options that were not given: the column that is called like the option, or as such columns usually are,
    /// and for an option that the figure can't do without, the next column of its type. Returns `given` with the columns found.
    pub fn guess(
        figure: Figure,
        given: &[(String, String)],
        columns: &[(&str, ColumnType)],
    ) -> Vec<(String, String)> {
        let mut guessed = given.to_vec();
        let is_given = |guessed: &[(String, String)], option: &str| {
            guessed.iter().any(|(name, _)| name.eq_ignore_ascii_case(option))
        };
        let fits = |of: Option<ColumnType>, found: ColumnType| of.is_none_or(|expected| expected == found);
        for spec in figure.options() {
            let Need::Column { of, .. } = spec.need else { continue };
            let called = [spec.name].iter().chain(usual_names(figure, spec.name)).find_map(|usual| {
                columns.iter().find(|(name, found)| fits(of, *found) && usual.eq_ignore_ascii_case(name))
            });
            if let Some((name, _)) = called
                && !is_given(&guessed, spec.name)
            {
                guessed.push((spec.name.to_string(), (*name).to_string()));
            }
        }
        for spec in figure.options() {
            let Need::Column { of, .. } = spec.need else { continue };
            if is_given(&guessed, spec.name) || !figure.needs(spec, columns) {
                continue;
            }
            let is_free = |name: &str| guessed.iter().all(|(_, used)| !used.eq_ignore_ascii_case(name));
            // A name is text where there is any.
            let wanted = [of.or(Some(ColumnType::Text)), of];
            let next = wanted
                .into_iter()
                .find_map(|of| columns.iter().find(|(name, found)| fits(of, *found) && is_free(name)));
            if let Some((name, _)) = next {
                guessed.push((spec.name.to_string(), (*name).to_string()));
            }
        }
        guessed
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The column that the option `name` names.
    pub(crate) fn column<'a>(&self, name: &str, rows: &'a Rows) -> Option<&'a Column> {
        rows.column(self.get(name)?)
    }

    /// The columns that the option `name` lists; `None` if it was not given.
    pub(crate) fn columns<'a>(&self, name: &str, rows: &'a Rows) -> Option<Vec<&'a Column>> {
        Some(list(self.get(name)?).filter_map(|name| rows.column(name)).collect())
    }

    /// The word that the option `name` chose, as the figure spells it.
    pub(crate) fn word(&self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let given = self.get(name)?.trim();
        words.iter().copied().find(|word| word.eq_ignore_ascii_case(given))
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.trim().parse().ok()
    }

    /// The times that the option `name` lists, with their labels.
    pub(crate) fn references(&self, name: &str) -> Vec<Reference> {
        self.get(name).and_then(|value| references(value).ok()).unwrap_or_default()
    }

    /// The query's columns that the density of a timeline needs, by their position.
    pub fn density_columns<'a>(&self, names: &(impl Iterator<Item = &'a str> + Clone)) -> Vec<usize> {
        let of = |option: &str| position(names.clone(), self.get(option)?);
        [of("time"), of("group_by").or(of("series")), of("ref_event")].into_iter().flatten().collect()
    }
}

/// A time to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    /// Milliseconds since 1970.
    pub(crate) time: f64,
    /// Whether the time is in UTC; otherwise it is in the zone of the axis.
    pub(crate) is_utc: bool,
    pub(crate) label: String,
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn listed(columns: &[(&str, ColumnType)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The names that columns for an option usually have, beside that of the option.
fn usual_names(figure: Figure, option: &str) -> &'static [&'static str] {
    match (figure, option) {
        (Figure::Matrix, "size") => &["events", "count", "count(*)", "n", "cluster_size"],
        (_, "size") => &["cluster_size"],
        // Clusters and noise have colours of their own.
        (Figure::Scatter, "color") => &["clustered"],
        (Figure::Tree, "id") => &["NewProcessId", "process_id", "pid"],
        (Figure::Tree, "parent") => &["ProcessId", "parent_process_id", "ppid"],
        (Figure::Tree, "time") => &["TimeGenerated", "TimeCreated"],
        (Figure::Tree, "host") => &["Computer", "hostname"],
        (Figure::Tree, "label") => &["process", "NewProcessName", "Image", "exe"],
        (Figure::Tree, "detail") => &["CommandLine", "cmdline", "command_line"],
        _ => &[],
    }
}

/// The error about an option that a figure can't do without, with a column that would do.
fn missing_option(figure: Figure, spec: &OptionSpec, columns: &[(&str, ColumnType)]) -> PlotError {
    let OptionSpec { name, need, meaning } = spec;
    let of = match need {
        Need::Column { of, .. } => *of,
        _ => None,
    };
    let way_out = match columns.iter().find(|(_, found)| of.is_none_or(|expected| expected == *found)) {
        Some((column, _)) => format!(", as in OPTIONS ({name} '{}')", column.replace('\'', "''")),
        None if of == Some(ColumnType::Time) => {
            format!(", and no column of the query is a time; {}", times::make_one(columns))
        }
        None => String::new(),
    };
    PlotError(format!(
        "{} needs the option '{name}' ({meaning}){way_out}; the query's columns are: {}",
        figure.name(),
        listed(columns)
    ))
}

fn check_column(
    place: &str,
    name: &str,
    of: Option<ColumnType>,
    columns: &[(&str, ColumnType)],
) -> Result<(), PlotError> {
    let names = columns.iter().map(|(name, _)| *name);
    let Some((name, found)) = position(names, name).and_then(|at| columns.get(at)) else {
        return Err(PlotError(format!(
            "{place} names the column '{name}', which the query does not have; its columns are: {}",
            listed(columns)
        )));
    };
    let way_out = match of {
        Some(expected) if expected == *found => return Ok(()),
        Some(ColumnType::Number) => {
            "is no number; cmdline_tokens, path_score or string_score make numbers of text, date_part('epoch', ...) of \
             times"
                .to_string()
        }
        Some(ColumnType::Time) => {
            format!("is no time; {}", times::of_column(name, *found, &times::quoted(name)))
        }
        Some(ColumnType::Text) | None => return Ok(()),
    };
    Err(PlotError(format!("{place} names the column '{name}', which {way_out}")))
}

/// `TIME LABEL; TIME LABEL`, or the part that can't be read.
fn references(value: &str) -> Result<Vec<Reference>, &str> {
    let parts = value.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| reference(part).ok_or(part)).collect()
}

fn reference(part: &str) -> Option<Reference> {
    let (first, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
    let rest = rest.trim_start();
    let (second, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (time, text, label) = match time(&format!("{first}T{second}")) {
        Some(time) => (time, second, after),
        None => (time(first)?, first, rest),
    };
    Some(Reference { time, is_utc: text.ends_with(['Z', 'z']), label: label.trim().to_string() })
}

/// `2026-01-15`, `2026-01-15T05:00`, `2026-01-15T05:00:00.5`, each with an optional `Z`, as milliseconds.
fn time(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(['Z', 'z']);
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let moment = (formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()))
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some(moment.and_utc().timestamp_micros() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, ColumnType); 4] = [
        ("Process", ColumnType::Text),
        ("size", ColumnType::Number),
        ("SIZE", ColumnType::Number),
        ("t", ColumnType::Time),
    ];

    fn message(figure: Figure, given: &[(&str, &str)]) -> String {
        match Settings::try_new(figure, given.iter().copied(), &COLUMNS) {
            Ok(settings) => format!("{settings:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn options_are_checked() {
        let bar = |given| message(Figure::Bar, given);
        let all = bar(&[("x", "process"), ("Y", "size"), ("title", "Sizes")]);
        assert_eq!(all, r#"Settings({"title": "Sizes", "x": "process", "y": "size"})"#);
        let unknown = bar(&[("z", "Process")]);
        assert_eq!(
            unknown,
            "BAR has no option 'z', expected one of: x, y, detail, cut_off, most, tooltip, title, query"
        );
        assert!(bar(&[("x", "Process")]).starts_with("BAR needs the option 'y'"));
        assert!(bar(&[("y", "Process")]).contains("'Process', which is no number"));
        assert!(bar(&[("x", "proc")]).ends_with("its columns are: Process, size, SIZE, t"));
        assert!(bar(&[("y", "Size")]).contains("does not have"), "two columns differ in case only");
        assert!(
            bar(&[("tooltip", "Process, nothing")])
                .contains("the column 'nothing', which the query does not")
        );
        assert!(bar(&[("cut_off", "many")]).ends_with("takes a number such as 0.0001, got 'many'"));
        assert!(
            message(Figure::Timeline, &[])
                .starts_with("TIMELINE needs the option 'time' (When), as in OPTIONS (time 't')")
        );
        let timeline = message(Figure::Timeline, &[("time", "t"), ("ref_times", "2026-01-15 a; tomorrow b")]);
        assert!(timeline.ends_with("got 'tomorrow b'"), "{timeline}");
    }

    #[test]
    fn columns_that_may_be_times_are_named() {
        let message = |given: &[(&str, &str)], columns: &[(&str, ColumnType)]| {
            let settings = Settings::try_new(Figure::Timeline, given.iter().copied(), columns);
            settings.map_or_else(|error| error.to_string(), |settings| format!("{settings:?}"))
        };
        let columns =
            [("id", ColumnType::Number), ("Event Time", ColumnType::Text), ("ts", ColumnType::Number)];
        let missing = message(&[], &columns);
        let advice = "no column of the query is a time; to_timestamp(\"Event Time\") AS time in the query makes one of text";
        assert!(missing.contains(advice), "{missing}");
        assert!(missing.contains("(or of ts); the query's columns are: id, Event Time, ts"), "{missing}");
        let number = message(&[("time", "ts")], &columns);
        assert!(
            number.contains("'ts', which is no time; to_timestamp(\"ts\") AS \"ts\" in the query makes"),
            "{number}"
        );
        assert!(message(&[], &columns[..1]).contains("to_timestamp(...) AS time in the query makes one"));
    }

    #[test]
    fn columns_are_guessed_by_name_and_type() {
        let guess = |figure, given: &[(&str, &str)], columns: &[(&str, ColumnType)]| {
            let given: Vec<_> =
                given.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            let guessed = Settings::guess(figure, &given, columns);
            guessed.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        let columns = [
            ("tokens", ColumnType::Number),
            ("path", ColumnType::Number),
            ("process", ColumnType::Text),
            ("cluster_size", ColumnType::Number),
            ("at", ColumnType::Time),
        ];
        assert_eq!(guess(Figure::Scatter, &[], &columns), "size=cluster_size x=tokens y=path");
        assert_eq!(guess(Figure::Bar, &[("y", "cluster_size")], &columns), "y=cluster_size x=process");
        assert_eq!(guess(Figure::Timeline, &[], &columns), "size=cluster_size time=at");
        assert_eq!(guess(Figure::Timeline, &[], &columns[..1]), "");
        let events = [
            ("CommandLine", ColumnType::Text),
            ("NewProcessName", ColumnType::Text),
            ("ProcessId", ColumnType::Text),
            ("NewProcessId", ColumnType::Text),
            ("clustered", ColumnType::Text),
        ];
        let tree = "id=NewProcessId parent=ProcessId label=NewProcessName detail=CommandLine";
        assert_eq!(guess(Figure::Tree, &[], &events), tree);
        let map = [columns[0], columns[1], events[4]];
        assert_eq!(guess(Figure::Scatter, &[], &map), "color=clustered x=tokens y=path");
        let pairs = [("who", ColumnType::Text), ("what", ColumnType::Text), ("n", ColumnType::Number)];
        assert_eq!(guess(Figure::Matrix, &[], &pairs), "size=n x=who y=what");
        assert_eq!(guess(Figure::Box, &[], &[columns[2], columns[0], events[4]]), "x=tokens y=process");
    }

    #[test]
    fn references_are_times_with_labels() {
        let read = references(
            "1970-01-02 a day; 1970-01-01 00:01:00.5Z a minute ;1970-01-01T00:00; 1970-01-01 00:02",
        )
        .expect("four times");
        assert_eq!(read.iter().map(|read| read.is_utc).collect::<Vec<_>>(), [false, true, false, false]);
        let expected = [(86_400_000.0, "a day"), (60_500.0, "a minute"), (0.0, ""), (120_000.0, "")];
        assert_eq!(read.len(), expected.len());
        for (read, (time, label)) in read.iter().zip(expected) {
            assert_eq!((read.time, read.label.as_str()), (time, label));
        }
        assert_eq!(references("1970-13-01 x"), Err("1970-13-01 x"));
    }
}
