//! The groups of an answer, and the bits that select them.

use galen_query::query::{Bin, CohortQuery, Grouping, IntervalSet, MAX_GROUPS, Predicate};

use super::{GroupKey, Linear, PlanError, bits::Builder};

/// A group: its keys and the bits that select it.
pub(super) struct Group {
    pub(super) keys: Vec<GroupKey>,
    pub(super) bits: Vec<Linear>,
}

/// The product of the groupings' values, NULL last, each in the registry's code order or ascending.
pub(super) fn groups(
    builder: &mut Builder<'_>,
    query: &CohortQuery,
) -> Result<Vec<Group>, PlanError> {
    let groups = query.groups(builder.bases.registry());
    if groups > MAX_GROUPS {
        return Err(PlanError::TooManyGroups { groups });
    }
    let mut all = vec![Group {
        keys: Vec::new(),
        bits: Vec::new(),
    }];
    for grouping in &query.group_by {
        let values = values_of(builder, grouping);
        all = all
            .iter()
            .flat_map(|g| {
                values.iter().map(|(key, bit)| Group {
                    keys: g.keys.iter().copied().chain([*key]).collect(),
                    bits: g.bits.iter().cloned().chain([bit.clone()]).collect(),
                })
            })
            .collect();
    }
    Ok(all)
}

/// The values of one grouping, each with the bit of the rows that have it.
fn values_of(builder: &mut Builder<'_>, grouping: &Grouping) -> Vec<(GroupKey, Linear)> {
    let column = grouping.column;
    let (span, nullable) = {
        let c = &builder.bases.registry().columns[column];
        (c.span(), c.nullable)
    };
    let sets: Vec<IntervalSet> = match &grouping.bins {
        Some(bins) => bins.iter().map(Bin::set).collect(),
        None => (0..=span).map(IntervalSet::single).collect(),
    };
    let mut values: Vec<(GroupKey, Linear)> = (0..)
        .zip(&sets)
        .map(|(key, set)| (GroupKey::Value(key), builder.member(column, set)))
        .collect();
    if nullable {
        values.push((GroupKey::Null, builder.bit(&Predicate::IsNull { column })));
    }
    values
}
