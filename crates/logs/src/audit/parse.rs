//! Blocks of events to records.

use super::event::{Events, PATHS, REPEATED};
use super::head::Head;
use super::join::events;
use crate::records::{Block, Parser, Records, Syntax};
use crate::report::Rejected;

/// The most text of an event, which may be longer by a line than its lines may be apart.
const MOST_TEXT: usize = 64 << 20;

/// The most text of the values of a block, of which no event has as much.
const MOST_VALUES: usize = 2 << 30;

/// A byte that no UTF-8 has. So many stand between the values of two rows as there are lines between their beginnings.
const LINE_END: u8 = 0xFF;

/// Finds the values of events.
pub(super) struct EventParser;

impl Parser for EventParser {
    fn parse(&self, block: Block) -> Records {
        let mut values = Events::new(block.text.len());
        let (mut row_starts, mut rejected) = (vec![], vec![]);
        let (mut first_line, mut line) = (None, 0);
        for (number, lines) in events(&block.text) {
            let mut reject = |lines: &mut dyn Iterator<Item = &[u8]>, reason: &str| {
                let text = lines.collect::<Vec<_>>().join(&b'\n');
                rejected.push(Rejected::record(number, &text, reason.to_owned()));
            };
            let records = lines.clone().filter_map(Head::of);
            let Some(first) = records.clone().next() else {
                reject(&mut lines.clone(), "expected a record, type=WORD msg=audit(SECONDS.MILLIS:SERIAL)");
                continue;
            };
            let length = lines.clone().map(<[u8]>::len).sum::<usize>();
            if length > MOST_TEXT || values.text.len() > MOST_VALUES {
                reject(&mut lines.clone(), "an event of more than 64 MiB");
                continue;
            }
            if first_line.is_none() {
                (first_line, line) = (Some(number), number);
            }
            let between = number.saturating_sub(line) as usize;
            let start = values.text.len() + between;
            values.text.resize(start, LINE_END);
            line = number;
            match values.push(&first, records) {
                Ok(()) => row_starts.push(start as u32),
                Err(_) => reject(&mut lines.clone(), "an event with which there would be too many columns"),
            }
        }
        let Events { mut text, mut table, .. } = values;
        text.shrink_to_fit();
        let rows = table.rows();
        let changes = table.take_changes();
        let mut columns = table.into_columns(Syntax::Plain);
        for column in &mut columns {
            if matches!(&*column.name, PATHS | REPEATED) {
                column.syntax = Syntax::Json;
            }
        }
        Records {
            text,
            block: Some(block.text),
            first_line: first_line.unwrap_or(block.first_line),
            line_end: LINE_END,
            rows,
            row_starts,
            short_rows: 0,
            columns,
            rejected,
            changes,
        }
    }
}
