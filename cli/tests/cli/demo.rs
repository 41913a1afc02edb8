//! The demonstration, on the smallest shape.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::study::{cache, command, ok, ok_json, refused};

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

/// A demonstration that serves, with what it prints up to and with the line that begins like `last`.
fn serve(more: &[&str], last: &str) -> (Served, Vec<String>) {
    let mut child = command()
        .args(SMALL)
        .args(["--serve", "--listen", "localhost:0"])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let served = Served(child);
    let mut printed = Vec::new();
    for line in stdout.lines() {
        printed.push(line.unwrap().trim().to_owned());
        if printed.last().unwrap().starts_with(last) {
            break;
        }
    }
    (served, printed)
}

/// Runs commands by a shell that stops at the first that fails, with the program on its path.
fn shell(commands: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_galen")).parent().unwrap();
    let mut path = vec![program.to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let output = Command::new("sh")
        .args(["-e", "-c", commands])
        .current_dir(folder)
        .env("GALEN_CACHE", cache())
        .env("PATH", env::join_paths(path).unwrap())
        .env_remove("GALEN_KEY")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_printed_commands_take_an_answer_out_of_the_service() {
    let (_served, printed) = serve(&[], "galen verify ");
    let commands = printed.iter().filter(|l| l.starts_with("galen "));
    let commands: Vec<String> = commands.cloned().collect();
    assert_eq!(commands.len(), 2, "{printed:?}");
    let folder = tempfile::tempdir().unwrap();
    shell(&commands.join("\n"), folder.path());
}

#[test]
fn with_the_kept_keys_a_query_is_published_answered_and_joined_by_a_second_hospital() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("it's open");
    let (_served, printed) = serve(&["--out", out.to_str().unwrap()], "Ctrl-C");
    assert!(
        printed.iter().any(|l| l.contains("README.txt")),
        "{printed:?}"
    );
    for holder in ["steward", "researcher", "hospital", "log"] {
        assert!(out.join(format!("{holder}.key")).is_file(), "{holder}");
        let public = fs::read_to_string(out.join(format!("{holder}.pub"))).unwrap();
        assert!(public.starts_with("public key  "), "{public}");
    }
    let readme = fs::read_to_string(out.join("README.txt")).unwrap();
    let indented = readme.lines().filter_map(|l| l.strip_prefix("    "));
    let commands: Vec<&str> = indented
        .filter(|l| !l.starts_with("galen serve "))
        .collect();
    assert_eq!(
        commands.iter().filter(|l| l.starts_with("galen ")).count(),
        14,
        "{readme}"
    );
    let said = shell(&commands.join("\n"), &out);
    assert!(said.contains("Pooled: 2 datasets of 2 hospitals"), "{said}");
    assert!(out.join("pooled.csv").is_file());
}
