mod ledger;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use galen_ledger::evidence::MAX_EVIDENCE_BYTES;
use galen_params::VerifyingSet;
use galen_query::{
    provenance::{Note, Provenance},
    question::Question,
    registry::{Column, ColumnKind, Registry},
    text::hex,
};
use galen_verifier::{bundle::Bundle, manifest::Manifest};
use serde_json::{Value, json};

use crate::{failure::refusal, files, kind::Kind, output::Output, show};

const EXAMPLE: &str = "\
Example: a reviewer looks at what came by mail
  galen inspect bundle.json
Recognises manifests, provenances of tables, bundles, queries, registries, parameters (a dataset folder stands for its
manifest), evidence, registrations, signed statements and keys; of a signing key it shows the
public half only. Nothing is verified: that is `galen verify`.";

/// Shows what a file is and what it holds, without verifying it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// A summary: JSON, and for people text.
struct Shown(Value, String);

/// Recognises and shows.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let path = if args.file.is_dir() {
        args.file.join("manifest.json")
    } else {
        args.file.clone()
    };
    let bytes = files::read_limited(&path, "file", MAX_EVIDENCE_BYTES as u64)?;
    let Shown(mut document, text) =
        show(&path, &bytes).with_context(|| path.display().to_string())?;
    document["file"] = json!(path);
    document["bytes"] = json!(bytes.len());
    output.document(&document)?;
    output.line(text)
}

fn show(path: &Path, bytes: &[u8]) -> Result<Shown> {
    let is_toml = path.extension().is_some_and(|e| e == "toml");
    let text = || std::str::from_utf8(bytes).map_err(|_| unknown());
    match Kind::of(bytes) {
        Some(Kind::Parameters) => parameters(bytes),
        Some(Kind::Statement) => ledger::envelope(bytes),
        Some(Kind::Bundle) => bundle(&Bundle::from_json(bytes)?, bytes.len()),
        Some(Kind::Manifest) => manifest(&Manifest::from_json(bytes)?),
        Some(Kind::Provenance) => provenance(&Note::from_json(bytes)?),
        Some(Kind::Query) => query(&Question::from_json(bytes)?),
        Some(Kind::Registration) => ledger::registration(bytes),
        Some(Kind::Evidence) => ledger::evidence(bytes),
        Some(Kind::SigningKey) => ledger::signing_key(path),
        Some(Kind::LogKey) => ledger::log_key(text()?).ok_or_else(unknown),
        Some(Kind::Registry) => registry(&Registry::from_toml(text()?)?),
        _ if is_toml => registry(&Registry::from_toml(text()?)?),
        _ => Err(unknown()),
    }
}

fn unknown() -> anyhow::Error {
    let why = "not a file of galen's: neither a bundle, manifest, provenance, query, registry, parameters, evidence, \
               registration, signed statement nor key";
    refusal("Format", why)
}

fn bundle(bundle: &Bundle, bytes: usize) -> Result<Shown> {
    let cells: usize = bundle.cells.iter().map(Vec::len).sum();
    let states = bundle.cells.iter().flatten();
    let hidden = states.filter(|c| c.shown().is_none()).count();
    let proof = bundle.proof_bytes();
    let document = json!({
        "kind": "bundle",
        "warning": bundle.warning,
        "query": bundle.query,
        "manifest": bundle.manifest,
        "parameter_set": bundle.parameter_set,
        "groups": bundle.cells.len(),
        "cells": cells,
        "suppressed_cells": hidden,
        "proof_bytes": proof,
    });
    let mut facts = vec![
        ("bundle", show::bytes(bytes as u64)),
        ("query", bundle.query.clone()),
        ("manifest", bundle.manifest.clone()),
        ("parameters", bundle.parameter_set.clone()),
        (
            "publishes",
            format!(
                "{} in {}, {hidden} of them suppressed",
                show::plural(cells, "number"),
                show::plural(bundle.cells.len(), "group")
            ),
        ),
        ("proof", show::bytes(proof as u64)),
    ];
    facts.extend(bundle.warning.iter().map(|w| ("warning", w.clone())));
    Ok(Shown(document, show::plain_facts(&facts)))
}

fn manifest(m: &Manifest) -> Result<Shown> {
    let columns: Vec<&str> = m.columns.iter().map(|c| c.name.as_str()).collect();
    let names: Vec<String> = columns.iter().map(|c| show::plain_line(c)).collect();
    let chunks = m.columns.first().map_or(0, |c| c.chunks.len());
    let document = json!({
        "kind": "manifest",
        "digest": hex(&m.digest()),
        "hospital": m.hospital,
        "hospital_key": m.hospital_key,
        "dataset": m.dataset,
        "epoch": m.epoch,
        "registry": m.registry,
        "registry_digest": m.registry_digest,
        "parameter_set": m.parameter_set,
        "shape": m.shape,
        "rows": m.rows,
        "chunks": chunks,
        "release": m.release,
        "provenance": m.provenance,
        "columns": columns,
    });
    let mut facts = vec![
        ("manifest", hex(&m.digest())),
        ("hospital", m.hospital.clone()),
        ("hospital key", m.hospital_key.clone()),
        ("dataset", format!("{}, epoch {}", m.dataset, m.epoch)),
        (
            "registry",
            format!("{} ({})", m.registry, m.registry_digest),
        ),
        ("parameters", format!("{} ({})", m.parameter_set, m.shape)),
        (
            "patients",
            format!(
                "{} in {}",
                show::thousands(m.rows),
                show::plural(chunks, "chunk")
            ),
        ),
        ("release rule", m.release.in_words()),
        ("columns", show::plural(columns.len(), "commitment column")),
    ];
    facts.extend(m.provenance.iter().flat_map(Provenance::in_words));
    let text = format!(
        "{}\n\n{}",
        show::plain_facts(&facts),
        show::indent(&names.join("\n"))
    );
    Ok(Shown(document, text))
}

fn provenance(note: &Note) -> Result<Shown> {
    let document = json!({
        "kind": "provenance",
        "table_sha256": note.table_sha256,
        "provenance": note.provenance,
    });
    let mut facts = vec![("table", note.table_sha256.clone())];
    facts.extend(note.provenance.in_words());
    Ok(Shown(document, show::plain_facts(&facts)))
}

fn query(q: &Question) -> Result<Shown> {
    let document = json!({
        "kind": "query",
        "digest": hex(&q.digest()),
        "registry": q.registry,
        "registry_digest": q.registry_digest,
        "purpose": q.purpose,
        "sql": q.sql,
        "title": q.title,
    });
    let mut facts = vec![
        ("query", hex(&q.digest())),
        (
            "registry",
            format!("{} ({})", q.registry, q.registry_digest),
        ),
        ("purpose", q.purpose.clone()),
    ];
    facts.extend(q.title.iter().map(|t| ("title", t.clone())));
    let text = format!(
        "{}\n\n{}",
        show::plain_facts(&facts),
        show::indent(&show::plain(&q.sql))
    );
    Ok(Shown(document, text))
}

fn parameters(bytes: &[u8]) -> Result<Shown> {
    let set = VerifyingSet::from_bytes(bytes)?;
    let document = json!({
        "kind": "parameters",
        "id": hex(set.id()),
        "shape": set.shape().name(),
        "patients": set.shape().capacity(),
        "insecure": set.is_insecure(),
    });
    let mark = if set.is_insecure() {
        "INSECURE development set"
    } else {
        "none"
    };
    let facts = [
        ("parameters", hex(set.id())),
        (
            "shape",
            format!(
                "{}: up to {} patients",
                set.shape(),
                show::thousands(set.shape().capacity())
            ),
        ),
        ("mark", mark.into()),
        ("size", show::bytes(bytes.len() as u64)),
    ];
    Ok(Shown(document, show::plain_facts(&facts)))
}

fn registry(r: &Registry) -> Result<Shown> {
    let document = json!({
        "kind": "registry",
        "name": r.name,
        "version": r.version,
        "title": r.title,
        "digest": hex(&r.digest),
        "patient_id": r.patient_id,
        "purposes": r.purposes.iter().map(|p| json!({
            "code": p.code, "label": p.label, "column": p.column,
        })).collect::<Vec<_>>(),
        "columns": r.columns.iter().map(|c| json!({
            "name": c.name, "type": kind(c), "nullable": c.nullable, "title": c.title,
            "concept_sets": c.concept_sets,
        })).collect::<Vec<_>>(),
        "concept_sets": r.concept_sets.iter().map(|s| json!({
            "name": s.name, "title": s.title, "digest": hex(&s.digest),
        })).collect::<Vec<_>>(),
        "committed_columns": r.base_columns().len(),
    });
    let mut facts = vec![
        ("registry", format!("{} v{}", r.name, r.version)),
        ("digest", hex(&r.digest)),
        ("patient id", r.patient_id.clone()),
        ("committed", show::plural(r.base_columns().len(), "column")),
    ];
    facts.extend(r.title.iter().map(|t| ("title", t.clone())));
    for p in &r.purposes {
        let label = p.label.as_deref().unwrap_or("no label");
        facts.push((
            "purpose",
            format!("{} ({label}), column {}", p.code, p.column),
        ));
    }
    for s in &r.concept_sets {
        let title = s.title.as_deref().unwrap_or("no title");
        let columns = r
            .columns
            .iter()
            .filter(|c| c.concept_sets.contains(&s.name));
        let columns: Vec<&str> = columns.map(|c| c.name.as_str()).collect();
        facts.push((
            "concept set",
            format!(
                "{} ({title}), of {}, {}",
                s.name,
                columns.join(", "),
                hex(&s.digest)
            ),
        ));
    }
    let rows = r.columns.iter().map(|c| {
        let null = if c.nullable { "NULL" } else { "" };
        vec![
            c.name.clone(),
            kind(c),
            null.into(),
            c.title.clone().unwrap_or_default(),
        ]
    });
    let columns = show::plain(&show::table(&["column", "type", "", "title"], &[], rows));
    Ok(Shown(
        document,
        format!("{}\n\n{columns}", show::plain_facts(&facts)),
    ))
}

fn kind(column: &Column) -> String {
    match &column.kind {
        ColumnKind::Boolean => "boolean".into(),
        ColumnKind::Category { codes } => format!("category of {}", codes.len()),
        ColumnKind::Number { decimals: 0, .. } => "integer".into(),
        ColumnKind::Number { decimals, .. } => format!("number, {decimals} decimals"),
        ColumnKind::Date { .. } => "date".into(),
    }
}
