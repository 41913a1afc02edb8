//! Patients whose outcome is unknown, where they would silently count as without it.

use galen_query::{
    query::{CohortQuery, Predicate},
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
    let (cases, all) = (find(cases)?, find(total)?);
    let population = query.population(registry, all);
    let is_known = |column: usize| population.lies_within(&Predicate::IsNotNull { column });
    let looked_at = valued(&cases.filter).into_iter();
    let mut names: Vec<&str> = Vec::new();
    for column in looked_at.chain(cases.value.columns()) {
        let definition = &registry.columns[column];
        if definition.nullable && !is_known(column) && !names.contains(&definition.name.as_str()) {
            names.push(&definition.name);
        }
    }
    let first = names.first()?;
    Some(format!(
        "Patients whose {} is NULL count as without the outcome; to leave them out, let {total} be count({first}).",
        names.join(" or ")
    ))
}

/// The columns whose values a predicate looks at, and not only whether there is one.
fn valued(predicate: &Predicate) -> Vec<usize> {
    match predicate {
        Predicate::In { column, .. } => vec![*column],
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().flat_map(valued).collect()
        }
        _ => Vec::new(),
    }
}
