//! Proving the answer to a query over a committed dataset: one equation, executed and proven.

mod percentile;
mod registration;

use std::time::{Duration, Instant};

use galen_circuits::{
    equation::{Cells, Layout},
    execute::Execution,
    groth16::ProvingKey,
    prove::{Task, WHOLE},
};
use galen_params::{ParameterStore, Progress};
use galen_query::question::Question;
use galen_verifier::{answer::Answer, bundle::Bundle, plan::Plan, plan_for, rules, verify};

use crate::{
    ProverError,
    dataset::{BaseColumns, CommittedDataset},
};
pub(crate) use registration::register;

/// How a proof went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProveReport {
    /// Reading, executing, committing and proving; without loading keys.
    pub proving_time: Duration,
    /// Verifying the finished bundle.
    pub verifying_time: Duration,
}

/// What is reported of a proof on its way.
const STAGE: &str = "proving";
/// Reading and executing, then the proof.
const READ: u64 = 4;
const EXECUTED: u64 = 10;
const STEPS: u64 = EXECUTED + WHOLE;

/// Proves the answer to `question` and verifies the bundle before handing it out.
///
/// # Errors
/// A query that cannot be asked here, a damaged store.
pub fn answer(
    dataset: &CommittedDataset,
    question: &Question,
    params: &ParameterStore,
    progress: &dyn Progress,
) -> Result<(Bundle, Answer, ProveReport), ProverError> {
    let registered = dataset.registered(params)?;
    let plan = plan(dataset, question)?;
    let (bundle, mut report) = prove_plan(dataset, question, &plan, params, progress)?;
    let started = Instant::now();
    let (registry, keys) = (dataset.registry(), params.verifying());
    let answer = verify(&bundle, &registered, registry, question, &keys)?;
    report.verifying_time = started.elapsed();
    progress.report(STAGE, STEPS, STEPS);
    Ok((bundle, answer, report))
}

/// The plan of `question` over `dataset`, with the percentiles that its answer publishes.
///
/// # Errors
/// A query that cannot be asked here, a damaged store.
pub fn plan(dataset: &CommittedDataset, question: &Question) -> Result<Plan, ProverError> {
    let resolved = question.resolve(dataset.registry())?;
    let quantiles = percentile::quantiles(dataset, &resolved)?;
    let plan = plan_for(&resolved, dataset.registry(), dataset.dataset(), &quantiles)?;
    Ok(plan)
}

/// Executes a plan as it stands and proves it, without verifying the bundle.
///
/// # Errors
/// As [`answer`].
pub fn prove_plan(
    dataset: &CommittedDataset,
    question: &Question,
    plan: &Plan,
    params: &ParameterStore,
    progress: &dyn Progress,
) -> Result<(Bundle, ProveReport), ProverError> {
    progress.report(STAGE, 0, STEPS);
    let d = dataset.dataset();
    params.srs()?;
    let started = Instant::now();
    let stored = dataset.base_columns(&plan.equation.bases())?;
    progress.report(STAGE, READ, STEPS);
    let execution = execute(plan, dataset, &stored)?;
    let (published, cells) = rules::publish(plan, &d.manifest.release, &execution.cells)?;
    progress.report(STAGE, EXECUTED, STEPS);
    // Which key it is depends on what is hidden. It is read once in a process: that is no part of a query's own work.
    let before_keys = started.elapsed();
    let size = Layout::new(&plan.equation, &cells)?.class.size;
    let key = params.proving_key(size)?;
    let started = Instant::now();
    let bundle = Bundle::new(&params.verifying(), d, question, plan, published);
    let context = bundle.context(d, question);
    let proof = prove(
        plan,
        dataset,
        params,
        &Executed {
            stored: &stored,
            execution: &execution,
            cells: &cells,
            key: &key,
        },
        &context,
        progress,
    )?;
    let report = ProveReport {
        proving_time: before_keys + started.elapsed(),
        ..ProveReport::default()
    };
    Ok((bundle.with_proof(&proof), report))
}

/// What a plan makes of a dataset's rows.
fn execute(
    plan: &Plan,
    dataset: &CommittedDataset,
    stored: &BaseColumns,
) -> Result<Execution, ProverError> {
    let bases = stored.as_columns(dataset.dataset());
    let values = bases.iter().map(|(i, c)| (*i, c.values)).collect();
    Ok(Execution::new(&plan.equation, &values)?)
}

/// An executed plan with what is published of it.
struct Executed<'a> {
    stored: &'a BaseColumns,
    execution: &'a Execution,
    cells: &'a Cells,
    key: &'a ProvingKey,
}

fn prove(
    plan: &Plan,
    dataset: &CommittedDataset,
    params: &ParameterStore,
    executed: &Executed<'_>,
    context: &[u8],
    progress: &dyn Progress,
) -> Result<Vec<u8>, ProverError> {
    let bases = executed.stored.as_columns(dataset.dataset());
    let task = Task {
        srs: &*params.srs()?,
        key: executed.key,
        context,
        equation: &plan.equation,
        execution: executed.execution,
        cells: executed.cells,
        bases: &bases,
        store: &dataset.sums(),
    };
    let proof = task.prove_watched(&|done| progress.report(STAGE, EXECUTED + done, STEPS))?;
    Ok(proof.to_bytes())
}
