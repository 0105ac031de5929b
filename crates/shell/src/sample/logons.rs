//! Logons, as Windows logs them in event 4624 (and failed ones in 4625).

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int32Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use fastrand::Rng;

use super::processes::{append_hex, time_type};
use super::world::{DOMAIN, Purpose, World, logon_id, mix, special_rows, stream, time_of};

/// The columns of logons.
pub(super) fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![
        Field::new("TimeGenerated", time_type(), false),
        text("Computer"),
        text("Account"),
        text("TargetUserName"),
        text("TargetDomainName"),
        text("TargetUserSid"),
        text("TargetLogonId"),
        Field::new("LogonType", DataType::Int32, false),
        text("LogonProcessName"),
        text("AuthenticationPackageName"),
        text("WorkstationName"),
        text("IpAddress"),
        // Status is an NTSTATUS, which a logon that succeeded does not have.
        Field::new("Status", DataType::Utf8, true),
        text("SubjectUserName"),
        Field::new("is_anomaly", DataType::Boolean, false),
        Field::new("anomaly_kind", DataType::Utf8, true),
    ]))
}

/// The session that a logon begins.
#[derive(Debug)]
struct Session {
    domain: String,
    user: String,
    sid: String,
    logon_id: u64,
    logon_type: i32,
    process: &'static str,
    package: &'static str,
    address: String,
    failed: bool,
    kind: Option<&'static str>,
}

/// Built-in accounts: name, SID, logon id.
const BUILT_IN: [(&str, &str, u64); 3] = [
    ("SYSTEM", "S-1-5-18", 0x3e7),
    ("LOCAL SERVICE", "S-1-5-19", 0x3e5),
    ("NETWORK SERVICE", "S-1-5-20", 0x3e4),
];

/// Accounts of scheduled jobs and of administrators.
const JOBS: [&str; 3] = ["svc_backup", "svc_report", "svc_deploy"];
const ADMINISTRATORS: [&str; 3] = ["adm.garcia", "adm.khan", "adm.novak"];

/// The address of a logon that has none.
const NO_ADDRESS: &str = "-";

/// The data that all parts of the logons share.
#[derive(Debug)]
pub(super) struct Logons<'a> {
    world: &'a World,
    seed: u64,
    rows: u64,
    planted: Vec<u64>,
}

impl<'a> Logons<'a> {
    pub(super) fn new(world: &'a World, seed: u64, rows: u64) -> Self {
        Self { world, seed, rows, planted: special_rows(seed, Purpose::LogonAnomalies, rows, 4) }
    }

    /// The number of planted rows.
    pub(super) fn planted(&self) -> usize {
        self.planted.len()
    }

    /// Makes the logons of some consecutive rows. The same rows of the same part are the same logons.
    pub(super) fn batch(&self, part: u64, rows: Range<u64>) -> Result<RecordBatch, ArrowError> {
        let mut columns = Columns::default();
        let mut rng = stream(self.seed, Purpose::Logons, part);
        let mut next = self.planted.partition_point(|row| *row < rows.start);
        for row in rows {
            let time = time_of(row, self.rows, &mut rng);
            let host = self.world.any_host(&mut rng);
            let mut logon = self.ordinary(host, time, &mut rng);
            if self.planted.get(next) == Some(&row) {
                logon = self.odd(next, host);
                next += 1;
            }
            columns
                .append(&logon, time, self.world, host)
                .map_err(|error| ArrowError::ComputeError(error.to_string()))?;
        }
        columns.finish()
    }

    fn ordinary(&self, host: usize, time: i64, rng: &mut Rng) -> Session {
        let address = |host: usize| self.world.hosts[host].address.clone();
        let person = self.world.any_user_of(host, rng);
        let user = |logon_type, process, package, address| {
            self.domain_logon(
                &self.world.users[person].name,
                logon_id(host, person, time),
                logon_type,
                process,
                package,
                address,
            )
        };
        match rng.u8(..100) {
            0..52 => {
                let (name, sid, id) = BUILT_IN[usize::from(rng.u8(..10).saturating_sub(7))];
                Session {
                    domain: "NT AUTHORITY".to_string(),
                    user: name.to_string(),
                    sid: sid.to_string(),
                    logon_id: id,
                    logon_type: 5,
                    process: "Advapi",
                    package: "Negotiate",
                    address: NO_ADDRESS.to_string(),
                    failed: false,
                    kind: None,
                }
            }
            52..66 => {
                let other = self.world.any_host(rng);
                let name = format!("{}$", self.world.hosts[other].name);
                self.domain_logon(
                    &name,
                    rng.u64(0x1_0000..0xfff_ffff),
                    3,
                    "Kerberos",
                    "Kerberos",
                    address(other),
                )
            }
            66..80 => user(3, "Kerberos", "Kerberos", address(self.world.any_host(rng))),
            80..86 => user(2, "User32", "Negotiate", "127.0.0.1".to_string()),
            86..92 => user(7, "User32", "Negotiate", "127.0.0.1".to_string()),
            92..94 => user(11, "User32", "Negotiate", "127.0.0.1".to_string()),
            94..98 => {
                let job = JOBS[rng.usize(..JOBS.len())];
                self.domain_logon(
                    job,
                    rng.u64(0x1_0000..0xfff_ffff),
                    4,
                    "Advapi",
                    "Negotiate",
                    NO_ADDRESS.to_string(),
                )
            }
            _ => {
                let name = ADMINISTRATORS[rng.usize(..ADMINISTRATORS.len())];
                let from = address(self.world.any_host(rng));
                self.domain_logon(name, rng.u64(0x1_0000..0xfff_ffff), 10, "User32", "Negotiate", from)
            }
        }
    }

    fn domain_logon(
        &self,
        user: &str,
        logon_id: u64,
        logon_type: i32,
        process: &'static str,
        package: &'static str,
        address: String,
    ) -> Session {
        let rid = 1100 + user.bytes().fold(0, |sum, byte| mix(sum ^ u64::from(byte))) % 60_000;
        Session {
            domain: DOMAIN.to_string(),
            user: user.to_string(),
            sid: format!("{}-{rid}", self.world.domain_sid),
            logon_id,
            logon_type,
            process,
            package,
            address,
            failed: false,
            kind: None,
        }
    }

    /// The `number`th planted logon. The kinds take turns. The last kind looks like an ordinary logon on purpose.
    fn odd(&self, number: usize, host: usize) -> Session {
        let mut rng = stream(self.seed, Purpose::LogonAnomalies, number as u64);
        let outside = format!("203.0.113.{}", rng.u8(1..255));
        let host_name = self.world.hosts[host].name.clone();
        let local = |user: &str, rid: u64| {
            (host_name.clone(), user.to_string(), format!("{}-{rid}", self.world.domain_sid))
        };
        let word: String = std::iter::repeat_with(|| rng.lowercase()).take(3 + number % 4).collect();
        let ((domain, user, sid), logon_type, process, package, failed, kind) = match number % 5 {
            0 => (local("adm1n", 1066), 10, "User32", "Negotiate", false, "lookalike_administrator"),
            1 => (
                ("IIS".to_string(), word, "S-1-5-82-271721585-897601226".to_string()),
                8,
                "Advapi",
                "Negotiate",
                false,
                "cleartext_password",
            ),
            2 => (
                (DOMAIN.to_string(), format!("x{word}"), format!("{}-1188", self.world.domain_sid)),
                9,
                "seclogo",
                "Negotiate",
                false,
                "pass_the_hash",
            ),
            3 => (local("Guest", 501), 10, "User32", "Negotiate", false, "guest_remote_desktop"),
            _ => {
                let victim = &self.world.users[rng.usize(..self.world.users.len())].name;
                (
                    (DOMAIN.to_string(), victim.clone(), "S-1-0-0".to_string()),
                    3,
                    "NtLmSsp",
                    "NTLM",
                    true,
                    "password_guess",
                )
            }
        };
        Session {
            domain,
            user,
            sid,
            logon_id: rng.u64(0x1_0000..0xfff_ffff),
            logon_type,
            process,
            package,
            address: outside,
            failed,
            kind: Some(kind),
        }
    }
}

/// The columns of a batch of logons, while it is filled.
#[derive(Debug)]
struct Columns {
    time: TimestampMicrosecondBuilder,
    computer: StringBuilder,
    account: StringBuilder,
    user: StringBuilder,
    domain: StringBuilder,
    sid: StringBuilder,
    logon_id: StringBuilder,
    logon_type: Int32Builder,
    process: StringBuilder,
    package: StringBuilder,
    workstation: StringBuilder,
    address: StringBuilder,
    status: StringBuilder,
    subject: StringBuilder,
    is_anomaly: BooleanBuilder,
    kind: StringBuilder,
}

impl Default for Columns {
    fn default() -> Self {
        let text = StringBuilder::new;
        Self {
            time: TimestampMicrosecondBuilder::new().with_data_type(time_type()),
            computer: text(),
            account: text(),
            user: text(),
            domain: text(),
            sid: text(),
            logon_id: text(),
            logon_type: Int32Builder::new(),
            process: text(),
            package: text(),
            workstation: text(),
            address: text(),
            status: text(),
            subject: text(),
            is_anomaly: BooleanBuilder::new(),
            kind: text(),
        }
    }
}

impl Columns {
    fn append(&mut self, logon: &Session, time: i64, world: &World, host: usize) -> std::fmt::Result {
        let host = &world.hosts[host];
        self.time.append_value(time);
        self.computer.append_value(&host.fqdn);
        self.account.append_value(format!(r"{}\{}", logon.domain, logon.user));
        self.user.append_value(&logon.user);
        self.domain.append_value(&logon.domain);
        self.sid.append_value(&logon.sid);
        append_hex(&mut self.logon_id, logon.logon_id)?;
        self.logon_type.append_value(logon.logon_type);
        self.process.append_value(logon.process);
        self.package.append_value(logon.package);
        self.workstation.append_value(if logon.logon_type == 3 { NO_ADDRESS } else { &host.name });
        self.address.append_value(&logon.address);
        self.status.append_option(logon.failed.then_some("0xc000006d"));
        // A logon over the network has no subject on this host.
        self.subject.append_value(if logon.logon_type == 3 {
            NO_ADDRESS.to_string()
        } else {
            format!("{}$", host.name)
        });
        self.is_anomaly.append_value(logon.kind.is_some());
        self.kind.append_option(logon.kind);
        Ok(())
    }

    fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.time.finish()),
            Arc::new(self.computer.finish()),
            Arc::new(self.account.finish()),
            Arc::new(self.user.finish()),
            Arc::new(self.domain.finish()),
            Arc::new(self.sid.finish()),
            Arc::new(self.logon_id.finish()),
            Arc::new(self.logon_type.finish()),
            Arc::new(self.process.finish()),
            Arc::new(self.package.finish()),
            Arc::new(self.workstation.finish()),
            Arc::new(self.address.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.subject.finish()),
            Arc::new(self.is_anomaly.finish()),
            Arc::new(self.kind.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_depend_on_the_seed_alone() {
        let world = World::new(3, 5000);
        let batch = |seed| Logons::new(&world, seed, 500).batch(0, 0..500).expect("a batch");
        assert_eq!(batch(3), batch(3));
        assert_ne!(batch(3), batch(4));
    }
}
