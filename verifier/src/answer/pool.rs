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

use super::{Answer, Cell, Cells, derive, table};
use crate::{
    analysis::Derived,
    plan::{Field, GroupKey, Layout, Place, Plan},
    rules::State,
};

/// What a site published, field by field.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Released {
    groups: Vec<(Vec<GroupKey>, Fields)>,
    percentiles: Vec<Percentile>,
    within: Vec<(usize, usize)>,
}

/// The limbs of each field, lowest first, 40 bits each.
type Fields = BTreeMap<Field, Vec<State>>;

impl Released {
    pub(super) fn of(plan: &Plan, cells: &Cells) -> Self {
        let limbs = |(field, place): (&Field, &Place)| {
            let limbs = &cells[place.release][place.limb..place.limb + place.limbs];
            (*field, limbs.to_vec())
        };
        let published = |(keys, places): &(Vec<GroupKey>, BTreeMap<Field, Place>)| {
            let fields = places.iter().filter(|(field, _)| !field.is_rank());
            (keys.clone(), fields.map(limbs).collect())
        };
        Self {
            groups: plan.layout.groups.iter().map(published).collect(),
            percentiles: plan.percentiles.clone(),
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
    /// Two answers over epochs of one dataset, or the same answer twice: patients would count twice.
    #[error("both are over the dataset {dataset} of {hospital}, whose patients would count twice")]
    SameDataset {
        /// Their places.
        sites: (usize, usize),
        /// The hospital.
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
        if let Some(first) = seen.insert((&s.hospital, &s.dataset), at) {
            return Err(PoolError::SameDataset {
                sites: (first, at),
                hospital: s.hospital.clone(),
                dataset: s.dataset.clone(),
            });
        }
    }
    let resolved = question.resolve(registry)?;
    let (plan, cells) = add(&answers, first);
    // Nothing pooled is ever told as small: the threshold is each site's own.
    let (columns, mut rows) = table(&plan, &resolved, registry, &cells, 0);
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

/// A plan that places each field's added limbs one after the other, and these limbs.
fn add(answers: &[&Answer], first: &Answer) -> (Plan, Cells) {
    let mut limbs = Vec::new();
    let mut layout = Layout::default();
    for (group, (keys, fields)) in first.released.groups.iter().enumerate() {
        let mut places = BTreeMap::new();
        for field in fields.keys() {
            let sum = sum(answers.iter().map(|a| &a.released.groups[group].1[field]));
            let place = Place {
                release: 0,
                limb: limbs.len(),
                limbs: sum.len(),
            };
            places.insert(*field, place);
            limbs.extend(sum);
        }
        layout.groups.push((keys.clone(), places));
    }
    let hidden = layout.groups.len() * first.released.percentiles.len();
    let plan = Plan {
        steps: Vec::new(),
        releases: Vec::new(),
        layout,
        percentiles: first.released.percentiles.clone(),
        quantiles: vec![None; hidden],
        within: first.released.within.clone(),
        is_chain: false,
    };
    (plan, vec![limbs])
}

/// Limb by limb; sites of different sizes have different numbers of limbs. Hidden anywhere is hidden here.
fn sum<'a>(sites: impl Iterator<Item = &'a Vec<State>>) -> Vec<State> {
    let mut total: Vec<State> = Vec::new();
    for limbs in sites {
        total.resize(total.len().max(limbs.len()), State::Shown(0));
        for (total, limb) in total.iter_mut().zip(limbs) {
            *total = match (total.shown(), limb.shown()) {
                // 40 bits each: 2^24 sites fit.
                (Some(a), Some(b)) => State::Shown(a + b),
                _ => State::Difference,
            };
        }
    }
    total
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
