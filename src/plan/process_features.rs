//! `process_features(table)`: the table with the features that the msticpy notebook clusters processes by.
//!
//! The names are msticpy's, so that its users find their way. NULL strings are read as empty, and every feature
//! stands only where its source column does: the path's with `NewProcessName`, the command line's with
//! `CommandLine`, the session's with `SubjectLogonId`.
//!
//! | feature | meaning |
//! |---|---|
//! | `processName` | the path behind its last separator |
//! | `pathScore`, `pathLogScore` | sum of the path's code points, and its log10 |
//! | `pathHash` | CRC-32 of the path |
//! | `processNameLen`, `processNameTokens` | characters and elements of the whole path |
//! | `commandlineLen`, `commandlineLogLen` | characters of the command line, and their log10 |
//! | `commandlineTokensFull` | delimiters in the command line |
//! | `commandlineScore`, `commandlineLogScore` | sum of the command line's code points, and its log10 |
//! | `commandlineTokensHash` | CRC-32 of the command line's delimiters |
//! | `commandlineTokens` | pieces of the command line between spaces |
//! | `isSystemSession` | whether the logon id is the system's |
//!
//! Logarithms are 0 for 0.

use datafusion::common::{Column, Result, plan_err};
use datafusion::functions::expr_fn::{character_length, coalesce, log10};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};

use crate::functions::{
    cmdline_tokens_udf, crc32_hash_udf, delim_hash_udf, is_system_session_udf, path_score_udf,
    process_name_udf, string_score_udf, token_count_udf,
};

/// The SQL name.
pub(crate) const NAME: &str = "process_features";

const PATH: &str = "NewProcessName";
const COMMAND_LINE: &str = "CommandLine";
const LOGON_ID: &str = "SubjectLogonId";

/// All columns of `input`, then its process features.
///
/// # Errors
/// The input has none of the source columns, or a column of a feature's name already.
pub(crate) fn plan(input: LogicalPlan) -> Result<LogicalPlan> {
    let schema = input.schema();
    let source = |name: &str| -> Option<Expr> {
        let (qualifier, field) = schema.iter().find(|(_, field)| field.name() == name)?;
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        Some(coalesce(vec![column, lit("")]))
    };
    let mut features: Vec<(&str, Expr)> = vec![];
    if let Some(path) = source(PATH) {
        let score = path_score_udf().call(vec![path.clone()]);
        let name = process_name_udf().call(vec![path.clone()]);
        features.extend([
            ("processName", name),
            ("pathScore", score.clone()),
            ("pathLogScore", log_or_zero(score)?),
            ("pathHash", crc32_hash_udf().call(vec![path.clone()])),
            ("processNameLen", character_length(path.clone())),
            ("processNameTokens", cmdline_tokens_udf().call(vec![path, lit(r"[/\\]")]) + lit(1_i64)),
        ]);
    }
    if let Some(command_line) = source(COMMAND_LINE) {
        let score = string_score_udf().call(vec![command_line.clone()]);
        let length = character_length(command_line.clone());
        let tokens = cmdline_tokens_udf().call(vec![command_line.clone()]);
        features.extend([
            ("commandlineLen", length.clone()),
            ("commandlineLogLen", log_or_zero(length)?),
            ("commandlineTokensFull", tokens),
            ("commandlineScore", score.clone()),
            ("commandlineLogScore", log_or_zero(score)?),
            ("commandlineTokensHash", delim_hash_udf().call(vec![command_line.clone()])),
            ("commandlineTokens", token_count_udf().call(vec![command_line])),
        ]);
    }
    if let Some(logon_id) = source(LOGON_ID) {
        features.push(("isSystemSession", is_system_session_udf().call(vec![logon_id])));
    }
    if features.is_empty() {
        return plan_err!("{NAME}: the input has none of the columns {PATH}, {COMMAND_LINE} and {LOGON_ID}");
    }
    let mut columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
    for (name, feature) in features {
        if schema.fields().iter().any(|field| field.name() == name) {
            return plan_err!(
                "{NAME}: the input has a column '{name}', which is a column of the result; leave it out with \
                 (SELECT * EXCEPT (\"{name}\") FROM ...), or rename it"
            );
        }
        columns.push(feature.alias(name));
    }
    LogicalPlanBuilder::from(input).project(columns)?.alias(NAME)?.build()
}

/// The decimal logarithm of a count, 0 for 0.
fn log_or_zero(value: Expr) -> Result<Expr> {
    let value = cast(value, arrow::datatypes::DataType::Float64);
    when(value.clone().eq(lit(0.0)), lit(0.0)).otherwise(log10(value))
}
