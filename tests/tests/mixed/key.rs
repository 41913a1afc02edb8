//! What queries group by: columns, years, and buckets of numbers.

use galen_tests::{dice::Dice, plain::decimal_text};

use crate::table::{COLUMNS, Column, Kind};

/// A key of GROUP BY in both dialects. SQLite's is the text by which an answer names the group.
#[derive(Debug, Clone)]
pub struct Key {
    pub column: Column,
    pub galen: String,
    pub sqlite: String,
    pub buckets: Option<Buckets>,
}

/// Equal buckets between two numbers, in units of the column.
#[derive(Debug, Clone, Copy)]
pub struct Buckets {
    pub low: i64,
    pub high: i64,
    pub count: i64,
}

impl Key {
    /// A column, as it is.
    pub fn plain(column: Column) -> Self {
        let name = column.name;
        let sqlite = match column.kind {
            Kind::Boolean => format!("CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"),
            _ => name.to_owned(),
        };
        Self {
            column,
            galen: name.to_owned(),
            sqlite,
            buckets: None,
        }
    }

    fn year(column: Column) -> Self {
        let name = column.name;
        Self {
            column,
            galen: format!("EXTRACT(YEAR FROM {name})"),
            sqlite: format!("substr({name}, 1, 4)"),
            buckets: None,
        }
    }

    /// Buckets of a number column.
    pub fn buckets(column: Column, buckets: Buckets) -> Self {
        let Buckets { low, high, count } = buckets;
        let name = column.name;
        let text = |units| decimal_text(units, column.decimals());
        Self {
            column,
            galen: format!(
                "width_bucket({name}, {}, {}, {count})",
                text(low),
                text(high)
            ),
            sqlite: format!(
                "CASE WHEN {name} < {low} THEN 0 WHEN {name} >= {high} THEN {} \
                 WHEN {name} IS NOT NULL THEN ({name} - ({low})) * {count} / {} + 1 END",
                count + 1,
                high - low
            ),
            buckets: Some(buckets),
        }
    }

    /// Any key over another column than those of `taken`.
    pub fn random(dice: &mut Dice, taken: &[Self]) -> Self {
        let mut column = *dice.pick(COLUMNS);
        while taken.iter().any(|k| k.column == column) {
            column = *dice.pick(COLUMNS);
        }
        match column.kind {
            Kind::Date => Self::year(column),
            Kind::Number { min, max, .. } => {
                let margin = (max - min) / 5;
                let low = dice.between(min - margin, max - 1);
                let high = dice.between(low + 1, max + margin);
                let count = dice.between(1, 5);
                Self::buckets(column, Buckets { low, high, count })
            }
            _ => Self::plain(column),
        }
    }

    /// The values that the registry allows of a boolean or category, without NULL, as an answer names them.
    pub fn values(&self) -> Vec<&'static str> {
        match self.column.kind {
            Kind::Boolean => vec!["false", "true"],
            Kind::Category(codes) => codes.to_vec(),
            _ => Vec::new(),
        }
    }
}

/// SQLite's text for all keys of a group together.
pub fn together(keys: &[Key]) -> String {
    let texts: Vec<String> = keys
        .iter()
        .map(|k| format!("ifnull(CAST({} AS TEXT), 'NULL')", k.sqlite))
        .collect();
    match texts.is_empty() {
        true => "''".to_owned(),
        false => texts.join(" || ' / ' || "),
    }
}
