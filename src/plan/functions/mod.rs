//! Functions that only plans call.
//!
//! The table functions use them in their plans where an expression of the engine would be slower, or would be rewritten.
//! A plan holds them as `Arc<ScalarUDF>` and `Arc<AggregateUDF>`, so no session has to know
//! them: `SHOW FUNCTIONS` does not list them and SQL can't call them. `EXPLAIN` prints their names, which begin with two
//! underscores.
//!
//! | function | the plan uses it to |
//! |---|---|
//! | `__feature_to_double` | read a feature of any numeric type as the DOUBLE that is clustered |
//! | `__text_to_time` | read the text of a time column as times, so that events are ordered by them and not by their spelling |
//! | `__smallest_n`, `__kept_values` | keep the first values of a cluster, for `keep_members` |
//! | `__common_template` | tell the pattern of a cluster's values, for `template_of` |
//! | `__time_bucket`, `__bucket_counts`, `__one_event` | count events over time, for `activity` |
//! | `__cluster_key` | name a cluster by its core vectors and its partition |
//! | `__exemplar_group`, `__exemplar_sort_key` | order the rows that could stand for a cluster |
//! | `__float_order` | order the floats among which a LIMIT chooses, so that -0.0 has one place |
//! | `__vectors_equal` | compare vectors without the join taking the comparison for its keys |
//! | `__assert_row_found` | fail when the second read of a table lacks a row of the first |
//! | `__assume_few_rows` | lower a planner's estimate, so that a cluster broadcasts the vectors |
//! | `__exact_statistic` | sum numbers in the input so that two reads give the same bits |
//! | `__distinct_values`, `__shape_counts`, `__review`, `__field` | judge shapes, for `hunt` |
//! | `__json_text` | write nested values to CSV |
//!
//! A plan that travels to another process names its functions instead of holding them. Such a process, a Ballista scheduler
//! or executor, registers [`all_scalar`], [`all_aggregate`] and [`all_window`] beside the functions that people call.

mod assert_row_found;
mod assume_few_rows;
mod bucket_counts;
mod cluster_key;
mod common_template;
pub(crate) mod distinct_values;
mod exact_statistic;
mod exemplar_group;
mod exemplar_sort_key;
mod feature_to_double;
mod field;
mod float_order;
mod json_text;
mod kept_values;
mod review;
pub(crate) mod shape_counts;
mod smallest_n;
#[cfg(test)]
mod tests;
mod text_to_time;
mod time_bucket;
mod vectors_equal;

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, Signature, Volatility, WindowUDF};

pub(crate) use cluster_key::has_key;
pub use json_text::{as_json, json_text};
pub(crate) use text_to_time::is_text;
pub(crate) use time_bucket::is_countable_time;

/// Defines a constructor for each function, which returns the same instance every time, and the list of all.
macro_rules! plan_functions {
    ($kind:ident, $all:ident: $($name:ident::$function:ident, $constructor:ident;)*) => {
        $(
            #[doc = concat!("The function `__", stringify!($name), "` of plans.")]
            pub(crate) fn $constructor() -> Arc<$kind> {
                static FUNCTION: LazyLock<Arc<$kind>> =
                    LazyLock::new(|| Arc::new($kind::from($name::$function::default())));
                Arc::clone(&FUNCTION)
            }
        )*

        #[doc = concat!("Every `", stringify!($kind), "` that only plans call, for a process that finds functions by name.")]
        pub fn $all() -> Vec<Arc<$kind>> {
            vec![$($constructor()),*]
        }
    };
}

plan_functions! {
    ScalarUDF, all_scalar:
    assert_row_found::AssertRowFound, assert_row_found_udf;
    assume_few_rows::AssumeFewRows, assume_few_rows_udf;
    cluster_key::ClusterKey, cluster_key_udf;
    exemplar_group::ExemplarGroup, exemplar_group_udf;
    exemplar_sort_key::ExemplarSortKey, exemplar_sort_key_udf;
    feature_to_double::FeatureToDouble, feature_to_double_udf;
    field::FieldOf, field_udf;
    float_order::FloatOrder, float_order_udf;
    json_text::JsonText, json_text_udf;
    kept_values::KeptValues, kept_values_udf;
    review::ReviewShape, review_udf;
    bucket_counts::OneEvent, one_event_udf;
    text_to_time::TextToTime, text_to_time_udf;
    time_bucket::TimeBucket, time_bucket_udf;
    vectors_equal::VectorsEqual, vectors_equal_udf;
}

plan_functions! {
    AggregateUDF, all_aggregate:
    bucket_counts::BucketCounts, bucket_counts_udaf;
    common_template::CommonTemplate, common_template_udaf;
    distinct_values::DistinctValues, distinct_values_udaf;
    exact_statistic::ExactStatistic, exact_statistic_udaf;
    smallest_n::SmallestN, smallest_n_udaf;
}

plan_functions! {
    WindowUDF, all_window:
    shape_counts::ShapeCounts, shape_counts_udwf;
}

/// The signature of a function that checks its arguments in `coerce_types`.
fn user_defined() -> &'static Signature {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::user_defined(Volatility::Immutable));
    &SIGNATURE
}
