use std::fmt;

/// A shape: how many rows a chunk has. Rows are chosen so that the gates fill a power of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// 480 rows: for tests.
    Tiny,
    /// 7,616 rows: `select` and `recode10` over a domain of 2^14.
    Clinic,
    /// 31,744 rows: `select` and `recode10` over a domain of 2^16.
    Hospital,
}

impl Shape {
    /// All shapes, smallest first.
    pub const ALL: [Shape; 3] = [Shape::Tiny, Shape::Clinic, Shape::Hospital];

    /// n: the rows of a chunk.
    #[must_use]
    pub fn rows(self) -> usize {
        match self {
            Shape::Tiny => 480,
            Shape::Clinic => 7_616,
            Shape::Hospital => 31_744,
        }
    }

    /// The name used in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Shape::Tiny => "tiny",
            Shape::Clinic => "clinic",
            Shape::Hospital => "hospital",
        }
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
