//! What the three roles do, with the time that each thing takes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use galen_params::{ParameterStore, VerifyingSet};
use galen_prover::{
    dataset::{CommitReport, CommitRequest, CommittedDataset, commit, load_or_create_key},
    execute::{ProveReport, answer},
    synthetic::write_hospital,
};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{
    answer::Answer,
    bundle::Bundle,
    manifest::{Manifest, ReleaseProfile},
    plan::gates_for,
    register::AnswerRegister,
    verify,
};

use super::{
    Args,
    questions::{DemoQuestion, QUESTIONS},
    report,
};
use crate::{files, output::Output, progress::Bars};

/// Fewer columns than the made-up hospital has, so that the demonstration is quick.
const REGISTRY_TOML: &str = include_str!("registry.toml");
const PURPOSE: &str = "DUO:0000042";

/// Everything that was made and measured.
pub struct Demo {
    pub patients: u64,
    pub seed: u64,
    pub registry_toml: &'static str,
    pub manifest_json: Vec<u8>,
    pub parameters: Vec<u8>,
    pub rule: ReleaseProfile,
    pub commit: CommitReport,
    pub answers: Vec<Answered>,
    pub parameters_time: Duration,
    pub table_time: Duration,
    pub loading_time: Duration,
    pub total_time: Duration,
}

/// One question, its answer and what they took.
pub struct Answered {
    pub shown: &'static DemoQuestion,
    pub question_json: Vec<u8>,
    pub bundle_json: Vec<u8>,
    pub answer: Answer,
    pub proofs: usize,
    pub report: ProveReport,
    pub verifying_time: Duration,
}

/// All roles, one after the other.
pub fn all(args: &Args, work: &Path, output: &Output) -> Result<(Demo, ParameterStore)> {
    let started = Instant::now();
    report::start(args.patients, args.seed, output)?;
    let registry = Registry::from_toml(REGISTRY_TOML)?;
    let clock = Instant::now();
    let params = args.cache.open(args.shape, &gates_for(&registry), output)?;
    let parameters_time = clock.elapsed();
    let clock = Instant::now();
    let table = work.join("patients.parquet");
    write_hospital(&table, args.patients, args.seed)?;
    let table_time = clock.elapsed();
    let (dataset, commit) = commit_table(&table, &registry, work, &params, output)?;
    report::committed(&dataset, &commit, output)?;
    let mut answers = Vec::new();
    for (number, shown) in (1..).zip(&QUESTIONS) {
        let answered = ask(shown, &dataset, &registry, &params, output)?;
        let rule = &dataset.dataset().manifest.release;
        report::answered(number, &answered, rule, output)?;
        answers.push(answered);
    }
    let manifest = &dataset.dataset().manifest;
    let mut demo = Demo {
        patients: args.patients,
        seed: args.seed,
        registry_toml: REGISTRY_TOML,
        manifest_json: files::pretty(manifest)?,
        parameters: params.verifying_bytes().to_vec(),
        rule: manifest.release.clone(),
        commit,
        answers,
        parameters_time,
        table_time,
        loading_time: Duration::ZERO,
        total_time: Duration::ZERO,
    };
    review(&mut demo)?;
    demo.total_time = started.elapsed();
    Ok((demo, params))
}

fn commit_table(
    table: &Path,
    registry: &Registry,
    work: &Path,
    params: &ParameterStore,
    output: &Output,
) -> Result<(CommittedDataset, CommitReport)> {
    let key = load_or_create_key(&work.join("hospital.key"))?;
    let request = CommitRequest {
        table,
        registry_toml: REGISTRY_TOML,
        registry,
        hospital: "Demonstration Hospital",
        dataset: "cardio-demo",
        epoch: 1,
        release: ReleaseProfile::default(),
        key: &key,
        out: &work.join("dataset"),
    };
    Ok(commit(&request, params, &Bars::new(output))?)
}

fn ask(
    shown: &'static DemoQuestion,
    dataset: &CommittedDataset,
    registry: &Registry,
    params: &ParameterStore,
    output: &Output,
) -> Result<Answered> {
    let question = Question::new(registry, PURPOSE, shown.sql, Some(shown.title.into()))?;
    let (bundle, answer, report) = answer(dataset, &question, params, &Bars::new(output))?;
    let chunks: usize = bundle.steps.iter().map(|s| s.chunks.len()).sum();
    Ok(Answered {
        shown,
        question_json: files::pretty(&question)?,
        bundle_json: serde_json::to_vec(&bundle)?,
        answer,
        proofs: chunks + bundle.releases.len(),
        report,
        verifying_time: Duration::ZERO,
    })
}

/// The reviewer: reads the public documents from their bytes, and trusts none but the parameters.
fn review(demo: &mut Demo) -> Result<()> {
    let clock = Instant::now();
    let keys = VerifyingSet::from_bytes(&demo.parameters)?;
    demo.loading_time = clock.elapsed();
    let registry = Registry::from_toml(demo.registry_toml)?;
    let manifest: Manifest = serde_json::from_slice(&demo.manifest_json)?;
    let mut register = AnswerRegister::default();
    for answered in &mut demo.answers {
        let question: Question = serde_json::from_slice(&answered.question_json)?;
        let bundle = Bundle::from_json(&answered.bundle_json)?;
        let clock = Instant::now();
        let answer = verify(&bundle, &manifest, &registry, &question, &keys)
            .and_then(|a| register.admit(&a).map(|()| a))
            .with_context(|| format!("the answer to `{}` was refused", answered.shown.title))?;
        answered.verifying_time = clock.elapsed();
        ensure!(
            answer == answered.answer,
            "the reviewer read another answer than the hospital gave"
        );
    }
    Ok(())
}
