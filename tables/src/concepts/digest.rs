//! A concept set's canonical bytes and their digest.

use sha2::{Digest, Sha256};

use super::{Concept, ConceptSet, Item};

/// Domain of the canonical encoding.
const DOMAIN: &str = "galen/v1/concept-set";

impl ConceptSet {
    /// SHA-256 over the set's items in their order; notes, labels and the file's form are not in it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(canonical(&self.items)).into()
    }
}

/// The domain, the number of items, and each item: byte 0 and its `concept_id`, or byte 1, its system and its code;
/// then a byte each for `excluded` and `descendants`. Integers are 8 bytes big-endian, texts have their length before
/// them.
fn canonical(items: &[Item]) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, DOMAIN);
    length(&mut out, items.len());
    for item in items {
        match &item.code {
            Concept::Omop(id) => {
                out.push(0);
                out.extend(id.to_be_bytes());
            }
            Concept::Coded { system, code } => {
                out.push(1);
                text(&mut out, system);
                text(&mut out, code);
            }
        }
        out.extend([u8::from(item.excluded), u8::from(item.descendants)]);
    }
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    length(out, text.len());
    out.extend(text.as_bytes());
}

fn length(out: &mut Vec<u8>, length: usize) {
    out.extend((length as u64).to_be_bytes());
}
