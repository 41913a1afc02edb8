//! Registration: what is proven once about the base columns of an epoch (`docs/spec/plan.md`, "Registration").

use galen_circuits::{
    class::Size,
    equation::{Cells, Column, Derived, Equation, Layout, Linear, Lookup, Rows, Run, Table},
};

use super::{PlanError, steps::Steps};
use galen_query::{
    query::IntervalSet,
    registry::{Registry, Role},
};

/// The statements that make an epoch's base columns well-formed: consents are bits, and 0 outside of the rows that
/// hold a patient; each column has values of its declared range and nothing else; NULL rows hold 0. In as many parts
/// as the circuit needs, columns in the order of [`Registry::base_columns`], whose indices the equations name.
///
/// # Errors
/// Inconsistent rows.
pub fn registration_equations(registry: &Registry, rows: Rows) -> Result<Vec<Equation>, PlanError> {
    let empty = || Equation {
        rows,
        tables: Vec::new(),
        lookups: Vec::new(),
        derived: Vec::new(),
        groupings: Vec::new(),
        blocks: Vec::new(),
    };
    if !rows.is_consistent() {
        return Err(PlanError::Malformed("rows".into()));
    }
    let mut parts: Vec<Equation> = Vec::new();
    for column in units(registry) {
        let longer = parts.last().map(|part| with(part.clone(), &column));
        match longer.filter(fits) {
            Some(longer) => *parts.last_mut().expect("it has become longer") = longer,
            None => parts.push(with(empty(), &column)),
        }
    }
    if parts.iter().all(fits) {
        return Ok(parts);
    }
    Err(PlanError::Malformed("a column too wide to register".into()))
}

fn fits(part: &Equation) -> bool {
    let none = Cells::default();
    Layout::new(part, &none).is_ok_and(|l| l.class.size == Size::Registration)
}

/// What is proven of one column: lookups whose outputs, if any, are counted from 0.
#[derive(Default)]
struct Unit {
    lookups: Vec<(Entry, Table)>,
}

/// A tuple and its key; outputs are the component of the same lookup that is committed.
struct Entry {
    tuple: [Linear; 3],
    key: Linear,
    output: Option<usize>,
}

/// The part with one more column.
fn with(mut part: Equation, unit: &Unit) -> Equation {
    let first = part.derived.len();
    for (entry, table) in &unit.lookups {
        let same = part.tables.iter().position(|t| t == table);
        let index = same.unwrap_or_else(|| {
            part.tables.push(table.clone());
            part.tables.len() - 1
        });
        let lookup = part.lookups.len();
        let mut tuple = entry.tuple.clone().map(|l| moved(&l, first));
        if let Some(component) = entry.output {
            let derived = Column::Derived(part.derived.len());
            tuple[component] = Linear::column(derived);
            part.derived.push(Derived::Output { lookup, component });
        }
        part.lookups.push(Lookup {
            tuple,
            table: index,
            key: moved(&entry.key, first),
        });
    }
    part
}

/// With derived columns counted from `first`.
fn moved(linear: &Linear, first: usize) -> Linear {
    let constant = Linear::constant(linear.at_zero());
    linear.terms().fold(constant, |sum, (column, factor)| {
        let column = match column {
            Column::Derived(i) => Column::Derived(i + first),
            other => other,
        };
        sum.plus(factor, &Linear::column(column))
    })
}

/// Every consent and column, in canonical order.
fn units(registry: &Registry) -> Vec<Unit> {
    let bases = registry.base_columns();
    let find = |role: Role| {
        let index = bases.iter().position(|b| b.role == role);
        index.map(|i| Linear::column(Column::Base(i)))
    };
    let base = |role| find(role).expect("the registry has this base column");
    let consents = (0..registry.purposes.len()).map(|p| consent(&base(Role::Consent(p))));
    let columns = registry.columns.iter().enumerate().map(|(i, column)| {
        let known = find(Role::Known(i));
        let span = column.span();
        if column.is_wide() {
            return wide(
                &base(Role::Low(i)),
                &base(Role::High(i)),
                known.as_ref(),
                span,
            );
        }
        let value = find(Role::Bit(i)).unwrap_or_else(|| base(Role::Value(i)));
        let mut unit = Unit::default();
        unit.range(&value, known.as_ref(), span, None);
        unit
    });
    consents.chain(columns).collect()
}

/// (c, 1 − present) is (0, 0), (1, 0) or (0, 1).
fn consent(column: &Linear) -> Unit {
    let absent = Linear::column(Column::Present).complement();
    let run = |length, second| Run {
        length,
        first: 0,
        second,
        third: 0,
    };
    let entry = Entry {
        tuple: [column.clone(), absent.clone(), Linear::zero()],
        key: column.clone().plus(2, &absent),
        output: None,
    };
    Unit {
        lookups: vec![(entry, Table::new([run(2, 0), run(1, 1)]))],
    }
}

/// Both parts in their ranges, and together at most `span`: not high = ⌊span/2^16⌋ and low beyond the rest at once.
fn wide(low: &Linear, high: &Linear, known: Option<&Linear>, span: u64) -> Unit {
    let (top, rest) = (span >> 16, span & 0xffff);
    let mut unit = Unit::default();
    if rest == 0xffff {
        unit.range(low, known, 0xffff, None);
        unit.range(high, known, top, None);
        return unit;
    }
    let beyond = unit.range(
        low,
        known,
        0xffff,
        Some(&IntervalSet::range(rest + 1, 0xffff)),
    );
    let topmost = unit.range(high, known, top, Some(&IntervalSet::single(top)));
    let both = beyond.plus(1, &topmost);
    unit.range(&both, None, 1, None);
    unit
}

impl Unit {
    /// That x ∈ {0 … largest}, or that (x, known) is (0, 0) or (x, 1) with such an x; returns [x ∈ `told`] for a set
    /// without 0.
    fn range(
        &mut self,
        x: &Linear,
        known: Option<&Linear>,
        largest: u64,
        told: Option<&IntervalSet>,
    ) -> Linear {
        let outputs = self.lookups.iter().filter(|(e, _)| e.output.is_some());
        let output = Linear::column(Column::Derived(outputs.count()));
        let none = IntervalSet::empty();
        let steps = Steps::members(largest + 1, told.unwrap_or(&none));
        let mut runs = Vec::new();
        runs.extend(known.map(|_| (1, 0, 0, 0)));
        let mut first = 0;
        for (length, told) in steps.runs() {
            runs.push((*length, first, u64::from(known.is_some()), *told));
            first += length;
        }
        let component = 1 + usize::from(known.is_some());
        let table = runs.into_iter().map(|(length, first, known_bit, told)| {
            let (second, third) = match known {
                Some(_) => (known_bit, told),
                None => (told, 0),
            };
            Run {
                length: usize::try_from(length).expect("at most 2^16 values"),
                first,
                second,
                third,
            }
        });
        let known_or_zero = known.cloned().unwrap_or_default();
        let entry = Entry {
            tuple: [x.clone(), known_or_zero.clone(), Linear::zero()],
            key: x.clone().plus(1, &known_or_zero),
            output: told.map(|_| component),
        };
        self.lookups.push((entry, Table::new(table)));
        output
    }
}
