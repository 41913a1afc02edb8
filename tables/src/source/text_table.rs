//! A text source as a table of the engine's: each of its files is one stream of batches.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use crate::progress::meter;

/// Batches that may wait for the query.
pub(crate) const AHEAD: usize = 4;

/// Batches of some columns of a file, in file order.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A file that can be read again and again.
pub(super) trait TextFile: fmt::Debug + Send + Sync {
    /// How many rows it has.
    fn rows(&self) -> u64;

    /// The columns at the places `wanted` of the table's schema, in that order; may block.
    fn batches(&self, wanted: &[usize]) -> Result<Batches>;
}

/// Files of one schema.
#[derive(Debug)]
pub(super) struct TextTable {
    schema: SchemaRef,
    files: Vec<Arc<dyn TextFile>>,
}

impl TextTable {
    pub(super) fn new(schema: SchemaRef, files: Vec<Arc<dyn TextFile>>) -> Self {
        Self { schema, files }
    }
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        meter(session.config()).expect(Some(self.files.iter().map(|f| f.rows()).sum()));
        scan(&self.schema, projection, limit, |wanted, schema| {
            let scans = self.files.iter().map(|file| {
                Arc::new(Scan {
                    file: Arc::clone(file),
                    wanted: wanted.to_vec(),
                    schema: Arc::clone(schema),
                }) as Arc<dyn PartitionStream>
            });
            scans.collect()
        })
    }
}

/// The plan of a table that is read by streams: `streams` makes them for the places of the columns that are wanted, and
/// their schema.
pub(crate) fn scan(
    schema: &SchemaRef,
    projection: Option<&Vec<usize>>,
    limit: Option<usize>,
    streams: impl FnOnce(&[usize], &SchemaRef) -> Vec<Arc<dyn PartitionStream>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let wanted = match projection {
        Some(some) => some.clone(),
        None => (0..schema.fields().len()).collect(),
    };
    let schema = Arc::new(schema.project(&wanted)?);
    let streams = streams(&wanted, &schema);
    let plan = StreamingTableExec::try_new(schema, streams, None, [], false, limit)?;
    Ok(Arc::new(plan))
}

/// Some columns of one file.
#[derive(Debug)]
struct Scan {
    file: Arc<dyn TextFile>,
    wanted: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let meter = meter(context.session_config());
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), AHEAD);
        let batches = stream.tx();
        let (file, wanted) = (Arc::clone(&self.file), self.wanted.clone());
        stream.spawn_blocking(move || {
            for batch in file.batches(&wanted)? {
                let batch = batch?;
                meter.add(batch.num_rows());
                // Nobody listens any more where the query has what it needs.
                if batches.blocking_send(Ok(batch)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        stream.build()
    }
}
