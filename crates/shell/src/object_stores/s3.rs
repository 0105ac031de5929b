//! S3, and the stores that speak it.
//!
//! A request is signed with a pair of keys, for one region. The keys come from the first of these that has some: the options of the
//! statement, the variables `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a [profile](super::profile), the token of a web identity, the
//! role of a container, the role of the machine. If none has, requests are not signed, as public buckets want it. The region comes from the
//! options, the variables or the profile, or else the bucket itself tells it.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::{Result, config_err, exec_datafusion_err};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key, resolve_bucket_region};
use object_store::{ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};
use tokio::time::timeout;

use super::options::AwsOptions;
use super::profile::Profile;

/// The variables of the environment that begin with `AWS_`. Empty ones are left out.
pub(super) type Variables = BTreeMap<String, String>;

/// The parts of a pair of keys, which are of one origin.
const KEYS: [Key; 3] = [Key::AccessKeyId, Key::SecretAccessKey, Key::Token];

/// The time in which a machine's service of metadata answers, if there is one.
const PATIENCE: Duration = Duration::from_secs(3);

/// Makes the store of a bucket of Amazon S3, or of the server that the options or the environment name.
pub(super) async fn store(bucket: &str, options: &AwsOptions) -> Result<Arc<dyn ObjectStore>> {
    let variables = of_environment();
    let mut builder = configured(bucket, &variables, options);
    let needs_keys = !is_on(&builder, Key::SkipSignature) && !has_keys(&builder);
    let profile = match Profile::of_machine(&variables) {
        Err(error) if needs_keys => return Err(error),
        profile => profile.unwrap_or_default(),
    };
    builder = with_profile(builder, &profile, needs_keys)?;
    let has_origin = has_keys(&builder) || has_role(&builder);
    if needs_keys && !has_origin && !is_role_of_machine(&builder, &variables).await {
        builder = builder.with_skip_signature(true);
    }
    check_endpoint(&builder)?;
    if value(&builder, Key::Region).is_none() && endpoint(&builder).is_none() {
        let region = resolve_bucket_region(bucket, &ClientOptions::new()).await.map_err(|error| {
            exec_datafusion_err!(
                "the region of the bucket '{bucket}' can't be found out ({error}): say it with AWS_REGION, or with \
                 OPTIONS ('aws.region' '...')"
            )
        })?;
        builder = builder.with_region(region);
    }
    Ok(Arc::new(builder.build()?))
}

/// Makes the store of a bucket of Alibaba Cloud, whose name is part of the host's.
pub(super) fn of_alibaba(bucket: &str, options: &AwsOptions) -> Result<Arc<dyn ObjectStore>> {
    elsewhere(bucket, options, true)
}

/// Makes the store of a bucket of Tencent Cloud, whose name is part of the path.
pub(super) fn of_tencent(bucket: &str, options: &AwsOptions) -> Result<Arc<dyn ObjectStore>> {
    elsewhere(bucket, options, false)
}

fn elsewhere(bucket: &str, options: &AwsOptions, is_virtual_host: bool) -> Result<Arc<dyn ObjectStore>> {
    let builder = configured(bucket, &of_environment(), options)
        .with_virtual_hosted_style_request(is_virtual_host)
        // It is signed, but nobody looks at it.
        .with_region("any");
    check_endpoint(&builder)?;
    Ok(Arc::new(builder.build()?))
}

fn of_environment() -> Variables {
    let texts = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty()).collect()
}

/// The builder of a store, as the environment and the options of a statement have it. The options win.
fn configured(bucket: &str, variables: &Variables, options: &AwsOptions) -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    let has_keys = KEYS.iter().any(|key| options.has(*key));
    for (name, value) in variables {
        let Ok(key) = name.to_ascii_lowercase().parse::<Key>() else { continue };
        let is_replaced = match key {
            _ if KEYS.contains(&key) => has_keys,
            // To the builder this one is the stronger endpoint.
            Key::S3Endpoint => options.has(Key::Endpoint),
            _ => false,
        };
        if !is_replaced {
            builder = builder.with_config(key, value);
        }
    }
    options.iter().fold(builder, |builder, (key, value)| builder.with_config(key, value))
}

/// Adds the region of a profile where none is told, and its keys if they are needed.
fn with_profile(
    mut builder: AmazonS3Builder,
    profile: &Profile,
    needs_keys: bool,
) -> Result<AmazonS3Builder> {
    if let Some(region) = profile.region().filter(|_| value(&builder, Key::Region).is_none()) {
        builder = builder.with_region(region);
    }
    if !needs_keys {
        return Ok(builder);
    }
    if let Some(keys) = profile.keys()? {
        builder = builder.with_access_key_id(keys.id).with_secret_access_key(keys.secret);
        if let Some(token) = keys.token {
            builder = builder.with_token(token);
        }
    }
    Ok(builder)
}

/// Whether the machine, one of Amazon's, has a role. Others have no service that would tell.
async fn is_role_of_machine(builder: &AmazonS3Builder, variables: &Variables) -> bool {
    if variables.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| is_true(value)) {
        return false;
    }
    let retry = RetryConfig { max_retries: 0, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let Ok(store) = builder.clone().with_retry(retry).build() else { return false };
    let asked = timeout(PATIENCE, store.credentials().get_credential()).await;
    match asked {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            log::debug!("requests to S3 are not signed, since this machine has no role: {error}");
            false
        }
        Err(_) => {
            log::debug!("requests to S3 are not signed, since no service tells a role of this machine");
            false
        }
    }
}

/// # Errors
/// The endpoint is not encrypted, and nobody has allowed that.
fn check_endpoint(builder: &AmazonS3Builder) -> Result<()> {
    match endpoint(builder) {
        Some(endpoint)
            if endpoint.to_ascii_lowercase().starts_with("http://")
                && !is_on(builder, Key::Client(ClientConfigKey::AllowHttp)) =>
        {
            config_err!(
                "the endpoint of S3 is '{endpoint}', expected https://, which is encrypted: allow the other with \
                 AWS_ALLOW_HTTP=true, or with OPTIONS ('aws.allow_http' 'true')"
            )
        }
        _ => Ok(()),
    }
}

fn endpoint(builder: &AmazonS3Builder) -> Option<String> {
    value(builder, Key::S3Endpoint).or_else(|| value(builder, Key::Endpoint))
}

fn has_keys(builder: &AmazonS3Builder) -> bool {
    value(builder, Key::AccessKeyId).is_some() || value(builder, Key::SecretAccessKey).is_some()
}

/// Whether the environment tells a role: of a web identity, or of the container.
fn has_role(builder: &AmazonS3Builder) -> bool {
    let has = |keys: &[Key]| keys.iter().all(|key| value(builder, *key).is_some());
    has(&[Key::WebIdentityTokenFile, Key::RoleArn])
        || has(&[Key::ContainerCredentialsRelativeUri])
        || has(&[Key::ContainerCredentialsFullUri, Key::ContainerAuthorizationTokenFile])
}

fn is_on(builder: &AmazonS3Builder, key: Key) -> bool {
    value(builder, key).is_some_and(|value| is_true(&value))
}

/// Whether a text is one of those that the builder takes for true.
fn is_true(text: &str) -> bool {
    ["1", "true", "on", "yes", "y"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn value(builder: &AmazonS3Builder, key: Key) -> Option<String> {
    builder.get_config_value(&key)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn options(pairs: &[(&str, &str)]) -> AwsOptions {
        let pairs: HashMap<String, String> =
            pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        AwsOptions::of(&pairs).expect("known options")
    }

    fn values(builder: &AmazonS3Builder, keys: &[Key]) -> Vec<Option<String>> {
        keys.iter().map(|key| value(builder, *key)).collect()
    }

    #[test]
    fn variables_and_options_set_up_a_store() {
        let environment = variables(&[
            ("AWS_ACCESS_KEY_ID", "ID"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_DEFAULT_REGION", "a"),
            ("AWS_ENDPOINT_URL_S3", "http://e.org"),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_PAGER", "less"),
        ]);
        let builder = configured("logs", &environment, &options(&[]));
        let asked = [Key::Bucket, Key::Region, Key::AccessKeyId, Key::SecretAccessKey, Key::Token];
        let expected = ["logs", "a", "ID", "secret", "token"].map(|value| Some(value.to_string()));
        assert_eq!(values(&builder, &asked), expected);
        assert_eq!(endpoint(&builder).as_deref(), Some("http://e.org"));
        check_endpoint(&builder).expect("it is allowed");
        assert!(builder.build().is_ok());

        // The token belongs to the other keys, and goes with them.
        let given = options(&[
            ("aws.access_key_id", "OTHER"),
            ("aws.secret_access_key", "other"),
            ("aws.region", "b"),
            ("aws.endpoint", "https://f.org"),
        ]);
        let builder = configured("logs", &environment, &given);
        let expected = [Some("logs"), Some("b"), Some("OTHER"), Some("other"), None];
        assert_eq!(values(&builder, &asked), expected.map(|value| value.map(ToString::to_string)));
        assert_eq!(endpoint(&builder).as_deref(), Some("https://f.org"));
    }

    #[test]
    fn an_endpoint_without_encryption_has_to_be_allowed() {
        for given in [
            variables(&[("AWS_ENDPOINT", "HTTP://e.org")]),
            variables(&[("AWS_ENDPOINT_URL", "http://e.org")]),
        ] {
            let told = check_endpoint(&configured("logs", &given, &options(&[]))).expect_err("not allowed");
            assert!(told.to_string().contains("AWS_ALLOW_HTTP=true"), "{told}");
            let allowed = options(&[("aws.allow_http", "TRUE")]);
            check_endpoint(&configured("logs", &given, &allowed)).expect("it is allowed");
        }
    }

    #[test]
    fn public_buckets_need_no_keys() {
        for given in [options(&[("aws.skip_signature", "true")]), options(&[("aws.nosign", "1")])] {
            assert!(is_on(&configured("logs", &Variables::new(), &given), Key::SkipSignature));
        }
        assert!(!is_on(&configured("logs", &Variables::new(), &options(&[])), Key::SkipSignature));
    }

    #[test]
    fn roles_are_told_by_the_environment() {
        for (given, expected) in [
            (&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")][..], true),
            (&[("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")], false),
            (&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2")], true),
            (
                &[
                    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1"),
                    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t"),
                ],
                true,
            ),
            (&[], false),
        ] {
            let builder = configured("logs", &variables(given), &options(&[]));
            assert_eq!(has_role(&builder), expected, "{given:?}");
        }
    }

    #[test]
    fn other_stores_need_an_endpoint_only() {
        let keys = [("aws.access_key_id", "ID"), ("aws.secret_access_key", "secret")];
        let at = |name, url| options(&[&keys[..], &[(name, url)]].concat());
        assert!(of_alibaba("logs", &at("aws.oss.endpoint", "https://logs.oss.example.org")).is_ok());
        assert!(of_tencent("logs", &at("aws.cos.endpoint", "https://cos.example.org")).is_ok());
    }
}
