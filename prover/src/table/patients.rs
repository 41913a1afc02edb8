//! Finds a patient id that stands twice in the table.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest, Sha256};

/// The ids seen so far, each as the first 16 bytes of its SHA-256 with its line or row: some 50
/// bytes a patient, however long the ids. Two different ids collide with probability 2^-128.
#[derive(Default)]
pub(super) struct Patients(HashMap<[u8; 16], u64>);

impl Patients {
    /// Notes `id` at `place`, or returns the place where it stood before.
    pub fn insert(&mut self, id: &str, place: u64) -> Result<(), u64> {
        let digest = Sha256::digest(id.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        match self.0.entry(key) {
            Entry::Occupied(first) => Err(*first.get()),
            Entry::Vacant(free) => {
                free.insert(place);
                Ok(())
            }
        }
    }
}
