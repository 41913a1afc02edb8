//! The index: proofs of registration and derived columns, kept by (context, step key, chunk).
//!
//! Each entry names the commitments that its proof is about, so that one made for columns that have been
//! committed anew since is not taken up again. An entry is a cache: one that is missing or torn is proven again, under a fresh blinding factor.
//! Nothing in it is trusted: every finished bundle is verified before it is handed out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use galen_circuits::{
    Fr, G1, encoding,
    prove::{PROOF_BYTES, Proof},
};
use galen_query::text::hex;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use super::files::{create_folder, write_atomic};
use crate::ProverError;

const MAGIC: &[u8; 8] = b"GALENIX1";

/// One proven step of one chunk.
#[derive(Clone)]
pub(crate) struct Entry {
    /// The proof.
    pub proof: Proof,
    /// Digest of the commitments that the step reads.
    pub inputs: [u8; 32],
    /// The new column's blinding factor and commitment, where the step makes one.
    pub output: Option<(Fr, G1)>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some((blinding, _)) = &mut self.output {
            blinding.zeroize();
        }
    }
}

pub(crate) struct Index {
    folder: PathBuf,
}

impl Index {
    pub(crate) fn new(dataset: &Path, ctx: &Fr) -> Self {
        let mut bytes = Vec::new();
        ctx.serialize_compressed(&mut bytes)
            .expect("writing to a Vec cannot fail");
        Self {
            folder: dataset.join("index").join(&hex(&bytes)[..32]),
        }
    }

    fn path(&self, key: &str, chunk: usize) -> PathBuf {
        let digest = hex(&Sha256::digest(key.as_bytes()));
        self.folder.join(digest).join(format!("{chunk:05}"))
    }

    /// The entry, if there is a sound one for these inputs.
    pub(crate) fn get(&self, key: &str, chunk: usize, inputs: &[u8; 32]) -> Option<Entry> {
        let mut bytes = fs::read(self.path(key, chunk)).ok()?;
        let entry = parse(&bytes, key);
        bytes.zeroize();
        entry.filter(|e| e.inputs == *inputs)
    }

    /// Keeps an entry.
    pub(crate) fn put(&self, key: &str, chunk: usize, entry: &Entry) -> Result<(), ProverError> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(
            &u32::try_from(key.len())
                .expect("keys are short")
                .to_le_bytes(),
        );
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(&entry.inputs);
        out.extend_from_slice(&entry.proof.to_bytes());
        if let Some((blinding, commitment)) = &entry.output {
            blinding
                .serialize_uncompressed(&mut out)
                .expect("writing to a Vec cannot fail");
            out.extend_from_slice(&encoding::g1_bytes(commitment));
        }
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        let path = self.path(key, chunk);
        create_folder(path.parent().expect("a file below the index"))?;
        let written = write_atomic(&path, &out);
        out.zeroize();
        written
    }
}

fn parse(bytes: &[u8], key: &str) -> Option<Entry> {
    let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    let (length, rest) = body.strip_prefix(MAGIC)?.split_at_checked(4)?;
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (stored_key, rest) = rest.split_at_checked(length)?;
    if stored_key != key.as_bytes() {
        return None;
    }
    let (inputs, rest) = rest.split_at_checked(32)?;
    let inputs = inputs.try_into().ok()?;
    let (proof, rest) = rest.split_at_checked(PROOF_BYTES)?;
    let proof = Proof::from_bytes(proof).ok()?;
    if rest.is_empty() {
        return Some(Entry {
            proof,
            inputs,
            output: None,
        });
    }
    let (mut blinding, commitment) = rest.split_at_checked(32)?;
    let blinding = Fr::deserialize_uncompressed(&mut blinding).ok()?;
    let commitment = encoding::g1(commitment, "commitment").ok()?;
    Some(Entry {
        proof,
        inputs,
        output: Some((blinding, commitment)),
    })
}
