use std::{path::PathBuf, thread, time::Duration};

use anyhow::Result;
use serde_json::json;

use crate::{
    failure::{chain, kind, refusal, told},
    keys,
    mirror::{FORK, Gain, Mirror},
    output::Output,
    progress::Bars,
    show,
    source::{Source, open},
};

const EXAMPLE: &str = "\
Example: an organisation keeps its own copy of the ledger, and takes evidence from it
  galen mirror https://ledger.example --data /srv/ledger --log-key 'ledger.example/heart+3ba40a5f+AaX…'
  galen mirror https://ledger.example --data /srv/ledger --log-key log.pub --every 60
  galen evidence 17 --from /srv/ledger --log-key log.pub --out answer.galen
Every entry is checked: signatures, the ledger's rules, its place in the tree. A log that shows
others another past is found out by the first copy that sees both.";

/// Keeps a copy of a ledger, checking every entry
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The service's URL, or the folder of another copy
    #[arg(value_name = "URL|DIR", env = "GALEN_SERVICE")]
    from: String,
    /// The copy's folder; made where there is none
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The log's public key, or a file with it, as its operator publishes it
    #[arg(long, value_name = "KEY|FILE")]
    log_key: String,
    /// Look for new entries every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
}

/// Copies, and goes on if asked to.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let log = keys::log(&args.log_key)?;
    let source = open(&args.from)?;
    let bars = Bars::new(output);
    let mut mirror = Mirror::open(&args.data, log.clone(), &bars)?;
    let gain = mirror.follow(source.as_ref(), &bars)?;
    tell(args, &mirror, gain, output)?;
    let Some(seconds) = args.every else {
        return judge(&mirror);
    };
    loop {
        of_a_good_log(&mirror)?;
        thread::sleep(Duration::from_secs(seconds));
        if let Err(e) = round(args, &mut mirror, source.as_ref(), output) {
            // A service that is away comes back; one that contradicts itself does not become true again.
            if kind(&e) == FORK {
                return Err(e);
            }
            output.line(show::plain(&format!("will be tried again: {}", chain(&e))))?;
            // What was read is in doubt, and what is in the folder under its checkpoint is not.
            mirror = Mirror::open(&args.data, log.clone(), &Bars::new(output))?;
        }
    }
}

fn round(args: &Args, mirror: &mut Mirror, source: &dyn Source, output: &Output) -> Result<()> {
    let gain = mirror.follow(source, &Bars::new(output))?;
    if (gain.entries, gain.files) == (0, 0) {
        return Ok(());
    }
    tell(args, mirror, gain, output)
}

fn tell(args: &Args, mirror: &Mirror, gain: Gain, output: &Output) -> Result<()> {
    let missing = mirror.missing();
    let missing: Vec<_> = missing
        .map(|(sha256, why)| json!({ "sha256": sha256, "why": why }))
        .collect();
    output.document(&json!({
        "data": args.data,
        "entries": mirror.size(),
        "new_entries": gain.entries,
        "new_files": gain.files,
        "missing": missing,
        "findings": mirror.findings(),
    }))?;
    output.line(format!(
        "{}  {} entries, {} of them new; {} new files",
        args.data.display(),
        show::thousands(mirror.size()),
        show::thousands(gain.entries),
        show::thousands(gain.files),
    ))?;
    // What a log and its service say may be meant for the terminal.
    for (sha256, why) in mirror.missing() {
        output.line(show::plain(&format!(
            "- the file {sha256} did not come: {why}"
        )))?;
    }
    for finding in mirror.findings() {
        output.line(show::plain(&format!("- {finding}")))?;
    }
    Ok(())
}

/// A copy that is whole, of a log that keeps its rules.
fn judge(mirror: &Mirror) -> Result<()> {
    of_a_good_log(mirror)?;
    match mirror.missing().count() {
        0 => Ok(()),
        n => {
            let why = format!("{} did not come; run it again", show::plural(n, "file"));
            Err(told(refusal("ledger.Missing", why)))
        }
    }
}

fn of_a_good_log(mirror: &Mirror) -> Result<()> {
    let findings = mirror.findings();
    if findings.is_empty() {
        return Ok(());
    }
    let why = format!(
        "the copy is what the log's key has signed, but the log has faults: {}",
        findings.join("; ")
    );
    Err(told(refusal("ledger.Findings", why)))
}
