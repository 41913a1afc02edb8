//! Dates and times as a text writes them: an offset moves no day.

use chrono::Utc;
use datafusion::arrow::array::types::Date32Type;
use datafusion::arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};

/// The day of `YYYY-MM-DD`, alone or followed by a time of day, in days from 1970-01-01.
pub(crate) fn day(text: &str) -> Option<i32> {
    let (day, rest) = text.split_at_checked(10)?;
    let bytes = day.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    if !rest.is_empty() && !is_time(rest) {
        return None;
    }
    Date32Type::parse(day)
}

/// The moment of `YYYY-MM-DD`, alone or followed by a time of day without an offset, in microseconds.
pub(crate) fn moment(text: &str) -> Option<i64> {
    day(text)?;
    if text.len() > 10 && has_offset(&text[10..]) {
        return None;
    }
    let moment = string_to_datetime(&Utc, text).ok()?;
    Some(moment.timestamp_micros())
}

/// Whether `text` is a time that a date could be taken from, but for an offset behind it.
pub(crate) fn has_offset_behind(text: &str) -> bool {
    day(text).is_some() && text.len() > 10 && has_offset(&text[10..])
}

/// `T` or a space, hours and minutes, perhaps seconds with a fraction, perhaps an offset.
fn is_time(rest: &str) -> bool {
    let Some(time) = rest.strip_prefix(['T', ' ', 't']) else {
        return false;
    };
    let clock = time.strip_suffix(['Z', 'z']).unwrap_or(time);
    let clock = match clock.rfind(['+', '-']) {
        Some(at) if is_offset(&clock[at + 1..]) => clock[..at].trim_end(),
        Some(_) => return false,
        None => clock,
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = whole.split(':');
    let within = |part: Option<&str>, most: u8| {
        part.is_some_and(|p| p.len() == 2 && p.parse::<u8>().is_ok_and(|n| n <= most))
    };
    let hours_and_minutes = within(parts.next(), 23) && within(parts.next(), 59);
    let seconds = parts.next().is_none_or(|s| within(Some(s), 60));
    let digits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    hours_and_minutes && seconds && parts.next().is_none() && digits
}

fn has_offset(rest: &str) -> bool {
    rest.ends_with(['Z', 'z']) || rest.contains(['+', '-'])
}

fn is_offset(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    matches!(digits, 2 | 4) && text.bytes().all(|b| b.is_ascii_digit() || b == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_day_as_written() {
        let nineteenth = day("1976-01-19");
        assert_eq!(nineteenth, Some(2209));
        for text in [
            "1976-01-19T22:58:16-05:00",
            "1976-01-19T22:58:16.123-0500",
            "1976-01-19 22:58:16",
            "1976-01-19T22:58",
            "1976-01-19T22:58:16Z",
            "1976-01-19T00:10:00+14:00",
            "1976-01-19 22:58:16+02",
        ] {
            assert_eq!(day(text), nineteenth, "{text}");
        }
        for text in [
            "",
            "1976",
            "1976-01",
            "1976-1-19",
            "19.01.1976",
            "1976-01-32",
            "1976-01-19x",
            "1976-01-19T",
            "1976-01-19T25:00:00",
            "1976-01-19T22:58:16 Berlin",
            " 1976-01-19",
            "1976-01-19T22:58:16-5",
            "1976-01-19T22:58:16.",
            "1976-01-19T22:58:16ZZ",
            "1976-01-19Z",
            "ß976-01-19",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_has_no_offset() {
        assert_eq!(moment("1970-01-01"), Some(0));
        assert_eq!(moment("1970-01-01T00:00:01"), Some(1_000_000));
        assert_eq!(moment("1970-01-01 00:00:01.5"), Some(1_500_000));
        // As exports write what has no end; beyond what nanoseconds hold.
        assert_eq!(moment("9999-12-31 00:00:00"), Some(253_402_214_400_000_000));
        for text in ["1970-01-01T00:00:01Z", "1970-01-01T00:00:01-05:00"] {
            assert_eq!(moment(text), None, "{text}");
            assert!(has_offset_behind(text), "{text}");
        }
        assert!(!has_offset_behind("1970-01-01T00:00:01"));
    }
}
