//! The demonstration, on the smallest shape.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use crate::study::{command, ok, ok_json, refused};

const SMALL: [&str; 3] = ["demo", "--patients", "400"];

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
            "registration.json",
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
fn every_answer_is_one_small_proof() {
    let document = ok_json(&SMALL);
    let queries = document["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 3);
    for query in queries {
        let bytes = query["proof_bytes"].as_u64().unwrap();
        assert!((500..3_000).contains(&bytes), "{bytes}");
        assert_eq!(query["verified"], true);
    }
    assert_eq!(document["out"], serde_json::Value::Null);
}

/// A program that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_printed_commands_take_an_answer_out_of_the_service() {
    let mut child = command()
        .args(SMALL)
        .args(["--serve", "--listen", "localhost:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let _served = Served(child);
    let mut printed = Vec::new();
    for line in stdout.by_ref().lines() {
        let line = line.unwrap().trim().to_owned();
        let last = line.starts_with("galen verify ");
        printed.extend(line.starts_with("galen ").then_some(line));
        if last {
            break;
        }
    }
    assert_eq!(printed.len(), 2, "{printed:?}");
    let folder = tempfile::tempdir().unwrap();
    let program = command().get_program().to_owned();
    for line in printed {
        let line = line.replacen("galen", "\"$GALEN\"", 1);
        let output = Command::new("sh")
            .args(["-c", &line])
            .env("GALEN", &program)
            .current_dir(&folder)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {error}");
    }
}
