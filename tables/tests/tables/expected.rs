//! What a mapping expects none of, its views, and ids and days that a policy has to do with.

use std::fs;

use galen_tables::{Options, Report, TablesError, build_with};

use crate::common::{Folder, query};

const REGISTRY: &str = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"pid\"\n[[purpose]]\ncode = \"DUO:0000042\"\n\
                        column = \"consent\"\n[[column]]\nname = \"seen\"\ntype = \"date\"\nmin = \"1900-01-01\"\n\
                        max = \"2999-12-31\"\nnullable = true\n[[column]]\nname = \"crp\"\ntype = \"number\"\nmin = 0\n\
                        max = 500\nnullable = true\n";

struct Site(Folder);

impl Site {
    fn new(csv: &str) -> Self {
        Self(Folder::with(&[
            ("registry.toml", REGISTRY.as_bytes()),
            ("t.csv", csv.as_bytes()),
        ]))
    }

    fn build(&self, sql: &str, more: &str) -> Result<Report, TablesError> {
        let text = format!(
            "[mapping]\ntitle = \"t\"\nregistry = \"registry.toml\"\nsql = \"\"\"{sql}\"\"\"\n[source.t]\npath = \"t.csv\"\n\
             format = \"csv\"\ntypes = {{ id = \"utf8\" }}\n{more}"
        );
        fs::write(self.0.path("mapping.toml"), text).unwrap();
        let mut options = Options::default();
        options.report = Some(self.0.path("report"));
        build_with(
            &self.0.path("mapping.toml"),
            None,
            &self.0.path("out.parquet"),
            &options,
        )
    }

    fn refused(&self, sql: &str, more: &str) -> String {
        let text = self.build(sql, more).unwrap_err().to_string();
        assert!(!self.0.path("out.parquet").exists());
        text
    }
}

const SQL: &str = "SELECT id AS pid, true AS consent, seen, crp FROM t ORDER BY 1";
const GOOD: &str = "id,seen,crp\na,2020-01-01,5\nb,,7\n";

fn expect(otherwise: &str, sql: &str) -> String {
    format!(
        "[[expect]]\ntitle = \"rows of one kind\"\notherwise = \"{otherwise}\"\nsql = \"{sql}\"\n"
    )
}

#[test]
fn what_there_should_be_none_of_refuses_the_table_or_is_told() {
    let site = Site::new(GOOD);
    let some = "SELECT count(*) FROM t WHERE crp > 4";
    let text = site.refused(SQL, &expect("reject", some));
    assert!(
        text.contains("2: rows of one kind") && text.contains("nothing was written"),
        "{text}"
    );
    let report = site.build(SQL, &expect("warn", some)).unwrap();
    assert_eq!(report.warnings, ["2: rows of one kind"]);
    let page = fs::read_to_string(site.0.path("report/report.txt")).unwrap();
    assert!(page.contains("warning: 2: rows of one kind"), "{page}");
    let none = expect("reject", "SELECT count(*) FROM t WHERE crp > 40");
    assert!(site.build(SQL, &none).unwrap().warnings.is_empty());
    // Together with what the registry does not take, and with what may be the cause of either.
    fs::write(site.0.path("t.csv"), "id,seen,crp\na,2020-01-01,501\nb,,7").unwrap();
    fs::remove_file(site.0.path("out.parquet")).unwrap();
    let text = site.refused(SQL, &expect("reject", some));
    for part in [
        "column `crp`: 1 out of",
        "2: rows of one kind",
        "warning: source `t` (t.csv): the last line has no end",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn an_expectation_is_one_whole_number() {
    let site = Site::new(GOOD);
    for sql in [
        "SELECT crp FROM t",
        "SELECT 0 FROM t WHERE false",
        "SELECT max(crp) FROM t WHERE false",
    ] {
        let text = site.refused(SQL, &expect("warn", sql));
        assert!(
            text.contains("one row with one whole number"),
            "{sql}: {text}"
        );
    }
    for sql in [
        "SELECT 1, 2",
        "SELECT avg(crp) FROM t",
        "SELECT '0'",
        "SELECT false",
        "SELECT 0.4",
        "SELECT max(seen) FROM t",
    ] {
        let text = site.refused(SQL, &expect("reject", sql));
        assert!(
            text.contains("[[expect]] `rows of one kind`: it gives no whole number alone"),
            "{sql}: {text}"
        );
    }
    let text = site.refused(SQL, &expect("warn", "SELECT count(*) FROM u"));
    assert!(text.contains("[[expect]] `rows of one kind`"), "{text}");
    assert!(
        site.refused(SQL, &expect("ignore", "SELECT 0"))
            .contains("`reject`")
    );
}

#[test]
fn views_are_tables_of_every_query_in_their_order() {
    let site = Site::new(GOOD);
    let view = |name: &str, sql: &str| format!("[[view]]\nname = \"{name}\"\nsql = \"{sql}\"\n");
    let sql = "SELECT id AS pid, true AS consent, seen, crp FROM second ORDER BY 1";
    let views = view("first", "SELECT id, seen, crp FROM t WHERE crp > 5")
        + &view("second", "SELECT * FROM first");
    let more = views.clone() + &expect("warn", "SELECT count(*) FROM second");
    let report = site.build(sql, &more).unwrap();
    assert_eq!((report.rows, report.warnings.len()), (1, 1));
    fs::remove_file(&report.out).unwrap();
    let text = site.refused(
        sql,
        &(view("second", "SELECT * FROM first") + &view("first", "SELECT * FROM t")),
    );
    assert!(text.contains("[[view]] `second`"), "{text}");
    let text = site.refused(SQL, &view("t", "SELECT 1"));
    assert!(
        text.contains("[[view]] `t`: another table has this name"),
        "{text}"
    );
    assert!(
        site.refused(SQL, &view("A", "SELECT 1"))
            .contains("view.name")
    );
    assert!(
        site.refused(SQL, &view("a", "DELETE FROM t"))
            .contains("one SELECT")
    );
}

/// As `galen commit` refuses them.
#[test]
fn ids_that_the_prover_refuses_are_refused_by_their_rows() {
    for id in ["NA", "NULL", "\"\"\"\"", " a", "a\u{200b}", "e\u{301}"] {
        let csv = format!("id,seen,crp\nb,,7\n\"{id}\",,7\n");
        let site = Site::new(&csv);
        let sql = SQL.replace("id AS pid", "replace(id, '\"', '') AS pid");
        let text = site.refused(&sql, "");
        assert!(
            text.starts_with("1 rows have a `pid` that galen commit refuses (row "),
            "{id}: {text}"
        );
    }
}

#[test]
fn a_day_that_is_moved_to_the_bound_may_be_to_come_too() {
    let site = Site::new("id,seen,crp\na,3050-01-01,5\nb,1850-01-01,7\nc,2950-01-01,7\n");
    let policy = |future: &str| {
        format!("[column.seen]\nout_of_range = \"clamp\"\nfuture_date = \"{future}\"\n")
    };
    let report = site.build(SQL, &policy("null")).unwrap();
    let days = query(&report.out, "SELECT seen FROM t ORDER BY pid");
    assert_eq!(days, [["-"], ["1900-01-01"], ["-"]]);
    let counted: Vec<(u64, String)> = report.columns[2]
        .problems
        .iter()
        .map(|p| (p.count, format!("{:?}", p.kind)))
        .collect();
    assert_eq!(
        counted,
        [(2, "OutOfRange".to_owned()), (2, "FutureDate".to_owned())]
    );
    fs::remove_file(&report.out).unwrap();
    let text = site.refused(SQL, &policy("reject"));
    assert!(
        text.contains("column `seen`: 2 in the future (row 1, 3 of the result)"),
        "{text}"
    );
}

/// A word for "unknown" that is there often comes first, whatever came before it.
#[test]
fn the_most_frequent_values_are_found_among_many() {
    let mut csv = String::from("id,seen,crp\n");
    for i in 0..3_000 {
        csv += &format!("a{i},,{}\n", if i >= 1_500 { 9_999 } else { 1_000 + i });
    }
    let site = Site::new(&csv);
    site.refused(SQL, "");
    let page = fs::read_to_string(site.0.path("report/report.txt")).unwrap();
    let line = page
        .lines()
        .find(|l| l.contains("3000 out of the registry's range"))
        .unwrap();
    assert!(line.contains("9999 (at least "), "{line}");
}

#[test]
fn a_rule_that_no_value_of_the_column_can_break_is_refused() {
    let site = Site::new(GOOD);
    for (column, rule) in [
        ("crp", "unknown_code = \"null\""),
        ("crp", "future_date = \"null\""),
        ("seen", "too_precise = \"null\""),
        ("seen", "unknown_code = \"null\""),
    ] {
        let text = site.refused(SQL, &format!("[column.{column}]\n{rule}\n"));
        assert!(
            text.contains(&format!("[column.{column}]")) && text.contains("leave that rule out"),
            "{text}"
        );
    }
    // For all columns a rule is for those that it fits.
    site.build(
        SQL,
        "[policy]\nunknown_code = \"null\"\nfuture_date = \"null\"\n",
    )
    .unwrap();
}

#[test]
fn a_terminal_is_given_no_command_by_a_value() {
    let site = Site::new("id,seen,crp\na,,\"\u{1b}[2J\"\n");
    site.refused(SQL, "");
    let page = fs::read_to_string(site.0.path("report/report.txt")).unwrap();
    assert!(
        !page.contains('\u{1b}') && page.contains("\\u{1b}[2J"),
        "{page}"
    );
}
