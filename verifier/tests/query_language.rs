//! What the query language accepts beside WHERE, and every refusal's message.

use galen_verifier::query::{
    Aggregate, CohortQuery, OutputValue, Predicate, QueryError, parse_query,
};
use galen_verifier::registry::Registry;

fn registry() -> Registry {
    Registry::from_toml(include_str!("study.toml")).unwrap()
}

fn parse(sql: &str) -> Result<CohortQuery, QueryError> {
    parse_query(sql, &registry())
}

#[test]
fn aggregates_and_their_names() {
    let sql = "SELECT count(*), count(1), COUNT(age), sum(age) AS \"Total\", sum(bmi*bmi), \
               sum(bmi^2), sum(power(bmi, 2)), avg(htn), var_samp(age) v, variance(age), \
               var_pop(age), stddev(bmi), stddev_samp(bmi), stddev_pop(bmi) AS Spread, sum(htn) \
               FROM Breast_Cancer b;";
    let query = parse(sql).unwrap();
    let found: Vec<_> = query
        .outputs
        .iter()
        .map(|o| match &o.value {
            OutputValue::Aggregate(a) => (o.label.as_str(), a.clone()),
            OutputValue::Key(_) => unreachable!(),
        })
        .collect();
    let expected = [
        ("count", Aggregate::CountAll),
        ("count", Aggregate::CountAll),
        ("count", Aggregate::Count(0)),
        ("Total", Aggregate::Sum(0)),
        ("sum", Aggregate::SumOfSquares(1)),
        ("sum", Aggregate::SumOfSquares(1)),
        ("sum", Aggregate::SumOfSquares(1)),
        ("avg", Aggregate::Avg(6)),
        ("v", Aggregate::VarSamp(0)),
        ("variance", Aggregate::VarSamp(0)),
        ("var_pop", Aggregate::VarPop(0)),
        ("stddev", Aggregate::StddevSamp(1)),
        ("stddev_samp", Aggregate::StddevSamp(1)),
        ("spread", Aggregate::StddevPop(1)),
        ("sum", Aggregate::Sum(6)),
    ];
    assert_eq!(found, expected);
    assert_eq!(query.filter, Predicate::Always);
    assert!(query.group_by.is_empty());
}

#[test]
fn groups() {
    let query = parse(
        "SELECT b.htn, count(*) AS n, grade AS g FROM breast_cancer AS b \
         WHERE b.age >= 40 GROUP BY grade, b.htn",
    )
    .unwrap();
    assert_eq!(query.group_by, [3, 6]);
    assert_eq!(query.outputs[0].value, OutputValue::Key(1));
    assert_eq!(query.outputs[0].label, "htn");
    assert_eq!(query.outputs[2].value, OutputValue::Key(0));
    assert_eq!(query.outputs[2].label, "g");
    let keyless = parse("SELECT avg(age) FROM breast_cancer GROUP BY grade").unwrap();
    assert_eq!(keyless.group_by, [3]);
}

#[test]
fn a_registry_name_may_need_quotes() {
    let text = include_str!("study.toml").replace("\"breast_cancer\"", "\"2-sites\"");
    let registry = Registry::from_toml(&text).unwrap();
    assert!(parse_query("SELECT count(*) FROM \"2-sites\"", &registry).is_ok());
    let error = parse_query("SELECT count(*) FROM sites", &registry).unwrap_err();
    insta::assert_snapshot!(error, @"");
}

/// Every refused construct with its message: one snapshot to read through.
#[test]
fn refusals() {
    let wheres = [
        "age = bmi",
        "age + 5 > 70",
        "-age < 5",
        "abs(age) > 3",
        "avg(age) > 3",
        "age",
        "1",
        "'x'",
        "grade < '2'",
        "grade BETWEEN '1' AND '3'",
        "htn > FALSE",
        "grade = '4'",
        "grade = 4",
        "gender = 'male'",
        "gender IN ('8507', '8508')",
        "grade = TRUE",
        "grade LIKE '1%'",
        "grade ~ '1'",
        "grade || 'x' = '1x'",
        "grade = 'a' COLLATE \"C\"",
        "age = '40'",
        "age = 'forty'",
        "age = TRUE",
        "age = DATE '2020-01-01'",
        "age = \"40\"",
        "htn = 2",
        "htn = (age > 5)",
        "birth > 2000",
        "birth > '2000'",
        "birth > DATE '2021-02-29'",
        "birth > DATE '2000-01-01' + INTERVAL '1 year'",
        "birth > now()",
        "birth > CURRENT_DATE",
        "EXTRACT(year FROM birth) = 1980",
        "age::text = '4'",
        "agee > 4",
        "wholly_unknown > 4",
        "x.age > 4",
        "patient_id = 'p1'",
        "consent_research",
        "age IN (1, bmi)",
        "age + 1 IN (1, 2)",
        "(age, bmi) = (1, 2)",
        "age IN (SELECT 1)",
        "EXISTS (SELECT 1)",
        "age = (SELECT 1)",
        "age = ANY (ARRAY[1, 2])",
        "CASE WHEN htn THEN TRUE ELSE FALSE END",
        "age IS DISTINCT FROM 4",
        "age IS TRUE",
        "'a' = 'b'",
        "age = $1",
        "age = 0x10",
        "row_number() OVER () = 1",
        "age = 40 AND",
        "age = 'open",
        "age == = 4",
    ];
    let queries = [
        "",
        "SELECT min(age) FROM breast_cancer",
        "SELECT count(*),\n       max(age) FROM breast_cancer",
        "SELECT string_agg(grade, ',') FROM breast_cancer",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age) FROM breast_cancer",
        "SELECT cuont(*) FROM breast_cancer",
        "SELECT sum(*) FROM breast_cancer",
        "SELECT sum(age, bmi) FROM breast_cancer",
        "SELECT sum(age * bmi) FROM breast_cancer",
        "SELECT sum(age + 1) FROM breast_cancer",
        "SELECT sum(grade) FROM breast_cancer",
        "SELECT avg(birth) FROM breast_cancer",
        "SELECT var_samp(htn) FROM breast_cancer",
        "SELECT sum(htn * htn) FROM breast_cancer",
        "SELECT count(NULL) FROM breast_cancer",
        "SELECT count(DISTINCT grade) FROM breast_cancer",
        "SELECT count(*) FILTER (WHERE htn) FROM breast_cancer",
        "SELECT count(*) OVER () FROM breast_cancer",
        "SELECT avg(age) - avg(bmi) FROM breast_cancer",
        "SELECT age FROM breast_cancer",
        "SELECT age, count(*) FROM breast_cancer GROUP BY grade",
        "SELECT * FROM breast_cancer",
        "SELECT breast_cancer.* FROM breast_cancer",
        "SELECT 1 FROM breast_cancer",
        "SELECT CASE WHEN htn THEN 1 END FROM breast_cancer",
        "SELECT count(patient_id) FROM breast_cancer",
        "SELECT grade FROM breast_cancer GROUP BY grade",
        "SELECT count(*) FROM breast_cancer GROUP BY age",
        "SELECT count(*) FROM breast_cancer GROUP BY 1",
        "SELECT count(*) FROM breast_cancer GROUP BY age > 5",
        "SELECT count(*) FROM breast_cancer GROUP BY ALL",
        "SELECT count(*) FROM breast_cancer GROUP BY ROLLUP (grade)",
        "SELECT count(*) FROM breast_cancer GROUP BY grade, grade",
        "SELECT count(*) FROM breast_cancer GROUP BY grade, gender, htn",
        "SELECT count(*)",
        "SELECT count(*) FROM lung_cancer",
        "SELECT count(*) FROM public.breast_cancer",
        "SELECT count(*) FROM breast_cancer, visits",
        "SELECT count(*) FROM breast_cancer b JOIN visits v ON b.id = v.id",
        "SELECT count(*) FROM (SELECT 1) x",
        "SELECT count(*) FROM f(1)",
        "SELECT count(*) FROM breast_cancer AS b (x, y)",
        "SELECT count(*) FROM breast_cancer b WHERE breast_cancer.age > 4",
        "SELECT DISTINCT count(*) FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer HAVING count(*) > 5",
        "SELECT count(*) FROM breast_cancer ORDER BY 1",
        "SELECT count(*) FROM breast_cancer LIMIT 5",
        "WITH x AS (SELECT 1) SELECT count(*) FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer UNION SELECT count(*) FROM breast_cancer",
        "SELECT count(*) INTO x FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer FOR UPDATE",
        "SELECT count(*) FROM breast_cancer; SELECT count(*) FROM breast_cancer",
        "DROP TABLE breast_cancer",
        "VALUES (1)",
        "SELECT count(*) AS \"\" FROM breast_cancer",
    ];
    let from = "SELECT count(*) FROM breast_cancer WHERE ";
    let all = wheres.iter().map(|w| (*w, format!("{from}{w}")));
    let all = all.chain(queries.iter().map(|q| (*q, (*q).to_owned())));
    let mut text = String::new();
    for (shown, sql) in all {
        let answer = match parse(&sql) {
            Ok(query) => format!("ACCEPTED {query:?}"),
            Err(e) => e.to_string(),
        };
        text += &format!("{shown}\n    {answer}\n");
    }
    assert!(!text.contains("ACCEPTED"), "{text}");
    insta::assert_snapshot!(text, @"");
}

/// Hostile sizes end in an error, on a small stack, and soon.
#[test]
fn limits() {
    let run = || {
        let from = "SELECT count(*) FROM breast_cancer WHERE ";
        let repeat = |n: usize, what: &str, tail: &str| format!("{from}{}{tail}", what.repeat(n));
        let texts = [
            repeat(10_000, "(", "htn"),
            repeat(150, "(", &format!("htn{}", ")".repeat(150))),
            repeat(3_000, "NOT ", "htn"),
            repeat(3_000, "- ", "1 = age"),
            repeat(2_000, "age+", "age > 1"),
            repeat(2_040, "1+", "1 = age"),
            repeat(4_000, "TRUE OR ", "htn"),
            repeat(60_000, "x", ""),
            repeat(70_000, "x", ""),
            format!("{from}htn{}", " IS TRUE".repeat(1_500)),
            format!("{from}htn{}", " IS NULL".repeat(1_500)),
            format!("{from}age{}", "::int".repeat(1_000)),
            format!("{from}age = {} ", "[1]".repeat(1_000)),
            format!("{from}age = (SELECT 1 WHERE {}1)", "1+".repeat(2_000)),
            format!("SELECT {}1 FROM breast_cancer", "1+".repeat(2_000)),
            format!(
                "SELECT {}count(*) FROM breast_cancer",
                "count(*),".repeat(64)
            ),
            (0..40).fold(format!("{from}age > 1"), |s, i| {
                let s = s.replacen("WHERE ", "WHERE (", 1);
                format!("{s} AND platelets > {i} OR htn) IS UNKNOWN")
            }),
        ];
        for sql in texts {
            let start = std::time::Instant::now();
            let shown: String = sql.chars().take(60).collect();
            assert!(parse(&sql).is_err(), "{shown}");
            assert!(start.elapsed().as_secs() < 10, "{shown}");
        }
        let deep = format!("{from}{}htn{}", "(".repeat(80), ")".repeat(80));
        assert!(parse(&deep).is_ok());
        let wide = format!("{from}{}htn", "htn AND ".repeat(2_000));
        assert!(parse(&wide).is_ok());
        let many: Vec<String> = (0..9_000).map(|i| (i * 7 % 10_000).to_string()).collect();
        let list = format!("{from}platelets NOT IN ({})", many.join(","));
        assert_eq!(parse(&list).unwrap().filter.leaves(), 1);
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(run)
        .unwrap();
    thread.join().unwrap();
}

#[test]
fn too_many_leaves() {
    let member = |i: usize| format!("(age = {} AND bmi > {})", i % 100, 11 + i / 100);
    let members = |n: usize| (0..n).map(member).collect::<Vec<_>>().join(" OR ");
    let from = "SELECT count(*) FROM breast_cancer WHERE ";
    assert!(parse(&format!("{from}{}", members(128))).is_ok());
    let error = parse(&format!("{from}{}", members(129))).unwrap_err();
    insta::assert_snapshot!(error, @"");
}
