//! What the demonstration prints and keeps.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use galen_prover::dataset::{CommitReport, CommittedDataset};
use galen_verifier::manifest::ReleaseProfile;
use serde_json::{Value, json};

use super::run::{Answered, Demo};
use crate::{
    commands::{prove::report_json, verify::meaning},
    files,
    output::Output,
    params::INSECURE,
    show,
    shown::Shown,
};

/// Before any work.
pub fn start(patients: u64, seed: u64, output: &Output) -> Result<()> {
    output.line(format!(
        "Galen, on a made-up hospital of {} patients (seed {seed}). No patient in it exists.\n",
        show::thousands(patients)
    ))
}

/// After the commit.
pub fn committed(dataset: &CommittedDataset, report: &CommitReport, output: &Output) -> Result<()> {
    let d = dataset.dataset();
    output.line("The hospital commits its table once")?;
    let facts = [
        ("hospital", d.manifest.hospital.clone()),
        (
            "dataset",
            format!("{}, epoch {}", d.manifest.dataset, d.manifest.epoch),
        ),
        (
            "committed",
            format!(
                "{} of {} patients, in {}",
                show::plural(report.columns, "column"),
                show::thousands(report.rows),
                show::plural(report.chunks, "chunk")
            ),
        ),
        (
            "left out",
            format!(
                "{} of the table: the demonstration's registry is a small one, to be quick",
                show::plural(report.ignored_columns.len(), "column")
            ),
        ),
        (
            "registered",
            format!(
                "{} that its columns are well-formed",
                show::plural(report.proofs, "proof")
            ),
        ),
        ("release rule", d.manifest.release.in_words()),
    ];
    output.line(show::indent(&show::facts(&facts)))
}

/// After each answer.
pub fn answered(number: usize, a: &Answered, rule: &ReleaseProfile, output: &Output) -> Result<()> {
    output.line(format!("\nQuery {number}: {}\n", a.shown.title))?;
    output.line(show::indent(a.shown.sql))?;
    output.line(format!(
        "\n{}",
        show::indent(&show::answer(&Shown::from(&a.answer)))
    ))?;
    if let Some(note) = show::suppression(&a.answer, rule) {
        output.line(format!("\n{}", show::indent(&note)))?;
    }
    output.line(format!("\n{}", show::indent(a.shown.lesson)))
}

/// After everything.
pub fn finish(demo: &Demo, out: Option<&Path>, output: &Output) -> Result<()> {
    output.document(&document(demo, out))?;
    output.line(format!("\nProofs\n{}", show::indent(&proofs(demo))))?;
    output.line(format!("\nTime\n{}\n", show::indent(&times(demo))))?;
    let hospital = demo
        .answers
        .first()
        .map(|a| a.answer.source.hospital.as_str());
    let hospital = hospital.unwrap_or("the hospital");
    output.line(meaning(hospital, &demo.rule.in_words()))?;
    output.line(format!("\n{INSECURE}"))?;
    if let Some(out) = out {
        output.line(format!(
            "\nThe public files are in {}. Check them as a reviewer would:\n  {}",
            out.display(),
            verify_command(demo, out)
        ))?;
    }
    Ok(())
}

fn proofs(demo: &Demo) -> String {
    let header = [
        "query",
        "proof",
        "bundle",
        "proving",
        "a patient",
        "verifying",
    ];
    let rows = (1..).zip(&demo.answers).map(|(number, a): (usize, _)| {
        vec![
            number.to_string(),
            show::bytes(a.proof_bytes as u64),
            show::bytes(a.bundle_json.len() as u64),
            show::time(a.report.proving_time),
            show::per_patient(a.report.proving_time, demo.patients),
            show::time(a.verifying_time),
        ]
    });
    show::table(&header, &[1, 2, 3, 4, 5], rows)
}

fn times(demo: &Demo) -> String {
    let sum = |of: fn(&Answered) -> Duration| demo.answers.iter().map(of).sum::<Duration>();
    let rows = [
        ("setup", "parameters, made or read", demo.parameters_time),
        ("setup", "writing the made-up table", demo.table_time),
        (
            "hospital",
            "committing the table, once",
            demo.commit.commit_time,
        ),
        (
            "hospital",
            "registration proofs, once",
            demo.commit.registration_time,
        ),
        (
            "hospital",
            "proving three answers",
            sum(|a| a.report.proving_time),
        ),
        (
            "reviewer",
            "reading the parameters, once",
            demo.loading_time,
        ),
        (
            "reviewer",
            "verifying the registration, once",
            demo.registration_check,
        ),
        (
            "reviewer",
            "verifying three answers",
            sum(|a| a.verifying_time),
        ),
        ("", "everything", demo.total_time),
    ];
    let rows = rows.map(|(who, what, time)| vec![who.into(), what.into(), show::time(time)]);
    show::table(&["role", "work", "time"], &[2], rows)
}

fn document(demo: &Demo, out: Option<&Path>) -> Value {
    let queries: Vec<Value> = demo
        .answers
        .iter()
        .map(|a| {
            json!({
                "title": a.shown.title,
                "sql": a.shown.sql,
                "answer": a.answer.to_json(),
                "report": report_json(&a.report, demo.patients),
                "proof_bytes": a.proof_bytes,
                "bundle_bytes": a.bundle_json.len(),
                "verified": true,
                "verifying_seconds": a.verifying_time.as_secs_f64(),
            })
        })
        .collect();
    json!({
        "patients": demo.patients,
        "seed": demo.seed,
        "insecure_parameters": true,
        "parameters_bytes": demo.parameters.len(),
        "columns": demo.commit.columns,
        "chunks": demo.commit.chunks,
        "registration_proofs": demo.commit.proofs,
        "queries": queries,
        "seconds": {
            "parameters": demo.parameters_time.as_secs_f64(),
            "table": demo.table_time.as_secs_f64(),
            "commit": demo.commit.commit_time.as_secs_f64(),
            "registration": demo.commit.registration_time.as_secs_f64(),
            "read_parameters": demo.loading_time.as_secs_f64(),
            "total": demo.total_time.as_secs_f64(),
        },
        "out": out,
        "verify": out.map(|out| verify_command(demo, out)),
    })
}

/// Writes every public file.
pub fn keep(demo: &Demo, out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    let write = |name: &str, bytes: &[u8]| files::write_atomic(&out.join(name), bytes);
    write("registry.toml", demo.registry_toml.as_bytes())?;
    write("manifest.json", &demo.manifest_json)?;
    write("registration.json", &demo.registration_json)?;
    write("parameters.bin", &demo.parameters)?;
    for (number, a) in (1..).zip(&demo.answers) {
        let number: usize = number;
        write(&format!("query-{number}.json"), &a.question_json)?;
        write(&format!("bundle-{number}.json"), &a.bundle_json)?;
    }
    Ok(())
}

/// The command that checks the kept files, ready for a shell.
fn verify_command(demo: &Demo, out: &Path) -> String {
    let program = env::args_os().next().map_or("galen".into(), PathBuf::from);
    let file = |name: &str| quoted(&out.join(name));
    let mut command = format!(
        "{} verify --manifest {} --registration {} --registry {} --parameters {}",
        quoted(&program),
        file("manifest.json"),
        file("registration.json"),
        file("registry.toml"),
        file("parameters.bin")
    );
    for number in 1..=demo.answers.len() {
        command += &format!(
            " \\\n    --query {} --bundle {}",
            file(&format!("query-{number}.json")),
            file(&format!("bundle-{number}.json"))
        );
    }
    command
}

/// A path as a POSIX shell reads it back.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_a_shell() {
        let text = |p: &str| quoted(Path::new(p));
        assert_eq!(text("a/b-1.json"), "a/b-1.json");
        assert_eq!(text("my files"), "'my files'");
        assert_eq!(text("it's"), r"'it'\''s'");
    }
}
