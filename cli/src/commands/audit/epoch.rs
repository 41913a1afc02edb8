//! What is found in the answers over one epoch, for people and for programs.

use anyhow::{Error, Result};
use galen_params::Progress;
use galen_query::{question::Resolved, registry::Registry, words::listed};
use galen_verifier::{
    VerifyError,
    audit::{Audit, Counted, Given, MAX_ATOMS, MAX_REGIONS, PairsLeftOut, Told, audit},
    manifest::Dataset,
    plan::Plan,
    rules::Published,
};
use serde_json::{Value, json};

use crate::{output::Output, show};

/// Counts that are named of one kind of patients.
const OTHERS: usize = 6;

/// Kinds of patients that are listed for people; JSON has all.
const SHOWN: usize = 20;

/// The answers over one epoch of a dataset.
pub(super) struct Epoch {
    pub registry: Registry,
    pub dataset: Dataset,
    pub answers: Vec<Answered>,
}

pub(super) struct Answered {
    /// Its entry; none where it is not on the ledger.
    pub index: Option<u64>,
    pub resolved: Resolved,
    pub plan: Plan,
    pub published: Published,
}

/// An answer, by its entry.
fn named(index: Option<u64>) -> String {
    index.map_or_else(|| "the bundle given".to_owned(), |i| format!("entry {i}"))
}

/// Why it was not looked at what pairs of counts name together, and what that means.
fn not_looked_at(pairs: PairsLeftOut) -> Vec<String> {
    let of = |count: usize, why: String| {
        let pairs = show::plural(count, "pair");
        (count > 0)
            .then(|| format!("not looked at: what {pairs} of counts name together, since {why}"))
    };
    let apart = "no count ties their columns together. Each is looked at with others, and of both only bounds follow: look yourself \
                 where one of them counts nearly everybody";
    let beyond = format!(
        "the answers name more than {} kinds of patients. Of these nothing is known: ask for fewer filters and groups in one query",
        show::thousands(MAX_REGIONS)
    );
    let both = [of(pairs.apart, apart.to_owned()), of(pairs.beyond, beyond)];
    both.into_iter().flatten().collect()
}

impl Epoch {
    pub(super) fn audit(&self, progress: &dyn Progress) -> Result<Audit> {
        let given = self.answers.iter().map(|a| Given {
            resolved: &a.resolved,
            plan: &a.plan,
            published: &a.published,
        });
        let given: Vec<Given<'_>> = given.collect();
        let rule = &self.dataset.manifest.release;
        audit(&self.registry, rule, &given, progress).map_err(|error| match error {
            VerifyError::OfAnswers { places, why } => {
                let named = self.entries(&places).into_iter().map(named).collect();
                Error::new(*why).context(format!("the answers of {}", listed(named, ", ")))
            }
            other => other.into(),
        })
    }

    fn entries(&self, places: &[usize]) -> Vec<Option<u64>> {
        places.iter().map(|at| self.answers[*at].index).collect()
    }

    pub(super) fn to_json(&self, found: &Audit) -> Value {
        let manifest = &self.dataset.manifest;
        let all: Vec<usize> = (0..self.answers.len()).collect();
        let told = found.told.iter().map(
            |t| json!({ "who": self.who(t), "at_least": t.between.0, "at_most": t.between.1 }),
        );
        let left_out = found.left_out.iter().map(|set| self.entries(set));
        json!({
            "hospital": manifest.hospital,
            "dataset": manifest.dataset,
            "epoch": manifest.epoch,
            "k": manifest.release.k,
            "answers": self.entries(&all),
            "told": told.collect::<Vec<_>>(),
            "not_looked_at": {
                "answers": left_out.collect::<Vec<_>>(),
                "pairs_of_counts": {
                    "without_a_count_of_both": found.pairs_left_out.apart,
                    "beyond_limit": found.pairs_left_out.beyond,
                },
            },
        })
    }

    pub(super) fn print(&self, found: &Audit, output: &Output) -> Result<()> {
        let manifest = &self.dataset.manifest;
        let answers = show::plural(self.answers.len(), "answer");
        output.line(show::plain(&format!(
            "{}, {} epoch {}: {answers}, k = {}",
            manifest.hospital, manifest.dataset, manifest.epoch, manifest.release.k
        )))?;
        if found.told.is_empty() {
            output.line(show::item(
                "nothing is told of few patients by what was looked at",
            ))?;
        }
        for told in found.told.iter().take(SHOWN) {
            let number = match told.between {
                (a, b) if a == b => show::plural(usize::try_from(a)?, "patient"),
                (a, b) => format!("{a} to {b} patients"),
            };
            output.line(show::item(&show::plain(&format!(
                "{number}: {}",
                self.who(told)
            ))))?;
        }
        if found.told.len() > SHOWN {
            let more = found.told.len() - SHOWN;
            output.line(show::item(&format!(
                "and {more} more, in the order of entries"
            )))?;
        }
        for set in &found.left_out {
            let entries = self.entries(set).into_iter().map(named);
            let text = format!(
                "not looked at together, being too large (more than {} combinations of their columns' values, or too much to \
                 compute): the answers of {}. What they tell together, nobody knows: ask for fewer filters and groups in one query",
                show::thousands(MAX_ATOMS),
                entries.collect::<Vec<_>>().join(" and ")
            );
            output.line(show::item(&text))?;
        }
        for text in not_looked_at(found.pairs_left_out) {
            output.line(show::item(&text))?;
        }
        Ok(())
    }

    /// Whom a finding is about.
    fn who(&self, told: &Told) -> String {
        let mut text = format!("those of {}", self.count(&told.of));
        for (is_in, words) in [
            (true, "who are among those of"),
            (false, "who are not among those of"),
        ] {
            let others = told.and.iter().filter(|(_, own)| *own == is_in);
            let others: Vec<String> = others.map(|(c, _)| self.count(c)).collect();
            let more = others.len().saturating_sub(OTHERS);
            if !others.is_empty() {
                let listed = others[..others.len() - more].join("; ");
                text += &format!(" {words} {listed}");
            }
            if more > 0 {
                text += &format!(" and {more} more");
            }
        }
        text
    }

    /// `entry 7, dead (arm = drug)`.
    fn count(&self, counted: &Counted) -> String {
        let answer = &self.answers[counted.answer];
        let mut groups = answer.plan.layout.groups.iter();
        let group = groups.position(|(keys, _)| *keys == counted.keys);
        let group = group.expect("the count is one of the answer's");
        let number = answer.plan.names.number(group, counted.field);
        format!("{}, {number}", named(answer.index))
    }
}
