//! Counting while rows pass: rows, NULLs by column, and whether each patient has one row.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::arrow::error::ArrowError;
use galen_query::registry::Unseen;
use galen_query::text::null_word;
use sha2::{Digest, Sha256};

use crate::error::TablesError;
use crate::quality::{ROWS_NAMED, rows_text};

/// The counts so far.
pub(crate) struct Tally {
    patient_id: String,
    id_column: usize,
    pub(crate) rows: u64,
    /// NULLs, in the schema's column order.
    pub(crate) nulls: Vec<u64>,
    /// The ids' SHA-256, cut to 128 bits: 16 bytes a patient whatever an id's length,
    /// and no two ids meet by chance.
    seen: HashSet<[u8; 16]>,
    repeats: u64,
    /// Rows whose id the prover refuses, and the first of them.
    unfit: (u64, Vec<u64>),
}

/// Whether the prover refuses an id for what cannot be seen of it, or because it says that there is none.
fn is_unfit(id: &str) -> bool {
    null_word(id).is_some() || Unseen::of(id).is_some()
}

impl Tally {
    /// A tally over `schema`, which has a column `patient_id`.
    pub(crate) fn new(schema: &Schema, patient_id: &str) -> Self {
        Self {
            patient_id: patient_id.to_owned(),
            id_column: schema.index_of(patient_id).unwrap_or(0),
            rows: 0,
            nulls: vec![0; schema.fields().len()],
            seen: HashSet::new(),
            repeats: 0,
            unfit: (0, Vec::new()),
        }
    }

    /// Takes in a batch's columns.
    pub(crate) fn note(&mut self, columns: &[ArrayRef], rows: usize) -> Result<(), ArrowError> {
        let before = self.rows;
        self.rows += rows as u64;
        for (count, column) in self.nulls.iter_mut().zip(columns) {
            *count += column.null_count() as u64;
        }
        let ids = cast(&columns[self.id_column], &DataType::Utf8)?;
        for (row, id) in (before + 1..).zip(ids.as_string::<i32>()) {
            let Some(id) = id else { continue };
            if is_unfit(id) {
                self.unfit.0 += 1;
                if self.unfit.1.len() < ROWS_NAMED {
                    self.unfit.1.push(row);
                }
            }
            let digest = Sha256::digest(id.as_bytes());
            let mut key = [0; 16];
            key.copy_from_slice(&digest[..16]);
            if !self.seen.insert(key) {
                self.repeats += 1;
            }
        }
        Ok(())
    }

    /// Whether what has passed is, so far, one row per patient.
    pub(crate) fn is_sound(&self) -> bool {
        self.repeats == 0 && self.nulls[self.id_column] == 0 && self.unfit.0 == 0
    }

    /// Whether the whole was one row per patient, and at least one.
    pub(crate) fn check(&self) -> Result<(), TablesError> {
        let column = self.patient_id.clone();
        if self.rows == 0 {
            return Err(TablesError::NoRows);
        }
        match (self.nulls[self.id_column], self.repeats) {
            (0, 0) if self.unfit.0 > 0 => Err(TablesError::UnfitIds {
                column,
                count: self.unfit.0,
                rows: rows_text(self.unfit.0, &self.unfit.1),
            }),
            (0, 0) => Ok(()),
            (0, count) => Err(TablesError::DuplicateIds { column, count }),
            (count, _) => Err(TablesError::NullIds { column, count }),
        }
    }
}
