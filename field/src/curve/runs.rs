//! Sums of points by key.

use rayon::prelude::*;

use super::Point;

/// Points that one task sums: 1 MiB in G1, 2 MiB in G2.
pub(super) const PIECE: usize = 1 << 14;

/// An addition: the points at `from` and after it, to `to`, which is not behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub from: usize,
    pub to: usize,
}

/// The additions that leave each run's sum in its first place: every run is halved until one point is left. None says that the additions before it
/// have to be done before those after it; between them a result may only take the place of an earlier summand.
#[inline]
pub(super) fn halve(runs: &[Run], mut next: impl FnMut(Option<Pair>)) {
    let mut open: Vec<Run> = runs.iter().copied().filter(|r| r.count > 1).collect();
    while !open.is_empty() {
        for run in &mut open {
            // The first point of an odd run waits for the next level.
            let odd = run.count % 2;
            let base = run.start + odd;
            for pair in 0..run.count / 2 {
                let (from, to) = (base + 2 * pair, base + pair);
                next(Some(Pair { from, to }));
            }
            run.count = odd + run.count / 2;
        }
        next(None);
        open.retain(|r| r.count > 1);
    }
}

/// Rows grouped by key.
pub(super) struct Runs {
    /// 2·row + (1 if the base is to be negated), by key.
    order: Vec<u32>,
    /// Where each key's rows begin in `order`; one entry more than there are keys.
    starts: Vec<u32>,
}

/// Points that are summed: where they begin, and how many they are, at least one.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub start: usize,
    pub count: usize,
}

impl Runs {
    /// All rows under one key.
    pub(super) fn one(rows: &[u32]) -> Self {
        Self {
            order: rows.iter().map(|row| entry(*row as usize, false)).collect(),
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
            order[*at as usize] = entry(row, negated);
            *at += 1;
        }
        Self { order, starts }
    }

    /// The sum of each key's bases.
    pub(super) fn sums<P: Point>(&self, bases: &[P]) -> Vec<P> {
        let mut sums = vec![P::zero(); self.starts.len() - 1];
        let pieces: Vec<Vec<(usize, P)>> = (0..self.order.len().div_ceil(PIECE))
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
    fn piece<P: Point>(&self, bases: &[P], from: usize) -> Vec<(usize, P)> {
        let to = self.order.len().min(from + PIECE);
        let points = self.order[from..to].iter().map(|entry| {
            let base = bases[(entry >> 1) as usize];
            if entry & 1 == 1 { -base } else { base }
        });
        let (mut keys, mut runs) = (Vec::new(), Vec::new());
        let mut key = self
            .starts
            .partition_point(|start| *start as usize <= from)
            .saturating_sub(1);
        let mut at = from;
        while at < to {
            let end = to.min(self.starts[key + 1] as usize);
            if end > at {
                keys.push(key);
                runs.push(Run {
                    start: at - from,
                    count: end - at,
                });
                at = end;
            }
            key += 1;
        }
        keys.into_iter().zip(P::sum_runs(points, &runs)).collect()
    }
}

fn index(row: usize) -> u32 {
    u32::try_from(row).expect("rows are fewer than 2^32")
}

/// 2·row + 1 if the base is to be negated.
fn entry(row: usize, negated: bool) -> u32 {
    let row = index(row);
    assert!(row < 1 << 31, "rows are fewer than 2^31");
    row << 1 | u32::from(negated)
}
