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

/// The `n`-th day from 2020-01-01, before or after it.
#[must_use]
pub fn day(n: i64) -> String {
    let (mut year, mut rest) = (2020, n);
    let length = |year: i64| if year % 4 == 0 { 366 } else { 365 };
    while rest < 0 {
        year -= 1;
        rest += length(year);
    }
    while rest >= length(year) {
        rest -= length(year);
        year += 1;
    }
    let february = length(year) - 337;
    for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        if rest < days {
            return format!("{year:04}-{month:02}-{:02}", rest + 1);
        }
        rest -= days;
    }
    unreachable!("a year's days are its months'")
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
    fn days_are_calendar_days() {
        assert_eq!(day(-1), "2019-12-31");
        assert_eq!(day(0), "2020-01-01");
        assert_eq!(day(59), "2020-02-29");
        assert_eq!(day(366), "2021-01-01");
        assert_eq!(day(739), "2022-01-09");
    }

    #[test]
    fn decimals_are_written_exactly() {
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(1234, 1), "123.4");
        assert_eq!(decimal_text(-7, 0), "-7");
    }
}
