//! The options of a statement that say how its object store is reached: `OPTIONS ('aws.region' 'eu-central-1')`.
//!
//! They stand among those of the file format, and the engine refuses options of a namespace that it has not been told of. So a
//! [`StoreOptions`] is both: what the engine is told of, and what the builder of the store takes.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};

use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{Result, config_err};
use datafusion_dbcluster::near_miss::did_you_mean;
use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;
use object_store::gcp::GoogleConfigKey;

/// The options of S3, and of the stores that speak it.
pub(super) type AwsOptions = StoreOptions<AmazonS3ConfigKey>;

/// The options of Google Cloud Storage.
pub(super) type GcpOptions = StoreOptions<GoogleConfigKey>;

/// A setting of a builder of stores.
pub(super) trait Setting: Debug + Copy + PartialEq + Send + Sync + 'static {
    /// The namespace of its option.
    const NAMESPACE: &'static str;
    /// The options, without the namespace.
    const OPTIONS: &'static [(&'static str, Self)];
}

impl Setting for AmazonS3ConfigKey {
    const NAMESPACE: &'static str = "aws";
    const OPTIONS: &'static [(&'static str, Self)] = &[
        ("access_key_id", Self::AccessKeyId),
        ("secret_access_key", Self::SecretAccessKey),
        ("session_token", Self::Token),
        ("region", Self::Region),
        ("endpoint", Self::Endpoint),
        ("oss.endpoint", Self::Endpoint),
        ("cos.endpoint", Self::Endpoint),
        ("allow_http", Self::Client(ClientConfigKey::AllowHttp)),
        ("skip_signature", Self::SkipSignature),
        ("nosign", Self::SkipSignature),
    ];
}

impl Setting for GoogleConfigKey {
    const NAMESPACE: &'static str = "gcp";
    const OPTIONS: &'static [(&'static str, Self)] = &[
        ("service_account_path", Self::ServiceAccount),
        ("service_account_key", Self::ServiceAccountKey),
        ("application_credentials_path", Self::ApplicationCredentials),
    ];
}

/// The settings that a statement makes.
#[derive(Clone)]
pub(super) struct StoreOptions<S>(Vec<(S, String)>);

impl<S: Setting> StoreOptions<S> {
    /// Those among the options of a statement.
    pub(super) fn of(statement: &HashMap<String, String>) -> Result<Self> {
        let mut options = Self::default();
        for (name, value) in statement {
            if name.split_once('.').is_some_and(|(namespace, _)| namespace == S::NAMESPACE) {
                options.set(name, value)?;
            }
        }
        Ok(options)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (S, &str)> {
        self.0.iter().map(|(setting, value)| (*setting, value.as_str()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, setting: S) -> bool {
        self.iter().any(|(other, _)| other == setting)
    }
}

impl<S> Default for StoreOptions<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Values are left out, since some are secret.
impl<S: Debug> Debug for StoreOptions<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(setting, _)| setting)).finish()
    }
}

impl<S: Setting> ExtensionOptions for StoreOptions<S> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    /// Takes an option by its whole name, as the engine gives it.
    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let (_, option) = name.split_once('.').unwrap_or(("", name));
        let Some((_, setting)) = S::OPTIONS.iter().find(|(known, _)| *known == option) else {
            let known: Vec<&str> = S::OPTIONS.iter().map(|(known, _)| *known).collect();
            return config_err!(
                "there is no option '{name}'{}: '{}.' has {}",
                did_you_mean(option, &known),
                S::NAMESPACE,
                known.join(", ")
            );
        };
        self.0.retain(|(other, _)| other != setting);
        self.0.push((*setting, value.to_string()));
        Ok(())
    }

    /// Lists nothing, since some values are secret.
    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

impl<S: Setting> ConfigExtension for StoreOptions<S> {
    const PREFIX: &'static str = S::NAMESPACE;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options<S: Setting>(given: &[(&str, &str)]) -> Result<StoreOptions<S>> {
        StoreOptions::of(&given.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn options_of_other_namespaces_are_left_alone() {
        let given = [("format.has_header", "true"), ("aws.region", "a"), ("gcp.service_account_key", "{}")];
        let aws: AwsOptions = options(&given).expect("known options");
        assert_eq!(aws.iter().collect::<Vec<_>>(), [(AmazonS3ConfigKey::Region, "a")]);
        let gcp: GcpOptions = options(&given).expect("known options");
        assert_eq!(gcp.iter().collect::<Vec<_>>(), [(GoogleConfigKey::ServiceAccountKey, "{}")]);
        let none: AwsOptions = options(&given[..1]).expect("known options");
        assert!(none.is_empty());
    }

    #[test]
    fn options_have_several_names() {
        for name in ["aws.endpoint", "aws.oss.endpoint", "aws.cos.endpoint"] {
            let aws: AwsOptions = options(&[(name, "https://e.org")]).expect("known options");
            assert!(aws.has(AmazonS3ConfigKey::Endpoint), "{name}");
        }
        let aws: AwsOptions = options(&[("aws.nosign", "true")]).expect("known options");
        assert!(aws.has(AmazonS3ConfigKey::SkipSignature));
    }

    #[test]
    fn unknown_options_are_errors_and_secrets_are_not_shown() {
        let unknown = options::<AmazonS3ConfigKey>(&[("aws.regoin", "a")]).expect_err("no such option");
        let told = unknown.to_string();
        assert!(told.contains("'aws.regoin'") && told.contains("did you mean 'region'"), "{told}");
        let aws: AwsOptions = options(&[("aws.secret_access_key", "hush")]).expect("known options");
        assert!(!format!("{aws:?}").contains("hush"));
    }
}
