//! The lookups of an equation and what they put out, by what they are keyed with.
//!
//! A lookup's tuple is (key, output, output): the key is a combination that lies in 0 … n − 1 in every row, since it
//! is made of registered columns and of outputs proven in the same equation; entry t of the table is (t, what the
//! outputs are at t). So the key is also the entry's place, and two outputs of one key take one lookup.

use galen_circuits::equation::{Column, Derived, Linear, Lookup, Run, Table};

use super::steps::Steps;

/// Outputs of a lookup: a tuple has three components, and the key is one.
const OUTPUTS: usize = 2;

/// Lookups and derived columns so far.
#[derive(Default)]
pub(super) struct Lookups {
    keyed: Vec<Keyed>,
    derived: Vec<Derived>,
}

struct Keyed {
    key: Linear,
    outputs: Vec<Steps>,
}

/// Everything that an equation has of them.
pub(super) struct Finished {
    pub(super) tables: Vec<Table>,
    pub(super) lookups: Vec<Lookup>,
    pub(super) derived: Vec<Derived>,
}

impl Lookups {
    /// The bit `truth` of `key`. What is committed is 0 where every committed column is: where the bit is not, it
    /// is 1 less the committed one.
    pub(super) fn bit(&mut self, key: &Linear, truth: &Steps) -> Linear {
        if let Some(value) = truth.constant() {
            return Linear::constant(i64::from(value == 1));
        }
        if at_padding(key, truth) == 1 {
            let rest = truth.map(|bit| 1 - bit);
            return self.output(key, rest).complement();
        }
        self.output(key, truth.clone())
    }

    /// The column that is `values` of `key`; these are 0 where every committed column is.
    pub(super) fn output(&mut self, key: &Linear, values: Steps) -> Linear {
        debug_assert_eq!(at_padding(key, &values), 0);
        if values == Steps::new(0..values.len()) {
            return key.clone();
        }
        if let Some(found) = self.find(key, &values) {
            return found;
        }
        let takes = |k: &Keyed| {
            k.key == *key && k.outputs.len() < OUTPUTS && k.outputs[0].len() == values.len()
        };
        let lookup = match self.keyed.iter().position(takes) {
            Some(lookup) => lookup,
            None => {
                self.keyed.push(Keyed {
                    key: key.clone(),
                    outputs: Vec::new(),
                });
                self.keyed.len() - 1
            }
        };
        let outputs = &mut self.keyed[lookup].outputs;
        outputs.push(values);
        let component = outputs.len();
        self.derive(Derived::Output { lookup, component })
    }

    /// The column that is `values` of `key`, if there is one.
    fn find(&self, key: &Linear, values: &Steps) -> Option<Linear> {
        self.keyed.iter().enumerate().find_map(|(lookup, k)| {
            let at = k
                .outputs
                .iter()
                .position(|o| k.key == *key && o == values)?;
            let component = at + 1;
            let output = Derived::Output { lookup, component };
            let index = self.derived.iter().position(|d| *d == output);
            index.map(|i| Linear::column(Column::Derived(i)))
        })
    }

    /// Whether the bit needs no new output.
    pub(super) fn has_bit(&self, key: &Linear, truth: &Steps) -> bool {
        let rest = || truth.map(|bit| 1 - bit);
        truth.constant().is_some()
            || self.find(key, truth).is_some()
            || self.find(key, &rest()).is_some()
    }

    /// The root of a block as a column.
    pub(super) fn root(&mut self, block: usize) -> Linear {
        self.derive(Derived::Root { block })
    }

    fn derive(&mut self, derived: Derived) -> Linear {
        self.derived.push(derived);
        Linear::column(Column::Derived(self.derived.len() - 1))
    }

    /// The tables, each once.
    pub(super) fn finish(self) -> Finished {
        let mut tables: Vec<Table> = Vec::new();
        let mut lookups = Vec::with_capacity(self.keyed.len());
        for Keyed { key, outputs } in self.keyed {
            let table = table(&outputs);
            let index = tables.iter().position(|t| *t == table);
            let index = index.unwrap_or_else(|| {
                tables.push(table);
                tables.len() - 1
            });
            lookups.push(Lookup {
                tuple: [key.clone(), Linear::zero(), Linear::zero()],
                table: index,
                key,
            });
        }
        for (index, derived) in self.derived.iter().enumerate() {
            if let Derived::Output { lookup, component } = *derived {
                lookups[lookup].tuple[component] = Linear::column(Column::Derived(index));
            }
        }
        Finished {
            tables,
            lookups,
            derived: self.derived,
        }
    }
}

fn at_padding(key: &Linear, values: &Steps) -> u64 {
    let place = u64::try_from(key.at_zero()).ok();
    let value = place.and_then(|t| values.at(t));
    value.expect("a key lies within its table where every column is 0")
}

/// (t, first output, second output), in order.
fn table(outputs: &[Steps]) -> Table {
    let none = Steps::default();
    let mut second = outputs.get(1).unwrap_or(&none).runs().iter().copied();
    let mut rest = second.next().unwrap_or((u64::MAX, 0));
    let (mut runs, mut next) = (Vec::new(), 0);
    for (length, value) in outputs[0].runs() {
        let end = next + length;
        while next < end {
            let taken = rest.0.min(end - next);
            runs.push(Run {
                length: usize::try_from(taken).expect("a table fits in memory"),
                first: next,
                second: *value,
                third: rest.1,
            });
            next += taken;
            rest.0 -= taken;
            if rest.0 == 0 {
                rest = second.next().unwrap_or((u64::MAX, 0));
            }
        }
    }
    Table::new(runs)
}
