//! What registration lets through, and what it does not.

use galen_circuits::{
    class::Size,
    equation::{Cells, Column, Derived, Equation, Layout, Linear, Rows},
};
use galen_query::registry::Registry;
use galen_verifier::plan::registration_equations;

use crate::data::{Dice, Table, registry, study};

fn equations(registry: &Registry, patients: usize) -> Vec<Equation> {
    registration_equations(registry, Rows::of(patients).unwrap()).unwrap()
}

/// Whether some outputs make every lookup of a row hold. Outputs are those of the entry whose other components are the
/// row's, if there is one.
fn accepts(equations: &[Equation], bases: &[i64], present: i64) -> bool {
    equations.iter().all(|equation| {
        let mut derived = Vec::new();
        let value = |linear: &Linear, derived: &[i64]| {
            linear.eval(|column| match column {
                Column::Present => present,
                Column::Base(i) => bases[i],
                Column::Derived(i) => derived[i],
            })
        };
        for of in &equation.derived {
            let Derived::Output { lookup, component } = *of else {
                panic!("registration has no roots")
            };
            let lookup = &equation.lookups[lookup];
            let table = &equation.tables[lookup.table];
            let given: Vec<i64> = lookup.tuple[..component]
                .iter()
                .map(|l| value(l, &derived))
                .collect();
            let is_entry = |e: &[u64; 3]| {
                e.iter()
                    .zip(&given)
                    .all(|(a, b)| i64::try_from(*a) == Ok(*b))
            };
            let Some(entry) = table.entries().find(is_entry) else {
                return false;
            };
            derived.push(entry[component] as i64);
        }
        equation.lookups.iter().all(|lookup| {
            let tuple = lookup.tuple.each_ref().map(|l| value(l, &derived));
            let table: Vec<[u64; 3]> = equation.tables[lookup.table].entries().collect();
            let matches = |e: &[u64; 3]| {
                e.iter()
                    .zip(&tuple)
                    .all(|(a, b)| i64::try_from(*a) == Ok(*b))
            };
            let found = table.iter().position(matches);
            // The key says which entry it is.
            found.is_some_and(|at| value(&lookup.key, &derived) == at as i64)
        })
    })
}

#[test]
fn every_honest_row_is_accepted() {
    let registry = study();
    let equations = equations(&registry, 300);
    let table = Table::random(&registry, 60, &mut Dice(5));
    let bases = table.bases(&registry);
    for row in 0..table.len() {
        let row: Vec<i64> = bases.iter().map(|b| b[row]).collect();
        assert!(accepts(&equations, &row, 1));
    }
    assert!(accepts(&equations, &vec![0; bases.len()], 0));
}

/// Exactly the declared values: each column alone, around its ends.
#[test]
fn nothing_else_is_accepted() {
    for (kind, span) in [
        ("type = \"boolean\"", 1),
        ("type = \"category\"\ncodes = [\"a\", \"b\", \"c\"]", 2),
        ("type = \"number\"\nmin = 5\nmax = 105", 100),
        ("type = \"number\"\nmin = 0\nmax = 65535", 65_535),
        ("type = \"number\"\nmin = 0\nmax = 65536", 65_536),
        ("type = \"number\"\nmin = 1\nmax = 200000", 199_999),
        ("type = \"number\"\nmin = 0\nmax = 131071", 131_071),
    ] {
        for nullable in [false, true] {
            let text = format!("[[column]]\nname = \"x\"\n{kind}\nnullable = {nullable}\n");
            let registry = registry(&text);
            let equations = equations(&registry, 300);
            let is_wide = span >= 65_536;
            let ends = [
                -1,
                0,
                1,
                span - 1,
                span,
                span + 1,
                span + 2,
                65_535,
                65_536,
                131_071,
                131_072,
            ];
            for value in ends {
                for known in 0..=2 * i64::from(nullable) {
                    let mut row = vec![1, 0];
                    match is_wide {
                        true => row.extend([value & 0xffff, value >> 16]),
                        false => row.push(value),
                    }
                    row.extend(nullable.then_some(known));
                    let is_null = nullable && known == 0;
                    let fits = (0..=span).contains(&value) && known <= 1;
                    let right = fits && (!is_null || value == 0);
                    assert_eq!(
                        accepts(&equations, &row, 1),
                        right,
                        "{kind} {nullable} {value} {known}"
                    );
                }
            }
            if is_wide {
                let high = span >> 16;
                for (low, high) in [
                    (-1, 0),
                    (65_536, 0),
                    (0, -1),
                    (0, high + 1),
                    (65_536, high - 1),
                ] {
                    let mut row = vec![1, 0, low, high];
                    row.extend(nullable.then_some(1));
                    assert!(!accepts(&equations, &row, 1));
                }
            }
        }
    }
}

#[test]
fn consent_is_a_bit_of_patients() {
    let registry = registry("[[column]]\nname = \"x\"\ntype = \"boolean\"\n");
    let equations = equations(&registry, 300);
    for (consent, present, right) in [
        (0, 1, true),
        (1, 1, true),
        (2, 1, false),
        (-1, 1, false),
        (0, 0, true),
        (1, 0, false),
        (-1, 0, false),
        (-2, 0, false),
        (2, 0, false),
    ] {
        assert_eq!(
            accepts(&equations, &[consent, 0, 0], present),
            right,
            "{consent} {present}"
        );
    }
}

#[test]
fn parts_are_filled_in_order() {
    let columns: Vec<String> = (0..70)
        .map(|i| format!("[[column]]\nname = \"x{i}\"\ntype = \"number\"\nmin = 0\nmax = {}\nnullable = true\n", 50 + 3_000 * i))
        .collect();
    let registry = registry(&columns.concat());
    for patients in [20, 1_000_000] {
        let equations = equations(&registry, patients);
        let mut columns = Vec::new();
        for equation in &equations {
            let none = Cells::default();
            assert_eq!(
                Layout::new(equation, &none).unwrap().class.size,
                Size::Registration
            );
            columns.extend(equation.bases());
        }
        assert!(equations.len() > 2);
        let all: Vec<usize> = (0..registry.base_columns().len()).collect();
        assert_eq!(columns, all);
    }
}
