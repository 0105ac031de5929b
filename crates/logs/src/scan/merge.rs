//! The columns of all files, and their types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;

use super::reading::ReadFile;
use crate::options::ReadOptions;
use crate::report::{Note, Report};
use crate::source::shown;
use crate::values::{self, ColumnType, Summary};
use crate::{Error, Result};

/// The name of the column with the file of each row.
const FILE: &str = "_file";

/// The most columns that a table may have. Files with more have data as names.
const MOST_COLUMNS: usize = 4096;

/// A column of the table.
pub(super) struct TableColumn {
    pub(super) name: Arc<str>,
    pub(super) content: ColumnContent,
}

/// The values of a column.
pub(super) enum ColumnContent {
    /// The name of the file.
    File,
    /// The values of the column with this name in the files.
    Values(Arc<str>, ColumnType),
}

impl TableColumn {
    pub(super) fn data_type(&self) -> DataType {
        match &self.content {
            ColumnContent::File => DataType::Utf8View,
            ColumnContent::Values(_, column_type) => column_type.data_type(),
        }
    }
}

/// A column while files are looked through.
#[derive(Default)]
struct Merged {
    summary: Summary,
    declared: Declared,
}

/// The type that files declare for a column.
#[derive(Default)]
enum Declared {
    #[default]
    Nothing,
    Type(ColumnType),
    /// Files declare different types.
    Several,
}

/// Puts the columns of all parts together by name, and decides their types. The account gets what is to be said of them.
pub(super) fn merged(
    files: &mut [ReadFile],
    options: &ReadOptions,
    report: &mut Report,
) -> Result<Vec<TableColumn>> {
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut columns: Vec<(Arc<str>, Merged)> = vec![];
    let mut place = |columns: &mut Vec<(Arc<str>, Merged)>, name: &Arc<str>| {
        *places.entry(Arc::clone(name)).or_insert_with(|| {
            columns.push((Arc::clone(name), Merged::default()));
            columns.len() - 1
        })
    };
    for file in files.iter_mut() {
        for (name, declared) in std::mem::take(&mut file.declared) {
            let at = place(&mut columns, &name);
            let (Some((_, column)), Some(declared)) = (columns.get_mut(at), declared) else { continue };
            column.declared = match std::mem::take(&mut column.declared) {
                Declared::Nothing => Declared::Type(declared),
                Declared::Type(known) if known == declared => Declared::Type(known),
                _ => Declared::Several,
            };
        }
        for part in &mut file.parts {
            for (name, summary) in std::mem::take(&mut part.columns) {
                let at = place(&mut columns, &name);
                if let Some((_, column)) = columns.get_mut(at) {
                    column.summary.merge(&summary);
                }
            }
            if columns.len() > MOST_COLUMNS {
                return Err(Error::new(format!(
                    "{} brings the table to more than {MOST_COLUMNS} columns, so its names of fields look like data: \
                     format => 'lines' reads each line as text, in which json functions find a field",
                    shown(&file.name)
                )));
            }
        }
    }
    for (name, _) in &options.types {
        if !columns.iter().any(|(known, _)| **known == **name) {
            return Err(Error::new(unknown_column(name, columns.iter().map(|(known, _)| known.as_ref()))));
        }
    }
    let mut table = vec![];
    if options.file_column {
        table.push(TableColumn { name: Arc::from(FILE), content: ColumnContent::File });
    }
    for (name, column) in columns {
        let is_ordered = options.types.iter().any(|(ordered, _)| **ordered == *name);
        let decision = match &column.declared {
            Declared::Type(declared) if !is_ordered && column.summary.fits(declared) => {
                column.summary.decide_as(declared, options)
            }
            Declared::Type(declared) if !is_ordered => {
                let mut decision = column.summary.decide(&name, options);
                decision.notes.insert(0, misfit(&name, declared));
                decision
            }
            _ => column.summary.decide(&name, options),
        };
        report.notes.extend(decision.notes.into_iter().map(|text| Note { file: None, text }));
        let column_type = decision.column_type;
        if let ColumnType::Timestamp(..) = column_type {
            let zone = decision.zone.unwrap_or_else(|| "UTC".to_string());
            report.times.push((name.to_string(), zone));
        }
        let shown =
            if options.file_column && &*name == FILE { Arc::from("_file_2") } else { Arc::clone(&name) };
        table.push(TableColumn { name: shown, content: ColumnContent::Values(name, column_type) });
    }
    Ok(table)
}

/// A sentence about a column whose values the type that its file declares doesn't hold.
fn misfit(name: &str, declared: &ColumnType) -> String {
    let declared = match declared {
        ColumnType::Boolean => "BOOLEAN",
        ColumnType::Integer => "BIGINT",
        _ => "DOUBLE",
    };
    let name = values::shown(name.as_bytes());
    format!(
        "'{name}' is not read as {declared}, which its file declares, since that does not hold all of its values"
    )
}

/// The names come from files and callers: a message shows so many of them, and the beginnings of long ones.
fn unknown_column<'a>(name: &str, mut known: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let first: Vec<&str> = known.by_ref().take(SHOWN).collect();
    let mut rest = known.peekable();
    let more = if rest.peek().is_some() { ", ..." } else { "" };
    let near = first.iter().copied().chain(rest).find(|known| known.eq_ignore_ascii_case(name));
    let name_of = |name: &str| values::shown(name.as_bytes());
    let hint = match near {
        Some(near) => format!("did you mean '{}'", name_of(near)),
        None => {
            let names: Vec<String> = first.iter().map(|name| name_of(name)).collect();
            format!("the columns are {}{more}", names.join(", "))
        }
    };
    format!("types names the column '{}', which no file has; {hint}", name_of(name))
}
