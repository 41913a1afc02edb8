//! Multi-scalar multiplication: Pippenger's windows with signed digits over batch-affine buckets.

use ark_bn254::Fr;
use ark_ec::VariableBaseMSM;
use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use rayon::prelude::*;

use super::{
    Point,
    runs::{PIECE, Runs},
};

/// Below this many scalars arkworks' own windows are as good.
const SMALL: usize = 128;
/// The most bits of a digit.
const MAX_WIDTH: usize = 16;

/// How a scalar is cut: x = Σ_w d_w·2^{width·w}, d_w ∈ \[−2^{width−1}, 2^{width−1}\].
struct Windows {
    width: usize,
    count: usize,
}

impl Windows {
    /// The cut of `bits`-bit scalars that needs the fewest additions over `len` of them.
    fn new(len: usize, bits: u32) -> Self {
        let cut = |width: usize| Self {
            width,
            // One bit more, for the carry out of the signed digits.
            count: (bits as usize + 1).div_ceil(width),
        };
        let additions = |w: &Self| {
            let buckets = w.buckets();
            w.count * (len + 2 * buckets + 8 * buckets.isqrt())
        };
        (1..=MAX_WIDTH)
            .map(cut)
            .min_by_key(additions)
            .expect("the range is not empty")
    }

    /// Absolute values of a digit.
    fn buckets(&self) -> usize {
        (1 << (self.width - 1)) + 1
    }

    /// Σ 2^{width−1}·2^{width·w} over all windows but the last: with it added, digits need no carry.
    fn offset<const N: usize>(&self) -> [u64; N] {
        let mut offset = [0; N];
        for window in 1..self.count {
            let bit = window * self.width - 1;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        offset
    }

    /// The bucket and the sign of an offset scalar's digit; None if it is 0.
    fn digit<const N: usize>(&self, limbs: &[u64; N], window: usize) -> Option<(usize, bool)> {
        let bit = window * self.width;
        let (limb, shift) = (bit / 64, bit % 64);
        let mut raw = limbs[limb] >> shift;
        if shift != 0 && limb + 1 < N {
            raw |= limbs[limb + 1] << (64 - shift);
        }
        raw &= (1 << self.width) - 1;
        // The last window took no offset: its digit is what is left, and not negative.
        let zero = if window + 1 == self.count {
            0
        } else {
            1 << (self.width - 1)
        };
        let bucket = usize::try_from(raw.abs_diff(zero)).expect("at most MAX_WIDTH bits");
        (raw != zero).then_some((bucket, raw < zero))
    }

    /// Σ_i d_w(i)·bases\[i\] for each window w of a group, over offset scalars.
    ///
    /// The bases are summed by digit, and the digits weighted in two steps: with k = high·2^h + low it is
    /// Σ_k k·B_k = 2^h·Σ high·(Σ_low B_k) + Σ low·(Σ_high B_k), two batch-affine sums by key and two
    /// much shorter weighted sums.
    fn sums<P: Point, const N: usize>(
        &self,
        group: &[usize],
        bases: &[P],
        scalars: &[[u64; N]],
    ) -> Vec<P::Group> {
        let buckets = self.buckets();
        let entries = group.iter().enumerate().flat_map(|(slot, window)| {
            scalars.iter().enumerate().filter_map(move |(row, limbs)| {
                let (bucket, negated) = self.digit(limbs, *window)?;
                Some((slot * buckets + bucket, row, negated))
            })
        });
        let by_digit = Runs::sorted(group.len() * buckets, entries).sums(bases);
        let h = buckets.ilog2() / 2;
        let (lows, highs) = (1 << h, ((buckets - 1) >> h) + 1);
        let halves = by_digit
            .iter()
            .enumerate()
            .filter(|(_, p)| !p.is_zero())
            .flat_map(|(at, _)| {
                let (start, k) = (at / buckets * (lows + highs), at % buckets);
                [
                    (start + k % lows, at, false),
                    (start + lows + (k >> h), at, false),
                ]
            });
        let by_half = Runs::sorted(group.len() * (lows + highs), halves).sums(&by_digit);
        by_half
            .chunks_exact(lows + highs)
            .map(|halves| {
                let (low, high) = halves.split_at(lows);
                let mut total = weighted(high);
                for _ in 0..h {
                    total.double_in_place();
                }
                total + weighted(low)
            })
            .collect()
    }
}

/// Σ scalars\[i\]·bases\[i\]; `limbs` gives a scalar of at most `bits` bits, little-endian, with one
/// bit to spare in its `N` limbs.
pub(super) fn msm<P: Point, S: Sync, const N: usize>(
    bases: &[P],
    scalars: &[S],
    bits: u32,
    limbs: impl Fn(&S) -> [u64; N] + Sync,
) -> P::Group {
    if scalars.len() < SMALL {
        let scalars: Vec<_> = scalars.iter().map(|s| widen(limbs(s))).collect();
        return P::Group::msm_bigint(bases, &scalars);
    }
    let windows = Windows::new(scalars.len(), bits);
    let offset = BigInt(windows.offset());
    let scalars: Vec<[u64; N]> = scalars
        .par_iter()
        .with_min_len(1 << 11)
        .map(|s| plus(limbs(s), &offset))
        .collect();
    // Windows are summed together until they make a piece of work.
    let all: Vec<usize> = (0..windows.count).collect();
    let sums: Vec<P::Group> = all
        .par_chunks((PIECE / scalars.len()).max(1))
        .flat_map_iter(|group| windows.sums(group, bases, &scalars))
        .collect();
    sums.iter().rev().fold(P::Group::ZERO, |mut acc, sum| {
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

/// Σ_k k·points\[k\].
fn weighted<P: Point>(points: &[P]) -> P::Group {
    let (mut running, mut total) = (P::Group::ZERO, P::Group::ZERO);
    for point in points[1..].iter().rev() {
        running += point;
        total += running;
    }
    total
}
