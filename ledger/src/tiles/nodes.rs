//! What an inclusion proof shows of its tree beside the entry's place.

use std::collections::BTreeMap;

use super::{Hash, node_hash};

/// The leaves below a node: those from the first index on, and before the second.
pub type Span = (u64, u64);

/// The nodes that a verified inclusion proof gives or implies: the leaf, the nodes on its path up to the root, and
/// those beside the path. The hash of a span depends on its leaves alone (RFC 6962, section 2.1), so a span has one
/// hash in all trees of one log, whatever their sizes.
#[must_use]
pub fn proven_nodes(size: u64, index: u64, leaf: &Hash, proof: &[Hash]) -> BTreeMap<Span, Hash> {
    let mut nodes = BTreeMap::from([((index, index.saturating_add(1)), *leaf)]);
    let mut own = *leaf;
    for ((parent, beside), hash) in path(size, index).into_iter().rev().zip(proof) {
        nodes.insert(beside, *hash);
        own = if beside.0 == parent.0 {
            node_hash(hash, &own)
        } else {
            node_hash(&own, hash)
        };
        nodes.insert(parent, own);
    }
    nodes
}

/// From the root down: each node above the leaf, and its child that is not above the leaf.
fn path(size: u64, index: u64) -> Vec<(Span, Span)> {
    let mut all = Vec::new();
    let (mut start, mut end) = (0, size);
    while end.saturating_sub(start) > 1 {
        // The largest power of two below the width.
        let middle = start + (1 << (end - start - 1).ilog2());
        let parent = (start, end);
        if index < middle {
            all.push((parent, (middle, end)));
            end = middle;
        } else {
            all.push((parent, (start, middle)));
            start = middle;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::{Edge, Level, TileSet, leaf_hash, prove_inclusion};
    use super::*;

    /// Proofs of every entry of every tree agree with each other and with the roots.
    #[test]
    fn one_span_has_one_hash_in_trees_of_all_sizes() {
        let (mut edge, mut tiles) = (Edge::new(), Vec::new());
        let mut nodes: BTreeMap<Span, Hash> = BTreeMap::new();
        for size in 1..=40_u64 {
            edge.push(&[u8::try_from(size).unwrap()], &mut tiles)
                .unwrap();
            let partials = edge.partials().unwrap().into_iter();
            let set: TileSet = partials
                .filter(|t| t.path.level() != Level::Entries)
                .map(|t| (t.path, t.bytes))
                .collect();
            for index in 0..size {
                let leaf = leaf_hash(&[u8::try_from(index + 1).unwrap()]);
                let proof = prove_inclusion(size, &edge.root(), index, &leaf, &set).unwrap();
                let shown = proven_nodes(size, index, &leaf, &proof);
                assert_eq!(shown[&(0, size)], edge.root());
                assert_eq!(shown.len(), 1 + 2 * proof.len());
                for (span, hash) in shown {
                    assert_eq!(*nodes.entry(span).or_insert(hash), hash, "{span:?}");
                }
            }
        }
        assert_eq!(nodes.range((0, 40)..=(0, 40)).count(), 1);
    }
}
