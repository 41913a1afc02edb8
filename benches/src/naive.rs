//! The naive baseline: count and sum under three range predicates over records that are hashed with
//! Poseidon into the leaves of a Merkle tree, all inside one Groth16 circuit. The whole tree is
//! recomputed, one inner node a record, which is cheaper than a path for each record.

use anyhow::{Result, ensure};
use ark_crypto_primitives::{
    crh::{
        CRHScheme, CRHSchemeGadget, TwoToOneCRHScheme, TwoToOneCRHSchemeGadget,
        poseidon::{
            CRH, TwoToOneCRH,
            constraints::{CRHGadget, CRHParametersVar, TwoToOneCRHGadget},
        },
    },
    sponge::poseidon::{PoseidonConfig, find_poseidon_ark_and_mds},
};
use ark_ff::PrimeField;
use ark_r1cs_std::{alloc::AllocVar, boolean::Boolean, eq::EqGadget, fields::fp::FpVar};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use galen_circuits::Fr;

type Fp = FpVar<Fr>;

/// Bits of every value.
const BITS: usize = 10;

/// The sponges of leaves and of inner nodes: x⁵ over BN254 at 128 bits.
#[derive(Clone)]
pub struct Hashes {
    leaf: PoseidonConfig<Fr>,
    node: PoseidonConfig<Fr>,
}

impl Default for Hashes {
    fn default() -> Self {
        Self {
            leaf: poseidon(4, 60),
            node: poseidon(2, 57),
        }
    }
}

/// 8 full rounds, and the partial rounds that the Poseidon paper gives for the width rate + 1.
fn poseidon(rate: usize, partial: usize) -> PoseidonConfig<Fr> {
    let bits = u64::from(Fr::MODULUS_BIT_SIZE);
    let (ark, mds) = find_poseidon_ark_and_mds::<Fr>(bits, rate, 8, partial as u64, 0);
    PoseidonConfig::new(8, partial, 5, mds, ark, rate, 1)
}

/// One patient; every value is below 2¹⁰.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Age in years.
    pub age: u64,
    /// Systolic blood pressure.
    pub sbp: u64,
    /// Body mass index in tenths.
    pub bmi: u64,
    /// What is summed.
    pub hba1c: u64,
}

impl Record {
    fn fields(&self) -> [Fr; 4] {
        [self.age, self.sbp, self.bmi, self.hba1c].map(Fr::from)
    }
}

/// `age BETWEEN from AND to AND sbp > above AND bmi < below`.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Lowest age.
    pub from: u64,
    /// Highest age.
    pub to: u64,
    /// Below every sbp.
    pub above: u64,
    /// Above every bmi.
    pub below: u64,
}

impl Range {
    fn holds(&self, r: &Record) -> bool {
        (self.from..=self.to).contains(&r.age) && r.sbp > self.above && r.bmi < self.below
    }

    fn fields(&self) -> [Fr; 4] {
        [self.from, self.to, self.above, self.below].map(Fr::from)
    }
}

/// The statement with its witness.
#[derive(Clone)]
pub struct Naive {
    hashes: Hashes,
    records: Vec<Record>,
    range: Range,
    root: Fr,
    count: u64,
    sum: u64,
}

impl Naive {
    /// Hashes the tree and answers the query natively.
    ///
    /// # Errors
    /// When the number of records is not a power of two.
    pub fn new(records: Vec<Record>, range: Range) -> Result<Self> {
        ensure!(
            records.len().is_power_of_two(),
            "{} records: a full tree has a power of two",
            records.len()
        );
        let hashes = Hashes::default();
        let root = root(&hashes, &records)?;
        let chosen = records.iter().filter(|r| range.holds(r));
        let (count, sum) = chosen.fold((0, 0), |(n, s), r| (n + 1, s + r.hba1c));
        Ok(Self {
            hashes,
            records,
            range,
            root,
            count,
            sum,
        })
    }

    /// Root, bounds, count and sum: the public inputs in order.
    #[must_use]
    pub fn publics(&self) -> Vec<Fr> {
        let mut out = vec![self.root];
        out.extend(self.range.fields());
        out.extend([self.count, self.sum].map(Fr::from));
        out
    }
}

/// The tree's root, natively.
fn root(hashes: &Hashes, records: &[Record]) -> Result<Fr> {
    let refuse = |e| anyhow::anyhow!("Poseidon: {e}");
    let mut level: Vec<Fr> = records
        .iter()
        .map(|r| CRH::evaluate(&hashes.leaf, r.fields().to_vec()).map_err(refuse))
        .collect::<Result<_>>()?;
    while level.len() > 1 {
        level = level
            .chunks_exact(2)
            .map(|pair| TwoToOneCRH::compress(&hashes.node, pair[0], pair[1]).map_err(refuse))
            .collect::<Result<_>>()?;
    }
    Ok(level[0])
}

impl ConstraintSynthesizer<Fr> for Naive {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let input = |v: Fr| Fp::new_input(cs.clone(), || Ok(v));
        let root = input(self.root)?;
        let [from, to, above, below] = self.range.fields().map(input);
        let (from, to, above, below) = (from?, to?, above?, below?);
        let count = input(Fr::from(self.count))?;
        let sum = input(Fr::from(self.sum))?;
        let leaf = CRHParametersVar {
            parameters: self.hashes.leaf,
        };
        let node = CRHParametersVar {
            parameters: self.hashes.node,
        };
        let mut level = Vec::with_capacity(self.records.len());
        let mut found = Vec::with_capacity(self.records.len());
        let mut summed = Vec::with_capacity(self.records.len());
        for record in &self.records {
            let cells: Vec<Fp> = record
                .fields()
                .iter()
                .map(|v| Fp::new_witness(cs.clone(), || Ok(v)))
                .collect::<Result<_, _>>()?;
            level.push(CRHGadget::evaluate(&leaf, &cells[..])?);
            let literals = [
                at_least(&cells[0], &from)?,
                at_least(&to, &cells[0])?,
                !at_least(&above, &cells[1])?,
                !at_least(&cells[2], &below)?,
            ];
            let chosen = Fp::from(Boolean::kary_and(&literals)?);
            summed.push(&chosen * &cells[3]);
            found.push(chosen);
        }
        while level.len() > 1 {
            level = level
                .chunks_exact(2)
                .map(|pair| TwoToOneCRHGadget::compress(&node, &pair[0], &pair[1]))
                .collect::<Result<_, _>>()?;
        }
        level[0].enforce_equal(&root)?;
        found.iter().sum::<Fp>().enforce_equal(&count)?;
        summed.iter().sum::<Fp>().enforce_equal(&sum)
    }
}

/// a ≥ b by the top bit of a − b + 2¹⁰, which has to fit 11 bits: so a − b lies in [−2¹⁰, 2¹⁰).
fn at_least(a: &Fp, b: &Fp) -> Result<Boolean<Fr>, SynthesisError> {
    let shifted = a - b + Fr::from(1u64 << BITS);
    let (mut bits, _) = shifted.to_bits_le_with_top_bits_zero(BITS + 1)?;
    bits.pop().ok_or(SynthesisError::Unsatisfiable)
}

/// `n` made-up records.
#[must_use]
pub fn records(n: u64) -> Vec<Record> {
    (0..n)
        .map(|i| Record {
            age: 18 + (i * 37) % 82,
            sbp: 70 + (i * 53) % 180,
            bmi: 120 + (i * 101) % 580,
            hba1c: (i * 7919) % 1000,
        })
        .collect()
}

/// A range that some of [`records`] meet.
pub const RANGE: Range = Range {
    from: 40,
    to: 75,
    above: 120,
    below: 350,
};

#[cfg(test)]
mod tests {
    use ark_relations::gr1cs::ConstraintSystem;

    use super::*;

    fn satisfied(circuit: Naive) -> bool {
        let cs = ConstraintSystem::new_ref();
        circuit.generate_constraints(cs.clone()).unwrap();
        cs.finalize();
        cs.is_satisfied().unwrap()
    }

    #[test]
    fn true_statements_satisfy_the_circuit() {
        let circuit = Naive::new(records(8), RANGE).unwrap();
        assert!(circuit.count > 0 && circuit.sum > 0 && circuit.count < 8);
        assert!(satisfied(circuit));
    }

    #[test]
    fn a_wrong_root_count_or_sum_does_not() {
        let good = Naive::new(records(8), RANGE).unwrap();
        let mut root = good.clone();
        root.root += Fr::from(1u64);
        let mut count = good.clone();
        count.count += 1;
        let mut sum = good.clone();
        sum.sum -= 1;
        assert!([root, count, sum].into_iter().all(|c| !satisfied(c)));
    }

    #[test]
    fn each_bound_is_met_exactly() {
        let record = |age, sbp, bmi| Record {
            age,
            sbp,
            bmi,
            hba1c: 1,
        };
        let inside = [record(40, 121, 349), record(75, 121, 349)];
        let outside = [
            record(39, 121, 349),
            record(76, 121, 349),
            record(40, 120, 349),
            record(40, 121, 350),
        ];
        let all = [&inside[..], &outside[..], &outside[..2]].concat();
        let circuit = Naive::new(all, RANGE).unwrap();
        assert_eq!(circuit.count, 2);
        assert!(satisfied(circuit));
    }
}
