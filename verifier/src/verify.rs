//! Checking a bundle: the plan is replayed and every statement derived here; the bundle gives only
//! commitments, proofs and the published cells.

use galen_params::VerifyingSet;
use galen_query::{
    question::{Question, Resolved},
    registry::Registry,
    text::hex,
};

use crate::{
    VerifyError,
    answer::Answer,
    bundle::{self, Bundle},
    manifest::{Dataset, Manifest},
    plan::{Plan, PlanError, Quantile},
    proven::Proven,
    verify_all::{Job, verify_all},
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
    let dataset = &check_dataset(manifest, registry, keys)?;
    let job = Job {
        bundle,
        dataset,
        registry,
        question,
    };
    let mut verdicts = verify_all(proven, keys, &[job]);
    verdicts.pop().expect("one verdict a job")
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
    check_made_with(&dataset, registry, keys)?;
    Ok(dataset)
}

/// A dataset is of one registry and one parameter set: these.
pub(crate) fn check_made_with(
    dataset: &Dataset,
    registry: &Registry,
    keys: &VerifyingSet,
) -> Result<(), VerifyError> {
    if dataset.manifest.registry_digest != hex(&registry.digest) {
        return Err(VerifyError::Registry { what: "manifest" });
    }
    if dataset.parameter_set != *keys.id() || dataset.shape != keys.shape() {
        return Err(VerifyError::ParameterSet {
            what: "manifest",
            expected: hex(keys.id()),
            got: hex(&dataset.parameter_set),
        });
    }
    Ok(())
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

pub(crate) fn check_identities(
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
