//! A small study that every test shares: registry, table, parameters, a committed epoch and an answer.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

pub const REGISTRY: &str = r#"
[registry]
name = "mini"
version = 1
patient_id = "patient_id"

[[purpose]]
code = "DUO:0000042"
label = "general research use"
column = "consent"

[[column]]
name = "sex"
type = "category"
codes = ["F", "M", "O"]

[[column]]
name = "age"
type = "number"
min = 18
max = 100
decimals = 0
unit = "a"

[[column]]
name = "ldl"
type = "number"
min = 0.0
max = 9.9
decimals = 1
unit = "mmol/L"
nullable = true

[[column]]
name = "statin"
type = "boolean"
"#;

/// One chunk of the smallest shape, not full.
pub const PATIENTS: usize = 600;

pub const SQL: &str = "SELECT sex, count(*) AS n, count(ldl) AS measured, avg(ldl) AS mean \
                       FROM mini WHERE age >= 40 GROUP BY sex";
pub const SQL_2: &str = "SELECT count(*) AS n FROM mini WHERE age >= 40 AND statin";

/// One made-up patient.
pub struct Patient {
    pub sex: &'static str,
    pub age: usize,
    /// Tenths.
    pub ldl: Option<usize>,
    pub statin: bool,
    pub consent: bool,
}

pub fn patient(i: usize) -> Patient {
    Patient {
        sex: match i {
            _ if i % 100 == 1 => "O",
            _ if i.is_multiple_of(2) => "F",
            _ => "M",
        },
        age: 18 + i % 80,
        ldl: (!i.is_multiple_of(5)).then_some(i % 90),
        statin: i.is_multiple_of(3),
        consent: i % 10 != 9,
    }
}

pub fn csv() -> String {
    let mut text = String::from("patient_id,consent,sex,age,ldl,statin\n");
    for i in 0..PATIENTS {
        let p = patient(i);
        let ldl = p
            .ldl
            .map_or(String::new(), |t| format!("{}.{}", t / 10, t % 10));
        let (consent, sex, age, statin) = (p.consent, p.sex, p.age, p.statin);
        writeln!(text, "p{i},{consent},{sex},{age},{ldl},{statin}").unwrap();
    }
    text
}

/// The shared cache: keys are made once for all runs.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galen"));
    command.env("GALEN_CACHE", cache()).env_remove("GALEN_KEY");
    command
}

pub fn run<S: AsRef<OsStr>>(args: &[S]) -> Output {
    command().args(args).output().unwrap()
}

/// Standard output of a success.
pub fn ok<S: AsRef<OsStr>>(args: &[S]) -> String {
    let output = run(args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one JSON document of a success; nothing may stand on standard error.
pub fn ok_json<S: AsRef<OsStr>>(args: &[S]) -> Value {
    let output = command().args(args).arg("--json").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert_eq!(error, "");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Kind and text of a failure, after checking that text and JSON agree.
pub fn refused<S: AsRef<OsStr>>(args: &[S]) -> (String, String) {
    let output = command().args(args).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = document["error"].as_str().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, format!("error: {error}\n"));
    let kind = document["kind"].as_str().unwrap();
    (kind.to_owned(), error.to_owned())
}

/// The files of the study.
pub struct Study {
    folder: TempDir,
}

impl Study {
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn commit(&self, table: &str, out: &str, more: &[&str]) -> Vec<String> {
        let mut args = strings(&["commit", "--hospital", "Test Hospital", "--dataset", "mini"]);
        args.extend(strings(&["--registry", &self.path("registry.toml")]));
        args.extend(strings(&["--table", table, "--out", out]));
        args.extend(strings(&["--complementary", "off"]));
        args.extend(strings(more));
        args
    }

    pub fn query(&self, sql: &str, out: &str) -> Vec<String> {
        let registry = self.path("registry.toml");
        strings(&[
            "query",
            "--registry",
            &registry,
            "--purpose",
            "DUO:0000042",
            "--sql",
            sql,
            "--out",
            &self.path(out),
        ])
    }

    pub fn prove(&self, query: &str, out: &str) -> Vec<String> {
        let (dataset, query) = (self.path("dataset"), self.path(query));
        strings(&[
            "prove",
            "--dataset",
            &dataset,
            "--query",
            &query,
            "--out",
            &self.path(out),
        ])
    }

    /// `galen verify` of the first answer, with some files replaced: `("--query", path)`.
    pub fn verify(&self, replaced: &[(&str, &str)]) -> Vec<String> {
        let mut args = strings(&["verify"]);
        for (option, usual) in [
            ("--bundle", "bundle.json"),
            ("--query", "query.json"),
            ("--manifest", "dataset/manifest.json"),
            ("--registration", "dataset/registration.json"),
            ("--registry", "registry.toml"),
            ("--parameters", "parameters.bin"),
        ] {
            let other = replaced.iter().find(|(o, _)| *o == option);
            args.push(option.into());
            args.push(other.map_or_else(|| self.path(usual), |(_, path)| (*path).into()));
        }
        args
    }
}

pub fn strings(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|p| (*p).to_owned()).collect()
}

/// The study, made by the first test that asks; in a fresh folder for each run.
pub fn study() -> &'static Study {
    static STUDY: OnceLock<Study> = OnceLock::new();
    STUDY.get_or_init(|| {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("studies");
        // A static is never dropped: what the run before left is removed here.
        let _ = fs::remove_dir_all(&base);
        fs::create_dir_all(&base).unwrap();
        let study = Study {
            folder: tempfile::tempdir_in(base).unwrap(),
        };
        study.write("registry.toml", REGISTRY);
        let table = study.write("table.csv", csv());
        let parameters = study.path("parameters.bin");
        ok(&["params", "--out", &parameters]);
        ok(&study.commit(&table, &study.path("dataset"), &[]));
        ok(&study.query(SQL, "query.json"));
        ok(&study.query(SQL_2, "query-2.json"));
        ok(&study.prove("query.json", "bundle.json"));
        study
    })
}
