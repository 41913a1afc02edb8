//! Roots of trees and perfect subtrees (RFC 6962, section 2.1).

use super::{EMPTY_ROOT, Hash, node_hash};

/// The root of a tree from its levels' hashes right of the last full tile, the lowest level first.
pub(super) fn fold(levels: &[Vec<Hash>]) -> Hash {
    let mut root = None;
    for hashes in levels {
        // The level's hashes fall into perfect subtrees, the largest first; the fold goes from the right.
        let mut rest = hashes.as_slice();
        while !rest.is_empty() {
            let smallest = 1 << rest.len().trailing_zeros();
            let (left, subtree) = rest.split_at(rest.len() - smallest);
            let peak = perfect_root(subtree);
            root = Some(root.map_or(peak, |right| node_hash(&peak, &right)));
            rest = left;
        }
    }
    root.unwrap_or(EMPTY_ROOT)
}

/// The root of a perfect subtree: `hashes.len()` is a power of two.
pub(super) fn perfect_root(hashes: &[Hash]) -> Hash {
    if let [one] = hashes {
        return *one;
    }
    let (left, right) = hashes.split_at(hashes.len() / 2);
    node_hash(&perfect_root(left), &perfect_root(right))
}
