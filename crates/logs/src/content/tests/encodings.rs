//! The encodings of text, told by a mark, by their looks, by an option or by line.

use super::*;

#[test]
fn a_mark_tells_the_encoding_and_is_no_text() {
    let text = "Zeit,Größe\n1,😀\n2,\"a\nb\"\n";
    let marked = format!("\u{FEFF}{text}");
    let files = [
        marked.clone().into_bytes(),
        utf16(&marked, false),
        utf16(&marked, true),
        utf32(&marked, false),
        utf32(&marked, true),
    ];
    for file in files {
        assert_eq!(decoded(&file, None), (text.into(), vec![]));
        let slow = Box::new(Pieces { bytes: io::Cursor::new(file.clone()), piece: 1 });
        assert_eq!(decoded_in(slow, &file, None), (text.into(), vec![]));
    }
}

#[test]
fn utf16_without_a_mark_is_known_by_its_looks() {
    for (is_big_endian, name) in [(false, "UTF-16LE"), (true, "UTF-16BE")] {
        for text in ["a\n", "TimeGenerated,Account\n1,Jörg\n", "Дата,Имя\n1,Иван Петров\n2,Анна Иванова\n"]
        {
            let (decoded, notes) = decoded(&utf16(text, is_big_endian), None);
            assert_eq!((decoded.as_str(), notes.len()), (text, 1));
            assert_eq!(notes[0], format!("read as {name}: it looks like it, but has no byte order mark"));
        }
    }
    for text in ["ab\0cd\0ef\0", "a", "", "日本語,日本語\n日本語,日本語\n", "a\0\0\0b\0\0\0"] {
        assert_eq!(decoded(text.as_bytes(), None), (text.into(), vec![]));
    }
}

#[test]
fn places_that_are_not_utf16_are_told() {
    let mut file = utf16("\u{FEFF}a\nb\nc", false);
    file.extend_from_slice(&[0x00, 0xD8, b'd', 0, b'\n', 0, b'e']);
    let (text, notes) = decoded(&file, None);
    assert_eq!(text, "a\nb\nc\u{FFFD}d\n\u{FFFD}");
    assert_eq!(notes, ["2 places are not UTF-16LE, the first on line 3: each became U+FFFD"]);
    let (text, notes) = decoded(&[&utf32("\u{FEFF}a\n", false)[..], &[0xFF; 4], b"x"].concat(), None);
    assert_eq!(text, "a\n\u{FFFD}\u{FFFD}");
    assert_eq!(notes, ["2 places are not UTF-32LE, the first on line 2: each became U+FFFD"]);
    let (text, notes) = decoded(b"a\n\xFF\n", Some("utf-8"));
    assert_eq!(text, "a\n\u{FFFD}\n");
    assert_eq!(notes, ["a place on line 2 is not UTF-8: it became U+FFFD"]);
}

#[test]
fn much_that_is_malformed_takes_no_longer() {
    let file = [&b"\xFF\xFE"[..], &[0x00, 0xD8].repeat(200_000)].concat();
    let (text, notes) = decoded(&file, None);
    assert_eq!(text.len(), 3 * 200_000);
    assert_eq!(notes.len(), 1);
    let file = b"\xFF".repeat(200_000);
    assert_eq!(decoded(&file, Some("utf-8")).0.len(), 3 * 200_000);
    assert_eq!(decoded(&file, None).0.len(), 2 * 200_000);
}

#[test]
fn an_encoding_that_is_ordered_is_taken() {
    let russian = "Дата,Имя\n";
    let cases = [
        ("windows-1251", encoding_rs::WINDOWS_1251.encode(russian).0.into_owned()),
        ("KOI8-R", encoding_rs::KOI8_R.encode(russian).0.into_owned()),
        (" utf-8 ", russian.as_bytes().to_vec()),
        ("UTF-8", format!("\u{FEFF}{russian}").into_bytes()),
        ("utf-16le", utf16(russian, false)),
        ("utf-16be", utf16(russian, true)),
        ("utf-16", utf16(&format!("\u{FEFF}{russian}"), true)),
        ("utf-16", utf16(russian, false)),
        ("utf-32be", utf32(russian, true)),
        ("utf-32", utf32(&format!("\u{FEFF}{russian}"), true)),
    ];
    for (name, file) in cases {
        assert_eq!(decoded(&file, Some(name)), (russian.into(), vec![]), "{name}");
    }
    assert_eq!(decoded(b"\x80 \xE9", Some("latin1")).0, "€ é");
    for wrong in ["utf-9", "", "cp850", "iso-2022-kr", "\x1B"] {
        let options = ReadOptions { encoding: Some(wrong.into()), ..ReadOptions::default() };
        let error = open(&source("a,b\n"), &options).err().expect(wrong).to_string();
        assert!(error.starts_with("there is no encoding '") && error.contains("'windows-1252'"), "{error}");
    }
}

#[test]
fn lines_that_are_not_utf8_are_windows_1252() {
    let file = b"a,Gr\xC3\xBC\xC3\x9Fe\nb,Gr\xFC\xDFe \x80\nc,\xC3\xA9\nd,\xE9".to_vec();
    let (text, notes) = decoded(&file, None);
    assert_eq!(text, "a,Grüße\nb,Grüße €\nc,é\nd,é");
    let expected = "2 lines are not UTF-8, the first is line 2, and read as Windows-1252; encoding => '...' names another";
    assert_eq!(notes, [expected]);
    // Two letters that would be one of UTF-8 by chance: an end of a word and a quotation mark.
    assert_eq!(decoded(b"\x84Gru\xDF\x93\n", None).0, "„Gruß“\n");
    let (_, notes) = decoded(b"a\n\n\xE9", None);
    assert_eq!(notes, ["line 3 is not UTF-8, and read as Windows-1252; encoding => '...' names another"]);
}

#[test]
fn a_letter_that_was_cut_does_not_change_its_line() {
    let line = "имя=Иван 😀";
    let cut = &line.as_bytes()[..line.len() - 1];
    assert_eq!(decoded(cut, None).0, "имя=Иван ðŸ˜");
    assert_eq!(decoded(&[cut, b" b\n"].concat(), None).0, "имя=Иван ðŸ˜ b\n");
}

/// The reading of a long line, written without the reader: each part of up to a MiB by itself.
#[test]
fn parts_of_long_lines_are_read_by_themselves() {
    let mib = 1 << 20;
    // A letter of two bytes stands across the first MiB.
    let mut file = vec![b'a'; mib - 1];
    file.extend_from_slice("éé".as_bytes());
    file.extend_from_slice(&vec![b'b'; 300_000]);
    file.extend_from_slice(b"\xE9\n\xC3\xA9\n");
    let expected = format!("{}éé{}é\né\n", "a".repeat(mib - 1), "b".repeat(300_000));
    for piece in [usize::MAX, 100_001] {
        let pieces = Box::new(Pieces { bytes: io::Cursor::new(file.clone()), piece });
        let (text, notes) = decoded_in(pieces, &file, None);
        assert!(text == expected && notes.len() == 1, "{notes:?}");
    }
    // With its second part it would be UTF-8: but its first is not.
    let file = [&b"\xE9"[..], &vec![b'a'; 3 * mib], b"\xC3\xA9"].concat();
    assert!(decoded(&file, None).0 == format!("é{}é", "a".repeat(3 * mib)));
}

/// Bytes of text, of several encodings, in a few lines.
fn mixed_lines() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just("é".as_bytes().to_vec()),
        Just("😀".as_bytes().to_vec()),
        Just(b"\xE9".to_vec()),
        Just(b"\xF0\x9F".to_vec()),
        Just(b"abc,".to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// The parts of a line that are decoded by themselves.
fn parts(line: &[u8], longest: usize) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (vec![], line);
    while rest.len() > longest {
        let is_letter = |end: &usize| rest[*end] & 0xC0 != 0x80;
        let end = (longest - 3..=longest).rev().find(is_letter).unwrap_or(longest);
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts.push(rest);
    parts
}

proptest! {
    /// The text does not depend on the pieces in which its bytes arrive, but on its lines alone; long ones count by their parts.
    #[test]
    fn pieces_do_not_matter(file in mixed_lines(), arriving in 1_usize..9, piece in 1_usize..40, longest in 4_usize..40) {
        let pieces = Box::new(Pieces { bytes: io::Cursor::new(file.clone()), piece: arriving });
        let notes = Notes::default();
        let mut text = vec![];
        utf8::Utf8::with_sizes(pieces, notes.clone(), longest, piece).read_to_end(&mut text).expect("text");
        let text = String::from_utf8(text).expect("UTF-8");
        let (mut expected, mut others) = (vec![], vec![]);
        for (number, line) in file.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let parts = parts(line, longest);
            prop_assert_eq!(parts.concat(), line);
            if parts.iter().any(|part| std::str::from_utf8(part).is_err()) {
                others.push(number + 1);
            }
            for part in parts {
                match std::str::from_utf8(part) {
                    Ok(_) => expected.extend_from_slice(part),
                    Err(_) => utf8::decode_line(part, &mut expected),
                }
            }
        }
        prop_assert_eq!(text, String::from_utf8(expected).expect("UTF-8"));
        let end = "and read as Windows-1252; encoding => '...' names another";
        let told = match others[..] {
            [] => vec![],
            [only] => vec![format!("line {only} is not UTF-8, {end}")],
            [first, ..] => vec![format!("{} lines are not UTF-8, the first is line {first}, {end}", others.len())],
        };
        prop_assert_eq!(notes.take(), told);
    }
}

#[test]
fn lines_in_notes_end_as_those_of_the_file() {
    let (text, notes) = decoded(b"a\rGr\xC3\xBC\xC3\x9Fe\rGr\xFC\xDFe\r", None);
    assert_eq!(text, "a\rGrüße\rGrüße\r");
    assert_eq!(notes, ["line 3 is not UTF-8, and read as Windows-1252; encoding => '...' names another"]);
    let mut file = utf16("\u{FEFF}a\rb\r", true);
    file.extend_from_slice(&[0xD8, 0]);
    let (_, notes) = decoded(&file, None);
    assert_eq!(notes, ["a place on line 3 is not UTF-16BE: it became U+FFFD"]);
}
