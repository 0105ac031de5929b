//! [`FigureSink`] collects the rows of a query, draws the figure, and writes it as one object. Memory is reserved.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, internal_datafusion_err};
use datafusion::datasource::physical_plan::FileSinkConfig;
use datafusion::datasource::sink::DataSink;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::object_store::ObjectStoreExt;
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use futures::StreamExt;

use super::column_type;
use dbcluster_figures::{Column, ColumnType, Density, Figure, PlotError, Rows, Settings};

/// The sink of all figures.
#[derive(Debug)]
pub(super) struct FigureSink {
    figure: Figure,
    settings: Settings,
    config: FileSinkConfig,
    schema: SchemaRef,
}

impl FigureSink {
    pub(super) fn new(figure: Figure, settings: Settings, config: FileSinkConfig, schema: SchemaRef) -> Self {
        Self { figure, settings, config, schema }
    }
}

impl DisplayAs for FigureSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FigureSink({}, {})", self.figure.name(), self.config.original_url)
    }
}

#[async_trait]
impl DataSink for FigureSink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(
        &self,
        mut data: SendableRecordBatchStream,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        let reservation = MemoryConsumer::new(format!("FigureSink[{}]", self.figure.name()))
            .register(context.memory_pool());
        let mut batches = vec![];
        let mut density: Option<Density> = None;
        let mut count = 0;
        while let Some(batch) = data.next().await.transpose()? {
            count += batch.num_rows();
            if let Some(density) = &mut density {
                self.add(density, &batch)?;
                continue;
            }
            // The factor covers the arrays, their text and the page.
            reservation.try_grow(4 * get_record_batch_memory_size(&batch))?;
            batches.push(batch);
            if count > self.figure.max_rows() {
                if self.figure != Figure::Timeline {
                    return Err(plot_error(&self.figure.too_many_rows()));
                }
                let mut counted = Density::default();
                batches.drain(..).try_for_each(|batch| self.add(&mut counted, &batch))?;
                reservation.free();
                density = Some(counted);
            }
        }
        let page = match density {
            Some(density) => density.draw(&self.settings).map_err(|error| plot_error(&error))?,
            None => {
                let rows = rows(&self.schema, &batches)?;
                self.figure.draw(&rows, &self.settings).map_err(|error| plot_error(&error))?
            }
        };
        let path = self.config.table_paths.first();
        let path = path.ok_or_else(|| internal_datafusion_err!("COPY names no file"))?.prefix();
        let store = context.runtime_env().object_store(&self.config.object_store_url)?;
        store.put(path, page.into()).await?;
        Ok(count as u64)
    }
}

impl FigureSink {
    /// Counts the rows of a batch.
    fn add(&self, density: &mut Density, batch: &RecordBatch) -> Result<()> {
        let needed =
            self.settings.density_columns(&self.schema.fields().iter().map(|field| field.name().as_str()));
        let rows = rows(&Arc::new(batch.schema().project(&needed)?), &[batch.project(&needed)?])?;
        density.add_rows(&rows, &self.settings).map_err(|error| plot_error(&error))
    }
}

fn plot_error(error: &PlotError) -> DataFusionError {
    exec_datafusion_err!("{error}")
}

/// Converts Arrow rows to the plain data of a figure.
pub fn rows(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Rows> {
    let column = |(at, field): (usize, &Arc<arrow::datatypes::Field>)| {
        let mut column = Column {
            name: field.name().clone(),
            column_type: column_type(field.data_type()),
            shown: vec![],
            numbers: vec![],
        };
        for batch in batches {
            append(&mut column, batch.column(at))?;
        }
        Ok(column)
    };
    Ok(Rows(schema.fields().iter().enumerate().map(column).collect::<Result<_>>()?))
}

fn append(column: &mut Column, array: &ArrayRef) -> Result<()> {
    let formatter = ArrayFormatter::try_new(array, &FormatOptions::default())?;
    for row in 0..array.len() {
        let value = if array.is_null(row) { None } else { Some(formatter.value(row).try_to_string()?) };
        column.shown.push(value);
    }
    match column.column_type {
        ColumnType::Number => {
            let numbers = cast(array, &DataType::Float64)?;
            column.numbers.extend(numbers.as_primitive::<Float64Type>().iter());
        }
        ColumnType::Time => {
            let times = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            let times = times.as_primitive::<TimestampMicrosecondType>().iter();
            column.numbers.extend(times.map(|time| time.map(|time| time as f64 / 1000.0)));
        }
        ColumnType::Text => {}
    }
    Ok(())
}
