//! The registration of a dataset epoch: the proofs that its committed columns are well-formed, as a
//! document of its own. Format: `docs/spec/registration.md`.

use std::collections::BTreeSet;

use galen_circuits::{
    batch::{self, Claim},
    class::Size,
    equation::{Cells, Column, Equation, Layout, Linear},
    proof::EquationProof,
};
use galen_params::VerifyingSet;
use galen_query::{
    bounded::list,
    registry::Registry,
    text::{base64, hex},
};
use serde::{Deserialize, Serialize};

use crate::{
    VerifyError,
    bundle::decode_proof,
    document::{COMMIT_AGAIN, INSECURE, Kind, MadeFor},
    hash::registration_context,
    manifest::Dataset,
    plan::registration_equations,
    verify::check_made_with,
};

/// A registration larger than this is refused unread: that of 512 wide columns of 16 million patients is smaller.
pub const MAX_REGISTRATION_BYTES: usize = 64 << 20;

const KIND: Kind = Kind {
    what: "registration",
    format: "galen/registration/v2",
    old: (&["galen/registration/v1"], COMMIT_AGAIN),
    limit: MAX_REGISTRATION_BYTES,
};

/// Parts, at most: far more than any registry has.
const MANY: usize = 1 << 10;

/// The registration proofs of a dataset epoch.
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
    /// The proofs, base64url: one for each of [`registration_equations`], in order.
    #[serde(deserialize_with = "list::<_, _, MANY>")]
    pub proofs: Vec<String>,
}

/// A dataset whose registration holds: the only one over which answers can be verified.
#[derive(Debug, Clone)]
pub struct Registered(Dataset);

impl Registered {
    /// The dataset.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.0
    }
}

impl Registration {
    /// The document of these proofs.
    #[must_use]
    pub fn new(keys: &VerifyingSet, dataset: &Dataset, proofs: &[Vec<u8>]) -> Self {
        Self {
            format: KIND.format.into(),
            warning: keys.is_insecure().then(|| INSECURE.into()),
            parameter_set: hex(keys.id()),
            manifest: hex(&dataset.digest),
            proofs: proofs.iter().map(|p| base64(p)).collect(),
        }
    }

    /// Parses a registration.
    ///
    /// # Errors
    /// Too large, or not JSON of this form (with line and column).
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        KIND.read(bytes)
    }
}

/// Checks that `registration` proves every column of `dataset` well-formed: values within their declared ranges,
/// 0 beside NULL, consent of patients only.
///
/// `dataset` comes from [`check_dataset`](crate::check_dataset) with the same `registry` and `keys`.
///
/// # Errors
/// Names the first thing that is wrong: document, part and check.
pub fn verify_registration(
    registration: &Registration,
    dataset: Dataset,
    registry: &Registry,
    keys: &VerifyingSet,
) -> Result<Registered, VerifyError> {
    let made_for = MadeFor {
        kind: &KIND,
        format: &registration.format,
        parameter_set: &registration.parameter_set,
        warning: registration.warning.as_deref(),
        manifest: &registration.manifest,
    };
    made_for.check(&dataset, keys)?;
    check_made_with(&dataset, registry, keys)?;
    let equations = registration_equations(registry, dataset.rows())?;
    let looked_up: BTreeSet<Column> = equations.iter().flat_map(looked_up).collect();
    let mut bases = (0..registry.base_columns().len()).map(Column::Base);
    if !bases.all(|base| looked_up.contains(&base)) {
        return Err(VerifyError::Malformed(
            "a column that no part of the registration is about".into(),
        ));
    }
    let (expected, got) = (equations.len(), registration.proofs.len());
    if expected != got {
        return Err(VerifyError::Parts { expected, got });
    }
    check_parts(registration, &dataset, &equations, keys)?;
    Ok(Registered(dataset))
}

/// The columns that stand in a tuple of some lookup.
fn looked_up(equation: &Equation) -> Vec<Column> {
    let tuples = equation.lookups.iter().flat_map(|l| &l.tuple);
    let terms = tuples.flat_map(Linear::terms);
    terms.map(|(column, _)| column).collect()
}

fn check_parts(
    registration: &Registration,
    dataset: &Dataset,
    equations: &[Equation],
    keys: &VerifyingSet,
) -> Result<(), VerifyError> {
    let cells = Cells::default();
    let count = equations.len();
    let place = |part: usize| format!("registration, part {} of {count}", part + 1);
    let mut layouts = Vec::with_capacity(equations.len());
    let mut proofs = Vec::with_capacity(equations.len());
    for (part, (equation, text)) in equations.iter().zip(&registration.proofs).enumerate() {
        let layout =
            Layout::new(equation, &cells).map_err(|e| VerifyError::Malformed(e.to_string()))?;
        let bytes = decode_proof(text, &place(part))?;
        let proof = EquationProof::from_bytes(&bytes, &layout);
        proofs.push(proof.map_err(|e| VerifyError::encoding(place(part), &e))?);
        layouts.push(layout);
    }
    let contexts: Vec<[u8; 32]> = (0..count)
        .map(|part| registration_context(dataset, part, count))
        .collect();
    let claims: Vec<Claim<'_>> = layouts
        .iter()
        .zip(&proofs)
        .zip(&contexts)
        .map(|((layout, proof), context)| Claim {
            key: keys.key(Size::Registration),
            srs: keys.srs(),
            context,
            layout,
            cells: &cells,
            bases: dataset.commitments_of(layout.equation),
            proof,
        })
        .collect();
    batch::verify(&claims).map_err(|e| VerifyError::refused(e, KIND.what, place))
}
