//! Writes a small circuit, a witness, a key and a proof of it as files for snarkjs into a directory:
//! `cargo run -p galen-circuits --example snarkjs -- DIRECTORY` (see `tests/snarkjs/run.sh`).

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::{env, fs};

use ark_ff::{BigInteger, Field, PrimeField};
use ark_std::rand::rngs::OsRng;
use galen_circuits::Fr;
use galen_circuits::groth16::{Prepared, generate, prove, publics_json, verify};
use galen_circuits::r1cs::Builder;
use galen_circuits::sponge::{Sponge, SpongeVar};

/// Width of the example's sponge.
const WIDTH: usize = 9;

/// A secret of two elements hashes to the first public input; their product is the second plus 1.
fn circuit(b: &mut Builder, secret: [Fr; 2]) {
    let mut sponge = Sponge::new(WIDTH);
    sponge.absorb(&secret);
    let hash = b.public(sponge.squeeze());
    let product = b.public(secret[0] * secret[1] - Fr::ONE);
    let secret = secret.map(|x| b.witness(x));
    let mut sponge = SpongeVar::new(WIDTH);
    sponge.absorb(b, &secret);
    let squeezed = sponge.squeeze(b);
    b.equal(&squeezed, &hash);
    let one = b.constant(Fr::ONE);
    b.enforce(&secret[0], &secret[1], &(&product + &one));
    b.nonzero(&secret[0]);
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(env::args_os().nth(1).ok_or("which directory?")?);
    let secret = [Fr::from(12_345u64), -Fr::from(6u64)];
    let shape = Builder::shape(|b| circuit(b, secret));
    let run = Builder::assign(shape.variables(), |b| circuit(b, secret));
    let mut file = BufWriter::new(fs::File::create(directory.join("circuit.r1cs"))?);
    shape.write_r1cs(&mut file)?;
    file.flush()?;
    write_wtns(directory.join("witness.wtns"), run.values())?;
    let mut wrong = run.values().to_vec();
    wrong[shape.variables() - 1] += Fr::ONE;
    write_wtns(directory.join("witness_changed.wtns"), &wrong)?;

    let key = generate(shape, &mut OsRng)?;
    let proof = prove(&key, run.values(), &mut OsRng)?;
    let prepared = Prepared::new(key.verifying_key().clone());
    verify(&prepared, run.publics(), &proof)?;
    let changed = [run.publics()[0], run.publics()[1] + Fr::ONE];
    let write = |name: &str, json: String| fs::write(directory.join(name), json);
    write("verification_key.json", key.verifying_key().to_snarkjs())?;
    write("public.json", publics_json(run.publics()))?;
    write("public_changed.json", publics_json(&changed))?;
    write("proof.json", proof.to_snarkjs())?;
    Ok(())
}

/// iden3's witness format, version 2: a header and one section of values, little-endian.
fn write_wtns(path: PathBuf, values: &[Fr]) -> io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    out.write_all(b"wtns")?;
    for n in [2u32, 2, 1] {
        out.write_all(&n.to_le_bytes())?; // version, sections, the header
    }
    out.write_all(&(4 + 32 + 4u64).to_le_bytes())?;
    out.write_all(&32u32.to_le_bytes())?;
    out.write_all(&Fr::MODULUS.to_bytes_le())?;
    let count = u32::try_from(values.len()).map_err(io::Error::other)?;
    out.write_all(&count.to_le_bytes())?;
    out.write_all(&2u32.to_le_bytes())?;
    out.write_all(&(32 * u64::from(count)).to_le_bytes())?;
    for value in values {
        out.write_all(&value.into_bigint().to_bytes_le())?;
    }
    out.flush()
}
