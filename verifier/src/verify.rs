//! Checking a bundle: the plan is replayed and every statement derived here; the bundle gives only
//! commitments, proofs and the published cells.

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, One};
use galen_circuits::{
    Fr, G1,
    batch::{self, Claim},
    gates::{Gate, release},
    hash::ChallengeInput,
    prove::Proof,
};
use galen_params::VerifyingSet;
use rayon::prelude::*;

use crate::{
    VerifyError,
    answer::{self, Answer, Cells},
    bundle::{self, Bundle, StepProof},
    manifest::{Dataset, Manifest},
    plan::{ColumnId, Linear, Plan, Release, Slot, Step},
    question::{Question, Resolved},
    registry::Registry,
    text::hex,
};

/// Checks that `bundle` proves the answer to `question` over the dataset of `manifest`, and returns the
/// answer. Everything but `keys` may come from anyone; `keys` must be the parameter set that the reader
/// trusts.
///
/// # Errors
/// Names the first thing that is wrong: document, column, step, chunk, gate and check.
pub fn verify(
    bundle: &Bundle,
    manifest: &Manifest,
    registry: &Registry,
    question: &Question,
    keys: &VerifyingSet,
) -> Result<Answer, VerifyError> {
    let resolved = question.resolve(registry)?;
    let dataset = check_dataset(manifest, registry, keys)?;
    check_identities(bundle, &dataset, question, keys)?;
    let plan = plan_for(&resolved, registry, &dataset)?;
    let steps = decode_steps(bundle, &plan.steps, dataset.chunks())?;
    let outputs = chunk_outputs(&steps, dataset.chunks());
    let statements = release_statements(bundle, &plan, &dataset)?;
    let frame = Frame {
        dataset: &dataset,
        keys,
        ctx: dataset.ctx(),
    };
    let mut labels = Vec::new();
    let mut claims = Vec::new();
    let by_chunk: Vec<Vec<Claim<'_>>> = (0..dataset.chunks())
        .into_par_iter()
        .map(|chunk| frame.chunk_claims(&plan.steps, &steps, &outputs[chunk], chunk))
        .collect::<Result<_, _>>()?;
    for (chunk, chunk_claims) in by_chunk.into_iter().enumerate() {
        for (step, claim) in plan.steps.iter().zip(chunk_claims) {
            labels.push((step.key.clone(), Some(chunk)));
            claims.push(claim);
        }
    }
    for (index, statement) in statements.iter().enumerate() {
        labels.push((format!("release {index}"), None));
        claims.push(frame.release_claim(
            bundle,
            &plan.releases[index],
            index,
            statement,
            &outputs,
        )?);
    }
    run(keys, &claims, &labels)?;
    let cells = cells_of(&plan.releases, &statements);
    Ok(answer::build(
        &plan,
        &resolved,
        registry,
        &dataset,
        question,
        &cells,
        keys.is_insecure(),
    ))
}

/// Checks a manifest and that it was made with the parameter set at hand.
///
/// # Errors
/// As [`Manifest::check`], or another parameter set or shape.
pub fn check_dataset(
    manifest: &Manifest,
    registry: &Registry,
    keys: &VerifyingSet,
) -> Result<Dataset, VerifyError> {
    let dataset = manifest.check(registry)?;
    if dataset.parameter_set != *keys.id() || dataset.shape != keys.shape() {
        return Err(VerifyError::ParameterSet {
            what: "manifest",
            expected: hex(keys.id()),
            got: hex(&dataset.parameter_set),
        });
    }
    Ok(dataset)
}

/// The plan of a resolved question over a dataset: the same for everyone.
///
/// # Errors
/// When the query has no plan.
pub fn plan_for(
    resolved: &Resolved,
    registry: &Registry,
    dataset: &Dataset,
) -> Result<Plan, VerifyError> {
    let rows = dataset.shape.rows();
    Ok(Plan::new(
        &resolved.query,
        resolved.purpose,
        registry,
        rows,
        dataset.chunks(),
    )?)
}

fn check_identities(
    bundle: &Bundle,
    dataset: &Dataset,
    question: &Question,
    keys: &VerifyingSet,
) -> Result<(), VerifyError> {
    if bundle.format != bundle::FORMAT {
        return Err(VerifyError::Format {
            what: "bundle",
            expected: bundle::FORMAT,
        });
    }
    let (expected, got) = (hex(keys.id()), bundle.parameter_set.clone());
    if expected != got {
        return Err(VerifyError::ParameterSet {
            what: "bundle",
            expected,
            got,
        });
    }
    let warned = bundle.warning.as_deref() == Some(bundle::INSECURE);
    if warned != keys.is_insecure() || (!warned && bundle.warning.is_some()) {
        return Err(VerifyError::Warning);
    }
    let (expected, got) = (hex(&dataset.digest), bundle.manifest.clone());
    if expected != got {
        return Err(VerifyError::AnotherDataset { expected, got });
    }
    let (expected, got) = (hex(&question.digest()), bundle.query.clone());
    if expected != got {
        return Err(VerifyError::AnotherQuery { expected, got });
    }
    Ok(())
}

/// One step's decoded evidence, a pair a chunk.
type Decoded = Vec<(Option<G1>, Proof)>;

fn decode_steps(
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
fn chunk_outputs(steps: &[Decoded], chunks: usize) -> Vec<Vec<Option<G1>>> {
    (0..chunks)
        .map(|chunk| steps.iter().map(|s| s[chunk].0).collect())
        .collect()
}

/// What every claim shares.
struct Frame<'a> {
    dataset: &'a Dataset,
    keys: &'a VerifyingSet,
    ctx: Fr,
}

impl<'a> Frame<'a> {
    /// The claims of all steps in one chunk, in the order of the plan.
    fn chunk_claims(
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

    fn release_claim(
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

fn release_statements(
    bundle: &Bundle,
    plan: &Plan,
    dataset: &Dataset,
) -> Result<Vec<release::Statement>, VerifyError> {
    let count = |what: String, expected, got| {
        if expected == got {
            Ok(())
        } else {
            Err(VerifyError::Cells {
                what,
                expected,
                got,
            })
        }
    };
    count(
        "releases".into(),
        plan.releases.len(),
        bundle.releases.len(),
    )?;
    plan.releases
        .iter()
        .zip(&bundle.releases)
        .enumerate()
        .map(|(index, (release, proof))| {
            let used = release.used.iter().filter(|u| **u).count();
            count(format!("cells of release {index}"), used, proof.cells.len())?;
            statement(index, release, &proof.cells, dataset)
        })
        .collect()
}

/// The statement that `cells` make, after the checks that need no proof: a cell and those that it
/// guards are released together, and a released count obeys the threshold.
fn statement(
    index: usize,
    release: &Release,
    cells: &[Option<u64>],
    dataset: &Dataset,
) -> Result<release::Statement, VerifyError> {
    let rule = &dataset.manifest.release;
    let mut statement = release::Statement {
        threshold: rule.k,
        zero_releasable: rule.zero_releasable,
        is_count: release.is_count,
        released: [false; release::LIMBS],
        published: [0; release::LIMBS],
    };
    let broken = |cell, why: String| {
        Err(VerifyError::CellRule {
            release: index,
            cell,
            why,
        })
    };
    let mut cells = cells.iter().enumerate();
    let mut flag = false;
    for limb in 0..release::LIMBS {
        if release.used[limb] {
            let (cell, value) = cells.next().expect("counted above");
            if let Some(value) = value.filter(|v| *v >= 1 << release::LIMB_BITS) {
                return Err(VerifyError::CellRange {
                    release: index,
                    cell,
                    value,
                });
            }
            if !release.is_count[limb] && value.is_some() != flag {
                return broken(
                    cell,
                    "it is not released together with the count that guards it".into(),
                );
            }
            flag = value.is_some();
            statement.published[limb] = value.unwrap_or(0);
            let shown = value.filter(|_| release.is_count[limb]);
            if shown.is_some_and(|v| v < rule.k && !(v == 0 && rule.zero_releasable)) {
                return broken(
                    cell,
                    format!("it is published although it is below k = {}", rule.k),
                );
            }
        }
        statement.released[limb] = flag;
    }
    Ok(statement)
}

fn run(
    keys: &VerifyingSet,
    claims: &[Claim<'_>],
    labels: &[(String, Option<usize>)],
) -> Result<(), VerifyError> {
    batch::verify(keys.id(), claims).map_err(|e| match e {
        batch::VerifyError::Refused(e) => {
            let (key, chunk) = labels[e.index].clone();
            VerifyError::Proof {
                key,
                gate: e.gate,
                chunk,
                check: e.check,
            }
        }
        other => VerifyError::Malformed(other.to_string()),
    })
}

fn cells_of(releases: &[Release], statements: &[release::Statement]) -> Cells {
    releases
        .iter()
        .zip(statements)
        .map(|(r, s)| {
            (0..release::LIMBS)
                .map(|j| (s.released[j] || !r.used[j]).then_some(s.published[j]))
                .collect()
        })
        .collect()
}
