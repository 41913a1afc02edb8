//! Checking a bundle: the plan is derived again and every public input with it; the bundle gives only what is
//! published and the proof.

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
    document::MadeFor,
    manifest::{Dataset, Manifest},
    plan::{Plan, Quantile, check_percentiles},
    registration::Registered,
    rules,
    verify_all::{Job, verify_all},
};

/// Checks that `bundle` proves the answer to `question` over the registered dataset, and returns the answer.
/// Everything but `keys` may come from anyone; `keys` must be the parameter set that the reader trusts.
///
/// # Errors
/// Names the first thing that is wrong: document, number and check.
pub fn verify(
    bundle: &Bundle,
    registered: &Registered,
    registry: &Registry,
    question: &Question,
    keys: &VerifyingSet,
) -> Result<Answer, VerifyError> {
    let job = Job {
        bundle,
        registered,
        registry,
        question,
    };
    let mut verdicts = verify_all(keys, &[job]);
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
/// When the query has no plan, or not with these percentiles or with others that it could have, or not under the
/// dataset's release profile.
pub fn plan_for(
    resolved: &Resolved,
    registry: &Registry,
    dataset: &Dataset,
    quantiles: &[Quantile],
) -> Result<Plan, VerifyError> {
    let (query, purpose) = (&resolved.query, resolved.purpose);
    check_percentiles(query, purpose, registry, dataset.rows())?;
    let plan = Plan::new(query, purpose, registry, dataset.rows(), quantiles)?;
    rules::check_profile(&plan, &dataset.manifest.release)?;
    Ok(plan)
}

pub(crate) fn check_identities(
    bundle: &Bundle,
    dataset: &Dataset,
    question: &Question,
    keys: &VerifyingSet,
) -> Result<(), VerifyError> {
    let made_for = MadeFor {
        kind: &bundle::KIND,
        format: &bundle.format,
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
