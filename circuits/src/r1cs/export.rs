//! iden3's R1CS binary format, version 1, as circom writes it and snarkjs reads it
//! (<https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md>).

use std::io::{self, Write};

use ark_ff::{BigInteger, PrimeField};

use super::matrices::{Matrices, Side};
use crate::Fr;

/// Bytes of a field element.
const FIELD_BYTES: u32 = 32;

/// Sections of the file.
const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const WIRES_TO_LABELS: u32 = 3;

impl Matrices {
    /// Writes the circuit as an `.r1cs` file. Numbers are little-endian, coefficients canonical
    /// (not in Montgomery form); wires are our variables in our order, and label i is wire i.
    /// The public inputs are counted as circom's public inputs (it has no outputs) and the whole
    /// witness as its private inputs.
    ///
    /// # Errors
    /// What the writer refuses; `InvalidInput` where a count does not fit into the format.
    pub fn write_r1cs(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"r1cs")?;
        out.write_all(&1u32.to_le_bytes())?; // version
        out.write_all(&3u32.to_le_bytes())?; // sections
        self.write_header(out)?;
        self.write_constraints(out)?;
        section(out, WIRES_TO_LABELS, 8 * self.variables())?;
        (0..self.variables() as u64).try_for_each(|wire| out.write_all(&wire.to_le_bytes()))
    }

    fn write_header(&self, out: &mut impl Write) -> io::Result<()> {
        section(out, HEADER, 4 + 32 + 4 * 4 + 8 + 4)?;
        out.write_all(&FIELD_BYTES.to_le_bytes())?;
        out.write_all(&Fr::MODULUS.to_bytes_le())?;
        let private = self.variables() - 1 - self.publics();
        for n in [self.variables(), 0, self.publics(), private] {
            out.write_all(&number(n)?)?;
        }
        out.write_all(&(self.variables() as u64).to_le_bytes())?; // labels
        out.write_all(&number(self.constraints())?)
    }

    fn write_constraints(&self, out: &mut impl Write) -> io::Result<()> {
        let bytes = 3 * 4 * self.constraints() + (4 + 32) * self.non_zero();
        section(out, CONSTRAINTS, bytes)?;
        for i in 0..self.constraints() {
            for side in [Side::A, Side::B, Side::C] {
                let row = self.row(side, i);
                out.write_all(&number(row.len())?)?;
                for (coefficient, variable) in row {
                    out.write_all(&number(variable)?)?;
                    out.write_all(&coefficient.into_bigint().to_bytes_le())?;
                }
            }
        }
        Ok(())
    }
}

fn section(out: &mut impl Write, kind: u32, bytes: usize) -> io::Result<()> {
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&(bytes as u64).to_le_bytes())
}

fn number(n: usize) -> io::Result<[u8; 4]> {
    u32::try_from(n)
        .map(u32::to_le_bytes)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))
}
