//! The arguments of a program.
//!
//! Records `EXECVE` have them as `a0`, `a1` and so on, each as an encoded string. One that is long comes in parts `a1[0]`, `a1[1]`, with the
//! length of all of them as `a1_len`, over several records. The command line has each argument once, in order, with spaces between them. One that
//! is empty, or has white space, quotes or a backslash in it, is quoted as a shell does, so that they can be told apart.

use super::encoded::bytes_of;
use super::fields::Value;

/// The arguments of an event, and parts of them, in the order of its records.
#[derive(Debug, Default)]
pub(super) struct Arguments(Vec<Argument>);

/// An argument, or a part of one.
#[derive(Debug)]
struct Argument {
    index: u32,
    is_in_parts: bool,
    bytes: Vec<u8>,
    /// All of it as it stands in the log.
    written: Vec<u8>,
}

impl Arguments {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a field of a record `EXECVE`, if it is of an argument.
    pub(super) fn take(&mut self, name: &[u8], value: Value) -> bool {
        let Some((index, kind)) = index_of(name) else { return false };
        let is_in_parts = match kind {
            b"_len" => return true,
            kind => !kind.is_empty(),
        };
        let (written, bytes) = match value {
            Value::Quoted(text) | Value::Absent(text) => (text, None),
            Value::Plain(text) => (text, bytes_of(text)),
        };
        let bytes = bytes.unwrap_or_else(|| written.to_vec());
        self.0.push(Argument { index, is_in_parts, bytes, written: written.to_vec() });
        true
    }

    /// Appends the command line.
    pub(super) fn write(&mut self, into: &mut Vec<u8>) {
        self.0.sort_by_key(|argument| argument.index);
        let is_one = |first: &Argument, next: &Argument| {
            first.index == next.index && first.is_in_parts && next.is_in_parts
        };
        for (place, parts) in self.0.chunk_by(is_one).enumerate() {
            if place > 0 {
                into.push(b' ');
            }
            let bytes = parts.iter().map(|part| part.bytes.as_slice()).collect::<Vec<_>>().concat();
            if std::str::from_utf8(&bytes).is_ok() {
                quote(&bytes, into);
            } else {
                // An argument that is no text stays as it is written.
                quote(&parts.iter().map(|part| part.written.as_slice()).collect::<Vec<_>>().concat(), into);
            }
        }
    }
}

/// The number of the argument in a name such as `a1`, `a1[0]` or `a1_len`, and what follows it.
fn index_of(name: &[u8]) -> Option<(u32, &[u8])> {
    let name = name.strip_prefix(b"a")?;
    let end = name.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(name.len());
    let (digits, kind) = name.split_at_checked(end)?;
    let index = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let is_part = matches!(kind, [b'[', digits @ .., b']'] if digits.iter().all(u8::is_ascii_digit));
    (is_part || matches!(kind, b"" | b"_len")).then_some((index, kind))
}

/// Appends an argument as a shell reads it.
fn quote(argument: &[u8], into: &mut Vec<u8>) {
    let is_plain = |byte: &u8| {
        !(byte.is_ascii_whitespace() || byte.is_ascii_control() || matches!(byte, b'\'' | b'"' | b'\\'))
    };
    if !argument.is_empty() && argument.iter().all(is_plain) {
        return into.extend_from_slice(argument);
    }
    into.push(b'\'');
    for (place, part) in argument.split(|byte| *byte == b'\'').enumerate() {
        if place > 0 {
            into.extend_from_slice(br"'\''");
        }
        into.extend_from_slice(part);
    }
    into.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: &[(&str, Value)]) -> String {
        let mut arguments = Arguments::default();
        for (name, value) in fields {
            assert!(arguments.take(name.as_bytes(), *value), "{name}");
        }
        let mut line = vec![];
        arguments.write(&mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn arguments_can_be_told_apart() {
        let quoted = |text: &'static str| Value::Quoted(text.as_bytes());
        assert_eq!(
            line(&[("a0", quoted("cat")), ("a2", Value::Plain(b"2D2D612062")), ("a1", quoted("/etc/*"))]),
            "cat /etc/* '--a b'"
        );
        assert_eq!(
            line(&[("a0", quoted("")), ("a1", quoted("it's")), ("a2", quoted("?"))]),
            r"'' 'it'\''s' ?"
        );
        assert_eq!(
            line(&[("a0", Value::Plain(b"FF")), ("a1", Value::Plain(b"610A")), ("a2", Value::Plain(b"5C"))]),
            "FF 'a\n' '\\'"
        );
        // Index by number, not by text.
        let many: Vec<(String, Value)> = (0..12).rev().map(|at| (format!("a{at}"), quoted("x"))).collect();
        let many: Vec<(&str, Value)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(line(&many), "x x x x x x x x x x x x");
    }

    #[test]
    fn long_arguments_come_in_parts() {
        let fields = [
            ("a0", Value::Quoted(b"sh".as_slice())),
            ("a1_len", Value::Plain(b"8")),
            ("a1[0]", Value::Plain(b"6120C3")),
            ("a1[1]", Value::Plain(b"BC62")),
            ("a1[2]", Value::Quoted(b"cd")),
            ("a2", Value::Quoted(b"e")),
            ("a2", Value::Quoted(b"f")),
        ];
        assert_eq!(line(&fields), "sh 'a \u{fc}bcd' e f");
    }

    #[test]
    fn other_fields_are_no_arguments() {
        for name in ["argc", "a", "a1b", "a1[", "a1[x]", "b1", "a99999999999"] {
            assert!(!Arguments::default().take(name.as_bytes(), Value::Absent(b"?")), "{name}");
        }
    }
}
