//! Events in the log of auditd, as the reader of logs gives them: a row for each, whatever it is about.
//!
//! Such rows are known by their columns, and in a table with other logs by the number that each has. JSON of programs that have read
//! the log before is none of it.

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::functions::core::expr_fn::{coalesce, nullif};
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit, try_cast};

/// The calls that run a program, by the machine that they are of: x86-64, x86, ARM 64, ARM, RISC-V, PowerPC, z.
const RUNS: [(&str, [i64; 2]); 7] = [
    ("c000003e", [59, 322]),
    ("40000003", [11, 358]),
    ("c00000b7", [221, 281]),
    ("40000028", [11, 387]),
    ("c00000f3", [221, 281]),
    ("c0000015", [11, 362]),
    ("80000016", [11, 354]),
];

/// The same by their names, where the daemon has added them.
const NAMES: [&str; 2] = ["execve", "execveat"];

/// Numbers and words for no account: that of a process which nobody who has logged on has started.
const UNSET: [&str; 3] = ["unset", "4294967295", "-1"];

/// The columns that tell events of auditd, which every table of its log has.
struct Told {
    serial: Expr,
    kind: Expr,
    machine: Expr,
    call: Expr,
    success: Expr,
}

impl Told {
    /// Those of a table; none if it has no such events.
    fn of(schema: &DFSchema) -> Result<Option<Self>> {
        let columns = ["serial", "type", "arch", "syscall", "success"].map(|name| column(schema, name));
        let [Some(serial), Some(kind), Some(machine), Some(call), Some(success)] = columns else {
            return Ok(None);
        };
        for text in [&kind, &machine, &success] {
            if !text.get_type(schema)?.is_string() {
                return Ok(None);
            }
        }
        Ok(Some(Self { serial, kind, machine, call, success }))
    }
}

fn column(schema: &DFSchema, name: &str) -> Option<Expr> {
    let found = schema.iter().find(|(_, field)| field.name() == name && !field.data_type().is_nested());
    found.map(|column| Expr::Column(Column::from(column)))
}

/// Whether an event of auditd is the start of a process, or the row is of another log: it has a record `EXECVE`, or is a call that
/// runs a program and did not fail. `None` if the table has no such events.
pub(super) fn is_no_other_event(schema: &DFSchema) -> Result<Option<Expr>> {
    let Some(Told { serial, kind, machine, call, success }) = Told::of(schema)? else { return Ok(None) };
    let number = if call.get_type(schema)?.is_integer() { call } else { try_cast(call, DataType::Int64) };
    let of_machine = |(arch, calls): (&str, [i64; 2])| {
        machine.clone().eq(lit(arch)).and(number.clone().in_list(calls.map(lit).to_vec(), false))
    };
    let by_number = RUNS.into_iter().map(of_machine);
    let by_name = column(schema, "SYSCALL").map(|name| name.in_list(NAMES.map(lit).to_vec(), false));
    let is_run = by_number.chain(by_name).reduce(Expr::or).unwrap_or_else(|| lit(false));
    let has_failed = success.eq(lit("no"));
    let is_start = kind.like(lit("%EXECVE%")).or(is_run.and(has_failed.is_not_true()));
    Ok(Some(serial.is_null().or(is_start)))
}

/// The account of a row: the one that is known by other names, else the one who has logged on, else the one that the process runs as;
/// names before numbers.
pub(crate) fn account(schema: &DFSchema, known: Option<Expr>) -> Result<Option<Expr>> {
    if Told::of(schema)?.is_none() {
        return Ok(known);
    }
    let text = |name| column(schema, name).map(|column| cast(column, DataType::Utf8View));
    let of_event = |name| text(name).map(without_unset);
    let known = known.map(|known| without_unset(cast(known, DataType::Utf8View)));
    let names = [known].into_iter().chain(["AUID", "UID", "auid", "uid"].map(of_event));
    let names: Vec<Expr> = names.flatten().collect();
    Ok((!names.is_empty()).then(|| coalesce(names)))
}

/// NULL for values that mean no account.
fn without_unset(account: Expr) -> Expr {
    UNSET
        .into_iter()
        .fold(account, |account, word| nullif(account, lit(ScalarValue::Utf8View(Some(word.to_owned())))))
}
