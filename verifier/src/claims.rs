//! The claims of a bundle: every public input and commitment derived, only proofs taken from outside.

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, One};
use galen_circuits::{
    Fr, G1,
    batch::Claim,
    gates::{Gate, release},
    hash::ChallengeInput,
    prove::Proof,
};
use galen_params::VerifyingSet;
use rayon::prelude::*;

use crate::{
    VerifyError,
    bundle::{self, Bundle, StepProof},
    manifest::Dataset,
    plan::{ColumnId, Linear, Release, Slot, Step},
};

/// One step's decoded evidence: the commitment it makes, if any, and its proof, a pair a chunk.
pub(crate) type Decoded = Vec<(Option<G1>, Proof)>;

pub(crate) fn decode_steps(
    bundle: &Bundle,
    plan: &[Step],
    chunks: usize,
) -> Result<Vec<Decoded>, VerifyError> {
    for (index, step) in plan.iter().enumerate() {
        match bundle.steps.get(index) {
            None => {
                return Err(VerifyError::MissingStep {
                    key: step.key.clone(),
                    index,
                });
            }
            Some(got) if got.key != step.key => {
                return Err(VerifyError::UnexpectedStep {
                    index,
                    got: got.key.clone(),
                    expected: format!("`{}`", step.key),
                });
            }
            Some(_) => {}
        }
    }
    if let Some(extra) = bundle.steps.get(plan.len()) {
        return Err(VerifyError::UnexpectedStep {
            index: plan.len(),
            got: extra.key.clone(),
            expected: "no more steps".into(),
        });
    }
    plan.par_iter()
        .zip(&bundle.steps)
        .map(|(step, proof)| decode_step(step, proof, chunks))
        .collect()
}

fn decode_step(step: &Step, proof: &StepProof, chunks: usize) -> Result<Decoded, VerifyError> {
    if proof.chunks.len() != chunks {
        return Err(VerifyError::Chunks {
            key: step.key.clone(),
            expected: chunks,
            got: proof.chunks.len(),
        });
    }
    let refuse = |chunk, why| VerifyError::Commitment {
        key: step.key.clone(),
        chunk,
        why,
    };
    proof
        .chunks
        .par_iter()
        .enumerate()
        .map(|(chunk, p)| {
            let commitment = match (&p.commitment, step.has_output()) {
                (Some(text), true) => Some(bundle::decode_commitment(text, &step.key, chunk)?),
                (None, false) => None,
                (None, true) => {
                    return Err(refuse(chunk, "the commitment to its column is missing"));
                }
                (Some(_), false) => {
                    return Err(refuse(chunk, "a commitment where the step makes no column"));
                }
            };
            Ok((
                commitment,
                bundle::decode_proof(&p.proof, &step.key, chunk)?,
            ))
        })
        .collect()
}

/// `outputs[chunk][step]`.
pub(crate) fn chunk_outputs(steps: &[Decoded], chunks: usize) -> Vec<Vec<Option<G1>>> {
    (0..chunks)
        .map(|chunk| steps.iter().map(|s| s[chunk].0).collect())
        .collect()
}

/// What every claim shares.
pub(crate) struct Frame<'a> {
    pub(crate) dataset: &'a Dataset,
    pub(crate) keys: &'a VerifyingSet,
    pub(crate) ctx: Fr,
}

impl<'a> Frame<'a> {
    /// The claims of all steps in one chunk, in the order of the plan.
    pub(crate) fn chunk_claims(
        &self,
        plan: &'a [Step],
        steps: &[Decoded],
        outputs: &[Option<G1>],
        chunk: usize,
    ) -> Result<Vec<Claim<'a>>, VerifyError> {
        let sums: Vec<G1Projective> = plan
            .iter()
            .enumerate()
            .flat_map(|(i, step)| step.slots.iter().map(move |slot| (i, slot)))
            .map(|(i, slot)| match slot {
                Slot::Given(linear) => self.commitment(linear, outputs, chunk),
                Slot::Output => outputs[i].map_or(G1Projective::ZERO, |c| c.into_group()),
            })
            .collect();
        let mut columns = G1Projective::normalize_batch(&sums).into_iter();
        plan.iter()
            .zip(steps)
            .map(|(step, decoded)| {
                let columns: Vec<G1> = columns.by_ref().take(step.slots.len()).collect();
                self.claim(step, columns, decoded[chunk].1, chunk)
            })
            .collect()
    }

    fn claim(
        &self,
        step: &'a Step,
        columns: Vec<G1>,
        proof: Proof,
        chunk: usize,
    ) -> Result<Claim<'a>, VerifyError> {
        let key = self.keys.key(step.gate)?;
        let set = step.set.intervals();
        let publics = match step.gate {
            Gate::Recode { .. } => {
                let input = ChallengeInput {
                    parameter_set: self.keys.id(),
                    gate: &step.gate.name(),
                    ctx: self.ctx,
                    chunk: chunk as u64,
                    set,
                    x: columns[0],
                    z: columns[1],
                };
                return Ok(Claim::recode(key, set, &input, proof));
            }
            Gate::Select => vec![self.ctx, Fr::from(step.k)],
            Gate::Multiply | Gate::Release => vec![self.ctx],
        };
        Ok(Claim {
            key,
            publics,
            set,
            columns,
            proof,
        })
    }

    /// The commitment to a combination, from the commitments to its columns.
    fn commitment(&self, linear: &Linear, outputs: &[Option<G1>], chunk: usize) -> G1Projective {
        let srs = self.keys.srs();
        let mut sum = G1Projective::ZERO;
        for (id, coefficient) in linear.terms() {
            let column = match id {
                ColumnId::One => srs.ones(),
                ColumnId::Present => srs
                    .present(self.dataset.rows_in_chunk(chunk))
                    .expect("a chunk has at most the shape's rows"),
                ColumnId::Base(i) => self.dataset.commitments[i][chunk],
                ColumnId::Output(i) => outputs[i].expect("a plan names only steps with an output"),
            };
            if coefficient.is_one() {
                sum += column;
            } else if (-coefficient).is_one() {
                sum -= column;
            } else {
                sum += column * coefficient;
            }
        }
        sum
    }

    pub(crate) fn release_claim(
        &self,
        bundle: &Bundle,
        release: &Release,
        index: usize,
        statement: &release::Statement,
        outputs: &[Vec<Option<G1>>],
    ) -> Result<Claim<'a>, VerifyError> {
        let place = format!("release {index}");
        let proof = bundle::decode_proof(&bundle.releases[index].proof, &place, 0)?;
        let mut columns = vec![G1::zero(); release::TOTALS];
        for (column, root) in columns.iter_mut().zip(&release.roots) {
            let sum: G1Projective = outputs
                .iter()
                .filter_map(|o| o[*root])
                .map(G1Projective::from)
                .sum();
            *column = sum.into_affine();
        }
        let publics = [vec![self.ctx], statement.publics()].concat();
        Ok(Claim {
            key: self.keys.key(Gate::Release)?,
            publics,
            set: &[],
            columns,
            proof,
        })
    }
}
