//! Tests of the content of files, and the sources and compressions that they share.

mod compressed;
mod encodings;

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::container::Container;
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
        (b"PK\x03\x04\x14\0\0\0log.csv", Content::Container(Container::Zip)),
        (b"PK\x03\x04\x14\0\0\0xl/workbook.xml", Content::Unknown("an Excel workbook")),
        (b"ElfFile\0\0\0\0", Content::EventLog),
        (&tar, Content::Container(Container::Tar)),
        (b"SQLite format 3\0", Content::Unknown("an SQLite database")),
        (b"%PDF-1.7\n%abc", Content::Unknown("a PDF document")),
        (b"MZ\x90\0\x03\0", Content::Unknown("a program of Windows (PE)")),
        (b"\x0A\x0D\x0D\x0A\x1C\0\0\0\x4D\x3C\x2B\x1A", Content::Unknown("a packet capture (pcapng)")),
        (b"\x89PNG\r\n\x1A\n\0", Content::Unknown("a PNG picture")),
    ];
    for (bytes, expected) in cases {
        assert_eq!(content(bytes), expected, "{}", bytes.escape_ascii());
    }
    assert_eq!(content(gzip(&tar)), Content::Container(Container::Tar));
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
        error(b"SQLite format 3\0"),
        "'a.log' is an SQLite database, which has no reader here: write its tables as CSV, with sqlite3 -csv -header for one"
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
