//! Answers of several sites to one query, added up.
//!
//! Sites do not add up each other's tables: a mean of means is wrong. What is added is what each site
//! published, field by field (counts, sums, sums of squares and products), and the table is computed from the
//! totals as for one site. So means, variances, regressions and all that is derived from them are those of the
//! patients of all sites together.

use std::{borrow::Borrow, collections::BTreeMap};

use galen_query::{
    ReadError,
    query::{Aggregate, OutputValue, Percentile},
    question::Question,
    registry::Registry,
    text::hex,
};
use serde_json::json;

use super::{Answer, Cell, derive, table};
use crate::{
    analysis::Derived,
    plan::{Field, GroupKey, Plan, Quantile},
    rules::{Published, State},
};

/// What a site published, field by field.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Released {
    /// For each group its keys and its statistics.
    pub(super) groups: Vec<(Vec<GroupKey>, BTreeMap<Field, State>)>,
    pub(super) percentiles: Vec<Percentile>,
    /// For each group one for each percentile.
    pub(super) quantiles: Vec<Quantile>,
    pub(super) within: Vec<(usize, usize)>,
}

impl Released {
    pub(super) fn of(plan: &Plan, published: &Published) -> Self {
        let of_group = |(keys, states): (&Vec<GroupKey>, &Vec<State>)| {
            let states = plan.statistics.keys().copied().zip(states.iter().copied());
            (keys.clone(), states.collect())
        };
        let keys = plan.layout.groups.iter().map(|(keys, _)| keys);
        Self {
            groups: keys.zip(published).map(of_group).collect(),
            percentiles: plan.percentiles.clone(),
            quantiles: plan.quantiles.clone(),
            within: plan.within.clone(),
        }
    }
}

/// Why answers cannot be added up. Sites are told by their place, from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// Fewer than two answers.
    #[error("there is nothing to pool: it takes the answers of two sites or more")]
    TooFew,
    /// Answers to different queries.
    #[error("they answer different queries")]
    AnotherQuery {
        /// The places of the first and of one to another query.
        sites: (usize, usize),
    },
    /// Two answers over epochs of one dataset of one hospital key, or the same answer twice: patients would count
    /// twice.
    #[error(
        "both are over the dataset {dataset} of {hospital} (one key), whose patients would count twice"
    )]
    SameDataset {
        /// Their places.
        sites: (usize, usize),
        /// The hospital, as the second of them names it.
        hospital: String,
        /// The dataset.
        dataset: String,
    },
    /// The query does not resolve.
    #[error(transparent)]
    Query(#[from] ReadError),
}

/// The answers of several sites, added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// The output columns' labels.
    pub columns: Vec<String>,
    /// As in an answer. A number that any site hides is withheld.
    pub rows: Vec<Vec<Cell>>,
    /// What the query's analyses make of the pooled table.
    pub derived: Vec<Derived>,
    /// Columns that cannot be pooled: percentiles, of which each site knows only its own.
    pub not_pooled: Vec<String>,
    /// How far from the exact one each count can be, where sites round.
    pub count_error: u64,
    /// The identities of the answers that were added up.
    pub identities: Vec<[u8; 32]>,
    /// Whether any of them was proven with development parameters.
    pub insecure: bool,
}

/// Adds up verified answers to `question`, one a site.
///
/// # Errors
/// Fewer than two, another query, or two over one dataset.
pub fn pool<A: Borrow<Answer>>(
    answers: &[A],
    question: &Question,
    registry: &Registry,
) -> Result<Pooled, PoolError> {
    let answers: Vec<&Answer> = answers.iter().map(Borrow::borrow).collect();
    let (Some(first), true) = (answers.first(), answers.len() > 1) else {
        return Err(PoolError::TooFew);
    };
    let digest = question.digest();
    let mut seen = BTreeMap::new();
    for (at, answer) in answers.iter().enumerate() {
        let s = &answer.source;
        if s.query != digest {
            return Err(PoolError::AnotherQuery { sites: (0, at) });
        }
        // A hospital is its key: its name is a label that it chooses anew in each manifest.
        if let Some(first) = seen.insert((s.hospital_key, &s.dataset), at) {
            return Err(PoolError::SameDataset {
                sites: (first, at),
                hospital: s.hospital.clone(),
                dataset: s.dataset.clone(),
            });
        }
    }
    let resolved = question.resolve(registry)?;
    // Nothing pooled is ever told as small: the threshold is each site's own.
    let (columns, mut rows) = table(&add(&answers, first), &resolved, registry, 0);
    let mut not_pooled = Vec::new();
    for (index, output) in resolved.query.outputs.iter().enumerate() {
        if matches!(
            output.value,
            OutputValue::Aggregate(Aggregate::PercentileDisc { .. })
        ) {
            not_pooled.push(output.label.clone());
            for row in &mut rows {
                row[index] = Cell::Withheld;
            }
        }
    }
    let count_error = answers.iter().map(|a| a.source.profile.count_error()).sum();
    let derived = derive(&resolved, registry, &columns, &rows, count_error);
    Ok(Pooled {
        columns,
        rows,
        derived,
        not_pooled,
        count_error,
        identities: answers.iter().map(|a| a.identity).collect(),
        insecure: answers.iter().any(|a| a.insecure),
    })
}

/// What all sites published, added up. Each site's percentiles are its own: there is none of all.
fn add(answers: &[&Answer], first: &Answer) -> Released {
    let mut released = first.released.clone();
    for (group, (_, states)) in released.groups.iter_mut().enumerate() {
        for (field, state) in states {
            *state = sum(answers.iter().map(|a| a.released.groups[group].1[field]));
        }
    }
    released.quantiles.fill(None);
    released
}

/// Hidden anywhere is hidden here.
fn sum(sites: impl Iterator<Item = State>) -> State {
    let total = sites.map(State::shown).try_fold(0i128, |sum, site| {
        // Each is below 2^120.
        sum.checked_add(site?)
    });
    total.map_or(State::Difference, State::Shown)
}

impl Pooled {
    /// The pooled answer as JSON, in the form of a site's.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let identities: Vec<String> = self.identities.iter().map(|i| hex(i)).collect();
        json!({
            "columns": self.columns,
            "rows": self.rows,
            "derived": self.derived,
            "not_pooled": self.not_pooled,
            "count_error": self.count_error,
            "answers": identities,
            "insecure_parameters": self.insecure,
        })
    }
}
