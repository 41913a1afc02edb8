//! The naive baseline beside the same query's gates: what a record costs in each.

use std::path::Path;

use anyhow::{Result, ensure};
use ark_groth16::{Groth16, prepare_verifying_key};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, SynthesisMode};
use ark_std::rand::rngs::OsRng;
use galen_benches::{
    arguments,
    fixture::Fixture,
    load, measuring, median, memory, ms,
    naive::{Naive, RANGE, records},
    timed, us_each,
};
use galen_circuits::E;
use galen_params::Shape;

const RUNS: usize = 3;

fn main() -> Result<()> {
    if !measuring() {
        return naive(4, 1).map(drop);
    }
    let sizes: Vec<u64> = arguments().iter().filter_map(|a| a.parse().ok()).collect();
    let sizes = if sizes.is_empty() {
        vec![256, 1024]
    } else {
        sizes
    };
    let (cold, warm) = galen()?;
    for size in sizes {
        let naive = naive(size, RUNS)?;
        println!(
            "  galen per patient: {cold:.1} µs cold, {warm:.1} µs warm; naive / galen = {:.0} cold, {:.0} warm",
            naive / cold,
            naive / warm
        );
    }
    Ok(())
}

/// Proves over `size` records; µs a record.
fn naive(size: u64, runs: usize) -> Result<f64> {
    let circuit = Naive::new(records(size), RANGE)?;
    let cs = ConstraintSystem::new_ref();
    cs.set_mode(SynthesisMode::Setup);
    circuit.clone().generate_constraints(cs.clone())?;
    let constraints = cs.num_constraints();
    let publics = circuit.publics();
    let (key, setup) = timed(|| {
        Groth16::<E>::generate_random_parameters_with_reduction(circuit.clone(), &mut OsRng)
    });
    let key = key?;
    let prepared = prepare_verifying_key(&key.vk);
    let mut times = Vec::new();
    for _ in 0..runs {
        let circuit = circuit.clone();
        let prove = || Groth16::<E>::create_random_proof_with_reduction(circuit, &key, &mut OsRng);
        let (proof, time) = timed(prove);
        ensure!(Groth16::<E>::verify_proof(&prepared, &proof?, &publics)?);
        times.push(time);
    }
    let time = median(times);
    let each = us_each(time, size);
    println!(
        "naive, {size} records: {constraints} constraints ({} a record); setup {:.1} s; \
         proving {:.1} ms ({:.2} ms a record); peak {} MiB; {}",
        constraints as u64 / size,
        setup.as_secs_f64(),
        ms(time),
        each / 1e3,
        memory("VmHWM").unwrap_or(0) >> 20,
        load()
    );
    Ok(each)
}

/// µs a patient for the same query: three `recode10` and a `select` of three limbs, then the `select`
/// alone. Committing the new columns is not in it; the whole query is in the bench `query`.
fn galen() -> Result<(f64, f64)> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters");
    let f = Fixture::new(&cache, Shape::Clinic)?;
    let select = median((0..RUNS).map(|_| timed(|| f.prove_payload()).1).collect());
    let recode = median((0..RUNS).map(|_| timed(|| f.prove_recode()).1).collect());
    let rows = f.n as u64;
    Ok((us_each(select + 3 * recode, rows), us_each(select, rows)))
}
