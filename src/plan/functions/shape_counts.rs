//! `__shape_counts(subject, template, mark, context, hosts, accounts, delimiters, events, first, last, ...) OVER ()` counts what the score of a shape needs.
//!
//! Its rows are groups of events that agree in these texts. It marks the earliest row of each shape, and tells in it what is known of all
//! rows: sums over the shape, its subject, its context, and the rarest word of its template. The engine has
//! windows for each of these sums, but sorts all rows for each, and a row for each word of each template. Here they are counted in hash
//! tables in one go, on one thread. The tables are held in memory, which the engine does not account for: the texts of all rows, and each
//! different word once.
//!
//! Counts are whole numbers, and ties are decided by the values, so the order of the rows changes nothing.

use std::collections::{HashMap as StdMap, HashSet as StdSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, LargeListArray, LargeStringArray, StructArray,
    UInt32Array,
};
use arrow::compute::SortOptions;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use datafusion::common::hash_utils::RandomState;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, WindowUDFImpl};

use super::distinct_values;
use crate::error::internal_err;

/// Tables with the engine's hash, which takes half the time of the standard library's.
type HashMap<K, V> = StdMap<K, V, RandomState>;
type HashSet<K> = StdSet<K, RandomState>;

/// The texts among the arguments: subject, template, mark and context.
const TEXTS: usize = 4;
/// The lists of texts behind them: hosts and accounts.
const LISTS: usize = 2;
/// The arguments before those that order the groups: the texts, the lists, the hash of the delimiters, and the number of events.
const LEADING: usize = TEXTS + LISTS + 2;

/// The fields of the result. The numbers have the order of [`Shape`](super::super::hunt::score::Shape)'s.
pub(crate) const IS_FIRST: &str = "is_first";
pub(crate) const LAST: &str = "last";
pub(crate) const CONTEXT: &str = "context";
pub(crate) const WORD: &str = "word";
pub(crate) const EVENTS: &str = "events";
pub(crate) const HOSTS: &str = "hosts";
pub(crate) const ACCOUNTS: &str = "accounts";
pub(crate) const NUMBERS: [&str; 11] = [
    "events_of_all",
    "events_of_subject",
    "events_in_context",
    "events_alike",
    "groups_of_all",
    "groups_of_subject",
    "groups_of_context",
    "groups_in_context",
    "shapes_of_all",
    "shapes_with_word",
    "events_with_word",
];

#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ShapeCounts;

impl WindowUDFImpl for ShapeCounts {
    fn name(&self) -> &'static str {
        "__shape_counts"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() < LEADING + 2 {
            return internal_err!("{} was planned with {} arguments", self.name(), arg_types.len());
        }
        let mut types = vec![DataType::LargeUtf8; TEXTS];
        types.extend(vec![distinct_values::list_type(); LISTS]);
        types.extend([DataType::Int64, DataType::Int64]);
        types.extend(arg_types.iter().skip(LEADING).take(2).cloned());
        types.extend(vec![DataType::LargeUtf8; arg_types.len() - LEADING - 2]);
        Ok(types)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let Some(last) = args.input_fields().get(LEADING + 1) else {
            return internal_err!("{} was planned without a last time", self.name());
        };
        Ok(Arc::new(Field::new(args.name(), DataType::Struct(fields(last.data_type())), false)))
    }

    fn partition_evaluator(&self, _args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator))
    }
}

fn fields(last: &DataType) -> Fields {
    let mut fields = vec![
        Field::new(IS_FIRST, DataType::Boolean, true),
        Field::new(LAST, last.clone(), true),
        Field::new(CONTEXT, DataType::LargeUtf8, true),
        Field::new(WORD, DataType::LargeUtf8, true),
        Field::new(EVENTS, DataType::Int64, true),
        Field::new(HOSTS, DataType::Int64, true),
        Field::new(ACCOUNTS, DataType::Int64, true),
    ];
    fields.extend(NUMBERS.map(|name| Field::new(name, DataType::Int64, true)));
    Fields::from(fields)
}

#[derive(Debug)]
struct Evaluator;

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        let (leading, order) = values.split_at(LEADING.min(values.len()));
        let text = |text: &ArrayRef| -> Result<ArrayRef> { Ok(cast(text, &DataType::LargeUtf8)?) };
        let texts: Vec<ArrayRef> = leading.iter().take(TEXTS).map(text).collect::<Result<_>>()?;
        let [subjects, templates, marks, contexts] = texts.as_slice() else {
            return internal_err!("__shape_counts has no texts");
        };
        let (Some([hosts, accounts, delimiters, events]), [first, last, written @ ..]) =
            (leading.get(TEXTS..), order)
        else {
            return internal_err!("__shape_counts has no order");
        };
        let written: Vec<ArrayRef> = written.iter().map(text).collect::<Result<_>>()?;
        let (Some(hosts), Some(accounts)) = (of_texts(hosts), of_texts(accounts)) else {
            return internal_err!("__shape_counts has no lists of texts");
        };
        let rows = Rows {
            subjects: subjects.as_string(),
            templates: templates.as_string(),
            marks: marks.as_string(),
            contexts: contexts.as_string(),
            hosts,
            accounts,
            delimiters: delimiters.as_primitive::<Int64Type>(),
            events: events.as_primitive::<Int64Type>(),
            first: ranks(first, false)?,
            last: ranks(last, true)?,
            written: written.iter().map(AsArray::as_string).collect(),
        };
        let counted = Counted::of(&rows, num_rows);
        Ok(Arc::new(counted.into_struct(&rows, last)?))
    }

    fn supports_bounded_execution(&self) -> bool {
        false
    }
}

fn of_texts(lists: &ArrayRef) -> Option<&LargeListArray> {
    lists.as_list_opt().filter(|lists| lists.values().as_string_opt::<i64>().is_some())
}

/// Returns keys of bytes that are in the order of the values, NULL last.
fn ranks(values: &ArrayRef, descending: bool) -> Result<arrow::row::Rows> {
    let options = SortOptions { descending, nulls_first: false };
    let field = SortField::new_with_options(values.data_type().clone(), options);
    Ok(RowConverter::new(vec![field])?.convert_columns(std::slice::from_ref(values))?)
}

/// The columns of the rows.
struct Rows<'a> {
    subjects: &'a LargeStringArray,
    templates: &'a LargeStringArray,
    marks: &'a LargeStringArray,
    contexts: &'a LargeStringArray,
    hosts: &'a LargeListArray,
    accounts: &'a LargeListArray,
    delimiters: &'a Int64Array,
    events: &'a Int64Array,
    first: arrow::row::Rows,
    last: arrow::row::Rows,
    written: Vec<&'a LargeStringArray>,
}

fn text(texts: &LargeStringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

impl Rows<'_> {
    /// Whether a row comes before another one: by its first time, then by its texts, NULL last.
    fn is_before(&self, row: usize, other: usize) -> bool {
        let texts = |row: usize| {
            self.written.iter().map(move |written| {
                let text = text(written, row);
                (text.is_none(), text)
            })
        };
        self.first.row(row).cmp(&self.first.row(other)).then_with(|| texts(row).cmp(texts(other))).is_lt()
    }
}

/// Gives each different key a number, from 0.
struct Numbered<K>(HashMap<K, u32>);

impl<K: std::hash::Hash + Eq> Numbered<K> {
    fn new() -> Self {
        Self(HashMap::default())
    }

    fn number(&mut self, key: K) -> usize {
        // Groups are fewer than 2^32: an array of their texts has fewer rows.
        let next = self.0.len() as u32;
        *self.0.entry(key).or_insert(next) as usize
    }

    /// Whether the key has had no number so far.
    fn is_new(&mut self, key: K) -> bool {
        let before = self.0.len();
        self.number(key) == before
    }
}

/// Sums of events, and numbers of groups that have a context.
#[derive(Default)]
struct Sums {
    events: Vec<i64>,
    groups: Vec<i64>,
}

impl Sums {
    fn add(&mut self, number: usize, events: i64, has_context: bool) {
        if number >= self.events.len() {
            self.events.resize(number + 1, 0);
            self.groups.resize(number + 1, 0);
        }
        self.events[number] += events;
        self.groups[number] += i64::from(has_context);
    }
}

/// A shape while its groups are counted, by rows.
struct Shape {
    subject: usize,
    alike: usize,
    events: i64,
    first: usize,
    last: usize,
    hosts: i64,
    accounts: i64,
    rarest_context: Option<usize>,
    word: usize,
}

impl Shape {
    fn new(subject: usize, alike: usize, row: usize) -> Self {
        Self {
            subject,
            alike,
            events: 0,
            first: row,
            last: row,
            hosts: 0,
            accounts: 0,
            rarest_context: None,
            word: 0,
        }
    }
}

/// The different values of each shape.
#[derive(Default)]
struct DifferentValues<'a> {
    numbers: HashMap<&'a str, u32>,
    seen: HashSet<(usize, u32)>,
}

impl<'a> DifferentValues<'a> {
    /// Returns how many values of a row the shape has not had.
    fn new_ones(&mut self, shape: usize, lists: &'a LargeListArray, row: usize) -> i64 {
        if lists.is_null(row) {
            return 0;
        }
        let values = lists.values().as_string::<i64>();
        // The caller's rows are those of the array, which has one offset more and values at all offsets.
        let (start, end) = (lists.value_offsets()[row], lists.value_offsets()[row + 1]);
        let mut new = 0;
        for place in start..end {
            let next = self.numbers.len() as u32;
            let number = *self.numbers.entry(values.value(place as usize)).or_insert(next);
            new += i64::from(self.seen.insert((shape, number)));
        }
        new
    }
}

/// The counts of all rows.
#[derive(Default)]
struct Counted {
    shapes: Vec<Shape>,
    of_subject: Sums,
    of_context: Sums,
    in_context: Sums,
    alike: Sums,
    all: Sums,
    /// The context of a row, and its pair of subject and context.
    contexts: Vec<(usize, usize)>,
    words: Words,
}

impl Counted {
    fn of(rows: &Rows, number_of_rows: usize) -> Self {
        let (mut subjects, mut contexts, mut pairs) = (Numbered::new(), Numbered::new(), Numbered::new());
        let (mut shape_numbers, mut forms, mut groups) = (Numbered::new(), Numbered::new(), Numbered::new());
        let mut hosts = DifferentValues::default();
        let mut accounts = DifferentValues::default();
        let mut counted = Self::default();
        let mut shape_of_row = Vec::with_capacity(number_of_rows);
        for row in 0..number_of_rows {
            let context = text(rows.contexts, row);
            let events = rows.events.value(row);
            let subject = subjects.number(text(rows.subjects, row));
            let form = rows.delimiters.is_valid(row).then(|| rows.delimiters.value(row));
            let alike = forms.number((subject, form));
            let number = shape_numbers.number((subject, text(rows.templates, row), text(rows.marks, row)));
            if number == counted.shapes.len() {
                counted.shapes.push(Shape::new(subject, alike, row));
            }
            let has_context = context.is_some();
            let context = contexts.number(context);
            let pair = pairs.number((subject, context));
            // Rows of other spellings are the same group.
            let new_group = groups.is_new((number, context)) && has_context;
            for (sums, number) in [
                (&mut counted.all, 0),
                (&mut counted.of_subject, subject),
                (&mut counted.of_context, context),
                (&mut counted.in_context, pair),
                (&mut counted.alike, alike),
            ] {
                sums.add(number, events, new_group);
            }
            counted.contexts.push((context, pair));
            // The number was given above, so it is one of a shape.
            let shape = &mut counted.shapes[number];
            shape.events += events;
            shape.hosts += hosts.new_ones(number, rows.hosts, row);
            shape.accounts += accounts.new_ones(number, rows.accounts, row);
            if rows.is_before(row, shape.first) {
                shape.first = row;
            }
            if rows.last.row(row) < rows.last.row(shape.last) {
                shape.last = row;
            }
            shape_of_row.push(number);
        }
        counted.choose_contexts(rows, &shape_of_row);
        counted.choose_words(rows);
        counted
    }

    /// Finds the context of each shape that is rarest for its subject.
    fn choose_contexts(&mut self, rows: &Rows, shape_of_row: &[usize]) {
        for (row, shape) in shape_of_row.iter().enumerate().filter(|(row, _)| rows.contexts.is_valid(*row)) {
            let key = |row: usize| {
                let (context, pair) = self.contexts[row];
                let events = self.in_context.events[pair];
                (
                    self.in_context.groups[pair],
                    self.of_context.groups[context],
                    events,
                    rows.contexts.value(row),
                )
            };
            let rarest = self.shapes[*shape].rarest_context;
            if rarest.is_none_or(|rarest| key(row) < key(rarest)) {
                self.shapes[*shape].rarest_context = Some(row);
            }
        }
    }

    /// Counts the words of all shapes, and finds the rarest of each.
    fn choose_words(&mut self, rows: &Rows) {
        let mut of_shapes = Vec::with_capacity(self.shapes.len());
        for shape in &self.shapes {
            let text = |texts| text(texts, shape.first).unwrap_or_default();
            of_shapes.push(self.words.count(text(rows.templates), text(rows.subjects), shape.events));
        }
        let (shapes, events) =
            (self.shapes.len() as f64, self.all.events.first().copied().unwrap_or(1) as f64);
        for (shape, words) in self.shapes.iter_mut().zip(of_shapes) {
            shape.word = self.words.rarest(words, shapes, events);
        }
    }

    /// Writes the counts as a struct, of which only the first group of each shape has values.
    fn into_struct(self, rows: &Rows, last: &ArrayRef) -> Result<StructArray> {
        let all = self.contexts.len();
        let mut is_first = vec![false; all];
        let mut last_rows: Vec<Option<u32>> = vec![None; all];
        let mut context: Vec<Option<&str>> = vec![None; all];
        let mut word: Vec<Option<&str>> = vec![None; all];
        let (mut events, mut hosts, mut accounts) = (vec![0_i64; all], vec![0_i64; all], vec![0_i64; all]);
        let mut numbers = vec![vec![0_i64; all]; NUMBERS.len()];
        let of_all = |sums: &[i64]| sums.first().copied().unwrap_or_default();
        for shape in &self.shapes {
            let row = shape.first;
            is_first[row] = true;
            last_rows[row] = Some(shape.last as u32);
            (events[row], hosts[row], accounts[row]) = (shape.events, shape.hosts, shape.accounts);
            word[row] = Some(self.words.text(shape.word));
            let (of_context, pair) = match shape.rarest_context {
                Some(rarest) => {
                    context[row] = Some(rows.contexts.value(rarest));
                    let (of_context, pair) = self.contexts[rarest];
                    (
                        self.of_context.groups[of_context],
                        (self.in_context.events[pair], self.in_context.groups[pair]),
                    )
                }
                None => (0, (0, 0)),
            };
            let (shapes_with_word, events_with_word) = self.words.counts(shape.word);
            let of_shape = [
                of_all(&self.all.events),
                self.of_subject.events[shape.subject],
                pair.0,
                self.alike.events[shape.alike],
                of_all(&self.all.groups),
                self.of_subject.groups[shape.subject],
                of_context,
                pair.1,
                self.shapes.len() as i64,
                shapes_with_word,
                events_with_word,
            ];
            for (numbers, number) in numbers.iter_mut().zip(of_shape) {
                numbers[row] = number;
            }
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(is_first)),
            take(last, &UInt32Array::from(last_rows), None)?,
            Arc::new(LargeStringArray::from(context)),
            Arc::new(LargeStringArray::from(word)),
            Arc::new(Int64Array::from(events)),
            Arc::new(Int64Array::from(hosts)),
            Arc::new(Int64Array::from(accounts)),
        ];
        columns.extend(numbers.into_iter().map(|numbers| Arc::new(Int64Array::from(numbers)) as ArrayRef));
        Ok(StructArray::try_new(fields(last.data_type()), columns, None)?)
    }
}

/// Stands for a number in a word.
const NUMBER: char = '#';

/// The different words of all shapes, each with the numbers of the shapes and the events that have it.
#[derive(Default)]
struct Words {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    shapes: Vec<i64>,
    events: Vec<i64>,
    /// The words of all shapes, one after the other.
    of_shapes: Vec<u32>,
    small: String,
}

impl Words {
    /// Counts the words of a template, or of the other text if it has none. Returns their place in `of_shapes`.
    fn count(&mut self, template: &str, other: &str, events: i64) -> std::ops::Range<usize> {
        let start = self.of_shapes.len();
        self.collect(template);
        if self.of_shapes.len() == start {
            self.collect(other);
        }
        if self.of_shapes.len() == start {
            let none = self.number("");
            self.of_shapes.push(none);
        }
        // The end is that of the vector, and the beginning was it before.
        self.of_shapes[start..].sort_unstable();
        let mut end = start;
        for at in start..self.of_shapes.len() {
            let word = self.of_shapes[at];
            if at == start || self.of_shapes[end - 1] != word {
                self.of_shapes[end] = word;
                end += 1;
                self.shapes[word as usize] += 1;
                self.events[word as usize] += events;
            }
        }
        self.of_shapes.truncate(end);
        start..end
    }

    /// Adds the words of a text: at least two letters, underscores, signs of masks and numbers, in small letters. All numbers in them are
    /// one sign, since `runner17` is no other word than `runner32`.
    fn collect(&mut self, text: &str) {
        let mut small = std::mem::take(&mut self.small);
        small.clear();
        let mut in_number = false;
        for c in text.chars() {
            let is_digit = c.is_ascii_digit();
            if is_digit {
                if !in_number {
                    small.push(NUMBER);
                }
            } else if c.is_ascii() {
                small.push(c.to_ascii_lowercase());
            } else {
                small.extend(c.to_lowercase());
            }
            in_number = is_digit;
        }
        let pieces = small.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '<' | '>' | NUMBER)));
        for piece in pieces.filter(|piece| piece.len() > 1 && piece.chars().nth(1).is_some()) {
            let number = self.number(piece);
            self.of_shapes.push(number);
        }
        self.small = small;
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(word.into(), number);
        self.texts.push(word.into());
        self.shapes.push(0);
        self.events.push(0);
        number
    }

    /// Returns the word that the smallest share of the shapes and of the events has; of several the one that says most to a reader.
    fn rarest(&self, words: std::ops::Range<usize>, shapes: f64, events: f64) -> usize {
        let share = |word: usize| (self.shapes[word] as f64 / shapes).max(self.events[word] as f64 / events);
        let words = self.of_shapes[words].iter().map(|word| *word as usize);
        let before = |one: usize, other: usize| {
            let readable = |word: usize| {
                let text = self.text(word);
                let characters = text.chars().count();
                (characters > 24 || text.contains('<'), std::cmp::Reverse(characters), text)
            };
            share(one).total_cmp(&share(other)).then_with(|| readable(one).cmp(&readable(other)))
        };
        // Each shape has a word.
        words.min_by(|one, other| before(*one, *other)).unwrap_or_default()
    }

    fn text(&self, word: usize) -> &str {
        self.texts.get(word).map_or("", |text| text)
    }

    fn counts(&self, word: usize) -> (i64, i64) {
        (self.shapes[word], self.events[word])
    }
}
