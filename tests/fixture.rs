//! The seed's fourteen logons: who logs on how, how often and when, in rows of our own making.

use std::path::Path;

use datafusion::prelude::CsvReadOptions;

use crate::support::{session, text};

#[tokio::test]
async fn logons_collapse_to_three() {
    let ctx = session();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logons.csv");
    ctx.register_csv("logons", path.to_str().expect("a path in UTF-8"), CsvReadOptions::new())
        .await
        .expect("the fixture is readable");
    let sql = r#"
        SELECT "Account", "LogonType", cluster_id, cluster_size, first_event_time, last_event_time
        FROM dbcluster(logons, {account: string_score(Account), type: LogonType}, eps => 0.0001)
        ORDER BY cluster_id"#;
    insta::assert_snapshot!(text(&ctx, sql).await, @r"
    +-------------------------------+-----------+------------+--------------+-------------------------+-------------------------+
    | Account                       | LogonType | cluster_id | cluster_size | first_event_time        | last_event_time         |
    +-------------------------------+-----------+------------+--------------+-------------------------+-------------------------+
    | MSTICAlertsWin1\adm1nistrator | 3         | -1         | 1            | 2019-01-15T05:15:06.363 | 2019-01-15T05:15:06.363 |
    | NT AUTHORITY\SYSTEM           | 5         | 0          | 11           | 2019-01-15T04:28:33.090 | 2019-01-15T05:15:12.800 |
    | MSTICAlertsWin1\MSTICAdmin    | 4         | 1          | 2            | 2019-01-15T05:15:02.980 | 2019-01-15T05:15:03.017 |
    +-------------------------------+-----------+------------+--------------+-------------------------+-------------------------+
    ");
}
