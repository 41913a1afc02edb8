//! The page that leads through a study, as it stands: its commands, on a smaller table.

use std::{env, fs, path::Path, process::Command};

use crate::study::cache;

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/study.md");
    fs::read_to_string(page).unwrap()
}

/// The page's shell blocks, on 470 patients.
fn script() -> String {
    let page = page();
    let blocks: Vec<&str> = page
        .split("```sh\n")
        .skip(1)
        .map(|b| b.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 6);
    let smaller = [("--patients 5000", "--patients 470")];
    let mut text = blocks.concat();
    for (whole, small) in smaller {
        assert!(text.contains(whole), "{whole}");
        text = text.replace(whole, small);
    }
    text
}

#[test]
fn the_commands_of_the_study_page_work() {
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_galen")).parent().unwrap();
    let mut path = vec![binary.to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let output = Command::new("sh")
        .args(["-e", "-c", &script()])
        .current_dir(folder.path())
        .env("GALEN_CACHE", cache())
        .env("PATH", env::join_paths(path).unwrap())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("VERIFIED").count(), 3, "{text}");
    for shown in ["odds ratio", "Median survival", "excluded", "Derived: "] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    // The page shows the first step of attrition as the program does: nobody is excluded there, and the cell is blank.
    let first = "(all who consented to the purpose)";
    let shape = |text: &str| {
        let line = text.lines().rfind(|l| l.trim_start().starts_with(first));
        let words = line
            .unwrap()
            .trim_start()
            .trim_start_matches(first)
            .split_whitespace();
        words.map(|w| w.parse::<f64>().is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(shape(&page()), [true, true]);
    assert_eq!(shape(&text), [true, true]);
    let study = folder.path().join("study");
    for name in ["attrition", "table1", "survival"] {
        let svg = fs::read_to_string(study.join(format!("{name}.svg"))).unwrap();
        roxmltree::Document::parse(&svg).unwrap();
        let csv = fs::read_to_string(study.join(format!("{name}.csv"))).unwrap();
        assert!(csv.lines().count() > 1, "{csv}");
    }
    let curve = fs::read_to_string(study.join("survival-1-1.csv")).unwrap();
    assert!(curve.starts_with("statin,time,at risk,events,survival,lower,upper,lowest,highest\n"));
}
