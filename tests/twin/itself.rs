//! A comparison is worth what it notices.

use arrow::datatypes::DataType;
use datafusion::prelude::SessionConfig;
use fastrand::Rng;

use super::answer::{Answer, CLUSTER_KEY, answer};
use super::compare::{KeyBook, compare};
use super::query::{Function, Query};
use super::run::{Got, rows};
use super::source::{Format, Source};
use super::statement::TABLE;
use super::value::Value;
use super::{queries, tables};
use crate::support::session_with;

/// Queries with an answer of at least two rows, and that.
fn answered() -> Vec<(Query, Answer)> {
    let mut answered = vec![];
    for seed in 0..200 {
        let mut rng = Rng::with_seed(seed);
        let mut source = Source::random(&mut rng);
        let table = tables::table(&mut rng, &mut source);
        let query = queries::query(&mut rng, &table, &source);
        let of_cluster = query.function != Function::Summary && query.limit.is_none();
        match answer(&query, &table) {
            Ok(answer) if of_cluster && answer.rows.len() > 1 => answered.push((query, answer)),
            _ => {}
        }
    }
    answered
}

/// The twin's answer as if the engine had given it.
fn given(answer: &Answer) -> Got {
    let key = answer.columns.iter().position(|name| name == CLUSTER_KEY);
    let mut rows = answer.rows.clone();
    for row in &mut rows {
        if let Some(Value::Text(identity)) = key.map(|place| &mut row[place]) {
            *identity = hashed(identity);
        }
    }
    let columns = answer.columns.iter().map(|name| (name.clone(), DataType::Null)).collect();
    Got { columns, rows, input: vec![] }
}

fn hashed(identity: &str) -> String {
    let hash =
        identity.bytes().fold(0_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

#[test]
fn a_wrong_answer_is_noticed() {
    let mut noticed = [0; 5];
    for (query, want) in answered() {
        let compare = |got: Got| compare(&query, &want, got, &mut KeyBook::default());
        assert_eq!(compare(given(&want)), Ok(()), "{query:?}");

        let mut missing = given(&want);
        missing.rows.pop();
        noticed[0] += usize::from(compare(missing).is_err());
        let mut twice = given(&want);
        twice.rows.push(want.rows[0].clone());
        noticed[1] += usize::from(compare(twice).is_err());
        let mut renamed = given(&want);
        renamed.columns[0].0.push('x');
        noticed[2] += usize::from(compare(renamed).is_err());
        let mut other = given(&want);
        other.rows[0][0] = Value::Text("another value".to_string());
        noticed[3] += usize::from(compare(other).is_err());
        let key = want.columns.iter().position(|name| name == CLUSTER_KEY);
        if let Some(place) = key
            && want.rows.iter().any(|row| !row[place].is_null())
        {
            let mut without_key = given(&want);
            without_key.rows.iter_mut().for_each(|row| row[place] = Value::Null);
            noticed[4] += usize::from(compare(without_key).is_err());
        } else {
            noticed[4] += 1;
        }
    }
    let queries = answered().len();
    assert!(queries > 50, "{queries}");
    assert_eq!(noticed, [queries; 5]);
}

#[test]
fn clusters_of_one_key_are_noticed() {
    let columns = vec!["cluster_id".to_string(), CLUSTER_KEY.to_string()];
    let rows = |keys: [&str; 2]| {
        let row = |(id, key): (usize, &str)| vec![Value::Int(id as i128), Value::Text(key.to_string())];
        keys.into_iter().enumerate().map(row).collect()
    };
    let (query, _) = answered().remove(0);
    let want = Answer { columns: columns.clone(), rows: rows(["a", "b"]) };
    let columns: Vec<(String, DataType)> = columns.into_iter().map(|name| (name, DataType::Null)).collect();
    let got = |keys| Got { columns: columns.clone(), rows: rows(keys), input: vec![] };
    let (one, two) = ("00000000000000aa", "00000000000000bb");
    let mut keys = KeyBook::default();
    assert_eq!(compare(&query, &want, got([one, two]), &mut keys), Ok(()));
    assert!(compare(&query, &want, got([two, one]), &mut keys).is_err(), "another key than before");
    assert!(compare(&query, &want, got([one, one]), &mut KeyBook::default()).is_err(), "one key for two");
    assert!(compare(&query, &want, got(["1", "2"]), &mut KeyBook::default()).is_err(), "no hash");
}

/// The statements that are printed for a table make that table.
#[tokio::test]
async fn statements_make_the_table() {
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let mut source = Source { format: Format::Memory, ..Source::random(&mut rng) };
        let mut table = tables::table(&mut rng, &mut source);
        let ctx = session_with(SessionConfig::new().with_target_partitions(1));
        let create = table.create(TABLE);
        let made = ctx.sql(&create).await.unwrap_or_else(|error| panic!("{create}\n{error}"));
        made.collect().await.unwrap_or_else(|error| panic!("{create}\n{error}"));
        let frame = ctx.table(TABLE).await.expect("the table is there");
        for (column, field) in table.columns.iter().zip(frame.schema().fields()) {
            assert_eq!((&column.name, &column.data_type), (field.name(), field.data_type()), "{create}");
        }
        let mut made = rows(&frame.collect().await.expect("rows in memory"));
        made.sort();
        table.rows.sort();
        assert_eq!(made, table.rows, "{create}");
    }
}
