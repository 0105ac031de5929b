//! Any bytes, as one file or as two, with any name, format and encoding.
#![no_main]

use dbcluster_logs::Format;
use dbcluster_logs_fuzz::{Bytes, check, encoding, name, options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut input = Bytes(input);
    let names = input.next();
    let mut options = options(&mut input);
    let (types, format, split) = (input.next(), input.next(), input.next());
    options.encoding = encoding(format >> 4);
    options.format = match format & 15 {
        1 => Some(Format::Csv),
        2 => Some(Format::Json),
        3 => Some(Format::Lines),
        4 => Some(Format::Zeek),
        5 => Some(Format::W3c),
        6 => Some(Format::Evtx),
        7 => Some(Format::Audit),
        _ => None,
    };
    let bytes = input.0;
    if split == 0 {
        return check(&[(name(names), bytes)], &options, types);
    }
    let (first, second) = bytes.split_at(bytes.len() * usize::from(split) / 256);
    check(&[(name(names), first), (name(names >> 4), second)], &options, types);
});
