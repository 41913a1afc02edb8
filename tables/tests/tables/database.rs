//! A PostgreSQL database as a source, by the program as a data team runs it. A server is named by
//! GALEN_TEST_POSTGRES (see `.ci/postgres`); without one these tests say so and pass.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use galen_tables::{build, check};

use crate::common::{Folder, query};
use crate::server::{Server, program, text};

#[test]
fn each_type_is_read_as_it_is() {
    let Some(mut server) = Server::new() else {
        return;
    };
    server.run(
        "CREATE DOMAIN years AS smallint; CREATE TYPE mood AS ENUM ('low', 'high');
         CREATE TABLE t (id bigint, i2 smallint, i4 int, y years, f4 real, f8 double precision, n numeric,
           n51 numeric(5, 1), b boolean, d date, ts timestamp, tz timestamptz, t text, v varchar(9), c char(3),
           u uuid, j jsonb, m mood, \"Caps\" text);
         INSERT INTO t VALUES
           (-9223372036854775808, -1, 2, 70, 3.1, 0.1, 1.10, 2.5, true, '1976-01-19', '1976-01-19 22:58:16.5',
            '1976-01-19 22:58:16-05', 'a,\"b\"' || chr(10) || 'c', '', 'x', '00000000-0000-0000-0000-000000000001',
            '{\"k\": 1}', 'low', 'C'),
           (9007199254740993, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            NULL, NULL, NULL, NULL)",
    );
    let folder = Folder::with(&[]);
    let rows = server.rows(
        &folder,
        "SELECT id AS patient_id, i2, i4, y, f4, f8, n, n51, b, d, ts, tz, t, v, c, u, j, m, \"Caps\" AS caps \
         FROM omop.t ORDER BY 1",
    );
    assert_eq!(
        rows[0],
        [
            "-9223372036854775808",
            "-1",
            "2",
            "70",
            "3.1",
            "0.1",
            "1.1",
            "2.5",
            "true",
            "1976-01-19",
            "1976-01-19T22:58:16.500",
            "1976-01-20T03:58:16Z",
            "a,\"b\"\nc",
            "",
            "x",
            "00000000-0000-0000-0000-000000000001",
            "{\"k\": 1}",
            "low",
            "C"
        ]
    );
    assert_eq!(rows[1][0], "9007199254740993");
    assert!(rows[1][1..].iter().all(|v| v == "-"), "{:?}", rows[1]);
    // One text alone, empty in a row: still a row.
    server.run("CREATE TABLE one (v text); INSERT INTO one VALUES (''), (NULL), ('x')");
    assert_eq!(
        server.rows(&folder, "SELECT count(*) AS patient_id FROM one ORDER BY 1"),
        [["3"]]
    );
    assert_eq!(
        server.rows(
            &folder,
            "SELECT coalesce(v, 'null') || '.' AS patient_id FROM one ORDER BY 1"
        ),
        [["."], ["null."], ["x."]]
    );
}

#[test]
fn conditions_give_the_same_rows_wherever_they_are_applied() {
    let Some(mut server) = Server::new() else {
        return;
    };
    server.run(
        "CREATE TABLE t AS SELECT i::bigint AS id, (i % 7)::int AS k, CASE WHEN i % 5 = 0 THEN NULL ELSE i % 3 = 0 END AS b,
           DATE '2020-01-01' + i AS d, CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN 'a''b' WHEN 2 THEN 'ä' END AS t,
           i::numeric / 7 AS f FROM generate_series(1, 1000) i",
    );
    let folder = Folder::with(&[]);
    for condition in [
        "k = 3",
        "k IN (1, 2, 9)",
        "k NOT IN (1, 2)",
        "k > 2 AND k <= 5",
        "NOT (k = 3)",
        "b",
        "NOT b",
        "b IS NULL",
        "b = true",
        "d >= DATE '2020-06-01' AND d < DATE '2021-01-01'",
        "t = ''",
        "t IS NULL",
        "t = 'a''b' OR k = 0",
        "t > 'a'",
        "t IN ('ä', '')",
        "f > 100.5",
        "id BETWEEN 10 AND 20",
        "k + 1 = 3",
        "CAST(d AS VARCHAR) LIKE '2020-02%'",
    ] {
        let wanted = server.number(&format!(
            "SELECT count(*) FROM t WHERE {}",
            condition.replace("t > 'a'", "t COLLATE \"C\" > 'a'")
        ));
        let sql = format!("SELECT count(*) AS patient_id FROM t WHERE {condition} ORDER BY 1");
        assert_eq!(
            server.rows(&folder, &sql),
            [[wanted.to_string()]],
            "{condition}"
        );
    }
}

/// The tables of a real OMOP export, read from files and from the database they were loaded into.
#[test]
fn a_database_gives_the_table_of_its_files_to_the_byte() {
    let Some(mut server) = Server::new() else {
        return;
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = here.join("../../shared/data/omop-gibleed");
    if !data.is_dir() {
        eprintln!("skipped: the shared data set omop-gibleed is absent");
        return;
    }
    let mapping = here.join("../tests/fixtures/gibleed/mapping.toml");
    let plan = check(&mapping, Some(&data)).unwrap();
    for source in &plan.sources {
        let columns = source.columns.iter().map(|(name, kind)| {
            let kind = match kind.as_str() {
                "int64" => "integer",
                "float64" => "numeric",
                "boolean" => "boolean",
                "date" => "date",
                "timestamp(us)" => "timestamp",
                _ => "varchar",
            };
            format!("{name} {kind}")
        });
        let columns: Vec<String> = columns.collect();
        server.run(&format!(
            "CREATE TABLE {} ({})",
            source.name,
            columns.join(", ")
        ));
        server.load(&source.name, &std::fs::read(&source.files[0].file).unwrap());
    }
    let folder = Folder::with(&[]);
    let from_files = build(&mapping, Some(&data), &folder.path("files.parquet")).unwrap();
    let written = std::fs::read_to_string(&mapping).unwrap();
    let (head, _) = written.split_once("[[source]]").unwrap();
    let other = folder.path("db.toml");
    std::fs::copy(
        mapping.with_file_name("registry.toml"),
        folder.path("registry.toml"),
    )
    .unwrap();
    std::fs::write(
        &other,
        format!("{head}[source.omop]\nurl_env = \"OMOP_URL\"\n"),
    )
    .unwrap();
    let out = folder.path("db.parquet");
    let output = program(&other, &out, &server.url)
        .arg("--json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["sha256"], from_files.sha256);
    assert_eq!(
        std::fs::read(&out).unwrap(),
        std::fs::read(&from_files.out).unwrap()
    );
    assert_eq!(report["snapshot"]["source"], "omop");
    let names = report["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let mut expected: Vec<String> = plan
        .sources
        .iter()
        .map(|s| format!("omop.{}", s.name))
        .collect();
    expected.sort();
    assert_eq!(names, expected);
}

/// Rows that are added while a build waits between its tables are in none of them.
#[test]
fn all_tables_are_of_one_moment() {
    let Some(mut server) = Server::new() else {
        return;
    };
    // The build reads `a`, whose view waits, and then counts `b`, which grows meanwhile.
    server.run(
        "CREATE TABLE b (id bigint); INSERT INTO b VALUES (1);
         CREATE VIEW a AS SELECT 1::bigint AS id, pg_sleep(1.5)::text AS slept",
    );
    let folder = Folder::with(&[]);
    let sql = "SELECT count(*) AS patient_id FROM b WHERE id > (SELECT max(id) - 1 FROM a WHERE slept = '') ORDER BY 1";
    let mapping = format!(
        "[mapping]\ntitle = \"test\"\nsql = \"\"\"{sql}\"\"\"\n[source.omop]\nurl_env = \"OMOP_URL\"\n"
    );
    std::fs::write(folder.path("db.toml"), mapping).unwrap();
    let mut child = program(
        &folder.path("db.toml"),
        &folder.path("db.parquet"),
        &server.url,
    )
    .stdout(std::process::Stdio::null())
    .spawn()
    .unwrap();
    wait_for_a_query(&mut server);
    server.run("INSERT INTO b SELECT generate_series(2, 100)");
    assert!(child.wait().unwrap().success());
    assert_eq!(
        query(&folder.path("db.parquet"), "SELECT * FROM t"),
        [["1"]]
    );
}

/// Until the program's slow query runs.
fn wait_for_a_query(server: &mut Server) {
    let until = Instant::now() + Duration::from_secs(30);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'galen-tables' AND datname = \
                   current_database() AND state = 'active' AND query LIKE 'COPY%'";
    while server.number(running) == 0 {
        assert!(Instant::now() < until, "no query runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_connection_that_is_lost_leaves_nothing() {
    let Some(mut server) = Server::new() else {
        return;
    };
    server.run(
        "CREATE VIEW slow AS SELECT i::bigint AS id, CASE WHEN i % 1000 = 0 THEN pg_sleep(0.05)::text END AS s \
         FROM generate_series(1, 1000000) i",
    );
    let folder = Folder::with(&[]);
    let mapping = "[mapping]\ntitle = \"test\"\nsql = \"SELECT id AS patient_id, s FROM omop.slow ORDER BY 1\"\n\
                   [source.omop]\nurl_env = \"OMOP_URL\"\n";
    std::fs::write(folder.path("db.toml"), mapping).unwrap();
    let child = program(
        &folder.path("db.toml"),
        &folder.path("db.parquet"),
        &server.url,
    )
    .stdout(std::process::Stdio::piped())
    .stderr(std::process::Stdio::piped())
    .spawn()
    .unwrap();
    wait_for_a_query(&mut server);
    server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'galen-tables' \
         AND datname = current_database() AND query LIKE 'COPY%'",
    );
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let said = text(&output);
    assert!(
        said.contains("table slow") && said.contains("build again"),
        "{said}"
    );
    let left: Vec<PathBuf> = std::fs::read_dir(folder.path(""))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(left, [folder.path("db.toml")]);
}

#[test]
fn bad_databases() {
    let Some(mut server) = Server::new() else {
        return;
    };
    server.run(
        "CREATE TABLE t (id bigint, d date, f numeric(38, 0)); INSERT INTO t VALUES (1, 'infinity', 1);
         CREATE TABLE hidden (id bigint); CREATE ROLE reader_of_nothing LOGIN PASSWORD 'sesame'; CREATE SCHEMA empty",
    );
    let folder = Folder::with(&[]);
    let said = server.refused(&folder, "SELECT id AS patient_id, d FROM t ORDER BY 1");
    assert!(
        said.contains("table t, column d") && said.contains("not shown"),
        "{said}"
    );
    let said = server.refused(&folder, "SELECT id AS patient_id FROM tt ORDER BY 1");
    assert!(
        said.contains("omop.t") && said.contains("omop.hidden"),
        "{said}"
    );
    let said = server.refused(&folder, "SELECT id AS patient_id, e FROM t ORDER BY 1");
    assert!(said.contains("t has: id, d, f"), "{said}");

    let stranger = server.url.replace("postgres@", "reader_of_nothing:sesame@");
    let wrong_database = server.url.replace(&server.name, "nowhere");
    let out = folder.path("db.parquet");
    let attempts = [
        (stranger.as_str(), "permission denied for table t"),
        (
            &wrong_database,
            "the server says: database \"nowhere\" does not exist",
        ),
        (
            "postgres://u:sesame@127.0.0.1:1/x?sslmode=disable",
            "could not be made",
        ),
        ("postgres://u:ses@me@[x/omop", "%40"),
        (
            "mysql://u:sesame@localhost/x",
            "no URL of a PostgreSQL database",
        ),
        (
            "postgres://u:sesame@127.0.0.1:1/x?sslmode=sometimes",
            "OMOP_URL",
        ),
    ];
    let mapping = "[mapping]\ntitle = \"test\"\nsql = \"SELECT id AS patient_id FROM t ORDER BY 1\"\n\
                   [source.omop]\nurl_env = \"OMOP_URL\"\n";
    std::fs::write(folder.path("db.toml"), mapping).unwrap();
    for (url, expected) in attempts {
        let output = program(&folder.path("db.toml"), &out, url)
            .output()
            .unwrap();
        let said = text(&output);
        assert!(
            !output.status.success() && said.contains(expected),
            "{url}: {said}"
        );
        assert!(
            !said.contains("sesame") && !said.contains("ses@me"),
            "{said}"
        );
    }
    let unset = program(&folder.path("db.toml"), &out, "")
        .env_remove("OMOP_URL")
        .output()
        .unwrap();
    assert!(
        text(&unset).contains("the environment variable OMOP_URL is not set"),
        "{}",
        text(&unset)
    );
    std::fs::write(
        folder.path("db.toml"),
        format!("{mapping}schema = \"empty\"\n"),
    )
    .unwrap();
    let output = program(&folder.path("db.toml"), &out, &server.url)
        .output()
        .unwrap();
    assert!(
        text(&output).contains("its schema `empty` has no tables"),
        "{}",
        text(&output)
    );
    server.run("DROP OWNED BY reader_of_nothing; DROP ROLE reader_of_nothing");
}

#[test]
fn bad_mappings_of_databases() {
    let folder = Folder::with(&[]);
    let refused = |sources: &str| {
        let path = folder.path("mapping.toml");
        std::fs::write(
            &path,
            format!("[mapping]\ntitle = \"t\"\nsql = \"SELECT 1\"\n{sources}"),
        )
        .unwrap();
        check(&path, None).unwrap_err().to_string()
    };
    for (sources, expected) in [
        (
            "[source.omop]\nurl_env = \"X\"\npath = \"a.csv\"\n",
            "leave path and format out",
        ),
        (
            "[source.omop]\nurl_env = \"X\"\ndelimiter = \";\"\n",
            "leave delimiter out",
        ),
        (
            "[source.omop]\nurl_env = \"X\"\ntypes = { a = \"int\" }\n",
            "has its types",
        ),
        (
            "[source.omop]\nname = \"x\"\nurl_env = \"X\"\n",
            "needs no name",
        ),
        (
            "[source.omop]\nschema = \"cdm\"\n",
            "schema is for a database",
        ),
        ("[source.omop]\n", "url_env for a database"),
        ("[source.public]\nurl_env = \"X\"\n", "name is taken"),
        (
            "[source.a]\nurl_env = \"X\"\n[source.b]\nurl_env = \"Y\"\n",
            "one database",
        ),
        ("[[source]]\nurl_env = \"X\"\n", "missing field `name`"),
        ("[source.omop]\nurl_env = \"X\"\ncolour = 1\n", "line 6"),
        (
            "[source.omop]\nurl_env = \"X\"\n[source.Person]\npath = \"x\"\nformat = \"csv\"\n",
            "lower-case",
        ),
    ] {
        let text = refused(sources);
        assert!(
            text.contains("mapping.toml") && text.contains(expected),
            "{sources}: {text}"
        );
    }
}

/// The server quotes the value that it fails on in its message, not in its detail alone.
#[test]
fn a_value_that_the_server_fails_on_is_not_shown() {
    let Some(mut server) = Server::new() else {
        return;
    };
    server.run(
        "CREATE TABLE raw (id bigint, weight text); INSERT INTO raw VALUES (1, '70'), (2, 'NHS 943 476 5919 Doe Jane');
         CREATE VIEW patients AS SELECT id, weight::numeric AS weight FROM raw",
    );
    let folder = Folder::with(&[]);
    let text = server.refused(
        &folder,
        "SELECT id AS patient_id, weight FROM patients ORDER BY 1",
    );
    assert!(
        text.contains("table patients") && text.contains("22P02"),
        "{text}"
    );
    assert!(!text.contains("943") && !text.contains("Doe"), "{text}");
}

/// Rows that a policy hides from the reader are not missing without a word.
#[test]
fn rows_that_the_server_hides_refuse_the_build() {
    let Some(mut server) = Server::new() else {
        return;
    };
    let reader = format!("reader_{}", std::process::id());
    server.run(&format!(
        "CREATE TABLE t (id bigint); INSERT INTO t VALUES (1), (2), (3); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         CREATE POLICY few ON t USING (id < 3); CREATE ROLE {reader} LOGIN; GRANT SELECT ON t TO {reader}"
    ));
    let user = server.url.split_once("://").unwrap().1;
    let user = user
        .split_once('@')
        .map_or(user, |(_, rest)| rest)
        .to_owned();
    server.url = format!("postgres://{reader}@{user}");
    let folder = Folder::with(&[]);
    let text = server.refused(&folder, "SELECT id AS patient_id FROM t ORDER BY 1");
    server.run(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"));
    assert!(text.contains("row-level security"), "{text}");
}
