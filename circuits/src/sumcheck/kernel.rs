//! What one pair of rows adds to a round's message: the arithmetic of the sumcheck.

use ark_ff::{AdditiveGroup, Field, Zero};

use super::MESSAGE;
use crate::Fr;

/// Where the columns stand in a row: q and e of each slot, then the forms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// Slots of lookups, limbs and groupings.
    pub slots: usize,
    /// How many of them, from the first on, are summed by themselves: all but the groupings.
    pub summed: usize,
    /// Field elements of a row.
    pub stride: usize,
    /// The roots with what they sum.
    pub blocks: Vec<BlockShape>,
}

/// The columns of one block.
#[derive(Debug, Clone)]
pub(crate) struct BlockShape {
    /// The slot that holds e_G; none where it is a constant, which is then in w.
    pub grouping: Option<usize>,
    /// κs.
    pub root: usize,
    /// −κφ₁, φ₂, …: none where the root is proven elsewhere.
    pub factors: Vec<usize>,
    /// ℓ₀/κ.
    pub single: usize,
    /// ℓ and ℓ′/κ.
    pub pairs: Vec<(usize, usize)>,
}

impl Shape {
    pub(super) fn new(slots: usize, summed: usize) -> Self {
        Self {
            slots,
            summed,
            stride: 2 * slots,
            blocks: Vec::new(),
        }
    }

    pub(super) fn add_column(&mut self) -> usize {
        self.stride += 1;
        self.stride - 1
    }
}

/// a + (b − a)·r, free where both are equal.
pub(super) fn bind(a: Fr, b: Fr, r: Fr) -> Fr {
    if a == b { a } else { a + (b - a) * r }
}

/// Slots that are multiplied with one reduction.
const TOGETHER: usize = 4;

/// Σ q·e over the slots of a row, or of the differences to another row.
fn products(low: &[Fr], high: &[Fr]) -> Fr {
    let at = |i: usize| match high.get(i) {
        Some(high) => *high - low[i],
        None => low[i],
    };
    let mut sum = Fr::ZERO;
    let mut slot = 0;
    while slot + 2 * TOGETHER <= low.len() {
        let q: [Fr; TOGETHER] = std::array::from_fn(|k| at(slot + 2 * k));
        let e: [Fr; TOGETHER] = std::array::from_fn(|k| at(slot + 2 * k + 1));
        sum += Fr::sum_of_products(&q, &e);
        slot += 2 * TOGETHER;
    }
    match (low.len() - slot) / 2 {
        0 => sum,
        1 => sum + at(slot) * at(slot + 1),
        2 => {
            let (q, e) = ([at(slot), at(slot + 2)], [at(slot + 1), at(slot + 3)]);
            sum + Fr::sum_of_products(&q, &e)
        }
        _ => {
            let q = [at(slot), at(slot + 2), at(slot + 4)];
            let e = [at(slot + 1), at(slot + 3), at(slot + 5)];
            sum + Fr::sum_of_products(&q, &e)
        }
    }
}

/// What the rows say in the first round but for the roots' products, which are small integers there. Every row keeps
/// what the equation demands, so that g(0) is 0.
pub(super) fn first_pair(
    shape: &Shape,
    low: &[Fr],
    high: &[Fr],
    weight: &Fr,
    sum: &mut [Fr; MESSAGE],
) {
    let slots = 2 * shape.slots;
    sum[1] += products(&low[..slots], &high[..slots]) * weight;
    for e in low[..2 * shape.summed].iter().skip(1).step_by(2) {
        sum[4] += e;
    }
    for block in &shape.blocks {
        add_sum(block, low, high, sum);
    }
}

/// Coefficients 2, 3, 4 of Π (aₖ + dₖx) for small integers.
pub(super) fn small_product(factors: &[(i64, i64)]) -> [i64; 3] {
    let mut p = [1i64, 0, 0, 0, 0];
    for (a, d) in factors {
        for i in (0..5).rev() {
            let below = if i > 0 { p[i - 1] } else { 0 };
            p[i] = p[i] * a + below * d;
        }
    }
    [p[2], p[3], p[4]]
}

/// The coefficients of (a₀ + d₀x)(a₁ + d₁x).
fn quadratic(a: [Fr; 2], d: [Fr; 2]) -> [Fr; 3] {
    let low = a[0] * a[1];
    let high = d[0] * d[1];
    let middle = (a[0] + d[0]) * (a[1] + d[1]) - low - high;
    [low, middle, high]
}

/// Coefficients 0, 2, 3, 4 of a product of two quadratics.
fn quartic(a: [Fr; 3], b: [Fr; 3]) -> [Fr; 4] {
    [
        a[0] * b[0],
        Fr::sum_of_products(&a, &[b[2], b[1], b[0]]),
        Fr::sum_of_products(&[a[1], a[2]], &[b[2], b[1]]),
        a[2] * b[2],
    ]
}

/// Coefficients 0, 2, 3, 4 of a quadratic times a₀ + dx.
fn cubic(q: [Fr; 3], a: Fr, d: Fr) -> [Fr; 4] {
    [
        q[0] * a,
        Fr::sum_of_products(&[q[2], q[1]], &[a, d]),
        q[2] * d,
        Fr::ZERO,
    ]
}

/// Adds what the rows `low` (variable 0) and `high` (variable 1) say. The first half of `sum` is weighted with
/// `weight`, the second is not.
pub(super) fn pair(shape: &Shape, low: &[Fr], high: &[Fr], weight: &Fr, sum: &mut [Fr; MESSAGE]) {
    let mut g = [Fr::ZERO; 4];
    let slots = 2 * shape.slots;
    g[0] = products(&low[..slots], &[]);
    g[1] = products(&low[..slots], &high[..slots]);
    for e in low[..2 * shape.summed].iter().skip(1).step_by(2) {
        sum[4] += e;
    }
    for block in &shape.blocks {
        g[0] += low[block.root]
            * if block.factors.is_empty() {
                Fr::ZERO
            } else {
                Fr::ONE
            };
        add_product(block, low, high, &mut g);
        add_sum(block, low, high, sum);
    }
    for (sum, g) in sum.iter_mut().zip(g) {
        if !g.is_zero() {
            *sum += g * weight;
        }
    }
}

/// The product of a block's factors.
fn add_product(block: &BlockShape, low: &[Fr], high: &[Fr], g: &mut [Fr; 4]) {
    let quad =
        |i: usize, j: usize| quadratic([low[i], low[j]], [high[i] - low[i], high[j] - low[j]]);
    let product = match *block.factors.as_slice() {
        [] => return,
        [a] => [low[a], Fr::ZERO, Fr::ZERO, Fr::ZERO],
        [a, b] => {
            let [low, _, high] = quad(a, b);
            [low, high, Fr::ZERO, Fr::ZERO]
        }
        [a, b, c] => cubic(quad(a, b), low[c], high[c] - low[c]),
        [a, b, c, d, ..] => quartic(quad(a, b), quad(c, d)),
    };
    for (g, p) in g.iter_mut().zip(product) {
        *g += p;
    }
}

/// e_G·s·w.
fn add_sum(block: &BlockShape, low: &[Fr], high: &[Fr], sum: &mut [Fr; MESSAGE]) {
    let (s, step) = (low[block.root], high[block.root] - low[block.root]);
    if s.is_zero() && step.is_zero() {
        return;
    }
    let mut w = [
        low[block.single],
        high[block.single] - low[block.single],
        Fr::ZERO,
    ];
    for (l, r) in &block.pairs {
        let product = quadratic([low[*l], low[*r]], [high[*l] - low[*l], high[*r] - low[*r]]);
        w.iter_mut().zip(product).for_each(|(w, p)| *w += p);
    }
    let out = match block.grouping {
        Some(slot) => {
            let e = 2 * slot + 1;
            let es = quadratic([low[e], s], [high[e] - low[e], step]);
            if block.pairs.is_empty() {
                cubic(es, w[0], w[1])
            } else {
                quartic(es, w)
            }
        }
        None => cubic(w, s, step),
    };
    for (sum, value) in sum[4..].iter_mut().zip(out) {
        *sum += value;
    }
}
