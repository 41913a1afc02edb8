//! What an answer's analyses must be: recomputed from the true cells that it shows.

mod means;
mod rates;
mod survival;
mod tables;

use galen_verifier::{
    analysis::{Derived, Value},
    answer::Cell,
};
use num_traits::ToPrimitive;

use crate::{
    distribution::number,
    release::{Released, is_hidden},
    study::Study,
};

/// An expected entry of a derived table.
#[derive(Debug, Clone)]
pub enum Want {
    Text(String),
    /// A row's name: its keys, where a bucket's number is followed by its values.
    Name(Vec<String>),
    Count(u64),
    /// A number, and how large those are of which it is a sum or difference.
    Near(f64, f64),
    Missing,
}

/// Tables of rows; `None` where a hidden cell leaves nothing.
pub type Wanted = Option<Vec<Vec<Vec<Want>>>>;

/// The cells of an answer that are shown, with their true values.
pub struct Known<'a>(pub &'a Released<'a>);

impl Known<'_> {
    fn cell(&self, row: usize, at: usize) -> Option<&Cell> {
        let hidden = is_hidden(&self.0.cells[row][at]);
        (!hidden).then_some(&self.0.truths[row][at].cell)
    }

    pub fn count(&self, row: usize, at: usize) -> Option<u64> {
        match self.cell(row, at)? {
            Cell::Integer(n) => n.to_u64(),
            other => panic!("{other:?} is no count"),
        }
    }

    /// A number; `None` too where it is NULL.
    pub fn number(&self, row: usize, at: usize) -> Option<f64> {
        match self.cell(row, at)? {
            Cell::Integer(n) => n.to_f64(),
            Cell::Decimal(text) => text.parse().ok(),
            Cell::Real(v) => Some(*v),
            _ => None,
        }
    }

    pub fn rows(&self) -> usize {
        self.0.cells.len()
    }

    pub fn key(&self, row: usize, at: usize) -> &str {
        &self.0.keys[row][at]
    }

    /// The row whose first keys these are.
    pub fn row(&self, keys: &[&str]) -> usize {
        let is = |row: &usize| keys.iter().zip(&self.0.keys[*row]).all(|(a, b)| a == b);
        (0..self.rows()).find(is).unwrap()
    }

    pub fn name(&self, row: usize) -> Want {
        Want::Name(self.0.keys[row].clone())
    }

    /// The values of a key but NULL, in their order.
    pub fn values(&self, at: usize) -> Vec<&str> {
        let mut values: Vec<&str> = Vec::new();
        for row in 0..self.rows() {
            let key = self.key(row, at);
            if key != "NULL" && !values.contains(&key) {
                values.push(key);
            }
        }
        values
    }

    /// The groups that the second key makes, each with its rows; without one, all of them.
    pub fn groups(&self) -> Vec<(String, Vec<usize>)> {
        if self.0.query.keys.len() < 2 {
            return vec![("all".to_owned(), (0..self.rows()).collect())];
        }
        let rows = |value: &str| {
            (0..self.rows())
                .filter(|r| self.key(*r, 1) == value)
                .collect()
        };
        let values = self.values(1).into_iter();
        values.map(|v| (v.to_owned(), rows(v))).collect()
    }
}

impl Want {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub fn exact(value: f64) -> Self {
        Self::Near(value, value.abs())
    }

    /// An estimate and its interval.
    pub fn interval(estimate: Option<[f64; 3]>) -> Vec<Self> {
        let Some(all) = estimate else {
            return vec![Self::Missing; 3];
        };
        let scale = all.iter().fold(0.0, |s: f64, v| s.max(v.abs()));
        all.iter().map(|v| Self::Near(*v, scale)).collect()
    }

    /// Statistic, degrees of freedom and p.
    pub fn test(test: Option<(f64, f64, f64)>) -> Vec<Self> {
        let Some((statistic, degrees, p)) = test else {
            return vec![Self::Missing; 3];
        };
        let scale = statistic.abs().max(1e-3);
        let degrees = Self::exact(degrees);
        // A p below what binary64 holds may be 0.
        vec![
            Self::Near(statistic, scale),
            degrees,
            Self::Near(p, p + 1e-290),
        ]
    }

    fn is(&self, found: &Value) -> bool {
        match (self, found) {
            (Self::Text(a), Value::Text(b) | Value::Key(Some(b))) => a == b,
            (Self::Name(keys), Value::Text(text)) => is_name(keys, text),
            (Self::Name(keys), Value::Key(key)) => {
                keys.as_slice() == [key.clone().unwrap_or_else(|| "NULL".to_owned())]
            }
            // A p that is too small to be told.
            (Self::Near(a, _), Value::Text(b)) => b == "<1e-300" && (0.0..1e-290).contains(a),
            (Self::Count(a), Value::Count(b)) => a == b,
            (Self::Near(a, scale), Value::Number(b)) => (a - b).abs() <= 1e-8 * scale,
            (Self::Missing, Value::Missing) => true,
            _ => false,
        }
    }
}

fn is_name(keys: &[String], text: &str) -> bool {
    if keys.is_empty() {
        return text == "all";
    }
    let parts: Vec<&str> = text.split(", ").collect();
    let same = |(key, part): (&String, &&str)| {
        part == key
            || part
                .strip_prefix(key.as_str())
                .is_some_and(|p| p.starts_with(": "))
    };
    parts.len() == keys.len() && keys.iter().zip(&parts).all(same)
}

/// Checks what an answer derives.
pub fn check(released: &Released<'_>, found: &[Derived]) -> Result<(), String> {
    let known = Known(released);
    let Some(study) = &released.query.study else {
        return match found.is_empty() {
            true => Ok(()),
            false => Err("something is derived that nobody asked for".to_owned()),
        };
    };
    let wanted = match study {
        Study::TwoByTwo(groups) => tables::by_counts(&known, *groups),
        Study::TwoByTwoKeys(groups, outcomes) => tables::by_keys(&known, *groups, *outcomes),
        Study::Contingency => tables::contingency(&known),
        Study::Means(is_variance) => means::means(&known, *is_variance),
        Study::Welch(is_variance, groups) => means::welch(&known, *is_variance, *groups),
        Study::Proportions => means::proportions(&known),
        Study::Survival => survival::survival(&known),
        Study::Rates(per) => rates::rates(&known, *per),
        Study::Standardised(per, weights) => rates::standardised(&known, *per, weights),
    };
    match found {
        [derived] => compare(derived, &wanted),
        _ => Err(format!("{} analyses", found.len())),
    }
}

fn compare(found: &Derived, wanted: &Wanted) -> Result<(), String> {
    let is_missing = |v: &Value| matches!(v, Value::Missing);
    let mut entries = found.tables.iter().flat_map(|t| t.rows.iter().flatten());
    if found.notes.is_empty() && (found.tables.is_empty() || entries.any(is_missing)) {
        return Err(format!("no note tells why something is missing: {found:?}"));
    }
    let wanted = wanted.as_deref().unwrap_or_default();
    let row = |found: &[Value], wanted: &[Want]| {
        found.len() == wanted.len() && wanted.iter().zip(found).all(|(w, f)| w.is(f))
    };
    let same = found.tables.len() == wanted.len()
        && found.tables.iter().zip(wanted).all(|(f, w)| {
            let mut rows = f.rows.iter().zip(w);
            f.rows.len() == w.len() && rows.all(|(f, w)| row(f, w))
        });
    match same {
        true => Ok(()),
        false => Err(format!("derived {found:#?}\nexpected {wanted:#?}")),
    }
}

/// Of an attrition table how many each criterion excludes, and the share that is left, where both counts are shown.
pub fn check_attrition(shown: &[Option<u64>], found: &[Derived]) -> Result<(), String> {
    let [Derived { tables, .. }] = found else {
        return Err(format!("{} derived tables", found.len()));
    };
    for (at, (own, row)) in shown.iter().zip(&tables[0].rows).enumerate() {
        let excluded = match (at.checked_sub(1).map(|b| shown[b]), own) {
            (None, _) => Want::text(""),
            (Some(Some(before)), Some(own)) => Want::Count(before - own),
            _ => Want::text("hidden"),
        };
        let left = match (own, shown[0]) {
            (Some(_), Some(0)) => Want::Missing,
            (Some(own), Some(first)) => Want::exact(number(*own) / number(first)),
            _ => Want::text("hidden"),
        };
        let is_right = own.is_none_or(|n| Want::Count(n).is(&row[1]))
            && excluded.is(&row[2])
            && left.is(&row[3]);
        if !is_right {
            return Err(format!("{row:?} of {shown:?}"));
        }
    }
    Ok(())
}
