//! Proving an equation (`docs/spec/equation.md`): commitments, sumcheck, circuit, opening.

mod columns;
mod fold;
mod rows;

use std::{collections::BTreeMap, sync::Arc};

use ark_ff::{Field, One, UniformRand, Zero};
use ark_std::rand::{CryptoRng, RngCore, rngs::OsRng};
use zeroize::Zeroize;

use crate::{
    CircuitError, Fr, G1,
    circuit::{self, Publics, Secret, WIDTH},
    commitment::{Blinding, SumsByValue},
    equation::{Cells, Challenges, Equation, Layout, Linear},
    execute::{BaseValues, Execution},
    groth16::{self, ProvingKey},
    mask::Mask,
    opening,
    proof::EquationProof,
    sponge::Sponge,
    srs::Srs,
    sumcheck::{self, Chi},
    transcript,
};
use columns::Committing;
pub(crate) use fold::Folded;
use rows::Slots;

/// A base column of the dataset, as the hospital keeps it.
pub struct BaseColumn<'a> {
    /// Of the rows that hold a patient, in row order.
    pub values: &'a [u16],
    /// One a chunk.
    pub blindings: &'a [Blinding],
    /// One a chunk: public.
    pub commitments: &'a [G1],
}

/// The hospital's store of sums by value: for a key over base columns, the number of its values and a chunk either what
/// is there, or what `make` makes of it, kept if it is worth it.
pub trait SumsStore: Sync {
    /// The sums of a key's column in a chunk, one for each of its `values`: two queries may number the same combination
    /// in tables of different lengths.
    ///
    /// # Errors
    /// Those of `make`, or of the store.
    fn sums(
        &self,
        key: &Linear,
        values: usize,
        chunk: usize,
        make: &dyn Fn() -> Result<SumsByValue, CircuitError>,
    ) -> Result<Arc<SumsByValue>, CircuitError>;
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStore;

impl SumsStore for NoStore {
    fn sums(
        &self,
        _: &Linear,
        _: usize,
        _: usize,
        make: &dyn Fn() -> Result<SumsByValue, CircuitError>,
    ) -> Result<Arc<SumsByValue>, CircuitError> {
        make().map(Arc::new)
    }
}

/// What is proven, and with what.
pub struct Task<'a> {
    /// The commitment string of the equation's chunk size.
    pub srs: &'a Srs,
    /// The key of the layout's class.
    pub key: &'a ProvingKey,
    /// Binds the proof to whoever's it is.
    pub context: &'a [u8],
    /// The equation.
    pub equation: &'a Equation,
    /// What it makes of the table.
    pub execution: &'a Execution,
    /// What is published of the cells.
    pub cells: &'a Cells,
    /// The base columns that it reads.
    pub bases: &'a BTreeMap<usize, BaseColumn<'a>>,
    /// Sums by value.
    pub store: &'a dyn SumsStore,
}

/// What [`Task::prove_watched`] counts up to.
pub const WHOLE: u64 = 100;
// Where the work of a proof over a million rows stands, roughly: sums by value made, what is fixed before and after X
// committed, the rounds over. The opening and the circuit's proof are the rest.
const AFTER_SUMS: u64 = 14;
const BEFORE_ROUNDS: u64 = 40;
const AFTER_ROUNDS: u64 = 72;

/// How often a proof is begun anew when a challenge met a public entry, which happens with probability 2^-224.
const ATTEMPTS: usize = 3;

impl Task<'_> {
    /// Proves it. Every attempt has a salt, a mask and blinders of its own.
    ///
    /// # Errors
    /// [`CircuitError::Unsatisfied`] where the data or the cells are not what the equation says: no proof is made
    /// then. Lengths, capacity.
    pub fn prove(&self) -> Result<EquationProof, CircuitError> {
        self.prove_watched(&|_| {})
    }

    /// As [`Task::prove`], and tells `watch` how far it is, of [`WHOLE`].
    ///
    /// # Errors
    /// As [`Task::prove`].
    pub fn prove_watched(&self, watch: &dyn Fn(u64)) -> Result<EquationProof, CircuitError> {
        self.prove_with(watch, &mut OsRng)
    }

    /// As [`Task::prove_watched`], with the randomness of `rng`, on which all hiding rests: the same randomness gives the same proof. For tests:
    /// two proofs with the same randomness tell what they hide.
    ///
    /// # Errors
    /// As [`Task::prove`].
    pub fn prove_with(
        &self,
        watch: &dyn Fn(u64),
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<EquationProof, CircuitError> {
        let mut result = self.attempt(watch, rng);
        for _ in 1..ATTEMPTS {
            if !matches!(result, Err(CircuitError::Degenerate(_))) {
                break;
            }
            result = self.attempt(watch, rng);
        }
        result
    }

    pub(crate) fn values(&self) -> BaseValues<'_> {
        self.bases.iter().map(|(i, c)| (*i, c.values)).collect()
    }

    fn base_commitments(&self) -> Result<Vec<&[G1]>, CircuitError> {
        let chunks = self.equation.rows.chunks();
        let of = |i: usize| match self.bases.get(&i) {
            Some(c) if c.commitments.len() == chunks && c.blindings.len() == chunks => {
                Ok(c.commitments)
            }
            _ => Err(CircuitError::Malformed("a base column that is not there")),
        };
        self.equation.bases().into_iter().map(of).collect()
    }

    fn attempt(
        &self,
        watch: &dyn Fn(u64),
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<EquationProof, CircuitError> {
        let layout = Layout::new(self.equation, self.cells)?;
        if self.srs.rows() != self.equation.rows.chunk() {
            return Err(CircuitError::Length {
                what: "rows of the commitment string",
                expected: self.equation.rows.chunk(),
                got: self.srs.rows(),
            });
        }
        let bases = self.base_commitments()?;
        let mut committing = Committing::new(self, &layout)?;
        watch(AFTER_SUMS);
        let first = committing.first(rng)?;
        let mask = Mask::fresh(self.srs, rng);
        let mask_commitment = mask.commit(self.srs)?;
        let (context, cells) = (self.context, self.cells);
        let alpha_0 =
            transcript::alpha_0(context, &layout, cells, &bases, &first, &mask_commitment);
        let mut sponge = Sponge::new(WIDTH);
        let mut salt = Fr::rand(rng);
        sponge.absorb(&[alpha_0, salt]);
        let [x, gamma, beta] = [(); 3].map(|()| sponge.squeeze());
        let slots = Slots::new(&layout, x, gamma)?;
        let second = committing.second(&slots, rng)?;
        let alpha_1 = transcript::alpha_1(alpha_0, [x, gamma, beta], &second);
        watch(BEFORE_ROUNDS);
        let (theta, zeta) = transcript::theta_zeta(alpha_1);
        let challenges = Challenges {
            x,
            gamma,
            beta,
            theta,
            zeta,
        };
        let sums = layout.sums(self.cells, &challenges)?;
        sponge.absorb(&[alpha_1]);
        let chi = Chi::new(sponge.squeeze(), &layout);
        let t = weights(sponge.squeeze(), layout.class.rounds)?;
        let values = self.values();
        let wide = slots.wide(&layout, &committing, &chi);
        let mut rows = sumcheck::build(&layout, wide, &values, self.execution, &challenges, &chi)?;
        let tables = slots.short(&layout, &committing, &chi, &sums);
        // A round costs about half of the one before.
        let mut left = AFTER_ROUNDS - BEFORE_ROUNDS;
        let finished = sumcheck::prove(&mut rows, tables, &t, sums.rhs, |message| {
            left /= 2;
            watch(AFTER_ROUNDS - left);
            sponge.absorb(message);
            sponge.squeeze()
        });
        let r = finished.r.clone();
        let evaluations = rows::evaluations(&layout, &rows, &finished, &challenges, &chi)?;
        drop(rows);
        let (low, _) = r.split_at(self.equation.rows.chunk_bits as usize);
        // The mask lies in chunk 0.
        let mask_value = mask.evaluate(low)?;
        sponge.absorb(&evaluations);
        sponge.absorb(&[mask_value]);
        let rho = sponge.squeeze();
        let y = evaluations
            .iter()
            .rev()
            .fold(mask_value, |y, e| y * rho + e);
        let publics = Publics {
            alpha_0,
            x,
            gamma,
            beta,
            alpha_1,
            r,
            rho,
            y,
            rhs: sums.rhs,
        };
        let secret = Secret {
            salt,
            messages: finished.messages.clone(),
            evaluations,
            mask: mask_value,
        };
        salt.zeroize();
        drop(finished);
        let affine = layout.evaluations(&sums, &challenges, &publics.r)?;
        let folded = Folded::new(&affine, rho);
        let mut f = folded.combine(self, &layout, &committing, &slots, &publics.r)?;
        mask.add_to(&mut f, folded.mask)?;
        let seed = transcript::opening_seed(&publics);
        let opened = y - folded.constant;
        let (opening, proof) = rayon::join(
            || opening::open(self.srs, &seed, &f, &publics.r[..low_bits(self)], opened),
            || self.circuit_proof(&layout, &publics, &secret, rng),
        );
        f.zeroize();
        Ok(EquationProof {
            first,
            mask: mask_commitment,
            second,
            challenges: [x, gamma, beta],
            r: publics.r.clone(),
            rho,
            y,
            proof: proof?,
            opening: opening?,
        })
    }

    fn circuit_proof(
        &self,
        layout: &Layout<'_>,
        publics: &Publics,
        secret: &Secret,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<groth16::Proof, CircuitError> {
        let variables = self.key.matrices().variables();
        let assignment = circuit::assign(layout.class, publics, secret, variables);
        groth16::prove(self.key, assignment.values(), rng)
    }
}

fn low_bits(task: &Task<'_>) -> usize {
    task.equation.rows.chunk_bits as usize
}

/// t_j = t₀^(2^j).
fn weights(t_0: Fr, rounds: u32) -> Result<Vec<Fr>, CircuitError> {
    if t_0.is_zero() {
        return Err(CircuitError::Degenerate("t₀ is 0"));
    }
    let squares = std::iter::successors(Some(t_0), |t| Some(t.square()));
    Ok(squares.take(rounds as usize).collect())
}

/// ρ^k for k < count.
pub(crate) fn powers_of(rho: Fr, count: usize) -> Vec<Fr> {
    std::iter::successors(Some(Fr::one()), |p| Some(*p * rho))
        .take(count)
        .collect()
}
