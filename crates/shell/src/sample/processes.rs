//! Process creations, as Windows logs them in event 4688.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::anomalies::{anomaly, one_off};
use super::templates::{EXPLORER, Event, Session, Templates};
use super::world::{Purpose, World, logon_id, mix, special_rows, stream, time_of};

/// The type of every `TimeGenerated` column.
pub(super) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The columns of processes and of the process tree.
pub(super) fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![
        Field::new("TimeGenerated", time_type(), false),
        text("Computer"),
        text("Account"),
        text("SubjectLogonId"),
        text("NewProcessName"),
        text("CommandLine"),
        text("ParentProcessName"),
        text("NewProcessId"),
        // ProcessId is Windows' name for the parent's id.
        text("ProcessId"),
        Field::new("is_anomaly", DataType::Boolean, false),
        Field::new("anomaly_kind", DataType::Utf8, true),
    ]))
}

/// The columns of a batch of events, while it is filled.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) time: TimestampMicrosecondBuilder,
    pub(super) computer: StringBuilder,
    pub(super) account: StringBuilder,
    pub(super) logon_id: StringBuilder,
    pub(super) path: StringBuilder,
    pub(super) command_line: StringBuilder,
    pub(super) parent: StringBuilder,
    pub(super) process_id: StringBuilder,
    pub(super) parent_id: StringBuilder,
    pub(super) is_anomaly: BooleanBuilder,
    pub(super) kind: StringBuilder,
}

impl Columns {
    pub(super) fn new(rows: usize) -> Self {
        let text = |bytes: usize| StringBuilder::with_capacity(rows, rows * bytes);
        Self {
            time: TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(time_type()),
            computer: text(24),
            account: text(24),
            logon_id: text(8),
            path: text(56),
            command_line: text(88),
            parent: text(40),
            process_id: text(6),
            parent_id: text(6),
            is_anomaly: BooleanBuilder::with_capacity(rows),
            kind: StringBuilder::with_capacity(rows, 0),
        }
    }

    /// Fills the columns that follow from the session: time, host, account, logon id.
    pub(super) fn session(&mut self, session: Session, event: &Event) -> std::fmt::Result {
        let host = &event.world.hosts[event.host];
        self.time.append_value(event.time);
        self.computer.append_value(&host.fqdn);
        let (account, id) = match session {
            Session::System => (host.machine_account.as_str(), 0x3e7),
            Session::NetworkService => (r"NT AUTHORITY\NETWORK SERVICE", 0x3e4),
            Session::LocalService => (r"NT AUTHORITY\LOCAL SERVICE", 0x3e5),
            Session::User => {
                (event.world.users[event.user].account.as_str(), logon_id(event.host, event.user, event.time))
            }
        };
        self.account.append_value(account);
        append_hex(&mut self.logon_id, id)
    }

    /// Fills the columns that say whether the row is planted.
    pub(super) fn truth(&mut self, kind: Option<&str>) {
        self.is_anomaly.append_value(kind.is_some());
        self.kind.append_option(kind);
    }

    pub(super) fn finish(mut self, schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.time.finish()),
            Arc::new(self.computer.finish()),
            Arc::new(self.account.finish()),
            Arc::new(self.logon_id.finish()),
            Arc::new(self.path.finish()),
            Arc::new(self.command_line.finish()),
            Arc::new(self.parent.finish()),
            Arc::new(self.process_id.finish()),
            Arc::new(self.parent_id.finish()),
            Arc::new(self.is_anomaly.finish()),
            Arc::new(self.kind.finish()),
        ];
        RecordBatch::try_new(schema, columns)
    }
}

/// Appends a number as hexadecimal digits: `0x3e7`.
pub(super) fn append_hex(column: &mut StringBuilder, number: u64) -> std::fmt::Result {
    write!(column, "{number:#x}")?;
    column.append_value("");
    Ok(())
}

/// A process id, which Windows makes a multiple of four.
fn process_id(bits: u64) -> u64 {
    bits % 8000 * 4 + 400
}

/// The data that all parts of the process events share.
#[derive(Debug)]
pub(super) struct Processes<'a> {
    world: &'a World,
    templates: Templates,
    seed: u64,
    rows: u64,
    /// The rows outside of the templates, ascending. They take turns: planted, only rare, planted and so on.
    special: Vec<u64>,
}

impl<'a> Processes<'a> {
    pub(super) fn new(world: &'a World, seed: u64, rows: u64) -> Self {
        let special = special_rows(seed, Purpose::ProcessAnomalies, rows, 24);
        Self { world, templates: Templates::new(seed), seed, rows, special }
    }

    /// The number of planted rows.
    pub(super) fn planted(&self) -> usize {
        self.special.len().div_ceil(2)
    }

    /// Makes the events of some consecutive rows. The same rows of the same part are the same events.
    pub(super) fn batch(&self, part: u64, rows: Range<u64>) -> Result<RecordBatch, ArrowError> {
        let count = usize::try_from(rows.end - rows.start).unwrap_or(0);
        let mut columns = Columns::new(count);
        let mut rng = stream(self.seed, Purpose::Processes, part);
        let mut next = self.special.partition_point(|row| *row < rows.start);
        let write_failed = |error: std::fmt::Error| ArrowError::ComputeError(error.to_string());
        for row in rows {
            let host = self.world.any_host(&mut rng);
            let event = Event {
                world: self.world,
                bits: rng.u64(..),
                time: time_of(row, self.rows, &mut rng),
                host,
                user: self.world.any_user_of(host, &mut rng),
            };
            let template = self.templates.any(&mut rng);
            if self.special.get(next) == Some(&row) {
                self.append_special(next, &event, &mut columns).map_err(write_failed)?;
                next += 1;
            } else {
                self.append(template, &event, &mut columns).map_err(write_failed)?;
            }
            append_hex(&mut columns.process_id, process_id(event.bits)).map_err(write_failed)?;
        }
        columns.finish(schema())
    }

    fn append(&self, index: usize, event: &Event, columns: &mut Columns) -> std::fmt::Result {
        let template = self.templates.get(index);
        columns.session(template.session, event)?;
        template.path.write(&mut columns.path, event)?;
        columns.path.append_value("");
        template.command_line.write(&mut columns.command_line, event)?;
        columns.command_line.append_value("");
        columns.parent.append_value(&template.parent);
        // A service keeps its id for as long as its host is up.
        let parent = mix(event.host as u64) ^ mix(template.parent.len() as u64);
        append_hex(&mut columns.parent_id, process_id(parent))?;
        columns.truth(None);
        Ok(())
    }

    fn append_special(&self, number: usize, event: &Event, columns: &mut Columns) -> std::fmt::Result {
        let (host, user) = (&event.world.hosts[event.host], &event.world.users[event.user]);
        let mut rng = stream(self.seed, Purpose::ProcessAnomalies, number as u64);
        if number.is_multiple_of(2) {
            let anomaly = anomaly(number / 2, host, user, &mut rng);
            columns.session(anomaly.session, event)?;
            columns.path.append_value(&anomaly.path);
            columns.command_line.append_value(&anomaly.command_line);
            columns.parent.append_value(anomaly.parent);
            columns.truth(Some(anomaly.kind));
        } else {
            let (path, command_line) = one_off(user, &mut rng);
            columns.session(Session::User, event)?;
            columns.path.append_value(&path);
            columns.command_line.append_value(&command_line);
            columns.parent.append_value(EXPLORER);
            columns.truth(None);
        }
        append_hex(&mut columns.parent_id, process_id(rng.u64(..)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    #[test]
    fn parts_depend_on_the_seed_alone() {
        let world = World::new(3, 5000);
        let processes = Processes::new(&world, 3, 5000);
        let again = Processes::new(&world, 3, 5000);
        assert_eq!(processes.batch(1, 2000..5000).ok(), again.batch(1, 2000..5000).ok());
        let other_seed = Processes::new(&world, 4, 5000);
        assert_ne!(processes.batch(1, 2000..5000).ok(), other_seed.batch(1, 2000..5000).ok());
    }

    #[test]
    fn planted_rows_carry_their_kind() {
        let world = World::new(1, 20_000);
        let processes = Processes::new(&world, 1, 20_000);
        let batch = processes.batch(0, 0..20_000).expect("a batch");
        let truth = batch.column_by_name("is_anomaly").expect("the truth").as_boolean();
        let kinds = batch.column_by_name("anomaly_kind").expect("the kind").as_string::<i32>();
        assert_eq!(truth.true_count(), processes.planted());
        for row in 0..batch.num_rows() {
            assert_eq!(truth.value(row), !arrow::array::Array::is_null(kinds, row));
        }
    }
}
