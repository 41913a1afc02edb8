//! A plan in words.

use galen_circuits::equation::{Cells, Column, Derived, Layout, Linear, Measure, Table};
use galen_query::{query::IntervalSet, registry::Registry};

use super::{
    MAX_CELLS, Plan,
    bases::{Bases, Parts},
    limits,
};

/// Factors or terms that a line lists.
const LISTED: usize = 12;

impl Plan {
    /// What is looked at, how it is put together and what it costs, a line each: for whoever has to allow a query.
    #[must_use]
    pub fn explain(&self, registry: &Registry) -> Vec<String> {
        let names = Names::new(registry);
        let equation = &self.equation;
        let mut lines = vec![self.read(&names)];
        lines.extend((0..equation.lookups.len()).map(|l| self.lookup(l, &names)));
        for (index, block) in equation.blocks.iter().enumerate() {
            let factors: Vec<String> = block.factors.iter().map(|f| names.linear(f)).collect();
            let root = match equation
                .derived
                .iter()
                .position(|d| *d == Derived::Root { block: index })
            {
                Some(i) => format!(" (d{i})"),
                None => String::new(),
            };
            lines.push(format!(
                "Counted{root}: patients for whom all of these are 1: {}",
                listed(&factors)
            ));
            let measures: Vec<String> = block.measures.iter().map(|m| names.measure(m)).collect();
            let each = block.grouping.map_or("", |_| ", in each group");
            lines.push(format!("Summed over them{each}: {}", listed(&measures)));
        }
        if let Some(grouping) = equation.groupings.first() {
            lines.push(format!(
                "Groups: {} by {}",
                grouping.groups.len(),
                names.linear(&grouping.key)
            ));
        }
        lines.extend(self.size());
        lines
    }

    /// What a lookup is keyed with, and where its outputs are 1 or what they are.
    fn lookup(&self, index: usize, names: &Names<'_>) -> String {
        let lookup = &self.equation.lookups[index];
        let table = &self.equation.tables[lookup.table];
        let derived = self.equation.derived.iter().enumerate();
        let outputs = derived.filter_map(|(i, derived)| match *derived {
            Derived::Output { lookup, component } if lookup == index => Some((i, component)),
            _ => None,
        });
        let outputs: Vec<String> = outputs
            .map(
                |(i, component)| match names.ranges(&lookup.key, table, component) {
                    Some(ranges) => format!("d{i}, 1 where it is {}", listed(&ranges)),
                    None => format!("d{i}"),
                },
            )
            .collect();
        format!(
            "Lookup {}: {} in a table of {} entries gives {}",
            index + 1,
            names.linear(&lookup.key),
            table.len(),
            outputs.join("; and "),
        )
    }

    /// Which columns are read.
    fn read(&self, names: &Names<'_>) -> String {
        let read: Vec<&str> = self
            .equation
            .bases()
            .iter()
            .map(|i| names.0[*i].as_str())
            .collect();
        format!(
            "Of each of {} patients are read: {}",
            self.patients(),
            read.join(", ")
        )
    }

    /// Cells, slots and circuit.
    fn size(&self) -> Vec<String> {
        let cells = self.equation.cells();
        let published = self.layout.groups.len() * self.statistics.len();
        let mut lines = vec![format!(
            "Numbers: {published} to publish or hide by the release rule, {} that stay hidden; at most {MAX_CELLS}",
            cells - published
        )];
        let hidden = limits::hidden(cells);
        let shown = Cells {
            published: vec![Some(0); cells],
            inequalities: Vec::new(),
        };
        let of = |cells: &Cells| {
            let layout = Layout::new(&self.equation, cells).ok()?;
            Some((layout.table_slots.len(), layout.class))
        };
        if let (Some((tables, class)), Some((_, larger))) = (of(&shown), of(&hidden)) {
            lines.push(format!(
                "Slots: {} of lookups, {} of groups, {tables} of tables; a lookup more where a count is hidden",
                self.equation.lookups.len(),
                self.equation.groupings.len(),
            ));
            lines.push(match class == larger {
                true => format!("Circuit: {class}"),
                false => format!("Circuit: {class}, or {larger} where a count is hidden"),
            });
        }
        lines
    }
}

/// The first of a list, and how many there are beyond.
fn listed(items: &[String]) -> String {
    let shown = items.iter().take(LISTED).cloned().collect::<Vec<_>>();
    match items.len().saturating_sub(LISTED) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

/// The base columns' names, and values as text.
struct Names<'a>(Vec<String>, &'a Registry);

impl<'a> Names<'a> {
    fn new(registry: &'a Registry) -> Self {
        Self(
            registry
                .base_columns()
                .into_iter()
                .map(|b| b.name)
                .collect(),
            registry,
        )
    }

    /// The values of a column at which a component of a table's entries is 1, if the table is keyed with one column
    /// and says nothing else.
    fn ranges(&self, key: &Linear, table: &Table, component: usize) -> Option<Vec<String>> {
        let bases = Bases::new(self.1);
        let digit = |column: &usize| match bases.parts(*column) {
            Parts::One(digit) => digit.linear == *key,
            Parts::Two { .. } => false,
        };
        let column = (0..self.1.columns.len()).find(digit)?;
        let definition = &self.1.columns[column];
        let moved = u64::from(definition.nullable);
        let mut set = Vec::new();
        for run in table.runs() {
            match run.entry(0)[component] {
                0 => {}
                1 => set.push((run.first, run.first + run.length as u64 - 1)),
                _ => return None,
            }
        }
        let text = |digit: u64| match digit.checked_sub(moved) {
            Some(stored) => definition.format_stored(stored),
            None => "NULL".into(),
        };
        let set = IntervalSet::from_intervals(set);
        let range = |(first, last): &(u64, u64)| match first == last {
            true => text(*first),
            false => format!("{} to {}", text(*first), text(*last)),
        };
        Some(set.intervals().iter().map(range).collect())
    }

    fn column(&self, column: Column) -> String {
        match column {
            Column::Present => "present".into(),
            Column::Base(i) => self.0[i].clone(),
            Column::Derived(i) => format!("d{i}"),
        }
    }

    fn linear(&self, linear: &Linear) -> String {
        let mut text = String::new();
        let constant = linear.at_zero();
        if constant != 0 {
            text = constant.to_string();
        }
        for (column, factor) in linear.terms() {
            let sign = if factor < 0 { "−" } else { "+" };
            match (text.is_empty(), factor < 0) {
                (true, false) => {}
                (true, true) => text.push('−'),
                (false, _) => text += &format!(" {sign} "),
            }
            if factor.abs() != 1 {
                text += &format!("{}·", factor.abs());
            }
            text += &self.column(column);
        }
        if text.is_empty() { "0".into() } else { text }
    }

    fn measure(&self, measure: &Measure) -> String {
        let factor = |l: &Linear| match l.terms().count() {
            0 | 1 if l.at_zero() == 0 => self.linear(l),
            _ => format!("({})", self.linear(l)),
        };
        match measure {
            Measure::Linear(l) => self.linear(l),
            Measure::Product(a, b) => format!("{}·{}", factor(a), factor(b)),
        }
    }
}
