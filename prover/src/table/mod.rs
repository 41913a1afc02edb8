//! The patient table: read from Parquet or CSV, checked against a registry, and encoded as the
//! stored values that are committed (see [`galen_query::registry`]).
//!
//! What both formats have in common:
//! - Columns are found by their exact name. Columns that the registry does not name are ignored
//!   and listed by [`TableReader::ignored_columns`].
//! - Text is read as it stands, nothing is trimmed: no value, no code and no patient's id has white
//!   space at its ends. A text cell is NULL if it is empty, `NA` or `NULL` (in capitals), unless a
//!   category column declares that very text as a code. A CSV cannot tell `""` from an empty field:
//!   both are NULL.
//! - Nothing is rounded. A cell is either stored exactly or refused, and one refused cell refuses
//!   the table.
//! - No error, and no `Debug` text, holds a patient's value: errors name the file, the line or row,
//!   the column, and the registry's own bounds.
//!
//! CSV: `.csv` is comma-separated, or semicolon-separated where the header has semicolons and no
//! comma; `.tsv` is tab-separated. Quotes as in RFC 4180; LF or CRLF; UTF-8 with or without a byte
//! order mark; blank lines are skipped.
//!
//! Parquet: uncompressed, Snappy or Zstandard. Which column types are accepted is decided by
//! whether they convert exactly; see [`TableError::WrongType`]. Missing values are Parquet's own
//! nulls; a NaN is refused.

mod cells;
mod chunk;
mod csv_source;
mod encode;
mod error;
mod heading;
mod layout;
mod parquet_source;
mod patients;
mod reader;
#[cfg(test)]
mod tests;

pub use chunk::TableChunk;
pub use encode::{Encoder, encode_text};
pub use error::{Place, TableError, ValueProblem};
pub use reader::TableReader;
