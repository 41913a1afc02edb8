//! The report that stays in the hospital, as JSON, as text and as a page: unlike all else that this program says, it
//! holds values.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use comfy_table::CellAlignment;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use super::column::{ColumnFindings, Problem};
use super::policy::Action;
use super::spread::Histogram;
use crate::database::Snapshot;
use crate::error::TablesError;
use crate::report::table;
use crate::source::SourceColumns;

/// The files that a report is: as JSON, as text and as a page.
pub(crate) const REPORT_FILES: [&str; 3] = ["report.json", "report.txt", "report.html"];

/// What stands on its top.
const NOTICE: &str = "This report stays in the hospital: it holds values of patients. Nothing of it is committed, \
                      published or needed by anyone outside.";

/// What a mapping makes of a hospital's data.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quality {
    /// That it stays in the hospital.
    pub notice: &'static str,
    /// The mapping's title.
    pub title: String,
    /// The registry's name and version.
    pub registry: String,
    /// SHA-256 of the registry's canonical form, lower-case hexadecimal.
    pub registry_digest: String,
    /// SHA-256 of the mapping file, lower-case hexadecimal; of its SQL's too, where that is a file of its own.
    pub mapping_sha256: Vec<String>,
    /// The program's version.
    pub version: &'static str,
    /// When it was made, in UTC.
    pub made: String,
    /// What was read.
    pub sources: Vec<SourceColumns>,
    /// The moment of the database that was read, where there is one.
    pub snapshot: Option<Snapshot>,
    /// Rows of the SQL's result, one per patient.
    pub rows: u64,
    /// Why the table was not written, or would not be.
    pub refused: Option<String>,
    /// Consents, then data, in the registry's order.
    pub columns: Vec<ColumnFindings>,
    /// What the mapping counts.
    pub counts: Vec<Counted>,
    /// What was not wrong but should be looked at.
    pub warnings: Vec<String>,
}

/// The result of one of a mapping's `[[count]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Counted {
    /// Its title.
    pub title: String,
    /// Its columns' names.
    pub columns: Vec<String>,
    /// Its rows; the first hundred.
    pub rows: Vec<Vec<String>>,
    /// Whether there are more.
    pub more: bool,
}

impl Quality {
    pub(crate) fn notice() -> &'static str {
        NOTICE
    }

    /// Writes `report.json`, `report.txt` and `report.html` into `folder`, which is made if it is not there. Only their
    /// user can read them.
    ///
    /// # Errors
    /// [`TablesError::Write`].
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TablesError> {
        let json = serde_json::to_string_pretty(self).map_err(|e| (folder.to_owned(), e.into()));
        let files = json.and_then(|json| {
            make(folder).map_err(|e| (folder.to_owned(), e))?;
            let texts = [json, printable(&self.text()), self.page().into_string()];
            for (name, text) in REPORT_FILES.into_iter().zip(texts) {
                let file = folder.join(name);
                replace(&file, text.as_bytes()).map_err(|e| (file, e))?;
            }
            Ok(())
        });
        files.map_err(|(file, source): (PathBuf, io::Error)| TablesError::Write {
            file,
            next: "choose another --report: a folder that can be written to",
            source,
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{NOTICE}\n\n{}\n\n", self.title);
        let mut facts = table(&[]);
        for (what, fact) in self.facts() {
            facts.add_row([what.to_owned(), fact]);
        }
        let mut columns = table(&[
            "column",
            "type",
            "known",
            "NULL",
            "least",
            "most",
            "mean",
            "most frequent",
        ]);
        for c in &self.columns {
            let (least, most) = c.range.clone().unwrap_or_default();
            columns.add_row([
                c.name.clone(),
                c.kind_and_unit(),
                c.known.to_string(),
                c.missing.to_string(),
                least,
                most,
                c.mean_text(),
                frequent(&c.counts),
            ]);
        }
        for right in 2..4 {
            if let Some(column) = columns.column_mut(right) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let _ = writeln!(text, "{}\n\n{}\n", facts.trim_fmt(), columns.trim_fmt());
        for (column, problem) in self.problems() {
            let _ = writeln!(text, "{}: {}", column.name, problem.sentence());
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
        for count in &self.counts {
            let head: Vec<&str> = count.columns.iter().map(String::as_str).collect();
            let mut table = table(&head);
            for row in &count.rows {
                table.add_row(row);
            }
            let more = if count.more { "\nand more" } else { "" };
            let _ = writeln!(text, "\n{}\n{}{more}", count.title, table.trim_fmt());
        }
        text
    }

    /// What it is about, line by line.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let table = match &self.refused {
            Some(why) => format!("refused: {why}"),
            None => "every value in it is one of the registry's".to_owned(),
        };
        let mut facts = vec![
            ("rows", self.rows.to_string()),
            ("table", table),
            (
                "registry",
                format!("{} ({})", self.registry, self.registry_digest),
            ),
            ("mapping", self.mapping_sha256.join(", ")),
            (
                "made",
                format!("{} by galen-tables {}", self.made, self.version),
            ),
        ];
        for source in &self.sources {
            for file in &source.files {
                let rows = format!("{} rows in {}", file.rows, file.file.display());
                facts.push(("read", rows));
            }
        }
        if let Some(s) = &self.snapshot {
            let at = format!(
                "{}, PostgreSQL {}, as it was at {}",
                s.source, s.server, s.taken
            );
            facts.push(("read", at));
        }
        facts
    }

    fn problems(&self) -> impl Iterator<Item = (&ColumnFindings, &Problem)> {
        let columns = self.columns.iter();
        columns.flat_map(|c| c.problems.iter().map(move |p| (c, p)))
    }

    fn page(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="robots" content="noindex";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    p.notice { (NOTICE) }
                    h1 { (self.title) }
                    table { @for (what, fact) in self.facts() { tr { th { (what) } td { (fact) } } } }
                    @if self.problems().next().is_some() {
                        h2 { "What the registry does not take" }
                        (self.problem_table())
                    }
                    @for warning in &self.warnings { p.warning { "Warning: " (warning) } }
                    h2 { "Columns" }
                    @for column in &self.columns { (column.section()) }
                    @for count in &self.counts { (count.section()) }
                }
            }
        }
    }

    fn problem_table(&self) -> Markup {
        html! {
            table {
                tr { th { "column" } th { "values" } th { "" } th { "done" } th { "rows of the result" } th { "most frequent" } }
                @for (column, problem) in self.problems() {
                    tr class=[(problem.action == Action::Reject).then_some("rejected")] {
                        td { (column.name) }
                        td.number { (problem.count) }
                        td { (problem.kind.label()) }
                        td { (problem.action.done()) }
                        td { (problem.rows_text()) }
                        td { (problem.frequent()) }
                    }
                }
            }
        }
    }
}

/// The first rows of so many.
pub(crate) fn rows_text(count: u64, first: &[u64]) -> String {
    let rows: Vec<String> = first.iter().map(u64::to_string).collect();
    let more = if count > rows.len() as u64 {
        ", …"
    } else {
        ""
    };
    rows.join(", ") + more
}

impl Problem {
    /// The first rows.
    pub(super) fn rows_text(&self) -> String {
        rows_text(self.count, &self.rows)
    }

    fn sentence(&self) -> String {
        format!(
            "{} {}, {} (row {} of the result; {})",
            self.count,
            self.kind.label(),
            self.action.done(),
            self.rows_text(),
            self.frequent()
        )
    }

    fn frequent(&self) -> String {
        let least = if self.values_at_least {
            "at least "
        } else {
            ""
        };
        counted(&self.values, least)
    }
}

impl ColumnFindings {
    fn kind_and_unit(&self) -> String {
        match &self.unit {
            None => self.kind.to_owned(),
            Some(unit) => format!("{}, {unit}", self.kind),
        }
    }

    fn mean_text(&self) -> String {
        self.mean.map(|m| format!("{m:.3}")).unwrap_or_default()
    }

    fn section(&self) -> Markup {
        html! {
            h3 { (self.name) " " small { (self.kind_and_unit()) } }
            p {
                (self.known) " known, " (self.missing) " NULL"
                @if let Some((least, most)) = &self.range { ", " (least) " to " (most) }
                @if self.mean.is_some() { ", mean " (self.mean_text()) }
            }
            @if let Some(histogram) = &self.histogram { (histogram.plot(&self.name)) }
            @if !self.counts.is_empty() { (bars(&self.counts)) }
        }
    }
}

/// Height of a histogram, and width of its bars and of the longest bar of a category, in pixels.
const HEIGHT: u64 = 90;
const BAR: usize = 22;
const LONGEST: u64 = 320;

/// `n` of `most`, as so many pixels; at least one where there is any.
fn pixels(n: u64, most: u64, longest: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    let scaled = u128::from(n) * u128::from(longest) / u128::from(most.max(1));
    u64::try_from(scaled).unwrap_or(longest).max(1)
}

impl Histogram {
    fn plot(&self, name: &str) -> Markup {
        let most = self.bars.iter().map(|b| b.2).max().unwrap_or(0);
        let width = self.bars.len() * BAR;
        let ends = self.bars.first().zip(self.bars.last());
        html! {
            svg role="img" width=(width) height=(HEIGHT + 20) viewBox=(format!("0 0 {width} {}", HEIGHT + 20)) {
                title { "Values of " (name) }
                @for (i, (from, to, n)) in self.bars.iter().enumerate() {
                    @let high = pixels(*n, most, HEIGHT);
                    rect x=(i * BAR + 1) y=(HEIGHT - high) width=(BAR - 2) height=(high) {
                        title { (from) @if to != from { " to " (to) } ": " (n) }
                    }
                }
                @if let Some((first, last)) = ends {
                    text x="0" y=(HEIGHT + 15) { (first.0) }
                    @if self.bars.len() > 6 {
                        text x=(width) y=(HEIGHT + 15) text-anchor="end" { (last.1) }
                    }
                }
            }
        }
    }
}

/// A bar for each value that stands there, the most frequent first.
fn bars(counts: &[(String, u64)]) -> Markup {
    let mut counts: Vec<_> = counts.iter().filter(|c| c.1 > 0).collect();
    counts.sort_by_key(|c| std::cmp::Reverse(c.1));
    let (shown, most) = (counts.len().min(30), counts.first().map_or(0, |c| c.1));
    html! {
        table {
            @for (value, n) in &counts[..shown] {
                @let wide = pixels(*n, most, LONGEST);
                tr {
                    td { (value) }
                    td.number { (n) }
                    td { svg width=(LONGEST) height="12" { rect width=(wide) height="12" {} } }
                }
            }
        }
        @if counts.len() > shown { p { "and " (counts.len() - shown) " more" } }
    }
}

impl Counted {
    fn section(&self) -> Markup {
        html! {
            h2 { (self.title) }
            table {
                tr { @for name in &self.columns { th { (name) } } }
                @for row in &self.rows { tr { @for cell in row { td { (cell) } } } }
            }
            @if self.more { p { "and more" } }
        }
    }
}

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
.notice{background:#b00020;color:#fff;padding:.8rem 1rem;font-weight:600}\
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top}\
th{font-weight:600;white-space:nowrap}.number{text-align:right}.rejected td{color:#b00020}.warning{color:#8a5a00}\
svg{display:block}rect{fill:#3b6ea5}text{font-size:12px;fill:#444}small{font-weight:400;color:#666}h3{margin-bottom:0}";

/// A text without what a terminal would take for a command.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The most frequent values with their counts, on one line.
fn frequent(counts: &[(String, u64)]) -> String {
    counted(counts, "")
}

fn counted(counts: &[(String, u64)], least: &str) -> String {
    let mut counts: Vec<_> = counts.iter().filter(|c| c.1 > 0).collect();
    counts.sort_by_key(|c| std::cmp::Reverse(c.1));
    let shown = counts
        .iter()
        .take(5)
        .map(|(v, n)| format!("{v} ({least}{n})"));
    let shown: Vec<String> = shown.collect();
    let more = if counts.len() > 5 { ", …" } else { "" };
    shown.join(", ") + more
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Puts a file in place whole, and for its user alone.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).map_err(|e| e.error)?;
    Ok(())
}
