//! Which kinds of patients an answer's conditions can tell apart.
//!
//! A *condition* is one of the query's filters, that a column has a value, or that a boolean is true. An *atom* is a set of
//! conditions that a patient of a group can meet while meeting no other: which there are follows from the columns' ranges, WHERE and
//! the group's keys, and a reader knows it. Columns that no condition and no conjunct of WHERE ties together are independent.

use std::collections::{BTreeMap, BTreeSet};

use galen_query::{
    query::{CohortQuery, IntervalSet, Predicate},
    registry::Registry,
    words::Words,
};

use super::{
    cliques::{self, Bits, Clique},
    simplex::Work,
    span::Form,
    world::World,
};
use crate::plan::{Field, FieldKind, GroupKey};

/// The most combinations of values that are looked at in columns that are tied together.
const MAX_COMBINATIONS: usize = 1 << 16;
/// The most atoms of all conditions together that are not split into cliques.
const MAX_TOGETHER: usize = 1 << 8;
/// So many values of a column are few: what a patient adds to a sum of them, or of their squares, is below 50.
const FEW_VALUES: u64 = 8;
/// The longest condition in words, characters.
const LONG: usize = 60;
/// The most conditions: one bit each.
const MAX_CONDITIONS: usize = 128;

/// There are more combinations of conditions than are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// What a query's conditions can tell apart in each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conditions {
    worlds: Vec<World>,
    /// The world of each group; the first one where there is none.
    of_group: Vec<usize>,
    /// Each condition in words, after "with" or "without".
    names: Vec<String>,
    #[cfg(test)]
    conditions: Vec<Predicate>,
}

impl Default for Conditions {
    /// No conditions.
    fn default() -> Self {
        let clique = [(
            Clique {
                bits: 0,
                parent: None,
            },
            vec![0],
        )];
        let world = World::new(&clique, (&[], &[]), &[], &mut Work::of_an_answer());
        Self {
            worlds: vec![world.expect("it has one atom")],
            of_group: Vec::new(),
            names: Vec::new(),
            #[cfg(test)]
            conditions: Vec::new(),
        }
    }
}

impl Conditions {
    /// Of a query whose answer has these counts, sums that [tell](Self::tells) of counts, and groups.
    pub fn of<'a>(
        query: &CohortQuery,
        registry: &Registry,
        fields: &[Field],
        keys: impl Iterator<Item = &'a [GroupKey]>,
    ) -> Result<Self, TooMany> {
        Self::up_to(MAX_TOGETHER, query, registry, fields, keys)
    }

    /// The same, split into cliques beyond so many atoms.
    pub(super) fn up_to<'a>(
        most_together: usize,
        query: &CohortQuery,
        registry: &Registry,
        fields: &[Field],
        keys: impl Iterator<Item = &'a [GroupKey]>,
    ) -> Result<Self, TooMany> {
        let asked = Asked::new(query, registry, fields)?;
        let cliques = asked.cliques();
        let mut worlds = Vec::new();
        let mut known: BTreeMap<Vec<Option<GroupKey>>, usize> = BTreeMap::new();
        let mut with_atoms: BTreeMap<Vec<Vec<Bits>>, usize> = BTreeMap::new();
        let mut of_group = Vec::new();
        let mut work = Work::of_an_answer();
        for keys in keys {
            let kind = asked.kind(keys);
            if let Some(at) = known.get(&kind) {
                of_group.push(*at);
                continue;
            }
            let cliques = asked.with_atoms(&cliques, keys, most_together)?;
            let atoms = cliques.iter().map(|(_, atoms)| atoms.clone()).collect();
            let at = match with_atoms.get(&atoms) {
                Some(at) => *at,
                None => {
                    let tied: Vec<Bits> = asked.components.iter().map(Component::bits).collect();
                    let world =
                        World::new(&cliques, (&asked.fields, &asked.sums), &tied, &mut work);
                    worlds.push(world.ok_or(TooMany)?);
                    worlds.len() - 1
                }
            };
            with_atoms.insert(atoms, at);
            known.insert(kind, at);
            of_group.push(at);
        }
        Ok(Self {
            worlds,
            of_group,
            names: asked.names(),
            #[cfg(test)]
            conditions: asked.conditions,
        })
    }

    /// The conditions that are true of a patient.
    #[cfg(test)]
    pub fn bits_of(&self, row: &dyn Fn(usize) -> Option<u64>) -> Bits {
        let met = self
            .conditions
            .iter()
            .enumerate()
            .filter(|(_, c)| c.eval(row));
        met.fold(0, |bits, (at, _)| bits | 1 << at)
    }

    /// Whether it is a sum that tells of counts: over a column with few values, and no product.
    pub fn tells(field: &Field, registry: &Registry) -> bool {
        let is_sum = matches!(field.kind, FieldKind::Sum | FieldKind::SumOfSquares);
        let is_few = |c: usize| registry.columns[c].span() < FEW_VALUES;
        is_sum && field.column.is_some_and(is_few)
    }

    /// The counts of which several together tell how many are in a region, beyond what one is of another that contains it; with the first
    /// such region, in words. `contains` tells which count contains which.
    pub fn together(
        &self,
        contains: impl Fn(Field, Field) -> bool,
    ) -> Option<(BTreeSet<Field>, String)> {
        let mut fields = BTreeSet::new();
        let mut first = None;
        let groups = 0..self.of_group.len();
        // One group of each kind.
        let one_each =
            groups.filter(|g| self.of_group[..*g].iter().all(|w| *w != self.of_group[*g]));
        for group in one_each {
            let world = self.world(group);
            for (at, region) in world.regions().iter().enumerate() {
                let counts = region.form.iter().flat_map(Form::counts);
                let own: Vec<Field> = counts.map(|c| world.fields[c].0).collect();
                let is_told = match own[..] {
                    [] | [_] => false,
                    [a, b] => !contains(a, b) && !contains(b, a),
                    _ => true,
                };
                if is_told {
                    fields.extend(own);
                    first.get_or_insert((group, at));
                }
            }
        }
        first.map(|(group, region)| (fields, self.words(group, region)))
    }

    /// Who is in a region of a group, in words.
    pub fn words(&self, group: usize, region: usize) -> String {
        let region = self.world(group).regions().get(region);
        let named = |bits: Bits| -> Vec<&str> {
            let own = (0..self.names.len()).filter(|c| bits >> c & 1 == 1);
            own.map(|c| self.names[c].as_str()).collect()
        };
        let (mut with, mut without, mut not_all) = (Vec::new(), Vec::new(), Vec::new());
        for (bits, is_so) in region.iter().flat_map(|r| &r.who) {
            let own = named(*bits);
            match (is_so, own.len()) {
                (true, _) => with.extend(own),
                (false, 1) => without.extend(own),
                (false, _) => not_all.push(format!("without all of {}", own.join(" and "))),
            }
        }
        with.dedup();
        without.dedup();
        let list = |word: &str, own: &[&str], joint: &str| {
            (!own.is_empty()).then(|| format!("{word} {}", own.join(joint)))
        };
        let parts = [
            list("with", &with, " and "),
            list("without", &without, " or "),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().chain(not_all).collect();
        match parts.is_empty() {
            true => "at all".to_owned(),
            false => parts.join(" and "),
        }
    }

    /// What can be told apart in a group.
    pub fn world(&self, group: usize) -> &World {
        &self.worlds[self.of_group.get(group).copied().unwrap_or(0)]
    }
}

/// A query's conditions.
struct Asked<'a> {
    query: &'a CohortQuery,
    registry: &'a Registry,
    conditions: Vec<Predicate>,
    /// The conjuncts of WHERE.
    within: Vec<Predicate>,
    fields: Vec<(Field, Bits)>,
    sums: Vec<Sum>,
    components: Vec<Component>,
}

/// A sum over a column with few values, or of their squares: of whom it is, and what each step from value to value adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub field: Field,
    /// The conditions of those whom it sums over.
    pub bits: Bits,
    /// For each value but the least that it is at least so large, and what it adds to the one before.
    pub steps: Vec<(Bits, i8)>,
}

impl Sum {
    /// Makes it a condition to have at least each value, so that regions are values and what lies between two. `None` if these are too many.
    fn of(
        field: Field,
        bits: Bits,
        registry: &Registry,
        conditions: &mut Vec<Predicate>,
    ) -> Option<Self> {
        let column = field.column?;
        let span = registry.columns[column].span();
        let of_value = |value: u64| {
            let set = IntervalSet::range(value, span);
            let added = match field.kind {
                FieldKind::SumOfSquares => 2 * value - 1,
                _ => 1,
            };
            let bit = bit_of(Predicate::In { column, set }, conditions)?;
            Some((bit, i8::try_from(added).ok()?))
        };
        Some(Self {
            steps: (1..=span).map(of_value).collect::<Option<_>>()?,
            field,
            bits,
        })
    }

    /// All conditions that it is about.
    pub fn all_bits(&self) -> Bits {
        let steps = self.steps.iter();
        steps.fold(self.bits, |all, (bit, _)| all | bit)
    }

    /// What a patient with these conditions adds to it.
    pub fn value(&self, atom: Bits) -> i8 {
        if atom & self.bits != self.bits {
            return 0;
        }
        let met = self.steps.iter().filter(|(bit, _)| atom & bit != 0);
        met.map(|(_, added)| added).sum()
    }
}

/// Columns that are tied together by a condition or a conjunct of WHERE.
#[derive(Default)]
struct Component {
    columns: Vec<usize>,
    /// What is asked of them; nothing of columns that WHERE alone is about.
    conditions: Vec<usize>,
    within: Vec<usize>,
}

impl<'a> Asked<'a> {
    fn new(
        query: &'a CohortQuery,
        registry: &'a Registry,
        fields: &[Field],
    ) -> Result<Self, TooMany> {
        let mut conditions: Vec<Predicate> = Vec::new();
        let filters = query.filters();
        let mut bits_of = |field: &Field| {
            let is_no_condition = |p: &Predicate| match p {
                Predicate::IsNotNull { column } => !registry.columns[*column].nullable,
                _ => false,
            };
            let own = conditions_of(field, &filters).into_iter();
            own.filter(|p| !is_no_condition(p))
                .try_fold(0, |bits, p| Some(bits | bit_of(p, &mut conditions)?))
        };
        let with_bits: Option<Vec<(Field, Bits)>> =
            fields.iter().map(|f| Some((*f, bits_of(f)?))).collect();
        let (fields, summed): (Vec<_>, Vec<_>) = with_bits
            .ok_or(TooMany)?
            .into_iter()
            .partition(|(f, _)| f.is_count());
        let mut sums = Vec::with_capacity(summed.len());
        for (field, bits) in summed {
            sums.push(Sum::of(field, bits, registry, &mut conditions).ok_or(TooMany)?);
        }
        let within = match &query.filter {
            Predicate::All(members) => members.clone(),
            Predicate::Always => Vec::new(),
            other => vec![other.clone()],
        };
        Ok(Self {
            fields,
            sums,
            components: components(&conditions, &within),
            query,
            registry,
            conditions,
            within,
        })
    }

    /// Each condition in words; a long one by the first output with it.
    fn names(&self) -> Vec<String> {
        let filters = self.query.filters();
        let name = |condition: &Predicate| {
            let text = Words(&self.registry.columns).condition(condition, true);
            let outputs = self.query.outputs.iter().zip(self.query.filter_indices());
            let mut own = outputs.filter(|(_, f)| f.is_some_and(|f| filters[f] == condition));
            match own.next() {
                Some((output, _)) if text.chars().count() > LONG => {
                    format!("the filter of {:?}", output.label)
                }
                _ => text,
            }
        };
        self.conditions.iter().map(name).collect()
    }

    /// Of components: those that one count is about are in a clique.
    fn cliques(&self) -> Vec<Clique> {
        let own = self.components.iter().map(Component::bits);
        let own: Vec<Bits> = own.filter(|bits| *bits != 0).collect();
        let about = |bits: &Bits| {
            let met = (0..own.len()).filter(|c| own[*c] & bits != 0);
            met.fold(0, |all: Bits, c| all | 1 << c)
        };
        let counts = self.fields.iter().map(|(_, bits)| about(bits));
        let sums = self.sums.iter().map(|s| about(&s.all_bits()));
        let together: Vec<Bits> = counts.chain(sums).collect();
        let mut cliques = cliques::tree(own.len(), &together);
        for clique in &mut cliques {
            let members = (0..own.len()).filter(|c| clique.bits >> c & 1 == 1);
            clique.bits = members.fold(0, |bits, c| bits | own[c]);
        }
        cliques
    }

    /// The keys of a group that conditions are about: groups of the same have the same atoms.
    fn kind(&self, keys: &[GroupKey]) -> Vec<Option<GroupKey>> {
        let pairs = self.query.group_by.iter().zip(keys);
        let is_asked = |column: &usize| self.components.iter().any(|c| c.columns.contains(column));
        pairs
            .map(|(g, key)| is_asked(&g.column).then_some(*key))
            .collect()
    }

    /// All conditions together, where that is not too much; else clique by clique; with the atoms of a group.
    fn with_atoms(
        &self,
        cliques: &[Clique],
        keys: &[GroupKey],
        most_together: usize,
    ) -> Result<Vec<(Clique, Vec<Bits>)>, TooMany> {
        let mut of_components = Vec::with_capacity(self.components.len());
        for component in &self.components {
            match self.atoms(component, keys) {
                Ok(atoms) => of_components.push(atoms),
                // Whom WHERE lets in by other columns tells nothing of the conditions, unless it is nobody.
                Err(_) if component.conditions.is_empty() => of_components.push([0].into()),
                Err(many) => return Err(many),
            }
        }
        let sizes = of_components.iter().map(BTreeSet::len);
        let together = sizes.fold(1_usize, usize::saturating_mul);
        let all = Clique {
            bits: cliques.iter().fold(0, |all, c| all | c.bits),
            parent: None,
        };
        let cliques = match together <= most_together {
            true => std::slice::from_ref(&all),
            false => cliques,
        };
        let with_atoms = |clique: &Clique| {
            let mut atoms = vec![0];
            for (component, own) in self.components.iter().zip(&of_components) {
                // A component without atoms leaves none to the group.
                if component.bits() & clique.bits != 0 || own.is_empty() {
                    let pairs = atoms.iter().flat_map(|a| own.iter().map(move |o| a | o));
                    atoms = pairs.take(World::MAX_ATOMS + 1).collect();
                }
            }
            (clique.clone(), atoms)
        };
        Ok(cliques.iter().map(with_atoms).collect())
    }

    /// Which sets of a component's conditions a patient of a group can meet.
    fn atoms(&self, component: &Component, keys: &[GroupKey]) -> Result<BTreeSet<Bits>, TooMany> {
        let classes = component.columns.iter();
        let classes: Vec<Vec<Option<u64>>> =
            classes.map(|c| self.classes(*c, component, keys)).collect();
        let combinations = classes
            .iter()
            .try_fold(1_usize, |n, c| n.checked_mul(c.len()))
            .filter(|n| *n <= MAX_COMBINATIONS)
            .ok_or(TooMany)?;
        let mut atoms = BTreeSet::new();
        for combination in 0..combinations {
            let mut rest = combination;
            let columns = component.columns.iter().zip(&classes);
            let values: BTreeMap<usize, Option<u64>> = columns
                .map(|(column, classes)| {
                    let value = classes[rest % classes.len()];
                    rest /= classes.len();
                    (*column, value)
                })
                .collect();
            let row = |c: usize| values.get(&c).copied().flatten();
            if component.within.iter().all(|w| self.within[*w].eval(&row)) {
                let met = component.conditions.iter();
                let met = met.filter(|c| self.conditions[**c].eval(&row));
                atoms.insert(met.fold(0, |bits, c| bits | 1 << c));
            }
        }
        Ok(atoms)
    }

    /// A value of each kind that a component's conditions tell apart in a column, within the group's key.
    fn classes(&self, column: usize, of: &Component, keys: &[GroupKey]) -> Vec<Option<u64>> {
        let definition = &self.registry.columns[column];
        let Some((first, last)) = self.range(column, keys) else {
            return vec![None];
        };
        let conditions = of.conditions.iter().map(|c| &self.conditions[*c]);
        let within = of.within.iter().map(|w| &self.within[*w]);
        let mut sets = Vec::new();
        conditions
            .chain(within)
            .for_each(|p| leaves(p, column, &mut sets));
        let is_grouped = self.query.group_by.iter().any(|g| g.column == column);
        kinds_of((first, last), &sets, definition.nullable && !is_grouped)
    }

    /// The values that a column can have in a group; `None` if it is missing there.
    fn range(&self, column: usize, keys: &[GroupKey]) -> Option<(u64, u64)> {
        let mut range = (0, self.registry.columns[column].span());
        let of_column = self.query.group_by.iter().zip(keys);
        for (grouping, key) in of_column.filter(|(g, _)| g.column == column) {
            let own = match (key, &grouping.bins) {
                (GroupKey::Null, _) => return None,
                (GroupKey::Value(v), None) => (*v, *v),
                (GroupKey::Value(v), Some(bins)) => {
                    let bin = usize::try_from(*v).ok().and_then(|at| bins.get(at));
                    bin.map_or((1, 0), |b| b.stored)
                }
            };
            range = (range.0.max(own.0), range.1.min(own.1));
        }
        Some(range)
    }
}

impl Component {
    fn bits(&self) -> Bits {
        self.conditions.iter().fold(0, |bits, c| bits | 1 << c)
    }
}

/// A condition's bit, after it is made one if it is new. `None` if there are too many.
fn bit_of(condition: Predicate, conditions: &mut Vec<Predicate>) -> Option<Bits> {
    let known = conditions.iter().position(|c| *c == condition);
    let at = known.unwrap_or_else(|| {
        conditions.push(condition);
        conditions.len() - 1
    });
    (at < MAX_CONDITIONS).then(|| 1 << at)
}

/// What the patients meet whom a count counts.
pub(super) fn conditions_of(field: &Field, filters: &[&Predicate]) -> Vec<Predicate> {
    let filter = field.filter.map(|f| filters[f].clone());
    let own = field.column.map(|column| match field.kind {
        FieldKind::Trues => Predicate::In {
            column,
            set: IntervalSet::single(1),
        },
        _ => Predicate::IsNotNull { column },
    });
    let other = field.other.map(|column| Predicate::IsNotNull { column });
    filter.into_iter().chain(own).chain(other).collect()
}

/// A value of a column for each kind that sets tell apart.
pub(super) fn kinds_of(
    (first, last): (u64, u64),
    sets: &[&IntervalSet],
    may_be_missing: bool,
) -> Vec<Option<u64>> {
    let mut starts = vec![first];
    for (from, to) in sets.iter().flat_map(|s| s.intervals()) {
        starts.extend([*from, to.saturating_add(1)]);
    }
    let mut kinds: BTreeMap<Vec<bool>, u64> = BTreeMap::new();
    for start in starts.into_iter().filter(|s| (first..=last).contains(s)) {
        let kind = sets.iter().map(|s| s.contains(start)).collect();
        kinds.entry(kind).or_insert(start);
    }
    let missing = may_be_missing.then_some(None);
    kinds.into_values().map(Some).chain(missing).collect()
}

/// The sets of a column that a predicate asks about.
pub(super) fn leaves<'a>(predicate: &'a Predicate, column: usize, sets: &mut Vec<&'a IntervalSet>) {
    match predicate {
        Predicate::In { column: of, set } if *of == column => sets.push(set),
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().for_each(|m| leaves(m, column, sets));
        }
        _ => {}
    }
}

/// Ties columns together by conditions and by WHERE's conjuncts. A condition about no column stands alone.
fn components(conditions: &[Predicate], within: &[Predicate]) -> Vec<Component> {
    let of = |p: &Predicate| p.columns().into_iter().collect::<BTreeSet<usize>>();
    let mut sets: Vec<BTreeSet<usize>> = Vec::new();
    for mut joined in conditions.iter().chain(within).map(of) {
        sets.retain(|s| {
            let meets = !s.is_disjoint(&joined);
            if meets {
                joined.extend(s);
            }
            !meets
        });
        sets.push(joined);
    }
    let about = |all: &[Predicate], columns: &BTreeSet<usize>| -> Vec<usize> {
        let is_about = |p: &Predicate| p.columns().iter().any(|c| columns.contains(c));
        (0..all.len()).filter(|at| is_about(&all[*at])).collect()
    };
    let tied = sets.iter().map(|columns| Component {
        conditions: about(conditions, columns),
        within: about(within, columns),
        columns: columns.iter().copied().collect(),
    });
    let bare = (0..conditions.len()).filter(|c| conditions[*c].columns().is_empty());
    let bare = bare.map(|c| Component {
        conditions: vec![c],
        ..Component::default()
    });
    tied.chain(bare).collect()
}
