//! What a registry says of concept sets: their names and digests, and which columns mean them.

use std::collections::HashSet;

use toml::Spanned;

use super::check::{Checker, limit, shown};
use super::raw::{RawColumn, RawConceptSet};
use super::{ConceptSet, RegistryError};
use crate::text::from_hex;

/// The most concept sets of a registry.
pub const MAX_CONCEPT_SETS: usize = 1024;
/// The most concept sets of one column.
pub const MAX_SETS_OF_COLUMN: usize = 16;

/// Names without where they stood.
pub(super) fn names(spanned: Vec<Spanned<String>>) -> Vec<String> {
    spanned.into_iter().map(Spanned::into_inner).collect()
}

impl Checker<'_> {
    /// The sets, each of which some column refers to.
    pub(super) fn concept_sets(
        &mut self,
        raw: &[RawConceptSet],
        columns: &[RawColumn],
    ) -> Result<Vec<ConceptSet>, RegistryError> {
        limit("concept sets", raw.len(), MAX_CONCEPT_SETS)?;
        let mut seen = HashSet::new();
        let mut sets = Vec::with_capacity(raw.len());
        for raw in raw {
            let set = self.concept_set(raw)?;
            if !seen.insert(set.name.clone()) {
                return Err(self.refuse(&raw.name.span(), "name", "declared twice; keep one"));
            }
            sets.push(set);
        }
        let used = self.references(&seen, columns)?;
        if let Some(unused) = raw
            .iter()
            .find(|s| !used.contains(s.name.get_ref().as_str()))
        {
            self.place = format!("concept set {}", shown(unused.name.get_ref()));
            let reason = "no column refers to it; say concept_sets = [\"…\"] in one, or remove it";
            return Err(self.refuse(&unused.name.span(), "name", reason));
        }
        Ok(sets)
    }

    fn concept_set(&mut self, raw: &RawConceptSet) -> Result<ConceptSet, RegistryError> {
        let name = raw.name.get_ref();
        self.place = format!("concept set {}", shown(name));
        self.legal_name(&raw.name, "name")?;
        let digest = from_hex(raw.digest.get_ref()).ok_or_else(|| {
            let reason =
                "not 64 lower-case hex digits; `galen-tables concepts FILE` prints a set's digest";
            self.refuse(&raw.digest.span(), "digest", reason)
        })?;
        Ok(ConceptSet {
            name: name.clone(),
            title: self.line(raw.title.clone(), "title")?,
            digest,
        })
    }

    /// The sets' names that columns refer to, each declared.
    fn references<'c>(
        &mut self,
        declared: &HashSet<String>,
        columns: &'c [RawColumn],
    ) -> Result<HashSet<&'c str>, RegistryError> {
        let mut used = HashSet::new();
        for column in columns {
            self.place = format!("column {}", shown(column.name.get_ref()));
            let sets = &column.concept_sets;
            if sets.len() > MAX_SETS_OF_COLUMN {
                let reason = format!("at most {MAX_SETS_OF_COLUMN} concept sets are possible");
                return Err(self.refuse(&sets[0].span(), "concept_sets", &reason));
            }
            let mut own = HashSet::new();
            for set in sets {
                let name = set.get_ref().as_str();
                if !declared.contains(name) {
                    let reason =
                        "there is no such [[concept_set]]; declare it with `name` and `digest`";
                    return Err(self.refuse(&set.span(), "concept_sets", reason));
                }
                if !own.insert(name) {
                    return Err(self.refuse(&set.span(), "concept_sets", "named twice; keep one"));
                }
            }
            used.extend(own);
        }
        Ok(used)
    }
}
