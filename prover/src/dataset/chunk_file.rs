//! The secret file of one chunk: stored values and blinding factors of its base columns.
//!
//! Layout, little-endian: `GALENBC1`, columns (u32), rows with a patient (u32), rows of a chunk (u32); for
//! each column its blinding factor (32 bytes), commitment (64 bytes) and `rows` values (u16); SHA-256 of
//! all before it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use galen_circuits::{Fr, G1};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::files::write_atomic;
use crate::ProverError;

const MAGIC: &[u8; 8] = b"GALENBC1";
const HEAD: usize = 20;
const COLUMN_HEAD: usize = 96;

/// Base columns of one chunk, in memory.
#[derive(ZeroizeOnDrop)]
pub(crate) struct BaseChunk {
    /// Rows with a patient; the rest of the shape's rows are 0.
    pub rows: usize,
    columns: BTreeMapZeroize,
}

#[derive(Default)]
struct BTreeMapZeroize(BTreeMap<usize, BaseValues>);

impl Zeroize for BTreeMapZeroize {
    fn zeroize(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

/// One base column's values (rows with a patient only), blinding factor and commitment.
#[derive(Clone, Zeroize)]
pub(crate) struct BaseValues {
    pub values: Vec<u16>,
    pub blinding: Fr,
    #[zeroize(skip)]
    pub commitment: G1,
}

pub(super) fn path(folder: &Path, chunk: usize) -> PathBuf {
    folder.join("secret").join(format!("base-{chunk:05}"))
}

/// The refusal of a chunk's file.
pub(super) fn damaged(folder: &Path, chunk: usize) -> ProverError {
    ProverError::Damaged {
        path: path(folder, chunk),
        why: "damaged (its digest or form does not fit, or it is another chunk's); restore it from a backup, or commit the table again as a new epoch".into(),
    }
}

/// Writes the chunk's columns, all of `rows` values.
pub(super) fn write(
    folder: &Path,
    chunk: usize,
    shape_rows: usize,
    columns: &[BaseValues],
) -> Result<(), ProverError> {
    let rows = columns.first().map_or(0, |c| c.values.len());
    let size = |n: usize| u32::try_from(n).expect("shapes are small").to_le_bytes();
    let mut out = MAGIC.to_vec();
    for n in [columns.len(), rows, shape_rows] {
        out.extend_from_slice(&size(n));
    }
    for c in columns {
        c.blinding
            .serialize_uncompressed(&mut out)
            .expect("writing to a Vec cannot fail");
        c.commitment
            .serialize_uncompressed(&mut out)
            .expect("writing to a Vec cannot fail");
        for v in &c.values {
            out.extend_from_slice(&v.to_le_bytes());
        }
    }
    let digest = Sha256::digest(&out);
    out.extend_from_slice(&digest);
    let written = write_atomic(&path(folder, chunk), &out);
    out.zeroize();
    written
}

impl BaseChunk {
    /// Reads the wanted base columns of a chunk.
    pub(crate) fn read(
        folder: &Path,
        chunk: usize,
        columns: usize,
        shape_rows: usize,
        wanted: &[usize],
    ) -> Result<Self, ProverError> {
        let path = path(folder, chunk);
        let mut bytes = fs::read(&path).map_err(ProverError::io(&path))?;
        let parsed = parse(&bytes, columns, shape_rows, wanted);
        bytes.zeroize();
        parsed.ok_or_else(|| damaged(folder, chunk))
    }

    /// One of the wanted columns.
    pub(crate) fn values(&self, index: usize) -> &BaseValues {
        &self.columns.0[&index]
    }
}

fn parse(bytes: &[u8], columns: usize, shape_rows: usize, wanted: &[usize]) -> Option<BaseChunk> {
    let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    let head = body.get(..HEAD)?.strip_prefix(MAGIC)?;
    let number = |i: usize| {
        let four = head.get(4 * i..4 * i + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(four)).ok()
    };
    let (count, rows, shape) = (number(0)?, number(1)?, number(2)?);
    let width = COLUMN_HEAD + 2 * rows;
    if count != columns || shape != shape_rows || rows > shape || body.len() != HEAD + count * width
    {
        return None;
    }
    let mut map = BTreeMapZeroize::default();
    for index in wanted {
        let column = body.get(HEAD + index * width..HEAD + (index + 1) * width)?;
        let (mut blinding, rest) = column.split_at(32);
        let (mut commitment, values) = rest.split_at(64);
        map.0.insert(
            *index,
            BaseValues {
                blinding: Fr::deserialize_uncompressed(&mut blinding).ok()?,
                commitment: G1::deserialize_uncompressed(&mut commitment).ok()?,
                values: values
                    .chunks_exact(2)
                    .map(|b| u16::from_le_bytes([b[0], b[1]]))
                    .collect(),
            },
        );
    }
    Some(BaseChunk { rows, columns: map })
}
