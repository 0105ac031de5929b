//! The methods of a `DataFrame` give what the table functions of SQL give.

use datafusion::common::Result;
use datafusion::functions::expr_fn::concat;
use datafusion::functions_aggregate::expr_fn::{count, max};
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::{DataFrame, SessionContext, col};
use datafusion_dbcluster::dbscan::{Metric, Scaling};
use datafusion_dbcluster::{
    ClusterOptions, DbclusterDataFrameExt, ExemplarChoice, NullPolicy, functions::cmdline_tokens_udf,
};

use crate::support::{session, sorted_text};

const EVENTS: &str = r#"CREATE TABLE events AS SELECT * FROM (VALUES
  (1, TIMESTAMP '2026-01-15 04:00:00', 'h1', 'a /x', 0.0, 0.0),
  (2, TIMESTAMP '2026-01-15 04:10:00', 'h1', 'b /x', 1.0, 0.0),
  (3, TIMESTAMP '2026-01-15 04:20:00', 'h1', 'c /y', 1.0, 0.0),
  (4, TIMESTAMP '2026-01-15 04:30:00', 'h1', 'd', 2.0, 1.0),
  (5, TIMESTAMP '2026-01-15 04:40:00', 'h1', 'e', 9.0, 9.0),
  (6, TIMESTAMP '2026-01-15 04:50:00', 'h2', 'f', 9.0, 9.0),
  (7, TIMESTAMP '2026-01-15 05:00:00', 'h2', 'g', 9.0, NULL),
  (8, NULL,                            NULL, 'h', 9.0, 9.5),
  (9, TIMESTAMP '2026-01-15 05:20:00', NULL, 'i', 9.0, 9.0)
) AS t(id, time, host, "CommandLine", x, y)"#;

async fn with_events(ctx: &SessionContext) -> DataFrame {
    ctx.sql(EVENTS).await.expect("a table").collect().await.expect("a table");
    ctx.table("events").await.expect("the table")
}

async fn printed(frame: Result<DataFrame>) -> Vec<String> {
    let frame = frame.unwrap_or_else(|error| panic!("{error}"));
    sorted_text(&frame.collect().await.unwrap_or_else(|error| panic!("{error}")))
}

/// Each option, as Rust and as SQL, over the features x and y.
fn every_option() -> Vec<(ClusterOptions, &'static str)> {
    let options =
        || ClusterOptions::new(1.0).feature("x", col("x")).feature("y", col("y")).nulls(NullPolicy::Zero);
    let unscaled = || options().scaling(Scaling::None);
    vec![
        (options(), "1, nulls => 'zero'"),
        (unscaled(), "1, nulls => 'zero', scaling => 'none'"),
        (options().scaling(Scaling::Robust), "1, nulls => 'zero', scaling => 'robust'"),
        (unscaled().min_samples(3), "1, 3, nulls => 'zero', scaling => 'none'"),
        (unscaled().nulls(NullPolicy::Skip), "1, nulls => 'skip', scaling => 'none'"),
        (
            unscaled().metric(Metric::Manhattan),
            "1, nulls => 'zero', scaling => 'none', metric => 'manhattan'",
        ),
        (unscaled().weight("y", 0.1), "1, nulls => 'zero', scaling => 'none', weights => {y: 0.1}"),
        (
            unscaled().exemplar(ExemplarChoice::Last),
            "1, nulls => 'zero', scaling => 'none', exemplar => 'last'",
        ),
        (
            unscaled().exemplar(ExemplarChoice::Medoid),
            "1, nulls => 'zero', scaling => 'none', exemplar => 'medoid'",
        ),
        (
            unscaled().time_column("id").exemplar(ExemplarChoice::Rarest),
            "1, nulls => 'zero', scaling => 'none', time_column => id, exemplar => 'rarest'",
        ),
        (
            unscaled().time(-col("id")).exemplar(ExemplarChoice::Last),
            "1, nulls => 'zero', scaling => 'none', time_column => -id, exemplar => 'last'",
        ),
        (
            unscaled().time(concat(vec![lit("2026-01-1"), col("events.id")])),
            "1, nulls => 'zero', scaling => 'none', time_column => concat('2026-01-1', id)",
        ),
        (unscaled().without_time_column(), "1, nulls => 'zero', scaling => 'none', time_column => NULL"),
        (
            unscaled().order_by(vec![-col("id"), col("host")]),
            "1, nulls => 'zero', scaling => 'none', order_by => [-id, host]",
        ),
        (
            unscaled().partition_by(vec![col("host"), col("id") % lit(2_i64)]),
            "1, nulls => 'zero', scaling => 'none', partition_by => [host, id % 2]",
        ),
        (
            unscaled().keep_members("CommandLine", 2).keep_members("id", 10),
            "1, nulls => 'zero', scaling => 'none', keep_members => {CommandLine: 2, id: 10}",
        ),
    ]
}

#[tokio::test]
async fn every_option_means_what_it_means_in_sql() {
    let ctx = session();
    let events = with_events(&ctx).await;
    for (options, sql) in every_option() {
        let of_sql = async |function: &str, columns: &str| {
            printed(ctx.sql(&format!("SELECT {columns} FROM {function}(events, [x, y], {sql})")).await).await
        };
        let clusters = events.clone().dbcluster(options.clone());
        assert_eq!(printed(clusters).await, of_sql("dbcluster", "*").await, "{sql}");
        let members = events.clone().dbcluster_members(options.clone());
        assert_eq!(printed(members).await, of_sql("dbcluster_members", "*").await, "{sql}");
        let summary = events.clone().dbcluster_summary(options).and_then(|it| it.drop_columns(&["options"]));
        assert_eq!(printed(summary).await, of_sql("dbcluster_summary", "* EXCEPT (options)").await, "{sql}");
    }
}

/// Features under names of their own, over columns with and without a qualifier, of a session that has nothing registered.
#[tokio::test]
async fn a_session_without_registrations_clusters_too() {
    let of_command = |column: Expr| cmdline_tokens_udf().call(vec![column]);
    let options = ClusterOptions::new(1.5)
        .scaling(Scaling::None)
        .feature("tokens", of_command(col(r#""CommandLine""#)))
        .feature("total", col("events.x") + lit(1_i64));
    let ctx = session();
    with_events(&ctx).await;
    let sql = "SELECT * FROM dbcluster(events, {tokens: cmdline_tokens(\"CommandLine\"), total: x + 1}, 1.5, scaling => 'none')";
    let expected = printed(ctx.sql(sql).await).await;
    let plain = SessionContext::new();
    let events = with_events(&plain).await;
    assert_eq!(printed(events.dbcluster(options)).await, expected);
}

/// A frame may have columns of several tables, and a plan of any kind.
#[tokio::test]
async fn a_join_is_clustered() {
    let ctx = session();
    let events = with_events(&ctx).await;
    let hosts = events.clone().aggregate(vec![col("host")], vec![count(lit(1_i64)).alias("on_host")]);
    let hosts = hosts.and_then(|hosts| hosts.alias("hosts")).expect("a frame");
    let joined = events
        .join_on(hosts, datafusion::common::JoinType::Inner, [col("events.host").eq(col("hosts.host"))])
        .expect("a join");
    let options = ClusterOptions::new(0.5).scaling(Scaling::None).feature("on_host", col("on_host"));
    let summary =
        joined.dbcluster_summary(options).and_then(|it| it.select_columns(&["input_rows", "clusters"]));
    let expected = printed(ctx.sql("SELECT 7 AS input_rows, 2 AS clusters").await).await;
    assert_eq!(printed(summary).await, expected);
}

#[tokio::test]
async fn errors_name_the_option_and_the_way_out() {
    let ctx = session();
    let events = with_events(&ctx).await;
    let options = || ClusterOptions::new(1.0).feature("x", col("x"));
    for (options, expected) in [
        (ClusterOptions::new(1.0), "dbcluster: no features were given"),
        (
            ClusterOptions::new(-1.0).feature("x", col("x")),
            "eps must be a finite number greater than 0, got -1",
        ),
        (options().min_samples(0), "dbcluster: min_samples must be at least 1, got 0"),
        (options().feature("host", col("host")), "dbcluster: feature 'host' is Utf8"),
        (options().feature("x", col("y")), "dbcluster: two features are named 'x'"),
        (options().feature("z", col("zz")), "dbcluster: feature 'z'"),
        (options().feature("n", count(col("x"))), "dbcluster: feature 'n' aggregates rows"),
        (options().weight("z", 2.0), "dbcluster: weights: there is no feature 'z'; features are x"),
        (options().weight("x", 0.0), "dbcluster: weights, number 1, is 0, expected a number above 0"),
        (options().time_column("tme"), "time_column: the input has no column 'tme' (did you mean 'time'?)"),
        (options().time(max(col("x"))), "dbcluster: time_column aggregates rows"),
        (options().time(lit(1_i64)), "time_column 'Int64(1)' is the same for all rows"),
        (options().partition_by(vec![lit(1_i64)]), "is the same for all rows"),
        (
            options().keep_members("id", 0),
            "dbcluster: keep_members, 'id', is 0, expected a whole number from 1 to 1000",
        ),
        (
            options().keep_members("ids", 1),
            "keep_members: the input has no column 'ids' (did you mean 'id'?)",
        ),
        (options().feature("cluster_id", col("y")), "has the name of a column of the result"),
    ] {
        let error = events.clone().dbcluster(options).expect_err(expected).strip_backtrace();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn answers_are_those_of_sql() {
    let ctx = session();
    let events = with_events(&ctx).await;
    let options = || ClusterOptions::new(1.0).feature("x", col("x")).scaling(Scaling::None);
    let figures =
        options().distinct_of("CommandLine").distinct_of("host").template_of("CommandLine").activity(4);
    assert_eq!(
        printed(events.clone().dbcluster(figures)).await,
        printed(
            ctx.sql(
                "SELECT * FROM dbcluster(events, [x], 1, scaling => 'none', distinct_of => [\"CommandLine\", host],
                                         template_of => \"CommandLine\", activity => 4)"
            )
            .await
        )
        .await
    );
    let values = options().of("host", col("host")).of("half", col("id") / lit(2)).top(2);
    assert_eq!(
        printed(events.clone().dbcluster_values(values)).await,
        printed(
            ctx.sql("SELECT * FROM dbcluster_values(events, [x], 1, scaling => 'none', of => [host, {half: id / 2}], top => 2)")
                .await
        )
        .await
    );
    let error = events.dbcluster_values(options()).expect_err("nothing is counted").strip_backtrace();
    assert!(error.contains("dbcluster_values: of is missing"), "{error}");
}
