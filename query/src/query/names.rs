//! The names of the functions that the SELECT list knows.

use super::PairFunction;

/// The aggregates' names.
pub(super) const KNOWN: [&str; 9] = [
    "count",
    "sum",
    "avg",
    "var_samp",
    "variance",
    "var_pop",
    "stddev_samp",
    "stddev",
    "stddev_pop",
];
/// Aggregates that show single values or lists of them.
pub(super) const DISCLOSING: [&str; 11] = [
    "min",
    "max",
    "array_agg",
    "string_agg",
    "group_concat",
    "json_agg",
    "jsonb_agg",
    "first",
    "last",
    "any_value",
    "mode",
];
/// Percentiles that are no patient's value, or differ between engines.
pub(super) const OTHER_PERCENTILES: [&str; 3] = ["median", "percentile_cont", "quantile"];
/// The percentile that is always some patient's value.
pub(super) const PERCENTILE: &str = "percentile_disc";

/// The function of two columns of a lower-case name.
pub(super) fn pair_function(name: &str) -> Option<PairFunction> {
    let mut all = PairFunction::NAMES.into_iter();
    all.find(|(n, _)| *n == name).map(|(_, function)| function)
}

/// Whether a lower-case name is an aggregate's.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
        || DISCLOSING.contains(&name)
        || OTHER_PERCENTILES.contains(&name)
        || name == PERCENTILE
        || pair_function(name).is_some()
}
