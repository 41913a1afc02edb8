//! Whether verified evidence goes together. Checks: `docs/spec/evidence.md`.

use std::collections::{BTreeMap, BTreeSet};

use super::PooledError;
use crate::evidence::{Report, seen::Read, verify::replay};

pub(super) fn one_log(sites: &[Report]) -> Result<(), PooledError> {
    let key = |at: usize| &sites[at].log.key;
    match (1..sites.len()).find(|at| key(*at) != key(0)) {
        None => Ok(()),
        Some(other) => Err(PooledError::AnotherLog {
            sites: (0, other),
            first: key(0).clone(),
            other: key(other).clone(),
        }),
    }
}

/// A span of entries has one hash in every tree of one log. Of those that differ the narrowest is told.
pub(super) fn one_tree(sites: &[Report]) -> Result<(), PooledError> {
    let mut nodes = BTreeMap::new();
    let mut differ = Vec::new();
    for (other, site) in sites.iter().enumerate() {
        for (span, hash) in &site.seen.nodes {
            let (first, known) = *nodes.entry(*span).or_insert((other, hash));
            if known != hash {
                differ.push((*span, first, other));
            }
        }
    }
    match differ
        .into_iter()
        .min_by_key(|((start, end), ..)| end - start)
    {
        None => Ok(()),
        Some((span, first, other)) => Err(PooledError::Forked {
            sites: (first, other),
            log: sites[first].log.key.clone(),
            span,
        }),
    }
}

/// Every consortium that one file shows is in those of later answers. Without this, files of an honest log could be cut so
/// that their entries break the rules together.
pub(super) fn whole(sites: &[Report]) -> Result<(), PooledError> {
    let consortia = |site: &Report| -> BTreeSet<u64> {
        let all = site.seen.entries.iter().filter(|e| e.is_consortium());
        all.map(|e| e.index).collect()
    };
    let all: Vec<BTreeSet<u64>> = sites.iter().map(consortia).collect();
    for (other, site) in sites.iter().enumerate() {
        for (first, shown) in all.iter().enumerate() {
            let mut before = shown.range(..site.answer_index);
            if let Some(index) = before.find(|i| !all[other].contains(i)) {
                return Err(PooledError::LeftOut {
                    sites: (first, other),
                    answer: site.answer_index,
                    index: *index,
                });
            }
        }
    }
    Ok(())
}

/// The rules over all entries: a file alone could leave out what forbids another's entry.
pub(super) fn together(sites: &[Report]) -> Result<(), PooledError> {
    let entries = sites.iter().flat_map(|s| &s.seen.entries);
    let all: BTreeMap<u64, &Read> = entries.map(|e| (e.index, e)).collect();
    let entries: Vec<Read> = all.into_values().cloned().collect();
    match (replay(&entries), sites.first()) {
        (Err(source), Some(site)) => Err(PooledError::Rules {
            log: site.log.key.clone(),
            source: Box::new(source),
        }),
        _ => Ok(()),
    }
}
