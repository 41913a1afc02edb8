//! The proofs that belong to a dataset rather than to a query.

use galen_params::{ParameterStore, Progress};
use galen_query::text::hex;
use galen_verifier::{
    bundle::{ChunkProof, StepProof},
    plan::{Step, registration_steps},
    proven::Proven,
    registration::{Registration, verify_registration},
};

use super::{Counter, ProveReport, chunk::ChunkProver, damaged_index};
use crate::{
    ProverError,
    dataset::{CommittedDataset, Entry, committed_steps},
};

/// Proves what every dataset has ahead of its queries, over a freshly committed one; returns the proofs made.
pub(crate) fn prove_committed(
    dataset: &CommittedDataset,
    params: &ParameterStore,
    progress: &dyn Progress,
) -> Result<usize, ProverError> {
    let steps = committed_steps(dataset.registry());
    for step in &steps {
        params.proving_key(step.gate)?;
    }
    let report = prove_steps(dataset, params, &steps, progress, |_, _| {})?;
    Ok(report.proven)
}

/// The registration document: its proofs are those in the index, where one is missing it is made anew.
/// Verified before it is handed out.
pub(crate) fn registration(
    dataset: &CommittedDataset,
    params: &ParameterStore,
    progress: &dyn Progress,
) -> Result<Registration, ProverError> {
    let _held = dataset.lock()?;
    let plan = registration_steps(dataset.registry());
    let empty = |step: &Step| StepProof {
        key: step.key.clone(),
        chunks: Vec::new(),
    };
    let mut steps: Vec<StepProof> = plan.iter().map(empty).collect();
    prove_steps(dataset, params, &plan, progress, |index, entry| {
        let commitment = entry.output.as_ref().map(|(_, c)| *c);
        let proof = ChunkProof::new(commitment, &entry.proof);
        steps[index].chunks.push(proof);
    })?;
    let set = params.verifying();
    let d = dataset.dataset();
    let registration = Registration::new(hex(set.id()), set.is_insecure(), hex(&d.digest), steps);
    let mut proven = Proven::default();
    verify_registration(&mut proven, &registration, d, dataset.registry(), &set)
        .map_err(|e| damaged_index(dataset, e))?;
    Ok(registration)
}

/// Goes through all chunks: proves the steps that the index lacks, keeps them there, and gives `take` every
/// step's index and entry, chunk after chunk.
fn prove_steps(
    dataset: &CommittedDataset,
    params: &ParameterStore,
    steps: &[Step],
    progress: &dyn Progress,
    mut take: impl FnMut(usize, &Entry),
) -> Result<ProveReport, ProverError> {
    let chunks = dataset.dataset().chunks();
    let counter = Counter::start(progress, "registration proofs", steps.len() * chunks);
    let mut report = ProveReport::default();
    for chunk in 0..chunks {
        let prover = ChunkProver::new(dataset, params, steps, chunk)?;
        let entries = prover.run(&mut report, &|| counter.step())?;
        for (index, proven) in entries.iter().enumerate() {
            if proven.fresh {
                let key = &steps[index].key;
                dataset.index().put(key, chunk, &proven.entry)?;
            }
            take(index, &proven.entry);
        }
    }
    Ok(report)
}
