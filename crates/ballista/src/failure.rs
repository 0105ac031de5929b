//! The message of a query that failed on a cluster, without the layers that it came through.
//!
//! Ballista returns a failure as text: `Job 038... failed: Job failed due to stage 3 failed: Task failed due to runtime
//! execution error: DataFusionError(Shared(Execution("feature ...")))`. The person who typed the query needs the innermost
//! message.

use datafusion::common::DataFusionError;

/// The error with its innermost message, followed by the name of the query.
pub(super) fn with_innermost_message(error: DataFusionError) -> DataFusionError {
    let text = error.to_string();
    let Some((kind, message)) = innermost(&text) else { return error };
    let message = match job(&text) {
        Some(job) => format!("{message} (query {job} on the cluster)"),
        None => message,
    };
    match kind {
        "ResourcesExhausted" => DataFusionError::ResourcesExhausted(message),
        "NotImplemented" => DataFusionError::NotImplemented(message),
        "Internal" => DataFusionError::Internal(message),
        _ => DataFusionError::Execution(message),
    }
}

/// Finds the innermost name and the message in the `Debug` output of an error: `Name(Name("..."))` or `Name(Name)`.
fn innermost(text: &str) -> Option<(&str, String)> {
    let mut rest = text;
    loop {
        // The name of a type stands behind a space or a parenthesis, and a parenthesis follows it.
        let open = rest.find('(')?;
        let name = rest[..open].rsplit([' ', '(']).next()?;
        rest = &rest[open + 1..];
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_uppercase())
                && name.chars().all(char::is_alphanumeric)
        };
        if !is_name(name) {
            continue;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            return Some((name, unquoted(quoted)?));
        }
        if let Some((inner, _)) = rest.split_once(')')
            && is_name(inner)
        {
            return Some((inner, message_of_name(inner)));
        }
    }
}

/// The message of an error that is a bare name.
fn message_of_name(kind: &str) -> String {
    match kind {
        "DivideByZero" => "Divide by zero error".to_string(),
        other => other.to_string(),
    }
}

/// The value of a string in Rust's `Debug` output, up to its closing quote.
fn unquoted(debugged: &str) -> Option<String> {
    let mut message = String::new();
    let mut characters = debugged.chars();
    loop {
        match characters.next()? {
            '"' => return Some(message),
            '\\' => match characters.next()? {
                'n' => message.push('\n'),
                't' => message.push('\t'),
                'r' => message.push('\r'),
                other => message.push(other),
            },
            other => message.push(other),
        }
    }
}

/// The name of the query in Ballista's text.
fn job(text: &str) -> Option<&str> {
    text.split_once("Job ")?.1.split_once(' ').map(|(job, _)| job)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_message_is_told() {
        let told = |text: &str| with_innermost_message(DataFusionError::Execution(text.to_string()));
        let message = |text: &str| told(text).message().to_string();
        let nested = "Job 038 failed: Job failed due to stage 3 failed: Task failed due to runtime execution error: \
                      DataFusionError(Shared(Execution(\"feature 'ln(\\\"a\\\")' is\\ninfinite\")))";
        assert_eq!(message(nested), "feature 'ln(\"a\")' is\ninfinite (query 038 on the cluster)");
        let memory = "Job 1 failed: DataFusionError(ResourcesExhausted(\"no more\"))";
        assert!(
            matches!(told(memory), DataFusionError::ResourcesExhausted(text) if text.starts_with("no more ("))
        );
        let bare = "Job 1 failed: DataFusionError(Shared(External(ArrowError(DivideByZero))))";
        assert_eq!(message(bare), "Divide by zero error (query 1 on the cluster)");
        for raw in
            ["Job 038 failed: no executors", "an (\"unfinished", "of f(x) and (a b)", "Name(\"unfinished"]
        {
            assert_eq!(message(raw), raw);
        }
    }
}
