//! Checking many bundles at once: their proofs share all pairings but one, which are most of the cost.

use galen_circuits::{
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

/// As [`verify`](crate::verify) for each job, in order, with one check of all their proofs. One that does not hold
/// takes no other with it.
pub fn verify_all(keys: &VerifyingSet, jobs: &[Job<'_>]) -> Vec<Result<Answer, VerifyError>> {
    let drafts: Vec<Result<Draft<'_>, VerifyError>> =
        jobs.par_iter().map(|job| Draft::new(*job, keys)).collect();
    let verdicts = check(keys, &drafts);
    let answers = drafts.into_iter().zip(verdicts);
    answers
        .map(|(draft, verdict)| {
            let draft = draft?;
            verdict?;
            Ok(draft.answer(keys))
        })
        .collect()
}

/// The verdict on each draft's proof; that on no draft is not to be read.
fn check(
    keys: &VerifyingSet,
    drafts: &[Result<Draft<'_>, VerifyError>],
) -> Vec<Result<(), VerifyError>> {
    let laid_out: Vec<Option<Result<LaidOut<'_>, VerifyError>>> = drafts
        .par_iter()
        .map(|draft| draft.as_ref().ok().map(Draft::laid_out))
        .collect();
    let together = laid_out.iter().flatten().flatten();
    let claims: Vec<Claim<'_>> = together.map(|l| l.claim(keys)).collect();
    let mut verdicts = batch::verify_each(&claims).into_iter();
    drop(claims);
    laid_out
        .into_iter()
        .map(|laid_out| match laid_out {
            None => Ok(()),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => {
                let verdict = verdicts.next().expect("one verdict a claim");
                verdict.map_err(|e| VerifyError::refused(e, "bundle", |_| "bundle".into()))
            }
        })
        .collect()
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
