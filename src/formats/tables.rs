//! [`LogTables`]: the tables of a session that are files.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Debug, Formatter};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::SessionState;
use dbcluster_logs::{BinaryFormat, Content, PassedOver, ReadOptions, Rejected, Report, Source, shown};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;

use super::blocking::blocking;
use super::containers::Unpacked;
use super::files::{self, Files, LogFile, Place, is_same};
use super::kept::ReadTable;
use super::listing;
use super::reading::{self, Readings};
use super::rejected::RejectedTable;
use super::text_table::TextTable;
use super::union::{Part, union};
use crate::config::DbclusterConfig;

/// The number of files that are looked at at the same time.
const AT_ONCE: usize = 32;

/// The most archives in one another that are read.
const DEEPEST: usize = 3;

/// Hears of each reading, to tell people about it.
pub trait ReadListener: Send + Sync {
    /// A reading of the files of `name` has ended. The report counts the rows and bytes of text; files that the engine reads
    /// in place are not in it.
    fn has_read(&self, name: &str, report: &Report, passed_over: &[PassedOver], seconds: f64);

    /// Whether a reading that goes on is to stop. It is asked from several threads, many times a second.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Makes tables of files whose rows other processes read, such as the executors of a cluster.
#[async_trait]
pub trait ReadElsewhere: Send + Sync {
    /// Returns the table of the files that a name stands for, as [`LogTables::table`] does if this process reads them.
    ///
    /// # Errors
    /// There is no such file, or the others can't read it.
    async fn table(
        &self,
        state: &SessionState,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Option<Arc<dyn TableProvider>>>;
}

/// Makes object stores for URLs.
#[async_trait]
pub trait StoreMaker: Send + Sync {
    /// Puts the object store of a URL into the session, if it is of a kind that is known.
    ///
    /// # Errors
    /// The settings of the store are wrong.
    async fn make_store(&self, url: &str) -> Result<()>;
}

/// The tables of a session that are files. A clone shares what was read.
///
/// [`register_all`](crate::register_all) makes one for a session, unless the configuration has one as an
/// [extension](datafusion::prelude::SessionConfig::with_extension).
///
/// A session that looks a name up itself, as one with [`UrlTableFactory`](datafusion::catalog::UrlTableFactory), asks
/// [`table`](Self::table).
#[derive(Clone)]
pub struct LogTables(Arc<Shared>);

struct Shared {
    listener: Option<Arc<dyn ReadListener>>,
    elsewhere: Option<Arc<dyn ReadElsewhere>>,
    stores: OnceLock<Arc<dyn StoreMaker>>,
    readings: Arc<Readings>,
    unpacked: Unpacked,
    /// The rejected lines and values of the last reading of each name.
    rejected: Mutex<BTreeMap<String, Arc<Vec<Rejected>>>>,
    /// The files that were passed over beside files that the engine reads, by name, so that they are told once.
    told: Mutex<BTreeMap<String, Vec<PassedOver>>>,
}

impl Debug for LogTables {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogTables").finish_non_exhaustive()
    }
}

impl LogTables {
    /// The name of the table of lines and values that could not be read.
    pub const REJECTED: &str = "rejected";

    /// No tables yet. The listener hears of every reading.
    pub fn new(listener: Option<Arc<dyn ReadListener>>) -> Self {
        Self::of_readers(listener, None)
    }

    /// No tables yet. Others read the files of queries; [`table_of_all`](Self::table_of_all) reads them in this process.
    pub fn read_elsewhere(elsewhere: Arc<dyn ReadElsewhere>) -> Self {
        Self::of_readers(None, Some(elsewhere))
    }

    fn of_readers(
        listener: Option<Arc<dyn ReadListener>>,
        elsewhere: Option<Arc<dyn ReadElsewhere>>,
    ) -> Self {
        Self(Arc::new(Shared {
            listener,
            elsewhere,
            stores: OnceLock::new(),
            readings: Arc::default(),
            unpacked: Unpacked::default(),
            rejected: Mutex::default(),
            told: Mutex::default(),
        }))
    }

    /// Has the object store of a URL made when a name is the first with it. Without a maker the session has to have the stores. The first
    /// maker stays.
    pub fn make_stores_with(&self, maker: Arc<dyn StoreMaker>) {
        let _ = self.0.stores.set(maker);
    }

    async fn make_store(&self, session: &dyn Session, name: &str) -> Result<()> {
        let Some(maker) = self.0.stores.get().filter(|_| name.contains("://")) else { return Ok(()) };
        match session.runtime_env().object_store(ListingTableUrl::parse(name)?) {
            Ok(_) => Ok(()),
            Err(_) => maker.make_store(name).await,
        }
    }

    /// Returns those of a session.
    pub fn of(session: &dyn Session) -> Option<Arc<Self>> {
        session.config().get_extension::<Self>()
    }

    /// Returns the session's options of reading, `SET dbcluster.read.time_zone = 'Europe/Berlin'` and the like.
    pub fn options(session: &dyn Session) -> Result<ReadOptions> {
        DbclusterConfig::of(session.config_options()).read.options()
    }

    /// Returns the table of the files that a name stands for: a file, a folder, a pattern, a pipe, or the URL of an object store.
    /// `rejected` is the table of [`rejected`](Self::rejected). None if there is no such file and the name does not look like a
    /// path, so that it may be a table of another kind; or if the session has no object store for the URL.
    ///
    /// # Errors
    /// There is no such file, or it can't be read.
    pub async fn table(
        &self,
        session: &dyn Session,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if name == Self::REJECTED && !Path::new(name).exists() {
            return Ok(Some(self.rejected()));
        }
        self.make_store(session, name).await?;
        if let Some(elsewhere) = &self.0.elsewhere {
            return elsewhere.table(state_of(session, name)?, name, options).await;
        }
        let names = [name.to_string()];
        match files::find(session, name).await? {
            Some(files) => self.of_files(session, &names, &names, files, options).await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns the table of a statement that names the places of its files.
    ///
    /// # Errors
    /// A name stands for no file, or there are several and other processes read them.
    pub(super) async fn table_of_locations(
        &self,
        session: &dyn Session,
        locations: &[String],
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>> {
        match (&self.0.elsewhere, locations) {
            (None, locations) => self.table_of_all(session, locations, options).await,
            (Some(_), [location]) => {
                let table = self.table(session, location, options).await?;
                table.ok_or_else(|| plan_datafusion_err!("there is no file {}", shown(location)))
            }
            (Some(_), locations) => plan_err!(
                "STORED AS LOGS takes one location on a cluster, got {}; name their folder, or make a table of each and UNION ALL \
                 BY NAME them",
                locations.len()
            ),
        }
    }

    /// Returns the table of the files of several names, as [`table`](Self::table) does for one. This process reads them.
    ///
    /// # Errors
    /// One of the names stands for no file.
    pub async fn table_of_all(
        &self,
        session: &dyn Session,
        names: &[String],
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>> {
        for name in names {
            self.make_store(session, name).await?;
        }
        let files = find_all(session, names).await?;
        self.of_files(session, names, names, files, options).await
    }

    /// Returns the files of several names, each once.
    ///
    /// # Errors
    /// One of the names stands for no file.
    pub async fn files(&self, session: &dyn Session, names: &[String]) -> Result<FoundFiles> {
        for name in names {
            self.make_store(session, name).await?;
        }
        Ok(FoundFiles { names: names.to_vec(), files: find_all(session, names).await? })
    }

    /// Returns the table of files in the versions that are there now.
    ///
    /// # Errors
    /// They can't be read.
    pub async fn table_of_files(
        &self,
        session: &dyn Session,
        found: FoundFiles,
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>> {
        self.of_files(session, &found.names, &[], found.files, options).await
    }

    /// Returns several tables as one, whose columns meet by name and have types that hold the values of all. Each table comes with its name
    /// in errors.
    ///
    /// # Errors
    /// No type holds the values of a column in two tables.
    pub fn united(tables: Vec<(String, Arc<dyn TableProvider>)>) -> Result<Arc<dyn TableProvider>> {
        let parts = tables.into_iter().map(|(name, table)| Part { table, constants: vec![], name });
        union(&parts.collect::<Vec<_>>())
    }

    /// Returns the lines and values that could not be read, of the last reading of each name. The table has those of the time
    /// at which it is queried: `file`, `line`, `column` (NULL for a line that is no record), `text`, `reason`.
    pub fn rejected(&self) -> Arc<dyn TableProvider> {
        Arc::new(RejectedTable::new(self.clone()))
    }

    /// The rejected lines and values of each reading.
    pub(super) fn all_rejected(&self) -> Vec<Arc<Vec<Rejected>>> {
        lock(&self.0.rejected).values().map(Arc::clone).collect()
    }

    /// Returns the table of the files of some names. Later queries look for them by the names `again`; if there are none, the table stays as
    /// it is.
    async fn of_files(
        &self,
        session: &dyn Session,
        names: &[String],
        again: &[String],
        files: Files,
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>> {
        let name = names.join(", ");
        let state = state_of(session, &name)?;
        let found = files.files.len();
        let kinds = if self.0.readings.has_pipe(&files.files) {
            // It can't be looked at again.
            Kinds { text: files.files, ..Kinds::default() }
        } else {
            self.kinds(session, files, options).await?
        };
        kinds.check(&name, found)?;
        if kinds.text.is_empty() && !options.types.is_empty() {
            return plan_err!(
                "{} holds its types itself, so the option types has no place to work; use CAST in SELECT",
                shown(&name)
            );
        }
        let mut parts = vec![];
        for (kind, files) in &kinds.binary {
            parts.extend(listing::parts(state, &name, *kind, files, options.file_column).await?);
        }
        if kinds.text.is_empty() {
            self.tell_of_passed_over(&name, found, &kinds.passed_over);
        } else {
            let rows = self.read(state, &name, &kinds, options).await?;
            let table = TextTable {
                tables: self.clone(),
                names: again.to_vec(),
                options: options.clone(),
                files: kinds.text,
                beside: kinds.binary.iter().map(|(kind, _)| *kind).collect(),
                rows,
                of_queries: Mutex::default(),
            };
            let name = format!("the text files of {}", shown(&name));
            parts.push(Part { table: Arc::new(table), constants: vec![], name });
        }
        match parts.as_slice() {
            [Part { table, constants, .. }] if constants.is_empty() => Ok(Arc::clone(table)),
            parts => union(parts),
        }
    }

    /// The rows of the text files of some names as they are now; none if the files are still those that were `read`. Files of the kinds
    /// `beside` them are in another table.
    pub(super) async fn text_now(
        &self,
        session: &dyn Session,
        names: &[String],
        options: &ReadOptions,
        (read, beside): (&[LogFile], &[BinaryFormat]),
    ) -> Result<Option<Arc<ReadTable>>> {
        let files = find_all(session, names).await?;
        if self.0.readings.has_pipe(&files.files) || is_same(&files.files, read) {
            return Ok(None);
        }
        let found = files.files.len();
        let kinds = self.kinds(session, files, options).await?;
        let name = names.join(", ");
        if let Some((_, files)) = kinds.binary.iter().find(|(kind, _)| !beside.contains(kind)) {
            let file = files.first().map_or("a file", |file| file.name.as_str());
            return plan_err!(
                "{} has files of another kind since it was planned, such as {}; make the view or table again",
                shown(&name),
                shown(file)
            );
        }
        if is_same(&kinds.text, read) {
            return Ok(None);
        }
        if kinds.text.is_empty() {
            kinds.check(&name, found)?;
            return plan_err!("{} has no text file any more; make the view or table again", shown(&name));
        }
        self.read(state_of(session, &name)?, &name, &kinds, options).await.map(Some)
    }

    /// Looks at all files, and at those that are in archives among them.
    async fn kinds(&self, session: &dyn Session, files: Files, options: &ReadOptions) -> Result<Kinds> {
        let disk = &session.runtime_env().disk_manager;
        let mut kinds = Kinds { passed_over: files.passed_over, ..Kinds::default() };
        let mut files = files.files;
        for depth in 0..=DEEPEST {
            let looked: Vec<_> =
                std::mem::take(&mut files).into_iter().map(|file| looked_at(file, options)).collect();
            let mut looked = stream::iter(looked).buffered(AT_ONCE);
            while let Some((file, content)) = looked.try_next().await? {
                match content {
                    Content::Container(_) if matches!(file.place, Place::Pipe(_)) => {
                        return plan_err!(
                            "{} is a pipe that carries an archive of files; store it, and name the file",
                            shown(&file.name)
                        );
                    }
                    Content::Container(_) if depth == DEEPEST => {
                        kinds.pass_over(
                            file,
                            &format!("archives in archives are read up to {DEEPEST} levels deep"),
                        );
                    }
                    Content::Container(container) => {
                        match self.0.unpacked.members(disk, &file, container).await? {
                            Ok(members) => {
                                files.extend(members.files);
                                kinds.pass_over_members(members.passed_over);
                            }
                            Err(error) => kinds.pass_over(file, &error.to_string()),
                        }
                    }
                    Content::Binary(_) => {
                        let file = self.0.unpacked.own_file(disk, file).await?;
                        kinds.add(file, content, options)?;
                    }
                    content => kinds.add(file, content, options)?,
                }
            }
        }
        Ok(kinds)
    }

    async fn read(
        &self,
        state: &SessionState,
        name: &str,
        kinds: &Kinds,
        options: &ReadOptions,
    ) -> Result<Arc<ReadTable>> {
        if let Some(known) = self.0.readings.find(&kinds.text, options)? {
            return Ok(known);
        }
        let started = Instant::now();
        let listener = self.0.listener.as_ref().map(Arc::clone);
        let (table, mut report) =
            reading::read(state, name, &kinds.text, options, &self.0.readings, listener).await?;
        self.0.readings.keep(name, &kinds.text, options, &table);
        if let Some(listener) = &self.0.listener {
            listener.has_read(name, &report, &kinds.passed_over, started.elapsed().as_secs_f64());
        }
        lock(&self.0.rejected).insert(name.to_string(), Arc::new(std::mem::take(&mut report.rejected)));
        Ok(table)
    }

    /// Tells of files beside those that the engine reads, when they are others than the last time.
    fn tell_of_passed_over(&self, name: &str, found: usize, passed_over: &[PassedOver]) {
        let Some(listener) = &self.0.listener else { return };
        let before = lock(&self.0.told).insert(name.to_string(), passed_over.to_vec());
        if before.unwrap_or_default() != passed_over {
            let report = Report { files: found, ..Report::default() };
            listener.has_read(name, &report, passed_over, 0.0);
        }
    }
}

/// Files that were found by their names.
pub struct FoundFiles {
    names: Vec<String>,
    files: Files,
}

impl FoundFiles {
    /// The files, to be read by threads that may wait. `runtime` does the requests to object stores.
    pub fn sources(&self, runtime: &Handle) -> Vec<Box<dyn Source>> {
        self.files.files.iter().map(|file| file.source(runtime)).collect()
    }

    /// Leaves out files by their names.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.files.files.retain(|file| keep(&file.name));
    }
}

/// The files of several names, each of them once.
async fn find_all(session: &dyn Session, names: &[String]) -> Result<Files> {
    let mut all = Files::default();
    let mut identities = HashSet::new();
    for name in names {
        let found = files::find(session, name).await?;
        let found = found.ok_or_else(|| {
            let reason = if name.contains("://") {
                "this session has no object store for"
            } else {
                "there is no file"
            };
            plan_datafusion_err!("{reason} {}", shown(name))
        })?;
        let is_only = names.len() == 1;
        all.files
            .extend(found.files.into_iter().filter(|file| is_only || identities.insert(file.identity())));
        all.passed_over.extend(found.passed_over);
    }
    Ok(all)
}

fn state_of<'a>(session: &'a dyn Session, name: &str) -> Result<&'a SessionState> {
    let state = session.as_any().downcast_ref::<SessionState>();
    state.ok_or_else(|| {
        plan_datafusion_err!("reading {} needs a session of DataFusion's own kind", shown(name))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The format that a file's name promises, of those that are no text.
fn binary_name(file: &str) -> Option<&'static str> {
    let (_, ending) = file.rsplit_once('.')?;
    ["Parquet", "Arrow", "Avro"].into_iter().find(|format| ending.eq_ignore_ascii_case(format))
}

/// A file and what it is.
async fn looked_at(mut file: LogFile, options: &ReadOptions) -> Result<(LogFile, Content)> {
    let (options, runtime) = (options.clone(), Handle::current());
    blocking(move |_| {
        let content = file.look(&options, &runtime).map_err(|error| plan_datafusion_err!("{error}"))?;
        Ok((file, content))
    })
    .await
}

/// Files by what they are.
#[derive(Default)]
struct Kinds {
    text: Vec<LogFile>,
    binary: Vec<(BinaryFormat, Vec<LogFile>)>,
    passed_over: Vec<PassedOver>,
    /// The first file that is passed over for what is in it, with the way out.
    unreadable: Option<String>,
}

impl Kinds {
    fn add(&mut self, file: LogFile, content: Content, options: &ReadOptions) -> Result<()> {
        match content {
            Content::Text => {
                if let (None, Some(format)) = (options.format, binary_name(&file.name)) {
                    return plan_err!(
                        "the file {0} is no {format} file: it holds text, so it is damaged, or another file has this name; \
                         read({0}, format => 'lines') shows what is in it",
                        shown(&file.name)
                    );
                }
                self.text.push(file);
            }
            Content::EventLog => self.text.push(file),
            Content::Binary(_) if matches!(file.place, Place::Pipe(_)) => {
                return plan_err!(
                    "{} is a pipe that carries a file which is read in parts; store it, and name the file",
                    shown(&file.name)
                );
            }
            Content::Binary(kind) => match self.binary.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, files)) => files.push(file),
                None => self.binary.push((kind, vec![file])),
            },
            Content::Empty => self.pass_over(file, "it has 0 bytes, so it has no columns"),
            Content::Container(container) => self.pass_over(file, &format!("it is {}", container.name())),
            Content::Unknown(kind) => {
                self.pass_over(file, &format!("it is {kind}, which is not read{}", content.way_out()));
            }
        }
        Ok(())
    }

    fn pass_over(&mut self, file: LogFile, reason: &str) {
        if self.unreadable.is_none() {
            self.unreadable = Some(format!("the file {} can't be read: {reason}", shown(&file.name)));
        }
        self.passed_over.push(PassedOver { file: file.name, reason: reason.to_string() });
    }

    fn pass_over_members(&mut self, members: Vec<PassedOver>) {
        if let (None, Some(first)) = (&self.unreadable, members.first()) {
            self.unreadable =
                Some(format!("the file {} can't be read: {}", shown(&first.file), first.reason));
        }
        self.passed_over.extend(members);
    }

    /// Checks that there is something to read.
    fn check(&self, name: &str, found: usize) -> Result<()> {
        if !self.text.is_empty() || !self.binary.is_empty() {
            return Ok(());
        }
        match &self.unreadable {
            Some(unreadable) if found == 1 => plan_err!("{unreadable}"),
            Some(unreadable) => {
                plan_err!("none of the {found} files of {} can be read: {unreadable}", shown(name))
            }
            None => plan_err!("{} has no file that can be read", shown(name)),
        }
    }
}
