//! Three ways to cluster events in a program of your own. One program holds them, since each that links the engine takes
//! minutes to build.
//!
//! ```sh
//! cargo run --release --locked --example embedding -- parquet_folder
//! ```
//!
//! | example | shows |
//! |---|---|
//! | `parquet_folder` | SQL over a folder of Parquet files |
//! | `dataframe` | the same without SQL: typed options and expressions |
//! | `session_state_builder` | a host that builds its own session, and its settings |
//! | `all` | all of them, one after the other |
//!
//! The core alone, without an engine, is in `crates/dbscan/examples/plain_arrays.rs`.

mod dataframe;
mod parquet_folder;
mod session_state_builder;

use datafusion::common::{Result, exec_err};

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("parquet_folder") => parquet_folder::run().await,
        Some("dataframe") => dataframe::run().await,
        Some("session_state_builder") => session_state_builder::run().await,
        Some("all") => {
            parquet_folder::run().await?;
            dataframe::run().await?;
            session_state_builder::run().await
        }
        _ => exec_err!("name an example: parquet_folder, dataframe, session_state_builder, or all"),
    }
}
