//! Eight values at a time.
//!
//! The inverse transform decimates in frequency (Gentleman and Sande 1966), so that coefficients come out in bit-reversed order; there they are
//! scaled; and the transform to the coset decimates in time (Cooley and Tukey 1965), which takes that order: nothing is ever permuted. Strides
//! below eight are strides between vectors once 64 values are transposed.
//!
//! The transform is linear: values come in as arkworks keeps them, read as sixteenths, and go out so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use ark_bn254::Fr;
use ark_ff::{Field, One};
use ark_poly::EvaluationDomain;
use zeroize::Zeroize;

use crate::lanes::{LANES, Lanes};

/// What is computed once for a number of values.
struct Plan {
    /// By stage, from half of them down to eight: powers of the root that a half is multiplied with.
    inverse: Vec<Vec<Lanes<Fr>>>,
    forward: Vec<Vec<Lanes<Fr>>>,
    /// ω^i/n of the coefficients i in bit-reversed order, 64 transposed.
    scale: Vec<Lanes<Fr>>,
    /// Powers 1, 2 and 3 of the root of order eight.
    inverse_eighth: [Lanes<Fr>; 3],
    forward_eighth: [Lanes<Fr>; 3],
}

pub(super) fn to_coset(values: &mut [Fr]) {
    assert!(crate::path::has_vectors(), "the machine has no vectors");
    // SAFETY: the machine has the instructions.
    #[allow(unsafe_code)]
    unsafe {
        let plan = plan(values.len());
        transform(&plan, values);
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn plan(n: usize) -> Arc<Plan> {
    static KNOWN: Mutex<BTreeMap<usize, Arc<Plan>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(plan) = known().get(&n) {
        return Arc::clone(plan);
    }
    let plan = Arc::new(Plan::new(n));
    Arc::clone(known().entry(n).or_insert(plan))
}

impl Plan {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(n: usize) -> Self {
        let (domain, coset) = super::domains(n);
        let (root, inverse) = (domain.group_gen(), domain.group_gen_inv());
        let mut factor = domain.size_inv();
        let factors: Vec<Fr> = (0..n)
            .map(|_| {
                let own = factor;
                factor *= coset.coset_offset();
                own
            })
            .collect();
        let bits = n.trailing_zeros();
        let scaled = |at: usize| factors[at.reverse_bits() >> (usize::BITS - bits)];
        let mut scale = Vec::with_capacity(n / LANES);
        for vector in 0..n / LANES {
            let (block, own) = (vector / LANES, vector % LANES);
            let place = |lane: usize| block * LANES * LANES + lane * LANES + own;
            scale.push(Lanes::load(&std::array::from_fn(|l| scaled(place(l)))));
        }
        let eighth = (n / LANES) as u64;
        Self {
            inverse: stages(n, inverse),
            forward: stages(n, root),
            scale,
            inverse_eighth: eighths(inverse.pow([eighth])),
            forward_eighth: eighths(root.pow([eighth])),
        }
    }
}

/// The powers of a root of order n, stage by stage.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn stages(n: usize, root: Fr) -> Vec<Vec<Lanes<Fr>>> {
    let (mut half, mut root, mut stages) = (n / 2, root, Vec::new());
    while half >= LANES {
        let mut power = Fr::one();
        let mut powers = Vec::with_capacity(half / LANES);
        for _ in 0..half / LANES {
            let mut eight = [Fr::one(); LANES];
            for own in &mut eight {
                *own = power;
                power *= root;
            }
            powers.push(Lanes::load(&eight));
        }
        stages.push(powers);
        root = root.square();
        half /= 2;
    }
    stages
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn eighths(root: Fr) -> [Lanes<Fr>; 3] {
    let square = root.square();
    [
        Lanes::splat(root),
        Lanes::splat(square),
        Lanes::splat(square * root),
    ]
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transform(plan: &Plan, values: &mut [Fr]) {
    let (eights, _) = values.as_chunks_mut::<LANES>();
    let mut own: Vec<Lanes<Fr>> = Vec::with_capacity(eights.len());
    for eight in &*eights {
        own.push(Lanes::kept(eight));
    }
    for powers in &plan.inverse {
        for block in own.chunks_exact_mut(2 * powers.len()) {
            let (low, high) = block.split_at_mut(powers.len());
            for ((a, b), power) in low.iter_mut().zip(high).zip(powers) {
                apart(a, b, power);
            }
        }
    }
    let (blocks, _) = own.as_chunks_mut::<LANES>();
    for (block, scale) in blocks.iter_mut().zip(plan.scale.as_chunks::<LANES>().0) {
        middle(plan, block, scale);
    }
    for powers in plan.forward.iter().rev() {
        for block in own.chunks_exact_mut(2 * powers.len()) {
            let (low, high) = block.split_at_mut(powers.len());
            for ((a, b), power) in low.iter_mut().zip(high).zip(powers) {
                together(a, b, power);
            }
        }
    }
    for (eight, lanes) in eights.iter_mut().zip(&own) {
        *eight = lanes.as_kept();
    }
    own.zeroize();
}

/// The strides below eight of both transforms, and the scale between them.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn middle(plan: &Plan, block: &mut [Lanes<Fr>; LANES], scale: &[Lanes<Fr>; LANES]) {
    let mut v = Lanes::transposed(block);
    let [w, ww, www] = &plan.inverse_eighth;
    let [a, b, c, d, e, f, g, h] = &mut v;
    apart_by_one(a, e);
    apart(b, f, w);
    apart(c, g, ww);
    apart(d, h, www);
    for [a, b, c, d] in [[&mut *a, b, c, d], [e, f, g, h]] {
        apart_by_one(a, c);
        apart(b, d, ww);
        apart_by_one(a, b);
        apart_by_one(c, d);
    }
    for (v, scale) in v.iter_mut().zip(scale) {
        *v = v.times(scale);
    }
    let [w, ww, www] = &plan.forward_eighth;
    let [a, b, c, d, e, f, g, h] = &mut v;
    for [a, b, c, d] in [
        [&mut *a, &mut *b, &mut *c, &mut *d],
        [&mut *e, &mut *f, &mut *g, &mut *h],
    ] {
        apart_by_one(a, b);
        apart_by_one(c, d);
        apart_by_one(a, c);
        together(b, d, ww);
    }
    apart_by_one(a, e);
    together(b, f, w);
    together(c, g, ww);
    together(d, h, www);
    *block = Lanes::transposed(&v);
}

/// a + b and (a − b)·w, of numbers below 2, and below 2.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn apart(a: &mut Lanes<Fr>, b: &mut Lanes<Fr>, power: &Lanes<Fr>) {
    let difference = a.minus(b);
    *a = a.plus(b).halved();
    *b = difference.times(power);
}

/// a + b and a − b.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn apart_by_one(a: &mut Lanes<Fr>, b: &mut Lanes<Fr>) {
    let difference = a.minus(b);
    *a = a.plus(b).halved();
    *b = difference.halved();
}

/// a + b·w and a − b·w, of numbers below 2, and below 2.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn together(a: &mut Lanes<Fr>, b: &mut Lanes<Fr>, power: &Lanes<Fr>) {
    *b = b.times(power);
    apart_by_one(a, b);
}
