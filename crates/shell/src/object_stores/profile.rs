//! Profiles: keys and a region under a name, in the files that AWS's own tools write.
//!
//! `~/.aws/credentials` has sections `[name]`, and `~/.aws/config` sections `[profile name]`, where that of `default` needs no `profile`.
//! Both have lines `key = value`; what is indented belongs to the line before and is nothing that reading files needs. The first file
//! wins.
//!
//! Only keys that stand there are taken. A profile can also name a way to get keys for an hour: a login of a company, a role, a program.
//! Those need an SDK, and AWS's own tool prints what they give as variables, so they are an error that says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use datafusion::common::{DataFusionError, Result, config_datafusion_err, config_err};
use datafusion_dbcluster::near_miss::did_you_mean;

use super::s3::Variables;

/// The settings of a profile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    name: String,
    properties: BTreeMap<String, String>,
}

/// Keys that stand in a profile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys<'a> {
    pub(super) id: &'a str,
    pub(super) secret: &'a str,
    pub(super) token: Option<&'a str>,
}

/// Properties of a role, which may stand beside the keys that it is assumed with.
const ROLE: [&str; 1] = ["role_arn"];

/// Properties of the other ways to get keys.
const OTHER_WAYS: [&str; 6] = [
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "credential_process",
    "login_session",
    "web_identity_token_file",
];

impl Profile {
    /// The profile that the environment names, or `default`. Without the files it is empty.
    ///
    /// # Errors
    /// A file can't be read, or no file has the profile that the environment names.
    pub(super) fn of_machine(variables: &Variables) -> Result<Self> {
        let config = Place::of(variables, "AWS_CONFIG_FILE", "config");
        let credentials = Place::of(variables, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let told = variables.get("AWS_PROFILE").map(String::as_str);
        let name = told.unwrap_or("default");
        let (config_text, credentials_text) = (config.read()?, credentials.read()?);
        match Self::of(name, &config_text, &credentials_text) {
            Some(profile) => Ok(profile),
            None if told.is_none() => Ok(Self::default()),
            None => {
                let names = names(&config_text, &credentials_text);
                config_err!(
                    "AWS_PROFILE is '{name}', a profile that neither {config} nor {credentials} has{}",
                    did_you_mean(name, &names)
                )
            }
        }
    }

    /// The profile of a name in the texts of the two files.
    fn of(name: &str, config: &str, credentials: &str) -> Option<Self> {
        // [profile default] wins over [default].
        let found = sections(config).filter(|section| name == "default" && section.header == name);
        let found = found.chain(sections(config).filter(|section| section.profile() == Some(name)));
        let found = found.chain(sections(credentials).filter(|section| section.header == name));
        let mut is_there = false;
        let mut properties = BTreeMap::new();
        for section in found {
            is_there = true;
            properties.extend(section.properties());
        }
        is_there.then(|| Self { name: name.to_string(), properties })
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.get("region")
    }

    /// The keys that stand in the profile, if it has anything about keys.
    ///
    /// # Errors
    /// It has one of the two keys, or another way to get them.
    pub(super) fn keys(&self) -> Result<Option<Keys<'_>>> {
        let other_way = |ways: &[&'static str]| ways.iter().copied().find(|way| self.get(way).is_some());
        if let Some(way) = other_way(&ROLE) {
            return Err(self.cannot(way));
        }
        match (self.get("aws_access_key_id"), self.get("aws_secret_access_key")) {
            (Some(id), Some(secret)) => Ok(Some(Keys { id, secret, token: self.get("aws_session_token") })),
            (None, None) => match other_way(&OTHER_WAYS) {
                Some(way) => Err(self.cannot(way)),
                None => Ok(None),
            },
            _ => config_err!(
                "profile '{}' of AWS has one of aws_access_key_id and aws_secret_access_key, expected both",
                self.name
            ),
        }
    }

    fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str)
    }

    fn cannot(&self, way: &str) -> DataFusionError {
        let name = &self.name;
        config_datafusion_err!(
            "profile '{name}' of AWS gets its keys by {way}, expected aws_access_key_id and aws_secret_access_key in it: \
             run `eval \"$(aws configure export-credentials --profile '{name}' --format env)\"` before, which puts keys \
             into the environment"
        )
    }
}

/// A file of profiles.
struct Place(Option<PathBuf>);

impl Place {
    /// The file that a variable names, or the one of that name in `~/.aws`.
    fn of(variables: &Variables, variable: &str, name: &str) -> Self {
        let home = env::home_dir();
        Self(match variables.get(variable) {
            Some(path) => match (path.strip_prefix("~/"), home) {
                (Some(rest), Some(home)) => Some(home.join(rest)),
                _ => Some(path.into()),
            },
            None => home.map(|home| home.join(".aws").join(name)),
        })
    }

    fn read(&self) -> Result<String> {
        let Some(path) = &self.0 else { return Ok(String::new()) };
        match fs::read(path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => config_err!("can't read the profiles of AWS in {self}: {error}"),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_deref().unwrap_or(Path::new("~/.aws")).display().fmt(f)
    }
}

/// The lines under a header.
struct Section<'a> {
    header: String,
    lines: Vec<&'a str>,
}

impl<'a> Section<'a> {
    /// The name behind `profile`.
    fn profile(&self) -> Option<&str> {
        let (word, name) = self.header.split_once(char::is_whitespace)?;
        (word == "profile").then(|| name.trim().trim_matches(['"', '\'']))
    }

    fn properties(&self) -> impl Iterator<Item = (String, String)> + use<'a> {
        let lines = self.lines.clone().into_iter();
        let pairs = lines.filter_map(|line| line.split_once('='));
        let pairs =
            pairs.map(|(key, value)| (key.trim().to_ascii_lowercase(), without_comment(value).trim()));
        pairs.filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key, value.to_string()))
    }
}

/// The sections of a file. Comments and indented lines are left out.
fn sections(text: &str) -> impl Iterator<Item = Section<'_>> {
    let mut sections = Vec::<Section<'_>>::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        if line.trim().is_empty() || line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        match (line.strip_prefix('[').and_then(|rest| rest.split_once(']')), sections.last_mut()) {
            (Some((header, _)), _) => {
                sections.push(Section { header: header.trim().to_string(), lines: Vec::new() });
            }
            (None, Some(section)) => section.lines.push(line),
            (None, None) => {}
        }
    }
    sections.into_iter()
}

/// A value up to a comment, which has a space before it.
fn without_comment(value: &str) -> &str {
    let comments = [" #", " ;", "\t#", "\t;"].into_iter().filter_map(|start| value.find(start));
    &value[..comments.min().unwrap_or(value.len())]
}

/// The names of all profiles.
fn names(config: &str, credentials: &str) -> Vec<String> {
    let of_config = sections(config).filter_map(|section| section.profile().map(ToString::to_string));
    let mut names: Vec<String> =
        of_config.chain(sections(credentials).map(|section| section.header)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\u{feff}# of my company
region = lost
[default]
region = eu-central-1   # Frankfurt
output=json
[profile ops]
REGION=us-east-1
s3 =
  max_concurrent_requests = 20
  aws_access_key_id = NESTED
[profile \"two words\"]\r
region = eu-west-1\r
[profile login]
sso_session = company
sso_account_id = 1
[profile role]
role_arn = arn:aws:iam::1:role/reader
source_profile = default
[profile program]
credential_process = /opt/keys --json
[sso-session company]
sso_start_url = https://example.org
[profile half]
aws_access_key_id = ID
";

    const CREDENTIALS: &str = "[default]
aws_access_key_id = ID
aws_secret_access_key = a+b/c=#d
; a comment
[ops] # a comment
aws_access_key_id=OPS
aws_secret_access_key=secret
aws_session_token=token==
";

    fn profile(name: &str) -> Profile {
        Profile::of(name, CONFIG, CREDENTIALS).unwrap_or_else(|| panic!("there is a profile '{name}'"))
    }

    #[test]
    fn files_complete_each_other() {
        let default = profile("default");
        assert_eq!(default.region(), Some("eu-central-1"));
        let keys = default.keys().expect("plain keys");
        assert_eq!(keys, Some(Keys { id: "ID", secret: "a+b/c=#d", token: None }));
        let ops = profile("ops");
        assert_eq!(ops.region(), Some("us-east-1"));
        let keys = ops.keys().expect("plain keys");
        assert_eq!(keys, Some(Keys { id: "OPS", secret: "secret", token: Some("token==") }));
        let words = profile("two words");
        assert_eq!((words.region(), words.keys().expect("nothing of keys")), (Some("eu-west-1"), None));
    }

    #[test]
    fn the_file_of_credentials_wins() {
        let config = "[default]\nregion = a\naws_access_key_id = OLD\naws_secret_access_key = old\n\
                      [profile default]\nregion = b";
        let profile = Profile::of("default", config, CREDENTIALS).expect("a profile");
        assert_eq!(profile.region(), Some("b"));
        assert_eq!(profile.keys().expect("plain keys").map(|keys| keys.id), Some("ID"));
    }

    #[test]
    fn names_are_whole() {
        for name in ["op", "profile ops", "sso-session company", "company", ""] {
            assert_eq!(Profile::of(name, CONFIG, CREDENTIALS), None, "{name}");
        }
        assert_eq!(
            names(CONFIG, CREDENTIALS),
            ["default", "half", "login", "ops", "program", "role", "two words"]
        );
    }

    #[test]
    fn other_ways_to_keys_are_told() {
        for (name, way) in [("login", "sso_session"), ("role", "role_arn"), ("program", "credential_process")]
        {
            let told = profile(name).keys().expect_err("no keys stand there").to_string();
            assert!(told.contains(way) && told.contains("export-credentials"), "{told}");
            assert!(told.contains(&format!("--profile '{name}'")), "{told}");
        }
        let told = profile("half").keys().expect_err("half of the keys").to_string();
        assert!(told.contains("expected both"), "{told}");
    }

    #[test]
    fn files_and_profiles_may_be_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name).display().to_string();
        fs::write(place("config"), CONFIG).expect("a file");
        let mut variables = Variables::new();
        variables.insert("AWS_CONFIG_FILE".to_string(), place("config"));
        variables.insert("AWS_SHARED_CREDENTIALS_FILE".to_string(), place("none"));
        assert_eq!(Profile::of_machine(&variables).expect("a profile").region(), Some("eu-central-1"));
        variables.insert("AWS_PROFILE".to_string(), "rol".to_string());
        let told = Profile::of_machine(&variables).expect_err("no such profile").to_string();
        assert!(told.contains("'rol'") && told.contains("did you mean 'role'"), "{told}");
        variables.insert("AWS_CONFIG_FILE".to_string(), place("none"));
        variables.remove("AWS_PROFILE");
        assert_eq!(Profile::of_machine(&variables).expect("nothing"), Profile::default());
    }
}
