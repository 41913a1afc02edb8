//! Eight coordinates of points: elements of the base field in G1 (`N` = 1), of its extension by u² = −1 in G2 (`N` = 2).

use ark_bn254::Fq;

use crate::lanes::{LANES, Lanes, Products, Row};

/// Eight elements by their parts; *below n* says so of each part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elements<const N: usize>([Lanes<Fq>; N]);

impl<const N: usize> Elements<N> {
    /// Ones.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn one() -> Self {
        let mut parts = [Lanes::zero(); N];
        parts[0] = Lanes::splat(Fq::from(1));
        Self(parts)
    }

    /// Numbers of eight rows, below 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn of_rows(rows: [&[Row; N]; LANES]) -> Self {
        let mut parts = [Lanes::zero(); N];
        for (n, part) in parts.iter_mut().enumerate() {
            *part = Lanes::of_rows(rows.map(|r| &r[n]));
        }
        Self(parts)
    }

    /// Numbers below 2, by part and lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn into_rows(self) -> [[Row; LANES]; N] {
        let mut rows = [[[0; 4]; LANES]; N];
        for (rows, part) in rows.iter_mut().zip(self.0) {
            *rows = part.into_rows();
        }
        rows
    }

    /// By lane, of numbers below 8.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn store(&self) -> [[Fq; N]; LANES] {
        let parts = self.0.map(|part| part.store());
        std::array::from_fn(|lane| parts.map(|p| p[lane]))
    }

    /// Below 2.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load(elements: &[[Fq; N]; LANES]) -> Self {
        let part = |n: usize| Lanes::load(&elements.map(|e| e[n]));
        Self(std::array::from_fn(part))
    }

    /// a + b, below 4, of numbers below 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(&other.0) {
            *part = part.plus(other);
        }
        Self(parts)
    }

    /// a − b, below 4, of numbers below 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(&other.0) {
            *part = part.minus(other);
        }
        Self(parts)
    }

    /// The same below 2, of numbers below 8.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduced(&self) -> Self {
        let mut parts = self.0;
        for part in &mut parts {
            *part = part.reduced();
        }
        Self(parts)
    }

    /// a·b, below 2, of a below 2 and b below 8.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn times(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let mut first = Products::zero();
        first.add::<1, 3>(&a[0], &b[0]);
        let mut product = [Lanes::zero(); N];
        if N == 2 {
            // (a₀ + a₁u)(b₀ + b₁u) with u² = −1; of sizes 2·8 + 4·8 and 2·8 + 2·8.
            first.add::<2, 3>(&Lanes::zero().minus(&a[1]), &b[1]);
            let mut second = Products::zero();
            second.add::<1, 3>(&a[0], &b[1]);
            second.add::<1, 3>(&a[1], &b[0]);
            product[1] = second.reduced();
        }
        product[0] = first.reduced();
        Self(product)
    }

    /// The other's lanes where the mask has bits.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn or(&self, mask: u8, other: &Self) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(&other.0) {
            *part = part.or(mask, other);
        }
        Self(parts)
    }

    /// Zeros.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn zero() -> Self {
        Self([Lanes::zero(); N])
    }

    /// Which lanes are 0 in the field, of numbers below 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn are_zero(&self) -> u8 {
        let mut mask = u8::MAX;
        for part in &self.0 {
            mask &= part.are_zero();
        }
        mask
    }

    /// Which lanes are the number 0 itself.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn are_blank(&self) -> u8 {
        let mut mask = u8::MAX;
        for part in &self.0 {
            mask &= part.are_blank();
        }
        mask
    }
}
