//! Columns in the names of folders, as Hive writes them: `day=2026-01-15/host=wks-1/part.csv`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DictionaryArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type};
use datafusion::common::{Result, ScalarValue, internal_datafusion_err};

/// The columns of a file's folders, with the values of this file.
pub(super) type FolderValues = Vec<(String, String)>;

/// The columns in the folders of a path below the folder that was named.
pub(super) fn of_path(below: &str) -> FolderValues {
    let Some((folders, _)) = below.rsplit_once('/') else { return vec![] };
    let pairs = folders.split('/').filter_map(|folder| folder.split_once('='));
    let mut values = FolderValues::new();
    for (name, value) in pairs.filter(|(name, _)| !name.is_empty()) {
        if !values.iter().any(|(known, _)| known == name) {
            values.push((name.to_string(), value.to_string()));
        }
    }
    values
}

/// The type of such a column.
pub(super) fn data_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8))
}

/// The folder of rows that have no value, as Hive and its successors name it.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Whether a folder stands for rows that have no value.
pub(super) fn is_null(value: &str) -> bool {
    value == NO_VALUE
}

/// A value of such a column.
pub(super) fn scalar(value: &str) -> ScalarValue {
    let value = if is_null(value) { ScalarValue::Utf8(None) } else { ScalarValue::from(value) };
    ScalarValue::Dictionary(Box::new(DataType::UInt32), Box::new(value))
}

/// The name, or else the first of `name_2`, `name_3` and so on that is not taken.
pub(super) fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_string();
    let mut number = 2_u64;
    while is_taken(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

/// Adds the columns of folders to rows that carry the name of their file in the first column.
pub(super) struct FolderColumns {
    /// The schema of the rows with the columns.
    schema: SchemaRef,
    /// The number of the column of file names, and whether it stays.
    keeps_file: bool,
    columns: Vec<FolderColumn>,
}

struct FolderColumn {
    values: ArrayRef,
    /// The place of each file's value.
    of_file: HashMap<String, u32>,
}

impl FolderColumns {
    /// The columns of files, to be put behind those of `schema`. One whose name the rows have already is called `name_2`.
    pub(super) fn new(schema: &Schema, files: &[(String, FolderValues)], keeps_file: bool) -> Self {
        let skipped = usize::from(!keeps_file);
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().skip(skipped).map(Arc::clone).collect();
        let mut names: Vec<&str> = vec![];
        for (name, _) in files.iter().flat_map(|(_, values)| values) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let columns = names.iter().map(|name| FolderColumn::new(name, files)).collect();
        for name in names {
            let name = free_name(name, |name| fields.iter().any(|field| field.name() == name));
            fields.push(Arc::new(Field::new(name, data_type(), true)));
        }
        Self { schema: Arc::new(Schema::new(fields)), keeps_file, columns }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The rows with the columns.
    pub(super) fn add(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let Some(files) = batch.columns().first() else {
            return Err(internal_datafusion_err!("rows without the name of their file"));
        };
        let files = cast(files, &DataType::Utf8)?;
        let files = files.as_string::<i32>();
        let mut columns: Vec<ArrayRef> =
            batch.columns().iter().skip(usize::from(!self.keeps_file)).map(Arc::clone).collect();
        for column in &self.columns {
            columns.push(column.of(files)?);
        }
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }
}

impl FolderColumn {
    fn new(name: &str, files: &[(String, FolderValues)]) -> Self {
        let mut values: Vec<&str> = vec![];
        let mut places: HashMap<&str, u32> = HashMap::new();
        let mut of_file = HashMap::new();
        for (file, folders) in files {
            let of_name = folders.iter().find(|(column, value)| column == name && !is_null(value));
            let Some((_, value)) = of_name else { continue };
            let place = *places.entry(value).or_insert_with(|| {
                values.push(value);
                (values.len() - 1) as u32
            });
            of_file.insert(file.clone(), place);
        }
        Self { values: Arc::new(StringArray::from(values)), of_file }
    }

    fn of(&self, files: &StringArray) -> Result<ArrayRef> {
        let mut last: Option<(&str, Option<u32>)> = None;
        let places: UInt32Array = files
            .iter()
            .map(|file| {
                let file = file?;
                match last {
                    // Rows of a file follow each other.
                    Some((known, place)) if known == file => place,
                    _ => {
                        let place = self.of_file.get(file).copied();
                        last = Some((file, place));
                        place
                    }
                }
            })
            .collect();
        Ok(Arc::new(DictionaryArray::<UInt32Type>::try_new(places, Arc::clone(&self.values))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_an_equals_sign_are_columns() {
        let of = |path| of_path(path).into_iter().map(|(a, b)| format!("{a}:{b}")).collect::<Vec<_>>();
        assert_eq!(of("day=2026-01-15/x/host=a=b/part=1.csv"), ["day:2026-01-15", "host:a=b"]);
        assert!(of("part=1.csv").is_empty());
        assert_eq!(of("a=1/a=2/=3/b.csv"), ["a:1"]);
    }

    #[test]
    fn rows_get_the_columns_of_their_file() -> Result<()> {
        let files: ArrayRef = Arc::new(StringArray::from(vec!["1", "1", "2", "3"]));
        let rows: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c", "d"]));
        let batch = RecordBatch::try_from_iter([("_file", files), ("x", rows)])?;
        let folders = |name: &str, values: &[(&str, &str)]| {
            (name.to_string(), values.iter().map(|(a, b)| ((*a).to_string(), (*b).to_string())).collect())
        };
        let files =
            [folders("1", &[("day", "15"), ("x", "of")]), folders("2", &[("day", "16")]), folders("3", &[])];
        let rows = FolderColumns::new(&batch.schema(), &files, false).add(&batch)?;
        let shown = arrow::util::pretty::pretty_format_batches(&[rows])?.to_string();
        assert_eq!(
            shown.lines().collect::<Vec<_>>(),
            [
                "+---+-----+-----+",
                "| x | day | x_2 |",
                "+---+-----+-----+",
                "| a | 15  | of  |",
                "| b | 15  | of  |",
                "| c | 16  |     |",
                "| d |     |     |",
                "+---+-----+-----+"
            ]
        );
        let without = FolderColumns::new(&batch.schema(), &files[2..], false).add(&batch)?;
        assert_eq!((without.num_columns(), without.num_rows()), (1, 4));
        Ok(())
    }
}
