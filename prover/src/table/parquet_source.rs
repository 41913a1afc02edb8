//! Batches of a Parquet file.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

use super::cells::{Sink, accepts, accepts_id, encode, expected, ids};
use super::chunk::TableChunk;
use super::encode::patient_id;
use super::error::{Place, TableError, ValueProblem};
use super::layout::{Field, Places};
use super::reader::State;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8_192;

pub(super) struct ParquetSource {
    batches: ParquetRecordBatchReader,
    /// What is left of the last batch.
    batch: Option<RecordBatch>,
    /// Where the wanted columns stand in a batch.
    places: Places,
    ignored: Vec<String>,
    total_rows: u64,
    rows_decoded: u64,
    /// Rows that went into chunks.
    rows_taken: u64,
}

/// Reads; nothing where the library panics, as it does on pages that are damaged in some ways.
fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

impl ParquetSource {
    /// Reads the footer and checks the schema.
    pub fn open(file: File, state: &State) -> Result<Self, TableError> {
        // Parquet's own errors are not passed on: they may quote bytes of the file.
        let broken = || TableError::NotParquet {
            path: state.path.clone(),
        };
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(file))
            .and_then(Result::ok)
            .ok_or_else(broken)?;
        let places = check_schema(builder.schema(), state)?;
        check_compression(builder.metadata(), state)?;
        let total_rows =
            u64::try_from(builder.metadata().file_metadata().num_rows()).map_err(|_| broken())?;
        if total_rows == 0 {
            let path = state.path.clone();
            return Err(TableError::NoRows { path });
        }

        let wanted = std::iter::once(places.patient_id).chain(places.fields.iter().copied());
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
        let batches = guarded(|| builder.build())
            .and_then(Result::ok)
            .ok_or_else(broken)?;
        let projected = check_schema(&arrow_array::RecordBatchReader::schema(&batches), state)?;
        Ok(Self {
            batches,
            batch: None,
            places: projected,
            ignored: places.ignored,
            total_rows,
            rows_decoded: 0,
            rows_taken: 0,
        })
    }

    pub fn total_rows(&self) -> u64 {
        self.total_rows
    }

    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Appends rows until the chunk has `rows` of them or the file ends.
    pub fn fill(
        &mut self,
        chunk: &mut TableChunk,
        rows: usize,
        state: &mut State,
    ) -> Result<(), TableError> {
        while chunk.rows() < rows {
            let Some(batch) = self.next_batch(state)? else {
                break;
            };
            let taken = batch.num_rows().min(rows - chunk.rows());
            self.push(&batch.slice(0, taken), chunk, state)?;
            self.rows_taken += taken as u64;
            if taken < batch.num_rows() {
                self.batch = Some(batch.slice(taken, batch.num_rows() - taken));
            }
        }
        Ok(())
    }

    /// What is left of the last batch, or the next one with at least one row.
    fn next_batch(&mut self, state: &State) -> Result<Option<RecordBatch>, TableError> {
        if let Some(batch) = self.batch.take() {
            return Ok(Some(batch));
        }
        let damaged = |rows| TableError::Damaged {
            path: state.path.clone(),
            rows,
        };
        loop {
            let next = guarded(|| self.batches.next().transpose());
            let Some(batch) = next
                .and_then(Result::ok)
                .ok_or_else(|| damaged(self.rows_decoded))?
            else {
                break;
            };
            self.rows_decoded += batch.num_rows() as u64;
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
        // The footer's count is what a progress bar trusted: the rows have to agree with it.
        if self.rows_decoded != self.total_rows {
            return Err(damaged(self.rows_decoded));
        }
        Ok(None)
    }

    fn push(
        &self,
        batch: &RecordBatch,
        chunk: &mut TableChunk,
        state: &mut State,
    ) -> Result<(), TableError> {
        let first = self.rows_taken + 1;
        push_ids(batch.column(self.places.patient_id), first, chunk, state)?;
        for (field, &at) in state.layout.fields.iter().zip(&self.places.fields) {
            let mut rows = Rows {
                field,
                chunk,
                state,
                first,
            };
            encode(&field.encoder, batch.column(at), &mut rows)?;
        }
        Ok(())
    }
}

/// Takes the cells of one field into the chunk.
struct Rows<'a> {
    field: &'a Field,
    chunk: &'a mut TableChunk,
    state: &'a State,
    /// Row of the array's first cell.
    first: u64,
}

impl Sink for Rows<'_> {
    type Error = TableError;

    fn take(
        &mut self,
        at: usize,
        stored: Result<Option<u64>, ValueProblem>,
    ) -> Result<(), TableError> {
        let problem = match stored {
            Ok(None) if !self.field.nullable => ValueProblem::Null,
            Ok(stored) => {
                self.chunk.push(self.field, stored);
                return Ok(());
            }
            Err(problem) => problem,
        };
        let place = Place::Row(self.first + at as u64);
        Err(self.state.value_error(&self.field.name, place, problem))
    }
}

fn push_ids(
    array: &ArrayRef,
    first: u64,
    chunk: &mut TableChunk,
    state: &mut State,
) -> Result<(), TableError> {
    ids(array, &mut |at, id| {
        let row = first + at as u64;
        match id.ok_or(ValueProblem::Null).and_then(patient_id) {
            Ok(id) => state.push_id(chunk, id, Place::Row, row),
            Err(problem) => {
                Err(state.value_error(&state.layout.patient_id, Place::Row(row), problem))
            }
        }
    })
}

/// Finds the wanted columns and checks their types.
fn check_schema(schema: &Schema, state: &State) -> Result<Places, TableError> {
    let header: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let places = Places::find(&state.layout, &header).map_err(|e| state.unplaced(e))?;
    let wrong = |column: &str, at: usize, expected| {
        Err(TableError::WrongType {
            path: state.path.clone(),
            column: column.to_owned(),
            found: schema.field(at).data_type().to_string(),
            expected,
        })
    };
    if !accepts_id(schema.field(places.patient_id).data_type()) {
        let name = &state.layout.patient_id;
        return wrong(name, places.patient_id, "text or integer");
    }
    for (field, &at) in state.layout.fields.iter().zip(&places.fields) {
        if !accepts(&field.encoder, schema.field(at).data_type()) {
            return wrong(&field.name, at, expected(&field.encoder));
        }
    }
    Ok(places)
}

fn check_compression(metadata: &ParquetMetaData, state: &State) -> Result<(), TableError> {
    let mut columns = metadata.row_groups().iter().flat_map(|g| g.columns());
    let readable = |c| {
        matches!(
            c,
            Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_)
        )
    };
    match columns.find(|c| !readable(c.compression())) {
        None => Ok(()),
        Some(column) => Err(TableError::UnsupportedCompression {
            path: state.path.clone(),
            codec: column.compression().to_string(),
        }),
    }
}
