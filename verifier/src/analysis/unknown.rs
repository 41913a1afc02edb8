//! Patients whose outcome is unknown, where they would silently count as without it; and outcomes that everybody has.

use galen_query::{
    query::{CohortQuery, Predicate},
    registry::Registry,
};

/// Notes where `total` counts patients for whom a column that decides on `cases` is NULL, and where all whom it counts are cases.
pub(super) fn notes(
    query: &CohortQuery,
    registry: &Registry,
    cases: &str,
    total: &str,
) -> Vec<String> {
    let (Some(inside), Some(around)) = (query.output(cases), query.output(total)) else {
        return Vec::new();
    };
    let all = query.population(registry, around);
    let deciding = query.deciding(registry, inside, around);
    if deciding.is_empty() {
        return vec![format!(
            "By their conditions every patient of {total} is one of {cases}."
        )];
    }
    let is_known = |column: usize| {
        let is_key = query.group_by.iter().any(|g| g.column == column);
        is_key || all.lies_within(&Predicate::IsNotNull { column })
    };
    let mut names: Vec<&str> = Vec::new();
    for column in deciding.iter().flat_map(decided_by) {
        let definition = &registry.columns[column];
        if definition.nullable && !is_known(column) && !names.contains(&definition.name.as_str()) {
            names.push(&definition.name);
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    let known: Vec<String> = names.iter().map(|n| format!("{n} IS NOT NULL")).collect();
    vec![format!(
        "Patients of {total} whose {} is NULL may count as without the outcome though it is not known; to leave them out, \
         add `{}` to WHERE, or to the FILTERs of {cases} and {total}.",
        names.join(" or "),
        known.join(" AND ")
    )]
}

/// The columns of which a predicate asks for a value, and is not true without one.
fn decided_by(predicate: &Predicate) -> Vec<usize> {
    match predicate {
        Predicate::In { column, .. } => vec![*column],
        Predicate::All(members) => members.iter().flat_map(decided_by).collect(),
        Predicate::Any(members) => {
            let without = |c: &usize| members.contains(&Predicate::IsNull { column: *c });
            let columns = members.iter().flat_map(decided_by);
            columns.filter(|c| !without(c)).collect()
        }
        _ => Vec::new(),
    }
}
