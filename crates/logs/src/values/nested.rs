//! The shape that objects and arrays have in common.
//!
//! Objects keep their shape as a struct if they have few members, or members that most of them have; arrays as a list if their items
//! share a type. Others stay JSON text, as do values at a depth that no log of records has: the cost is bounded by the width and
//! the depth of the shapes, not by what a hostile file nests.

use std::borrow::Cow;
use std::sync::Arc;

use super::Values;
use super::facts::Facts;
use super::summary::{Look, Summary};
use crate::json::{items, told_members};
use crate::records::{Cell, Changes, Syntax};

/// Objects with more different members are no structs.
const WIDEST: usize = 64;
/// Values that lie deeper are JSON text.
const DEEPEST: usize = 4;
/// How much of a column is split into its members at once, so that a file in which every object has its own members costs little.
const CELLS_AT_ONCE: usize = 1024;
const BYTES_AT_ONCE: usize = 64 << 10;

/// The summaries of members or items.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Nested {
    /// The members of objects, in the order in which they first occurred.
    pub(super) members: Vec<Member>,
    /// The number of objects.
    pub(super) objects: u64,
    /// The changes of names of members, for the report.
    pub(super) changes: Changes,
    /// There are too many members.
    pub(super) is_wide: bool,
    /// The items of arrays.
    pub(super) items: Summary,
}

/// A member of objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) name: Arc<str>,
    /// The number of objects that have it, and not as `null`.
    pub(super) values: u64,
    pub(super) summary: Summary,
}

impl Nested {
    /// Looks at objects or at arrays; none of them if they lie too deep.
    pub(super) fn of(text: &[u8], cells: &[Cell], look: &Look, kinds: Facts) -> Option<Box<Self>> {
        let inner = look.inside();
        if inner.depth > DEEPEST {
            return None;
        }
        let mut nested = Self::default();
        let cells = &*without_nulls(text, cells, &inner);
        if kinds.has(Facts::OBJECT) {
            for part in parts(text, cells) {
                nested.add_objects(text, part, &inner);
                if nested.is_wide {
                    break;
                }
            }
        } else {
            let (_, items) = items(text, cells);
            nested.items = Summary::at(text, &items, Syntax::Json, &inner);
        }
        Some(Box::new(nested))
    }

    fn add_objects(&mut self, text: &[u8], cells: &[Cell], look: &Look) {
        let mut part =
            Self { objects: cells.iter().filter(|cell| !cell.is_null()).count() as u64, ..Self::default() };
        let (members, changes) = told_members(text, cells);
        part.changes = changes;
        part.is_wide = members.len() > WIDEST;
        if !part.is_wide {
            let member = |(name, cells): (Arc<str>, Vec<Cell>)| Member {
                name,
                values: cells.iter().filter(|cell| !cell.is_null()).count() as u64,
                summary: Summary::at(text, &cells, Syntax::Json, look),
            };
            part.members = members.into_iter().map(member).collect();
        }
        self.merge(&part);
    }

    /// Takes in those of a later part.
    pub(super) fn merge(&mut self, later: &Self) {
        self.objects += later.objects;
        self.items.merge(&later.items);
        self.changes.join(&later.changes);
        self.is_wide |= later.is_wide;
        for (at, member) in later.members.iter().enumerate() {
            if self.is_wide {
                break;
            }
            // Most parts have the same members in the same order.
            let is_same = self.members.get(at).is_some_and(|own| own.name == member.name);
            let position =
                if is_same { Some(at) } else { self.members.iter().position(|own| own.name == member.name) };
            match position.and_then(|position| self.members.get_mut(position)) {
                Some(own) => {
                    own.values += member.values;
                    own.summary.merge(&member.summary);
                }
                None => self.members.push(member.clone()),
            }
            self.is_wide = self.members.len() > WIDEST;
        }
        if self.is_wide {
            self.members = vec![];
        }
    }

    /// Whether objects keep their shape.
    pub(super) fn is_struct(&self) -> bool {
        const FEW: usize = 16;
        let is_common = |member: &Member| member.values.saturating_mul(4) >= self.objects;
        !self.members.is_empty() && (self.members.len() <= FEW || self.members.iter().all(is_common))
    }
}

/// The cells with NULL for strings that mean it.
fn without_nulls<'a>(text: &[u8], cells: &'a [Cell], look: &Look) -> Cow<'a, [Cell]> {
    if look.options.nulls.is_empty() {
        return Cow::Borrowed(cells);
    }
    let values = Values { text, syntax: Syntax::Json, nulls: &look.options.nulls };
    cells.iter().map(|cell| if values.raw(*cell).is_some() { *cell } else { Cell::NULL }).collect()
}

/// Cells in runs of bounded length and text.
fn parts<'a>(text: &'a [u8], cells: &'a [Cell]) -> impl Iterator<Item = &'a [Cell]> {
    let mut rest = cells;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let is_over = |cell: &Cell| {
            bytes += cell.of(text).map_or(0, <[u8]>::len);
            bytes > BYTES_AT_ONCE
        };
        let end = rest.iter().take(CELLS_AT_ONCE).position(is_over).unwrap_or(CELLS_AT_ONCE);
        // A value that is too long comes alone.
        let (part, after) = rest.split_at_checked(end.max(1)).unwrap_or((rest, &[]));
        rest = after;
        Some(part).filter(|part| !part.is_empty())
    })
}
