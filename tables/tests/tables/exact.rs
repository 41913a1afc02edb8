//! The SQL's values are PostgreSQL's, or an error: dates as written, no integer that wraps, rounding casts.

use crate::common::Folder;

const CSV: &str = "path = \"t.csv\"\nformat = \"csv\"";

/// One row of the SQL's expressions over one row of `cells`, named a, b, …
fn values(cells: &str, expressions: &[&str]) -> Vec<String> {
    let (folder, sql) = one_row(cells, expressions);
    let mut rows = folder.rows(CSV, &sql);
    assert_eq!(rows.len(), 1);
    rows.remove(0).split_off(1)
}

/// What is said of one expression that cannot be computed; it may not hold the cells.
fn refused(cells: &str, expression: &str) -> String {
    let (folder, sql) = one_row(cells, &[expression]);
    let secrets: Vec<&str> = cells.split(';').filter(|c| c.len() > 4).collect();
    folder.refused(CSV, &sql, &secrets)
}

fn one_row(cells: &str, expressions: &[&str]) -> (Folder, String) {
    let names: Vec<String> = ('a'..='z')
        .take(cells.split(';').count())
        .map(String::from)
        .collect();
    let quoted: Vec<String> = cells.split(';').map(|c| format!("\"{c}\"")).collect();
    let text = format!("id,{}\n1,{}\n", names.join(","), quoted.join(","));
    let folder = Folder::with(&[("t.csv", text.as_bytes())]);
    let columns = expressions
        .iter()
        .enumerate()
        .map(|(i, e)| format!("{e} AS x{i}"));
    let columns: Vec<String> = columns.collect();
    let sql = format!(
        "SELECT id AS patient_id, {} FROM t ORDER BY 1",
        columns.join(", ")
    );
    (folder, sql)
}

#[test]
fn a_date_is_the_date_as_written() {
    let cells = "1976-01-19T22:58:16-05:00;2020-12-31T23:30:00+01:00;2021-01-01T00:30:00+02:00";
    let found = values(
        cells,
        &[
            "CAST(a AS DATE)",
            "a::date",
            "to_date(a)",
            "TRY_CAST(a AS DATE)",
            "to_date(left(b, 10), '%Y-%m-%d')",
            "date_part('year', CAST(b AS DATE))",
            "CAST(c AS DATE) - CAST(b AS DATE)",
            "CAST(c AS DATE) > DATE '2020-12-31'",
            "date_part('year', CAST(c AS TIMESTAMP WITH TIME ZONE))",
        ],
    );
    assert_eq!(
        found,
        [
            "1976-01-19",
            "1976-01-19",
            "1976-01-19",
            "1976-01-19",
            "2020-12-31",
            "2020",
            "1",
            "true",
            "2020"
        ]
    );
}

/// What would move a day to UTC by the way, in whatever function, is refused with what to write.
#[test]
fn bad_times_with_an_offset() {
    let cells = "2021-01-01T00:30:00+02:00";
    for expression in [
        "CAST(a AS TIMESTAMP)",
        "CAST(CAST(a AS TIMESTAMP) AS DATE)",
        "date_part('year', a)",
        "extract(year FROM a)",
        "date_trunc('day', a)",
        "a < TIMESTAMP '2021-01-01 00:00:00'",
    ] {
        let text = refused(cells, expression);
        assert!(
            text.contains("CAST(t.a AS ") && text.contains("as written"),
            "{expression}: {text}"
        );
    }
    for expression in [
        "to_timestamp(a)",
        "to_timestamp_seconds(a)",
        "to_date(a, '%Y-%m-%dT%H:%M:%S%:z')",
        "to_date(a, '%+')",
        "to_timestamp(a, '%Y-%m-%dT%H:%M:%S%z')",
    ] {
        let text = refused(cells, expression);
        assert!(text.contains("to UTC"), "{expression}: {text}");
    }
    let text = refused("1976-01", "CAST(a AS DATE)");
    assert!(text.contains("a date without its day"), "{text}");
}

/// A cast that no SQL writes: a comparison, a join, a UNION, a CASE.
#[test]
fn implicit_casts_are_exact_too() {
    let cells = "1976-01-19T22:58:16-05:00;70000";
    assert_eq!(
        values(
            cells,
            &[
                "a > DATE '1976-01-19'",
                "a = DATE '1976-01-19'",
                "a BETWEEN DATE '1976-01-18' AND DATE '1976-01-19'"
            ]
        ),
        ["false", "true", "true"]
    );
    let folder = Folder::with(&[("t.csv", b"id,a\n1,1976-01-19T22:58:16-05:00\n2,x\n")]);
    let joined = "SELECT t.id AS patient_id FROM t JOIN (SELECT DATE '1976-01-19' AS day) d \
                  ON d.day = TRY_CAST(t.a AS DATE) ORDER BY 1";
    assert_eq!(folder.rows(CSV, joined), [["1"]]);
    let subquery = "SELECT id AS patient_id, (SELECT max(TRY_CAST(u.a AS DATE)) FROM t u WHERE u.id = t.id) AS day \
                    FROM t ORDER BY 1";
    assert_eq!(
        folder.rows(CSV, subquery),
        [["1", "1976-01-19"], ["2", "-"]]
    );
}

/// What has another value than in PostgreSQL is refused, with what to write.
#[test]
fn bad_departures_from_postgresql() {
    let cells = "2024-01-31;2024-02-29 10:00:00;7;2020-06-15T23:30:00-05:00";
    for (expression, cure) in [
        ("c ^ 2", "power(x, y)"),
        (
            "b - TIMESTAMP '2024-01-01' > INTERVAL '29 days'",
            "compare numbers",
        ),
        ("INTERVAL '24 hours' = INTERVAL '1 day'", "compare numbers"),
        ("(c, c) < (8, 1)", "one by one"),
        ("a + INTERVAL '12 hours'", "AS TIMESTAMP first"),
        (
            "date_part('epoch', b - TIMESTAMP '1850-01-01')",
            "date_part('epoch', a) - date_part('epoch', b)",
        ),
        ("to_char(a, 'YYYY-MM-DD')", "strftime"),
        ("to_char(d, '%Y-%m-%d')", "CAST(x AS DATE)"),
        ("date_format(d, '%Y-%m-%d')", "CAST(x AS DATE)"),
        ("arrow_cast(d, 'Date32')", "write CAST"),
        ("d SIMILAR TO 'a.c'", "regular expression"),
    ] {
        let text = refused(cells, expression);
        assert!(text.contains(cure), "{expression}: {text}");
    }
    assert_eq!(
        values(
            cells,
            &[
                "a + INTERVAL '1 month'",
                "a + 5",
                "to_char(a, '%d.%m.%Y')",
                "to_char(CAST(d AS DATE), '%Y')",
                "b > a + INTERVAL '20 days'"
            ]
        ),
        ["2024-02-29", "2024-02-05", "31.01.2024", "2020", "true"]
    );
}

/// Branches of several types have the one that holds them all, whichever comes first.
#[test]
fn branches_lose_nothing() {
    let folder = Folder::with(&[(
        "t.csv",
        b"id,i,f,d\n1,7,79.5,2024-01-31\n2,-7,80.5,2024-02-29\n",
    )]);
    for (expression, expected) in [
        ("CASE WHEN i = 7 THEN 1 ELSE 2.5 END", ["1.0", "2.5"]),
        ("CASE WHEN i = 7 THEN i ELSE f END", ["7.0", "80.5"]),
        (
            "CASE WHEN i = 7 THEN 1 ELSE CAST(f AS DECIMAL(5, 2)) END",
            ["1.00", "80.50"],
        ),
        (
            "CASE WHEN i = 7 THEN CAST(i AS SMALLINT) ELSE 70000 END",
            ["7", "70000"],
        ),
        (
            "CASE WHEN i = 7 THEN d ELSE CAST('2024-02-29 10:00:00' AS TIMESTAMP) END",
            ["2024-01-31T00:00:00", "2024-02-29T10:00:00"],
        ),
    ] {
        let sql = format!("SELECT id AS patient_id, {expression} AS x FROM t ORDER BY 1");
        let rows = folder.rows(CSV, &sql);
        assert_eq!([&rows[0][1], &rows[1][1]], expected, "{expression}");
    }
    let sums = "SELECT id AS patient_id, sum(CASE WHEN i = 7 THEN 0 ELSE f END) AS x FROM t GROUP BY id ORDER BY 1";
    assert_eq!(folder.rows(CSV, sums), [["1", "0.0"], ["2", "80.5"]]);
    let union = "SELECT * FROM (SELECT 1 AS patient_id, CAST(7 AS SMALLINT) AS x, 1 AS y UNION ALL SELECT 2, 70000, 2.5) \
                 ORDER BY patient_id";
    assert_eq!(
        folder.rows(CSV, union),
        [["1", "7", "1.0"], ["2", "70000", "2.5"]]
    );
}

#[test]
fn bad_overflow() {
    let big = i64::MAX.to_string();
    let least = i64::MIN.to_string();
    let cells = format!("70000;{big};{least}");
    for expression in [
        "CAST(a AS INT) * CAST(a AS INT)",
        "CAST(a AS INT) + 2147483647::int",
        "b + 1",
        "c - 1",
        "b * 2",
        "-c",
        "c * -1",
        "CAST(a AS SMALLINT)",
    ] {
        let text = refused(&cells, expression);
        assert!(
            text.contains("too large for") || text.contains("too large for its type"),
            "{expression}: {text}"
        );
    }
    assert_eq!(
        values(
            &cells,
            &["a * a", "b - 1", "c + 1", "-a", "CAST(a AS INT) - 1"]
        ),
        [
            "4900000000",
            "9223372036854775806",
            "-9223372036854775807",
            "-70000",
            "69999"
        ]
    );
}

#[test]
fn bad_sums() {
    let text = format!("id,g,x\n1,a,{0}\n2,a,{0}\n3,b,5\n4,b,-7\n", i64::MAX);
    let folder = Folder::with(&[("t.csv", text.as_bytes())]);
    for sql in [
        "SELECT min(id) AS patient_id, sum(x) AS s FROM t ORDER BY 1",
        "SELECT min(id) AS patient_id, sum(x) AS s FROM t GROUP BY g ORDER BY 1",
        "SELECT id AS patient_id, sum(x) OVER (ORDER BY id) AS s FROM t ORDER BY 1",
        "SELECT id AS patient_id, sum(x) OVER (ORDER BY id ROWS 1 PRECEDING) AS s FROM t ORDER BY 1",
        "SELECT min(id) AS patient_id, sum(x) FILTER (WHERE id < 3) AS s FROM t ORDER BY 1",
    ] {
        let text = folder.refused(CSV, sql, &["92233720"]);
        assert!(text.contains("too large for"), "{sql}: {text}");
    }
    let distinct = "SELECT min(id) AS patient_id, sum(DISTINCT x) AS s, count(*) AS n FROM t WHERE x > 5 GROUP BY g";
    assert_eq!(
        folder.rows(CSV, distinct),
        [["1", &i64::MAX.to_string(), "2"]]
    );
    let fits = "SELECT min(id) AS patient_id, sum(x) AS s, sum(CAST(x + 0 AS SMALLINT)) AS r, sum(x + 0.5) AS f, \
                sum(CAST(x - 0 AS DECIMAL(5, 1))) AS d FROM t WHERE g = 'b' GROUP BY g";
    let report = folder.build(CSV, fits).unwrap();
    let types: Vec<&str> = report
        .columns
        .iter()
        .map(|c| c.data_type.as_str())
        .collect();
    assert_eq!(
        types,
        ["int64", "int64", "int64", "float64", "decimal(15, 1)"]
    );
    assert_eq!(
        crate::common::query(&report.out, "SELECT * FROM t"),
        [["3", "-2", "-2", "-1.0", "-2.0"]]
    );
    std::fs::remove_file(&report.out).unwrap();
    let widest =
        "SELECT min(id) AS patient_id, sum(CAST(x AS DECIMAL(38, 0))) AS s FROM t ORDER BY 1";
    let text = folder.refused(CSV, widest, &[]);
    assert!(text.contains("AS DECIMAL(28, 0))"), "{text}");
    let average = widest.replace("sum(", "avg(");
    assert!(
        folder
            .refused(CSV, &average, &[])
            .contains("AS DECIMAL(28, 0))")
    );
    let running = "SELECT id AS patient_id, sum(x) OVER (ORDER BY id ROWS 1 PRECEDING) AS s FROM t WHERE g = 'b' ORDER BY 1";
    assert_eq!(folder.rows(CSV, running), [["3", "5"], ["4", "-2"]]);
}

/// A sum over more rows than a batch, by more groups than one, spilled or not, is the exact one.
#[test]
fn sums_of_many_rows_are_exact() {
    let folder = Folder::with(&[("t.csv", b"id\n1\n")]);
    let sql = "SELECT g.value % 1000 AS patient_id, sum(g.value) AS s FROM generate_series(1, 100000) g, t \
               GROUP BY 1 ORDER BY 1";
    let rows = folder.rows(CSV, sql);
    assert_eq!(rows.len(), 1000);
    for row in &rows {
        let id: i64 = row[0].parse().unwrap();
        let expected: i64 = (1..=100_000i64).filter(|v| v % 1000 == id).sum();
        assert_eq!(row[1], expected.to_string());
    }
}

#[test]
fn a_cast_to_an_integer_rounds() {
    assert_eq!(
        values(
            "79.9;2.5;-0.5",
            &[
                "CAST(a AS BIGINT)",
                "CAST(b AS INT)",
                "CAST(CAST(b AS DECIMAL(5, 1)) AS INT)",
                "CAST(c AS BIGINT)",
                "CAST(CAST(a AS REAL) AS INT)",
                "TRY_CAST(a * 1e30 AS BIGINT)",
            ]
        ),
        ["80", "2", "3", "0", "80", "-"]
    );
    let text = refused("79.9", "CAST(a * 1e30 AS BIGINT)");
    assert!(text.contains("too large for that type"), "{text}");
}

#[test]
fn a_cast_names_itself_and_its_cure() {
    for (cell, expression, cure) in [
        (
            "123456.7",
            "CAST(a AS DECIMAL(5, 1))",
            "cast to a wider one",
        ),
        ("3,25 mg", "CAST(a AS DECIMAL(5, 2))", "no number"),
        ("3,25", "CAST(a AS DECIMAL(5, 2))", "replace(x, ',', '.')"),
        ("19.01.1976", "CAST(a AS DATE)", "to_date(x, '%d.%m.%Y')"),
    ] {
        let text = refused(cell, expression);
        assert!(
            text.contains("CAST(t.a AS ") && text.contains(cure),
            "{expression}: {text}"
        );
    }
}

#[test]
fn functions_of_other_engines_are_told_what_to_write() {
    let dates = "2020-01-01;2021-01-01";
    for expression in [
        "date_diff('day', a, b)",
        "datediff(a, b)",
        "age(a, b)",
        "date_part('day', a - b)",
        "b - a || ''",
    ] {
        if expression.starts_with('b') {
            assert_eq!(values(dates, &["b - a"]), ["366"]);
            continue;
        }
        let text = refused(dates, expression);
        assert!(text.contains("d1 - d2"), "{expression}: {text}");
        assert!(!text.contains("bug in DataFusion"), "{text}");
    }
    let times = "2020-01-01 10:00:00;2020-01-02 12:00:00";
    let text = refused(times, "b - a");
    assert!(text.contains("CAST(a AS DATE) - CAST(b AS DATE)"), "{text}");
    assert_eq!(
        values(
            times,
            &[
                "date_part('epoch', b) - date_part('epoch', a)",
                "CAST(b AS DATE) - CAST(a AS DATE)"
            ]
        ),
        ["93600.0", "1"]
    );
}

/// PostgreSQL has no operator for them: `007` and 7 would be one patient.
#[test]
fn a_text_is_not_compared_with_a_number() {
    let text = "00123;123;true";
    for expression in [
        "a = b",
        "b <> a",
        "a < 200",
        "a IN (123, 4)",
        "b IN (SELECT a FROM t)",
        "CASE b WHEN a THEN 1 END",
        "a BETWEEN 1 AND 2",
        "a IS DISTINCT FROM b",
        "(SELECT max(x.id) FROM t x JOIN t y ON x.a = y.b)",
        "(SELECT count(*) FROM (SELECT b AS k FROM t UNION ALL SELECT a FROM t) u)",
        "(SELECT count(*) FROM (SELECT a AS k FROM t UNION SELECT b FROM t) u)",
        "CASE WHEN c THEN a ELSE b END",
        "coalesce(b, a)",
        "nullif(a, 7)",
        "greatest(a, b)",
        "array_has([a], b)",
        "[a, b]",
    ] {
        let text = refused(text, expression);
        assert!(
            text.contains("whether 007 is 7 is for you to say"),
            "{expression}: {text}"
        );
    }
    let said = refused(text, "CASE WHEN a THEN 1 END");
    assert!(said.contains("is a text and no condition"), "{said}");
    let found = values(
        text,
        &[
            "CAST(a AS BIGINT) = b",
            "b = '123'",
            "a = '00123'",
            "a = CAST(b AS VARCHAR)",
        ],
    );
    assert_eq!(found, ["true", "true", "true", "false"]);
}

/// PostgreSQL 15's values, which are those of the digits that are written.
#[test]
fn a_float_is_rounded_to_a_decimal_as_it_is_written() {
    let cast = |x: &str| format!("CAST({x} AS DECIMAL(9, 2))");
    let found = values(
        "0.145;1.005;0.285;-2.675",
        &[&cast("a"), &cast("b"), &cast("c"), &cast("d")],
    );
    assert_eq!(found, ["0.15", "1.01", "0.29", "-2.68"]);
}
