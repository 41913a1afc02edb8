//! Proving: D, the Groth16 proof and the link (`docs/spec/committed-groth16.md`).

use ark_ec::CurveGroup;
use ark_ff::{One, UniformRand, Zero};
use ark_groth16::Groth16;
use ark_relations::gr1cs::SynthesisError;
use ark_std::rand::rngs::OsRng;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    CircuitError, E, Fr, G1, G2,
    column::Column,
    encoding,
    gates::{
        Assignment, Circuit, Gate, compare, full_assignment, multiply, recode, release, select,
    },
    hash::ChallengeInput,
    keys::ProvingKey,
    msm::msm,
    qap::CommittedReduction,
};

/// Bytes of an encoded proof: A, B, C, D, π compressed.
pub const PROOF_BYTES: usize = 192;

/// A proof of one gate: Groth16's A, B, C, the commitment D to its slots, and the link π.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Groth16's A.
    pub a: G1,
    /// Groth16's B.
    pub b: G2,
    /// Groth16's C.
    pub c: G1,
    /// The commitment to the slots.
    pub d: G1,
    /// π, the link.
    pub link: G1,
}

impl Proof {
    /// A ‖ B ‖ C ‖ D ‖ π, compressed.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        let mut out = [0; PROOF_BYTES];
        out[..32].copy_from_slice(&encoding::g1_bytes(&self.a));
        out[32..96].copy_from_slice(&encoding::g2_bytes(&self.b));
        out[96..128].copy_from_slice(&encoding::g1_bytes(&self.c));
        out[128..160].copy_from_slice(&encoding::g1_bytes(&self.d));
        out[160..].copy_from_slice(&encoding::g1_bytes(&self.link));
        out
    }

    /// Decodes with full validation; no element may be the identity.
    ///
    /// # Errors
    /// Names the element that is not a canonical, valid point.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CircuitError> {
        if bytes.len() != PROOF_BYTES {
            return Err(CircuitError::Length {
                what: "bytes of a proof",
                expected: PROOF_BYTES,
                got: bytes.len(),
            });
        }
        Ok(Self {
            a: encoding::g1(&bytes[..32], "A")?,
            b: encoding::g2(&bytes[32..96], "B")?,
            c: encoding::g1(&bytes[96..128], "C")?,
            d: encoding::g1(&bytes[128..160], "D")?,
            link: encoding::g1(&bytes[160..], "link")?,
        })
    }
}

/// Proves zᵢ = yᵢ where xᵢ = k, else 0.
///
/// # Errors
/// When the key is not `select`'s, a column has the wrong length, or the statement is false.
pub fn select(
    pk: &ProvingKey,
    ctx: Fr,
    k: u64,
    [x, y, z]: [&Column; 3],
) -> Result<Proof, CircuitError> {
    expect_gate(pk, Gate::Select)?;
    let columns = [x, y, z];
    check_rows(pk, &columns)?;
    let assignment = |rho| select::Assignment {
        ctx,
        k: Fr::from(k),
        rho,
        x: x.values(),
        y: y.values(),
        z: z.values(),
    };
    refuse(pk, select::violation(&assignment(Fr::zero())))?;
    let committed = Committed::draw(pk, &columns.map(Column::values), &[])?;
    committed.finish(pk, &columns, Assignment::Select(assignment(committed.rho)))
}

/// Proves zᵢ = xᵢ·yᵢ.
///
/// # Errors
/// When the key is not `multiply`'s, a column has the wrong length, or the statement is false.
pub fn multiply(pk: &ProvingKey, ctx: Fr, [x, y, z]: [&Column; 3]) -> Result<Proof, CircuitError> {
    expect_gate(pk, Gate::Multiply)?;
    let columns = [x, y, z];
    check_rows(pk, &columns)?;
    let assignment = |rho| multiply::Assignment {
        ctx,
        rho,
        x: x.values(),
        y: y.values(),
        z: z.values(),
    };
    refuse(pk, multiply::violation(&assignment(Fr::zero())))?;
    let committed = Committed::draw(pk, &columns.map(Column::values), &[])?;
    committed.finish(
        pk,
        &columns,
        Assignment::Multiply(assignment(committed.rho)),
    )
}

/// Proves zᵢ = 1 where xᵢ ∈ S, else 0. The challenge's commitments are taken from the columns.
///
/// # Errors
/// When the key does not fit `input.gate`, a column has the wrong length, some xᵢ is not in the table,
/// or the statement is false.
pub fn recode(
    pk: &ProvingKey,
    input: &ChallengeInput<'_>,
    [x, z]: [&Column; 2],
) -> Result<Proof, CircuitError> {
    let Gate::Recode { bits } = pk.gate else {
        return Err(wrong_key(pk, Gate::Recode { bits: 10 }));
    };
    let input = ChallengeInput {
        x: x.commitment(),
        z: z.commitment(),
        ..*input
    };
    let columns = [x, z];
    check_rows(pk, &columns)?;
    let set = indicator(bits, input.set)?;
    let counts = recode::multiplicities(bits, x.values())
        .map_err(|row| unsatisfied(pk.gate, format!("row {row} is outside the table")))?;
    check_membership(pk.gate, x.values(), z.values(), &set)?;
    loop {
        let committed = Committed::draw(pk, &columns.map(Column::values), &counts)?;
        let challenge = input.challenge(&committed.d);
        let fractions = recode::fractions(bits, challenge, x.values(), z.values(), &counts, &set);
        let Some((mut iota, mut g)) = fractions else {
            continue; // a pole, with probability about n/2^254: draw ρ again
        };
        let assignment = recode::Assignment {
            ctx: input.ctx,
            challenge,
            rho: committed.rho,
            x: x.values(),
            z: z.values(),
            multiplicities: &counts,
            set: &set,
            iota: &iota,
            g: &g,
        };
        let proof = committed.finish(pk, &columns, Assignment::Recode(assignment));
        iota.zeroize();
        g.zeroize();
        return proof;
    }
}

/// Proves that `statement` is what the rule publishes of the columns' totals. Each column is a payload
/// summed over all chunks; an unused one is the zero column.
///
/// # Errors
/// When the key is not `release`'s, a column has the wrong length, or the statement is false.
pub fn release(
    pk: &ProvingKey,
    ctx: Fr,
    statement: &release::Statement,
    columns: [&Column; release::TOTALS],
) -> Result<Proof, CircuitError> {
    expect_gate(pk, Gate::Release)?;
    check_rows(pk, &columns)?;
    let totals = totals(&columns);
    let assignment = |rho| release::Assignment {
        ctx,
        statement,
        rho,
        totals: &totals,
    };
    refuse(pk, release::violation(&assignment(Fr::zero())))?;
    let committed = Committed::draw(pk, &[&totals[..]], &[])?;
    committed.finish(pk, &columns, Assignment::Release(assignment(committed.rho)))
}

/// Proves that the inequalities of `statement` hold for the limbs of the columns' totals, which are those
/// of a [`release`].
///
/// # Errors
/// When the key is not `compare`'s, a column has the wrong length, or the statement is false.
pub fn compare(
    pk: &ProvingKey,
    ctx: Fr,
    statement: &compare::Statement,
    columns: [&Column; release::TOTALS],
) -> Result<Proof, CircuitError> {
    expect_gate(pk, Gate::Compare)?;
    check_rows(pk, &columns)?;
    let totals = totals(&columns);
    let assignment = |rho| compare::Assignment {
        ctx,
        statement,
        rho,
        totals: &totals,
    };
    refuse(pk, compare::violation(&assignment(Fr::zero())))?;
    let committed = Committed::draw(pk, &[&totals[..]], &[])?;
    committed.finish(pk, &columns, Assignment::Compare(assignment(committed.rho)))
}

/// The sum of each column's rows.
fn totals(columns: &[&Column; release::TOTALS]) -> Zeroizing<[Fr; release::TOTALS]> {
    Zeroizing::new(columns.map(|c| c.values().iter().sum()))
}

/// ρ, D and what they were made of.
struct Committed<'a> {
    rho: Fr,
    d: G1,
    free: &'a [Fr],
}

impl Drop for Committed<'_> {
    fn drop(&mut self) {
        self.rho.zeroize();
    }
}

impl<'a> Committed<'a> {
    fn draw(pk: &ProvingKey, slots: &[&[Fr]], free: &'a [Fr]) -> Result<Self, CircuitError> {
        let rho = Fr::rand(&mut OsRng);
        let mut scalars = vec![rho];
        for slot in slots {
            scalars.extend_from_slice(slot);
        }
        scalars.extend_from_slice(free);
        let bases = pk.committed_bases();
        if bases.len() != scalars.len() {
            return Err(CircuitError::Length {
                what: "committed slots",
                expected: bases.len(),
                got: scalars.len(),
            });
        }
        let d = msm(bases, &scalars).into_affine();
        scalars.zeroize();
        Ok(Self { rho, d, free })
    }

    fn finish(
        &self,
        pk: &ProvingKey,
        columns: &[&Column],
        assignment: Assignment<'_>,
    ) -> Result<Proof, CircuitError> {
        let gate = pk.gate;
        let circuit = Circuit {
            gate,
            n: pk.n,
            assignment: Some(assignment),
        };
        let mut values = full_assignment(circuit)?;
        let m = &pk.matrices;
        if values.len() != m.instance + m.witness {
            return Err(CircuitError::Length {
                what: "assignment",
                expected: m.instance + m.witness,
                got: values.len(),
            });
        }
        let (groth16, link) = rayon::join(
            || {
                Groth16::<E, CommittedReduction>::create_proof_with_reduction_and_matrices(
                    &pk.groth16,
                    Fr::rand(&mut OsRng),
                    Fr::rand(&mut OsRng),
                    &m.abc,
                    m.instance,
                    m.constraints,
                    &values,
                )
            },
            || self.link(pk, columns),
        );
        values.zeroize();
        let groth16 = groth16.map_err(|source| match source {
            SynthesisError::Unsatisfiable => unsatisfied(gate, "a constraint does not hold".into()),
            source => CircuitError::Synthesis { gate, source },
        })?;
        Ok(Proof {
            a: groth16.a,
            b: groth16.b,
            c: groth16.c,
            d: self.d,
            link,
        })
    }

    /// π = Σ slot·P + Σ r_s·P_{s,h} + ρ·P_ρ.
    fn link(&self, pk: &ProvingKey, columns: &[&Column]) -> G1 {
        let key = &pk.link;
        let mut sum = msm(&key.free, self.free) + key.rho * self.rho;
        for ((column, rows), blinding) in columns.iter().zip(&key.rows).zip(&key.blinding) {
            sum += msm(rows, column.values());
            sum += *blinding * column.blinding();
        }
        sum.into_affine()
    }
}

/// S as a 0/1 vector over the table.
fn indicator(bits: u32, set: &[(u64, u64)]) -> Result<Vec<Fr>, CircuitError> {
    let table = 1u64 << bits;
    let mut out = vec![Fr::zero(); 1 << bits];
    for (first, last) in set {
        if first > last || *last >= table {
            return Err(CircuitError::Encoding {
                what: "set S",
                why: "reaches outside the table",
            });
        }
        for t in *first..=*last {
            out[usize::try_from(t).expect("below 2^16")] = Fr::one();
        }
    }
    Ok(out)
}

fn check_membership(gate: Gate, x: &[Fr], z: &[Fr], set: &[Fr]) -> Result<(), CircuitError> {
    use ark_ff::PrimeField;
    let wrong = x.iter().zip(z).position(|(x, z)| {
        let t = usize::try_from(x.into_bigint().0[0]).unwrap_or(usize::MAX);
        set.get(t) != Some(z)
    });
    match wrong {
        None => Ok(()),
        Some(row) => Err(unsatisfied(gate, format!("C1 at row {row}"))),
    }
}

fn check_rows(pk: &ProvingKey, columns: &[&Column]) -> Result<(), CircuitError> {
    for c in columns {
        if c.values().len() != pk.n {
            return Err(CircuitError::Length {
                what: "rows of a column",
                expected: pk.n,
                got: c.values().len(),
            });
        }
    }
    Ok(())
}

fn expect_gate(pk: &ProvingKey, gate: Gate) -> Result<(), CircuitError> {
    if pk.gate == gate {
        Ok(())
    } else {
        Err(wrong_key(pk, gate))
    }
}

fn wrong_key(pk: &ProvingKey, expected: Gate) -> CircuitError {
    CircuitError::WrongKey {
        expected,
        expected_rows: pk.n,
        got: pk.gate,
        got_rows: pk.n,
    }
}

fn refuse(pk: &ProvingKey, violation: Option<(&'static str, usize)>) -> Result<(), CircuitError> {
    match violation {
        None => Ok(()),
        Some((constraint, row)) => Err(unsatisfied(pk.gate, format!("{constraint} at row {row}"))),
    }
}

fn unsatisfied(gate: Gate, detail: String) -> CircuitError {
    CircuitError::Unsatisfied { gate, detail }
}
