//! Checking a bundle: the plan is replayed and every statement derived here; the bundle gives only
//! commitments, proofs and the published cells.

use galen_circuits::batch::{self, Claim};
use galen_params::VerifyingSet;
use rayon::prelude::*;

use crate::{
    VerifyError,
    answer::{self, Answer},
    bundle::{self, Bundle},
    claims::{Frame, Statement, chunk_outputs, decode_steps},
    manifest::{Dataset, Manifest},
    plan::{Plan, PlanError, Quantile},
    proven::Proven,
    question::{Question, Resolved},
    registry::Registry,
    rules,
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
    let plan = plan_for(&resolved, registry, &dataset, &bundle.quantiles)?;
    let steps = decode_steps("bundle", &bundle.steps, &plan.steps, dataset.chunks())?;
    let outputs = chunk_outputs(&steps, dataset.chunks());
    let published: Vec<_> = bundle.releases.iter().map(|r| r.cells.clone()).collect();
    let statements = rules::statements(&plan, &dataset.manifest.release, &published)?;
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
    for (index, (release, cells)) in plan.releases.iter().zip(&statements.releases).enumerate() {
        all.push(frame.release_statement(bundle, release, index, cells, &outputs)?);
    }
    let (expected, got) = (statements.comparisons.len(), bundle.comparisons.len());
    if expected != got {
        return Err(VerifyError::Cells {
            what: "comparisons".into(),
            expected,
            got,
        });
    }
    for (comparison, proof) in statements.comparisons.iter().zip(&bundle.comparisons) {
        all.push(frame.comparison_statement(proof, comparison, &outputs)?);
    }
    run(proven, &frame, &all)?;
    Ok(answer::build(
        &plan,
        &resolved,
        registry,
        &dataset,
        question,
        &published,
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

/// The plan of a resolved question over a dataset, once the percentiles that it publishes are known (none
/// for most questions): the same for everyone.
///
/// # Errors
/// When the query has no plan, or not with these percentiles.
pub fn plan_for(
    resolved: &Resolved,
    registry: &Registry,
    dataset: &Dataset,
    quantiles: &[Quantile],
) -> Result<Plan, VerifyError> {
    let plan = Plan::new(
        &resolved.query,
        resolved.purpose,
        registry,
        (dataset.shape.rows(), dataset.chunks()),
        quantiles,
    )?;
    let base = dataset.manifest.release.rounding;
    let mut uses = plan.releases.iter().flat_map(|r| r.uses.iter().flatten());
    if base > 1 && uses.any(|used| !used.field.is_count() && !used.field.is_rank()) {
        return Err(PlanError::Rounded { base }.into());
    }
    Ok(plan)
}

/// What a document with proofs says that it was made for.
pub(crate) struct MadeFor<'a> {
    /// Which document, for errors.
    pub(crate) what: &'static str,
    /// Its format line, and the one that is understood.
    pub(crate) format: (&'a str, &'static str),
    /// Parameter-set id, hex.
    pub(crate) parameter_set: &'a str,
    /// The warning about development parameters.
    pub(crate) warning: Option<&'a str>,
    /// Manifest digest, hex.
    pub(crate) manifest: &'a str,
}

impl MadeFor<'_> {
    /// Checks it against the dataset and the parameter set at hand.
    pub(crate) fn check(&self, dataset: &Dataset, keys: &VerifyingSet) -> Result<(), VerifyError> {
        let what = self.what;
        let (format, expected) = self.format;
        if format != expected {
            return Err(VerifyError::Format { what, expected });
        }
        let (expected, got) = (hex(keys.id()), self.parameter_set.to_owned());
        if expected != got {
            return Err(VerifyError::ParameterSet {
                what,
                expected,
                got,
            });
        }
        let warning = keys.is_insecure().then_some(bundle::INSECURE);
        if self.warning != warning {
            return Err(VerifyError::Warning { what });
        }
        let (expected, got) = (hex(&dataset.digest), self.manifest.to_owned());
        if expected != got {
            return Err(VerifyError::AnotherDataset {
                what,
                expected,
                got,
            });
        }
        Ok(())
    }
}

fn check_identities(
    bundle: &Bundle,
    dataset: &Dataset,
    question: &Question,
    keys: &VerifyingSet,
) -> Result<(), VerifyError> {
    let made_for = MadeFor {
        what: "bundle",
        format: (&bundle.format, bundle::FORMAT),
        parameter_set: &bundle.parameter_set,
        warning: bundle.warning.as_deref(),
        manifest: &bundle.manifest,
    };
    made_for.check(dataset, keys)?;
    let (expected, got) = (hex(&question.digest()), bundle.query.clone());
    if expected != got {
        return Err(VerifyError::AnotherQuery { expected, got });
    }
    Ok(())
}

/// Checks the equations of the statements that are not in `proven`, and adds those that hold. All or none
/// are added.
pub(crate) fn run(
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
