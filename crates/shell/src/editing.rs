//! Help while a line is edited: its completion, its colours, and whether it is complete.

use std::borrow::Cow;

use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use tokio::runtime::{Handle, Runtime};

use super::completion::Completion;
use super::habits::is_line;
use super::highlight::highlighted;
use super::statements::is_complete;
use dbcluster_terminal::printable;

/// The line editor's helper.
pub(super) struct ShellHelper {
    dialect: Dialect,
    color: bool,
    completion: Completion,
}

impl ShellHelper {
    pub(super) fn new(handle: Handle, ctx: &SessionContext, color: bool) -> Self {
        Self { dialect: Dialect::Generic, color, completion: Completion::new(handle, ctx) }
    }

    /// Takes over what the last statement has changed.
    pub(super) fn refresh(&mut self, runtime: &Runtime, ctx: &SessionContext) {
        self.dialect = ctx.state_ref().read().config_options().sql_parser.dialect;
        self.completion.refresh(runtime, ctx);
    }
}

impl Completer for ShellHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, mut found) = self.completion.candidates(line, pos);
        // Names come from other people's files, and the editor writes them to the terminal. One that could steer the
        // terminal is shown with codes, and completes to these codes, which is not its name.
        for pair in &mut found {
            for text in [&mut pair.display, &mut pair.replacement] {
                *text = printable(text).into_owned();
            }
        }
        Ok((start, found))
    }
}

impl Validator for ShellHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_line(context.input()) || is_complete(context.input(), self.dialect) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Highlighter for ShellHelper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.color { highlighted(line, self.dialect) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        self.color && !line.is_empty()
    }
}

impl Hinter for ShellHelper {
    type Hint = String;
}

impl Helper for ShellHelper {}
