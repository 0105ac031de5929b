//! What a clustering does, as one constant: `{metric: 'manhattan', weights: [2, 1]}`.
//!
//! `dbscan` takes such a struct as its last argument, where people write what differs from the defaults.
//! `dbscan_vectors` takes one as its first, with everything that the table functions were asked for, so that EXPLAIN
//! shows each option under its name.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_datafusion_err, plan_err};

use crate::dbscan::{Metric, Params, Points, Scaling};
use crate::near_miss::{did_you_mean, expected_one_of};

/// What a row with a NULL feature means to `dbscan_vectors`: see the option `nulls` of `dbcluster`.
const SKIP: &str = "skip";

/// Which member of a cluster stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exemplar {
    /// The first one in canonical order.
    First,
    /// The last one: chosen where the rows' last keys are known, which a window over vectors does not know.
    Last,
    /// The first row of the vector with the smallest sum of distances to the others of its cluster.
    Medoid,
    /// The first row of the vector that stands for the fewest rows.
    Rarest,
}

impl Exemplar {
    pub(crate) const ALL: [Self; 4] = [Self::First, Self::Last, Self::Medoid, Self::Rarest];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Medoid => "medoid",
            Self::Rarest => "rarest",
        }
    }
}

/// The options of one call, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// Eps, `min_samples` and metric.
    pub(crate) params: Params,
    pub(crate) scaling: Scaling,
    /// A factor for each feature, applied after scaling.
    pub(crate) weights: Option<Vec<f64>>,
    /// Whether a vector with a NULL takes no part, instead of being an error.
    pub(crate) skip_nulls: bool,
    pub(crate) exemplar: Exemplar,
    /// Names and values of what was given, for EXPLAIN.
    pub(crate) shown: Vec<(String, String)>,
}

/// What `dbscan` takes behind its features.
const OF_DBSCAN: [&str; 3] = ["metric", "weights", "scaling"];
/// What `dbscan_vectors` reads, and what it only shows.
const OF_VECTORS: [&str; 11] = [
    "eps",
    "min_samples",
    "metric",
    "scaling",
    "weights",
    "nulls",
    "exemplar",
    "time_column",
    "order_by",
    "partition_by",
    "keep_members",
];

impl Options {
    /// `dbscan` without options: features as they are, NULL gives NULL.
    pub(crate) fn of_dbscan(params: Params, given: Option<&ScalarValue>, features: usize) -> Result<Self> {
        let defaults = Self {
            params,
            scaling: Scaling::None,
            weights: None,
            skip_nulls: true,
            exemplar: Exemplar::First,
            shown: vec![
                ("eps".to_string(), params.eps().to_string()),
                ("min_samples".to_string(), params.min_samples().to_string()),
            ],
        };
        match given {
            Some(given) => defaults.with("dbscan", &OF_DBSCAN, given, features),
            None => Ok(defaults),
        }
    }

    /// The options that a table function plans; `eps` and `min_samples` are among them.
    pub(crate) fn of_vectors(given: &ScalarValue, features: usize) -> Result<Self> {
        // A table function has planned them, or somebody has called dbscan_vectors: both know what options are.
        const FUNCTION: &str = "options";
        let (mut eps, mut min_samples) = (None, None);
        for (name, value) in fields(FUNCTION, given)? {
            match name.as_str() {
                "eps" => eps = Some(number(FUNCTION, &name, &value)?),
                "min_samples" => min_samples = Some(whole_number(FUNCTION, &name, &value)?),
                _ => {}
            }
        }
        let (Some(eps), Some(min_samples)) = (eps, min_samples) else {
            return plan_err!("{FUNCTION}: expected eps and min_samples among them, got {given}");
        };
        let defaults = Self {
            params: params(FUNCTION, eps, min_samples)?,
            scaling: Scaling::L2,
            weights: None,
            skip_nulls: false,
            exemplar: Exemplar::First,
            shown: vec![],
        };
        defaults.with(FUNCTION, &OF_VECTORS, given, features)
    }

    fn with(mut self, function: &str, known: &[&str], given: &ScalarValue, features: usize) -> Result<Self> {
        for (name, value) in fields(function, given)? {
            if !known.contains(&name.as_str()) {
                let names = known.join(", ");
                let meant = did_you_mean(&name, known);
                return plan_err!("{function}: there is no option '{name}'{meant}; options are {names}");
            }
            if !value.is_null() {
                self.shown.push((name.clone(), value.to_string()));
            }
            match name.as_str() {
                "metric" => {
                    let metric = one_of(function, &name, &value, Metric::NAMES, Metric::from_name)?;
                    self.params = self.params.with_metric(metric);
                }
                "scaling" => {
                    self.scaling = one_of(function, &name, &value, Scaling::NAMES, Scaling::from_name)?;
                }
                "exemplar" => {
                    let names = Exemplar::ALL.map(Exemplar::name);
                    let find = |name: &str| Exemplar::ALL.into_iter().find(|it| it.name() == name);
                    self.exemplar = one_of(function, &name, &value, &names, find)?;
                }
                "weights" if !value.is_null() => {
                    self.weights = Some(factors(function, &value, features)?);
                }
                "nulls" => self.skip_nulls = value.try_as_str().flatten() == Some(SKIP),
                _ => {}
            }
        }
        Ok(self)
    }
}

/// The fields of a struct constant; names in lower case.
fn fields(function: &str, given: &ScalarValue) -> Result<Vec<(String, ScalarValue)>> {
    let ScalarValue::Struct(given) = given else {
        return plan_err!(
            "{function}: the options are {given}, expected a struct, as in {{metric: 'manhattan'}}"
        );
    };
    let names: Vec<String> = given.fields().iter().map(|field| field.name().to_ascii_lowercase()).collect();
    if let Some((_, twice)) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        return plan_err!("{function}: option {twice} was given twice");
    }
    names
        .into_iter()
        .zip(given.columns())
        .map(|(name, column)| Ok((name, ScalarValue::try_from_array(column, 0)?)))
        .collect()
}

fn number(function: &str, name: &str, value: &ScalarValue) -> Result<f64> {
    if value.data_type().is_numeric()
        && let Ok(ScalarValue::Float64(Some(number))) = value.cast_to(&DataType::Float64)
    {
        return Ok(number);
    }
    plan_err!("{function}: {name} is {value}, expected a number")
}

fn whole_number(function: &str, name: &str, value: &ScalarValue) -> Result<i64> {
    // A placeholder's value is a DOUBLE, whole or not.
    let is_whole = match value {
        ScalarValue::Float64(Some(number)) => number.fract() == 0.0,
        other => other.data_type().is_integer(),
    };
    if is_whole && let Ok(ScalarValue::Int64(Some(number))) = value.cast_to(&DataType::Int64) {
        return Ok(number);
    }
    plan_err!("{function}: {name} is {value}, expected a whole number from 1")
}

fn one_of<T>(
    function: &str,
    name: &str,
    value: &ScalarValue,
    allowed: &[&str],
    find: impl Fn(&str) -> Option<T>,
) -> Result<T> {
    let text = value.try_as_str().flatten();
    match text.and_then(|text| find(&text.to_ascii_lowercase())) {
        Some(found) => Ok(found),
        None => {
            let allowed = expected_one_of(text.unwrap_or_default(), allowed);
            plan_err!("{function}: {name} is {value}, {allowed}")
        }
    }
}

/// The factors of the features, one each.
fn factors(function: &str, value: &ScalarValue, features: usize) -> Result<Vec<f64>> {
    let list = match value {
        ScalarValue::List(list) => list.value(0),
        ScalarValue::LargeList(list) => list.value(0),
        ScalarValue::FixedSizeList(list) => list.value(0),
        other => {
            return plan_err!("{function}: weights is {other}, expected a list of numbers, one per feature");
        }
    };
    let numbers = match list.data_type() {
        data_type if data_type.is_numeric() => arrow::compute::cast(&list, &DataType::Float64)?,
        _ => return plan_err!("{function}: weights is {value}, expected a list of numbers, one per feature"),
    };
    let factors: Vec<Option<f64>> = numbers.as_primitive::<Float64Type>().iter().collect();
    check_weights(function, &factors, features)
}

/// One positive factor per feature.
///
/// # Errors
/// Too few, too many, or one that is not a finite number above 0.
pub(crate) fn check_weights(function: &str, factors: &[Option<f64>], features: usize) -> Result<Vec<f64>> {
    if factors.len() != features {
        return Err(wrong_number_of_weights(function, factors.len(), features));
    }
    factors
        .iter()
        .enumerate()
        .map(|(index, factor)| match factor {
            Some(factor) if factor.is_finite() && *factor > 0.0 => Ok(*factor),
            other => {
                let got = other.map_or("NULL".to_string(), |factor| factor.to_string());
                plan_err!("{function}: weights, number {}, is {got}, expected a number above 0", index + 1)
            }
        })
        .collect()
}

pub(crate) fn wrong_number_of_weights(function: &str, got: usize, features: usize) -> DataFusionError {
    plan_datafusion_err!(
        "{function}: weights is a list of {got}, expected one number per feature, of which there are {features}"
    )
}

/// `eps` and `min_samples`, checked, with the function's name before what is wrong.
pub(crate) fn params(function: &str, eps: f64, min_samples: i64) -> Result<Params> {
    let Ok(least) = u64::try_from(min_samples) else {
        return plan_err!("{function}: min_samples must be at least 1, got {min_samples}");
    };
    Params::try_new(eps, least).map_err(|error| DataFusionError::Plan(format!("{function}: {error}")))
}

/// The most features that a call may have.
pub(crate) const MAX_FEATURES: usize = Points::MAX_DIMENSION;

/// The names of the scalings that a call may choose.
pub(crate) fn scaling_names() -> &'static [&'static str] {
    Scaling::NAMES
}

/// The names of the metrics that a call may choose.
pub(crate) fn metric_names() -> &'static [&'static str] {
    Metric::NAMES
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StructArray};
    use arrow::datatypes::Field;
    use datafusion::common::scalar::ScalarStructBuilder;

    use super::*;

    fn given(fields: Vec<(&str, ScalarValue)>) -> ScalarValue {
        let fields = fields.into_iter().fold(ScalarStructBuilder::new(), |builder, (name, value)| {
            let field = Field::new(name, value.data_type(), true);
            builder.with_scalar(field, value)
        });
        fields.build().unwrap_or_else(|error| panic!("{error}"))
    }

    fn numbers(values: &[i64]) -> ScalarValue {
        let values: Vec<ScalarValue> = values.iter().map(|value| ScalarValue::from(*value)).collect();
        ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Int64))
    }

    fn of_dbscan(fields: Vec<(&str, ScalarValue)>) -> Result<Options, String> {
        let params = params("dbscan", 1.0, 2).unwrap_or_else(|error| panic!("{error}"));
        Options::of_dbscan(params, Some(&given(fields)), 2).map_err(|error| error.strip_backtrace())
    }

    #[test]
    fn options_are_read_by_name_in_any_case() {
        let options = of_dbscan(vec![
            ("METRIC", ScalarValue::from("Manhattan")),
            ("weights", numbers(&[2, 1])),
            ("scaling", ScalarValue::from("zscore")),
        ]);
        let options = options.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(options.params.metric(), Metric::Manhattan);
        assert_eq!(options.weights, Some(vec![2.0, 1.0]));
        assert_eq!(options.scaling, Scaling::ZScore);
    }

    #[test]
    fn wrong_options_are_told() {
        for (field, value, expected) in [
            ("metrik", ScalarValue::from("x"), "no option 'metrik' (did you mean 'metric'?)"),
            ("metric", ScalarValue::from("manhatan"), "(did you mean 'manhattan'?)"),
            ("metric", ScalarValue::from(1_i64), "metric is 1, expected one of 'euclidean'"),
            (
                "weights",
                numbers(&[1]),
                "weights is a list of 1, expected one number per feature, of which there are 2",
            ),
            ("weights", numbers(&[1, 0]), "weights, number 2, is 0, expected a number above 0"),
            ("weights", ScalarValue::from(1_i64), "weights is 1, expected a list of numbers"),
        ] {
            let error = of_dbscan(vec![(field, value)]).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
        let twice =
            of_dbscan(vec![("metric", ScalarValue::from("manhattan")), ("Metric", ScalarValue::from("x"))]);
        assert!(twice.is_err_and(|error| error.contains("option metric was given twice")));
    }

    #[test]
    fn vectors_need_eps_and_min_samples() {
        let none = Options::of_vectors(&given(vec![("eps", ScalarValue::from(1.0))]), 1);
        assert!(none.is_err_and(|error| error.to_string().contains("eps and min_samples")));
        let no_struct: ArrayRef = Arc::new(StructArray::new_empty_fields(1, None));
        let no_struct = ScalarValue::try_from_array(&no_struct, 0).unwrap_or_else(|error| panic!("{error}"));
        assert!(Options::of_vectors(&no_struct, 1).is_err());
    }
}
