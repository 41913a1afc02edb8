//! What one pair of rows adds to a round's message: the arithmetic of the sumcheck, on elements or on eight at once. All of it is inlined, so that
//! it is compiled with the instructions of its caller.

use super::{MESSAGE, number::Number};
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

/// Σ q·e over what a row, or the difference of two, has in each slot: `at` gives its field elements.
#[inline(always)]
fn slots<N: Number>(count: usize, zero: N, at: impl Fn(usize) -> N) -> N {
    let mut sum = zero;
    let mut slot = 0;
    while slot < count {
        let (mut q, mut e) = ([zero; TOGETHER], [zero; TOGETHER]);
        for k in 0..TOGETHER.min(count - slot) {
            q[k] = at(2 * (slot + k));
            e[k] = at(2 * (slot + k) + 1);
        }
        sum = sum.plus(&match count - slot {
            1 => q[0].times(&e[0]),
            2 => N::products(&[q[0], q[1]], &[e[0], e[1]]),
            3 => N::products(&[q[0], q[1], q[2]], &[e[0], e[1], e[2]]),
            _ => N::products(&q, &e),
        });
        slot += TOGETHER;
    }
    sum
}

/// What the rows say in the first round but for the roots' products, which are small integers there. Every row keeps
/// what the equation demands, so that g(0) is 0.
#[inline(always)]
pub(super) fn first_pair<N: Number>(
    shape: &Shape,
    low: &[N],
    high: &[N],
    weight: &N,
    sum: &mut [N::Total; MESSAGE],
) {
    let step = |i: usize| high[i].minus(&low[i]);
    let g = slots(shape.slots, weight.nought(), step);
    g.times(weight).add_to(&mut sum[1]);
    for slot in 0..shape.summed {
        low[2 * slot + 1].add_to(&mut sum[4]);
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
#[inline(always)]
fn quadratic<N: Number>(a: [N; 2], d: [N; 2]) -> [N; 3] {
    [
        a[0].times(&a[1]),
        N::products(&a, &[d[1], d[0]]),
        d[0].times(&d[1]),
    ]
}

/// Coefficients 0, 2, 3, 4 of a product of two quadratics.
#[inline(always)]
fn quartic<N: Number>(a: [N; 3], b: [N; 3]) -> [N; 4] {
    [
        a[0].times(&b[0]),
        N::products(&a, &[b[2], b[1], b[0]]),
        N::products(&[a[1], a[2]], &[b[2], b[1]]),
        a[2].times(&b[2]),
    ]
}

/// Coefficients 0, 2, 3 of a quadratic times a₀ + dx.
#[inline(always)]
fn cubic<N: Number>(q: [N; 3], a: &N, d: &N) -> [N; 3] {
    [
        q[0].times(a),
        N::products(&[q[2], q[1]], &[*a, *d]),
        q[2].times(d),
    ]
}

/// Adds what the rows `low` (variable 0) and `high` (variable 1) say. The first half of `sum` is weighted with
/// `weight`, the second is not.
#[inline(always)]
pub(super) fn pair<N: Number>(
    shape: &Shape,
    low: &[N],
    high: &[N],
    weight: &N,
    sum: &mut [N::Total; MESSAGE],
) {
    let zero = weight.nought();
    let step = |i: usize| high[i].minus(&low[i]);
    let mut g = [zero; 4];
    g[0] = slots(shape.slots, zero, |i| low[i]);
    g[1] = slots(shape.slots, zero, step);
    for slot in 0..shape.summed {
        low[2 * slot + 1].add_to(&mut sum[4]);
    }
    for block in &shape.blocks {
        if !block.factors.is_empty() {
            g[0] = g[0].plus(&low[block.root]);
        }
        add_product(block, low, high, &mut g);
        add_sum(block, low, high, sum);
    }
    for (sum, g) in sum.iter_mut().zip(&g) {
        if !g.is_nought() {
            g.times(weight).add_to(sum);
        }
    }
}

/// The product of a block's factors.
#[inline(always)]
fn add_product<N: Number>(block: &BlockShape, low: &[N], high: &[N], g: &mut [N; 4]) {
    let step = |i: usize| high[i].minus(&low[i]);
    let quad = |i: usize, j: usize| quadratic([low[i], low[j]], [step(i), step(j)]);
    let mut add = |k: usize, value: &N| g[k] = g[k].plus(value);
    match *block.factors.as_slice() {
        [] => {}
        [a] => add(0, &low[a]),
        [a, b] => {
            add(0, &low[a].times(&low[b]));
            add(1, &step(a).times(&step(b)));
        }
        [a, b, c] => {
            let product = cubic(quad(a, b), &low[c], &step(c));
            (0..3).for_each(|k| add(k, &product[k]));
        }
        [a, b, c, d, ..] => {
            let product = quartic(quad(a, b), quad(c, d));
            (0..4).for_each(|k| add(k, &product[k]));
        }
    }
}

/// e_G·s·w.
#[inline(always)]
fn add_sum<N: Number>(block: &BlockShape, low: &[N], high: &[N], sum: &mut [N::Total; MESSAGE]) {
    let s = [low[block.root], high[block.root]];
    if s.iter().all(N::is_nought) {
        return;
    }
    let step = |i: usize| high[i].minus(&low[i]);
    let (s, ds) = (s[0], step(block.root));
    let mut w = [low[block.single], step(block.single), s.nought()];
    for (l, r) in &block.pairs {
        let product = quadratic([low[*l], low[*r]], [step(*l), step(*r)]);
        for k in 0..3 {
            w[k] = w[k].plus(&product[k]);
        }
    }
    let Some(slot) = block.grouping else {
        let product = cubic(w, &s, &ds);
        (0..3).for_each(|k| product[k].add_to(&mut sum[4 + k]));
        return;
    };
    let e = 2 * slot + 1;
    let es = quadratic([low[e], s], [step(e), ds]);
    if block.pairs.is_empty() {
        let product = cubic(es, &w[0], &w[1]);
        (0..3).for_each(|k| product[k].add_to(&mut sum[4 + k]));
    } else {
        let product = quartic(es, w);
        (0..4).for_each(|k| product[k].add_to(&mut sum[4 + k]));
    }
}
