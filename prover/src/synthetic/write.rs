//! Writes the made-up hospital as CSV or Parquet.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Int32Builder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;
use time::Date;
use time::macros::date;

use super::dice::Dice;
use super::patient::{COLUMNS, Cell, Type, draw};

/// Rows of a batch, and of a row group: what is held in memory at once.
const BATCH_ROWS: u64 = 65_536;

/// Digits of a Parquet decimal.
const PRECISION: u8 = 12;

/// Why the made-up hospital could not be written. Nothing is left at the path then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyntheticError {
    /// The name ends in nothing that is known.
    #[error("{}: the name must end in .parquet or .csv", path.display())]
    UnknownExtension {
        /// Where the table was to go.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{}: writing failed ({source}); check the directory, its permissions and space", path.display())]
    Write {
        /// Where the table was to go.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The Parquet writer failed.
    #[error("{}: writing Parquet failed ({source}); check the directory's space", path.display())]
    Parquet {
        /// Where the table was to go.
        path: PathBuf,
        /// What the writer says.
        source: ParquetError,
    },
}

/// Writes `patients` rows (below 10^10) that fit [`REGISTRY_TOML`](super::REGISTRY_TOML), as
/// Parquet (Zstandard) or CSV by the name's ending.
///
/// The file appears whole or not at all: it is written beside its place, synced and renamed. A
/// file that was there is replaced.
///
/// # Errors
/// A [`SyntheticError`] if the ending is unknown or the file cannot be written.
pub fn write_hospital(path: &Path, patients: u64, seed: u64) -> Result<(), SyntheticError> {
    let failed = |source| SyntheticError::Write {
        path: path.into(),
        source,
    };
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let parquet = match extension.to_ascii_lowercase().as_str() {
        "parquet" => true,
        "csv" => false,
        _ => return Err(SyntheticError::UnknownExtension { path: path.into() }),
    };
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut file = NamedTempFile::new_in(directory).map_err(failed)?;
    let output = BufWriter::with_capacity(1 << 17, file.as_file_mut());
    if parquet {
        write_parquet(output, patients, seed).map_err(|source| SyntheticError::Parquet {
            path: path.into(),
            source,
        })?;
    } else {
        write_csv(output, patients, seed).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_directory(directory).map_err(failed)
}

/// Makes the rename durable, where directories can be synced.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn write_csv(mut output: impl Write, patients: u64, seed: u64) -> io::Result<()> {
    let names: Vec<&str> = COLUMNS.iter().map(|c| c.0).collect();
    writeln!(output, "{}", names.join(","))?;
    let mut dice = Dice::new(seed);
    for index in 0..patients {
        for (at, cell) in draw(&mut dice, seed, index).iter().enumerate() {
            if at > 0 {
                output.write_all(b",")?;
            }
            write_text(&mut output, cell, COLUMNS[at].1)?;
        }
        output.write_all(b"\n")?;
    }
    output.flush()
}

/// One CSV cell. No text of the model needs quotes.
fn write_text(output: &mut impl Write, cell: &Cell, kind: Type) -> io::Result<()> {
    match (cell, kind) {
        (Cell::Id(id), _) => output.write_all(id.as_bytes()),
        (Cell::Text(text), _) => output.write_all(text.unwrap_or_default().as_bytes()),
        (Cell::Flag(Some(flag)), _) => write!(output, "{flag}"),
        (Cell::Number(Some(units)), Type::Number(decimals)) if decimals > 0 => {
            let one = 10i64.pow(u32::from(decimals));
            let width = usize::from(decimals);
            write!(output, "{}.{:0width$}", units / one, units % one)
        }
        (Cell::Number(Some(units)), _) => write!(output, "{units}"),
        (Cell::Day(day), _) => {
            let month = u8::from(day.month());
            write!(output, "{:04}-{month:02}-{:02}", day.year(), day.day())
        }
        (Cell::Flag(None) | Cell::Number(None), _) => Ok(()),
    }
}

fn write_parquet(output: impl Write + Send, patients: u64, seed: u64) -> Result<(), ParquetError> {
    let fields = COLUMNS.map(|(name, kind)| Field::new(name, data_type(kind), true));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .build();
    let mut writer = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties))?;
    let mut dice = Dice::new(seed);
    let mut builders = COLUMNS.map(|(_, kind)| Builder::new(kind));
    let mut written = 0;
    while written < patients {
        let rows = BATCH_ROWS.min(patients - written);
        for index in written..written + rows {
            let cells = draw(&mut dice, seed, index);
            for (builder, cell) in builders.iter_mut().zip(&cells) {
                builder.push(cell);
            }
        }
        let arrays = builders.iter_mut().map(Builder::finish).collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
        writer.flush()?;
        written += rows;
    }
    writer.into_inner()?.flush()?;
    Ok(())
}

fn data_type(kind: Type) -> DataType {
    match kind {
        Type::Text => DataType::Utf8,
        Type::Flag => DataType::Boolean,
        Type::Number(0) => DataType::Int32,
        Type::Number(decimals) => DataType::Decimal128(PRECISION, decimals.cast_signed()),
        Type::Day => DataType::Date32,
    }
}

/// A column of the batch that is being filled.
enum Builder {
    Text(StringBuilder),
    Flag(BooleanBuilder),
    Whole(Int32Builder),
    Decimal(Decimal128Builder),
    Day(Date32Builder),
}

impl Builder {
    fn new(kind: Type) -> Self {
        match kind {
            Type::Text => Self::Text(StringBuilder::new()),
            Type::Flag => Self::Flag(BooleanBuilder::new()),
            Type::Number(0) => Self::Whole(Int32Builder::new()),
            Type::Number(_) => {
                Self::Decimal(Decimal128Builder::new().with_data_type(data_type(kind)))
            }
            Type::Day => Self::Day(Date32Builder::new()),
        }
    }

    fn push(&mut self, cell: &Cell) {
        match (self, cell) {
            (Self::Text(b), Cell::Id(id)) => b.append_value(id),
            (Self::Text(b), Cell::Text(text)) => b.append_option(*text),
            (Self::Flag(b), Cell::Flag(flag)) => b.append_option(*flag),
            (Self::Whole(b), Cell::Number(n)) => {
                b.append_option(n.map(|n| i32::try_from(n).expect("bounded by the model")));
            }
            (Self::Decimal(b), Cell::Number(n)) => b.append_option(n.map(i128::from)),
            (Self::Day(b), Cell::Day(day)) => b.append_value(unix_day(*day)),
            _ => unreachable!("cells come in the order and types of COLUMNS"),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(b) => Arc::new(b.finish()),
            Self::Flag(b) => Arc::new(b.finish()),
            Self::Whole(b) => Arc::new(b.finish()),
            Self::Decimal(b) => Arc::new(b.finish()),
            Self::Day(b) => Arc::new(b.finish()),
        }
    }
}

fn unix_day(day: Date) -> i32 {
    day.to_julian_day() - date!(1970 - 01 - 01).to_julian_day()
}
