//! The rows: made up from one seed, so that both systems and every run see the same.

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use proof_of_sql::base::{database::Column, scalar::Scalar};
use rand::{rngs::StdRng, Rng, SeedableRng};
use sqlparser::ast::Ident;

const SEED: u64 = 20_261_120;
/// Of a hundred patients, those with the diagnosis.
const DIAGNOSED: u32 = 15;

/// Columns of one length.
#[derive(Default)]
pub struct Patients {
    pub age: Vec<i64>,
    pub sex: Vec<bool>,
    pub sbp: Vec<i64>,
    pub hba1c: Vec<i64>,
    pub ldl: Vec<i64>,
    pub dx: Vec<bool>,
}

impl Patients {
    /// The first `rows` of the seed's patients. The ranges are those of `registry.toml`.
    pub fn new(rows: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(SEED);
        let mut p = Self::default();
        for _ in 0..rows {
            p.age.push(rng.gen_range(0..=110));
            p.sex.push(rng.gen_range(0..=1) == 1);
            p.sbp.push(rng.gen_range(80..=220));
            p.hba1c.push(rng.gen_range(40..=140));
            p.ldl.push(rng.gen_range(40..=250));
            p.dx.push(rng.gen_range(0..100) < DIAGNOSED);
        }
        p
    }

    /// How many patients.
    pub fn rows(&self) -> usize {
        self.age.len()
    }

    /// The columns as Proof of SQL takes them.
    pub fn columns<S: Scalar>(&self) -> Vec<(Ident, Column<'_, S>)> {
        vec![
            ("age".into(), Column::BigInt(&self.age)),
            ("sex".into(), Column::Boolean(&self.sex)),
            ("sbp".into(), Column::BigInt(&self.sbp)),
            ("hba1c".into(), Column::BigInt(&self.hba1c)),
            ("ldl".into(), Column::BigInt(&self.ldl)),
            ("dx".into(), Column::Boolean(&self.dx)),
        ]
    }

    /// Writes the table as Galen reads it. Everybody consents: the other system has no consent, and the
    /// answers must agree.
    pub fn dump(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let file = File::create_new(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut out = BufWriter::new(file);
        writeln!(out, "patient_id,consent,age,sex,sbp,hba1c,ldl,dx")?;
        for i in 0..self.rows() {
            let (age, sex, sbp) = (self.age[i], u8::from(self.sex[i]), self.sbp[i]);
            let (hba1c, ldl, dx) = (self.hba1c[i], self.ldl[i], u8::from(self.dx[i]));
            writeln!(out, "P{i:08},1,{age},{sex},{sbp},{hba1c},{ldl},{dx}")?;
        }
        out.flush()?;
        Ok(())
    }
}
