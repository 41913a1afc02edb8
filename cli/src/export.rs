//! Answers as files: CSV, and an SVG picture.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use galen_verifier::{
    analysis::{Table, Value},
    answer::{Answer, Cell},
};

use crate::{files, picture};

/// Files to write beside what is printed.
#[derive(Debug, Default, clap::Args)]
pub struct Exports {
    /// Write the answer as CSV; derived tables go beside it as NAME-1-1.csv and so on
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the answer as an SVG plot: histogram, bars with intervals, survival curves or attrition flow
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

impl Exports {
    /// Whether any file is asked for.
    pub fn any(&self) -> bool {
        self.csv.is_some() || self.plot.is_some()
    }

    /// Writes the files; one that exists is replaced only by its like.
    pub fn write(&self, answer: &Answer, title: &str) -> Result<()> {
        if let Some(path) = &self.csv {
            write_csv(path, answer).with_context(|| format!("CSV file {}", path.display()))?;
        }
        if let Some(path) = &self.plot {
            let svg =
                picture::svg(answer, title).with_context(|| format!("plot {}", path.display()))?;
            files::check_replaces(path, "plot", |old| {
                String::from_utf8_lossy(&old[..old.len().min(200)]).contains("<svg")
            })?;
            files::write_atomic(path, svg.as_bytes())?;
        }
        Ok(())
    }
}

fn write_csv(path: &Path, answer: &Answer) -> Result<()> {
    let rows = answer
        .rows
        .iter()
        .map(|r| r.iter().flat_map(texts).collect());
    let header = header(answer);
    put(path, &header, rows)?;
    for (i, derived) in (1..).zip(&answer.derived) {
        for (j, table) in (1..).zip(&derived.tables) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let beside = path.with_file_name(format!("{stem}-{i}-{j}.csv"));
            put(&beside, &table.columns, derived_rows(table))?;
        }
    }
    Ok(())
}

fn derived_rows(table: &Table) -> impl Iterator<Item = Vec<String>> {
    let text = |v: &Value| match v {
        Value::Text(text) => text.clone(),
        Value::Count(n) => n.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Missing => String::new(),
    };
    table.rows.iter().map(move |r| r.iter().map(text).collect())
}

/// A bucket takes three columns: its number, its smallest and its largest value.
fn header(answer: &Answer) -> Vec<String> {
    let is_bucket = |column: usize| {
        let mut cells = answer.rows.iter().map(|r| &r[column]);
        cells.any(|c| matches!(c, Cell::Bucket(_)))
    };
    let names = answer.columns.iter().enumerate();
    names
        .flat_map(|(i, name)| match is_bucket(i) {
            true => vec![name.clone(), format!("{name}_from"), format!("{name}_to")],
            false => vec![name.clone()],
        })
        .collect()
}

/// NULL is empty; a hidden cell says that it is hidden.
fn texts(cell: &Cell) -> Vec<String> {
    match cell {
        Cell::Null => vec![String::new()],
        Cell::Bucket(b) => vec![b.number.to_string(), b.from.clone(), b.to.clone()],
        other => vec![other.to_string()],
    }
}

fn put(path: &Path, header: &[String], rows: impl Iterator<Item = Vec<String>>) -> Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    writer.write_record(header)?;
    for mut row in rows {
        // The NULL group of a column of buckets.
        row.resize(header.len(), String::new());
        writer.write_record(&row)?;
    }
    let bytes = writer.into_inner()?;
    let first_line = |b: &[u8]| b.split(|c| *c == b'\n').next().map(<[u8]>::to_vec);
    files::check_replaces(path, "CSV file of these columns", |old| {
        first_line(old) == first_line(&bytes)
    })?;
    files::write_atomic(path, &bytes)
}
