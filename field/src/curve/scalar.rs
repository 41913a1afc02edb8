//! Sums of many points, one addition after another: a tree of affine additions that share their inversions.
//!
//! An affine addition costs an inversion and three multiplications; Montgomery's trick replaces the
//! inversion by three multiplications, so that one addition of a large batch costs about six, where
//! a mixed addition in projective coordinates costs eleven.

use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{AdditiveGroup, Field, Zero};

use super::runs::{Pair, Run, halve};

/// Additions that share an inversion: enough to make it cheap, few enough to stay in a near cache.
const BLOCK: usize = 1024;

/// The sum of each run of points, on a curve y² = x³ + b of odd order.
pub(super) fn sum_runs<C: SWCurveConfig>(
    points: impl Iterator<Item = Affine<C>>,
    runs: &[Run],
) -> Vec<Affine<C>> {
    let mut points: Vec<Affine<C>> = points.collect();
    let mut block = Block::<C>::new();
    halve(runs, |pair| match pair {
        Some(pair) => block.add(&mut points, pair),
        None => block.flush(&mut points),
    });
    runs.iter().map(|run| points[run.start]).collect()
}

/// Additions that wait for a common inversion.
struct Block<C: SWCurveConfig> {
    pairs: Vec<Pair>,
    /// Each pair's denominator, and the product of those of all later pairs.
    denominators: Vec<(C::BaseField, C::BaseField)>,
}

impl<C: SWCurveConfig> Block<C> {
    fn new() -> Self {
        Self {
            pairs: Vec::with_capacity(BLOCK),
            denominators: vec![(C::BaseField::ONE, C::BaseField::ONE); BLOCK],
        }
    }

    fn add(&mut self, points: &mut [Affine<C>], pair: Pair) {
        self.pairs.push(pair);
        if self.pairs.len() == BLOCK {
            self.flush(points);
        }
    }

    /// Does the additions in their order, so that a result may take the place of an earlier summand.
    fn flush(&mut self, points: &mut [Affine<C>]) {
        let mut product = C::BaseField::ONE;
        for (pair, Pair { from, .. }) in self.pairs.iter().enumerate().rev() {
            let own = denominator(&points[*from], &points[from + 1]);
            self.denominators[pair] = (own, product);
            product *= own;
        }
        let mut inverse = product
            .inverse()
            .expect("denominators are chosen to be non-zero");
        for ((own, later), Pair { from, to }) in self.denominators.iter().zip(&self.pairs) {
            let of_this = inverse * later;
            inverse *= own;
            points[*to] = add(&points[*from], &points[from + 1], of_this);
        }
        self.pairs.clear();
    }
}

/// The denominator of the slope through `a` and `b`; 1 where the sum needs none.
fn denominator<C: SWCurveConfig>(a: &Affine<C>, b: &Affine<C>) -> C::BaseField {
    if a.is_zero() || b.is_zero() {
        return C::BaseField::ONE;
    }
    let dx = b.x - a.x;
    if !dx.is_zero() {
        dx
    } else if a.y == b.y {
        // Not zero: the group's order is odd, so that no point is its own negative.
        a.y.double()
    } else {
        C::BaseField::ONE
    }
}

/// a + b, given the inverse of their [`denominator`].
fn add<C: SWCurveConfig>(a: &Affine<C>, b: &Affine<C>, inverse: C::BaseField) -> Affine<C> {
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
        return Affine::zero();
    };
    let x = slope.square() - a.x - b.x;
    let y = slope * (a.x - x) - a.y;
    Affine::new_unchecked(x, y)
}
