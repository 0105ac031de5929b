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

mod address_count;
mod argument_count;
mod arguments;
mod ascii;
mod base64_fraction;
mod cmdline_template;
mod cmdline_tokens;
mod crc32_hash;
mod delim_hash;
mod delim_skeleton;
mod delimiters;
mod double_extension;
mod entropy;
mod expected_dir;
mod hour_of_day;
mod is_address;
mod is_system_session;
mod is_user_writable_path;
mod logon_type_name;
mod masks;
mod nearest_name;
mod obfuscation_score;
mod path_depth;
mod path_score;
mod process_name;
mod sid_name;
mod signs;
mod sparkline;
mod string_score;
mod system_programs;
#[cfg(test)]
mod tests;
mod text;
mod token_count;

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::ScalarUDF;

pub(crate) use address_count::addresses;
pub(crate) use base64_fraction::runs as base64_runs;
pub(crate) use delimiters::cut;
pub(crate) use double_extension::is_double as has_double_extension;
pub(crate) use is_user_writable_path::is_user_writable;
pub(crate) use nearest_name::Names;
pub(crate) use obfuscation_score::marks as obfuscation_marks;
pub(crate) use system_programs::expected_folder;

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
    /// the number of addresses of other machines in a text.
    address_count::AddressCount, address_count_udf, address_count(s);
    /// the number of arguments of a command line.
    argument_count::ArgumentCount, argument_count_udf, argument_count(s);
    /// the share of a text that is base64.
    base64_fraction::Base64Fraction, base64_fraction_udf, base64_fraction(s);
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
    /// whether a program is named like a document.
    double_extension::DoubleExtension, double_extension_udf, double_extension(name);
    /// the Shannon entropy of the characters of a text, in bits.
    entropy::Entropy, entropy_udf, entropy(s);
    /// the folder of a system program that runs from elsewhere.
    expected_dir::ExpectedDir, expected_dir_udf, expected_dir(name, path);
    /// the hour of a time.
    hour_of_day::HourOfDay, hour_of_day_udf, hour_of_day(time);
    /// whether a text is an address.
    is_address::IsAddress, is_address_udf, is_address(s);
    /// whether a logon id is one of the system's own sessions.
    is_system_session::IsSystemSession, is_system_session_udf, is_system_session(id);
    /// whether a text names a folder that ordinary users can write to.
    is_user_writable_path::IsUserWritablePath, is_user_writable_path_udf, is_user_writable_path(s);
    /// the name of a Windows logon type.
    logon_type_name::LogonTypeName, logon_type_name_udf, logon_type_name(n);
    /// the name that another one looks like.
    nearest_name::NearestName, nearest_name_udf, nearest_name(name), nearest_name_of(name, names);
    /// the number of marks that make a command hard to read.
    obfuscation_score::ObfuscationScore, obfuscation_score_udf, obfuscation_score(s);
    /// the number of folders that a file lies in.
    path_depth::PathDepth, path_depth_udf, path_depth(path);
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
