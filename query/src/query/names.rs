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

/// Functions that people know under another name.
pub(super) fn synonym(name: &str) -> Option<&'static str> {
    Some(match name {
        "mean" | "average" => "avg",
        "std" | "stdev" | "sd" | "stddevsamp" => "stddev_samp",
        "stdevp" | "stddevp" | "stddevpop" => "stddev_pop",
        "var" | "varsamp" => "var_samp",
        "varp" | "varpop" => "var_pop",
        "total" => "sum",
        "correlation" | "pearson" => "corr",
        "cov" | "covar" | "covariance" => "covar_samp",
        "percentile" | "quantile_disc" | "approx_percentile" | "approx_quantile" | "ntile" => {
            "percentile_disc(0.5) WITHIN GROUP (ORDER BY column)"
        }
        _ => return None,
    })
}

/// Whether a lower-case name is a function's that counts different values.
pub(super) fn counts_distinct(name: &str) -> bool {
    matches!(
        name,
        "approx_count_distinct" | "count_distinct" | "uniq" | "approx_distinct"
    )
}

/// Whether a lower-case name is a function's of dates.
pub(super) fn is_of_dates(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "date_trunc",
        "datetrunc",
        "date_part",
        "datepart",
        "date_bin",
        "date_format",
        "strftime",
        "to_char",
        "year",
        "quarter",
        "month",
        "week",
        "day",
    ];
    NAMES.contains(&name)
}

/// Whether a lower-case name is a function's that says what day it is.
pub(super) fn is_of_today(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "now",
        "current_date",
        "current_timestamp",
        "current_time",
        "localtimestamp",
        "today",
        "getdate",
        "sysdate",
        "clock_timestamp",
    ];
    NAMES.contains(&name)
}

/// Whether a lower-case name is a function's of texts.
pub(super) fn is_of_texts(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "lower",
        "upper",
        "initcap",
        "trim",
        "btrim",
        "ltrim",
        "rtrim",
        "left",
        "right",
        "substr",
        "substring",
        "concat",
        "length",
        "char_length",
        "replace",
        "regexp_replace",
        "regexp_match",
        "regexp_matches",
        "regexp_like",
        "split_part",
        "starts_with",
        "strpos",
    ];
    NAMES.contains(&name)
}
