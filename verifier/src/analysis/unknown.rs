//! Patients whose outcome is unknown, where they would silently count as without it.

use galen_query::{
    query::{Aggregate, CohortQuery, Output, OutputValue},
    registry::Registry,
};

/// A note where `total` counts patients for whom a column that `cases` looks at is NULL.
pub(super) fn note(
    query: &CohortQuery,
    registry: &Registry,
    cases: &str,
    total: &str,
) -> Option<String> {
    let find = |label: &str| query.outputs.iter().find(|o| o.label == label);
    let (cases, total) = (find(cases)?, find(total)?);
    let mut known = total.filter.columns();
    known.extend(query.filter.columns());
    known.extend(column(total));
    let looked_at = cases.filter.columns().into_iter();
    let unknown = looked_at
        .chain(column(cases))
        .find(|c| registry.columns[*c].nullable && !known.contains(c))?;
    let name = &registry.columns[unknown].name;
    Some(format!(
        "Patients whose {name} is NULL count as without the outcome; to leave them out, let total be count({name})."
    ))
}

fn column(output: &Output) -> Option<usize> {
    match output.value {
        OutputValue::Aggregate(Aggregate::Count(c) | Aggregate::Sum(c)) => Some(c),
        _ => None,
    }
}
