//! How a CSV's cells are written, by its first lines: decimal commas, orders of dates, words for NULL. What is guessed here
//! stands in the proposal, and is checked against every cell when the file is read.

use std::io::{BufReader, Read as _};
use std::path::Path;

use csv::ReaderBuilder;

use crate::source::open_text;

/// So much of a file is looked at.
const HEAD: u64 = 1 << 20;

/// Words that stand for NULL in many exports.
const NULLS: [&str; 8] = ["NA", "N/A", "n/a", "NULL", "null", "-", "?", "."];

/// What a source's section says besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) decimal_comma: bool,
    pub(super) date_format: Option<&'static str>,
    pub(super) nulls: Vec<String>,
}

/// Dates with a day, a month and a year, whatever is between them: which of the first two is beyond 12.
#[derive(Default)]
struct Dates {
    dots: bool,
    slashes: bool,
    first_is_day: bool,
    second_is_day: bool,
}

impl Dates {
    fn note(&mut self, cell: &str) {
        let Some((separator, first, second)) = parts(cell) else {
            return;
        };
        self.dots |= separator == '.';
        self.slashes |= separator == '/';
        self.first_is_day |= first > 12;
        self.second_is_day |= second > 12;
    }

    /// Of slashes only what no other order could be.
    fn format(&self) -> Option<&'static str> {
        match (self.dots, self.slashes) {
            (true, false) if !self.second_is_day => Some("%d.%m.%Y"),
            (false, true) if self.first_is_day && !self.second_is_day => Some("%d/%m/%Y"),
            (false, true) if self.second_is_day && !self.first_is_day => Some("%m/%d/%Y"),
            _ => None,
        }
    }
}

/// A date's separator and its first two numbers.
fn parts(cell: &str) -> Option<(char, u32, u32)> {
    let separator = ['.', '/'].into_iter().find(|s| cell.contains(*s))?;
    let numbers: Vec<&str> = cell.split(separator).collect();
    let [first, second, year] = numbers.as_slice() else {
        return None;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fits = year.len() == 4 && digits(year) && first.len() <= 2 && second.len() <= 2;
    let number = |text: &str| text.parse().ok().filter(|n| (1..=31).contains(n));
    if !fits {
        return None;
    }
    Some((separator, number(first)?, number(second)?))
}

/// Whether a cell is a number with this between its digits and decimals.
fn has_decimals(cell: &str, separator: char) -> bool {
    let bare = cell.strip_prefix('-').unwrap_or(cell);
    bare.split_once(separator).is_some_and(|(whole, decimals)| {
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && digits(decimals)
    })
}

/// Looks at a file's first lines; what cannot be read tells nothing, and is told by who reads it all.
pub(super) fn sniff(file: &Path, delimiter: Option<char>) -> Dialect {
    let Ok(text) = open_text(file) else {
        return Dialect::default();
    };
    let delimiter = delimiter.and_then(|d| u8::try_from(d).ok()).unwrap_or(b',');
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(BufReader::new(text.take(HEAD)));
    let (mut commas, mut points, mut dates, mut nulls) =
        (false, false, Dates::default(), Vec::new());
    for record in reader.records().map_while(Result::ok) {
        for cell in &record {
            commas |= has_decimals(cell, ',');
            points |= has_decimals(cell, '.');
            dates.note(cell);
            if NULLS.contains(&cell) && !nulls.iter().any(|n| n == cell) {
                nulls.push(cell.to_owned());
            }
        }
    }
    nulls.sort();
    Dialect {
        // Both would be thousands and decimals, or columns of two hands.
        decimal_comma: delimiter != b',' && commas && !points,
        date_format: dates.format(),
        nulls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Dialect {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.csv");
        std::fs::write(&file, text).unwrap();
        sniff(&file, text.contains(';').then_some(';'))
    }

    #[test]
    fn orders_of_dates_are_told_where_there_is_one() {
        let format = |text| of(text).date_format;
        assert_eq!(format("a\n03.04.1976\n"), Some("%d.%m.%Y"));
        assert_eq!(format("a\n03.14.1976\n"), None);
        assert_eq!(format("a\n13/04/1976\n01/02/1976\n"), Some("%d/%m/%Y"));
        assert_eq!(format("a\n04/13/1976\n"), Some("%m/%d/%Y"));
        assert_eq!(format("a\n03/04/1976\n"), None);
        assert_eq!(format("a;b\n13/04/1976;04/13/1976\n"), None);
        assert_eq!(format("a;b\n03.04.1976;04/13/1976\n"), None);
        assert_eq!(format("a\n1976-04-03\n1.2.3\n"), None);
    }

    #[test]
    fn decimal_commas_and_words_for_null_are_seen() {
        let found = of("a;b\n3,25;NA\n-7,5;?\n1;NA\n");
        assert!(found.decimal_comma);
        assert_eq!(found.nulls, ["?", "NA"]);
        assert!(!of("a;b\n3,25;1.5\n").decimal_comma);
        assert!(!of("a,b\n\"3,25\",1\n").decimal_comma);
        assert_eq!(of("a;b\nx;NA2\n"), Dialect::default());
    }
}
