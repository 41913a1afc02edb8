//! The rounds' passes over the columns: bound and evaluated in one pass, block by block.

use ark_ff::AdditiveGroup;
use galen_field::Work;
use rayon::prelude::*;
use zeroize::Zeroize;

use super::{
    MESSAGE, Message,
    engine::{Engine, Single},
    kernel::{Shape, bind, first_pair, pair},
    number::Number,
    source::Rows,
};
use crate::Fr;

/// Rows below which a round is not worth spreading over cores.
const PARALLEL: usize = 1 << 8;

type Total<E> = <<E as Engine>::Number as Number>::Total;

/// The columns as far as they are bound.
pub(super) struct Columns<'a, E: Engine> {
    engine: E,
    rows: &'a Rows<'a>,
    /// By group of as many rows as the engine has lanes, then by column; empty before anything is bound.
    bound: Vec<E::Number>,
}

impl<E: Engine> Drop for Columns<'_, E> {
    fn drop(&mut self) {
        self.bound.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl<'a, E: Engine> Columns<'a, E> {
    pub(super) fn new(engine: E, rows: &'a Rows<'a>) -> Self {
        let bound = Vec::new();
        Self {
            engine,
            rows,
            bound,
        }
    }

    /// The message of the round of this variable, the one above bound to `last`. There are at least as many pairs of rows, and low weights, as
    /// lanes.
    pub(super) fn round(
        &mut self,
        variable: usize,
        last: Option<Fr>,
        (low, high): (&[Fr], &[Fr]),
    ) -> Message {
        let eights = low.chunks_exact(E::LANES);
        let lanes: Vec<E::Number> = eights.map(|w| self.engine.load(w)).collect();
        match last {
            None => self.first_round(variable, low, &lanes, high),
            Some(r) if self.bound.is_empty() => self.first_bind(variable, r, &lanes, high),
            Some(r) => self.next_round(variable, r, &lanes, high),
        }
    }

    /// The first round, on the rows as they are: claims that hold on every row, so that g(0) is 0.
    fn first_round(
        &self,
        variable: usize,
        weights: &[Fr],
        low: &[E::Number],
        high: &[Fr],
    ) -> Message {
        let Self { engine, rows, .. } = *self;
        sum_blocks(
            1 << variable,
            high.par_iter().enumerate(),
            |(block, weight)| {
                let (row, half) = (block * weights.len(), 1 << variable);
                let work = FirstRound {
                    engine,
                    rows,
                    low,
                    row,
                    half,
                };
                let mut sum = weighted::<E>(engine.run(work), weight);
                let products = rows.first_products(row, half, weights);
                for (sum, product) in sum[1..4].iter_mut().zip(products) {
                    *sum += product * weight;
                }
                sum
            },
        )
    }

    /// Binds the highest variable to `r`, from the rows as they are, and evaluates the next round.
    fn first_bind(&mut self, variable: usize, r: Fr, low: &[E::Number], high: &[Fr]) -> Message {
        let Self { engine, rows, .. } = *self;
        let (stride, r) = (rows.shape.stride, engine.challenge(r));
        let pairs = 1 << variable;
        let half = pairs / E::LANES * stride;
        self.bound.resize(2 * half, engine.zero());
        let (first, second) = self.bound.split_at_mut(half);
        let size = low.len() * stride;
        let parts = first
            .par_chunks_exact_mut(size)
            .zip(second.par_chunks_exact_mut(size))
            .zip(high)
            .enumerate();
        sum_blocks(pairs, parts, |(block, ((first, second), weight))| {
            let row = block * low.len() * E::LANES;
            let work = FirstBind {
                engine,
                rows,
                low,
                row,
                pairs,
                r: &r,
                first,
                second,
            };
            weighted::<E>(engine.run(work), weight)
        })
    }

    /// Binds the variable above to `r`, in place, and evaluates the next round in the same pass.
    fn next_round(&mut self, variable: usize, r: Fr, low: &[E::Number], high: &[Fr]) -> Message {
        let Self { engine, rows, .. } = *self;
        let (shape, r) = (&rows.shape, engine.challenge(r));
        let pairs = 1 << variable;
        let quarter = pairs / E::LANES * shape.stride;
        let (kept, bound_away) = self.bound.split_at_mut(2 * quarter);
        let (q0, q1) = kept.split_at_mut(quarter);
        let (q2, q3) = bound_away.split_at(quarter);
        let size = low.len() * shape.stride;
        let parts = q0
            .par_chunks_exact_mut(size)
            .zip(q1.par_chunks_exact_mut(size))
            .zip(q2.par_chunks_exact(size).zip(q3.par_chunks_exact(size)))
            .zip(high);
        let message = sum_blocks(pairs, parts, |(((q0, q1), (q2, q3)), weight)| {
            let work = NextRound {
                engine,
                shape,
                low,
                r: &r,
                kept: [q0, q1],
                bound: [q2, q3],
            };
            weighted::<E>(engine.run(work), weight)
        });
        self.bound[2 * quarter..]
            .iter_mut()
            .for_each(Zeroize::zeroize);
        self.bound.truncate(2 * quarter);
        message
    }

    /// Hands what is bound over to be bound row by row.
    pub(super) fn move_to(&mut self, narrow: &mut Columns<'a, Single>) {
        let stride = self.rows.shape.stride;
        let mut lanes = vec![Fr::ZERO; E::LANES];
        // At once: what grows leaves a copy behind.
        narrow.bound.reserve_exact(self.bound.len() * E::LANES);
        for group in self.bound.chunks_exact(stride) {
            let start = narrow.bound.len();
            narrow.bound.resize(start + E::LANES * stride, Fr::ZERO);
            for (column, number) in group.iter().enumerate() {
                E::store(number, &mut lanes);
                for (lane, element) in lanes.iter().enumerate() {
                    narrow.bound[start + lane * stride + column] = *element;
                }
            }
        }
        lanes.zeroize();
        self.bound.iter_mut().for_each(Zeroize::zeroize);
        self.bound.clear();
    }
}

impl Columns<'_, Single> {
    /// The columns with the last variable bound to `r`.
    pub(super) fn last(&mut self, r: Fr) -> Vec<Fr> {
        let stride = self.rows.shape.stride;
        if self.bound.is_empty() {
            // There is one variable only.
            self.bound.resize(2 * stride, Fr::ZERO);
            let (low, high) = self.bound.split_at_mut(stride);
            self.rows.fill(0, low);
            self.rows.fill(1, high);
        }
        let (low, high) = self.bound.split_at(stride);
        let pairs = low.iter().zip(high);
        pairs.map(|(a, b)| bind(*a, *b, r)).collect()
    }
}

fn merge(mut a: Message, b: Message) -> Message {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// A block's message, its first half times the block's weight.
fn weighted<E: Engine>(totals: [Total<E>; MESSAGE], weight: &Fr) -> Message {
    let mut message = totals.map(E::sum);
    message[..MESSAGE / 2].iter_mut().for_each(|m| *m *= weight);
    message
}

/// Sums what blocks of rows say: one block for each entry of the high table.
fn sum_blocks<I: IndexedParallelIterator>(
    pairs: usize,
    blocks: I,
    of: impl Fn(I::Item) -> Message + Sync + Send,
) -> Message {
    let zero = [Fr::ZERO; MESSAGE];
    let least = if pairs < PARALLEL { usize::MAX } else { 1 };
    let messages = blocks.with_min_len(least).map(of);
    messages.reduce(|| zero, merge)
}

/// A block of the first round.
struct FirstRound<'a, E: Engine> {
    engine: E,
    rows: &'a Rows<'a>,
    low: &'a [E::Number],
    /// The block's first row.
    row: usize,
    /// How far the other rows are.
    half: usize,
}

impl<E: Engine> Work for FirstRound<'_, E> {
    type Result = [Total<E>; MESSAGE];

    #[inline(always)]
    fn run(self) -> Self::Result {
        let Self { engine, rows, .. } = self;
        let stride = rows.shape.stride;
        let (mut a, mut b) = (vec![engine.zero(); stride], vec![engine.zero(); stride]);
        let mut sum = [(); MESSAGE].map(|()| engine.nothing());
        for (i, weight) in self.low.iter().enumerate() {
            let row = self.row + i * E::LANES;
            engine.fill(rows, row, &mut a);
            engine.fill(rows, row + self.half, &mut b);
            first_pair(&rows.shape, &a, &b, weight, &mut sum);
        }
        a.iter_mut().chain(&mut b).for_each(Zeroize::zeroize);
        sum
    }
}

/// A block of the second round, which binds the first variable.
struct FirstBind<'a, E: Engine> {
    engine: E,
    rows: &'a Rows<'a>,
    low: &'a [E::Number],
    /// The block's first row.
    row: usize,
    /// Pairs of rows that are left.
    pairs: usize,
    r: &'a E::Challenge,
    first: &'a mut [E::Number],
    second: &'a mut [E::Number],
}

impl<E: Engine> Work for FirstBind<'_, E> {
    type Result = [Total<E>; MESSAGE];

    #[inline(always)]
    fn run(self) -> Self::Result {
        let Self { engine, rows, .. } = self;
        let stride = rows.shape.stride;
        let mut other = vec![engine.zero(); stride];
        let mut sum = [(); MESSAGE].map(|()| engine.nothing());
        let groups = self
            .first
            .chunks_exact_mut(stride)
            .zip(self.second.chunks_exact_mut(stride));
        for (i, ((a, b), weight)) in groups.zip(self.low).enumerate() {
            let row = self.row + i * E::LANES;
            for (out, row) in [(&mut *a, row), (&mut *b, row + self.pairs)] {
                engine.fill(rows, row, out);
                engine.fill(rows, row + 2 * self.pairs, &mut other);
                bind_all::<E>(out, &other, self.r);
            }
            pair(&rows.shape, a, b, weight, &mut sum);
        }
        other.iter_mut().for_each(Zeroize::zeroize);
        sum
    }
}

/// A block of any later round.
struct NextRound<'a, E: Engine> {
    engine: E,
    shape: &'a Shape,
    low: &'a [E::Number],
    r: &'a E::Challenge,
    /// Where the variable to be bound is 0: by the next one.
    kept: [&'a mut [E::Number]; 2],
    /// Where it is 1.
    bound: [&'a [E::Number]; 2],
}

impl<E: Engine> Work for NextRound<'_, E> {
    type Result = [Total<E>; MESSAGE];

    #[inline(always)]
    fn run(self) -> Self::Result {
        let stride = self.shape.stride;
        let mut sum = [(); MESSAGE].map(|()| self.engine.nothing());
        let [q0, q1] = self.kept.map(|q| q.chunks_exact_mut(stride));
        let [q2, q3] = self.bound.map(|q| q.chunks_exact(stride));
        for (((a, b), (c, d)), weight) in q0.zip(q1).zip(q2.zip(q3)).zip(self.low) {
            bind_all::<E>(a, c, self.r);
            bind_all::<E>(b, d, self.r);
            pair(self.shape, a, b, weight, &mut sum);
        }
        sum
    }
}

/// Binds every column.
#[inline(always)]
fn bind_all<E: Engine>(low: &mut [E::Number], high: &[E::Number], r: &E::Challenge) {
    for (a, b) in low.iter_mut().zip(high) {
        *a = E::bind(a, b, r);
    }
}
