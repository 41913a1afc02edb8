//! Proving the sumcheck, round by round.

use ark_ff::{AdditiveGroup, Zero};
use zeroize::Zeroize;

use super::{
    Claims, Message,
    engine::{Engine, Single},
    kernel::bind,
    rounds::Columns,
    source::Rows,
    weights::Weights,
};
use crate::Fr;

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

/// Fewer variables are bound one row after another: the tables of weights are to have eight entries.
#[cfg(target_arch = "x86_64")]
pub(super) const FEW: u32 = 6;

/// Proves both sums. `t` are the zero-check's weights (t\[j\] belongs to bit j, none of them 0), `rhs` the second
/// claim; `challenge` gives a round's challenge for its message.
pub(crate) fn prove(
    rows: &mut Rows<'_>,
    tables: Tables,
    t: &[Fr],
    rhs: Fr,
    challenge: impl FnMut(&Message) -> Fr,
) -> Finished {
    #[cfg(target_arch = "x86_64")]
    if let Some(vectors) = galen_field::Vectors::new().filter(|_| rows.bits >= FEW) {
        rows.multiply(Fr::from(super::engine::SCALE));
        return prove_with(vectors, rows, tables, t, rhs, challenge);
    }
    prove_with(Single, rows, tables, t, rhs, challenge)
}

pub(super) fn prove_with<E: Engine>(
    engine: E,
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
    let mut wide = Columns::new(engine, rows);
    let mut narrow = Columns::new(Single, rows);
    for variable in (0..bits).rev() {
        let (own, last) = (weights.of(variable), r.get(variable + 1).copied());
        let mut message = if 1 << variable >= E::LANES {
            wide.round(variable, last, own)
        } else {
            wide.move_to(&mut narrow);
            narrow.round(variable, last, own)
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
    wide.move_to(&mut narrow);
    let row = narrow.last(r[0]);
    Finished {
        messages,
        r,
        row,
        tables,
    }
}
