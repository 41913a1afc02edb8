use std::str::FromStr;

use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use proptest::prelude::*;

use super::parameters::{FULL_ROUNDS, parameters, partial_rounds, published};
use super::*;
use crate::Fr;
use crate::r1cs::{Builder, Var};

/// circomlib's Poseidon of the inputs 1, 2, …, t − 1 for t = 2 … 17, by the npm package
/// poseidon-lite 0.3.0, which carries circomlib's own constants: the first element of the
/// permutation of (0, 1, 2, …).
const CIRCOMLIB: [&str; 16] = [
    "18586133768512220936620570745912940619677854269274689475585506675881198879027",
    "7853200120776062878684798364095072458815029376092732009249414926327459813530",
    "6542985608222806190361240322586112750744169038454362455181422643027100751666",
    "18821383157269793795438455681495246036402687001665670618754263018637548127333",
    "6183221330272524995739186171720101788151706631170188140075976616310159254464",
    "20400040500897583745843009878988256314335038853985262692600694741116813247201",
    "12748163991115452309045839028154629052133952896122405799815156419278439301912",
    "18604317144381847857886385684060986177838410221561136253933256952257712543953",
    "13589767895268936107593642967621470491511464502761040466226072462545218539640",
    "3657500514307717306974218405144578736633140001277925127187636780142269815841",
    "3572015662710076994097916907865950486270383304442561406230608893458731714472",
    "2501997477381648492950318384533644783248002172679259592360114615426357826485",
    "7041832639553862712666971417715061873827921493498355005117622707743491651590",
    "8354478399926161176778659061636406690034081872658507739535256090879947077494",
    "4203130618016961831408770638653325366880478848856764494148034853759773445968",
    "9989051620750914585850546081941653841776809718687451684622678807385399211877",
];

/// The width of the answer circuit's sponge.
const WIDTH: usize = 9;

/// The permutation as the paper writes it, round by round.
fn plain(state: &[Fr]) -> Vec<Fr> {
    let t = state.len();
    let (constants, m) = published(t);
    let mut s = state.to_vec();
    let partial = FULL_ROUNDS / 2..FULL_ROUNDS / 2 + partial_rounds(t);
    for (r, constants) in constants.iter().enumerate() {
        for (s, c) in s.iter_mut().zip(constants) {
            *s += c;
        }
        let boxes = if partial.contains(&r) { 1 } else { t };
        for s in &mut s[..boxes] {
            *s = s.pow([5]);
        }
        s = m
            .iter()
            .map(|row| row.iter().zip(&s).map(|(a, b)| *a * b).sum())
            .collect();
    }
    s
}

#[test]
fn the_sponge_hashes_as_circomlib_does() {
    for (t, expected) in WIDTHS.zip(CIRCOMLIB) {
        let mut state: Vec<Fr> = (0..t as u64).map(Fr::from).collect();
        native::permute(parameters(t), &mut state);
        assert_eq!(state[0], Fr::from_str(expected).unwrap(), "width {t}");
    }
}

#[test]
fn sparse_rounds_are_the_published_permutation() {
    let mut rng = ark_std::test_rng();
    for t in WIDTHS {
        let mut state: Vec<Fr> = (0..t).map(|_| Fr::rand(&mut rng)).collect();
        let expected = plain(&state);
        native::permute(parameters(t), &mut state);
        assert_eq!(state, expected, "width {t}");
    }
}

/// Products that share a reduction, where the elements are as large as they get inside.
#[test]
fn inner_products_of_the_largest_elements() {
    let mut largest = Fr::MODULUS;
    largest.0[0] -= 1;
    // Montgomery form, so that the limbs themselves are those of the modulus less 1.
    let largest = Fr::new_unchecked(largest);
    for n in 0..=9 {
        let expected = largest.square() * Fr::from(n as u64);
        assert_eq!(native::dot(&vec![largest; n], &vec![largest; n]), expected);
        let run = Builder::assign(0, |b| {
            let vars: Vec<Var> = (0..n).map(|_| b.witness(largest)).collect();
            assert_eq!(Var::dot(&vec![largest; n], &vars).value(), expected);
        });
        assert_eq!(run.values().len(), 1 + n);
    }
}

#[test]
fn a_permutation_is_pinned() {
    let shape = Builder::shape(|b| {
        let mut sponge = SpongeVar::new(WIDTH);
        let inputs: Vec<Var> = (0..WIDTH - 1).map(|_| b.witness(Fr::ZERO)).collect();
        sponge.absorb(b, &inputs);
        sponge.squeeze(b);
    });
    assert_eq!(shape.constraints(), 3 * (FULL_ROUNDS * WIDTH + 63));
    assert_eq!(shape.non_zero(), 12_201);
    let hex: String = shape.digest().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        "ffcbd1f87ab81b3efa657cc4547163ed45188c4bab1c4faca3d78e67b2b4e67b"
    );
}

#[test]
fn absorbing_after_squeezing_costs_no_permutation() {
    let shape = |rounds: usize| {
        Builder::shape(|b| {
            let mut sponge = SpongeVar::new(WIDTH);
            let inputs: Vec<Var> = (0..WIDTH - 1).map(|_| b.witness(Fr::ZERO)).collect();
            for _ in 0..rounds {
                sponge.absorb(b, &inputs);
                sponge.squeeze(b);
            }
        })
    };
    let one = shape(1);
    assert_eq!(shape(5).constraints(), 5 * one.constraints());
    // No combination grows from one permutation to the next.
    assert!(shape(5).non_zero() < 6 * one.non_zero());
}

#[test]
fn an_absorption_of_nothing_changes_nothing() {
    let mut sponge = Sponge::new(WIDTH);
    sponge.absorb(&[Fr::ONE]);
    let mut same = sponge.clone();
    assert_eq!(sponge.squeeze(), same.squeeze());
    same.absorb(&[]);
    assert_eq!(sponge.squeeze(), same.squeeze());
}

/// `Some(n)`: absorb the next n elements; `None`: squeeze one.
type Schedule = Vec<Option<usize>>;

fn schedules() -> impl Strategy<Value = (usize, Schedule)> {
    let step = prop_oneof![(0usize..20).prop_map(Some), Just(None), Just(None)];
    (WIDTHS, prop::collection::vec(step, 0..12))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn gadget_and_native_sponge_agree((width, schedule) in schedules(), seed: u64) {
        let element = |i: usize| Fr::from(seed) * Fr::from(i as u64 + 1).square();
        let mut expected = Vec::new();
        let mut sponge = Sponge::new(width);
        let mut next = 0;
        for step in &schedule {
            match step {
                Some(n) => {
                    let elements: Vec<Fr> = (next..next + n).map(element).collect();
                    sponge.absorb(&elements);
                    next += n;
                }
                None => expected.push(sponge.squeeze()),
            }
        }
        let mut got = Vec::new();
        let mut circuit = |b: &mut Builder| {
            got.clear();
            let mut sponge = SpongeVar::new(width);
            let mut next = 0;
            for step in &schedule {
                match step {
                    Some(n) => {
                        let elements: Vec<Var> = (next..next + n).map(|i| b.witness(element(i))).collect();
                        sponge.absorb(b, &elements);
                        next += n;
                    }
                    None => got.push(sponge.squeeze(b).value()),
                }
            }
        };
        let shape = Builder::shape(&mut circuit);
        let run = Builder::assign(shape.variables(), &mut circuit);
        prop_assert_eq!(&got, &expected);
        prop_assert_eq!(shape.constraints(), run.constraints());
        prop_assert_eq!(shape.first_unsatisfied(run.values()), None);
    }
}

/// Every S-box variable of a permutation is bound: a changed one fails.
#[test]
fn no_variable_of_a_permutation_is_free() {
    let circuit = |b: &mut Builder| {
        let mut sponge = SpongeVar::new(3);
        let input = b.public(Fr::from(5u64));
        let mut native = Sponge::new(3);
        native.absorb(&[Fr::from(5u64)]);
        let expected = b.witness(native.squeeze());
        sponge.absorb(b, &[input]);
        let output = sponge.squeeze(b);
        b.equal(&output, &expected);
    };
    let shape = Builder::shape(circuit);
    let run = Builder::assign(shape.variables(), circuit);
    assert_eq!(shape.first_unsatisfied(run.values()), None);
    for i in 0..shape.variables() {
        let mut values = run.values().to_vec();
        values[i] += Fr::ONE;
        assert!(shape.first_unsatisfied(&values).is_some(), "variable {i}");
    }
}

#[test]
#[should_panic(expected = "no Poseidon of width 18")]
fn other_widths_are_refused() {
    let _ = Sponge::new(18);
}
