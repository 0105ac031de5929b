//! A brute-force twin of the table functions and of `dbscan OVER`: random tables, queries and settings, answered by the
//! engine and by plain loops over plain values, and compared to the bit.
//!
//! The twin is the contract once more, as short as it can be said: no trees, no plans, no Arrow. It shares no code with the
//! crate.
//!
//! | module | what it holds |
//! |---|---|
//! | `value`, `table`, `arrays` | cells and tables as plain Rust; to Arrow and back |
//! | `tables`, `source` | random tables, in memory or in files of each format |
//! | `query`, `queries`, `statement` | a query as plain Rust; random ones; the SQL that says it |
//! | `exact`, `scaling`, `dbscan`, `clustering`, `answer` | the twin |
//! | `run`, `compare` | the engine's answer, and the two side by side |
//! | `left_out` | what is not compared, and why |
//! | `itself` | the twin notices what is wrong |
//!
//! A normal run has a few hundred queries, the same ones each time. `DBCLUSTER_TWIN=10000` runs so many fresh ones, from a
//! seed that is printed; `DBCLUSTER_TWIN_SEED` sets it. A difference tells the command that runs its table again.

mod answer;
mod arrays;
mod clustering;
mod compare;
mod dbscan;
mod exact;
mod itself;
mod left_out;
mod queries;
mod query;
mod run;
mod scaling;
mod source;
mod statement;
mod table;
mod tables;
mod value;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::common::runtime::SpawnedTask;
use fastrand::Rng;
use futures::StreamExt;

use answer::{Answer, answer};
use clustering::NoRows;
use compare::{KeyBook, compare, same_limit};
use left_out::{LEFT_OUT, left_out};
use query::{Function, Shown};
use run::{Case, Got, Settings};
use source::{Format, Source};

/// Queries of a normal run, of a seed that is always the same.
const QUERIES: usize = 700;
const SEED: u64 = 1;

/// The number of queries that each table is asked.
const QUERIES_OF_A_TABLE: usize = 5;

/// The run ends after this many differences.
const TOLD: usize = 20;

/// A normal run has to compare each of these at least once.
const PARTS: [&str; 69] = [
    "function dbcluster",
    "function dbcluster_members",
    "function dbcluster_summary",
    "function dbscan",
    "form plain",
    "form positional",
    "form prepared",
    "form over a view of it",
    "form stored",
    "form run again",
    "form data frame",
    "input table",
    "input path",
    "input subquery",
    "input view",
    "input with",
    "input union",
    "input where",
    "input limit",
    "input distinct on",
    "format memory",
    "format parquet",
    "format parquet in folders",
    "format csv",
    "format csv in folders",
    "format json",
    "format json in folders",
    "format arrow",
    "format arrow in folders",
    "dbcluster scaling l2",
    "dbcluster scaling none",
    "dbcluster scaling zscore",
    "dbcluster scaling minmax",
    "dbcluster scaling robust",
    "dbcluster_members scaling l2",
    "dbcluster_members scaling none",
    "dbcluster_members scaling zscore",
    "dbcluster_members scaling minmax",
    "dbcluster_members scaling robust",
    "dbscan scaling l2",
    "dbscan scaling none",
    "dbscan scaling zscore",
    "dbscan scaling minmax",
    "dbscan scaling robust",
    "metric euclidean",
    "metric manhattan",
    "metric chebyshev",
    "nulls error",
    "nulls zero",
    "nulls skip",
    "exemplar first",
    "exemplar last",
    "exemplar medoid",
    "exemplar rarest",
    "filter",
    "limit",
    "limit of certain rows",
    "order by",
    "offset",
    "weights",
    "partition_by",
    "order_by",
    "keep_members",
    "distinct_of",
    "time_column",
    "text as time",
    "expression as time",
    "near eps",
    "auto eps",
];

/// The outcomes of the queries so far.
#[derive(Debug, Default)]
struct Tally {
    compared: usize,
    /// Failed, as they had to.
    refused: usize,
    /// The queries that were not compared, by reason.
    set_aside: BTreeMap<&'static str, usize>,
    /// Queries that were compared, by what they had in them.
    parts: BTreeMap<String, usize>,
    differences: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.refused += other.refused;
        other
            .set_aside
            .into_iter()
            .for_each(|(reason, count)| *self.set_aside.entry(reason).or_default() += count);
        other.parts.into_iter().for_each(|(part, count)| *self.parts.entry(part).or_default() += count);
        self.differences.extend(other.differences);
    }

    fn queries(&self) -> usize {
        self.compared + self.refused + self.set_aside.values().sum::<usize>() + self.differences.len()
    }
}

/// All queries of the table of this seed.
async fn of_table(seed: u64, folder: &Path) -> Tally {
    let mut rng = Rng::with_seed(seed);
    let mut source = Source::random(&mut rng);
    let table = Arc::new(tables::table(&mut rng, &mut source));
    let folder = folder.join(seed.to_string());
    std::fs::create_dir_all(&folder).expect("a folder");
    source.write(&table, &folder);
    let source = Arc::new(source);
    let (mut tally, mut keys) = (Tally::default(), KeyBook::default());
    for number in 0..QUERIES_OF_A_TABLE {
        let query = queries::query(&mut rng, &table, &source);
        let settings = Settings::random(&mut rng, &query);
        let (table, source) = (Arc::clone(&table), Arc::clone(&source));
        let case = Case { table, source, folder: folder.clone(), query, settings };
        if let Some(kind) = left_out(&case) {
            *tally.set_aside.entry(kind.name).or_default() += 1;
            continue;
        }
        if let Err(difference) = of_case(&case, &mut keys, &mut tally).await {
            tally.differences.push(told(seed, number, &case, &difference));
        }
    }
    if tally.differences.is_empty() {
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
    }
    tally
}

/// Compares the two answers of one query.
async fn of_case(case: &Case, keys: &mut KeyBook, tally: &mut Tally) -> Result<(), String> {
    let got = run::run(case.clone()).await;
    match (answer(&case.query, &case.table), got) {
        (Err(NoRows::Unclear(reason)), _) => *tally.set_aside.entry(reason).or_default() += 1,
        (Ok(want), Ok(got)) => {
            compare(&case.query, &want, got.clone(), keys)?;
            without_pushdown(case, &want, &got, keys).await?;
            tally.compared += 1;
            for part in case.parts() {
                *tally.parts.entry(part).or_default() += 1;
            }
        }
        (Err(NoRows::Fails(words)), Err(error)) if words.iter().any(|word| error.contains(word)) => {
            tally.refused += 1;
        }
        (Ok(_), Err(error)) => return Err(format!("failed: {error}")),
        (Err(NoRows::Fails(words)), Ok(_)) => {
            return Err(format!("gave rows, expected an error with one of {words:?}"));
        }
        (Err(NoRows::Fails(words)), Err(error)) => {
            return Err(format!("failed: {error}\nexpected an error with one of {words:?}"));
        }
    }
    Ok(())
}

/// Compares the answer with that of a session in which filters, limits and aggregates stay above the exemplars or members.
async fn without_pushdown(case: &Case, want: &Answer, got: &Got, keys: &mut KeyBook) -> Result<(), String> {
    let Case { query, settings, .. } = case;
    let is_pushed = match query.function {
        Function::Dbcluster => query.limit.is_some() || query.filter.is_some(),
        Function::Members => {
            query.filter.is_some() || matches!(query.shown, Shown::Totals | Shown::PerCluster)
        }
        Function::Summary | Function::Window => false,
    };
    if !is_pushed {
        return Ok(());
    }
    let without = run::run(Case { settings: settings.without_pushdown(), ..case.clone() }).await;
    // With `WHERE cluster_id = 0 ... ORDER BY x, cluster_id LIMIT 6` the engine's sort leaves out the key that is constant, and its merge
    // above the sort asks for it: it refuses its own plan. With the rule the condition stands below, where the key is no column.
    if without.as_ref().is_err_and(|error| error.contains("SanityCheckPlan")) {
        return Ok(());
    }
    let told = |difference: String| format!("without enable_cluster_pushdown: {difference}");
    let without = without.map_err(told)?;
    if query.has_certain_limit() {
        same_limit(got, &without)?;
    }
    compare(query, want, without, keys).map_err(told)
}

/// A difference, with all that it takes to see it again.
fn told(seed: u64, number: usize, case: &Case, difference: &str) -> String {
    let Case { table, source, folder, query, settings } = case;
    let files = match source.format {
        Format::Memory => String::new(),
        _ => format!("\nfiles: {}", source.path(folder)),
    };
    let statements: Vec<String> = [table.create(statement::TABLE)]
        .into_iter()
        .chain(settings.statements())
        .chain(query.statements(&source.path(folder)))
        .collect();
    format!(
        "query {number} of the table of seed {seed} ({})\n{difference}\n\nagain: DBCLUSTER_TWIN=1 DBCLUSTER_TWIN_SEED={seed} \
         cargo test --release --locked --workspace --all-features --test main twin::\ntable: {source}{files}\n{};\n",
        query.form.name(),
        statements.join(";\n")
    )
}

impl Case {
    /// The parts of the contract that a query touches, so that a run can tell that all of them were tried.
    fn parts(&self) -> Vec<String> {
        let Case { source, query, .. } = self;
        let folders = if source.folders.is_some() { " in folders" } else { "" };
        let mut parts = vec![
            format!("function {}", query.function.name()),
            format!("form {}", query.form.name()),
            format!("input {}", query.input.name()),
            format!("format {}{folders}", source.format.extension()),
            format!("{} scaling {}", query.function.name(), query.scaling.name()),
            format!("metric {}", query.metric.name()),
            format!("nulls {}", query.nulls.name()),
            format!("exemplar {}", query.exemplar.name()),
        ];
        let flags = [
            (query.filter.is_some(), "filter"),
            (query.limit.is_some(), "limit"),
            (query.has_certain_limit(), "limit of certain rows"),
            (!query.sort.is_empty(), "order by"),
            (query.offset > 0, "offset"),
            (query.weights.is_some(), "weights"),
            (!query.partition_by.is_empty(), "partition_by"),
            (!query.order_by.is_empty(), "order_by"),
            (!query.keep_members.is_empty(), "keep_members"),
            (!query.distinct_of.is_empty(), "distinct_of"),
            (matches!(query.time_column, query::TimeColumn::Named(_)), "time_column"),
            (matches!(query.time_column, query::TimeColumn::Text(_)), "text as time"),
            (matches!(query.time_column, query::TimeColumn::Negated(_)), "expression as time"),
            (query.is_near_eps, "near eps"),
            (query.is_auto, "auto eps"),
        ];
        parts.extend(flags.into_iter().filter(|(is_there, _)| *is_there).map(|(_, flag)| flag.to_string()));
        parts
    }
}

fn number_of(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is {value}, expected a whole number")))
}

/// The engine and the twin give the same answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engine_and_twin_agree() {
    let wanted = number_of("DBCLUSTER_TWIN").map(|queries| queries as usize);
    let fresh = || wanted.map(|_| fastrand::u64(..u64::from(u32::MAX)));
    let seed = number_of("DBCLUSTER_TWIN_SEED").or_else(fresh).unwrap_or(SEED);
    let queries = wanted.unwrap_or(QUERIES);
    eprintln!("{queries} queries from the seed {seed}");

    let folder = tempfile::tempdir().expect("a folder");
    let path = Arc::new(folder.path().to_path_buf());
    let mut tally = Tally::default();
    let tables = (0..queries.div_ceil(QUERIES_OF_A_TABLE)).map(|index| {
        let path = Arc::clone(&path);
        SpawnedTask::spawn(async move { of_table(seed + index as u64, &path).await }).join()
    });
    let mut tables = futures::stream::iter(tables).buffered(2);
    while let Some(of_table) = tables.next().await {
        tally.add(of_table.unwrap_or_else(|panic| panic!("the twin itself: {panic}")));
        if tally.differences.len() >= TOLD {
            break;
        }
    }
    eprintln!(
        "{} queries: {} compared, {} refused as they had to be, set aside: {:?}",
        tally.queries(),
        tally.compared,
        tally.refused,
        tally.set_aside
    );
    if !tally.differences.is_empty() {
        let folder = folder.keep();
        panic!(
            "{} difference(s); files in {}\n\n{}",
            tally.differences.len(),
            folder.display(),
            tally.differences.join("\n")
        );
    }
    if queries >= QUERIES {
        check_shares(&tally);
    }
}

/// A run that sets most aside, or leaves a part of the contract out, shows nothing.
fn check_shares(tally: &Tally) {
    let share = |count: usize| count as f64 / tally.queries() as f64;
    assert!(share(tally.compared) > 0.7, "{tally:?}");
    assert!(share(tally.set_aside.values().sum()) < 0.05, "{tally:?}");
    for part in PARTS {
        assert!(tally.parts.contains_key(part), "{part} was never compared: {tally:?}");
    }
    for kind in &LEFT_OUT {
        assert!(!kind.why.is_empty(), "{}", kind.name);
    }
}
