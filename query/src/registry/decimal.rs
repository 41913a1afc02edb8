//! Decimal text read exactly: no value passes through a float.

use std::cmp::Ordering;

/// Beyond every stored value in units of 10^-9; larger magnitudes are cut to it.
const BEYOND: i128 = 10_i128.pow(30);

/// An exact decimal number: `digits` (an integer) times 10^`exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Values 0..=9 without leading or trailing zeros; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
}

/// A decimal in units of 10^-decimals, rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scaled {
    /// The largest integer that is not above the number; within ±10^30.
    pub floor: i128,
    /// Whether the number is that integer.
    pub exact: bool,
}

impl Decimal {
    /// Reads `[+-] digits [. digits] [e [+-] digits]`, with a digit before or after the point.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        if all().next().is_none() || !all().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut digits: Vec<u8> = all().map(|b| b - b'0').skip_while(|d| *d == 0).collect();
        let kept = digits.iter().rposition(|d| *d != 0).map_or(0, |i| i + 1);
        let dropped = digits.len() - kept;
        digits.truncate(kept);
        let zero = digits.is_empty();
        let exponent = exponent + length(dropped) - length(fraction.len());
        Some(Self {
            negative: negative && !zero,
            digits,
            exponent: if zero { 0 } else { exponent },
        })
    }

    /// The number in units of 10^-decimals.
    pub fn at_scale(&self, decimals: u32) -> Scaled {
        let shift = self.exponent + i64::from(decimals);
        let kept = length(self.digits.len()) + shift;
        let (size, exact) = if self.digits.is_empty() {
            (0, true)
        } else if kept > 30 {
            (BEYOND, true)
        } else if kept <= 0 {
            (0, false)
        } else {
            let digit = |i| i128::from(self.digits.get(i).copied().unwrap_or(0));
            let kept = usize::try_from(kept).unwrap_or(0);
            let size = (0..kept).fold(0_i128, |sum, i| sum * 10 + digit(i));
            (size, shift >= 0)
        };
        let floor = match (self.negative, exact) {
            (false, _) => size,
            (true, true) => -size,
            (true, false) => -size - 1,
        };
        Scaled { floor, exact }
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        let rank = |d: &Self| (!d.digits.is_empty()).then(|| length(d.digits.len()) + d.exponent);
        rank(self)
            .cmp(&rank(other))
            .then_with(|| self.digits.cmp(&other.digits))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Exponents beyond ±10^9 act like ±10^9: every number there is zero-sized or beyond all bounds.
fn exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.bytes().fold(0_i64, |n, b| {
        (n * 10 + i64::from(b - b'0')).min(1_000_000_000)
    });
    Some(sign * size)
}

fn length(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX / 4)
}

/// `units` of 10^-decimals as text with exactly `decimals` digits after the point.
pub(crate) fn format(units: i128, decimals: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let places = decimals as usize;
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scaled(text: &str, decimals: u32) -> (i128, bool) {
        let s = Decimal::parse(text).unwrap().at_scale(decimals);
        (s.floor, s.exact)
    }

    #[test]
    fn scales_exactly_and_rounds_down() {
        assert_eq!(scaled("24.95", 1), (249, false));
        assert_eq!(scaled("-24.95", 1), (-250, false));
        assert_eq!(scaled("24.950", 2), (2495, true));
        assert_eq!(scaled("1e3", 0), (1000, true));
        assert_eq!(scaled("12.5E-1", 2), (125, true));
        assert_eq!(scaled(".5", 0), (0, false));
        assert_eq!(scaled("5.", 0), (5, true));
        assert_eq!(scaled("-0.0", 3), (0, true));
        assert_eq!(scaled("-1e-999999999999", 9), (-1, false));
        assert_eq!(scaled("1e999999999999", 9), (BEYOND, true));
        assert_eq!(scaled("-1e999", 0), (-BEYOND, true));
        assert_eq!(scaled("0e999", 0), (0, true));
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for text in [
            "", "-", ".", "e3", "1e", "1e+", "1.2.3", "1_000", " 1", "0x1", "NaN", "inf", "--1",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_units_agree(units in any::<i64>(), decimals in 0_u32..10) {
            let text = format(i128::from(units), decimals);
            prop_assert_eq!(scaled(&text, decimals), (i128::from(units), true));
        }

        #[test]
        fn orders_like_integers(a in -2000_i64..2000, b in -2000_i64..2000, decimals in 0_u32..4) {
            let read = |n: i64| Decimal::parse(&format(i128::from(n), decimals)).unwrap();
            prop_assert_eq!(read(a).cmp(&read(b)), a.cmp(&b));
        }
    }
}
