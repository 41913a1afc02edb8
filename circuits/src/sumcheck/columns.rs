//! Proving the sumcheck: the columns' rows side by side, bound and evaluated in one pass a round.

use ark_ff::{AdditiveGroup, Zero};
use rayon::prelude::*;
use zeroize::Zeroize;

use super::{
    Claims, MESSAGE, Message,
    kernel::{bind, first_pair, pair},
    source::Rows,
    weights::Weights,
};
use crate::Fr;

/// Rows below which a round is not worth spreading over cores.
const PARALLEL: usize = 1 << 8;

/// No coefficient of a product of at most four factors a + dx, a in {0, 1} and d in {−1, 0, 1}, is larger: C(4, 2).
const MOST: usize = 6;

/// A table slot's columns; beyond their length q is `rest` and e and m are 0.
pub(crate) struct ShortSlot {
    /// χ^{B+k}.
    pub weight: Fr,
    /// X − fp.
    pub q: Vec<Fr>,
    /// −m/q.
    pub e: Vec<Fr>,
    /// m.
    pub m: Vec<Fr>,
    /// q beyond the length.
    pub rest: Fr,
}

/// Columns that are short: 0 beyond their length but for a table's q.
pub(crate) struct Tables {
    /// The table slots.
    pub slots: Vec<ShortSlot>,
    /// Committed values with their public weights.
    pub pairs: Vec<[Vec<Fr>; 2]>,
}

/// A sumcheck at its end.
pub(crate) struct Finished {
    /// Round by round, variable L − 1 first.
    pub messages: Vec<Message>,
    /// r\[j\] belongs to bit j.
    pub r: Vec<Fr>,
    /// The wide columns at r, as stored in [`Rows`].
    pub row: Vec<Fr>,
    /// The short columns at r: one entry each.
    pub tables: Tables,
}

impl Drop for Finished {
    fn drop(&mut self) {
        self.messages.iter_mut().for_each(Zeroize::zeroize);
        self.row.zeroize();
        self.tables.clear();
    }
}

impl Tables {
    fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.e.zeroize();
            slot.m.zeroize();
        }
        self.pairs.iter_mut().flatten().for_each(Zeroize::zeroize);
    }

    /// What the short columns add to a message of 2^variables pairs of rows.
    fn round(&self, variables: usize, weights: (&[Fr], &[Fr]), message: &mut Message) {
        let half = 1 << variables;
        let at = |v: &[Fr], i: usize, rest: Fr| v.get(i).copied().unwrap_or(rest);
        let (low, high) = weights;
        for slot in &self.slots {
            let mut g = [Fr::ZERO; 2];
            for i in 0..slot.e.len().min(half) {
                let weight = low[i % low.len()] * high[i / low.len()];
                let step_e = at(&slot.e, i + half, Fr::ZERO) - slot.e[i];
                let step_q = at(&slot.q, i + half, slot.rest) - slot.q[i];
                g[0] += weight * (slot.e[i] * slot.q[i] + slot.m[i]);
                g[1] += weight * (step_e * step_q);
                message[4] += slot.e[i];
            }
            message[0] += slot.weight * g[0];
            message[1] += slot.weight * g[1];
        }
        for [values, weights] in &self.pairs {
            for i in 0..values.len().min(half) {
                let step = at(values, i + half, Fr::ZERO) - values[i];
                let step_w = at(weights, i + half, Fr::ZERO) - weights[i];
                message[4] += values[i] * weights[i];
                message[5] += step * step_w;
            }
        }
    }

    fn bind(&mut self, variables: usize, r: Fr) {
        let half = 1 << variables;
        let fold = |v: &mut Vec<Fr>, rest: Fr| {
            for i in 0..v.len().min(half) {
                let high = v.get(i + half).copied().unwrap_or(rest);
                v[i] = bind(v[i], high, r);
            }
            v.truncate(half);
        };
        for slot in &mut self.slots {
            fold(&mut slot.q, slot.rest);
            fold(&mut slot.e, Fr::ZERO);
            fold(&mut slot.m, Fr::ZERO);
        }
        for values in self.pairs.iter_mut().flatten() {
            fold(values, Fr::ZERO);
        }
    }
}

/// Proves both sums. `t` are the zero-check's weights (t\[j\] belongs to bit j, none of them 0), `rhs` the second
/// claim; `challenge` gives a round's challenge for its message.
pub(crate) fn prove(
    rows: &Rows<'_>,
    mut tables: Tables,
    t: &[Fr],
    rhs: Fr,
    mut challenge: impl FnMut(&Message) -> Fr,
) -> Finished {
    let weights = Weights::new(t);
    let mut inverses = t.to_vec();
    ark_ff::batch_inversion(&mut inverses);
    let mut claims = Claims {
        constraints: Fr::zero(),
        sum: rhs,
    };
    let bits = rows.bits as usize;
    let mut messages = Vec::with_capacity(bits);
    let mut r = vec![Fr::zero(); bits];
    let mut bound: Vec<Fr> = Vec::new();
    for variable in (0..bits).rev() {
        let own = weights.of(variable);
        let mut message = match r.get(variable + 1) {
            None => first_round(rows, variable, own),
            Some(last) if bound.is_empty() => first_bind(rows, &mut bound, variable, *last, own),
            Some(last) => next_round(rows, &mut bound, variable, *last, own),
        };
        if variable + 1 < bits {
            message[0] -= rows.ones;
        }
        tables.round(variable, own, &mut message);
        let drawn = challenge(&message);
        let delta = claims.delta(&message, inverses[variable]);
        claims = claims.next(&message, delta, drawn);
        tables.bind(variable, drawn);
        r[variable] = drawn;
        messages.push(message);
    }
    let stride = rows.shape.stride;
    let row = if bound.is_empty() {
        last_row(rows, r[0])
    } else {
        let (low, high) = bound.split_at(stride);
        low.iter()
            .zip(high)
            .map(|(a, b)| bind(*a, *b, r[0]))
            .collect()
    };
    bound.zeroize();
    Finished {
        messages,
        r,
        row,
        tables,
    }
}

/// The columns at r where there is one variable only.
fn last_row(rows: &Rows<'_>, r: Fr) -> Vec<Fr> {
    let stride = rows.shape.stride;
    let (mut low, mut high) = (vec![Fr::ZERO; stride], vec![Fr::ZERO; stride]);
    rows.fill(0, &mut low);
    rows.fill(1, &mut high);
    low.iter()
        .zip(&high)
        .map(|(a, b)| bind(*a, *b, r))
        .collect()
}

fn merge(mut a: Message, b: Message) -> Message {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// Scales the weighted half of a block's message.
fn weighted(mut message: Message, weight: &Fr) -> Message {
    message[..MESSAGE / 2].iter_mut().for_each(|m| *m *= weight);
    message
}

/// Sums what blocks of rows say: one block for each entry of the high table.
fn sum_blocks(
    variables: usize,
    high: &[Fr],
    block: impl Fn(usize) -> Message + Sync + Send,
) -> Message {
    let of = |b: usize| weighted(block(b), &high[b]);
    let zero = [Fr::ZERO; MESSAGE];
    if 1 << variables < PARALLEL {
        (0..high.len()).map(of).fold(zero, merge)
    } else {
        (0..high.len())
            .into_par_iter()
            .map(of)
            .reduce(|| zero, merge)
    }
}

/// The first round, on the rows as they are: claims that hold on every row, so that g(0) is 0.
fn first_round(rows: &Rows<'_>, variable: usize, (low, high): (&[Fr], &[Fr])) -> Message {
    let (half, stride) = (1 << variable, rows.shape.stride);
    sum_blocks(variable, high, |block| {
        let (mut a, mut b) = (vec![Fr::ZERO; stride], vec![Fr::ZERO; stride]);
        let mut sum = [Fr::ZERO; MESSAGE];
        // A root's product is an integer: weights are added up by how often they count.
        let mut counted = vec![[[Fr::ZERO; 2 * MOST + 1]; 3]; rows.shape.blocks.len()];
        for (i, weight) in low.iter().enumerate() {
            let row = block * low.len() + i;
            rows.fill(row, &mut a);
            rows.fill(row + half, &mut b);
            first_pair(&rows.shape, &a, &b, weight, &mut sum);
            rows.first_products(row, row + half, |block, k, times| {
                // Where a factor is no bit, what follows is not satisfied, and no proof is made.
                let place = usize::try_from(times + MOST as i64).ok();
                if let Some(sum) = place.and_then(|p| counted[block][k].get_mut(p)) {
                    *sum += weight;
                }
            });
        }
        for (counted, scale) in counted.iter().zip(rows.scales()) {
            for (k, weights) in counted.iter().enumerate() {
                let times = (-(MOST as i64)..).zip(weights);
                let total: Fr = times.map(|(n, w)| *w * Fr::from(n)).sum();
                sum[1 + k] += total * scale;
            }
        }
        a.zeroize();
        b.zeroize();
        sum
    })
}

/// Binds the highest variable to `r`, from the rows as they are, and evaluates the next round.
fn first_bind(
    rows: &Rows<'_>,
    bound: &mut Vec<Fr>,
    variable: usize,
    r: Fr,
    (low, high): (&[Fr], &[Fr]),
) -> Message {
    let (pairs, stride) = (1 << variable, rows.shape.stride);
    bound.resize(2 * pairs * stride, Fr::ZERO);
    let (first, second) = bound.split_at_mut(pairs * stride);
    let size = low.len() * stride;
    let parts: Vec<_> = first
        .chunks_exact_mut(size)
        .zip(second.chunks_exact_mut(size))
        .zip(high)
        .enumerate()
        .collect();
    type Part<'a> = (usize, ((&'a mut [Fr], &'a mut [Fr]), &'a Fr));
    let of = |(block, ((first, second), weight)): Part<'_>| {
        let mut other = vec![Fr::ZERO; stride];
        let mut sum = [Fr::ZERO; MESSAGE];
        let rows_of = first
            .chunks_exact_mut(stride)
            .zip(second.chunks_exact_mut(stride));
        for (i, ((a, b), weight)) in rows_of.zip(low).enumerate() {
            let row = block * low.len() + i;
            for (out, row) in [(&mut *a, row), (&mut *b, row + pairs)] {
                rows.fill(row, out);
                rows.fill(row + 2 * pairs, &mut other);
                out.iter_mut()
                    .zip(&other)
                    .for_each(|(a, b)| *a = bind(*a, *b, r));
            }
            pair(&rows.shape, a, b, weight, &mut sum);
        }
        other.zeroize();
        weighted(sum, weight)
    };
    let zero = [Fr::ZERO; MESSAGE];
    if pairs < PARALLEL {
        parts.into_iter().map(of).fold(zero, merge)
    } else {
        parts.into_par_iter().map(of).reduce(|| zero, merge)
    }
}

/// Binds the variable above to `r`, in place, and evaluates the next round in the same pass.
fn next_round(
    rows: &Rows<'_>,
    bound: &mut Vec<Fr>,
    variable: usize,
    r: Fr,
    (low, high): (&[Fr], &[Fr]),
) -> Message {
    let (pairs, stride) = (1 << variable, rows.shape.stride);
    let quarter = pairs * stride;
    let (kept, bound_away) = bound.split_at_mut(2 * quarter);
    let (q0, q1) = kept.split_at_mut(quarter);
    let (q2, q3) = bound_away.split_at(quarter);
    let size = low.len() * stride;
    let parts: Vec<_> = q0
        .chunks_exact_mut(size)
        .zip(q1.chunks_exact_mut(size))
        .zip(q2.chunks_exact(size).zip(q3.chunks_exact(size)))
        .zip(high)
        .collect();
    type Part<'a> = (((&'a mut [Fr], &'a mut [Fr]), (&'a [Fr], &'a [Fr])), &'a Fr);
    let of = |(((q0, q1), (q2, q3)), weight): Part<'_>| {
        let mut sum = [Fr::ZERO; MESSAGE];
        let low_rows = q0.chunks_exact_mut(stride).zip(q1.chunks_exact_mut(stride));
        let high_rows = q2.chunks_exact(stride).zip(q3.chunks_exact(stride));
        for (((a, b), (c, d)), weight) in low_rows.zip(high_rows).zip(low) {
            a.iter_mut().zip(c).for_each(|(a, c)| *a = bind(*a, *c, r));
            b.iter_mut().zip(d).for_each(|(b, d)| *b = bind(*b, *d, r));
            pair(&rows.shape, a, b, weight, &mut sum);
        }
        weighted(sum, weight)
    };
    let zero = [Fr::ZERO; MESSAGE];
    let message = if pairs < PARALLEL {
        parts.into_iter().map(of).fold(zero, merge)
    } else {
        parts.into_par_iter().map(of).reduce(|| zero, merge)
    };
    bound[2 * quarter..].iter_mut().for_each(Zeroize::zeroize);
    bound.truncate(2 * quarter);
    message
}
