//! Reads criterion's estimates of the last `gates` run and prints the table of `docs/performance.md`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use galen_benches::load;
use serde_json::Value;

fn main() -> Result<()> {
    let target = std::env::args().nth(1).map(PathBuf::from);
    let target = target.unwrap_or_else(|| {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from)
    });
    let root = target.join("criterion");
    let medians = medians(&root).with_context(|| {
        format!(
            "no estimates in {}; run `cargo bench -p galen-benches --bench gates` first",
            root.display()
        )
    })?;
    println!("| operation | size | ms | µs a row |\n|---|---|---|---|");
    for ((name, size), ns) in &medians {
        let each = ns / 1e3 / *size as f64;
        println!("| {name} | {size} | {:.2} | {each:.2} |", ns / 1e6);
    }
    println!();
    for ((name, size), select) in &medians {
        if name != "select" {
            continue;
        }
        let of = |other: &str| medians.get(&(other.to_owned(), *size));
        for other in ["ark-groth16 alone", "ark-groth16 alone, matrices kept"] {
            if let Some(ns) = of(other) {
                println!("{size} rows: select / {other} = {:.3}", select / ns);
            }
        }
        if let Some(ns) = of("recode10") {
            println!("{size} rows: recode10 / select = {:.3}", ns / select);
        }
    }
    println!("\nnow: {}", load());
    Ok(())
}

/// (group, size) → median in ns.
fn medians(root: &Path) -> Result<BTreeMap<(String, u64), f64>> {
    let mut out = BTreeMap::new();
    for group in folders(root)? {
        for id in folders(&group)? {
            let new = id.join("new");
            let (Some(benchmark), Some(estimates)) = (
                json(&new.join("benchmark.json")),
                json(&new.join("estimates.json")),
            ) else {
                continue;
            };
            let name = benchmark["group_id"].as_str().map(str::to_owned);
            let size = benchmark["value_str"].as_str().and_then(|v| v.parse().ok());
            let ns = estimates["median"]["point_estimate"].as_f64();
            if let (Some(name), Some(size), Some(ns)) = (name, size, ns) {
                out.insert((name, size), ns);
            }
        }
    }
    anyhow::ensure!(!out.is_empty(), "no estimates");
    Ok(out)
}

fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root)?.flatten().map(|e| e.path());
    Ok(entries.filter(|p| p.is_dir()).collect())
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
