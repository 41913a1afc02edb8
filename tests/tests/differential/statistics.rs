//! Functions of two columns, percentiles, and groups that are bins, against sums and sorted values that SQLite
//! makes of the plain rows.

use std::collections::BTreeMap;

use galen_tests::{
    dice::Dice,
    generated::PAIRS,
    oracle::Oracle,
    plain::{day, decimal_text},
};
use galen_verifier::answer::Cell;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use crate::{
    generate::Generator,
    table::{ColumnKind, Kind},
};

/// A query for Galen, and what to ask SQLite.
pub struct Query {
    pub sql: String,
    /// SQLite's expression of the key, where there is one.
    key: Option<String>,
    condition: String,
    outputs: Vec<Stat>,
}

enum Stat {
    Count,
    /// PostgreSQL's name, y and x.
    Pair(&'static str, Number, Number),
    /// The share's numerator and denominator.
    Percentile(Value, i64, i64),
}

#[derive(Clone, Copy)]
struct Number {
    name: &'static str,
    decimals: u32,
}

#[derive(Clone, Copy)]
enum Value {
    Number(Number),
    Date(&'static str),
}

const SHARES: [(&str, i64, i64); 6] = [
    ("0.5", 1, 2),
    ("0.25", 1, 4),
    ("0.9", 9, 10),
    ("0.01", 1, 100),
    ("0.99", 99, 100),
    ("0.333", 333, 1000),
];

/// `count` queries over tables of this kind.
pub fn queries(kind: Kind, count: usize, dice: Dice) -> Vec<Query> {
    let mut generator = Generator::new(kind, dice);
    (0..count).map(|n| query(kind, &mut generator, n)).collect()
}

fn query(kind: Kind, generator: &mut Generator, number: usize) -> Query {
    let (mut condition, sqlite) = generator.any_condition(1);
    let mut conditions = vec![sqlite];
    if number.is_multiple_of(3) {
        condition = String::new();
        conditions.clear();
    }
    let outputs: Vec<Stat> = (0..1 + number % 3)
        .map(|i| stat(kind, generator.dice(), number + i))
        .collect();
    let filter = (number % 4 == 3).then(|| generator.any_condition(0));
    let key = key(kind, generator.dice(), number);
    let mut list: Vec<String> = key.iter().map(|(galen, _)| galen.clone()).collect();
    for output in &outputs {
        let text = match output {
            Stat::Count => "count(*)".to_owned(),
            Stat::Pair(name, y, x) => format!("{name}({}, {})", y.name, x.name),
            Stat::Percentile(value, up, down) => {
                let share = SHARES
                    .iter()
                    .find(|s| (s.1, s.2) == (*up, *down))
                    .unwrap()
                    .0;
                let (Value::Number(Number { name, .. }) | Value::Date(name)) = value;
                format!("percentile_disc({share}) WITHIN GROUP (ORDER BY {name})")
            }
        };
        let filter = filter.as_ref().map(|(f, _)| format!(" FILTER (WHERE {f})"));
        list.push(text + &filter.unwrap_or_default());
    }
    let mut sql = format!("SELECT {} FROM t", list.join(", "));
    if !condition.is_empty() {
        sql += &format!(" WHERE {condition}");
    }
    if key.is_some() {
        sql += " GROUP BY 1";
    }
    conditions.extend(filter.map(|(_, f)| f));
    conditions.push("consent = 1".into());
    let conditions: Vec<String> = conditions.iter().map(|c| format!("({c})")).collect();
    Query {
        sql,
        key: key.map(|(_, sqlite)| sqlite),
        condition: conditions.join(" AND "),
        outputs,
    }
}

fn numbers(kind: Kind) -> Vec<(Number, i64, i64)> {
    let number = |c: &crate::table::Column| match c.kind {
        ColumnKind::Number { min, max, decimals } => Some((
            Number {
                name: c.name,
                decimals,
            },
            min,
            max,
        )),
        _ => None,
    };
    kind.columns().iter().filter_map(number).collect()
}

fn stat(kind: Kind, dice: &mut Dice, number: usize) -> Stat {
    let numbers = numbers(kind);
    let (y, x) = (dice.pick(&numbers).0, dice.pick(&numbers).0);
    let has_date = kind
        .columns()
        .iter()
        .find(|c| matches!(c.kind, ColumnKind::Date));
    match number % 4 {
        0 if dice.below(3) == 0 => Stat::Count,
        0 | 1 => {
            let name = dice.pick(&PAIRS);
            Stat::Pair(name, y, x)
        }
        2 => Stat::Pair(PAIRS[number / 4 % PAIRS.len()], x, y),
        _ => {
            let (_, up, down) = *dice.pick(&SHARES);
            let value = match has_date {
                Some(c) if dice.below(3) == 0 => Value::Date(c.name),
                _ => Value::Number(y),
            };
            Stat::Percentile(value, up, down)
        }
    }
}

/// A key in both dialects.
fn key(kind: Kind, dice: &mut Dice, number: usize) -> Option<(String, String)> {
    let date = kind
        .columns()
        .iter()
        .find(|c| matches!(c.kind, ColumnKind::Date));
    match number % 5 {
        1 => {
            let (column, min, max) = *dice.pick(&numbers(kind));
            let margin = (max - min) / 5;
            let low = dice.between(min - margin, max - 1);
            let high = dice.between(low + 1, max + margin);
            let count = 1 + dice.below(6);
            let name = column.name;
            let text = |units| decimal_text(units, column.decimals);
            let galen = format!(
                "width_bucket({name}, {}, {}, {count})",
                text(low),
                text(high)
            );
            let sqlite = format!(
                "CASE WHEN {name} < {low} THEN 0 WHEN {name} >= {high} THEN {} \
                 WHEN {name} IS NOT NULL THEN ({name} - ({low})) * {count} / {} + 1 END",
                count + 1,
                high - low
            );
            Some((galen, sqlite))
        }
        2 => date.map(|c| {
            let name = c.name;
            (
                format!("extract(year FROM {name})"),
                format!("substr({name}, 1, 4)"),
            )
        }),
        3 => {
            let category = |c: &&crate::table::Column| matches!(c.kind, ColumnKind::Category(_));
            let name = kind.columns().iter().find(category)?.name;
            Some((name.to_owned(), name.to_owned()))
        }
        _ => None,
    }
}

/// Compares an answer with what follows from SQLite's rows.
pub fn compare(query: &Query, oracle: &Oracle, found: &[Vec<Cell>]) -> Result<(), String> {
    let keyed = usize::from(query.key.is_some());
    let key = query.key.as_deref().unwrap_or("NULL");
    let of = |output: &Stat| expected(output, key, &query.condition, oracle);
    let outputs: Vec<(BTreeMap<Option<String>, Cell>, Cell)> =
        query.outputs.iter().map(of).collect();
    let mut seen = Vec::new();
    for row in found {
        let key = match row.first().filter(|_| keyed == 1) {
            Some(Cell::Bucket(b)) => Some(b.number.to_string()),
            Some(Cell::Key(text)) => Some(text.clone()),
            _ => None,
        };
        for (cell, (groups, nobody)) in row[keyed..].iter().zip(&outputs) {
            let wanted = groups.get(&key).unwrap_or(nobody);
            if !equal(cell, wanted) {
                return Err(format!("{key:?}: found {cell:?}, expected {wanted:?}"));
            }
        }
        seen.push(key);
    }
    let missing = outputs
        .iter()
        .flat_map(|(g, _)| g.keys())
        .find(|k| !seen.contains(k));
    missing.map_or(Ok(()), |k| Err(format!("no group {k:?}")))
}

fn equal(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Real(a), Cell::Real(b)) => (a - b).abs() <= 1e-12 * b.abs(),
        _ => a == b,
    }
}

/// An output's value in each group that has rows, and in one without.
fn expected(
    output: &Stat,
    key: &str,
    condition: &str,
    oracle: &Oracle,
) -> (BTreeMap<Option<String>, Cell>, Cell) {
    let rows = |columns: &str, more: &str| {
        let sql = format!("SELECT CAST({key} AS TEXT), {columns} FROM t WHERE {condition}{more}");
        oracle.rows(&sql)
    };
    let integer = |n: usize| Cell::Integer(BigInt::from(n));
    let mut groups: BTreeMap<Option<String>, Vec<[i64; 2]>> = BTreeMap::new();
    match output {
        Stat::Count => {
            for row in rows("0, 0", "") {
                groups.entry(row.0).or_default().push([0, 0]);
            }
            let counts = groups.into_iter().map(|(k, v)| (k, integer(v.len())));
            (counts.collect(), integer(0))
        }
        Stat::Pair(name, y, x) => {
            let both = format!(
                " AND {y} IS NOT NULL AND {x} IS NOT NULL",
                y = y.name,
                x = x.name
            );
            for row in rows(&format!("{}, {}", y.name, x.name), &both) {
                groups.entry(row.0).or_default().push([row.1, row.2]);
            }
            let of = |pairs: &[[i64; 2]]| pair(name, pairs, y.decimals, x.decimals);
            let cells = groups.iter().map(|(k, v)| (k.clone(), of(v)));
            (cells.collect(), of(&[]))
        }
        Stat::Percentile(value, up, down) => {
            // A date by its day from the table's first.
            let sorted = match value {
                Value::Number(n) => n.name.to_owned(),
                Value::Date(name) => {
                    format!("CAST(julianday({name}) - julianday('{}') AS INT)", day(0))
                }
            };
            let (Value::Number(Number { name, .. }) | Value::Date(name)) = value;
            let order = format!(" AND {name} IS NOT NULL ORDER BY 2");
            for row in rows(&format!("{sorted}, 0"), &order) {
                groups.entry(row.0).or_default().push([row.1, 0]);
            }
            let of = |values: &Vec<[i64; 2]>| {
                let n = i64::try_from(values.len()).unwrap();
                let place = usize::try_from((up * n + down - 1) / down).unwrap();
                let v = values[place - 1][0];
                match value {
                    Value::Date(_) => Cell::Date(day(v)),
                    Value::Number(n) if n.decimals == 0 => Cell::Integer(BigInt::from(v)),
                    Value::Number(n) => Cell::Decimal(decimal_text(v, n.decimals)),
                }
            };
            let cells = groups.iter().map(|(k, v)| (k.clone(), of(v)));
            (cells.collect(), Cell::Null)
        }
    }
}

/// A function of pairs (y, x) by its definition over the rows, in exact rationals.
fn pair(name: &str, rows: &[[i64; 2]], dy: u32, dx: u32) -> Cell {
    let whole = |n: i64| BigRational::from_integer(n.into());
    let n = whole(i64::try_from(rows.len()).unwrap());
    if name == "regr_count" {
        return Cell::Integer(BigInt::from(rows.len()));
    }
    if rows.is_empty() {
        return Cell::Null;
    }
    let units = |v: i64, decimals: u32| {
        whole(v) / BigRational::from_integer(BigInt::from(10).pow(decimals))
    };
    let ys: Vec<BigRational> = rows.iter().map(|r| units(r[0], dy)).collect();
    let xs: Vec<BigRational> = rows.iter().map(|r| units(r[1], dx)).collect();
    let mean = |v: &[BigRational]| v.iter().sum::<BigRational>() / &n;
    let (my, mx) = (mean(&ys), mean(&xs));
    let about = |a: &[BigRational], ma: &BigRational, b: &[BigRational], mb: &BigRational| {
        let products = a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb));
        products.sum::<BigRational>()
    };
    let (sxx, syy, sxy) = (
        about(&xs, &mx, &xs, &mx),
        about(&ys, &my, &ys, &my),
        about(&xs, &mx, &ys, &my),
    );
    let real = |v: BigRational| Cell::Real(v.to_f64().unwrap());
    let constant = sxx.is_zero();
    match name {
        "covar_pop" => real(sxy / n),
        "covar_samp" if rows.len() < 2 => Cell::Null,
        "covar_samp" => real(sxy / (n - whole(1))),
        "regr_avgx" => real(mx),
        "regr_avgy" => real(my),
        "regr_sxx" => real(sxx),
        "regr_syy" => real(syy),
        "regr_sxy" => real(sxy),
        "corr" if constant || syy.is_zero() => Cell::Null,
        "corr" => {
            let sign = if sxy < BigRational::zero() { -1.0 } else { 1.0 };
            let square = (&sxy * &sxy / (sxx * syy)).to_f64().unwrap();
            Cell::Real(sign * square.sqrt())
        }
        "regr_slope" | "regr_intercept" | "regr_r2" if constant => Cell::Null,
        "regr_slope" => real(sxy / sxx),
        "regr_intercept" => real(my - sxy / sxx * mx),
        "regr_r2" if syy.is_zero() => Cell::Real(1.0),
        "regr_r2" => real(&sxy * &sxy / (sxx * syy)),
        other => panic!("{other}"),
    }
}
