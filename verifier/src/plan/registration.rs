//! Registration: what is proven once about each base column (`docs/spec/plan.md`).

use galen_circuits::{Fr, gates::Gate};
use galen_query::{
    query::IntervalSet,
    registry::{BaseColumn, Registry, Role},
};

use super::{ColumnId, Linear, Purpose, Slot, Step};

/// What a registry column or a purpose needs: each bit boolean, each part in its range, NULL rows zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// The consent bit of `purposes[i]`.
    Consent(usize),
    /// All parts of `columns[i]`.
    Column(usize),
}

/// The gates that a dataset of this registry and every query over it need, in canonical order: what
/// its parameter set must hold.
#[must_use]
pub fn gates_for(registry: &Registry) -> Vec<Gate> {
    let registration = registration_steps(registry).into_iter().map(|s| s.gate);
    let mut gates: Vec<Gate> = [Gate::Select, Gate::Multiply, Gate::Release, Gate::Compare]
        .into_iter()
        .chain(registration)
        .collect();
    gates.sort();
    gates.dedup();
    gates
}

/// What a hospital proves when it registers a dataset: the steps of every unit of the registry, in
/// canonical order.
#[must_use]
pub fn registration_steps(registry: &Registry) -> Vec<Step> {
    let bases = Bases::new(registry);
    let units = bases.units().into_iter();
    units.flat_map(|u| bases.registration(u)).collect()
}

/// The base columns with their indices, and the ways to name them.
pub struct Bases<'a> {
    registry: &'a Registry,
    columns: Vec<BaseColumn>,
}

impl<'a> Bases<'a> {
    /// Of a registry.
    #[must_use]
    pub fn new(registry: &'a Registry) -> Self {
        Self {
            registry,
            columns: registry.base_columns(),
        }
    }

    /// The registry.
    #[must_use]
    pub fn registry(&self) -> &'a Registry {
        self.registry
    }

    /// The name of a base column.
    #[must_use]
    pub fn name(&self, index: usize) -> &str {
        &self.columns[index].name
    }

    fn find(&self, wanted: impl Fn(Role) -> bool) -> Option<usize> {
        self.columns.iter().position(|c| wanted(c.role))
    }

    /// The consent bit of a purpose.
    #[must_use]
    pub fn consent(&self, purpose: usize) -> Linear {
        let index = self.find(|r| r == Role::Consent(purpose));
        Linear::column(ColumnId::Base(
            index.expect("every purpose has a consent column"),
        ))
    }

    /// The known bit of a nullable column that has one among the base columns.
    #[must_use]
    pub fn known(&self, column: usize) -> Option<Linear> {
        self.find(|r| r == Role::Known(column))
            .map(|i| Linear::column(ColumnId::Base(i)))
    }

    /// The parts of a column, lowest first: (base index, bits). A boolean has one of 1 bit.
    #[must_use]
    pub fn parts(&self, column: usize) -> Vec<(usize, u32)> {
        self.columns
            .iter()
            .enumerate()
            .filter_map(|(i, c)| match c.role {
                Role::Bit(of) if of == column => Some((i, 1)),
                Role::Value { column: of, bits } if of == column => Some((i, bits)),
                Role::Low(of) if of == column => Some((i, 16)),
                Role::High { column: of, bits } if of == column => Some((i, bits)),
                _ => None,
            })
            .collect()
    }

    /// The column's committed value (`Column::null_offset` included) as one combination, and the largest value
    /// that is *proven* for it.
    #[must_use]
    pub fn value(&self, column: usize) -> (Linear, u128) {
        let mut value = Linear::zero();
        let mut shift = 0;
        for (index, bits) in self.parts(column) {
            value.add_scaled(
                Fr::from(1u64 << shift),
                &Linear::column(ColumnId::Base(index)),
            );
            shift += bits;
        }
        (value, (1 << shift) - 1)
    }

    /// The registration steps of a unit, in canonical order.
    #[must_use]
    pub fn registration(&self, unit: Unit) -> Vec<Step> {
        match unit {
            Unit::Consent(purpose) => {
                let index = self.find(|r| r == Role::Consent(purpose));
                vec![self.bit_step(index.expect("every purpose has a consent column"))]
            }
            Unit::Column(column) => {
                let mut steps: Vec<Step> = self
                    .parts(column)
                    .into_iter()
                    .flat_map(|(index, bits)| {
                        if bits == 1 {
                            return vec![self.bit_step(index)];
                        }
                        let mut steps = vec![self.range_step(index, bits)];
                        steps.extend(self.most_step(column, index, bits));
                        steps
                    })
                    .collect();
                if let Some(known) = self.find(|r| r == Role::Known(column)) {
                    steps.push(self.bit_step(known));
                    steps.push(self.null_step(column, known));
                }
                steps
            }
        }
    }

    /// Every unit of the registry, in canonical order.
    #[must_use]
    pub fn units(&self) -> Vec<Unit> {
        let purposes = (0..self.registry.purposes.len()).map(Unit::Consent);
        purposes
            .chain((0..self.registry.columns.len()).map(Unit::Column))
            .collect()
    }

    fn bit_step(&self, index: usize) -> Step {
        let x = Slot::Given(Linear::column(ColumnId::Base(index)));
        Step {
            key: format!("bit({})", self.name(index)),
            gate: Gate::Multiply,
            k: 0,
            set: IntervalSet::default(),
            slots: vec![x.clone(), x.clone(), x],
            purpose: Purpose::Registration,
        }
    }

    /// The same gate as a predicate with S empty and z the zero column: every x is in the table.
    fn range_step(&self, index: usize, bits: u32) -> Step {
        Step {
            key: format!("range{bits}({})", self.name(index)),
            gate: Gate::Recode { bits },
            k: 0,
            set: IntervalSet::default(),
            slots: vec![
                Slot::Given(Linear::column(ColumnId::Base(index))),
                Slot::Given(Linear::zero()),
            ],
            purpose: Purpose::Registration,
        }
    }

    /// That a column of one part, or the high part of one of two, stays within the declared range: the
    /// range proof of what it leaves of the largest value. None where the range proof says as much.
    fn most_step(&self, column: usize, index: usize, bits: u32) -> Option<Step> {
        let definition = &self.registry.columns[column];
        let largest = match self.columns[index].role {
            Role::Low(_) => return None,
            Role::High { .. } => definition.span() >> 16,
            _ => definition.span() + definition.null_offset(),
        };
        let mut rest = Linear::zero();
        rest.add_scaled(Fr::from(largest), &Linear::column(ColumnId::One));
        let rest = rest.minus(&Linear::column(ColumnId::Base(index)));
        (largest < (1 << bits) - 1).then(|| Step {
            key: format!("most{bits}({};{largest})", self.name(index)),
            slots: vec![Slot::Given(rest), Slot::Given(Linear::zero())],
            ..self.range_step(index, bits)
        })
    }

    /// The known bit of a nullable column of one part, where 0 is NULL: a derived column like any
    /// predicate, which a hospital proves ahead because most queries need it.
    #[must_use]
    pub fn known_step(&self, column: usize) -> Option<Step> {
        let [(index, bits)] = self.parts(column)[..] else {
            return None;
        };
        let offset = self.registry.columns[column].null_offset();
        (offset > 0).then(|| self.member_step(index, bits, IntervalSet::range(1, (1 << bits) - 1)))
    }

    /// `recode` of a base column: where its committed value lies in `set`.
    pub(super) fn member_step(&self, index: usize, bits: u32, set: IntervalSet) -> Step {
        Step {
            key: format!("in({};{set})", self.name(index)),
            gate: Gate::Recode { bits },
            k: 0,
            set,
            slots: vec![
                Slot::Given(Linear::column(ColumnId::Base(index))),
                Slot::Output,
            ],
            purpose: Purpose::Derived,
        }
    }

    fn null_step(&self, column: usize, known: usize) -> Step {
        let (value, _) = self.value(column);
        let value = Slot::Given(value);
        let known = Slot::Given(Linear::column(ColumnId::Base(known)));
        Step {
            key: format!("null({})", self.registry.columns[column].name),
            gate: Gate::Multiply,
            k: 0,
            set: IntervalSet::default(),
            slots: vec![value.clone(), known, value],
            purpose: Purpose::Registration,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates(column: &str) -> Vec<String> {
        let text = format!(
            "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
             [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
             [[column]]\nname = \"x\"\n{column}\n"
        );
        let registry = Registry::from_toml(&text).unwrap();
        gates_for(&registry).iter().map(|g| g.name()).collect()
    }

    #[test]
    fn only_widths_that_occur_need_a_recode() {
        assert_eq!(
            gates("type = \"boolean\""),
            ["select", "multiply", "release", "compare"]
        );
        assert_eq!(
            gates("type = \"number\"\nmin = 0\nmax = 1000\ndecimals = 0"),
            ["select", "multiply", "recode10", "release", "compare"]
        );
        assert_eq!(
            gates("type = \"number\"\nmin = 0\nmax = 65535\ndecimals = 0"),
            ["select", "multiply", "recode16", "release", "compare"]
        );
        assert_eq!(
            gates("type = \"number\"\nmin = 0\nmax = 65536\ndecimals = 0"),
            [
                "select", "multiply", "recode10", "recode16", "release", "compare"
            ]
        );
    }
}
