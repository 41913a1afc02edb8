//! The sizes in which the circuit comes (`docs/spec/circuit.md`, "Size classes").

use std::fmt;

use crate::equation::FACTORS;

/// How much an equation may hold; which query it is does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// L: rounds of the sumcheck, one a variable of the rows.
    pub rounds: u32,
    /// Its capacity.
    pub size: Size,
}

/// A class's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// Registration: lookups only.
    Registration,
    /// One root, few predicates.
    Small,
    /// Some filters and predicates.
    Medium,
    /// Many predicates, some filters on means.
    Large,
    /// Whatever a query may ask for.
    Huge,
}

impl Size {
    /// All, in the order in which they are tried.
    pub const ALL: [Size; 5] = [
        Size::Registration,
        Size::Small,
        Size::Medium,
        Size::Large,
        Size::Huge,
    ];

    /// B: slots for lookups and groupings.
    #[must_use]
    pub fn slots(self) -> usize {
        match self {
            Size::Registration => 48,
            Size::Small => 5,
            Size::Medium => 14,
            Size::Large => 48,
            Size::Huge => 120,
        }
    }

    /// M: slots for the tables' entries.
    #[must_use]
    pub fn tables(self) -> usize {
        match self {
            Size::Registration | Size::Large => 16,
            Size::Small => 2,
            Size::Medium => 4,
            Size::Huge => 48,
        }
    }

    /// H: blocks.
    #[must_use]
    pub fn blocks(self) -> usize {
        match self {
            Size::Registration => 0,
            Size::Small => 1,
            Size::Medium => 2,
            Size::Large => 6,
            Size::Huge => 24,
        }
    }

    /// P: products of two combinations in a block.
    #[must_use]
    pub fn pairs(self) -> usize {
        match self {
            Size::Registration => 0,
            Size::Small => 1,
            Size::Medium => 4,
            Size::Large | Size::Huge => 12,
        }
    }

    /// The name in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Size::Registration => "registration",
            Size::Small => "small",
            Size::Medium => "medium",
            Size::Large => "large",
            Size::Huge => "huge",
        }
    }

    /// The size of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Evaluations of a block: e_G, s, the factors, ℓ₀ and the pairs.
    pub(crate) fn block_evaluations(self) -> usize {
        3 + FACTORS + 2 * self.pairs()
    }

    /// K: evaluations at r in the circuit's order, the mask's not among them.
    #[must_use]
    pub fn evaluations(self) -> usize {
        2 * self.slots() + self.tables() + 1 + self.blocks() * self.block_evaluations()
    }
}

impl Class {
    /// The name in files: `small-14`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}-{}", self.size.name(), self.rounds)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
