//! Checking a bundle: the plan is replayed and every statement derived here; the bundle gives only
//! commitments, proofs and the published cells.

use galen_circuits::{
    batch::{self, Claim},
    gates::release,
};
use galen_params::VerifyingSet;
use rayon::prelude::*;

use crate::{
    VerifyError,
    answer::{self, Answer, Cells},
    bundle::{self, Bundle},
    claims::{Frame, Statement, chunk_outputs, decode_steps},
    manifest::{Dataset, Manifest},
    plan::{Plan, Release},
    proven::Proven,
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
    let mut proven = Proven::default();
    verify_beyond(&mut proven, bundle, manifest, registry, question, keys)
}

/// As [`verify`], but skips the equations of proofs that are in `proven`, and adds to it those that hold
/// now. Everything else is checked as ever. Whoever verifies many answers over the same datasets saves
/// most of the work: predicates and registration come back with each of them.
///
/// # Errors
/// As [`verify`]; `proven` is then unchanged.
pub fn verify_beyond(
    proven: &mut Proven,
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
    let by_chunk: Vec<Vec<Statement<'_>>> = (0..dataset.chunks())
        .into_par_iter()
        .map(|chunk| frame.chunk_statements(&plan.steps, &steps, &outputs[chunk], chunk))
        .collect();
    let mut all: Vec<Statement<'_>> = by_chunk.into_iter().flatten().collect();
    for (index, (release, cells)) in plan.releases.iter().zip(&statements).enumerate() {
        all.push(frame.release_statement(bundle, release, index, cells, &outputs)?);
    }
    run(proven, &frame, &all)?;
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
    proven: &mut Proven,
    frame: &Frame<'_>,
    statements: &[Statement<'_>],
) -> Result<(), VerifyError> {
    let new: Vec<(&Statement<'_>, [u8; 64])> = statements
        .iter()
        .map(|s| (s, frame.digest(s)))
        .filter(|(_, digest)| !proven.contains(digest))
        .collect();
    let claims: Vec<Claim<'_>> = new
        .par_iter()
        .map(|(s, _)| frame.claim(s))
        .collect::<Result<_, _>>()?;
    batch::verify(frame.keys.id(), &claims).map_err(|e| match e {
        batch::VerifyError::Refused(e) => {
            let (statement, _) = new[e.index];
            VerifyError::Proof {
                key: statement.label.clone(),
                gate: e.gate,
                chunk: statement.chunk,
                check: e.check,
            }
        }
        other => VerifyError::Malformed(other.to_string()),
    })?;
    proven.extend(new.into_iter().map(|(_, digest)| digest));
    Ok(())
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
