//! A verifier that skips what it has checked before is no easier to fool.

use galen_circuits::{batch::Check, gates::Gate};
use galen_verifier::{VerifyError, bundle::Bundle, proven::Proven, rules::State, verify_beyond};

use super::{HONEST_GROUPS, HONEST_SUMS, HOSPITAL, alter, assert_proof, step};

fn check(proven: &mut Proven, bundle: &Bundle) -> Result<(), VerifyError> {
    let keys = galen_tests::keys().verifying();
    let registry = HOSPITAL.dataset.registry();
    let question = &HONEST_SUMS.question;
    verify_beyond(
        proven,
        bundle,
        HOSPITAL.manifest(),
        registry,
        question,
        &keys,
    )
    .map(drop)
}

fn primed() -> Proven {
    let mut proven = Proven::default();
    check(&mut proven, &HONEST_SUMS.bundle).unwrap();
    assert_eq!(
        proven.len(),
        HONEST_SUMS.bundle.steps.len() * 2 + HONEST_SUMS.bundle.releases.len()
    );
    proven
}

#[test]
fn what_is_known_is_known_only_as_it_was() {
    let proven = primed();
    for start in ["root", "in(n;22-", "bit(b)", "range10(n)"] {
        let at = step(&HONEST_SUMS.bundle, start);
        let mut bundle = HONEST_SUMS.bundle.clone();
        alter(&mut bundle.steps[at].chunks[1].proof, |p| p.c = p.a);
        let mut again = proven.clone();
        let e = check(&mut again, &bundle).unwrap_err();
        let gate = match start {
            "root" => Gate::Select,
            "bit(b)" => Gate::Multiply,
            _ => Gate::Recode { bits: 10 },
        };
        assert_proof(&e, start, gate, Some(1), Check::Groth16);
        assert_eq!(
            again.len(),
            proven.len(),
            "a refused bundle teaches nothing"
        );
    }
}

#[test]
fn another_commitment_or_cell_makes_it_another_statement() {
    let proven = primed();
    let at = step(&HONEST_SUMS.bundle, "in(n;22-");
    let mut bundle = HONEST_SUMS.bundle.clone();
    let other = bundle.steps[at].chunks[1].commitment.clone();
    bundle.steps[at].chunks[0].commitment = other;
    let e = check(&mut proven.clone(), &bundle).unwrap_err();
    assert_proof(
        &e,
        "in(n;22-",
        Gate::Recode { bits: 10 },
        Some(0),
        Check::Groth16,
    );

    let mut bundle = HONEST_SUMS.bundle.clone();
    let cell = &mut bundle.releases[0].cells[0];
    *cell = State::Shown(cell.shown().unwrap() + 1);
    let e = check(&mut proven.clone(), &bundle).unwrap_err();
    assert_proof(&e, "release 0", Gate::Release, None, Check::Groth16);
}

#[test]
fn another_answer_over_the_dataset_adds_only_what_is_new() {
    let mut proven = primed();
    let before = proven.len();
    let keys = galen_tests::keys().verifying();
    let registry = HOSPITAL.dataset.registry();
    let (bundle, question) = (&HONEST_GROUPS.bundle, &HONEST_GROUPS.question);
    verify_beyond(
        &mut proven,
        bundle,
        HOSPITAL.manifest(),
        registry,
        question,
        &keys,
    )
    .unwrap();
    let known = |key: &str| HONEST_SUMS.bundle.steps.iter().any(|s| s.key == key);
    // Both hospitals are copies of one dataset: registration is the same proofs.
    let shared = bundle
        .steps
        .iter()
        .filter(|s| known(&s.key) && !s.key.starts_with("in("))
        .count();
    assert!(shared >= 2);
    assert!(proven.len() <= before + (bundle.steps.len() - shared) * 2 + bundle.releases.len());
}
