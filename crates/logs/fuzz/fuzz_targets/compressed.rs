//! Compressed files of one or two streams, whole, cut off or with a byte changed; and bytes that only begin as one.
#![no_main]

use std::io::{Read, Write};

use dbcluster_logs::ReadOptions;
use dbcluster_logs_fuzz::{Bytes, check, name};
use libfuzzer_sys::fuzz_target;

/// The first bytes of the formats.
const BEGINNINGS: [&[u8]; 6] = [
    b"\x1F\x8B\x08",
    b"BZh91AY&SY",
    b"\xFD7zXZ\0",
    b"\x28\xB5\x2F\xFD",
    b"\x50\x2A\x4D\x18",
    b"BZh9\x17\x72\x45\x38\x50\x90",
];

fuzz_target!(|input: &[u8]| {
    let mut input = Bytes(input);
    let (kind, split, damage, place, names) =
        (input.next(), input.next(), input.next(), input.next(), input.next());
    let bytes = input.0;
    let mut file = match kind & 7 {
        kind @ 0..=3 => {
            let (first, second) = bytes.split_at(bytes.len() * usize::from(split) / 256);
            let mut file = compressed(kind, first);
            file.extend(compressed(kind, second));
            file
        }
        // A stream in a stream is not read.
        4 => compressed(0, &compressed(1, bytes)),
        _ => [BEGINNINGS[usize::from(split) % BEGINNINGS.len()], bytes].concat(),
    };
    let at = file.len() * usize::from(place) / 256;
    if kind & 8 == 8 {
        file.truncate(at);
    } else if let Some(byte) = file.get_mut(at) {
        *byte ^= damage;
    }
    check(&[(name(names), &file)], &ReadOptions::default(), 0);
});

/// Bytes in one stream.
fn compressed(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![];
    let done = match kind {
        0 => flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut file),
        1 => bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast()).read_to_end(&mut file),
        2 => liblzma::read::XzEncoder::new(bytes, 0).read_to_end(&mut file),
        _ => {
            let mut encoder = zstd::stream::write::Encoder::new(&mut file, 1).expect("an encoder");
            encoder.write_all(bytes).and_then(|()| encoder.finish()).map(|file| file.len())
        }
    };
    done.expect("bytes in memory");
    file
}
