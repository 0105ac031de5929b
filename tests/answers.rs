//! `dbcluster` and `dbcluster_values` tell of all members of a cluster what plain SQL over `dbcluster_members` tells, and
//! `dbcluster_around` gives what a join of all pairs gives.

use std::fmt::Write;

use fastrand::Rng;

use crate::reference::{SETS, case_keeping_session};
use crate::support::{data_folder, number, read_set, register, rows, session, text};

/// Statements that make a table of few hosts, names, numbers and times, with NULLs and many ties.
fn table(name: &str, rng: &mut Rng, most: usize) -> String {
    let rows: Vec<String> = (0..=rng.usize(..most))
        .map(|id| {
            let mut or_null = |text: String| if rng.u8(..8) == 0 { "NULL".to_string() } else { text };
            let host = or_null("'h".to_string() + &id.wrapping_mul(7).rem_euclid(3).to_string() + "'");
            let number = or_null(["0.0", "-0.0", "1.5", "'NaN'::DOUBLE"][id % 4].to_string());
            let second = or_null(format!("TIMESTAMP '2026-01-15T05:00:{:02}.25'", id * 11 % 50));
            let words = ["run", "run 1", "run 2 now", "run-3"][rng.usize(..4)];
            let command = if rng.u8(..8) == 0 { "NULL".to_string() } else { format!("'{words}'") };
            format!("({id}, {second}, {host}, {number}, {command}, {})", rng.u8(..9))
        })
        .collect();
    format!(
        "CREATE TABLE {name} AS SELECT column1 AS id, column2::TIMESTAMP AS time, column3::VARCHAR AS host, column4::DOUBLE AS number,
                column5::VARCHAR AS command, column6 AS x FROM (VALUES {})",
        rows.join(", ")
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_members_are_those_of_plain_sql() {
    let mut rng = Rng::with_seed(1801);
    for round in 0..40 {
        let ctx = session();
        let table = table("events", &mut rng, 40);
        rows(&ctx, &table).await;
        let eps = [0.5, 1.0, 2.0][rng.usize(..3)];
        let min_samples = [1, 2, 3, 4][rng.usize(..4)];
        let partition_by = ["", ", partition_by => host", ", partition_by => [host, x % 2]"][rng.usize(..3)];
        let nulls = ["", ", nulls => 'zero'"][rng.usize(..2)];
        let call = format!("(events, [x], {eps}, {min_samples}, scaling => 'none'{partition_by}{nulls}");
        let told = format!("round {round}: {table}; {call}");

        let key = "coalesce(cluster_key, id::VARCHAR)";
        let got = format!(
            "SELECT {key} AS key, distinct_host, distinct_number, distinct_command, activity
             FROM dbcluster{call}, distinct_of => [host, number, command], activity => 7) ORDER BY 1"
        );
        let bucket = |n: usize| format!("count(*) FILTER (WHERE bucket = {n})");
        let buckets: Vec<String> = (0..7).map(bucket).collect();
        let expected = format!(
            "WITH bounds AS (SELECT min(extract(epoch FROM time) * 1000) AS first, max(extract(epoch FROM time) * 1000) AS last FROM events),
                  spans AS (SELECT *, floor((extract(epoch FROM time) * 1000 - first) * 1000000 * 7 / ((last - first) * 1000000 + 1)) AS bucket
                            FROM dbcluster_members{call}) CROSS JOIN bounds)
             SELECT {key} AS key, count(DISTINCT host) AS distinct_host, count(DISTINCT number + 0.0) AS distinct_number,
                    count(DISTINCT command) AS distinct_command, [{}] AS activity
             FROM spans GROUP BY 1 ORDER BY 1",
            buckets.join(", ")
        );
        assert_eq!(text(&ctx, &got).await, text(&ctx, &expected).await, "{told}");

        // A template has a place for each value that is not everywhere, and holds for every member.
        let fits = format!(
            "SELECT count(*) FROM dbcluster_members{call}) m JOIN dbcluster{call}, template_of => command) c ON m.cluster_key = c.cluster_key
             WHERE NOT regexp_like(cmdline_template(m.command), '^' || replace(c.command_template, '<*>', '.*') || '$')"
        );
        let fits = text(&ctx, &fits).await;
        assert!(fits.contains("| 0 "), "{fits} {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_counts_of_members() {
    let mut rng = Rng::with_seed(1802);
    for round in 0..40 {
        let ctx = session();
        let table = table("events", &mut rng, 40);
        rows(&ctx, &table).await;
        let eps = [0.5, 1.0, 2.0][rng.usize(..3)];
        let (partition, same) =
            [("", "true"), (", partition_by => host", "host IS NOT DISTINCT FROM all.host")][rng.usize(..2)];
        let exemplar = ["first", "last", "rarest", "medoid"][rng.usize(..4)];
        let call = format!(
            "(events, [x], {eps}, {}, scaling => 'none', exemplar => '{exemplar}'{partition}",
            [2, 3][rng.usize(..2)]
        );
        let columns = "cluster_key, value, events, share, overall_share, lift, shown";
        let got =
            format!("SELECT {columns} FROM dbcluster_values{call}, of => {{c: command}}) ORDER BY 1, 2");
        let over = if partition.is_empty() { "" } else { "host, " };
        let expected = format!(
            "WITH members AS (SELECT *, count(*) OVER (PARTITION BY {over}command) AS with_value,
                                     count(*) OVER (PARTITION BY {over}1) AS of_partition,
                                     count(*) OVER (PARTITION BY cluster_key) AS size FROM dbcluster_members{call})),
                  values AS (SELECT cluster_key, command AS value, count(*) AS events, max(with_value) AS with_value,
                                    max(of_partition) AS of_partition, max(size) AS size
                             FROM members WHERE cluster_id >= 0 GROUP BY 1, 2)
             SELECT v.cluster_key, v.value, v.events, v.events::DOUBLE / v.size AS share, v.with_value::DOUBLE / v.of_partition AS overall_share,
                    (v.events::DOUBLE / v.size) / (v.with_value::DOUBLE / v.of_partition) AS lift,
                    v.value IS NOT DISTINCT FROM c.command AS shown
             FROM values v JOIN dbcluster{call}) c ON c.cluster_key = v.cluster_key ORDER BY 1, 2"
        );
        let told = format!("round {round}: {table}; {call} {same}");
        assert_eq!(text(&ctx, &got).await, text(&ctx, &expected).await, "{told}");

        // Several columns in one call are the columns one by one, and the top ones are among all.
        let of = "[host, id, number, command, time]";
        let several = format!(
            "SELECT cluster_key, \"column\", value, events, lift, shown FROM dbcluster_values{call}, of => {of}) ORDER BY 1, 2, 3"
        );
        let one_by_one: Vec<String> = ["host", "id", "number", "command", "time"]
            .map(|of| {
                format!("SELECT cluster_key, \"column\", value, events, lift, shown FROM dbcluster_values{call}, of => {of})")
            })
            .to_vec();
        let one_by_one = format!("SELECT * FROM ({}) ORDER BY 1, 2, 3", one_by_one.join(" UNION ALL "));
        assert_eq!(text(&ctx, &several).await, text(&ctx, &one_by_one).await, "{told}");
        let top = format!(
            "SELECT cluster_key, \"column\", value FROM dbcluster_values{call}, of => {of}, top => 2) ORDER BY 1, 2, 3"
        );
        let place = |order: &str| {
            format!(
                "row_number() OVER (PARTITION BY cluster_key, \"column\" ORDER BY events {order}, value NULLS LAST)"
            )
        };
        let ranked = format!(
            "SELECT cluster_key, \"column\", value FROM (SELECT *, {} AS rare, {} AS frequent FROM dbcluster_values{call}, of => {of}))
             WHERE rare <= 2 OR frequent <= 2 ORDER BY 1, 2, 3",
            place("ASC"),
            place("DESC")
        );
        assert_eq!(text(&ctx, &top).await, text(&ctx, &ranked).await, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_partition_column_hides() {
    let mut rng = Rng::with_seed(1803);
    let ctx = session();
    rows(&ctx, &table("events", &mut rng, 60)).await;
    let hidden = |partition: &str| {
        format!(
            "SELECT count(*) FROM dbcluster_values(events, [x], 2, scaling => 'none', of => host{partition}) WHERE NOT shown"
        )
    };
    assert!(!text(&ctx, &hidden("")).await.contains("| 0 "), "without it some hide");
    assert!(text(&ctx, &hidden(", partition_by => host")).await.contains("| 0 "), "with it none hides");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_around_events_are_those_of_all_pairs() {
    let mut rng = Rng::with_seed(1804);
    for round in 0..60 {
        let ctx = session();
        let statements = [table("events", &mut rng, 40), table("odd", &mut rng, 12)];
        for statement in &statements {
            rows(&ctx, statement).await;
        }
        let (by, on) = [("", "true"), (", by => host", "o.host IS NOT DISTINCT FROM e.host")][rng.usize(..2)];
        let (within, seconds) =
            [("0 seconds", 0.0), ("1 second", 1.0), ("2500 milliseconds", 2.5), ("1 hour", 3600.0)]
                [rng.usize(..4)];
        let unit = ["TIMESTAMP", "TIMESTAMP(0)", "TIMESTAMP(9)", "DATE"][rng.usize(..4)];
        let odd = format!("(SELECT host, time::{unit} AS time FROM odd)");
        let got = format!(
            "SELECT id, odd_time, seconds_from_odd, odd_events
             FROM dbcluster_around(events, {odd}, within => INTERVAL '{within}'{by}) ORDER BY id"
        );
        let expected = format!(
            "WITH pairs AS (SELECT e.id, o.time AS odd_time,
                                   (e.time::TIMESTAMP(9)::BIGINT - o.time::TIMESTAMP(9)::BIGINT)::DOUBLE / 1e9 AS seconds_from_odd
                            FROM events e JOIN {odd} o ON {on} WHERE e.time IS NOT NULL AND o.time IS NOT NULL),
                  near AS (SELECT *, count(*) OVER (PARTITION BY id) AS odd_events,
                                  row_number() OVER (PARTITION BY id ORDER BY abs(seconds_from_odd), odd_time) AS place
                           FROM pairs WHERE abs(seconds_from_odd) <= {seconds})
             SELECT id, odd_time::TIMESTAMP AS odd_time, seconds_from_odd, odd_events FROM near WHERE place = 1 ORDER BY id"
        );
        let cast = got.replace("SELECT id, odd_time,", "SELECT id, odd_time::TIMESTAMP AS odd_time,");
        assert_eq!(
            text(&ctx, &cast).await,
            text(&ctx, &expected).await,
            "round {round}: {statements:?} {got}"
        );
    }
}

/// On the real sets every column of text is counted, over all clusters at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn answers_on_real_sets_are_those_of_plain_sql() {
    let folder = data_folder();
    for (set, extension, features) in SETS {
        let events = read_set(&folder.join(format!("{set}.{extension}"))).await;
        let ctx = case_keeping_session();
        register(&ctx, "events", &events, 2);
        let features = features.replace('\n', " ").replace('\'', "''");
        let schema = events.schema();
        let texts: Vec<&str> = schema
            .fields()
            .iter()
            .filter(|field| field.data_type().is_string())
            .map(|field| field.name().as_str())
            .take(6)
            .collect();
        assert!(!texts.is_empty(), "{set} has text");
        let list = texts.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let call = |function: &str, more: &str| {
            format!("{function}(events, '{features}', 0.0001, order_by => row{more})")
        };

        let (mut distinct, mut counts) = (String::new(), vec![]);
        for name in &texts {
            let _ = write!(distinct, ", \"distinct_{name}\"");
            counts.push(format!("count(DISTINCT \"{name}\") AS \"distinct_{name}\""));
        }
        let got = format!(
            "SELECT cluster_id{distinct} FROM {} WHERE clustered ORDER BY 1",
            call("dbcluster", &format!(", distinct_of => [{list}]"))
        );
        let expected = format!(
            "SELECT cluster_id, {} FROM {} WHERE cluster_id >= 0 GROUP BY 1 ORDER BY 1",
            counts.join(", "),
            call("dbcluster_members", "")
        );
        assert_eq!(text(&ctx, &got).await, text(&ctx, &expected).await, "{set}");

        for name in &texts {
            let got = format!(
                "SELECT cluster_id, value, events FROM {} ORDER BY 1, 2",
                call("dbcluster_values", &format!(", of => [\"{name}\"]"))
            );
            let expected = format!(
                "SELECT cluster_id, \"{name}\" AS value, count(*) AS events FROM {} WHERE cluster_id >= 0 GROUP BY 1, 2 ORDER BY 1, 2",
                call("dbcluster_members", "")
            );
            // Command lines are long, so the rows are compared where they are.
            let [got, expected] = [got, expected].map(|sql| sql.replace(" ORDER BY 1, 2", ""));
            let differences = format!(
                "SELECT count(*) FROM (({got} EXCEPT {expected}) UNION ALL ({expected} EXCEPT {got}))"
            );
            assert_eq!(number(&ctx, &differences).await, 0, "{set} {name}");
            let as_many =
                format!("SELECT (SELECT count(*) FROM ({got})) - (SELECT count(*) FROM ({expected}))");
            assert_eq!(number(&ctx, &as_many).await, 0, "{set} {name}");
        }
        let shown = format!(
            "SELECT count(*) AS wrong FROM (SELECT cluster_id, count(*) AS n FROM {} WHERE shown GROUP BY 1) WHERE n <> {}",
            call("dbcluster_values", &format!(", of => [{list}]")),
            texts.len()
        );
        assert!(
            text(&ctx, &shown).await.contains("| 0 "),
            "{set}: each exemplar shows one value of each column"
        );
    }
}
