//! One cell to its stored value (the encoding is [`ColumnKind`]'s). Exact: no floats, no rounding.

use std::collections::HashMap;

use galen_query::registry::{Code, Column, ColumnKind, Unseen};
use galen_query::text::null_word;
use time::{Date, Month};

use super::error::ValueProblem;

/// The Julian day number of 1970-01-01, from which Parquet counts its days.
const UNIX_EPOCH: i64 = 2_440_588;

/// Encodes the cells of one column; built once, since a category's codes go into a map.
#[derive(Debug, Clone)]
pub struct Encoder(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Boolean,
    Category(HashMap<String, u64>),
    Number { min: i64, max: i64, decimals: u32 },
    Date { min: Date, max: Date },
}

/// The stored value of one text cell, as [`Encoder::text`]; for many cells keep an [`Encoder`].
///
/// # Errors
/// A [`ValueProblem`] if the text is no value of the column.
pub fn encode_text(column: &Column, text: &str) -> Result<u64, ValueProblem> {
    Encoder::new(column).text(text)
}

impl Encoder {
    /// The encoder of a data column.
    #[must_use]
    pub fn new(column: &Column) -> Self {
        Self(match &column.kind {
            ColumnKind::Boolean => Kind::Boolean,
            ColumnKind::Category { codes } => Kind::Category(places(codes)),
            &ColumnKind::Number {
                min, max, decimals, ..
            } => Kind::Number { min, max, decimals },
            &ColumnKind::Date { min, max } => Kind::Date { min, max },
        })
    }

    /// The encoder of a consent column.
    #[must_use]
    pub fn boolean() -> Self {
        Self(Kind::Boolean)
    }

    /// The stored value of a text cell, or `None` where the text means NULL: it is empty, `NA` or
    /// `NULL`, and no code of the column.
    ///
    /// # Errors
    /// As [`Encoder::text`].
    pub fn nullable_text(&self, text: &str) -> Result<Option<u64>, ValueProblem> {
        if null_word(text).is_some() && !self.has_code(text) {
            return Ok(None);
        }
        self.text(text).map(Some)
    }

    /// The stored value of a text cell of a file that tells NULL from text by itself.
    ///
    /// # Errors
    /// As [`Encoder::text`], and [`ValueProblem::NullWord`] where [`Encoder::nullable_text`] would see
    /// NULL: whether it was meant so, nobody can tell.
    pub(super) fn typed_text(&self, text: &str) -> Result<u64, ValueProblem> {
        match null_word(text) {
            Some(word) if !self.has_code(text) => Err(ValueProblem::NullWord(word)),
            _ => self.text(text),
        }
    }

    fn has_code(&self, text: &str) -> bool {
        matches!(&self.0, Kind::Category(codes) if codes.contains_key(text))
    }

    /// The stored value of a text: booleans true/false/t/f/yes/no/1/0 in any case; a category's
    /// code exactly; a decimal number, also in scientific notation; a date as YYYY-MM-DD, with a
    /// midnight after it or without. Nothing is trimmed.
    ///
    /// # Errors
    /// A [`ValueProblem`] if the text is no value of the column.
    pub fn text(&self, text: &str) -> Result<u64, ValueProblem> {
        let stored = match &self.0 {
            Kind::Boolean => boolean(text),
            Kind::Category(codes) => codes.get(text).copied().ok_or(ValueProblem::UnknownCode),
            Kind::Number { decimals, .. } => decimal(text, *decimals).and_then(|n| self.units(n)),
            Kind::Date { .. } => date(text).and_then(|day| self.julian_day(day)),
        };
        stored.map_err(|problem| unseen(text).unwrap_or(problem))
    }

    /// The stored value of `value`·10^−`scale`: 0 and 1 for a boolean; for a category the code that
    /// reads like the integer; a number. A date has none.
    pub(super) fn scaled(&self, value: i128, scale: i32) -> Result<u64, ValueProblem> {
        match &self.0 {
            Kind::Boolean => match value {
                0 => Ok(0),
                1 => Ok(1),
                _ => Err(ValueProblem::NotBoolean),
            },
            Kind::Category(codes) => {
                let mut digits = StackText::new();
                digits.write(format_args!("{value}"));
                codes
                    .get(digits.as_str())
                    .copied()
                    .ok_or(ValueProblem::UnknownCode)
            }
            Kind::Number { decimals, .. } => {
                let exponent = i64::from(*decimals) - i64::from(scale);
                self.units(shift(value, exponent, *decimals)?)
            }
            Kind::Date { .. } => Err(ValueProblem::NotDate),
        }
    }

    /// The stored value of a float: of a number by its shortest decimal text, which `shortest` writes; of
    /// a boolean or a category as of the integer that it is, for some exporters write integers so.
    pub(super) fn float(
        &self,
        value: f64,
        shortest: std::fmt::Arguments<'_>,
    ) -> Result<u64, ValueProblem> {
        // Up to here each integer is a float of its own.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let whole = value.fract() == 0.0 && value.abs() < EXACT;
        if !self.is_number() && whole {
            #[allow(clippy::cast_possible_truncation)] // whole, and within 53 bits
            return self.scaled(value as i128, 0);
        }
        let mut text = StackText::new();
        text.write(shortest);
        self.text(text.as_str())
    }

    /// The stored value of a day counted from 1970-01-01.
    pub(super) fn unix_day(&self, day: i64) -> Result<u64, ValueProblem> {
        self.julian_day(day.saturating_add(UNIX_EPOCH))
    }

    /// Whether an integer can be a value: a category needs a code that reads like an integer.
    pub(super) fn takes_integers(&self) -> bool {
        match &self.0 {
            Kind::Boolean | Kind::Number { .. } => true,
            Kind::Category(codes) => codes.keys().any(|c| c.parse::<i64>().is_ok()),
            Kind::Date { .. } => false,
        }
    }

    /// Whether the column is a boolean.
    pub(super) fn is_boolean(&self) -> bool {
        matches!(self.0, Kind::Boolean)
    }

    /// Whether the column is a number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.0, Kind::Number { .. })
    }

    /// Whether the column is a date.
    pub(super) fn is_date(&self) -> bool {
        matches!(self.0, Kind::Date { .. })
    }

    /// A number in units of 10^−decimals, checked against the bounds and counted from the minimum.
    fn units(&self, units: i128) -> Result<u64, ValueProblem> {
        let &Kind::Number { min, max, decimals } = &self.0 else {
            return Err(ValueProblem::NotNumber);
        };
        if units > i128::from(max) {
            let max = decimal_text(max, decimals);
            return Err(ValueProblem::AboveMaximum { max });
        }
        u64::try_from(units.saturating_sub(i128::from(min))).map_err(|_| {
            let min = decimal_text(min, decimals);
            ValueProblem::BelowMinimum { min }
        })
    }

    fn julian_day(&self, day: i64) -> Result<u64, ValueProblem> {
        let &Kind::Date { min, max } = &self.0 else {
            return Err(ValueProblem::NotDate);
        };
        if day > i64::from(max.to_julian_day()) {
            return Err(ValueProblem::AfterLastDay { max });
        }
        u64::try_from(day.saturating_sub(i64::from(min.to_julian_day())))
            .map_err(|_| ValueProblem::BeforeFirstDay { min })
    }
}

/// A patient's id as it stands, which is what tells patients apart.
///
/// # Errors
/// NULL, or something in it that nobody sees: it would be another patient for that alone.
pub(super) fn patient_id(text: &str) -> Result<&str, ValueProblem> {
    if null_word(text).is_some() {
        return Err(ValueProblem::Null);
    }
    unseen(text).map_or(Ok(text), Err)
}

fn unseen(text: &str) -> Option<ValueProblem> {
    Unseen::of(text).map(|unseen| ValueProblem::Unseen(unseen.name()))
}

fn places(codes: &[Code]) -> HashMap<String, u64> {
    codes.iter().map(|c| c.code.clone()).zip(0..).collect()
}

fn boolean(text: &str) -> Result<u64, ValueProblem> {
    let is = |spellings: [&str; 4]| spellings.iter().any(|s| text.eq_ignore_ascii_case(s));
    if is(["1", "true", "t", "yes"]) {
        Ok(1)
    } else if is(["0", "false", "f", "no"]) {
        Ok(0)
    } else {
        Err(ValueProblem::NotBoolean)
    }
}

/// A decimal text in units of 10^−decimals, saturated at the ends of i128 (far beyond any bound).
///
/// Grammar: `[+-] digits [. digits] [(e|E) [+-] digits]`, with a digit before or after the point.
fn decimal(text: &str, decimals: u32) -> Result<i128, ValueProblem> {
    let (negative, text) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(ValueProblem::NotNumber);
    }

    // The value is significant·10^(zeros − fraction's length + exponent), where `significant` has
    // no trailing zero; it saturates from 39 digits on.
    let mut significant: i128 = 0;
    let mut zeros: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        match digit {
            b'0' => zeros += 1,
            b'1'..=b'9' => {
                significant =
                    times_ten(significant, zeros + 1).saturating_add(i128::from(digit - b'0'));
                zeros = 0;
            }
            _ => return Err(ValueProblem::NotNumber),
        }
    }
    let length = i64::try_from(fraction.len()).map_err(|_| ValueProblem::NotNumber)?;
    let exponent = zeros - length + exponent + i64::from(decimals);
    let magnitude = if significant == 0 {
        0
    } else if exponent < 0 {
        return Err(ValueProblem::TooManyDecimals { decimals });
    } else {
        times_ten(significant, exponent)
    };
    Ok(if negative { -magnitude } else { magnitude })
}

/// A decimal exponent; anything beyond ±10^9 is cut there, which is out of every range anyway.
fn exponent(text: &str) -> Result<i64, ValueProblem> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ValueProblem::NotNumber);
    }
    let value = digits.bytes().fold(0i64, |sum, b| {
        (sum * 10 + i64::from(b - b'0')).min(1_000_000_000)
    });
    Ok(if negative { -value } else { value })
}

/// value·10^exponent, exactly or not at all; `decimals` is for the error.
fn shift(value: i128, exponent: i64, decimals: u32) -> Result<i128, ValueProblem> {
    if exponent >= 0 {
        return Ok(times_ten(value, exponent));
    }
    let divisor = times_ten(1, -exponent);
    if value % divisor == 0 {
        Ok(value / divisor)
    } else {
        Err(ValueProblem::TooManyDecimals { decimals })
    }
}

/// value·10^exponent, saturating.
fn times_ten(value: i128, exponent: i64) -> i128 {
    if value == 0 {
        return 0;
    }
    let power = u32::try_from(exponent)
        .ok()
        .and_then(|e| 10i128.checked_pow(e));
    value.saturating_mul(power.unwrap_or(i128::MAX))
}

/// The Julian day of `YYYY-MM-DD`, alone or followed by a midnight.
fn date(text: &str) -> Result<i64, ValueProblem> {
    let (day, rest) = text.split_at_checked(10).ok_or(ValueProblem::NotDate)?;
    let number = |range: std::ops::Range<usize>| -> Result<u16, ValueProblem> {
        let digits = &day.as_bytes()[range];
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(ValueProblem::NotDate);
        }
        Ok(digits
            .iter()
            .fold(0, |sum, b| sum * 10 + u16::from(b - b'0')))
    };
    if day.as_bytes()[4] != b'-' || day.as_bytes()[7] != b'-' {
        return Err(ValueProblem::NotDate);
    }
    let small = |n: u16| u8::try_from(n).map_err(|_| ValueProblem::NotDate);
    let month = Month::try_from(small(number(5..7)?)?).map_err(|_| ValueProblem::NotDate)?;
    let date = Date::from_calendar_date(i32::from(number(0..4)?), month, small(number(8..10)?)?)
        .map_err(|_| ValueProblem::NotDate)?;
    midnight(rest)?;
    Ok(i64::from(date.to_julian_day()))
}

/// Accepts nothing, or `T00:00:00` (a space for the T) with zero fractions and `Z` or `+00:00`.
fn midnight(rest: &str) -> Result<(), ValueProblem> {
    if rest.is_empty() {
        return Ok(());
    }
    let time = rest
        .strip_prefix(['T', ' '])
        .filter(|t| t.starts_with(|c: char| c.is_ascii_digit()))
        .ok_or(ValueProblem::NotDate)?;
    let time = time.strip_suffix('Z').unwrap_or(time);
    let time = time.strip_suffix("+00:00").unwrap_or(time);
    let fraction = time
        .strip_prefix("00:00:00")
        .ok_or(ValueProblem::TimeOfDay)?;
    match fraction.strip_prefix('.') {
        None if fraction.is_empty() => Ok(()),
        Some(zeros) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => Ok(()),
        _ => Err(ValueProblem::TimeOfDay),
    }
}

/// A bound of the registry for people: `units`·10^−decimals.
fn decimal_text(units: i64, decimals: u32) -> String {
    if decimals == 0 {
        return units.to_string();
    }
    let one = 10u64.saturating_pow(decimals);
    let magnitude = units.unsigned_abs();
    let width = decimals as usize;
    format!(
        "{}{}.{:0width$}",
        if units < 0 { "-" } else { "" },
        magnitude / one,
        magnitude % one
    )
}

/// Room for the shortest text of a float or an i128, so that no cell allocates.
struct StackText {
    bytes: [u8; 64],
    length: usize,
}

impl StackText {
    fn new() -> Self {
        Self {
            bytes: [0; 64],
            length: 0,
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        std::fmt::Write::write_fmt(self, text).expect("a number's text has at most 64 bytes");
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("only whole texts are written")
    }
}

impl std::fmt::Write for StackText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self
            .bytes
            .get_mut(self.length..end)
            .ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
