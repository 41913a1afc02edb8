//! Multi-scalar multiplication: Pippenger's windows with signed digits over batch-affine buckets.

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, VariableBaseMSM};
use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use rayon::prelude::*;

use super::batch::Runs;
use crate::{Fr, G1};

/// Below this many scalars arkworks' own windows are as good.
const SMALL: usize = 128;
/// Buckets that are added up one by one.
const FEW_BUCKETS: usize = 64;

/// How a scalar is cut: x = Σ_w d_w·2^{width·w}, d_w ∈ \[−2^{width−1}, 2^{width−1}\].
struct Windows {
    width: u32,
    count: u32,
}

impl Windows {
    /// The cut of `bits`-bit scalars that needs the fewest additions over `len` of them.
    fn new(len: usize, bits: u32) -> Self {
        let cut = |width: u32| Self {
            width,
            // One bit more, for the carry out of the signed digits.
            count: (bits + 1).div_ceil(width),
        };
        (1..=16)
            .map(cut)
            .min_by_key(|w| w.count as usize * (len + (2 << (w.width - 1)) + FEW_BUCKETS))
            .expect("the range is not empty")
    }

    /// Σ 2^{width−1}·2^{width·w} over all windows but the last: with it added, digits need no carry.
    fn offset<const N: usize>(&self) -> [u64; N] {
        let mut offset = [0; N];
        for window in 1..self.count {
            let bit = (window * self.width - 1) as usize;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        offset
    }

    /// The bucket and the sign of an offset scalar's digit; None if it is 0.
    fn digit<const N: usize>(&self, limbs: &[u64; N], window: u32) -> Option<(u32, bool)> {
        let bit = (window * self.width) as usize;
        let (limb, shift) = (bit / 64, bit % 64);
        let mut raw = limbs[limb] >> shift;
        if shift != 0 && limb + 1 < N {
            raw |= limbs[limb + 1] << (64 - shift);
        }
        let raw = u32::try_from(raw & ((1 << self.width) - 1)).expect("at most 16 bits");
        // The last window took no offset: its digit is what is left, and not negative.
        let zero = if window + 1 == self.count {
            0
        } else {
            1 << (self.width - 1)
        };
        (raw != zero).then(|| (raw.abs_diff(zero), raw < zero))
    }
}

/// Σ scalars\[i\]·bases\[i\]; `limbs` gives a scalar of at most `bits` bits, little-endian, with one
/// bit to spare in its `N` limbs.
pub(super) fn msm<S: Sync, const N: usize>(
    bases: &[G1],
    scalars: &[S],
    bits: u32,
    limbs: impl Fn(&S) -> [u64; N] + Sync,
) -> G1Projective {
    if scalars.len() < SMALL {
        let scalars: Vec<_> = scalars.iter().map(|s| widen(limbs(s))).collect();
        return G1Projective::msm_bigint(bases, &scalars);
    }
    let windows = Windows::new(scalars.len(), bits);
    let offset = BigInt(windows.offset());
    let scalars: Vec<[u64; N]> = scalars
        .par_iter()
        .with_min_len(1 << 11)
        .map(|s| plus(limbs(s), &offset))
        .collect();
    let sums: Vec<G1Projective> = (0..windows.count)
        .into_par_iter()
        .map(|window| {
            let buckets = (1 << (windows.width - 1)) + 1;
            let digit = |row: usize| windows.digit(&scalars[row], window);
            let sums = Runs::sorted(scalars.len(), buckets, digit).sums(bases);
            weighted(&sums)
        })
        .collect();
    sums.iter().rev().fold(G1Projective::ZERO, |mut acc, sum| {
        for _ in 0..windows.width {
            acc.double_in_place();
        }
        acc + sum
    })
}

/// a + b, which does not overflow.
fn plus<const N: usize>(a: [u64; N], b: &BigInt<N>) -> [u64; N] {
    use ark_ff::BigInteger;
    let mut sum = BigInt(a);
    let carried = sum.add_with_carry(b);
    debug_assert!(!carried, "the scalar has a bit to spare");
    sum.0
}

/// The same integer in the limbs of F.
fn widen<const N: usize>(limbs: [u64; N]) -> <Fr as PrimeField>::BigInt {
    let mut wide = BigInt::zero();
    wide.0[..N].copy_from_slice(&limbs);
    wide
}

/// Σ_k k·sums\[k\].
///
/// With k = high·2^h + low it is 2^h·Σ high·(Σ over low) + Σ low·(Σ over high): two batch-affine sums
/// by key and two much shorter sums of the same kind.
fn weighted(sums: &[G1]) -> G1Projective {
    if sums.len() <= FEW_BUCKETS {
        let (mut running, mut total) = (G1Projective::ZERO, G1Projective::ZERO);
        for sum in sums[1..].iter().rev() {
            running += sum;
            total += running;
        }
        return total;
    }
    let half = sums.len().ilog2() / 2;
    let by = |key: &(dyn Fn(usize) -> usize + Sync)| {
        let len = (0..sums.len()).map(key).max().unwrap_or(0) + 1;
        let entry = |k: usize| {
            let key = u32::try_from(key(k)).expect("buckets are few");
            (!sums[k].is_zero()).then_some((key, false))
        };
        weighted(&Runs::sorted(sums.len(), len, entry).sums(sums))
    };
    let mut total = by(&|k| k >> half);
    for _ in 0..half {
        total.double_in_place();
    }
    total + by(&|k| k & ((1 << half) - 1))
}
