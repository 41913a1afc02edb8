//! Random conditions, several levels deep, each written twice: for Galen, and for SQLite over values in units.

use galen_tests::{
    dice::Dice,
    plain::{day, decimal_text},
};

use crate::table::{COLUMNS, Column, DAYS, Kind};

/// A condition in both dialects.
#[derive(Debug, Clone)]
pub struct Condition {
    pub galen: String,
    pub sqlite: String,
}

impl Condition {
    /// Both texts by one rule.
    fn map(self, f: impl Fn(&str) -> String) -> Self {
        Self {
            galen: f(&self.galen),
            sqlite: f(&self.sqlite),
        }
    }

    /// What is written alike in both.
    fn same(text: &str) -> Self {
        Self {
            galen: text.into(),
            sqlite: text.into(),
        }
    }

    fn joined(members: &[Self], word: &str) -> Self {
        let join = |of: fn(&Self) -> &String| {
            let texts: Vec<String> = members.iter().map(|c| format!("({})", of(c))).collect();
            texts.join(&format!(" {word} "))
        };
        Self {
            galen: join(|c| &c.galen),
            sqlite: join(|c| &c.sqlite),
        }
    }
}

/// A condition of at most `depth` levels over the leaves of one query. Wide columns' leaves need long tables:
/// `wide` says how many of them there may still be in the query.
pub fn condition(dice: &mut Dice, depth: u32, wide: &mut u32) -> Condition {
    if depth == 0 {
        return leaf(dice, wide);
    }
    let mut members = |dice: &mut Dice, count: u64| -> Vec<Condition> {
        (0..count)
            .map(|_| condition(dice, depth - 1, wide))
            .collect()
    };
    match dice.below(10) {
        0 => leaf(dice, wide),
        1..=3 => {
            let count = 2 + dice.below(2);
            Condition::joined(&members(dice, count), "AND")
        }
        4..=6 => {
            let count = 2 + dice.below(2);
            Condition::joined(&members(dice, count), "OR")
        }
        7 | 8 => condition(dice, depth - 1, wide).map(|c| format!("NOT ({c})")),
        _ => truth_test(dice, depth, wide),
    }
}

fn truth_test(dice: &mut Dice, depth: u32, wide: &mut u32) -> Condition {
    let inner = condition(dice, depth - 1, wide);
    // SQLite has no UNKNOWN: a condition's is its NULL.
    let (galen, sqlite) = *dice.pick(&[
        ("IS TRUE", "IS TRUE"),
        ("IS NOT TRUE", "IS NOT TRUE"),
        ("IS FALSE", "IS FALSE"),
        ("IS NOT FALSE", "IS NOT FALSE"),
        ("IS UNKNOWN", "IS NULL"),
        ("IS NOT UNKNOWN", "IS NOT NULL"),
    ]);
    Condition {
        galen: format!("({}) {galen}", inner.galen),
        sqlite: format!("({}) {sqlite}", inner.sqlite),
    }
}

fn leaf(dice: &mut Dice, wide: &mut u32) -> Condition {
    let mut column = *dice.pick(COLUMNS);
    while column.is_wide() && *wide == 0 {
        column = *dice.pick(COLUMNS);
    }
    *wide -= u32::from(column.is_wide());
    let name = column.name;
    match dice.below(9) {
        0 => Condition::same(&format!("{name} IS NULL")),
        1 => Condition::same(&format!("{name} IS NOT NULL")),
        _ if column.kind == Kind::Boolean => of_boolean(name, dice),
        2 | 3 => list(column, dice),
        4 | 5 if !matches!(column.kind, Kind::Category(_)) => range(column, dice),
        _ => comparison(column, dice),
    }
}

fn of_boolean(name: &str, dice: &mut Dice) -> Condition {
    let forms = [
        name.to_owned(),
        format!("NOT {name}"),
        format!("{name} = TRUE"),
        format!("{name} <> TRUE"),
        format!("{name} IN (FALSE, NULL)"),
        format!("{name} = NULL"),
    ];
    Condition::same(dice.pick::<String>(&forms))
}

fn list(column: Column, dice: &mut Dice) -> Condition {
    let (name, not) = (column.name, *dice.pick(&["", "NOT "]));
    let count = 1 + dice.below(4);
    let list: Vec<Condition> = (0..count).map(|_| constant(column, dice)).collect();
    let null = if dice.once_in(6) { ", NULL" } else { "" };
    let text = |of: fn(&Condition) -> &str| {
        let items: Vec<&str> = list.iter().map(of).collect();
        format!("{name} {not}IN ({}{null})", items.join(", "))
    };
    Condition {
        galen: text(|c| &c.galen),
        sqlite: text(|c| &c.sqlite),
    }
}

fn range(column: Column, dice: &mut Dice) -> Condition {
    let (name, not) = (column.name, *dice.pick(&["", "NOT "]));
    let (mut low, mut high) = (place(column, dice), place(column, dice));
    // Now and then an interval that is upside down, hence empty.
    if low > high && !dice.once_in(6) {
        (low, high) = (high, low);
    }
    let (low, high) = (written(column, low), written(column, high));
    Condition {
        galen: format!("{name} {not}BETWEEN {} AND {}", low.galen, high.galen),
        sqlite: format!("{name} {not}BETWEEN {} AND {}", low.sqlite, high.sqlite),
    }
}

fn comparison(column: Column, dice: &mut Dice) -> Condition {
    let name = column.name;
    let operators: &[&str] = match column.kind {
        Kind::Category(_) => &["=", "<>"],
        _ => &["=", "<>", "<", "<=", ">", ">="],
    };
    let operator = *dice.pick(operators);
    let is_left = dice.once_in(4);
    constant(column, dice).map(|c| {
        if is_left {
            format!("{c} {operator} {name}")
        } else {
            format!("{name} {operator} {c}")
        }
    })
}

fn constant(column: Column, dice: &mut Dice) -> Condition {
    let place = place(column, dice);
    written(column, place)
}

/// A code's index, a day, or a number in tenths of its unit: near the column's values, now and then beyond
/// its bounds or between two values.
fn place(column: Column, dice: &mut Dice) -> i64 {
    match column.kind {
        Kind::Boolean => unreachable!("booleans are compared by name"),
        Kind::Category(codes) => dice.between(0, i64::try_from(codes.len()).unwrap() - 1),
        Kind::Date => dice.between(-20, DAYS + 20),
        Kind::Number { min, max, .. } => match dice.below(6) {
            0 => 10 * *dice.pick(&[min, max]),
            1 => 10 * dice.between(min, max) + dice.between(1, 9),
            _ => 10 * dice.between(min - (max - min) / 20, max + (max - min) / 20),
        },
    }
}

/// A constant in both dialects.
fn written(column: Column, place: i64) -> Condition {
    match column.kind {
        Kind::Boolean => unreachable!("booleans are compared by name"),
        Kind::Category(codes) => {
            let code = codes[usize::try_from(place).unwrap()].replace('\'', "''");
            Condition::same(&format!("'{code}'"))
        }
        Kind::Date => Condition {
            galen: format!("DATE '{}'", day(place)),
            sqlite: format!("'{}'", day(place)),
        },
        Kind::Number { decimals, .. } => Condition {
            galen: decimal_text(place, decimals + 1),
            sqlite: decimal_text(place, 1),
        },
    }
}
