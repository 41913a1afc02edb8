//! Which outputs of a query can be expected to be hidden (`docs/spec/release-rules.md`), told before it is registered.

mod few;

use std::{collections::BTreeSet, fmt};

use galen_query::{
    query::{Aggregate, CohortQuery, OutputValue, Predicate},
    registry::Registry,
    words::listed,
};
use galen_verifier::plan::{Field, FieldKind, Plan, fields_of};

use serde_json::{Value, json};

use super::asks::function;

/// The threshold of the default rule, for examples: which rule a dataset has, its manifest says.
const K: u64 = 11;

/// What can be expected to be hidden.
#[derive(Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The outputs' labels.
    pub outputs: Vec<String>,
    /// When, and by which rule.
    pub why: String,
    /// What to ask instead.
    pub instead: String,
}

impl Expectation {
    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({ "outputs": self.outputs, "why": self.why, "instead": self.instead })
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (outputs, why, instead) = (self.outputs.join(", "), &self.why, &self.instead);
        write!(f, "{outputs}: {why}. Ask instead: {instead}")
    }
}

/// All expectations, those of fewest outputs first; none of a query that nobody can meet.
pub fn expected(query: &CohortQuery, registry: &Registry, plan: &Plan) -> Vec<Expectation> {
    if query.filter == Predicate::Never {
        return Vec::new();
    }
    if !query.criteria.is_empty() {
        return vec![few::steps(query)];
    }
    let mut all = nullable(query, registry, plan);
    all.extend(few::parts(query, registry, plan));
    all.extend(together(query, registry, plan));
    all.extend(few::sums(query, registry, plan));
    all.extend(percentiles(query));
    all.extend(match query.group_by.is_empty() {
        true => few::all(query, registry),
        false => Some(few::groups(query, registry, plan)),
    });
    all
}

/// Whose patients a count is about.
fn each(query: &CohortQuery) -> &'static str {
    match query.group_by.is_empty() {
        true => "",
        false => " of a group",
    }
}

/// Labels of the aggregates of a kind.
fn labels(query: &CohortQuery, wanted: impl Fn(&Aggregate) -> bool) -> Vec<String> {
    let outputs = query.outputs.iter();
    outputs
        .filter(|o| matches!(&o.value, OutputValue::Aggregate(a) if wanted(a)))
        .map(|o| o.label.clone())
        .collect()
}

/// A count of values beside a count of patients: where they differ by 1 to k − 1, the smaller one is hidden, and all
/// that is computed from it.
fn nullable(query: &CohortQuery, registry: &Registry, plan: &Plan) -> Vec<Expectation> {
    let filters = query.filters();
    let mut all: Vec<(BTreeSet<usize>, Expectation)> = Vec::new();
    for (output, filter) in query.outputs.iter().zip(query.filter_indices()) {
        let OutputValue::Aggregate(aggregate) = &output.value else {
            continue;
        };
        let fields = fields_of(aggregate, *filter, registry);
        let is_known = |column: &usize| {
            let filter = filter.and_then(|f| filters.get(f).copied());
            implies(&query.filter, *column) || filter.is_some_and(|f| implies(f, *column))
        };
        // Columns whose missing values tell a count of the answer from one that contains it.
        let mut missing = BTreeSet::new();
        let mut containing = BTreeSet::new();
        for field in fields.iter().filter(|f| f.kind == FieldKind::Count) {
            let columns = [field.column, field.other].into_iter().flatten();
            for column in columns.filter(|c| !is_known(c)) {
                let beside = beside(*field, column, plan);
                if !beside.is_empty() {
                    missing.insert(column);
                    containing.extend(beside);
                }
            }
        }
        if missing.is_empty() {
            continue;
        }
        let known = all.iter_mut().find(|(columns, _)| *columns == missing);
        if let Some((_, expectation)) = known {
            expectation.outputs.push(output.label.clone());
            continue;
        }
        let expectation = of_columns((&missing, &containing), aggregate, query, registry);
        let outputs = vec![output.label.clone()];
        all.push((
            missing,
            Expectation {
                outputs,
                ..expectation
            },
        ));
    }
    all.into_iter()
        .map(|(_, expectation)| expectation)
        .collect()
}

/// Of counts that lack these columns' missing values beside these that do not.
fn of_columns(
    (columns, containing): (&BTreeSet<usize>, &BTreeSet<Field>),
    aggregate: &Aggregate,
    query: &CohortQuery,
    registry: &Registry,
) -> Expectation {
    let names: Vec<&str> = columns
        .iter()
        .map(|c| registry.columns[*c].name.as_str())
        .collect();
    let each = each(query);
    let likely = match query.group_by.is_empty() {
        true => "",
        false => ". Each group is looked at by itself, so that some are likely to be",
    };
    let why = format!(
        "{} is hidden where 1 to k − 1 patients{each} lack {}, since the counts beside it would tell how few (the rule \
         `difference`; k is {K} under cms-11){likely}",
        function(aggregate, &registry.columns),
        names.join(" or "),
    );
    let known: Vec<String> = names.iter().map(|n| format!("{n} IS NOT NULL")).collect();
    let outputs = query.outputs.iter().zip(query.filter_indices());
    let beside = outputs.filter(|(output, filter)| match &output.value {
        OutputValue::Aggregate(a) => {
            let own = fields_of(a, **filter, registry);
            own.iter().any(|f| containing.contains(f))
        }
        OutputValue::Key(_) => false,
    });
    let beside: Vec<String> = beside.map(|(o, _)| o.label.clone()).collect();
    let alone = match beside.is_empty() {
        true => String::new(),
        false => format!(", or a query of its own without {}", listed(beside, ", ")),
    };
    let instead = format!("`WHERE {}`{alone}", known.join(" AND "));
    Expectation {
        outputs: Vec::new(),
        why,
        instead,
    }
}

/// The answer's counts of the same patients that do not ask that the column has a value.
fn beside(field: Field, column: usize, plan: &Plan) -> Vec<Field> {
    let columns =
        |f: &Field| -> BTreeSet<usize> { [f.column, f.other].into_iter().flatten().collect() };
    let own = columns(&field);
    let counts = plan.statistics.keys().filter(|other| {
        let theirs = columns(other);
        let filtered = other.filter == field.filter || other.filter.is_none();
        other.kind == FieldKind::Count
            && filtered
            && theirs.is_subset(&own)
            && !theirs.contains(&column)
    });
    counts.copied().collect()
}

/// Whether who meets the predicate has a value in the column.
fn implies(predicate: &Predicate, column: usize) -> bool {
    match predicate {
        Predicate::Always | Predicate::IsNull { .. } => false,
        Predicate::Never => true,
        Predicate::In { column: c, .. } | Predicate::IsNotNull { column: c } => *c == column,
        Predicate::All(members) => members.iter().any(|m| implies(m, column)),
        Predicate::Any(members) => members.iter().all(|m| implies(m, column)),
    }
}

/// Counts that tell together what none of them does.
fn together(query: &CohortQuery, registry: &Registry, plan: &Plan) -> Option<Expectation> {
    let (fields, who) = plan.together()?;
    let outputs = query.outputs.iter().zip(query.filter_indices());
    let about = outputs.filter(|(output, filter)| match &output.value {
        OutputValue::Aggregate(a) => {
            let own = fields_of(a, **filter, registry);
            own.iter().any(|f| fields.contains(f))
        }
        OutputValue::Key(_) => false,
    });
    let each = each(query);
    Some(Expectation {
        outputs: about.map(|(o, _)| o.label.clone()).collect(),
        why: format!(
            "these counts add up: where they would tell of 1 to k − 1 patients{each}, say of those {who}, the smallest that tells \
             it is hidden (the rule `tied`; k is {K} under cms-11), and what is computed from it. The query is refused where nothing is \
             left to hide that would help"
        ),
        instead: "fewer of these filters in one query, or GROUP BY a column instead of a filter for each of its values"
            .to_owned(),
    })
}

/// A percentile takes many values around it.
fn percentiles(query: &CohortQuery) -> Option<Expectation> {
    let percentiles = query.percentiles();
    let fewest = percentiles.iter().map(|p| p.fewest(K)).max()?;
    let groups = if query.group_by.is_empty() {
        ""
    } else {
        ", in each group"
    };
    Some(Expectation {
        outputs: labels(query, |a| matches!(a, Aggregate::PercentileDisc { .. })),
        why: format!("a percentile is hidden where fewer than {fewest} patients have a value{groups} (k = {K})"),
        instead: "fewer groups, or percentiles farther from one another and from 0 and 1; a mean takes fewer".to_owned(),
    })
}
