//! The fields of a record.
//!
//! Fields are `name=value` with spaces between them. A value is in quotes, or ends at the next space. Programs write theirs into the value of
//! one field, `msg='op=login acct="root"'`. What the daemon adds to explain numbers stands behind a separator, `0x1D`.

/// The byte before fields that the daemon has added.
const SEPARATOR: u8 = 0x1D;

/// The longest name of a field.
const LONGEST_NAME: usize = 64;

/// The longest value in braces.
const LONGEST_GROUP: usize = 1024;

/// A part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Field(&'a [u8], Value<'a>),
    /// A word that is no field.
    Word(&'a [u8]),
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// It was in quotes, and is what stood between them.
    Quoted(&'a [u8]),
    Plain(&'a [u8]),
    /// It stands for none: `?`, `(null)` or nothing.
    Absent(&'a [u8]),
}

/// Gives the parts of a record to `take`, in their order.
pub(super) fn each<'a>(body: &'a [u8], take: &mut dyn FnMut(Part<'a>)) {
    let (told, added) = match memchr::memchr(SEPARATOR, body).and_then(|at| body.split_at_checked(at)) {
        Some((told, added)) => (told, added.get(1..).unwrap_or_default()),
        None => (body, &[][..]),
    };
    each_of(told, false, take);
    each_of(added, false, take);
}

/// Gives the parts of a text. Those that programs write have `"?"` for what is absent; the kernel may mean a file of that name.
fn each_of<'a>(text: &'a [u8], is_of_program: bool, take: &mut dyn FnMut(Part<'a>)) {
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        let Some((name, behind)) = name(rest) else {
            let (word, after) = word(rest);
            if word.is_empty() {
                return;
            }
            take(Part::Word(word));
            rest = after;
            continue;
        };
        if name == b"msg"
            && !is_of_program
            && let Some(inside) = behind.strip_prefix(b"'")
        {
            // An apostrophe may stand in a value.
            let end = memchr::memrchr(b'\'', inside).unwrap_or(inside.len());
            let (fields, after) = inside.split_at_checked(end).unwrap_or((inside, &[]));
            each_of(fields, true, take);
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        let (value, after) = value(behind, is_of_program);
        take(Part::Field(name, value));
        rest = after;
    }
}

/// The name of the field that a text begins with, and what is behind the `=`. Old programs write some in parentheses.
fn name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"(").unwrap_or(text);
    let is_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']');
    let end = text.iter().take(LONGEST_NAME + 1).position(|byte| !is_of_name(*byte))?;
    let (name, behind) = text.split_at_checked(end)?;
    let begins_well = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    begins_well.then_some((name, behind.strip_prefix(b"=")?))
}

/// The text up to the next white space, and what follows it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// The value that a text begins with, and what follows it.
fn value(text: &[u8], is_of_program: bool) -> (Value<'_>, &[u8]) {
    let closing = |close: u8| memchr::memchr(close, text.get(1..)?).map(|at| at + 1);
    match text.first() {
        Some(b'"') => {
            // The end of a long record is missing.
            let end = closing(b'"').unwrap_or(text.len());
            let value = text.get(1..end).unwrap_or_default();
            let after = text.get(end + 1..).unwrap_or_default();
            let is_absent = is_of_program && value == b"?";
            let after = after.strip_prefix(b")").or_else(|| after.strip_prefix(b",")).unwrap_or(after);
            return (if is_absent { Value::Absent(value) } else { Value::Quoted(value) }, after);
        }
        Some(quote @ b'\'') => {
            if let Some(end) = closing(*quote) {
                let value = text.get(1..end).unwrap_or_default();
                return (Value::Quoted(value), text.get(end + 1..).unwrap_or_default());
            }
        }
        // An address that is explained: `SADDR={ saddr_fam=inet laddr=192.0.2.1 lport=22 }`.
        Some(b'{') => {
            let end = text.iter().take(LONGEST_GROUP).position(|byte| *byte == b'}');
            if let Some((value, after)) = end.and_then(|end| text.split_at_checked(end + 1)) {
                return (Value::Plain(value), after);
            }
        }
        _ => {}
    }
    let (value, after) = word(text);
    let value = value.strip_suffix(b",").unwrap_or(value);
    let value = value.strip_suffix(b")").filter(|value| !value.contains(&b'(')).unwrap_or(value);
    let is_absent = matches!(value, b"?" | b"(null)" | b"");
    (if is_absent { Value::Absent(value) } else { Value::Plain(value) }, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &str) -> Vec<String> {
        let mut parts = vec![];
        each(body.as_bytes(), &mut |part| {
            let text = |text| String::from_utf8_lossy(text).into_owned();
            parts.push(match part {
                Part::Field(name, Value::Plain(value)) => format!("{}={}", text(name), text(value)),
                Part::Field(name, Value::Quoted(value)) => format!("{}=\"{}\"", text(name), text(value)),
                Part::Field(name, Value::Absent(_)) => format!("{} absent", text(name)),
                Part::Word(word) => text(word),
            });
        });
        parts
    }

    #[test]
    fn fields_of_the_kernel() {
        assert_eq!(
            parts("  pid=1 tty=(none) comm=\"a b\" key=(null) name=\"?\" dev=fd:00 x="),
            ["pid=1", "tty=(none)", "comm=\"a b\"", "key absent", "name=\"?\"", "dev=fd:00", "x absent"]
        );
        assert_eq!(
            parts("avc:  denied  { read } for  pid=1 scontext=u:r:t:s0-s0:c0,c9"),
            ["avc:", "denied", "{", "read", "}", "for", "pid=1", "scontext=u:r:t:s0-s0:c0,c9"]
        );
    }

    #[test]
    fn fields_of_programs_are_fields() {
        assert_eq!(
            parts("pid=9 msg='op=login acct=\"it's\" exe=\"?\" hostname=? addr=192.0.2.7 res=failed'"),
            [
                "pid=9",
                "op=login",
                "acct=\"it's\"",
                "exe absent",
                "hostname absent",
                "addr=192.0.2.7",
                "res=failed"
            ]
        );
        assert_eq!(
            parts(
                "msg='PAM: session open acct=\"root\" : exe=\"/bin/x\" (hostname=?, addr=a, terminal=cron res=success)'"
            ),
            [
                "PAM:",
                "session",
                "open",
                "acct=\"root\"",
                ":",
                "exe=\"/bin/x\"",
                "hostname absent",
                "addr=a",
                "terminal=cron",
                "res=success"
            ]
        );
        assert_eq!(parts("msg='op=x cmd='a b' y=1"), ["op=x", "cmd='a", "b", "y=1"]);
    }

    #[test]
    fn fields_that_explain_numbers() {
        let expected =
            ["uid=0", "key=\"k\"", "ARCH=x86_64", "UID=\"root\"", "SADDR={ saddr_fam=inet lport=22 }"];
        assert_eq!(
            parts("uid=0 key=\"k\"\u{1d}ARCH=x86_64 UID=\"root\" SADDR={ saddr_fam=inet lport=22 }"),
            expected
        );
        // A program may drop the separator, as it can't be seen.
        assert_eq!(
            parts("uid=0 key=\"k\"ARCH=x86_64 UID=\"root\" SADDR={ saddr_fam=inet lport=22 }"),
            expected
        );
        assert_eq!(parts("msg='op=x res=1'\u{1d}UID=\"it's\""), ["op=x", "res=1", "UID=\"it's\""]);
    }

    #[test]
    fn records_that_are_cut_off() {
        assert_eq!(parts("comm=\"a b"), ["comm=\"a b\""]);
        assert_eq!(parts("msg='op=x acct=\"ro"), ["op=x", "acct=\"ro\""]);
        assert_eq!(parts("a={ b c=1"), ["a={", "b", "c=1"]);
        assert_eq!(parts("=1 1a=2 (b=3) c='"), ["=1", "1a=2", "b=3", "c='"]);
        assert_eq!(parts(""), [] as [&str; 0]);
    }
}
