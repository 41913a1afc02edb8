//! From a table's value to the stored value, and back to text.

use std::collections::HashMap;

use time::{Date, Month};

use super::decimal::{self, Decimal, Scaled};
use super::{Code, Column, ColumnKind, ValueError};

/// Encodes many values of one column; looks codes up in a table instead of searching the list.
#[derive(Debug)]
pub struct Encoder<'a> {
    column: &'a Column,
    codes: HashMap<&'a str, u64>,
}

impl Encoder<'_> {
    /// As [`Column::encode_text`].
    ///
    /// # Errors
    /// As [`Column::encode_text`].
    pub fn encode_text(&self, text: &str) -> Result<u64, ValueError> {
        match &self.column.kind {
            ColumnKind::Category { codes } => self
                .codes
                .get(text)
                .copied()
                .ok_or_else(|| unknown_code(codes)),
            _ => self.column.encode_text(text),
        }
    }

    /// The stored value of a float: of a number by its shortest decimal text, which is the caller's to give, since a
    /// narrow float has fewer digits than the same one widened; of a boolean or a category as of the whole number that it is, for some exporters write integers so.
    ///
    /// # Errors
    /// When it denotes no value of the column, or the column holds dates; not-a-number and infinity never are numbers.
    pub fn encode_float(&self, value: f64, shortest: &str) -> Result<u64, ValueError> {
        // Up to here each integer is a float of its own.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match &self.column.kind {
            ColumnKind::Date { .. } => Err(self.column.wrong_type("float")),
            ColumnKind::Number { .. } if !value.is_finite() => Err(ValueError::NotNumber),
            ColumnKind::Number { .. } => self.encode_text(shortest),
            _ if value.fract() == 0.0 && value.abs() < EXACT => {
                #[allow(clippy::cast_possible_truncation)] // whole, and within 53 bits
                self.encode_text(&(value as i64).to_string())
            }
            _ => self.encode_text(shortest),
        }
    }

    /// The stored value of a code, if the column is a category that has it.
    #[must_use]
    pub fn code(&self, text: &str) -> Option<u64> {
        self.codes.get(text).copied()
    }
}

impl Column {
    /// An encoder for many values of this column.
    #[must_use]
    pub fn encoder(&self) -> Encoder<'_> {
        let codes: &[Code] = match &self.kind {
            ColumnKind::Category { codes } => codes,
            _ => &[],
        };
        Encoder {
            column: self,
            codes: (0..)
                .zip(codes)
                .map(|(i, c)| (c.code.as_str(), i))
                .collect(),
        }
    }

    /// The stored value of one non-NULL text.
    ///
    /// Boolean: `true`, `false`, `t`, `f`, `yes`, `no`, `1`, `0` in any case. Category: the exact
    /// code. Number: decimal text, also with an exponent, no more significant digits after the
    /// point than the column keeps. Date: `YYYY-MM-DD`, also followed by ` 00:00:00` or
    /// `T00:00:00`.
    ///
    /// # Errors
    /// When the text does not denote a value of the column; the error does not repeat it.
    pub fn encode_text(&self, text: &str) -> Result<u64, ValueError> {
        match &self.kind {
            ColumnKind::Boolean => boolean(text).map(u64::from).ok_or(ValueError::NotBoolean),
            ColumnKind::Category { codes } => (0..)
                .zip(codes)
                .find_map(|(i, c)| (c.code == text).then_some(i))
                .ok_or_else(|| unknown_code(codes)),
            ColumnKind::Number { decimals, .. } => {
                let number = Decimal::parse(text).ok_or(ValueError::NotNumber)?;
                self.encode_scaled(number.at_scale(*decimals))
            }
            ColumnKind::Date { .. } => self.encode_date(date(text).ok_or(ValueError::NotDate)?),
        }
    }

    /// The stored value of a boolean.
    ///
    /// # Errors
    /// When the column is not boolean.
    pub fn encode_bool(&self, value: bool) -> Result<u64, ValueError> {
        match &self.kind {
            ColumnKind::Boolean => Ok(u64::from(value)),
            _ => Err(self.wrong_type("boolean")),
        }
    }

    /// The stored value of an integer: of a number column, of a category column whose codes are
    /// written like integers, or 0 and 1 of a boolean column.
    ///
    /// # Errors
    /// When the value is out of range or no code, or the column holds dates.
    pub fn encode_integer(&self, value: i64) -> Result<u64, ValueError> {
        match &self.kind {
            ColumnKind::Date { .. } => Err(self.wrong_type("integer")),
            _ => self.encode_text(&value.to_string()),
        }
    }

    /// The stored value of a calendar date.
    ///
    /// # Errors
    /// When the date is out of range or the column does not hold dates.
    pub fn encode_date(&self, value: Date) -> Result<u64, ValueError> {
        let ColumnKind::Date { min, max } = &self.kind else {
            return Err(self.wrong_type("date"));
        };
        let (what, days) = ("date", (value - *min).whole_days());
        if value > *max {
            let max = max.to_string();
            return Err(ValueError::AboveMaximum { what, max });
        }
        let min = min.to_string();
        u64::try_from(days).map_err(|_| ValueError::BelowMinimum { what, min })
    }

    fn encode_scaled(&self, value: Scaled) -> Result<u64, ValueError> {
        let ColumnKind::Number {
            min, max, decimals, ..
        } = &self.kind
        else {
            return Err(self.wrong_type("number"));
        };
        let what = "number";
        let text = |units: i64| decimal::format(i128::from(units), *decimals);
        if value.floor < i128::from(*min) {
            let min = text(*min);
            return Err(ValueError::BelowMinimum { what, min });
        }
        if value.floor > i128::from(*max) || (value.floor == i128::from(*max) && !value.exact) {
            let max = text(*max);
            return Err(ValueError::AboveMaximum { what, max });
        }
        if !value.exact {
            let decimals = *decimals;
            return Err(ValueError::TooPrecise { decimals });
        }
        u64::try_from(value.floor - i128::from(*min)).map_err(|_| ValueError::NotNumber)
    }

    /// A stored value as text: `true` or `false`, the code, the number with `decimals` digits
    /// after the point, or `YYYY-MM-DD`. Beyond [`Column::span`] there is no value; the text is
    /// then `?` and the stored integer.
    #[must_use]
    pub fn format_stored(&self, stored: u64) -> String {
        if stored > self.span() {
            return format!("?{stored}");
        }
        match &self.kind {
            ColumnKind::Boolean => (stored == 1).to_string(),
            ColumnKind::Category { codes } => usize::try_from(stored)
                .ok()
                .and_then(|i| codes.get(i))
                .map_or_else(|| format!("?{stored}"), |c| c.code.clone()),
            ColumnKind::Number { min, decimals, .. } => {
                decimal::format(i128::from(*min) + i128::from(stored), *decimals)
            }
            ColumnKind::Date { min, .. } => i64::try_from(stored)
                .ok()
                .and_then(|days| min.checked_add(time::Duration::days(days)))
                .map_or_else(|| format!("?{stored}"), |d| d.to_string()),
        }
    }

    /// The column's type as the registry file writes it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            ColumnKind::Boolean => "boolean",
            ColumnKind::Category { .. } => "category",
            ColumnKind::Number { .. } => "number",
            ColumnKind::Date { .. } => "date",
        }
    }

    fn wrong_type(&self, found: &'static str) -> ValueError {
        ValueError::WrongType {
            found,
            expected: self.type_name(),
        }
    }
}

fn unknown_code(codes: &[Code]) -> ValueError {
    let shown: Vec<&str> = codes.iter().take(10).map(|c| c.code.as_str()).collect();
    let more = codes.len() - shown.len();
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    ValueError::UnknownCode {
        codes: shown.join(", ") + &more,
    }
}

/// The truth value that a text denotes.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|w| text.eq_ignore_ascii_case(w));
    if is(&["true", "t", "yes", "1"]) {
        Some(true)
    } else if is(&["false", "f", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// The calendar date that a text denotes: `YYYY-MM-DD`, also with a midnight suffix.
pub(crate) fn date(text: &str) -> Option<Date> {
    let day = text
        .strip_suffix("T00:00:00")
        .or_else(|| text.strip_suffix(" 00:00:00"))
        .unwrap_or(text);
    let bytes = day.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |part: &[u8]| {
        part.iter().try_fold(0_u16, |n, b| {
            b.is_ascii_digit().then(|| n * 10 + u16::from(b - b'0'))
        })
    };
    let month = Month::try_from(u8::try_from(number(&bytes[5..7])?).ok()?).ok()?;
    let day = u8::try_from(number(&bytes[8..10])?).ok()?;
    Date::from_calendar_date(i32::from(number(&bytes[0..4])?), month, day).ok()
}
