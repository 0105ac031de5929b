//! JSON objects to records, and nested values.
//!
//! Objects are records, whatever stands between them: JSON lines, objects without anything between them, indented ones, arrays,
//! and the arrays in objects that only carry them, such as `{"Records": [...]}`. The text is not copied: cells are values as they
//! stand in it.
//!
//! | module | task |
//! |---|---|
//! | `sniff` | whether a text is JSON, and what its envelope is |
//! | `walk` | from one object to the next, into envelopes and out of them |
//! | `piece` | the end of one object, also of a damaged one |
//! | `cut` | blocks of whole objects |
//! | `parse` | blocks to records, and what is wrong with damaged objects |
//! | `table` | keys to columns |
//! | `lex` | tokens |
//! | `nested` | members and items of nested values |
//! | `text` | what strings stand for |
//!
//! Damaged text is cut by rules that need no more of it than the piece itself and the beginning of the next line. So the same
//! pieces are found wherever the file is cut into blocks, and a damaged line costs no more than itself.

use std::sync::Arc;

use crate::Format;
use crate::options::ReadOptions;
use crate::records::{Dialect, Unit, line_end};

mod cut;
mod envelope;
pub(crate) mod lex;
mod nested;
mod parse;
mod piece;
mod sniff;
pub(crate) mod table;
mod text;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use nested::{items, members, told_members};
pub(crate) use text::{has_lone_surrogate, may_have_lone_surrogate, unescape};

/// The reader of JSON that begins with `head`: objects one after the other, an array of them, or an object with one. None if it
/// doesn't look like JSON and `options` does not say that it is.
pub(crate) fn json(head: &[u8], is_whole: bool, options: &ReadOptions) -> Option<Dialect> {
    if options.format != Some(Format::Json) && !sniff::looks_like_json(head, is_whole) {
        return None;
    }
    let (mut envelope, mut notes) = (None, vec![]);
    match &options.records {
        Some(path) if path.names().is_empty() => {}
        Some(path) => envelope = Some(envelope::Envelope::told(path)),
        None => {
            envelope = sniff::envelope(head, is_whole);
            if envelope.is_none() {
                notes.extend(sniff::hint(head, is_whole));
            }
        }
    }
    let envelope = envelope.map(Arc::new);
    let line_end = line_end(head, is_whole);
    Some(Dialect {
        cutter: Box::new(cut::JsonCutter::new(walk::Walk::of_file(envelope.clone()))),
        parser: Arc::new(parse::JsonParser { envelope, line_end }),
        unit: Unit::Line(line_end),
        declared: vec![],
        notes,
    })
}
