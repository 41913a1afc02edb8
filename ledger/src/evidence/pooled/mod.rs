//! Verified evidence of several sites, added up. Checks: `docs/spec/evidence.md`.

mod check;
mod error;

use std::collections::BTreeSet;

pub use error::PooledError;

use galen_query::text::hex;
use galen_verifier::answer::{Cell, PoolError, Pooled, pool};

use super::Report;

/// What the verified evidence of several sites shows together.
#[derive(Debug, Clone)]
pub struct PooledReport {
    /// What each site's evidence shows.
    pub sites: Vec<Report>,
    /// The answers, added up.
    pub pooled: Pooled,
}

/// A hospital among the sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hospital<'a> {
    /// What it calls itself, with its key's first digits where another one calls itself so too.
    pub name: String,
    /// Its datasets' names.
    pub datasets: Vec<&'a str>,
}

impl PooledReport {
    /// Adds up the answers of one query that stand in one log, each over a dataset of its own.
    ///
    /// # Errors
    /// Fewer than two, other queries, one dataset twice, several logs, or a log that contradicts itself.
    pub fn new(sites: Vec<Report>) -> Result<Self, PooledError> {
        let Some(first) = sites.first() else {
            return Err(PoolError::TooFew.into());
        };
        check::one_log(&sites)?;
        check::one_tree(&sites)?;
        check::whole(&sites)?;
        check::together(&sites)?;
        let answers: Vec<_> = sites.iter().map(|s| &s.answer).collect();
        let pooled = pool(&answers, &first.question, &first.registry)?;
        Ok(Self { sites, pooled })
    }

    /// What was checked beside each site's own evidence, a sentence each.
    #[must_use]
    pub fn checked(&self) -> Vec<String> {
        let log = self.sites.first().map(|s| &s.log);
        vec![
            format!(
                "The {} answers are to one query, each over a dataset of another name or of another hospital's key.",
                self.sites.len()
            ),
            format!(
                "They stand in one log, {}: nothing that the files show of its tree differs from one to the other, and \
                 all their entries together stand by the ledger's rules.",
                log.map_or("", |l| &*l.origin)
            ),
            "The table is computed here from what the sites published: counts and sums are added up, and all else follows from their totals. What one site hides is hidden.".into(),
        ]
    }

    /// What was not checked beside what each site's evidence leaves open, a sentence each.
    #[must_use]
    pub fn unchecked(&self) -> Vec<String> {
        let mut all = vec![
            "Whether these are all the sites that answered or refused: whoever chose the files may have left some out. The log knows them.".into(),
            "Whether somebody is in two of these datasets: such a patient counts twice.".into(),
        ];
        for Hospital { name, datasets } in self.hospitals() {
            if datasets.len() > 1 {
                all.push(format!(
                    "Whether {name} has committed other patients in each of its datasets {}: it may have committed the same ones.",
                    datasets.join(", ")
                ));
            }
        }
        let sizes = || self.sites.iter().map(|s| s.log.size);
        if sizes().min() != sizes().max() {
            all.push("Whether the trees of different sizes, whose checkpoints these are, grew out of each other: what the files show of them agrees, but is not all. A mirror checks it.".into());
        }
        all
    }

    /// The hospitals, in the order of their first answers. Each is told by its key: what it calls itself is its own
    /// choice.
    #[must_use]
    pub fn hospitals(&self) -> Vec<Hospital<'_>> {
        let sources = || self.sites.iter().map(|s| &s.answer.source);
        let mut keys: Vec<[u8; 32]> = Vec::new();
        for source in sources() {
            if !keys.contains(&source.hospital_key) {
                keys.push(source.hospital_key);
            }
        }
        let named = |key: &[u8; 32]| {
            let own = || sources().filter(|s| s.hospital_key == *key);
            let names: BTreeSet<&str> = own().map(|s| &*s.hospital).collect();
            let is_shared =
                sources().any(|s| s.hospital_key != *key && names.contains(&*s.hospital));
            let mut name = names.into_iter().collect::<Vec<_>>().join(", also called ");
            if is_shared {
                name += &format!(" (key {}…)", hex(&key[..4]));
            }
            let datasets = own().map(|s| &*s.dataset).collect();
            Hospital { name, datasets }
        };
        keys.iter().map(named).collect()
    }

    /// What is proven and what is computed here, in a line or two for people.
    #[must_use]
    pub fn reading(&self) -> String {
        let mut text = format!(
            "Proven: what each of the {} sites published, over its patients who consented to the purpose. \
             Derived: everything here, added up and computed from that by whoever verifies the answers",
            self.sites.len()
        );
        text += match self.pooled.derived.is_empty() {
            true => ".",
            false => {
                "; intervals and tests hold under their methods' assumptions, which nobody proves, and take all \
                 patients as drawn alike, whatever their site."
            }
        };
        if self.pooled.count_error > 0 {
            text += &format!(
                " Rounded at some site: each count can be off by up to {}.",
                self.pooled.count_error
            );
        }
        let hidden = |row: &Vec<Cell>| row.iter().any(|c| matches!(c, Cell::Withheld));
        if self.pooled.rows.iter().any(hidden) {
            text += " Hidden (*): what one site or more hides, or what does not add up.";
        }
        if !self.pooled.not_pooled.is_empty() {
            let columns = self.pooled.not_pooled.join(", ");
            text += &format!(" Percentiles do not add up: {columns}.");
        }
        text
    }

    /// The pooled answer as JSON; the sites' reports are apart.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = self.pooled.to_json();
        json["reading"] = self.reading().into();
        json["checked"] = self.checked().into();
        json["unchecked"] = self.unchecked().into();
        json
    }
}
