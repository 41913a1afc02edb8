//! Answers as files.

use std::fs;

use crate::study::{command, ok, refused, run, study};

fn verify(extra: &[&str]) -> Vec<String> {
    let mut args = study().verify(&[]);
    args.extend(extra.iter().map(|a| (*a).to_owned()));
    args
}

#[test]
fn an_answer_is_written_as_csv_and_as_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (csv, svg) = (path("answer.csv"), path("answer.svg"));
    let args = verify(&["--csv", &csv, "--plot", &svg]);
    ok(&args);
    let table = fs::read_to_string(&csv).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "sex,n,measured,mean");
    assert_eq!(lines.len(), 4);
    // Two patients of sex O are from 40 on: too few to be told.
    assert_eq!(lines[3], "O,<11,<11,<11");
    let picture = fs::read_to_string(&svg).unwrap();
    // The query has no title: what is drawn is said, and no SQL.
    assert!(
        picture.contains("<title>patients by sex</title>"),
        "{picture}"
    );
    assert!(!picture.contains("SELECT"), "{picture}");
    roxmltree::Document::parse(&picture).unwrap();
    assert!(picture.contains("&lt;11"), "{picture}");
    // Again: no file is replaced, its own neither.
    let (kind, message) = refused(&args);
    assert_eq!(kind, "io.AlreadyExists", "{message}");
    assert_eq!(fs::read_to_string(&svg).unwrap(), picture);
    let (kind, _) = refused(&verify(&["--csv", &csv]));
    assert_eq!(kind, "io.AlreadyExists");
    let (kind, message) = refused(&verify(&["--csv", &path("nowhere/answer.csv")]));
    assert_eq!(kind, "io.NotFound");
    assert!(message.contains("make it first"), "{message}");
}

#[test]
fn all_files_are_written_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("same").to_str().unwrap().to_owned();
    let args = verify(&["--csv", &path, "--plot", &path]);
    let output = run(&args);
    assert_eq!(output.status.code(), Some(3));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.contains("VERIFIED") && shown.contains("What was proven"),
        "{shown}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // In JSON the answer is there, and what is missing.
    let output = command().args(&args).arg("--json").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["verified"], true);
    assert!(
        document["not_written"]
            .as_str()
            .unwrap()
            .contains("two files"),
        "{document}"
    );
}

#[test]
fn other_files_are_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "patient,secret\n1,2\n").unwrap();
    let name = other.to_str().unwrap();
    for option in ["--csv", "--plot"] {
        let (kind, message) = refused(&verify(&[option, name]));
        assert!(message.contains("other"), "{kind}: {message}");
        assert_eq!(fs::read_to_string(&other).unwrap(), "patient,secret\n1,2\n");
    }
}

#[test]
fn files_are_of_one_answer() {
    let study = study();
    let mut args = study.verify(&[]);
    args.extend(["--bundle".to_owned(), study.path("bundle.json")]);
    args.extend(["--query".to_owned(), study.path("query.json")]);
    args.extend(["--csv".to_owned(), "x.csv".to_owned()]);
    let (kind, message) = refused(&args);
    assert_eq!(kind, "usage.Exports", "{message}");
    assert!(!std::path::Path::new("x.csv").exists());
}

/// Asks, proves, and gives the arguments that verify the answer.
fn asked(name: &str, sql: &str, more: &[&str]) -> Vec<String> {
    let study = study();
    let (query, bundle) = (format!("{name}.json"), format!("{name}.bundle.json"));
    let mut args = study.query(sql, &query);
    args.extend(more.iter().map(|a| (*a).to_owned()));
    ok(&args);
    ok(&study.prove(&query, &bundle));
    let (query, bundle) = (study.path(&query), study.path(&bundle));
    study.verify(&[("--query", &query), ("--bundle", &bundle)])
}

#[test]
fn the_csv_is_written_though_there_is_nothing_to_draw_and_the_status_tells() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (csv, svg) = (path("a.csv"), path("a.svg"));
    let mut args = asked("one-row", "SELECT count(*) AS n FROM mini", &[]);
    args.extend(["--csv", &csv, "--plot", &svg].map(str::to_owned));
    let output = run(&args);
    assert_eq!(output.status.code(), Some(3));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("VERIFIED"), "{shown}");
    let error = String::from_utf8(output.stderr).unwrap();
    for part in [
        "verified, but plot",
        "not drawn",
        "GROUP BY",
        "leave --plot out",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(fs::read_to_string(&csv).unwrap().starts_with("n\n"));
    assert!(!std::path::Path::new(&svg).exists());
    // An answer that does not hold is told apart, and leaves no file.
    let other = study().path("query-2.json");
    let mut wrong = study().verify(&[("--query", &other)]);
    wrong.extend(["--csv".to_owned(), path("b.csv")]);
    assert_eq!(run(&wrong).status.code(), Some(1));
    assert!(!std::path::Path::new(&path("b.csv")).exists());
    let help = ok(&["verify", "--help"]);
    assert!(
        help.contains("3  every answer holds and was shown, but"),
        "{help}"
    );
}

#[test]
fn tiny_p_values_have_an_exponent_and_whole_numbers_no_tail() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("t.csv").to_str().unwrap().to_owned();
    let even: Vec<String> = (18..98).step_by(2).map(|age| age.to_string()).collect();
    let sql = format!(
        "SELECT sex, count(*) AS n, count(*) FILTER (WHERE age IN ({})) AS cases FROM mini \
         WHERE sex <> 'O' GROUP BY sex",
        even.join(", ")
    );
    let mut args = asked(
        "whole",
        &sql,
        &[
            "--analysis",
            "two-by-two exposure=sex exposed=F unexposed=M cases=cases total=n",
        ],
    );
    args.extend(["--csv".to_owned(), csv]);
    let shown = ok(&args);
    let line = |start: &str| {
        let line = shown.lines().find(|l| l.trim_start().starts_with(start));
        line.unwrap_or_else(|| panic!("{start}: {shown}"))
            .to_owned()
    };
    // The women of this study have even ages, and nobody else does.
    let words: Vec<String> = line("risk difference")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    assert_eq!(words[2], "1", "{shown}");
    let fisher = line("Fisher's exact");
    let p = fisher.split_whitespace().last().unwrap();
    assert!(p.contains("e-") && p.len() <= 8, "{fisher}");
    let tests = fs::read_to_string(folder.path().join("t-1-3.csv")).unwrap();
    assert!(
        tests.contains("e-") && !tests.contains("0.00000"),
        "{tests}"
    );
}

#[test]
fn axes_carry_the_units_of_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("a.svg").to_str().unwrap().to_owned();
    let sql =
        "SELECT width_bucket(age, 20, 100, 4) AS band, avg(ldl) AS mean FROM mini GROUP BY band";
    let mut args = asked("bands", sql, &["--title", &"A long title ".repeat(12)]);
    args.extend(["--plot".to_owned(), svg.clone()]);
    ok(&args);
    let picture = fs::read_to_string(&svg).unwrap();
    let document = roxmltree::Document::parse(&picture).unwrap();
    let texts = document.descendants().filter(|n| n.has_tag_name("text"));
    let texts: Vec<String> = texts
        .map(|n| n.text().unwrap_or_default().trim().to_owned())
        .collect();
    for wanted in ["band (years)", "mean (mmol/L)"] {
        assert!(texts.iter().any(|t| t == wanted), "{wanted}: {texts:?}");
    }
    let title = "A long title ".repeat(12);
    assert!(texts.join(" ").contains(title.trim()), "{texts:?}");
}

#[test]
fn a_picture_without_a_title_says_what_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let sql =
        "SELECT sex, count(*) AS n, sum(statin) AS users FROM mini WHERE sex <> 'O' GROUP BY sex";
    let mut args = asked(
        "shares",
        sql,
        &["--analysis", "proportions cases=users total=n"],
    );
    args.extend(["--plot".to_owned(), path("a.svg")]);
    ok(&args);
    let picture = fs::read_to_string(path("a.svg")).unwrap();
    for part in [
        "<title>users (share of patients) by sex</title>",
        "users with 95 % interval (share of patients)",
    ] {
        assert!(picture.contains(part), "{part}: {picture}");
    }
    assert!(
        !picture.contains("SELECT") && !picture.contains(">\ngroup\n<"),
        "{picture}"
    );
}

#[test]
fn files_are_there_though_nobody_reads_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("a.csv");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let args = verify(&["--csv", csv.to_str().unwrap()]);
    let output = command().args(&args).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert!(csv.is_file());
}

/// Texts are guarded against spreadsheets unless they are asked for as they are, which is for CSV alone.
#[test]
fn plain_texts_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    ok(&verify(&["--csv", &path("guarded.csv")]));
    ok(&verify(&["--csv", &path("plain.csv"), "--csv-plain"]));
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    // This study's codes and labels are no formulas.
    assert_eq!(read("guarded.csv"), read("plain.csv"));
    let output = run(&verify(&["--csv-plain"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--csv"));
    let help = ok(&["verify", "--help"]);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["--csv-plain", "NULL is an empty field", "formula"] {
        assert!(help.contains(part), "{help}");
    }
}
