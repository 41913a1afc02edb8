//! An answer against the truth, cell by cell.

use galen_tests::oracle::Oracle;
use galen_verifier::{
    answer::{Answer, Cell},
    manifest::ReleaseProfile,
};
use num_bigint::BigInt;

use crate::{
    derived,
    query::Query,
    release::{Released, is_hidden, is_reason, is_small},
    truth::{Truths, attrition},
};

/// Checks a verified answer.
pub fn check(query: &Query, answer: &Answer, oracle: &Oracle) -> Result<(), String> {
    let profile = &answer.source.profile;
    if !query.criteria.is_empty() {
        return check_attrition(&attrition(query, oracle), answer, profile);
    }
    let truths = Truths::of(query, oracle);
    let width = query.keys.len();
    let keys: Vec<Vec<String>> = answer.rows.iter().map(|r| texts(&r[..width])).collect();
    let names: Vec<String> = keys.iter().map(|k| k.join(" / ")).collect();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(format!("two rows of {name}"));
        }
    }
    if let Some(missing) = truths.keys().find(|k| !names.contains(k)) {
        return Err(format!("no row of {missing}"));
    }
    let cells: Vec<Vec<Cell>> = answer.rows.iter().map(|r| r[width..].to_vec()).collect();
    let rows: Vec<_> = names.iter().map(|name| truths.row(name)).collect();
    for ((name, found), wanted) in names.iter().zip(&cells).zip(&rows) {
        for (at, (cell, truth)) in found.iter().zip(wanted).enumerate() {
            if !is_hidden(cell) && !is_same(cell, &truth.cell, profile) {
                let wanted = &truth.cell;
                return Err(format!(
                    "{name}, o{at}: found {cell:?}, expected {wanted:?}"
                ));
            }
        }
    }
    let released = Released {
        query,
        profile,
        keys: &keys,
        cells: &cells,
        truths: &rows,
    };
    released.check()?;
    derived::check(&released, &answer.derived)
}

/// Keys as the oracle names them.
fn texts(cells: &[Cell]) -> Vec<String> {
    let text = |cell: &Cell| match cell {
        Cell::Bucket(b) => b.number.to_string(),
        other => other.to_string(),
    };
    cells.iter().map(text).collect()
}

/// Exact cells are equal, reals to 1e-12 of their size, counts as they are rounded.
fn is_same(found: &Cell, truth: &Cell, profile: &ReleaseProfile) -> bool {
    match (found, truth) {
        (Cell::Real(a), Cell::Real(b)) => (a - b).abs() <= 1e-12 * b.abs(),
        (Cell::Integer(a), Cell::Integer(b)) if profile.rounding > 1 => {
            *a == rounded(b, profile.rounding)
        }
        _ => found == truth,
    }
}

/// The nearest multiple, up if halfway.
fn rounded(n: &BigInt, base: u64) -> BigInt {
    (2 * n + base) / (2 * base) * base
}

/// Each count, and what the answer makes of them.
fn check_attrition(
    counts: &[u64],
    answer: &Answer,
    profile: &ReleaseProfile,
) -> Result<(), String> {
    if answer.rows.len() != counts.len() {
        return Err(format!("{} rows of {counts:?}", answer.rows.len()));
    }
    let mut shown: Vec<Option<u64>> = Vec::new();
    for (row, n) in answer.rows.iter().zip(counts) {
        let truth = Cell::Integer((*n).into());
        let is_right = match is_hidden(&row[1]) {
            true => is_small(profile, *n) || (profile.complementary && is_reason(profile, counts)),
            false => is_same(&row[1], &truth, profile) && !is_small(profile, *n),
        };
        if !is_right {
            return Err(format!("{:?} for {n} of {counts:?}", row[1]));
        }
        shown.push((!is_hidden(&row[1])).then_some(*n));
    }
    let visible: Vec<u64> = shown.iter().copied().flatten().collect();
    if visible
        .windows(2)
        .any(|pair| profile.complementary && is_reason(profile, pair))
    {
        return Err(format!("{visible:?} tell a small number"));
    }
    if profile.rounding > 1 {
        return Ok(());
    }
    derived::check_attrition(&shown, &answer.derived)
}
