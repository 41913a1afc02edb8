//! Inputs of the gates at one size: keys, and columns as a query has them.

use std::{path::Path, sync::Arc};

use anyhow::Result;
use galen_circuits::{
    Fr,
    batch::Claim,
    column::Column,
    gates::{Gate, compare, release},
    hash::ChallengeInput,
    keys::{PreparedKey, ProvingKey},
    prove::{self, Proof},
};
use galen_params::{ParameterStore, Shape, Silent, VerifyingSet};

/// The set of `recode`: one interval.
pub const SET: [(u64, u64); 1] = [(40, 500)];

/// Literals of the selection: consent and three predicates.
pub const LITERALS: u64 = 4;

/// The gates measured, as a registry of narrow columns needs them.
pub const GATES: [Gate; 5] = [
    RECODE,
    Gate::Select,
    Gate::Multiply,
    Gate::Release,
    Gate::Compare,
];

const RECODE: Gate = Gate::Recode { bits: 10 };

/// Keys and columns of `n` rows.
pub struct Fixture {
    /// Rows.
    pub n: usize,
    /// The parameter set.
    pub params: ParameterStore,
    verifying: Arc<VerifyingSet>,
    select: Arc<ProvingKey>,
    multiply: Arc<ProvingKey>,
    recode: Arc<ProvingKey>,
    release: Arc<ProvingKey>,
    compare: Arc<ProvingKey>,
    /// How many of the [`LITERALS`] a row meets.
    pub met: Column,
    /// 1 in every row.
    pub ones: Column,
    /// `select`'s result over `ones`.
    pub cohort: Column,
    /// 1 + 2⁴⁰·v + 2⁸⁰·v².
    pub payload: Column,
    /// `select`'s result over `payload`.
    pub selected: Column,
    /// v, a 10-bit column.
    pub value: Column,
    /// v².
    pub square: Column,
    /// Whether v is in [`SET`].
    pub member: Column,
    zero: Column,
    statement: release::Statement,
    ctx: Fr,
}

impl Fixture {
    /// Opens the parameter set of `shape` below `cache`, made if need be, and commits the columns.
    ///
    /// # Errors
    /// A cache that cannot be read or written.
    pub fn new(cache: &Path, shape: Shape) -> Result<Self> {
        let n = shape.rows();
        let params = ParameterStore::open_development(cache, shape, &GATES, &Silent)?;
        let srs = params.srs();
        let commit = |f: &dyn Fn(u64) -> u64| {
            Column::commit(&srs, (0..n as u64).map(|i| Fr::from(f(i))).collect())
        };
        let value = commit(&value_of)?;
        let square = commit(&|i| value_of(i).pow(2))?;
        let member = commit(&|i| u64::from((SET[0].0..=SET[0].1).contains(&value_of(i))))?;
        let met = commit(&met_of)?;
        let ones = Column::constant(&srs.verifying, Fr::from(1u64));
        let zero = Column::constant(&srs.verifying, Fr::from(0u64));
        let shift = Fr::from(1u64 << release::LIMB_BITS);
        let payload = Column::combination(
            n,
            &[
                (Fr::from(1u64), &ones),
                (shift, &value),
                (shift * shift, &square),
            ],
        )?;
        let chosen = |y: &Column| {
            let rows = (0u64..).zip(y.values());
            let values = rows.map(|(i, y)| {
                if met_of(i) == LITERALS {
                    *y
                } else {
                    Fr::from(0u64)
                }
            });
            Column::commit(&srs, values.collect())
        };
        let (cohort, selected) = (chosen(&ones)?, chosen(&payload)?);
        Ok(Self {
            n,
            verifying: params.verifying(),
            select: params.proving_key(Gate::Select)?,
            multiply: params.proving_key(Gate::Multiply)?,
            recode: params.proving_key(RECODE)?,
            release: params.proving_key(Gate::Release)?,
            compare: params.proving_key(Gate::Compare)?,
            params,
            statement: statement_of(&selected),
            met,
            ones,
            cohort,
            payload,
            selected,
            value,
            square,
            member,
            zero,
            ctx: Fr::from(77u64),
        })
    }

    /// `select` with y = ones.
    #[must_use]
    pub fn prove_select(&self) -> Proof {
        self.selection(&self.ones, &self.cohort)
    }

    /// `select` with the payload of three limbs.
    #[must_use]
    pub fn prove_payload(&self) -> Proof {
        self.selection(&self.payload, &self.selected)
    }

    fn selection(&self, y: &Column, z: &Column) -> Proof {
        prove::select(&self.select, self.ctx, LITERALS, [&self.met, y, z])
            .expect("the fixture is true")
    }

    /// `recode10` of one interval.
    #[must_use]
    pub fn prove_recode(&self) -> Proof {
        let columns = [&self.value, &self.member];
        prove::recode(&self.recode, &self.challenge(), columns).expect("the fixture is true")
    }

    /// `multiply`: v².
    #[must_use]
    pub fn prove_multiply(&self) -> Proof {
        let columns = [&self.value, &self.value, &self.square];
        prove::multiply(&self.multiply, self.ctx, columns).expect("the fixture is true")
    }

    /// `release` of the payload's three cells.
    #[must_use]
    pub fn prove_release(&self) -> Proof {
        prove::release(
            &self.release,
            self.ctx,
            &self.statement,
            [&self.selected, &self.zero, &self.zero, &self.zero],
        )
        .expect("the fixture is true")
    }

    /// `compare` of two of them: the first is at most the second.
    #[must_use]
    pub fn prove_compare(&self) -> Proof {
        let mut statement = compare::Statement::default();
        let [first, _] = &mut statement.comparisons;
        (first.weights[0], first.weights[1]) = (-1, 1);
        prove::compare(
            &self.compare,
            self.ctx,
            &statement,
            [&self.selected, &self.zero, &self.zero, &self.zero],
        )
        .expect("fewer patients than the sum of their values")
    }

    /// The claims of a query over `chunks` chunks: three `recode10` and a `select` each, one `release`.
    #[must_use]
    pub fn claims(&self, chunks: usize) -> Vec<Claim<'_>> {
        let recode = self.recode_claim();
        let select = self.select_claim();
        let mut claims = Vec::with_capacity(4 * chunks + 1);
        for _ in 0..chunks {
            claims.extend([
                recode.clone(),
                recode.clone(),
                recode.clone(),
                select.clone(),
            ]);
        }
        claims.push(self.release_claim());
        claims
    }

    /// The id that [`Self::claims`] are checked under.
    #[must_use]
    pub fn parameter_set(&self) -> &[u8; 32] {
        self.verifying.id()
    }

    /// The proving key of `select`.
    #[must_use]
    pub fn select_key(&self) -> &ProvingKey {
        &self.select
    }

    fn key(&self, gate: Gate) -> &PreparedKey {
        self.verifying.key(gate).expect("one of GATES")
    }

    fn challenge(&self) -> ChallengeInput<'_> {
        ChallengeInput {
            parameter_set: self.verifying.id(),
            gate: "recode10",
            ctx: self.ctx,
            chunk: 0,
            set: &SET,
            x: self.value.commitment(),
            z: self.member.commitment(),
        }
    }

    fn recode_claim(&self) -> Claim<'_> {
        let proof = self.prove_recode();
        Claim {
            key: self.key(RECODE),
            publics: vec![self.ctx, self.challenge().challenge(&proof.d)],
            set: &SET,
            columns: vec![self.value.commitment(), self.member.commitment()],
            proof,
        }
    }

    fn select_claim(&self) -> Claim<'_> {
        Claim {
            key: self.key(Gate::Select),
            publics: vec![self.ctx, Fr::from(LITERALS)],
            set: &[],
            columns: [&self.met, &self.payload, &self.selected]
                .map(Column::commitment)
                .to_vec(),
            proof: self.prove_payload(),
        }
    }

    fn release_claim(&self) -> Claim<'_> {
        Claim {
            key: self.key(Gate::Release),
            publics: [vec![self.ctx], self.statement.publics()].concat(),
            set: &[],
            columns: [&self.selected, &self.zero, &self.zero, &self.zero]
                .map(Column::commitment)
                .to_vec(),
            proof: self.prove_release(),
        }
    }
}

fn statement_of(selected: &Column) -> release::Statement {
    let mut totals = [Fr::from(0u64); release::TOTALS];
    totals[0] = selected.values().iter().sum();
    let limbs = release::all_limbs(&totals).expect("three limbs below 2^40");
    release::Statement {
        bounds: limbs.map(|a| (a, a)),
    }
}

/// v: 10 bits.
fn value_of(row: u64) -> u64 {
    (row * 7919) % 1000
}

/// How many of four literals row `row` meets, each met by about two rows of three.
fn met_of(row: u64) -> u64 {
    let bits = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    (0..LITERALS)
        .filter(|j| !(bits >> (4 * j)).is_multiple_of(3))
        .count() as u64
}

/// A fixture of the smallest shape, in a folder that is gone at the end.
#[cfg(test)]
pub(crate) fn toy() -> Fixture {
    let cache = tempfile::tempdir().unwrap();
    Fixture::new(cache.path(), Shape::Tiny).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proof_of_the_fixture_verifies() {
        let f = toy();
        galen_circuits::batch::verify(f.parameter_set(), &f.claims(2)).unwrap();
    }
}
