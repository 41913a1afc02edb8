//! The lookup under attack: its challenge, its set, and what it does not prove.

use ark_ff::{Field, One, UniformRand, Zero};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{
    Fr,
    batch::{Check, Claim},
    column::Column,
    gates::recode,
    hash::{ChallengeInput, Transcript, context, separator, set_digest},
    prove::Proof,
};

use crate::{relation::values, world::*};

fn claim(publics: Vec<Fr>, x: &Column, z: &Column, proof: Proof) -> Claim<'static> {
    Claim {
        key: &WORLD.recode.vk,
        publics,
        set: S,
        columns: vec![x.commitment(), z.commitment()],
        proof,
    }
}

/// An honest lookup but for the challenge's making: `draw` gets D.
fn lookup_with(
    x: &Column,
    z: &Column,
    counts: &[Fr],
    draw: impl Fn(&galen_circuits::G1) -> Fr,
) -> (Lookup, Proof) {
    let pk = &WORLD.recode.pk;
    let mut l = Lookup {
        challenge: Fr::zero(),
        rho: Fr::rand(&mut OsRng),
        multiplicities: counts.to_vec(),
        set: indicator(),
        iota: vec![Fr::zero(); N],
        g: vec![Fr::zero(); 16],
    };
    let instance = values(galen_circuits::gates::Circuit {
        gate: RECODE,
        n: N,
        assignment: Some(l.assignment(x, z)),
    });
    l.challenge = draw(&commit_slots(pk, &instance));
    let (iota, g) =
        recode::fractions(4, l.challenge, x.values(), z.values(), counts, &l.set).unwrap();
    (l.iota, l.g) = (iota, g);
    let proof = forge(pk, l.assignment(x, z), &[x, z]);
    (l, proof)
}

#[test]
fn a_changed_set_is_refused_with_and_without_its_challenge() {
    let case = recode_case();
    for set in [&[(2u64, 5u64)][..], &[], &[(0, 15)], &[(2, 5), (9, 10)]] {
        let mut claim = case.claim.clone();
        claim.set = set;
        assert_eq!(verdict_of(&claim), Err(Check::Groth16), "old X");
        let input = ChallengeInput {
            set,
            ..challenge_input(claim.columns[0], claim.columns[1])
        };
        claim.publics[1] = input.challenge(&claim.proof.d);
        assert_eq!(verdict_of(&claim), Err(Check::Groth16), "new X");
    }
}

#[test]
fn the_challenge_depends_on_everything_that_it_must_bind() {
    let (x, z) = recode_columns();
    let (cx, cz) = (x.commitment(), z.commitment());
    let input = challenge_input(cx, cz);
    let d = recode_case().claim.proof.d;
    let base = input.challenge(&d);
    let others = [
        ChallengeInput {
            parameter_set: &[8; 32],
            ..input
        },
        ChallengeInput {
            gate: "recode10",
            ..input
        },
        ChallengeInput {
            ctx: context(&SET_ID, &[9; 32], &[2; 32]),
            ..input
        },
        ChallengeInput { chunk: 4, ..input },
        ChallengeInput {
            set: &[(2, 5)],
            ..input
        },
        ChallengeInput { x: cz, ..input },
        ChallengeInput { z: cx, ..input },
        ChallengeInput {
            x: cz,
            z: cx,
            ..input
        },
    ];
    for other in others {
        assert_ne!(other.challenge(&d), base);
    }
    assert_ne!(input.challenge(&cx), base);
}

#[test]
fn a_proof_under_a_challenge_that_leaves_something_out_is_refused() {
    let (x, z) = recode_columns();
    let input = challenge_input(x.commitment(), z.commitment());
    let counts = recode::multiplicities(4, x.values()).unwrap();
    // 0: everything; 1: without S; 2, 3: without a commitment; 4: without D.
    for left_out in 0..5 {
        let (_, proof) = lookup_with(&x, &z, &counts, |d| {
            let mut t = Transcript::new(separator::RECODE);
            t.bytes(input.parameter_set)
                .bytes(input.gate.as_bytes())
                .canonical(&input.ctx)
                .number(input.chunk);
            if left_out != 1 {
                t.bytes(&set_digest(input.set));
            }
            for (number, point) in [(2, &input.x), (3, &input.z), (4, d)] {
                if left_out != number {
                    t.canonical(point);
                }
            }
            t.field()
        });
        let claim = claim(vec![ctx(), input.challenge(&proof.d)], &x, &z, proof);
        let expected = if left_out == 0 {
            Ok(())
        } else {
            Err(Check::Groth16)
        };
        assert_eq!(verdict_of(&claim), expected, "left out {left_out}");
    }
}

/// A false lookup for a challenge known beforehand: x and z are anything (z a bit), and m₀ makes the
/// sums of the fractions equal.
fn fitted(x: &Column, z: &Column, challenge: Fr) -> Lookup {
    let set = indicator();
    let shift = Fr::from(16u64);
    let iota: Vec<Fr> = x
        .values()
        .iter()
        .zip(z.values())
        .map(|(x, z)| (challenge - x - shift * z).inverse().unwrap())
        .collect();
    let mut g = vec![Fr::zero(); 16];
    g[0] = iota.iter().sum();
    let mut multiplicities = vec![Fr::zero(); 16];
    multiplicities[0] = g[0] * (challenge - shift * set[0]);
    Lookup {
        challenge,
        rho: Fr::rand(&mut OsRng),
        multiplicities,
        set,
        iota,
        g,
    }
}

#[test]
fn multiplicities_changed_after_the_challenge_are_refused_because_x_is_recomputed() {
    // Row 0 holds 7, which is not in S, yet z says it is.
    let (x, z) = (commit(&[7; N]), commit(&[1, 0, 0, 0, 0, 0, 0, 0]));
    let input = challenge_input(x.commitment(), z.commitment());
    let honest_d = recode_case().claim.proof.d;
    let old = input.challenge(&honest_d);
    let lookup = fitted(&x, &z, old);
    let proof = forge(&WORLD.recode.pk, lookup.assignment(&x, &z), &[&x, &z]);
    // A verifier that took X from the prover would believe it: proof and link are in order.
    assert_eq!(
        verdict_of(&claim(vec![ctx(), old], &x, &z, proof)),
        Ok(()),
        "the forgery is complete but for the challenge"
    );
    let recomputed = input.challenge(&proof.d);
    assert_ne!(recomputed, old);
    assert_eq!(
        verdict_of(&claim(vec![ctx(), recomputed], &x, &z, proof)),
        Err(Check::Groth16)
    );
    // Keeping the old D for the new multiplicities instead: the challenge is right, the proof is for
    // other slots and so is π.
    let swapped = Proof {
        d: honest_d,
        ..proof
    };
    assert_eq!(
        verdict_of(&claim(vec![ctx(), old], &x, &z, swapped)),
        Err(Check::Groth16)
    );
}

#[test]
fn z_that_is_no_bit_cannot_be_hidden_behind_fitted_multiplicities() {
    let (x, z) = (commit(&[7; N]), commit(&[2; N]));
    let lookup = fitted(&x, &z, Fr::from(123_456_789u64));
    let circuit = galen_circuits::gates::Circuit {
        gate: RECODE,
        n: N,
        assignment: Some(lookup.assignment(&x, &z)),
    };
    let pk = &WORLD.recode.pk;
    let failing = crate::relation::failing(
        &pk.matrices,
        &crate::relation::families(RECODE, N),
        &values(circuit),
    );
    assert_eq!(failing[0], ("C2", 0));
    assert!(failing.iter().all(|(c, _)| *c == "C2"));
}

/// The lookup of rows that hit another table entry than their x says, proven for the true challenge.
fn hit(x: Vec<Fr>, z: &[u64], entries: &[usize]) -> Claim<'static> {
    let (x, z) = (commit_fr(x), commit(z));
    let mut counts = vec![Fr::zero(); 16];
    for t in entries {
        counts[*t] += Fr::one();
    }
    let input = challenge_input(x.commitment(), z.commitment());
    let (l, proof) = lookup_with(&x, &z, &counts, |d| input.challenge(d));
    assert_eq!(l.challenge, input.challenge(&proof.d));
    claim(vec![ctx(), l.challenge], &x, &z, proof)
}

#[test]
fn outside_its_range_x_is_misjudged_so_the_plan_demands_a_range_proof() {
    // The gate by itself ACCEPTS these two: x = t − 2ᵇ with z = 1 hits t ∉ S, and x = t + 2ᵇ with
    // z = 0 hits t ∈ S. It sees x + 2ᵇz only. This is no bug of the gate but the reason why recode is
    // applied only to committed columns with a range proof b′ ≤ b under the same ctx (PROTOCOL §5).
    let mut x = vec![Fr::from(3u64); N];
    let mut z = [1u64; N];
    x[0] = Fr::from(7u64) - Fr::from(16u64);
    let entries = [7, 3, 3, 3, 3, 3, 3, 3];
    assert_eq!(verdict_of(&hit(x.clone(), &z, &entries)), Ok(()));
    x[0] = Fr::from(9u64 + 16);
    z[0] = 0;
    let entries = [9, 3, 3, 3, 3, 3, 3, 3];
    assert_eq!(verdict_of(&hit(x, &z, &entries)), Ok(()));
    // Within the range the same lies have no table entry to hit, whatever the multiplicities.
    let x = vec![Fr::from(7u64); N];
    let (cx, cz) = (commit_fr(x.clone()), commit(&[1; N]));
    let set = indicator();
    let challenge = Fr::rand(&mut OsRng);
    for t in 0..16 {
        let mut counts = vec![Fr::zero(); 16];
        counts[t] = Fr::from(N as u64);
        let (iota, g) =
            recode::fractions(4, challenge, cx.values(), cz.values(), &counts, &set).unwrap();
        assert_ne!(iota.iter().sum::<Fr>(), g.iter().sum::<Fr>());
    }
}

#[test]
fn the_range_proof_is_the_gate_with_the_empty_set_and_the_zero_column() {
    // z = 0 and S = ∅ leave only t = x: 16 and −1 have no entry; prove::recode says so.
    let zero = Column::combination(N, &[]).unwrap();
    let input = |x: &Column| ChallengeInput {
        set: &[],
        ..challenge_input(x.commitment(), zero.commitment())
    };
    let x = commit(&[0, 15, 7, 7, 1, 2, 3, 4]);
    let pk = &WORLD.recode.pk;
    let proof = galen_circuits::prove::recode(pk, &input(&x), [&x, &zero]).unwrap();
    let mut claim = claim(vec![ctx(), input(&x).challenge(&proof.d)], &x, &zero, proof);
    claim.set = &[];
    assert_eq!(verdict_of(&claim), Ok(()), "z is the identity, derived");
    for bad in [Fr::from(16u64), -Fr::one()] {
        let mut rows = x.values().to_vec();
        rows[4] = bad;
        let x = commit_fr(rows);
        assert!(is_unsatisfied(
            galen_circuits::prove::recode(pk, &input(&x), [&x, &zero]),
            "row 4 is outside the table"
        ));
    }
}
