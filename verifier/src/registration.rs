//! The registration of a dataset epoch: the proofs that its committed columns are well-formed, as a
//! document of its own. Format: `docs/spec/registration.md`.

use galen_params::VerifyingSet;
use galen_query::{registry::Registry, text::parse_json};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    VerifyError,
    bundle::{INSECURE, MAX_BUNDLE_BYTES, StepProof},
    claims::{Frame, Statement, chunk_outputs, decode_steps},
    manifest::Dataset,
    plan::registration_steps,
    proven::Proven,
    verify::{MadeFor, check_made_with},
    verify_all::run,
};

const FORMAT: &str = "galen/registration/v1";

/// The document's name in errors.
const WHAT: &str = "registration";

/// A registration larger than this is refused unread.
pub const MAX_REGISTRATION_BYTES: usize = MAX_BUNDLE_BYTES;

/// The registration proofs of every column of a dataset epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    format: String,
    /// Present exactly when the parameter set is a development set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Parameter-set id, hex.
    pub parameter_set: String,
    /// Manifest digest, hex.
    pub manifest: String,
    /// The proofs: one for each of [`registration_steps`], in order.
    pub steps: Vec<StepProof>,
}

impl Registration {
    /// The document of these proofs, for the given identities (hex).
    #[must_use]
    pub fn new(
        parameter_set: String,
        insecure: bool,
        manifest: String,
        steps: Vec<StepProof>,
    ) -> Self {
        Self {
            format: FORMAT.into(),
            warning: insecure.then(|| INSECURE.into()),
            parameter_set,
            manifest,
            steps,
        }
    }

    /// Parses a registration.
    ///
    /// # Errors
    /// Too large, or not JSON of this form (with line and column).
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        Ok(parse_json(bytes, WHAT, MAX_REGISTRATION_BYTES)?)
    }
}

/// Checks that `registration` proves every column of `dataset` well-formed, in every chunk: bits are 0 or 1,
/// values within their declared ranges, NULL rows 0. Skips the equations of proofs that are in `proven`, and
/// adds to it those that hold now: they come back in every bundle over the dataset.
///
/// `dataset` comes from [`check_dataset`](crate::check_dataset) with the same `registry` and `keys`.
///
/// # Errors
/// Names the first thing that is wrong: document, step, chunk and check; `proven` is then unchanged.
pub fn verify_registration(
    proven: &mut Proven,
    registration: &Registration,
    dataset: &Dataset,
    registry: &Registry,
    keys: &VerifyingSet,
) -> Result<(), VerifyError> {
    let made_for = MadeFor {
        what: WHAT,
        format: (&registration.format, FORMAT),
        parameter_set: &registration.parameter_set,
        warning: registration.warning.as_deref(),
        manifest: &registration.manifest,
    };
    made_for.check(dataset, keys)?;
    check_made_with(dataset, registry, keys)?;
    let plan = registration_steps(registry);
    let chunks = dataset.chunks();
    let steps = decode_steps(WHAT, &registration.steps, &plan, chunks)?;
    let outputs = chunk_outputs(&steps, chunks);
    let frame = Frame {
        dataset,
        keys,
        ctx: dataset.ctx(),
    };
    let all: Vec<Statement<'_>> = (0..chunks)
        .into_par_iter()
        .flat_map_iter(|chunk| frame.chunk_statements(&plan, &steps, &outputs[chunk], chunk))
        .collect();
    run(proven, keys, &[(&frame, &all)])
}
