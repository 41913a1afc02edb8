//! Analyses, each with the keys and outputs that it needs, under the query's own random conditions.

use galen_tests::dice::Dice;

use crate::{
    key::{Buckets, Key},
    output::{Output, What, booleans},
    query::Query,
    table::{COLUMNS, Column, Kind, named},
};

/// An analysis of a query whose keys and outputs begin with those that it names here by number.
#[derive(Debug, Clone)]
pub enum Study {
    /// Cases are output 1 of the total, output 0; groups are values of key 0.
    TwoByTwo([&'static str; 2]),
    /// Counted by key 0 and the outcome, key 1.
    TwoByTwoKeys([&'static str; 2], [&'static str; 2]),
    Contingency,
    /// Mean, spread and number are outputs 0 to 2; whether the spread is a variance.
    Means(bool),
    Welch(bool, [&'static str; 2]),
    Proportions,
    /// Leaving and events are outputs 0 and 1; key 1, if there is one, tells the curves apart.
    Survival,
    /// Events and time are outputs 0 and 1.
    Rates(u32),
    /// Key 0 are the strata, with these weights; key 1, if there is one, groups.
    Standardised(u32, Vec<(&'static str, u64)>),
}

/// Puts an analysis into a query that has conditions only.
pub fn put(query: &mut Query, dice: &mut Dice) {
    let study = match dice.below(9) {
        0 => two_by_two(query, dice),
        1 => two_keys(query, dice, true),
        2 => two_keys(query, dice, false),
        3 => {
            if !dice.once_in(3) {
                query.keys.push(Key::random(dice, &[]));
            }
            Study::Means(sample(query, dice))
        }
        4 => {
            let key = nominal(query, dice);
            Study::Welch(sample(query, dice), two(&key, dice))
        }
        5 => {
            if !dice.once_in(3) {
                query.keys.push(Key::random(dice, &[]));
            }
            cases(query, dice);
            query.outputs.swap(0, 1);
            Study::Proportions
        }
        6 => survival(query, dice),
        7 => {
            query.keys.push(Key::random(dice, &[]));
            rate(query, dice);
            Study::Rates(*dice.pick(&[1, 1_000]))
        }
        _ => standardised(query, dice),
    };
    query.study = Some(study);
}

fn output(what: What, filter: Option<usize>) -> Output {
    Output { what, filter }
}

/// A boolean or a category as the next key.
fn nominal(query: &mut Query, dice: &mut Dice) -> Key {
    let is_free = |c: &&Column| query.keys.iter().all(|k| k.column != **c);
    let columns = COLUMNS.iter().filter(is_free);
    let columns = columns.filter(|c| matches!(c.kind, Kind::Boolean | Kind::Category(_)));
    let columns: Vec<Column> = columns.copied().collect();
    let key = Key::plain(*dice.pick(&columns));
    query.keys.push(key.clone());
    key
}

/// Two different values of a key.
fn two(key: &Key, dice: &mut Dice) -> [&'static str; 2] {
    let values = key.values();
    let first = *dice.pick(&values);
    let others: Vec<&str> = values.into_iter().filter(|v| *v != first).collect();
    [first, *dice.pick(&others)]
}

/// A total, and the cases among it.
fn cases(query: &mut Query, dice: &mut Dice) {
    if dice.once_in(3) {
        let outcome = *dice.pick(&booleans());
        let filter = dice.once_in(2).then_some(0);
        query.outputs.push(output(What::Count(outcome), filter));
        query.outputs.push(output(What::Sum(outcome), filter));
    } else {
        query.outputs.push(output(What::All, None));
        query.outputs.push(output(What::All, Some(0)));
    }
}

fn two_by_two(query: &mut Query, dice: &mut Dice) -> Study {
    let key = nominal(query, dice);
    cases(query, dice);
    Study::TwoByTwo(two(&key, dice))
}

fn two_keys(query: &mut Query, dice: &mut Dice, is_two_by_two: bool) -> Study {
    let (exposure, outcome) = (nominal(query, dice), nominal(query, dice));
    let filter = dice.once_in(2).then_some(0);
    query.outputs.push(output(What::All, filter));
    match is_two_by_two {
        true => Study::TwoByTwoKeys(two(&exposure, dice), two(&outcome, dice)),
        false => Study::Contingency,
    }
}

/// Mean, spread and number of one column under one filter.
fn sample(query: &mut Query, dice: &mut Dice) -> bool {
    let columns = COLUMNS.iter().filter(|c| c.is_number());
    let columns: Vec<Column> = columns.copied().collect();
    let column = *dice.pick(&columns);
    let is_variance = dice.once_in(2);
    let spread = if is_variance {
        "var_samp"
    } else {
        "stddev_samp"
    };
    let filter = dice.once_in(2).then_some(0);
    let outputs = [
        What::Moment("avg", column),
        What::Moment(spread, column),
        What::Count(column),
    ];
    query
        .outputs
        .extend(outputs.map(|what| output(what, filter)));
    is_variance
}

/// Buckets that begin at or below the first month and may end before the last.
fn survival(query: &mut Query, dice: &mut Dice) -> Study {
    let buckets = Buckets {
        low: *dice.pick(&[0, 0, -6]),
        high: dice.between(40, 140),
        count: dice.between(2, 8),
    };
    query.keys.push(Key::buckets(named("months"), buckets));
    if dice.once_in(2) {
        nominal(query, dice);
    }
    query.outputs.push(output(What::All, None));
    if dice.once_in(2) {
        query.outputs.push(output(What::Sum(named("died")), None));
    } else {
        query.outputs.push(output(What::All, Some(0)));
    }
    Study::Survival
}

/// Events, and the time in which they happened.
fn rate(query: &mut Query, dice: &mut Dice) {
    let events = *dice.pick(&[What::Sum(named("died")), What::All]);
    query.outputs.push(output(events, Some(0)));
    let time = *dice.pick(&[What::Sum(named("months")), What::All]);
    query.outputs.push(output(time, None));
}

fn standardised(query: &mut Query, dice: &mut Dice) -> Study {
    let strata = nominal(query, dice);
    if dice.once_in(2) {
        nominal(query, dice);
    }
    rate(query, dice);
    let values = strata.values().into_iter();
    let mut weights: Vec<(&str, u64)> = values
        .map(|v| {
            (
                v,
                if dice.once_in(6) {
                    0
                } else {
                    1 + dice.below(1_000)
                },
            )
        })
        .collect();
    weights[0].1 += 1;
    Study::Standardised(*dice.pick(&[1, 100_000]), weights)
}

impl Study {
    /// The analysis as a researcher registers it.
    pub fn text(&self, keys: &[Key]) -> String {
        let by = |name: &str| match keys.len() {
            2 => format!(" {name}=k1"),
            _ => String::new(),
        };
        let spread = |is_variance: &bool| match is_variance {
            true => "mean=o0 variance=o1 n=o2",
            false => "mean=o0 sd=o1 n=o2",
        };
        match self {
            Self::TwoByTwo([a, b]) => format!(
                "two-by-two exposure=k0 exposed=\"{a}\" unexposed=\"{b}\" cases=o1 total=o0"
            ),
            Self::TwoByTwoKeys([a, b], [c, d]) => format!(
                "two-by-two exposure=k0 exposed=\"{a}\" unexposed=\"{b}\" \
                 outcome=k1 case=\"{c}\" noncase=\"{d}\" count=o0"
            ),
            Self::Contingency => "contingency rows=k0 columns=k1 count=o0".to_owned(),
            Self::Means(is_variance) => format!("means {}", spread(is_variance)),
            Self::Welch(is_variance, [a, b]) => format!(
                "welch by=k0 first=\"{a}\" second=\"{b}\" {}",
                spread(is_variance)
            ),
            Self::Proportions => "proportions cases=o0 total=o1".to_owned(),
            Self::Survival => format!("survival time=k0 leaving=o0 events=o1{}", by("by")),
            Self::Rates(per) => format!("rates events=o0 time=o1 per={per}"),
            Self::Standardised(per, weights) => {
                let weights: Vec<String> =
                    weights.iter().map(|(v, w)| format!("{v}:{w}")).collect();
                format!(
                    "standardised-rates events=o0 time=o1 strata=k0 weights=\"{}\"{} per={per}",
                    weights.join(","),
                    by("by")
                )
            }
        }
    }
}
