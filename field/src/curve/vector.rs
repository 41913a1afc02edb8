//! Sums of many points, eight additions at a time.
//!
//! Runs of points are halved until one point is left: an affine addition of each pair, the inversions of a block shared (Montgomery's trick), lane
//! by lane. Equal and opposite summands and the point at infinity are lanes with another slope, or with none, chosen by masks.
//!
//! In memory a coordinate is what arkworks keeps, x·2^256, and the lanes read it as x′·2^260, so that x′ = x/16. With y′ = y/64 that is
//! the isomorphism (x, y) → (c²x, c³y) with c = 1/4 to another curve y² = x³ + b, whose additions are the same formulas: points come in without a
//! multiplication, but that y is divided by 4.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field, PrimeField, Zero, fields::serial_batch_inversion_and_mul};

use super::{
    element::Elements,
    runs::{Pair, Run, halve},
};
use crate::{
    lanes::{LANES, Row},
    modulus::{Constants, Modulus, is_below, less, narrow, widen},
};

/// Groups of eight additions that are worked on in turns, so that none waits for its own results.
const WAYS: usize = 2;
/// Groups of eight additions that share their inversions.
const BLOCK: usize = 512;

/// A point whose coordinates have `N` parts.
pub trait Parts<const N: usize>: AffineRepr<BaseField: Field> {
    /// The coordinates; of the point at infinity none.
    fn parts(&self) -> Option<[[Fq; N]; 2]>;
    /// The point with these coordinates, which is on the curve.
    fn of_parts(coordinates: [[Fq; N]; 2]) -> Self;
    /// An element of the coordinates' field.
    fn element(parts: [Fq; N]) -> Self::BaseField;
    /// Its parts.
    fn parts_of(element: &Self::BaseField) -> [Fq; N];
}

impl Parts<1> for G1Affine {
    #[inline]
    fn parts(&self) -> Option<[[Fq; 1]; 2]> {
        self.xy().map(|(x, y)| [[x], [y]])
    }

    fn of_parts([[x], [y]]: [[Fq; 1]; 2]) -> Self {
        Self::new_unchecked(x, y)
    }

    fn element([x]: [Fq; 1]) -> Fq {
        x
    }

    fn parts_of(element: &Fq) -> [Fq; 1] {
        [*element]
    }
}

impl Parts<2> for G2Affine {
    #[inline]
    fn parts(&self) -> Option<[[Fq; 2]; 2]> {
        let of = |e: Fq2| [e.c0, e.c1];
        self.xy().map(|(x, y)| [of(x), of(y)])
    }

    fn of_parts([x, y]: [[Fq; 2]; 2]) -> Self {
        Self::new_unchecked(Self::element(x), Self::element(y))
    }

    fn element([c0, c1]: [Fq; 2]) -> Fq2 {
        Fq2::new(c0, c1)
    }

    fn parts_of(element: &Fq2) -> [Fq; 2] {
        [element.c0, element.c1]
    }
}

/// Coordinates by their place.
const X: usize = 0;
const Y: usize = 1;

/// The coordinates of a point as the lanes read them; zeros are the point at infinity, since no point of odd order has y = 0.
type Rows<const N: usize> = [[Row; N]; 2];

#[inline]
fn rows_of<const N: usize>(point: &impl Parts<N>) -> Rows<N> {
    match point.parts() {
        Some([x, y]) => [x.map(|e| *e.kept()), y.map(|e| quarter(*e.kept()))],
        None => [[[0; 4]; N]; 2],
    }
}

fn point_of<P: Parts<N>, const N: usize>([x, y]: &Rows<N>) -> P {
    if [x, y].into_iter().flatten().flatten().all(|l| *l == 0) {
        return P::zero();
    }
    let y = y.map(|row| element_of(row).double().double());
    P::of_parts([x.map(element_of), y])
}

/// A quarter of it modulo p: of a number below p that, too.
#[inline]
fn quarter(row: Row) -> Row {
    let p = Fq::MODULUS.0;
    // With so many times p its last two bits are 0.
    let times = row[0].wrapping_mul(Constants::<Fq>::INVERSE) & 3;
    let (mut sum, mut carry) = ([0; 4], 0_u128);
    for ((sum, limb), of_p) in sum.iter_mut().zip(row).zip(p) {
        carry += u128::from(limb) + u128::from(of_p) * u128::from(times);
        #[expect(clippy::cast_possible_truncation, reason = "the rest is carried")]
        let low = carry as u64;
        *sum = low;
        carry >>= 64;
    }
    std::array::from_fn(|at| sum[at] >> 2 | sum.get(at + 1).map_or(0, |next| next << 62))
}

/// The element that arkworks keeps so, but for a multiple of p.
fn element_of(row: Row) -> Fq {
    let mut limbs = narrow(row);
    while !is_below(limbs, Constants::<Fq>::P) {
        limbs = less(limbs, Constants::<Fq>::P);
    }
    Fq::of_kept(widen(limbs))
}

/// Eight additions.
struct Group<const N: usize> {
    pairs: [Pair; LANES],
    /// What the slopes are divided by.
    denominators: Elements<N>,
    /// The product of those of the groups that are added after it, way by way.
    later: Elements<N>,
    /// Lanes without an addition.
    special: Special,
}

/// Lanes by what is special about their summands.
#[derive(Debug, Clone, Copy, Default)]
struct Special {
    /// The first is the point at infinity.
    first: u8,
    /// The second is.
    second: u8,
    /// Both are the same.
    equal: u8,
    /// They add up to the point at infinity.
    opposite: u8,
}

impl Special {
    fn any(self) -> bool {
        self.first | self.second | self.equal | self.opposite != 0
    }

    /// The sum, or what takes its place: the other summand, or zeros for the point at infinity.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn chosen<const N: usize>(self, sum: Elements<N>, of: &[Elements<N>; 2]) -> Elements<N> {
        if !self.any() {
            return sum;
        }
        sum.or(self.second, &of[0])
            .or(self.first, &of[1])
            .or(self.opposite, &Elements::zero())
    }
}

/// The sum of each run of points.
///
/// # Panics
/// If the machine has no vectors, or a run is empty or beyond the points.
pub(super) fn sum_runs<P: Parts<N>, const N: usize>(
    points: impl Iterator<Item = P>,
    runs: &[Run],
) -> Vec<P> {
    assert!(crate::path::has_vectors(), "the machine has no vectors");
    let mut rows: Vec<Rows<N>> = points.map(|p| rows_of(&p)).collect();
    // SAFETY: the machine has the instructions.
    #[allow(unsafe_code)]
    unsafe {
        sum_rows::<P, N>(&mut rows, runs);
    }
    runs.iter().map(|run| point_of(&rows[run.start])).collect()
}

/// Leaves each run's sum in its first place.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sum_rows<P: Parts<N>, const N: usize>(rows: &mut [Rows<N>], runs: &[Run]) {
    let mut pairs = Vec::with_capacity(BLOCK * LANES);
    let mut block = Vec::with_capacity(BLOCK);
    halve(runs, |pair| {
        match pair {
            Some(pair) if pairs.len() + 1 < BLOCK * LANES => return pairs.push(pair),
            Some(pair) => pairs.push(pair),
            None => (),
        }
        add::<P, N>(rows, &mut pairs, &mut block);
    });
}

/// Does the additions in their order, and empties the list.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add<P: Parts<N>, const N: usize>(
    rows: &mut [Rows<N>],
    pairs: &mut Vec<Pair>,
    block: &mut Vec<Group<N>>,
) {
    let Some(last) = pairs.last().copied() else {
        return;
    };
    // A pair that is added twice at once gives the same twice.
    pairs.resize(pairs.len().next_multiple_of(LANES * WAYS), last);
    let mut products = [Elements::<N>::one(); WAYS];
    for pairs in pairs.as_chunks::<{ LANES * WAYS }>().0.iter().rev() {
        for (way, pairs) in pairs.as_chunks::<LANES>().0.iter().enumerate() {
            let group = Group::new(rows, pairs, products[way]);
            products[way] = products[way].times(&group.denominators);
            block.push(group);
        }
    }
    let mut inverses = inverted::<P, N>(&products);
    let mut own = inverses;
    for groups in block.as_chunks::<WAYS>().0.iter().rev() {
        for way in 0..WAYS {
            own[way] = inverses[way].times(&groups[way].later);
            inverses[way] = inverses[way].times(&groups[way].denominators);
        }
        add_groups(rows, groups, &own);
    }
    pairs.clear();
    block.clear();
}

/// The inverses of numbers below 2, none of them 0.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn inverted<P: Parts<N>, const N: usize>(products: &[Elements<N>; WAYS]) -> [Elements<N>; WAYS] {
    let parts = products.map(|p| p.store());
    let mut elements: Vec<_> = parts.iter().flatten().map(|e| P::element(*e)).collect();
    // A factor of it would be: the points are not on the curve.
    assert!(elements.iter().all(|e| !e.is_zero()), "no denominator is 0");
    serial_batch_inversion_and_mul(&mut elements, &P::BaseField::ONE);
    let (parts, _) = elements.as_chunks::<LANES>();
    std::array::from_fn(|way| {
        Elements::load(&std::array::from_fn(|lane| P::parts_of(&parts[way][lane])))
    })
}

impl<const N: usize> Group<N> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(rows: &[Rows<N>], pairs: &[Pair; LANES], later: Elements<N>) -> Self {
        let [a, b] = summands(rows, pairs, X);
        let mut denominators = b.minus(&a);
        let mut special = Special::default();
        if denominators.are_zero() | a.are_blank() | b.are_blank() != 0 {
            special = Special::new(rows, pairs, denominators.are_zero());
            let [y, _] = summands(rows, pairs, Y);
            denominators = denominators.or(special.equal, &y.plus(&y)).or(
                special.first | special.second | special.opposite,
                &Elements::one(),
            );
        }
        Self {
            pairs: *pairs,
            denominators,
            later,
            special,
        }
    }
}

impl Special {
    /// What is special, given in which lanes the abscissas are equal.
    #[cold]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new<const N: usize>(rows: &[Rows<N>], pairs: &[Pair; LANES], beside: u8) -> Self {
        let ([xa, xb], [ya, yb]) = (summands(rows, pairs, X), summands(rows, pairs, Y));
        let first = xa.are_blank() & ya.are_blank();
        let second = xb.are_blank() & yb.are_blank();
        let (beside, same) = (beside & !first & !second, yb.minus(&ya).are_zero());
        Self {
            first,
            second,
            equal: beside & same,
            opposite: beside & !same,
        }
    }
}

/// A coordinate of the summands.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn summands<const N: usize>(
    rows: &[Rows<N>],
    pairs: &[Pair; LANES],
    coordinate: usize,
) -> [Elements<N>; 2] {
    let two: [&[Rows<N>; 2]; LANES] = std::array::from_fn(|lane| {
        let from = pairs[lane].from;
        rows[from..from + 2].as_array().expect("two rows")
    });
    let first = Elements::of_rows(two.map(|two| &two[0][coordinate]));
    let second = Elements::of_rows(two.map(|two| &two[1][coordinate]));
    [first, second]
}

/// Adds, given the inverses of the denominators.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add_groups<const N: usize>(
    rows: &mut [Rows<N>],
    groups: &[Group<N>; WAYS],
    inverses: &[Elements<N>; WAYS],
) {
    let [mut x, mut y] = [[[Elements::zero(); 2]; WAYS]; 2];
    let mut slopes = *inverses;
    for (w, group) in groups.iter().enumerate() {
        x[w] = summands(rows, &group.pairs, X);
        y[w] = summands(rows, &group.pairs, Y);
        let mut rise = y[w][1].minus(&y[w][0]);
        if group.special.any() {
            let square = x[w][0].times(&x[w][0]);
            let three = square.plus(&square).reduced().plus(&square);
            rise = rise.or(group.special.equal, &three);
        }
        slopes[w] = inverses[w].times(&rise);
    }
    let mut sums = slopes;
    for w in 0..WAYS {
        let square = slopes[w].times(&slopes[w]);
        sums[w] = square.minus(&x[w][0]).reduced().minus(&x[w][1]).reduced();
    }
    for (w, group) in groups.iter().enumerate() {
        let product = slopes[w].times(&x[w][0].minus(&sums[w]));
        let height = product.minus(&y[w][0]).reduced();
        write(rows, &group.pairs, X, group.special.chosen(sums[w], &x[w]));
        write(rows, &group.pairs, Y, group.special.chosen(height, &y[w]));
    }
}

/// Writes a coordinate of the sums.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn write<const N: usize>(
    rows: &mut [Rows<N>],
    pairs: &[Pair; LANES],
    coordinate: usize,
    elements: Elements<N>,
) {
    for (part, lanes) in elements.into_rows().iter().enumerate() {
        for (pair, row) in pairs.iter().zip(lanes) {
            rows[pair.to][coordinate][part] = *row;
        }
    }
}
