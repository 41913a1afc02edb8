//! The proofs that belong to a dataset rather than to a query.

use galen_circuits::{
    equation::{Cells, Equation},
    execute::Execution,
    prove::{Task, WHOLE},
};
use galen_params::{ParameterStore, Progress};
use galen_verifier::{
    VerifyError,
    plan::registration_equations,
    registration::{Registration, verify_registration},
};

use crate::{ProverError, dataset::CommittedDataset};

const STAGE: &str = "registration proofs";

/// Proves that every column of a freshly committed dataset is well-formed; verified before it is handed out. Fills
/// the store of sums by value on the way.
pub(crate) fn register(
    dataset: &CommittedDataset,
    params: &ParameterStore,
    progress: &dyn Progress,
) -> Result<Registration, ProverError> {
    let d = dataset.dataset();
    let equations =
        registration_equations(dataset.registry(), d.rows()).map_err(VerifyError::from)?;
    let total = equations.len() as u64 * WHOLE;
    progress.report(STAGE, 0, total);
    let mut proofs = Vec::with_capacity(equations.len());
    for (part, equation) in equations.iter().enumerate() {
        let context = d.registration_context(part, equations.len());
        let before = part as u64 * WHOLE;
        let watch = |done| progress.report(STAGE, before + done, total);
        proofs.push(prove_part(dataset, params, equation, &context, &watch)?);
        watch(WHOLE);
    }
    let set = params.verifying();
    let registration = Registration::new(&set, d, &proofs);
    verify_registration(&registration, d.clone(), dataset.registry(), &set)?;
    Ok(registration)
}

fn prove_part(
    dataset: &CommittedDataset,
    params: &ParameterStore,
    equation: &Equation,
    context: &[u8],
    watch: &dyn Fn(u64),
) -> Result<Vec<u8>, ProverError> {
    let d = dataset.dataset();
    let stored = dataset.base_columns(&equation.bases())?;
    let bases = stored.as_columns(d);
    let values = bases.iter().map(|(i, c)| (*i, c.values)).collect();
    let execution = Execution::new(equation, &values)?;
    let cells = Cells::default();
    let task = Task {
        srs: &*params.srs()?,
        key: &*params.proving_key(galen_circuits::class::Size::Registration)?,
        context,
        equation,
        execution: &execution,
        cells: &cells,
        bases: &bases,
        store: &dataset.sums(),
    };
    Ok(task.prove_watched(watch)?.to_bytes())
}
