//! The two commitment schemes and their setups, from nothing.

use std::error::Error;

use ark_std::rand::{rngs::StdRng, SeedableRng};
use nova_snark::{
    provider::hyperkzg::{CommitmentEngine, CommitmentKey, EvaluationEngine},
    traits::{commitment::CommitmentEngineTrait, evaluation::EvaluationEngineTrait},
};
use proof_of_sql::proof_primitive::{
    dory::{DynamicDoryEvaluationProof, ProverSetup, PublicParameters, VerifierSetup},
    hyperkzg::{
        nova_commitment_key_to_hyperkzg_public_setup, HyperKZGCommitmentEvaluationProof,
        HyperKZGEngine,
    },
};

use crate::{measure::Clock, prove::Bench, queries::Query};

const DORY_SEED: [u8; 32] = *b"the same dory setup in every run";

/// How columns are committed and opened.
#[derive(Clone, Copy)]
pub enum Scheme {
    HyperKzg,
    Dory,
}

impl Scheme {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "hkzg" => Some(Self::HyperKzg),
            "dory" => Some(Self::Dory),
            _ => None,
        }
    }
}

/// Makes the setup, commits the table, and proves each query as often as asked.
pub fn run(
    scheme: Scheme,
    rows: usize,
    repetitions: usize,
    queries: &[Query],
) -> Result<(), Box<dyn Error>> {
    let bench = |scheme| Bench {
        scheme,
        rows,
        repetitions,
        queries,
    };
    match scheme {
        Scheme::HyperKzg => hyper_kzg(&bench("hkzg")),
        Scheme::Dory => dory(&bench("dory")),
    }
}

/// A setup for tests: whoever makes it knows its secret.
fn hyper_kzg(bench: &Bench) -> Result<(), Box<dyn Error>> {
    let clock = Clock::start();
    let key: CommitmentKey<HyperKZGEngine> = CommitmentEngine::setup(b"bench", bench.rows);
    let (_, verifier) = EvaluationEngine::setup(&key);
    let points = nova_commitment_key_to_hyperkzg_public_setup(&key);
    bench.say_setup(&clock.stop(), points.len());
    bench.run::<HyperKZGCommitmentEvaluationProof>(&points[..], &verifier)
}

/// A transparent setup: nobody has a secret to keep.
fn dory(bench: &Bench) -> Result<(), Box<dyn Error>> {
    let clock = Clock::start();
    let mut rng = StdRng::from_seed(DORY_SEED);
    let size = dory_size(bench.rows);
    let parameters = PublicParameters::test_rand(size, &mut rng);
    let prover = ProverSetup::from(&parameters);
    let verifier = VerifierSetup::from(&parameters);
    bench.say_setup(&clock.stop(), 1 << size);
    bench.run::<DynamicDoryEvaluationProof>(&prover, &verifier)
}

/// The logarithm of the points in each group that so many rows take: the scheme lays them out in a matrix
/// of which this is half of the logarithm of the size, rounded up.
fn dory_size(rows: usize) -> usize {
    let mut size = 1;
    while 1 << (2 * size - 1) <= rows {
        size += 1;
    }
    size
}
