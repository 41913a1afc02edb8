//! The result against a registry: what is rejected, changed by policy or reported, and the report that stays in the
//! hospital.

use std::fs;
use std::path::PathBuf;

use galen_tables::{Action, Kind, Options, Plan, Report, TablesError, build_with, check_with};

use crate::common::{Folder, query};

const REGISTRY: &str = r#"
[registry]
name = "study"
version = 3
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
label = "general research use"
column = "consent"

[[column]]
name = "sex"
type = "category"
codes = ["F", "M"]
nullable = true

[[column]]
name = "crp"
type = "number"
min = 0.0
max = 500.0
decimals = 1
unit = "mg/L"
nullable = true

[[column]]
name = "born"
type = "date"
min = "1900-01-01"
max = "2199-12-31"
nullable = true

[[column]]
name = "smoker"
type = "boolean"

[[column]]
name = "visits"
type = "number"
min = 0
max = 99
decimals = 0
"#;

/// Seven patients; the fifth column of the CSV is none of the registry's.
const GOOD: &str = "id,sex,crp,born,ward,smoker,visits\n\
                    1,F,3.2,1950-02-28,east,1,2\n\
                    2,M,,1961-01-01,west,0,0\n\
                    3,,17.5,,east,0,4\n";

const SQL: &str = "SELECT id AS pid, crp, true AS consent, sex, born, ward, smoker = 1 AS smoker, visits FROM t \
                   ORDER BY pid";

struct Site(Folder);

impl Site {
    fn new(csv: &str) -> Self {
        Self(Folder::with(&[
            ("registry.toml", REGISTRY.as_bytes()),
            ("t.csv", csv.as_bytes()),
        ]))
    }

    fn options(&self, report: bool) -> Options {
        let mut options = Options::default();
        options.report = report.then(|| self.0.path("report"));
        options
    }

    fn mapping(&self, more: &str) -> PathBuf {
        let text = format!(
            "[mapping]\ntitle = \"a study\"\nregistry = \"registry.toml\"\nsql = \"\"\"{SQL}\"\"\"\n\
             [source.t]\npath = \"t.csv\"\nformat = \"csv\"\ntypes = {{ visits = \"utf8\" }}\n{more}"
        );
        let path = self.0.path("mapping.toml");
        fs::write(&path, text).unwrap();
        path
    }

    fn build(&self, more: &str, report: bool) -> Result<Report, TablesError> {
        let out = self.0.path("out.parquet");
        build_with(&self.mapping(more), None, &out, &self.options(report))
    }

    fn check(&self, more: &str) -> Result<Plan, TablesError> {
        check_with(&self.mapping(more), None, &self.options(true))
    }

    fn refused(&self, more: &str) -> String {
        let text = self.build(more, false).unwrap_err().to_string();
        assert!(!self.0.path("out.parquet").exists());
        text
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.0.path("report").join(name)).unwrap()
    }
}

/// [`GOOD`] and patients with one thing wrong each: a unit, a sentinel, a code, digits, a day to come, no number.
fn bad() -> String {
    format!(
        "{GOOD}4,f,3.2,1950-02-28,east,1,2\n5,F,900,1950-02-28,east,1,2\n6,F,-9,1950-02-28,east,1,2\n\
         7,F,3.25,2150-01-01,east,1,2\n8,F,3.2,1950-02-28,east,1,two\n9,<b>&,3.2,1850-02-28,east,1,100\n"
    )
}

#[test]
fn the_table_has_the_registrys_columns_in_its_order_and_types() {
    let site = Site::new(GOOD);
    let report = site.build("", false).unwrap();
    let columns: Vec<_> = report
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.data_type.as_str(), c.nulls))
        .collect();
    assert_eq!(
        columns,
        [
            ("pid", "int64", 0),
            ("consent", "boolean", 0),
            ("sex", "utf8", 1),
            ("crp", "decimal(19, 1)", 1),
            ("born", "date", 1),
            ("smoker", "boolean", 0),
            ("visits", "int64", 0),
        ]
    );
    assert_eq!(
        query(&report.out, "SELECT * FROM t"),
        [
            ["1", "true", "F", "3.2", "1950-02-28", "true", "2"],
            ["2", "true", "M", "-", "1961-01-01", "false", "0"],
            ["3", "true", "-", "17.5", "-", "false", "4"],
        ]
    );
    let left_out = "`ward` is no column of the registry study v3: it is left out";
    assert!(
        report.warnings.iter().any(|w| w == left_out),
        "{:?}",
        report.warnings
    );
}

#[test]
fn all_that_is_rejected_is_told_at_once_without_a_value() {
    let text = Site::new(&bad()).refused("");
    for said in [
        "column `sex`: 2 none of the registry's codes (row 4, 9 of the result)",
        "column `crp`: 2 out of the registry's range (row 5, 6 of the result)",
        "column `crp`: 1 with more digits than the registry keeps (row 7 of the result)",
        "column `born`: 1 out of the registry's range (row 9 of the result)",
        "column `visits`: 1 not of the registry's type (row 8 of the result)",
        "column `visits`: 1 out of the registry's range (row 9 of the result)",
        "out_of_range = \"null\" or \"clamp\"",
        "--report DIR",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    for value in ["900", "-9", "3.25", "two", "<b>", "2150", "1850"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
    // A day to come is reported, but no more, unless the mapping says so.
    assert!(!text.contains("future"), "{text}");
    let text = Site::new(&bad()).refused("[column.born]\nfuture_date = \"reject\"");
    assert!(
        text.contains("column `born`: 1 in the future (row 7"),
        "{text}"
    );
}

#[test]
fn a_policy_makes_null_or_moves_to_the_bound() {
    let site = Site::new(&bad());
    let policy = "[policy]\nout_of_range = \"null\"\nunknown_code = \"null\"\ntoo_precise = \"null\"\n\
                  not_a_value = \"null\"\n[column.crp]\nout_of_range = \"clamp\"\n\
                  [column.born]\nfuture_date = \"null\"";
    // `visits` may not be NULL: there the policy rejects.
    let text = site.refused(policy);
    assert!(text.contains("column `visits`: 1 not of the"), "{text}");
    assert!(!text.contains("`crp`") && !text.contains("`sex`"), "{text}");

    let nullable = REGISTRY.replace(
        "max = 99\ndecimals = 0",
        "max = 99\ndecimals = 0\nnullable = true",
    );
    fs::write(site.0.path("registry.toml"), nullable).unwrap();
    let report = site.build(policy, false).unwrap();
    assert_eq!(
        query(
            &report.out,
            "SELECT pid, sex, crp, born, visits FROM t WHERE pid > 3"
        ),
        [
            ["4", "-", "3.2", "1950-02-28", "2"],
            ["5", "F", "500.0", "1950-02-28", "2"],
            ["6", "F", "0.0", "1950-02-28", "2"],
            ["7", "F", "-", "-", "2"],
            ["8", "F", "3.2", "1950-02-28", "-"],
            ["9", "-", "3.2", "-", "-"],
        ]
    );
    let crp = report.columns.iter().find(|c| c.name == "crp").unwrap();
    assert_eq!(crp.nulls, 2);
    let done: Vec<_> = crp
        .problems
        .iter()
        .map(|p| (p.kind, p.action, p.count, p.rows.clone()))
        .collect();
    assert_eq!(
        done,
        [
            (Kind::OutOfRange, Action::Clamp, 2, vec![5, 6]),
            (Kind::TooPrecise, Action::Null, 1, vec![7])
        ]
    );
    let text = report.to_string();
    assert!(
        text.contains("crp: 2 out of the registry's range, moved to the bound"),
        "{text}"
    );
}

#[test]
fn null_where_the_registry_allows_none_is_rejected_whatever_the_policy() {
    let site = Site::new(
        "id,sex,crp,born,ward,smoker,visits\n1,F,1.0,1950-01-01,a,,1\n2,F,1.0,1950-01-01,a,1,1\n",
    );
    let text = site.refused("[policy]\nnot_a_value = \"null\"");
    assert!(
        text.contains("column `smoker`: 1 NULL where the registry allows none (row 1 of the"),
        "{text}"
    );
}

#[test]
fn the_report_shows_values_to_its_user_alone() {
    let site = Site::new(&bad());
    let error = site.build("", true).unwrap_err().to_string();
    assert!(error.contains("report.html shows the values"), "{error}");
    assert!(!site.0.path("out.parquet").exists());

    let json: serde_json::Value = serde_json::from_str(&site.report("report.json")).unwrap();
    assert_eq!(json["rows"], 9);
    assert_eq!(json["refused"], "values were rejected");
    assert_eq!(json["registry"], "study v3");
    let column = |name: &str| {
        let columns = json["columns"].as_array().unwrap();
        columns.iter().find(|c| c["name"] == name).unwrap().clone()
    };
    let crp = column("crp");
    assert_eq!(
        crp["problems"][0]["values"],
        serde_json::json!([["-9.0", 1], ["900.0", 1]])
    );
    assert_eq!(crp["range"], serde_json::json!(["3.2", "17.5"]));
    assert_eq!((&crp["known"], &crp["missing"]), (&5.into(), &4.into()));
    // 3.2 four times, and 17.5.
    assert!((crp["mean"].as_f64().unwrap() - 6.06).abs() < 1e-9);
    let sex = column("sex");
    assert_eq!(sex["counts"], serde_json::json!([["F", 5], ["M", 1]]));
    assert_eq!(
        sex["problems"][0]["values"],
        serde_json::json!([["<b>&", 1], ["f", 1]])
    );
    let born = column("born");
    assert_eq!(born["problems"][1]["kind"], "future_date");
    assert_eq!(born["problems"][1]["action"], "report");
    assert_eq!(born["problems"][1]["rows"], serde_json::json!([7]));

    let page = site.report("report.html");
    assert!(page.contains("This report stays in the hospital"));
    assert!(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>"));
    assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("http"));
    let text = site.report("report.txt");
    assert!(text.starts_with("This report stays in the hospital"));
    assert!(text.contains("crp: 2 out of the registry's range, rejected (row 5, 6 of the result; -9.0 (1), 900.0 (1))"), "{text}");
    #[cfg(unix)]
    for name in ["report.html", "report.json", "report.txt", "."] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(site.0.path("report").join(name)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o077, 0, "{name}");
    }
    let mut left = fs::read_dir(site.0.path("report")).unwrap();
    assert!(left.all(|f| {
        f.unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("report.")
    }));
}

#[test]
fn a_check_with_a_report_runs_and_writes_no_table() {
    let site = Site::new(GOOD);
    let plan = site.check("").unwrap();
    assert_eq!((plan.rows, plan.problems.len()), (Some(3), 0));
    assert!(plan.to_string().contains("the table would be written"));
    assert!(!site.0.path("out.parquet").exists());
    let json: serde_json::Value = serde_json::from_str(&site.report("report.json")).unwrap();
    assert_eq!(json["refused"], serde_json::Value::Null);

    let site = Site::new(&bad());
    let said = site.check("").unwrap_err().to_string();
    let built = site.build("", true).unwrap_err().to_string();
    assert_eq!(said, built);
}

#[test]
fn repeated_patients_are_in_the_report_too() {
    let site = Site::new(&format!("{GOOD}3,F,1.0,1950-01-01,a,1,1\n"));
    let error = site.build("", true).unwrap_err();
    assert!(matches!(error, TablesError::DuplicateIds { count: 1, .. }));
    let text = site.report("report.txt");
    assert!(text.contains("refused: 1 rows repeat the `pid`"), "{text}");
}

#[test]
fn counts_stand_in_the_report_and_nowhere_else() {
    let site = Site::new(GOOD);
    let count = "[[count]]\ntitle = \"CRP by ward\"\nsql = \"SELECT ward, count(crp) AS n FROM t GROUP BY ward ORDER BY ward\"\n";
    let report = site.build(count, true).unwrap();
    assert!(!format!("{report} {report:?}").contains("east"));
    let json: serde_json::Value = serde_json::from_str(&site.report("report.json")).unwrap();
    assert_eq!(
        json["counts"],
        serde_json::json!([{"title": "CRP by ward", "columns": ["ward", "n"], "more": false,
                            "rows": [["east", "2"], ["west", "0"]]}])
    );
    // Planned also where it is not run.
    let text = Site::new(GOOD).refused("[[count]]\ntitle = \"x\"\nsql = \"SELECT wart FROM t\"\n");
    assert!(
        text.contains("[[count]] `x`") && text.contains("wart"),
        "{text}"
    );
    let text = Site::new(GOOD).refused("[[count]]\ntitle = \"x\"\nsql = \"DROP TABLE t\"\n");
    assert!(text.contains("one SELECT"), "{text}");
}

#[test]
fn what_a_mapping_says_of_its_registry_is_checked() {
    let site = Site::new(GOOD);
    for (more, said) in [
        ("[column.crb]\nout_of_range = \"null\"", "no such column"),
        (
            "[column.smoker]\nnot_a_value = \"null\"",
            "does not allow NULL",
        ),
        (
            "[column.consent]\nnot_a_value = \"null\"",
            "a consent is true or false",
        ),
        ("[policy]\nunknown_code = \"clamp\"", "clamp"),
        ("[policy]\nmissing = \"null\"", "missing"),
    ] {
        let text = site.refused(more);
        assert!(text.contains(said), "{more}: {text}");
    }
    let with = |registry: &str| {
        fs::write(site.0.path("registry.toml"), registry).unwrap();
        site.refused("")
    };
    let text = with(&REGISTRY.replace("\"visits\"", "\"stays\""));
    assert!(
        text.contains("`stays`") && text.contains("AS stays"),
        "{text}"
    );
    let text = with(&REGISTRY.replace("\"born\"\ntype = \"date\"", "\"born\"\ntype = \"datum\""));
    assert!(
        text.contains("registry.toml") && text.contains("line "),
        "{text}"
    );
    let text = with(&REGISTRY.replace(
        "\"born\"\ntype = \"date\"\nmin = \"1900-01-01\"\nmax = \"2199-12-31\"",
        "\"born\"\ntype = \"boolean\"",
    ));
    assert!(
        text.contains("date cannot be a boolean of the registry"),
        "{text}"
    );
    fs::remove_file(site.0.path("registry.toml")).unwrap();
    assert!(site.refused("").contains("relative to the mapping file"));

    let mapping = site.mapping("[policy]\nout_of_range = \"null\"");
    let text = fs::read_to_string(&mapping).unwrap();
    fs::write(&mapping, text.replace("registry = \"registry.toml\"\n", "")).unwrap();
    let built = build_with(
        &mapping,
        None,
        &site.0.path("out.parquet"),
        &Options::default(),
    );
    assert!(
        built
            .unwrap_err()
            .to_string()
            .contains("name it under [mapping]")
    );
    let mapping = site.mapping("");
    let text = fs::read_to_string(&mapping).unwrap();
    fs::write(&mapping, text.replace("registry = \"registry.toml\"\n", "")).unwrap();
    let built = build_with(
        &mapping,
        None,
        &site.0.path("out.parquet"),
        &site.options(true),
    );
    assert!(
        built
            .unwrap_err()
            .to_string()
            .contains("--report shows the data")
    );
    assert!(!site.0.path("report").exists());
}
