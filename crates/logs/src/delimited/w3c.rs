//! The W3C extended log format, as IIS, Exchange, the Windows firewall and content networks write it.
//!
//! `#Fields:` names the columns, at the beginning of the file and after each start of the server. Spaces stand between names and
//! between values; some servers write tabs between values, and Exchange writes CSV. `-` is NULL where there are no commas.
//! Times are UTC, unless `#Time Format: Local` says otherwise, and stand in two columns, `date` and `time`. A third one,
//! `timestamp`, has both.

use std::sync::Arc;

use memchr::memchr;

use super::csv::field::{Field, Form, Written};
use super::lines::lines_of;
use super::rows::{Rows, misfit};
use super::sections::{Description, Descriptions, SectionCutter, description_of, unique, whole_lines};
use crate::options::ReadOptions;
use crate::records::{Block, Cell, Dialect, Parser, Records, Unit};

/// The reader of a W3C extended log; none if `head` has not its header.
pub(crate) fn w3c(head: &[u8], is_whole: bool, _options: &ReadOptions) -> Option<Dialect> {
    let mut header = Header::default();
    let mut first = None;
    for line in whole_lines(head, is_whole) {
        match line.first() {
            None => {}
            Some(b'#') => _ = header.read(line),
            // Some logs of Exchange have the names also in their first line.
            Some(_) if first.is_none() && header.fields.is_empty() => first = Some(line),
            Some(_) => break,
        }
    }
    if first.is_some_and(|line| !header.is_named_by(line)) {
        return None;
    }
    if header.fields.is_empty() {
        return None;
    }
    let descriptions = Descriptions::default();
    Some(Dialect {
        declared: header.columns().map(|name| (name, None)).collect(),
        cutter: Box::new(SectionCutter::new(header, Arc::clone(&descriptions))),
        parser: Arc::new(W3cParser { headers: descriptions }),
        unit: Unit::Line(b'\n'),
        notes: vec![],
    })
}

/// The name of the column with date and time.
const TIMESTAMP: &str = "timestamp";

/// The meaning of lines with `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Header {
    /// Whether times are those of the server's zone.
    is_local: bool,
    has_commas: bool,
    /// The places of `date` and `time`, if there is no column for both.
    date_and_time: Option<(usize, usize)>,
    fields: Arc<[Arc<str>]>,
}

impl Default for Header {
    fn default() -> Self {
        Self { is_local: false, has_commas: false, date_and_time: None, fields: Arc::from([]) }
    }
}

impl Header {
    /// Whether a line has the names of the fields as its values.
    fn is_named_by(&self, line: &[u8]) -> bool {
        line.split(|byte| *byte == b',').eq(self.fields.iter().map(|name| name.as_bytes()))
    }

    fn columns(&self) -> impl Iterator<Item = Arc<str>> {
        let timestamp = self.date_and_time.map(|_| Arc::from(TIMESTAMP));
        self.fields.iter().map(Arc::clone).chain(timestamp)
    }
}

impl Description for Header {
    fn read(&mut self, line: &[u8]) -> bool {
        let Some(colon) = memchr(b':', line) else { return false };
        let (name, value) = line.split_at(colon);
        let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
        let value = value.trim();
        if name.eq_ignore_ascii_case(b"#Time Format") {
            self.is_local = value.eq_ignore_ascii_case("local");
            return true;
        }
        if !name.eq_ignore_ascii_case(b"#Fields") || value.is_empty() {
            return false;
        }
        self.has_commas = value.contains(',') && !value.contains([' ', '\t']);
        self.fields = if self.has_commas {
            unique(value.split(',').map(str::to_owned))
        } else {
            unique(value.split_ascii_whitespace().map(str::to_owned))
        };
        let place = |name: &str| self.fields.iter().position(|field| field.eq_ignore_ascii_case(name));
        self.date_and_time = place("date").zip(place("time")).filter(|_| place(TIMESTAMP).is_none());
        true
    }
}

struct W3cParser {
    headers: Descriptions<Header>,
}

/// How the fields of a line are told from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    /// One byte.
    Byte(u8),
    /// Any number of spaces and tabs.
    Spaces,
}

impl Header {
    /// The bytes between the fields of a line.
    fn between(&self, line: &[u8]) -> Between {
        if self.has_commas {
            return Between::Byte(b',');
        }
        let delimiter = if memchr(b'\t', line).is_some() { b'\t' } else { b' ' };
        // Spaces may be there to align the columns.
        let count = fields(line, Between::Byte(delimiter)).count();
        if count <= self.fields.len() || fields(line, Between::Spaces).count() != self.fields.len() {
            Between::Byte(delimiter)
        } else {
            Between::Spaces
        }
    }
}

/// The fields of a line as they are written, and where they stand in it.
fn fields(line: &[u8], between: Between) -> impl Iterator<Item = Field> {
    let delimiter = match between {
        Between::Byte(byte) => byte,
        Between::Spaces => b' ',
    };
    let form = Form::of(delimiter, b'\n');
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let mut start = at?;
        if between == Between::Spaces {
            let spaces = line.get(start..)?.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            start += spaces;
            if start == line.len() {
                return None;
            }
        }
        let mut field = form.field(line, start);
        if field.written == Written::Unclosed {
            // A quote that is part of the value.
            let rest = line.get(start..).unwrap_or_default();
            let stop = memchr(delimiter, rest).map_or(line.len(), |length| start + length);
            field = Field { start, end: stop, written: Written::Bare, stop };
        }
        at = (field.stop < line.len()).then_some(field.stop + 1);
        Some(field)
    })
}

impl W3cParser {
    fn line(header: &Header, line: &[u8], start: usize, rows: &mut Rows) {
        let width = header.fields.len();
        let mut count = 0;
        let mut has_more = false;
        for field in fields(line, header.between(line)) {
            let value = line.get(field.start..field.end).unwrap_or_default();
            let cell = match field.written {
                Written::Bare if value == b"-" && !header.has_commas => Cell::NULL,
                Written::Bare | Written::Quoted => Cell::new(start + field.start, value.len()),
                _ => {
                    // A field beyond the columns is no value.
                    if count < width && matches!(field.written, Written::Followed(_)) {
                        rows.follow();
                    }
                    rows.append(|behind| field.write(line, behind))
                }
            };
            if count < width {
                rows.push(count, cell);
            } else {
                has_more |= !value.is_empty();
            }
            count += 1;
        }
        if let Some(reason) = misfit(width, count, line.len(), has_more) {
            return rows.reject(start, start + line.len(), count.min(width), reason);
        }
        let is_short = count < width;
        if let Some((date, time)) = header.date_and_time {
            for column in count..width {
                rows.push(column, Cell::NULL);
            }
            let ends = if header.is_local { "" } else { "Z" };
            let both = rows.join(date, "T", time, ends);
            rows.push(width, both);
        }
        rows.end(start, if header.date_and_time.is_some() { width + 1 } else { count }, is_short);
    }
}

impl Parser for W3cParser {
    fn parse(&self, block: Block) -> Records {
        let header = description_of(&self.headers, block.first_line);
        let mut rows = Rows::new(&block, b'\n');
        for (start, line) in lines_of(&block.text, b'\n') {
            let is_record = !(line.trim_ascii().is_empty() || line.first() == Some(&b'#'));
            if is_record && !(header.has_commas && header.is_named_by(line)) {
                Self::line(&header, line, start, &mut rows);
            }
        }
        rows.finish().records(block, header.columns(), usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimited::tests::{Table, read};

    const HEAD: &str = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2019-01-15 10:00:00\n";

    fn open(text: &str) -> Option<Dialect> {
        w3c(text.as_bytes(), true, &ReadOptions::default())
    }

    fn table(text: &str) -> Table {
        read(|| open(text).expect("a W3C log"), text)
    }

    #[test]
    fn fields_are_columns_and_date_and_time_are_one_too() {
        let text = format!(
            "{HEAD}#Fields: date time s-ip cs(User-Agent) cs-uri-query \n2019-01-15 10:00:01 192.0.2.1 Mozilla/5.0+(X11) -\r\n\
             2019-01-15 10:00:02 - \"a b\" \"x \"\"y\"\"\"\n- 10:00:03 1 2 3 \n"
        );
        let table = table(&text);
        assert_eq!(table.column("date"), ["2019-01-15", "2019-01-15", "NULL"]);
        assert_eq!(table.column("s-ip"), ["192.0.2.1", "NULL", "1"]);
        assert_eq!(table.column("cs(User-Agent)"), ["Mozilla/5.0+(X11)", "a b", "2"]);
        assert_eq!(table.column("cs-uri-query"), ["NULL", "x \"y\"", "3"]);
        assert_eq!(table.column("timestamp"), ["2019-01-15T10:00:01Z", "2019-01-15T10:00:02Z", "NULL"]);
        assert_eq!(table.lines, [5, 6, 7]);
        assert_eq!((table.short_rows, table.rejected), (0, vec![]));
        let names: Vec<_> = open(&text)
            .into_iter()
            .flat_map(|found| found.declared)
            .map(|(name, _)| name.to_string())
            .collect();
        assert_eq!(names, ["date", "time", "s-ip", "cs(User-Agent)", "cs-uri-query", "timestamp"]);
    }

    #[test]
    fn a_server_that_starts_again_may_write_other_fields() {
        let table = table(&format!(
            "{HEAD}#Fields: date time a\n2019-01-15 10:00:01 1\n{HEAD}#Fields: date time a\n2019-01-15 10:00:02 2\n\
             {HEAD}#Fields: time b date\n10:00:03 3 2019-01-15\n"
        ));
        assert_eq!(table.column("a"), ["1", "2", "NULL"]);
        assert_eq!(table.column("b"), ["NULL", "NULL", "3"]);
        assert_eq!(
            table.column("timestamp"),
            ["2019-01-15T10:00:01Z", "2019-01-15T10:00:02Z", "2019-01-15T10:00:03Z"]
        );
    }

    #[test]
    fn tabs_spaces_and_commas_are_between_values() {
        let tabs = table("#Version: 1.0\n#Fields: date time x-edge cs-uri\n2019-01-15\t10:00:01\ta b\t-\n");
        assert_eq!((tabs.column("x-edge"), tabs.column("cs-uri")), (vec!["a b"], vec!["NULL"]));
        let aligned = table("#Fields: a b c\n1   2  3\n1 2 3\n  4 5 6 \n");
        assert_eq!((aligned.column("b"), aligned.column("c")), (vec!["2", "2", "5"], vec!["3", "3", "6"]));
        let commas = table(
            "date-time,client\n#Software: Exchange\n#Fields: date-time,client\n2019-01-15T10:00:01Z,\"a, b\"\nx,-\n",
        );
        assert_eq!(commas.column("date-time"), ["2019-01-15T10:00:01Z", "x"]);
        assert_eq!(commas.column("client"), ["a, b", "-"]);
        assert_eq!(commas.rejected, []);
    }

    #[test]
    fn local_times_and_timestamps_stay_what_they_are() {
        let firewall = table(
            "#Version: 1.5\n#Time Format: Local\n#Fields: date time action\n\n2019-01-15 10:00:01 DROP\n",
        );
        assert_eq!(firewall.column("timestamp"), ["2019-01-15T10:00:01"]);
        let own = table("#Fields: date time TimeStamp\n2019-01-15 10:00:01 x\n");
        assert_eq!(own.names(), ["TimeStamp", "date", "time"]);
    }

    #[test]
    fn lines_that_do_not_fit_are_told() {
        let table = table(
            "#Fields: date time a\n2019-01-15 10:00:01\n2019-01-15 10:00:01 1 2\n2019-01-15 10:00:01 \"1\n2019-01-15",
        );
        assert_eq!(table.column("timestamp"), ["2019-01-15T10:00:01Z", "2019-01-15T10:00:01Z", "NULL"]);
        assert_eq!(table.column("a"), ["NULL", "\"1", "NULL"]);
        assert_eq!(table.short_rows, 2);
        assert_eq!(
            table.rejected,
            [(3, "2019-01-15 10:00:01 1 2".to_owned(), "expected 3 fields, got 4".to_owned())]
        );
    }

    #[test]
    fn other_texts_are_not_of_this_format() {
        for text in [
            "",
            "a b\n",
            "#Version: 1.0\n",
            "#Version: 1.0\na b\n#Fields: a b\n",
            "#Fields:\na\n",
            "# Fields: a b\n",
        ] {
            assert!(open(text).is_none(), "{text:?}");
        }
    }
}
