//! Multilinear extensions on the Boolean cube, least significant bit first: r\[j\] belongs to bit j of a row's
//! number, eq(r, i) = Π_j (r_j i_j + (1 − r_j)(1 − i_j)).

use ark_ff::{One, Zero};

use crate::Fr;

/// eq(r, i) for every i < 2^|r|.
#[must_use]
pub fn eq_table(r: &[Fr]) -> Vec<Fr> {
    let mut table = Vec::with_capacity(1 << r.len());
    table.push(Fr::one());
    for rj in r {
        let half = table.len();
        for i in 0..half {
            let high = table[i] * rj;
            table[i] -= high;
            table.push(high);
        }
    }
    table
}

/// eq(r, i) for one i.
#[must_use]
pub fn eq_at(r: &[Fr], i: usize) -> Fr {
    let one = Fr::one();
    let factors = r.iter().enumerate();
    factors
        .map(|(j, rj)| if i >> j & 1 == 1 { *rj } else { one - rj })
        .product()
}

/// What an interval of rows weighs: Σ eq(r, i) and Σ i·eq(r, i), in O(|r|) each.
#[derive(Debug, Clone)]
pub struct Prefix<'a> {
    r: &'a [Fr],
    /// For each number of low bits s: Σ_{i < 2^s} i·eq(r_{<s}, i) = Σ_{j<s} 2^j r_j.
    first_moment: Vec<Fr>,
}

impl<'a> Prefix<'a> {
    /// For the point `r`.
    #[must_use]
    pub fn new(r: &'a [Fr]) -> Self {
        let mut first_moment = vec![Fr::zero()];
        let mut power = Fr::one();
        for rj in r {
            let last = first_moment[first_moment.len() - 1];
            first_moment.push(last + power * rj);
            power += power;
        }
        Self { r, first_moment }
    }

    /// r.
    #[must_use]
    pub fn point(&self) -> &'a [Fr] {
        self.r
    }

    /// (Σ_{i<n} eq(r, i), Σ_{i<n} i·eq(r, i)) for n ≤ 2^|r|.
    ///
    /// # Panics
    /// When n exceeds the cube.
    #[must_use]
    pub fn below(&self, n: usize) -> (Fr, Fr) {
        let bits = self.r.len();
        assert!(n <= 1 << bits, "a prefix of the cube");
        if n == 1 << bits {
            return (Fr::one(), self.first_moment[bits]);
        }
        // n's binary digits cut the prefix into aligned blocks, highest first.
        let (mut weight, mut moment) = (Fr::zero(), Fr::zero());
        let (mut path, mut start) = (Fr::one(), 0u64);
        for j in (0..bits).rev() {
            let rj = self.r[j];
            if n >> j & 1 == 1 {
                let block = path * (Fr::one() - rj);
                weight += block;
                moment += block * (Fr::from(start) + self.first_moment[j]);
                path *= rj;
                start += 1 << j;
            } else {
                path *= Fr::one() - rj;
            }
        }
        (weight, moment)
    }

    /// The same sums over first ≤ i < last.
    #[must_use]
    pub fn between(&self, first: usize, last: usize) -> (Fr, Fr) {
        let (w1, m1) = self.below(first);
        let (w2, m2) = self.below(last);
        (w2 - w1, m2 - m1)
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;

    use super::*;

    #[test]
    fn tables_points_and_prefixes_agree() {
        let mut rng = ark_std::test_rng();
        for bits in 0..6 {
            let r: Vec<Fr> = (0..bits).map(|_| Fr::rand(&mut rng)).collect();
            let table = eq_table(&r);
            let prefix = Prefix::new(&r);
            let (mut weight, mut moment) = (Fr::zero(), Fr::zero());
            for (i, value) in table.iter().enumerate() {
                assert_eq!(*value, eq_at(&r, i));
                assert_eq!(prefix.below(i), (weight, moment));
                weight += value;
                moment += Fr::from(i as u64) * value;
            }
            assert_eq!(prefix.below(1 << bits), (weight, moment));
            assert_eq!(weight, Fr::one());
        }
    }
}
