//! Patients whose outcome is unknown, where they would silently count as without it.

use crate::{
    query::{Aggregate, CohortQuery, Output, OutputValue, Predicate},
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
    let mut looked_at = Vec::new();
    columns(&cases.filter, &mut looked_at);
    looked_at.extend(column(cases));
    let mut known = vec![];
    columns(&total.filter, &mut known);
    columns(&query.filter, &mut known);
    known.extend(column(total));
    let unknown = looked_at
        .into_iter()
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

/// The columns of which a predicate says something.
fn columns(predicate: &Predicate, out: &mut Vec<usize>) {
    match predicate {
        Predicate::Always | Predicate::Never => {}
        Predicate::In { column, .. }
        | Predicate::IsNull { column }
        | Predicate::IsNotNull { column } => out.push(*column),
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().for_each(|m| columns(m, out));
        }
    }
}
