#![allow(missing_docs, reason = "criterion's macro makes a public function")]
//! The kernels on one thread: `cargo bench -p galen-field`, and beside it with `GALEN_SIMD=off`.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AdditiveGroup, PrimeGroup, ScalarMul, VariableBaseMSM};
use ark_ff::UniformRand;
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use galen_field::{curve, path};

/// Powers of two times the generator.
fn bases<G: ScalarMul + PrimeGroup + AdditiveGroup>(n: usize) -> Vec<G::MulBase> {
    let steps = std::iter::successors(Some(G::generator()), |p| Some(p.double()));
    G::batch_convert_to_mul_base(&steps.take(n).collect::<Vec<_>>())
}

fn sums(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("sums, {}", path()));
    let (n, mut rng) = (1 << 15, StdRng::seed_from_u64(1));
    let g1: Vec<G1Affine> = bases::<G1Projective>(n);
    let g2: Vec<G2Affine> = bases::<G2Projective>(n);
    let all: Vec<u32> = (0..1 << 15).collect();
    let keys: Vec<u32> = (0..n).map(|_| rng.gen_range(0..1024)).collect();
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function("all of G1", |b| b.iter(|| curve::sum_selected(&g1, &all)));
    group.bench_function("all of G2", |b| b.iter(|| curve::sum_selected(&g2, &all)));
    group.bench_function("by 1,024 keys", |b| {
        b.iter(|| curve::sums_by_key(&g1, &keys, 1024, None));
    });
}

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("msm, {}", path()));
    let mut rng = StdRng::seed_from_u64(2);
    let g1: Vec<G1Affine> = bases::<G1Projective>(1 << 15);
    let g2: Vec<G2Affine> = bases::<G2Projective>(1 << 13);
    let scalars: Vec<Fr> = (0..g1.len()).map(|_| Fr::rand(&mut rng)).collect();
    for log in [8, 10, 13, 15] {
        let len = 1 << log;
        group.throughput(Throughput::Elements(len as u64));
        let id = |name| BenchmarkId::new(name, len);
        group.bench_function(id("G1"), |b| b.iter(|| curve::msm(&g1, &scalars[..len])));
        group.bench_function(id("G1, arkworks"), |b| {
            b.iter(|| G1Projective::msm_unchecked(&g1, &scalars[..len]));
        });
        if len <= g2.len() {
            group.bench_function(id("G2"), |b| b.iter(|| curve::msm(&g2, &scalars[..len])));
            group.bench_function(id("G2, arkworks"), |b| {
                b.iter(|| G2Projective::msm_unchecked(&g2, &scalars[..len]));
            });
        }
    }
}

criterion_group! {
    name = kernels;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(1)).warm_up_time(std::time::Duration::from_millis(300));
    targets = sums, products
}

fn main() {
    // One thread, so that what is measured is the kernel.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.build_global().expect("the pool is made once");
    kernels();
    Criterion::default().configure_from_args().final_summary();
}
