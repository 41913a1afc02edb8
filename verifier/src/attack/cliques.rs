//! Which independent conditions are looked at together, and how these sets hang together.
//!
//! Two that one count is about are neighbours. Eliminating one after another, that with the fewest neighbours first, and making its
//! neighbours each other's, gives a tree of cliques: counts over the cliques that agree on what neighbouring cliques share are
//! those of some table (Vorob'ev 1962; Lauritzen and Spiegelhalter 1988). So nothing is lost by looking at each clique's atoms
//! instead of those of all conditions.

/// A set of conditions.
pub(crate) type Bits = u128;

/// A set of conditions, as bits, and where in the tree its parent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clique {
    pub bits: Bits,
    pub parent: Option<usize>,
}

/// A tree of cliques in which all conditions of each of `together` are in one; parents come first.
pub(super) fn tree(conditions: usize, together: &[Bits]) -> Vec<Clique> {
    let mut cliques: Vec<Clique> = Vec::new();
    let mut homes = vec![0; conditions];
    for (condition, neighbours) in eliminated(conditions, together).into_iter().rev() {
        let own = 1 << condition;
        let parent = neighbours.0.map(|first| homes[first]);
        homes[condition] = match parent {
            Some(parent) if cliques[parent].bits == neighbours.1 => {
                cliques[parent].bits |= own;
                parent
            }
            _ => {
                let root = (!cliques.is_empty()).then_some(0);
                cliques.push(Clique {
                    bits: neighbours.1 | own,
                    parent: parent.or(root),
                });
                cliques.len() - 1
            }
        };
    }
    if cliques.is_empty() {
        let (bits, parent) = (0, None);
        cliques.push(Clique { bits, parent });
    }
    cliques
}

/// The conditions in the order in which they are eliminated, each with those of its neighbours that are left: the first to go, and all.
fn eliminated(conditions: usize, together: &[Bits]) -> Vec<(usize, (Option<usize>, Bits))> {
    let of = |c: usize| {
        let about = together.iter().filter(|t| **t >> c & 1 == 1);
        about.fold(0, |all, t| all | t) & !(1 << c)
    };
    let mut neighbours: Vec<Bits> = (0..conditions).map(of).collect();
    let mut left: Vec<usize> = (0..conditions).collect();
    let mut order: Vec<(usize, Bits)> = Vec::new();
    while let Some(next) = left
        .iter()
        .copied()
        .min_by_key(|c| neighbours[*c].count_ones())
    {
        left.retain(|c| *c != next);
        let around = neighbours[next];
        for other in left.iter().filter(|c| around >> **c & 1 == 1) {
            neighbours[*other] = (neighbours[*other] | around) & !(1 << next | 1 << *other);
        }
        order.push((next, around));
    }
    let place = |c: usize| order.iter().position(|(o, _)| *o == c);
    let first = |around: Bits| {
        let all = (0..conditions).filter(|c| around >> *c & 1 == 1);
        all.min_by_key(|c| place(*c))
    };
    order.iter().map(|(c, a)| (*c, (first(*a), *a))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::tests::Random;

    #[test]
    fn conditions_that_one_count_is_about_are_in_a_clique() {
        let bits = |all: &[usize]| all.iter().fold(0, |b: Bits, c| b | 1 << c);
        // Three filters with each of four columns.
        let together: Vec<Bits> = (0..3)
            .flat_map(|f| (3..7).map(move |c| (f, c)))
            .map(|(f, c)| bits(&[f, c]))
            .collect();
        let cliques = tree(7, &together);
        assert_eq!(cliques.len(), 4);
        assert!(cliques.iter().all(|c| c.bits.count_ones() == 4));
        for set in together {
            assert!(cliques.iter().any(|c| c.bits & set == set));
        }
        assert_eq!(tree(0, &[]).len(), 1);
        let apart = tree(2, &[1, 2]);
        assert_eq!(
            apart.iter().map(|c| c.parent).collect::<Vec<_>>(),
            [None, Some(0)]
        );
    }

    /// What a clique shares with those before it, its parent has.
    #[test]
    fn cliques_hang_together_as_a_tree() {
        let mut random = Random(1);
        let mut next = |below: usize| random.below(below);
        for _ in 0..500 {
            let conditions = 1 + next(12);
            let together: Vec<Bits> = (0..next(10))
                .map(|_| (0..1 + next(3)).fold(0, |b, _| b | 1 << next(conditions)))
                .collect();
            let cliques = tree(conditions, &together);
            for (at, clique) in cliques.iter().enumerate() {
                let before = cliques[..at].iter().fold(0, |all, c| all | c.bits);
                let parent = clique.parent.map_or(0, |p| cliques[p].bits);
                assert!(clique.parent.is_none_or(|p| p < at));
                assert_eq!(clique.bits & before & !parent, 0, "{cliques:?}");
            }
            for set in &together {
                assert!(cliques.iter().any(|c| c.bits & set == *set));
            }
            let all = cliques.iter().fold(0, |all, c| all | c.bits);
            assert_eq!(all.count_ones() as usize, conditions);
        }
    }
}
