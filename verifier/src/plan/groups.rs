//! The groups of an answer (`docs/spec/plan.md`, "GROUP BY").

use galen_circuits::equation::{Grouping, Linear, Table};

use super::{
    GroupKey, MAX_GROUPS, PlanError,
    bases::Mixed,
    bits::Bits,
    literal::index,
    scale::{self, Scale},
};
use galen_query::query::{CohortQuery, Grouping as GroupBy};

/// The groups in the answer's order, and how the equation names them.
pub(super) struct Groups {
    /// Their keys.
    pub(super) keys: Vec<Vec<GroupKey>>,
    /// The group's number in the equation.
    pub(super) numbers: Vec<u64>,
    /// The group's number, computed from a row; one group without digits where there is no GROUP BY.
    pub(super) key: Mixed,
    is_grouped: bool,
}

impl Groups {
    /// The product of the groupings' values, NULL last, each in the registry's code order or ascending; the last
    /// one varies fastest.
    pub(super) fn new(bits: &mut Bits<'_>, query: &CohortQuery) -> Result<Self, PlanError> {
        let groups = query.groups(bits.bases.registry);
        if groups > MAX_GROUPS {
            return Err(PlanError::TooManyGroups { groups });
        }
        let mut key = Mixed::default();
        let mut all = vec![(Vec::new(), Vec::new())];
        for grouping in &query.group_by {
            let scale = scale_of(bits, grouping)?;
            key.push(&scale.linear, scale.radix());
            let values = values_of(&scale);
            all = all
                .iter()
                .flat_map(|(keys, digits): &(Vec<GroupKey>, Vec<u64>)| {
                    values.iter().map(|(key, digit)| {
                        (
                            [keys.as_slice(), &[*key]].concat(),
                            [digits.as_slice(), &[*digit]].concat(),
                        )
                    })
                })
                .collect();
        }
        Ok(Self {
            numbers: all.iter().map(|(_, digits)| key.number(digits)).collect(),
            keys: all.into_iter().map(|(keys, _)| keys).collect(),
            key,
            is_grouped: !query.group_by.is_empty(),
        })
    }

    /// The equation's grouping, if there is a GROUP BY.
    pub(super) fn grouping(&self) -> Option<Grouping> {
        self.is_grouped.then(|| Grouping {
            tuple: [self.key.linear.clone(), Linear::zero()],
            groups: Table::range(index(self.key.radix())),
            key: self.key.linear.clone(),
        })
    }
}

fn scale_of(bits: &mut Bits<'_>, grouping: &GroupBy) -> Result<Scale, PlanError> {
    let malformed = |what: &str| Err(PlanError::Malformed(format!("GROUP BY: {what}")));
    let Some(bins) = &grouping.bins else {
        return match scale::values(bits, grouping.column) {
            Some(scale) => Ok(scale),
            None => malformed("a column of many values without bins"),
        };
    };
    let span = bits.bases.registry.columns[grouping.column].span();
    let follow = bins.windows(2).all(|w| w[0].stored.1 + 1 == w[1].stored.0);
    let ends = (bins.first(), bins.last());
    match ends {
        (Some(first), Some(last)) if follow && first.stored.0 == 0 && last.stored.1 == span => {
            let cuts: Vec<u64> = bins[1..].iter().map(|b| b.stored.0).collect();
            scale::intervals(bits, grouping.column, &cuts)
        }
        _ => malformed("bins that do not cover the column"),
    }
}

/// The values of one grouping with their digits.
fn values_of(scale: &Scale) -> Vec<(GroupKey, u64)> {
    let moved = u64::from(scale.first(0).is_none());
    let values = (moved..scale.radix()).map(|d| (GroupKey::Value(d - moved), d));
    let null = (moved == 1).then_some((GroupKey::Null, 0));
    values.chain(null).collect()
}
