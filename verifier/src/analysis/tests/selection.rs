//! Whom a query chooses must not make the difference that an analysis then finds.

use super::*;

fn registry() -> Registry {
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[column]]\nname = \"c\"\ntype = \"category\"\ncodes = [\"a\", \"b\"]\nnullable = true\n\
        [[column]]\nname = \"grp\"\ntype = \"boolean\"\nnullable = true\n\
        [[column]]\nname = \"flag\"\ntype = \"boolean\"\n\
        [[column]]\nname = \"ev\"\ntype = \"boolean\"\nnullable = true\n\
        [[column]]\nname = \"age\"\ntype = \"number\"\nmin = 18\nmax = 100\n\
        [[column]]\nname = \"ldl\"\ntype = \"number\"\nmin = 0.0\nmax = 12.0\ndecimals = 2\nnullable = true\n\
        [[column]]\nname = \"pt\"\ntype = \"number\"\nmin = 0\nmax = 60\nnullable = true\n";
    Registry::from_toml(text).unwrap()
}

const EXPOSED: &str = "two-by-two exposure=c exposed=a unexposed=b cases=f total=n";
const PROPORTIONS: &str = "proportions cases=f total=n";
const BY_KEY: &str = "two-by-two exposure=grp outcome=flag count=n";
const TABLE: &str = "contingency rows=grp columns=c count=n";
const WELCH: &str = "welch by=grp mean=m sd=s n=n";
const MEANS: &str = "means mean=m sd=s n=n";
const SURVIVAL: &str = "survival time=b leaving=l events=e";
const CURVES: &str = "survival time=b leaving=l events=e by=grp";
const RATES: &str = "rates events=e time=pt";
const STANDARDISED: &str = "standardised-rates events=e time=pt strata=c weights=a:1,b:2 by=grp";

/// The query of an analysis, with these conditions after FROM.
fn asking(analysis: &str, conditions: &str) -> String {
    let (outputs, keys) = match analysis {
        EXPOSED | PROPORTIONS => ("c, count(*) AS n, sum(flag) AS f", "c"),
        BY_KEY => ("grp, flag, count(*) AS n", "grp, flag"),
        TABLE => ("grp, c, count(*) AS n", "grp, c"),
        WELCH | MEANS => (
            "grp, avg(ldl) AS m, stddev(ldl) AS s, count(ldl) AS n",
            "grp",
        ),
        SURVIVAL => (
            "width_bucket(pt, 0, 60, 6) AS b, count(*) AS l, sum(ev) AS e",
            "b",
        ),
        CURVES => (
            "grp, width_bucket(pt, 0, 60, 6) AS b, count(*) AS l, sum(ev) AS e",
            "grp, b",
        ),
        RATES => ("grp, sum(ev) AS e, sum(pt) AS pt", "grp"),
        _ => ("c, grp, sum(ev) AS e, sum(pt) AS pt", "c, grp"),
    };
    format!("SELECT {outputs} FROM t WHERE {conditions} GROUP BY {keys}")
}

#[track_caller]
fn refused(sql: &str, analysis: &str, why: &str) {
    let message = parse_over(&registry(), sql, analysis).expect_err(sql);
    assert!(message.contains(why), "{sql}\n{analysis}\n{message}");
}

#[track_caller]
fn accepted(sql: &str, analysis: &str) {
    if let Err(why) = parse_over(&registry(), sql, analysis) {
        panic!("{sql}\n{why}");
    }
}

#[test]
fn one_condition_on_group_and_outcome_is_refused() {
    let known = "ev IS NOT NULL AND pt IS NOT NULL";
    for (analysis, conditions, columns) in [
        (EXPOSED, "flag OR c = 'a'", "c and flag"),
        (PROPORTIONS, "flag OR c = 'a'", "c and flag"),
        (BY_KEY, "flag OR grp", "grp and flag"),
        (
            TABLE,
            "NOT (c = 'a' AND grp) AND c IS NOT NULL",
            "grp and c",
        ),
        (WELCH, "ldl > 3.5 OR grp", "grp and ldl"),
        (MEANS, "age > 20 AND (ldl > 3.5 OR grp)", "grp and ldl"),
        (CURVES, "ev IS NOT NULL AND (ev OR grp)", "grp and ev"),
        (RATES, &format!("{known} AND (ev OR grp)"), "grp and ev"),
        (
            STANDARDISED,
            &format!("{known} AND (ev OR grp)"),
            "grp and ev",
        ),
        (
            STANDARDISED,
            &format!("{known} AND (ev OR c = 'a')"),
            "c and ev",
        ),
        // By way of a third column: (flag AND c = 'a') or whoever is old.
        (
            EXPOSED,
            "(flag OR age > 50) AND (c = 'a' OR age > 50)",
            "c and flag",
        ),
        (
            EXPOSED,
            "(flag OR ldl > 3) AND (age > 50 OR ldl > 2) AND (c = 'a' OR age > 50)",
            "c and flag",
        ),
    ] {
        let why = format!("WHERE chooses patients by {columns} together: ");
        refused(&asking(analysis, conditions), analysis, &why);
    }
    for (analysis, conditions) in [
        (EXPOSED, "flag AND c = 'a'"),
        (EXPOSED, "(flag OR age > 50) AND (c = 'a' OR ldl > 3)"),
        (EXPOSED, "(c = 'a' OR age > 50) AND age < 80 AND flag"),
        (PROPORTIONS, "age > 50 OR ldl > 3"),
        (BY_KEY, "flag AND grp"),
        (TABLE, "c IS NOT NULL AND grp IS NOT NULL"),
        (WELCH, "ldl > 3.5"),
        (WELCH, "grp OR age > 50"),
        (MEANS, "ldl > 3.5 OR ldl IS NULL"),
        (CURVES, "ev IS NOT NULL AND (age > 50 OR grp)"),
        (RATES, known),
        (STANDARDISED, known),
        (STANDARDISED, &format!("{known} AND (c = 'a' OR grp)")),
    ] {
        accepted(&asking(analysis, conditions), analysis);
    }
}

#[test]
fn a_filter_of_group_and_outcome_is_refused() {
    let filtered = "SELECT grp, avg(ldl) FILTER (WHERE f) AS m, stddev(ldl) FILTER (WHERE f) AS s, \
        count(ldl) FILTER (WHERE f) AS n FROM t GROUP BY grp";
    let by_ldl = filtered.replace("WHERE f", "WHERE ldl > 3.5 OR grp");
    let why = "WHERE with the FILTER of m chooses patients by grp and ldl together: (grp true or ldl 3.51 to 12.00)";
    refused(&by_ldl, WELCH, why);
    refused(&by_ldl, MEANS, why);
    accepted(&filtered.replace("WHERE f", "WHERE ldl > 3.5"), WELCH);
    // Of the total, whose cases the third column decides on.
    let sql = "SELECT c, count(*) FILTER (WHERE c = 'a' OR age > 50) AS n, \
        count(*) FILTER (WHERE (c = 'a' OR age > 50) AND age > 60) AS f FROM t GROUP BY c";
    refused(sql, EXPOSED, "by c and age together");
    // Cases that are decided by the group were refused before.
    let sql =
        "SELECT c, count(*) AS n, count(*) FILTER (WHERE flag OR c = 'a') AS f FROM t GROUP BY c";
    refused(sql, EXPOSED, "cases=f is decided by c");
    // What a case is may differ between groups where they are only described.
    accepted(sql, PROPORTIONS);
    let sql = "SELECT grp, c, count(*) FILTER (WHERE c = 'a' OR grp) AS n FROM t GROUP BY grp, c";
    refused(
        sql,
        TABLE,
        "the FILTER of n chooses patients by grp and c together",
    );
}

#[test]
fn the_refusal_tells_the_conditions_and_the_cure() {
    let sql = asking(EXPOSED, "(flag OR age > 50) AND (c = 'a' OR age > 50)");
    let message = parse_over(&registry(), &sql, EXPOSED).unwrap_err();
    assert_eq!(
        message,
        format!(
            "analysis `{EXPOSED}`: WHERE chooses patients by c and flag together: (c a or age 51 to 100) and (flag true or age \
             51 to 100). One group is chosen by flag otherwise than another then, and differs from it for that alone. Ask for \
             each in a condition of its own, with AND between them, or for one of them only"
        )
    );
}

#[test]
fn a_count_by_the_outcome_is_no_count_by_two_keys() {
    let counted = |count: &str| format!("SELECT grp, flag, {count} AS n FROM t GROUP BY grp, flag");
    for count in [
        "count(*) FILTER (WHERE flag)",
        "count(*) FILTER (WHERE flag AND age > 50)",
        "count(*) FILTER (WHERE flag OR age > 50)",
        "sum(flag)",
    ] {
        refused(&counted(count), BY_KEY, "count=n is decided by flag");
    }
    accepted(&counted("count(*) FILTER (WHERE age > 50)"), BY_KEY);
    accepted(&counted("sum(ev)"), BY_KEY);
}

#[test]
fn nobody_is_chosen_by_the_own_follow_up() {
    let known = "ev IS NOT NULL AND pt IS NOT NULL";
    let late = "ev IS NOT NULL AND pt > 30";
    let either = "ev IS NOT NULL AND (pt > 30 OR age > 50) AND pt IS NOT NULL";
    let why = "chooses patients by pt, their time itself";
    for analysis in [RATES, STANDARDISED, SURVIVAL, CURVES] {
        for conditions in [late, either] {
            refused(&asking(analysis, conditions), analysis, why);
        }
        let count = |filter: &str| {
            let events = format!("count(*) FILTER (WHERE {filter}) AS e");
            asking(analysis, known).replace("sum(ev) AS e", &events)
        };
        refused(&count("ev AND pt > 30"), analysis, why);
        refused(&count("pt > 5"), analysis, why);
        refused(&count("ev OR pt > 5"), analysis, why);
        accepted(&count("ev AND age > 30"), analysis);
        accepted(&count("ev AND pt >= 0"), analysis);
    }
    let bands = "SELECT width_bucket(pt, 0, 60, 6) AS b, sum(ev) AS e, sum(pt) AS pt FROM t \
        WHERE ev IS NOT NULL AND pt IS NOT NULL GROUP BY b";
    refused(
        bands,
        RATES,
        "GROUP BY chooses patients by pt, their time itself",
    );
    // Persons are no time.
    let persons = "SELECT grp, count(*) FILTER (WHERE ev AND pt > 30) AS e, count(*) AS pt FROM t \
        WHERE ev IS NOT NULL GROUP BY grp";
    accepted(persons, RATES);
    let some = "SELECT grp, count(*) FILTER (WHERE ev AND flag) AS e, sum(flag) AS pt FROM t \
        WHERE ev IS NOT NULL GROUP BY grp";
    accepted(some, RATES);
}
