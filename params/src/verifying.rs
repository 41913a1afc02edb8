//! The verifying part of a parameter set: one file, whose SHA-256 is the set's id.
//!
//! Layout: `GALENVP2`, then length-prefixed (u32 little-endian, bytes) shape name and mark (`insecure
//! development set` or empty), the verifying commitment string, the number of gates (u32), and for each
//! gate its length-prefixed name, its circuit digest (32 bytes) and its verifying key. Group elements
//! are uncompressed arkworks encodings.

use std::collections::BTreeMap;

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, Compress, Validate};
use galen_circuits::{
    gates::{Gate, Matrices},
    keys::{PreparedKey, VerifyingKey},
    srs::VerifyingSrs,
};
use sha2::{Digest, Sha256};

use crate::{ParamsError, Shape};

const MAGIC: &[u8; 8] = b"GALENVP2";
const INSECURE: &str = "insecure development set";

/// A verifying part larger than this is refused unread: the largest shape with all gates has 7 MB.
pub const MAX_VERIFYING_BYTES: u64 = 32 << 20;

/// What a verifier needs of a parameter set.
#[derive(Debug, Clone)]
pub struct VerifyingSet {
    id: [u8; 32],
    shape: Shape,
    insecure: bool,
    srs: VerifyingSrs,
    keys: BTreeMap<Gate, PreparedKey>,
}

/// One gate's verifying key and the digest of its circuit.
pub(crate) struct GatePart {
    pub gate: Gate,
    pub circuit: [u8; 32],
    pub key: VerifyingKey,
}

/// Writes the verifying part.
pub(crate) fn encode(
    shape: Shape,
    insecure: bool,
    srs: &VerifyingSrs,
    gates: &[GatePart],
) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_text(&mut out, shape.name());
    put_text(&mut out, if insecure { INSECURE } else { "" });
    put(&mut out, srs);
    put(
        &mut out,
        &u32::try_from(gates.len()).expect("a handful of gates"),
    );
    for part in gates {
        put_text(&mut out, &part.gate.name());
        out.extend_from_slice(&part.circuit);
        put(&mut out, &part.key);
    }
    out
}

fn put(out: &mut Vec<u8>, value: &impl CanonicalSerialize) {
    value
        .serialize_uncompressed(out)
        .expect("writing to a Vec cannot fail");
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, &u32::try_from(text.len()).expect("short names"));
    out.extend_from_slice(text.as_bytes());
}

impl VerifyingSet {
    /// Decodes a verifying part with every point validated, and checks each gate's circuit against the
    /// one compiled into this program.
    ///
    /// # Errors
    /// Says what is malformed, or which gate's circuit is another one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParamsError> {
        if bytes.len() as u64 > MAX_VERIFYING_BYTES {
            return Err(malformed("larger than any honest one"));
        }
        let mut rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| malformed("not a verifying part (GALENVP2)"))?;
        let name = take_text(&mut rest)?;
        let shape = Shape::from_name(&name).ok_or_else(|| malformed("unknown shape"))?;
        let mark = take_text(&mut rest)?;
        if !mark.is_empty() && mark != INSECURE {
            return Err(malformed("unknown mark"));
        }
        let srs: VerifyingSrs = take(&mut rest)?;
        if srs.rows() != shape.rows() {
            return Err(malformed("commitment string of another shape"));
        }
        let count: u32 = take(&mut rest)?;
        let mut keys = BTreeMap::new();
        for _ in 0..count {
            let gate =
                Gate::from_name(&take_text(&mut rest)?).ok_or_else(|| malformed("unknown gate"))?;
            let circuit = take_bytes(&mut rest, 32)?;
            if keys.last_key_value().is_some_and(|(last, _)| *last >= gate) {
                return Err(malformed("gates out of order"));
            }
            if circuit != circuit_digest(gate, shape)? {
                return Err(malformed(&format!(
                    "made for another version of the {gate} circuit"
                )));
            }
            let key: VerifyingKey = take(&mut rest)?;
            keys.insert(gate, PreparedKey::new(gate, shape.rows(), key)?);
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

    /// The gates it has keys for.
    pub fn gates(&self) -> impl Iterator<Item = Gate> + '_ {
        self.keys.keys().copied()
    }

    /// A gate's key.
    ///
    /// # Errors
    /// When the set does not hold the gate.
    pub fn key(&self, gate: Gate) -> Result<&PreparedKey, ParamsError> {
        self.keys.get(&gate).ok_or(ParamsError::MissingGate(gate))
    }
}

/// The digest of the gate's matrices over the shape's rows, computed once in a process.
pub(crate) fn circuit_digest(gate: Gate, shape: Shape) -> Result<[u8; 32], ParamsError> {
    use std::sync::Mutex;
    static KNOWN: Mutex<BTreeMap<(Gate, Shape), [u8; 32]>> = Mutex::new(BTreeMap::new());
    let lock = || {
        KNOWN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    if let Some(digest) = lock().get(&(gate, shape)) {
        return Ok(*digest);
    }
    let digest = Matrices::of(gate, shape.rows())?.digest();
    lock().insert((gate, shape), digest);
    Ok(digest)
}

fn malformed(why: &str) -> ParamsError {
    ParamsError::Verifying(why.into())
}

/// A value in its one encoding: arkworks takes several for some points, and a set has one id.
fn take<T: CanonicalDeserialize + CanonicalSerialize>(rest: &mut &[u8]) -> Result<T, ParamsError> {
    let before = *rest;
    let value = T::deserialize_with_mode(&mut *rest, Compress::No, Validate::Yes)
        .map_err(|_| malformed("ends early or holds an invalid point"))?;
    let mut again = Vec::new();
    put(&mut again, &value);
    if before.get(..before.len() - rest.len()) != Some(&again) {
        return Err(malformed("a value is not in its canonical encoding"));
    }
    Ok(value)
}

fn take_bytes<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], ParamsError> {
    let (head, tail) = rest
        .split_at_checked(len)
        .ok_or_else(|| malformed("ends early"))?;
    *rest = tail;
    Ok(head)
}

fn take_text(rest: &mut &[u8]) -> Result<String, ParamsError> {
    let len: u32 = take(rest)?;
    let bytes = take_bytes(
        rest,
        usize::try_from(len).map_err(|_| malformed("long name"))?,
    )?;
    String::from_utf8(bytes.to_vec()).map_err(|_| malformed("name is not UTF-8"))
}
