use anyhow::Result;
use galen_server::{
    ledger::{
        fsck::{Finding, Report},
        mend::Mended,
        store::Unhalted,
    },
    run::{audit, restore, unhalt},
};
use serde_json::{Value, json};

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
Example: tiles were lost or torn, the database was not
  galen ledger restore --data /var/lib/galen --origin ledger.example/heart --log-key log.key
Files beside the log (registries, parameter sets, manifests, bundles) cannot be made anew: they
come from a backup, or from a mirror's `blobs/`.";

const UNHALT: &str = "\
Example: the log halted for a tile that a disk had torn; restore has written it anew
  galen ledger unhalt --data /var/lib/galen --origin ledger.example/heart --log-key log.key \\
    --reason 'disk replaced; restore and fsck were clean'";

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
    /// Write tiles, bundles and the checkpoint anew where they are not what the entries give, and audit; the service
    /// must not run
    #[command(after_help = RESTORE)]
    Restore(Ledger),
    /// Let a halted log go on, if an audit finds nothing else; the reason is kept. The service must not run
    #[command(after_help = UNHALT)]
    Unhalt {
        #[command(flatten)]
        ledger: Ledger,
        /// Why the log may go on: what had happened, and what was done about it
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
}

/// A reason that says something.
fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say what had happened, and what was done about it".to_owned()),
        said => Ok(said.to_owned()),
    }
}

/// Runs the subcommand.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (Command::Fsck(ledger) | Command::Restore(ledger) | Command::Unhalt { ledger, .. }) =
        &args.command;
    ledger.check_there()?;
    let key = ledger.key_of_this(&runtime)?;
    let (place, log) = (ledger.place(), key.verifier());
    let explained = |e| ledger.explain(e, "");
    let mended = match &args.command {
        Command::Fsck(_) => None,
        Command::Restore(_) => {
            let mended = runtime.block_on(restore(&place, log));
            Some(mended.map_err(explained)?)
        }
        Command::Unhalt { reason, .. } => {
            let done = runtime.block_on(unhalt(&place, log, reason));
            let (report, cleared) = done.map_err(explained)?;
            return tell_unhalted(&report, cleared.as_deref(), output);
        }
    };
    let report = runtime.block_on(audit(&place, log));
    tell(&report.map_err(explained)?, mended.as_ref(), output)
}

fn tell_unhalted(report: &Report, cleared: Option<&str>, output: &Output) -> Result<()> {
    match (cleared, report.findings.is_empty()) {
        (Some(halted), _) => {
            output.document(&json!({ "halted": halted, "cleared": true }))?;
            output.line(format!("the log had halted: {halted}"))?;
            output.line("the audit finds nothing else: the log goes on when the service is started")
        }
        (None, true) => {
            output.document(&json!({ "halted": null, "cleared": false }))?;
            output.line("the log has not halted; nothing was changed")
        }
        (None, false) => tell(report, None, output),
    }
}

fn tell(report: &Report, restored: Option<&Mended>, output: &Output) -> Result<()> {
    let mut findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    for path in restored.iter().flat_map(|r| &r.foreign) {
        findings.push(format!(
            "{path} held other entries, all well-formed: perhaps of another history. It is kept in files/replaced/"
        ));
    }
    let rewritten: Vec<String> = restored.map(written).unwrap_or_default();
    output.document(&json!({
        "entries": report.size,
        "published": report.published,
        "tiles": report.tiles,
        "restored": restored.is_some(),
        "rewritten": rewritten,
        "unhalted": report.unhalted.iter().map(unhalted).collect::<Vec<_>>(),
        "findings": findings,
        "clean": findings.is_empty(),
    }))?;
    for path in &rewritten {
        output.line(format!(
            "{path} was not what the entries give, and was written anew"
        ))?;
    }
    output.line(format!(
        "{} entries, {} of them under the checkpoint, {} tiles and bundles compared",
        report.size, report.published, report.tiles
    ))?;
    for cleared in &report.unhalted {
        output.line(format!(
            "{} UTC: went on after a halt ({}) because {}",
            cleared.at, cleared.halted, cleared.because
        ))?;
    }
    if findings.is_empty() {
        return output.line("clean: everything is as the entries say");
    }
    for finding in &findings {
        output.line(format!("- {finding}"))?;
    }
    let why = match restored {
        Some(restored) if !restored.foreign.is_empty() => {
            "bundles of another history were replaced; compare them with what mirrors have before the service is started"
                .to_owned()
        }
        _ => advice(report),
    };
    Err(told(refusal("ledger.Findings", why)))
}

/// What was written anew, by its path below `files/`.
fn written(mended: &Mended) -> Vec<String> {
    let mut paths: Vec<String> = mended.tiles.iter().map(ToString::to_string).collect();
    paths.extend(mended.checkpoint.then(|| "checkpoint".to_owned()));
    paths
}

fn unhalted(cleared: &Unhalted) -> Value {
    json!({ "halted": cleared.halted, "because": cleared.because, "at": cleared.at })
}

fn advice(report: &Report) -> String {
    let all = report.findings.len();
    let is_blob = |f: &&Finding| matches!(f, Finding::Blob { .. });
    let blobs = report.findings.iter().filter(is_blob).count();
    let mut why = show::plural(all, "finding");
    if blobs > 0 {
        why += "; files beside the log cannot be made anew: take them from a backup or a mirror (`files/blobs/`)";
    }
    let any = |is: fn(&Finding) -> bool| report.findings.iter().any(is);
    let halted = |f: &Finding| matches!(f, Finding::Halted(_));
    // Files are made anew from entries that are in doubt in no way.
    if any(is_file) && !any(is_database) {
        why += "; `galen ledger restore` writes tiles and the served checkpoint anew";
    }
    if any(|f| matches!(f, Finding::Ahead(_))) {
        why += "; an older database lies beside newer files: restore the newest one";
    } else if any(is_database) {
        why +=
            "; the database is not what it was: restore the newest one that an audit finds clean";
    }
    if report.findings.iter().all(halted) {
        why += "; `galen ledger unhalt` lets the log go on once the cause is known";
    }
    if blobs < all {
        why += "; do not repair by hand before the cause is known";
    }
    why
}

/// Of a public file alone.
fn is_file(finding: &Finding) -> bool {
    match finding {
        Finding::Missing(_) | Finding::Different(_) => true,
        Finding::Checkpoint { place, opens, .. } => *place == "served" && !opens,
        _ => false,
    }
}

/// Of the database, or of which of the two is the right one.
fn is_database(finding: &Finding) -> bool {
    !is_file(finding) && !matches!(finding, Finding::Blob { .. } | Finding::Halted(_))
}
