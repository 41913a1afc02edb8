//! The note on a table's provenance, which its maker puts beside it.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use galen_query::{
    provenance::{MAX_NOTE_BYTES, Note, note_file},
    text::hex,
};
use sha2::{Digest, Sha256};

use crate::ProverError;

/// The note on `table`, if there is one.
///
/// # Errors
/// A note that is none, or about another table.
pub(super) fn read(table: &Path) -> Result<Option<Note>, ProverError> {
    let path = note_file(table);
    let file = match fs::metadata(&path) {
        // What is no file could be waited for without end.
        Ok(found) if !found.is_file() => {
            let why = "it is no file".to_owned();
            return Err(ProverError::Provenance { path, why });
        }
        Ok(_) => File::open(&path).map_err(ProverError::io(&path))?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(ProverError::io(&path)(e)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_NOTE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(ProverError::io(&path))?;
    let note = Note::from_json(&bytes).map_err(|e| ProverError::Provenance {
        path,
        why: e.to_string(),
    })?;
    check(table, Some(&note))?;
    Ok(Some(note))
}

/// Refuses a note on other bytes than the table's.
///
/// # Errors
/// [`ProverError::Provenance`].
pub(super) fn check(table: &Path, note: Option<&Note>) -> Result<(), ProverError> {
    let Some(note) = note else { return Ok(()) };
    let mut hash = Sha256::new();
    let mut file = File::open(table).map_err(ProverError::io(table))?;
    io::copy(&mut file, &mut hash).map_err(ProverError::io(table))?;
    if hex(&hash.finalize()) == note.table_sha256 {
        return Ok(());
    }
    Err(ProverError::Provenance {
        path: note_file(table),
        why: "it is about another table: the table was changed since, or is being built".to_owned(),
    })
}
