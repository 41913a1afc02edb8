//! Whole proofs: they verify, they hide, and what may be changed about them.

use std::collections::HashSet;

use ark_ec::AffineRepr;
use ark_groth16::Groth16;
use ark_std::rand::rngs::OsRng;
use galen_circuits::{
    CircuitError, E, Fr, G1,
    encoding::{g1_bytes, g2_bytes},
    keys::{PreparedKey, ProvingKey},
    prove::{PROOF_BYTES, Proof},
    srs::{Srs, Tau},
};

use crate::world::*;

#[test]
fn honest_proofs_of_every_gate_verify_alone_and_together() {
    let cases = all_cases();
    for case in &cases {
        assert_eq!(verdict_of(&case.claim), Ok(()), "{}", case.keys.vk.gate);
        assert_eq!(
            Proof::from_bytes(&case.claim.proof.to_bytes()).unwrap(),
            case.claim.proof
        );
    }
    let claims: Vec<_> = cases.iter().map(|c| c.claim.clone()).collect();
    assert_eq!(verdict(&claims), Ok(()));
    assert_eq!(verdict(&[]), Ok(()), "nothing claimed, nothing refused");
}

#[test]
fn two_proofs_of_one_statement_share_no_element() {
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    for _ in 0..2 {
        for case in all_cases() {
            let p = case.claim.proof;
            for point in [p.a, p.c, p.d, p.link] {
                assert!(seen.insert(g1_bytes(&point).into()));
            }
            assert!(seen.insert(g2_bytes(&p.b).into()));
            for c in &case.claim.columns {
                assert!(seen.insert(g1_bytes(c).into()), "a commitment twice");
            }
        }
    }
    // The same columns, not only equal ones: ρ alone tells D and π apart.
    let (x, z) = recode_columns();
    let input = challenge_input(x.commitment(), z.commitment());
    let prove = || galen_circuits::prove::recode(&WORLD.recode.pk, &input, [&x, &z]).unwrap();
    let (p, q) = (prove(), prove());
    assert!(p.a != q.a && p.b != q.b && p.c != q.c && p.d != q.d && p.link != q.link);
}

#[test]
fn a_proof_can_be_rerandomized_so_its_bytes_identify_nothing() {
    for case in all_cases() {
        let p = case.claim.proof;
        let again = Groth16::<E>::rerandomize_proof(
            &case.keys.pk.groth16.vk,
            &ark_groth16::Proof {
                a: p.a,
                b: p.b,
                c: p.c,
            },
            &mut OsRng,
        );
        let mut claim = case.claim.clone();
        claim.proof = Proof {
            a: again.a,
            b: again.b,
            c: again.c,
            ..p
        };
        assert_ne!(claim.proof.to_bytes(), p.to_bytes());
        assert_eq!(verdict_of(&claim), Ok(()));
    }
}

#[test]
fn the_identity_and_other_bad_bytes_are_no_proof() {
    let bytes = select_case().claim.proof.to_bytes();
    let identity = g1_bytes(&G1::zero());
    for (at, len, name) in [
        (0, 32, "A"),
        (32, 64, "B"),
        (96, 32, "C"),
        (128, 32, "D"),
        (160, 32, "link"),
    ] {
        let mut bad = bytes;
        bad[at..at + len].fill(0);
        bad[at + len - 1] = identity[31]; // the infinity flag
        assert!(matches!(
            Proof::from_bytes(&bad),
            Err(CircuitError::Encoding { what, why }) if what == name && why.contains("infinity")
        ));
        let mut bad = bytes;
        bad[at..at + len].fill(0x3f);
        assert!(matches!(
            Proof::from_bytes(&bad),
            Err(CircuitError::Encoding { what, .. }) if what == name
        ));
    }
    for len in [0, PROOF_BYTES - 1] {
        assert!(Proof::from_bytes(&bytes[..len]).is_err());
    }
    assert!(Proof::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn keys_made_without_tau_serve_as_well() {
    let tau = Tau::draw(N, &mut OsRng);
    let srs = Srs::generate(N, &tau);
    drop(tau);
    for gate in [galen_circuits::gates::Gate::Multiply, RECODE] {
        let keys = Keys::generate(gate, &srs, None);
        // Compared by what the link's bases must satisfy: an honest claim.
        let column = |v: [u64; N]| {
            galen_circuits::column::Column::commit(&srs, v.map(Fr::from).to_vec()).unwrap()
        };
        let (publics, set, columns, proof) = if gate == RECODE {
            let codes = [0, 2, 3, 5, 6, 9, 15, 9];
            let (x, z) = (column(codes), column([0, 1, 1, 1, 0, 1, 0, 1]));
            let input = challenge_input(x.commitment(), z.commitment());
            let proof = galen_circuits::prove::recode(&keys.pk, &input, [&x, &z]).unwrap();
            (vec![ctx(), input.challenge(&proof.d)], S, vec![x, z], proof)
        } else {
            let (x, z) = (column([3; N]), column([9; N]));
            let y = x.clone();
            let proof = galen_circuits::prove::multiply(&keys.pk, ctx(), [&x, &y, &z]).unwrap();
            (vec![ctx()], &[][..], vec![x, y, z], proof)
        };
        let claim = galen_circuits::batch::Claim {
            key: &keys.vk,
            publics,
            set,
            columns: columns.iter().map(|c| c.commitment()).collect(),
            proof,
        };
        assert_eq!(verdict_of(&claim), Ok(()));
    }
}

#[test]
fn no_base_of_a_key_is_the_identity() {
    for keys in [
        &WORLD.select,
        &WORLD.multiply,
        &WORLD.recode,
        &WORLD.release,
    ] {
        let k = &keys.pk.groth16.vk.gamma_abc_g1;
        let distinct: HashSet<_> = k.iter().map(g1_bytes).collect();
        assert_eq!(distinct.len(), k.len(), "K's all different");
        assert!(k.iter().all(|p| !p.is_zero()));
        let ic = k.len().min(keys.vk.key.ic.len());
        assert_eq!(keys.vk.key.ic, k[..ic]);
        // No base of 1, p or S, nor its product with k_D, is in the link's key.
        let link = &keys.pk.link;
        let linked: usize = link.rows.iter().map(Vec::len).sum::<usize>() + link.free.len();
        let layout = keys.vk.gate.layout(N);
        let committed: usize = layout.slots[..layout.columns()].iter().map(|_| N).sum();
        assert_eq!(linked, committed + link.free.len());
        assert_eq!(keys.pk.groth16.vk.gamma_g2, galen_circuits::G2::generator());
    }
}

#[test]
fn a_verifying_key_of_other_lengths_or_with_an_identity_is_refused() {
    let (gate, key) = (RECODE, &WORLD.recode.vk.key);
    let mut short = key.clone();
    short.ic.pop();
    assert!(PreparedKey::new(gate, N, short).is_err());
    let mut short = key.clone();
    short.public_prefix.pop();
    assert!(PreparedKey::new(gate, N, short).is_err());
    let mut short = key.clone();
    short.link_columns.pop();
    assert!(PreparedKey::new(gate, N, short).is_err());
    let mut no_ctx = key.clone();
    no_ctx.ic[1] = G1::zero();
    let mut no_link = key.clone();
    no_link.link_d = galen_circuits::G2::zero();
    for bad in [no_ctx, no_link] {
        assert!(matches!(
            PreparedKey::new(gate, N, bad),
            Err(CircuitError::DegenerateSetup { .. })
        ));
    }
    assert!(PreparedKey::new(galen_circuits::gates::Gate::Select, N, key.clone()).is_err());
}

#[test]
fn a_written_key_reads_back_and_proves() {
    let keys = &WORLD.multiply;
    let mut bytes = Vec::new();
    keys.pk.write(&mut bytes).unwrap();
    let again = ProvingKey::read_trusted(keys.pk.gate, N, &bytes).unwrap();
    let case = multiply_case();
    let columns: [_; 3] = std::array::from_fn(|i| &case.columns[i]);
    let mut claim = case.claim.clone();
    claim.proof = galen_circuits::prove::multiply(&again, ctx(), columns).unwrap();
    assert_eq!(verdict_of(&claim), Ok(()));
    assert!(ProvingKey::read_trusted(keys.pk.gate, N + 1, &bytes).is_err());
    assert!(ProvingKey::read_trusted(keys.pk.gate, N, &bytes[..bytes.len() - 1]).is_err());
    bytes.push(0);
    assert!(ProvingKey::read_trusted(keys.pk.gate, N, &bytes).is_err());
}
