//! The normal form against a naive evaluator of SQL's three-valued logic on random conditions,
//! which works on the values themselves and shares no code with the parser.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use galen_query::query::{Predicate, parse_query};
use galen_query::registry::{ColumnKind, Registry};
use proptest::prelude::*;

const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "n"
type = "number"
min = -2
max = 7
nullable = true

[[column]]
name = "d"
type = "number"
min = "-0.5"
max = "0.5"
decimals = 1

[[column]]
name = "b"
type = "boolean"
nullable = true

[[column]]
name = "c"
type = "category"
codes = ["1", "x", "y y", "it's"]
nullable = true

[[column]]
name = "day"
type = "date"
min = "2020-02-27"
max = "2020-03-02"
nullable = true
"#;

const CODES: [&str; 4] = ["1", "x", "y y", "it's"];
const DAYS: [&str; 7] = [
    "2020-02-26",
    "2020-02-27",
    "2020-02-28",
    "2020-02-29",
    "2020-03-01",
    "2020-03-02",
    "2020-03-03",
];
const COLUMNS: [&str; 5] = ["n", "d", "b", "c", "day"];

/// A value on a scale of its column's type: hundredths, 0 and 1, places in CODES or DAYS.
type Cell = Option<i64>;

/// A condition as a person would write it.
#[derive(Debug, Clone)]
enum Condition {
    Compare(usize, &'static str, Cell, bool),
    Between(usize, Cell, Cell, bool),
    In(usize, Vec<Cell>, bool),
    Null(usize, bool),
    Bare,
    Constant(Option<bool>),
    Numbers(i64, &'static str, i64),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Is(Box<Condition>, Option<bool>, bool),
}

use Condition::*;

fn constant(column: usize, value: Cell) -> String {
    let Some(v) = value else { return "NULL".into() };
    match column {
        0 | 1 => {
            let sign = if v < 0 { "-" } else { "" };
            let (whole, rest) = (v.abs() / 100, v.abs() % 100);
            match rest {
                0 => format!("{sign}{whole}"),
                _ => format!("{sign}{whole}.{rest:02}"),
            }
        }
        2 => ["FALSE", "TRUE"][v as usize].into(),
        3 if v == 0 => "1".into(),
        3 => format!("'{}'", CODES[v as usize].replace('\'', "''")),
        _ if v % 2 == 0 => format!("DATE '{}'", DAYS[v as usize]),
        _ => format!("'{}'", DAYS[v as usize]),
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

impl Condition {
    fn sql(&self) -> String {
        let join = |list: &[Condition], word: &str| {
            let parts: Vec<String> = list.iter().map(|c| format!("({})", c.sql())).collect();
            parts.join(word)
        };
        match self {
            Compare(c, op, v, false) => format!("{} {op} {}", COLUMNS[*c], constant(*c, *v)),
            Compare(c, op, v, true) => format!("{} {op} {}", constant(*c, *v), COLUMNS[*c]),
            Between(c, low, high, n) => format!(
                "{} {}BETWEEN {} AND {}",
                COLUMNS[*c],
                not(*n),
                constant(*c, *low),
                constant(*c, *high)
            ),
            In(c, list, n) => {
                let list: Vec<String> = list.iter().map(|v| constant(*c, *v)).collect();
                format!("{} {}IN ({})", COLUMNS[*c], not(*n), list.join(", "))
            }
            Null(c, n) => format!("{} IS {}NULL", COLUMNS[*c], not(*n)),
            Bare => "b".into(),
            Constant(None) => "NULL".into(),
            Constant(Some(v)) => v.to_string(),
            Numbers(a, op, b) => {
                format!("{} {op} {}", constant(0, Some(*a)), constant(0, Some(*b)))
            }
            Not(c) => format!("NOT ({})", c.sql()),
            And(list) => join(list, " AND "),
            Or(list) => join(list, " OR "),
            Is(c, want, n) => {
                let want = match want {
                    None => "UNKNOWN",
                    Some(true) => "TRUE",
                    Some(false) => "FALSE",
                };
                format!("({}) IS {}{want}", c.sql(), not(*n))
            }
        }
    }

    /// `None` is unknown.
    fn eval(&self, row: &[Cell; 5]) -> Option<bool> {
        let negate = |n: &bool, v: Option<bool>| v.map(|v| v != *n);
        match self {
            Compare(c, op, v, false) => compare(row[*c], op, *v),
            Compare(c, op, v, true) => compare(*v, op, row[*c]),
            Between(c, low, high, n) => {
                let both = [compare(row[*c], ">=", *low), compare(row[*c], "<=", *high)];
                negate(n, conjunction(both))
            }
            In(c, list, n) => {
                let none = list.iter().map(|v| compare(row[*c], "<>", *v));
                negate(n, conjunction(none).map(|v| !v))
            }
            Null(c, n) => Some(row[*c].is_none() != *n),
            Bare => row[2].map(|v| v == 1),
            Constant(v) => *v,
            Numbers(a, op, b) => compare(Some(*a), op, Some(*b)),
            Not(c) => c.eval(row).map(|v| !v),
            And(list) => conjunction(list.iter().map(|c| c.eval(row))),
            Or(list) => conjunction(list.iter().map(|c| c.eval(row).map(|v| !v))).map(|v| !v),
            Is(c, want, n) => Some((c.eval(row) == *want) != *n),
        }
    }
}

fn conjunction(members: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let members: Vec<_> = members.into_iter().collect();
    if members.contains(&Some(false)) {
        Some(false)
    } else if members.contains(&None) {
        None
    } else {
        Some(true)
    }
}

fn compare(a: Cell, op: &str, b: Cell) -> Option<bool> {
    let (a, b) = (a?, b?);
    Some(match op {
        "=" => a == b,
        "<>" | "!=" => a != b,
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        ">=" => a >= b,
        _ => unreachable!(),
    })
}

fn cell(column: usize) -> BoxedStrategy<Cell> {
    let value = match column {
        0 => prop_oneof![(-4_i64..10).prop_map(|v| v * 100), -400_i64..1000].boxed(),
        1 => prop_oneof![(-7_i64..8).prop_map(|v| v * 10), -70_i64..80].boxed(),
        2 => (0_i64..2).boxed(),
        3 => (0_i64..4).boxed(),
        _ => (0_i64..7).boxed(),
    };
    prop_oneof![9 => value.prop_map(Some), 1 => Just(None)].boxed()
}

fn leaf() -> BoxedStrategy<Condition> {
    let equality = prop::sample::select(&["=", "<>", "!="][..]);
    let order = prop::sample::select(&["=", "<>", "<", "<=", ">", ">="][..]);
    let compare = (0_usize..5, equality, order, any::<bool>()).prop_flat_map(|(c, e, o, flip)| {
        let op = if c == 2 || c == 3 { e } else { o };
        cell(c).prop_map(move |v| Compare(c, op, v, flip))
    });
    let between = (prop::sample::select(&[0_usize, 1, 4][..]), any::<bool>())
        .prop_flat_map(|(c, n)| (cell(c), cell(c)).prop_map(move |(a, b)| Between(c, a, b, n)));
    let list = (0_usize..5, any::<bool>()).prop_flat_map(|(c, n)| {
        prop::collection::vec(cell(c), 1..5).prop_map(move |list| In(c, list, n))
    });
    let order = prop::sample::select(&["=", "<>", "<", "<=", ">", ">="][..]);
    prop_oneof![
        6 => compare,
        3 => between,
        3 => list,
        3 => (0_usize..5, any::<bool>()).prop_map(|(c, n)| Null(c, n)),
        1 => Just(Bare),
        1 => any::<Option<bool>>().prop_map(Constant),
        1 => (-3_i64..4, order, -3_i64..4).prop_map(|(a, op, b)| Numbers(a, op, b)),
    ]
    .boxed()
}

fn condition() -> impl Strategy<Value = Condition> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(|c| Not(Box::new(c))),
            3 => prop::collection::vec(inner.clone(), 2..5).prop_map(And),
            3 => prop::collection::vec(inner.clone(), 2..5).prop_map(Or),
            1 => (inner, any::<Option<bool>>(), any::<bool>())
                .prop_map(|(c, want, n)| Is(Box::new(c), want, n)),
        ]
    })
}

/// A row within the registry's bounds, and NULL where a column may be.
fn row() -> impl Strategy<Value = [Cell; 5]> {
    let maybe = |s: BoxedStrategy<i64>| prop_oneof![3 => s.prop_map(Some), 1 => Just(None)];
    (
        maybe((-2_i64..8).prop_map(|v| v * 100).boxed()),
        (-5_i64..6).prop_map(|v| Some(v * 10)),
        maybe((0_i64..2).boxed()),
        maybe((0_i64..4).boxed()),
        maybe((1_i64..6).boxed()),
    )
        .prop_map(|(n, d, b, c, day)| [n, d, b, c, day])
}

/// The stored value, by the registry's own text encoding.
fn stored(registry: &Registry, column: usize, cell: Cell) -> Option<u64> {
    let value = cell?;
    let text = match column {
        3 => CODES[value as usize].to_owned(),
        4 => DAYS[value as usize].to_owned(),
        _ => constant(column, Some(value)),
    };
    Some(registry.columns[column].encode_text(&text).unwrap())
}

fn parse(registry: &Registry, sql: &str) -> Predicate {
    let sql = format!("SELECT count(*) FROM t WHERE {sql}");
    match parse_query(&sql, registry) {
        Ok(query) => query.filter,
        Err(e) => panic!("{e}: {sql}"),
    }
}

/// Every promise of the normal form.
fn assert_normal(p: &Predicate, registry: &Registry) {
    match p {
        Predicate::Always | Predicate::Never => {}
        Predicate::In { column, set } => {
            let c = &registry.columns[*column];
            assert!(!set.is_empty() && !set.complement(c.span()).is_empty());
            assert!(set.intervals().iter().all(|i| i.1 <= c.span()));
            assert!(c.kind != ColumnKind::Boolean || set.len() == 1);
        }
        Predicate::IsNull { column } | Predicate::IsNotNull { column } => {
            assert!(registry.columns[*column].nullable);
        }
        Predicate::All(members) | Predicate::Any(members) => {
            assert!(members.len() >= 2 && members.windows(2).all(|w| w[0] < w[1]));
            let all = matches!(p, Predicate::All(_));
            let mut columns = Vec::new();
            for m in members {
                match m {
                    Predicate::Always | Predicate::Never => panic!("a constant inside"),
                    Predicate::All(_) => assert!(!all),
                    Predicate::Any(_) => assert!(all),
                    Predicate::In { column, .. } | Predicate::IsNotNull { column } => {
                        columns.push((*column, false));
                    }
                    Predicate::IsNull { column } => columns.push((*column, !all)),
                }
                assert_normal(m, registry);
            }
            let count = columns.len();
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(
                columns.len(),
                count,
                "a column's leaves are not merged: {p:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_three_valued_logic(
        condition in condition(),
        rows in prop::collection::vec(row(), 12),
    ) {
        let registry = Registry::from_toml(REGISTRY).unwrap();
        let sql = condition.sql();
        let yes = parse(&registry, &sql);
        let no = parse(&registry, &format!("NOT ({sql})"));
        assert_normal(&yes, &registry);
        assert_normal(&no, &registry);
        for row in rows {
            let cells: Vec<_> = (0..5).map(|c| stored(&registry, c, row[c])).collect();
            let truth = condition.eval(&row);
            prop_assert_eq!(yes.eval(&|c| cells[c]), truth == Some(true), "{} on {:?}", sql, row);
            prop_assert_eq!(no.eval(&|c| cells[c]), truth == Some(false), "NOT {} on {:?}", sql, row);
        }
    }
}

#[test]
fn equal_meanings_have_one_normal_form() {
    let registry = Registry::from_toml(REGISTRY).unwrap();
    for (a, b) in [
        ("n >= 1 AND n <= 3", "n BETWEEN 1 AND 3"),
        ("n = 1 OR n = 2 OR 3 = n", "n IN (3, 2, 1, 2)"),
        ("NOT (n < 1 OR b)", "n >= 1 AND NOT b"),
        ("b AND n > 2", "n > 2 AND (b = TRUE)"),
        ("n < 2 AND n > 4", "FALSE"),
        ("n = 1 AND n IS NULL", "FALSE"),
        ("n >= -2", "n IS NOT NULL"),
        ("d >= -0.5", "TRUE"),
        ("n IS NULL OR n IS NOT NULL", "1 = 1"),
        ("d >= 0.25", "d >= 0.3"),
        ("d = 0.25", "FALSE"),
        ("NOT d = 0.25", "TRUE"),
        ("NOT n = 0.5", "n IS NOT NULL"),
        ("n NOT IN (1, NULL)", "FALSE"),
        ("n IN (1, NULL)", "n = 1"),
        ("NULL IS NULL", "TRUE"),
        ("n = NULL OR NOT n <> NULL", "FALSE"),
        ("b IS NOT FALSE", "b OR b IS NULL"),
        ("b IS UNKNOWN", "b IS NULL"),
        ("(n > 1) IS UNKNOWN", "n IS NULL"),
        ("c = 1", "c = '1'"),
        ("day < '2020-03-01'", "day <= '2020-02-29'::date"),
        ("day > DATE '1066-10-14'", "day IS NOT NULL"),
        ("n < 1e3", "n IS NOT NULL"),
        ("n > 99999999999999999999999999999999999999999", "FALSE"),
        ("t.n = 1", "N = 1"),
        ("b = 't'", "b"),
    ] {
        assert_eq!(parse(&registry, a), parse(&registry, b), "{a} / {b}");
    }
}
