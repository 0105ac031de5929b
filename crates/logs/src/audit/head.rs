//! The beginning of a line, `node=web1 type=SYSCALL msg=audit(1364481363.243:24287):`.

/// The beginning of a record, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// The machine, where logs of several are one.
    pub(super) node: Option<&'a [u8]>,
    /// The type of the record, such as `SYSCALL`.
    pub(super) kind: &'a [u8],
    /// Seconds since 1970, in digits.
    pub(super) seconds: &'a [u8],
    /// Three digits.
    pub(super) millis: &'a [u8],
    /// The number of the event, in digits.
    pub(super) serial: &'a [u8],
    /// The fields of the record.
    pub(super) body: &'a [u8],
}

impl<'a> Head<'a> {
    /// The beginning of a line; none if the line is no record.
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        let line = line.trim_ascii_start();
        let (node, line) = match line.strip_prefix(b"node=") {
            Some(rest) => word(rest).map(|(node, rest)| (Some(node), rest))?,
            None => (None, line),
        };
        let (kind, line) = word(line.strip_prefix(b"type=")?)?;
        let (seconds, line) = digits(line.strip_prefix(b"msg=audit(")?)?;
        let (millis, line) = digits(line.strip_prefix(b".")?)?;
        let (serial, line) = digits(line.strip_prefix(b":")?)?;
        let line = line.strip_prefix(b")")?;
        let body = line.strip_prefix(b":").unwrap_or(line);
        (millis.len() == 3).then_some(Self { node, kind, seconds, millis, serial, body })
    }
}

/// The first word of a text, and what is behind the white space that follows it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (word, rest) = text.split_at_checked(memchr::memchr2(b' ', b'\t', text)?)?;
    (!word.is_empty()).then_some((word, rest.trim_ascii_start()))
}

/// The digits at the beginning of a text, and what follows them.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())
}

/// Whether a line says nothing by itself: an empty one, and the two that `ausearch` writes before each event, `----` and the
/// time in the zone of its machine.
pub(super) fn is_between(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.is_empty() || line == b"----" || line.starts_with(b"time->")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_records() {
        let head = Head::of(b"node=web1 type=UNKNOWN[1420]  msg=audit(1364481363.043:24287): a=1 b=2");
        let head = head.expect("a record");
        assert_eq!((head.node, head.kind), (Some(b"web1".as_slice()), b"UNKNOWN[1420]".as_slice()));
        assert_eq!(
            (head.seconds, head.millis, head.serial),
            (&b"1364481363"[..], &b"043"[..], &b"24287"[..])
        );
        assert_eq!(head.body, b" a=1 b=2");
        let head = Head::of(b"type=EOE msg=audit(0.000:1):").expect("a record");
        assert_eq!((head.node, head.kind, head.body), (None, b"EOE".as_slice(), b"".as_slice()));
    }

    #[test]
    fn other_lines_are_no_records() {
        for line in [
            "",
            "type=",
            "type= msg=audit(1.000:1):",
            "node= type=A msg=audit(1.000:1):",
            "node=a",
            "type=A msg=audit(1.0:1):",
            "type=A msg=audit(1.000:):",
            "type=A msg=audit(.000:1):",
            "type=A msg=audit(1.000:1",
            "type=SYSCALL msg=audit(03/28/2013 14:36:03.243:24287) : arch=x86_64",
            "x type=A msg=audit(1.000:1):",
            "audit: type=1400 audit(1364481363.243:24287): apparmor=\"DENIED\"",
        ] {
            assert_eq!(Head::of(line.as_bytes()), None, "{line}");
        }
        for line in ["", " \t", "----", "time->Thu Mar 28 14:36:03 2013"] {
            assert!(is_between(line.as_bytes()), "{line}");
        }
        assert!(!is_between(b"-----") && !is_between(b"type=A msg=audit(1.000:1):"));
    }
}
