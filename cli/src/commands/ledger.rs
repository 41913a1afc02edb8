use anyhow::Result;
use galen_server::run::{audit, restore};
use serde_json::json;

use super::serve::Ledger;
use crate::{failure::refusal, output::Output, show};

const EXAMPLE: &str = "\
Example: after a crash, or before a backup is trusted
  galen ledger fsck --data /var/lib/galen --origin ledger.example/heart --log-key log.key";

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
    /// Write tiles, bundles and the checkpoint anew where they are missing; the service must not run
    Restore(Ledger),
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let ledger = match &args.command {
        Command::Fsck(ledger) => ledger,
        Command::Restore(ledger) => {
            runtime.block_on(restore(&ledger.place(), ledger.key()?))?;
            output.document(&json!({ "restored": true }))?;
            return output.line("every public file is there; `galen ledger fsck` checks them all");
        }
    };
    let key = ledger.key()?;
    let report = runtime.block_on(audit(&ledger.place(), key.verifier()))?;
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    output.document(&json!({
        "entries": report.size,
        "published": report.published,
        "tiles": report.tiles,
        "findings": findings,
        "clean": findings.is_empty(),
    }))?;
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
    let why = format!(
        "{}: do not repair by hand before the cause is known",
        show::plural(findings.len(), "finding")
    );
    Err(refusal("ledger.Findings", why))
}
