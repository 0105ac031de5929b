//! Compressed files: whole, one behind another, cut off and damaged.

use super::*;
use crate::content::compression::LONGEST_MAGIC;

#[test]
fn compressions_are_undone_whatever_the_name() {
    for (name, compress) in COMPRESSORS {
        for (text, piece) in [(&b"a,b\n1,2\n"[..], 1), (b"x", 7), (&noise(330_000), 5_003)] {
            assert_eq!(read(&source(compress(text))).as_deref(), Ok(text), "{name}");
            assert_eq!(read(&Pipe::new(compress(text), piece)).as_deref(), Ok(text), "{name} in pieces");
        }
        assert_eq!(
            content(compress(b"")),
            Content::Unknown("a compressed file of 0 bytes of text"),
            "{name}"
        );
        assert_eq!(content(compress(b"a\n")), Content::Text, "{name}");
    }
}

#[test]
fn streams_behind_one_another_are_read_to_the_last() {
    for (name, compress) in COMPRESSORS {
        let text = noise(30_000);
        let files = [compress(b"a\n"), compress(b""), compress(&text), compress(b"z\n")].concat();
        let expected = [&b"a\n"[..], &text, b"z\n"].concat();
        assert_eq!(read(&source(files.clone())), Ok(expected.clone()), "{name}");
        assert_eq!(read(&Pipe::new(files, 3)), Ok(expected), "{name} in pieces");
    }
}

#[test]
fn frames_that_are_to_be_skipped_are_skipped() {
    let skipped = b"\x5A\x2A\x4D\x18\x03\0\0\0abc";
    let file = [skipped, &zstandard(b"a\n")[..], skipped, &zstandard(b"b\n")[..], skipped].concat();
    assert_eq!(read(&source(file)).as_deref(), Ok(&b"a\nb\n"[..]));
}

#[test]
fn zeros_behind_gzip_are_no_data() {
    let zeros = vec![0; 600_000];
    assert_eq!(read(&source([gzip(b"a\n"), zeros.clone()].concat())).as_deref(), Ok(&b"a\n"[..]));
    assert_eq!(read(&source([gzip(b"a\n"), zeros, gzip(b"b\n")].concat())).as_deref(), Ok(&b"a\nb\n"[..]));
}

/// The bytes behind the compression of a source, and how they end if that is not as it should be.
fn read_on(source: &dyn Source) -> (Vec<u8>, Option<String>) {
    let mut bytes = vec![];
    let ending = opened(source).map_err(|error| error.to_string()).and_then(|opened| {
        let mut reader = opened.bytes;
        reader.read_to_end(&mut bytes).map_err(|error| {
            assert!(Ending::of(&error).is_some(), "{error}");
            error.to_string()
        })
    });
    (bytes, ending.err())
}

/// Wherever a file is cut, what stands before is read and the cut is told or, between two streams, it is a shorter file: never a
/// shorter text.
#[test]
fn a_compressed_file_that_is_cut_off_is_read_up_to_the_cut() {
    let text = noise(200);
    for (name, compress) in COMPRESSORS {
        let (first, second) = (compress(&text), compress(&text));
        let file = [&first[..], &second].concat();
        let mut longest = 0;
        for end in LONGEST_MAGIC..file.len() {
            let cut = &file[..end];
            let (bytes, ending) = read_on(&source(cut));
            assert!([&text[..], &text].concat().starts_with(&bytes), "{name} cut at {end}");
            assert_eq!(read_on(&Pipe::new(cut, 7)), (bytes.clone(), ending.clone()), "{name} cut at {end}");
            assert!(bytes.len() >= longest, "{name} cut at {end}");
            longest = bytes.len();
            if end == first.len() {
                assert_eq!((bytes, ending), (text.clone(), None), "{name}");
                continue;
            }
            let expected = format!(
                "is cut off: its {name} data ends in the middle, after byte {end}; the {longest} bytes"
            );
            assert!(ending.as_ref().is_some_and(|told| told.starts_with(&expected)), "{ending:?}");
        }
        assert!(longest >= text.len(), "{name}");
    }
}

/// The rows of a damaged file do not depend on the pieces in which its bytes come.
#[test]
fn a_damaged_file_is_read_up_to_the_damage() {
    let text = noise(8_000);
    for (name, compress) in COMPRESSORS {
        let file = [compress(&text), compress(&text)].concat();
        for at in (LONGEST_MAGIC..file.len()).step_by(499) {
            let mut damaged = file.clone();
            damaged[at] ^= 0x55;
            let (bytes, ending) = read_on(&source(damaged.clone()));
            assert_eq!(
                read_on(&Pipe::new(damaged, 1_001)),
                (bytes.clone(), ending.clone()),
                "{name} at {at}"
            );
            // A bit of a header may have no meaning.
            let is_whole = bytes == [&text[..], &text].concat();
            // These frames have no checksum.
            assert!(is_whole || ending.is_some() || name == "Zstandard", "{name} at {at}");
        }
    }
    let mut file = gzip(&noise(600_000));
    file[300_000..300_100].fill(0xFF);
    let (bytes, ending) = read_on(&source(file));
    let ending = ending.expect("damage");
    assert!(ending.starts_with("is damaged: its gzip data makes no sense at byte "), "{ending}");
    // Damaged bytes may make some sense, and then the checksum tells.
    assert!(bytes.len() > 300_000 && noise(600_000).starts_with(&bytes[..300_000]), "{}", bytes.len());
    let mut file = gzip(b"a\nb\n");
    let checksum = file.len() - 8;
    file[checksum] ^= 1;
    let (bytes, ending) = read_on(&source(file));
    assert_eq!(bytes, b"a\nb\n");
    assert!(ending.is_some_and(|ending| ending.contains("(its checksum is another), so none of its rows")));
}

#[test]
fn bytes_behind_the_last_stream_are_told_and_not_read() {
    for (name, compress) in COMPRESSORS {
        let file = [&compress(b"a\n")[..], b"something else"].concat();
        let told =
            format!("14 bytes behind the end of the {name} data are no {name} data, and were not read");
        assert_eq!(read_on(&source(file)), (b"a\n".to_vec(), Some(told)), "{name}");
    }
    let file = [gzip(b"a\n"), vec![0; 600_000], b"x".to_vec()].concat();
    let told = "1 byte behind the end of the gzip data is no gzip data, and was not read".to_owned();
    assert_eq!(read_on(&source(file.clone())), (b"a\n".to_vec(), Some(told.clone())));
    // It is no damage: the text is whole.
    let text = open(&source(file), &ReadOptions::default()).expect("text");
    assert_eq!((text.notes.damage(), text.notes.take()), (None, vec![told]));
}

#[test]
fn members_of_gzip_have_headers_of_any_length() {
    let header = [0x1F, 0x8B, 8, 0b1_1100, 0, 0, 0, 0, 0, 3];
    let plain = gzip(b"a\n");
    let file =
        [&header[..], &[3, 0], b"xyz", &vec![b'n'; 300_000], b"\0", b"comment\0", &plain[10..]].concat();
    assert_eq!(read(&source(file.clone())).as_deref(), Ok(&b"a\n"[..]));
    assert_eq!(read(&Pipe::new(file.clone(), 100)).as_deref(), Ok(&b"a\n"[..]));
    for end in [11, 14, 200_000, 300_016] {
        assert_eq!(
            content(&file[..end]),
            Content::Unknown("a compressed file that is cut off before its first byte of text")
        );
    }
    // The checksum of the header.
    let mut header = [0x1F, 0x8B, 8, 0b10, 0, 0, 0, 0, 0, 3];
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    let sum = (crc.sum() as u16).to_le_bytes();
    assert_eq!(read(&source([&header[..], &sum, &plain[10..]].concat())).as_deref(), Ok(&b"a\n"[..]));
    header[4] = 1;
    let damaged = Content::Unknown("a compressed file that is damaged before its first byte of text");
    assert_eq!(content([&header[..], &sum, &plain[10..]].concat()), damaged);
    header[3] = 0b1000_0000;
    assert_eq!(content([&header[..], &plain[10..]].concat()), damaged);
}

#[test]
fn files_without_a_byte_of_text_are_told() {
    let error = |bytes: &[u8]| {
        let options = ReadOptions::default();
        let of_file = open(&source(bytes), &options).err().expect("an error").to_string();
        let (content, looked) = look(Box::new(Pipe::new(bytes, 1)), &options).expect("a kind");
        assert!(matches!(content, Content::Unknown(_)), "{content:?}");
        assert!(open(&*looked, &options).is_err());
        of_file
    };
    for mark in [&b"\xEF\xBB\xBF"[..], b"\xFF\xFE", b"\xFE\xFF", b"\xFF\xFE\0\0", b"\0\0\xFE\xFF"] {
        assert_eq!(error(mark), "'a.log' is a byte order mark and nothing else: it has no columns");
    }
    for (name, compress) in COMPRESSORS {
        assert_eq!(
            error(&compress(b"")),
            "'a.log' is a compressed file of 0 bytes of text: it has no columns"
        );
        let file = compress(b"some text");
        let end = if name == "Zstandard" { 7 } else { LONGEST_MAGIC };
        assert_eq!(
            error(&file[..end]),
            "'a.log' is a compressed file that is cut off before its first byte of text: copy it again from where it is whole"
        );
    }
    // The descriptor of a frame with a window of 2 GiB, as zstd --long=31 writes it.
    assert_eq!(
        error(&[0x28, 0xB5, 0x2F, 0xFD, 0, 21 << 3, 1, 0, 0]),
        "'a.log' is Zstandard data with a window of more than 128 MiB, which has no reader here: decompress it first, \
         with zstd -d --long=31"
    );
    assert_eq!(read_on(&source([0x28, 0xB5, 0x2F, 0xFD, 0, 17 << 3, 9, 0, 0, b'a'])), (b"a".to_vec(), None));
    let error = error(&xz_with_dictionary(1 << 28));
    assert!(error.ends_with("decompress it first, with xz -d"), "{error}");
    assert_eq!(read(&source(xz_with_dictionary(64 << 20))).as_deref(), Ok(&b"a\n"[..]));
    let file = [zstandard(b"a\n"), vec![0x28, 0xB5, 0x2F, 0xFD, 0, 21 << 3, 1, 0, 0]].concat();
    let (bytes, ending) = read_on(&source(file));
    assert_eq!(bytes, b"a\n");
    assert!(
        ending.is_some_and(
            |ending| ending.starts_with("is cut off: from byte ") && ending.contains("--long=31")
        )
    );
}

/// A file that asks for a dictionary of so many bytes.
fn xz_with_dictionary(bytes: u32) -> Vec<u8> {
    let mut options = liblzma::stream::LzmaOptions::new_preset(0).expect("a preset");
    options.dict_size(bytes);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    // The encoder would need several times as much memory, so the header of the block is written by hand.
    let small = xz(b"a\n");
    let mut block = small[12..24].to_vec();
    // The size of the dictionary is 2^n or 3 * 2^(n - 1), see the format of xz.
    let code = (0..40_u32).find(|code| (2 | (code & 1)) << (code / 2 + 11) >= bytes).expect("a size");
    let at = block.iter().position(|byte| *byte == 0x21).expect("the filter") + 2;
    block[at] = code as u8;
    let mut crc = flate2::Crc::new();
    crc.update(&block[..8]);
    block[8..12].copy_from_slice(&crc.sum().to_le_bytes());
    [&small[..12], &block, &small[24..]].concat()
}

#[test]
fn a_letter_that_was_cut_with_its_file_is_left_out() {
    for (text, encoding) in [("a\nб", "utf-8"), ("a\nб", "utf-16le"), ("a\nб", "utf-32be")] {
        let bytes = match encoding {
            "utf-8" => text.as_bytes().to_vec(),
            "utf-16le" => utf16(text, false),
            _ => utf32(text, true),
        };
        // The letters before are there, and nothing is said of an encoding.
        let mut file = gzip(&bytes[..bytes.len() - 1]);
        file.truncate(file.len() - 8);
        let options = ReadOptions {
            encoding: (encoding != "utf-8").then(|| encoding.to_owned()),
            format: Some(Format::Lines),
            ..ReadOptions::default()
        };
        let mut opened = open(&source(file), &options).expect("text");
        let mut read = String::new();
        opened.reader.read_to_string(&mut read).expect("text");
        assert_eq!(read, "a\n", "{encoding}");
        assert_eq!(opened.notes.take().len(), 1, "{encoding}");
        assert!(opened.notes.damage().is_some(), "{encoding}");
    }
}

#[test]
fn a_pipe_that_is_compressed_twice_is_refused_as_a_file_is() {
    let twice = gzip(&gzip(b"a,b\n1,2\n"));
    let options = ReadOptions::default();
    let (content, looked) = look(Box::new(Pipe::new(twice.clone(), 7)), &options).expect("a kind");
    assert_eq!(content, Content::Unknown("compressed twice"));
    for source in [looked, Box::new(source(twice)) as Box<dyn Source>] {
        let error = open(&*source, &options).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("compressed twice"), "{error}");
    }
}
