//! Texts for unknown names: the names that exist, those that were probably meant, and an excerpt of the text as written.

use std::borrow::Cow;

use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;

/// The share of equal letters from which on a name counts as probably meant.
const SIMILAR: f64 = 0.5;

/// The number of characters of a user's text that a message repeats.
const SHOWN: usize = 200;

/// Returns a user's text, or its first 200 characters and `...` if it is longer.
pub fn excerpt(written: &str) -> Cow<'_, str> {
    match written.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}...", &written[..end])),
        None => Cow::Borrowed(written),
    }
}

/// Returns a column's name as SQL: quoted, so that its case and its dots, spaces and slashes are part of it.
pub fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns ` (did you mean 'a' or 'b'?)` with the candidates that are close to `name`, or an empty text.
pub fn did_you_mean(name: &str, candidates: &[impl AsRef<str>]) -> String {
    if name.len() > SHOWN {
        return String::new();
    }
    let lower = name.to_lowercase();
    let mut close: Vec<(f64, &str)> = candidates
        .iter()
        .map(AsRef::as_ref)
        .map(|candidate| (similarity(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    close.dedup_by_key(|(_, name)| *name);
    if close.is_empty() {
        return String::new();
    }
    let names: Vec<String> = close.iter().take(3).map(|(_, name)| format!("'{name}'")).collect();
    format!(" (did you mean {}?)", names.join(" or "))
}

/// Returns a similarity from 0 to 1. It is high if one name begins with the other: `epsilon`, `CommandLine1`.
fn similarity(a: &str, b: &str) -> f64 {
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let begins = shorter.len() >= 3 && longer.starts_with(shorter);
    normalized_levenshtein(a, b).max(if begins { SIMILAR } else { 0.0 })
}

/// Returns `expected one of 'a', 'b', 'c'`, with the ones that were probably meant by `got`.
pub fn expected_one_of(got: &str, allowed: &[&str]) -> String {
    let names: Vec<String> = allowed.iter().map(|name| format!("'{name}'")).collect();
    format!("expected one of {}{}", names.join(", "), did_you_mean(got, allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("short"), "short");
        assert_eq!(excerpt(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        assert_eq!(excerpt(&"é".repeat(SHOWN + 1)), format!("{}...", "é".repeat(SHOWN)));
    }

    #[test]
    fn close_names_are_meant() {
        let names = ["eps", "min_samples", "metric", "scaling"];
        assert_eq!(did_you_mean("Metrik", &names), " (did you mean 'metric'?)");
        assert_eq!(did_you_mean("epsilon", &names), " (did you mean 'eps'?)");
        assert_eq!(did_you_mean("min_sample", &names), " (did you mean 'min_samples'?)");
        assert_eq!(did_you_mean("colour", &names), "");
        assert_eq!(
            expected_one_of("scalin", &names[3..]),
            "expected one of 'scaling' (did you mean 'scaling'?)"
        );
    }
}
