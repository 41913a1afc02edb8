//! Conditions and values in words, in the columns' own units: for messages, and for whoever asks or allows a query.

use std::borrow::Cow;

use crate::{
    query::{IntervalSet, Predicate},
    registry::{Column, ColumnKind},
};

/// Members of a condition and of a list that are named.
pub const LISTED: usize = 12;

/// Words about these columns.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a>(pub &'a [Column]);

impl Words<'_> {
    /// A column's name.
    #[must_use]
    pub fn name(&self, column: usize) -> &str {
        &self.0[column].name
    }

    /// A condition, after "with" or "without". An `inner` one stands in parentheses where it has members.
    #[must_use]
    pub fn condition(&self, predicate: &Predicate, inner: bool) -> String {
        let (members, joint) = match predicate {
            Predicate::Always => return "anything".to_owned(),
            Predicate::Never => return "what nobody has".to_owned(),
            Predicate::In { column, set } => return self.values(*column, set),
            Predicate::IsNull { column } => return format!("no {}", self.name(*column)),
            Predicate::IsNotNull { column } => return format!("a known {}", self.name(*column)),
            Predicate::All(members) => (members, " and "),
            Predicate::Any(members) => (members, " or "),
        };
        let texts = members.iter().map(|m| self.condition(m, true)).collect();
        let text = listed(texts, joint);
        if inner { format!("({text})") } else { text }
    }

    /// `ldl 2.50 to 5.40 mmol/L`.
    fn values(&self, column: usize, set: &IntervalSet) -> String {
        let column = &self.0[column];
        let range = |(first, last): &(u64, u64)| between(column, *first, *last);
        let texts = set.intervals().iter().map(range).collect();
        let values = format!("{} {}", column.name, listed(texts, " or "));
        match unit(column) {
            Some(unit) => format!("{values} {unit}"),
            None => values,
        }
    }
}

/// A value as it is; within double quotes where it could be taken for a missing one, which is `NULL`, or for a quoted one.
#[must_use]
pub fn value(text: &str) -> Cow<'_, str> {
    match text != "NULL" && !text.is_empty() && !text.starts_with('"') {
        true => Cow::Borrowed(text),
        false => Cow::Owned(quoted(text)),
    }
}

/// A value among others and among words: within double quotes also where it could be taken for more than one.
#[must_use]
pub fn value_among(text: &str) -> Cow<'_, str> {
    let joins = |c: char| matches!(c, ',' | '=' | ';' | '(' | ')');
    let words = [" and ", " or ", " to "];
    match text.contains(joins) || words.iter().any(|w| text.contains(w)) {
        true => Cow::Owned(quoted(text)),
        false => value(text),
    }
}

/// A text within double quotes, its own doubled.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Stored values from one to another.
#[must_use]
pub fn between(column: &Column, first: u64, last: u64) -> String {
    let text = |stored| value_among(&column.format_stored(stored)).into_owned();
    match first == last {
        true => text(first),
        false => format!("{} to {}", text(first), text(last)),
    }
}

/// The first of a list, and how many there are beyond.
#[must_use]
pub fn listed(items: Vec<String>, joint: &str) -> String {
    let more = items.len().saturating_sub(LISTED);
    let shown = items[..items.len() - more].join(joint);
    match more {
        0 => shown,
        more => format!("{shown}{joint}{more} more"),
    }
}

/// A number column's unit as people write it: the registry has them in UCUM.
#[must_use]
pub fn unit(column: &Column) -> Option<&str> {
    let ColumnKind::Number {
        unit: Some(unit), ..
    } = &column.kind
    else {
        return None;
    };
    match unit.as_str() {
        "a" => Some("years"),
        "mo" => Some("months"),
        "wk" => Some("weeks"),
        "d" => Some("days"),
        "h" => Some("hours"),
        "min" => Some("minutes"),
        "mm[Hg]" => Some("mmHg"),
        "Cel" => Some("°C"),
        "1" => None,
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{query::parse_query, registry::Registry};

    const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "ldl"
type = "number"
min = 1.0
max = 9.9
decimals = 1
unit = "mmol/L"
nullable = true

[[column]]
name = "ill"
type = "boolean"
"#;

    #[test]
    fn conditions_are_in_the_columns_own_units() {
        let registry = Registry::from_toml(REGISTRY).unwrap();
        let said = |condition: &str| {
            let sql = format!("SELECT count(*) FROM t WHERE {condition}");
            let query = parse_query(&sql, &registry).unwrap();
            Words(&registry.columns).condition(&query.filter, true)
        };
        assert_eq!(said("ldl < 5.5"), "ldl 1.0 to 5.4 mmol/L");
        assert_eq!(said("ldl IS NULL"), "no ldl");
        assert_eq!(said("ldl > 9.8 OR ill"), "(ldl 9.9 mmol/L or ill true)");
    }

    #[test]
    fn no_value_looks_like_a_missing_one_or_like_two() {
        let said =
            ["A 1", "NULL", "", "\"x\"", "a, b", "a or b"].map(|v| value_among(v).into_owned());
        let quoted = [
            "\"NULL\"",
            "\"\"",
            "\"\"\"x\"\"\"",
            "\"a, b\"",
            "\"a or b\"",
        ];
        assert_eq!(said[0], "A 1");
        assert_eq!(said[1..], quoted);
        assert_eq!(value("a, b"), "a, b");
    }
}
