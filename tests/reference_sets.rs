//! scikit-learn's labels on the small sets of `tests/reference_sets`, which are part of the repository.
//!
//! `sets.json` lists the sets and the calls that cluster each of them. `<set>.csv` holds the events. `<set>.answers.csv`
//! holds for each event and call the cluster, the type, and the row that stands for it in the collapsed table. The
//! folder's `make.py` writes all three with scikit-learn, and says how to run it.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{read_set, register, repository, session, text};

fn folder() -> PathBuf {
    repository().join("tests/reference_sets")
}

fn sets() -> Vec<Value> {
    let list = std::fs::read_to_string(folder().join("sets.json")).expect("a list of the sets");
    serde_json::from_str(&list).expect("the list is JSON")
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is missing in {value}"))
}

fn calls(set: &Value) -> &Vec<Value> {
    set["calls"].as_array().expect("a set has calls")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_scikit_learns() {
    for set in sets() {
        let (name, features) = (string(&set, "set"), string(&set, "features"));
        let ctx = session();
        for (table, file) in [("events", format!("{name}.csv")), ("answers", format!("{name}.answers.csv"))] {
            register(&ctx, table, &read_set(&folder().join(file)).await, 3);
        }
        for (index, call) in calls(&set).iter().enumerate() {
            let number = index + 1;
            let arguments = format!("(events, {features}, {})", string(call, "options"));
            let members =
                format!("SELECT cluster_id, point_type FROM dbcluster_members{arguments} ORDER BY row");
            let labels = format!(
                "SELECT id_{number} AS cluster_id, type_{number} AS point_type FROM answers ORDER BY row"
            );
            let collapsed =
                format!("SELECT row, cluster_id, cluster_size FROM dbcluster{arguments} ORDER BY row");
            let grouped = format!(
                "SELECT exemplar_{number} AS row, id_{number} AS cluster_id, count(*) AS cluster_size
                 FROM answers GROUP BY 1, 2 ORDER BY 1"
            );
            let summary = format!("SELECT clusters, noise FROM dbcluster_summary{arguments}");
            let counted = format!(
                "SELECT count(DISTINCT exemplar_{number}) FILTER (WHERE id_{number} >= 0) AS clusters,
                        count(*) FILTER (WHERE id_{number} = -1) AS noise FROM answers"
            );
            let mut pairs = vec![(members, labels), (collapsed, grouped), (summary, counted.clone())];
            // A partition has a row of its own.
            let every_eps = format!(
                "SELECT sum(clusters) AS clusters, sum(noise) AS noise FROM dbcluster_eps{arguments}"
            );
            pairs.push((every_eps, counted));
            if let Some(window) = call["window"].as_str() {
                let window = format!("SELECT {window} AS cluster FROM events ORDER BY row");
                pairs.push((window, format!("SELECT id_{number} AS cluster FROM answers ORDER BY row")));
            }
            for (ours, theirs) in pairs {
                assert_eq!(text(&ctx, &ours).await, text(&ctx, &theirs).await, "set {name}: {ours}");
            }
        }
    }
}

/// Sets that leave an option out would prove less than they claim.
#[tokio::test]
async fn sets_cover_the_options() {
    let sets = sets();
    let options: Vec<&str> = sets.iter().flat_map(calls).map(|call| string(call, "options")).collect();
    for value in [
        "metric => 'manhattan'",
        "metric => 'chebyshev'",
        "scaling => 'none'",
        "scaling => 'zscore'",
        "scaling => 'minmax'",
        "scaling => 'robust'",
        "weights => [",
        "nulls => 'zero'",
        "nulls => 'skip'",
        "exemplar => 'last'",
        "exemplar => 'medoid'",
        "exemplar => 'rarest'",
        "partition_by => ",
    ] {
        assert!(options.iter().any(|options| options.contains(value)), "no set has {value}");
    }
    assert!(options.iter().any(|options| !options.contains("scaling")), "no set has the default scaling");
    assert!(options.iter().any(|options| !options.contains("order_by")), "no set has the default order");
    for set in &sets {
        let answers = format!("{}.answers.csv", string(set, "set"));
        let answers = std::fs::read_to_string(folder().join(answers)).expect("a set has answers");
        let columns = answers.lines().next().map_or(0, |header| header.split(',').count());
        assert_eq!(columns, 3 * calls(set).len(), "{}", string(set, "set"));
    }
}
