//! The obligation of PROTOCOL §3: all QAP columns of a gate are linearly independent as triples
//! (u, v, w), so that no move of D, public inputs and witness together stays unseen; and what is lost
//! without the consistency rows C0.

use std::collections::BTreeMap;

use ark_ff::{Field, One, Zero};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use galen_circuits::{
    Fr,
    gates::{Gate, Matrices},
    srs::commitment_domain,
};

type Sparse = BTreeMap<usize, Fr>;

/// Every variable's column (u ‖ v ‖ w) over the domain, without the first `skip` rows.
fn columns(m: &Matrices, skip: usize, domain: usize) -> Vec<Sparse> {
    let mut out = vec![Sparse::new(); m.instance + m.witness];
    for (part, matrix) in m.abc.iter().enumerate() {
        for (row, entries) in matrix.iter().enumerate().skip(skip) {
            for (coefficient, variable) in entries {
                let entry = out[*variable].entry(part * domain + row);
                *entry.or_insert(Fr::zero()) += coefficient;
            }
        }
    }
    for column in &mut out {
        column.retain(|_, c| !c.is_zero());
    }
    out
}

fn rank(columns: impl IntoIterator<Item = Sparse>) -> usize {
    let mut pivots: BTreeMap<usize, Sparse> = BTreeMap::new();
    for mut column in columns {
        while let Some((&position, &head)) = column.first_key_value() {
            let Some(pivot) = pivots.get(&position) else {
                pivots.insert(position, column);
                break;
            };
            let factor = head / pivot[&position];
            for (i, c) in pivot {
                let entry = column.entry(*i).or_insert(Fr::zero());
                *entry -= factor * c;
                if entry.is_zero() {
                    column.remove(i);
                }
            }
        }
    }
    pivots.len()
}

/// h = τᴺ − 1 beside the K's, as a w-only polynomial: its values on the gate's domain, and one more
/// coordinate for what it is above the domain's degree. (With t drawn apart from τ h could not
/// meet the K's anyway; with one τ for both, as after a ceremony, this is what keeps ρ·K_ρ and r·h apart.)
fn h(n: usize, domain: usize) -> Sparse {
    let size = commitment_domain(n).size();
    let points = GeneralEvaluationDomain::<Fr>::new(domain).unwrap();
    let mut out: Sparse = points
        .elements()
        .map(|x| x.pow([size as u64]) - Fr::one())
        .enumerate()
        .filter(|(_, v)| !v.is_zero())
        .map(|(i, v)| (2 * domain + i, v))
        .collect();
    if size >= domain {
        out.insert(3 * domain, Fr::one());
    }
    out
}

struct Case {
    gate: Gate,
    n: usize,
    /// All variables: the rank with C0.
    full: usize,
    /// The rank without C0.
    without: usize,
}

const CASES: [Case; 7] = [
    Case {
        gate: Gate::Select,
        n: 3,
        full: 16,
        without: 12,
    },
    Case {
        gate: Gate::Select,
        n: 4,
        full: 20,
        without: 16,
    },
    Case {
        gate: Gate::Multiply,
        n: 4,
        full: 15,
        without: 12,
    },
    Case {
        gate: Gate::Recode { bits: 2 },
        n: 4,
        full: 28,
        without: 25,
    },
    Case {
        gate: Gate::Recode { bits: 3 },
        n: 5,
        full: 43,
        without: 40,
    },
    Case {
        gate: Gate::Release,
        n: 8,
        full: 1975,
        without: 1953,
    },
    Case {
        gate: Gate::Compare,
        n: 8,
        full: 1225,
        without: 1223,
    },
];

#[test]
fn all_columns_are_independent_and_c0_is_why() {
    for case in CASES {
        let m = Matrices::of(case.gate, case.n).unwrap();
        let domain = m.constraints.next_power_of_two();
        let layout = case.gate.layout(case.n);
        let with = columns(&m, 0, domain);
        assert_eq!(with.len(), case.full, "{}: variables", case.gate);
        assert_eq!(rank(with.clone()), case.full, "{}", case.gate);
        let k: Vec<Sparse> = with[..m.instance].to_vec();
        assert_eq!(
            rank(k.into_iter().chain([h(case.n, domain)])),
            m.instance + 1,
            "{}: the bases K and h",
            case.gate
        );
        // The same without C0: ρ and ctx have no column at all, K_ρ = K_ctx = O.
        let without = columns(&m, layout.head(), domain);
        assert!(without[layout.rho()].is_empty() && without[1].is_empty());
        assert_eq!(rank(without), case.without, "{} without C0", case.gate);
    }
}

#[test]
fn without_c0_the_constant_of_select_could_be_moved() {
    // K_k = −Σ K_{x,i}: D for (k, x) is D for (k + δ, x + δ). C0 gives k a column of its own.
    let m = Matrices::of(Gate::Select, 4).unwrap();
    let layout = Gate::Select.layout(4);
    for (skip, moves) in [(layout.head(), true), (0, false)] {
        let all = columns(&m, skip, 16);
        let mut sum = all[2].clone();
        for x in &all[layout.range(0)] {
            for (i, c) in x {
                *sum.entry(*i).or_insert(Fr::zero()) += c;
            }
        }
        assert_eq!(sum.values().all(Zero::is_zero), moves);
    }
}
