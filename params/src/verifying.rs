//! The verifying part of a parameter set: one file, whose SHA-256 is the set's id.
//!
//! Layout: `GALENVP4`, then length-prefixed (u32 little-endian, bytes) shape name and mark (`insecure
//! development set` or empty), the verifying commitment string, and for each size of the circuit, in order,
//! the class's length-prefixed name, its circuit's digest (32 bytes) and its verifying key. Group elements
//! are compressed.

use std::{collections::BTreeMap, fmt};

use galen_circuits::{
    circuit::Publics,
    class::{Class, Size},
    groth16::{Prepared, VerifyingKey},
    srs::VerifyingSrs,
};
use sha2::{Digest, Sha256};

use crate::{ParamsError, Shape, pinned};

const MAGIC: &[u8; 8] = b"GALENVP4";
const INSECURE: &str = "insecure development set";

/// A verifying part larger than this is refused unread; an honest one has about 6 kB.
pub const MAX_VERIFYING_BYTES: u64 = 64 << 10;

/// What a verifier needs of a parameter set.
pub struct VerifyingSet {
    id: [u8; 32],
    shape: Shape,
    insecure: bool,
    srs: VerifyingSrs,
    keys: BTreeMap<Size, Prepared>,
}

impl fmt::Debug for VerifyingSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = crate::files::hex(&self.id);
        write!(f, "VerifyingSet({} {id})", self.shape)
    }
}

/// Writes the verifying part of a shape's set; `keys` in the order of [`Size::ALL`].
pub(crate) fn encode(
    shape: Shape,
    insecure: bool,
    srs: &VerifyingSrs,
    keys: &[VerifyingKey],
) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_text(&mut out, shape.name());
    put_text(&mut out, if insecure { INSECURE } else { "" });
    out.extend(srs.to_bytes());
    for (size, key) in Size::ALL.into_iter().zip(keys) {
        let class = shape.class(size);
        put_text(&mut out, &class.name());
        out.extend(circuit_digest(class));
        out.extend(key.to_bytes());
    }
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).expect("short names");
    out.extend(length.to_le_bytes());
    out.extend(text.as_bytes());
}

impl VerifyingSet {
    /// Decodes a verifying part with every point checked, and compares each circuit with the one compiled
    /// into this program.
    ///
    /// # Errors
    /// Says what is malformed, or which circuit is another one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParamsError> {
        if bytes.len() as u64 > MAX_VERIFYING_BYTES {
            return Err(malformed("larger than any honest one"));
        }
        let mut rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| malformed("not a verifying part (GALENVP4)"))?;
        let shape =
            Shape::from_name(take_text(&mut rest)?).ok_or_else(|| malformed("unknown shape"))?;
        let mark = take_text(&mut rest)?;
        if !mark.is_empty() && mark != INSECURE {
            return Err(malformed("unknown mark"));
        }
        let srs = VerifyingSrs::from_bytes(take(&mut rest, VerifyingSrs::BYTES)?)?;
        if srs.log_rows != shape.chunk_bits() {
            return Err(malformed("commitment string of another shape"));
        }
        let mut keys = BTreeMap::new();
        for size in Size::ALL {
            keys.insert(size, take_key(&mut rest, shape.class(size))?);
        }
        if !rest.is_empty() {
            return Err(malformed("trailing bytes"));
        }
        Ok(Self {
            id: Sha256::digest(bytes).into(),
            shape,
            insecure: mark == INSECURE,
            srs,
            keys,
        })
    }

    /// SHA-256 of the verifying part.
    #[must_use]
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether one party generated it and knows its secrets.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.insecure
    }

    /// The commitment string's verifying part.
    #[must_use]
    pub fn srs(&self) -> &VerifyingSrs {
        &self.srs
    }

    /// The key of the circuit of that size.
    #[must_use]
    pub fn key(&self, size: Size) -> &Prepared {
        &self.keys[&size]
    }
}

fn take_key(rest: &mut &[u8], class: Class) -> Result<Prepared, ParamsError> {
    if take_text(rest)? != class.name() {
        return Err(malformed("circuits of another shape or out of order"));
    }
    if take(rest, 32)? != circuit_digest(class) {
        return Err(malformed(&format!(
            "made for another version of the {class} circuit"
        )));
    }
    let bytes = take(rest, VerifyingKey::length(Publics::count(class.rounds)))?;
    Ok(Prepared::new(VerifyingKey::from_bytes(bytes)?))
}

/// The digest of the class's circuit as this program has it.
///
/// # Panics
/// For a class that no shape has.
pub(crate) fn circuit_digest(class: Class) -> [u8; 32] {
    pinned::digest(class).expect("every shape's circuits are pinned")
}

fn malformed(why: &str) -> ParamsError {
    ParamsError::Verifying(why.into())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], ParamsError> {
    let (head, tail) = rest
        .split_at_checked(length)
        .ok_or_else(|| malformed("ends early"))?;
    *rest = tail;
    Ok(head)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, ParamsError> {
    let (length, tail) = rest
        .split_first_chunk()
        .ok_or_else(|| malformed("ends early"))?;
    *rest = tail;
    let length =
        usize::try_from(u32::from_le_bytes(*length)).map_err(|_| malformed("long name"))?;
    std::str::from_utf8(take(rest, length)?).map_err(|_| malformed("name is not UTF-8"))
}
