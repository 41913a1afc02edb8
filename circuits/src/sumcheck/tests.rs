//! One row after another and eight at once: the same messages, round by round, and the same columns at the end.

use ark_ff::{One, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

use super::{columns::prove_with, engine::Single, *};

const RANDOM: u64 = 400;

fn tables(bits: u32, rng: &mut StdRng) -> Tables {
    let length = 1 << bits.min(4);
    let mut column = || -> Vec<Fr> { (0..length).map(|_| Fr::rand(rng)).collect() };
    let slot = ShortSlot {
        weight: column()[0],
        q: column(),
        e: column(),
        m: column(),
        rest: column()[0],
    };
    Tables {
        slots: vec![slot],
        pairs: vec![[column(), column()]],
    }
}

/// What does not depend on the messages: some of them at the field's edges.
fn challenges(mut rng: StdRng) -> impl FnMut(&Message) -> Fr {
    move |_| match rng.gen_range(0..8) {
        0 => Fr::zero(),
        1 => Fr::one(),
        2 => -Fr::one(),
        _ => Fr::rand(&mut rng),
    }
}

#[test]
fn engines_agree() {
    for seed in 0..RANDOM {
        let mut rng = StdRng::seed_from_u64(seed);
        let bits = rng.gen_range(1..11_u32);
        let size = 1 << bits;
        let present = match rng.gen_range(0..4) {
            0 => size,
            1 => 1,
            2 => size / 2,
            _ => rng.gen_range(1..=size),
        };
        let t: Vec<Fr> = (0..bits).map(|_| Fr::rand(&mut rng)).collect();
        let rhs = Fr::rand(&mut rng);
        // The same again and again.
        let rows = || Rows::random(bits, present, &mut rng.clone());
        let tables = || tables(bits, &mut rng.clone());
        let drawn = || challenges(rng.clone());
        let one = prove_with(Single, &rows(), tables(), &t, rhs, drawn());
        let same = |other: &Finished| {
            assert_eq!(
                one.messages, other.messages,
                "{seed}: {bits} bits, {present}"
            );
            assert_eq!((&one.row, &one.r), (&other.row, &other.r), "{seed}");
        };
        same(&prove(&mut rows(), tables(), &t, rhs, drawn()));
        #[cfg(target_arch = "x86_64")]
        if let Some(vectors) = galen_field::Vectors::new().filter(|_| bits >= columns::FEW) {
            let mut rows = rows();
            rows.multiply(Fr::from(engine::SCALE));
            same(&prove_with(vectors, &rows, tables(), &t, rhs, drawn()));
        }
    }
}
