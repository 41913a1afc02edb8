//! Which block sums what (`docs/spec/plan.md`, "Blocks"): few blocks, and few left factors of products in each.

use std::collections::{BTreeMap, BTreeSet};

use super::terms::{Condition, Factor, Term};

/// How blocks are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strategy {
    /// Whether the first block's rows are restricted by all conditions that every term has.
    pub(super) restricted: bool,
    /// The most left factors of a block.
    pub(super) pairs: usize,
}

impl Strategy {
    /// All that are tried, the plainest first.
    pub(super) const ALL: [Strategy; 4] = [
        Self::new(false, 12),
        Self::new(false, 4),
        Self::new(true, 12),
        Self::new(true, 4),
    ];

    const fn new(restricted: bool, pairs: usize) -> Self {
        Self { restricted, pairs }
    }
}

/// A block before its bits are proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arranged {
    /// What holds in its rows beside consent and the WHERE clause.
    pub(super) guard: BTreeSet<Condition>,
    /// The terms that it sums, by their places, each with what is left of it: the left factor of a product first.
    pub(super) terms: Vec<(usize, Vec<Factor>)>,
}

/// Cuts terms into blocks. Where something is summed over the whole cohort, that block is the first.
pub(super) fn arrange(terms: &[Term], strategy: Strategy) -> Vec<Arranged> {
    let guards = guards(terms, strategy.restricted);
    let mut blocks: Vec<Arranged> = guards
        .iter()
        .map(|guard| Arranged {
            guard: guard.clone(),
            terms: Vec::new(),
        })
        .collect();
    for (at, term) in terms.iter().enumerate() {
        let left = |guard: &usize| term.rest(&guards[*guard]).len();
        let fitting = (0..guards.len()).filter(|g| term.fits(&guards[*g]));
        let block = fitting.min_by_key(left).expect("each term fits some guard");
        blocks[block].terms.push((at, term.rest(&guards[block])));
    }
    let used: Vec<Arranged> = blocks
        .iter()
        .filter(|b| !b.terms.is_empty())
        .cloned()
        .collect();
    // There is one, even if nothing is summed in it.
    blocks.truncate(1);
    let kept = if used.is_empty() { blocks } else { used };
    let split = |b| split(b, strategy.pairs);
    kept.into_iter().flat_map(split).collect()
}

/// The conditions of the first block, and of others until each term has a block in which two factors are left.
fn guards(terms: &[Term], restricted: bool) -> Vec<BTreeSet<Condition>> {
    let common = terms.iter().map(Term::all);
    let common = common.reduce(|a, b| a.intersection(&b).copied().collect());
    let mut guards = vec![common.filter(|_| restricted).unwrap_or_default()];
    loop {
        let open = |t: &&Term| !guards.iter().any(|g| t.fits(g));
        let open: Vec<&Term> = terms.iter().filter(open).collect();
        let own: BTreeSet<BTreeSet<Condition>> = open.iter().map(|t| t.all()).collect();
        let both = own.iter().flat_map(|a| {
            own.iter()
                .map(move |b| a.intersection(b).copied().collect())
        });
        let with_first = both.map(|b: BTreeSet<_>| b.union(&guards[0]).copied().collect());
        let candidates: BTreeSet<BTreeSet<Condition>> = with_first.collect();
        let served = |guard: &BTreeSet<Condition>| open.iter().filter(|t| t.fits(guard)).count();
        let best = candidates
            .into_iter()
            .max_by_key(|g| (served(g), std::cmp::Reverse(g.len())));
        match best {
            Some(guard) => guards.push(guard),
            None => return guards,
        }
    }
}

/// Orders the factors of products so that few stand left, and splits where they are too many.
fn split(block: Arranged, pairs: usize) -> Vec<Arranged> {
    let left = left_factors(&block.terms);
    let chunk = |factor: &Factor| left.iter().position(|l| l == factor);
    let mut chunks: BTreeMap<usize, Vec<(usize, Vec<Factor>)>> = BTreeMap::from([(0, Vec::new())]);
    for (term, mut factors) in block.terms {
        let mut place = 0;
        if let [a, b] = factors.as_slice() {
            let (first, second) = (chunk(a), chunk(b));
            let swap = match (first, second) {
                (Some(a), Some(b)) => b < a,
                (a, _) => a.is_none(),
            };
            place = first.into_iter().chain(second).min().unwrap_or(0) / pairs;
            if swap {
                factors.swap(0, 1);
            }
        }
        chunks.entry(place).or_default().push((term, factors));
    }
    let guard = block.guard;
    chunks
        .into_values()
        .map(|terms| Arranged {
            guard: guard.clone(),
            terms,
        })
        .collect()
}

/// A factor of every product: those of squares, then whichever stands in most products that have none yet.
fn left_factors(terms: &[(usize, Vec<Factor>)]) -> Vec<Factor> {
    let mut products: Vec<[&Factor; 2]> = terms
        .iter()
        .filter_map(|(_, factors)| match factors.as_slice() {
            [a, b] => Some([a, b]),
            _ => None,
        })
        .collect();
    let mut left: Vec<Factor> = Vec::new();
    let squares: Vec<&Factor> = products
        .iter()
        .filter(|[a, b]| a == b)
        .map(|p| p[0])
        .collect();
    for factor in squares {
        if !left.contains(factor) {
            left.push(factor.clone());
        }
    }
    loop {
        products.retain(|p| !p.iter().any(|f| left.contains(f)));
        let mut uses: BTreeMap<&Factor, usize> = BTreeMap::new();
        for factor in products.iter().flatten() {
            *uses.entry(factor).or_default() += 1;
        }
        // Of equal ones the first.
        let most = uses.into_iter().rev().max_by_key(|(_, n)| *n);
        match most {
            Some((factor, _)) => left.push(factor.clone()),
            None => return left,
        }
    }
}
