//! Random queries that mix everything: several FILTERs, nested conditions, NULLs, up to two keys.

use galen_tests::dice::Dice;

use crate::{
    condition::{Condition, condition},
    key::Key,
    output::{Output, What},
    study::{self, Study},
};

/// A query, in the parts of which its answer follows.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub condition: Option<Condition>,
    pub keys: Vec<Key>,
    pub outputs: Vec<Output>,
    pub filters: Vec<Condition>,
    pub study: Option<Study>,
    /// Those of EXPLAIN COHORT; then there is nothing else.
    pub criteria: Vec<Condition>,
    /// The text of GROUP BY.
    group_by: String,
}

/// The `number`-th query: every third with an analysis, every tenth an attrition table. Of a table whose counts
/// are rounded only counts are asked.
pub fn query(number: usize, dice: &mut Dice, counts_only: bool) -> Query {
    let mut wide = 3;
    if number % 10 == 4 {
        let count = 1 + dice.below(5);
        let criteria = (0..count).map(|_| condition(dice, 2, &mut wide)).collect();
        return Query {
            criteria,
            ..Query::default()
        };
    }
    let mut query = Query {
        condition: (!dice.once_in(8)).then(|| {
            let depth = if dice.once_in(3) { 3 } else { 2 };
            condition(dice, depth, &mut wide)
        }),
        filters: (0..2 + dice.below(2))
            .map(|_| {
                let depth = if dice.once_in(3) { 2 } else { 1 };
                condition(dice, depth, &mut wide)
            })
            .collect(),
        ..Query::default()
    };
    let more = if number % 3 == 2 && !counts_only {
        study::put(&mut query, dice);
        dice.below(3)
    } else {
        keys(&mut query, dice);
        [3, 2, 1][query.keys.len()] + dice.below(4)
    };
    for _ in 0..more {
        let what = match counts_only {
            true => What::random_count(dice),
            false => What::random(dice),
        };
        let any = dice.below(1 + query.filters.len() as u64);
        let filter = usize::try_from(any).unwrap();
        query.outputs.push(Output {
            what,
            filter: (filter < query.filters.len()).then_some(filter),
        });
    }
    query.group_by = group_by(&query.keys, dice);
    query
}

fn keys(query: &mut Query, dice: &mut Dice) {
    for _ in 0..dice.below(3) {
        let key = Key::random(dice, &query.keys);
        query.keys.push(key);
    }
}

/// By place, by label or by the key itself.
fn group_by(keys: &[Key], dice: &mut Dice) -> String {
    let texts: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(i, k)| match dice.below(3) {
            0 => (i + 1).to_string(),
            1 => format!("k{i}"),
            _ => k.galen.clone(),
        })
        .collect();
    texts.join(", ")
}

impl Query {
    /// Galen's text; keys are labelled k0, k1, outputs o0, o1 and so on.
    pub fn sql(&self) -> String {
        if !self.criteria.is_empty() {
            let texts = self.criteria.iter().map(|c| format!("({})", c.galen));
            let texts: Vec<String> = texts.collect();
            return format!(
                "EXPLAIN COHORT SELECT count(*) FROM t WHERE {}",
                texts.join(" AND ")
            );
        }
        let keys = self.keys.iter().enumerate();
        let keys = keys.map(|(i, k)| format!("{} AS k{i}", k.galen));
        let outputs = self.outputs.iter().enumerate().map(|(i, o)| {
            let text = o.what.text();
            match o.filter {
                None => format!("{text} AS o{i}"),
                Some(f) => format!("{text} FILTER (WHERE {}) AS o{i}", self.filters[f].galen),
            }
        });
        let list: Vec<String> = keys.chain(outputs).collect();
        let mut sql = format!("SELECT {} FROM t", list.join(", "));
        if let Some(c) = &self.condition {
            sql += &format!(" WHERE {}", c.galen);
        }
        if !self.keys.is_empty() {
            sql += &format!(" GROUP BY {}", self.group_by);
        }
        sql
    }

    /// SQLite's condition for whom an output is about: consent, WHERE and FILTER.
    pub fn who(&self, filter: Option<usize>) -> String {
        let filter = filter.map(|f| &self.filters[f]);
        let all = self.condition.iter().chain(filter);
        all.fold("consent = 1".to_owned(), |text, c| {
            format!("{text} AND ({})", c.sqlite)
        })
    }

    /// The query's analysis as text.
    pub fn analyses(&self) -> Vec<String> {
        let study = self.study.iter();
        study.map(|s| s.text(&self.keys)).collect()
    }
}
