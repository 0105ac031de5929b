//! The time zone in which tables show times.
//!
//! Only times that know their zone are shown in another one. A time without a zone stays as it is: nobody knows where its clock was.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;

/// The name of a zone, if it is one: `Europe/Berlin` or `+02:00`.
pub(super) fn checked(name: &str) -> Result<Arc<str>, String> {
    match name.parse::<Tz>() {
        Ok(_) => Ok(Arc::from(name)),
        Err(_) => {
            Err(format!("there is no time zone '{name}': expected a name such as Europe/Berlin, or +02:00"))
        }
    }
}

/// The batches with the times of their columns in this zone.
pub(super) fn in_zone(batches: Vec<RecordBatch>, zone: Option<&str>) -> Result<Vec<RecordBatch>> {
    let Some(zone) = zone else { return Ok(batches) };
    let zone: Arc<str> = Arc::from(zone);
    batches.into_iter().map(|batch| batch_in_zone(&batch, &zone)).collect()
}

fn batch_in_zone(batch: &RecordBatch, zone: &Arc<str>) -> Result<RecordBatch> {
    let schema = batch.schema();
    let mut fields = vec![];
    let mut columns: Vec<ArrayRef> = vec![];
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        match field.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                let shown = DataType::Timestamp(*unit, Some(Arc::clone(zone)));
                columns.push(cast(column, &shown)?);
                fields.push(Arc::new(field.as_ref().clone().with_data_type(shown)));
            }
            _ => {
                columns.push(Arc::clone(column));
                fields.push(Arc::clone(field));
            }
        }
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::TimestampSecondArray;
    use arrow::util::pretty::pretty_format_batches;

    use super::*;

    #[test]
    fn times_with_a_zone_are_shown_in_another() {
        let times = TimestampSecondArray::from(vec![1_768_453_200]);
        let with_zone: ArrayRef = Arc::new(times.clone().with_timezone("UTC"));
        let batch = RecordBatch::try_from_iter([("a", with_zone), ("b", Arc::new(times) as ArrayRef)]);
        let zone = checked("Europe/Berlin").expect("a zone");
        let shown = in_zone(vec![batch.expect("a batch")], Some(&zone)).expect("times");
        let text = pretty_format_batches(&shown).expect("a table").to_string();
        assert!(text.contains("| 2026-01-15T06:00:00+01:00 | 2026-01-15T05:00:00 |"), "{text}");
        assert!(checked("Mars/Olympus").is_err());
        assert!(checked("+05:30").is_ok());
    }
}
