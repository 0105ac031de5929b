//! Values replaced by pseudonyms, before anything of them is on a page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, MatchKind};
use sha2::{Digest as _, Sha256};

use super::{Report, RoleName};

/// Replaces all values of some columns by pseudonyms, wherever they stand on the page: in their column, within other text, in notes, and in
/// statements.
///
/// A pseudonym is made of the column's name and of the value, so that it is the same on every page: `Account-3f5a9c01`. Whoever can guess a
/// value can check the guess, unless a key is given that only its owner knows.
///
/// Of a value such as `DOMAIN\\user` the parts are replaced, too, each by its own pseudonym. Values of fewer than three characters, and those that many
/// other texts would contain by chance, are replaced in their column alone.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    key: String,
    /// The pseudonym of each value in small letters.
    names: BTreeMap<String, String>,
}

/// Values shorter than this are not looked for within other text.
const SHORTEST: usize = 3;

/// Accounts and names that are the same on every machine, and tell nobody.
const COMMON: &[&str] =
    &["system", "local service", "network service", "nt authority", "workgroup", "builtin", "root", "users"];

impl Redaction {
    /// A redaction whose pseudonyms depend on a key; an empty one is none.
    pub fn new(key: &str) -> Self {
        Self { key: key.to_string(), names: BTreeMap::new() }
    }

    /// Replaces the values of the columns of these names, which are those of roles or of further values.
    ///
    /// # Errors
    /// The names of columns that the page does not have.
    pub fn apply(mut self, report: &mut Report, columns: &[&str]) -> Result<(), Vec<String>> {
        let unknown: Vec<String> =
            columns.iter().filter(|name| !has(report, name)).map(ToString::to_string).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        for column in columns {
            let values: Vec<String> =
                values_of(report, column).into_iter().map(ToString::to_string).collect();
            for value in &values {
                self.add(column, value);
            }
        }
        if let Some(finder) = self.finder() {
            self.change(report, columns, &finder);
        }
        Ok(())
    }

    fn add(&mut self, column: &str, value: &str) {
        let parts = value.split(['\\', '@']).filter(|part| *part != value);
        for name in std::iter::once(value).chain(parts) {
            let plain = name.trim_end_matches('$').to_ascii_lowercase();
            if plain.is_empty() || COMMON.contains(&plain.as_str()) {
                continue;
            }
            let mut hash = Sha256::new();
            for text in [&self.key, column, &plain] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
            let mut name = format!("{column}-");
            for byte in hash.finalize().iter().take(4) {
                // Writing to a string can't fail.
                let _ = write!(name, "{byte:02x}");
            }
            self.names.entry(plain).or_insert(name);
        }
    }

    fn change(&self, report: &mut Report, columns: &[&str], finder: &AhoCorasick) {
        let within = |text: &mut String| *text = self.replaced(text, finder);
        let whole = |text: &mut Option<String>| {
            if let Some(value) = text {
                let plain = value.trim_end_matches('$').to_ascii_lowercase();
                match self.names.get(&plain) {
                    Some(name) => value.clone_from(name),
                    None => within(value),
                }
            }
        };
        let is_role = |report: &Report, role: RoleName| {
            report.roles.iter().any(|of| of.role == role && columns.contains(&of.label.as_str()))
        };
        let [account, host, name, parent, path] =
            [RoleName::Account, RoleName::Host, RoleName::Name, RoleName::Parent, RoleName::Path]
                .map(|role| is_role(report, role));
        let chosen: Vec<bool> =
            report.columns.iter().map(|column| columns.contains(&column.as_str())).collect();
        let any = |text: &mut Option<String>, is_chosen: bool| {
            if is_chosen {
                whole(text);
            } else if let Some(text) = text {
                within(text);
            }
        };
        within(&mut report.title);
        report.notes.iter_mut().chain(&mut report.files).chain(&mut report.partitions).for_each(within);
        [&mut report.query, &mut report.table].into_iter().flatten().for_each(within);
        for row in &mut report.rows {
            any(&mut row.name, name);
            any(&mut row.parent, parent);
            any(&mut row.account, account);
            any(&mut row.host, host);
            any(&mut row.path, path);
            any(&mut row.text, false);
            row.reasons.iter_mut().for_each(within);
            for (value, is_chosen) in row.values.iter_mut().zip(&chosen) {
                any(value, *is_chosen);
            }
        }
        for place in &mut report.places {
            for (list, is_chosen) in
                [(&mut place.names, name), (&mut place.hosts, host), (&mut place.accounts, account)]
            {
                for (text, _) in list.iter_mut() {
                    any(text, is_chosen);
                }
            }
        }
    }

    /// Finds the names in text of any case, the longest of several at one place.
    fn finder(&self) -> Option<AhoCorasick> {
        let names = self.names.keys().filter(|name| name.chars().count() >= SHORTEST);
        // Too many names for a finder would be beyond a page, too.
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(names)
            .ok()
    }

    /// The text with all names replaced.
    fn replaced(&self, text: &str, finder: &AhoCorasick) -> String {
        let mut made = String::with_capacity(text.len());
        finder.replace_all_with(text, &mut made, |_, found, made| {
            made.push_str(self.names.get(&found.to_ascii_lowercase()).map_or("redacted", String::as_str));
            true
        });
        made
    }
}

fn has(report: &Report, column: &str) -> bool {
    report.columns.iter().any(|name| name == column) || report.roles.iter().any(|role| role.label == column)
}

fn texts(counts: &[(Option<String>, u64)]) -> impl Iterator<Item = &str> {
    counts.iter().filter_map(|(text, _)| text.as_deref())
}

fn values_of<'a>(report: &'a Report, column: &str) -> Vec<&'a str> {
    let mut values = vec![];
    if let Some(at) = report.columns.iter().position(|name| name == column) {
        values.extend(report.rows.iter().filter_map(|row| row.values.get(at)?.as_deref()));
    }
    for role in report.roles.iter().filter(|role| role.label == column) {
        match role.role {
            RoleName::Account => {
                values.extend(report.rows.iter().filter_map(|row| row.account.as_deref()));
                values.extend(report.places.iter().flat_map(|place| texts(&place.accounts)));
            }
            RoleName::Host => {
                values.extend(report.rows.iter().filter_map(|row| row.host.as_deref()));
                values.extend(report.places.iter().flat_map(|place| texts(&place.hosts)));
            }
            RoleName::Name => {
                values.extend(report.rows.iter().filter_map(|row| row.name.as_deref()));
                values.extend(report.places.iter().flat_map(|place| texts(&place.names)));
            }
            RoleName::Parent => values.extend(report.rows.iter().filter_map(|row| row.parent.as_deref())),
            RoleName::Path => values.extend(report.rows.iter().filter_map(|row| row.path.as_deref())),
            RoleName::Text | RoleName::Time => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::super::{Role, Row};
    use super::*;

    fn report() -> Report {
        let row = |account: &str, text: &str| Row {
            account: Some(account.to_string()),
            text: Some(text.to_string()),
            values: vec![Some(account.to_string())],
            ..Row::default()
        };
        Report {
            title: "events of amy".to_string(),
            roles: vec![Role {
                role: RoleName::Account,
                label: "Account".to_string(),
                sql: "\"Account\"".to_string(),
            }],
            columns: vec!["SubjectUserName".to_string()],
            rows: vec![
                row("CORP\\Amy", "copy C:\\Users\\AMY\\x amyl"),
                row("NT AUTHORITY\\SYSTEM", "SYSTEM"),
            ],
            ..Report::default()
        }
    }

    #[test]
    fn values_are_replaced_wherever_they_stand() {
        let mut redacted = report();
        Redaction::new("").apply(&mut redacted, &["Account"]).expect("the column is there");
        let text = format!("{redacted:?}").to_lowercase();
        assert!(!text.contains("amy") && !text.contains("corp"), "{text}");
        let account = redacted.rows[0].account.clone().expect("a pseudonym");
        assert!(account.starts_with("Account-") && account.len() == 16, "{account}");
        assert_eq!(redacted.rows[1].text.as_deref(), Some("SYSTEM"), "it tells nobody");
        let mut again = report();
        Redaction::new("").apply(&mut again, &["Account"]).expect("the column is there");
        assert_eq!(again.rows[0].account.as_deref(), Some(account.as_str()), "the same on every page");
        let mut keyed = report();
        Redaction::new("secret").apply(&mut keyed, &["Account"]).expect("the column is there");
        assert_ne!(keyed.rows[0].account.as_deref(), Some(account.as_str()), "another key");
    }

    #[test]
    fn unknown_columns_are_named() {
        assert_eq!(Redaction::new("").apply(&mut report(), &["Computer"]), Err(vec!["Computer".to_string()]));
    }
}
