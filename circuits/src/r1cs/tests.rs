use ark_ff::{AdditiveGroup, Field};
use proptest::prelude::*;

use super::*;
use crate::Fr;

/// One of each kind of constraint; x is public, the rest witness.
///
/// C1: y = x·x. C2: y + 3x = s. C3: x ≠ 0. C4: s·(y − 1) = 2t.
struct Example {
    x: Fr,
    y: Fr,
    s: Fr,
    t: Fr,
}

impl Example {
    fn honest(x: u64) -> Self {
        let x = Fr::from(x);
        let y = x * x;
        let s = y + Fr::from(3u64) * x;
        let t = s * (y - Fr::ONE) / Fr::from(2u64);
        Self { x, y, s, t }
    }

    fn write(&self, b: &mut Builder) {
        let x = b.public(self.x);
        let [y, s, t] = [self.y, self.s, self.t].map(|v| b.witness(v));
        b.label("C1");
        b.enforce(&x, &x, &y);
        b.label("C2");
        b.equal(&Var::linear(&[(Fr::ONE, &y), (Fr::from(3u64), &x)]), &s);
        b.label("C3");
        b.nonzero(&x);
        b.label(format_args!("C{}", 4));
        let left = b.mul(&s, &(&y - &b.constant(Fr::ONE)));
        b.equal(&left, &t.scale(Fr::from(2u64)));
    }

    fn shape() -> Matrices {
        Builder::shape(|b| Self::honest(0).write(b))
    }

    fn assign(&self) -> Assignment {
        Builder::assign(6, |b| self.write(b))
    }
}

#[test]
fn shape_and_assignment_agree() {
    let shape = Example::shape();
    let run = Example::honest(7).assign();
    assert_eq!((shape.publics(), shape.variables()), (1, 7));
    assert_eq!((shape.constraints(), run.constraints()), (5, 5));
    assert_eq!(run.values().len(), shape.variables());
    assert_eq!(run.publics(), [Fr::from(7u64)]);
    assert_eq!(shape.first_unsatisfied(run.values()), None);
    assert_eq!(run.first_unsatisfied(), None);
}

#[test]
fn each_corruption_fails_its_own_constraint() {
    let shape = Example::shape();
    let check = |label: &str, corrupt: &dyn Fn(&mut Example)| {
        let mut example = Example::honest(7);
        corrupt(&mut example);
        let run = example.assign();
        let first = run.first_unsatisfied().expect(label);
        assert_eq!(shape.label(first), label);
        assert_eq!(shape.first_unsatisfied(run.values()), Some(first));
    };
    check("C1", &|e| e.y += Fr::ONE);
    check("C2", &|e| e.s += Fr::ONE);
    check("C3", &|e| *e = Example::honest(0));
    check("C4", &|e| e.t += Fr::ONE);
}

#[test]
fn every_variable_is_constrained() {
    let shape = Example::shape();
    let run = Example::honest(7).assign();
    for i in 0..shape.variables() {
        let mut values = run.values().to_vec();
        values[i] += Fr::ONE;
        assert!(shape.first_unsatisfied(&values).is_some(), "variable {i}");
    }
}

#[test]
fn the_circuit_is_pinned() {
    let shape = Example::shape();
    assert_eq!((shape.constraints(), shape.non_zero()), (5, 17));
    let hex: String = shape.digest().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        "f1b376ef481fb72e7bb436b7287b202e6e8e69f4d095279ee0f10fc8f4cac778"
    );
    let renamed = Builder::shape(|b| {
        b.label("other names, same circuit");
        Example::honest(3).write(b);
    });
    assert_eq!(renamed.digest(), shape.digest());
}

#[test]
fn labels_hold_until_the_next() {
    let shape = Builder::shape(|b| {
        let x = b.witness(Fr::ONE);
        b.equal(&x, &x);
        b.label("a");
        b.label("b");
        b.equal(&x, &x);
        b.equal(&x, &x);
    });
    assert_eq!([0, 1, 2].map(|i| shape.label(i)), ["", "b", "b"]);
}

#[test]
#[should_panic(expected = "before the witness")]
fn publics_come_first() {
    let _ = Builder::shape(|b| {
        b.witness(Fr::ONE);
        b.public(Fr::ONE);
    });
}

#[test]
fn r1cs_file_of_a_small_circuit() {
    let shape = Builder::shape(|b| {
        let x = b.public(Fr::ONE);
        let y = b.witness(Fr::ONE);
        b.enforce(&x, &x, &y);
    });
    let mut bytes = Vec::new();
    shape.write_r1cs(&mut bytes).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(&bytes[..4], b"r1cs");
    assert_eq!([4, 8, 12, 16].map(number), [1, 3, 1, 64]);
    // field bytes; wires, outputs, public and private inputs; constraints
    assert_eq!([24, 60, 64, 68, 72, 84].map(number), [32, 3, 0, 1, 1, 1]);
    // The one constraint: one term of coefficient 1 a side, over wires 1, 1 and 2.
    assert_eq!(
        [100, 104, 108, 140, 144, 180, 184].map(number),
        [1, 1, 1, 1, 1, 1, 2]
    );
    assert_eq!(bytes.len(), 12 + 12 + 64 + 12 + 3 * (4 + 36) + 12 + 24);
}

proptest! {
    /// Any way of adding up the same terms gives the same row.
    #[test]
    fn linear_combinations_are_canonical(parts in prop::collection::vec((0usize..4, 0i64..3), 0..12), cut in 0usize..12) {
        let row = |cut: usize, reversed: bool| {
            Builder::shape(|b| {
                let vars: Vec<Var> = (0..4).map(|_| b.witness(Fr::ZERO)).collect();
                let mut order: Vec<(Fr, &Var)> = parts.iter().map(|(v, c)| (Fr::from(*c - 1), &vars[*v])).collect();
                if reversed { order.reverse(); }
                let (left, right) = order.split_at(cut.min(order.len()));
                let sum = &Var::linear(left) + &Var::linear(right);
                b.equal(&sum, &Var::zero());
            })
        };
        let expected = row(0, false);
        prop_assert!(expected == row(cut, false) && expected == row(cut, true));
        let terms: Vec<_> = expected.row(Side::A, 0).collect();
        prop_assert!(terms.windows(2).all(|w| w[0].1 < w[1].1));
        prop_assert!(terms.iter().all(|t| t.0 != Fr::ZERO));
    }
}
