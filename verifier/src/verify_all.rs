//! Checking many bundles at once: their proofs share the pairings, which are most of the cost.

use std::collections::HashSet;

use galen_circuits::{
    G1,
    batch::{self, Claim},
};
use galen_params::VerifyingSet;
use galen_query::{
    question::{Question, Resolved},
    registry::Registry,
};
use rayon::prelude::*;

use crate::{
    VerifyError,
    answer::{self, Answer},
    bundle::Bundle,
    claims::{Evidence, Frame, Statement, chunk_outputs, decode_steps},
    manifest::Dataset,
    plan::Plan,
    proven::Proven,
    rules::{self, Published, Statements},
    verify::{check_identities, check_made_with, plan_for},
};

/// A bundle with what it is to be checked against.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The bundle, which may come from anyone.
    pub bundle: &'a Bundle,
    /// The dataset, from [`check_dataset`](crate::check_dataset).
    pub dataset: &'a Dataset,
    /// The registry.
    pub registry: &'a Registry,
    /// The question.
    pub question: &'a Question,
}

/// As [`verify_beyond`](crate::verify_beyond) for each job, in order, with one check of all their proofs. If
/// that fails, each job is checked by itself, so that a bad one takes no other with it.
pub fn verify_all(
    proven: &mut Proven,
    keys: &VerifyingSet,
    jobs: &[Job<'_>],
) -> Vec<Result<Answer, VerifyError>> {
    let drafts: Vec<Result<Draft<'_>, VerifyError>> =
        jobs.par_iter().map(|job| Draft::new(*job, keys)).collect();
    let held: Vec<Result<(), VerifyError>> = {
        let claimed: Vec<Option<Result<Claimed<'_>, VerifyError>>> = drafts
            .par_iter()
            .map(|d| d.as_ref().ok().map(|d| d.claimed(keys)))
            .collect();
        let together: Vec<&Claimed<'_>> = claimed
            .iter()
            .flatten()
            .filter_map(|c| c.as_ref().ok())
            .collect();
        let all_hold = together.len() > 1 && hold(proven, keys, &together).is_ok();
        claimed
            .into_iter()
            .map(|c| match c {
                Some(Ok(_)) if all_hold => Ok(()),
                Some(Ok(c)) => hold(proven, keys, &[&c]),
                Some(Err(e)) => Err(e),
                // The draft's error is the one to tell.
                None => Ok(()),
            })
            .collect()
    };
    let answers = drafts.into_iter().zip(held);
    answers
        .map(|(draft, held)| {
            let draft = draft?;
            held?;
            Ok(draft.answer(keys))
        })
        .collect()
}

/// A job, replayed as far as it goes without looking at a proof.
struct Draft<'a> {
    job: Job<'a>,
    resolved: Resolved,
    plan: Plan,
    steps: Vec<Evidence>,
    outputs: Vec<Vec<Option<G1>>>,
    published: Published,
    statements: Statements,
}

/// What a job's proofs are to prove.
struct Claimed<'a> {
    frame: Frame<'a>,
    statements: Vec<Statement<'a>>,
}

impl<'a> Draft<'a> {
    fn new(job: Job<'a>, keys: &VerifyingSet) -> Result<Self, VerifyError> {
        let Job {
            bundle,
            dataset,
            registry,
            question,
        } = job;
        let resolved = question.resolve(registry)?;
        check_made_with(dataset, registry, keys)?;
        check_identities(bundle, dataset, question, keys)?;
        let plan = plan_for(&resolved, registry, dataset, &bundle.quantiles)?;
        let steps = decode_steps("bundle", &bundle.steps, &plan.steps, dataset.chunks())?;
        let outputs = chunk_outputs(&steps, dataset.chunks());
        let published: Published = bundle.releases.iter().map(|r| r.cells.clone()).collect();
        let statements = rules::statements(&plan, &dataset.manifest.release, &published)?;
        Ok(Self {
            job,
            resolved,
            plan,
            steps,
            outputs,
            published,
            statements,
        })
    }

    fn claimed<'d>(&'d self, keys: &'d VerifyingSet) -> Result<Claimed<'d>, VerifyError> {
        let Job {
            bundle, dataset, ..
        } = self.job;
        let frame = Frame {
            dataset,
            keys,
            ctx: dataset.ctx(),
        };
        let outputs = &self.outputs;
        let mut all: Vec<Statement<'_>> = (0..dataset.chunks())
            .into_par_iter()
            .flat_map_iter(|chunk| {
                frame.chunk_statements(&self.plan.steps, &self.steps, &outputs[chunk], chunk)
            })
            .collect();
        let releases = self.plan.releases.iter().zip(&self.statements.releases);
        for (index, (release, cells)) in releases.enumerate() {
            all.push(frame.release_statement(bundle, release, index, cells, outputs)?);
        }
        let (expected, got) = (self.statements.comparisons.len(), bundle.comparisons.len());
        if expected != got {
            let what = "comparisons".into();
            return Err(VerifyError::Cells {
                what,
                expected,
                got,
            });
        }
        for (comparison, proof) in self.statements.comparisons.iter().zip(&bundle.comparisons) {
            all.push(frame.comparison_statement(proof, comparison, outputs)?);
        }
        Ok(Claimed {
            frame,
            statements: all,
        })
    }

    fn answer(self, keys: &VerifyingSet) -> Answer {
        let Job {
            dataset,
            registry,
            question,
            ..
        } = self.job;
        answer::build(
            &self.plan,
            &self.resolved,
            registry,
            dataset,
            question,
            &self.published,
            keys.is_insecure(),
        )
    }
}

fn hold(
    proven: &mut Proven,
    keys: &VerifyingSet,
    claimed: &[&Claimed<'_>],
) -> Result<(), VerifyError> {
    let all: Vec<(&Frame<'_>, &[Statement<'_>])> = claimed
        .iter()
        .map(|c| (&c.frame, c.statements.as_slice()))
        .collect();
    run(proven, keys, &all)
}

/// Checks the equations of the statements that are not in `proven`, and adds those that hold. All or none
/// are added. Every frame is of these keys.
pub(crate) fn run(
    proven: &mut Proven,
    keys: &VerifyingSet,
    all: &[(&Frame<'_>, &[Statement<'_>])],
) -> Result<(), VerifyError> {
    let named: Vec<(&Frame<'_>, &Statement<'_>, [u8; 64])> = all
        .par_iter()
        .flat_map_iter(|(frame, statements)| {
            statements.iter().map(|s| (*frame, s, frame.digest(s)))
        })
        .collect();
    // Answers over one dataset bring the same proofs with them: each is checked once.
    let mut seen = HashSet::new();
    let mut new = named;
    new.retain(|(.., digest)| !proven.contains(digest) && seen.insert(*digest));
    let claims: Vec<Claim<'_>> = new
        .par_iter()
        .map(|(frame, s, _)| frame.claim(s))
        .collect::<Result<_, _>>()?;
    batch::verify(keys.id(), &claims).map_err(|e| match e {
        batch::VerifyError::Refused(e) => {
            let (_, statement, _) = new[e.index];
            VerifyError::Proof {
                key: statement.label.clone(),
                gate: e.gate,
                chunk: statement.chunk,
                check: e.check,
            }
        }
        other => VerifyError::Malformed(other.to_string()),
    })?;
    proven.extend(new.into_iter().map(|(.., digest)| digest));
    Ok(())
}
