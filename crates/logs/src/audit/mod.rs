//! Records of the Linux audit daemon (auditd) to events.
//!
//! The kernel tells an event in several lines: the call, its arguments, each path, the working directory. Lines of one event have the same
//! `node`, time and serial, and other events may stand between them. A row is an event, in the place of its first line:
//!
//! | of the event | columns |
//! |---|---|
//! | its beginning | `time`, `serial`, `node`, `type`: the types of its records, each once, in their order. `EOE`, which only ends it, is told if it is alone |
//! | fields | one for each name, also of `msg='...'` and of the part behind the separator 0x1D, whose names are in capitals |
//! | `EXECVE` | `argc`, and `cmdline` with the arguments, see [`arguments`] |
//! | `PATH` | `paths`, a list of objects |
//! | a second record of another type | an object in the list `repeated`, with its `type` |
//! | words that are no fields | `text` |
//!
//! Records of one event tell some fields again. A field that has the same value again is told once, and one with another value has a
//! column `_2`, as elsewhere. So does a field that is called as one of the columns above. `?` and `(null)` are NULL.
//!
//! An event ends with its record `EOE`, at the end of the file, or [some bytes](join::REACH) behind its beginning, so that memory is
//! bounded. A later line of it is an event of its own.
//!
//! | module | task |
//! |---|---|
//! | `head` | the beginning of a line |
//! | `join` | lines to events, in one pass over the file |
//! | `fields` | the fields of a record |
//! | `encoded` | strings that are written as hexadecimal digits |
//! | `arguments` | the arguments of a program |
//! | `event` | an event to values by column |
//! | `parse` | blocks of events to records |
//!
//! Source: the documents of the audit project, "Audit Event Fields" and "Audit Event Enrichment", and its list of fields that are
//! encoded strings.

use std::sync::Arc;

use crate::Format;
use crate::delimited::{self, lines_of};
use crate::options::ReadOptions;
use crate::records::{Dialect, line_end};
use crate::values::ColumnType;

mod arguments;
mod encoded;
mod event;
mod fields;
mod head;
mod join;
mod parse;

#[cfg(test)]
mod tests;

/// The lines that tell what a text is.
const LOOKED_AT: usize = 64;

/// The columns of the most usual event, a call of the system, with their types. Numbers of other bases stay text, also where all
/// digits of a file are decimal.
const DECLARED: [(&str, &str); 34] = [
    ("time", "TIMESTAMP(3) WITH TIME ZONE"),
    ("serial", "BIGINT"),
    ("node", "VARCHAR"),
    ("type", "VARCHAR"),
    ("arch", "VARCHAR"),
    ("syscall", "BIGINT"),
    ("success", "VARCHAR"),
    ("exit", "BIGINT"),
    ("a0", "VARCHAR"),
    ("a1", "VARCHAR"),
    ("a2", "VARCHAR"),
    ("a3", "VARCHAR"),
    ("items", "BIGINT"),
    ("ppid", "BIGINT"),
    ("pid", "BIGINT"),
    ("auid", "BIGINT"),
    ("uid", "BIGINT"),
    ("gid", "BIGINT"),
    ("euid", "BIGINT"),
    ("suid", "BIGINT"),
    ("fsuid", "BIGINT"),
    ("egid", "BIGINT"),
    ("sgid", "BIGINT"),
    ("fsgid", "BIGINT"),
    ("tty", "VARCHAR"),
    ("ses", "BIGINT"),
    ("comm", "VARCHAR"),
    ("exe", "VARCHAR"),
    ("subj", "VARCHAR"),
    ("key", "VARCHAR"),
    ("cwd", "VARCHAR"),
    ("argc", "BIGINT"),
    ("cmdline", "VARCHAR"),
    ("proctitle", "VARCHAR"),
];

/// The reader of a log of auditd; none if most of the first lines are no records, and `options` do not say that it is one.
pub(crate) fn audit(head: &[u8], is_whole: bool, options: &ReadOptions) -> Option<Dialect> {
    let end = line_end(head, is_whole);
    let whole = if is_whole { head.len() } else { memchr::memrchr(end, head).map_or(0, |last| last + 1) };
    let lines = lines_of(head.get(..whole).unwrap_or_default(), end).map(|(_, line)| line);
    let mut lines = lines.filter(|line| !head::is_between(line)).map(|line| head::Head::of(line).is_some());
    let is_audit = if options.format == Some(Format::Audit) {
        head.trim_ascii().is_empty() || lines.any(|is_record| is_record)
    } else {
        let (records, others): (Vec<bool>, Vec<bool>) =
            lines.take(LOOKED_AT).partition(|is_record| *is_record);
        records.len() > others.len()
    };
    if !is_audit {
        return None;
    }
    let Dialect { cutter, unit, .. } = delimited::lines(head, is_whole);
    let declared = |(name, sql_type)| (Arc::from(name), ColumnType::of_sql_name(sql_type));
    Some(Dialect {
        cutter: Box::new(join::EventCutter::new(cutter, end, join::REACH)),
        parser: Arc::new(parse::EventParser),
        unit,
        declared: DECLARED.into_iter().map(declared).collect(),
        notes: vec![],
    })
}
