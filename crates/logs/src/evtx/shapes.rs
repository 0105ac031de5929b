//! The shapes of events: what stands between the values of an event.
//!
//! Most events of a log are alike but for their values, since they are made of few templates. What stood between the values of an event
//! is kept with the column of each, in a tree, as events of different templates begin alike. The next event is then compared with
//! it, a memory comparison for each value, and no name is looked up. An event that is in no known shape is looked at name by
//! name, and its shape is kept.

/// The most values in the tree.
const MOST_NODES: usize = 16 << 10;

/// A value in an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Where it begins and ends.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) column: usize,
    /// Whether it is a field of `System`.
    pub(super) is_system: bool,
}

/// The thing behind a text between values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// A value of a column, and the place in the tree behind it.
    Value { column: usize, is_system: bool, node: usize },
    /// Nothing.
    End,
}

/// A tree of texts between values.
#[derive(Debug)]
pub(super) struct Shapes {
    /// For each place, the texts that can follow, in the order in which they are tried.
    nodes: Vec<Vec<(Box<[u8]>, Behind)>>,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { nodes: vec![vec![]] }
    }
}

impl Shapes {
    /// The beginning of all events.
    pub(super) const BEGINNING: usize = 0;

    /// The text with which `rest` begins at a place: its length, and what is behind it.
    #[inline]
    pub(super) fn next(&mut self, node: usize, rest: &[u8]) -> Option<(usize, Behind)> {
        let texts = self.nodes.get_mut(node)?;
        let is_it = |(text, behind): &(Box<[u8]>, Behind)| {
            rest.starts_with(text) && (*behind != Behind::End || rest.len() == text.len())
        };
        let at = texts.iter().position(is_it)?;
        let (text, behind) = texts.get(at)?;
        let found = (text.len(), *behind);
        if at > 0 {
            // Texts that occur often get to the front.
            texts.swap(at, at / 2);
        }
        Some(found)
    }

    /// Keeps the shape of an event with its values.
    pub(super) fn keep(&mut self, json: &[u8], places: &[Place]) {
        let (mut node, mut at) = (Self::BEGINNING, 0);
        for Place { start, end, column, is_system } in places.iter().copied() {
            let text = json.get(at..start).unwrap_or_default();
            let next = self.nodes.len();
            let Some(texts) = self.nodes.get_mut(node) else { return };
            let known = texts.iter().find_map(|(known, behind)| match behind {
                Behind::Value { node, column: other, .. } if **known == *text && *other == column => {
                    Some(*node)
                }
                _ => None,
            });
            node = match known {
                Some(node) => node,
                None if next >= MOST_NODES => return,
                None => {
                    texts.push((text.into(), Behind::Value { column, is_system, node: next }));
                    self.nodes.push(vec![]);
                    next
                }
            };
            at = end;
        }
        if let Some(texts) = self.nodes.get_mut(node) {
            texts.push((json.get(at..).unwrap_or_default().into(), Behind::End));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(start: usize, end: usize, column: usize) -> Place {
        Place { start, end, column, is_system: false }
    }

    #[test]
    fn shapes_are_found_again() {
        let mut shapes = Shapes::default();
        shapes.keep(b"a=1,b=2.", &[place(2, 3, 7), place(6, 7, 8)]);
        shapes.keep(b"a=1,c=2!", &[place(2, 3, 7), place(6, 7, 9)]);
        let found = shapes.next(Shapes::BEGINNING, b"a=xyz,c=2!");
        let Some((2, Behind::Value { column: 7, node, .. })) = found else { panic!("{found:?}") };
        let found = shapes.next(node, b",c=2!");
        let Some((3, Behind::Value { column: 9, node, .. })) = found else { panic!("{found:?}") };
        assert_eq!(shapes.next(node, b"!"), Some((1, Behind::End)));
        assert_eq!(shapes.next(node, b"!!"), None);
        assert_eq!(shapes.next(Shapes::BEGINNING, b"b=1"), None);
    }
}
