//! An equation from rows to a verified proof.

use std::{collections::BTreeMap, time::Instant};

use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use galen_circuits::{
    Fr, G1,
    batch::{self, Claim},
    circuit,
    class::{Class, Size},
    commitment::{self, Blinding},
    equation::*,
    execute::Execution,
    groth16::{self, Prepared},
    proof::EquationProof,
    prove::{BaseColumn, NoStore, Task},
    srs::Srs,
};

struct World {
    rows: Rows,
    srs: Srs,
    values: Vec<Vec<u16>>,
    blindings: Vec<Vec<Blinding>>,
    commitments: Vec<Vec<G1>>,
}

impl World {
    fn new(rows: Rows, domains: &[u16], seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let srs = Srs::generate(rows.chunk_bits, &mut rng).unwrap();
        let n = rows.chunk();
        let mut world = World {
            rows,
            srs,
            values: vec![],
            blindings: vec![],
            commitments: vec![],
        };
        for d in domains {
            let v: Vec<u16> = (0..rows.present).map(|_| rng.gen_range(0..*d)).collect();
            let b: Vec<Blinding> = (0..rows.chunks()).map(|_| Blinding::fresh()).collect();
            let c = b
                .iter()
                .enumerate()
                .map(|(i, b)| {
                    let own: Vec<u32> = v[i * n..v.len().min((i + 1) * n)]
                        .iter()
                        .map(|x| u32::from(*x))
                        .collect();
                    commitment::commit_numbers(&world.srs, &own, b).unwrap()
                })
                .collect();
            world.values.push(v);
            world.blindings.push(b);
            world.commitments.push(c);
        }
        world
    }
}

fn base(i: usize) -> Linear {
    Linear::column(Column::Base(i))
}
fn derived(i: usize) -> Linear {
    Linear::column(Column::Derived(i))
}

/// three ranges over columns 1..=3 of 1024 values, consent 0, sum of column 4, groups of column 5
fn query(rows: Rows, grouped: bool) -> Equation {
    let range = |lo: usize, hi: usize| {
        Table::new([
            Run {
                length: lo,
                first: 0,
                second: 0,
                third: 0,
            },
            Run {
                length: hi - lo,
                first: lo as u64,
                second: 1,
                third: 0,
            },
            Run {
                length: 1024 - hi,
                first: hi as u64,
                second: 0,
                third: 0,
            },
        ])
    };
    let tables = vec![range(100, 900), range(50, 1000), range(10, 1000)];
    let lookups = (0..3)
        .map(|i| Lookup {
            tuple: [base(i + 1), derived(i), Linear::zero()],
            table: i,
            key: base(i + 1),
        })
        .collect();
    let mut d: Vec<Derived> = (0..3)
        .map(|i| Derived::Output {
            lookup: i,
            component: 1,
        })
        .collect();
    d.push(Derived::Root { block: 0 });
    let one = Measure::Linear(Linear::constant(1));
    let measures = if grouped {
        vec![
            one,
            Measure::Linear(base(4)),
            Measure::Product(base(4), base(4)),
        ]
    } else {
        vec![one, Measure::Linear(base(4))]
    };
    Equation {
        rows,
        tables,
        lookups,
        derived: d,
        groupings: if grouped {
            vec![Grouping {
                tuple: [base(5), Linear::zero()],
                groups: Table::range(20),
                key: base(5),
            }]
        } else {
            vec![]
        },
        blocks: vec![Block {
            root: derived(3),
            factors: vec![base(0), derived(0), derived(1), derived(2)],
            grouping: grouped.then_some(0),
            measures,
        }],
    }
}

fn run(rows: Rows, grouped: bool, hide: usize, reps: usize) {
    let world = World::new(rows, &[2, 1024, 1024, 1024, 1024, 20], 7);
    let equation = query(rows, grouped);
    let bases: BTreeMap<usize, BaseColumn<'_>> = (0..6)
        .map(|i| {
            (
                i,
                BaseColumn {
                    values: &world.values[i],
                    blindings: &world.blindings[i],
                    commitments: &world.commitments[i],
                },
            )
        })
        .filter(|(i, _)| equation.bases().contains(i))
        .collect();
    let values = bases.iter().map(|(i, c)| (*i, c.values)).collect();
    let started = Instant::now();
    let execution = Execution::new(&equation, &values).unwrap();
    println!("execute {:?}", started.elapsed());
    let mut cells = Cells {
        published: execution.cells.iter().map(|v| Some(*v)).collect(),
        inequalities: vec![],
    };
    for i in 0..hide {
        let v = cells.published[i].take().unwrap();
        let v = i64::try_from(v).unwrap();
        cells.inequalities.push(Inequality {
            terms: vec![(i, 1)],
            bound: v - 3,
        });
        cells.inequalities.push(Inequality {
            terms: vec![(i, -1)],
            bound: -v - 5,
        });
    }
    let layout = Layout::new(&equation, &cells).unwrap();
    println!("class {} slots {}", layout.class, layout.slots.len());
    let started = Instant::now();
    let matrices = circuit::matrices(layout.class);
    println!(
        "matrices {:?} constraints {} nnz {:?}",
        started.elapsed(),
        matrices.constraints(),
        matrices.non_zero()
    );
    let started = Instant::now();
    let key = groth16::generate((*matrices).clone(), &mut StdRng::seed_from_u64(1)).unwrap();
    println!("keygen {:?}", started.elapsed());
    let task = Task {
        srs: &world.srs,
        key: &key,
        context: b"test",
        equation: &equation,
        execution: &execution,
        cells: &cells,
        bases: &bases,
        store: &NoStore,
    };
    let mut proof = None;
    for _ in 0..reps {
        let started = Instant::now();
        proof = Some(task.prove().unwrap());
        println!("prove {:?}", started.elapsed());
    }
    let proof = proof.unwrap();
    let bytes = proof.to_bytes();
    println!("proof {} bytes", bytes.len());
    assert_eq!(EquationProof::from_bytes(&bytes, &layout).unwrap(), proof);
    let vk = Prepared::new(key.verifying_key().clone());
    let srs = world.srs.verifying();
    let claim = || Claim {
        key: &vk,
        srs: &srs,
        context: b"test",
        layout: &layout,
        cells: &cells,
        bases: equation
            .bases()
            .iter()
            .map(|i| world.commitments[*i].as_slice())
            .collect(),
        proof: &proof,
    };
    for _ in 0..3 {
        let started = Instant::now();
        batch::verify(&[claim()]).unwrap();
        println!("verify {:?}", started.elapsed());
    }
    let many: Vec<Claim<'_>> = (0..64).map(|_| claim()).collect();
    let started = Instant::now();
    batch::verify(&many).unwrap();
    println!("64: {:?}", started.elapsed());
    // a changed cell is refused
    let mut other = cells.clone();
    let at = other.published.iter().position(|v| v.is_some()).unwrap();
    *other.published[at].as_mut().unwrap() += 1;
    let layout2 = Layout::new(&equation, &other).unwrap();
    let bad = Claim {
        layout: &layout2,
        cells: &other,
        ..claim()
    };
    println!("{:?}", batch::verify(&[bad]));
    let mut other = proof.clone();
    other.y += Fr::from(1u64);
    println!(
        "{:?}",
        batch::verify(&[
            claim(),
            Claim {
                proof: &other,
                ..claim()
            }
        ])
    );
    let _ = Class {
        rounds: 14,
        size: Size::Small,
    };
}

#[test]
fn small() {
    run(Rows::of(15_000).unwrap(), false, 0, 4);
}
#[test]
fn grouped() {
    run(Rows::of(15_000).unwrap(), true, 0, 4);
}
#[test]
fn hidden() {
    run(Rows::of(9_000).unwrap(), true, 7, 2);
}
#[test]
#[ignore]
fn million() {
    run(Rows::of(1_000_000).unwrap(), false, 0, 3);
    run(Rows::of(1_000_000).unwrap(), true, 0, 3);
}
