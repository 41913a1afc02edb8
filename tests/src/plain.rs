//! A patient table in plain values, and its CSV.

use std::fmt::Write as _;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// A code, or a date as `YYYY-MM-DD`.
    Text(String),
    /// units·10^-decimals.
    Number {
        /// The number in units of 10^-decimals.
        units: i64,
        /// Digits after the point.
        decimals: u32,
    },
}

/// A table: named columns, the patient id and the consent among them.
#[derive(Debug, Clone, Default)]
pub struct PlainTable {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

/// `units`·10^-`decimals` as exact text.
#[must_use]
pub fn decimal_text(units: i64, decimals: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let places = decimals as usize;
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

impl PlainTable {
    /// The table as CSV; NULL is an empty field.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut out = self.columns.join(",") + "\n";
        for row in &self.rows {
            for (i, value) in row.iter().enumerate() {
                let comma = if i == 0 { "" } else { "," };
                let text = match value {
                    Value::Null => String::new(),
                    Value::Bool(b) => b.to_string(),
                    Value::Text(t) => t.clone(),
                    Value::Number { units, decimals } => decimal_text(*units, *decimals),
                };
                let _ = write!(out, "{comma}{text}");
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_exactly() {
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(1234, 1), "123.4");
        assert_eq!(decimal_text(-7, 0), "-7");
    }
}
