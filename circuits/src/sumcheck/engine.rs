//! One row after another, or eight at once: the same rounds on both.

use galen_field::Work;
use zeroize::Zeroize;

use super::{kernel::bind, number::Number, source::Rows};
use crate::Fr;

/// A way of computing.
pub(super) trait Engine: Copy + Sync {
    /// As many elements as it computes with at once, of as many rows.
    type Number: Number<Total: Send> + Send + Sync + Zeroize;
    /// What a round is bound to.
    type Challenge: Sync;
    /// So many.
    const LANES: usize;

    /// Zeros.
    fn zero(self) -> Self::Number;
    /// The elements.
    fn load(self, elements: &[Fr]) -> Self::Number;
    /// They, again.
    fn store(number: &Self::Number, out: &mut [Fr]);
    /// A total of nothing.
    fn nothing(self) -> <Self::Number as Number>::Total;
    /// What was added to it.
    fn sum(total: <Self::Number as Number>::Total) -> Fr;
    /// A challenge for [`Self::bind`].
    fn challenge(self, r: Fr) -> Self::Challenge;
    /// a + (b − a)·r.
    fn bind(a: &Self::Number, b: &Self::Number, r: &Self::Challenge) -> Self::Number;
    /// Writes the columns of as many rows as there are lanes to `out`.
    fn fill(self, rows: &Rows<'_>, row: usize, out: &mut [Self::Number]);
    /// Does some work with it.
    fn run<W: Work>(self, work: W) -> W::Result;
}

/// One row after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Single;

impl Engine for Single {
    type Number = Fr;
    type Challenge = Fr;
    const LANES: usize = 1;

    fn zero(self) -> Fr {
        Fr::from(0u64)
    }

    fn load(self, elements: &[Fr]) -> Fr {
        elements[0]
    }

    fn store(number: &Fr, out: &mut [Fr]) {
        out[0] = *number;
    }

    fn nothing(self) -> Fr {
        Fr::from(0u64)
    }

    fn sum(total: Fr) -> Fr {
        total
    }

    fn challenge(self, r: Fr) -> Fr {
        r
    }

    #[inline(always)]
    fn bind(a: &Fr, b: &Fr, r: &Fr) -> Fr {
        bind(*a, *b, *r)
    }

    fn fill(self, rows: &Rows<'_>, row: usize, out: &mut [Fr]) {
        rows.fill(row, out);
    }

    fn run<W: Work>(self, work: W) -> W::Result {
        work.run()
    }
}

#[cfg(target_arch = "x86_64")]
mod eights {
    use ark_ff::One;
    use galen_field::{Eight, Total, Vectors};

    use super::*;

    /// What columns are multiplied with, so that their sixteenths are they.
    pub(in super::super) const SCALE: u64 = 16;

    impl Engine for Vectors {
        type Number = Eight;
        /// 1 − r and r.
        type Challenge = [Eight; 2];
        const LANES: usize = 8;

        #[inline(always)]
        fn zero(self) -> Eight {
            Vectors::zero(self)
        }

        fn load(self, elements: &[Fr]) -> Eight {
            Vectors::load(self, elements.try_into().expect("eight elements"))
        }

        fn store(number: &Eight, out: &mut [Fr]) {
            out.copy_from_slice(&number.elements());
        }

        fn nothing(self) -> Total {
            Vectors::nothing(self)
        }

        fn sum(total: Total) -> Fr {
            total.sum()
        }

        fn challenge(self, r: Fr) -> [Eight; 2] {
            [Fr::one() - r, r].map(|e| self.splat(e))
        }

        #[inline(always)]
        fn bind(a: &Eight, b: &Eight, r: &[Eight; 2]) -> Eight {
            Eight::products(&[*a, *b], r)
        }

        /// The columns have been multiplied with [`SCALE`].
        #[inline(always)]
        fn fill(self, rows: &Rows<'_>, row: usize, out: &mut [Eight]) {
            rows.fill_eight(self, row, out);
        }

        #[inline(always)]
        fn run<W: Work>(self, work: W) -> W::Result {
            Vectors::run(self, work)
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use eights::SCALE;
