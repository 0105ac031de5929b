use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::source::BytesSource;

/// A source that gives out a few bytes at a time, as a slow pipe does, and can be opened once.
struct Pipe {
    bytes: Mutex<Option<Vec<u8>>>,
    piece: usize,
}

impl Pipe {
    fn new(bytes: impl Into<Vec<u8>>, piece: usize) -> Self {
        Self { bytes: Mutex::new(Some(bytes.into())), piece }
    }
}

impl Source for Pipe {
    fn name(&self) -> &'static str {
        "pipe"
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let bytes =
            self.bytes.lock().expect("no panic").take().ok_or_else(|| io::Error::other("opened twice"))?;
        Ok(Box::new(Pieces { bytes: io::Cursor::new(bytes), piece: self.piece }))
    }

    fn opens_once(&self) -> bool {
        true
    }
}

struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    piece: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.piece);
        self.bytes.read(&mut buffer[..length])
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    file.write_all(bytes).expect("memory");
    file.finish().expect("memory")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut file = bzip2::write::BzEncoder::new(vec![], bzip2::Compression::default());
    file.write_all(bytes).expect("memory");
    file.finish().expect("memory")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut file = liblzma::write::XzEncoder::new(vec![], 1);
    file.write_all(bytes).expect("memory");
    file.finish().expect("memory")
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).expect("memory")
}

/// A compression to be tested: its name, and its compressor.
type Compressor = (&'static str, fn(&[u8]) -> Vec<u8>);

const COMPRESSORS: [Compressor; 4] = [("gzip", gzip), ("bzip2", bzip2), ("xz", xz), ("Zstandard", zstandard)];

fn source(bytes: impl Into<Vec<u8>>) -> BytesSource {
    BytesSource::new("a.log", bytes)
}

fn content(bytes: impl Into<Vec<u8>>) -> Content {
    content_of(&source(bytes)).expect("a kind")
}

/// The text behind bytes, and its notes. It does not ask for a format.
fn decoded(bytes: &[u8], encoding: Option<&str>) -> (String, Vec<String>) {
    decoded_in(Box::new(io::Cursor::new(bytes.to_vec())), bytes, encoding)
}

fn decoded_in(
    reader: Box<dyn Read + Send>,
    beginning: &[u8],
    encoding: Option<&str>,
) -> (String, Vec<String>) {
    let options = ReadOptions { encoding: encoding.map(Into::into), ..ReadOptions::default() };
    let notes = Notes::default();
    let beginning = &beginning[..beginning.len().min(BEGINNING)];
    let mut text = vec![];
    encoding::decoded(reader, beginning, &options, &notes)
        .expect("an encoding")
        .read_to_end(&mut text)
        .expect("text");
    let text = String::from_utf8(text).expect("UTF-8");
    (text.trim_start_matches('\u{FEFF}').into(), notes.take())
}

fn utf16(text: &str, is_big_endian: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| if is_big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
        .collect()
}

fn utf32(text: &str, is_big_endian: bool) -> Vec<u8> {
    let bytes = |letter| {
        if is_big_endian { u32::from(letter).to_be_bytes() } else { u32::from(letter).to_le_bytes() }
    };
    text.chars().flat_map(bytes).collect()
}

/// Reads all bytes behind the compression of a source.
fn read(source: &dyn Source) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = vec![];
    let mut reader = opened(source).map_err(|error| error.to_string())?.bytes;
    reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Bytes that do not compress well.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b' ' + (state >> 25) as u8 % 90
    };
    (0..length).map(|_| next()).collect()
}

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
        for end in compression::LONGEST_MAGIC..file.len() {
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

/// What is read of a damaged file does not depend on the pieces in which its bytes come.
#[test]
fn a_damaged_file_is_read_up_to_the_damage() {
    let text = noise(8_000);
    for (name, compress) in COMPRESSORS {
        let file = [compress(&text), compress(&text)].concat();
        for at in (compression::LONGEST_MAGIC..file.len()).step_by(499) {
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
        let end = if name == "Zstandard" { 7 } else { compression::LONGEST_MAGIC };
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
fn known_formats_are_not_read_as_text() {
    let zeros = [0; 600];
    let tar = [&b"log.csv"[..], &zeros[..250], b"ustar\0", &zeros].concat();
    let cases: [(&[u8], Content); 16] = [
        (b"", Content::Empty),
        (b"\n", Content::Text),
        (b"\xEF\xBB\xBF", Content::Unknown("a byte order mark and nothing else")),
        (b"PAR1\x15\x04\x15\0", Content::Binary(BinaryFormat::Parquet)),
        (b"ARROW1\0\0\xFF\xFF\xFF\xFF", Content::Binary(BinaryFormat::Arrow)),
        (b"\xFF\xFF\xFF\xFF\x10\x01\0\0\x10\0", Content::Binary(BinaryFormat::ArrowStream)),
        (b"Obj\x01\x04\x16avro.schema", Content::Binary(BinaryFormat::Avro)),
        (b"PK\x03\x04\x14\0\0\0log.csv", Content::Unknown("a ZIP archive")),
        (b"PK\x03\x04\x14\0\0\0xl/workbook.xml", Content::Unknown("an Excel workbook")),
        (b"ElfFile\0\0\0\0", Content::Unknown("a Windows event log (EVTX)")),
        (&tar, Content::Unknown("a tar archive")),
        (b"SQLite format 3\0", Content::Unknown("an SQLite database")),
        (b"%PDF-1.7\n%abc", Content::Unknown("a PDF document")),
        (b"MZ\x90\0\x03\0", Content::Unknown("a program of Windows (PE)")),
        (b"\x0A\x0D\x0D\x0A\x1C\0\0\0\x4D\x3C\x2B\x1A", Content::Unknown("a packet capture (pcapng)")),
        (b"\x89PNG\r\n\x1A\n\0", Content::Unknown("a PNG picture")),
    ];
    for (bytes, expected) in cases {
        assert_eq!(content(bytes), expected, "{}", bytes.escape_ascii());
    }
    assert_eq!(content(gzip(&tar)), Content::Unknown("a tar archive"));
    assert_eq!(
        content(gzip(b"PAR1\x15\x04\x15\0")),
        Content::Unknown("a compressed file of a columnar format")
    );
    assert_eq!(content(gzip(&gzip(b"a\n"))), Content::Unknown("compressed twice"));
    for text in
        ["MZ,count\n1,2\n", "ORC\n", "PAR1,PAR2\n", "GIF89a is old\n", "regf", "BZh91\n", "1234LfLe\n"]
    {
        assert_eq!(content(text), Content::Text, "{text}");
    }
}

#[test]
fn binary_data_is_told_from_text_of_any_encoding() {
    let noise: Vec<u8> =
        noise(20_000).iter().enumerate().map(|(at, byte)| byte.wrapping_mul(at as u8 | 1)).collect();
    let structs: Vec<u8> = (0_u32..5_000).flat_map(u32::to_le_bytes).collect();
    for bytes in [&noise[..], &structs, &[0; 5_000], b"\x01\x02\x03", &utf16("a", false)[..1].repeat(0)[..]] {
        let expected = if bytes.is_empty() { Content::Empty } else { Content::Unknown("binary data") };
        assert_eq!(content(bytes), expected);
    }
    let fix = "8=FIX.4.2\x019=65\x0135=A\x0149=SERVER\x01\n".repeat(100);
    let interrupted = [&b"one line\n"[..], &[0; 4_000], b"another\n"].concat();
    let shift_jis = encoding_rs::SHIFT_JIS.encode("日付,利用者\n1,山田\n").0.repeat(50);
    let coloured = "\x1B[32mINFO\x1B[0m started\n".repeat(10);
    let sequence = "\x1E{\"a\":1}\n".repeat(10);
    for text in
        [fix.as_bytes(), &interrupted, &shift_jis, coloured.as_bytes(), sequence.as_bytes(), b"Gr\xFC\xDFe\n"]
    {
        assert_eq!(content(text), Content::Text, "{}", text[..40.min(text.len())].escape_ascii());
    }
    for is_big_endian in [false, true] {
        for text in ["a\n", "TimeGenerated,Account\n", "Дата,Имя\n1,Иван Петров\n2,Анна Иванова\n"]
        {
            assert_eq!(content(utf16(text, is_big_endian)), Content::Text, "{text}");
            assert_eq!(content(utf16(&format!("\u{FEFF}{text}"), is_big_endian)), Content::Text, "{text}");
            assert_eq!(content(utf32(&format!("\u{FEFF}{text}"), is_big_endian)), Content::Text, "{text}");
        }
    }
}

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

#[test]
fn the_head_of_a_text_is_valid_and_is_given_out_again() {
    let text = format!("{}é{}", "a".repeat(HEAD - 1), "b".repeat(10));
    let marked = format!("\u{FEFF}\u{FEFF}{}", "a\n".repeat(10));
    let cases = [(text.as_str(), HEAD - 1, false), (&marked, 20, true), ("", 0, true), ("\u{FEFF}", 0, true)];
    for (text, length, is_whole) in cases {
        let head = Head::of(Box::new(io::Cursor::new(text.to_string()))).expect("a head");
        assert_eq!((head.letters().len(), head.is_whole), (length, is_whole));
        assert!(std::str::from_utf8(head.letters()).is_ok());
        let mut read = String::new();
        head.into_reader().read_to_string(&mut read).expect("text");
        assert!(read == text.trim_start_matches('\u{FEFF}'));
    }
}

#[test]
fn a_source_is_opened_once() {
    let pipe = Pipe::new(gzip(b"a,b\n1,2\n"), 1);
    let (content, looked) = look(Box::new(pipe), &ReadOptions::default()).expect("a kind");
    assert_eq!(content, Content::Text);
    assert_eq!(read(&*looked).as_deref(), Ok(&b"a,b\n1,2\n"[..]));
    assert_eq!(read(&*looked).expect_err("gone"), "can't open 'pipe': it can be read once, and has been");
    let (_, again) = look(Box::new(source("a")), &ReadOptions::default()).expect("a kind");
    assert_eq!((read(&*again), read(&*again)), (Ok(b"a".to_vec()), Ok(b"a".to_vec())));
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_found_looked_at_and_read_in_one_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let written = [&b"\xEF\xBB\xBFa\n"[..], &noise(200_000)].concat();
    let writer = std::thread::spawn({
        let (path, file) = (path.clone(), gzip(&written));
        move || std::fs::write(path, file)
    });
    let mut found = crate::find(&path.display().to_string()).expect("the pipe");
    let pipe = found.files.pop().expect("a file");
    let (content, looked) = look(Box::new(pipe), &ReadOptions::default()).expect("a kind");
    assert_eq!((content, read(&*looked)), (Content::Text, Ok(written)));
    writer.join().expect("no panic").expect("all is written");
}

#[test]
fn what_is_no_text_is_refused_with_a_way_out() {
    let error =
        |bytes: &[u8]| open(&source(bytes), &ReadOptions::default()).err().expect("no text").to_string();
    assert_eq!(
        error(b"ElfFile\0\0"),
        "'a.log' is a Windows event log (EVTX), which has no reader here: turn it into JSON, with evtx_dump -o jsonl for one"
    );
    assert_eq!(error(b"PAR1\x15\x04\x15\0"), "'a.log' is a Parquet file, which is no text");
    assert!(error(&[1; 100]).starts_with("'a.log' is no text"));
    let options = ReadOptions { encoding: Some("windows-1252".into()), ..ReadOptions::default() };
    let (content, _) = look(Box::new(source([1; 100])), &options).expect("a kind");
    assert_eq!(content, Content::Text, "an encoding says that it is text");
}

#[test]
fn errors_of_the_file_name_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = crate::LocalFile::new(folder.path().join("x"));
    let error = content_of(&missing).expect_err("nothing").to_string();
    assert!(error.starts_with("can't open '") && error.contains("/x': "), "{error}");
    let error = content_of(&crate::LocalFile::new(folder.path())).expect_err("a folder").to_string();
    assert!(error.starts_with("can't read '") || error.starts_with("can't open '"), "{error}");
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any bytes are read or refused.
    #[test]
    fn any_bytes_end(file in prop::collection::vec(any::<u8>(), 0..300), encoding in prop::option::of("utf-(8|16|32)")) {
        if content_of(&source(file.clone())).is_ok_and(|content| content == Content::Text) {
            decoded(&file, encoding.as_deref());
        }
        for (_, compress) in COMPRESSORS {
            let whole = compress(&file);
            let damaged: Vec<u8> = whole.iter().enumerate().map(|(at, byte)| if at % 13 == 12 { byte ^ 0x55 } else { *byte }).collect();
            prop_assert_eq!(read(&source(whole)), Ok(file.clone()));
            let _ = read(&source(damaged));
        }
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
