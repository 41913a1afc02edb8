//! Between which numbers regions lie, where facts about them are known.

use num_traits::Zero;

use super::{
    Unknown,
    simplex::{Linear, Polytope, TooLong, Work},
};

/// The regions that are known to be few, and between which numbers.
pub(super) type Found = Vec<(usize, (u64, u64))>;

/// What is known of atoms.
pub(super) struct System {
    /// The atoms that may have patients.
    pub places: Vec<usize>,
    /// Sums of atoms that are 0.
    pub links: Vec<Vec<i8>>,
    /// Sums of atoms, and between which numbers they are.
    pub facts: Vec<(Vec<i8>, (u64, u64))>,
}

/// The polytope of the atoms that may have patients.
pub(super) struct Solver<'a> {
    polytope: Polytope,
    places: Vec<usize>,
    work: &'a mut Work,
}

impl<'a> Solver<'a> {
    pub fn new(system: System, work: &'a mut Work) -> Result<Self, Unknown> {
        let places = system.places;
        let linear = |vector: &[i8], sign: i8, bound: i128| Linear {
            coefficients: places.iter().map(|at| sign * vector[*at]).collect(),
            bound,
        };
        let zero = system.links.iter().map(|l| linear(l, 1, 0));
        let (mut equal, mut at_most) = (zero.collect::<Vec<_>>(), Vec::new());
        for (vector, (first, last)) in &system.facts {
            let (first, last) = (i128::from(*first), i128::from(*last));
            if first == last {
                equal.push(linear(vector, 1, first));
                continue;
            }
            at_most.push(linear(vector, 1, last));
            if first > 0 {
                at_most.push(linear(vector, -1, -first));
            }
        }
        let polytope = Polytope::new(places.len(), &equal, &at_most, work)?;
        Ok(Self {
            polytope: polytope.ok_or(Unknown::Contradiction)?,
            places,
            work,
        })
    }

    /// How many patients a region has at least.
    pub fn least(&mut self, vector: &[i8]) -> Result<u64, TooLong> {
        let vector = at_places(vector, &self.places);
        Ok(size(self.first(&vector)?))
    }

    /// The least whole number that a function can be.
    fn first(&mut self, vector: &[i8]) -> Result<i128, TooLong> {
        let minus: Vec<i8> = vector.iter().map(|c| -c).collect();
        let most = self.polytope.largest(&minus, self.work)?;
        Ok(-most.floor().to_integer())
    }

    /// Between which numbers a region is.
    #[cfg(test)]
    pub fn between(&mut self, vector: &[i8]) -> Result<(i128, i128), TooLong> {
        let vector = at_places(vector, &self.places);
        Ok((self.first(&vector)?, self.last(&vector)?))
    }

    /// The largest whole number that a function can be.
    fn last(&mut self, vector: &[i8]) -> Result<i128, TooLong> {
        let most = self.polytope.largest(vector, self.work)?;
        Ok(most.floor().to_integer())
    }

    /// The regions that are known to be few, and that are none of `said` unless their number is known (and few are not always one).
    pub fn findings(
        &mut self,
        open: Vec<(usize, &[i8])>,
        said: &[Vec<i8>],
        k: u64,
    ) -> Result<Found, Unknown> {
        let places = &self.places;
        let mut open: Vec<(usize, Vec<i8>)> = open
            .into_iter()
            .map(|(at, vector)| (at, at_places(vector, places)))
            .collect();
        let said: Vec<Vec<i8>> = said.iter().map(|s| at_places(s, places)).collect();
        let mut found = Found::new();
        let few = 1..i128::from(k);
        while let Some((at, region)) = open.pop() {
            let first = self.first(&region)?;
            self.retain_few(&mut open, k)?;
            if !few.contains(&first) {
                continue;
            }
            let last = self.last(&region)?;
            self.retain_few(&mut open, k)?;
            let is_one = first == last && k > 2;
            if few.contains(&last) && (is_one || !self.is_any(&region, &said)?) {
                found.push((at, (size(first), size(last))));
            }
        }
        Ok(found)
    }

    /// What is seen at the corner where it stands may tell of regions that they need not be few.
    fn retain_few(&mut self, open: &mut Vec<(usize, Vec<i8>)>, k: u64) -> Result<(), TooLong> {
        self.work.take(open.len() * self.polytope.rows())?;
        open.retain(|(_, region)| self.polytope.is_within(region, k).unwrap_or(true));
        Ok(())
    }

    /// Whether a region has as many patients as one of others, in whatever way they stand in their atoms.
    fn is_any(&mut self, region: &[i8], others: &[Vec<i8>]) -> Result<bool, TooLong> {
        for other in others {
            let less: Vec<i8> = region.iter().zip(other).map(|(a, b)| a - b).collect();
            let minus: Vec<i8> = less.iter().map(|c| -c).collect();
            let mut is_less = |vector: &[i8]| -> Result<bool, TooLong> {
                Ok(self.polytope.largest(vector, self.work)?.is_zero())
            };
            if is_less(&less)? && is_less(&minus)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn at_places(vector: &[i8], places: &[usize]) -> Vec<i8> {
    places.iter().map(|at| vector[*at]).collect()
}

/// Of a number of patients.
fn size(n: i128) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
