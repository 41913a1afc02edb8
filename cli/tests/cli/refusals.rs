//! Whatever is wrong, the exit status says so and the error names it.

use std::fs::{self, File};

use serde_json::{Value, json};

use crate::study::{REGISTRY, Study, command, ok, refused, run, study};

fn document(study: &Study, name: &str) -> Value {
    serde_json::from_slice(&fs::read(study.path(name)).unwrap()).unwrap()
}

fn kind(args: &[String]) -> String {
    refused(args).0
}

#[test]
fn an_edited_cell_is_named() {
    let study = study();
    let mut bundle = document(study, "bundle.json");
    let cell = &mut bundle["cells"][0][0];
    *cell = json!(cell.as_u64().unwrap() + 1);
    let edited = study.write("edited.json", bundle.to_string());
    let (kind, error) = refused(&study.verify(&[("--bundle", &edited)]));
    assert_eq!(kind, "Proof");
    assert!(error.contains("edited.json was REFUSED"), "{error}");
    assert!(error.contains("bundle"), "{error}");
}

#[test]
fn an_uncovered_small_cell_is_refused() {
    let study = study();
    let mut bundle = document(study, "bundle.json");
    let groups = bundle["cells"].as_array_mut().unwrap();
    let hidden = groups
        .iter_mut()
        .flat_map(|g| g.as_array_mut().unwrap())
        .find(|c| **c == "small")
        .unwrap();
    *hidden = json!(5);
    let edited = study.write("uncovered.json", bundle.to_string());
    assert_eq!(kind(&study.verify(&[("--bundle", &edited)])), "CellRule");
}

#[test]
fn another_query_is_refused() {
    let study = study();
    let other = study.path("query-2.json");
    assert_eq!(kind(&study.verify(&[("--query", &other)])), "AnotherQuery");
}

#[test]
fn another_manifest_is_refused() {
    let study = study();
    let out = study.path("another-epoch");
    ok(&study.commit(&study.path("table.csv"), &out, &["--epoch", "7"]));
    let other = format!("{out}/manifest.json");
    let args = study.verify(&[("--manifest", &other)]);
    assert_eq!(kind(&args), "AnotherDataset");
    let registration = format!("{out}/registration.json");
    let args = study.verify(&[("--registration", &registration)]);
    assert_eq!(kind(&args), "AnotherDataset");
    let args = study.verify(&[("--manifest", &other), ("--registration", &registration)]);
    assert_eq!(kind(&args), "AnotherDataset");
}

#[test]
fn an_edited_manifest_is_refused() {
    let study = study();
    let mut manifest = document(study, "dataset/manifest.json");
    manifest["release"]["k"] = json!(2);
    let edited = study.write("edited-manifest.json", manifest.to_string());
    let args = study.verify(&[("--manifest", &edited)]);
    assert_eq!(kind(&args), "ManifestSignature");
}

#[test]
fn another_registry_is_refused() {
    let study = study();
    let text = REGISTRY.replace("max = 100", "max = 110");
    let other = study.write("other-registry.toml", text);
    assert_eq!(kind(&study.verify(&[("--registry", &other)])), "Registry");
}

#[test]
fn other_parameters_are_refused() {
    let study = study();
    let other = study.path("other-parameters.bin");
    let cache = tempfile::tempdir().unwrap();
    let made = command()
        .args(["params", "--out", &other, "--cache"])
        .arg(cache.path())
        .output()
        .unwrap();
    assert!(made.status.success());
    let args = study.verify(&[("--parameters", &other)]);
    assert_eq!(kind(&args), "ParameterSet");
}

#[test]
fn damaged_files_are_refused() {
    let study = study();
    let whole = fs::read(study.path("bundle.json")).unwrap();
    let half = study.write("half.json", &whole[..whole.len() / 2]);
    assert_eq!(kind(&study.verify(&[("--bundle", &half)])), "Json");
    let whole = fs::read(study.path("parameters.bin")).unwrap();
    let half = study.write("half.bin", &whole[..whole.len() / 2]);
    let args = study.verify(&[("--parameters", &half)]);
    assert_eq!(kind(&args), "params.Verifying");
    let text = study.write("text.toml", "registry = 1");
    assert_eq!(
        kind(&study.verify(&[("--registry", &text)])),
        "registry.Syntax"
    );
}

#[test]
fn missing_files_and_folders_are_refused() {
    let study = study();
    let nowhere = study.path("nowhere");
    for option in [
        "--bundle",
        "--query",
        "--manifest",
        "--registry",
        "--parameters",
    ] {
        let (kind, error) = refused(&study.verify(&[(option, &nowhere)]));
        assert_eq!(kind, "io.NotFound", "{option}");
        assert!(error.contains("nowhere"), "{error}");
    }
    let folder = study.path("dataset");
    let args = study.verify(&[("--bundle", &folder)]);
    assert_eq!(kind(&args), "io.IsADirectory");
}

#[test]
fn files_too_large_are_not_read() {
    let study = study();
    for (option, bytes) in [
        ("--bundle", (256 << 20) + 1),
        ("--parameters", (32 << 20) + 1),
        ("--query", (1 << 20) + 1),
        ("--registry", (1 << 20) + 1),
    ] {
        let path = study.path(&format!("large{option}"));
        File::create(&path).unwrap().set_len(bytes).unwrap();
        assert_eq!(
            kind(&study.verify(&[(option, &path)])),
            "TooLarge",
            "{option}"
        );
    }
}

#[test]
fn a_second_answer_is_refused() {
    let study = study();
    ok(&study.prove("query.json", "second.json"));
    let mut args = study.verify(&[]);
    args.extend(["--bundle".into(), study.path("second.json")]);
    args.extend(["--query".into(), study.path("query.json")]);
    assert_eq!(kind(&args), "SecondAnswer");
}

#[test]
fn bundles_and_queries_come_in_pairs() {
    let study = study();
    let mut args = study.verify(&[]);
    args.extend(["--bundle".into(), study.path("bundle.json")]);
    assert_eq!(kind(&args), "usage.Pairs");
}

#[test]
fn queries_that_cannot_be_asked_are_not_written() {
    let study = study();
    let refuse = |sql: &str| {
        let (kind, error) = refused(&study.query(sql, "refused.json"));
        assert!(!fs::exists(study.path("refused.json")).unwrap());
        (kind, error)
    };
    assert_eq!(refuse("SELECT min(age) FROM mini").0, "query.Disclosing");
    assert_eq!(refuse("SELECT count(* FROM mini").0, "query.Syntax");
    let mut args = study.query("SELECT count(*) FROM mini", "refused.json");
    let at = args.iter().position(|a| a == "DUO:0000042").unwrap();
    args[at] = "DUO:0000007".into();
    assert_eq!(kind(&args), "Purpose");
}

#[test]
fn a_registered_query_is_never_overwritten() {
    let study = study();
    let args = study.query("SELECT count(*) FROM mini", "query.json");
    assert_eq!(kind(&args), "io.AlreadyExists");
}

#[test]
fn proving_needs_the_datasets_own_parameters() {
    let study = study();
    let empty = tempfile::tempdir().unwrap();
    let mut args = study.prove("query.json", "never.json");
    args.extend(["--cache".into(), empty.path().to_str().unwrap().into()]);
    let (kind, error) = refused(&args);
    assert_eq!(kind, "ParameterSet");
    assert!(error.contains("--cache"), "{error}");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_the_work() {
    let study = study();
    let (kind, error) = refused(&study.prove("query.json", "no/such/bundle.json"));
    assert_eq!(kind, "io.NotFound");
    assert!(error.contains("no/such"), "{error}");
    let (kind, _) = refused(&study.prove("query.json", "dataset"));
    assert_eq!(kind, "io.IsADirectory");
}

#[test]
fn proving_over_no_dataset_says_so() {
    let study = study();
    let mut args = study.prove("query.json", "never.json");
    let at = args.iter().position(|a| a == "--dataset").unwrap();
    args[at + 1] = study.path("");
    assert_eq!(kind(&args), "dataset.NotADataset");
}

#[test]
fn inspect_refuses_what_it_does_not_know() {
    let study = study();
    for (name, bytes) in [("a.bin", &b"\x00\xff"[..]), ("b.json", b"{}"), ("c", b"")] {
        let path = study.write(name, bytes);
        assert_eq!(kind(&["inspect".into(), path]), "Format", "{name}");
    }
}

/// Each document in the place of each other one.
#[test]
fn a_document_in_anothers_place_is_told_for_what_it_is() {
    let study = study();
    let documents = [
        ("--bundle", "bundle.json", "a bundle"),
        ("--query", "query.json", "a query"),
        ("--manifest", "dataset/manifest.json", "a manifest"),
        (
            "--registration",
            "dataset/registration.json",
            "a registration",
        ),
        ("--registry", "registry.toml", "a registry"),
        ("--parameters", "parameters.bin", "parameters"),
    ];
    for (place, _, expected) in documents {
        for (_, file, is) in documents.iter().filter(|(own, ..)| *own != place) {
            let args = study.verify(&[(place, &study.path(file))]);
            let (kind, error) = refused(&args);
            assert_eq!(kind, "Format", "{error}");
            let why = format!("{file}\n  because: it is {is}, and {expected} is expected here");
            assert!(error.contains(&why), "{error}");
        }
    }
    let (query, bundle) = (study.path("query.json"), study.path("bundle.json"));
    for (args, expected) in [
        (vec!["verify", &query], "evidence"),
        (vec!["key", &bundle], "a key"),
        (
            vec![
                "publish",
                "member",
                "--role",
                "hospital",
                "--name",
                "A",
                "--member-key",
                &query,
                "--key",
                &query,
                "--to",
                "http://localhost:9",
            ],
            "a key",
        ),
        (
            vec![
                "query",
                "--registry",
                &study.path("registry.toml"),
                "--purpose",
                "DUO:0000042",
                "--explain",
                "--sql-file",
                &query,
            ],
            "SQL text",
        ),
    ] {
        let (_, error) = refused(&args);
        let why = format!("and {expected} is expected here");
        assert!(error.contains(&why), "{error}");
    }
}

#[test]
fn text_errors_name_their_cause() {
    let study = study();
    let other = study.path("query-2.json");
    let output = run(&study.verify(&[("--query", &other)]));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: "), "{error}");
    assert!(error.contains("answers another query"), "{error}");
}

#[test]
fn only_a_bundle_is_replaced_by_a_bundle() {
    let study = study();
    for precious in ["query.json", "registry.toml", "dataset/manifest.json"] {
        let before = fs::read(study.path(precious)).unwrap();
        assert_eq!(
            kind(&study.prove("query.json", precious)),
            "io.AlreadyExists"
        );
        assert_eq!(
            fs::read(study.path(precious)).unwrap(),
            before,
            "{precious}"
        );
    }
    let registry = study.path("registry.toml");
    let params = ["params", "--out", &registry];
    assert_eq!(kind(&params.map(str::to_owned)), "io.AlreadyExists");
}

#[test]
fn a_command_line_that_cannot_be_read_is_a_document_too() {
    let output = run(&["verify", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["kind"], "usage");
    let error = document["error"].as_str().unwrap();
    assert!(error.contains("--bundle"), "{error}");
    assert!(
        error.lines().any(|l| l.trim() == "<EVIDENCE>..."),
        "{error}"
    );
}

#[test]
fn a_table_given_as_a_registry_is_not_repeated() {
    let study = study();
    let table = study.write("export.txt", "John Smith born 1950\n");
    let mut args = study.query("SELECT count(*) FROM mini", "never.json");
    let at = args.iter().position(|a| a == "--registry").unwrap();
    args[at + 1] = table;
    let (_, error) = refused(&args);
    assert!(
        error.contains("is this a registry?") && !error.contains("Smith"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf_8_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"answer-\xff.galen");
    let output = command()
        .args(["--json", "verify"])
        .arg(name)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = document["error"].as_str().unwrap();
    assert!(error.contains("rename it"), "{error}");
}
