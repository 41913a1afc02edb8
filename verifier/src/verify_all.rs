//! Checking many bundles at once: their proofs share all pairings but one, which are most of the cost.

use galen_core::{
    batch::{self, Claim},
    equation::{Cells, Layout},
    proof::EquationProof,
};
use galen_params::VerifyingSet;
use galen_query::{
    question::{Question, Resolved},
    registry::Registry,
};
use rayon::prelude::*;

use crate::{
    VerifyError,
    answer::{self, Answer, Source},
    bundle::{Bundle, decode_proof},
    error::refused,
    plan::Plan,
    registration::Registered,
    rules,
    verify::{check_identities, check_made_with, plan_for},
};

/// A bundle with what it is to be checked against.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The bundle, which may come from anyone.
    pub bundle: &'a Bundle,
    /// The dataset, from [`verify_registration`](crate::registration::verify_registration).
    pub registered: &'a Registered,
    /// The registry.
    pub registry: &'a Registry,
    /// The question.
    pub question: &'a Question,
}

/// As [`verify`](crate::verify) for each job, in order, with one check of all their proofs. A proof that does not
/// hold is named and taken out, so that a bad one takes no other with it.
pub fn verify_all(keys: &VerifyingSet, jobs: &[Job<'_>]) -> Vec<Result<Answer, VerifyError>> {
    let drafts: Vec<Result<Draft<'_>, VerifyError>> =
        jobs.par_iter().map(|job| Draft::new(*job, keys)).collect();
    let mut verdicts: Vec<Option<VerifyError>> = jobs.iter().map(|_| None).collect();
    let laid_out: Vec<Option<LaidOut<'_>>> = drafts
        .par_iter()
        .zip(&mut verdicts)
        .map(|(draft, verdict)| match draft.as_ref().ok()?.laid_out() {
            Ok(laid_out) => Some(laid_out),
            Err(e) => {
                *verdict = Some(e);
                None
            }
        })
        .collect();
    check(keys, &laid_out, &mut verdicts);
    drop(laid_out);
    drafts
        .into_iter()
        .zip(verdicts)
        .map(|(draft, verdict)| match (draft, verdict) {
            (Err(e), _) | (Ok(_), Some(e)) => Err(e),
            (Ok(draft), None) => Ok(draft.answer(keys)),
        })
        .collect()
}

/// Batches what is left until it holds: each round takes out one proof that does not.
fn check(
    keys: &VerifyingSet,
    laid_out: &[Option<LaidOut<'_>>],
    verdicts: &mut [Option<VerifyError>],
) {
    let mut left: Vec<(usize, &LaidOut<'_>)> = laid_out
        .iter()
        .enumerate()
        .filter_map(|(i, l)| l.as_ref().map(|l| (i, l)))
        .collect();
    while !left.is_empty() {
        let claims: Vec<Claim<'_>> = left.iter().map(|(_, l)| l.claim(keys)).collect();
        let Err(e) = batch::verify(&claims) else {
            return;
        };
        let (at, error) = refused(e, |_| "bundle".into());
        let (job, _) = left.remove(at.min(left.len() - 1));
        verdicts[job] = Some(error);
    }
}

/// A job, replayed as far as it goes without looking at its proof.
struct Draft<'a> {
    job: Job<'a>,
    resolved: Resolved,
    plan: Plan,
    cells: Cells,
    context: [u8; 32],
    proof: Vec<u8>,
}

/// A draft with its proof decoded.
struct LaidOut<'d> {
    draft: &'d Draft<'d>,
    layout: Layout<'d>,
    proof: EquationProof,
}

impl<'a> Draft<'a> {
    fn new(job: Job<'a>, keys: &VerifyingSet) -> Result<Self, VerifyError> {
        let Job {
            bundle,
            registered,
            registry,
            question,
        } = job;
        let dataset = registered.dataset();
        let resolved = question.resolve(registry)?;
        check_made_with(dataset, registry, keys)?;
        check_identities(bundle, dataset, question, keys)?;
        let plan = plan_for(&resolved, registry, dataset, &bundle.quantiles)?;
        let cells = rules::cells(&plan, &dataset.manifest.release, &bundle.cells)?;
        Ok(Self {
            context: bundle.context(dataset, question),
            proof: decode_proof(&bundle.proof, "bundle")?,
            job,
            resolved,
            plan,
            cells,
        })
    }

    fn laid_out<'d>(&'d self) -> Result<LaidOut<'d>, VerifyError> {
        let layout = Layout::new(&self.plan.equation, &self.cells)
            .map_err(|e| VerifyError::Malformed(e.to_string()))?;
        let proof = EquationProof::from_bytes(&self.proof, &layout)
            .map_err(|e| VerifyError::encoding("bundle".into(), &e))?;
        Ok(LaidOut {
            draft: self,
            layout,
            proof,
        })
    }

    fn answer(self, keys: &VerifyingSet) -> Answer {
        let Job {
            bundle,
            registered,
            registry,
            question,
        } = self.job;
        let source = Source::of(registered.dataset(), question);
        let insecure = keys.is_insecure();
        answer::build(
            &self.plan,
            &self.resolved,
            registry,
            source,
            &bundle.cells,
            insecure,
        )
    }
}

impl LaidOut<'_> {
    fn claim<'c>(&'c self, keys: &'c VerifyingSet) -> Claim<'c> {
        Claim {
            key: keys.key(self.layout.class.size),
            srs: keys.srs(),
            context: &self.draft.context,
            layout: &self.layout,
            cells: &self.draft.cells,
            bases: self
                .draft
                .job
                .registered
                .dataset()
                .commitments_of(self.layout.equation),
            proof: &self.proof,
        }
    }
}
