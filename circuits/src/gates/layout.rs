use std::ops::Range;

/// What a committed slot holds and how the link treats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// One entry a row of a column.
    Vector,
    /// One entry: the sum over all rows of a column.
    Total,
    /// Committed in D but linked to no column (recode's multiplicities).
    Free,
    /// Not committed: the verifier fills it in (recode's S).
    Public,
}

/// A run of instance variables after ρ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its name in the spec page.
    pub name: &'static str,
    /// Its kind.
    pub kind: SlotKind,
    /// Its instance variables.
    pub len: usize,
}

/// The instance of a gate: `[1 | p₁..p_ℓ | ρ | slots]`, column slots first, then free, then public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// ℓ: public inputs, without the 1 and the public slots.
    pub publics: usize,
    /// The slots in order.
    pub slots: Vec<Slot>,
}

impl Layout {
    /// The index of ρ.
    #[must_use]
    pub fn rho(&self) -> usize {
        1 + self.publics
    }

    /// Variables that get a consistency row: 1, p and ρ.
    #[must_use]
    pub fn head(&self) -> usize {
        self.publics + 2
    }

    /// All instance variables.
    #[must_use]
    pub fn instance(&self) -> usize {
        self.head() + self.slots.iter().map(|s| s.len).sum::<usize>()
    }

    /// Where slot `index` stands among the instance variables.
    #[must_use]
    pub fn range(&self, index: usize) -> Range<usize> {
        let start = self.head() + self.slots[..index].iter().map(|s| s.len).sum::<usize>();
        start..start + self.slots[index].len
    }

    /// The slots that belong to a column, in the order of a proof's column commitments.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.slots
            .iter()
            .filter(|s| matches!(s.kind, SlotKind::Vector | SlotKind::Total))
            .count()
    }

    /// ρ and the committed slots: what D is made of.
    #[must_use]
    pub fn committed(&self) -> Range<usize> {
        let public: usize = self
            .slots
            .iter()
            .filter(|s| s.kind == SlotKind::Public)
            .map(|s| s.len)
            .sum();
        self.rho()..self.instance() - public
    }

    /// The verifier's slot, if the gate has one.
    #[must_use]
    pub fn public_slot(&self) -> Range<usize> {
        self.committed().end..self.instance()
    }
}
