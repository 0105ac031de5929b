//! The columns that every query of events has, out of a batch of its result; and the scores of a hunt, which they find.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, PrimitiveArray, RecordBatch, StringArray};
use arrow::compute;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::DataFusionError;
use dbcluster_figures::{RoleName, Row};

use crate::failure::Failure;

/// The longest text of a row, in characters.
pub(super) const LONGEST: usize = 10_000;

/// The score of events of one shape, and the reasons.
pub(super) type Scores = HashMap<String, HashMap<String, (f64, Vec<String>)>>;

/// The text that stands for NULL in a shape.
pub(super) const NULL: &str = "\0";

/// The roles whose values are columns of a query, in this order.
pub(super) const TEXTS: [RoleName; 6] =
    [RoleName::Name, RoleName::Text, RoleName::Parent, RoleName::Account, RoleName::Host, RoleName::Path];

/// The columns of a batch that every query of events has.
pub(super) struct ReadBatch {
    pub(super) numbers: Vec<Float64Array>,
    pub(super) partition: StringArray,
    pub(super) texts: Vec<StringArray>,
    pub(super) subject: StringArray,
    pub(super) form: StringArray,
    pub(super) time: PrimitiveArray<TimestampMicrosecondType>,
}

impl ReadBatch {
    pub(super) fn new(batch: &RecordBatch, features: usize) -> Result<Self, Failure> {
        let texts = features + 1;
        let subject = texts + TEXTS.len();
        Ok(Self {
            numbers: numbers(batch, features)?,
            partition: strings(batch, features)?,
            texts: (texts..subject).map(|at| strings(batch, at)).collect::<Result<_, _>>()?,
            subject: strings(batch, subject)?,
            form: strings(batch, subject + 1)?,
            time: times(batch.column(subject + 2))?,
        })
    }

    pub(super) fn row(&self, at: usize, scores: &Scores) -> Row {
        let mut texts = self.texts.iter().map(|texts| text_of(texts, at).map(shortened));
        let mut next = || texts.next().flatten();
        let [name, text, parent, account, host, path] = std::array::from_fn(|_| next());
        let of_shape = |texts: &StringArray| text_of(texts, at).unwrap_or_else(|| NULL.to_string());
        let forms = scores.get(&of_shape(&self.subject));
        let found = forms.and_then(|forms| forms.get(&of_shape(&self.form)));
        let time = self.time.is_valid(at).then(|| self.time.value(at));
        Row {
            reasons: found.map(|(_, reasons)| true_of(reasons, parent.as_deref())).unwrap_or_default(),
            name,
            text,
            parent,
            account,
            host,
            path,
            times: time.map(|time| (time, time)),
            score: found.map(|(score, _)| *score),
            ..Row::default()
        }
    }
}

/// The reasons that hold for an event with this parent: some events of a shape were started by another one.
pub(super) fn true_of(reasons: &[String], parent: Option<&str>) -> Vec<String> {
    let is_true = |reason: &&String| {
        let of_parent = OF_PARENTS.iter().find_map(|words| reason.split_once(words));
        of_parent.is_none_or(|(name, _)| parent.is_some_and(|parent| name.eq_ignore_ascii_case(parent)))
    };
    reasons.iter().filter(is_true).cloned().collect()
}

/// The words that stand behind the name of a parent in a reason.
pub(super) const OF_PARENTS: [&str; 3] =
    [", which runs what it is given, started it", " started it: ", " rarely starts it: "];

/// Times in microseconds.
pub(super) fn times(array: &ArrayRef) -> Result<PrimitiveArray<TimestampMicrosecondType>, Failure> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let times = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    Ok(times.as_primitive::<TimestampMicrosecondType>().clone())
}

pub(super) fn cast(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, Failure> {
    Ok(compute::cast(array, data_type).map_err(DataFusionError::from)?)
}

pub(super) fn numbers(batch: &RecordBatch, features: usize) -> Result<Vec<Float64Array>, Failure> {
    let number = |at: usize| -> Result<_, Failure> {
        Ok(cast(batch.column(at), &DataType::Float64)?.as_primitive::<Float64Type>().clone())
    };
    (0..features).map(number).collect()
}

pub(super) fn strings(batch: &RecordBatch, at: usize) -> Result<StringArray, Failure> {
    Ok(cast(batch.column(at), &DataType::Utf8)?.as_string::<i32>().clone())
}

pub(super) fn text_of(texts: &StringArray, at: usize) -> Option<String> {
    texts.is_valid(at).then(|| texts.value(at).to_string())
}

/// A text of at most [`LONGEST`] characters; of a longer one it says how long it is.
pub(super) fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            let all = text.chars().count();
            format!("{}… ({all} characters)", text.get(..end).unwrap_or_default())
        }
        None => text,
    }
}
