//! Round constants and matrices, in the form in which partial rounds are cheap.
//!
//! A round adds its constants, applies the S-box (to all elements, or in a partial round to the
//! first alone) and multiplies by the matrix M (Cauchy, so all its minors are regular). Two exact
//! rewritings of the partial rounds (appendix B of eprint 2019/458) leave the permutation as it is:
//!
//! *Constants.* In a partial round those of the elements that meet no S-box pass through it: M times
//! them is added to the next round's constants instead.
//!
//! *Matrices.* With M = [[m, v], [w, N]] and j partial rounds still to come, the map after the
//! S-box is [[m, v], [Nʲw, Nʲ⁺¹]] = [[m, v·N^−(j+1)], [Nʲw, 1]] · diag(1, Nʲ⁺¹), and the right
//! factor passes backward through constant and S-box of the first element into the round before.
//! What arrives at the last full round before them is diag(1, N^R_P), which multiplies its M.

use std::sync::OnceLock;

use ark_crypto_primitives::sponge::poseidon::traits::find_poseidon_ark_and_mds;
use ark_ff::{AdditiveGroup, Field, PrimeField};

use super::WIDTHS;
use crate::Fr;

/// R_F: half of them before the partial rounds, half after.
pub(super) const FULL_ROUNDS: usize = 8;

/// R_P for the widths of [`WIDTHS`]: the paper's procedure at 128 bits with its security margin.
const PARTIAL_ROUNDS: [usize; 16] = [
    56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68,
];

/// A square matrix, row by row.
pub(super) type Matrix = Vec<Vec<Fr>>;

/// A full round: s ← matrix · S(s + constants).
pub(super) struct FullRound {
    pub(super) constants: Vec<Fr>,
    pub(super) matrix: Matrix,
}

/// A partial round: x = (s₀ + constant)⁵; s₀ ← top · (x, s₁, …); sᵢ ← sᵢ + columnᵢ₋₁·x.
pub(super) struct PartialRound {
    pub(super) constant: Fr,
    pub(super) top: Vec<Fr>,
    pub(super) column: Vec<Fr>,
}

/// A permutation of `width` elements.
pub(super) struct Parameters {
    pub(super) width: usize,
    pub(super) first: Vec<FullRound>,
    pub(super) partial: Vec<PartialRound>,
    pub(super) last: Vec<FullRound>,
}

/// The permutation of a width, made once a process.
///
/// # Panics
/// If the width is not in [`WIDTHS`].
pub(super) fn parameters(width: usize) -> &'static Parameters {
    static MADE: [OnceLock<Parameters>; 16] = [const { OnceLock::new() }; 16];
    assert!(WIDTHS.contains(&width), "no Poseidon of width {width}");
    MADE[width - WIDTHS.start()].get_or_init(|| Parameters::new(width))
}

/// The published constants: those of each round, and M.
pub(super) fn published(width: usize) -> (Vec<Vec<Fr>>, Matrix) {
    find_poseidon_ark_and_mds(
        u64::from(Fr::MODULUS_BIT_SIZE),
        width - 1,
        FULL_ROUNDS as u64,
        partial_rounds(width) as u64,
        0,
    )
}

pub(super) fn partial_rounds(width: usize) -> usize {
    PARTIAL_ROUNDS[width - WIDTHS.start()]
}

impl Parameters {
    fn new(width: usize) -> Self {
        let (mut constants, m) = published(width);
        let half = FULL_ROUNDS / 2;
        let end = half + partial_rounds(width);
        let firsts = move_constants(&mut constants, &m, half..end);
        let (partial, diagonal) = sparse_rounds(&firsts, &m);
        let full = |rounds: &[Vec<Fr>]| -> Vec<FullRound> {
            let round = |c: &Vec<Fr>| FullRound {
                constants: c.clone(),
                matrix: m.clone(),
            };
            rounds.iter().map(round).collect()
        };
        let mut first = full(&constants[..half]);
        let before = first.last_mut().expect("half of R_F is not 0");
        before.matrix = multiply(&diagonal, &m);
        Self {
            width,
            first,
            partial,
            last: full(&constants[end..]),
        }
    }
}

/// Moves the constants of the partial rounds forward; returns what stays at their first elements.
fn move_constants(
    constants: &mut [Vec<Fr>],
    m: &Matrix,
    partial: std::ops::Range<usize>,
) -> Vec<Fr> {
    let step = |r: usize| {
        let first = std::mem::take(&mut constants[r][0]);
        let moved: Vec<Fr> = m.iter().map(|row| dot(row, &constants[r])).collect();
        for (c, moved) in constants[r + 1].iter_mut().zip(moved) {
            *c += moved;
        }
        first
    };
    partial.map(step).collect()
}

/// The sparse partial rounds, and diag(1, N^R_P).
fn sparse_rounds(firsts: &[Fr], m: &Matrix) -> (Vec<PartialRound>, Matrix) {
    let n: Matrix = m[1..].iter().map(|row| row[1..].to_vec()).collect();
    let inverse = transpose(&invert(&n));
    let mut row = m[0][1..].to_vec();
    let mut column: Vec<Fr> = m[1..].iter().map(|row| row[0]).collect();
    let mut power = n.clone();
    let mut rounds = Vec::with_capacity(firsts.len());
    for (j, constant) in firsts.iter().rev().enumerate() {
        if j > 0 {
            column = apply(&n, &column);
            power = multiply(&n, &power);
        }
        row = apply(&inverse, &row);
        rounds.push(PartialRound {
            constant: *constant,
            top: std::iter::once(m[0][0]).chain(row.clone()).collect(),
            column: column.clone(),
        });
    }
    rounds.reverse();
    let mut diagonal = identity(m.len());
    for (d, p) in diagonal[1..].iter_mut().zip(power) {
        d[1..].copy_from_slice(&p);
    }
    (rounds, diagonal)
}

fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
}

fn apply(m: &Matrix, x: &[Fr]) -> Vec<Fr> {
    m.iter().map(|row| dot(row, x)).collect()
}

fn identity(n: usize) -> Matrix {
    let row = |i| (0..n).map(|j| Fr::from(i == j)).collect();
    (0..n).map(row).collect()
}

fn transpose(m: &Matrix) -> Matrix {
    let column = |j: usize| m.iter().map(|row| row[j]).collect();
    (0..m.len()).map(column).collect()
}

fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    let b = transpose(b);
    a.iter().map(|row| apply(&b, row)).collect()
}

/// Gauss and Jordan; every leading minor of a Cauchy matrix is regular, so no pivot is 0.
fn invert(m: &Matrix) -> Matrix {
    let n = m.len();
    let mut left = m.clone();
    let mut right = identity(n);
    for i in 0..n {
        let pivot = left[i][i].inverse();
        let pivot = pivot.expect("leading minors of a Cauchy matrix are not 0");
        for x in left[i].iter_mut().chain(&mut right[i]) {
            *x *= pivot;
        }
        let (left_i, right_i) = (left[i].clone(), right[i].clone());
        for k in (0..n).filter(|k| *k != i) {
            let factor = left[k][i];
            if factor == Fr::ZERO {
                continue;
            }
            let pairs = left[k].iter_mut().zip(&left_i);
            for (x, y) in pairs.chain(right[k].iter_mut().zip(&right_i)) {
                *x -= factor * y;
            }
        }
    }
    right
}
