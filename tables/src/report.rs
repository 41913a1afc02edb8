//! What `build` and `check` tell.

use std::fmt;
use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::database::Snapshot;
use crate::quality::{Action, Kind};
use crate::source::SourceColumns;

/// What was built. Counts only: no value of any row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The mapping's title.
    pub title: String,
    /// What was read.
    pub sources: Vec<SourceColumns>,
    /// The moment of the database that was read, where there is one.
    pub snapshot: Option<Snapshot>,
    /// Rows, one per patient.
    pub rows: u64,
    /// The table's columns, in file order.
    pub columns: Vec<ColumnReport>,
    /// The table's file.
    pub out: PathBuf,
    /// The note beside it on how it was made, for the public record.
    pub note: PathBuf,
    /// The table's length in bytes.
    pub bytes: u64,
    /// Its SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// The folder of the report that stays in the hospital, where there is one.
    pub report: Option<PathBuf>,
    /// From reading the mapping to the file in place, in seconds.
    pub seconds: f64,
    /// What was not wrong but should be looked at.
    pub warnings: Vec<String>,
}

/// One column of the table built.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// Its type, as in `int64`, `utf8`, `decimal(10, 6)`, `timestamp(us)`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// How many rows have NULL there.
    pub nulls: u64,
    /// What the registry does not take, and what was done with it.
    pub problems: Vec<ProblemReport>,
}

/// Values with one problem: how many there are, and where, but not what they are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProblemReport {
    /// The problem.
    pub kind: Kind,
    /// What was done.
    pub action: Action,
    /// How many there are.
    pub count: u64,
    /// The first of them: rows of the SQL's result, from 1.
    pub rows: Vec<u64>,
}

/// What would be built.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The mapping's title.
    pub title: String,
    /// The sources as the SQL sees them.
    pub sources: Vec<SourceColumns>,
    /// The moment of the database that was looked at, where there is one.
    pub snapshot: Option<Snapshot>,
    /// The table's columns' names and types, in file order.
    pub columns: Vec<(String, String)>,
    /// Rows of the result, one per patient, if the SQL was run.
    pub rows: Option<u64>,
    /// Columns in which the registry does not take all values, if the SQL was run.
    pub problems: Vec<ColumnReport>,
    /// The folder of the report that stays in the hospital, if the SQL was run.
    pub report: Option<PathBuf>,
    /// What is not wrong but should be looked at.
    pub warnings: Vec<String>,
}

/// A table without lines, for people; without a header where there is nothing to name.
pub(crate) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    if !head.is_empty() {
        table.set_header(head.iter().copied());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table
}

fn write_warnings(f: &mut fmt::Formatter<'_>, warnings: &[String]) -> fmt::Result {
    warnings
        .iter()
        .try_for_each(|w| writeln!(f, "warning: {w}"))
}

/// What was done with values that the registry does not take.
fn write_problems(f: &mut fmt::Formatter<'_>, columns: &[ColumnReport]) -> fmt::Result {
    for column in columns {
        for problem in &column.problems {
            writeln!(
                f,
                "{}: {} {}, {}",
                column.name,
                problem.count,
                problem.kind.label(),
                problem.action.done()
            )?;
        }
    }
    Ok(())
}

fn write_report(f: &mut fmt::Formatter<'_>, folder: Option<&Path>) -> fmt::Result {
    match folder {
        None => Ok(()),
        Some(folder) => write!(
            f,
            "\nreport   {}, which stays in the hospital",
            folder.join("report.html").display()
        ),
    }
}

/// Every file of every source, with its rows, and the database's tables.
fn write_sources(
    f: &mut fmt::Formatter<'_>,
    sources: &[SourceColumns],
    snapshot: Option<&Snapshot>,
) -> fmt::Result {
    let mut files = table(&["source", "file", "rows"]);
    for source in sources {
        if source.files.is_empty() {
            files.add_row([&source.name, "", ""]);
        }
        for file in &source.files {
            files.add_row([&source.name, &file.name(), &file.rows.to_string()]);
        }
    }
    if let Some(rows) = files.column_mut(2) {
        rows.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(f, "{}\n", files.trim_fmt())?;
    match snapshot {
        None => Ok(()),
        Some(s) => writeln!(
            f,
            "{} is PostgreSQL {}, read as it was at {}\n",
            s.source, s.server, s.taken
        ),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut columns = table(&["column", "type", "NULL"]);
        for c in &self.columns {
            columns.add_row([&c.name, &c.data_type, &c.nulls.to_string()]);
        }
        if let Some(nulls) = columns.column_mut(2) {
            nulls.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{}\n", self.title)?;
        write_sources(f, &self.sources, self.snapshot.as_ref())?;
        writeln!(f, "{}\n", columns.trim_fmt())?;
        write_problems(f, &self.columns)?;
        write_warnings(f, &self.warnings)?;
        writeln!(f, "rows     {}", self.rows)?;
        writeln!(f, "time     {:.1} s", self.seconds)?;
        writeln!(f, "table    {} ({} bytes)", self.out.display(), self.bytes)?;
        writeln!(f, "SHA-256  {}", self.sha256)?;
        write!(
            f,
            "record   {}, which galen commit reads",
            self.note.display()
        )?;
        write_report(f, self.report.as_deref())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.title)?;
        write_sources(f, &self.sources, self.snapshot.as_ref())?;
        let mut sources = table(&["source", "column", "type"]);
        for source in &self.sources {
            for (name, data_type) in &source.columns {
                sources.add_row([&source.name, name, data_type]);
            }
        }
        writeln!(f, "{}\n", sources.trim_fmt())?;
        let mut columns = table(&["table's column", "type"]);
        for (name, data_type) in &self.columns {
            columns.add_row([name, data_type]);
        }
        writeln!(f, "{}\n", columns.trim_fmt())?;
        write_warnings(f, &self.warnings)?;
        write_problems(f, &self.problems)?;
        match self.rows {
            None => write!(f, "the SQL plans; nothing was run or written"),
            Some(rows) => {
                write!(f, "rows     {rows}; the table would be written")?;
                write_report(f, self.report.as_deref())
            }
        }
    }
}
