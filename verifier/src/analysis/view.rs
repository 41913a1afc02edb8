//! An answer's cells as an analysis reads them.

use std::{borrow::Cow, ops::Range};

use galen_query::words::quoted;
use num_traits::ToPrimitive;

use super::Value;
use crate::answer::Cell;

/// How a note begins that tells whom an analysis leaves out.
pub(super) const LEFT_OUT: &str = "Left out: ";

/// The rows of an answer by label.
pub(crate) struct View<'a> {
    pub columns: &'a [String],
    pub rows: &'a [Vec<Cell>],
    /// Which columns are keys. An aggregate's cell may look like one: it is NULL where a group's is.
    pub key_columns: &'a [usize],
    /// How far rounding can take a count from the exact one.
    pub count_error: u64,
}

impl View<'_> {
    /// The place of an output; the analysis was checked against the query.
    pub fn column(&self, label: &str) -> Result<usize, String> {
        let at = self.columns.iter().position(|c| c == label);
        at.ok_or_else(|| format!("The answer has no output {label}."))
    }

    /// A key's value as an analysis names it, a bucket's is its number; none where it is missing. Never what is printed: a
    /// code may be spelled like anything.
    pub fn key(&self, row: usize, column: usize) -> Option<Cow<'_, str>> {
        match &self.rows[row][column] {
            Cell::Null => None,
            Cell::Key(text) => Some(Cow::Borrowed(text)),
            Cell::Bucket(b) => Some(Cow::Owned(b.number.to_string())),
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    /// Whether the key in `column` has this value.
    pub fn is(&self, row: usize, column: usize, value: &str) -> bool {
        self.key(row, column).is_some_and(|key| key == value)
    }

    /// A released count.
    pub fn count(&self, row: usize, column: usize) -> Result<u64, String> {
        match &self.rows[row][column] {
            Cell::Integer(n) => n
                .to_u64()
                .ok_or_else(|| format!("{} is no count.", self.columns[column])),
            other => Err(self.unusable(row, column, other)),
        }
    }

    /// A released number.
    pub fn number(&self, row: usize, column: usize) -> Result<f64, String> {
        let cell = &self.rows[row][column];
        let number = match cell {
            Cell::Real(v) => Some(*v),
            Cell::Integer(n) => n.to_f64(),
            Cell::Decimal(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.unusable(row, column, cell))
    }

    /// The count of the only one of some rows.
    pub fn only_count(
        &self,
        rows: impl IntoIterator<Item = usize>,
        count: usize,
    ) -> Result<u64, String> {
        let mut rows = rows.into_iter();
        match (rows.next(), rows.next()) {
            (Some(row), None) => self.count(row, count),
            _ => Err("The answer's groups are no table.".to_owned()),
        }
    }

    fn unusable(&self, row: usize, column: usize, cell: &Cell) -> String {
        let label = &self.columns[column];
        let place = match self.key_columns.is_empty() {
            true => String::new(),
            false => format!(" of {}", self.name(row)),
        };
        match cell {
            Cell::Suppressed(_) | Cell::Withheld | Cell::TooFew(_) => {
                format!("{label}{place} is hidden by the release rule ({cell}).")
            }
            Cell::Null => format!("{label}{place} is NULL: too few values were counted."),
            _ => format!("{label}{place} is no number."),
        }
    }

    /// A cell as the answer shows it, for a derived table.
    pub fn shown(&self, row: usize, column: usize) -> String {
        self.rows[row][column].to_string()
    }

    /// A key as a part of a row's name, quoted where it could be taken for two parts.
    fn part(&self, row: usize, column: usize) -> String {
        match &self.rows[row][column] {
            Cell::Key(text) if self.key_columns.len() > 1 && text.contains(',') => quoted(text),
            other => other.to_string(),
        }
    }

    pub fn all_rows(&self) -> Range<usize> {
        0..self.rows.len()
    }

    /// The rows whose key in `column` is `value`.
    pub fn rows_with(&self, column: usize, value: &str) -> Vec<usize> {
        self.all_rows()
            .filter(|r| self.is(*r, column, value))
            .collect()
    }

    /// The only one of `among` whose key in `column` is `value`.
    pub fn single_row(
        &self,
        among: impl IntoIterator<Item = usize>,
        column: usize,
        value: &str,
    ) -> Result<usize, String> {
        let mut own = among.into_iter().filter(|r| self.is(*r, column, value));
        match (own.next(), own.next()) {
            (Some(row), None) => Ok(row),
            _ => Err(format!("The answer has no single row for {value}.")),
        }
    }

    /// The values of the key `by` but NULL, each with its rows; without a key, all rows as one group.
    pub fn groups(&self, by: Option<&str>) -> Result<Vec<(Value, Vec<usize>)>, String> {
        let Some(by) = by else {
            return Ok(vec![("all".into(), self.all_rows().collect())]);
        };
        let column = self.column(by)?;
        let keys = self.keys(column).into_iter();
        let with_rows = |value: String| {
            let rows = self.rows_with(column, &value);
            (Value::Key(Some(value)), rows)
        };
        Ok(keys.map(with_rows).collect())
    }

    /// The different values of a key in order, without NULL.
    pub fn keys(&self, column: usize) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for key in self.all_rows().filter_map(|row| self.key(row, column)) {
            if !keys.iter().any(|k| *k == key) {
                keys.push(key.into_owned());
            }
        }
        keys
    }

    /// The rows without a value of the key.
    pub fn rows_without(&self, column: usize) -> Vec<usize> {
        self.all_rows()
            .filter(|row| self.rows[*row][column] == Cell::Null)
            .collect()
    }

    /// How many the counts of some rows make together, in words, where they are any: of patients that an analysis leaves
    /// out.
    pub fn left_out(
        &self,
        rows: impl IntoIterator<Item = usize>,
        count: usize,
        what: &str,
    ) -> Option<String> {
        let counts: Vec<_> = rows.into_iter().map(|r| self.count(r, count)).collect();
        let known: u64 = counts.iter().flatten().sum();
        match (known, counts.iter().any(Result::is_err)) {
            (0, false) => None,
            (n, false) => Some(format!("{LEFT_OUT}{what}, {n} of {}.", self.columns[count])),
            (0, true) => Some(format!("{LEFT_OUT}{what}; how many is hidden.")),
            (n, true) => Some(format!(
                "{LEFT_OUT}{what}, {n} of {} and more that are hidden.",
                self.columns[count]
            )),
        }
    }

    /// A row's name for a table's first column: the value of its key, or of both in one text.
    pub fn title(&self, row: usize) -> Value {
        match self.key_columns {
            [one] => match &self.rows[row][*one] {
                Cell::Null => Value::Key(None),
                Cell::Key(text) => Value::Key(Some(text.clone())),
                other => Value::Text(other.to_string()),
            },
            _ => Value::Text(self.name(row)),
        }
    }

    /// The keys of a row, for a note.
    pub fn name(&self, row: usize) -> String {
        let keys = self.key_columns.iter();
        let keys: Vec<String> = keys.map(|c| self.part(row, *c)).collect();
        if keys.is_empty() {
            "all".to_owned()
        } else {
            keys.join(", ")
        }
    }
}

/// A key's value as the answer shows it.
pub(super) fn named(value: Option<&str>) -> String {
    let key = |text: &str| Cell::Key(text.to_owned());
    value.map_or(Cell::Null, key).to_string()
}

/// Both, or why each is missing that is.
pub(super) fn both<A, B>(a: Result<A, String>, b: Result<B, String>) -> Result<(A, B), String> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err(format!("{a} {b}")),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// All, or why each is missing that is.
pub(super) fn all<T>(
    members: impl IntoIterator<Item = Result<T, String>>,
) -> Result<Vec<T>, String> {
    let none = Ok(Vec::new());
    members.into_iter().fold(none, |all, member| {
        let (mut all, member) = both(all, member)?;
        all.push(member);
        Ok(all)
    })
}
