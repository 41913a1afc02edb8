//! Which counts are hidden because they are few, or leave few of another one: under filters, in groups, step by step, and of all.

use std::collections::BTreeSet;

use galen_query::{
    query::{Aggregate, CohortQuery, Output, OutputValue, Predicate},
    registry::Registry,
};
use galen_verifier::{
    plan::{Field, FieldKind, Plan, fields_of},
    rules::Counts,
};

use super::{Expectation, K, each, labels};

/// So many groups and more are likely to hold some of a few patients.
const MANY: usize = 50;

/// The rule of what is few.
fn small() -> String {
    format!("the rule `small`; k is {K} under cms-11")
}

/// The outputs with the counts that they are computed from.
fn counted<'a>(
    query: &'a CohortQuery,
    registry: &'a Registry,
) -> impl Iterator<Item = (&'a Output, Vec<Field>)> {
    let outputs = query.outputs.iter().zip(query.filter_indices());
    outputs.filter_map(|(output, filter)| {
        let OutputValue::Aggregate(aggregate) = &output.value else {
            return None;
        };
        let fields = fields_of(aggregate, *filter, registry);
        Some((
            output,
            fields.into_iter().filter(|f| f.is_count()).collect(),
        ))
    })
}

fn is_part(field: &Field) -> bool {
    field.filter.is_some() || field.kind == FieldKind::Trues
}

/// Counts under a filter, and of those for whom a boolean is true. What nobody can meet is 0.
pub fn parts(query: &CohortQuery, registry: &Registry, plan: &Plan) -> Option<Expectation> {
    let parts = counted(query, registry).filter_map(|(output, fields)| {
        let parts: Vec<Field> = fields.into_iter().filter(is_part).collect();
        let can_be_met = output.filter != Predicate::Never;
        (can_be_met && !parts.is_empty()).then_some((output, parts))
    });
    let parts: Vec<(&Output, Vec<Field>)> = parts.collect();
    let mut fields = parts.iter().flat_map(|(_, fields)| fields);
    let first = fields.clone().next()?;
    let is_filtered = |f: &Field| f.filter.is_some();
    let all_alike = fields.clone().all(|f| is_filtered(f) == is_filtered(first));
    let who = match (is_filtered(first), all_alike) {
        (true, true) => "meet the filter",
        (false, true) => "are counted as true",
        _ => "meet the filter or are counted as true",
    };
    let rest = match fields.any(|f| plan.is_within_another(*f)) {
        true => {
            ". cms-11 hides it also where 1 to k − 1 of those counted beside it do not (`difference`)"
        }
        false => "",
    };
    Some(Expectation {
        outputs: parts.iter().map(|(o, _)| o.label.clone()).collect(),
        why: format!(
            "where 1 to k − 1 patients{} {who}, their count is hidden, with what is computed from it ({}){rest}",
            each(query),
            small()
        ),
        instead: "filters that more patients meet, and more do not".to_owned(),
    })
}

/// Groups, and those beside them that their totals would tell.
pub fn groups(query: &CohortQuery, registry: &Registry, plan: &Plan) -> Expectation {
    let groups = query.groups(registry);
    let each = match groups >= MANY {
        true => format!("there are {groups} groups, and each of 1 to k − 1 patients"),
        false => "each group of 1 to k − 1 patients".to_owned(),
    };
    let columns = query.group_by.iter().map(|g| &registry.columns[g.column]);
    let same: Vec<String> = columns.map(|c| format!("of the same {}", c.name)).collect();
    let of = match same.len() {
        1 => String::new(),
        _ => format!(" {}", same.join(" or ")),
    };
    let beside = match Counts::of(plan).lines.is_empty() {
        true => String::new(),
        false => format!(
            ". cms-11 hides beside a single one the smallest other{of} too, since the total would tell it (`margin`), and more where the \
             number of all patients would (`whole`). The query is refused where nothing is left to hide that would help"
        ),
    };
    Expectation {
        outputs: labels(query, |_| true),
        why: format!(
            "{each} is hidden, with what is computed from it ({}){beside}",
            small()
        ),
        instead: "wider buckets, or fewer keys in GROUP BY".to_owned(),
    }
}

/// Sums of columns with few values, which tell with the counts how many patients have which.
pub fn sums(query: &CohortQuery, registry: &Registry, plan: &Plan) -> Option<Expectation> {
    let telling: Vec<Field> = Counts::of(plan).sums.iter().map(|(f, _)| *f).collect();
    let outputs = query.outputs.iter().zip(query.filter_indices());
    let own = outputs.filter(|(output, filter)| match &output.value {
        OutputValue::Aggregate(a) => {
            let fields = fields_of(a, **filter, registry);
            fields.iter().any(|f| telling.contains(f))
        }
        OutputValue::Key(_) => false,
    });
    let outputs: Vec<String> = own.map(|(o, _)| o.label.clone()).collect();
    let columns: BTreeSet<usize> = telling.iter().filter_map(|f| f.column).collect();
    let names: Vec<&str> = columns
        .iter()
        .map(|c| registry.columns[*c].name.as_str())
        .collect();
    let names = names.join(", ");
    (!outputs.is_empty()).then(|| Expectation {
        outputs,
        why: format!(
            "of {names}, which has few values, sums, means and deviations can tell of 1 to k − 1 patients{} with some of them. Counts are \
             hidden for it (the rule `tied`; k is {K} under cms-11), and the query is refused where that does not help",
            each(query)
        ),
        instead: format!("GROUP BY {names} with count(*), or a query without these outputs"),
    })
}

/// Without groups: what no filter is told of.
pub fn all(query: &CohortQuery, registry: &Registry) -> Option<Expectation> {
    let whole = counted(query, registry)
        .filter(|(_, fields)| !fields.is_empty() && !fields.iter().any(is_part));
    let outputs: Vec<String> = whole.map(|(output, _)| output.label.clone()).collect();
    let instead = match query.filter {
        Predicate::Always => "the same of a dataset with more patients",
        _ => "a wider WHERE",
    };
    (!outputs.is_empty()).then(|| Expectation {
        outputs,
        why: format!(
            "1 to k − 1 patients are hidden, with what is computed from them ({})",
            small()
        ),
        instead: instead.to_owned(),
    })
}

/// The steps of an attrition table.
pub fn steps(query: &CohortQuery) -> Expectation {
    let mut outputs = labels(query, |a| matches!(a, Aggregate::CountAll));
    outputs.dedup();
    Expectation {
        outputs,
        why: format!(
            "a step that leaves 1 to k − 1 patients is hidden ({}). cms-11 also hides one that excludes 1 to k − 1 of those whom the \
             last step shown leaves (`difference`)",
            small()
        ),
        instead: "criteria that exclude more each: several in parentheses are one step".to_owned(),
    }
}
