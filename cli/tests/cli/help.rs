//! Every command explains itself with an example.

use std::process::Command;

use crate::study::{command, ok, run};

#[test]
fn every_help_has_an_example() {
    let commands = [
        "demo", "params", "commit", "query", "prove", "verify", "inspect", "table", "serve", "key",
        "publish", "evidence", "ledger", "mirror", "queries",
    ];
    for name in commands {
        for option in ["--help", "-h"] {
            let text = ok(&[name, option]);
            assert!(text.contains("xample"), "{name} {option}: {text}");
            assert!(text.contains("galen"), "{name} {option}: {text}");
        }
    }
    let text = ok(&["--help"]);
    for name in commands {
        assert!(text.contains(&format!("\n  {name} ")), "{name}: {text}");
    }
}

#[test]
fn versions_tell_the_arithmetic() {
    let short = ok(&["--version"]);
    assert_eq!(short, format!("galen {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(ok(&["-V"]), short);
    let long = ok(&["--version", "--verbose"]);
    let own = galen_field::path().to_string();
    assert!(long.starts_with(&short) && long.contains(&own), "{long}");
    let document: serde_json::Value = serde_json::from_str(&ok(&["--version", "--json"])).unwrap();
    assert_eq!(document["arithmetic"], own.as_str());
    let with = |switch: &str| {
        let mut own = command();
        own.args(["--version", "--verbose"])
            .env("GALEN_SIMD", switch);
        own.output().unwrap()
    };
    let off = String::from_utf8(with("off").stdout).unwrap();
    assert!(off.contains("scalar (GALEN_SIMD is off)"), "{off}");
    // What is not understood is not taken for one or the other.
    for unknown in ["OFF", "0", ""] {
        let refused = with(unknown);
        assert_eq!(refused.status.code(), Some(2), "{unknown}");
        let why = String::from_utf8(refused.stderr).unwrap();
        assert!(why.contains("GALEN_SIMD"), "{why}");
    }
    assert_eq!(run(&["--verbose"]).status.code(), Some(2));
}

#[test]
fn without_arguments_it_says_what_there_is() {
    let output = run::<&str>(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("demo"));
}

/// A program put in its place by another process: one that this process wrote itself cannot be started while a test
/// beside this one, just forked, still holds it open for writing.
#[cfg(unix)]
fn install(from: &std::path::Path, to: &std::path::Path) {
    let status = Command::new("install")
        .args(["-m", "755"])
        .args([from, to])
        .status();
    assert!(status.unwrap().success());
}

#[cfg(unix)]
#[test]
fn table_hands_everything_over() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    std::fs::write(&script, "#!/bin/sh\necho \"$@\"\nexit 7\n").unwrap();
    install(&script, &folder.path().join("galen-tables"));
    // A copy, so that no galen-tables of a whole build stands beside it.
    let galen = folder.path().join("bin/galen");
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    install(std::path::Path::new(command().get_program()), &galen);
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let output = Command::new(&galen)
        .args(["table", "build", "--json", "-x", "--help"])
        .env("PATH", &path)
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"build --json -x --help\n");
    assert_eq!(output.status.code(), Some(7));
    // Before the command, --json means the same.
    for (words, handed) in [
        (
            &["--json", "table", "check", "mapping.toml"][..],
            "check --json mapping.toml\n",
        ),
        (
            &["--json", "table", "check", "m.toml", "--json"],
            "check m.toml --json\n",
        ),
        (&["--json", "table", "--help"], "--help\n"),
    ] {
        let output = Command::new(&galen)
            .args(words)
            .env("PATH", &path)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), handed);
        assert_eq!(output.status.code(), Some(7));
    }
    let output = Command::new(&galen)
        .args(["table", "build"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("cargo install --path tables"), "{error}");
}
