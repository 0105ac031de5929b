//! Logs of auditd.
#![no_main]

use dbcluster_logs::Format;
use dbcluster_logs_fuzz::check_format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| check_format(Format::Audit, input));
