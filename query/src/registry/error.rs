//! Why a registry file or a value is refused.

use thiserror::Error;

/// Why a registry file is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The file or a list in it is too long.
    #[error("{what}: {found}, at most {limit} are possible; {help}")]
    TooLarge {
        /// What is counted, with its unit.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
        /// What to do.
        help: &'static str,
    },
    /// Not TOML, an unknown or missing field, or a field of the wrong type.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Character in the line, from 1.
        column: usize,
        /// What the TOML reader says.
        message: String,
    },
    /// A field that contradicts itself, another field, or the limits.
    #[error("line {line}, {place}, {field}: {reason}")]
    Field {
        /// Line, from 1.
        line: usize,
        /// The table: `[registry]`, `purpose DUO:0000042`, `column age`.
        place: String,
        /// The field's name.
        field: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// Why a value of a patient table does not fit its column.
///
/// Never contains the value: it is a patient's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A boolean column's text is none of the accepted words.
    #[error("not a boolean; write true or false (t, f, yes, no, 1 and 0 are read too)")]
    NotBoolean,
    /// A category column's text is none of its codes.
    #[error("not one of the column's codes ({codes}); spelling and case must be exact")]
    UnknownCode {
        /// The codes, shortened to the first ten.
        codes: String,
    },
    /// Not decimal text.
    #[error("not a number; write decimal digits with a point, such as -12.5")]
    NotNumber,
    /// More digits after the point than the column keeps.
    #[error(
        "number with more than {decimals} digits after the point; round it, or raise the column's `decimals`"
    )]
    TooPrecise {
        /// Digits after the point that the column keeps.
        decimals: u32,
    },
    /// Below the column's `min`.
    #[error("{what} below the minimum {min}")]
    BelowMinimum {
        /// "number" or "date".
        what: &'static str,
        /// The column's `min` as text.
        min: String,
    },
    /// Above the column's `max`.
    #[error("{what} above the maximum {max}")]
    AboveMaximum {
        /// "number" or "date".
        what: &'static str,
        /// The column's `max` as text.
        max: String,
    },
    /// Not a calendar date.
    #[error("not a date; write YYYY-MM-DD, with no time of day but 00:00:00")]
    NotDate,
    /// A value whose type does not belong into the column.
    #[error("{found} in a {expected} column")]
    WrongType {
        /// The value's type.
        found: &'static str,
        /// The column's type.
        expected: &'static str,
    },
}
