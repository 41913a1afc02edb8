//! Finding the percentiles that an answer publishes. What is proven about them depends on what they are, so
//! they are found on the stored values first; a wrong one would have no proof.

use galen_query::{
    query::{CohortQuery, Grouping, Percentile, Predicate},
    question::Resolved,
    registry::{Registry, Role},
};
use galen_verifier::{
    plan::{Field, FieldKind, Plan, Quantile, quantile_count},
    plan_for,
    rules::{Counts, decide, is_hidden},
};
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    ProverError,
    dataset::{BaseChunk, CommittedDataset},
};

/// The published percentiles of the answer to a query, in the order of its plan.
pub(super) fn quantiles(
    dataset: &CommittedDataset,
    resolved: &Resolved,
) -> Result<Vec<Quantile>, ProverError> {
    let (registry, query) = (dataset.registry(), &resolved.query);
    let count = quantile_count(query, registry);
    if query.percentiles().is_empty() {
        return Ok(Vec::new());
    }
    // A query with too many groups, or too many percentiles that could all differ, is refused here, before any work.
    let none = vec![None; count];
    let plan = plan_for(resolved, registry, dataset.dataset(), &none)?;
    let counts = Counts::of(&plan);
    let asked = Asked {
        query,
        filters: query.filters(),
        percentiles: query.percentiles(),
        counts: &counts,
    };
    let mut tally = Tally::new(&counts, count);
    for chunk in 0..dataset.dataset().chunks() {
        let rows = Rows::read(dataset, resolved, chunk)?;
        let of_chunk = (0..rows.len())
            .into_par_iter()
            .fold(
                || Tally::new(&counts, count),
                |mut tally, row| {
                    tally.add(&rows, &asked, row);
                    tally
                },
            )
            .reduce(|| Tally::new(&counts, count), Tally::merged);
        tally = tally.merged(of_chunk);
    }
    tally.published(&plan, &counts, dataset)
}

/// What is tallied.
struct Asked<'a> {
    query: &'a CohortQuery,
    filters: Vec<&'a Predicate>,
    percentiles: Vec<Percentile>,
    counts: &'a Counts,
}

/// One chunk's stored values.
struct Rows<'a> {
    registry: &'a Registry,
    stored: BaseChunk,
    /// For each registry column its base columns; empty where the query does not need it.
    parts: Vec<Vec<(usize, Role)>>,
    consent: usize,
}

impl<'a> Rows<'a> {
    fn read(
        dataset: &'a CommittedDataset,
        resolved: &Resolved,
        chunk: usize,
    ) -> Result<Self, ProverError> {
        let registry = dataset.registry();
        let mut parts = vec![Vec::new(); registry.columns.len()];
        let mut consent = 0;
        let used = columns(&resolved.query);
        for (index, base) in registry.base_columns().into_iter().enumerate() {
            match base.role {
                Role::Consent(purpose) if purpose == resolved.purpose => consent = index,
                Role::Consent(_) => {}
                Role::Bit(c) | Role::Value(c) | Role::Low(c) | Role::High(c) | Role::Known(c) => {
                    if used.contains(&c) {
                        parts[c].push((index, base.role));
                    }
                }
            }
        }
        let mut wanted: Vec<usize> = parts.iter().flatten().map(|(i, _)| *i).collect();
        wanted.push(consent);
        wanted.sort_unstable();
        Ok(Self {
            registry,
            stored: dataset.base_chunk(chunk, &wanted)?,
            parts,
            consent,
        })
    }

    fn len(&self) -> usize {
        self.stored.rows
    }

    fn base(&self, index: usize, row: usize) -> u64 {
        u64::from(self.stored.values(index).values[row])
    }

    fn consents(&self, row: usize) -> bool {
        self.base(self.consent, row) == 1
    }

    /// The stored value of a registry column, `None` for NULL.
    fn value(&self, column: usize, row: usize) -> Option<u64> {
        let mut value = 0;
        for (index, role) in &self.parts[column] {
            let part = self.base(*index, row);
            match role {
                Role::Known(_) if part == 0 => return None,
                Role::Known(_) => {}
                Role::High { .. } => value += part << 16,
                _ => value += part,
            }
        }
        Some(value)
    }

    /// The row's group, by its place in the plan.
    fn group(&self, groupings: &[Grouping], row: usize) -> usize {
        groupings.iter().fold(0, |at, grouping| {
            let column = &self.registry.columns[grouping.column];
            let values = grouping.len(column.span());
            let own = self
                .value(grouping.column, row)
                .map(|v| match &grouping.bins {
                    Some(bins) => bins.partition_point(|b| b.stored.1 < v),
                    None => usize::try_from(v).unwrap_or(values),
                });
            at * grouping.groups(self.registry) + own.unwrap_or(values)
        })
    }
}

/// The registry columns that a query reads.
fn columns(query: &CohortQuery) -> Vec<usize> {
    let mut out: Vec<usize> = query.group_by.iter().map(|g| g.column).collect();
    out.extend(query.percentiles().iter().map(|p| p.column));
    out.extend(query.filter.columns());
    out.extend(query.filters().into_iter().flat_map(Predicate::columns));
    out.extend(query.aggregate_columns());
    out
}

/// Counts and values so far.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Tally {
    /// By [`Counts::cell`], and then the sums.
    counts: Vec<u64>,
    /// For each percentile of each group the stored values.
    values: Vec<Vec<u32>>,
}

impl Tally {
    fn new(counts: &Counts, percentiles: usize) -> Self {
        Self {
            counts: vec![0; counts.numbers()],
            values: vec![Vec::new(); percentiles],
        }
    }

    fn add(&mut self, rows: &Rows<'_>, asked: &Asked<'_>, row: usize) {
        let value = |column: usize| rows.value(column, row);
        if !rows.consents(row) || !asked.query.filter.eval(&value) {
            return;
        }
        let group = rows.group(&asked.query.group_by, row);
        let meets = |filter: Option<usize>| filter.is_none_or(|f| asked.filters[f].eval(&value));
        let counts = asked.counts;
        for (cell, field) in (group..).step_by(counts.groups).zip(&counts.fields) {
            self.counts[cell] += u64::from(meets(field.filter) && is_counted(field, &value));
        }
        let places = (counts.len() + group..).step_by(counts.groups);
        for (place, (field, _)) in places.zip(&counts.sums) {
            if meets(field.filter) {
                self.counts[place] += summed(field, &value);
            }
        }
        let each = asked.percentiles.len();
        let own = &mut self.values[group * each..][..each];
        for (percentile, values) in asked.percentiles.iter().zip(own) {
            if let Some(v) = value(percentile.column).filter(|_| meets(percentile.filter)) {
                values.push(u32::try_from(v).expect("a stored value is below 2^32"));
            }
        }
    }

    fn merged(mut self, mut other: Self) -> Self {
        for (sum, n) in self.counts.iter_mut().zip(&other.counts) {
            *sum += n;
        }
        for (all, some) in self.values.iter_mut().zip(&mut other.values) {
            all.append(some);
        }
        self
    }

    fn published(
        mut self,
        plan: &Plan,
        counts: &Counts,
        dataset: &CommittedDataset,
    ) -> Result<Vec<Quantile>, ProverError> {
        let profile = &dataset.dataset().manifest.release;
        let decided = decide(counts, profile, &self.counts);
        let states = decided.map_err(|why| why.refusal(plan, counts))?;
        let each = plan.percentiles.len();
        let quantile = |(at, values): (usize, &mut Vec<u32>)| {
            let (group, percentile) = (at / each, &plan.percentiles[at % each]);
            let m = values.len() as u64;
            let enough = m >= percentile.fewest(profile.k);
            if !enough || is_hidden(counts, &states, percentile, group) {
                return None;
            }
            let place = usize::try_from(percentile.share.rank(m) - 1).expect("below m");
            let (_, q, _) = values.select_nth_unstable(place);
            Some(u64::from(*q))
        };
        Ok(self.values.iter_mut().enumerate().map(quantile).collect())
    }
}

/// What a row adds to a sum: nothing without a value in the field's other column.
fn summed(field: &Field, value: &dyn Fn(usize) -> Option<u64>) -> u64 {
    let of = |column: Option<usize>| column.map_or(Some(1), value);
    let (Some(own), Some(_)) = (of(field.column), of(field.other)) else {
        return 0;
    };
    match field.kind {
        FieldKind::SumOfSquares => own * own,
        _ => own,
    }
}

fn is_counted(field: &Field, value: &dyn Fn(usize) -> Option<u64>) -> bool {
    let known = |column: Option<usize>| column.is_none_or(|c| value(c).is_some());
    match (field.kind, field.column) {
        (FieldKind::Trues, Some(c)) => value(c) == Some(1),
        _ => known(field.column) && known(field.other),
    }
}
