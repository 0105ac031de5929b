//! The progress bar of a statement.
//!
//! ```text
//! reading [======>         ] 45.2M of 100M rows, 9.12M/s, 7s left
//! | clustering 1.23M vectors 3s
//! ```
//!
//! It stands on standard error while a statement has nothing to print yet, and leaves no trace. A thread draws it: it
//! sleeps until the statement has run for a while, which most never do, then looks at the counts of the plan's
//! operators in intervals ([`super::stage`]). The query knows nothing of it. The thread gets the plan from [`PlanWatch`],
//! which as the session's planner sees every plan, also that of a `CREATE TABLE AS` or a `COPY`.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use console::{Term, is_dumb};
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::advice;
use super::stage::{Rows, Seen, Stage, Watched};
use dbcluster_terminal::complain;

/// The name of the thread that draws.
pub(super) const THREAD: &str = "progress";

/// A statement that ends sooner has no bar.
const DELAY: Duration = Duration::from_millis(500);

/// The plan is looked at in this interval.
const INTERVAL: Duration = Duration::from_millis(125);

/// The longest interval, where a look takes long, over many thousands of files. Looks take one part in `LOOKS` of the time.
const LONG_INTERVAL: Duration = Duration::from_secs(1);
const LOOKS: u32 = 20;

/// A rate over less time is not shown, since it says nothing.
const RATE_AFTER: Duration = Duration::from_millis(400);

/// Columns left free, so that the `^C` that the terminal writes does not break the line.
const MARGIN: u16 = 2;

/// Columns of the bar itself: in a terminal of 80, all numbers have their place beside it.
const BAR: usize = 16;

/// Makes the plans of a session, and shows them to the bar of the running statement, if it has one.
#[derive(Debug, Default)]
pub(super) struct PlanWatch {
    bar: Mutex<Weak<Shared>>,
    /// The planner that makes the plans; the engine's own if it is empty.
    planner: OnceLock<Arc<dyn QueryPlanner + Send + Sync>>,
    /// Plans of the statement that cluster.
    clusterings: Mutex<Vec<Arc<dyn ExecutionPlan>>>,
}

impl PlanWatch {
    /// Sets the planner that makes the plans. The first one stays.
    #[cfg(feature = "ballista")]
    pub(super) fn plan_by(&self, planner: Arc<dyn QueryPlanner + Send + Sync>) {
        let _ = self.planner.set(planner);
    }

    /// Writes a line to standard error, above the bar if there is one.
    pub(super) fn say(&self, line: &str) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        let mut state = bar.as_ref().map(|bar| bar.lock());
        match state.as_mut().and_then(|state| state.shown.as_ref()) {
            Some(shown) => shown.bar.suspend(|| complain(line)),
            None => complain(line),
        }
    }

    /// Takes the plans since the last call that cluster.
    pub(super) fn take_clusterings(&self) -> Vec<Arc<dyn ExecutionPlan>> {
        std::mem::take(&mut *self.clusterings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether plans are made for a cluster.
    pub(super) fn is_for_cluster(&self) -> bool {
        self.planner.get().is_some()
    }
}

#[async_trait]
impl QueryPlanner for PlanWatch {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = match self.planner.get() {
            Some(planner) => planner.create_physical_plan(logical_plan, session).await?,
            None => DefaultPhysicalPlanner::default().create_physical_plan(logical_plan, session).await?,
        };
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(bar) = bar {
            bar.lock().plan(&plan);
        }
        if advice::clusters(&plan) {
            self.clusterings.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&plan));
        }
        Ok(plan)
    }
}

/// A statement's bar, from its start to its first output. Dropping it clears the line too.
pub(super) struct Bar(Option<Arc<Shared>>);

impl Bar {
    /// Starts the bar of the statement that is about to be planned. It is never seen unless `wanted`, and unless standard
    /// error is a terminal that can go back in its line.
    pub(super) fn start(planner: &PlanWatch, wanted: bool) -> Self {
        if !wanted || !Term::stderr().is_term() || is_dumb() {
            return Self(None);
        }
        let shared = Arc::new(Shared::default());
        *planner.bar.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&shared);
        let drawing = Arc::clone(&shared);
        // A statement runs without a bar where no thread can be had.
        let _ = thread::Builder::new().name(THREAD.to_string()).spawn(move || drawing.draw_until_over());
        Self(Some(shared))
    }

    /// Takes the bar off the terminal for good. Nothing is drawn once this has returned.
    pub(super) fn clear(&self) {
        if let Some(shared) = &self.0 {
            shared.lock().end();
            shared.wake.notify_all();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The state that the statement and the drawing thread share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw_until_over(&self) {
        let mut pause = DELAY;
        loop {
            let (mut state, _) = self
                .wake
                .wait_timeout_while(self.lock(), pause, |state| !state.over)
                .unwrap_or_else(PoisonError::into_inner);
            if state.over {
                return;
            }
            let started = Instant::now();
            state.draw(started);
            pause = (started.elapsed() * LOOKS).clamp(INTERVAL, LONG_INTERVAL);
        }
    }
}

#[derive(Default)]
struct State {
    over: bool,
    plan: Option<Arc<dyn ExecutionPlan>>,
    planned: Option<Instant>,
    watched: Option<Watched>,
    shown: Option<Shown>,
}

impl State {
    fn plan(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        if !self.over {
            self.plan = Some(Arc::clone(plan));
            self.planned = Some(Instant::now());
            self.watched = None;
        }
    }

    /// Drops the bar, and the plan, which holds on to what it reads.
    fn end(&mut self) {
        if let Some(shown) = self.shown.take() {
            shown.bar.finish_and_clear();
        }
        *self = Self { over: true, ..Self::default() };
    }

    fn draw(&mut self, now: Instant) {
        let seen = match &self.plan {
            Some(plan) => self.watched.get_or_insert_with(|| Watched::new(plan)).look(),
            None => Seen { stage: Stage::Preparing, rows: None },
        };
        let known = seen.rows.and_then(|rows| rows.known);
        // Each stage has a bar of its own.
        let shown = match self.shown.take() {
            Some(shown) if shown.seen.stage == seen.stage && shown.known == known => shown,
            last => {
                // The first stage began before the first look.
                let (since, seen_before) = match (&last, self.planned, seen.rows) {
                    (Some(last), _, _) if last.seen.stage == seen.stage => (last.since, last.seen_before),
                    (None, Some(planned), _) => (planned, 0),
                    (_, _, rows) => (now, rows.map_or(0, |rows| rows.read - rows.skipped)),
                };
                if let Some(last) = last {
                    last.bar.finish_and_clear();
                }
                Shown { bar: bar(seen.stage, known), seen, known, since, seen_before }
            }
        };
        let took = now.saturating_duration_since(shown.since);
        shown.bar.set_message(numbers(seen.rows, shown.seen_before, took));
        match seen.rows {
            Some(rows) => shown.bar.set_position(rows.read as u64),
            None => shown.bar.tick(),
        }
        self.shown = Some(shown);
    }
}

/// The bar that is on the terminal.
struct Shown {
    bar: ProgressBar,
    seen: Seen,
    known: Option<usize>,
    /// The start of the stage, and the number of rows that had been looked at then.
    since: Instant,
    seen_before: usize,
}

fn bar(stage: Stage, known: Option<usize>) -> ProgressBar {
    let template = match known {
        Some(_) => format!("{{prefix}} [{{bar:{BAR}}}] {{wide_msg}}"),
        None => "{spinner} {prefix} {wide_msg}".to_string(),
    };
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let terminal = ProgressDrawTarget::term_like(Box::new(WithMargin(Term::buffered_stderr())));
    ProgressBar::with_draw_target(known.map(|rows| rows as u64), terminal)
        .with_style(style.progress_chars("=> ").tick_chars("|/-\\ "))
        .with_prefix(words(stage))
}

/// Names a stage for people.
fn words(stage: Stage) -> String {
    match stage {
        Stage::Preparing => "preparing".to_string(),
        Stage::Reading => "reading".to_string(),
        Stage::Grouping => "grouping".to_string(),
        Stage::Clustering { vectors } => format!("clustering {} vectors", short(vectors)),
        Stage::FetchingEvents => "fetching events".to_string(),
        Stage::OnCluster { stages: 0, .. } => "waiting for the cluster".to_string(),
        Stage::OnCluster { done, stages, tasks_done, tasks } => {
            format!("on the cluster: {done} of {stages} stages, {tasks_done} of {tasks} tasks")
        }
        Stage::Working => "working".to_string(),
    }
}

/// The progress of a stage in numbers: rows, rate and the time left.
fn numbers(rows: Option<Rows>, seen_before: usize, took: Duration) -> String {
    let Some(rows) = rows else { return span(took) };
    let count = match rows.known {
        Some(known) => format!("{} of {} rows", short(rows.read), short(known)),
        None => format!("{} rows", short(rows.read)),
    };
    let looked_at = (rows.read - rows.skipped).saturating_sub(seen_before);
    let per_second = looked_at as f64 / took.as_secs_f64();
    if took < RATE_AFTER || per_second < 1.0 {
        return count;
    }
    let rate = format!("{count}, {}/s", short(per_second as usize));
    match rows.known {
        Some(known) => {
            let left = known.saturating_sub(rows.read) as f64 / per_second;
            // A year stands for everything longer.
            format!("{rate}, {} left", span(Duration::from_secs_f64(left.ceil().min(3e7))))
        }
        None => rate,
    }
}

/// Three digits and a unit: `9120`, `45.2k`, `1.23M`, `12.3G`.
fn short(number: usize) -> String {
    if number < 10_000 {
        return number.to_string();
    }
    let (mut value, mut unit) = (number as f64 / 1e3, "k");
    // A value that would be rounded to 1000 of a unit is 1.00 of the next.
    for (next, threshold) in [("M", 999.5), ("G", 999.5), ("T", 999.5)] {
        if value >= threshold {
            (value, unit) = (value / 1e3, next);
        }
    }
    let decimals = match value {
        _ if value < 9.995 => 2,
        _ if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}{unit}")
}

/// `6s`, `1m 20s`, `2h 05m`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A terminal that says it is narrower than it is, by [`MARGIN`].
#[derive(Debug)]
struct WithMargin(Term);

impl TermLike for WithMargin {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(MARGIN)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.0.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64, read: usize, known: Option<usize>) -> String {
        numbers(Some(Rows { read, skipped: 0, known }), 0, Duration::from_secs(seconds))
    }

    #[test]
    fn numbers_tell_how_much_is_left() {
        assert_eq!(after(5, 45_200_000, Some(100_000_000)), "45.2M of 100M rows, 9.04M/s, 7s left");
        assert_eq!(after(5, 100_000_000, Some(100_000_000)), "100M of 100M rows, 20.0M/s, 0s left");
        assert_eq!(after(5, 45_200_000, None), "45.2M rows, 9.04M/s");
        assert_eq!(numbers(None, 0, Duration::from_secs(75)), "1m 15s");
        // The rate counts only rows that were looked at in this time.
        let rows = Rows { read: 6000, skipped: 1000, known: Some(9000) };
        assert_eq!(numbers(Some(rows), 3000, Duration::from_secs(2)), "6000 of 9000 rows, 1000/s, 3s left");
    }

    #[test]
    fn no_rate_is_told_from_nothing() {
        assert_eq!(after(0, 500, Some(1000)), "500 of 1000 rows");
        assert_eq!(after(9, 0, Some(1000)), "0 of 1000 rows");
        assert_eq!(after(9, 0, None), "0 rows");
        assert_eq!(after(1, 2, Some(usize::MAX)), "2 of 18446744T rows, 2/s, 8333h 20m left");
    }

    #[test]
    fn counts_are_short() {
        for (number, text) in [
            (0, "0"),
            (9_999, "9999"),
            (10_000, "10.0k"),
            (99_949, "99.9k"),
            (99_950, "100k"),
            (999_499, "999k"),
            (999_500, "1.00M"),
            (1_234_567, "1.23M"),
            (12_345_678_901, "12.3G"),
            (1_000_000_000_000, "1.00T"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn spans_have_two_units() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m 00s"), (3599, "59m 59s"), (7500, "2h 05m")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn all_numbers_fit_into_80_columns() {
        let longest = after(300, 10_100_000, Some(99_900_000));
        assert_eq!(longest, "10.1M of 99.9M rows, 33.7k/s, 44m 28s left");
        let before = words(Stage::FetchingEvents).len() + " [] ".len() + BAR;
        assert!(before + longest.len() <= 80 - usize::from(MARGIN));
    }
}
