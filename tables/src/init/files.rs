//! A folder's files, by what they look like.

use std::fs;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::sniff::Dialect;
use crate::error::TablesError;
use crate::mapping::Format;
use crate::source::open_text;

/// A file that could be a source.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its name in the folder.
    pub(super) file: String,
    /// Its name without endings, in lower case: a table's name.
    pub(super) table: String,
    pub(super) format: Format,
    /// CSV: what stands between fields, where it is no comma.
    pub(super) delimiter: Option<char>,
    /// CSV: how its cells are written, where that was looked at.
    pub(super) dialect: Dialect,
}

/// So much of a header is looked at.
const HEADER: u64 = 1 << 20;

/// The folder's files that could be sources, by name, and the names of the others.
///
/// # Errors
/// [`TablesError::Read`].
pub(super) fn find(folder: &Path) -> Result<(Vec<Found>, Vec<String>), TablesError> {
    let fail = |file: PathBuf| {
        move |source| TablesError::Read {
            file,
            next: "give a folder of CSV, Parquet or NDJSON files that can be read".to_owned(),
            source,
        }
    };
    let entries = fs::read_dir(folder).map_err(fail(folder.to_owned()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(fail(folder.to_owned()))?.path());
    }
    paths.sort();
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        match split(&name).filter(|_| path.is_file()) {
            None => others.push(name),
            Some((table, format)) => {
                let delimiter = match format {
                    // One that cannot be read is told by who reads it.
                    Format::Csv => delimiter(&path).unwrap_or(None),
                    _ => None,
                };
                found.push(Found {
                    file: name,
                    table,
                    format,
                    delimiter,
                    dialect: Dialect::default(),
                });
            }
        }
    }
    Ok((found, others))
}

/// A file name's table and format.
fn split(name: &str) -> Option<(String, Format)> {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".gz").or(lower.strip_suffix(".zst"));
    let (stem, ending) = plain.unwrap_or(&lower).rsplit_once('.')?;
    let format = match ending {
        "csv" | "tsv" => Format::Csv,
        "ndjson" | "jsonl" => Format::Ndjson,
        "parquet" if plain.is_none() => Format::Parquet,
        _ => return None,
    };
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let table: String = stem.chars().map(letter).collect();
    let table = table.trim_matches('_').to_owned();
    let begins_well = table.starts_with(|c: char| c.is_ascii_lowercase());
    let table = if begins_well {
        table
    } else {
        format!("t_{table}")
    };
    Some((table, format))
}

/// What stands most often in the first line of what a CSV may be separated by.
fn delimiter(file: &Path) -> std::io::Result<Option<char>> {
    let mut header = Vec::new();
    BufReader::new(open_text(file)?.take(HEADER)).read_until(b'\n', &mut header)?;
    let count = |d: char| header.iter().filter(|b| char::from(**b) == d).count();
    let most = [',', ';', '\t', '|']
        .into_iter()
        .rev()
        .max_by_key(|d| count(*d));
    Ok(most.filter(|d| *d != ',' && count(*d) > 0))
}

/// The file as a source of a mapping, with these lines more.
pub(super) fn section(found: &Found, name: &str, more: &str) -> String {
    let format = match found.format {
        Format::Csv => "csv",
        Format::Parquet => "parquet",
        Format::Ndjson => "ndjson",
    };
    let file = toml::Value::String(found.file.clone());
    let delimiter = match found.delimiter {
        None => String::new(),
        Some(d) => format!("delimiter = {}\n", toml::Value::String(d.to_string())),
    };
    let dialect = dialect(&found.dialect);
    format!("\n[source.{name}]\npath = {file}\nformat = \"{format}\"\n{delimiter}{dialect}{more}")
}

fn dialect(dialect: &Dialect) -> String {
    let mut text = String::new();
    if dialect.decimal_comma {
        text += "decimal = \",\"\n";
    }
    if let Some(format) = dialect.date_format {
        text += &format!("date_format = \"{format}\"\n");
    }
    if !dialect.nulls.is_empty() {
        let words = dialect.nulls.iter().map(|w| toml::Value::String(w.clone()));
        text += &format!("nulls = {}\n", toml::Value::Array(words.collect()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_table_and_the_format() {
        let table = |name| split(name).map(|(table, _)| table);
        assert_eq!(table("PERSON.csv").unwrap(), "person");
        assert_eq!(table("lab-2024.CSV.gz").unwrap(), "lab_2024");
        assert_eq!(table("Patient.000.ndjson").unwrap(), "patient_000");
        assert_eq!(table("2024.parquet").unwrap(), "t_2024");
        assert_eq!(table("x.parquet.gz"), None);
        assert_eq!(table("README.md"), None);
        assert_eq!(table("csv"), None);
    }

    #[test]
    fn a_header_tells_what_is_between_its_fields() {
        let folder = tempfile::tempdir().unwrap();
        let of = |text: &str| {
            let file = folder.path().join("t.csv");
            fs::write(&file, text).unwrap();
            delimiter(&file).unwrap()
        };
        assert_eq!(of("a,b;c,d\n"), None);
        assert_eq!(of("a;b\n1,2,3;4\n"), Some(';'));
        assert_eq!(of("a\tb"), Some('\t'));
        assert_eq!(of("a|b|c,d\n"), Some('|'));
        assert_eq!(of("alone\n"), None);
        assert_eq!(of(""), None);
    }
}
