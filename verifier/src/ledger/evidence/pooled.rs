//! Verified evidence of several sites, added up. Checks: `docs/spec/evidence.md`.

use std::collections::BTreeMap;

use super::Report;
use crate::{
    answer::{Cell, PoolError, Pooled, pool},
    text::hex,
};

/// Why verified evidence is not added up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PooledError {
    /// Evidence of different logs.
    #[error("the evidence is of two logs, {first} and {other}: their orders cannot be compared")]
    AnotherLog {
        /// The first one's key.
        first: String,
        /// The other's.
        other: String,
    },
    /// The log has shown different trees to those who gathered the evidence.
    #[error("the log {origin} shows two ledgers: {what}. Keep the files: they prove it")]
    Forked {
        /// The log's name.
        origin: String,
        /// Where they part.
        what: String,
    },
    /// The answers do not add up.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

/// What the verified evidence of several sites shows together.
#[derive(Debug, Clone)]
pub struct PooledReport {
    /// What each site's evidence shows.
    pub sites: Vec<Report>,
    /// The answers, added up.
    pub pooled: Pooled,
}

impl PooledReport {
    /// Adds up the answers of one query that stand in one log, each over a dataset of its own.
    ///
    /// # Errors
    /// Fewer than two, other queries, one dataset twice, several logs, or a log that contradicts itself.
    pub fn new(sites: Vec<Report>) -> Result<Self, PooledError> {
        let [first, others @ ..] = sites.as_slice() else {
            return Err(PoolError::TooFew.into());
        };
        if let Some(other) = others.iter().find(|o| o.log.key != first.log.key) {
            return Err(PooledError::AnotherLog {
                first: first.log.key.clone(),
                other: other.log.key.clone(),
            });
        }
        if let Some(what) = fork(&sites) {
            let origin = first.log.origin.clone();
            return Err(PooledError::Forked { origin, what });
        }
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
                "The {} answers are to one query, and each is over another dataset.",
                self.sites.len()
            ),
            format!(
                "They stand in one log, {}, and the evidence of one site does not contradict another's.",
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
        let sizes = || self.sites.iter().map(|s| s.log.size);
        if sizes().min() != sizes().max() {
            all.push("Whether the checkpoints, of trees of different sizes, are of one growing log: evidence holds no proof of that. A mirror checks it.".into());
        }
        all
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

/// Where the trees that signed checkpoints and inclusion proofs show are not of one log.
fn fork(sites: &[Report]) -> Option<String> {
    let (mut roots, mut leaves, mut queries) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for site in sites {
        let (size, root) = (site.log.size, site.log.root);
        if *roots.entry(size).or_insert(root) != root {
            return Some(format!("two trees of {size} entries"));
        }
        for entry in &site.entries {
            if *leaves.entry(entry.index).or_insert(&entry.leaf) != &entry.leaf {
                return Some(format!("two entries {}", entry.index));
            }
        }
        let (query, index) = (site.question.digest(), site.query_index);
        let first = *queries.entry(query).or_insert(index);
        if first != index {
            let query = hex(&query);
            return Some(format!(
                "the query {query} is entry {first} and entry {index}"
            ));
        }
    }
    None
}
