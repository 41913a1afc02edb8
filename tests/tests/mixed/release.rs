//! Whether a cell is shown or hidden with right, by docs/spec/release-rules.md at its simplest: what no profile
//! may do, and for `count(*)` itself exactly what it must.

use std::collections::BTreeMap;

use galen_verifier::{answer::Cell, manifest::ReleaseProfile};

use crate::{
    output::{Output, What},
    query::Query,
    truth::Truth,
};

/// An answer's rows without their keys, and what is true of them.
pub struct Released<'a> {
    pub query: &'a Query,
    pub profile: &'a ReleaseProfile,
    /// The keys' texts of each row.
    pub keys: &'a [Vec<String>],
    pub cells: &'a [Vec<Cell>],
    pub truths: &'a [Vec<&'a Truth>],
}

/// Whether a cell hides what it is about.
pub fn is_hidden(cell: &Cell) -> bool {
    matches!(cell, Cell::Suppressed(_) | Cell::Withheld | Cell::TooFew(_))
}

/// Whether the profile publishes no such count, wherever it stands.
pub fn is_small(profile: &ReleaseProfile, n: u64) -> bool {
    n < profile.k && (n > 0 || !profile.zero_releasable)
}

/// Whether two counts, of which one is among the other, leave a small rest.
fn is_small_rest(profile: &ReleaseProfile, a: u64, b: u64) -> bool {
    profile.complementary && (1..profile.k).contains(&a.abs_diff(b))
}

/// Whether some of these counts of one group gives reason to hide something.
pub fn is_reason(profile: &ReleaseProfile, counts: &[u64]) -> bool {
    let is_near = |a: &u64| counts.iter().any(|b| is_small_rest(profile, *a, *b));
    counts.iter().any(|a| is_small(profile, *a) || is_near(a))
}

impl Released<'_> {
    /// Checks every cell.
    pub fn check(&self) -> Result<(), String> {
        // Lines join the groups: what is hidden in one may be for the sake of another.
        let counts: Vec<Vec<u64>> = (0..self.cells.len()).map(|row| self.counts(row)).collect();
        let anywhere = counts.iter().any(|c| is_reason(self.profile, c));
        for (row, of_row) in counts.iter().enumerate() {
            let reason = match self.profile.complementary {
                true => anywhere,
                false => is_reason(self.profile, of_row),
            };
            for (at, cell) in self.cells[row].iter().enumerate() {
                self.cell(row, at, cell, reason)
                    .map_err(|why| format!("{:?}, o{at}: {cell:?} {why}", self.keys[row]))?;
            }
            self.rests(row)?;
        }
        let all = |o: &Output| matches!(o.what, What::All) && o.filter.is_none();
        match self.query.outputs.iter().position(all) {
            Some(at) => self.patients(at),
            None => Ok(()),
        }
    }

    /// All counts that a row's cells are about.
    fn counts(&self, row: usize) -> Vec<u64> {
        let truths = self.truths[row].iter();
        truths.flat_map(|t| t.counts.clone()).collect()
    }

    fn cell(&self, row: usize, at: usize, cell: &Cell, reason: bool) -> Result<(), String> {
        let counts = &self.truths[row][at].counts;
        let own = counts.iter().any(|n| is_small(self.profile, *n));
        if let What::Percentile(..) = self.query.outputs[at].what {
            return self.percentile(at, cell, counts[0], own || reason);
        }
        match is_hidden(cell) {
            false if own => Err(format!("is shown, about {counts:?}")),
            true if !own && !reason => Err(format!("is hidden without a reason, about {counts:?}")),
            // A count that goes with a smaller one that contains it is smaller still.
            true if !self.profile.complementary && counts.iter().all(|n| *n >= self.profile.k) => {
                Err(format!("is hidden, about {counts:?}"))
            }
            _ => Ok(()),
        }
    }

    /// A percentile needs enough values on either side of it.
    fn percentile(&self, at: usize, cell: &Cell, n: u64, reason: bool) -> Result<(), String> {
        let fewest = self.fold(at) * (self.profile.k - 1) + 1;
        let enough = n >= fewest;
        match cell {
            Cell::TooFew(m) if !enough && *m > 1 && *m == fewest => Ok(()),
            Cell::Suppressed(_) | Cell::Withheld if reason => Ok(()),
            Cell::Null if n == 0 => Ok(()),
            shown if enough && !is_hidden(shown) => Ok(()),
            _ => Err(format!("does not go with {n} values")),
        }
    }

    /// How fine the percentiles of an output's column are: at least one in so many from one another.
    fn fold(&self, at: usize) -> u64 {
        let place = |o: &Output| match o.what {
            What::Percentile(c, share) => Some((c, share.0)),
            _ => None,
        };
        let column = place(&self.query.outputs[at]).unwrap().0;
        let all = self.query.outputs.iter().filter_map(place);
        let mut places: Vec<i64> = all.filter(|(c, _)| *c == column).map(|p| p.1).collect();
        places.extend([0, 10_000]);
        places.sort_unstable();
        places.dedup();
        let least = places.windows(2).map(|w| w[1] - w[0]).min().unwrap();
        let folds = [4, 10, 20, 100];
        let fold = folds.into_iter().find(|f| f * least >= 10_000).unwrap();
        fold.try_into().unwrap()
    }

    /// No shown count leaves a small rest of the shown number of patients.
    fn rests(&self, row: usize) -> Result<(), String> {
        let outputs = self.query.outputs.iter().zip(&self.cells[row]);
        let shown = outputs.zip(&self.truths[row]);
        let shown = shown.filter(|((o, cell), _)| o.what.is_count() && !is_hidden(cell));
        let shown: Vec<(&Output, u64)> = shown.map(|((o, _), t)| (o, t.counts[0])).collect();
        for (whole, n) in &shown {
            for (part, m) in &shown {
                let is_whole = matches!(whole.what, What::All)
                    && (whole.filter.is_none() || whole.filter == part.filter);
                if is_whole && is_small_rest(self.profile, *n, *m) {
                    return Err(format!("{:?}: {m} of {n} are shown", self.keys[row]));
                }
            }
        }
        Ok(())
    }

    /// `count(*)` is contained in no other count: exactly the small ones are hidden, and then, if the profile is
    /// complementary, in each line with one hidden count the smallest other one that is not 0.
    fn patients(&self, at: usize) -> Result<(), String> {
        let counts: Vec<u64> = self.truths.iter().map(|row| row[at].counts[0]).collect();
        let small = |n: &u64| is_small(self.profile, *n);
        let mut hidden: Vec<bool> = counts.iter().map(small).collect();
        if self.profile.complementary {
            for line in self.lines() {
                if line.iter().filter(|row| hidden[**row]).count() != 1 {
                    continue;
                }
                let others = line
                    .iter()
                    .filter(|row| !hidden[**row] && counts[**row] > 0);
                if let Some(pick) = others.min_by_key(|row| counts[**row]) {
                    hidden[*pick] = true;
                }
            }
        }
        let found: Vec<bool> = self.cells.iter().map(|r| is_hidden(&r[at])).collect();
        match found == hidden {
            true => Ok(()),
            false => Err(format!("of {counts:?} hidden {found:?}, not {hidden:?}")),
        }
    }

    /// With one key all rows; with two those of each value of the first, then of the second.
    fn lines(&self) -> Vec<Vec<usize>> {
        let all = (0..self.keys.len()).collect();
        match self.query.keys.len() {
            0 => Vec::new(),
            1 => vec![all],
            _ => [0, 1]
                .iter()
                .flat_map(|fixed| self.by_value(*fixed))
                .collect(),
        }
    }

    /// The rows by their value of a key, values in the order in which they come.
    fn by_value(&self, key: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<&str> = Vec::new();
        let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, keys) in self.keys.iter().enumerate() {
            if !lines.contains_key(keys[key].as_str()) {
                order.push(&keys[key]);
            }
            lines.entry(&keys[key]).or_default().push(row);
        }
        order.iter().map(|value| lines[value].clone()).collect()
    }
}
