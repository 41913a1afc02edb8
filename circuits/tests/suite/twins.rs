//! Each gate's native twin against its circuit, on true statements and on statements with one entry
//! moved: both name the same constraint in the same row, or none.

use std::sync::LazyLock;

use ark_ff::Zero;
use galen_circuits::{
    Fr,
    gates::{Assignment, Circuit, Gate, Matrices, compare, multiply, recode, release, select},
};
use proptest::{collection::vec, prelude::*};

use crate::relation::{LIMB_WITNESSES, Place, failing, families, native, values};

fn field() -> impl Strategy<Value = Fr> {
    prop_oneof![
        (0u64..4).prop_map(Fr::from),
        any::<u64>().prop_map(Fr::from),
        any::<[u64; 4]>().prop_map(|l| {
            l.iter().fold(Fr::zero(), |sum, limb| {
                sum * Fr::from(1u128 << 64) + Fr::from(*limb)
            })
        }),
    ]
}

fn circuit_says(gate: Gate, n: usize, v: &[Fr]) -> Vec<Place> {
    failing(&Matrices::of(gate, n).unwrap(), &families(gate, n), v)
}

/// Rows of (x, y), an optional move of one slot's entry (slot, row, by), and k.
type Rows = (Vec<(u64, Fr)>, Option<(usize, usize, Fr)>, u64);

fn rows() -> impl Strategy<Value = Rows> {
    (4usize..=12).prop_flat_map(|n| {
        (
            vec((0u64..5, field()), n),
            proptest::option::of((0usize..3, 0..n, field())),
            0u64..5,
        )
    })
}

fn columns(rows: &[(u64, Fr)], z: impl Fn(Fr, Fr) -> Fr) -> [Vec<Fr>; 3] {
    let x: Vec<Fr> = rows.iter().map(|r| Fr::from(r.0)).collect();
    let y: Vec<Fr> = rows.iter().map(|r| r.1).collect();
    let z = x.iter().zip(&y).map(|(x, y)| z(*x, *y)).collect();
    [x, y, z]
}

fn moved(mut columns: [Vec<Fr>; 3], by: Option<(usize, usize, Fr)>) -> [Vec<Fr>; 3] {
    if let Some((slot, row, by)) = by {
        columns[slot][row] += by;
    }
    columns
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn select_agrees((rows, by, k) in rows(), ctx in field(), rho in field()) {
        let k = Fr::from(k);
        let n = rows.len();
        let honest = columns(&rows, |x, y| if x == k { y } else { Fr::zero() });
        for (by, honest) in [(None, honest.clone()), (by, honest)] {
            let [x, y, z] = moved(honest, by);
            let a = select::Assignment { ctx, k, rho, x: &x, y: &y, z: &z };
            let v = values(Circuit { gate: Gate::Select, n, assignment: Some(Assignment::Select(a)) });
            prop_assert_eq!(circuit_says(Gate::Select, n, &v).first().copied(), select::violation(&a));
            prop_assert!(by.is_some() || select::violation(&a).is_none());
        }
    }

    #[test]
    fn multiply_agrees((rows, by, _) in rows(), ctx in field(), rho in field()) {
        let n = rows.len();
        let honest = columns(&rows, |x, y| x * y);
        for (by, honest) in [(None, honest.clone()), (by, honest)] {
            let [x, y, z] = moved(honest, by);
            let a = multiply::Assignment { ctx, rho, x: &x, y: &y, z: &z };
            let v = values(Circuit { gate: Gate::Multiply, n, assignment: Some(Assignment::Multiply(a)) });
            prop_assert_eq!(circuit_says(Gate::Multiply, n, &v).first().copied(), multiply::violation(&a));
            prop_assert!(by.is_some() || multiply::violation(&a).is_none());
        }
    }

    #[test]
    fn recode_agrees(
        bits in 2u32..=4,
        codes in vec(any::<u64>(), 4..=12),
        members in any::<u64>(),
        challenge in any::<[u64; 4]>(),
        entry in any::<proptest::sample::Index>(),
        by in field(),
    ) {
        let (n, table) = (codes.len(), 1u64 << bits);
        let gate = Gate::Recode { bits };
        let challenge = challenge.iter().fold(Fr::from(99u64), |s, l| s * Fr::from(1u128 << 64) + Fr::from(*l));
        let set: Vec<Fr> = (0..table).map(|t| Fr::from(members >> t & 1)).collect();
        let x: Vec<Fr> = codes.iter().map(|c| Fr::from(c % table)).collect();
        let z: Vec<Fr> = codes.iter().map(|c| Fr::from(members >> (c % table) & 1)).collect();
        let m = recode::multiplicities(bits, &x).unwrap();
        let (iota, g) = recode::fractions(bits, challenge, &x, &z, &m, &set).unwrap();
        let a = recode::Assignment {
            ctx: Fr::from(5u64), challenge, rho: Fr::from(6u64),
            x: &x, z: &z, multiplicities: &m, set: &set, iota: &iota, g: &g,
        };
        let mut v = values(Circuit { gate, n, assignment: Some(Assignment::Recode(a)) });
        prop_assert_eq!(recode::violation(bits, &a), None);
        prop_assert_eq!(circuit_says(gate, n, &v), vec![]);
        // Any entry but the constant 1, the challenge and the slots alike.
        let entry = 1 + entry.index(v.len() - 1);
        v[entry] += by;
        prop_assert_eq!(circuit_says(gate, n, &v).first().copied(), native(gate, n, &v));
    }
}

static RELEASE: LazyLock<(Matrices, Vec<Place>)> = LazyLock::new(|| {
    (
        Matrices::of(Gate::Release, 8).unwrap(),
        families(Gate::Release, 8),
    )
});

/// The totals that these limbs make.
fn packed(limbs: &[u64; release::LIMBS]) -> [Fr; release::TOTALS] {
    std::array::from_fn(|s| {
        let own = &limbs[s * release::LIMBS_PER_TOTAL..][..release::LIMBS_PER_TOTAL];
        own.iter().rev().fold(Fr::zero(), |sum, l| {
            sum * Fr::from(1u64 << release::LIMB_BITS) + Fr::from(*l)
        })
    })
}

fn limb() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0u64), 1u64..25, 0u64..1 << 40]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn release_agrees(
        limbs in proptest::array::uniform24(limb()),
        below in proptest::array::uniform24(limb()),
        above in proptest::array::uniform24(limb()),
        exact in proptest::array::uniform24(any::<bool>()),
        missed in 0usize..release::LIMBS,
        under in any::<bool>(),
        hint in any::<proptest::sample::Index>(),
        by in field(),
    ) {
        let totals = packed(&limbs);
        prop_assert_eq!(release::all_limbs(&totals), Some(limbs));
        let honest = release::Statement {
            bounds: std::array::from_fn(|j| {
                let a = limbs[j];
                if exact[j] { (a, a) } else { (a.saturating_sub(below[j]), (a + above[j]).min(release::MAX_LIMB)) }
            }),
        };
        let assignment = |statement| release::Assignment { ctx: Fr::from(3u64), statement, rho: Fr::from(4u64), totals: &totals };
        let a = assignment(&honest);
        let mut v = values(Circuit { gate: Gate::Release, n: 8, assignment: Some(Assignment::Release(a)) });
        prop_assert!(failing(&RELEASE.0, &RELEASE.1, &v).is_empty());
        prop_assert_eq!(release::violation(&a), None);

        // A bound that leaves the limb out has no proof, and the honest private values do not fit it.
        let a = limbs[missed];
        let mut stated = honest.clone();
        stated.bounds[missed] = if (under && a > 0) || a == release::MAX_LIMB { (0, a - 1) } else { (a + 1, release::MAX_LIMB) };
        prop_assert_eq!(release::violation(&assignment(&stated)), Some(("C3", missed)));
        let mut restated = v.clone();
        for (at, p) in stated.publics().into_iter().enumerate() {
            restated[2 + at] = p;
        }
        let said = failing(&RELEASE.0, &RELEASE.1, &restated);
        prop_assert!(!said.is_empty());
        prop_assert_eq!(said.first().copied(), native(Gate::Release, 8, &restated));

        let private = v.len() - release::LIMBS * LIMB_WITNESSES;
        let entry = private + hint.index(v.len() - private);
        v[entry] += by;
        prop_assert_eq!(failing(&RELEASE.0, &RELEASE.1, &v).first().copied(), native(Gate::Release, 8, &v));
    }
}

static COMPARE: LazyLock<(Matrices, Vec<Place>)> = LazyLock::new(|| {
    (
        Matrices::of(Gate::Compare, 8).unwrap(),
        families(Gate::Compare, 8),
    )
});

fn weight() -> impl Strategy<Value = i64> {
    let most = (1i64 << compare::WEIGHT_BITS) - 1;
    prop_oneof![Just(0i64), -3i64..4, -most..=most, Just(most), Just(-most)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn compare_agrees(
        limbs in proptest::array::uniform24(limb()),
        weights in proptest::array::uniform2(proptest::array::uniform24(weight())),
        constants in proptest::array::uniform2(weight()),
        entry in any::<proptest::sample::Index>(),
        by in field(),
    ) {
        let totals = packed(&limbs);
        let mut statement = compare::Statement::default();
        for (c, comparison) in statement.comparisons.iter_mut().enumerate() {
            (comparison.constant, comparison.weights) = (constants[c], weights[c]);
        }
        let sum = |c: &compare::Comparison| {
            i128::from(c.constant)
                + limbs.iter().zip(c.weights).map(|(a, w)| i128::from(*a) * i128::from(w)).sum::<i128>()
        };
        // What does not hold has no proof; turned around, it does (its negation is at least as true).
        for c in 0..compare::COMPARISONS {
            if sum(&statement.comparisons[c]) < 0 {
                let a = compare::Assignment { ctx: Fr::from(3u64), statement: &statement, rho: Fr::from(4u64), totals: &totals };
                prop_assert!(matches!(compare::violation(&a), Some(("C5", _))));
                let comparison = &mut statement.comparisons[c];
                comparison.constant = -comparison.constant;
                comparison.weights.iter_mut().for_each(|w| *w = -*w);
            }
        }
        let a = compare::Assignment { ctx: Fr::from(3u64), statement: &statement, rho: Fr::from(4u64), totals: &totals };
        let mut v = values(Circuit { gate: Gate::Compare, n: 8, assignment: Some(Assignment::Compare(a)) });
        prop_assert!(failing(&COMPARE.0, &COMPARE.1, &v).is_empty());
        prop_assert_eq!(compare::violation(&a), None);
        let private = Gate::Compare.layout(8).instance();
        let entry = private + entry.index(v.len() - private);
        v[entry] += by;
        prop_assert_eq!(failing(&COMPARE.0, &COMPARE.1, &v).first().copied(), native(Gate::Compare, 8, &v));
    }
}
