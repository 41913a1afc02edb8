//! What Galen's benchmarks share: a made-up hospital, clocks and medians. The method and the commands are in `docs/performance.md`.

use std::time::{Duration, Instant};

pub mod hospital;
pub mod load;

/// Whether to measure (`cargo bench`) or only to run once at a toy size (`cargo test`).
#[must_use]
pub fn measuring() -> bool {
    std::env::args().any(|a| a == "--bench")
}

/// The arguments that are not flags, e.g. sizes.
#[must_use]
pub fn arguments() -> Vec<String> {
    std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect()
}

/// Runs `f` and returns its result with the time it took.
pub fn timed<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = f();
    (result, started.elapsed())
}

/// CPU time of all threads of this process so far, in the kernel's steps of 10 ms, where the system has
/// `/proc`. On a machine that does other work too it says more than the clock does.
#[must_use]
pub fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15 (user, system); the name before them may hold blanks, but ends in the last ')'.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)))
}

/// Runs `f` and returns its result with the CPU time it took, in all threads.
pub fn cpu_timed<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let before = cpu().unwrap_or_default();
    let result = f();
    (result, cpu().unwrap_or_default().saturating_sub(before))
}

/// The median; of an even number the upper one.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    *times.get(times.len() / 2).expect("at least one run")
}

/// Milliseconds.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Microseconds for each of `count`.
#[must_use]
pub fn us_each(time: Duration, count: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let count = count as f64;
    time.as_secs_f64() * 1e6 / count
}

/// A `Vm…` figure of this process in bytes, where the system has `/proc`.
#[must_use]
pub fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(field))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// The one-minute load average and the number of cores, to print beside every figure.
#[must_use]
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|l| l.split_whitespace().next().map(str::to_owned))
        .unwrap_or_else(|| "unknown".into());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("load average {load} on {cores} cores")
}
