//! The scalar SQL functions that make numbers, keys and names of event text.
//!
//! DBSCAN measures distances, so it needs numbers; events are mostly text. Functions such as [`cmdline_tokens_udf`] (the number
//! of delimiters), [`path_score_udf`] (the sum of the characters) and [`delim_hash_udf`] (the delimiters in their order) make
//! numbers of text. Others make results readable: [`cmdline_template_udf`], [`sid_name_udf`], [`logon_type_name_udf`].
//!
//! All of them
//! - take strings in every encoding, `Utf8`, `LargeUtf8`, `Utf8View` or a dictionary of those, and work once per
//!   dictionary value (`text.rs`),
//! - give NULL for NULL,
//! - refuse wrong arguments while the query is planned; the error has the function, the argument, its type and the expected one
//!   (`arguments.rs`).
//!
//! The cost of each is linear in the length of the text.
//!
//! This page has the one list of all. A new function is a file named like its SQL name, its `mod`, and its lines in the
//! list below, which make its constructor and its forms over expressions ([`expr_fn`]). CONTRIBUTING.md, *Adding
//! something*, has the other places.

mod arguments;
mod ascii;
mod cmdline_template;
mod cmdline_tokens;
mod crc32_hash;
mod delim_hash;
mod delim_skeleton;
mod delimiters;
mod entropy;
mod is_system_session;
mod logon_type_name;
mod masks;
mod path_score;
mod process_name;
mod sid_name;
mod signs;
mod sparkline;
mod string_score;
#[cfg(test)]
mod tests;
mod text;
mod token_count;

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::ScalarUDF;

pub(crate) use delimiters::cut;

/// Defines a constructor for each function, which returns the same instance every time, its forms over expressions, and the
/// list of all functions.
macro_rules! functions {
    ($(
        #[doc = $doc:literal]
        $name:ident::$function:ident, $constructor:ident, $($expr_fn:ident($($arg:ident),+)),+;
    )*) => {
        $(
            #[doc = concat!("The SQL function `", stringify!($name), "`:", $doc)]
            pub fn $constructor() -> Arc<ScalarUDF> {
                static UDF: LazyLock<Arc<ScalarUDF>> =
                    LazyLock::new(|| Arc::new(ScalarUDF::from($name::$function)));
                Arc::clone(&UDF)
            }
        )*

        /// Returns all scalar functions of this crate, in alphabetical order.
        pub fn all() -> Vec<Arc<ScalarUDF>> {
            vec![$($constructor()),*]
        }

        /// The scalar functions over expressions, for `DataFrame`s. An option of a function has a form of its own, and
        /// has to be a literal.
        pub mod expr_fn {
            use datafusion::logical_expr::Expr;

            $($(
                #[doc = concat!("`", stringify!($name($($arg),+)), "`:", $doc)]
                pub fn $expr_fn($($arg: Expr),+) -> Expr {
                    super::$constructor().call(vec![$($arg),+])
                }
            )+)*
        }
    };
}

functions! {
    /// the pattern that a command line has in common with others.
    cmdline_template::CmdlineTemplate, cmdline_template_udf, cmdline_template(s);
    /// the number of delimiters in a command line.
    cmdline_tokens::CmdlineTokens, cmdline_tokens_udf, cmdline_tokens(s), cmdline_tokens_with_class(s, class);
    /// the CRC-32 of a text.
    crc32_hash::Crc32Hash, crc32_hash_udf, crc32_hash(s);
    /// the CRC-32 of the delimiters of a command line.
    delim_hash::DelimHash, delim_hash_udf, delim_hash(s), delim_hash_with_class(s, class);
    /// the delimiters of a command line, in their order.
    delim_skeleton::DelimSkeleton, delim_skeleton_udf, delim_skeleton(s), delim_skeleton_with_class(s, class);
    /// the Shannon entropy of the characters of a text, in bits.
    entropy::Entropy, entropy_udf, entropy(s);
    /// whether a logon id is one of the system's own sessions.
    is_system_session::IsSystemSession, is_system_session_udf, is_system_session(id);
    /// the name of a Windows logon type.
    logon_type_name::LogonTypeName, logon_type_name_udf, logon_type_name(n);
    /// the sum of the characters of a path.
    path_score::PathScore, path_score_udf, path_score(s), path_score_with_scale(s, scale);
    /// the file name at the end of a path.
    process_name::ProcessName, process_name_udf, process_name(path);
    /// the name of a well-known Windows security identifier.
    sid_name::SidName, sid_name_udf, sid_name(s);
    /// a drawing of a list of numbers, for a terminal.
    sparkline::Sparkline, sparkline_udf, sparkline(list);
    /// the sum of the characters of a text.
    string_score::StringScore, string_score_udf, string_score(s), string_score_with_scale(s, scale);
    /// the number of pieces between separators.
    token_count::TokenCount, token_count_udf, token_count(s), token_count_with_sep(s, sep);
}
