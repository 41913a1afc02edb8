//! Evaluating the matrices row by row, and reading a full assignment back into the native twins.

use ark_ff::PrimeField;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, SynthesisMode};
use galen_circuits::{
    Fr,
    gates::{Circuit, Gate, Matrices, compare, multiply, recode, release, select},
};

/// A constraint's name in PROTOCOL §5 and the row (table entry, limb, total) that it is about.
pub type Place = (&'static str, usize);

/// `[instance | witness]` of a circuit with an assignment, by arkworks' own synthesis.
pub fn values(circuit: Circuit<'_>) -> Vec<Fr> {
    let cs = ConstraintSystem::new_ref();
    cs.set_mode(SynthesisMode::Prove {
        construct_matrices: true,
        generate_lc_assignments: false,
    });
    circuit.generate_constraints(cs.clone()).unwrap();
    let inner = cs.into_inner().unwrap();
    let mut all = inner.assignments.instance_assignment;
    all.extend(inner.assignments.witness_assignment);
    all
}

/// What each row of the matrices is, from the order of synthesis.
pub fn families(gate: Gate, n: usize) -> Vec<Place> {
    let mut out: Vec<Place> = (0..gate.layout(n).head()).map(|i| ("C0", i)).collect();
    match gate {
        Gate::Select => out.extend((0..n).flat_map(|i| [("C1", i), ("C2", i)])),
        Gate::Multiply => out.extend((0..n).map(|i| ("C1", i))),
        Gate::Recode { bits } => {
            out.extend((0..n).flat_map(|i| [("C1", i), ("C2", i)]));
            out.extend((0..1 << bits).map(|t| ("C3", t)));
            out.push(("C4", 0));
        }
        Gate::Release => {
            for j in 0..release::LIMBS {
                let bits = release::LIMB_BITS as usize;
                out.extend(std::iter::repeat_n(("C1", j), bits));
                out.extend(std::iter::repeat_n(("C2", j), bits));
                out.push(("C3", j));
            }
            out.extend((0..release::TOTALS).map(|s| ("C4", s)));
        }
        Gate::Compare => {
            let bits = release::LIMB_BITS as usize;
            out.extend((0..release::LIMBS).flat_map(|j| std::iter::repeat_n(("C1", j), bits)));
            out.extend((0..release::TOTALS).map(|s| ("C2", s)));
            for c in 0..compare::COMPARISONS {
                out.extend(std::iter::repeat_n(("C3", c), release::LIMBS));
                out.extend(std::iter::repeat_n(("C4", c), compare::SUM_BITS as usize));
                out.push(("C5", c));
            }
        }
    }
    out
}

/// The rows that `values` violates, each place once, in row order.
pub fn failing(matrices: &Matrices, places: &[Place], values: &[Fr]) -> Vec<Place> {
    assert_eq!(
        places.len(),
        matrices.constraints,
        "every row has its family"
    );
    assert_eq!(values.len(), matrices.instance + matrices.witness);
    let dot = |row: &[(Fr, usize)]| row.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>();
    let [a, b, c] = &matrices.abc[..] else {
        panic!("three matrices")
    };
    let mut out: Vec<Place> = (0..places.len())
        .filter(|r| dot(&a[*r]) * dot(&b[*r]) != dot(&c[*r]))
        .map(|r| places[r])
        .collect();
    out.dedup();
    out
}

/// The same question to the gate's native twin. `select`'s hints are not part of its relation: any
/// wᵢ that fits proves it, so the twin does not look at them.
pub fn native(gate: Gate, n: usize, values: &[Fr]) -> Option<Place> {
    let layout = gate.layout(n);
    let slot = |index: usize| &values[layout.range(index)];
    let (ctx, rho) = (values[1], values[layout.rho()]);
    match gate {
        Gate::Select => select::violation(&select::Assignment {
            ctx,
            k: values[2],
            rho,
            x: slot(0),
            y: slot(1),
            z: slot(2),
        }),
        Gate::Multiply => multiply::violation(&multiply::Assignment {
            ctx,
            rho,
            x: slot(0),
            y: slot(1),
            z: slot(2),
        }),
        Gate::Recode { bits } => {
            let (iota, g) = values[layout.instance()..].split_at(n);
            recode::violation(
                bits,
                &recode::Assignment {
                    ctx,
                    challenge: values[2],
                    rho,
                    x: slot(0),
                    z: slot(1),
                    multiplicities: slot(2),
                    set: slot(3),
                    iota,
                    g,
                },
            )
        }
        Gate::Release => native_release(values),
        Gate::Compare => native_compare(values),
    }
}

/// Private values of one limb, in witness order: the bits of a − lo, then those of hi − a.
pub const LIMB_WITNESSES: usize = 2 * release::LIMB_BITS as usize;

fn native_release(values: &[Fr]) -> Option<Place> {
    let layout = Gate::Release.layout(0);
    let small = |v: Fr| {
        let big = v.into_bigint();
        assert!(big.0[1..].iter().all(|l| *l == 0), "a public 64-bit number");
        big.0[0]
    };
    let bounds = |j: usize| (small(values[2 + j]), small(values[2 + release::LIMBS + j]));
    let statement = release::Statement {
        bounds: std::array::from_fn(bounds),
    };
    let totals: [Fr; release::TOTALS] = std::array::from_fn(|s| values[layout.range(s)][0]);
    let hints: Vec<release::Hints> = values[layout.instance()..]
        .chunks_exact(LIMB_WITNESSES)
        .map(|w| {
            let (above, below) = w.split_at(release::LIMB_BITS as usize);
            release::Hints {
                above: above.try_into().unwrap(),
                below: below.try_into().unwrap(),
            }
        })
        .collect();
    let assignment = release::Assignment {
        ctx: values[1],
        statement: &statement,
        rho: values[layout.rho()],
        totals: &totals,
    };
    release::violation_with(&assignment, &hints)
}

fn native_compare(values: &[Fr]) -> Option<Place> {
    let layout = Gate::Compare.layout(0);
    let signed = |v: Fr| {
        let size = |v: Fr| {
            let big = v.into_bigint();
            let fits = big.0[1..].iter().all(|l| *l == 0);
            i64::try_from(big.0[0]).ok().filter(|_| fits)
        };
        let negative = || size(-v).map(|n| -n);
        size(v).or_else(negative).expect("a public 63-bit number")
    };
    let comparison = |c: usize| {
        let terms = &values[2 + c * (1 + release::LIMBS)..];
        compare::Comparison {
            constant: signed(terms[0]),
            weights: std::array::from_fn(|j| signed(terms[1 + j])),
        }
    };
    let statement = compare::Statement {
        comparisons: std::array::from_fn(comparison),
    };
    let totals: [Fr; release::TOTALS] = std::array::from_fn(|s| values[layout.range(s)][0]);
    let (limbs, rest) =
        values[layout.instance()..].split_at(release::LIMBS * release::LIMB_BITS as usize);
    let each: Vec<&[Fr]> = rest
        .chunks_exact(release::LIMBS + compare::SUM_BITS as usize)
        .collect();
    let hints = compare::Hints {
        limbs: limbs
            .chunks_exact(release::LIMB_BITS as usize)
            .map(|b| b.try_into().unwrap())
            .collect(),
        products: each
            .iter()
            .map(|w| w[..release::LIMBS].try_into().unwrap())
            .collect(),
        sums: each
            .iter()
            .map(|w| w[release::LIMBS..].try_into().unwrap())
            .collect(),
    };
    let assignment = compare::Assignment {
        ctx: values[1],
        statement: &statement,
        rho: values[layout.rho()],
        totals: &totals,
    };
    compare::violation_with(&assignment, &hints)
}
