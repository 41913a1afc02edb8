//! Which patients an output is about, as a predicate.

use crate::registry::{ColumnKind, Registry};

use super::{Aggregate, CohortQuery, IntervalSet, Output, OutputValue, Predicate, normal::Normal};

impl CohortQuery {
    /// The patients that an aggregate counts, or whose values it is of, GROUP BY aside: those who meet WHERE and its
    /// FILTER and have a value in its columns; for the sum of a boolean those for whom it is true.
    #[must_use]
    pub fn population(&self, registry: &Registry, output: &Output) -> Predicate {
        let normal = Normal {
            columns: &registry.columns,
        };
        let own = match &output.value {
            OutputValue::Aggregate(Aggregate::Sum(c))
                if matches!(registry.columns[*c].kind, ColumnKind::Boolean) =>
            {
                normal.is_in(*c, IntervalSet::range(1, 1))
            }
            other => normal.all(other.columns().into_iter().map(|c| normal.is_not_null(c))),
        };
        normal.all([self.filter.clone(), output.filter.clone(), own])
    }
    /// The conditions by which `part` counts only some of whom `whole` counts: those of its population that not all of the
    /// other's meet, as far as can be seen.
    #[must_use]
    pub fn deciding(&self, registry: &Registry, part: &Output, whole: &Output) -> Vec<Predicate> {
        let all = self.population(registry, whole);
        let conditions = match self.population(registry, part) {
            Predicate::All(members) => members,
            one => vec![one],
        };
        let decides = conditions.into_iter().filter(|c| !all.lies_within(c));
        decides.collect()
    }
}
