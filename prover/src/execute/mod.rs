//! Executing a plan over a dataset: chunk after chunk, all cores on each, one chunk in memory.

mod chunk;
mod percentile;
mod registration;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use galen_circuits::{
    Fr,
    column::Column,
    gates::{Gate, release},
    prove,
};
use galen_params::{ParameterStore, Progress};
use galen_query::{
    question::Question,
    text::{base64, hex},
};
use galen_verifier::{
    VerifyError,
    answer::Answer,
    bundle::{Bundle, ChunkProof, ReleaseProof, StepProof},
    plan::{Plan, Purpose},
    plan_for, rules, verify,
};

use crate::{ProverError, dataset::CommittedDataset};
use chunk::ChunkProver;
pub(crate) use registration::{prove_committed, registration};

/// Counts finished proofs, from all cores, and reports each count in order.
struct Counter<'a> {
    progress: &'a dyn Progress,
    stage: &'static str,
    done: Mutex<u64>,
    total: u64,
}

impl<'a> Counter<'a> {
    fn start(progress: &'a dyn Progress, stage: &'static str, total: usize) -> Self {
        let total = total as u64;
        progress.report(stage, 0, total);
        Self {
            progress,
            stage,
            done: Mutex::new(0),
            total,
        }
    }

    fn step(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        self.progress.report(self.stage, *done, self.total);
    }
}

/// How a proof went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProveReport {
    /// Proofs made.
    pub proven: usize,
    /// Proofs taken from the index.
    pub reused: usize,
    /// Reading chunks, committing and proving; without loading keys.
    pub proving_time: Duration,
    /// Verifying the finished bundle.
    pub verifying_time: Duration,
}

/// Proves the answer to `question`, keeps new derived columns in the index, and verifies the bundle
/// before handing it out.
///
/// # Errors
/// A query that cannot be asked here, a damaged store, a full disk.
pub fn answer(
    dataset: &CommittedDataset,
    question: &Question,
    params: &ParameterStore,
    progress: &dyn Progress,
) -> Result<(Bundle, Answer, ProveReport), ProverError> {
    let plan = plan(dataset, question)?;
    let (bundle, mut report) = prove_plan(dataset, question, &plan, params, progress)?;
    let started = Instant::now();
    let manifest = &dataset.dataset().manifest;
    let answer = verify(
        &bundle,
        manifest,
        dataset.registry(),
        question,
        &params.verifying(),
    )
    .map_err(|e| damaged_index(dataset, e))?;
    report.verifying_time = started.elapsed();
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

/// A proof of ours that does not verify can only come from a damaged store.
fn damaged_index(dataset: &CommittedDataset, e: VerifyError) -> ProverError {
    match e {
        e @ VerifyError::Proof { .. } => ProverError::Damaged {
            path: dataset.folder().join("index"),
            why: format!(
                "what was proven does not verify ({e}); delete this folder and try again, every needed proof is then made anew"
            ),
        },
        e => e.into(),
    }
}

/// Executes a plan as it stands and assembles the bundle, without verifying it.
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
    for gate in plan.gates() {
        params.proving_key(gate)?;
    }
    let _held = dataset.lock()?;
    let started = Instant::now();
    let mut report = ProveReport::default();
    let set = params.verifying();
    let d = dataset.dataset();
    let mut bundle = Bundle::new(
        hex(set.id()),
        set.is_insecure(),
        hex(&d.digest),
        hex(&question.digest()),
    );
    bundle.quantiles.clone_from(&plan.quantiles);
    bundle.steps = plan
        .steps
        .iter()
        .map(|s| StepProof {
            key: s.key.clone(),
            chunks: Vec::with_capacity(d.chunks()),
        })
        .collect();
    let mut totals: Vec<Option<Column>> = plan.steps.iter().map(|_| None).collect();
    let total = plan.steps.len() * d.chunks() + plan.releases.len();
    let counter = Counter::start(progress, "proving", total);
    for chunk in 0..d.chunks() {
        let prover = ChunkProver::new(dataset, params, &plan.steps, chunk)?;
        let entries = prover.run(&mut report, &|| counter.step())?;
        for ((step, entry), out) in plan.steps.iter().zip(&entries).zip(&mut bundle.steps) {
            let commitment = entry.entry.output.as_ref().map(|(_, c)| *c);
            out.chunks
                .push(ChunkProof::new(commitment, &entry.entry.proof));
            if step.purpose != Purpose::Root && entry.fresh {
                dataset.index().put(&step.key, chunk, &entry.entry)?;
            }
        }
        add_roots(&mut totals, plan, &prover, d.shape.rows())?;
    }
    let zero = Column::constant(&params.srs().verifying, Fr::from(0u64));
    let columns_of = |roots: &[usize]| total_columns(&zero, roots, &totals);
    let releases: Vec<_> = plan.releases.iter().map(|r| columns_of(&r.roots)).collect();
    let limbs: Vec<[u64; release::LIMBS]> = releases
        .iter()
        .map(|columns| {
            let sums = columns.map(|c| c.values().iter().sum::<Fr>());
            release::all_limbs(&sums).expect("the plan leaves room for every sum")
        })
        .collect();
    let (published, statements) = rules::publish(plan, &d.manifest.release, &limbs)?;
    let key = params.proving_key(Gate::Release)?;
    for ((columns, cells), statement) in releases
        .into_iter()
        .zip(published)
        .zip(&statements.releases)
    {
        let proof = prove::release(&key, d.ctx(), statement, columns)?;
        bundle.releases.push(ReleaseProof {
            cells,
            proof: base64(&proof.to_bytes()),
        });
        report.proven += 1;
        counter.step();
    }
    for comparison in &statements.comparisons {
        let key = params.proving_key(Gate::Compare)?;
        let columns = columns_of(&comparison.roots);
        let proof = prove::compare(&key, d.ctx(), &comparison.statement, columns)?;
        bundle.comparisons.push(base64(&proof.to_bytes()));
        report.proven += 1;
    }
    report.proving_time = started.elapsed();
    Ok((bundle, report))
}

/// Adds this chunk's roots to their totals.
fn add_roots(
    totals: &mut [Option<Column>],
    plan: &Plan,
    prover: &ChunkProver<'_>,
    rows: usize,
) -> Result<(), ProverError> {
    let one = Fr::from(1u64);
    for (index, step) in plan.steps.iter().enumerate() {
        if step.purpose != Purpose::Root {
            continue;
        }
        let root = prover.output(index);
        totals[index] = Some(match totals[index].take() {
            None => Column::combination(rows, &[(one, root)])?,
            Some(sum) => Column::combination(rows, &[(one, &sum), (one, root)])?,
        });
    }
    Ok(())
}

/// The totals of up to four root steps; an unused one is the zero column.
fn total_columns<'a>(
    zero: &'a Column,
    roots: &[usize],
    totals: &'a [Option<Column>],
) -> [&'a Column; release::TOTALS] {
    let mut columns = [zero; release::TOTALS];
    for (column, root) in columns.iter_mut().zip(roots) {
        *column = totals[*root].as_ref().expect("a root step has a total");
    }
    columns
}
