//! The result of a reading.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use dbcluster_logs::{ColumnType, Host, ReadOptions, Report, Result, Source, scan};

use crate::host::FuzzHost;

/// A table with its account.
pub(crate) struct Table {
    schema: SchemaRef,
    rows: RecordBatch,
    report: Report,
    has_file_column: bool,
}

impl Table {
    /// Reads sources, and checks what holds for each reading by itself.
    pub(crate) fn read(
        sources: &[Box<dyn Source>],
        options: &ReadOptions,
        host: Arc<FuzzHost>,
    ) -> Result<Self> {
        let scanned = scan(sources, options, Arc::clone(&host) as Arc<dyn Host>)?;
        let schema = scanned.schema();
        let before = scanned.report().clone();
        let mut batches = vec![];
        let report = scanned.batches(&mut |batch| {
            assert!(batch.num_rows() > 0, "no batch is empty");
            batches.push(batch);
            Ok(())
        })?;
        assert_eq!(host.used(), 0, "all memory is given back");
        assert_eq!(report.files, sources.len());
        assert_eq!(report.notes, before.notes, "notes are known before the values");
        let rows = concat_batches(&schema, &batches).expect("batches of one schema");
        for column in rows.columns() {
            column.to_data().validate_full().expect("a valid array");
        }
        let table = Self { schema, rows, report, has_file_column: options.file_column };
        table.check_account();
        Ok(table)
    }

    /// The account counts the rows, and its texts are fit for a terminal.
    fn check_account(&self) {
        assert_eq!(self.report.rows, self.rows.num_rows() as u64, "rows counted are rows given");
        for note in &self.report.notes {
            check_text(&note.text, 1024);
        }
        for rejected in &self.report.rejected {
            check_text(&rejected.reason, 1024);
            assert!(rejected.line > 0 && rejected.line <= self.report.bytes + 1, "{rejected:?}");
            assert!(rejected.text.len() <= 3 << 16, "the text of what is rejected is bounded");
        }
        for (name, _) in &self.report.times {
            assert!(self.schema.column_with_name(name).is_some(), "times are columns: {name:?}");
        }
        let mut names: Vec<&String> = self.schema.fields().iter().map(|field| field.name()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "names of columns are unique: {names:?}");
    }

    /// Fails if another table is not the same.
    pub(crate) fn check_same(&self, other: &Self) {
        assert_eq!(self.schema, other.schema);
        assert_eq!(self.report, other.report);
        assert!(self.rows == other.rows, "{:?}\nis not\n{:?}", self.rows, other.rows);
    }

    /// Fails if a value of the same files as text is NULL here, but not told; or the other way round.
    pub(crate) fn check_nulls(&self, text: &Self) {
        for (field, column) in self.schema.fields().iter().zip(self.rows.columns()) {
            let (at, _) = text.schema.column_with_name(field.name()).expect("the same columns");
            let is_of_it = |column: &Option<String>| column.as_ref() == Some(field.name());
            // Of a nested value, a part may be rejected.
            if field.data_type().is_nested() {
                continue;
            }
            let rejected = self.report.rejected.iter().filter(|rejected| is_of_it(&rejected.column)).count();
            let nulls = text.rows.column(at).null_count();
            assert_eq!(column.null_count(), nulls + rejected, "{:?} as {}", field.name(), field.data_type());
        }
        assert_eq!(self.rows.num_rows(), text.rows.num_rows());
    }

    /// Columns of the files with a type for each.
    pub(crate) fn ordered(&self, of: impl Fn(usize) -> Option<ColumnType>) -> Vec<(String, ColumnType)> {
        let own = self.schema.fields().iter().enumerate().skip(usize::from(self.has_file_column));
        // A column of the files that is called as the one with their names has another name in the table.
        let own = own.filter(|(_, field)| !(self.has_file_column && field.name() == "_file_2"));
        own.filter_map(|(at, field)| Some((field.name().clone(), of(at)?))).collect()
    }
}

/// A text is one line of bounded length without control characters.
pub(crate) fn check_text(text: &str, longest: usize) {
    assert!(text.len() <= longest, "{} bytes: {text}", text.len());
    let is_harmful = |letter: char| {
        letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(is_harmful), "{text:?}");
}
