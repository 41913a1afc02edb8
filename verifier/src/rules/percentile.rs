//! Which percentiles are published, and what is proven about them.

use galen_circuits::gates::{compare, release::MAX_LIMB};
use galen_query::query::Percentile;

use super::{Counts, ReleaseProfile, State};
use crate::{
    VerifyError,
    plan::{Field, FieldKind, Plan, Quantile, Rank},
};

/// Whether a percentile goes with a hidden count: one that contains its patients and is itself asked for.
#[must_use]
pub fn is_hidden(counts: &Counts, states: &[State], percentile: &Percentile, group: usize) -> bool {
    let known = Field::known(percentile);
    let hidden = |cell: usize| states[cell].shown().is_none();
    match counts.cell(known, group) {
        Some(own) => hidden(own),
        None => counts.outer(known, group).any(hidden),
    }
}

/// The bounds of one of a percentile's counts: enough values on either side exactly if it is published.
pub(super) fn bounds(
    profile: &ReleaseProfile,
    percentile: &Percentile,
    rank: Rank,
    quantile: Quantile,
    is_hidden: bool,
) -> Result<(u64, u64), &'static str> {
    let fewest = percentile.fewest(profile.k);
    match (rank, quantile) {
        (_, Some(_)) if is_hidden => {
            Err("it is published although a count that contains it is not")
        }
        (Rank::Known, Some(_)) if fewest > MAX_LIMB => Err("no table is large enough for it"),
        (Rank::Known, Some(_)) => Ok((fewest, MAX_LIMB)),
        (Rank::Known, None) if !is_hidden => Ok((0, MAX_LIMB.min(fewest - 1))),
        _ => Ok((0, MAX_LIMB)),
    }
}

/// A proof that inequalities hold between limbs of root steps' totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// For errors: what is compared.
    pub label: String,
    /// The root steps whose totals are looked at, at most four.
    pub roots: Vec<usize>,
    /// The inequalities.
    pub statement: compare::Statement,
}

/// That each published percentile q is the one asked for: #(v < q) < ⌈p·m⌉ ≤ #(v ≤ q) among m values.
pub(super) fn comparisons(plan: &Plan) -> Result<Vec<Comparison>, VerifyError> {
    let each = plan.percentiles.len().max(1);
    let mut out = Vec::new();
    for (at, quantile) in plan.quantiles.iter().enumerate() {
        if quantile.is_none() {
            continue;
        }
        let (group, index) = (at / each, at % each);
        let percentile = &plan.percentiles[index];
        let places = &plan.layout.groups[group].1;
        let place = |rank| {
            let place = places.get(&Field {
                kind: FieldKind::Rank(index, rank),
                ..Field::known(percentile)
            });
            place.ok_or_else(|| VerifyError::Malformed("a percentile without counts".into()))
        };
        let known = place(Rank::Known)?;
        let (up, down) = (
            i64::from(percentile.share.numerator),
            i64::from(percentile.share.denominator),
        );
        let mut statement = compare::Statement::default();
        let [below, up_to] = &mut statement.comparisons;
        // den·#(v < q) < num·m, among integers: num·m − den·#(v < q) − 1 ≥ 0.
        below.constant = -1;
        below.weights[known.limb] = up;
        below.weights[place(Rank::Below)?.limb] = -down;
        // num·m ≤ den·#(v ≤ q).
        up_to.weights[place(Rank::UpTo)?.limb] = down;
        up_to.weights[known.limb] = -up;
        out.push(Comparison {
            label: format!("percentile {at}"),
            roots: plan.releases[known.release].roots.clone(),
            statement,
        });
    }
    Ok(out)
}
