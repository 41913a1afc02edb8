use std::sync::OnceLock;

use ark_bn254::Fq2;
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_groth16::Groth16;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, R1CS_PREDICATE_LABEL};
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;

use super::keys::{Replay, stock_key};
use super::prover::prove_with;
use super::*;
use crate::encoding::g2_bytes;
use crate::r1cs::{Assignment, Builder, Matrices, Side, Var};
use crate::sponge::{Sponge, SpongeVar};
use crate::{CircuitError, E, Fr, G1, G2};

type Stock = Groth16<E, CircomReduction>;

/// C1: the secret hashes to the first public input. C2: secret · second = third, and second ≠ 0.
#[derive(Clone)]
struct Statement {
    secret: Fr,
    hash: Fr,
    factor: Fr,
    product: Fr,
}

impl Statement {
    fn honest() -> Self {
        let (secret, factor) = (Fr::from(77u64), Fr::from(5u64));
        let mut sponge = Sponge::new(3);
        sponge.absorb(&[secret]);
        Self {
            secret,
            hash: sponge.squeeze(),
            factor,
            product: secret * factor,
        }
    }

    fn write(&self, b: &mut Builder) {
        let [hash, factor, product] = [self.hash, self.factor, self.product].map(|v| b.public(v));
        let secret = b.witness(self.secret);
        b.label("C1");
        let mut sponge = SpongeVar::new(3);
        sponge.absorb(b, std::slice::from_ref(&secret));
        let squeezed = sponge.squeeze(b);
        b.equal(&squeezed, &hash);
        b.label("C2");
        b.enforce(&secret, &factor, &product);
        b.nonzero(&factor);
    }

    fn shape() -> Matrices {
        Builder::shape(|b| Self::honest().write(b))
    }

    fn assign(&self) -> Assignment {
        Builder::assign(Self::shape().variables(), |b| self.write(b))
    }
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(20_818)
}

struct Keys {
    stock: ark_groth16::ProvingKey<E>,
    proving: ProvingKey,
    prepared: Prepared,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let stock = stock_key(&Statement::shape(), &mut rng()).unwrap();
        let proving = ProvingKey::new(&stock, Statement::shape());
        let prepared = Prepared::new(proving.verifying_key().clone());
        Keys {
            stock,
            proving,
            prepared,
        }
    })
}

#[test]
fn a_verifying_key_is_made_without_the_provers_points() {
    let alone = generate_verifying(&Statement::shape(), &mut rng()).unwrap();
    assert_eq!(alone, *keys().proving.verifying_key());
    let other = generate_verifying(&Statement::shape(), &mut StdRng::seed_from_u64(1)).unwrap();
    assert_ne!(alone, other);
}

fn honest() -> (Assignment, Proof) {
    let run = Statement::honest().assign();
    let proof = prove(&keys().proving, run.values(), &mut rng()).unwrap();
    (run, proof)
}

fn rows(matrices: &Matrices, side: Side) -> Vec<Vec<(Fr, usize)>> {
    let constraints = 0..matrices.constraints();
    constraints
        .map(|i| matrices.row(side, i).collect())
        .collect()
}

fn stock_proof(values: &[Fr], [r, s]: [Fr; 2]) -> Proof {
    let shape = Statement::shape();
    let sides = [Side::A, Side::B, Side::C].map(|side| rows(&shape, side));
    let proof = Stock::create_proof_with_reduction_and_matrices(
        &keys().stock,
        r,
        s,
        &sides,
        1 + shape.publics(),
        shape.constraints(),
        values,
    )
    .unwrap();
    Proof {
        a: proof.a,
        b: proof.b,
        c: proof.c,
    }
}

#[test]
fn arkworks_sees_the_recorded_matrices() {
    let shape = Statement::shape();
    let cs = ConstraintSystem::new_ref();
    Replay(&shape).generate_constraints(cs.clone()).unwrap();
    cs.finalize();
    assert_eq!(cs.num_constraints(), shape.constraints());
    assert_eq!(cs.num_instance_variables(), 1 + shape.publics());
    assert_eq!(cs.num_variables(), shape.variables());
    let matrices = &cs.to_matrices().unwrap()[R1CS_PREDICATE_LABEL];
    for (side, theirs) in [Side::A, Side::B, Side::C].into_iter().zip(matrices) {
        let mut theirs = theirs.clone();
        theirs.iter_mut().for_each(|row| row.sort_by_key(|t| t.1));
        assert!(theirs == rows(&shape, side), "{side:?}");
    }
}

#[test]
fn a_proof_is_the_stock_proof() {
    let (run, _) = honest();
    let mut rng = rng();
    for _ in 0..3 {
        let blinding = [Fr::rand(&mut rng), Fr::rand(&mut rng)];
        let ours = prove_with(&keys().proving, run.values(), &blinding).unwrap();
        let theirs = stock_proof(run.values(), blinding);
        assert_eq!(ours.to_bytes(), theirs.to_bytes());
    }
}

#[test]
fn a_proof_verifies_here_and_with_arkworks() {
    let (run, proof) = honest();
    verify(&keys().prepared, run.publics(), &proof).unwrap();
    let theirs = ark_groth16::Proof {
        a: proof.a,
        b: proof.b,
        c: proof.c,
    };
    let pvk = ark_groth16::prepare_verifying_key(&keys().stock.vk);
    assert!(Stock::verify_proof(&pvk, &theirs, run.publics()).unwrap());
}

#[test]
fn keys_made_at_random_prove() {
    let mut rng = StdRng::seed_from_u64(1);
    let key = generate(Statement::shape(), &mut rng).unwrap();
    let run = Statement::honest().assign();
    let [first, second] = [(); 2].map(|()| prove(&key, run.values(), &mut rng).unwrap());
    assert_ne!(first, second, "r and s are fresh");
    let prepared = Prepared::new(key.verifying_key().clone());
    verify(&prepared, run.publics(), &first).unwrap();
    verify(&prepared, run.publics(), &second).unwrap();
    assert!(verify(&keys().prepared, run.publics(), &first).is_err());
}

#[test]
fn an_unsatisfied_assignment_is_named_and_never_proven() {
    let check = |label: &str, corrupt: &dyn Fn(&mut Statement)| {
        let mut statement = Statement::honest();
        corrupt(&mut statement);
        let run = statement.assign();
        match prove(&keys().proving, run.values(), &mut rng()) {
            Err(CircuitError::Unsatisfied(got)) => assert_eq!(got, label),
            other => panic!("{label}: {other:?}"),
        }
        // What the stock prover makes of it does not verify.
        let forged = stock_proof(run.values(), [Fr::ONE, Fr::ONE]);
        assert!(verify(&keys().prepared, run.publics(), &forged).is_err());
    };
    check("C1", &|s| s.hash += Fr::ONE);
    check("C1", &|s| s.secret += Fr::ONE);
    check("C2", &|s| s.product += Fr::ONE);
    check("C2", &|s| (s.factor, s.product) = (Fr::ZERO, Fr::ZERO));
}

#[test]
fn assignments_of_other_circuits_are_refused() {
    let (run, _) = honest();
    let key = &keys().proving;
    let mut values = run.values().to_vec();
    values.push(Fr::ONE);
    let longer = prove(key, &values, &mut rng());
    assert!(matches!(longer, Err(CircuitError::Length { .. })));
    let shorter = prove(key, &values[..values.len() - 2], &mut rng());
    assert!(matches!(shorter, Err(CircuitError::Length { .. })));
    // Twice a solution of homogeneous constraints would be one too, but for the constant 1.
    values.pop();
    values[0] = Fr::from(2u64);
    let scaled = prove(key, &values, &mut rng());
    assert!(matches!(scaled, Err(CircuitError::Unsatisfied(_))));
}

#[test]
fn other_public_inputs_are_refused() {
    let (run, proof) = honest();
    for i in 0..run.publics().len() {
        let mut publics = run.publics().to_vec();
        publics[i] += Fr::ONE;
        let refused = verify(&keys().prepared, &publics, &proof);
        assert!(matches!(refused, Err(CircuitError::Proof(_))));
    }
}

#[test]
fn a_wrong_number_of_public_inputs_is_refused() {
    // With a last input of 0 the shorter list has the same sum: only the count tells.
    let statement = Statement {
        secret: Fr::ZERO,
        product: Fr::ZERO,
        hash: {
            let mut sponge = Sponge::new(3);
            sponge.absorb(&[Fr::ZERO]);
            sponge.squeeze()
        },
        ..Statement::honest()
    };
    let run = statement.assign();
    let proof = prove(&keys().proving, run.values(), &mut rng()).unwrap();
    verify(&keys().prepared, run.publics(), &proof).unwrap();
    let longer = [run.publics(), &[Fr::ZERO]].concat();
    for publics in [&run.publics()[..2], &longer, &[]] {
        let refused = verify(&keys().prepared, publics, &proof);
        assert!(matches!(refused, Err(CircuitError::Length { .. })));
    }
}

#[test]
fn tampered_proofs_are_refused() {
    let (run, proof) = honest();
    let refused = |tamper: &dyn Fn(&mut Proof)| {
        let mut proof = proof.clone();
        tamper(&mut proof);
        let result = verify(&keys().prepared, run.publics(), &proof);
        assert!(matches!(result, Err(CircuitError::Proof(_))));
    };
    refused(&|p| p.a = -p.a);
    refused(&|p| p.b = -p.b);
    refused(&|p| p.c = -p.c);
    refused(&|p| std::mem::swap(&mut p.a, &mut p.c));
    refused(&|p| p.a = G1::zero());
    refused(&|p| p.b = G2::zero());
    refused(&|p| p.c = G1::zero());
}

#[test]
fn proofs_decode_only_from_their_canonical_bytes() {
    let (_, proof) = honest();
    let bytes = proof.to_bytes();
    assert_eq!(Proof::from_bytes(&bytes).unwrap(), proof);
    let refused = |bytes: &[u8]| match Proof::from_bytes(bytes) {
        Err(CircuitError::Encoding { what, why }) => (what, why),
        other => panic!("{other:?}"),
    };
    let patched = |at: usize, patch: &[u8]| {
        let mut bytes = bytes;
        bytes[at..at + patch.len()].copy_from_slice(patch);
        bytes
    };
    assert_eq!(refused(&bytes[..127]), ("proof", "wrong length"));
    assert_eq!(
        refused(&[&bytes[..], &[0]].concat()),
        ("proof", "wrong length")
    );
    assert_eq!(refused(&[]), ("proof", "wrong length"));
    let point = "not a point of the curve and subgroup";
    assert_eq!(refused(&patched(0, &[0x3f; 32])), ("A of a proof", point));
    assert_eq!(refused(&patched(96, &[0x3f; 32])), ("C of a proof", point));
    let mut rng = rng();
    let outside = std::iter::repeat_with(|| Fq2::rand(&mut rng))
        .find_map(|x| G2::get_point_from_x_unchecked(x, false))
        .unwrap();
    let outside = g2_bytes(&outside);
    assert_eq!(refused(&patched(32, &outside)), ("B of a proof", point));
    let identity = "the point at infinity is not allowed here";
    let mut zero = [0; 64];
    zero[63] = 0x40;
    assert_eq!(
        refused(&patched(0, &zero[32..])),
        ("A of a proof", identity)
    );
    assert_eq!(refused(&patched(32, &zero)), ("B of a proof", identity));
    assert_eq!(
        refused(&patched(96, &zero[32..])),
        ("C of a proof", identity)
    );
    zero[32] = 1;
    let disguised = refused(&patched(0, &zero[32..]));
    assert_eq!(disguised, ("A of a proof", "not the canonical encoding"));
}

#[test]
fn verifying_keys_decode_only_from_their_canonical_bytes() {
    let key = keys().proving.verifying_key();
    assert_eq!(key.publics(), 3);
    let bytes = key.to_bytes();
    assert_eq!(bytes.len(), 256 + 32 * 3);
    assert_eq!(VerifyingKey::from_bytes(&bytes).unwrap(), *key);
    for bad in [&bytes[..bytes.len() - 1], &bytes[..224], &[]] {
        let refused = VerifyingKey::from_bytes(bad);
        assert!(matches!(refused, Err(CircuitError::Encoding { .. })));
    }
    // The identity in the place of each point.
    let g2 = [32, 96, 160].map(|at| at + 63);
    let g1 = [0, 224, 256, 320].map(|at| at + 31);
    for last in g1.into_iter().chain(g2) {
        let mut bad = bytes.clone();
        let first = last + 1 - if g2.contains(&last) { 64 } else { 32 };
        bad[first..=last].fill(0);
        bad[last] = 0x40;
        let refused = VerifyingKey::from_bytes(&bad);
        assert!(matches!(refused, Err(CircuitError::Encoding { .. })));
    }
}

#[test]
fn a_written_key_proves_the_same() {
    let mut file = Vec::new();
    keys().proving.write(&mut file).unwrap();
    let read = ProvingKey::read_trusted(&mut &file[..]).unwrap();
    assert_eq!(read.verifying_key(), keys().proving.verifying_key());
    assert_eq!(read.matrices().digest(), Statement::shape().digest());
    let (run, proof) = honest();
    assert_eq!(prove(&read, run.values(), &mut rng()).unwrap(), proof);
    assert!(ProvingKey::read_trusted(&mut &file[..file.len() - 1]).is_err());
}

#[test]
fn a_circuit_without_public_inputs_proves() {
    let circuit = |b: &mut Builder| {
        let x = b.witness(Fr::from(3u64));
        let y = b.mul(&x, &x);
        b.equal(&y, &Var::linear(&[(Fr::from(3u64), &x)]));
    };
    let key = generate(Builder::shape(circuit), &mut rng()).unwrap();
    let run = Builder::assign(key.matrices().variables(), circuit);
    let proof = prove(&key, run.values(), &mut rng()).unwrap();
    verify(&Prepared::new(key.verifying_key().clone()), &[], &proof).unwrap();
}
