//! ZIP and tar archives: made of the input, with some bytes changed or cut off, or bytes that only begin as one. Members have no more bytes than
//! the compression can make of the file, and both readings of an archive give the same.
#![no_main]

use std::io::{Cursor, Read, Seek, Write};

use dbcluster_logs::{BytesSource, unpack_tar, unpack_zip};
use dbcluster_logs_fuzz::Bytes;
use libfuzzer_sys::fuzz_target;

/// The names of members: folders, hidden ones, and some that lead elsewhere.
const NAMES: [&str; 8] = ["a.csv", "logs/b.json", "../c.log", "/etc/d", ".hidden", "e/", "\u{202e}f.txt", ""];

/// No compression of these formats makes more of a byte.
const MOST: u64 = 100_000;

fuzz_target!(|input: &[u8]| {
    let mut input = Bytes(input);
    let (kind, split, damage, place, names) = (input.next(), input.next(), input.next(), input.next(), input.next());
    let bytes = input.0;
    let (first, second) = bytes.split_at(bytes.len() * usize::from(split) / 256);
    let name = |at: u8| NAMES[usize::from(at) % NAMES.len()];
    let members = [(name(names), first), (name(names >> 4), second)];
    let is_zip = kind & 1 == 1;
    let mut file = match kind & 6 {
        0 | 2 if is_zip => zip(&members, kind & 2 == 0),
        0 => tar(&members),
        2 => gzip(&tar(&members)),
        4 if is_zip => [b"PK\x03\x04".as_slice(), bytes].concat(),
        _ => bytes.to_vec(),
    };
    let at = file.len() * usize::from(place) / 256;
    if kind & 8 == 8 {
        file.truncate(at);
    } else if let Some(byte) = file.get_mut(at) {
        *byte ^= damage;
    }
    assert_eq!(read(&file, is_zip), read(&file, is_zip), "the same file");
});

/// The members of an archive, or its error.
fn read(file: &[u8], is_zip: bool) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut members = vec![];
    let mut take = |name: &str, bytes: &mut dyn Read| {
        let mut member = vec![];
        // A member that is damaged is told by its reader.
        let _ = bytes.take(MOST * 4096).read_to_end(&mut member);
        assert!(member.len() as u64 <= MOST * (file.len() as u64 + 1), "more than the file can hold");
        members.push((name.to_string(), member));
        Ok(())
    };
    let done = if is_zip {
        let mut archive = tempfile::tempfile().expect("a file");
        archive.write_all(file).and_then(|()| archive.rewind()).expect("a file");
        unpack_zip(archive, "a.zip", &mut take)
    } else {
        unpack_tar(&BytesSource::new("a.tar", file), &mut take)
    };
    done.map(|_| members).map_err(|error| error.to_string())
}

fn zip(members: &[(&str, &[u8])], is_packed: bool) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    let method = if is_packed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        // Two members of one name are refused.
        if archive.start_file(*name, options).is_ok() {
            let _ = archive.write_all(bytes);
        }
    }
    archive.finish().expect("an archive in memory").into_inner()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(vec![]);
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // The name is written as it is, also where it leads elsewhere.
        if let Some(field) = header.as_old_mut().name.get_mut(..name.len()) {
            field.copy_from_slice(name.as_bytes());
        }
        header.set_cksum();
        let _ = archive.append(&header, *bytes);
    }
    archive.into_inner().expect("an archive in memory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("bytes in memory")
}
