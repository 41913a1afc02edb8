//! A bounded queue in which each key has its turn: whoever sends much waits for himself, not the others for him.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// On whose behalf something waits: a signer's key, or a name of the service's own that is no key's.
pub(super) type Who = Arc<str>;

/// For what the service looks up itself: what statements of anyone refer to.
pub(super) const SERVICE: &str = "service";

/// For whoever reads results.
pub(super) const READERS: &str = "readers";

/// Whether it is a signer's key, and no name of the service's own.
pub(super) fn is_key(who: &Who) -> bool {
    ![SERVICE, READERS].contains(&&**who)
}

/// How many works of a key whose last one was refused are taken together: what is wrong among many takes long to find,
/// and all of them wait for it.
const FEW: usize = 4;

/// Why there is no place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// For anyone.
    All,
    /// For this one, who has as many waiting as there are places left.
    Own {
        /// So many.
        waiting: usize,
    },
}

/// What waits, by key.
#[derive(Debug)]
pub(super) struct Turns<T> {
    lines: BTreeMap<Who, VecDeque<T>>,
    /// The keys of the lines, the next one first.
    order: VecDeque<Who>,
    suspects: BTreeSet<Who>,
    waiting: usize,
    places: usize,
}

impl<T> Turns<T> {
    pub(super) fn new(places: usize) -> Self {
        Self {
            lines: BTreeMap::new(),
            order: VecDeque::new(),
            suspects: BTreeSet::new(),
            waiting: 0,
            places,
        }
    }

    /// Joins the queue. A key may have as many waiting as places are left: alone half of all, of two that press a third
    /// each, so that there is always one for a key that has none (dynamic thresholds of Choudhury and Hahne, IEEE/ACM
    /// Transactions on Networking 6, 1998).
    pub(super) fn push(&mut self, who: &Who, work: T) -> Result<(), Full> {
        let left = self.places.saturating_sub(self.waiting);
        if left == 0 {
            return Err(Full::All);
        }
        let waiting = self.lines.get(who).map_or(0, VecDeque::len);
        if waiting >= left {
            return Err(Full::Own { waiting });
        }
        if waiting == 0 {
            self.order.push_back(Arc::clone(who));
        }
        self.lines
            .entry(Arc::clone(who))
            .or_default()
            .push_back(work);
        self.waiting += 1;
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Takes works by turns while `room` has room for the next.
    pub(super) fn take(&mut self, mut room: impl FnMut(&T) -> bool) -> Vec<(Who, T)> {
        let (mut taken, mut batch) = (BTreeMap::<Who, usize>::new(), Vec::new());
        while let Some((who, work)) = self.next(&taken) {
            *taken.entry(Arc::clone(&who)).or_default() += 1;
            let more = room(&work);
            batch.push((who, work));
            if !more {
                break;
            }
        }
        batch
    }

    fn next(&mut self, taken: &BTreeMap<Who, usize>) -> Option<(Who, T)> {
        let may = |who: &Who| {
            !self.suspects.contains(who) || taken.get(who).is_none_or(|taken| *taken < FEW)
        };
        let place = self.order.iter().position(may)?;
        let who = self.order.remove(place)?;
        let line = self.lines.get_mut(&who)?;
        let work = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&who);
        } else {
            self.order.push_back(Arc::clone(&who));
        }
        self.waiting -= 1;
        Some((who, work))
    }

    /// Keeps whether a key's last work was refused.
    pub(super) fn judged(&mut self, who: &Who, refused: bool) {
        if refused {
            self.suspects.insert(Arc::clone(who));
        } else {
            self.suspects.remove(who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str) -> Who {
        name.into()
    }

    fn all(turns: &mut Turns<u32>, most: usize) -> Vec<(String, u32)> {
        let mut left = most;
        let taken = turns.take(|_| {
            left -= 1;
            left > 0
        });
        taken.into_iter().map(|(w, n)| (w.to_string(), n)).collect()
    }

    #[test]
    fn one_key_leaves_places_to_others() {
        let mut turns = Turns::new(8);
        let pressed = |turns: &mut Turns<u32>, name| {
            (0..100)
                .map_while(|n| turns.push(&who(name), n).ok())
                .count()
        };
        assert_eq!(pressed(&mut turns, "a"), 4);
        assert_eq!(turns.push(&who("a"), 0), Err(Full::Own { waiting: 4 }));
        assert_eq!(pressed(&mut turns, "b"), 2);
        assert_eq!(pressed(&mut turns, "c"), 1);
        assert_eq!(pressed(&mut turns, "d"), 1);
        assert_eq!(turns.push(&who("e"), 0), Err(Full::All));
        // With room again there is a place for whoever has none.
        assert_eq!(all(&mut turns, 1).len(), 1);
        assert_eq!(turns.push(&who("e"), 0), Ok(()));
        assert!(!turns.is_empty());
    }

    #[test]
    fn keys_take_turns_and_keep_their_order() {
        let mut turns = Turns::new(100);
        for n in 0..4 {
            turns.push(&who("a"), n).unwrap();
        }
        turns.push(&who("b"), 10).unwrap();
        turns.push(&who("c"), 20).unwrap();
        let names =
            |taken: Vec<(String, u32)>| -> Vec<u32> { taken.into_iter().map(|(_, n)| n).collect() };
        assert_eq!(names(all(&mut turns, 2)), [0, 10]);
        assert_eq!(names(all(&mut turns, 99)), [20, 1, 2, 3]);
        assert!(turns.is_empty());
        assert_eq!(all(&mut turns, 5), []);
    }

    #[test]
    fn of_a_key_that_was_refused_few_are_taken_together() {
        let mut turns = Turns::new(100);
        turns.judged(&who("a"), true);
        for n in 0..20 {
            turns.push(&who("a"), n).unwrap();
        }
        turns.push(&who("b"), 100).unwrap();
        assert_eq!(all(&mut turns, 64).len(), FEW + 1);
        assert_eq!(all(&mut turns, 64).len(), FEW);
        turns.judged(&who("a"), false);
        assert_eq!(all(&mut turns, 64).len(), 20 - 2 * FEW);
    }
}
