//! Clients come and go, and so do schedulers.

use std::time::Duration;

use futures::StreamExt;
use rexpect::session::{Options, spawn_with_options};

use super::processes::{Cluster, Process, adaptive, local, sample, wait_until};
use crate::binary::{stderr, stdout};

/// The state of a query that was cancelled, in the scheduler's words.
const CANCELLED: &str = "Failed: Cancelled";

/// A query whose first stage takes some seconds, in eight tasks.
fn some_seconds(files: &str) -> String {
    long(files, 60, 1)
}

/// A query that nobody waits for: half a minute of work for two cores.
fn a_minute(files: &str) -> String {
    long(files, 1500, 16)
}

/// A query with some features of repeated command lines, each of another text, so that none is computed for another.
fn long(files: &str, times: usize, features: usize) -> String {
    let features = (0..features).map(|feature| {
        format!("cmdline_tokens(cmdline_template(repeat(CommandLine || '{feature}', {times}))) AS f{feature}")
    });
    let features = features.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT count(*) AS n, sum(cluster_size) AS events FROM dbcluster('{files}', \
         struct({features}, path_score(NewProcessName) AS path), eps => 0.000001)"
    )
}

/// Waits until a query has ended in some way, and tells in which.
fn end_of(cluster: &Cluster, job: &str) -> String {
    let mut status = String::new();
    wait_until("the query ends on the cluster", || {
        status = cluster.status(job);
        !["Queued", "Running", ""].contains(&status.as_str())
    });
    status
}

#[test]
fn clients_and_schedulers_come_and_go() {
    let (folder, files) = sample(40_000, 8);
    let query = some_seconds(&files);
    let expected = local(&["-c", &query], folder.path());
    let mut cluster = Cluster::start();
    // One client is lost in the middle of its query, while another one works.
    let leaving = cluster.begin(&[&query]);
    let staying = cluster.begin(&[&query]);
    leaving.signal("KILL");
    let output = staying.output();
    assert_eq!(stdout(&output), expected, "{}", stderr(&output));

    // Told to stop, a scheduler stops in order; its executors find the next one at the same address.
    let scheduler = cluster.scheduler.take().expect("a scheduler");
    assert_eq!(scheduler.stop().code(), Some(0));
    cluster.start_scheduler();
    wait_until("the executors are back", || cluster.ready_executors() == 2);
    assert_eq!(cluster.answer(&[&query]), expected);

    // Queries of a scheduler that dies fail with a message.
    let running = cluster.begin(&[&query]);
    drop(cluster.scheduler.take());
    let output = running.output();
    assert_eq!(output.status.code(), Some(1));
    assert!(!stderr(&output).is_empty());

    cluster.start_scheduler();
    wait_until("the executors are back", || cluster.ready_executors() == 2);
    for executor in std::mem::take(&mut cluster.executors) {
        assert_eq!(executor.stop().code(), Some(0));
    }
    cluster.start_executor();
    assert_eq!(cluster.answer(&[&query]), expected);
}

/// Ctrl-C, or the end that a service manager sends, in a script on a cluster.
#[test]
fn an_interrupted_script_leaves_nothing_behind() {
    let (_folder, files) = sample(40_000, 8);
    let query = a_minute(&files);
    let cluster = Cluster::start();
    for (signal, code, word, is_adaptive) in
        [("INT", 130, "interrupted", true), ("TERM", 143, "terminated", false)]
    {
        let running = cluster.begin(&[&adaptive(is_adaptive), &query]);
        let job = cluster.jobs().pop().expect("a query");
        // The scheduler knows the query before its client knows under which name, and can't cancel it before that.
        std::thread::sleep(Duration::from_millis(500));
        running.signal(signal);
        let output = running.output();
        assert_eq!(output.status.code(), Some(code), "{signal}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{signal}: {}", stderr(&output));
        assert_eq!(end_of(&cluster, &job), CANCELLED, "{signal}");
    }
}

/// The shell on a terminal shows the progress of a query, and Ctrl-C cancels it.
#[test]
fn the_shell_shows_progress_and_cancels() {
    let (folder, files) = sample(40_000, 8);
    let cluster = Cluster::start();
    let mut shell = cluster.shell();
    shell
        .env("XDG_STATE_HOME", folder.path())
        .env("HOME", folder.path())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
    let mut session = spawn_with_options(shell, options).expect("a terminal");
    session.exp_string("> ").expect("a prompt");
    session.send_line(&format!("{};", a_minute(&files))).expect("it reads");
    session
        .exp_regex("on the cluster: [0-9]+ of [1-9][0-9]* stages, [0-9]+ of [1-9][0-9]* tasks")
        .expect("a bar");
    let job = cluster.jobs().pop().expect("a query");
    session.send_control('c').expect("it reads");
    session.exp_string("cancelled").expect("the query has not ended by itself");
    assert_eq!(end_of(&cluster, &job), CANCELLED);
    session.send_line("SELECT 'after ' || 'all' AS x;").expect("it reads");
    session.exp_string("after all").expect("the answer");
    session.send_line("\\q").expect("it reads");
    session.exp_eof().expect("it ends");
}

/// A program's session is like any other. A query that it drops ends on the cluster too, also when it has no name yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_query_is_cancelled() {
    let (_folder, files) = sample(40_000, 8);
    let cluster = Cluster::start();
    let ctx = dbcluster_ballista::connect(&cluster.url()).await.expect("a session");
    let answer = crate::support::number(&ctx, "SELECT cmdline_tokens('a b') AS n").await;
    assert_eq!(answer, 1);
    ctx.sql("SET datafusion.sql_parser.enable_ident_normalization = false").await.expect("a setting");
    for wait in [Duration::ZERO, Duration::from_secs(1)] {
        let before = cluster.jobs().len();
        let mut stream =
            ctx.sql(&a_minute(&files)).await.expect("a query").execute_stream().await.expect("a stream");
        tokio::select! {
            biased;
            _ = stream.next() => panic!("the query ended before it could be cancelled"),
            () = tokio::time::sleep(wait) => {}
        }
        drop(stream);
        // Dropped at once, it may not have been sent at all.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let jobs = cluster.jobs().split_off(before);
        assert!(jobs.len() <= 1 && (wait.is_zero() || jobs.len() == 1), "after {wait:?}: {jobs:?}");
        for job in jobs {
            let status = tokio::task::block_in_place(|| end_of(&cluster, &job));
            assert_eq!(status, CANCELLED, "after {wait:?}");
        }
    }
}

/// The three programs explain their arguments, and errors in them.
#[test]
fn programs_tell_their_flags() {
    for program in [env!("CARGO_BIN_EXE_dbcluster-scheduler"), env!("CARGO_BIN_EXE_dbcluster-executor")] {
        let run = |flag: &str| {
            let mut command = std::process::Command::new(program);
            command.arg(flag).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            Process::start(&mut command).output()
        };
        let help = stdout(&run("--help"));
        assert!(
            help.contains("dbcluster")
                && help.contains("--bind-host")
                && help.contains("--work-dir") == program.ends_with("executor"),
            "{help}"
        );
        assert!(stdout(&run("--version")).contains(env!("CARGO_PKG_VERSION")));
        assert_eq!(run("--no-such-flag").status.code(), Some(2));
        let nonsense = run("--bind-host=nonsense host");
        assert_eq!(nonsense.status.code(), Some(1), "{}", stderr(&nonsense));
        assert!(stderr(&nonsense).contains("nonsense host"), "{}", stderr(&nonsense));
    }
    let alone = std::process::Command::new(env!("CARGO_BIN_EXE_dbcluster-executor"))
        .args(["--bind-health-port", &super::processes::free_port().to_string()])
        .args([
            "--scheduler-host",
            "127.0.0.1",
            "--scheduler-port",
            &super::processes::free_port().to_string(),
        ])
        .output()
        .expect("it starts");
    assert_eq!(alone.status.code(), Some(1));
    assert!(stderr(&alone).contains("start dbcluster-scheduler first"), "{}", stderr(&alone));
}
