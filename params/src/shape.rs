use std::fmt;

use galen_circuits::{
    class::{Class, Size},
    equation::Rows,
};

/// A shape: for how many patients a parameter set is. It fixes the number of rounds of the circuits and the
/// rows of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape(u32);

const NAMES: [&str; 11] = [
    "16k", "32k", "64k", "128k", "256k", "512k", "1m", "2m", "4m", "8m", "16m",
];

impl Shape {
    /// All shapes, smallest first.
    pub const ALL: [Shape; NAMES.len()] = {
        let mut all = [Shape(Rows::LEAST_BITS); NAMES.len()];
        let mut i = 1;
        while i < NAMES.len() {
            all[i] = Shape(all[i - 1].0 + 1);
            i += 1;
        }
        all
    };

    /// The smallest shape that holds so many patients, of which there must be one and at most 16 million.
    #[must_use]
    pub fn for_patients(patients: usize) -> Option<Self> {
        Rows::of(patients).map(|rows| Self(rows.row_bits))
    }

    /// L: variables that name a row.
    #[must_use]
    pub fn row_bits(self) -> u32 {
        self.0
    }

    /// ν: variables that name a row within its chunk.
    #[must_use]
    pub fn chunk_bits(self) -> u32 {
        Rows::chunk_bits_for(self.0)
    }

    /// 2^L: the most patients.
    #[must_use]
    pub fn capacity(self) -> usize {
        1 << self.0
    }

    /// How the rows of `present` patients lie; consistent for 1 to [`Shape::capacity`] of them.
    #[must_use]
    pub fn rows(self, present: usize) -> Rows {
        Rows {
            row_bits: self.0,
            chunk_bits: self.chunk_bits(),
            present,
        }
    }

    /// The circuit's class of that size.
    #[must_use]
    pub fn class(self, size: Size) -> Class {
        Class {
            rounds: self.0,
            size,
        }
    }

    /// The name used in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES[(self.0 - Rows::LEAST_BITS) as usize]
    }

    /// The shape of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_patients_has_the_smallest_shape_that_holds_it() {
        assert_eq!(Shape::ALL[0].row_bits(), Rows::LEAST_BITS);
        assert_eq!(Shape::ALL[NAMES.len() - 1].row_bits(), Rows::MOST_BITS);
        assert_eq!(Shape::for_patients(0), None);
        for shape in Shape::ALL {
            let most = shape.capacity();
            assert_eq!(Shape::for_patients(most), Some(shape));
            assert_eq!(Shape::from_name(shape.name()), Some(shape));
            assert!(shape.rows(most).is_consistent() && !shape.rows(most + 1).is_consistent());
            assert_eq!(Some(shape.rows(most)), Rows::of(most));
        }
        assert_eq!(Shape::for_patients((16 << 20) + 1), None);
        assert_eq!(Shape::for_patients(1_000_000).unwrap().name(), "1m");
        assert_eq!(Shape::from_name("clinic"), None);
    }
}
