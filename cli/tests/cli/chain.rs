//! params → commit → query → prove → verify, as text and as JSON.

use std::{fs, io, path::Path};

use serde_json::{Value, json};

use crate::study::{
    PATIENTS, Patient, REGISTRY, SQL, SQL_2, command, csv, ok, ok_json, patient, study,
};

/// The answer to the study's query, computed from the table.
fn expected() -> Vec<Value> {
    ["F", "M", "O"].map(row).to_vec()
}

fn row(sex: &str) -> Value {
    let cohort: Vec<Patient> = (0..PATIENTS)
        .map(patient)
        .filter(|p| p.consent && p.age >= 40 && p.sex == sex)
        .collect();
    let key = json!({ "type": "key", "value": sex });
    if cohort.len() < 11 {
        let hidden = json!({ "type": "suppressed", "value": 11 });
        return json!([key, hidden, hidden, hidden]);
    }
    let values: Vec<usize> = cohort.iter().filter_map(|p| p.ldl).collect();
    let sum: usize = values.iter().sum();
    let mean = sum as f64 / (10 * values.len()) as f64;
    json!([
        key,
        { "type": "integer", "value": cohort.len() },
        { "type": "integer", "value": values.len() },
        { "type": "real", "value": mean },
    ])
}

#[test]
fn the_verified_answer_is_the_tables_own() {
    let document = ok_json(&study().verify(&[]));
    assert_eq!(document["verified"], true);
    let answer = &document["answers"][0]["answer"];
    assert_eq!(answer["columns"], json!(["sex", "n", "measured", "mean"]));
    assert_eq!(answer["rows"], Value::from(expected()));
    assert_eq!(answer["insecure_parameters"], true);
    assert_eq!(answer["hospital"], "Test Hospital");
}

#[test]
fn text_shows_the_same_answer_and_the_warning() {
    let text = ok(&study().verify(&[]));
    assert!(text.starts_with("VERIFIED"), "{text}");
    let counted = expected()[0][1]["value"].to_string();
    let line = text
        .lines()
        .find(|l| l.trim_start().starts_with("F "))
        .unwrap();
    assert!(line.contains(&counted), "{line}");
    let line = text
        .lines()
        .find(|l| l.trim_start().starts_with("O "))
        .unwrap();
    assert_eq!(line.matches("<11").count(), 3, "{line}");
    assert!(text.contains("INSECURE"), "{text}");
    assert!(text.contains("What was proven"), "{text}");
    assert!(text.lines().all(|l| l == l.trim_end()), "{text}");
}

#[test]
fn a_query_proven_again_says_the_same_under_another_proof() {
    let study = study();
    let document = ok_json(&study.prove("query.json", "again.json"));
    let read = |name: &str| fs::read(study.path(name)).unwrap();
    let bundle = |name: &str| serde_json::from_slice::<Value>(&read(name)).unwrap();
    let (first, again) = (bundle("bundle.json"), bundle("again.json"));
    assert_eq!(first["cells"], again["cells"]);
    assert_ne!(
        first["proof"], again["proof"],
        "salt and blinders are fresh"
    );
    assert_eq!(document["bundle_bytes"], read("again.json").len());
}

#[test]
fn two_answers_are_verified_together() {
    let study = study();
    ok(&study.prove("query-2.json", "bundle-2.json"));
    let mut args = study.verify(&[]);
    args.extend(["--bundle".into(), study.path("bundle-2.json")]);
    args.extend(["--query".into(), study.path("query-2.json")]);
    let document = ok_json(&args);
    assert_eq!(document["answers"].as_array().unwrap().len(), 2);
    let counted = (0..PATIENTS)
        .map(patient)
        .filter(|p| p.consent && p.age >= 40 && p.statin)
        .count();
    let cell = &document["answers"][1]["answer"]["rows"][0][0];
    assert_eq!(*cell, json!({ "type": "integer", "value": counted }));
}

#[test]
fn every_command_speaks_json() {
    let study = study();
    let params = ok_json(&["params", "--shape", "16k"]);
    assert_eq!(params["insecure"], true);
    assert_eq!(params["circuits"].as_array().unwrap().len(), 5);
    assert!(params["circuits"][0]["proving_key_bytes"].as_u64().unwrap() > 0);
    let query = ok_json(&study.query("SELECT count(*) FROM mini WHERE ldl > 3", "json.json"));
    assert_eq!(query["lookups"], 1);
    assert!(query["plan"].as_array().unwrap().len() > 3);
    let mut explained = study.query("SELECT count(*) FROM mini WHERE ldl > 3", "explained.json");
    explained.push("--explain".into());
    let text = ok(&explained);
    assert!(text.contains("Lookup 1: ldl"), "{text}");
    let table = study.path("table.csv");
    let commit = ok_json(&study.commit(
        &table,
        &study.path("epoch-2"),
        &["--epoch", "2", "--k", "5", "--no-zero"],
    ));
    assert_eq!(commit["rows"], PATIENTS);
    assert_eq!(commit["chunks"], 1);
    assert_eq!(commit["epoch"], 2);
    assert_eq!(
        commit["release"],
        json!({
            "name": "custom", "k": 5, "zero_releasable": false,
            "rounding": 1, "ties": "up", "complementary": false
        })
    );
}

#[test]
fn inspect_knows_every_public_file() {
    let study = study();
    for (file, kind) in [
        ("bundle.json", "bundle"),
        ("query.json", "query"),
        ("dataset/manifest.json", "manifest"),
        ("dataset/registration.json", "registration"),
        ("dataset", "manifest"),
        ("registry.toml", "registry"),
        ("parameters.bin", "parameters"),
    ] {
        let path = study.path(file);
        assert_eq!(ok_json(&["inspect", &path])["kind"], kind, "{file}");
        assert!(!ok(&["inspect", &path]).is_empty());
    }
    let text = ok(&["inspect", &study.path("bundle.json")]);
    assert!(text.contains("proof"), "{text}");
    let text = ok(&["inspect", &study.path("query.json")]);
    assert!(text.contains(SQL), "{text}");
}

#[test]
fn the_key_is_made_beside_the_dataset_and_used_again() {
    let study = study();
    let folder = study.path("keys");
    let table = study.path("table.csv");
    let key = |epoch: &str| {
        let out = format!("{folder}/epoch-{epoch}");
        let document = ok_json(&study.commit(&table, &out, &["--epoch", epoch]));
        let made = document["key_is_new"] == true;
        (document["hospital_key"].clone(), made)
    };
    let (first, new) = key("1");
    assert!(new);
    assert!(Path::new(&folder).join("hospital.key").is_file());
    assert_eq!(key("2"), (first, false));
}

#[test]
fn what_a_crash_left_is_cleared() {
    let study = study();
    let folder = study.path("crashed");
    let left = format!("{folder}/.dataset.partial-x");
    fs::create_dir_all(&left).unwrap();
    fs::write(format!("{left}/base-00000"), "half").unwrap();
    ok(&study.commit(&study.path("table.csv"), &format!("{folder}/dataset"), &[]));
    assert!(!Path::new(&left).exists());
    assert!(Path::new(&folder).join("dataset/manifest.json").is_file());
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = command()
        .args(["inspect", &study().path("registry.toml")])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(141));
}

#[test]
fn what_is_said_of_hidden_cells_is_true_of_each_kind() {
    let said = ok(&study().verify(&[]));
    assert!(!said.contains("hide a large count"), "{said}");
    for part in [
        "is about fewer patients than",
        "one hidden as * can be large",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn no_command_panics_where_nobody_reads_on() {
    let study = study();
    let (key, query) = (study.path("closed.key"), study.path("closed.json"));
    let table = study.path("closed-table");
    let asked = study.query(SQL_2, "closed.json");
    let proven = study.prove("query.json", "closed.bundle.json");
    let (committed, verified) = (
        study.commit(&study.path("table.csv"), &study.path("closed/dataset"), &[]),
        study.verify(&[]),
    );
    let words = |words: &[&str]| crate::study::strings(words);
    let commands = [
        words(&["--help"]),
        words(&["verify", "--help"]),
        words(&["--version"]),
        words(&["no-such-command"]),
        words(&["key", "--new", &key]),
        words(&["key", &key]),
        words(&["demo", "--table", "--patients", "50", "--out", &table]),
        words(&["params", "--out", &study.path("closed.bin")]),
        words(&["inspect", &study.path("bundle.json")]),
        words(&["table", "check", "nowhere.toml"]),
        words(&["queries", "--from", "nowhere"]),
        words(&["demo", "--patients", "300"]),
        committed,
        asked,
        proven,
        verified,
    ];
    for arguments in commands {
        for json in [false, true] {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            let mut command = command();
            command.args(&arguments).stdout(writer);
            if json {
                // What the text form made is there.
                for made in [&key, &query] {
                    let _ = fs::remove_file(made);
                }
                command.arg("--json");
            }
            let output = command.output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(!error.contains("panicked"), "{arguments:?}: {error}");
            assert_ne!(output.status.code(), Some(101), "{arguments:?}: {error}");
        }
    }
}

#[test]
fn the_sql_may_stand_in_a_file() {
    let study = study();
    let sql = study.write("query.sql", format!("{SQL}\n"));
    let mut args = study.query("", "from-file.json");
    let at = args.iter().position(|a| a == "--sql").unwrap();
    args.splice(at..at + 2, ["--sql-file".to_owned(), sql]);
    ok(&args);
    let text = fs::read_to_string(study.path("from-file.json")).unwrap();
    let usual = fs::read_to_string(study.path("query.json")).unwrap();
    assert_eq!(text, usual);
}

#[test]
fn the_fixture_is_what_the_tests_say() {
    assert_eq!(csv().lines().count(), PATIENTS + 1);
    assert!(REGISTRY.contains("nullable = true"));
    assert_eq!(expected()[2][1]["type"], "suppressed");
}
