//! Loads a service and prints what it did: `service_load entries|answers|memory [--galen PATH]…
//! [--database-url URL] [--count N] [--seconds S]`. Of several programs each gets the same load, one after the other. See
//! `docs/performance.md`.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use galen_benches::{
    hospital,
    load::{
        Outcome,
        client::Request,
        ledger::{self, Signers},
        send,
        service::Service,
    },
};
use galen_params::{Shape, default_cache};
use tempfile::TempDir;

struct Arguments {
    mode: String,
    galen: Vec<PathBuf>,
    database: Option<String>,
    count: usize,
    seconds: u64,
}

fn arguments() -> Result<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut arguments = Arguments {
        mode: words.next().unwrap_or_default(),
        galen: Vec::new(),
        database: None,
        count: 0,
        seconds: 600,
    };
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        match word.as_str() {
            "--galen" => arguments.galen.push(value.into()),
            "--database-url" => arguments.database = Some(value),
            "--count" => arguments.count = value.parse()?,
            "--seconds" => arguments.seconds = value.parse()?,
            other => bail!("{other} is no argument"),
        }
    }
    if arguments.galen.is_empty() {
        arguments.galen.push("target/release/galen".into());
    }
    Ok(arguments)
}

fn show(what: &str, outcome: &Outcome) {
    println!(
        "{what}: {} done, {} refused in {:.2} s: {:.0}/s; p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms",
        outcome.done,
        outcome.refused,
        outcome.took.as_secs_f64(),
        outcome.rate(),
        millis(outcome.quantile(500)),
        millis(outcome.quantile(990)),
        millis(outcome.quantile(1_000)),
    );
    if let Some(refusal) = &outcome.first_refusal {
        println!("  first refusal: {refusal}");
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = arguments()?;
    let work = tempfile::tempdir()?;
    match arguments.mode.as_str() {
        "entries" => entries(&arguments, work.path()).await,
        "answers" => answers(&arguments, work.path()).await,
        "memory" => memory(&arguments, work.path()).await,
        other => bail!("{other:?} is none of entries, answers, memory"),
    }
}

/// The service of a program, on a new ledger that has members and a registry.
async fn begun(
    arguments: &Arguments,
    galen: &Path,
    signers: &Signers,
) -> Result<(Service, TempDir)> {
    println!("{}", galen.display());
    let folder = tempfile::tempdir()?;
    let database = arguments.database.as_deref();
    let service = Service::start(galen, folder.path(), database, &signers.steward)?;
    ledger::send(&service.address, &ledger::begin(signers)?).await?;
    Ok((service, folder))
}

/// Durable entries: signed queries, each parsed, resolved and signature-checked.
async fn entries(arguments: &Arguments, work: &Path) -> Result<()> {
    let count = if arguments.count == 0 {
        20_000
    } else {
        arguments.count
    };
    let signers = Signers::new(work)?;
    for galen in &arguments.galen {
        entries_of(arguments, galen, &signers, count).await?;
    }
    Ok(())
}

async fn entries_of(
    arguments: &Arguments,
    galen: &Path,
    signers: &Signers,
    count: usize,
) -> Result<()> {
    let (service, _folder) = begun(arguments, galen, signers).await?;
    let mut first = 0;
    let mut best: f64 = 0.0;
    for connections in [1, 16, 64, 256] {
        let count = if connections == 1 { count / 20 } else { count };
        let requests = ledger::queries(signers, first, count)?;
        first += count;
        let outcome = send(&service.address, requests, connections, None).await?;
        show(&format!("entries, {connections} connections"), &outcome);
        best = best.max(outcome.rate());
    }
    let requests = ledger::queries(signers, first, count)?;
    let outcome = send(&service.address, requests, 256, Some(best / 2.0)).await?;
    show("entries at half of the best rate", &outcome);
    Ok(())
}

/// Verified answers: each with proofs of its own over one dataset of one chunk.
async fn answers(arguments: &Arguments, work: &Path) -> Result<()> {
    let count = if arguments.count == 0 {
        200
    } else {
        arguments.count
    };
    let signers = Signers::new(work)?;
    let params = hospital::params(&default_cache()?, Shape::ALL[0])?;
    let dataset = work.join("dataset");
    hospital::commit(work, 5_000, &params, &dataset)?;
    let all = 3 * count + 8;
    println!("proving {all} answers");
    let before = ledger::dataset(&signers, &dataset, &params)?;
    let requests = ledger::answers(&signers, &dataset, &params, (0, all))?;
    for galen in &arguments.galen {
        let (service, _folder) = begun(arguments, galen, &signers).await?;
        ledger::send(&service.address, &before).await?;
        ledger::send(&service.address, &ledger::queries(&signers, 0, all)?).await?;
        answers_of(&service, requests.clone(), count).await?;
    }
    Ok(())
}

async fn answers_of(service: &Service, mut requests: Vec<Request>, count: usize) -> Result<()> {
    // The first ones make the service read the dataset and see its predicates.
    ledger::send(&service.address, &requests.split_off(3 * count)).await?;
    let outcome = send(&service.address, requests.split_off(2 * count), 1, None).await?;
    show("answers, one at a time", &outcome);
    let outcome = send(&service.address, requests.split_off(count), 64, None).await?;
    show("answers, 64 at a time", &outcome);
    let rate = outcome.rate() / 2.0;
    let outcome = send(&service.address, requests, 64, Some(rate)).await?;
    show("answers at half of that rate", &outcome);
    ensure!(outcome.refused == 0, "answers were refused");
    Ok(())
}

/// Memory over time under a steady load of entries.
async fn memory(arguments: &Arguments, work: &Path) -> Result<()> {
    const RATE: usize = 1_000;
    let signers = Signers::new(work)?;
    let (service, _folder) = begun(arguments, &arguments.galen[0], &signers).await?;
    let started = Instant::now();
    let mut first = 0;
    while started.elapsed() < Duration::from_secs(arguments.seconds) {
        let requests = ledger::queries(&signers, first, 10 * RATE)?;
        first += requests.len();
        #[allow(clippy::cast_precision_loss, reason = "a thousand")]
        let outcome = send(&service.address, requests, 64, Some(RATE as f64)).await?;
        println!(
            "{:>4} s: {:>6.1} MiB after {first} entries; p99 {:.1} ms, {} refused",
            started.elapsed().as_secs(),
            f64::from(u32::try_from(service.memory()? >> 10)?) / 1_024.0,
            millis(outcome.quantile(990)),
            outcome.refused,
        );
    }
    Ok(())
}
