//! A dataset manifest: one epoch of a hospital's table, committed. Format: `docs/spec/manifest.md`.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use galen_circuits::{
    G1, encoding,
    equation::{Equation, Rows},
};
use galen_params::Shape;
use galen_query::{
    hash::Fields,
    provenance::Provenance,
    registry::Registry,
    text::{base64, from_base64, from_hex, hex},
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use crate::rules::ReleaseProfile;
use crate::{
    VerifyError,
    document::{COMMIT_AGAIN, Kind},
    hash::separator,
};

/// A manifest larger than this is refused unread: the largest registry over 16 million patients has 10 MB.
pub const MAX_MANIFEST_BYTES: usize = 32 << 20;

const KIND: Kind = Kind {
    what: "manifest",
    format: "galen/dataset/v3",
    old: (&["galen/dataset/v1", "galen/dataset/v2"], COMMIT_AGAIN),
    limit: MAX_MANIFEST_BYTES,
};

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
    /// How the table was made, where its maker noted it.
    pub provenance: Option<Provenance>,
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
    /// How the table was made, where its maker noted it.
    pub provenance: Option<Provenance>,
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
            format: KIND.format.into(),
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
            provenance: draft.provenance.clone(),
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
        KIND.read(bytes)
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
            .number(u64::from(self.provenance.is_some()));
        if let Some(provenance) = &self.provenance {
            fields = provenance.fields(fields);
        }
        fields = fields.number(self.columns.len() as u64);
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
        KIND.check_format(&self.format)?;
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
        if let Some(provenance) = &self.provenance {
            let checked = provenance.check();
            checked.map_err(|why| malformed(format!("provenance: {why}")))?;
        }
        if self.epoch == 0 {
            return Err(malformed("epochs are counted from 1".into()));
        }
        let chunks = self.rows(shape)?.chunks();
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

    fn rows(&self, shape: Shape) -> Result<Rows, VerifyError> {
        let present = usize::try_from(self.rows).ok();
        let fitting = present.filter(|r| (1..=shape.capacity()).contains(r));
        let present = fitting.ok_or_else(|| {
            let (rows, capacity) = (self.rows, shape.capacity());
            VerifyError::Manifest(format!(
                "{rows} rows, where shape {shape} holds 1 to {capacity}"
            ))
        })?;
        Ok(shape.rows(present))
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
    let refuse = |why: String| VerifyError::Encoding {
        place: format!("commitment to column {name}, chunk {chunk}"),
        why,
    };
    let bytes =
        from_base64(text, encoding::G1_BYTES).ok_or_else(|| refuse("not base64url".into()))?;
    encoding::g1(&bytes, "commitment").map_err(|e| refuse(e.to_string()))
}

impl Dataset {
    /// How its rows lie.
    #[must_use]
    pub fn rows(&self) -> Rows {
        let present = usize::try_from(self.manifest.rows).expect("checked against the shape");
        self.shape.rows(present)
    }

    /// Chunks.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.rows().chunks()
    }

    /// Rows of a chunk that hold a patient.
    #[must_use]
    pub fn rows_in_chunk(&self, chunk: usize) -> usize {
        let rows = self.rows();
        rows.present
            .saturating_sub(rows.chunk() * chunk)
            .min(rows.chunk())
    }

    /// What a part of the registration is bound to (`docs/spec/transcript.md`).
    #[must_use]
    pub fn registration_context(&self, part: usize, parts: usize) -> [u8; 32] {
        crate::hash::registration_context(self, part, parts)
    }

    /// The commitments of the base columns that an equation reads, in its order.
    #[must_use]
    pub fn commitments_of(&self, equation: &Equation) -> Vec<&[G1]> {
        let bases = equation.bases().into_iter();
        bases.map(|i| self.commitments[i].as_slice()).collect()
    }
}

fn signed_message(digest: &[u8; 32]) -> Vec<u8> {
    [separator::MANIFEST_SIGNATURE.as_bytes(), &[0], digest].concat()
}
