//! The REST interface of a scheduler, which tells of executors and of the progress of queries. It may be switched off.

use std::collections::BTreeSet;
use std::time::Duration;

use ballista_core::JobId;
use serde_json::Value;

/// The scheduler has this long to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The REST interface of one scheduler.
#[derive(Debug, Clone)]
pub(super) struct RestClient {
    scheduler: String,
    client: Option<reqwest::Client>,
}

/// The progress of a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) stages: usize,
    pub(super) stages_done: usize,
    /// The number of tasks of the stages that have begun.
    pub(super) tasks: usize,
    pub(super) tasks_done: usize,
    pub(super) tasks_failed: usize,
}

impl Progress {
    /// Whether an executor has a task of it.
    pub(super) fn is_at_work(&self) -> bool {
        self.tasks_done + self.tasks_failed < self.tasks
    }
}

impl RestClient {
    /// The interface of the scheduler at an address such as `http://localhost:50050`.
    pub(super) fn new(scheduler: String) -> Self {
        // A proxy for the internet can't reach the addresses of a cluster.
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok();
        Self { scheduler, client }
    }

    /// The names of the executors that the scheduler gives tasks to.
    pub(super) async fn executors(&self) -> Option<BTreeSet<String>> {
        let answer = self.ask("executors").await?;
        let executors = answer.as_array()?.iter();
        executors.map(|executor| Some(executor["id"].as_str()?.to_string())).collect()
    }

    pub(super) async fn progress(&self, job: &JobId) -> Option<Progress> {
        let answer = self.ask(&format!("job/{job}/stages")).await?;
        let stages = answer["stages"].as_array()?;
        let tasks: Vec<&Value> =
            stages.iter().filter_map(|stage| stage["tasks"].as_array()).flatten().collect();
        Some(Progress {
            stages: stages.len(),
            stages_done: stages.iter().filter(|stage| stage["stage_status"] == "Successful").count(),
            tasks: tasks.len(),
            tasks_done: tasks.iter().filter(|task| task["status"] == "Successful").count(),
            tasks_failed: tasks.iter().filter(|task| task["status"]["Failed"].is_object()).count(),
        })
    }

    /// Whether at most one query runs.
    pub(super) async fn is_alone(&self) -> Option<bool> {
        let answer = self.ask("jobs").await?;
        let at_work = answer.as_array()?.iter().filter(|job| job["status"] == "Running").count();
        Some(at_work <= 1)
    }

    async fn ask(&self, what: &str) -> Option<Value> {
        let answer = self.client.as_ref()?.get(format!("{}/api/{what}", self.scheduler)).send().await.ok()?;
        serde_json::from_slice(&answer.error_for_status().ok()?.bytes().await.ok()?).ok()
    }
}
