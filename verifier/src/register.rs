//! At most one answer for each query and epoch.

use std::collections::BTreeMap;

use galen_query::text::hex;

use crate::{VerifyError, answer::Answer};

/// Remembers which answers were accepted. Answers are told apart by what they say, never by the bytes
/// of their proofs: Groth16 proofs can be re-randomised by anyone.
#[derive(Debug, Clone, Default)]
pub struct AnswerRegister {
    seen: BTreeMap<Slot, [u8; 32]>,
}

/// Query digest, hospital key, dataset name and epoch: the place for one answer.
type Slot = ([u8; 32], [u8; 32], String, u32);

impl AnswerRegister {
    /// Takes in a verified answer.
    ///
    /// # Errors
    /// When the query was answered over this epoch before, be it with the same values.
    pub fn admit(&mut self, answer: &Answer) -> Result<(), VerifyError> {
        let s = &answer.source;
        let slot = (s.query, s.hospital_key, s.dataset.clone(), s.epoch);
        if let Some(first) = self.seen.get(&slot) {
            return Err(VerifyError::SecondAnswer {
                query: hex(&s.query),
                dataset: s.dataset.clone(),
                epoch: s.epoch,
                same: *first == answer.identity,
            });
        }
        self.seen.insert(slot, answer.identity);
        Ok(())
    }
}
