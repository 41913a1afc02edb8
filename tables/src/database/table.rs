//! A table of a database: its columns and rows that a query needs, by COPY, as CSV that the engine reads.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::{Decoder, Format};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;
use regex::Regex;
use sqlx::Executor;
use tokio::sync::mpsc::Sender;

use super::columns::{TableColumn, TableColumns};
use super::connect::{Database, row_message};
use super::filter::{identifier, quoted, sql};
use crate::error::told;
use crate::progress::{Meter, meter};
use crate::source::{AHEAD, scan};

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8_192;

/// What stands for NULL in the CSV, and for nothing else: the server quotes a text that is equal to it, which the
/// reader does not see, so that it is no text that anyone would write.
const NULL: &str = "galen-null-2f6b1c0e94d7";

/// A table or view.
#[derive(Debug)]
pub(super) struct DatabaseTable {
    database: Database,
    table: TableColumns,
    schema: SchemaRef,
}

impl DatabaseTable {
    pub(super) fn new(database: &Database, table: &TableColumns) -> Self {
        let fields = table.columns.iter().map(field);
        Self {
            database: database.clone(),
            table: table.clone(),
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
        }
    }

    /// The COPY of some columns and of the rows for which the conditions hold. A constant comes first: a line with
    /// one empty text would be a blank one, and passed over.
    fn copy(&self, wanted: &[usize], conditions: &[Expr]) -> String {
        let columns = wanted.iter().map(|&i| {
            let column = &self.table.columns[i];
            let cast = if column.as_text { "::text" } else { "" };
            format!(", {}{cast}", quoted(column))
        });
        let columns: String = columns.collect();
        let applied = conditions
            .iter()
            .filter_map(|c| sql(c, &self.table.columns));
        let applied: Vec<String> = applied.collect();
        let only = if applied.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", applied.join(" AND "))
        };
        format!(
            "COPY (SELECT 1{columns} FROM {}.{}{only}) TO STDOUT WITH (FORMAT csv, NULL '{NULL}')",
            identifier(self.database.schema()),
            identifier(&self.table.name)
        )
    }
}

fn field(column: &TableColumn) -> Field {
    Field::new(&column.name, column.data_type.clone(), true)
}

#[async_trait]
impl TableProvider for DatabaseTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = filters.iter().map(|f| match sql(f, &self.table.columns) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        });
        Ok(support.collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // Its rows are not counted beforehand.
        meter(session.config()).expect(None);
        scan(&self.schema, projection, limit, |wanted, schema| {
            vec![Arc::new(Scan {
                database: self.database.clone(),
                table: self.table.name.clone(),
                copy: self.copy(wanted, filters),
                schema: Arc::clone(schema),
            })]
        })
    }
}

/// A COPY that is to run.
struct Scan {
    database: Database,
    table: String,
    copy: String,
    schema: SchemaRef,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), AHEAD);
        let reading = Reading {
            database: self.database.clone(),
            table: self.table.clone(),
            schema: Arc::clone(&self.schema),
            batches: stream.tx(),
            meter: meter(context.session_config()),
        };
        let copy = self.copy.clone();
        stream.spawn(async move { reading.run(copy).await });
        stream.build()
    }
}

/// A COPY on its way.
struct Reading {
    database: Database,
    table: String,
    schema: SchemaRef,
    batches: Sender<Result<RecordBatch>>,
    meter: Arc<Meter>,
}

impl Reading {
    async fn run(self, copy: String) -> Result<()> {
        let lost = |e: sqlx::Error| {
            told(format!(
                "table {}: {}; build again",
                self.table,
                row_message(&e)
            ))
        };
        let mut connection = self.database.join().await.map_err(lost)?;
        let mut rows = connection.copy_out_raw(&copy).await.map_err(lost)?;
        let mut decoder = self.decoder();
        while let Some(bytes) = rows.next().await {
            if !self.take(&mut decoder, &bytes.map_err(lost)?).await? {
                return Ok(());
            }
        }
        // Nothing more comes: what is left in the decoder is whole.
        self.take(&mut decoder, &Bytes::new()).await?;
        self.flush(&mut decoder).await?;
        drop(rows);
        // The rows are here: whatever the server says to this changes none.
        let _ = connection.execute("ROLLBACK").await;
        Ok(())
    }

    /// The constant before the columns is read as text and left out.
    fn decoder(&self) -> Decoder {
        let constant = Arc::new(Field::new("1", DataType::Utf8, true));
        let all = std::iter::once(constant).chain(self.schema.fields().iter().cloned());
        let nulls = Regex::new(&format!("^{NULL}$")).expect("a word is an expression");
        ReaderBuilder::new(Arc::new(Schema::new(all.collect::<Vec<_>>())))
            .with_format(Format::default().with_header(false).with_null_regex(nulls))
            .with_batch_size(BATCH_ROWS)
            .build_decoder()
    }

    /// Decodes bytes; whether anyone still listens.
    async fn take(&self, decoder: &mut Decoder, bytes: &[u8]) -> Result<bool> {
        let mut left = bytes;
        loop {
            let taken = decoder.decode(left).map_err(|e| self.fault(&e))?;
            left = &left[taken..];
            if decoder.capacity() > 0 {
                return Ok(true);
            }
            if !self.flush(decoder).await? {
                return Ok(false);
            }
        }
    }

    async fn flush(&self, decoder: &mut Decoder) -> Result<bool> {
        let Some(batch) = decoder.flush().map_err(|e| self.fault(&e))? else {
            return Ok(true);
        };
        let columns: Vec<usize> = (1..batch.num_columns()).collect();
        let batch = batch.project(&columns)?;
        self.meter.add(batch.num_rows());
        Ok(self.batches.send(Ok(batch)).await.is_ok())
    }

    /// A value that is none of the engine's, such as an infinite date: by its column, which the reader counts.
    fn fault(&self, error: &ArrowError) -> datafusion::common::DataFusionError {
        let text = error.to_string();
        let place = text.split_once("for column ").map(|(_, rest)| rest);
        let digits = place.map(|p| {
            p.split(|c: char| !c.is_ascii_digit())
                .next()
                .unwrap_or_default()
        });
        let at = digits.and_then(|d| d.parse::<usize>().ok());
        let column = at.and_then(|at| self.schema.fields().get(at.checked_sub(1)?));
        let column =
            column.map_or_else(|| "a column".to_owned(), |c| format!("column {}", c.name()));
        told(format!(
            "table {}, {column}: a value (not shown) is outside what can be read, such as an infinite date or \
             number, or a year before 1: leave it out in a view, and read that",
            self.table
        ))
    }
}
