//! What a piece of work takes: wall time, CPU time of all threads, peak memory.

use std::{fs, time::Instant};

use rustix::time::{clock_gettime, ClockId};

/// Figures of one piece of work.
pub struct Taken {
    pub wall_s: f64,
    pub cpu_s: f64,
    /// The process's largest resident memory meanwhile, with what it held before; none where the system
    /// does not say it.
    pub peak_mib: Option<f64>,
}

/// A measurement that has begun.
pub struct Clock {
    started: Instant,
    cpu_s: f64,
    peak_counts: bool,
}

impl Clock {
    pub fn start() -> Self {
        let peak_counts = reset_peak();
        let (started, cpu_s) = (Instant::now(), cpu_seconds());
        Self {
            started,
            cpu_s,
            peak_counts,
        }
    }

    pub fn stop(self) -> Taken {
        Taken {
            wall_s: self.started.elapsed().as_secs_f64(),
            cpu_s: cpu_seconds() - self.cpu_s,
            peak_mib: if self.peak_counts { peak_mib() } else { None },
        }
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Linux forgets a process's peak when 5 is written there.
fn reset_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
