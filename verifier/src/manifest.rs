//! A dataset manifest: one epoch of a hospital's table, committed. Format: `docs/spec/manifest.md`.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use galen_circuits::{Fr, G1, encoding, hash::context};
use galen_params::Shape;
use galen_query::{
    hash::Fields,
    registry::Registry,
    text::{base64, from_base64, from_hex, hex, parse_json},
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use crate::rules::ReleaseProfile;
use crate::{VerifyError, hash::separator};

const FORMAT: &str = "galen/dataset/v1";

/// At most this many chunks (3 billion rows of the largest shape).
pub const MAX_CHUNKS: u64 = 100_000;

/// A manifest larger than this is refused unread.
pub const MAX_MANIFEST_BYTES: usize = 256 << 20;

/// One committed column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommittedColumn {
    /// The base column's name.
    pub name: String,
    /// One commitment a chunk: a compressed G1 point, base64url.
    pub chunks: Vec<String>,
}

/// The manifest as it stands in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The hospital's name.
    pub hospital: String,
    /// Its ed25519 public key, hex.
    pub hospital_key: String,
    /// The dataset's name.
    pub dataset: String,
    /// Its epoch, counted from 1.
    pub epoch: u32,
    /// The registry's name and version, for people.
    pub registry: String,
    /// SHA-256 of the registry's canonical form, hex.
    pub registry_digest: String,
    /// Parameter-set id, hex.
    pub parameter_set: String,
    /// Its shape.
    pub shape: String,
    /// R: the rows, one a patient.
    pub rows: u64,
    /// The release rule.
    pub release: ReleaseProfile,
    /// The base columns in the registry's order.
    pub columns: Vec<CommittedColumn>,
    /// ed25519 over the digest, hex.
    pub signature: String,
}

/// What a hospital puts into a manifest.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The hospital's name.
    pub hospital: &'a str,
    /// The dataset's name.
    pub dataset: &'a str,
    /// Its epoch, counted from 1.
    pub epoch: u32,
    /// The registry.
    pub registry: &'a Registry,
    /// Parameter-set id.
    pub parameter_set: [u8; 32],
    /// Its shape.
    pub shape: Shape,
    /// R.
    pub rows: u64,
    /// The release rule.
    pub release: ReleaseProfile,
    /// `commitments[column][chunk]` in the registry's base column order.
    pub commitments: &'a [Vec<G1>],
}

/// A manifest whose form, signature and points have been checked.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The manifest.
    pub manifest: Manifest,
    /// Its digest.
    pub digest: [u8; 32],
    /// The hospital's public key.
    pub hospital_key: [u8; 32],
    /// Parameter-set id.
    pub parameter_set: [u8; 32],
    /// Its shape.
    pub shape: Shape,
    /// `commitments[column][chunk]`.
    pub commitments: Vec<Vec<G1>>,
}

impl Manifest {
    /// Writes and signs a manifest.
    #[must_use]
    pub fn sign(draft: &Draft<'_>, key: &SigningKey) -> Self {
        let names = draft.registry.base_columns();
        let columns = names
            .into_iter()
            .zip(draft.commitments)
            .map(|(base, chunks)| CommittedColumn {
                name: base.name,
                chunks: chunks
                    .iter()
                    .map(|c| base64(&encoding::g1_bytes(c)))
                    .collect(),
            })
            .collect();
        let mut manifest = Self {
            format: FORMAT.into(),
            hospital: draft.hospital.into(),
            hospital_key: hex(key.verifying_key().as_bytes()),
            dataset: draft.dataset.into(),
            epoch: draft.epoch,
            registry: draft.registry.label(),
            registry_digest: hex(&draft.registry.digest),
            parameter_set: hex(&draft.parameter_set),
            shape: draft.shape.name().into(),
            rows: draft.rows,
            release: draft.release.clone(),
            columns,
            signature: String::new(),
        };
        let signature = key.sign(&signed_message(&manifest.digest()));
        manifest.signature = hex(&signature.to_bytes());
        manifest
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// Too large, or not JSON of this form (with line and column).
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        Ok(parse_json(bytes, "manifest", MAX_MANIFEST_BYTES)?)
    }

    /// SHA-256 over every field but the signature.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut fields = Fields::new(separator::MANIFEST)
            .text(&self.hospital)
            .text(&self.hospital_key)
            .text(&self.dataset)
            .number(u64::from(self.epoch))
            .text(&self.registry)
            .text(&self.registry_digest)
            .text(&self.parameter_set)
            .text(&self.shape)
            .number(self.rows)
            .text(&self.release.name)
            .number(self.release.k)
            .number(u64::from(self.release.zero_releasable))
            .number(self.release.rounding)
            .text(self.release.ties.name())
            .number(u64::from(self.release.complementary))
            .number(self.columns.len() as u64);
        for column in &self.columns {
            fields = fields.text(&column.name).number(column.chunks.len() as u64);
            for chunk in &column.chunks {
                fields = fields.text(chunk);
            }
        }
        fields.digest()
    }

    /// Checks form, bounds, signature and points against the registry.
    ///
    /// # Errors
    /// Names what is wrong, down to the column and chunk.
    pub fn check(&self, registry: &Registry) -> Result<Dataset, VerifyError> {
        if self.format != FORMAT {
            return Err(VerifyError::Format {
                what: "manifest",
                expected: FORMAT,
            });
        }
        if self.registry_digest != hex(&registry.digest) || self.registry != registry.label() {
            return Err(VerifyError::Registry { what: "manifest" });
        }
        let malformed = |why: String| VerifyError::Manifest(why);
        let shape = Shape::from_name(&self.shape)
            .ok_or_else(|| malformed(format!("unknown shape `{}`", self.shape)))?;
        let parameter_set = from_hex(&self.parameter_set)
            .ok_or_else(|| malformed("parameter_set is not 64 hex digits".into()))?;
        let names = [&self.hospital, &self.dataset, &self.release.name];
        if names.iter().any(|n| n.chars().any(char::is_control)) {
            return Err(malformed("a name with control characters".into()));
        }
        if let Some(problem) = self.release.problem() {
            return Err(malformed(format!("release: {problem}")));
        }
        if self.epoch == 0 {
            return Err(malformed("epochs are counted from 1".into()));
        }
        let chunks = self.chunk_count(shape)?;
        let (hospital_key, digest) = self.check_signature()?;
        Ok(Dataset {
            manifest: self.clone(),
            digest,
            hospital_key,
            parameter_set,
            shape,
            commitments: self.check_columns(registry, chunks)?,
        })
    }

    fn chunk_count(&self, shape: Shape) -> Result<usize, VerifyError> {
        let chunks = self.rows.div_ceil(shape.rows() as u64);
        if chunks == 0 || chunks > MAX_CHUNKS {
            return Err(VerifyError::Manifest(format!(
                "{} rows make no dataset",
                self.rows
            )));
        }
        Ok(usize::try_from(chunks).expect("at most MAX_CHUNKS"))
    }

    fn check_signature(&self) -> Result<([u8; 32], [u8; 32]), VerifyError> {
        let digest = self.digest();
        let bytes: [u8; 32] = from_hex(&self.hospital_key).ok_or(VerifyError::ManifestSignature)?;
        let signature: [u8; 64] =
            from_hex(&self.signature).ok_or(VerifyError::ManifestSignature)?;
        VerifyingKey::from_bytes(&bytes)
            .and_then(|key| {
                key.verify_strict(&signed_message(&digest), &Signature::from_bytes(&signature))
            })
            .map_err(|_| VerifyError::ManifestSignature)?;
        Ok((bytes, digest))
    }

    fn check_columns(
        &self,
        registry: &Registry,
        chunks: usize,
    ) -> Result<Vec<Vec<G1>>, VerifyError> {
        let bases = registry.base_columns();
        if bases.len() != self.columns.len() {
            return Err(VerifyError::Manifest(format!(
                "{} columns where the registry makes {}",
                self.columns.len(),
                bases.len()
            )));
        }
        bases
            .par_iter()
            .zip(&self.columns)
            .map(|(base, column)| {
                if base.name != column.name {
                    return Err(VerifyError::Manifest(format!(
                        "column `{}` stands where the registry has `{}`",
                        column.name, base.name
                    )));
                }
                if column.chunks.len() != chunks {
                    return Err(VerifyError::Manifest(format!(
                        "column `{}` has {} chunks, {} rows make {chunks}",
                        column.name,
                        column.chunks.len(),
                        self.rows
                    )));
                }
                column
                    .chunks
                    .iter()
                    .enumerate()
                    .map(|(i, c)| decode(&column.name, i, c))
                    .collect()
            })
            .collect()
    }
}

fn decode(name: &str, chunk: usize, text: &str) -> Result<G1, VerifyError> {
    let place = || format!("commitment to column {name}");
    let bytes = from_base64(text, encoding::G1_BYTES).ok_or_else(|| VerifyError::Encoding {
        place: place(),
        chunk,
        why: "not base64url".into(),
    })?;
    encoding::g1(&bytes, "commitment").map_err(|e| VerifyError::Encoding {
        place: place(),
        chunk,
        why: e.to_string(),
    })
}

impl Dataset {
    /// The context that binds every proof to this hospital, dataset, epoch and parameter set.
    #[must_use]
    pub fn ctx(&self) -> Fr {
        context(&self.parameter_set, &self.hospital_key, &self.digest)
    }

    /// Chunks.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.commitments.first().map_or(0, Vec::len)
    }

    /// Rows of a chunk that hold a patient.
    #[must_use]
    pub fn rows_in_chunk(&self, chunk: usize) -> usize {
        let n = self.shape.rows() as u64;
        let left = self.manifest.rows.saturating_sub(n * chunk as u64);
        usize::try_from(left.min(n)).expect("at most a chunk")
    }
}

fn signed_message(digest: &[u8; 32]) -> Vec<u8> {
    [separator::MANIFEST_SIGNATURE.as_bytes(), &[0], digest].concat()
}
