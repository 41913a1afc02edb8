//! The reader over both formats.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use galen_query::registry::Registry;

use super::chunk::TableChunk;
use super::csv_source::CsvSource;
use super::error::{Place, TableError, ValueProblem};
use super::layout::{Layout, Unplaced};
use super::parquet_source::ParquetSource;
use super::patients::Patients;

/// Streams a patient table as chunks, and checks every row on its way.
///
/// Memory: one chunk, one batch of the file, and some 50 bytes for each patient read so far.
pub struct TableReader {
    source: Source,
    state: State,
    rows_read: u64,
    finished: bool,
    refused: bool,
}

enum Source {
    Csv(Box<CsvSource>),
    Parquet(Box<ParquetSource>),
}

/// What both sources need to turn records into a chunk.
pub(super) struct State {
    pub path: PathBuf,
    pub layout: Layout,
    pub patients: Patients,
}

impl State {
    /// The error for a cell of column `name`.
    pub fn value_error(&self, name: &str, place: Place, problem: ValueProblem) -> TableError {
        TableError::Value {
            path: self.path.clone(),
            column: name.to_owned(),
            place,
            problem,
        }
    }

    pub fn unplaced(&self, unplaced: Unplaced) -> TableError {
        let path = self.path.clone();
        match unplaced {
            Unplaced::Missing(column, help) => TableError::MissingColumn { path, column, help },
            Unplaced::Ambiguous(column) => TableError::AmbiguousColumn { path, column },
        }
    }

    /// Appends a patient id to the chunk, unless it stood in the table before. `place` makes a
    /// place of this source out of its number.
    pub fn push_id(
        &mut self,
        chunk: &mut TableChunk,
        id: &str,
        place: fn(u64) -> Place,
        number: u64,
    ) -> Result<(), TableError> {
        self.patients
            .insert(id, number)
            .map_err(|first| TableError::DuplicatePatient {
                path: self.path.clone(),
                column: self.layout.patient_id.clone(),
                first: place(first),
                second: place(number),
            })?;
        chunk.push_id(id);
        Ok(())
    }
}

impl fmt::Debug for TableReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableReader")
            .field("path", &self.state.path)
            .field("rows_read", &self.rows_read)
            .finish_non_exhaustive()
    }
}

impl TableReader {
    /// Opens a table whose name ends in `.parquet`, `.csv` or `.tsv` (in any case), and checks its
    /// header or schema.
    ///
    /// # Errors
    /// A [`TableError`] if the file cannot be opened or is not of its format, has no rows
    /// (Parquet), or if a column is missing, there twice or of the wrong type.
    pub fn open(path: &Path, registry: &Registry) -> Result<Self, TableError> {
        let extension = path
            .extension()
            .and_then(OsStr::to_str)
            .unwrap_or_default()
            .to_ascii_lowercase();
        if !matches!(extension.as_str(), "parquet" | "csv" | "tsv") {
            return Err(TableError::UnknownExtension { path: path.into() });
        }
        let file = File::open(path).map_err(|source| TableError::Open {
            path: path.into(),
            source,
        })?;
        let state = State {
            path: path.into(),
            layout: Layout::new(registry),
            patients: Patients::default(),
        };
        let source = match extension.as_str() {
            "parquet" => Source::Parquet(Box::new(ParquetSource::open(file, &state)?)),
            "tsv" => Source::Csv(Box::new(CsvSource::open(file, Some(b'\t'), &state)?)),
            _ => Source::Csv(Box::new(CsvSource::open(file, None, &state)?)),
        };
        Ok(Self {
            source,
            state,
            rows_read: 0,
            finished: false,
            refused: false,
        })
    }

    /// The next chunk of at most `rows` rows (0 counts as 1); only the table's last chunk has
    /// fewer. `None` after the last row.
    ///
    /// # Errors
    /// A [`TableError`] for the first thing that is wrong with the rows; the table is then
    /// refused as a whole, and every further call returns [`TableError::Abandoned`].
    pub fn next_chunk(&mut self, rows: usize) -> Result<Option<TableChunk>, TableError> {
        if self.refused {
            let path = self.state.path.clone();
            return Err(TableError::Abandoned { path });
        }
        if self.finished {
            return Ok(None);
        }
        let chunk = self.fill(rows.max(1));
        self.refused = chunk.is_err();
        chunk
    }

    fn fill(&mut self, rows: usize) -> Result<Option<TableChunk>, TableError> {
        let mut chunk = TableChunk::new(self.state.layout.width, rows);
        match &mut self.source {
            Source::Csv(source) => source.fill(&mut chunk, rows, &mut self.state)?,
            Source::Parquet(source) => source.fill(&mut chunk, rows, &mut self.state)?,
        }
        self.finished = chunk.rows() < rows;
        self.rows_read += chunk.rows() as u64;
        if self.rows_read == 0 {
            let path = self.state.path.clone();
            return Err(TableError::NoRows { path });
        }
        Ok((chunk.rows() > 0).then_some(chunk))
    }

    /// Rows handed out so far.
    #[must_use]
    pub fn rows_read(&self) -> u64 {
        self.rows_read
    }

    /// Rows of the whole table where the file says it: Parquet does, CSV does not.
    #[must_use]
    pub fn size_hint(&self) -> Option<u64> {
        match &self.source {
            Source::Csv(_) => None,
            Source::Parquet(source) => Some(source.total_rows()),
        }
    }

    /// The file's columns that the registry does not name, in the file's order.
    #[must_use]
    pub fn ignored_columns(&self) -> &[String] {
        match &self.source {
            Source::Csv(source) => source.ignored(),
            Source::Parquet(source) => source.ignored(),
        }
    }

    /// What was not wrong with the rows read so far but should be looked at. Complete after the last row.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let unended =
            matches!(&self.source, Source::Csv(s) if self.finished && !s.last_line_is_ended());
        let text = "the table's last line has no end, as if a copy had been cut there: see whether its last \
                    cell is whole";
        unended.then(|| text.to_owned()).into_iter().collect()
    }
}
