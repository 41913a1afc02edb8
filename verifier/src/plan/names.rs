//! What people call an answer's numbers: the outputs' labels and the groups' keys, for messages.

use std::collections::BTreeMap;

use galen_query::{
    query::{Aggregate, CohortQuery, Grouping, Output, OutputValue, Percentile},
    registry::Registry,
    words::value_among,
};

use super::{Field, FieldKind, GroupKey, fields_of};
use crate::answer::{Cell, key_cell};

/// Outputs that are named of one group.
const LISTED: usize = 8;

/// The names of a plan's numbers. They hold what the query and the registry say, and nothing of any patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    fields: BTreeMap<Field, String>,
    percentiles: Vec<String>,
    /// None without GROUP BY.
    groups: Vec<String>,
}

impl Names {
    pub(super) fn of<'a>(
        query: &CohortQuery,
        registry: &Registry,
        (fields, percentiles): (&[Field], &[Percentile]),
        keys: impl Iterator<Item = &'a [GroupKey]>,
    ) -> Self {
        let of_field = |field: &Field| match query.criteria.is_empty() {
            true => label(*field, query, registry),
            false => step(*field, query),
        };
        let of_percentile = |percentile: &Percentile| {
            let outputs = query.outputs.iter().zip(query.filter_indices());
            let mut own = outputs.filter(|(o, filter)| {
                let (column, share) = (percentile.column, percentile.share);
                let wanted = OutputValue::Aggregate(Aggregate::PercentileDisc { column, share });
                o.value == wanted && **filter == percentile.filter
            });
            own.next()
                .map_or_else(String::new, |(o, _)| o.label.clone())
        };
        let is_grouped = !query.group_by.is_empty();
        Self {
            fields: fields.iter().map(|f| (*f, of_field(f))).collect(),
            percentiles: percentiles.iter().map(of_percentile).collect(),
            groups: keys
                .filter(|_| is_grouped)
                .map(|keys| group(query, registry, keys))
                .collect(),
        }
    }

    /// The output that a number stands in, or that is computed from it.
    #[must_use]
    pub fn field(&self, field: Field) -> &str {
        match field.kind {
            FieldKind::Rank(number, _) => self.percentiles.get(number),
            _ => self.fields.get(&field),
        }
        .map_or("count(*)", String::as_str)
    }

    /// A group's keys, `arm = drug, site = NULL`; none without GROUP BY.
    #[must_use]
    pub fn group(&self, group: usize) -> Option<&str> {
        self.groups.get(group).map(String::as_str)
    }

    /// A number, `dead (arm = drug)`.
    #[must_use]
    pub fn number(&self, group: usize, field: Field) -> String {
        self.within(self.field(field).to_owned(), group)
    }

    /// A percentile, by its number.
    #[must_use]
    pub fn percentile(&self, group: usize, number: usize) -> String {
        let label = self.percentiles.get(number).cloned();
        self.within(label.unwrap_or_default(), group)
    }

    /// The counts of a group, `n, dead (arm = drug)`.
    #[must_use]
    pub fn counts(&self, group: usize) -> String {
        let counts = self.fields.iter().filter(|(f, _)| f.is_count());
        let labels: Vec<&str> = counts.map(|(_, label)| label.as_str()).collect();
        let more = labels.len().saturating_sub(LISTED);
        let mut text = labels[..labels.len() - more].join(", ");
        if more > 0 {
            text += &format!(" and {more} more");
        }
        self.within(text, group)
    }

    fn within(&self, text: String, group: usize) -> String {
        match self.group(group) {
            Some(keys) => format!("{text} ({keys})"),
            None => text,
        }
    }
}

/// The output that shows least beside the number; where it shows more than that, with what the number is.
fn label(field: Field, query: &CohortQuery, registry: &Registry) -> String {
    let fields = |(output, filter): (&Output, &Option<usize>)| match &output.value {
        OutputValue::Aggregate(a) => fields_of(a, *filter, registry),
        OutputValue::Key(_) => Vec::new(),
    };
    let outputs = query.outputs.iter().zip(query.filter_indices());
    let own = outputs.map(|(o, filter)| (&o.label, fields((o, filter))));
    let own = own.filter(|(_, fields)| fields.contains(&field));
    let Some((label, fields)) = own.min_by_key(|(_, fields)| fields.len()) else {
        return "count(*)".to_owned();
    };
    let name = |column: Option<usize>| column.map_or("", |c| registry.columns[c].name.as_str());
    let of = name(field.column);
    let what = match field.kind {
        _ if fields.len() == 1 => return label.clone(),
        FieldKind::Count if field.column.is_none() => "count(*)".to_owned(),
        FieldKind::Count if field.other.is_some() => {
            format!("with a known {of} and a known {}", name(field.other))
        }
        FieldKind::Count => format!("with a known {of}"),
        FieldKind::Trues => format!("with {of}"),
        FieldKind::Sum => format!("sum of {of}"),
        FieldKind::SumOfSquares => format!("sum of squares of {of}"),
        FieldKind::Product => format!("sum of {of} times {}", name(field.other)),
        FieldKind::Rank(..) => return label.clone(),
    };
    format!("{label} ({what})")
}

/// A step of an attrition table.
fn step(field: Field, query: &CohortQuery) -> String {
    let mut filters = query.filter_indices().iter();
    let at = filters.position(|f| *f == field.filter);
    let criterion = at.and_then(|at| query.criteria.get(at.checked_sub(1)?));
    match criterion {
        Some(criterion) => format!("the step {criterion}"),
        None => "all who consented to the purpose".to_owned(),
    }
}

fn group(query: &CohortQuery, registry: &Registry, keys: &[GroupKey]) -> String {
    let keys = query.group_by.iter().zip(keys);
    let keys: Vec<String> = keys
        .map(|(g, key)| key_in_words(registry, g, *key))
        .collect();
    keys.join(", ")
}

/// One key of a group, `arm = drug`.
pub(crate) fn key_in_words(registry: &Registry, grouping: &Grouping, key: GroupKey) -> String {
    let name = &registry.columns[grouping.column].name;
    format!("{name} = {}", value(&key_cell(registry, grouping, key)))
}

/// As the answer's table has it; a code that could be taken for more than one in quotes.
fn value(key: &Cell) -> String {
    match key {
        Cell::Key(code) => value_among(code).into_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use galen_query::{query::parse_query, registry::Registry};

    use super::*;
    use crate::plan::fields::fields_of_query;

    const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "arm"
type = "category"
codes = ["drug", "NULL", "drug, site = NULL"]
nullable = true

[[column]]
name = "site"
type = "category"
codes = ["a"]
nullable = true

[[column]]
name = "ldl"
type = "number"
min = 0
max = 60
nullable = true
"#;

    fn names(sql: &str, keys: &[Vec<GroupKey>]) -> (Names, Vec<Field>) {
        let registry = Registry::from_toml(REGISTRY).unwrap();
        let query = parse_query(sql, &registry).unwrap();
        let fields = fields_of_query(&query, &registry);
        let numbers = (fields.as_slice(), query.percentiles());
        let numbers = (numbers.0, numbers.1.as_slice());
        let names = Names::of(&query, &registry, numbers, keys.iter().map(Vec::as_slice));
        (names, fields)
    }

    /// Neither a missing key nor the end of a code can be a code.
    #[test]
    fn no_code_looks_like_a_missing_key_or_like_two_keys() {
        let keys = [
            vec![GroupKey::Value(0), GroupKey::Null],
            vec![GroupKey::Value(1), GroupKey::Null],
            vec![GroupKey::Value(2), GroupKey::Null],
            vec![GroupKey::Null, GroupKey::Value(0)],
        ];
        let (names, _) = names(
            "SELECT arm, site, count(*) FROM t GROUP BY arm, site",
            &keys,
        );
        let groups: Vec<&str> = (0..4).map(|g| names.group(g).unwrap()).collect();
        assert_eq!(
            groups,
            [
                "arm = drug, site = NULL",
                "arm = \"NULL\", site = NULL",
                "arm = \"drug, site = NULL\", site = NULL",
                "arm = NULL, site = a",
            ]
        );
    }

    #[test]
    fn numbers_are_called_as_the_output_that_shows_them() {
        let sql = "SELECT avg(ldl) AS mean, count(*) AS n, count(ldl) FILTER (WHERE arm = 'drug') AS m FROM t";
        let (names, fields) = names(sql, &[Vec::new()]);
        let called: Vec<String> = fields.iter().map(|f| names.number(0, *f)).collect();
        assert_eq!(
            called,
            ["n", "mean (with a known ldl)", "m", "mean (sum of ldl)"]
        );
        assert_eq!(names.counts(0), "n, mean (with a known ldl), m");
    }

    #[test]
    fn steps_of_an_attrition_table_are_called_by_their_criteria() {
        let sql = "EXPLAIN COHORT SELECT count(*) FROM t WHERE ldl > 3 AND arm = 'drug'";
        let (names, fields) = names(sql, &[Vec::new()]);
        let called: Vec<&str> = fields.iter().map(|f| names.field(*f)).collect();
        let all = "all who consented to the purpose";
        assert_eq!(called, [all, "the step ldl > 3", "the step arm = 'drug'"]);
    }
}
