//! Object stores: where the files of a URL are.
//!
//! The engine asks a session for the store of a URL's scheme and host, and reads and writes through it. A store is made when the first
//! name of its host comes along, out of what the machine says of accounts and keys: the variables of the environment, the files of the
//! providers' own tools. `CREATE EXTERNAL TABLE` and `COPY` may say more in their options, so these two make their stores anew.
//!
//! | scheme | store |
//! |---|---|
//! | `s3` | Amazon S3, or a server at `AWS_ENDPOINT` that speaks it, see `s3` |
//! | `oss`, `cos` | those of Alibaba and Tencent, which speak it as well |
//! | `gs`, `gcs` | Google Cloud Storage, with the `GOOGLE_...` variables |
//! | `http`, `https` | one file of a web server |
//! | `stdin` | standard input, which an external table names by its path, see `standard_input` |
//!
//! Local files have the store of `registry`. On a cluster all processes have to find the same files, so its stores are made elsewhere.
//!
//! `options` has the options of statements, and `profile` the files of AWS's own tools.

mod options;
mod profile;
mod registry;
mod s3;
mod standard_input;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{DdlStatement, LogicalPlan};
use datafusion::prelude::SessionContext;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore};
use url::Url;

pub(super) use registry::Stores;
pub(super) use standard_input::{CarriesStatements, check as check_standard_input, is_standard_input};

use options::{AwsOptions, GcpOptions, StoreOptions};

use super::syntax::names_logs;

/// Puts the stores of the places that a statement names into the session, with the options that it gives.
///
/// # Errors
/// An option is unknown, or a store can't be made with what is known of it.
pub(super) async fn prepare(ctx: &SessionContext, plan: &mut LogicalPlan) -> Result<()> {
    match plan {
        // Logs find their stores themselves.
        LogicalPlan::Ddl(DdlStatement::CreateExternalTable(table)) if !names_logs(&table.file_type) => {
            for location in &mut table.locations {
                if is_standard_input(location) {
                    *location = standard_input::url(&table.file_type);
                }
                put(ctx, location, &table.options).await?;
            }
        }
        LogicalPlan::Copy(copy) => put(ctx, &copy.output_url, &copy.options).await?,
        _ => {}
    }
    Ok(())
}

/// Puts the store of a URL into a session that has none for it.
///
/// # Errors
/// It can't be made with what the machine says.
pub(super) async fn make(state: &SessionState, url: &str) -> Result<()> {
    let url = ListingTableUrl::parse(url)?;
    let url: &Url = url.as_ref();
    let store = store(state, url, &HashMap::new()).await?;
    state.runtime_env().register_object_store(url, store);
    Ok(())
}

/// Puts the store of a location into the session, unless the statement says nothing new about it.
async fn put(ctx: &SessionContext, location: &str, options: &HashMap<String, String>) -> Result<()> {
    if !location.contains("://") {
        return Ok(());
    }
    let url = ListingTableUrl::parse(location)?;
    let url: &Url = url.as_ref();
    // The engine refuses options that it has not been told of.
    let is_told = match url.scheme() {
        "s3" | "oss" | "cos" => {
            ctx.register_table_options_extension(AwsOptions::default());
            !AwsOptions::of(options)?.is_empty()
        }
        "gs" | "gcs" => {
            ctx.register_table_options_extension(GcpOptions::default());
            !GcpOptions::of(options)?.is_empty()
        }
        // Whether its bytes are of the format of this statement is to be looked at.
        standard_input::SCHEME => true,
        _ => false,
    };
    let state = ctx.state();
    let runtime = state.runtime_env();
    if is_told || runtime.object_store_registry.get_store(url).is_err() {
        runtime.register_object_store(url, store(&state, url, options).await?);
    }
    Ok(())
}

/// Makes the store of a URL, with the options of a statement.
async fn store(
    state: &SessionState,
    url: &Url,
    options: &HashMap<String, String>,
) -> Result<Arc<dyn ObjectStore>> {
    Ok(match url.scheme() {
        "s3" => s3::store(bucket(url)?, &StoreOptions::of(options)?).await?,
        "oss" => s3::of_alibaba(bucket(url)?, &StoreOptions::of(options)?)?,
        "cos" => s3::of_tencent(bucket(url)?, &StoreOptions::of(options)?)?,
        "gs" | "gcs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket(url)?);
            let options = GcpOptions::of(options)?;
            Arc::new(options.iter().fold(builder, |all, (key, value)| all.with_config(key, value)).build()?)
        }
        "http" | "https" => {
            let client = ClientOptions::new().with_allow_http(true);
            let builder = HttpBuilder::new().with_url(url.origin().ascii_serialization());
            Arc::new(builder.with_client_options(client).build()?)
        }
        standard_input::SCHEME => standard_input::store(state, url).await?,
        scheme => {
            return plan_err!(
                "'{url}' has the scheme '{scheme}', expected s3, gs, https or http, or a path of this machine"
            );
        }
    })
}

fn bucket(url: &Url) -> Result<&str> {
    url.host_str()
        .ok_or_else(|| plan_datafusion_err!("'{url}' names no bucket, expected one as in s3://bucket/logs/"))
}
