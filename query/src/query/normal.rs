//! The normal form of predicates, and their evaluation on a row.

use std::collections::BTreeMap;

use crate::registry::Column;

use super::{IntervalSet, Predicate};

impl Predicate {
    /// Whether the predicate is true on a row; `row` gives the stored value of a registry column,
    /// or `None` for NULL.
    pub fn eval(&self, row: &dyn Fn(usize) -> Option<u64>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::In { column, set } => row(*column).is_some_and(|v| set.contains(v)),
            Self::IsNull { column } => row(*column).is_none(),
            Self::IsNotNull { column } => row(*column).is_some(),
            Self::All(members) => members.iter().all(|m| m.eval(row)),
            Self::Any(members) => members.iter().any(|m| m.eval(row)),
        }
    }

    /// The registry columns of which it says something, one for each leaf, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Self::Always | Self::Never => Vec::new(),
            Self::In { column, .. } | Self::IsNull { column } | Self::IsNotNull { column } => {
                vec![*column]
            }
            Self::All(members) | Self::Any(members) => {
                members.iter().flat_map(Self::columns).collect()
            }
        }
    }

    /// The number of leaves: `In`, `IsNull`, `IsNotNull`.
    #[must_use]
    pub fn leaves(&self) -> usize {
        match self {
            Self::Always | Self::Never => 0,
            Self::In { .. } | Self::IsNull { .. } | Self::IsNotNull { .. } => 1,
            Self::All(members) | Self::Any(members) => members.iter().map(Self::leaves).sum(),
        }
    }
}

/// Builds predicates in normal form over the columns of one registry.
///
/// Every method takes normal forms and gives a normal form.
#[derive(Clone, Copy)]
pub(super) struct Normal<'a> {
    pub columns: &'a [Column],
}

/// What a leaf on one column admits.
struct Admitted {
    values: IntervalSet,
    null: bool,
}

impl Normal<'_> {
    /// The column has a value in the set.
    pub fn is_in(self, column: usize, set: IntervalSet) -> Predicate {
        let full = self.full(column);
        let set = set.intersection(&full);
        if set.is_empty() {
            Predicate::Never
        } else if set == full {
            self.is_not_null(column)
        } else {
            Predicate::In { column, set }
        }
    }

    /// The column is NULL.
    pub fn is_null(self, column: usize) -> Predicate {
        if self.columns[column].nullable {
            Predicate::IsNull { column }
        } else {
            Predicate::Never
        }
    }

    /// The column has a value.
    pub fn is_not_null(self, column: usize) -> Predicate {
        if self.columns[column].nullable {
            Predicate::IsNotNull { column }
        } else {
            Predicate::Always
        }
    }

    /// True where all members are.
    pub fn all(self, members: impl IntoIterator<Item = Predicate>) -> Predicate {
        let mut leaves: BTreeMap<usize, Admitted> = BTreeMap::new();
        let mut rest = Vec::new();
        let mut queue: Vec<Predicate> = members.into_iter().collect();
        while let Some(member) = queue.pop() {
            match self.admitted(&member) {
                Some((column, new)) => {
                    let old = leaves.entry(column).or_insert_with(|| Admitted {
                        values: self.full(column),
                        null: true,
                    });
                    old.values = old.values.intersection(&new.values);
                    old.null &= new.null;
                }
                None => match member {
                    Predicate::Never => return Predicate::Never,
                    Predicate::Always => {}
                    Predicate::All(inner) => queue.extend(inner),
                    other => rest.push(other),
                },
            }
        }
        for (column, admitted) in leaves {
            match self.leaf(column, admitted) {
                Predicate::Never => return Predicate::Never,
                Predicate::Always => {}
                leaf => rest.push(leaf),
            }
        }
        ordered(rest, Predicate::Always, Predicate::All)
    }

    /// True where at least one member is.
    pub fn any(self, members: impl IntoIterator<Item = Predicate>) -> Predicate {
        let mut leaves: BTreeMap<usize, (Vec<(u64, u64)>, bool)> = BTreeMap::new();
        let mut rest = Vec::new();
        let mut queue: Vec<Predicate> = members.into_iter().collect();
        while let Some(member) = queue.pop() {
            match self.admitted(&member) {
                Some((column, new)) => {
                    let old = leaves.entry(column).or_default();
                    old.0.extend(new.values.intervals());
                    old.1 |= new.null;
                }
                None => match member {
                    Predicate::Always => return Predicate::Always,
                    Predicate::Never => {}
                    Predicate::Any(inner) => queue.extend(inner),
                    other => rest.push(other),
                },
            }
        }
        for (column, (values, null)) in leaves {
            let values = IntervalSet::from_intervals(values);
            let known = self.is_in(column, values.clone());
            if known == Predicate::Always || (null && values == self.full(column)) {
                return Predicate::Always;
            }
            if known != Predicate::Never {
                rest.push(known);
            }
            if null {
                rest.push(self.is_null(column));
            }
        }
        ordered(rest, Predicate::Never, Predicate::Any)
    }

    /// True exactly where the predicate is not, NULL rows included: not SQL's NOT.
    pub fn complement(self, predicate: &Predicate) -> Predicate {
        match predicate {
            Predicate::Always => Predicate::Never,
            Predicate::Never => Predicate::Always,
            Predicate::In { column, set } => {
                let others = set.complement(self.columns[*column].span());
                self.any([self.is_in(*column, others), self.is_null(*column)])
            }
            Predicate::IsNull { column } => self.is_not_null(*column),
            Predicate::IsNotNull { column } => self.is_null(*column),
            Predicate::All(members) => self.any(members.iter().map(|m| self.complement(m))),
            Predicate::Any(members) => self.all(members.iter().map(|m| self.complement(m))),
        }
    }

    fn full(self, column: usize) -> IntervalSet {
        IntervalSet::full(self.columns[column].span())
    }

    fn admitted(self, predicate: &Predicate) -> Option<(usize, Admitted)> {
        let (column, values, null) = match predicate {
            Predicate::In { column, set } => (*column, set.clone(), false),
            Predicate::IsNull { column } => (*column, IntervalSet::empty(), true),
            Predicate::IsNotNull { column } => (*column, self.full(*column), false),
            _ => return None,
        };
        Some((column, Admitted { values, null }))
    }

    /// The leaf of an intersection of leaves: it admits NULL or values, never both.
    fn leaf(self, column: usize, admitted: Admitted) -> Predicate {
        if admitted.null {
            self.is_null(column)
        } else {
            self.is_in(column, admitted.values)
        }
    }
}

fn ordered(
    mut members: Vec<Predicate>,
    none: Predicate,
    many: fn(Vec<Predicate>) -> Predicate,
) -> Predicate {
    members.sort_unstable();
    members.dedup();
    match members.len() {
        0 => none,
        1 => members.pop().unwrap_or(none),
        _ => many(members),
    }
}
