//! The demonstration, on the smallest shape.

use std::{fs, process::Command};

use crate::study::{ok, ok_json, refused};

const SMALL: [&str; 5] = ["demo", "--shape", "tiny", "--patients", "400"];

#[test]
fn the_printed_command_verifies_the_kept_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("it's public");
    let text = ok(&[&SMALL[..], &["--out", out.to_str().unwrap()]].concat());
    assert!(text.contains("INSECURE"), "{text}");
    assert!(text.contains("<11"), "{text}");
    assert!(text.contains("What was proven"), "{text}");
    let mut names: Vec<String> = fs::read_dir(&out)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "bundle-1.json",
            "bundle-2.json",
            "bundle-3.json",
            "manifest.json",
            "parameters.bin",
            "query-1.json",
            "query-2.json",
            "query-3.json",
            "registry.toml",
        ]
    );
    let start = text.rfind(" verify --manifest").unwrap();
    let start = text[..start].rfind('\n').unwrap();
    let output = Command::new("sh")
        .arg("-c")
        .arg(&text[start..])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.matches("VERIFIED").count(), 3, "{shown}");
    let (kind, _) = refused(&["demo", "--out", out.to_str().unwrap()]);
    assert_eq!(kind, "io.DirectoryNotEmpty");
}

#[test]
fn the_third_query_reuses_what_the_first_made() {
    let document = ok_json(&SMALL);
    let queries = document["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 3);
    let [first, third] = [0, 2].map(|i| &queries[i]["report"]);
    let made = |r: &serde_json::Value| r["proven"].as_u64().unwrap();
    assert!(third["reused"].as_u64().unwrap() > 0);
    assert!(made(third) <= made(first) + 2, "{first} {third}");
    assert_eq!(document["out"], serde_json::Value::Null);
}
