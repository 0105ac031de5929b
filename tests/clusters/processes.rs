//! A cluster of processes, which end with their owner whatever happens.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{GetJobStatusParams, job_status};
use serde_json::Value;

use crate::binary::{dbcluster, stderr, stdout};

/// Everything on a cluster ends within this time.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Spreads the tasks of a stage over the executors.
pub const SPREAD: &str = "SET ballista.scheduler.max_partitions_per_task = 1";

pub fn adaptive(on: bool) -> String {
    format!("SET ballista.planner.adaptive.enabled = {on}")
}

/// A process that ends with its owner.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status();
        assert!(sent.expect("kill starts").success());
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the process ends", || {
            status = self.0.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        status.unwrap_or_else(|| ExitStatus::from_raw(0))
    }

    /// The output of the process until its end, which has to be soon.
    pub fn output(mut self) -> Output {
        // It writes less than a pipe holds.
        let status = self.wait();
        let (mut out, mut err) = (vec![], vec![]);
        self.0.stdout.take().expect("a pipe").read_to_end(&mut out).expect("its output");
        self.0.stderr.take().expect("a pipe").read_to_end(&mut err).expect("its errors");
        Output { status, stdout: out, stderr: err }
    }

    /// Whether one of its threads has a name that begins like this.
    pub fn has_thread(&self, name: &str) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id())).into_iter().flatten();
        tasks.filter_map(Result::ok).any(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|thread| thread.starts_with(name))
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody listens at. No two callers get the same one, and the system gives it to no connection: those have ports from 32,768
/// on.
pub fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const PORTS: u32 = 12_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let port = || {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + std::process::id().wrapping_mul(97).wrapping_add(given) % PORTS;
        u16::try_from(port).expect("a port")
    };
    std::iter::repeat_with(port)
        .take(PORTS as usize)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The settings in which clusters differ.
#[derive(Default)]
pub struct Setup<'a> {
    /// Memory of each executor, 2 GB unless it is said.
    pub memory: Option<&'a str>,
    /// Variables of scheduler and executors.
    pub variables: &'a [(&'a str, &'a str)],
}

/// One scheduler and two executors.
pub struct Cluster {
    port: u16,
    memory: String,
    variables: Vec<(String, String)>,
    pub scheduler: Option<Process>,
    pub executors: Vec<Process>,
    folder: tempfile::TempDir,
    /// Executors started so far.
    started: usize,
    /// Clusters share two cores: one at a time.
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    pub fn start() -> Self {
        Self::with(&Setup::default())
    }

    pub fn with(setup: &Setup) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let variables =
            setup.variables.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string()));
        let mut cluster = Self {
            _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner),
            port: free_port(),
            memory: setup.memory.unwrap_or("2GB").to_string(),
            variables: variables.collect(),
            scheduler: None,
            executors: vec![],
            folder: tempfile::tempdir().expect("a folder for the cluster"),
            started: 0,
        };
        cluster.start_scheduler();
        for _ in 0..2 {
            cluster.start_executor();
        }
        cluster
    }

    fn command(&self, program: &str, log: &str) -> Command {
        let log = File::create(self.folder.path().join(log)).expect("a log");
        let mut command = Command::new(program);
        let variables = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("AWS_"));
        variables.for_each(|name| {
            command.env_remove(name);
        });
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(["--bind-host", "127.0.0.1", "--external-host", "127.0.0.1"]);
        command.stderr(log.try_clone().expect("a log")).stdout(log);
        command
    }

    pub fn start_scheduler(&mut self) {
        let mut command = self.command(env!("CARGO_BIN_EXE_dbcluster-scheduler"), "scheduler.log");
        command.args(["--bind-port", &self.port.to_string()]);
        command.args(["--executor-timeout-seconds", "4", "--expire-dead-executor-interval-seconds", "1"]);
        command.args(["--executor-termination-grace-period", "1"]);
        self.scheduler = Some(Process::start(&mut command));
        wait_until("the scheduler listens", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    pub fn start_executor(&mut self) {
        let (name, port) = (format!("executor{}", self.started), self.port.to_string());
        self.started += 1;
        let before = self.ready_executors();
        let mut command = self.command(env!("CARGO_BIN_EXE_dbcluster-executor"), &format!("{name}.log"));
        command.args(["--id", &name, "--scheduler-host", "127.0.0.1", "--scheduler-port", &port]);
        for flag in ["--bind-port", "--bind-grpc-port", "--bind-health-port"] {
            command.args([flag, &free_port().to_string()]);
        }
        command.args(["--vcores", "1", "--memory-pool-size", &self.memory]);
        command.args(["--executor-heartbeat-interval-seconds", "1"]);
        command.arg("--work-dir").arg(self.folder.path().join("work").join(&name));
        self.executors.push(Process::start(&mut command));
        wait_until("the executor is registered", || self.ready_executors() > before);
    }

    pub fn url(&self) -> String {
        format!("df://127.0.0.1:{}", self.port)
    }

    /// An answer of the scheduler's REST interface; null where there is none.
    pub fn ask(&self, path: &str) -> Value {
        let answer = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = answer().unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or_default()
    }

    pub fn ready_executors(&self) -> usize {
        self.ask("/api/executors").as_array().map_or(0, Vec::len)
    }

    /// The names of the queries that the scheduler knows, the oldest first.
    pub fn jobs(&self) -> Vec<String> {
        let jobs = self.ask("/api/jobs").as_array().cloned().unwrap_or_default();
        let mut jobs: Vec<String> =
            jobs.iter().filter_map(|job| Some(job["job_id"].as_str()?.to_string())).collect();
        jobs.sort();
        jobs
    }

    /// `Queued`, `Running`, `Completed`, or `Failed` and why, as in `Failed: Cancelled`.
    pub fn status(&self, job: &str) -> String {
        let answer = self.ask(&format!("/api/job/{job}"));
        let status = |name: &str| answer[name].as_str().unwrap_or_default().to_string();
        if answer["status"] == "Failed" { status("job_status") } else { status("status") }
    }

    /// The stages of a query.
    pub fn stages(&self, job: &str) -> Vec<Stage> {
        let stages = self.ask(&format!("/api/job/{job}/stages"));
        stages["stages"].as_array().cloned().unwrap_or_default().into_iter().map(Stage).collect()
    }

    /// The stages of the query that came last.
    pub fn last_stages(&self) -> Vec<Stage> {
        self.stages(self.jobs().last().expect("a query"))
    }

    /// The executors that have written the rows of these queries, as the scheduler tells clients.
    pub fn executors_of(&self, jobs: &[String]) -> BTreeSet<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let url = format!("http://127.0.0.1:{}", self.port);
            let mut scheduler = SchedulerGrpcClient::connect(url).await.expect("the scheduler answers");
            let mut executors = BTreeSet::new();
            for job in jobs {
                let params = GetJobStatusParams { job_id: job.clone() };
                let status = scheduler.get_job_status(params).await.expect("an answer").into_inner();
                let Some(job_status::Status::Successful(job)) = status.status.and_then(|it| it.status) else {
                    continue;
                };
                let writers = job.partition_location.into_iter().filter_map(|it| it.executor_meta);
                executors.extend(writers.map(|executor| executor.id));
            }
            executors
        })
    }

    /// The shell with this cluster.
    pub fn shell(&self) -> Command {
        let binary = dbcluster();
        // Signals have their defaults, also where the caller of the tests ignores some, as a shell does for what it starts with `&`.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT,TERM,HUP").arg(binary.get_program());
        for (name, value) in binary.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(["--cluster", &self.url(), "--format", "csv"]);
        command
    }

    pub fn run(&self, statements: &[&str]) -> Output {
        self.shell().args(with_c(statements)).output().expect("the shell runs")
    }

    /// Runs statements that have to succeed, and returns what they print.
    pub fn answer(&self, statements: &[&str]) -> String {
        let output = self.run(statements);
        assert!(output.status.success(), "{statements:?}\n{}", stderr(&output));
        stdout(&output)
    }

    /// A shell at work on the last of these statements.
    pub fn begin(&self, statements: &[&str]) -> Process {
        let before = self.jobs().len();
        let mut shell = self.shell();
        shell.args(with_c(statements)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shell = Process::start(&mut shell);
        wait_until("the query is there", || self.jobs().len() > before);
        shell
    }
}

/// A stage of a query, as the scheduler's REST interface tells it.
pub struct Stage(Value);

impl Stage {
    /// Its plan, once it has begun.
    pub fn plan(&self) -> &str {
        self.0["stage_plan"].as_str().unwrap_or_default()
    }

    pub fn tasks(&self) -> usize {
        self.0["tasks"].as_array().map_or(0, Vec::len)
    }

    pub fn output_rows(&self) -> u64 {
        self.0["output_rows"].as_u64().unwrap_or_default()
    }

    pub fn is_done(&self) -> bool {
        self.0["stage_status"] == "Successful"
    }
}

/// Each as a `-c`.
fn with_c<'a>(statements: &[&'a str]) -> Vec<&'a str> {
    statements.iter().flat_map(|statement| ["-c", statement]).collect()
}

/// Runs the shell without a cluster, and returns what it prints.
pub fn local(args: &[&str], folder: &Path) -> String {
    let output = dbcluster()
        .current_dir(folder)
        .args(["--format", "csv"])
        .args(args)
        .output()
        .expect("the shell runs");
    assert!(output.status.success(), "{args:?}\n{}", stderr(&output));
    stdout(&output)
}

/// A folder of generated events, one file each, and where they are.
pub fn sample(rows: usize, files: usize) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, count) = (rows.to_string(), files.to_string());
    local(&["sample", "--rows", &rows, "--files", &count, "--out", "sample"], folder.path());
    let path: PathBuf = folder.path().join("sample/processes.parquet");
    let path = if files > 1 { format!("{}/", path.display()) } else { path.display().to_string() };
    (folder, path)
}
