//! Which columns a condition ties to one another (`docs/spec/analyses.md`, "What the inputs must be").

use crate::query::Predicate;

/// Whether a predicate looks at a column's values, and not only whether there is one.
pub(super) fn asks_for_values(predicate: &Predicate, of: usize) -> bool {
    match predicate {
        Predicate::In { column, .. } => *column == of,
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().any(|m| asks_for_values(m, of))
        }
        _ => false,
    }
}

/// The conditions of a conjunction by which it ties a column to one of others, and that one: a chain of conditions of which
/// each has a column in common with one before. Without such a chain columns that are independent of each other are
/// so among those who meet the conjunction, too.
pub(super) fn chain<'a>(
    conjunction: &'a Predicate,
    from: usize,
    to: &[usize],
) -> Option<(usize, Vec<&'a Predicate>)> {
    let mut rest: Vec<&Predicate> = match conjunction {
        Predicate::All(members) => members.iter().collect(),
        one => vec![one],
    };
    // Each column that was reached, with the conditions that lead to it.
    let mut reached: Vec<(usize, Vec<&Predicate>)> = vec![(from, Vec::new())];
    let mut next = 0;
    while let Some((column, path)) = reached.get(next).cloned() {
        next += 1;
        let (tied, others) = rest
            .into_iter()
            .partition(|m| m.columns().contains(&column));
        rest = others;
        let tied: Vec<&Predicate> = tied;
        for member in tied {
            let path: Vec<&Predicate> = path.iter().copied().chain([member]).collect();
            for new in member.columns() {
                if to.contains(&new) && new != from {
                    return Some((new, path));
                }
                if reached.iter().all(|(c, _)| *c != new) {
                    reached.push((new, path.clone()));
                }
            }
        }
    }
    None
}
