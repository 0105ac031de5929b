//! Lines to events, in one pass over the file.
//!
//! The lines of an event are put together before blocks are parsed: a block that goes to the parsers has whole events, each with the
//! number of its first line, and so rows do not depend on where the file was cut. Whether a line belongs to an event follows from
//! the lines before it alone.

use std::collections::{HashMap, VecDeque};

use super::head::{Head, is_between};
use crate::delimited::lines_of;
use crate::records::{Block, Cut, Cutter};

/// How far behind the beginning of an event its lines may stand, in bytes of text. A program with the longest arguments that Linux
/// takes has about 4 MiB of lines.
pub(super) const REACH: u64 = 8 << 20;

/// The byte before the first line of an event, and that before each other one. No text in UTF-8 has them.
const FIRST: u8 = 0xFF;
const OTHER: u8 = 0xFE;

/// The record that ends an event.
pub(super) const END: &[u8] = b"EOE";

/// Cuts a file behind lines, and gives out whole events.
pub(super) struct EventCutter {
    lines: Box<dyn Cutter>,
    line_end: u8,
    joined: Joined,
}

impl EventCutter {
    pub(super) fn new(lines: Box<dyn Cutter>, line_end: u8, reach: u64) -> Self {
        Self { lines, line_end, joined: Joined { reach, ..Joined::default() } }
    }
}

impl Cutter for EventCutter {
    fn cut(&mut self, text: &[u8], is_end: bool) -> Cut {
        self.lines.cut(text, is_end)
    }

    fn gather(&mut self, block: Block) -> Block {
        for (number, (_, line)) in (block.first_line..).zip(lines_of(&block.text, self.line_end)) {
            self.joined.push(number, line);
        }
        self.joined.give_out();
        Block { text: std::mem::take(&mut self.joined.ready), first_line: block.first_line }
    }

    fn gather_rest(&mut self) -> Option<Block> {
        let Joined { waiting, mut ready, .. } = std::mem::take(&mut self.joined);
        for event in waiting {
            ready.extend_from_slice(&event.text);
        }
        (!ready.is_empty()).then_some(Block { text: ready, first_line: 1 })
    }
}

/// Events while their lines come in.
#[derive(Default)]
struct Joined {
    /// Events that are not given out yet, in the order of their first lines.
    waiting: VecDeque<Event>,
    /// The number of events that have been given out.
    given: usize,
    /// The events that may have further lines, by machine, time and serial, with their place among all events.
    open: HashMap<Box<[u8]>, usize>,
    /// The bytes of text so far.
    bytes: u64,
    reach: u64,
    /// The key of the last line.
    key: Vec<u8>,
    /// Events for the next block.
    ready: Vec<u8>,
}

/// The lines of an event.
struct Event {
    text: Vec<u8>,
    /// Its key in [`Joined::open`]; none if it has ended.
    key: Option<Box<[u8]>>,
    /// The bytes of text before it.
    start: u64,
}

impl Event {
    fn new(number: u64, line: &[u8], start: u64) -> Self {
        let mut text = vec![FIRST];
        text.extend_from_slice(format!("{number} ").as_bytes());
        text.extend_from_slice(line);
        Self { text, key: None, start }
    }
}

impl Joined {
    /// Takes the next line.
    fn push(&mut self, number: u64, line: &[u8]) {
        self.give_out();
        let start = self.bytes;
        self.bytes += line.len() as u64 + 1;
        if is_between(line) {
            return;
        }
        let Some(head) = Head::of(line) else {
            return self.waiting.push_back(Event::new(number, line, start));
        };
        self.key.clear();
        for part in [head.node.unwrap_or_default(), head.seconds, head.millis, head.serial] {
            self.key.extend_from_slice(part);
            self.key.push(b' ');
        }
        let known = self.open.get(self.key.as_slice()).and_then(|place| place.checked_sub(self.given));
        let event = match known {
            Some(place) => self.waiting.get_mut(place),
            None => {
                let key: Box<[u8]> = self.key.as_slice().into();
                self.open.insert(key.clone(), self.given + self.waiting.len());
                self.waiting.push_back(Event { key: Some(key), ..Event::new(number, line, start) });
                self.waiting.back_mut()
            }
        };
        let Some(event) = event else { return };
        if known.is_some() {
            event.text.push(OTHER);
            event.text.extend_from_slice(line);
        }
        if head.kind == END
            && let Some(key) = event.key.take()
        {
            self.open.remove(&key);
        }
    }

    /// Gives out the first events that have ended.
    fn give_out(&mut self) {
        let has_ended = |event: &mut Event| event.key.is_none() || self.bytes - event.start > self.reach;
        while let Some(event) = self.waiting.pop_front_if(has_ended) {
            if let Some(key) = event.key {
                self.open.remove(&key);
            }
            self.ready.extend_from_slice(&event.text);
            self.given += 1;
        }
    }
}

/// The events of a block: the number of the first line of each, and its lines.
pub(super) fn events(block: &[u8]) -> impl Iterator<Item = (u64, impl Iterator<Item = &[u8]> + Clone)> {
    block.split(|byte| *byte == FIRST).skip(1).map(|event| {
        let digits = event.iter().position(|byte| *byte == b' ').unwrap_or_default();
        let (number, lines) = event.split_at_checked(digits).unwrap_or_default();
        let number = number.iter().fold(0, |sum: u64, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))
        });
        (number, lines.get(1..).unwrap_or_default().split(|byte| *byte == OTHER))
    })
}
