//! The numbers of an answer, counted over the rows by what the query says.

use galen_query::{
    query::{CohortQuery, Grouping, Percentile, Predicate},
    registry::Registry,
};
use galen_verifier::{
    plan::{Field, FieldKind, GroupKey, Plan, Quantile, Rank},
    rules::{Counts, ReleaseProfile, State, decide, is_hidden},
};

use crate::data::Table;

type Row = [Option<u64>];

/// A statistic of a group.
pub fn number(query: &CohortQuery, plan: &Plan, table: &Table, group: usize, field: Field) -> i128 {
    let keys = &plan.layout.groups[group].0;
    let filters = query.filters();
    let quantile = |percentile: usize| plan.quantiles[group * plan.percentiles.len() + percentile];
    let rows = table.cohort(query).filter(|row| is_in(query, row, keys));
    rows.map(|row| statistic(row, field, &filters, &quantile))
        .sum()
}

fn statistic(
    row: &Row,
    field: Field,
    filters: &[&Predicate],
    quantile: &dyn Fn(usize) -> Quantile,
) -> i128 {
    if !field.filter.is_none_or(|f| filters[f].eval(&|c| row[c])) {
        return 0;
    }
    let value = |column: Option<usize>| row[column.unwrap()].map(i128::from);
    let has_other = field.other.is_none_or(|c| row[c].is_some());
    let of_column = |f: &dyn Fn(i128) -> i128| match value(field.column) {
        Some(v) if has_other => f(v),
        _ => 0,
    };
    match field.kind {
        FieldKind::Count => {
            let has_value = field.column.is_none_or(|c| row[c].is_some());
            i128::from(has_value && has_other)
        }
        FieldKind::Trues | FieldKind::Sum => of_column(&|v| v),
        FieldKind::SumOfSquares => of_column(&|v| v * v),
        FieldKind::Product => of_column(&|v| v * value(field.other).unwrap()),
        FieldKind::Rank(i, rank) => of_column(&|v| {
            let q = quantile(i).map(i128::from);
            i128::from(match rank {
                Rank::Known => true,
                Rank::Below => v < q.unwrap(),
                Rank::UpTo => v <= q.unwrap(),
            })
        }),
    }
}

fn is_in(query: &CohortQuery, row: &Row, keys: &[GroupKey]) -> bool {
    let own = query.group_by.iter().map(|g| key(g, row[g.column]));
    own.eq(keys.iter().copied())
}

fn key(grouping: &Grouping, value: Option<u64>) -> GroupKey {
    let Some(value) = value else {
        return GroupKey::Null;
    };
    let Some(bins) = &grouping.bins else {
        return GroupKey::Value(value);
    };
    let bin = bins.iter().position(|b| b.set().contains(value));
    GroupKey::Value(bin.unwrap() as u64)
}

/// For each group each percentile of its values; none where there is no value.
pub fn quantiles(query: &CohortQuery, registry: &Registry, table: &Table) -> Vec<Quantile> {
    let values = values(query, registry, table);
    let each = query.percentiles();
    let quantile = |(values, percentile): (&Vec<u64>, &Percentile)| {
        let m = values.len() as u64;
        (m > 0).then(|| values[percentile.share.rank(m) as usize - 1])
    };
    values
        .iter()
        .zip(each.iter().cycle())
        .map(quantile)
        .collect()
}

/// Those that a hospital releases, `totals` being those of a plan without any.
pub fn released(
    query: &CohortQuery,
    registry: &Registry,
    table: &Table,
    profile: &ReleaseProfile,
    (plan, totals): (&Plan, &[i128]),
) -> Vec<Quantile> {
    let counts = Counts::of(plan);
    let value = |cell| {
        let (field, group) = counts.place(cell);
        totals[plan.cell(group, field).unwrap()] as u64
    };
    let sums = counts.of_sums();
    let sums = sums.map(|(field, _, group)| totals[plan.cell(group, field).unwrap()] as u64);
    let numbers: Vec<u64> = (0..counts.len()).map(value).chain(sums).collect();
    let decided = decide(&counts, profile, &numbers);
    // Where none is made, the query is refused.
    let decided = decided.unwrap_or_else(|_| vec![State::Guarded; counts.len()]);
    let each = query.percentiles();
    let mut all = quantiles(query, registry, table);
    for (at, (quantile, values)) in all
        .iter_mut()
        .zip(values(query, registry, table))
        .enumerate()
    {
        let percentile = &each[at % each.len()];
        let enough = values.len() as u64 >= percentile.fewest(profile.k);
        if !enough || is_hidden(&counts, &decided, percentile, at / each.len()) {
            *quantile = None;
        }
    }
    all
}

/// For each group and percentile the values, in order.
fn values(query: &CohortQuery, registry: &Registry, table: &Table) -> Vec<Vec<u64>> {
    let (filters, percentiles) = (query.filters(), query.percentiles());
    let mut all = Vec::new();
    for keys in groups(query, registry) {
        for percentile in &percentiles {
            let meets = |row: &&Vec<Option<u64>>| {
                percentile
                    .filter
                    .is_none_or(|f| filters[f].eval(&|c| row[c]))
            };
            let rows = table.cohort(query).filter(|row| is_in(query, row, &keys));
            let mut values: Vec<u64> = rows
                .filter(meets)
                .filter_map(|row| row[percentile.column])
                .collect();
            values.sort_unstable();
            all.push(values);
        }
    }
    all
}

/// The keys of all groups in the answer's order.
fn groups(query: &CohortQuery, registry: &Registry) -> Vec<Vec<GroupKey>> {
    let mut all = vec![Vec::new()];
    for grouping in &query.group_by {
        let column = &registry.columns[grouping.column];
        let mut values: Vec<GroupKey> = (0..grouping.len(column.span()) as u64)
            .map(GroupKey::Value)
            .collect();
        values.extend(column.nullable.then_some(GroupKey::Null));
        all = all
            .iter()
            .flat_map(|keys: &Vec<GroupKey>| {
                values.iter().map(|v| [keys.as_slice(), &[*v]].concat())
            })
            .collect();
    }
    all
}
