//! What is done with a value that the registry does not take: for the whole mapping, or for a column.

use std::collections::BTreeMap;

use galen_query::registry::{ColumnKind, Registry, ValueError};
use serde::{Deserialize, Serialize};

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// It stays, and is counted.
    Report,
    /// Nothing is written.
    Reject,
    /// It becomes NULL.
    Null,
    /// It becomes the nearest bound.
    Clamp,
}

impl Action {
    /// What was done, for people.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Report => "kept",
            Self::Reject => "rejected",
            Self::Null => "made NULL",
            Self::Clamp => "moved to the bound",
        }
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// NULL, which the registry does not allow in this column.
    Missing,
    /// A number or a date beyond the registry's bounds.
    OutOfRange,
    /// A text that is none of a category's codes.
    UnknownCode,
    /// More digits after the decimal point than the registry keeps.
    TooPrecise,
    /// Not of the column's type: no number, no date, no truth value.
    NotAValue,
    /// A day after that of the build.
    FutureDate,
}

impl Kind {
    /// Whether a column of this kind can have it.
    fn is_of(self, kind: &ColumnKind) -> bool {
        let number = matches!(kind, ColumnKind::Number { .. });
        let date = matches!(kind, ColumnKind::Date { .. });
        let category = matches!(kind, ColumnKind::Category { .. });
        match self {
            Self::Missing => true,
            Self::OutOfRange => number || date,
            Self::UnknownCode => category,
            Self::TooPrecise => number,
            Self::NotAValue => !category,
            Self::FutureDate => date,
        }
    }

    /// Of many of them, for people.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Missing => "NULL where the registry allows none",
            Self::OutOfRange => "out of the registry's range",
            Self::UnknownCode => "none of the registry's codes",
            Self::TooPrecise => "with more digits than the registry keeps",
            Self::NotAValue => "not of the registry's type",
            Self::FutureDate => "in the future",
        }
    }

    /// What to do about it where it is rejected.
    pub(crate) fn cure(self) -> &'static str {
        match self {
            Self::Missing => {
                "fill it in the SQL (coalesce), leave these patients out, or declare the column nullable"
            }
            Self::OutOfRange => {
                "correct the SQL (a unit, a code for \"unknown\"), widen the registry, or say out_of_range = \
                 \"null\" or \"clamp\""
            }
            Self::UnknownCode => {
                "map it in the SQL (CASE), list it in the registry, or say unknown_code = \"null\""
            }
            Self::TooPrecise => "round it: CAST(x AS DECIMAL(p, d)); or say too_precise = \"null\"",
            Self::NotAValue => "cast it in the SQL, or say not_a_value = \"null\"",
            Self::FutureDate => "correct the SQL, or say future_date = \"null\" or \"report\"",
        }
    }
}

impl From<&ValueError> for Kind {
    fn from(error: &ValueError) -> Self {
        match error {
            ValueError::UnknownCode { .. } => Self::UnknownCode,
            ValueError::TooPrecise { .. } => Self::TooPrecise,
            ValueError::BelowMinimum { .. } | ValueError::AboveMaximum { .. } => Self::OutOfRange,
            _ => Self::NotAValue,
        }
    }
}

/// The actions of a column, or of all that have none of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    out_of_range: Option<Bounded>,
    unknown_code: Option<Unfit>,
    too_precise: Option<Unfit>,
    not_a_value: Option<Unfit>,
    future_date: Option<Future>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Bounded {
    Reject,
    Null,
    Clamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unfit {
    Reject,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Future {
    Report,
    Reject,
    Null,
}

impl From<Unfit> for Action {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Reject => Self::Reject,
            Unfit::Null => Self::Null,
        }
    }
}

impl Rules {
    fn of(&self, kind: Kind) -> Option<Action> {
        match kind {
            Kind::Missing => None,
            Kind::OutOfRange => self.out_of_range.map(|b| match b {
                Bounded::Reject => Action::Reject,
                Bounded::Null => Action::Null,
                Bounded::Clamp => Action::Clamp,
            }),
            Kind::UnknownCode => self.unknown_code.map(Action::from),
            Kind::TooPrecise => self.too_precise.map(Action::from),
            Kind::NotAValue => self.not_a_value.map(Action::from),
            Kind::FutureDate => self.future_date.map(|f| match f {
                Future::Report => Action::Report,
                Future::Reject => Action::Reject,
                Future::Null => Action::Null,
            }),
        }
    }

    fn all(&self) -> impl Iterator<Item = (Kind, Action)> {
        let kinds = [
            Kind::OutOfRange,
            Kind::UnknownCode,
            Kind::TooPrecise,
            Kind::NotAValue,
            Kind::FutureDate,
        ];
        let rules = *self;
        kinds
            .into_iter()
            .filter_map(move |kind| Some((kind, rules.of(kind)?)))
    }
}

/// A mapping's policy. What it does not say is rejected; days to come are reported.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// For every column.
    pub(crate) rules: Rules,
    /// For some, in place of that.
    pub(crate) columns: BTreeMap<String, Rules>,
}

impl Policy {
    /// What is done in a column, where NULL may stand or not: where it may not, what would become NULL is rejected.
    pub(crate) fn action(&self, column: &str, nullable: bool, kind: Kind) -> Action {
        let own = self.columns.get(column).and_then(|r| r.of(kind));
        let default = match kind {
            Kind::FutureDate => Action::Report,
            _ => Action::Reject,
        };
        match own.or(self.rules.of(kind)).unwrap_or(default) {
            Action::Null if !nullable => Action::Reject,
            action => action,
        }
    }

    /// What cannot be meant: a column that is not the registry's, NULL where it may not stand.
    pub(crate) fn check(&self, registry: &Registry) -> Result<(), String> {
        for (name, rules) in &self.columns {
            let Some(column) = registry.columns.iter().find(|c| c.name == *name) else {
                let consent = registry.purposes.iter().any(|p| p.column == *name);
                return Err(if consent {
                    format!("[column.{name}]: a consent is true or false; no policy changes it")
                } else {
                    format!(
                        "[column.{name}]: the registry {} has no such column",
                        registry.label()
                    )
                });
            };
            if let Some((kind, _)) = rules.all().find(|(kind, _)| !kind.is_of(&column.kind)) {
                return Err(format!(
                    "[column.{name}]: a {} is never {}: leave that rule out",
                    column.type_name(),
                    kind.label()
                ));
            }
            if !column.nullable && rules.all().any(|(_, a)| a == Action::Null) {
                return Err(format!(
                    "[column.{name}]: the registry does not allow NULL there: say \"reject\", or declare it nullable"
                ));
            }
        }
        Ok(())
    }
}
