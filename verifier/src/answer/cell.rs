//! What stands in an answer's table.

use galen_query::words::value;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::Serialize;

/// One cell of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Cell {
    /// A group's value, as text.
    Key(String),
    /// SQL NULL: a NULL group, or an aggregate over no values.
    Null,
    /// Hidden by the release rule: the count is at least 1 (or 0 where zero is not releasable) and
    /// below this threshold.
    Suppressed(u64),
    /// Hidden by the release rule although its count may be large, because a hidden one could be computed
    /// from it; or hidden together with the count that contains it.
    Withheld,
    /// A percentile that is hidden since fewer than this many patients have a value.
    TooFew(u64),
    /// An exact integer.
    Integer(#[serde(serialize_with = "as_text")] BigInt),
    /// An exact decimal, as text.
    Decimal(String),
    /// A rounded real, computed exactly up to one last division (and, for a deviation, one root).
    Real(f64),
    /// A date as YYYY-MM-DD.
    Date(String),
    /// A group of values, `width_bucket`'s.
    Bucket(Bucket),
}

/// A bucket of a number column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// PostgreSQL's number: 0 below the range, count + 1 above it.
    pub number: u32,
    /// The smallest value that the column can have there, as text.
    pub from: String,
    /// The largest, as text.
    pub to: String,
}

/// Integers beyond 2^53 lose digits as JSON numbers, so they are numbers only where they fit.
fn as_text<S: serde::Serializer>(n: &BigInt, s: S) -> Result<S::Ok, S::Error> {
    match n.to_i64().filter(|v| v.unsigned_abs() < 1 << 53) {
        Some(v) => s.serialize_i64(v),
        None => s.serialize_str(&n.to_string()),
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Key(text) => f.pad(&value(text)),
            Cell::Decimal(text) | Cell::Date(text) => f.pad(text),
            Cell::Bucket(b) => f.pad(&b.to_string()),
            Cell::Null => f.pad("NULL"),
            Cell::Suppressed(k) => f.pad(&format!("<{k}")),
            Cell::Withheld => f.pad("*"),
            Cell::TooFew(k) => f.pad(&format!("(<{k})")),
            Cell::Integer(n) => f.pad(&n.to_string()),
            Cell::Real(v) => f.pad(&v.to_string()),
        }
    }
}

/// Its number and values, `3: 40 to 49`.
impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from == self.to {
            return write!(f, "{}: {}", self.number, self.from);
        }
        write!(f, "{}: {} to {}", self.number, self.from, self.to)
    }
}
