//! Progress bars on standard error, where that is a terminal.

use std::{
    fmt,
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use galen_params::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::Output;

const BAR: &str = "{msg:44!} {bar:24} {pos:>4}/{len:<4} {elapsed:>4}{rest}";
const SPINNER: &str = "{msg:44!} {spinner} {pos} in {elapsed}";

/// One bar at a time: a stage's bar goes when the next one comes.
pub struct Bars {
    current: Option<Mutex<Option<(String, ProgressBar)>>>,
}

impl Bars {
    /// Bars on a terminal; nothing elsewhere or with `--json`.
    pub fn new(output: &Output) -> Self {
        let shown = !output.is_json() && io::stderr().is_terminal();
        Self {
            current: shown.then(Mutex::default),
        }
    }
}

impl Progress for Bars {
    fn report(&self, stage: &str, done: u64, total: u64) {
        let Some(current) = &self.current else {
            return;
        };
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        // `development parameters: select keys` is a step of `development parameters`.
        let group = stage.split(": ").next().unwrap_or(stage);
        if current.as_ref().is_none_or(|(name, _)| name != group) {
            if let Some((_, old)) = current.take() {
                old.finish_and_clear();
            }
            if total > 0 && done >= total {
                return;
            }
            *current = Some((group.to_owned(), new_bar(stage, total)));
        }
        let Some((_, bar)) = current.as_ref() else {
            return;
        };
        bar.set_message(stage.to_owned());
        if total > 0 && bar.length() != Some(total) {
            bar.set_length(total);
        }
        bar.set_position(done.max(bar.position()));
        if total > 0 && done >= total {
            bar.finish_and_clear();
            *current = None;
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let left = self
            .current
            .as_mut()
            .and_then(|c| c.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        if let Some((_, bar)) = left {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(stage: &str, total: u64) -> ProgressBar {
    let length = (total > 0).then_some(total);
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr())
        .with_message(stage.to_owned());
    let template = if total > 0 { BAR } else { SPINNER };
    let style = ProgressStyle::with_template(template)
        .expect("the template is well-formed")
        .with_key("rest", write_rest);
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// The time left, once something is done that it can be judged by.
fn write_rest(state: &ProgressState, out: &mut dyn fmt::Write) {
    if state.pos() > 0 {
        let _ = write!(out, ", {} s left", state.eta().as_secs().max(1));
    }
}
