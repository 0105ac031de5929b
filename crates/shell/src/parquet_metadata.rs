//! `parquet_metadata('file.parquet')`: what a Parquet file says of itself.
//!
//! A Parquet file is made of groups of rows, and a group of one chunk per column. Its end tells where each chunk is, how large, and which
//! values are in it, by which the engine passes over the groups that a filter can't need. The function gives a row per chunk.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::Expr;
use datafusion::parquet::basic::ConvertedType;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};
use datafusion::parquet::file::statistics::Statistics;

/// The table function.
#[derive(Debug)]
pub(super) struct ParquetMetadata;

impl ParquetMetadata {
    pub(super) const NAME: &str = "parquet_metadata";
}

impl TableFunctionImpl for ParquetMetadata {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let name = match args.exprs() {
            [Expr::Literal(ScalarValue::Utf8(Some(name)), _)] => name,
            // A name in double quotes.
            [Expr::Column(column)] => &column.name,
            _ => {
                return plan_err!(
                    "parquet_metadata takes the path of one file, as in parquet_metadata('a.parquet')"
                );
            }
        };
        let open = || SerializedFileReader::new(File::open(name)?);
        let reader =
            open().map_err(|error| plan_datafusion_err!("parquet_metadata can't read '{name}': {error}"))?;
        let batch = table(name, reader.metadata())?;
        Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
    }
}

/// A column chunk, and where it is.
struct Chunk<'a> {
    group_id: usize,
    group: &'a RowGroupMetaData,
    id: usize,
    metadata: &'a ColumnChunkMetaData,
}

impl Chunk<'_> {
    /// The least and the greatest value.
    fn range(&self) -> (Option<String>, Option<String>) {
        let is_text = self.metadata.column_descr().converted_type() == ConvertedType::UTF8;
        self.metadata.statistics().map_or((None, None), |statistics| range(statistics, is_text))
    }
}

/// A row per column chunk.
fn table(name: &str, file: &ParquetMetaData) -> Result<RecordBatch> {
    let chunks: Vec<Chunk<'_>> = file
        .row_groups()
        .iter()
        .enumerate()
        .flat_map(|(group_id, group)| {
            let chunks = group.columns().iter().enumerate();
            chunks.map(move |(id, metadata)| Chunk { group_id, group, id, metadata })
        })
        .collect();
    let number = |of: &dyn Fn(&Chunk<'_>) -> Option<i64>| -> ArrayRef {
        Arc::new(chunks.iter().map(of).collect::<Int64Array>())
    };
    let text = |of: &dyn Fn(&Chunk<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(chunks.iter().map(of).collect::<StringArray>())
    };
    let count = |of: fn(&Statistics) -> Option<u64>| {
        number(&move |it| it.metadata.statistics().and_then(of).map(|count| count as i64))
    };
    let least = text(&|it| it.range().0);
    let greatest = text(&|it| it.range().1);
    Ok(RecordBatch::try_from_iter_with_nullable(
        [
            ("filename", text(&|_| Some(name.to_string()))),
            ("row_group_id", number(&|it| Some(it.group_id as i64))),
            ("row_group_num_rows", number(&|it| Some(it.group.num_rows()))),
            ("row_group_num_columns", number(&|it| Some(it.group.num_columns() as i64))),
            ("row_group_bytes", number(&|it| Some(it.group.total_byte_size()))),
            ("column_id", number(&|it| Some(it.id as i64))),
            ("file_offset", number(&|it| Some(it.metadata.file_offset()))),
            ("num_values", number(&|it| Some(it.metadata.num_values()))),
            ("path_in_schema", text(&|it| Some(it.metadata.column_path().to_string()))),
            ("type", text(&|it| Some(it.metadata.column_type().to_string()))),
            ("stats_min", Arc::clone(&least)),
            ("stats_max", Arc::clone(&greatest)),
            ("stats_null_count", count(Statistics::null_count_opt)),
            ("stats_distinct_count", count(Statistics::distinct_count_opt)),
            ("stats_min_value", least),
            ("stats_max_value", greatest),
            ("compression", text(&|it| Some(format!("{:?}", it.metadata.compression())))),
            ("encodings", text(&|it| Some(format!("{:?}", it.metadata.encodings().collect::<Vec<_>>())))),
            ("index_page_offset", number(&|it| it.metadata.index_page_offset())),
            ("dictionary_page_offset", number(&|it| it.metadata.dictionary_page_offset())),
            ("data_page_offset", number(&|it| Some(it.metadata.data_page_offset()))),
            ("total_compressed_size", number(&|it| Some(it.metadata.compressed_size()))),
            ("total_uncompressed_size", number(&|it| Some(it.metadata.uncompressed_size()))),
        ]
        .map(|(name, column)| (name, column, true)),
    )?)
}

/// The least and the greatest value of statistics, as text.
fn range(statistics: &Statistics, is_text: bool) -> (Option<String>, Option<String>) {
    // Both ends, each as `show` has it.
    macro_rules! ends {
        ($values:expr, $show:expr) => {
            ($values.min_opt().map($show), $values.max_opt().map($show))
        };
    }
    match statistics {
        Statistics::Boolean(values) => ends!(values, ToString::to_string),
        Statistics::Int32(values) => ends!(values, ToString::to_string),
        Statistics::Int64(values) => ends!(values, ToString::to_string),
        Statistics::Int96(values) => ends!(values, ToString::to_string),
        Statistics::Float(values) => ends!(values, ToString::to_string),
        Statistics::Double(values) => ends!(values, ToString::to_string),
        Statistics::ByteArray(values) => ends!(values, |value| of_bytes(value, value.data(), is_text)),
        Statistics::FixedLenByteArray(values) => {
            ends!(values, |value| of_bytes(value, value.data(), is_text))
        }
    }
}

/// Bytes as text if they are text, or else as their numbers.
fn of_bytes(value: &impl ToString, bytes: &[u8], is_text: bool) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text => text.to_string(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::assert_batches_eq;
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn every_chunk_is_a_row() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("it's.parquet").display().to_string();
        let ctx = SessionContext::new();
        ctx.register_udtf(ParquetMetadata::NAME, Arc::new(ParquetMetadata));
        let quoted = file.replace('\'', "''");
        for sql in [
            "SET datafusion.execution.parquet.max_row_group_size = 2".to_string(),
            format!(
                "COPY (SELECT * FROM (VALUES (1, 'a', 0.5), (2, NULL, 1.5), (3, 'c', NULL)) AS t(n, s, x)) TO '{quoted}'"
            ),
        ] {
            ctx.sql(&sql).await.expect("a statement").collect().await.expect("a file");
        }
        let sql = format!(
            "SELECT row_group_id AS g, row_group_num_rows AS rows, column_id AS c, path_in_schema AS name, type, stats_min AS least,
                    stats_max_value AS greatest, stats_null_count AS nulls, num_values AS n, total_compressed_size > 0 AS some
             FROM parquet_metadata('{quoted}') ORDER BY g, c"
        );
        let rows = ctx.sql(&sql).await.expect("a query").collect().await.expect("rows");
        assert_batches_eq!(
            [
                "+---+------+---+------+------------+-------+----------+-------+---+------+",
                "| g | rows | c | name | type       | least | greatest | nulls | n | some |",
                "+---+------+---+------+------------+-------+----------+-------+---+------+",
                "| 0 | 2    | 0 | \"n\"  | INT64      | 1     | 2        | 0     | 2 | true |",
                "| 0 | 2    | 1 | \"s\"  | BYTE_ARRAY | a     | a        | 1     | 2 | true |",
                "| 0 | 2    | 2 | \"x\"  | DOUBLE     | 0.5   | 1.5      | 0     | 2 | true |",
                "| 1 | 1    | 0 | \"n\"  | INT64      | 3     | 3        | 0     | 1 | true |",
                "| 1 | 1    | 1 | \"s\"  | BYTE_ARRAY | c     | c        | 0     | 1 | true |",
                "| 1 | 1    | 2 | \"x\"  | DOUBLE     |       |          | 1     | 1 | true |",
                "+---+------+---+------+------------+-------+----------+-------+---+------+",
            ],
            &rows
        );
        for (sql, told) in [
            ("SELECT * FROM parquet_metadata('none.parquet')", "can't read 'none.parquet'"),
            ("SELECT * FROM parquet_metadata()", "takes the path of one file"),
        ] {
            let error = ctx.sql(sql).await.err().unwrap_or_else(|| panic!("{sql} is wrong"));
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}
