use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::tests::{TestHost, read_by};
use crate::{Format, ReadOptions};

/// Records of an event, without their beginnings.
const RECORDS: [&str; 8] = [
    "SYSCALL: arch=c000003e syscall=59 pid=7 comm=\"a b\"\u{1d}AUID=\"ana\"",
    "EXECVE: argc=2 a0=\"x\" a1[0]=6120",
    "EXECVE: a1[1]=62",
    "PATH: item=0 name=2F612062",
    "PATH: item=1 name=(null)",
    "AVC: denied { read } pid=8",
    "USER: msg='op=x acct=\"it's\"'",
    "EOE:",
];

fn record(event: usize, of: usize) -> String {
    let (kind, body) = RECORDS[of].split_once(':').expect("a colon");
    format!("type={kind} msg=audit(136448136{}.{:03}:{event}):{body}\n", event % 10, event % 1000)
}

/// The schema, the rows and the account of a reading.
fn content(text: &[u8], block: usize, threads: usize, memory: usize) -> (String, Vec<String>, String) {
    let options = ReadOptions { format: Some(Format::Audit), ..ReadOptions::default() };
    match read_by(&TestHost::with_blocks(block, threads, memory), &[("a.log", text)], &options) {
        Ok(table) => (table.columns(), table.rows.clone(), format!("{:?}", table.report)),
        Err(error) => (String::new(), vec![], error.to_string()),
    }
}

/// The types and the values of the columns.
fn by_name(text: &str) -> BTreeMap<String, (String, Vec<Option<String>>)> {
    let table = super::read_as(text, &ReadOptions::default());
    let values = table.values();
    let fields = table.schema.fields().iter().enumerate();
    let column = |place: usize| values.iter().map(|row| row[place].clone()).collect();
    fields.map(|(at, field)| (field.name().clone(), (field.data_type().to_string(), column(at)))).collect()
}

proptest! {
    #[test]
    fn events_come_out_whole_however_their_lines_are_mixed(order in vec((0_usize..6, 0_usize..7), 1..60)) {
        let text: String = order.iter().map(|(event, of)| record(*event, *of)).collect();
        let mixed = by_name(&text);
        // By the first line of each event, its records.
        let mut first: Vec<usize> = vec![];
        let mut records: BTreeMap<usize, String> = BTreeMap::new();
        for (event, of) in &order {
            if !first.contains(event) {
                first.push(*event);
            }
            records.entry(*event).or_default().push_str(&record(*event, *of));
        }
        prop_assert_eq!(mixed["serial"].1.len(), first.len());
        // The same events, each with its lines together.
        let together: String = first.iter().map(|event| records[event].as_str()).collect();
        prop_assert_eq!(mixed, by_name(&together));
    }

    #[test]
    fn blocks_threads_and_memory_change_nothing(
        lines in vec((0_usize..5, 0_usize..8, 0_usize..12), 0..60),
        ending in select(&["", "\n", "type=A msg=audit(1.000:1"][..]),
        (block, threads, memory) in (1_usize..300, 1_usize..4, select(&[0, 500, usize::MAX][..])),
    ) {
        let mut text = String::new();
        for (event, of, noise) in lines {
            match noise {
                0 => text.push_str("no record\n"),
                1 => text.push_str("\r\n----\n"),
                2 => write!(text, "node=n{event} {}", record(event, of)).expect("text"),
                _ => text.push_str(&record(event, of)),
            }
        }
        text.push_str(ending);
        let whole = content(text.as_bytes(), 4 << 20, 1, usize::MAX);
        prop_assert_eq!(content(text.as_bytes(), block, threads, memory), whole);
    }

    #[test]
    fn any_bytes_are_read(
        parts in vec(prop_oneof![
            vec(any::<u8>(), 0..20),
            select(&[" a0=", " msg='", "\"", "'", "{", "\u{1d}", "=", " a1[0]=41", "\r", "\n", " paths=[", " key=01", "(null)", " ?"][..]).prop_map(|text| text.as_bytes().to_vec()),
            (0_usize..4, 0_usize..8).prop_map(|(event, of)| record(event, of).into_bytes()),
        ], 0..40),
        block in 1_usize..100,
    ) {
        let mut text = record(1, 0).into_bytes();
        text.extend(parts.concat());
        let whole = content(&text, 4 << 20, 1, usize::MAX);
        prop_assert_eq!(content(&text, block, 3, 300), whole);
    }
}
