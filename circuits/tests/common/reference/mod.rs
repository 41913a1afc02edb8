//! A second prover, written from `docs/spec/equation.md`: dense columns and no tricks. It proves whatever columns it
//! is given, true or not, as well as that can be done.

pub mod columns;
mod combine;
mod sum;

use ark_ff::{Field, UniformRand, Zero};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{
    CircuitError, Fr,
    circuit::{self, Publics, Secret, WIDTH},
    commitment::{self, Blinding},
    equation::{Challenges, Committed, Layout},
    execute::Execution,
    groth16,
    mask::Mask,
    opening,
    proof::EquationProof,
    sponge::Sponge,
    sumcheck::Claims,
    transcript::{self, Chunks},
};

use super::{Statement, forge, keys};
use columns::Columns;
use combine::Combined;

/// What it does where its columns do not satisfy the equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// It goes on, and the circuit's prover refuses.
    Honest,
    /// It claims evaluations that satisfy the circuit.
    ForgeEvaluations,
}

/// The prover with the columns that it commits to.
pub struct Reference<'a> {
    statement: &'a Statement<'a>,
    pub layout: Layout<'a>,
    /// 2^L values each; what is committed after X joins them.
    pub columns: Columns,
    /// Changes the columns that are committed after X.
    pub second: Box<dyn Fn(&mut Columns) + 'a>,
    blindings: Vec<(Committed, Vec<Blinding>)>,
}

/// A proof with the transcript that it hides.
pub struct Proven {
    pub proof: EquationProof,
    pub publics: Publics,
    pub secret: Secret,
}

impl<'a> Reference<'a> {
    pub fn new(statement: &'a Statement<'a>, execution: &Execution) -> Self {
        let layout = statement.layout();
        Self {
            columns: columns::honest(statement, &layout, execution),
            statement,
            layout,
            second: Box::new(|_| {}),
            blindings: Vec::new(),
        }
    }

    /// Counts anew how often each entry is looked up.
    pub fn recount(&mut self) {
        columns::recount(&self.layout, &mut self.columns);
    }

    fn commit(&mut self, wanted: Vec<Committed>) -> Vec<Chunks> {
        let n = self.layout.equation.rows.chunk();
        let mut all = Vec::new();
        for column in wanted {
            let values = &self.columns[&column];
            let (mut points, mut blindings) = (Vec::new(), Vec::new());
            for chunk in values.chunks(n).take(self.layout.chunks(column)) {
                let blinding = Blinding::fresh();
                points
                    .push(commitment::commit(&self.statement.world.srs, chunk, &blinding).unwrap());
                blindings.push(blinding);
            }
            all.push(points);
            self.blindings.push((column, blindings));
        }
        all
    }

    /// The columns that are committed after X.
    fn add_reciprocals(&mut self, c: [Fr; 2]) {
        for (index, slot) in self.layout.slots.iter().enumerate() {
            let mut e = columns::denominators(&self.layout, &self.columns, *slot, c);
            ark_ff::batch_inversion(&mut e);
            e[columns::committed_rows(&self.layout, *slot)..].fill(Fr::zero());
            self.columns.insert(Committed::Reciprocal(index), e);
        }
        for slot in 0..self.layout.table_slots.len() {
            let mut e = columns::table_denominators(&self.layout, slot, c);
            ark_ff::batch_inversion(&mut e);
            let m = &self.columns[&Committed::Multiplicity(slot)];
            e.iter_mut().zip(m).for_each(|(e, m)| *e *= -*m);
            self.columns.insert(Committed::Entries(slot), e);
        }
        (self.second)(&mut self.columns);
    }

    /// Proves.
    pub fn prove(mut self, strategy: Strategy) -> Result<Proven, CircuitError> {
        let srs = self.statement.world.srs.clone();
        let first = self.commit(self.layout.first_columns());
        let mask = Mask::fresh(&srs, &mut OsRng);
        let mask_commitment = mask.commit(&srs)?;
        let alpha_0 = transcript::alpha_0(
            &self.statement.context,
            &self.layout,
            &self.statement.cells,
            &self.statement.commitments(),
            &first,
            &mask_commitment,
        );
        let salt = Fr::rand(&mut OsRng);
        let mut sponge = Sponge::new(WIDTH);
        sponge.absorb(&[alpha_0, salt]);
        let [x, gamma, beta] = [(); 3].map(|()| sponge.squeeze());
        self.add_reciprocals([x, gamma]);
        let second = self.commit(self.layout.second_columns());
        let alpha_1 = transcript::alpha_1(alpha_0, [x, gamma, beta], &second);
        let (theta, zeta) = transcript::theta_zeta(alpha_1);
        let challenges = Challenges {
            x,
            gamma,
            beta,
            theta,
            zeta,
        };
        let (rhs, weights) = combine::sums(self.statement, &self.layout, &challenges);
        sponge.absorb(&[alpha_1]);
        let (chi, t_0) = (sponge.squeeze(), sponge.squeeze());
        let mut sum = self.sum(&challenges, chi, &weights);
        let bits = self.layout.class.rounds as usize;
        let squares = std::iter::successors(Some(t_0), |t| Some(t.square()));
        let t: Vec<Fr> = squares.take(bits).collect();
        let mut claims = Claims {
            constraints: Fr::zero(),
            sum: rhs,
        };
        let (mut messages, mut r) = (Vec::new(), vec![Fr::zero(); bits]);
        for j in (0..bits).rev() {
            let message = sum.dense.message(&sum.constraints, &sum.sum, &t[..j]);
            sponge.absorb(&message);
            r[j] = sponge.squeeze();
            let delta = claims.delta(&message, t[j].inverse().unwrap());
            claims = claims.next(&message, delta, r[j]);
            sum.dense.bind(r[j]);
            messages.push(message);
        }
        let honest = sum.evaluations();
        let mut evaluations = honest.clone();
        if strategy == Strategy::ForgeEvaluations {
            forge::satisfy(self.layout.class, &mut evaluations, chi, claims);
        }
        let low = &r[..self.layout.equation.rows.chunk_bits as usize];
        let mask_value = mask.evaluate(low)?;
        sponge.absorb(&evaluations);
        sponge.absorb(&[mask_value]);
        let rho = sponge.squeeze();
        let y = horner(&evaluations, mask_value, rho);
        let publics = Publics {
            alpha_0,
            x,
            gamma,
            beta,
            alpha_1,
            r: r.clone(),
            rho,
            y,
            rhs,
        };
        let secret = Secret {
            salt,
            messages,
            evaluations,
            mask: mask_value,
        };
        let keys = keys(self.layout.class);
        let variables = keys.0.matrices().variables();
        let assignment = circuit::assign(self.layout.class, &publics, &secret, variables);
        let proof = groth16::prove(&keys.0, assignment.values(), &mut OsRng)?;
        let combined = Combined::new(&self.layout, &challenges, &weights, &r, rho);
        let f = self.opened(&combined, &mask, &r);
        let constant = horner(&honest, mask_value, rho) - value(&f, low);
        let opening = self.open(f, &publics, low, y - constant)?;
        let proof = EquationProof {
            first,
            mask: mask_commitment,
            second,
            challenges: [x, gamma, beta],
            r: r.clone(),
            rho,
            y,
            proof,
            opening,
        };
        Ok(Proven {
            proof,
            publics,
            secret,
        })
    }

    /// The coefficients of what is opened.
    fn opened(&self, combined: &Combined, mask: &Mask, r: &[Fr]) -> Vec<Fr> {
        let n = self.layout.equation.rows.chunk();
        let high = galen_circuits::multilinear::eq_table(
            &r[self.layout.equation.rows.chunk_bits as usize..],
        );
        let mut f = vec![Fr::zero(); n + 1];
        let mut add = |column: &Committed, blindings: &[Blinding]| {
            let weight = combined.weight(*column);
            let chunks = self.columns[column].chunks(n).zip(blindings).zip(&high);
            for ((chunk, blinding), eq) in chunks {
                f.iter_mut()
                    .zip(chunk)
                    .for_each(|(f, v)| *f += weight * eq * v);
                f[n] += weight * eq * blinding.expose();
            }
        };
        for base in self.statement.equation.bases() {
            add(
                &Committed::Base(base),
                &self.statement.world.blindings[base],
            );
        }
        for (column, blindings) in &self.blindings {
            add(column, blindings);
        }
        mask.add_to(&mut f, combined.mask).unwrap();
        f
    }

    /// Opens f to `y`. Where that is not its value it opens what differs from f in one row: the best that there is.
    fn open(
        &self,
        mut f: Vec<Fr>,
        publics: &Publics,
        low: &[Fr],
        y: Fr,
    ) -> Result<opening::Opening, CircuitError> {
        let row = galen_circuits::multilinear::eq_at(low, 0);
        let missing = y - value(&f, low);
        f[0] += missing * row.inverse().unwrap();
        let seed = transcript::opening_seed(publics);
        opening::open(&self.statement.world.srs, &seed, &f, low, y)
    }
}

fn horner(evaluations: &[Fr], mask: Fr, rho: Fr) -> Fr {
    evaluations.iter().rev().fold(mask, |y, e| y * rho + e)
}

fn value(f: &[Fr], low: &[Fr]) -> Fr {
    super::dense::evaluate(&f[..f.len() - 1], low)
}
