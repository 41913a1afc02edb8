//! What a dishonest hospital can do: it has the values and blinders of its columns, and proves with them what it
//! likes.

use std::{collections::BTreeMap, fs};

use ark_ff::PrimeField;
use galen_circuits::{
    CircuitError, Fr,
    commitment::Blinding,
    equation::{Cells, Equation, Layout},
    execute::Execution,
    prove::{BaseColumn, NoStore, Task},
};
use galen_params::ParameterStore;
use galen_query::{question::Question, registry::Registry};
use galen_tests::{Hospital, keys};
use galen_verifier::{
    bundle::Bundle,
    check_dataset,
    manifest::{Dataset, Manifest},
    plan::{Plan, registration_equations},
    registration::{Registered, Registration, verify_registration},
    rules::{self, Published},
};

/// Bytes before the columns of a chunk's file.
const HEAD: usize = 20;
/// Bytes of a column before its values: blinder and commitment.
const COLUMN_HEAD: usize = 96;

/// A dataset's base columns, from its secret files.
pub struct Secrets {
    /// Row by row.
    pub values: Vec<Vec<u16>>,
    /// Chunk by chunk.
    blindings: Vec<Vec<Fr>>,
}

impl Secrets {
    pub fn of(hospital: &Hospital) -> Self {
        let d = hospital.dataset.dataset();
        let columns = d.commitments.len();
        let mut secrets = Self {
            values: vec![Vec::new(); columns],
            blindings: vec![Vec::new(); columns],
        };
        for chunk in 0..d.chunks() {
            let name = format!("secret/base-{chunk:05}");
            let bytes = fs::read(hospital.dataset.folder().join(name)).unwrap();
            let width = COLUMN_HEAD + 2 * d.rows_in_chunk(chunk);
            let stored = bytes[HEAD..].chunks_exact(width).take(columns);
            for (index, column) in stored.enumerate() {
                let (head, values) = column.split_at(COLUMN_HEAD);
                secrets.blindings[index].push(Fr::from_le_bytes_mod_order(&head[..32]));
                let values = values.chunks_exact(2);
                secrets.values[index].extend(values.map(|v| u16::from_le_bytes([v[0], v[1]])));
            }
        }
        secrets
    }

    /// The same with other values.
    pub fn with(&self, change: impl FnOnce(&mut Vec<Vec<u16>>)) -> Self {
        let mut values = self.values.clone();
        change(&mut values);
        Self {
            values,
            blindings: self.blindings.clone(),
        }
    }

    /// What an equation makes of the values.
    pub fn execute(&self, equation: &Equation) -> Result<Execution, CircuitError> {
        let bases = equation.bases().into_iter();
        let values = bases.map(|i| (i, self.values[i].as_slice())).collect();
        Execution::new(equation, &values)
    }
}

/// Someone with secrets who proves about a dataset.
pub struct Forger<'a> {
    pub secrets: &'a Secrets,
    pub dataset: &'a Dataset,
    pub store: &'a ParameterStore,
}

impl<'a> Forger<'a> {
    /// The hospital itself.
    pub fn new(secrets: &'a Secrets, dataset: &'a Dataset) -> Self {
        Self {
            secrets,
            dataset,
            store: keys(),
        }
    }

    fn prove(
        &self,
        equation: &Equation,
        execution: &Execution,
        cells: &Cells,
        context: &[u8],
    ) -> Result<Vec<u8>, CircuitError> {
        let indices = equation.bases();
        let blinders: Vec<Vec<Blinding>> = indices
            .iter()
            .map(|i| self.secrets.blindings[*i].iter())
            .map(|of_chunks| of_chunks.map(|s| Blinding::restore(*s)).collect())
            .collect();
        let columns = indices.iter().zip(&blinders).map(|(i, blindings)| {
            let column = BaseColumn {
                values: &self.secrets.values[*i],
                blindings,
                commitments: &self.dataset.commitments[*i],
            };
            (*i, column)
        });
        let bases: BTreeMap<usize, BaseColumn<'_>> = columns.collect();
        let size = Layout::new(equation, cells)?.class.size;
        let task = Task {
            srs: &self.store.srs().unwrap(),
            key: &self.store.proving_key(size).unwrap(),
            context,
            equation,
            execution,
            cells,
            bases: &bases,
            store: &NoStore,
        };
        Ok(task.prove()?.to_bytes())
    }

    /// A registration by these equations, of which each is bound to its place among `parts`.
    pub fn register(
        &self,
        equations: &[Equation],
        parts: usize,
    ) -> Result<Registration, CircuitError> {
        let part = |(part, equation): (usize, &Equation)| {
            let context = self.dataset.registration_context(part, parts);
            let execution = self.secrets.execute(equation)?;
            self.prove(equation, &execution, &Cells::default(), &context)
        };
        let proofs: Vec<Vec<u8>> = equations
            .iter()
            .enumerate()
            .map(part)
            .collect::<Result<_, _>>()?;
        let set = self.store.verifying();
        Ok(Registration::new(&set, self.dataset, &proofs))
    }

    /// An answer in which `published` is said of what `change` makes of the execution. The rule allows it.
    pub fn answer(
        &self,
        question: &Question,
        plan: &Plan,
        published: &Published,
        change: impl FnOnce(&mut Execution, &Cells),
    ) -> Result<Bundle, CircuitError> {
        let release = &self.dataset.manifest.release;
        let cells = rules::cells(plan, release, published).unwrap();
        let mut execution = self.secrets.execute(&plan.equation)?;
        change(&mut execution, &cells);
        let set = self.store.verifying();
        let bundle = Bundle::new(&set, self.dataset, question, plan, published.clone());
        let context = bundle.context(self.dataset, question);
        let proof = self.prove(&plan.equation, &execution, &cells, &context)?;
        Ok(bundle.with_proof(&proof))
    }
}

/// A manifest's dataset, registered by the one who has its secrets.
pub fn registered(
    manifest: &Manifest,
    registry: &Registry,
    secrets: &Secrets,
    store: &ParameterStore,
) -> Registered {
    let set = store.verifying();
    let dataset = check_dataset(manifest, registry, &set).unwrap();
    let equations = registration_equations(registry, dataset.rows()).unwrap();
    let forger = Forger {
        secrets,
        dataset: &dataset,
        store,
    };
    let registration = forger.register(&equations, equations.len()).unwrap();
    verify_registration(&registration, dataset, registry, &set).unwrap()
}
