//! The scalar SQL functions that make numbers, keys and names of event text.
//!
//! DBSCAN measures distances, so it wants numbers; events are mostly text. The functions here turn one into the
//! other: how many delimiters a command line has ([`cmdline_tokens_udf`]), what its characters add up to
//! ([`path_score_udf`]), which delimiters it has in which order ([`delim_hash_udf`]). The others read the result
//! back to people: [`cmdline_template_udf`], [`sid_name_udf`], [`logon_type_name_udf`].
//!
//! All of them
//! - take strings in every encoding, `Utf8`, `LargeUtf8`, `Utf8View` or a dictionary of those, and work once per
//!   dictionary value (`text.rs`),
//! - give NULL for NULL,
//! - refuse wrong arguments while the query is planned, with the function, the argument, what was expected and what
//!   came (`arguments.rs`).
//!
//! Each cost is linear in the length of the text. The functions `dbcluster_*` beside them are no features but parts of
//! the plans that the table functions make. This page is the one list of all: a new function is a file named like its
//! SQL name and one line in [`all`].

mod arguments;
mod ascii;
mod cmdline_template;
mod cmdline_tokens;
mod crc32_hash;
mod dbcluster_exact;
mod dbcluster_feature;
mod dbcluster_few;
mod dbcluster_found;
mod dbcluster_json_text;
mod dbcluster_kept;
mod dbcluster_key;
mod dbcluster_same_vector;
mod dbcluster_smallest;
mod dbcluster_tie;
mod delim_hash;
mod delim_skeleton;
mod delimiters;
mod entropy;
mod is_system_session;
mod logon_type_name;
mod path_score;
mod process_name;
mod sid_name;
mod string_score;
#[cfg(test)]
mod tests;
mod text;
mod token_count;

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub use dbcluster_json_text::{as_json, json_text};
pub(crate) use dbcluster_key::has_key;

/// One constructor per function, each giving the same instance every time, and the list of all.
macro_rules! functions {
    ($($name:ident: $function:ident, $constructor:ident;)*) => {
        $(
            #[doc = concat!("The SQL function `", stringify!($name), "`.")]
            pub fn $constructor() -> Arc<ScalarUDF> {
                static UDF: LazyLock<Arc<ScalarUDF>> =
                    LazyLock::new(|| Arc::new(ScalarUDF::from($name::$function)));
                Arc::clone(&UDF)
            }
        )*

        /// All scalar functions of this crate, in alphabetical order.
        pub fn all() -> Vec<Arc<ScalarUDF>> {
            vec![$($constructor()),*]
        }
    };
}

functions! {
    cmdline_template: CmdlineTemplate, cmdline_template_udf;
    cmdline_tokens: CmdlineTokens, cmdline_tokens_udf;
    crc32_hash: Crc32Hash, crc32_hash_udf;
    dbcluster_feature: DbclusterFeature, dbcluster_feature_udf;
    dbcluster_few: DbclusterFew, dbcluster_few_udf;
    dbcluster_found: DbclusterFound, dbcluster_found_udf;
    dbcluster_json_text: DbclusterJsonText, dbcluster_json_text_udf;
    dbcluster_kept: DbclusterKept, dbcluster_kept_udf;
    dbcluster_key: DbclusterKey, dbcluster_key_udf;
    dbcluster_same_vector: DbclusterSameVector, dbcluster_same_vector_udf;
    dbcluster_tie: DbclusterTie, dbcluster_tie_udf;
    delim_hash: DelimHash, delim_hash_udf;
    delim_skeleton: DelimSkeleton, delim_skeleton_udf;
    entropy: Entropy, entropy_udf;
    is_system_session: IsSystemSession, is_system_session_udf;
    logon_type_name: LogonTypeName, logon_type_name_udf;
    path_score: PathScore, path_score_udf;
    process_name: ProcessName, process_name_udf;
    sid_name: SidName, sid_name_udf;
    string_score: StringScore, string_score_udf;
    token_count: TokenCount, token_count_udf;
}

/// The SQL aggregate function `dbcluster_exact`.
pub fn dbcluster_exact_udaf() -> Arc<AggregateUDF> {
    static UDAF: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(dbcluster_exact::DbclusterExact::new())));
    Arc::clone(&UDAF)
}

/// The SQL aggregate function `dbcluster_smallest`.
pub fn dbcluster_smallest_udaf() -> Arc<AggregateUDF> {
    static UDAF: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::from(dbcluster_smallest::DbclusterSmallest::new())));
    Arc::clone(&UDAF)
}

/// All aggregate functions of this crate.
pub fn all_aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![dbcluster_exact_udaf(), dbcluster_smallest_udaf()]
}
