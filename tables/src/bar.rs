//! How far a build is, on a terminal's standard error.

use std::time::Duration;

use galen_tables::Watch;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// Within 80 columns.
const BAR: &str = "{msg:8!} {bar:16} {human_pos} of {human_len} rows{prefix}, {eta} left";
const SPINNER: &str = "{msg:32!} {spinner} {elapsed}{prefix}";

/// A bar where the rows to read are known, else a spinner; it goes with the build.
pub fn watch() -> Watch {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    Watch::new(move |progress| {
        let known = progress.total.filter(|total| progress.rows < *total);
        let style = ProgressStyle::with_template(if known.is_some() { BAR } else { SPINNER });
        if let Ok(style) = style {
            bar.set_style(style);
        }
        if let Some(total) = known {
            bar.set_length(total);
        }
        bar.set_position(progress.rows);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rows a second
        let rate = bar.per_sec() as u64;
        bar.set_prefix(match (known, progress.rows) {
            (Some(_), _) => format!(", {}/s", HumanCount(rate)),
            (None, 0) => String::new(),
            (None, rows) => format!(", {} rows read", HumanCount(rows)),
        });
        bar.set_message(progress.stage.clone());
    })
}
