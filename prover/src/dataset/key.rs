use std::{fs, io, path::Path};

use ark_std::rand::{RngCore, rngs::OsRng};
use ed25519_dalek::SigningKey;
use galen_query::text::{from_hex, hex};
use zeroize::Zeroize;

use super::files::write_atomic;
use crate::ProverError;

/// Reads the hospital's ed25519 key (64 hex digits), or makes a new one where there is no file.
///
/// # Errors
/// A file that is no key, or one that cannot be read or written.
pub fn load_or_create_key(path: &Path) -> Result<SigningKey, ProverError> {
    match fs::read_to_string(path) {
        Ok(mut text) => {
            let seed = from_hex::<32>(text.trim_end());
            text.zeroize();
            let mut seed = seed.ok_or_else(|| ProverError::Key {
                path: path.to_owned(),
            })?;
            let key = SigningKey::from_bytes(&seed);
            seed.zeroize();
            Ok(key)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            OsRng.fill_bytes(&mut seed);
            let mut text = hex(&seed) + "\n";
            let written = write_atomic(path, text.as_bytes());
            let key = SigningKey::from_bytes(&seed);
            text.zeroize();
            seed.zeroize();
            written.map(|()| key)
        }
        Err(e) => Err(ProverError::io(path)(e)),
    }
}
