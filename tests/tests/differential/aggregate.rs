//! What SQL says of a query, computed from SQLite's counts and exact sums.

use std::collections::BTreeMap;

use galen_query::registry::{ColumnKind, Registry};
use galen_tests::{
    oracle::{Group, Oracle, Sums},
    plain::decimal_text,
};
use galen_verifier::answer::Cell;

use crate::generate::{Output, Query};

/// An expected cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    Null,
    /// The exact text of a key, an integer or a decimal.
    Exact(String),
    Real(f64),
}

/// The expected rows: every combination of keys that the registry allows, in its order, NULL last;
/// those that SQLite does not have are empty groups.
pub fn expected(query: &Query, oracle: &Oracle, registry: &Registry) -> Vec<Vec<Expected>> {
    let mut columns: Vec<(&str, bool)> = Vec::new();
    for output in &query.outputs {
        if let Output::Aggregate(_, c) | Output::Filtered(_, c) = output
            && !c.is_empty()
            && columns.iter().all(|(name, _)| name != c)
        {
            columns.push((c, numeric(registry, c)));
        }
    }
    let groups = |condition: &str| -> BTreeMap<Vec<Option<String>>, Group> {
        let found = oracle.groups(&query.keys, &columns, condition);
        found.into_iter().map(|g| (g.keys.clone(), g)).collect()
    };
    let mut by_keys = groups(&query.condition);
    let mut filtered = query.filter.as_ref().map_or_else(BTreeMap::new, |f| {
        groups(&format!("({}) AND ({f})", query.condition))
    });
    let mut all = vec![Vec::new()];
    for key in &query.keys {
        let values = key_values(registry, key);
        all = all
            .iter()
            .flat_map(|head: &Vec<(Option<String>, Expected)>| {
                values
                    .iter()
                    .map(|v| head.iter().cloned().chain([v.clone()]).collect())
            })
            .collect();
    }
    let rows = all
        .iter()
        .map(|keys| {
            let texts: Vec<_> = keys.iter().map(|(k, _)| k.clone()).collect();
            let group = by_keys.remove(&texts).unwrap_or_default();
            let filtered = filtered.remove(&texts).unwrap_or_default();
            let of = |group: &Group, name, column| {
                if name == "count*" {
                    return integer(group.count);
                }
                let sums = group.columns.get(column).copied().unwrap_or_default();
                aggregate(name, sums, registry, column)
            };
            query
                .outputs
                .iter()
                .map(|o| match o {
                    Output::Key(i) => keys[*i].1.clone(),
                    Output::Aggregate(name, c) => of(&group, name, c),
                    Output::Filtered(name, c) => of(&filtered, name, c),
                })
                .collect()
        })
        .collect();
    assert!(
        by_keys.is_empty(),
        "SQLite has groups that the registry does not allow: {by_keys:?}"
    );
    rows
}

fn kind<'a>(registry: &'a Registry, column: &str) -> &'a ColumnKind {
    &registry.columns[registry.column_index(column).unwrap()].kind
}

fn numeric(registry: &Registry, column: &str) -> bool {
    matches!(
        kind(registry, column),
        ColumnKind::Boolean | ColumnKind::Number { .. }
    )
}

fn integer(n: i64) -> Expected {
    Expected::Exact(n.to_string())
}

/// A key's values as SQLite and as Galen write them.
fn key_values(registry: &Registry, column: &str) -> Vec<(Option<String>, Expected)> {
    let mut values: Vec<(Option<String>, Expected)> = match kind(registry, column) {
        ColumnKind::Category { codes } => codes
            .iter()
            .map(|c| (Some(c.code.clone()), Expected::Exact(c.code.clone())))
            .collect(),
        _ => ["false", "true"]
            .iter()
            .zip(["0", "1"])
            .map(|(galen, sqlite)| {
                (
                    Some(sqlite.to_owned()),
                    Expected::Exact((*galen).to_owned()),
                )
            })
            .collect(),
    };
    if registry.columns[registry.column_index(column).unwrap()].nullable {
        values.push((None, Expected::Null));
    }
    values
}

#[allow(clippy::cast_precision_loss)]
fn aggregate(name: &str, sums: Sums, registry: &Registry, column: &str) -> Expected {
    let (boolean, decimals) = match kind(registry, column) {
        ColumnKind::Number { decimals, .. } => (false, *decimals),
        other => (matches!(other, ColumnKind::Boolean), 0),
    };
    let n = i128::from(sums.count);
    if name == "count" {
        return integer(sums.count);
    }
    // The sum of a boolean is a count here: 0 over nobody, where SQL says NULL.
    let (Some(sum), Some(squares)) = (sums.sum, sums.squares) else {
        return if boolean && name == "sum" {
            integer(0)
        } else {
            Expected::Null
        };
    };
    let scale = 10f64.powi(decimals.try_into().unwrap());
    // n·Σv² − (Σv)², exactly.
    let spread = n * i128::from(squares) - i128::from(sum) * i128::from(sum);
    let variance = |correction: i128| {
        let by = n * (n - correction);
        (by > 0).then(|| spread as f64 / by as f64 / scale / scale)
    };
    let real = |v: Option<f64>| v.map_or(Expected::Null, Expected::Real);
    match name {
        "sum" => Expected::Exact(decimal_text(sum, decimals)),
        "squares" => Expected::Exact(decimal_text(squares, 2 * decimals)),
        "avg" => Expected::Real(sum as f64 / n as f64 / scale),
        "var_samp" => real(variance(1)),
        "var_pop" => real(variance(0)),
        "stddev_samp" => real(variance(1).map(f64::sqrt)),
        "stddev_pop" => real(variance(0).map(f64::sqrt)),
        other => panic!("{other}"),
    }
}

/// Exact cells are equal as text, reals to 1e-12 of their size.
pub fn compare(found: &[Vec<Cell>], expected: &[Vec<Expected>]) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} rows, expected {}", found.len(), expected.len()));
    }
    for (row, wanted) in found.iter().zip(expected) {
        let same = row.len() == wanted.len() && row.iter().zip(wanted).all(|(c, e)| equal(c, e));
        if !same {
            return Err(format!("found    {row:?}\nexpected {wanted:?}"));
        }
    }
    Ok(())
}

fn equal(cell: &Cell, expected: &Expected) -> bool {
    match (cell, expected) {
        (Cell::Null, Expected::Null) => true,
        (Cell::Real(v), Expected::Real(e)) => (v - e).abs() <= 1e-12 * e.abs(),
        (Cell::Key(_) | Cell::Integer(_) | Cell::Decimal(_), Expected::Exact(text)) => {
            cell.to_string() == *text
        }
        _ => false,
    }
}
