//! Key generation by one party who knows every secret: for development and tests only.

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, scalar_mul::BatchMulPreprocessing};
use ark_ff::{One, UniformRand, Zero};
use ark_groth16::{Groth16, r1cs_to_qap::R1CSToQAP};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, OptimizationGoal, SynthesisError, SynthesisMode,
};
use ark_std::rand::{CryptoRng, RngCore, SeedableRng, rngs::StdRng};
use rayon::prelude::*;

use crate::{
    CircuitError, E, Fr, G1, G2,
    gates::{Circuit, Gate, Layout, SlotKind},
    keys::{LinkProvingKey, ProvingKey, VerifyingKey},
    qap::CommittedReduction,
    srs::{Srs, Tau, commitment_domain, prefix_sums},
};

type Domain = GeneralEvaluationDomain<Fr>;

/// The secrets of one gate's keys. Any one of them forges.
struct Secrets {
    alpha: Fr,
    beta: Fr,
    delta: Fr,
    columns: Vec<Fr>,
    d: Fr,
}

impl Drop for Secrets {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        for s in [
            &mut self.alpha,
            &mut self.beta,
            &mut self.delta,
            &mut self.d,
        ] {
            s.zeroize();
        }
        self.columns.zeroize();
    }
}

impl Secrets {
    fn draw(columns: usize, rng: &mut impl RngCore) -> Self {
        let mut draw = || loop {
            let s = Fr::rand(rng);
            if !s.is_zero() {
                return s;
            }
        };
        Self {
            alpha: draw(),
            beta: draw(),
            delta: draw(),
            columns: (0..columns).map(|_| draw()).collect(),
            d: draw(),
        }
    }
}

/// Generates both keys of `gate` for columns committed under `srs`. With τ at hand the link's bases are
/// table multiplications; without it they are computed from the points gᵢ, several times slower, so
/// that a gate can be added to a set whose τ has long been forgotten.
///
/// # Errors
/// When a secret is degenerate (K_ρ = O, with probability about 2^-254), or arkworks refuses.
pub fn generate(
    gate: Gate,
    srs: &Srs,
    tau: Option<&Tau>,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(ProvingKey, VerifyingKey), CircuitError> {
    let n = srs.rows();
    let layout = gate.layout(n);
    let secrets = Secrets::draw(layout.columns(), rng);
    let synthesis = |source| CircuitError::Synthesis { gate, source };
    let circuit = Circuit {
        gate,
        n,
        assignment: None,
    };
    // arkworks' generator draws its evaluation point, and nothing else, from this generator; a copy
    // of it tells us the point, so that the link's bases cost one table multiplication each.
    let mut point_rng =
        StdRng::from_rng(rng).map_err(|_| CircuitError::DegenerateSetup { gate })?;
    let mut point_rng_copy = point_rng.clone();
    let groth16 = Groth16::<E, CommittedReduction>::generate_parameters_with_qap(
        circuit,
        secrets.alpha,
        secrets.beta,
        Fr::one(),
        secrets.delta,
        G1Projective::generator(),
        G2::generator().into_group(),
        &mut point_rng,
    )
    .map_err(synthesis)?;
    let k = instance_scalars(circuit, &secrets, &mut point_rng_copy).map_err(synthesis)?;
    let rho = layout.rho();
    let bases = &groth16.vk.gamma_abc_g1;
    if bases[rho].is_zero() || (G1::generator() * k[rho]).into_affine() != bases[rho] {
        return Err(CircuitError::DegenerateSetup { gate });
    }
    let link = link_key(srs, tau, &layout, &secrets, &k);
    let verifying = verifying_key(&layout, &groth16.vk, &secrets);
    Ok((ProvingKey::new(gate, n, groth16, link)?, verifying))
}

/// The discrete logarithms of the bases K, recomputed as arkworks does.
fn instance_scalars(
    circuit: Circuit<'_>,
    s: &Secrets,
    rng: &mut StdRng,
) -> Result<Vec<Fr>, SynthesisError> {
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(SynthesisMode::Setup);
    circuit.generate_constraints(cs.clone())?;
    cs.finalize();
    let instance = cs.num_instance_variables();
    let domain = Domain::new(cs.num_constraints() + instance)
        .ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let t = domain.sample_element_outside_domain(rng);
    let (u, v, w, ..) = CommittedReduction::instance_map_with_evaluation::<Fr, Domain>(cs, &t)?;
    Ok((0..instance)
        .map(|i| s.beta * u[i] + s.alpha * v[i] + w[i])
        .collect())
}

/// P_{s,i} = k_s·gᵢ + k_D·K_{s,i}.
fn link_key(
    srs: &Srs,
    tau: Option<&Tau>,
    layout: &Layout,
    s: &Secrets,
    k: &[Fr],
) -> LinkProvingKey {
    let vectors = layout
        .slots
        .iter()
        .filter(|s| s.kind == SlotKind::Vector)
        .count();
    let table =
        BatchMulPreprocessing::new(G1Projective::generator(), k.len() + vectors * srs.rows());
    let d_scalars: Vec<Fr> = k.iter().map(|k| s.d * k).collect();
    let lagrange =
        tau.map(|tau| commitment_domain(srs.rows()).evaluate_all_lagrange_coefficients(tau.0));
    let mut rows = Vec::new();
    let mut free = Vec::new();
    for (index, slot) in layout.slots.iter().enumerate() {
        let range = layout.range(index);
        let d: Vec<Fr> = match slot.kind {
            SlotKind::Vector => d_scalars[range].to_vec(),
            SlotKind::Total => vec![d_scalars[range.start]; srs.rows()],
            SlotKind::Free => {
                free = table.batch_mul(&d_scalars[range]);
                continue;
            }
            SlotKind::Public => continue,
        };
        let k = s.columns[index];
        rows.push(match &lagrange {
            Some(lagrange) => {
                let sums: Vec<Fr> = d.iter().zip(lagrange).map(|(d, l)| k * l + d).collect();
                table.batch_mul(&sums)
            }
            None => link_rows(srs, k, &table.batch_mul(&d)),
        });
    }
    LinkProvingKey {
        rows,
        blinding: s
            .columns
            .iter()
            .map(|k| (srs.blinding * *k).into_affine())
            .collect(),
        rho: (G1::generator() * d_scalars[layout.rho()]).into_affine(),
        free,
    }
}

fn link_rows(srs: &Srs, k: Fr, d: &[G1]) -> Vec<G1> {
    let sums: Vec<G1Projective> = srs
        .lagrange
        .par_iter()
        .zip(d)
        .map(|(g, d)| *g * k + d)
        .collect();
    G1Projective::normalize_batch(&sums)
}

fn verifying_key(layout: &Layout, vk: &ark_groth16::VerifyingKey<E>, s: &Secrets) -> VerifyingKey {
    let public = layout.public_slot();
    let times = |k: &Fr| (G2::generator() * *k).into_affine();
    VerifyingKey {
        alpha_g1: vk.alpha_g1,
        beta_g2: vk.beta_g2,
        delta_g2: vk.delta_g2,
        ic: vk.gamma_abc_g1[..=layout.publics].to_vec(),
        public_prefix: if public.is_empty() {
            Vec::new()
        } else {
            prefix_sums(&vk.gamma_abc_g1[public])
        },
        link_columns: s.columns.iter().map(times).collect(),
        link_d: times(&s.d),
    }
}
