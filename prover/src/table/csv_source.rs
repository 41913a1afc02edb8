//! Records of a CSV.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};

use csv::{ByteRecord, ReaderBuilder};
use galen_query::quotes::{CsvBytes, QuoteFault, Quotes, record_line};

use super::chunk::TableChunk;
use super::encode::patient_id;
use super::error::{Place, TableError, ValueProblem};
use super::heading::other_separator;
use super::layout::{Places, Unplaced};
use super::reader::State;

/// Bytes that are read from the file at once, and in which the header's separator is looked for.
const BUFFER: usize = 1 << 17;

pub(super) struct CsvSource {
    reader: csv::Reader<CsvBytes<BufReader<File>>>,
    places: Places,
    width: usize,
    record: ByteRecord,
    /// Line on which `record` begins.
    line: u64,
}

impl CsvSource {
    /// Reads the header. Without a `separator` the header's first line decides between `,` and `;`.
    pub fn open(file: File, separator: Option<u8>, state: &State) -> Result<Self, TableError> {
        let mut input = BufReader::with_capacity(BUFFER, file);
        let line = first_line(&mut input).map_err(|source| read_error(state, source))?;
        let separator = separator.unwrap_or_else(|| guess_separator(&line));
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .buffer_capacity(BUFFER)
            .from_reader(CsvBytes::new(input, Some(Quotes::new(separator, false))));

        let mut record = ByteRecord::new();
        if !reader
            .read_byte_record(&mut record)
            .map_err(|error| header_error(state, error, &line, separator))?
        {
            let path = state.path.clone();
            return Err(TableError::Empty { path });
        }
        let header: Vec<&str> = record
            .iter()
            .map(std::str::from_utf8)
            .collect::<Result<_, _>>()
            .ok()
            .filter(|_| !record.as_slice().contains(&0))
            .ok_or_else(|| TableError::HeaderNotUtf8 {
                path: state.path.clone(),
            })?;
        let places = Places::find(&state.layout, &header)
            .map_err(|unplaced| unplaced_error(state, unplaced, &line, separator))?;
        Ok(Self {
            line: reader.position().line(),
            reader,
            places,
            width: record.len(),
            record,
        })
    }

    pub fn ignored(&self) -> &[String] {
        &self.places.ignored
    }

    /// Whether the last line that was read has its end.
    pub fn last_line_is_ended(&self) -> bool {
        self.reader.get_ref().last_line_is_ended()
    }

    /// Appends records until the chunk has `rows` of them or the file ends.
    pub fn fill(
        &mut self,
        chunk: &mut TableChunk,
        rows: usize,
        state: &mut State,
    ) -> Result<(), TableError> {
        while chunk.rows() < rows && self.next_record(state)? {
            self.push_patient(chunk, state)?;
            for (field, &at) in state.layout.fields.iter().zip(&self.places.fields) {
                let stored = std::str::from_utf8(&self.record[at])
                    .map_err(|_| ValueProblem::NotUtf8)
                    .and_then(|text| field.encoder.nullable_text(text))
                    .and_then(|stored| match stored {
                        None if !field.nullable => Err(ValueProblem::Null),
                        stored => Ok(stored),
                    })
                    .map_err(|problem| {
                        state.value_error(&field.name, Place::Line(self.line), problem)
                    })?;
                chunk.push(field, stored);
            }
        }
        Ok(())
    }

    fn push_patient(&self, chunk: &mut TableChunk, state: &mut State) -> Result<(), TableError> {
        let id = std::str::from_utf8(&self.record[self.places.patient_id])
            .map_err(|_| ValueProblem::NotUtf8)
            .and_then(patient_id)
            .map_err(|problem| {
                state.value_error(&state.layout.patient_id, Place::Line(self.line), problem)
            })?;
        state.push_id(chunk, id, Place::Line, self.line)
    }

    /// Reads a record of the header's width, and notes its line.
    fn next_record(&mut self, state: &State) -> Result<bool, TableError> {
        let before = self.reader.position().line();
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| csv_error(state, error))?;
        if !more {
            return Ok(false);
        }
        let behind = self.reader.position().line();
        self.line = record_line(before, behind, self.record.as_slice());
        if self.record.len() != self.width {
            return Err(TableError::Ragged {
                path: state.path.clone(),
                line: self.line,
                expected: self.width as u64,
                found: self.record.len() as u64,
            });
        }
        Ok(true)
    }
}

fn read_error(state: &State, source: io::Error) -> TableError {
    let path = state.path.clone();
    TableError::Read { path, source }
}

/// The reader takes records of any length as bytes: what is left to fail is the file, and its quotes.
fn csv_error(state: &State, error: csv::Error) -> TableError {
    let error = match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::from(io::ErrorKind::InvalidData),
    };
    match error.get_ref().and_then(|e| e.downcast_ref::<QuoteFault>()) {
        Some(&fault) => TableError::Quotes {
            path: state.path.clone(),
            fault,
        },
        None => read_error(state, error),
    }
}

/// The header cannot be read, which another separator may explain: a quote then stands inside a cell.
fn header_error(state: &State, error: csv::Error, line: &[u8], separator: u8) -> TableError {
    match csv_error(state, error) {
        quotes @ TableError::Quotes { .. } => {
            separator_error(state, line, separator).unwrap_or(quotes)
        }
        other => other,
    }
}

/// A wanted column is not there, or all of them are once the header is read in another way.
fn unplaced_error(state: &State, unplaced: Unplaced, line: &[u8], separator: u8) -> TableError {
    separator_error(state, line, separator).unwrap_or_else(|| state.unplaced(unplaced))
}

/// The header names more columns with another separator.
fn separator_error(state: &State, line: &[u8], separator: u8) -> Option<TableError> {
    let names: Vec<&str> = state.layout.names().collect();
    let line = String::from_utf8_lossy(line);
    let line = line.trim_start_matches('\u{feff}');
    let (found, help) = other_separator(&names, line, separator)?;
    let path = state.path.clone();
    Some(TableError::Separator { path, found, help })
}

/// The first line that is not blank, as far as it stands in the first bytes of the file.
fn first_line(input: &mut BufReader<File>) -> io::Result<Vec<u8>> {
    let start = input.fill_buf()?;
    let mut lines = start.split(|b| matches!(b, b'\n' | b'\r'));
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.to_vec();
    input.rewind()?;
    Ok(line)
}

/// `;` where the header has one and no comma, else `,`. A table has at least three columns
/// (patient id, consent, data), so a header without a comma is never comma-separated.
fn guess_separator(line: &[u8]) -> u8 {
    if line.contains(&b';') && !line.contains(&b',') {
        b';'
    } else {
        b','
    }
}
