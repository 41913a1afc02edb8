//! A made-up hospital that commits a small table and proves, straight from the proof core.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use ed25519_dalek::SigningKey;
use galen_circuits::{
    G1,
    commitment::{Blinding, commit_numbers},
    equation::{Cells, Equation, Layout},
    execute::Execution,
    prove::{BaseColumn, NoStore, Task},
};
use galen_params::{ParameterStore, Shape, Silent, VerifyingSet};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{
    bundle::Bundle,
    check_dataset,
    manifest::{Dataset, Draft, Manifest, ReleaseProfile},
    plan::registration_equations,
    plan_for,
    registration::{Registered, Registration, verify_registration},
    rules,
};

pub const REGISTRY: &str = r#"
[registry]
name = "test"
version = 1
patient_id = "id"
[[purpose]]
code = "DUO:0000042"
label = "research"
column = "consent"
[[column]]
name = "age"
type = "number"
min = 18
max = 100
decimals = 0
[[column]]
name = "sex"
type = "category"
codes = ["F", "M"]
nullable = true
[[column]]
name = "cost"
type = "number"
min = 0
max = 200000
decimals = 0
"#;

pub const PURPOSE: &str = "DUO:0000042";

pub static STORE: LazyLock<ParameterStore> = LazyLock::new(|| {
    let cache = tempfile::tempdir().unwrap().keep();
    ParameterStore::open_development(&cache, Shape::for_patients(1).unwrap(), &Silent).unwrap()
});

pub fn keys() -> Arc<VerifyingSet> {
    STORE.verifying()
}

/// A committed table with all that its owner knows.
pub struct Hospital {
    pub registry: Registry,
    pub manifest: Manifest,
    pub dataset: Dataset,
    values: Vec<Vec<u16>>,
    blindings: Vec<Vec<Blinding>>,
}

/// Base columns of so many patients, in the registry's order.
fn table(rows: usize) -> BTreeMap<&'static str, Vec<u16>> {
    let column = |f: fn(usize) -> usize| {
        let values = (0..rows).map(f).map(|v| u16::try_from(v).unwrap());
        values.collect::<Vec<_>>()
    };
    BTreeMap::from([
        ("consent:DUO:0000042", column(|i| usize::from(i % 10 != 0))),
        ("age", column(|i| i * 7 % 83)),
        ("sex", column(|i| usize::from(i % 3 == 1))),
        ("sex.known", column(|i| usize::from(i % 3 != 2))),
        ("cost.lo", column(|i| i * 31 % 65_536)),
        ("cost.hi", column(|i| i % 3)),
    ])
}

pub static HOSPITAL: LazyLock<Hospital> = LazyLock::new(|| Hospital::new(1, 5_000));

impl Hospital {
    pub fn new(epoch: u32, rows: usize) -> Self {
        Self::under(ReleaseProfile::default(), epoch, rows)
    }

    pub fn under(release: ReleaseProfile, epoch: u32, rows: usize) -> Self {
        let registry = Registry::from_toml(REGISTRY).unwrap();
        let srs = STORE.srs().unwrap();
        let mut table = table(rows);
        let bases = registry.base_columns();
        let (mut values, mut blindings, mut commitments) = (vec![], vec![], vec![]);
        for base in &bases {
            let own = table.remove(base.name.as_str()).unwrap();
            let chunks: Vec<&[u16]> = own.chunks(srs.rows()).collect();
            let blinding: Vec<Blinding> = chunks.iter().map(|_| Blinding::fresh()).collect();
            let committed: Vec<G1> = chunks
                .iter()
                .zip(&blinding)
                .map(|(chunk, blinding)| {
                    let numbers: Vec<u32> = chunk.iter().map(|v| u32::from(*v)).collect();
                    commit_numbers(&srs, &numbers, blinding).unwrap()
                })
                .collect();
            values.push(own);
            blindings.push(blinding);
            commitments.push(committed);
        }
        let draft = Draft {
            hospital: "St. Test",
            dataset: "made up",
            epoch,
            registry: &registry,
            parameter_set: *keys().id(),
            shape: STORE.shape(),
            rows: rows as u64,
            release,
            provenance: None,
            commitments: &commitments,
        };
        let manifest = Manifest::sign(&draft, &SigningKey::from_bytes(&[7; 32]));
        let dataset = check_dataset(&manifest, &registry, &keys()).unwrap();
        Self {
            registry,
            manifest,
            dataset,
            values,
            blindings,
        }
    }

    fn bases(&self, equation: &Equation) -> BTreeMap<usize, BaseColumn<'_>> {
        let bases = equation.bases().into_iter();
        bases
            .map(|i| {
                let column = BaseColumn {
                    values: &self.values[i],
                    blindings: &self.blindings[i],
                    commitments: &self.dataset.commitments[i],
                };
                (i, column)
            })
            .collect()
    }

    fn execute(&self, equation: &Equation) -> Execution {
        let bases = self.bases(equation);
        let values = bases.iter().map(|(i, c)| (*i, c.values)).collect();
        Execution::new(equation, &values).unwrap()
    }

    fn prove(
        &self,
        equation: &Equation,
        execution: &Execution,
        cells: &Cells,
        context: &[u8],
    ) -> Vec<u8> {
        let size = Layout::new(equation, cells).unwrap().class.size;
        let task = Task {
            srs: &STORE.srs().unwrap(),
            key: &STORE.proving_key(size).unwrap(),
            context,
            equation,
            execution,
            cells,
            bases: &self.bases(equation),
            store: &NoStore,
        };
        task.prove().unwrap().to_bytes()
    }

    pub fn register(&self) -> Registration {
        let equations = registration_equations(&self.registry, self.dataset.rows()).unwrap();
        let proofs: Vec<Vec<u8>> = equations
            .iter()
            .enumerate()
            .map(|(part, equation)| {
                let context = self.dataset.registration_context(part, equations.len());
                let execution = self.execute(equation);
                self.prove(equation, &execution, &Cells::default(), &context)
            })
            .collect();
        Registration::new(&keys(), &self.dataset, &proofs)
    }

    pub fn registered(&self) -> Registered {
        let registration = self.register();
        verify_registration(&registration, self.dataset.clone(), &self.registry, &keys()).unwrap()
    }

    pub fn ask(&self, sql: &str) -> Question {
        Question::new(&self.registry, PURPOSE, sql, None).unwrap()
    }

    pub fn answer(&self, question: &Question) -> Bundle {
        let resolved = question.resolve(&self.registry).unwrap();
        let plan = plan_for(&resolved, &self.registry, &self.dataset, &[]).unwrap();
        let execution = self.execute(&plan.equation);
        let release = &self.dataset.manifest.release;
        let (published, cells) = rules::publish(&plan, release, &execution.cells).unwrap();
        let bundle = Bundle::new(&keys(), &self.dataset, question, &plan, published);
        let context = bundle.context(&self.dataset, question);
        let proof = self.prove(&plan.equation, &execution, &cells, &context);
        bundle.with_proof(&proof)
    }
}
