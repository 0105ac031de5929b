//! Strings that are written as hexadecimal digits.
//!
//! A string that could be misread, since it has a space, a quote, a control character or a byte that is no ASCII, is written as capital
//! hexadecimal digits without quotes; any other one stands in quotes. Only some fields are such strings: in others, digits are digits.

use std::borrow::Cow;

/// Whether a field is an encoded string, by its name.
fn is_string(name: &[u8]) -> bool {
    matches!(
        name,
        b"acct"
            | b"apparmor"
            | b"cgroup"
            | b"cmd"
            | b"comm"
            | b"cwd"
            | b"data"
            | b"denied_mask"
            | b"device"
            | b"dir"
            | b"exe"
            | b"file"
            | b"grp"
            | b"info"
            | b"invalid_context"
            | b"key"
            | b"name"
            | b"new-chardev"
            | b"new-disk"
            | b"new-fs"
            | b"new-net"
            | b"new-rng"
            | b"new_group"
            | b"ocomm"
            | b"old-chardev"
            | b"old-disk"
            | b"old-fs"
            | b"old-net"
            | b"old-rng"
            | b"operation"
            | b"path"
            | b"proctitle"
            | b"profile"
            | b"requested_mask"
            | b"root_dir"
            | b"sw"
            | b"vm"
            | b"watch"
    )
}

/// The bytes that hexadecimal digits stand for; none if the text is something else.
pub(super) fn bytes_of(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// The text of a value without quotes, of the field of this name. It stays as it is written if the field is no encoded string, or if
/// its bytes are no text.
pub(super) fn decoded<'a>(name: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
    if !is_string(name) {
        return Cow::Borrowed(value);
    }
    let Some(mut bytes) = bytes_of(value) else { return Cow::Borrowed(value) };
    let replace = |bytes: &mut Vec<u8>, from: u8, to: u8| {
        bytes.iter_mut().filter(|byte| **byte == from).for_each(|byte| *byte = to);
    };
    match name {
        // The arguments, each with its end. The kernel keeps 128 bytes, which may end within a letter.
        b"proctitle" => {
            let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(length);
            replace(&mut bytes, 0, b' ');
            if let Err(error) = std::str::from_utf8(&bytes)
                && error.error_len().is_none()
            {
                bytes.truncate(error.valid_up_to());
                bytes.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        // Several keys.
        b"key" => replace(&mut bytes, 1, b','),
        _ => {}
    }
    if std::str::from_utf8(&bytes).is_ok() { Cow::Owned(bytes) } else { Cow::Borrowed(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, value: &str) -> String {
        String::from_utf8(decoded(name.as_bytes(), value.as_bytes()).into_owned()).expect("UTF-8")
    }

    #[test]
    fn only_strings_are_decoded() {
        assert_eq!(text("comm", "6D79206170703A"), "my app:");
        assert_eq!(text("name", "2F746D702FC3BC20"), "/tmp/\u{fc} ");
        assert_eq!(text("key", "6131016232"), "a1,b2");
        for (name, value) in [
            ("pid", "3538"),
            ("a0", "7F00"),
            ("inode", "6D79"),
            ("comm", "6d79"),
            ("comm", "6D7"),
            ("comm", ""),
            ("comm", "(none)"),
            // No text in UTF-8.
            ("name", "FF41"),
        ] {
            assert_eq!(text(name, value), value, "{name}={value}");
        }
    }

    #[test]
    fn titles_have_spaces_between_arguments() {
        assert_eq!(
            text("proctitle", "636174002F6574632F7373682F737368645F636F6E66696700"),
            "cat /etc/ssh/sshd_config"
        );
        assert_eq!(text("proctitle", "6100C3"), "a \u{fffd}");
        assert_eq!(text("proctitle", "C361"), "C361");
        assert_eq!(text("proctitle", "00"), "");
    }
}
