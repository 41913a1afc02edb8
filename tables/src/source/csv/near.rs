//! How near a text column of a CSV is to another type: a few odd cells among thousands of numbers or dates are most often
//! a mistake, or a word for NULL.

use super::infer::{BOOLEAN, DATE, FLOAT, INT, TIMESTAMP};

/// What a column could nearly be, and what to call one of them.
const KINDS: [(u8, &str); 4] = [
    (INT | FLOAT, "number"),
    (DATE, "date"),
    (TIMESTAMP, "time"),
    (BOOLEAN, "boolean"),
];

/// After so many cells a column that is near to nothing is not looked at any more.
const PATIENCE: u64 = 1_000;

/// Cells by kind.
#[derive(Debug, Default)]
pub(super) struct Near {
    cells: u64,
    /// How many are of each kind, and the line of the first that is not.
    kinds: [(u64, Option<u64>); 4],
}

impl Near {
    /// Takes in a cell that could be of these kinds; blanks around it are none of its matters.
    pub(super) fn note(&mut self, kinds: u8, line: u64) {
        self.cells += 1;
        for ((kind, _), (count, odd)) in KINDS.iter().zip(&mut self.kinds) {
            if kinds & kind == 0 {
                odd.get_or_insert(line);
            } else {
                *count += 1;
            }
        }
    }

    /// Whether nothing is to be said of the column any more.
    pub(super) fn is_far(&self) -> bool {
        self.cells >= PATIENCE && self.nearest().is_none()
    }

    /// The kind of at least nine of ten cells.
    fn nearest(&self) -> Option<(&'static str, u64, Option<u64>)> {
        let kinds = KINDS.iter().zip(self.kinds);
        let mut near = kinds.filter(|(_, (count, _))| count * 10 >= self.cells * 9);
        near.next()
            .map(|((_, name), (count, odd))| (*name, self.cells - count, odd))
    }

    /// What is to be said of a column `name` that is text.
    pub(super) fn warning(&self, name: &str) -> Option<String> {
        let (kind, odd, line) = self.nearest().filter(|_| self.cells > 1)?;
        let cells = self.cells;
        Some(match line {
            None => format!(
                "column `{name}`: whole numbers beyond 2^53 stand beside fractions; as floats they would lose digits, \
                 so all is text"
            ),
            Some(line) => format!(
                "column `{name}`: {odd} of {cells} cells are no {kind} (the first in line {line}), which makes all of it \
                 text: correct them, say the word for NULL in nulls, or say \"utf8\" in types where that is meant"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_odd_cells_are_told_and_a_text_is_not() {
        let mut near = Near::default();
        for line in 2..=100 {
            near.note(if line == 57 { 0 } else { FLOAT }, line);
        }
        let said = near.warning("crp").unwrap();
        assert!(
            said.contains("1 of 99 cells are no number (the first in line 57)"),
            "{said}"
        );
        let mut text = Near::default();
        for line in 2..=2_000 {
            text.note(if line % 2 == 0 { INT | FLOAT } else { 0 }, line);
        }
        assert!(text.is_far() && text.warning("x").is_none());
        let mut one = Near::default();
        one.note(0, 2);
        assert_eq!(one.warning("x"), None);
    }
}
