use anyhow::Result;
use galen_server::{
    ledger::fsck::{Finding, Report},
    run::{audit, restore},
};
use serde_json::json;

use super::serve::Ledger;
use crate::{
    failure::{refusal, told},
    output::Output,
    show,
};

const EXAMPLE: &str = "\
Example: after a crash, or before a backup is trusted
  galen ledger fsck --data /var/lib/galen --origin ledger.example/heart --log-key log.key";

const RESTORE: &str = "\
Example: tiles were lost, the database was not
  galen ledger restore --data /var/lib/galen --origin ledger.example/heart --log-key log.key
Files beside the log (registries, parameter sets, manifests, bundles) cannot be made anew: they
come from a backup, or from a mirror's `blobs/`.";

/// Looks after a ledger's store
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Rebuild everything from the entries and compare: signatures, rules, facts, tiles, checkpoints, files
    #[command(after_help = EXAMPLE)]
    Fsck(Ledger),
    /// Write tiles, bundles and the checkpoint anew where they are missing, and audit; the service must not run
    #[command(after_help = RESTORE)]
    Restore(Ledger),
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (ledger, restored) = match &args.command {
        Command::Fsck(ledger) => (ledger, false),
        Command::Restore(ledger) => (ledger, true),
    };
    ledger.check_there()?;
    let key = ledger.key_of_this()?;
    let log = key.verifier().clone();
    if restored {
        let written = runtime.block_on(restore(&ledger.place(), key));
        written.map_err(|e| ledger.explain(e, ""))?;
    }
    let report = runtime.block_on(audit(&ledger.place(), &log));
    tell(
        &report.map_err(|e| ledger.explain(e, ""))?,
        restored,
        output,
    )
}

fn tell(report: &Report, restored: bool, output: &Output) -> Result<()> {
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    output.document(&json!({
        "entries": report.size,
        "published": report.published,
        "tiles": report.tiles,
        "restored": restored,
        "findings": findings,
        "clean": findings.is_empty(),
    }))?;
    if restored {
        output.line("tiles, bundles and checkpoint are there; now everything is compared")?;
    }
    output.line(format!(
        "{} entries, {} of them under the checkpoint, {} tiles and bundles compared",
        report.size, report.published, report.tiles
    ))?;
    if findings.is_empty() {
        return output.line("clean: everything is as the entries say");
    }
    for finding in &findings {
        output.line(format!("- {finding}"))?;
    }
    Err(told(refusal("ledger.Findings", advice(report))))
}

fn advice(report: &Report) -> String {
    let all = report.findings.len();
    let is_blob = |f: &&Finding| matches!(f, Finding::Blob { .. });
    let blobs = report.findings.iter().filter(is_blob).count();
    let mut why = show::plural(all, "finding");
    if blobs > 0 {
        why += "; files beside the log cannot be made anew: take them from a backup or a mirror (`files/blobs/`)";
    }
    if blobs < all {
        why += "; do not repair by hand before the cause is known";
    }
    why
}
