//! What items must be together.

use super::{ConceptSet, Entry, Found, Item, MAX_ITEMS};

/// The set of what was found: sorted, each item once, and nothing in it that contradicts itself.
pub(super) fn set(found: Found) -> Result<ConceptSet, String> {
    let Found {
        mut entries,
        mut notes,
    } = found;
    if entries.is_empty() {
        return Err("no items: a concept set names at least one code".to_owned());
    }
    count(entries.len())?;
    // Stable, so that the first in the file is the first of its kind.
    entries.sort_by(|a, b| a.item.code.cmp(&b.item.code));
    let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
    let mut repeated = Vec::new();
    for entry in entries {
        let of_code = |k: &&Entry| k.item.code == entry.item.code;
        let mut same = kept.iter().rev().take_while(of_code);
        match same.find(|k| k.item == entry.item || !is_below(k, &entry)) {
            Some(other) if other.item == entry.item => repeated.push(entry),
            Some(other) => return Err(contradiction(other, &entry)),
            None => kept.push(entry),
        }
    }
    if kept.iter().all(|entry| entry.item.excluded) {
        return Err(
            "all items are excluded, from nothing: include what they are to be taken out of"
                .to_owned(),
        );
    }
    if let Some(Entry { item, place }) = repeated.first() {
        let (count, code) = (repeated.len(), &item.code);
        notes.push(format!(
            "items that repeat another and count once: {count}, the first {code} in {place}"
        ));
    }
    let mut items: Vec<Item> = kept.into_iter().map(|entry| entry.item).collect();
    items.sort();
    Ok(ConceptSet { items, notes })
}

/// Whether one of two items of a code includes it with its descendants and the other takes it alone out again: all that
/// is below it, which ATLAS says so.
fn is_below(one: &Entry, other: &Entry) -> bool {
    let takes = |e: &Entry| !e.item.excluded && e.item.descendants;
    let leaves = |e: &Entry| e.item.excluded && !e.item.descendants;
    (takes(one) && leaves(other)) || (leaves(one) && takes(other))
}

/// Refuses more items than a set may have.
pub(super) fn count(items: usize) -> Result<(), String> {
    if items <= MAX_ITEMS {
        return Ok(());
    }
    Err(format!(
        "{items} items, and a set has at most {MAX_ITEMS}: name parents with their descendants instead"
    ))
}

/// Two items of one code that differ in a flag.
fn contradiction(first: &Entry, second: &Entry) -> String {
    let code = &first.item.code;
    let places = format!("{} and {}", first.place, second.place);
    if first.item.excluded != second.item.excluded {
        return format!("{places}: {code} is both included and excluded: delete one of them");
    }
    let (without, with) = if first.item.descendants {
        (second, first)
    } else {
        (first, second)
    };
    format!(
        "{places}: {code} stands with its descendants and without: delete {}, or, where the descendants are not meant, \
         {}",
        without.place, with.place
    )
}
