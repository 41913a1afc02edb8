//! Verified evidence of several sites, added up. Checks: `docs/spec/evidence.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    EvidenceError, Report,
    verify::{Read, replay},
};
use crate::{
    answer::{Cell, PoolError, Pooled, pool},
    ledger::tiles::Span,
};

/// Why verified evidence is not added up. Sites are told by their place, from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PooledError {
    /// Evidence of different logs.
    #[error("they are of two logs, {first} and {other}, whose orders cannot be compared")]
    AnotherLog {
        /// Which two.
        sites: (usize, usize),
        /// The first one's key.
        first: String,
        /// The other's.
        other: String,
    },
    /// The log has shown different trees to those who gathered the evidence.
    #[error(
        "THE LOG {log} SHOWS TWO LEDGERS: {}. Its key has signed both: keep the files, they prove it",
        place(*span)
    )]
    Forked {
        /// Which two.
        sites: (usize, usize),
        /// The log's key, with its name.
        log: String,
        /// Entries that are others in one tree than in the other.
        span: Span,
    },
    /// Each file stands by the rules, but not with the others' entries beside its own: the log's keeper took in what
    /// its rules forbid.
    #[error(
        "THE LOG {log} BREAKS ITS OWN RULES: {source}. One file leaves out what another shows; its keeper took in what \
         the rules forbid: keep the files, they prove it"
    )]
    Rules {
        /// The log's key, with its name.
        log: String,
        /// The entry, and the rule that it breaks beside the others.
        source: Box<EvidenceError>,
    },
    /// Answers to different queries.
    #[error("they answer different queries")]
    AnotherQuery {
        /// Which two.
        sites: (usize, usize),
    },
    /// Two answers over epochs of one dataset, or the same answer twice: patients would count twice.
    #[error("both are over the dataset {dataset} of {hospital}, whose patients would count twice")]
    SameDataset {
        /// Which two.
        sites: (usize, usize),
        /// The hospital.
        hospital: String,
        /// The dataset.
        dataset: String,
    },
    /// The answers do not add up.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

fn place((start, end): Span) -> String {
    match end.saturating_sub(1) {
        last if last == start => format!("there are two entries {start}"),
        last => format!("somewhere in entries {start} to {last} they differ"),
    }
}

impl PooledError {
    /// The two sites that do not go together, where it is two.
    #[must_use]
    pub fn sites(&self) -> Option<(usize, usize)> {
        match self {
            Self::AnotherLog { sites, .. }
            | Self::Forked { sites, .. }
            | Self::AnotherQuery { sites }
            | Self::SameDataset { sites, .. } => Some(*sites),
            Self::Rules { .. } | Self::Pool(_) => None,
        }
    }
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
        let Some(first) = sites.first() else {
            return Err(PoolError::TooFew.into());
        };
        one_log(&sites)?;
        one_tree(&sites)?;
        together(&sites)?;
        one_query(&sites)?;
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
                "The {} answers are to one query, each over a dataset of another name or hospital.",
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
        for (hospital, datasets) in self.datasets() {
            if datasets.len() > 1 {
                all.push(format!(
                    "Whether {hospital} has committed other patients in each of its datasets {}: it may have committed the same ones.",
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

    /// The datasets' names, by hospital.
    #[must_use]
    pub fn datasets(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for site in &self.sites {
            let s = &site.answer.source;
            all.entry(&s.hospital).or_default().push(&s.dataset);
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

/// The places of every two sites.
fn pairs(sites: &[Report]) -> impl Iterator<Item = (usize, usize)> {
    let count = sites.len();
    (0..count).flat_map(move |other| (0..other).map(move |first| (first, other)))
}

fn one_log(sites: &[Report]) -> Result<(), PooledError> {
    let key = |at: usize| &sites[at].log.key;
    match pairs(sites).find(|(a, b)| key(*a) != key(*b)) {
        None => Ok(()),
        Some(pair) => Err(PooledError::AnotherLog {
            sites: pair,
            first: key(pair.0).clone(),
            other: key(pair.1).clone(),
        }),
    }
}

/// A span of entries has one hash in every tree of one log. Of those that differ the narrowest is told.
fn one_tree(sites: &[Report]) -> Result<(), PooledError> {
    let mut nodes = BTreeMap::new();
    let mut differ = Vec::new();
    for (other, site) in sites.iter().enumerate() {
        for (span, hash) in &site.seen.nodes {
            let (first, known) = *nodes.entry(*span).or_insert((other, hash));
            if known != hash {
                differ.push((*span, first, other));
            }
        }
    }
    match differ
        .into_iter()
        .min_by_key(|((start, end), ..)| end - start)
    {
        None => Ok(()),
        Some((span, first, other)) => Err(PooledError::Forked {
            sites: (first, other),
            log: sites[first].log.key.clone(),
            span,
        }),
    }
}

/// The rules over all entries: a file alone could leave out what forbids another's entry.
fn together(sites: &[Report]) -> Result<(), PooledError> {
    let entries = sites.iter().flat_map(|s| &s.seen.entries);
    let all: BTreeMap<u64, &Read> = entries.map(|e| (e.index, e)).collect();
    let broken = |site: &Report, source| PooledError::Rules {
        log: site.log.key.clone(),
        source: Box::new(source),
    };
    for site in sites {
        if let Some(source) = left_out(site, &all) {
            return Err(broken(site, source));
        }
    }
    let entries: Vec<Read> = all.into_values().cloned().collect();
    match (replay(&entries), sites.first()) {
        (Err(source), Some(site)) => Err(broken(site, source)),
        _ => Ok(()),
    }
}

/// A consortium before a site's answer that is not in its file.
fn left_out(site: &Report, all: &BTreeMap<u64, &Read>) -> Option<EvidenceError> {
    let own: BTreeSet<u64> = site.seen.entries.iter().map(|e| e.index).collect();
    let before = all.range(..site.answer_index).map(|(_, entry)| *entry);
    let mut missing = before.filter(|e| e.is_consortium() && !own.contains(&e.index));
    missing.next().map(|entry| EvidenceError::LeftOut {
        by: site.answer_index,
        index: entry.index,
    })
}

fn one_query(sites: &[Report]) -> Result<(), PooledError> {
    for (first, other) in pairs(sites) {
        let (a, b) = (&sites[first].answer.source, &sites[other].answer.source);
        if a.query != b.query {
            let sites = (first, other);
            return Err(PooledError::AnotherQuery { sites });
        }
        if (&a.hospital, &a.dataset) == (&b.hospital, &b.dataset) {
            return Err(PooledError::SameDataset {
                sites: (first, other),
                hospital: a.hospital.clone(),
                dataset: a.dataset.clone(),
            });
        }
    }
    Ok(())
}
