//! Proving each gate, the same rows with arkworks' Groth16 alone, verifying, and loading keys.

use std::{hint::black_box, path::Path, time::Duration};

use criterion::{BenchmarkId, Criterion};
use galen_benches::{
    cpu_timed,
    fixture::Fixture,
    load, measuring, median, ms,
    plain::{Plain, PlainKey},
    timed, us_each,
};
use galen_circuits::{batch, gates::Gate, keys::ProvingKey};
use galen_params::{Shape, VerifyingSet};

/// Alternating runs from which the ratios are taken.
const ROUNDS: u32 = 11;

fn main() {
    let shapes: &[Shape] = if measuring() {
        &[Shape::Hospital, Shape::Clinic]
    } else {
        &[Shape::Tiny]
    };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(8))
        .configure_from_args();
    for shape in shapes {
        let fixture = Fixture::new(&cache, *shape).expect("the cache below target is writable");
        let plain = PlainKey::generate(Plain::of(&fixture)).expect("a plain circuit");
        provers(&mut criterion, &fixture);
        reference(&mut criterion, &fixture, &plain);
        verifiers(&mut criterion, &fixture);
        keys(&mut criterion, &fixture);
        if measuring() {
            ratios(&fixture, &plain);
        }
    }
    criterion.final_summary();
}

type Work<'a> = (&'a str, Box<dyn Fn() + 'a>);

fn run(c: &mut Criterion, id: usize, work: &[Work<'_>]) {
    for (name, work) in work {
        c.benchmark_group(*name)
            .bench_function(BenchmarkId::from_parameter(id), |b| b.iter(work));
    }
}

fn work<'a, T>(name: &'a str, f: impl Fn() -> T + 'a) -> Work<'a> {
    (name, Box::new(move || drop(black_box(f()))))
}

fn provers(c: &mut Criterion, f: &Fixture) {
    let all = [
        work("select", || f.prove_select()),
        work("select three limbs", || f.prove_payload()),
        work("recode10", || f.prove_recode()),
        work("multiply", || f.prove_multiply()),
        work("release", || f.prove_release()),
        work("compare", || f.prove_compare()),
    ];
    run(c, f.n, &all);
}

fn reference(c: &mut Criterion, f: &Fixture, key: &PlainKey) {
    let circuit = Plain::of(f);
    let all = [
        work("ark-groth16 alone", || key.prove(circuit)),
        work("ark-groth16 alone, matrices kept", || {
            key.prove_prepared(circuit)
        }),
    ];
    run(c, f.n, &all);
}

/// One id for each number of claims.
fn verifiers(c: &mut Criterion, f: &Fixture) {
    for chunks in [1, 8, 32] {
        let claims = f.claims(chunks);
        let check = || batch::verify(f.parameter_set(), &claims).expect("true claims");
        run(
            c,
            claims.len(),
            &[work(&format!("verify over {} rows", f.n), check)],
        );
    }
}

fn keys(c: &mut Criterion, f: &Fixture) {
    let key = f.select_key();
    let write = || {
        let mut bytes = Vec::new();
        key.write(&mut bytes).expect("writing to a Vec cannot fail");
        bytes
    };
    let bytes = write();
    let set = f.params.verifying_bytes();
    println!(
        "proving key of select over {} rows: {} bytes",
        f.n,
        bytes.len()
    );
    println!("verifying set over {} rows: {} bytes", f.n, set.len());
    let all = [
        work("write the proving key of select", write),
        work("read the proving key of select", || {
            ProvingKey::read_trusted(Gate::Select, f.n, &bytes)
        }),
        work("read the verifying set", || VerifyingSet::from_bytes(set)),
    ];
    run(c, f.n, &all);
}

/// Takes turns, so that what else the machine does falls on all alike.
fn ratios(f: &Fixture, key: &PlainKey) {
    let circuit = Plain::of(f);
    let all = [
        work("select", || f.prove_select()),
        work("ark-groth16 alone", || key.prove(circuit)),
        work("ark-groth16 alone, matrices kept", || {
            key.prove_prepared(circuit)
        }),
        work("select three limbs", || f.prove_payload()),
        work("recode10", || f.prove_recode()),
        work("multiply", || f.prove_multiply()),
    ];
    let mut clock = vec![Vec::new(); all.len()];
    let mut cpu = vec![Duration::ZERO; all.len()];
    for _ in 0..ROUNDS {
        for (i, (_, work)) in all.iter().enumerate() {
            let ((_, time), busy) = cpu_timed(|| timed(work));
            clock[i].push(time);
            cpu[i] += busy / ROUNDS;
        }
    }
    let clock: Vec<Duration> = clock.into_iter().map(median).collect();
    println!("\n{} rows, {ROUNDS} rounds in turns; {}", f.n, load());
    println!(
        "  {:<34} {:>11} {:>9} {:>11}   select / this",
        "", "median", "a patient", "mean CPU"
    );
    for (i, (name, _)) in all.iter().enumerate() {
        println!(
            "  {name:<34} {:8.1} ms {:6.2} µs {:8.1} ms   {:.3}, CPU {:.3}",
            ms(clock[i]),
            us_each(clock[i], f.n as u64),
            ms(cpu[i]),
            ratio(clock[0], clock[i]),
            ratio(cpu[0], cpu[i])
        );
    }
    let (time, busy) = (ratio(clock[4], clock[0]), ratio(cpu[4], cpu[0]));
    println!("  recode10 / select = {time:.3}, CPU {busy:.3}\n");
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
