//! The service's own failures in its log. A failing database fails every request: of each cause some lines a second
//! are written, and then how many more there were.

use std::{
    collections::BTreeMap,
    fmt::Display,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// For how long lines are counted together.
const PERIOD: Duration = Duration::from_secs(1);

/// Lines of one cause in a period.
const LINES: u64 = 5;

/// Causes that are told apart in a period. Where causes name what a client sent, they are as many as it likes.
const CAUSES: usize = 16;

/// What all causes beyond these are counted as.
const OTHERS: &str = "others";

/// A process has one log.
static RECENT: Mutex<Recent> = Mutex::new(Recent::new());

/// Logs a failure of the service's own, unless this period has had enough lines of its cause.
pub fn failed(what: &'static str, cause: &dyn Display) {
    let cause = cause.to_string();
    let (written, left_out) = recent().count(&cause, Instant::now());
    tell(left_out);
    if written {
        tracing::error!(%cause, "{what}");
    }
}

/// Logs how many lines were left out in a period that is over. For a clock: after the last failure of many, no
/// other comes and says so.
pub fn tell_left_out() {
    let left_out = recent().ended(Instant::now());
    tell(left_out);
}

fn recent() -> MutexGuard<'static, Recent> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(left_out: Vec<LeftOut>) {
    for LeftOut { cause, lines } in left_out {
        // They were of other requests than the one at hand.
        tracing::error!(parent: None, %cause, lines, "more failures of one cause, whose lines were left out");
    }
}

/// Lines of a cause that were not written.
#[derive(Debug, PartialEq, Eq)]
struct LeftOut {
    cause: String,
    lines: u64,
}

/// The failures of a period.
struct Recent {
    since: Option<Instant>,
    causes: BTreeMap<String, u64>,
}

impl Recent {
    const fn new() -> Self {
        Self {
            since: None,
            causes: BTreeMap::new(),
        }
    }

    /// Counts a failure: whether its line is written, and before it what was left out in a period that is over.
    fn count(&mut self, cause: &str, now: Instant) -> (bool, Vec<LeftOut>) {
        let left_out = self.ended(now);
        self.since.get_or_insert(now);
        let apart = self.causes.contains_key(cause) || self.causes.len() < CAUSES;
        let cause = if apart { cause } else { OTHERS };
        let count = self.causes.entry(cause.to_owned()).or_default();
        *count += 1;
        (*count <= LINES, left_out)
    }

    /// What was left out, if the period is over; the next failure begins another.
    fn ended(&mut self, now: Instant) -> Vec<LeftOut> {
        if self.since.is_none_or(|since| now < since + PERIOD) {
            return Vec::new();
        }
        self.since = None;
        mem::take(&mut self.causes)
            .into_iter()
            .filter(|(_, count)| *count > LINES)
            .map(|(cause, count)| LeftOut {
                cause,
                lines: count - LINES,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(cause: &str, lines: u64) -> LeftOut {
        let cause = cause.to_owned();
        LeftOut { cause, lines }
    }

    /// How many of so many lines are written.
    fn written(recent: &mut Recent, cause: &str, failures: u64, now: Instant) -> usize {
        let one = |_| recent.count(cause, now).0;
        (0..failures).map(one).filter(|written| *written).count()
    }

    #[test]
    fn of_one_cause_some_lines_are_written_and_the_others_counted() {
        let (mut recent, now) = (Recent::new(), Instant::now());
        assert_eq!(written(&mut recent, "disk", 78_130, now), 5);
        assert_eq!(written(&mut recent, "panic", 2, now), 2);
        assert_eq!(recent.ended(now + PERIOD / 2), []);
        let later = now + PERIOD;
        assert_eq!(
            recent.count("disk", later),
            (true, vec![left_out("disk", 78_125)])
        );
        // Nothing is told twice, and nothing was left out of the new period.
        assert_eq!(recent.ended(later), []);
        assert_eq!(recent.ended(later + PERIOD), []);
    }

    #[test]
    fn what_was_left_out_is_told_though_no_other_failure_comes() {
        let (mut recent, now) = (Recent::new(), Instant::now());
        written(&mut recent, "disk", 7, now);
        assert_eq!(recent.ended(now + PERIOD), [left_out("disk", 2)]);
        assert_eq!(recent.ended(now + PERIOD * 2), []);
    }

    #[test]
    fn causes_without_number_are_counted_as_one() {
        let (mut recent, now) = (Recent::new(), Instant::now());
        let lines: usize = (0..1_000)
            .map(|n| written(&mut recent, &format!("cause {n}"), 1, now))
            .sum();
        assert_eq!(lines, CAUSES + 5);
        let others = 1_000 - CAUSES as u64 - 5;
        assert_eq!(recent.ended(now + PERIOD), [left_out(OTHERS, others)]);
    }
}
