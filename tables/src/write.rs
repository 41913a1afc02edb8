//! Writing the table whole or not at all: a temporary file beside the output, made
//! durable, then renamed over it. Dropped at any moment before that, it is gone.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use galen_query::provenance::note_file;
use galen_query::text::hex;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempDir};

use crate::engine_error::encoding;
use crate::error::TablesError;
use crate::mapping::directory;

/// Rows per write, whatever the batches the engine gives: the file's bytes then
/// follow from the rows and their order alone.
const ROWS_PER_WRITE: usize = 8192;

/// Encoded bytes held before a row group is closed: bounds the writer's memory.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// The directory `out` stands in.
pub(crate) fn directory_of(out: &Path) -> PathBuf {
    directory(out).to_owned()
}

/// How temporary files of `out` begin: what a killed process leaves is known by it.
pub(crate) fn partial_prefix(out: &Path) -> String {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}.partial-")
}

/// A directory beside `out`, its user's alone, for what the query spills: that is
/// patients' rows, which do not belong in the system's temporary directory.
pub(crate) fn spill_directory(out: &Path) -> Result<TempDir, TablesError> {
    let prefix = partial_prefix(out);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
        .tempdir_in(directory(out))
        .map_err(|e| TablesError::writing(out, e))
}

/// What was written.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub(crate) sha256: String,
}

/// A patient table being written. Only its user can read the file, then as after.
pub(crate) struct TableWriter {
    out: PathBuf,
    temporary: NamedTempFile,
    writer: ArrowWriter<Hashing<BufWriter<File>>>,
    rows: BatchCoalescer,
}

impl TableWriter {
    /// Opens a temporary file in the directory of `out`.
    pub(crate) fn create(out: &Path, schema: &SchemaRef) -> Result<Self, TablesError> {
        let io_error = |e| TablesError::writing(out, e);
        if out.is_dir() {
            return Err(io_error(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let temporary = tempfile::Builder::new()
            .prefix(&partial_prefix(out))
            .tempfile_in(directory(out))
            .map_err(io_error)?;
        let file = temporary.as_file().try_clone().map_err(io_error)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let sink = Hashing {
            inner: BufWriter::new(file),
            hash: Sha256::new(),
            bytes: 0,
        };
        let writer = ArrowWriter::try_new(sink, schema.clone(), Some(properties))
            .map_err(|e| encoding(e, out))?;
        Ok(Self {
            out: out.to_owned(),
            temporary,
            writer,
            rows: BatchCoalescer::new(schema.clone(), ROWS_PER_WRITE),
        })
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<(), TablesError> {
        self.rows
            .push_batch(batch)
            .map_err(|e| encoding(e.into(), &self.out))?;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), TablesError> {
        while let Some(batch) = self.rows.next_completed_batch() {
            self.writer
                .write(&batch)
                .map_err(|e| encoding(e, &self.out))?;
            if self.writer.in_progress_size() > ROW_GROUP_BYTES {
                self.writer.flush().map_err(|e| encoding(e, &self.out))?;
            }
        }
        Ok(())
    }

    /// Ends the file, makes it durable and puts it in place, and before it the note that
    /// `note` makes of its SHA-256. On an error before the rename `out` is as it was; on
    /// one after it (the directory's own sync), `out` is the new table, which a power cut
    /// may still take back. A note without its table is refused by who reads it: it names
    /// the table's SHA-256.
    pub(crate) fn finish(
        mut self,
        note: impl FnOnce(&str) -> Vec<u8>,
    ) -> Result<Written, TablesError> {
        self.rows
            .finish_buffered_batch()
            .map_err(|e| encoding(e.into(), &self.out))?;
        self.drain()?;
        let Self {
            out,
            temporary,
            writer,
            ..
        } = self;
        let io_error = |e| TablesError::writing(&out, e);
        let mut sink = writer.into_inner().map_err(|e| encoding(e, &out))?;
        sink.flush().map_err(io_error)?;
        temporary.as_file().sync_all().map_err(io_error)?;
        let sha256 = hex(&sink.hash.finalize());
        put(&note_file(&out), &note(&sha256))?;
        temporary.persist(&out).map_err(|e| io_error(e.error))?;
        sync_directory(directory(&out)).map_err(io_error)?;
        Ok(Written {
            bytes: sink.bytes,
            sha256,
        })
    }
}

/// Writes a small file whole or not at all.
fn put(file: &Path, bytes: &[u8]) -> Result<(), TablesError> {
    let io_error = |e| TablesError::writing(file, e);
    let mut temporary = tempfile::Builder::new()
        .prefix(&partial_prefix(file))
        .tempfile_in(directory(file))
        .map_err(io_error)?;
    temporary.write_all(bytes).map_err(io_error)?;
    temporary.as_file().sync_all().map_err(io_error)?;
    temporary.persist(file).map_err(|e| io_error(e.error))?;
    Ok(())
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Passes bytes on, counting and hashing them.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
