//! Proving and verifying keys of a gate.

use ark_ec::{AffineRepr, pairing::Pairing};
use ark_groth16::ProvingKey as Groth16ProvingKey;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, SerializationError};

use crate::{
    CircuitError, E, G1, G2,
    gates::{Gate, Layout, Matrices, SlotKind},
};

type G2Prepared = <E as Pairing>::G2Prepared;

/// The prover's side of the link: bases of the one-element proof π.
#[derive(Clone, CanonicalSerialize, CanonicalDeserialize)]
pub struct LinkProvingKey {
    /// P_{s,i} = k_s·gᵢ + k_D·K_{s,i} for each column slot s and row i (a total slot has K_{s,i} = K_s).
    pub rows: Vec<Vec<G1>>,
    /// P_{s,h} = k_s·h for each column slot.
    pub blinding: Vec<G1>,
    /// P_ρ = k_D·K_ρ.
    pub rho: G1,
    /// P_{m,t} = k_D·K_{m,t} for the free slot, if any.
    pub free: Vec<G1>,
}

/// What a prover needs for a gate.
#[derive(Clone)]
pub struct ProvingKey {
    /// The gate.
    pub gate: Gate,
    /// Rows of a column.
    pub n: usize,
    /// arkworks' key; `vk.gamma_abc_g1` holds the bases K.
    pub groth16: Groth16ProvingKey<E>,
    /// The link's bases.
    pub link: LinkProvingKey,
    /// The constraint matrices, rebuilt from the circuit and never read from a file.
    pub matrices: Matrices,
}

/// What a verifier needs for a gate.
#[derive(Clone, CanonicalSerialize, CanonicalDeserialize)]
pub struct VerifyingKey {
    /// α in G1.
    pub alpha_g1: G1,
    /// β in G2.
    pub beta_g2: G2,
    /// δ in G2.
    pub delta_g2: G2,
    /// K for 1 and the public inputs.
    pub ic: Vec<G1>,
    /// Prefix sums of K over the public slot (2^bits + 1 of them for `recode`), else empty.
    pub public_prefix: Vec<G1>,
    /// k_s in G2 for each column slot.
    pub link_columns: Vec<G2>,
    /// k_D in G2.
    pub link_d: G2,
}

/// A verifying key of a known gate with its pairing inputs prepared once.
#[derive(Clone)]
pub struct PreparedKey {
    /// The gate.
    pub gate: Gate,
    /// Rows of a column.
    pub n: usize,
    /// The key.
    pub key: VerifyingKey,
    pub(crate) beta: G2Prepared,
    pub(crate) delta: G2Prepared,
    pub(crate) link_columns: Vec<G2Prepared>,
    pub(crate) link_d: G2Prepared,
}

impl std::fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PreparedKey({} over {} rows)", self.gate, self.n)
    }
}

impl std::fmt::Debug for ProvingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProvingKey({} over {} rows)", self.gate, self.n)
    }
}

impl PreparedKey {
    /// Checks the key's lengths against the gate's layout and prepares it.
    ///
    /// # Errors
    /// When the key is not one of `gate` over `n` rows, or holds the identity where none may be.
    pub fn new(gate: Gate, n: usize, key: VerifyingKey) -> Result<Self, CircuitError> {
        let layout = gate.layout(n);
        let length = |what, expected, got| {
            if expected == got {
                Ok(())
            } else {
                Err(CircuitError::Length {
                    what,
                    expected,
                    got,
                })
            }
        };
        length("IC bases", layout.publics + 1, key.ic.len())?;
        let public = layout.public_slot().len();
        let prefixes = if public == 0 { 0 } else { public + 1 };
        length("public slot bases", prefixes, key.public_prefix.len())?;
        length("link elements", layout.columns(), key.link_columns.len())?;
        let degenerate = key.alpha_g1.is_zero()
            || key.ic.iter().any(AffineRepr::is_zero)
            || [key.beta_g2, key.delta_g2, key.link_d]
                .iter()
                .chain(&key.link_columns)
                .any(AffineRepr::is_zero);
        if degenerate {
            return Err(CircuitError::DegenerateSetup { gate });
        }
        Ok(Self {
            gate,
            n,
            beta: key.beta_g2.into(),
            delta: key.delta_g2.into(),
            link_columns: key.link_columns.iter().map(|p| (*p).into()).collect(),
            link_d: key.link_d.into(),
            key,
        })
    }
}

impl ProvingKey {
    /// Puts a stored key together with the circuit's own matrices.
    ///
    /// # Errors
    /// When a length does not fit the gate's layout.
    pub fn new(
        gate: Gate,
        n: usize,
        groth16: Groth16ProvingKey<E>,
        link: LinkProvingKey,
    ) -> Result<Self, CircuitError> {
        let matrices = Matrices::of(gate, n)?;
        let key = Self {
            gate,
            n,
            groth16,
            link,
            matrices,
        };
        key.check_lengths()?;
        Ok(key)
    }

    fn check_lengths(&self) -> Result<(), CircuitError> {
        let layout = self.gate.layout(self.n);
        let m = &self.matrices;
        let free: usize = slot_len(&layout, SlotKind::Free);
        let checks = [
            ("instance variables", layout.instance(), m.instance),
            ("bases K", m.instance, self.groth16.vk.gamma_abc_g1.len()),
            (
                "A bases",
                m.instance + m.witness,
                self.groth16.a_query.len(),
            ),
            (
                "B bases",
                m.instance + m.witness,
                self.groth16.b_g1_query.len(),
            ),
            (
                "B bases in G2",
                m.instance + m.witness,
                self.groth16.b_g2_query.len(),
            ),
            ("L bases", m.witness, self.groth16.l_query.len()),
            (
                "H bases",
                m.constraints.next_power_of_two() - 1,
                self.groth16.h_query.len(),
            ),
            ("link slots", layout.columns(), self.link.rows.len()),
            (
                "link blinding bases",
                layout.columns(),
                self.link.blinding.len(),
            ),
            ("link free bases", free, self.link.free.len()),
        ];
        let rows = self
            .link
            .rows
            .iter()
            .map(|r| ("link rows", self.n, r.len()));
        for (what, expected, got) in checks.into_iter().chain(rows) {
            if expected != got {
                return Err(CircuitError::Length {
                    what,
                    expected,
                    got,
                });
            }
        }
        Ok(())
    }

    /// The bases of D: K_ρ and the committed slots'.
    pub fn committed_bases(&self) -> &[G1] {
        &self.groth16.vk.gamma_abc_g1[self.gate.layout(self.n).committed()]
    }

    /// Writes the key (uncompressed, little-endian, the order of the fields).
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write(&self, mut out: impl std::io::Write) -> Result<(), SerializationError> {
        self.groth16.serialize_uncompressed(&mut out)?;
        self.link.serialize_uncompressed(&mut out)
    }

    /// Reads a key whose bytes have been checked against a digest: points are not validated again.
    ///
    /// # Errors
    /// When the bytes end early or the lengths do not fit the gate.
    pub fn read_trusted(gate: Gate, n: usize, mut bytes: &[u8]) -> Result<Self, CircuitError> {
        let refuse = |_| CircuitError::Encoding {
            what: "proving key",
            why: "not a key of this form",
        };
        let groth16 =
            Groth16ProvingKey::deserialize_uncompressed_unchecked(&mut bytes).map_err(refuse)?;
        let link =
            LinkProvingKey::deserialize_uncompressed_unchecked(&mut bytes).map_err(refuse)?;
        if !bytes.is_empty() {
            return Err(CircuitError::Encoding {
                what: "proving key",
                why: "trailing bytes",
            });
        }
        Self::new(gate, n, groth16, link)
    }
}

fn slot_len(layout: &Layout, kind: SlotKind) -> usize {
    layout
        .slots
        .iter()
        .filter(|s| s.kind == kind)
        .map(|s| s.len)
        .sum()
}
