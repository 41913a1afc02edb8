//! What an answer must be: of every group the rows that SQLite finds, and each aggregate of them by its
//! definition, in whole numbers and exact fractions.

use std::collections::BTreeMap;

use galen_tests::{
    oracle::Oracle,
    plain::{day, decimal_text},
};
use galen_verifier::answer::Cell;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::{
    key::together,
    output::{Output, What},
    query::Query,
    table::{Column, Kind},
};

/// A cell as SQL has it, and the counts of those whom it is about: the patients with values, and for a boolean
/// those for whom it is true.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    pub cell: Cell,
    pub counts: Vec<u64>,
}

/// What is true of each output in each group.
pub struct Truths {
    groups: Vec<BTreeMap<String, Truth>>,
    /// In a group that SQLite does not have.
    nobody: Vec<Truth>,
}

impl Truths {
    pub fn of(query: &Query, oracle: &Oracle) -> Self {
        let outputs = query.outputs.iter();
        Self {
            groups: outputs.clone().map(|o| groups(query, *o, oracle)).collect(),
            nobody: outputs.map(|o| truth(o.what, &[])).collect(),
        }
    }

    /// The truths of a group, by its keys as [`together`] writes them.
    pub fn row(&self, keys: &str) -> Vec<&Truth> {
        let outputs = self.groups.iter().zip(&self.nobody);
        outputs
            .map(|(groups, nobody)| groups.get(keys).unwrap_or(nobody))
            .collect()
    }

    /// The groups that SQLite has.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().flat_map(BTreeMap::keys)
    }
}

/// For each criterion how many are left, after those who consented.
pub fn attrition(query: &Query, oracle: &Oracle) -> Vec<u64> {
    let mut who = "consent = 1".to_owned();
    let mut counts = vec![count(&who, oracle)];
    for criterion in &query.criteria {
        who = format!("{who} AND ({})", criterion.sqlite);
        counts.push(count(&who, oracle));
    }
    counts
}

fn count(who: &str, oracle: &Oracle) -> u64 {
    let rows = oracle.rows(&format!("SELECT '', count(*), 0 FROM t WHERE {who}"));
    rows[0].1.try_into().unwrap()
}

fn groups(query: &Query, output: Output, oracle: &Oracle) -> BTreeMap<String, Truth> {
    let columns = output.what.columns();
    let mut who = query.who(output.filter);
    for c in &columns {
        who += &format!(" AND {} IS NOT NULL", c.name);
    }
    let value = |at: usize| columns.get(at).map_or("0".to_owned(), |c| value(*c));
    let sql = format!(
        "SELECT {}, {}, {} FROM t WHERE {who}",
        together(&query.keys),
        value(0),
        value(1)
    );
    let mut rows: BTreeMap<String, Vec<[i64; 2]>> = BTreeMap::new();
    for (key, y, x) in oracle.rows(&sql) {
        rows.entry(key.unwrap()).or_default().push([y, x]);
    }
    let truths = rows.into_iter();
    truths
        .map(|(key, r)| (key, truth(output.what, &r)))
        .collect()
}

/// SQLite's expression of a value as a whole number.
fn value(column: Column) -> String {
    match column.kind {
        Kind::Category(_) => "0".to_owned(),
        Kind::Date => format!(
            "CAST(julianday({}) - julianday('{}') AS INT)",
            column.name,
            day(0)
        ),
        _ => column.name.to_owned(),
    }
}

fn truth(what: What, rows: &[[i64; 2]]) -> Truth {
    let n = rows.len() as u64;
    let total = rows.iter().map(|r| i128::from(r[0])).sum::<i128>();
    let square = |r: &[i64; 2]| i128::from(r[0]) * i128::from(r[0]);
    let is_boolean = |c: Column| c.kind == Kind::Boolean;
    let trues = || u64::try_from(total).unwrap();
    let (cell, counts) = match what {
        What::All | What::Count(_) => (Cell::Integer(n.into()), vec![n]),
        What::Sum(c) if is_boolean(c) => (Cell::Integer(total.into()), vec![trues()]),
        What::Sum(_) | What::Squares(_) | What::Percentile(..) if rows.is_empty() => {
            (Cell::Null, vec![n])
        }
        What::Sum(c) => (decimal(total, c.decimals()), vec![n]),
        What::Squares(c) => {
            let squares = rows.iter().map(square).sum();
            (decimal(squares, 2 * c.decimals()), vec![n])
        }
        What::Moment(name, c) => {
            let cell = moment(name, rows, c.decimals());
            let more = is_boolean(c).then(trues);
            (cell, [n].into_iter().chain(more).collect())
        }
        What::Pair(name, y, x) => (pair(name, rows, y.decimals(), x.decimals()), vec![n]),
        What::Percentile(c, share) => {
            let mut values: Vec<i64> = rows.iter().map(|r| r[0]).collect();
            values.sort_unstable();
            let place = (u64::try_from(share.0).unwrap() * n).div_ceil(10_000);
            let value = values[usize::try_from(place).unwrap() - 1];
            let cell = match c.kind {
                Kind::Date => Cell::Date(day(value)),
                _ => decimal(value.into(), c.decimals()),
            };
            (cell, vec![n])
        }
    };
    Truth { cell, counts }
}

fn decimal(units: i128, decimals: u32) -> Cell {
    match decimals {
        0 => Cell::Integer(units.into()),
        _ => Cell::Decimal(decimal_text(units.try_into().unwrap(), decimals)),
    }
}

/// A fraction that is NULL where nothing divides.
fn real(numerator: BigInt, denominator: BigInt) -> Cell {
    match denominator.is_zero() {
        true => Cell::Null,
        false => Cell::Real(BigRational::new(numerator, denominator).to_f64().unwrap()),
    }
}

fn power(decimals: u32) -> BigInt {
    BigInt::from(10).pow(decimals)
}

/// n·Σab − Σa·Σb, n times the sum of products about the means.
fn about(rows: &[[i64; 2]], a: usize, b: usize) -> BigInt {
    let sum = |at: usize| -> i128 { rows.iter().map(|r| i128::from(r[at])).sum() };
    let products: i128 = rows
        .iter()
        .map(|r| i128::from(r[a]) * i128::from(r[b]))
        .sum();
    BigInt::from(rows.len()) * products - BigInt::from(sum(a)) * sum(b)
}

fn moment(name: &str, rows: &[[i64; 2]], decimals: u32) -> Cell {
    let n = BigInt::from(rows.len());
    if name == "avg" {
        let sum: i128 = rows.iter().map(|r| i128::from(r[0])).sum();
        return real(sum.into(), n * power(decimals));
    }
    let less = if name.ends_with("_pop") {
        n.clone()
    } else {
        &n - 1
    };
    if rows.is_empty() || !less.is_positive() {
        return Cell::Null;
    }
    let variance = real(about(rows, 0, 0), n * less * power(2 * decimals));
    match variance {
        Cell::Real(v) if name.starts_with("stddev") => Cell::Real(v.sqrt()),
        other => other,
    }
}

/// A function of rows (y, x) by its definition.
fn pair(name: &str, rows: &[[i64; 2]], dy: u32, dx: u32) -> Cell {
    let n = BigInt::from(rows.len());
    if name == "regr_count" {
        return Cell::Integer(n);
    }
    if rows.is_empty() {
        return Cell::Null;
    }
    let sum = |at: usize| BigInt::from(rows.iter().map(|r| i128::from(r[at])).sum::<i128>());
    let (yy, xx, xy) = (about(rows, 0, 0), about(rows, 1, 1), about(rows, 0, 1));
    match name {
        "covar_pop" => real(xy, &n * &n * power(dx + dy)),
        "covar_samp" => real(xy, &n * (&n - 1) * power(dx + dy)),
        "regr_avgx" => real(sum(1), n * power(dx)),
        "regr_avgy" => real(sum(0), n * power(dy)),
        "regr_sxx" => real(xx, n * power(2 * dx)),
        "regr_syy" => real(yy, n * power(2 * dy)),
        "regr_sxy" => real(xy, n * power(dx + dy)),
        "regr_slope" => real(xy * power(dx), xx * power(dy)),
        // (Σy − slope·Σx) / n.
        "regr_intercept" => real(sum(0) * &xx - xy * sum(1), n * xx * power(dy)),
        "regr_r2" if yy.is_zero() && !xx.is_zero() => Cell::Real(1.0),
        "regr_r2" => real(&xy * &xy, xx * yy),
        "corr" => match real(&xy * &xy, xx * yy) {
            Cell::Real(r2) if xy.is_negative() => Cell::Real(-r2.sqrt()),
            Cell::Real(r2) => Cell::Real(r2.sqrt()),
            other => other,
        },
        other => panic!("{other}"),
    }
}
