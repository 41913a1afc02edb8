mod epoch;
mod ledger;

use std::path::PathBuf;

use anyhow::{Context, Error, Result};
use galen_query::{question::Question, text::hex};
use galen_verifier::{
    audit::Audit,
    bundle::{Bundle, MAX_BUNDLE_BYTES},
};
use serde_json::json;

use super::queries::told_size;
use crate::{
    failure::{chain, found as already_found, kind, not_whole, refusal, told as already_told},
    files,
    kind::Kind,
    output::Output,
    progress::Bars,
    show, source,
};
use epoch::Epoch;
use ledger::Ledger;

const EXAMPLE: &str = "\
Example: a reviewer, or a hospital before it answers, looks at what all answers so far tell together
  galen audit answers --from https://ledger.example
  galen audit answers --from /srv/ledger --dataset heart
  galen audit answers --from https://ledger.example --query query.json --bundle bundle.json
Every answer hides what its own counts would tell. Those of several answers over the same epoch of a dataset
are put together here: filters, groups and missing values of all of them, the bounds of hidden counts, and the
number of patients. What is told is a kind of patients of whom it follows that there are some, and fewer than
the release rule's k. Kinds are those that a count, two counts, or a count and what others within it leave can
name: that nothing is told of them does not mean that nothing follows. Proofs are not verified again, nor is
the bundle that is given: `galen mirror` and `galen verify` do that.

Exit status
  0  nothing is told of few patients by what was looked at. Pairs of counts of which no count has the columns
     of both are not among that, and are told
  1  answers could not be looked at: a file or the ledger could not be read, or they contradict one another
  2  the command line cannot be read
  3  nothing is told, but some answers or pairs of counts were too many to look at
  4  something is told of few patients, whatever else could not be looked at
  141  standard output was closed before everything was shown";

/// Audits what is on a ledger
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Answers(AnswersArgs),
}

/// What the answers over each epoch of a dataset tell together
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
struct AnswersArgs {
    /// The service's URL, or the folder of a mirror
    #[arg(long, value_name = "URL|DIR", env = "GALEN_SERVICE")]
    from: String,
    /// Only this dataset
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// An answer that is not there yet, to look at with the others over its epoch
    #[arg(long, value_name = "FILE", requires = "query")]
    bundle: Option<PathBuf>,
    /// The query that it answers
    #[arg(long, value_name = "FILE", requires = "bundle")]
    query: Option<PathBuf>,
}

/// What was found, epoch by epoch.
#[derive(Default)]
struct Findings {
    looked: Vec<(Epoch, Audit)>,
    failed: Vec<Failed>,
}

/// What could not be looked at, and why.
struct Failed {
    what: String,
    error: Error,
}

/// Looks, and fails if something is told or could not be looked at. What cannot be read keeps nothing that the rest
/// tells from being told.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let What::Answers(args) = &args.what;
    let mut source = source::open(&args.from)?;
    source.read_until(told_size(&source.checkpoint()?))?;
    let more = more(args)?;
    let ledger = Ledger::read(source.as_ref())?;
    let mut findings = Findings::default();
    for dataset in ledger.datasets(args.dataset.as_deref(), more.as_ref())? {
        let audited = ledger
            .epoch(dataset, more.as_ref(), &mut findings.failed)
            .and_then(|epoch| Ok((epoch.audit(&Bars::new(output))?, epoch)));
        match audited {
            Ok((found, epoch)) => findings.looked.push((epoch, found)),
            Err(error) => {
                let (hospital, name) = (&dataset.hospital, &dataset.dataset);
                let what = format!("{hospital}, {name} epoch {}", dataset.epoch);
                let what = show::plain_line(&what);
                findings.failed.push(Failed { what, error });
            }
        }
    }
    findings.show(output)?;
    let looked: Vec<&Audit> = findings.looked.iter().map(|(_, found)| found).collect();
    verdict(&looked, findings.failed)
}

/// An answer that is on no ledger yet.
fn more(args: &AnswersArgs) -> Result<Option<(Question, Bundle)>> {
    let (Some(bundle), Some(query)) = (&args.bundle, &args.query) else {
        return Ok(None);
    };
    let limit = MAX_BUNDLE_BYTES as u64;
    let bytes = files::read(bundle, Kind::Bundle, limit)?;
    let named = || show::plain_line(&format!("the bundle given, {}", bundle.display()));
    let bundle = Bundle::from_json(&bytes).with_context(named)?;
    let question = files::question(query)?;
    let (digest, of) = (hex(&question.digest()), &bundle.query);
    if digest != *of {
        let why = format!("the bundle answers the query {of}, and the one given is {digest}");
        return Err(refusal("audit.Query", why));
    }
    Ok(Some((question, bundle)))
}

impl Findings {
    /// Prints all of it; where nothing could be looked at, the error alone says so.
    fn show(&self, output: &Output) -> Result<()> {
        if self.looked.is_empty() && !self.failed.is_empty() {
            return Ok(());
        }
        let epochs = self
            .looked
            .iter()
            .map(|(epoch, found)| epoch.to_json(found));
        let failed = self
            .failed
            .iter()
            .map(|f| json!({ "what": f.what, "error": chain(&f.error), "kind": kind(&f.error) }));
        output.document(&json!({
            "epochs": epochs.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
        }))?;
        if self.looked.is_empty() {
            return output.line("there are no answers to look at");
        }
        for (epoch, found) in &self.looked {
            epoch.print(found, output)?;
        }
        for Failed { what, error } in &self.failed {
            let text = format!("not looked at: {what}: {}", chain(error));
            output.line(show::plain(&text))?;
        }
        Ok(())
    }
}

/// What is told comes before what could not be looked at.
fn verdict(looked: &[&Audit], failed: Vec<Failed>) -> Result<()> {
    let told: usize = looked.iter().map(|found| found.told.len()).sum();
    if told > 0 {
        let kinds = show::plural(told, "kind");
        let why = format!("few patients are told of: {kinds} of them, above");
        return Err(already_found(refusal("audit.Told", why)));
    }
    if let Some(Failed { what, error }) = failed.into_iter().next() {
        let error = error.context(what);
        return Err(match looked.is_empty() {
            true => error,
            false => already_told(error),
        });
    }
    let is_not_whole =
        |found: &&Audit| !found.left_out.is_empty() || found.pairs_left_out.beyond > 0;
    if looked.iter().any(is_not_whole) {
        let why = "nothing is told by what was looked at, but not all was: see above";
        return Err(not_whole(refusal("audit.TooMany", why)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use galen_verifier::{
        audit::{Counted, PairsLeftOut, Told},
        plan::{Field, FieldKind},
    };

    use super::*;
    use crate::failure::status;

    #[test]
    fn what_is_told_comes_before_what_could_not_be_looked_at() {
        let field = Field {
            kind: FieldKind::Count,
            other: None,
            column: None,
            filter: None,
        };
        let of = Counted {
            answer: 0,
            field,
            keys: Vec::new(),
        };
        let told = Told {
            of,
            and: Vec::new(),
            between: (6, 6),
        };
        let nothing = Audit::default();
        let told = Audit {
            told: vec![told],
            left_out: vec![vec![0, 1]],
            ..Audit::default()
        };
        let too_many = Audit {
            left_out: told.left_out.clone(),
            ..Audit::default()
        };
        let pairs = |apart, beyond| Audit {
            pairs_left_out: PairsLeftOut { apart, beyond },
            ..Audit::default()
        };
        let exit = |looked: &[&Audit], failed: usize| {
            let failed = (0..failed).map(|_| Failed {
                what: "entry".into(),
                error: refusal("io", "it is cut off"),
            });
            verdict(looked, failed.collect()).map_or_else(|error| status(&error), |()| 0)
        };
        assert_eq!(exit(&[&nothing, &pairs(3, 0)], 0), 0);
        assert_eq!(exit(&[], 1), 1);
        assert_eq!(exit(&[&nothing, &too_many], 1), 1);
        assert_eq!(exit(&[&nothing, &too_many], 0), 3);
        assert_eq!(exit(&[&pairs(0, 1)], 0), 3);
        assert_eq!(exit(&[&told, &too_many], 1), 4);
    }
}
