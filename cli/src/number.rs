//! Computed numbers as text: whole ones without decimals, tiny ones with a power of ten.

/// Some five significant digits; a whole number has no decimals, a tiny one a power of ten.
pub fn real(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    let decimals = match size {
        s if s < 1e15 && s.fract() == 0.0 => 0,
        s if s >= 1e15 => return power(value, 4),
        s if s >= 1000.0 => 1,
        s if s >= 100.0 => 2,
        s if s >= 10.0 => 3,
        s if s >= 0.1 => 4,
        s if s >= 0.001 => 6,
        _ => return power(value, 4),
    };
    format!("{value:.decimals$}")
}

/// A p-value: as [`real`], and two digits of one that is tiny.
pub fn p_value(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.001 {
        return power(value, 1);
    }
    real(value)
}

/// All digits that tell the number from its neighbours, for programs that read text: `5.5e-140`, and not its zeros.
pub fn exact(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-5..1e15).contains(&size) {
        return format!("{value:e}");
    }
    value.to_string()
}

/// With a power of ten and at most so many decimals.
fn power(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{exponent}")
        }
        _ => text,
    }
}

/// Pads the plain numbers of a column so that their decimal points stand below one another when the column is
/// aligned to the right. Texts that are no plain numbers stay as they are.
pub fn align<'a>(column: impl Iterator<Item = &'a mut String>) {
    let column: Vec<&mut String> = column.filter(|text| is_plain(text)).collect();
    let most = column.iter().map(|text| tail(text)).max().unwrap_or(0);
    for text in column {
        let missing = most - tail(text);
        text.extend(std::iter::repeat_n(' ', missing));
    }
}

/// How many characters of a number stand after its units.
fn tail(text: &str) -> usize {
    text.find('.').map_or(0, |point| text.len() - point)
}

fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    !digits.is_empty() && digits.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        for (value, text) in [
            (2.345_678, "2.3457"),
            (12_345.678, "12345.7"),
            (-0.25, "-0.2500"),
            (0.0, "0"),
            (-0.0, "0"),
            (12.0, "12"),
            (-3.0, "-3"),
            (0.012_345_6, "0.012346"),
            (5.5e-140, "5.5e-140"),
            (-1e-7, "-1e-7"),
            (1.234_56e-4, "1.2346e-4"),
            (1e300, "1e300"),
        ] {
            assert_eq!(real(value), text);
        }
    }

    #[test]
    fn a_tiny_p_value_has_two_digits() {
        for (value, text) in [
            (5.512_34e-140, "5.5e-140"),
            (2e-9, "2e-9"),
            (0.049_9, "0.049900"),
            (1.0, "1"),
            (0.0, "0"),
        ] {
            assert_eq!(p_value(value), text);
        }
    }

    #[test]
    fn exact_numbers_read_back_and_have_no_row_of_zeros() {
        for value in [5.512_34e-140, 0.1 + 0.2, 12.0, 0.0, -3.5e200, 1e-5] {
            let text = exact(value);
            assert_eq!(text.parse::<f64>().unwrap(), value, "{text}");
            assert!(text.len() < 26, "{text}");
        }
        assert_eq!(exact(5.5e-140), "5.5e-140");
        assert_eq!(exact(12.0), "12");
    }

    #[test]
    fn decimal_points_stand_below_one_another() {
        let mut column = ["1", "0.2500", "–", "12.5", "5.5e-140"].map(str::to_owned);
        align(column.iter_mut());
        assert_eq!(column, ["1     ", "0.2500", "–", "12.5   ", "5.5e-140"]);
    }
}
