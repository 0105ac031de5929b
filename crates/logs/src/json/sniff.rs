//! Whether a text is JSON, and whether its records are in an object around them.

use super::cut::JsonCutter;
use super::envelope::{Beside, Envelope, Reached, decoded, is_in, is_of_page};
use super::lex::{self, Next};
use super::parse::JsonParser;
use super::piece::Piece;
use super::walk::{Step, Walk};
use crate::options::RecordPath;
use crate::records::{Block, Cutter, Parser};
use crate::values;

/// How much of the head is read on trial.
const SAMPLE: usize = 256 << 10;

/// How deep the array of records may be in objects.
const MAX_PATH: usize = 3;

/// How many objects are looked at before an array of any name makes an envelope.
const FOLLOWING: usize = 16;

/// The most plain values beside an array that make the only object of a file an envelope: for names that tell of records, and for
/// others. An event has more. With the time of an event among them, a name of records has few of them beside it, and another none:
/// an event that is kept whole loses nothing, and an option takes it apart.
const MAX_BESIDE: usize = 8;
const MAX_BESIDE_TIME: usize = 2;
const MAX_BESIDE_UNKNOWN: usize = 2;

/// Members that hold records, in lower case: of AWS, Azure, Microsoft Graph, Google, Okta, Elasticsearch, Kubernetes and others.
const RECORDS: &str = "\
    activities alerts data docs documents entries event events findings hits items list logentries \
    logevents logs messages objects records resources response result results rows value";

/// Members that tell of records too, but may be of an event.
const ABOUT: &str = "\
    apiversion code context error errors etag info kind message more ok owner preview size status success version";

/// The envelope around the records of a text; none if its objects are records themselves.
pub(super) fn envelope(head: &[u8], is_whole: bool) -> Option<Envelope> {
    let envelope = envelope_at(head, first_object(head)?, is_whole)?;
    // An array of any name makes no envelope, if some of the next objects are none.
    let is_known = envelope.path.first().is_some_and(|name| is_in(RECORDS, name));
    let mut is_followed = objects(head)
        .take(FOLLOWING)
        .map(|at| !matches!(envelope.array(head, at, is_whole, &mut Beside::default()), Reached::Nothing));
    (is_known || is_followed.all(|is_envelope| is_envelope)).then_some(envelope)
}

/// A sentence about a list of objects in the only object of a text, which has no envelope: how to read it as records.
pub(super) fn hint(head: &[u8], is_whole: bool) -> Option<String> {
    let (members, Ending::At(end)) = members(head, first_object(head)?) else { return None };
    let list = members.iter().find(|member| member.is_records(head))?;
    // The name stands in the sentence as it is typed.
    let name = String::from_utf8(list.name.clone()).ok().filter(|name| RecordPath::is_plain(name))?;
    (is_whole && is_last(head, end)).then(|| {
        format!("the text is one object, and one record; records => '{name}' reads the objects in its list instead")
    })
}

/// Whether no object follows the one that ends before `end`.
fn is_last(text: &[u8], end: usize) -> bool {
    text.iter().skip(end).all(|byte| lex::is_gap(*byte) || matches!(byte, b',' | b']'))
}

/// Where the objects of a text begin.
fn objects(text: &[u8]) -> impl Iterator<Item = usize> {
    let mut walk = Walk::of_file(None);
    std::iter::from_fn(move || {
        loop {
            match walk.next(text, true) {
                Step::Object(at) => {
                    walk.pass(Piece::new(at).end(text, true)?);
                    return Some(at);
                }
                Step::Scrap(..) => {}
                Step::End(_) => return None,
            }
        }
    })
}

/// Whether a text is JSON: it begins with an object, and most of its pieces are objects. Text that begins otherwise may have a
/// damaged line or a comment first; then nearly all that follows has to be objects.
pub(super) fn looks_like_json(head: &[u8], is_whole: bool) -> bool {
    let sample = head.get(..SAMPLE).unwrap_or(head);
    let is_all = is_whole && sample.len() == head.len();
    let mut text = sample.to_vec();
    let cut = JsonCutter::new(Walk::of_file(None)).cut(&text, is_all);
    if cut.records == 0 {
        // Nothing but brackets, an empty array, is a table without rows. Else the first object does not end here.
        let first = lex::skip_gap(head, 0);
        let is_empty_array =
            is_all && head.get(first) == Some(&b'[') && head.trim_ascii_end().ends_with(b"]");
        return is_empty_array || first_object(head).is_some();
    }
    text.truncate(cut.skip + cut.records);
    text.drain(..cut.skip);
    let records = JsonParser { envelope: None, line_end: b'\n' }.parse(Block { text, first_line: 1 });
    let (rows, rejected) = (records.rows, records.rejected.len());
    if first_object(head).is_none() {
        return rejected.saturating_mul(8) <= rows;
    }
    // The only piece may be an object that was not finished.
    let is_short = rows + rejected < 32;
    rejected <= if is_short { rows.max(1) } else { rows / 4 }
}

/// The place of the first object, if the text begins with one, or with brackets of arrays and one.
fn first_object(head: &[u8]) -> Option<usize> {
    let is_before = |byte: u8| lex::is_gap(byte) || byte == b'[';
    let at = head.iter().position(|byte| !is_before(*byte))?;
    (lex::begins_record(head, at).1 == Some(true)).then_some(at)
}

/// A member of an object that may be an envelope.
struct Member {
    name: Vec<u8>,
    at: usize,
    /// Whether its value ends, and is valid.
    is_whole: bool,
}

impl Member {
    fn is_named(&self, names: &str) -> bool {
        is_in(names, &self.name)
    }

    fn starts(&self, text: &[u8], bracket: u8) -> bool {
        text.get(self.at) == Some(&bracket)
    }

    fn is_scalar(&self, text: &[u8]) -> bool {
        !self.starts(text, b'{') && !self.starts(text, b'[')
    }

    /// Whether it tells when an event was.
    fn is_time(&self, text: &[u8]) -> bool {
        let end = lex::value(text, self.at).unwrap_or(self.at);
        let value = text.get(self.at..end).unwrap_or_default();
        values::is_time_of_event(&String::from_utf8_lossy(&self.name), value)
    }

    /// Whether it is an array of objects, as far as it is there.
    fn is_records(&self, text: &[u8]) -> bool {
        let mut item = lex::skip_space(text, self.at + 1);
        if !self.starts(text, b'[') || text.get(item) != Some(&b'{') {
            return false;
        }
        while text.get(item) == Some(&b'{') {
            match lex::value(text, item).and_then(|end| lex::after_item(text, end)) {
                Ok(Next::More(next)) => item = next,
                _ => return true,
            }
        }
        item >= text.len()
    }

    /// Whether it is an object that may have the array.
    fn may_lead_on(&self, text: &[u8]) -> bool {
        self.starts(text, b'{') && self.is_named(RECORDS)
    }

    fn is_empty_array(&self, text: &[u8]) -> bool {
        self.starts(text, b'[') && text.get(lex::skip_space(text, self.at + 1)) == Some(&b']')
    }
}

/// How an object ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    At(usize),
    /// The text ends before.
    Cut,
    Damaged,
}

/// The members of the object at `at`, as far as they are valid.
fn members(text: &[u8], at: usize) -> (Vec<Member>, Ending) {
    let mut members = vec![];
    let mut at = lex::skip_space(text, at + 1);
    let fault = loop {
        let value = match lex::after_key(text, at) {
            Ok(value) => value,
            Err(fault) => break fault,
        };
        let name = decoded(text, at);
        let end = lex::value(text, value);
        members.push(Member { name, at: value, is_whole: end.is_ok() });
        match end.and_then(|end| lex::after_member(text, end)) {
            Ok(Next::More(next)) => at = next,
            Ok(Next::End(end)) => return (members, Ending::At(end)),
            Err(fault) => break fault,
        }
    };
    (members, if fault.at >= text.len() { Ending::Cut } else { Ending::Damaged })
}

/// The envelope that the object at `at` is, the first of the text.
///
/// An event may have arrays of objects too. So an object is an envelope if it has nothing else; if it goes on beyond the head; or
/// if what stands beside the array tells of pages of records. If it is the only object of the file, a few plain values may stand
/// there too, unless they are those of an event.
fn envelope_at(text: &[u8], at: usize, is_whole: bool) -> Option<Envelope> {
    let mut path = vec![];
    let mut beside = vec![];
    let mut object = at;
    let mut is_only = None;
    while path.len() < MAX_PATH {
        let (members, end) = members(text, object);
        let is_only = *is_only.get_or_insert_with(|| match end {
            Ending::Cut => true,
            Ending::Damaged => false,
            Ending::At(end) => is_whole && is_last(text, end),
        });
        let is_cut = end == Ending::Cut && !is_whole;
        let found = members.iter().enumerate().find(|(place, member)| {
            // The head ends within it: no event is as long.
            let is_long = is_cut && !member.is_whole && (member.is_records(text) || member.may_lead_on(text));
            is_long || is_envelope(text, &members, *place, is_only)
        });
        let (place, member) = found?;
        let others = members.iter().enumerate().filter(|(other, _)| *other != place);
        beside.extend(others.map(|(_, other)| other.name.clone()));
        path.push(member.name.clone());
        if member.starts(text, b'[') {
            return Some(Envelope { path, beside, is_told: false });
        }
        object = member.at;
    }
    None
}

/// Whether an object with these members is an envelope around the member at `place`.
fn is_envelope(text: &[u8], members: &[Member], place: usize, is_only: bool) -> bool {
    let Some(member) = members.get(place) else { return false };
    let is_array = member.is_records(text);
    let is_known = member.is_named(RECORDS);
    let may_hold = is_array || member.may_lead_on(text) || is_known && member.is_empty_array(text);
    if !may_hold {
        return false;
    }
    let is_subscription = member.is_named("logevents");
    let others = members.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| other);
    let (mut plain, mut has_time) = (0, false);
    for other in others {
        let is_about =
            is_known && (is_of_page(&other.name) || (is_only || is_subscription) && other.is_named(ABOUT));
        if !is_about {
            plain += 1;
            has_time |= other.is_time(text);
            if !(is_only && is_array && other.is_scalar(text)) {
                return false;
            }
        }
    }
    let most = match (is_known, has_time) {
        (true, false) => MAX_BESIDE,
        (true, true) => MAX_BESIDE_TIME,
        (false, false) => MAX_BESIDE_UNKNOWN,
        (false, true) => 0,
    };
    plain <= most
}
