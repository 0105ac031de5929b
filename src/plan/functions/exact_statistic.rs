//! `__exact_statistic(statistic, x)` computes sums, averages and variances of DOUBLE that do not depend on the order of rows.
//!
//! The engine adds floats in the order of arrival, which differs with threads. So two reads of one `avg(x)` may differ in the
//! last bit, and a vector of the first read is then not found in the second. The table functions replace such aggregates in
//! their inputs.
//!
//! A sum is kept as a few floats that do not overlap, whose sum is exact (Shewchuk, "Adaptive Precision Floating-Point
//! Arithmetic", 1997), and rounded once, as Python's `math.fsum` does. A variance is computed from the exact sums of x and
//! of x² in twice the precision. Memory: about ten numbers per group. Sums beyond the range of DOUBLE are infinite.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature};
use datafusion::physical_expr::expressions::Literal;

use crate::error::internal_err;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ExactStatistic;

#[derive(Debug, Clone, Copy)]
enum Statistic {
    Sum,
    Avg,
    Variance { of_population: bool, is_root: bool },
}

impl Statistic {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "sum" => Self::Sum,
            "avg" => Self::Avg,
            "var" => Self::Variance { of_population: false, is_root: false },
            "var_pop" => Self::Variance { of_population: true, is_root: false },
            "stddev" => Self::Variance { of_population: false, is_root: true },
            "stddev_pop" => Self::Variance { of_population: true, is_root: true },
            _ => return None,
        })
    }
}

impl AggregateUDFImpl for ExactStatistic {
    fn name(&self) -> &'static str {
        "__exact_statistic"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [_, x] = take_function_args(self.name(), arg_types)?;
        if !x.is_numeric() && !x.is_null() {
            return plan_err!("{}: argument 2 is {x}, expected a number", self.name());
        }
        Ok(vec![DataType::Utf8, DataType::Float64])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let name = args.exprs.first();
        let name = name.and_then(|name| (name.as_ref() as &dyn std::any::Any).downcast_ref::<Literal>());
        let statistic =
            name.and_then(|name| name.value().try_as_str().flatten()).and_then(Statistic::from_name);
        let Some(statistic) = statistic else {
            return plan_err!("{}: argument 1 is no constant that names a statistic", self.name());
        };
        if args.is_distinct {
            return plan_err!("{} takes no DISTINCT", self.name());
        }
        Ok(Box::new(Moments { statistic, rows: 0, sum: ExactSum::default(), squares: ExactSum::default() }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = |part: &str| format_state_name(args.name, part);
        let parts = || DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)));
        Ok(vec![
            Arc::new(Field::new(name("rows"), DataType::Int64, true)),
            Arc::new(Field::new(name("sum"), parts(), true)),
            Arc::new(Field::new(name("squares"), parts(), true)),
        ])
    }
}

/// The number of rows so far, the sum of their values and the sum of their squares.
#[derive(Debug)]
struct Moments {
    statistic: Statistic,
    rows: i64,
    sum: ExactSum,
    squares: ExactSum,
}

impl Moments {
    fn value(&self) -> Option<f64> {
        let count = self.rows as f64;
        match self.statistic {
            _ if self.rows == 0 => None,
            Statistic::Sum => Some(self.sum.rounded()),
            Statistic::Avg => Some(self.sum.rounded() / count),
            Statistic::Variance { of_population, is_root } => {
                let divisor = if of_population { count } else { count - 1.0 };
                let variance = (divisor > 0.0).then(|| self.squared_deviations() / divisor)?;
                Some(if is_root { variance.sqrt() } else { variance })
            }
        }
    }

    /// Returns the sum of x² minus (sum of x)² / rows. Each term is a float plus its rounding error.
    fn squared_deviations(&self) -> f64 {
        let count = self.rows as f64;
        let ((sum, sum_rest), (squares, squares_rest)) = (self.sum.in_two(), self.squares.in_two());
        let (product, product_rest) = exact_product(sum, sum);
        let product_rest = product_rest + 2.0 * sum * sum_rest;
        let quotient = product / count;
        let quotient_rest = ((-quotient).mul_add(count, product) + product_rest) / count;
        let (difference, rest) = exact_sum(squares, -quotient);
        let deviations = difference + (rest + squares_rest - quotient_rest);
        if deviations < 0.0 { 0.0 } else { deviations }
    }
}

impl Accumulator for Moments {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.get(1) else { return internal_err!("__exact_statistic has no values") };
        for value in values.as_primitive::<Float64Type>().iter().flatten() {
            self.rows += 1;
            self.sum.add(value);
            if matches!(self.statistic, Statistic::Variance { .. }) {
                let (square, rest) = exact_product(value, value);
                self.squares.add(square);
                self.squares.add(rest);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.value()))
    }

    fn size(&self) -> usize {
        let parts = self.sum.parts.capacity() + self.squares.parts.capacity();
        size_of_val(self) + parts * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.rows)), self.sum.state(), self.squares.state()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [rows, sum, squares] = states else {
            return internal_err!("__exact_statistic has {} states", states.len());
        };
        self.rows += rows.as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
        for (sum, parts) in [(&mut self.sum, sum), (&mut self.squares, squares)] {
            for parts in parts.as_list::<i32>().iter().flatten() {
                for part in parts.as_primitive::<Float64Type>().values() {
                    sum.add(*part);
                }
            }
        }
        Ok(())
    }
}

/// A sum without rounding errors, as long as it is finite.
#[derive(Debug, Default)]
struct ExactSum {
    /// Floats that do not overlap, the smallest first.
    parts: Vec<f64>,
    /// The sum of the infinite and NaN values. If there is one, it is the whole sum.
    infinite: f64,
}

impl ExactSum {
    fn add(&mut self, value: f64) {
        let mut value = value;
        let mut kept = 0;
        for place in 0..self.parts.len() {
            let (sum, rest) = exact_sum(value, self.parts[place]);
            if rest != 0.0 {
                self.parts[kept] = rest;
                kept += 1;
            }
            value = sum;
        }
        self.parts.truncate(kept);
        if !value.is_finite() {
            self.infinite += value;
            self.parts.clear();
        } else if value != 0.0 {
            self.parts.push(value);
        }
    }

    /// Returns the float nearest to the sum; of two equally near ones the even one.
    fn rounded(&self) -> f64 {
        if self.infinite != 0.0 {
            return self.infinite;
        }
        let mut smaller = self.parts.iter().rev().copied();
        let mut sum = smaller.next().unwrap_or(0.0);
        while let Some(part) = smaller.next() {
            let (rounded, rest) = exact_sum(sum, part);
            sum = rounded;
            if rest == 0.0 {
                continue;
            }
            // The sum may be half way between two floats, so the next smaller part decides.
            if let Some(next) = smaller.next()
                && (rest < 0.0) == (next < 0.0)
            {
                let (up, twice) = (sum + 2.0 * rest, 2.0 * rest);
                if (up - sum) - twice == 0.0 {
                    sum = up;
                }
            }
            break;
        }
        sum
    }

    /// Returns the sum as a float and its rounding error.
    fn in_two(&self) -> (f64, f64) {
        let rounded = self.rounded();
        if !rounded.is_finite() {
            return (rounded, 0.0);
        }
        let mut rest = Self { parts: self.parts.clone(), infinite: 0.0 };
        rest.add(-rounded);
        (rounded, rest.rounded())
    }

    fn state(&self) -> ScalarValue {
        let infinite = (self.infinite != 0.0).then_some(self.infinite);
        let parts = self.parts.iter().copied().chain(infinite).map(|part| ScalarValue::Float64(Some(part)));
        ScalarValue::List(ScalarValue::new_list_nullable(&parts.collect::<Vec<_>>(), &DataType::Float64))
    }
}

/// Returns the sum of two floats and its rounding error.
fn exact_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_in_sum = sum - a;
    (sum, (a - (sum - b_in_sum)) + (b - b_in_sum))
}

/// Returns the product of two floats and its rounding error.
fn exact_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let rest = a.mul_add(b, -product);
    (product, if rest.is_finite() { rest } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(statistic: Statistic, values: &[f64]) -> Moments {
        let mut moments =
            Moments { statistic, rows: 0, sum: ExactSum::default(), squares: ExactSum::default() };
        let values: ArrayRef = Arc::new(values.iter().copied().collect::<arrow::array::Float64Array>());
        moments.update_batch(&[Arc::clone(&values), values]).unwrap_or_else(|error| panic!("{error}"));
        moments
    }

    fn sum(values: &[f64]) -> Option<f64> {
        moments(Statistic::Sum, values).value()
    }

    #[test]
    fn sums_are_rounded_once() {
        assert_eq!(sum(&[0.1; 10]), Some(1.0));
        assert_eq!(sum(&[1e100, 1.0, -1e100]), Some(1.0));
        assert_eq!(sum(&[1e16, 1.0, 1e-16]), Some(10_000_000_000_000_002.0));
        assert_eq!(sum(&[1e16, 1.0, -1e-16]), Some(1e16));
        assert_eq!(sum(&[f64::INFINITY, 1.0]), Some(f64::INFINITY));
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_some_and(f64::is_nan));
        assert!(sum(&[f64::NAN, 1.0]).is_some_and(f64::is_nan));
        assert_eq!(sum(&[f64::MAX, f64::MAX]), Some(f64::INFINITY));
        assert_eq!(sum(&[5e-324, 5e-324]), Some(1e-323));
    }

    #[test]
    fn order_and_splits_change_no_bit() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..200 {
            let wide = round % 2 == 0;
            let value = |random: &mut fastrand::Rng| {
                (random.f64() - 0.5) * if wide { 2_f64.powi(random.i32(-60..60)) } else { 1.0 }
                    + f64::from(round) * 1e6
            };
            let mut values: Vec<f64> = (0..50).map(|_| value(&mut random)).collect();
            let whole = moments(Statistic::Variance { of_population: false, is_root: false }, &values);
            let mean = values.iter().sum::<f64>() / 50.0;
            let naive = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 49.0;
            let variance = whole.value().unwrap_or(f64::NAN);
            assert!((variance - naive).abs() <= 1e-6 * naive, "{variance} {naive}");
            for _ in 0..5 {
                random.shuffle(&mut values);
                let (one, two) = values.split_at(random.usize(0..=50));
                let mut merged = moments(whole.statistic, one);
                let mut other = moments(whole.statistic, two);
                let state = other.state().unwrap_or_else(|error| panic!("{error}"));
                let state =
                    state.iter().map(|state| state.to_array().unwrap_or_else(|error| panic!("{error}")));
                merged.merge_batch(&state.collect::<Vec<_>>()).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(merged.value().map(f64::to_bits), whole.value().map(f64::to_bits));
                assert_eq!(merged.sum.rounded().to_bits(), whole.sum.rounded().to_bits());
            }
        }
    }

    #[test]
    fn few_rows_are_as_the_engine_has_them() {
        let variance = |of_population, values: &[f64]| {
            moments(Statistic::Variance { of_population, is_root: false }, values).value()
        };
        assert_eq!(variance(false, &[]), None);
        assert_eq!(variance(true, &[]), None);
        assert_eq!(variance(false, &[3.0]), None);
        assert_eq!(variance(true, &[3.0]), Some(0.0));
        assert_eq!(variance(true, &[1.0, 3.0]), Some(1.0));
        assert_eq!(moments(Statistic::Avg, &[1.0, 2.0]).value(), Some(1.5));
    }
}
