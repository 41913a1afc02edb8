//! Plans, executed plainly over made-up rows: what the equation says and what the query asks are the same numbers.

#![allow(missing_docs, clippy::unwrap_used, clippy::cast_possible_truncation)]

mod data;
mod direct;
mod evaluate;
mod kinds;
mod limits;
mod random;
mod registration;
mod release;

use galen_circuits::{equation::Rows, execute::Execution};
use galen_query::{
    query::{CohortQuery, parse_query},
    registry::Registry,
};
use galen_verifier::plan::{Plan, PlanError, Quantile};

use data::Table;

/// A plan over a table, with the percentiles that are the table's own.
pub fn plan(query: &CohortQuery, registry: &Registry, table: &Table) -> Result<Plan, PlanError> {
    let quantiles = direct::quantiles(query, registry, table);
    plan_with(query, registry, table.len(), &quantiles)
}

pub fn plan_with(
    query: &CohortQuery,
    registry: &Registry,
    patients: usize,
    quantiles: &[Quantile],
) -> Result<Plan, PlanError> {
    Plan::new(query, 0, registry, Rows::of(patients).unwrap(), quantiles)
}

/// Plans and executes a query, and compares every cell with a count over the rows.
pub fn check(sql: &str, registry: &Registry, table: &Table) -> Plan {
    let query = parse_query(sql, registry).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let plan = plan(&query, registry, table).unwrap_or_else(|e| panic!("{sql}: {e}"));
    compare(sql, &query, &plan, registry, table);
    plan
}

pub fn compare(sql: &str, query: &CohortQuery, plan: &Plan, registry: &Registry, table: &Table) {
    let bases = table.bases(registry);
    let cells = evaluate::cells(&plan.equation, &bases);
    assert_eq!(executed(plan, &bases), cells, "{sql}");
    for (group, (keys, fields)) in plan.layout.groups.iter().enumerate() {
        for (field, cell) in fields {
            let expected = direct::number(query, plan, table, group, *field);
            assert_eq!(cells[*cell], expected, "{sql}\n{keys:?} {field:?}");
        }
    }
}

/// As a hospital executes it.
fn executed(plan: &Plan, bases: &[Vec<i64>]) -> Vec<i128> {
    let narrow = |base: &Vec<i64>| base.iter().map(|v| *v as u16).collect::<Vec<u16>>();
    let bases: Vec<Vec<u16>> = bases.iter().map(narrow).collect();
    let read = plan.equation.bases().into_iter();
    let values = read.map(|i| (i, bases[i].as_slice())).collect();
    let execution = Execution::new(&plan.equation, &values).unwrap();
    execution.cells.clone()
}
