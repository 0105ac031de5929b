//! Writes options as one struct constant, and reads them back: `{metric: 'manhattan', weights: [2, 1]}`.
//!
//! The first argument of `dbscan_vectors` is such a struct, with all options of the table function, so EXPLAIN shows each
//! option under its name. The last argument of `dbscan` may be one: people write the options that differ from the defaults.
//! This file is the only one that reads either.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::named_struct;
use datafusion::logical_expr::{Expr, lit};

use super::option::{ClusterOption, Takes};
use super::{ClusterOptions, Eps, Weights, check_factors, no_such_option};
use crate::dbscan::Params;
use crate::near_miss::expected_one_of;

/// The options that the struct of `dbscan` may have. `eps` and `min_samples` are arguments of their own.
const OF_DBSCAN: [&str; 3] = ["metric", "weights", "scaling"];

impl ClusterOptions {
    /// Writes all options as one struct, which the window function reads, EXPLAIN shows and `dbcluster_summary` returns.
    /// Its type is the same for every call.
    ///
    /// # Errors
    /// The engine can't build the struct.
    pub(crate) fn to_struct(&self) -> Result<Expr> {
        let fields: Vec<(&str, Expr)> =
            ClusterOption::in_plans().into_iter().map(|option| (option.name, (option.carry)(self))).collect();
        let mut constant = ScalarStructBuilder::new();
        for (name, value) in &fields {
            let Expr::Literal(value, _) = value else {
                // A placeholder gets its value when the statement is executed, so the struct can't be a constant yet.
                let args = fields.into_iter().flat_map(|(name, value)| [lit(name), value]);
                return Ok(named_struct().call(args.collect()));
            };
            constant = constant.with_scalar(Field::new(*name, value.data_type(), true), value.clone());
        }
        Ok(lit(constant.build()?))
    }
}

/// The source of the eps of a call over vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EpsOf {
    /// The options have it.
    Options,
    /// The rows of each partition decide.
    Rows,
}

/// Options as they were read from a constant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carried {
    pub(crate) options: ClusterOptions,
    /// The options of the core.
    pub(crate) params: Params,
    /// Names and values of the options that were given, for EXPLAIN.
    pub(crate) shown: Vec<(String, String)>,
}

impl Carried {
    /// Reads the struct that [`to_struct`](ClusterOptions::to_struct) has written. Column names and keys are there for EXPLAIN
    /// only and stay text.
    ///
    /// # Errors
    /// An option is missing, unknown or out of its range.
    pub(crate) fn of_vectors(given: &ScalarValue, features: usize, eps: EpsOf) -> Result<Self> {
        // The errors concern a value that EXECUTE gave to a placeholder, so they speak of options, not of dbscan_vectors.
        const FUNCTION: &str = "options";
        let fields = fields(FUNCTION, given)?;
        for required in ClusterOption::by_position() {
            if !fields.iter().any(|(name, _)| name == required.name) {
                return plan_err!("{FUNCTION}: expected eps and min_samples among them, got {given}");
            }
        }
        if eps == EpsOf::Rows {
            let mut carried = Self::read(
                FUNCTION,
                &ClusterOption::names(),
                ClusterOptions::new(Eps::Auto),
                fields,
                features,
            )?;
            carried.shown.insert(0, ("eps".to_string(), Eps::AUTO.to_string()));
            return Ok(carried);
        }
        // The struct has an eps, which replaces this NaN.
        let options = ClusterOptions::new(f64::NAN);
        Self::read(FUNCTION, &ClusterOption::names(), options, fields, features)
    }

    /// Reads the options of a call of `dbscan`: its first two arguments, and the struct after its features.
    ///
    /// # Errors
    /// An option is unknown or out of its range.
    pub(crate) fn of_dbscan(
        eps: f64,
        min_samples: i64,
        given: Option<&ScalarValue>,
        features: usize,
    ) -> Result<Self> {
        const FUNCTION: &str = "dbscan";
        let options = ClusterOptions::of_dbscan(eps, min_samples);
        let given = given.map_or(Ok(vec![]), |given| fields(FUNCTION, given))?;
        let mut carried = Self::read(FUNCTION, &OF_DBSCAN, options, given, features)?;
        let own =
            [("eps".to_string(), eps.to_string()), ("min_samples".to_string(), min_samples.to_string())];
        carried.shown.splice(0..0, own);
        Ok(carried)
    }

    /// Sets the `given` fields on `options`.
    fn read(
        function: &str,
        known: &[&str],
        mut options: ClusterOptions,
        given: Vec<(String, ScalarValue)>,
        features: usize,
    ) -> Result<Self> {
        let mut shown = vec![];
        for (name, value) in given {
            let option = ClusterOption::find(&name).filter(|option| known.contains(&option.name));
            let Some(option) = option else { return Err(no_such_option(function, &name, known)) };
            if !value.is_null() {
                shown.push((name.clone(), value.to_string()));
            }
            match option.takes {
                // The rows decide, so there is no number.
                Takes::Eps if value.is_null() && options.eps == Eps::Auto => {}
                Takes::Eps => options.eps = number(function, &name, &value)?.into(),
                Takes::Share(set) if !value.is_null() => set(&mut options, number(function, &name, &value)?),
                Takes::WholeNumber(set) => set(&mut options, whole_number(function, &name, &value)?.into()),
                Takes::Word { names, set } => {
                    let word = value.try_as_str().flatten().unwrap_or_default();
                    if set(&mut options, word).is_none() {
                        let allowed = expected_one_of(word, names);
                        return plan_err!("{function}: {name} is {value}, {allowed}");
                    }
                }
                Takes::Weights if !value.is_null() => {
                    options.weights = factors(function, &value, features)?;
                }
                // The plan already does what these options ask for; the window function has no use for them.
                Takes::Weights
                | Takes::Share(_)
                | Takes::Count { .. }
                | Takes::TimeColumn
                | Takes::Keys(_)
                | Takes::PartitionKeys(_)
                | Takes::Columns { .. }
                | Takes::Named(_)
                | Takes::Members => {}
            }
        }
        let params = options.params(function)?;
        Ok(Self { options, params, shown })
    }
}

/// Returns the fields of a struct constant; their names are in lower case.
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
    // The value of a placeholder is a DOUBLE, which may be whole.
    let is_whole = match value {
        ScalarValue::Float64(Some(number)) => number.fract() == 0.0,
        other => other.data_type().is_integer(),
    };
    if is_whole && let Ok(ScalarValue::Int64(Some(number))) = value.cast_to(&DataType::Int64) {
        return Ok(number);
    }
    plan_err!("{function}: {name} is {value}, expected a whole number from 1")
}

/// Reads a list of factors.
fn factors(function: &str, value: &ScalarValue, features: usize) -> Result<Weights> {
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
    check_factors(function, &factors, features).map(Weights::InOrder)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StructArray};
    use arrow::datatypes::Field;
    use datafusion::common::scalar::ScalarStructBuilder;

    use super::*;
    use crate::dbscan::{Metric, Scaling};
    use crate::options::{ExemplarChoice, NullPolicy};

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

    fn of_dbscan(fields: Vec<(&str, ScalarValue)>) -> Result<ClusterOptions, String> {
        let carried = Carried::of_dbscan(1.0, 2, Some(&given(fields)), 2);
        carried.map(|carried| carried.options).map_err(|error| error.strip_backtrace())
    }

    #[test]
    fn options_are_read_by_name_in_any_case() {
        let options = of_dbscan(vec![
            ("METRIC", ScalarValue::from("Manhattan")),
            ("weights", numbers(&[2, 1])),
            ("scaling", ScalarValue::from("zscore")),
        ]);
        let options = options.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(options.metric, Metric::Manhattan);
        assert_eq!(options.weights, Weights::InOrder(vec![2.0, 1.0]));
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
        let none = Carried::of_vectors(&given(vec![("eps", ScalarValue::from(1.0))]), 1, EpsOf::Options);
        assert!(none.is_err_and(|error| error.to_string().contains("eps and min_samples")));
        let no_struct: ArrayRef = Arc::new(StructArray::new_empty_fields(1, None));
        let no_struct = ScalarValue::try_from_array(&no_struct, 0).unwrap_or_else(|error| panic!("{error}"));
        assert!(Carried::of_vectors(&no_struct, 1, EpsOf::Options).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let written = ClusterOptions::new(0.5)
            .min_samples(7)
            .metric(Metric::Chebyshev)
            .scaling(Scaling::Robust)
            .nulls(NullPolicy::Skip)
            .exemplar(ExemplarChoice::Rarest);
        let written = ClusterOptions { weights: Weights::InOrder(vec![2.0, 0.5]), ..written };
        let Ok(Expr::Literal(constant, _)) = written.to_struct() else { panic!("all of it is known") };
        let carried =
            Carried::of_vectors(&constant, 2, EpsOf::Options).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(carried.options, written);
        let shown: Vec<&str> = carried.shown.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(shown, ["eps", "min_samples", "metric", "scaling", "weights", "nulls", "exemplar"]);
    }

    #[test]
    fn an_eps_that_the_rows_decide_is_shown_as_auto() {
        let written = ClusterOptions::new(Eps::Auto).chain_share(0.25);
        let Ok(Expr::Literal(constant, _)) = written.to_struct() else { panic!("all of it is known") };
        let carried =
            Carried::of_vectors(&constant, 1, EpsOf::Rows).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(carried.options, written);
        assert_eq!(carried.shown.first(), Some(&("eps".to_string(), "auto".to_string())));
        // A placeholder that was given NULL is no eps.
        let refused = Carried::of_vectors(&constant, 1, EpsOf::Options);
        assert!(refused.is_err_and(|error| error.to_string().contains("eps is NULL, expected a number")));
    }
}
