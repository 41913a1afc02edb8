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
    assert!(!output.status.success());
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
