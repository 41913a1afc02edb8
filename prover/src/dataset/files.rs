//! Writing files so that a crash leaves the old or the new one, never half of it.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use crate::ProverError;

/// Writes `bytes` under a temporary name, syncs and renames. The file is readable by its owner only
/// (tempfile's default), which suits secrets and harms nothing else.
pub(super) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), ProverError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(ProverError::io(path))
}

/// As [`write_atomic`], for a document that anyone may read.
pub(super) fn write_public(path: &Path, bytes: &[u8]) -> Result<(), ProverError> {
    write_atomic(path, bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))
            .map_err(ProverError::io(path))?;
    }
    Ok(())
}

/// Makes a folder's entries durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), ProverError> {
    File::open(path)
        .and_then(|f| f.sync_all())
        .map_err(ProverError::io(path))
}

/// Creates a folder and its parents.
pub(super) fn create_folder(path: &Path) -> Result<(), ProverError> {
    fs::create_dir_all(path).map_err(ProverError::io(path))
}
