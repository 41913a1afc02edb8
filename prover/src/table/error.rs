//! Why a patient table is refused. No variant carries a patient's value.

use std::fmt;
use std::io;
use std::path::PathBuf;

use galen_query::quotes::QuoteFault;
use time::Date;

/// Where a record stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The line of a CSV on which the record begins, counted from 1, the header included.
    Line(u64),
    /// The row of a Parquet file, counted from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Row(n) => write!(f, "row {n}"),
        }
    }
}

/// What is wrong with one cell. The texts name the registry's bounds, never the cell's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueProblem {
    /// The cell is NULL and its column may not be.
    #[error("NULL, which the registry does not allow here")]
    Null,
    /// The cell's bytes are not UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// No value, or no patient's id, and something in the text is not seen: it may look like one.
    #[error("no value as it stands: there is {0}, and nothing is trimmed or cleaned")]
    Unseen(&'static str),
    /// A text of a Parquet file that reads like a CSV's NULL, though the file can say NULL itself.
    #[error(
        "the text {0}, which may be meant as NULL; write NULL where the file is made (NULLIF), or list it as a code"
    )]
    NullWord(&'static str),
    /// Not one of the accepted spellings of a boolean.
    #[error("not a boolean (true, false, t, f, yes, no, 1, 0)")]
    NotBoolean,
    /// Not a code of the category.
    #[error("not one of the codes that the registry lists")]
    UnknownCode,
    /// Not a decimal number; a NaN or an infinity is none.
    #[error("not a decimal number (write 12.5, with a point and no thousands separator)")]
    NotNumber,
    /// More digits after the decimal point than the registry keeps.
    #[error("more than the {decimals} digits after the decimal point that the registry keeps")]
    TooManyDecimals {
        /// How many digits the registry keeps.
        decimals: u32,
    },
    /// Below the registry's minimum.
    #[error("number below the minimum {min}")]
    BelowMinimum {
        /// The registry's minimum, as decimal text.
        min: String,
    },
    /// Above the registry's maximum.
    #[error("number above the maximum {max}")]
    AboveMaximum {
        /// The registry's maximum, as decimal text.
        max: String,
    },
    /// Not a calendar date.
    #[error("not a date (write YYYY-MM-DD)")]
    NotDate,
    /// A date with a time of day that is not midnight.
    #[error("a date with a time of day, which would be lost")]
    TimeOfDay,
    /// Before the registry's first day.
    #[error("date before the first day {min}")]
    BeforeFirstDay {
        /// The registry's first day.
        min: Date,
    },
    /// After the registry's last day.
    #[error("date after the last day {max}")]
    AfterLastDay {
        /// The registry's last day.
        max: Date,
    },
}

/// What to do about a cell of many lines, which no column of a registry has.
fn many_lines(fault: &QuoteFault) -> &'static str {
    match fault {
        QuoteFault::ManyLines { .. } => {
            "; close the quote, or double it; where the cell is meant to go on, leave its column out or write \
             the table as Parquet"
        }
        _ => "",
    }
}

/// Why a patient table cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened.
    #[error("{}: cannot open the table ({source}); check the path and its permissions", path.display())]
    Open {
        /// The table.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file was opened, and reading it failed.
    #[error("{}: reading failed ({source}); try again, or copy the file to a local disk", path.display())]
    Read {
        /// The table.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The name ends in nothing that is known.
    #[error("{}: the name must end in .parquet, .csv or .tsv; rename or convert the file", path.display())]
    UnknownExtension {
        /// The table.
        path: PathBuf,
    },
    /// The file has no bytes, or no header.
    #[error("{}: the file is empty; export the table again, with a header", path.display())]
    Empty {
        /// The table.
        path: PathBuf,
    },
    /// There is a header or a schema and not one row.
    #[error("{}: the table has no rows; check the query that exports it", path.display())]
    NoRows {
        /// The table.
        path: PathBuf,
    },
    /// A CSV's header is not UTF-8.
    #[error("{}: the header is not UTF-8; save the file as CSV UTF-8", path.display())]
    HeaderNotUtf8 {
        /// The table.
        path: PathBuf,
    },
    /// Not a Parquet file, or one without its end.
    #[error("{}: not a Parquet file, or a truncated one; export or copy it again", path.display())]
    NotParquet {
        /// The table.
        path: PathBuf,
    },
    /// A Parquet file uses a codec that this build does not read.
    #[error("{}: compressed with {codec}; write the file with zstd, snappy or no compression", path.display())]
    UnsupportedCompression {
        /// The table.
        path: PathBuf,
        /// The codec's name.
        codec: String,
    },
    /// A Parquet file's pages cannot be decoded.
    #[error("{}: damaged after row {rows}; export or copy it again", path.display())]
    Damaged {
        /// The table.
        path: PathBuf,
        /// Rows that could be decoded.
        rows: u64,
    },
    /// A column that the registry names is not there.
    #[error("{}: column {column} is missing; {help}", path.display())]
    MissingColumn {
        /// The table.
        path: PathBuf,
        /// The registry's name of the column.
        column: String,
        /// What to do, by what stands in its place.
        help: &'static str,
    },
    /// A CSV's fields are separated by something else, so its header names no column.
    #[error("{}: {found}; {help}", path.display())]
    Separator {
        /// The table.
        path: PathBuf,
        /// What the header looks like.
        found: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// A column that the registry names is there more than once.
    #[error("{}: column {column} stands there twice; leave one of them out", path.display())]
    AmbiguousColumn {
        /// The table.
        path: PathBuf,
        /// The registry's name of the column.
        column: String,
    },
    /// A Parquet column's type does not convert exactly to the registry's.
    ///
    /// Accepted are: text (also dictionary-encoded) for every column, spelled as in a CSV; boolean,
    /// integer, scale-0 decimal and whole float for a boolean; the same three for a category that
    /// has an integer among its codes; integer, float32, float64 and decimal for a number, a float
    /// by its shortest decimal text; date and timestamp without a zone or in UTC for a date;
    /// integer for the patient id.
    #[error("{}: column {column} is of type {found} where {expected} is expected; cast it when you write the file", path.display())]
    WrongType {
        /// The table.
        path: PathBuf,
        /// The registry's name of the column.
        column: String,
        /// The file's type.
        found: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A record has not as many fields as the header.
    #[error("{}: line {line}: {found} fields where the header has {expected}; quote fields that hold a separator or a line break", path.display())]
    Ragged {
        /// The table.
        path: PathBuf,
        /// The line on which the record begins.
        line: u64,
        /// Fields in the header.
        expected: u64,
        /// Fields in the record.
        found: u64,
    },
    /// A CSV's quotes could be taken in more than one way.
    #[error("{}: {fault}{}", path.display(), many_lines(fault))]
    Quotes {
        /// The table.
        path: PathBuf,
        /// What is wrong with them, and the line.
        fault: QuoteFault,
    },
    /// A cell cannot be stored.
    #[error("{}: column {column}, {place}: {problem}; correct the table or the registry", path.display())]
    Value {
        /// The table.
        path: PathBuf,
        /// The registry's name of the column.
        column: String,
        /// Where the record stands.
        place: Place,
        /// What is wrong.
        problem: ValueProblem,
    },
    /// Two records have the same patient id.
    #[error("{}: column {column}: {first} and {second} have the same patient id; keep one row per patient", path.display())]
    DuplicatePatient {
        /// The table.
        path: PathBuf,
        /// The registry's name of the id column.
        column: String,
        /// The earlier record.
        first: Place,
        /// The later record.
        second: Place,
    },
    /// The reader was asked for more after it had refused the table.
    #[error("{}: the table was refused before; open it again", path.display())]
    Abandoned {
        /// The table.
        path: PathBuf,
    },
}
