//! Ranks of what an opening reveals of its mask: six functionals need to be independent over the
//! mask's coefficients (see `galen_circuits::mask`).
//!
//! For every ν in use: random r, z and τ; r with one coordinate 0 or 1; r with two such (a sample).
//! Then how the rank falls with fewer coefficients. It prints the least rank seen, and fails if the
//! mask's is below six.

use ark_ff::{Field, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use galen_circuits::{Fr, mask::positions};

/// μ(τ), y, μ(z), μ(1/z), S_μ(z), S_μ(τ).
const REVEALED: usize = 6;

/// Coordinates of r and their values.
type Fixed = Vec<(usize, bool)>;

/// The weights of the six functionals on the coefficients at `places` ≤ n: `[[Fr; places]; 6]`.
fn functionals(r: &[Fr], z: Fr, tau: Fr, places: &[usize]) -> [Vec<Fr>; REVEALED] {
    let mut eq = vec![Fr::ONE];
    for r in r {
        let high: Vec<Fr> = eq.iter().map(|e| *e * r).collect();
        for (low, high) in eq.iter_mut().zip(&high) {
            *low -= high;
        }
        eq.extend(high);
    }
    let zi = z.inverse().expect("z is random");
    let each = |weight: &dyn Fn(usize) -> Fr| places.iter().map(|p| weight(*p)).collect();
    let power = |x: Fr| move |p: usize| x.pow([p as u64]);
    // S of the monomial X^p: Σ_{j ≠ p} e_j·X^{|p − j| − 1}.
    let s = |x: Fr| {
        let eq = &eq;
        move |p: usize| {
            let below = eq[..p.min(eq.len())].iter();
            let above = eq.iter().skip(p + 1).rev();
            let horner = |acc: Fr, e: &Fr| acc * x + e;
            // From the farthest coefficient to the nearest, whose exponent is 0.
            below.fold(Fr::zero(), horner) + above.fold(Fr::zero(), horner)
        }
    };
    [
        each(&power(tau)),
        each(&|p| eq.get(p).copied().unwrap_or(Fr::zero())),
        each(&power(z)),
        each(&power(zi)),
        each(&s(z)),
        each(&s(tau)),
    ]
}

/// The rank of a matrix, by elimination.
fn rank(mut rows: Vec<Vec<Fr>>) -> usize {
    let mut rank = 0;
    for column in 0..rows[0].len() {
        let Some(pivot) = (rank..rows.len()).find(|i| !rows[*i][column].is_zero()) else {
            continue;
        };
        rows.swap(rank, pivot);
        let inverse = rows[rank][column].inverse().expect("a pivot is not zero");
        let (done, rest) = rows.split_at_mut(rank + 1);
        for row in rest {
            let factor = row[column] * inverse;
            for (to, from) in row.iter_mut().zip(&done[rank]) {
                *to -= factor * from;
            }
        }
        rank += 1;
        if rank == rows.len() {
            break;
        }
    }
    rank
}

/// The least rank over points r that agree with `fixed` (coordinate, value) and are else random.
fn least(log_rows: u32, places: &[usize], fixed: &[Fixed], rng: &mut StdRng) -> usize {
    fixed
        .iter()
        .map(|fixed| {
            let mut r: Vec<Fr> = (0..log_rows).map(|_| Fr::rand(rng)).collect();
            for (j, value) in fixed {
                r[*j] = Fr::from(*value);
            }
            let (z, tau) = (Fr::rand(rng), Fr::rand(rng));
            rank(functionals(&r, z, tau, places).to_vec())
        })
        .min()
        .expect("there are points")
}

/// The least ranks for random points, and for points with one and with two coordinates of 0 or 1.
fn ranks(log_rows: u32, rng: &mut StdRng) -> [usize; 3] {
    let mut places = positions(log_rows);
    places.push(1 << log_rows);
    let variables = log_rows as usize;
    let single: Vec<Fixed> = (0..2 * variables)
        .map(|k| vec![(k / 2, k % 2 == 1)])
        .collect();
    let pair = |_| {
        let i = rng.gen_range(1..variables);
        let j = rng.gen_range(0..i);
        let at_i = rng.r#gen();
        // Of bits that agree one cannot be 0 and the other 1.
        let at_j = if agree(&places, i, j) {
            at_i
        } else {
            rng.r#gen()
        };
        vec![(j, at_j), (i, at_i)]
    };
    let pairs: Vec<Fixed> = (0..20).map(pair).collect();
    [
        least(log_rows, &places, &vec![Fixed::new(); 10], rng),
        least(log_rows, &places, &single, rng),
        least(log_rows, &places, &pairs, rng),
    ]
}

/// Whether two bits are equal in all positions of rows.
fn agree(places: &[usize], i: usize, j: usize) -> bool {
    let (_, rows) = places.split_last().expect("the blinder's place");
    rows.iter().all(|row| (row >> i ^ row >> j) & 1 == 0)
}

/// The ranks with `rows` random coefficients of rows and the blinder.
fn rank_with(rows: usize, log_rows: u32, rng: &mut StdRng) -> usize {
    let mut places = positions(log_rows);
    places.truncate(rows);
    places.push(1 << log_rows);
    least(log_rows, &places, &vec![Fixed::new(); 10], rng)
}

fn main() {
    let rng = &mut StdRng::from_entropy();
    println!(
        "least rank (of {REVEALED}) over r that are random, with one, with two coordinates 0 or 1"
    );
    for log_rows in 9..=17 {
        let ranks = ranks(log_rows, rng);
        println!("2^{log_rows:<2} rows: {ranks:?}");
        assert_eq!(ranks, [REVEALED; 3], "the mask is degenerate");
    }
    for rows in 1..=6 {
        println!("{rows} rows and the blinder: {}", rank_with(rows, 9, rng));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_full_rank() {
        let rng = &mut StdRng::seed_from_u64(1);
        for log_rows in 4..=10 {
            assert_eq!(ranks(log_rows, rng), [REVEALED; 3], "2^{log_rows} rows");
        }
    }

    /// From 2^16 rows on there are more low bits than parities.
    #[test]
    fn large_masks_have_full_rank() {
        let rng = &mut StdRng::seed_from_u64(5);
        for log_rows in 13..=17 {
            let mut places = positions(log_rows);
            places.push(1 << log_rows);
            let bits = log_rows as usize;
            let pairs = (0..bits).flat_map(|i| (0..i).map(move |j| (i, j)));
            let equal: Vec<_> = pairs.filter(|(i, j)| agree(&places, *i, *j)).collect();
            let expected: &[_] = match log_rows {
                16 => &[(11, 0)],
                17 => &[(11, 0), (12, 1)],
                _ => &[],
            };
            assert_eq!(equal, expected);
            let any = [Fixed::new(), vec![(0, false)], vec![(bits - 1, true)]];
            assert_eq!(least(log_rows, &places, &any, rng), REVEALED);
            for (i, j) in equal {
                let same = [vec![(i, true), (j, true)]];
                assert_eq!(least(log_rows, &places, &same, rng), REVEALED);
                let opposite = [vec![(i, true), (j, false)]];
                assert_eq!(least(log_rows, &places, &opposite, rng), REVEALED - 1);
            }
        }
    }

    #[test]
    fn the_smallest_chunk_is_masked_at_random_points() {
        let rng = &mut StdRng::seed_from_u64(2);
        assert_eq!(rank_with(8, 3, rng), REVEALED);
    }

    #[test]
    fn five_rows_and_the_blinder_are_just_enough() {
        let rng = &mut StdRng::seed_from_u64(3);
        for log_rows in 4..=9 {
            assert_eq!(rank_with(4, log_rows, rng), 5);
            assert_eq!(rank_with(5, log_rows, rng), 6);
        }
    }

    #[test]
    fn functionals_are_those_of_the_opening() {
        // y and S of X^p, from f(X)e(1/X) + f(1/X)e(X) = 2y + X·S(X) + X⁻¹·S(1/X) at a random x.
        let rng = &mut StdRng::seed_from_u64(4);
        let r: Vec<Fr> = (0..3).map(|_| Fr::rand(rng)).collect();
        let (x, tau) = (Fr::rand(rng), Fr::rand(rng));
        let xi = x.inverse().unwrap();
        let e = |x: Fr| -> Fr {
            let factor = |(j, r): (usize, &Fr)| Fr::ONE - r + *r * x.pow([1 << j]);
            r.iter().enumerate().map(factor).product()
        };
        let places: Vec<usize> = (0..=8).collect();
        let [_, y, f_x, f_xi, s_x, _] = functionals(&r, x, tau, &places);
        let [_, _, _, _, s_xi, _] = functionals(&r, xi, tau, &places);
        for p in places {
            let cross = f_x[p] * e(xi) + f_xi[p] * e(x);
            assert_eq!(cross, y[p] + y[p] + x * s_x[p] + xi * s_xi[p], "X^{p}");
        }
    }
}
