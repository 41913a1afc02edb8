//! Answers as files: CSV, and an SVG picture.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use galen_verifier::{
    analysis::{Table, Value},
    answer::Cell,
};

use crate::{caption::Caption, failure::refusal, files, number, picture, shown::Shown};

/// Files to write beside what is printed.
#[derive(Debug, Default, clap::Args)]
pub struct Exports {
    /// Write the answer as CSV; derived tables go beside it as NAME-1-1.csv and so on. No file is replaced
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the answer as an SVG plot: histogram, bars with intervals, survival curves or attrition flow.
    /// No file is replaced
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

impl Exports {
    /// Whether any file is asked for.
    pub fn any(&self) -> bool {
        self.csv.is_some() || self.plot.is_some()
    }

    /// Refuses names that cannot be written before any work is done.
    pub fn check(&self) -> Result<()> {
        for path in [&self.csv, &self.plot].into_iter().flatten() {
            is_free(path)?;
            files::check_folder(path).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    /// Writes all files or, where one of the names is taken, none. Where nothing can be drawn the others are
    /// written all the same, and the error says what to do.
    pub fn write(&self, answer: &Shown<'_>, caption: &Caption) -> Result<()> {
        let mut all: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        if let Some(path) = &self.csv {
            all.extend(csv_files(path, answer)?);
        }
        let mut not_drawn = None;
        if let Some(path) = &self.plot {
            match picture::svg(answer, caption) {
                Ok(svg) => all.push((path.clone(), svg.into_bytes())),
                Err(e) => not_drawn = Some(e.context(format!("plot {} not drawn", path.display()))),
            }
        }
        for (i, (path, _)) in all.iter().enumerate() {
            is_free(path)?;
            if all[..i].iter().any(|(other, _)| other == path) {
                let why = format!("{} is to be two files at once", path.display());
                return Err(refusal("usage.Exports", why));
            }
        }
        for (path, bytes) in &all {
            files::write_atomic(path, bytes)?;
        }
        not_drawn.map_or(Ok(()), Err)
    }
}

fn is_free(path: &Path) -> Result<()> {
    if path.exists() {
        let why = format!(
            "{} exists; choose another name, or remove it first",
            path.display()
        );
        return Err(refusal("io.AlreadyExists", why));
    }
    Ok(())
}

fn csv_files(path: &Path, answer: &Shown<'_>) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut all = vec![(path.to_owned(), answer_csv(answer)?)];
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    for (i, derived) in (1..).zip(answer.derived) {
        for (j, table) in (1..).zip(&derived.tables) {
            let beside = path.with_file_name(format!("{stem}-{i}-{j}.csv"));
            all.push((beside, bytes(&table.columns, derived_rows(table))?));
        }
    }
    Ok(all)
}

fn derived_rows(table: &Table) -> impl Iterator<Item = Vec<String>> {
    let rows = table.rows.iter();
    rows.map(|r| r.iter().map(derived_text).collect())
}

/// Every digit of a number, and a tiny one, as p-values are, with an exponent.
fn derived_text(value: &Value) -> String {
    match value {
        Value::Number(n) => number::exact(*n),
        other => other.to_string(),
    }
}

/// A bucket takes three columns: its number, its smallest and its largest value; so does the group of NULL
/// beside buckets, all of them empty.
fn answer_csv(answer: &Shown<'_>) -> Result<Vec<u8>> {
    let is_bucket = |column: usize| {
        let mut cells = answer.rows.iter().map(|r| &r[column]);
        cells.any(|c| matches!(c, Cell::Bucket(_)))
    };
    let wide: Vec<bool> = (0..answer.columns.len()).map(is_bucket).collect();
    let header: Vec<String> = answer
        .columns
        .iter()
        .zip(&wide)
        .flat_map(|(name, wide)| match wide {
            true => vec![name.clone(), format!("{name}_from"), format!("{name}_to")],
            false => vec![name.clone()],
        })
        .collect();
    let rows = answer.rows.iter().map(|row| {
        let cells = row.iter().zip(&wide);
        cells.flat_map(|(cell, wide)| texts(cell, *wide)).collect()
    });
    bytes(&header, rows)
}

/// NULL is empty; a hidden cell says that it is hidden.
fn texts(cell: &Cell, wide: bool) -> Vec<String> {
    match cell {
        Cell::Bucket(b) => vec![b.number.to_string(), b.from.clone(), b.to.clone()],
        Cell::Null if wide => vec![String::new(); 3],
        Cell::Null => vec![String::new()],
        other => vec![other.to_string()],
    }
}

fn bytes(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(&row)?;
    }
    Ok(writer.into_inner()?)
}
