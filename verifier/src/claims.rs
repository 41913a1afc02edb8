//! The claims of a bundle or registration: every public input and commitment derived, only proofs taken
//! from outside.

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, One};
use galen_circuits::{
    Fr, G1,
    batch::Claim,
    gates::{Gate, release},
    hash::{ChallengeInput, Transcript, set_digest},
    prove::{PROOF_BYTES, Proof},
};
use galen_params::VerifyingSet;
use rayon::prelude::*;

use crate::{
    VerifyError,
    bundle::{self, Bundle, StepProof},
    hash::separator,
    manifest::Dataset,
    plan::{ColumnId, Linear, Release, Slot, Step},
    rules::Comparison,
};

/// One step's evidence: the commitment it makes, if any, and its proof's bytes, a pair a chunk.
pub(crate) type Evidence = Vec<(Option<G1>, ProofBytes)>;

/// A proof as received: points are decoded only if it is to be verified.
pub(crate) type ProofBytes = [u8; PROOF_BYTES];

/// Reads the proofs of a plan's steps: as many, in its order, under its keys. `what`: the document that
/// holds them, for errors.
pub(crate) fn decode_steps(
    what: &'static str,
    steps: &[StepProof],
    plan: &[Step],
    chunks: usize,
) -> Result<Vec<Evidence>, VerifyError> {
    for (index, step) in plan.iter().enumerate() {
        match steps.get(index) {
            None => {
                return Err(VerifyError::MissingStep {
                    what,
                    key: step.key.clone(),
                    index,
                });
            }
            Some(got) if got.key != step.key => {
                return Err(VerifyError::UnexpectedStep {
                    what,
                    index,
                    got: got.key.clone(),
                    expected: format!("`{}`", step.key),
                });
            }
            Some(_) => {}
        }
    }
    if let Some(extra) = steps.get(plan.len()) {
        return Err(VerifyError::UnexpectedStep {
            what,
            index: plan.len(),
            got: extra.key.clone(),
            expected: "no more steps".into(),
        });
    }
    plan.par_iter()
        .zip(steps)
        .map(|(step, proof)| decode_step(what, step, proof, chunks))
        .collect()
}

fn decode_step(
    what: &'static str,
    step: &Step,
    proof: &StepProof,
    chunks: usize,
) -> Result<Evidence, VerifyError> {
    if proof.chunks.len() != chunks {
        return Err(VerifyError::Chunks {
            what,
            key: step.key.clone(),
            expected: chunks,
            got: proof.chunks.len(),
        });
    }
    let refuse = |chunk, why| VerifyError::Commitment {
        what,
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
            Ok((commitment, bundle::proof_bytes(&p.proof, &step.key, chunk)?))
        })
        .collect()
}

/// `outputs[chunk][step]`.
pub(crate) fn chunk_outputs(steps: &[Evidence], chunks: usize) -> Vec<Vec<Option<G1>>> {
    (0..chunks)
        .map(|chunk| steps.iter().map(|s| s[chunk].0).collect())
        .collect()
}

/// A statement with its proof as received; all but the proof is derived here.
pub(crate) struct Statement<'a> {
    /// For errors: the step's key, or `release <index>`.
    pub(crate) label: String,
    /// `None` for a release.
    pub(crate) chunk: Option<usize>,
    gate: Gate,
    /// Public inputs after ctx, but for `recode`'s challenge.
    publics: Vec<Fr>,
    set: &'a [(u64, u64)],
    columns: Vec<G1>,
    proof: ProofBytes,
}

/// What every claim shares.
pub(crate) struct Frame<'a> {
    pub(crate) dataset: &'a Dataset,
    pub(crate) keys: &'a VerifyingSet,
    pub(crate) ctx: Fr,
}

impl<'a> Frame<'a> {
    /// The statements of all steps in one chunk, in the order of the plan.
    pub(crate) fn chunk_statements(
        &self,
        plan: &'a [Step],
        steps: &[Evidence],
        outputs: &[Option<G1>],
        chunk: usize,
    ) -> Vec<Statement<'a>> {
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
            .map(|(step, evidence)| Statement {
                label: step.key.clone(),
                chunk: Some(chunk),
                gate: step.gate,
                publics: match step.gate {
                    Gate::Select => vec![Fr::from(step.k)],
                    _ => Vec::new(),
                },
                set: step.set.intervals(),
                columns: columns.by_ref().take(step.slots.len()).collect(),
                proof: evidence[chunk].1,
            })
            .collect()
    }

    /// Names a statement and its proof by everything that the proof's equations depend on.
    pub(crate) fn digest(&self, s: &Statement<'_>) -> [u8; 64] {
        let mut t = Transcript::new(separator::PROVEN);
        t.bytes(self.keys.id())
            .canonical(&self.ctx)
            .bytes(s.gate.name().as_bytes())
            .number(s.chunk.map_or(u64::MAX, |c| c as u64))
            .bytes(&set_digest(s.set))
            .number(s.publics.len() as u64);
        for p in &s.publics {
            t.canonical(p);
        }
        for c in &s.columns {
            t.canonical(c);
        }
        t.bytes(&s.proof).digest()
    }

    /// Decodes the proof and derives the rest of the claim.
    pub(crate) fn claim(&self, s: &Statement<'a>) -> Result<Claim<'a>, VerifyError> {
        let key = self.keys.key(s.gate)?;
        let proof = Proof::from_bytes(&s.proof).map_err(|e| VerifyError::Encoding {
            place: s.label.clone(),
            chunk: s.chunk.unwrap_or(0),
            why: e.to_string(),
        })?;
        if let (Gate::Recode { .. }, Some(chunk)) = (s.gate, s.chunk) {
            let input = ChallengeInput {
                parameter_set: self.keys.id(),
                gate: &s.gate.name(),
                ctx: self.ctx,
                chunk: chunk as u64,
                set: s.set,
                x: s.columns[0],
                z: s.columns[1],
            };
            return Ok(Claim::recode(key, s.set, &input, proof));
        }
        Ok(Claim {
            key,
            publics: [&[self.ctx], s.publics.as_slice()].concat(),
            set: s.set,
            columns: s.columns.clone(),
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

    pub(crate) fn release_statement(
        &self,
        bundle: &Bundle,
        release: &Release,
        index: usize,
        statement: &release::Statement,
        outputs: &[Vec<Option<G1>>],
    ) -> Result<Statement<'a>, VerifyError> {
        let label = format!("release {index}");
        let proof = bundle::proof_bytes(&bundle.releases[index].proof, &label, 0)?;
        Ok(Statement {
            label,
            chunk: None,
            gate: Gate::Release,
            publics: statement.publics(),
            set: &[],
            columns: totals(&release.roots, outputs),
            proof,
        })
    }

    pub(crate) fn comparison_statement(
        &self,
        proof: &str,
        comparison: &Comparison,
        outputs: &[Vec<Option<G1>>],
    ) -> Result<Statement<'a>, VerifyError> {
        let label = comparison.label.clone();
        let proof = bundle::proof_bytes(proof, &label, 0)?;
        Ok(Statement {
            label,
            chunk: None,
            gate: Gate::Compare,
            publics: comparison.statement.publics(),
            set: &[],
            columns: totals(&comparison.roots, outputs),
            proof,
        })
    }
}

/// The commitments to root columns summed over the chunks; an unused one is the zero column's.
fn totals(roots: &[usize], outputs: &[Vec<Option<G1>>]) -> Vec<G1> {
    let mut columns = vec![G1::zero(); release::TOTALS];
    for (column, root) in columns.iter_mut().zip(roots) {
        let sum: G1Projective = outputs
            .iter()
            .filter_map(|o| o[*root])
            .map(G1Projective::from)
            .sum();
        *column = sum.into_affine();
    }
    columns
}
