//! Plans of a cluster: the rows that travel between stages, and the number of tasks.

use super::processes::{Cluster, SPREAD, Stage, adaptive, sample};

/// Makes a few thousand events count as many, by planners that broadcast only 20 kB or 1000 rows.
const SMALL: [&str; 4] = [
    "SET ballista.optimizer.broadcast_join_threshold_bytes = 20000",
    "SET ballista.optimizer.broadcast_join_threshold_rows = 1000",
    "SET datafusion.optimizer.hash_join_single_partition_threshold = 20000",
    "SET datafusion.optimizer.hash_join_single_partition_threshold_rows = 1000",
];

fn only<'a>(stages: &'a [Stage], operator: &str) -> &'a Stage {
    let found: Vec<&Stage> = stages.iter().filter(|stage| stage.plan().contains(operator)).collect();
    let plans: Vec<&str> = stages.iter().map(Stage::plan).collect();
    assert_eq!(found.len(), 1, "stages with {operator}: {plans:#?}");
    found[0]
}

/// The few clusters go to every task that reads events; the events are neither exchanged nor sorted.
#[test]
fn events_stay_where_they_are() {
    let (_folder, files) = sample(8000, 4);
    let cluster = Cluster::start();
    let query = format!(
        "SELECT * FROM dbcluster('{files}', [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 0.0001)"
    );
    for is_adaptive in [true, false] {
        let planner = adaptive(is_adaptive);
        cluster.answer(&[&SMALL[..], &[SPREAD, &planner, &query]].concat());
        let stages = cluster.last_stages();
        let fetch = only(&stages, "Join");
        let plan = fetch.plan();
        let what = format!("adaptive {is_adaptive}: {plan}");
        assert!(plan.contains("HashJoinExec: mode=CollectLeft, join_type=Inner"), "{what}");
        assert!(plan.contains("DataSourceExec"), "it reads the files itself, {what}");
        assert!(!plan.contains("SortExec"), "{what}");
        assert!(fetch.tasks() >= 4, "a task for each file at least, {what}");
        // Only groups and exemplars are ever written for others to read.
        for stage in &stages {
            assert!(stage.output_rows() < 4000, "adaptive {is_adaptive}: {}", stage.plan());
        }
        // Its features are keys: a time that many clusters share with many events is no product of the two.
        assert!(plan.contains("(cmdline_tokens(CommandLine)@"), "{what}");
        let clustering = only(&stages, " WindowAggExec");
        assert_eq!(clustering.tasks(), 1, "adaptive {is_adaptive}: clustered in one task");
    }
}

/// `dbcluster_members` sends the labelled vectors to every task, and no event travels but to who asked for it.
#[test]
fn members_are_labelled_where_they_are() {
    let (_folder, files) = sample(8000, 4);
    let cluster = Cluster::start();
    let query = format!(
        "SELECT cluster_id, max(Computer) AS n FROM dbcluster_members('{files}', [cmdline_tokens(CommandLine)], eps => 0.0001) GROUP BY 1"
    );
    for is_adaptive in [true, false] {
        let planner = adaptive(is_adaptive);
        cluster.answer(&[&SMALL[..], &[SPREAD, &planner, &query]].concat());
        let stages = cluster.last_stages();
        let join = only(&stages, "Join").plan();
        assert!(
            join.contains("mode=CollectLeft") && join.contains("DataSourceExec"),
            "{is_adaptive}: {join}"
        );
        for stage in &stages {
            assert!(stage.output_rows() < 4000, "adaptive {is_adaptive}: {}", stage.plan());
        }
    }
}

/// With `partition_by` the clustering itself is spread.
#[test]
fn partitions_are_clustered_in_tasks_of_their_own() {
    let (_folder, files) = sample(8000, 4);
    let cluster = Cluster::start();
    let query = format!(
        "SELECT sum(cluster_size) AS n FROM dbcluster('{files}', [cmdline_tokens(CommandLine)], eps => 0.0001, \
         partition_by => Computer)"
    );
    for is_adaptive in [true, false] {
        let parts = "SET datafusion.execution.target_partitions = 4";
        let answer = cluster.answer(&[SPREAD, &adaptive(is_adaptive), parts, &query]);
        assert_eq!(answer, "n\n8000\n");
        let stages = cluster.last_stages();
        let clustering = only(&stages, " WindowAggExec");
        assert_eq!(clustering.tasks(), 4, "adaptive {is_adaptive}: {}", clustering.plan());
    }
}

/// EXPLAIN shows the plan, and EXPLAIN ANALYZE what the clustering on an executor did.
#[test]
fn plans_and_figures_are_shown() {
    let (_folder, file) = sample(2000, 1);
    let cluster = Cluster::start();
    let query = format!("SELECT * FROM dbcluster('{file}', [cmdline_tokens(CommandLine)], eps => 0.0001)");
    let plan = cluster.answer(&["SET datafusion.explain.format = 'indent'", &format!("EXPLAIN {query}")]);
    assert!(plan.contains("dbscan_vectors("), "{plan}");
    for is_adaptive in [true, false] {
        let figures = cluster.answer(&[&adaptive(is_adaptive), &format!("EXPLAIN ANALYZE {query}")]);
        for name in ["WindowAggExec", "core_points=", "clusters=", "peak_mem_used="] {
            assert!(figures.contains(name), "adaptive {is_adaptive}, {name}: {figures}");
        }
    }
}
