//! Batch-affine sums: a tree of affine additions that share their inversions.
//!
//! An affine addition costs an inversion and three multiplications; Montgomery's trick replaces the
//! inversion by three multiplications, so that one addition of a large batch costs about six, where
//! a mixed addition in projective coordinates costs eleven.

use ark_bn254::Fq;
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field, Zero};
use rayon::prelude::*;

use crate::G1;

/// Additions that share an inversion: enough to make it cheap, few enough to stay in a near cache.
const BLOCK: usize = 1024;
/// Points that one task sums (512 KiB).
pub(super) const PIECE: usize = 1 << 13;

/// Rows grouped by key.
pub(super) struct Runs {
    /// 2·row + (1 if the base is to be negated), by key.
    order: Vec<u32>,
    /// Where each key's rows begin in `order`; one entry more than there are keys.
    starts: Vec<u32>,
}

/// The points of one key within a piece.
struct Run {
    key: usize,
    start: usize,
    count: usize,
}

impl Runs {
    /// All rows under one key.
    pub(super) fn one(rows: &[u32]) -> Self {
        Self {
            order: rows.iter().map(|row| row << 1).collect(),
            starts: vec![0, index(rows.len())],
        }
    }

    /// Entries sorted by `len` keys: each is a key, a row and whether its base is to be negated.
    pub(super) fn sorted(
        len: usize,
        entries: impl Iterator<Item = (usize, usize, bool)> + Clone,
    ) -> Self {
        let mut starts = vec![0u32; len + 1];
        for (key, _, _) in entries.clone() {
            starts[key + 1] += 1;
        }
        for key in 0..len {
            starts[key + 1] += starts[key];
        }
        let mut next = starts.clone();
        let mut order = vec![0; starts[len] as usize];
        for (key, row, negated) in entries {
            let at = &mut next[key];
            order[*at as usize] = index(row) << 1 | u32::from(negated);
            *at += 1;
        }
        Self { order, starts }
    }

    /// The sum of each key's bases.
    pub(super) fn sums(&self, bases: &[G1]) -> Vec<G1> {
        let mut sums = vec![G1::zero(); self.starts.len() - 1];
        let pieces: Vec<Vec<(usize, G1)>> = (0..self.order.len().div_ceil(PIECE))
            .into_par_iter()
            .map(|piece| self.piece(bases, piece * PIECE))
            .collect();
        // A key whose rows lie in several pieces has a part in each.
        for (key, part) in pieces.into_iter().flatten() {
            sums[key] = if sums[key].is_zero() {
                part
            } else {
                (sums[key] + part).into()
            };
        }
        sums
    }

    /// The sums of the keys that have rows among the `PIECE` from `from` on, over those rows.
    fn piece(&self, bases: &[G1], from: usize) -> Vec<(usize, G1)> {
        let to = self.order.len().min(from + PIECE);
        let mut points: Vec<G1> = self.order[from..to]
            .iter()
            .map(|entry| {
                let base = bases[(entry >> 1) as usize];
                if entry & 1 == 1 { -base } else { base }
            })
            .collect();
        let mut runs = Vec::new();
        let mut key = self
            .starts
            .partition_point(|start| *start as usize <= from)
            .saturating_sub(1);
        let mut at = from;
        while at < to {
            let end = to.min(self.starts[key + 1] as usize);
            if end > at {
                runs.push(Run {
                    key,
                    start: at - from,
                    count: end - at,
                });
                at = end;
            }
            key += 1;
        }
        sum_runs(&mut points, &runs);
        runs.iter()
            .map(|run| (run.key, points[run.start]))
            .collect()
    }
}

fn index(row: usize) -> u32 {
    u32::try_from(row).expect("rows are fewer than 2^31")
}

/// Leaves the sum of each run in its first point: halves every run until one point is left.
fn sum_runs(points: &mut [G1], runs: &[Run]) {
    let mut open: Vec<(usize, usize)> = runs
        .iter()
        .filter(|run| run.count > 1)
        .map(|run| (run.start, run.count))
        .collect();
    let mut block = Block::new();
    while !open.is_empty() {
        for (start, count) in &mut open {
            // The first point of an odd run waits for the next level.
            let odd = *count % 2;
            for pair in 0..*count / 2 {
                let base = *start + odd;
                block.add(points, base + 2 * pair, base + pair);
            }
            *count = odd + *count / 2;
        }
        block.flush(points);
        open.retain(|(_, count)| *count > 1);
    }
}

/// Additions that wait for a common inversion.
struct Block {
    /// points\[from\] + points\[from + 1\] goes to points\[to\], to ≤ from.
    pairs: Vec<(usize, usize)>,
    /// Each pair's denominator, and the product of those of all later pairs.
    denominators: Vec<(Fq, Fq)>,
}

impl Block {
    fn new() -> Self {
        Self {
            pairs: Vec::with_capacity(BLOCK),
            denominators: vec![(Fq::ONE, Fq::ONE); BLOCK],
        }
    }

    fn add(&mut self, points: &mut [G1], from: usize, to: usize) {
        self.pairs.push((from, to));
        if self.pairs.len() == BLOCK {
            self.flush(points);
        }
    }

    /// Does the additions in their order, so that a result may take the place of an earlier summand.
    fn flush(&mut self, points: &mut [G1]) {
        let mut product = Fq::ONE;
        for (pair, (from, _)) in self.pairs.iter().enumerate().rev() {
            let own = denominator(&points[*from], &points[from + 1]);
            self.denominators[pair] = (own, product);
            product *= own;
        }
        let mut inverse = product
            .inverse()
            .expect("denominators are chosen to be non-zero");
        for ((own, later), (from, to)) in self.denominators.iter().zip(&self.pairs) {
            let of_this = inverse * later;
            inverse *= own;
            points[*to] = add(&points[*from], &points[from + 1], of_this);
        }
        self.pairs.clear();
    }
}

/// The denominator of the slope through `a` and `b`; 1 where the sum needs none.
fn denominator(a: &G1, b: &G1) -> Fq {
    if a.is_zero() || b.is_zero() {
        return Fq::ONE;
    }
    let dx = b.x - a.x;
    if !dx.is_zero() {
        dx
    } else if a.y == b.y {
        // Not zero: the group's order is odd, so that no point is its own negative.
        a.y.double()
    } else {
        Fq::ONE
    }
}

/// a + b, given the inverse of their [`denominator`].
fn add(a: &G1, b: &G1, inverse: Fq) -> G1 {
    if a.is_zero() {
        return *b;
    }
    if b.is_zero() {
        return *a;
    }
    let slope = if a.x != b.x {
        (b.y - a.y) * inverse
    } else if a.y == b.y {
        let square = a.x.square();
        (square.double() + square) * inverse
    } else {
        return G1::zero();
    };
    let x = slope.square() - a.x - b.x;
    let y = slope * (a.x - x) - a.y;
    G1::new_unchecked(x, y)
}
