//! Keys are compared by value, inputs belong together, and who is left out is told.

use super::*;

/// A category that has the code `NULL` and may be missing, and a boolean and times that may be missing.
fn registry() -> Registry {
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[column]]\nname = \"grp\"\ntype = \"category\"\ncodes = [\"NULL\", \"x\"]\nnullable = true\n\
        [[column]]\nname = \"died\"\ntype = \"boolean\"\n\
        [[column]]\nname = \"ill\"\ntype = \"boolean\"\nnullable = true\n\
        [[column]]\nname = \"days\"\ntype = \"number\"\nmin = 0\nmax = 100\n\
        [[column]]\nname = \"months\"\ntype = \"number\"\nmin = 0\nmax = 3\nnullable = true\n\
        [[column]]\nname = \"change\"\ntype = \"number\"\nmin = -5\nmax = 5\n";
    Registry::from_toml(text).unwrap()
}

const CURVES: &str = "SELECT grp, width_bucket(days, 0, 100, 2) AS bin, count(*) AS n, sum(died) AS events \
     FROM t GROUP BY grp, bin";

/// Two arms of 20 with the same course, and 60 patients without a value of `grp`.
fn arms() -> Vec<Vec<Cell>> {
    let arm = |name: Cell, early, late| {
        [(1, early, early), (2, late, 0), (3, 0, 0)]
            .map(|(bin, all, events)| vec![name.clone(), bucket(bin), n(all), n(events)])
    };
    let arms = [
        arm(key("NULL"), 10, 10),
        arm(key("x"), 10, 10),
        arm(Cell::Null, 0, 60),
    ];
    arms.into_iter().flatten().collect()
}

#[test]
fn a_code_spelled_null_is_no_missing_value() {
    let text = "survival time=bin leaving=n events=events by=grp";
    let derived = run_over(&registry(), CURVES, text, &arms(), 0);
    let curves = &derived.tables[0].rows;
    let names: Vec<String> = curves.iter().map(|r| r[0].to_string()).collect();
    assert_eq!(names, ["\"NULL\"", "\"NULL\"", "x", "x"]);
    for row in curves {
        assert_eq!(number(&row[4]), 0.5, "{row:?}");
    }
    assert_eq!(curves[0][2], Value::Count(20));
    let test = &derived.tables[2].rows[0];
    assert_eq!((number(&test[2]), number(&test[4])), (0.0, 1.0));
    assert_eq!(
        derived.notes,
        ["Left out: patients without a value of grp, 60 of n."]
    );
}

#[test]
fn every_analysis_finds_a_code_spelled_null() {
    let registry = registry();
    let sql = "SELECT grp, count(*) AS n, sum(died) AS cases, sum(days) AS time, avg(days) AS mean, \
         stddev_samp(days) AS sd FROM t GROUP BY grp";
    let row = |name, all, cases| {
        let (mean, sd) = (Cell::Real(10.0), Cell::Real(2.0));
        vec![name, n(all), n(cases), n(1_000), mean, sd]
    };
    let rows = [
        row(key("NULL"), 20, 10),
        row(key("x"), 30, 5),
        row(Cell::Null, 60, 0),
    ];
    let left_out = |what: &str, n, of: &str| format!("Left out: {what}, {n} of {of}.");
    let others = |of| left_out("patients of other groups, or none, of grp", 60, of);
    let text = "two-by-two exposure=grp exposed=NULL unexposed=x cases=cases total=n";
    let table = run_over(&registry, sql, text, &rows, 0);
    assert_eq!(table.tables[0].rows[0][1], Value::Count(10));
    assert_eq!(table.notes, [others("n")]);
    let text = "welch by=grp first=NULL second=x mean=mean sd=sd n=n";
    assert_eq!(
        run_over(&registry, sql, text, &rows, 0).notes,
        [others("n")]
    );
    let text = "standardised-rates events=cases time=time strata=grp weights=NULL:1,x:1";
    let rates = run_over(&registry, sql, text, &rows, 0);
    assert_eq!(rates.tables[1].rows[0][1], Value::Count(15));
    // Nobody of those left out has an event.
    assert_eq!(rates.notes, Vec::<String>::new());
    let names = run_over(&registry, sql, "proportions cases=cases total=n", &rows, 0);
    let names: Vec<String> = names.tables[0]
        .rows
        .iter()
        .map(|r| r[0].to_string())
        .collect();
    assert_eq!(names, ["\"NULL\"", "x", "NULL"]);

    let sql = "SELECT grp, ill, count(*) AS n FROM t GROUP BY grp, ill";
    let keys = [key("NULL"), key("x"), Cell::Null];
    let outcomes = [key("false"), key("true"), Cell::Null];
    let mut rows = Vec::new();
    for (i, group) in keys.iter().enumerate() {
        for (j, outcome) in outcomes.iter().enumerate() {
            rows.push(vec![
                group.clone(),
                outcome.clone(),
                n(10 * i as u64 + j as u64 + 1),
            ]);
        }
    }
    let table = run_over(
        &registry,
        sql,
        "contingency rows=grp columns=ill count=n",
        &rows,
        0,
    );
    let line = |name: &str, a, b| {
        let name = Value::Key(Some(name.to_owned()));
        vec![name, Value::Count(a), Value::Count(b)]
    };
    assert_eq!(
        table.tables[0].rows,
        [line("NULL", 1, 2), line("x", 11, 12)]
    );
    // 3 + 13 + 21 + 22 + 23.
    let what = "patients without a value of grp or ill";
    assert_eq!(table.notes, [left_out(what, 82, "n")]);
    rows[4][2] = Cell::Withheld;
    rows[8][2] = Cell::Suppressed(11);
    rows[0][2] = Cell::Suppressed(11);
    let table = run_over(
        &registry,
        sql,
        "contingency rows=grp columns=ill count=n",
        &rows,
        0,
    );
    assert_eq!(table.tables.len(), 1, "no test");
    assert_eq!(
        table.notes,
        [
            "n of \"NULL\", false is hidden by the release rule (<11).",
            "n of x, true is hidden by the release rule (*).",
            "Without these counts there is no test; ask for fewer or larger groups.",
            "Left out: patients without a value of grp or ill, 59 of n and more that are hidden.",
        ]
    );
}

#[test]
fn a_missing_key_is_printed_like_no_code() {
    for (cell, text) in [
        (Cell::Null, "NULL"),
        (key("NULL"), "\"NULL\""),
        (key("\"NULL\""), "\"\"\"NULL\"\"\""),
        (key("null"), "null"),
        (key(""), "\"\""),
        (key("a \"b\""), "a \"b\""),
    ] {
        assert_eq!(cell.to_string(), text);
    }
}

#[test]
fn two_keys_make_one_name() {
    let sql = "SELECT grp, died, count(*) AS n, count(*) FILTER (WHERE days > 5) AS late FROM t GROUP BY grp, died";
    let rows = [
        vec![key("a, b"), key("c"), n(5), n(3)],
        vec![key("a"), key("b, c"), n(5), n(3)],
    ];
    let derived = run_over(&registry(), sql, "proportions cases=late total=n", &rows, 0);
    let names: Vec<String> = derived.tables[0]
        .rows
        .iter()
        .map(|r| r[0].to_string())
        .collect();
    assert_eq!(names, ["\"a, b\", c", "a, \"b, c\""]);
}

const OUTPUTS: &str = "SELECT grp, count(*) AS n, count(*) FILTER (WHERE died) AS deaths, \
     count(*) FILTER (WHERE NOT died) AS alive, sum(died) AS died, sum(ill) AS ill, count(ill) AS known, \
     sum(days) AS days, sum(days) FILTER (WHERE died) AS days_of_dead, sum(months) AS months, sum(change) AS change, \
     avg(days) AS mean, stddev_samp(days) AS sd FROM t GROUP BY grp";
const BY_TWO: &str = "SELECT grp, died, width_bucket(days, 0, 100, 2) AS bin, count(*) AS n, sum(died) AS events, \
     sum(days) AS days FROM t GROUP BY grp, bin";

#[test]
fn inputs_that_do_not_belong_together_are_refused() {
    let times = "SELECT width_bucket(days, 0, 100, 2) AS bin, grp, count(*) AS n, sum(died) AS events, \
        count(*) FILTER (WHERE ill) AS ill FROM t GROUP BY bin, grp";
    let same = "SELECT width_bucket(days, 0, 100, 2) AS p, width_bucket(days, 0, 100, 2) AS q, count(*) AS n, \
        sum(died) AS events FROM t GROUP BY p";
    let by_days = "SELECT width_bucket(days, 0, 100, 2) AS p, count(*) AS n, avg(days) AS mean, \
        stddev_samp(days) AS sd FROM t GROUP BY p";
    let by_died =
        "SELECT died, count(*) AS n, sum(died) AS events, sum(days) AS days FROM t GROUP BY died";
    let early = "SELECT width_bucket(days, 0, 100, 2) AS bin, count(*) AS n, sum(died) AS events, \
        count(*) FILTER (WHERE days > 5) AS late, count(*) FILTER (WHERE days > 5 AND died) AS late_events \
        FROM t WHERE days < 50 GROUP BY bin";
    let dates = "SELECT grp, died, count(*) AS n, sum(days) AS days, sum(ill) AS ill FROM t GROUP BY grp, died";
    let refused = [
        // Disjoint filters.
        (
            OUTPUTS,
            "two-by-two exposure=grp exposed=NULL unexposed=x cases=deaths total=alive",
            "cases=deaths counts patients whom total=alive does not",
        ),
        (
            OUTPUTS,
            "proportions cases=n total=n",
            "cases and total are the same output",
        ),
        (
            OUTPUTS,
            "proportions cases=n total=deaths",
            "cases=n counts patients whom total=deaths does not",
        ),
        (
            OUTPUTS,
            "proportions cases=deaths total=known",
            "add `ill IS NOT NULL` to the FILTER of deaths",
        ),
        // Events of all, and the time of those with events.
        (
            OUTPUTS,
            "rates events=n time=days_of_dead",
            "events=n counts patients whom time=days_of_dead does not",
        ),
        (
            OUTPUTS,
            "rates events=deaths time=months",
            "a patient whose months is NULL may be in deaths and is not in months",
        ),
        (
            OUTPUTS,
            "rates events=deaths time=change",
            "change can be negative",
        ),
        (
            OUTPUTS,
            "rates events=n time=n",
            "events and time are the same output",
        ),
        (
            OUTPUTS,
            "standardised-rates events=n time=days_of_dead strata=grp weights=NULL:1,x:1",
            "events=n counts patients",
        ),
        (
            times,
            "survival time=bin leaving=n events=n by=grp",
            "events and leaving are the same output",
        ),
        (
            times,
            "survival time=bin leaving=events events=n by=grp",
            "events=n counts patients whom leaving=events does not",
        ),
        (
            times,
            "survival time=bin leaving=n events=events by=bin",
            "time and by are the same key",
        ),
        (
            times,
            "survival time=bin leaving=n events=events",
            "the query also groups by grp",
        ),
        (
            same,
            "survival time=p leaving=n events=events by=q",
            "are keys of one column, days",
        ),
        (
            same,
            "contingency rows=p columns=p count=n",
            "rows and columns are the same key",
        ),
        (
            same,
            "contingency rows=p columns=q count=n",
            "are keys of one column, days",
        ),
        (
            dates,
            "two-by-two exposure=died cases=ill total=n",
            "the query also groups by grp",
        ),
        (
            dates,
            "two-by-two exposure=died outcome=died count=n",
            "exposure and outcome are the same key",
        ),
        (
            dates,
            "standardised-rates events=ill time=days strata=grp weights=NULL:1,x:1 by=grp",
            "strata and by are the same key",
        ),
        (
            dates,
            "standardised-rates events=ill time=days strata=grp weights=NULL:1,x:1",
            "the query also groups by died",
        ),
        (
            OUTPUTS,
            "two-by-two exposure=grp exposed=null unexposed=x cases=deaths total=n",
            "missing values are no group of an analysis",
        ),
        (
            by_days,
            "welch by=p first=1 second=2 mean=mean sd=sd n=n",
            "mean is a mean of the column that tells the groups apart",
        ),
        (
            by_died,
            "two-by-two exposure=died cases=events total=n",
            "cases=events is decided by died",
        ),
        (
            by_died,
            "standardised-rates events=events time=days strata=died weights=true:1,false:1",
            "is decided by died",
        ),
        (
            early,
            "survival time=bin leaving=n events=events",
            "chooses patients by days, their time itself",
        ),
        (
            early,
            "survival time=bin leaving=late events=late_events",
            "chooses patients by days",
        ),
        (
            same,
            "two-by-two exposure=p exposed=9 unexposed=1 outcome=q case=1 noncase=2 count=n",
            "p has no value 9; it has 1, 2",
        ),
    ];
    for (sql, text, why) in refused {
        let message = parse_over(&registry(), sql, text).unwrap_err();
        assert!(message.contains(why), "{text}: {message}");
    }
    assert!(
        parse_query(BY_TWO, &registry()).is_err(),
        "died is no group there"
    );
    let known = "SELECT count(*) FILTER (WHERE months IS NOT NULL) AS n, avg(months) FILTER (WHERE months IS NOT NULL) AS mean, \
        stddev_samp(months) FILTER (WHERE months IS NOT NULL) AS sd FROM t";
    for (sql, text) in [
        (known, "means mean=mean sd=sd n=n"),
        (
            OUTPUTS,
            "two-by-two exposure=grp exposed=NULL unexposed=x cases=deaths total=n",
        ),
        (OUTPUTS, "proportions cases=ill total=known"),
        (OUTPUTS, "rates events=deaths time=days"),
        (OUTPUTS, "rates events=died time=days_of_dead"),
        (times, "survival time=bin leaving=n events=events by=grp"),
        (times, "survival time=bin leaving=n events=ill by=grp"),
    ] {
        parse_over(&registry(), sql, text).unwrap();
    }
}

#[test]
fn the_unknown_are_told() {
    let registry = registry();
    let sql = "SELECT width_bucket(months, 0, 4, 4) AS bin, count(*) AS n, count(*) FILTER (WHERE ill) AS ill \
         FROM t GROUP BY bin";
    let row = |bin: Cell, all, events| vec![bin, n(all), n(events)];
    let rows = [
        row(bucket(1), 10, 5),
        row(bucket(2), 10, 5),
        row(bucket(3), 0, 0),
        row(bucket(4), 0, 0),
        row(Cell::Null, 7, 3),
    ];
    let derived = run_over(
        &registry,
        sql,
        "survival time=bin leaving=n events=ill",
        &rows,
        0,
    );
    assert_eq!(
        derived.notes,
        [
            "Left out: patients without a value of bin, 7 of n.",
            "Patients of n whose ill is NULL may count as without the outcome though it is not known; to leave them out, add `ill IS NOT NULL` to WHERE, or to the FILTERs of ill and n.",
        ]
    );
    // Each bin is one month: Kaplan and Meier's estimate, at that month, and nobody is left after the second.
    assert!(derived.method.starts_with("Kaplan–Meier"));
    let found: Vec<[f64; 4]> = derived.tables[0]
        .rows
        .iter()
        .map(|r| [1, 4, 7, 8].map(|at| number(&r[at])))
        .collect();
    assert_eq!(found, [[0.0, 0.75, 0.75, 0.75], [1.0, 0.375, 0.375, 0.375]]);
    assert_eq!(derived.tables[1].rows[0][2], Value::Number(1.0));
    assert_eq!(derived.tables[1].rows[0][4], Value::Number(1.0));
    // A predicate that only asks whether there is a value leaves nobody unknown.
    let sql = "SELECT count(*) AS n, count(*) FILTER (WHERE ill IS NULL) AS missing FROM t";
    let rows = [vec![n(20), n(11)]];
    let told = run_over(
        &registry,
        sql,
        "proportions cases=missing total=n",
        &rows,
        0,
    );
    assert_eq!(told.notes, Vec::<String>::new());
}

/// The note is of patients whose outcome depends on what is missing, and of no others.
#[test]
fn what_is_missing_need_not_be_unknown() {
    let registry = registry();
    let notes = |sql: &str, text: &str| -> Vec<String> {
        let rows = [vec![n(20), n(11)]];
        run_over(&registry, sql, text, &rows, 0).notes
    };
    let all = "proportions cases=d total=n";
    for quiet in [
        // Who has no value is a case.
        "SELECT count(*) AS n, count(*) FILTER (WHERE ill IS NOT TRUE) AS d FROM t",
        // The same condition in both.
        "SELECT count(*) FILTER (WHERE ill IS NOT TRUE) AS n, count(*) FILTER (WHERE ill IS NOT TRUE AND died) AS d FROM t",
        "SELECT count(*) FILTER (WHERE ill OR days > 5) AS n, count(*) FILTER (WHERE (ill OR days > 5) AND died) AS d FROM t",
        "SELECT count(ill) AS n, sum(ill) AS d FROM t",
    ] {
        assert_eq!(notes(quiet, all), Vec::<String>::new(), "{quiet}");
    }
    let told = notes(
        "SELECT count(*) FILTER (WHERE ill OR died) AS n, sum(ill) AS d FROM t",
        all,
    );
    assert!(told[0].contains("add `ill IS NOT NULL` to WHERE, or to the FILTERs of d and n"));
    let told = notes(
        "SELECT sum(days) FILTER (WHERE died) AS n, sum(died) AS d FROM t",
        "rates events=d time=n",
    );
    assert_eq!(
        told,
        ["By their conditions every patient of n is one of d."]
    );
    // An outcome of the group's own column is known in every group.
    let sql = "SELECT ill, count(*) AS n, count(*) FILTER (WHERE died) AS d FROM t GROUP BY ill";
    let row = |key| vec![key, n(20), n(11)];
    let rows = [row(key("false")), row(key("true")), row(Cell::Null)];
    let text = "two-by-two exposure=ill cases=d total=n";
    assert_eq!(
        run_over(&registry, sql, text, &rows, 0).notes,
        ["Left out: patients of other groups, or none, of ill, 20 of n."]
    );
}

#[test]
fn a_p_that_is_too_small_is_not_0() {
    let sql = "SELECT grp, died, count(*) AS n FROM t GROUP BY grp, died";
    let row = |g: &str, d: &str, count| vec![key(g), key(d), n(count)];
    let rows = [
        row("NULL", "false", 0),
        row("NULL", "true", 9_000),
        row("x", "false", 9_000),
        row("x", "true", 0),
    ];
    let text = "two-by-two exposure=grp exposed=NULL unexposed=x outcome=died count=n";
    let tests = &run_over(&registry(), sql, text, &rows, 0).tables[2].rows;
    assert_eq!(tests[0][3], Value::from("<1e-300"));
    assert_eq!(tests[1][3], Value::from("<1e-300"));
}

/// What the counts do not define is explained beside a note of whom the analysis leaves out.
#[test]
fn an_undefined_number_is_explained_though_others_are_left_out() {
    let sql = "SELECT grp, died, count(*) AS n FROM t GROUP BY grp, died";
    let row = |group: Cell, died: &str, count| vec![group, key(died), n(count)];
    let rows = [
        row(key("NULL"), "false", 5),
        row(key("NULL"), "true", 0),
        row(key("x"), "false", 4),
        row(key("x"), "true", 3),
        row(Cell::Null, "false", 2),
        row(Cell::Null, "true", 0),
    ];
    let text = "two-by-two exposure=grp exposed=NULL unexposed=x outcome=died count=n";
    let derived = run_over(&registry(), sql, text, &rows, 0);
    assert_eq!(
        derived.tables[1].rows[0][1],
        Value::Missing,
        "no odds ratio"
    );
    assert_eq!(derived.notes.len(), 2, "{:?}", derived.notes);
    assert!(derived.notes[1].starts_with("Numbers that the counts do not define"));
}

/// Each cell that an analysis needs and does not have is named, and not only the first.
#[test]
fn notes_name_all_hidden_cells() {
    let registry = registry();
    let sql = "SELECT grp, count(*) AS n, sum(died) AS d, sum(days) AS t, avg(days) AS m, stddev_samp(days) AS s \
        FROM t GROUP BY grp";
    let hidden = || Cell::Suppressed(11);
    let rows = ["NULL", "x"].map(|group| {
        let mut row = vec![key(group)];
        row.resize_with(6, hidden);
        row
    });
    let told = |labels: &[&str], group: &str| {
        let told = |label| format!("{label} of {group} is hidden by the release rule (<11).");
        let told: Vec<String> = labels.iter().map(told).collect();
        told.join(" ")
    };
    let groups = ["\"NULL\"", "x"];
    for (text, labels, together) in [
        ("proportions cases=d total=n", &["d", "n"][..], false),
        ("means mean=m sd=s n=n", &["m", "s", "n"], false),
        ("rates events=d time=t", &["d", "t"], false),
        (
            "welch by=grp first=NULL second=x mean=m sd=s n=n",
            &["m", "s", "n"],
            true,
        ),
        (
            "two-by-two exposure=grp exposed=NULL unexposed=x cases=d total=n",
            &["d", "n"],
            true,
        ),
        (
            "standardised-rates events=d time=t strata=grp weights=NULL:1,x:1",
            &["d", "t"],
            true,
        ),
    ] {
        let each = groups.map(|g| told(labels, g));
        let wanted = match together {
            true => vec![each.join(" ")],
            false => each.to_vec(),
        };
        assert_eq!(run_over(&registry, sql, text, &rows, 0).notes, wanted);
    }
    let mut rows = arms();
    rows[0][2] = hidden();
    rows[1][2] = hidden();
    let text = "survival time=bin leaving=n events=events by=grp";
    let notes = run_over(&registry, CURVES, text, &rows, 0).notes;
    let why = "(<11). n of \"NULL\", 2";
    assert!(notes[0].contains(why), "{notes:?}");
}

/// Of codes with commas, colons, quotes and backslashes, in each way in which they can be written.
#[test]
fn any_code_can_have_a_weight() {
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[column]]\nname = \"site\"\ntype = \"category\"\n\
        codes = ['1,5', '2', 'a:b', 'say \"hi\"', '\"q\"', 'b\\s', 'c:1,d']\n\
        [[column]]\nname = \"ev\"\ntype = \"boolean\"\n";
    let registry = Registry::from_toml(text).unwrap();
    let sql = "SELECT site, sum(ev) AS e, count(*) AS n FROM t GROUP BY site";
    let read = |weights: &str| {
        let text = format!("standardised-rates events=e time=n strata=site weights={weights}");
        parse_over(&registry, sql, &text)
    };
    let within = r#""\"1,5\":1,2:2,a:b:3,say \"hi\":4,\"\\\"q\\\"\":5,b\\s:6,\"c:1,d\":7""#;
    let parts = r#""1,5":1,2:2,"a:b":3,"say \"hi\"":4,"\"q\"":5,b\s:6,c:1","d:7"#;
    let [a, b] = [within, parts].map(|w| read(w).unwrap());
    assert_eq!(a, b);
    let written = a.to_string();
    assert!(written.ends_with(&format!("weights={within}")), "{written}");
    assert_eq!(parse_over(&registry, sql, &written).unwrap(), a);
    let Analysis::Standardised(spec) = a else {
        panic!()
    };
    let codes = ["1,5", "2", "a:b", "say \"hi\"", "\"q\"", "b\\s", "c:1,d"];
    let wanted: Vec<(String, u64)> = codes.map(str::to_owned).into_iter().zip(1..).collect();
    assert_eq!(spec.weights, wanted);
    for weights in ["1,5:3,2:4", "\"1,5:3,2:4\""] {
        let message = read(weights).unwrap_err();
        let cure = "weights: '1' is not VALUE:PERSONS; put a VALUE with a comma into double quotes, weights=\"1,5\":300,2:400";
        assert!(message.contains(cure), "{message}");
    }
    assert!(
        read(r#""\"1,5:3,2:4""#)
            .unwrap_err()
            .contains("a \" is not closed")
    );
}
