//! A chunk of the table as stored values, and how it is filled.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::layout::Field;

/// Rows reserved at once; a chunk that grows beyond it is moved, and leaves a copy behind.
const RESERVED_ROWS: usize = 1 << 16;

/// One chunk of the table, encoded: a stored value for each row and base column.
///
/// Values and ids are wiped when the chunk is dropped, and never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TableChunk {
    columns: Vec<Vec<u16>>,
    ids: Vec<String>,
}

impl fmt::Debug for TableChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TableChunk {{ {} rows, {} columns, values redacted }}",
            self.rows(),
            self.columns.len()
        )
    }
}

impl TableChunk {
    pub(super) fn new(width: usize, rows: usize) -> Self {
        let rows = rows.min(RESERVED_ROWS);
        Self {
            columns: (0..width).map(|_| Vec::with_capacity(rows)).collect(),
            ids: Vec::with_capacity(rows),
        }
    }

    /// Number of rows, at least one.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// `columns()[i]` belongs to `Registry::base_columns()[i]` and has one stored value a row: a
    /// bit, a value of at most 16 bits, or the low or high half of a wider one. Rows are in the
    /// order of the file.
    #[must_use]
    pub fn columns(&self) -> &[Vec<u16>] {
        &self.columns
    }

    /// The patient ids, one a row, in the order of the file.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub(super) fn push_id(&mut self, id: &str) {
        self.ids.push(id.to_owned());
    }

    /// Appends one cell of `field`; `None` is NULL, which the caller has checked to be allowed.
    pub(super) fn push(&mut self, field: &Field, stored: Option<u64>) {
        let value = stored.unwrap_or(0);
        let part = |value: u64| {
            u16::try_from(value).expect("a stored value is below 2^32, one without high half 2^16")
        };
        match field.high {
            None => self.columns[field.low].push(part(value)),
            Some(high) => {
                self.columns[field.low].push(part(value & 0xffff));
                self.columns[high].push(part(value >> 16));
            }
        }
        if let Some(known) = field.known {
            self.columns[known].push(u16::from(stored.is_some()));
        }
    }
}
