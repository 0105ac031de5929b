//! `__review(...)` judges a shape: its score, what each term adds to it, and the reasons in words.
//!
//! [`score`](super::super::hunt::score) has the terms. This file reads the columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Builder, Int64Array, ListBuilder, StringBuilder,
    StringViewArray, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use super::super::hunt::score::{Review, Reviewer, Shape, Term};
use crate::error::internal_err;

/// The texts of a shape, whether it is looked for, and its numbers. The terms that count and the texts that are looked for follow.
const TEXTS: usize = 5;
const NUMBERS: usize = 11;

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ReviewShape;

impl ScalarUDFImpl for ReviewShape {
    fn name(&self) -> &'static str {
        "__review"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let mut types = vec![DataType::Utf8View; TEXTS];
        types.push(DataType::Boolean);
        types.extend(vec![DataType::Int64; NUMBERS]);
        types.extend(vec![DataType::new_list(DataType::Utf8, true); 2]);
        if arg_types.len() != types.len() {
            return internal_err!("{} was planned with {} arguments", self.name(), arg_types.len());
        }
        Ok(types)
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [.., terms, watch] = args.args.as_slice() else {
            return internal_err!("{} has no terms", self.name());
        };
        let terms: Vec<Term> = words(terms)?.iter().filter_map(|name| Term::from_name(name)).collect();
        let reviewer = Reviewer::new(terms, words(watch)?);
        // Planning has checked the number of arguments; no SQL names this function.
        let columns = ColumnarValue::values_to_arrays(&args.args[..TEXTS + 1 + NUMBERS])?;
        let (texts, rest) = columns.split_at(TEXTS);
        let texts: Vec<ArrayRef> =
            texts.iter().map(|text| Ok(cast(text, &DataType::Utf8View)?)).collect::<Result<_>>()?;
        let texts: Vec<&StringViewArray> = texts.iter().map(AsArray::as_string_view).collect();
        let [watched, numbers @ ..] = rest else { return internal_err!("{} has no numbers", self.name()) };
        let watched = watched.as_boolean();
        let numbers: Vec<&Int64Array> = numbers.iter().map(AsArray::as_primitive::<Int64Type>).collect();
        let mut built = Builders::default();
        for row in 0..rows {
            built.append(&reviewer.review(&shape(&texts, watched, &numbers, row)));
        }
        Ok(ColumnarValue::Array(Arc::new(built.finish()?)))
    }
}

/// Returns the words of a constant list.
fn words(list: &ColumnarValue) -> Result<Vec<String>> {
    let list = match list {
        ColumnarValue::Scalar(ScalarValue::List(list)) => Arc::clone(list) as ArrayRef,
        // A process behind an interface may pass a constant as an array of the same list for each row.
        ColumnarValue::Array(lists) => Arc::clone(lists),
        ColumnarValue::Scalar(other) => return internal_err!("a list of words was planned, {other} came"),
    };
    let Some(lists) = list.as_list_opt::<i32>() else { return internal_err!("a list of words was planned") };
    if lists.is_empty() {
        return Ok(vec![]);
    }
    let first = cast(&lists.value(0), &DataType::Utf8View)?;
    Ok(first.as_string_view().iter().flatten().map(ToString::to_string).collect())
}

fn shape<'a>(
    texts: &[&'a StringViewArray],
    watched: &BooleanArray,
    numbers: &[&Int64Array],
    row: usize,
) -> Shape<'a> {
    let text = |place: usize| texts[place].is_valid(row).then(|| texts[place].value(row));
    let number = |place: usize| if numbers[place].is_valid(row) { numbers[place].value(row) } else { 0 };
    // The places are below TEXTS and NUMBERS, the lengths of the two.
    Shape {
        text: text(0),
        path: text(1),
        subject: text(2),
        context: text(3),
        word: text(4).filter(|word| !word.is_empty()),
        is_watched: watched.is_valid(row) && watched.value(row),
        events_of_all: number(0),
        events_of_subject: number(1),
        events_in_context: number(2),
        events_alike: number(3),
        groups_of_all: number(4),
        groups_of_subject: number(5),
        groups_of_context: number(6),
        groups_in_context: number(7),
        shapes_of_all: number(8),
        shapes_with_word: number(9),
        events_with_word: number(10),
    }
}

fn fields() -> Fields {
    let terms = Term::ALL.map(|term| Field::new(term.name(), DataType::Float64, true));
    let terms = DataType::Struct(Fields::from(terms.to_vec()));
    let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
    Fields::from(vec![
        Field::new("score", DataType::Float64, true),
        Field::new("terms", terms, true),
        Field::new("reasons", DataType::List(item), true),
    ])
}

#[derive(Default)]
struct Builders {
    score: Float64Builder,
    terms: [Float64Builder; Term::ALL.len()],
    reasons: ListBuilder<StringBuilder>,
}

impl Builders {
    fn append(&mut self, review: &Review) {
        self.score.append_value(review.score);
        for (builder, value) in self.terms.iter_mut().zip(review.terms) {
            builder.append_option(value);
        }
        for reason in &review.reasons {
            self.reasons.values().append_value(reason);
        }
        self.reasons.append(true);
    }

    fn finish(mut self) -> Result<StructArray> {
        let fields = fields();
        let DataType::Struct(of_terms) = fields[1].data_type() else {
            return internal_err!("terms are no struct");
        };
        let terms = self.terms.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        let terms = StructArray::try_new(of_terms.clone(), terms, None)?;
        let columns: Vec<ArrayRef> =
            vec![Arc::new(self.score.finish()), Arc::new(terms), Arc::new(self.reasons.finish())];
        Ok(StructArray::try_new(fields.clone(), columns, None)?)
    }
}
