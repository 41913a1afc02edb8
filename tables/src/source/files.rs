//! A source's files: one, or all that a pattern names, each as it was when it was first read.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use glob::{MatchOptions, Pattern, glob_with};
use serde::Serialize;

use crate::error::TablesError;
use crate::mapping::Source;

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SourceFile {
    /// Its absolute path.
    pub file: PathBuf,
    /// Its length in bytes, compressed as it lies there.
    pub bytes: u64,
    /// Its rows, or NDJSON objects.
    pub rows: u64,
    #[serde(skip)]
    modified: Option<SystemTime>,
}

impl SourceFile {
    fn of(file: PathBuf, metadata: &Metadata) -> Self {
        Self {
            file,
            bytes: metadata.len(),
            rows: 0,
            modified: metadata.modified().ok(),
        }
    }

    /// Whether the file is another one than when it was first read, as far as its length and time tell.
    pub(crate) fn has_changed(&self) -> bool {
        match fs::metadata(&self.file) {
            Ok(now) => now.len() != self.bytes || now.modified().ok() != self.modified,
            Err(_) => true,
        }
    }

    /// The file's name for a message that names its folder already.
    pub(crate) fn name(&self) -> String {
        let name = self.file.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// The source's files under `directory`, by name; at least one, unless it is optional, and each can be opened.
///
/// # Errors
/// [`TablesError::Read`].
pub(super) fn locate(source: &Source, directory: &Path) -> Result<Vec<SourceFile>, TablesError> {
    let wanted = directory.join(&source.path);
    let read_error = |file: PathBuf, error: io::Error| TablesError::Read {
        file,
        next: format!(
            "source `{}` is looked for in {}: correct its path or give --source DIR",
            source.name,
            directory.display()
        ),
        source: error,
    };
    let matched = match pattern(source, directory) {
        None => vec![wanted.clone()],
        Some(pattern) => matching(&pattern).map_err(|e| read_error(wanted.clone(), e))?,
    };
    let absent = matched.is_empty() || (matched == [wanted.clone()] && !wanted.exists());
    if source.optional && absent {
        return Ok(Vec::new());
    }
    if matched.is_empty() {
        let nothing = io::Error::new(io::ErrorKind::NotFound, "no file has a name like this");
        return Err(read_error(wanted, nothing));
    }
    matched
        .into_iter()
        .map(|file| open(&file).map_err(|e| read_error(file, e)))
        .collect()
}

/// The pattern as an absolute one, in which the directory's own letters stand for themselves.
fn pattern(source: &Source, directory: &Path) -> Option<String> {
    let path = source.path.to_str()?;
    if !path.contains(['*', '?']) {
        return None;
    }
    let directory = directory.canonicalize().ok()?;
    Some(format!("{}/{path}", Pattern::escape(directory.to_str()?)))
}

fn matching(pattern: &str) -> io::Result<Vec<PathBuf>> {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let invalid = |e| io::Error::new(io::ErrorKind::InvalidInput, e);
    let paths = glob_with(pattern, options).map_err(invalid)?;
    paths.map(|p| p.map_err(io::Error::from)).collect()
}

fn open(file: &Path) -> io::Result<SourceFile> {
    let absolute = file.canonicalize()?;
    let metadata = File::open(&absolute)?.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(SourceFile::of(absolute, &metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_or_goes_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, "a\n").unwrap();
        let seen = open(&path).unwrap();
        assert!(!seen.has_changed());
        fs::write(&path, "a\n1\n").unwrap();
        assert!(seen.has_changed());
        fs::remove_file(&path).unwrap();
        assert!(seen.has_changed());
    }
}
