//! Aggregates, chosen at random.

use galen_tests::{dice::Dice, generated::PAIRS};

use crate::table::{COLUMNS, Column, Kind};

/// An aggregate, and under which of its query's filters it stands.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub what: What,
    pub filter: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub enum What {
    /// `count(*)`.
    All,
    Count(Column),
    Sum(Column),
    Squares(Column),
    /// `avg`, a variance or a deviation.
    Moment(&'static str, Column),
    /// A function of y and x.
    Pair(&'static str, Column, Column),
    Percentile(Column, Share),
}

/// A share as SQL writes it, in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(pub i64);

const MOMENTS: [&str; 7] = [
    "avg",
    "var_samp",
    "var_pop",
    "variance",
    "stddev_samp",
    "stddev_pop",
    "stddev",
];
const SHARES: [i64; 8] = [5_000, 2_500, 7_500, 9_000, 1_000, 500, 3_333, 9_900];

impl What {
    /// Any aggregate that is released beside exact counts.
    pub fn random(dice: &mut Dice) -> Self {
        let numbers: Vec<Column> = numbers();
        let column = *dice.pick(&numbers);
        match dice.below(12) {
            0..=2 => Self::random_count(dice),
            3 => Self::Sum(column),
            4 => Self::Squares(column),
            5 | 6 => Self::Moment(dice.pick::<&str>(&MOMENTS), column),
            7 => Self::Moment("avg", *dice.pick(&booleans())),
            8 | 9 => Self::Pair(dice.pick::<&str>(&PAIRS), column, *dice.pick(&numbers)),
            _ => {
                let day = *COLUMNS.last().unwrap();
                let column = if dice.once_in(4) { day } else { column };
                Self::Percentile(column, Share(*dice.pick(&SHARES)))
            }
        }
    }

    /// A count: of patients, of values, or of a boolean's trues.
    pub fn random_count(dice: &mut Dice) -> Self {
        match dice.below(3) {
            0 => Self::All,
            1 => Self::Count(*dice.pick(COLUMNS)),
            _ => Self::Sum(*dice.pick(&booleans())),
        }
    }

    /// PostgreSQL's and Galen's text.
    pub fn text(self) -> String {
        match self {
            Self::All => "count(*)".into(),
            Self::Count(c) => format!("count({})", c.name),
            Self::Sum(c) => format!("sum({})", c.name),
            Self::Squares(c) => format!("sum({0} * {0})", c.name),
            Self::Moment(name, c) => format!("{name}({})", c.name),
            Self::Pair(name, y, x) => format!("{name}({}, {})", y.name, x.name),
            Self::Percentile(c, share) => format!(
                "percentile_disc(0.{:04}) WITHIN GROUP (ORDER BY {})",
                share.0, c.name
            ),
        }
    }

    /// The columns whose values it is about: a patient without one of them does not count.
    pub fn columns(self) -> Vec<Column> {
        match self {
            Self::All => Vec::new(),
            Self::Count(c)
            | Self::Sum(c)
            | Self::Squares(c)
            | Self::Moment(_, c)
            | Self::Percentile(c, _) => vec![c],
            Self::Pair(_, y, x) => vec![y, x],
        }
    }

    /// Whether it is a count itself.
    pub fn is_count(self) -> bool {
        match self {
            Self::All | Self::Count(_) | Self::Pair("regr_count", ..) => true,
            Self::Sum(c) => c.kind == Kind::Boolean,
            _ => false,
        }
    }
}

fn numbers() -> Vec<Column> {
    let all = COLUMNS.iter().copied();
    all.filter(|c| c.is_number()).collect()
}

pub fn booleans() -> Vec<Column> {
    let all = COLUMNS.iter().copied();
    all.filter(|c| c.kind == Kind::Boolean).collect()
}
