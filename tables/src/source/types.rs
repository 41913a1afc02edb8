//! The types that a mapping's `types` may give to a column, and what of a text is one of them.

use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::types::{Date32Type, Float64Type, Int64Type};
use datafusion::arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use datafusion::arrow::datatypes::{DataType, TimeUnit};

use super::convert::Convert;
use crate::mapping::ColumnType;

/// Beyond it a float does not hold each whole number.
pub(super) const EXACT: u64 = 1 << 53;

/// The same as a float.
pub(super) const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// The Arrow type a mapping's type stands for.
pub(super) fn arrow_type(column: ColumnType) -> DataType {
    match column {
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Utf8 => DataType::Utf8,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// A type as a refusal names it.
pub(super) fn wanted_text(column: ColumnType) -> &'static str {
    match column {
        ColumnType::Boolean => "a boolean (true or false)",
        ColumnType::Int => "a whole number without blanks, + or leading zeros",
        ColumnType::Float => "a number",
        ColumnType::Utf8 => "text",
        ColumnType::Date => "a date (YYYY-MM-DD, or as date_format says)",
        ColumnType::Timestamp => {
            "a timestamp without an offset (YYYY-MM-DD HH:MM:SS; with one it is a \"timestamptz\")"
        }
        ColumnType::Timestamptz => "a timestamp with an offset (YYYY-MM-DDTHH:MM:SS+01:00)",
    }
}

/// Whether a reader will take `text` as `wanted`.
pub(super) fn parses(text: &str, wanted: ColumnType) -> bool {
    match wanted {
        ColumnType::Boolean => is_boolean(text),
        ColumnType::Int => is_whole(text) && Int64Type::parse(text).is_some(),
        ColumnType::Float => {
            !text.contains(char::is_whitespace)
                && Float64Type::parse(text).is_some_and(f64::is_finite)
        }
        ColumnType::Utf8 => true,
        ColumnType::Date => Convert::Day.takes(text),
        ColumnType::Timestamp => Convert::Moment.takes(text),
        ColumnType::Timestamptz => has_offset(text),
    }
}

/// Whether `text` is a whole number as one is written: `007`, `+7` and ` 7` would be 7, too.
pub(super) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all && (digits == "0" || !digits.starts_with('0'))
}

pub(super) fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// Whether `text` is `YYYY-MM-DD` and nothing more.
pub(super) fn is_date(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 10 && b[4] == b'-' && b[7] == b'-' && Date32Type::parse(text).is_some()
}

/// Whether `text` is a moment whatever the reader's time zone.
fn has_offset(text: &str) -> bool {
    let read_in = |zone: &str| {
        let zone: Tz = zone.parse().ok()?;
        string_to_datetime(&zone, text)
            .ok()
            .map(|t| t.timestamp_micros())
    };
    let here = read_in("+00:00");
    here.is_some() && here == read_in("+01:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_with_an_offset_or_without() {
        for (text, plain, zoned) in [
            ("2020-01-01T10:00:00", true, false),
            ("2020-01-01 10:00:00.25", true, false),
            ("2020-01-01", true, false),
            ("2020-01-01T10:00:00Z", false, true),
            ("2020-01-01T10:00:00-05:00", false, true),
            ("yesterday", false, false),
        ] {
            assert_eq!(parses(text, ColumnType::Timestamp), plain, "{text}");
            assert_eq!(parses(text, ColumnType::Timestamptz), zoned, "{text}");
        }
    }
}
