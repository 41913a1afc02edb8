//! Made-up tables.

use galen_query::{
    query::CohortQuery,
    registry::{ColumnKind, Registry, Role},
};

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize].clone()
    }
}

/// Stored values by registry column, and consents to the first purpose, row by row.
pub struct Table {
    pub rows: Vec<Vec<Option<u64>>>,
    pub consents: Vec<bool>,
}

impl Table {
    /// Values at random, half of them from a few that repeat.
    pub fn random(registry: &Registry, rows: usize, dice: &mut Dice) -> Self {
        let few: Vec<Vec<u64>> = registry
            .columns
            .iter()
            .map(|c| {
                let some = (0..4).map(|_| dice.below(c.span() + 1));
                some.chain([0, c.span()]).collect()
            })
            .collect();
        let row = |dice: &mut Dice| {
            let columns = registry.columns.iter().zip(&few);
            let values = columns.map(|(c, few)| {
                let value = match dice.once_in(2) {
                    true => dice.pick(few),
                    false => dice.below(c.span() + 1),
                };
                (!c.nullable || !dice.once_in(4)).then_some(value)
            });
            values.collect()
        };
        Self {
            rows: (0..rows).map(|_| row(dice)).collect(),
            consents: (0..rows).map(|_| !dice.once_in(5)).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The base columns' values, `[base column][row]`.
    pub fn bases(&self, registry: &Registry) -> Vec<Vec<i64>> {
        let stored = |column: usize, of: &dyn Fn(Option<u64>) -> u64| {
            let values = self.rows.iter().map(|row| of(row[column]) as i64);
            values.collect::<Vec<i64>>()
        };
        let base = |role: Role| match role {
            Role::Consent(0) => self.consents.iter().map(|c| i64::from(*c)).collect(),
            Role::Consent(_) => vec![0; self.len()],
            Role::Bit(c) | Role::Value(c) => stored(c, &|v| v.unwrap_or(0)),
            Role::Low(c) => stored(c, &|v| v.unwrap_or(0) & 0xffff),
            Role::High(c) => stored(c, &|v| v.unwrap_or(0) >> 16),
            Role::Known(c) => stored(c, &|v| u64::from(v.is_some())),
        };
        let columns = registry.base_columns().into_iter();
        columns.map(|b| base(b.role)).collect()
    }

    /// The rows that consent and meet the WHERE clause.
    pub fn cohort<'a>(
        &'a self,
        query: &'a CohortQuery,
    ) -> impl Iterator<Item = &'a Vec<Option<u64>>> {
        let rows = self.rows.iter().zip(&self.consents);
        rows.filter(|(row, consents)| **consents && query.filter.eval(&|c| row[c]))
            .map(|(row, _)| row)
    }
}

pub fn registry(columns: &str) -> Registry {
    let head = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
                [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
                [[purpose]]\ncode = \"DUO:0000007\"\ncolumn = \"consent_disease\"\n";
    Registry::from_toml(&format!("{head}{columns}")).unwrap()
}

/// One column of each kind, nullable and not.
pub fn study() -> Registry {
    let mut columns = String::new();
    for (name, kind) in [
        ("flag", "type = \"boolean\""),
        (
            "code",
            "type = \"category\"\ncodes = [\"a\", \"b\", \"c\", \"d\"]",
        ),
        ("age", "type = \"number\"\nmin = -3\nmax = 90"),
        (
            "lab",
            "type = \"number\"\nmin = 2.0\nmax = 80.0\ndecimals = 1",
        ),
        ("wide", "type = \"number\"\nmin = -10\nmax = 200_000"),
        (
            "day",
            "type = \"date\"\nmin = \"1999-05-01\"\nmax = \"2004-02-03\"",
        ),
    ] {
        columns += &format!("[[column]]\nname = \"{name}\"\n{kind}\n");
        columns += &format!("[[column]]\nname = \"{name}_n\"\n{kind}\nnullable = true\n");
    }
    registry(&columns)
}

/// SQL for a stored value of a column.
pub fn literal(registry: &Registry, column: usize, stored: u64) -> String {
    let definition = &registry.columns[column];
    let text = definition.format_stored(stored);
    match definition.kind {
        ColumnKind::Category { .. } | ColumnKind::Date { .. } => format!("'{text}'"),
        _ => text,
    }
}
