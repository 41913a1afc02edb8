//! The sources of a mapping: files and databases, as they are written and as they are checked.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, REPLACEMENT, UTF_8};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::check_name;
use crate::source::date_format_problem;

/// One table the SQL may read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Source {
    /// Its name in the SQL.
    pub name: String,
    /// The file, relative to the source directory; with `*` or `?`, all files that are named so.
    pub path: PathBuf,
    /// How the file is written.
    pub format: Format,
    /// CSV: the byte between fields; a comma when absent.
    pub delimiter: Option<char>,
    /// CSV: whether line 1 names the columns; true when absent. Without it they
    /// are `column_1`, `column_2`, …
    pub header: Option<bool>,
    /// CSV: cells read as NULL. The empty cell always is.
    pub nulls: Vec<String>,
    /// CSV: the character set, as the WHATWG's Encoding Standard names it; UTF-8 when absent.
    pub encoding: Option<String>,
    /// CSV: the decimal mark, `.` or `,`; a point when absent.
    pub decimal: Option<char>,
    /// CSV: how dates are written, as in `%d.%m.%Y`; `YYYY-MM-DD` when absent.
    pub date_format: Option<String>,
    /// CSV: `none` where a quote is a letter like any other.
    pub quote: Option<Quote>,
    /// CSV: whether a quoted cell may hold line breaks; false when absent.
    pub multiline: Option<bool>,
    /// CSV and NDJSON: types that replace the inferred ones, by column.
    pub types: BTreeMap<String, ColumnType>,
    /// NDJSON: an object with elements that the SQL reads though no line may have them.
    pub example: Option<String>,
    /// NDJSON: whether there may be no file, and so no row.
    pub optional: bool,
}

/// A database whose tables the SQL may read, as `name.table` or by their names alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DatabaseSource {
    /// Its name in the SQL.
    pub name: String,
    /// The environment variable that holds its URL, `postgres://…`.
    pub url_env: String,
    /// The schema whose tables are read; `public` when absent.
    pub schema: Option<String>,
}

impl Source {
    /// A file of which nothing more is said.
    pub(crate) fn new(name: &str, path: &Path, format: Format) -> Self {
        Written::default().into_source(name.to_owned(), path.to_owned(), format)
    }

    /// Its character set; `None` for UTF-8, which needs no change.
    pub(crate) fn encoding(&self) -> Option<&'static Encoding> {
        let label = self.encoding.as_deref()?;
        Encoding::for_label(label.as_bytes()).filter(|e| *e != UTF_8)
    }
}

/// How a CSV's cells are quoted where it is not with `"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Quote {
    /// Not at all.
    None,
}

/// How a source file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Text with a delimiter, quotes doubled, UTF-8.
    Csv,
    /// Parquet.
    Parquet,
    /// One JSON object per line, as FHIR Bulk Data writes it.
    Ndjson,
}

/// A type given to a source's column in place of the inferred one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ColumnType {
    /// `true` or `false`.
    #[serde(alias = "bool")]
    Boolean,
    /// A signed 64-bit integer.
    #[serde(alias = "int64")]
    Int,
    /// A 64-bit float.
    #[serde(alias = "float64")]
    Float,
    /// Text as written, leading zeros and all.
    #[serde(alias = "text")]
    Utf8,
    /// A calendar date, `YYYY-MM-DD`.
    #[serde(alias = "date32")]
    Date,
    /// A date and time without an offset.
    Timestamp,
    /// A date and time with an offset, as the moment in UTC.
    Timestamptz,
}

/// All sources as they are written: a list of `[[source]]`, or a table of `[source.name]`.
#[derive(Default)]
pub(super) struct Sources(Vec<Written>);

/// A source of either kind.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    url_env: Option<String>,
    schema: Option<String>,
    path: Option<PathBuf>,
    format: Option<Format>,
    delimiter: Option<char>,
    header: Option<bool>,
    #[serde(default)]
    nulls: Vec<String>,
    encoding: Option<String>,
    decimal: Option<char>,
    date_format: Option<String>,
    quote: Option<Quote>,
    multiline: Option<bool>,
    #[serde(default)]
    types: BTreeMap<String, ColumnType>,
    example: Option<String>,
    optional: Option<bool>,
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourcesVisitor)
    }
}

struct SourcesVisitor;

impl<'de> Visitor<'de> for SourcesVisitor {
    type Value = Sources;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("[[source]] with a name, or [source.name]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sources, A::Error> {
        let mut sources = Vec::new();
        while let Some(source) = items.next_element::<Written>()? {
            if source.name.is_none() {
                return Err(de::Error::missing_field("name"));
            }
            sources.push(source);
        }
        Ok(Sources(sources))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Sources, A::Error> {
        let mut sources = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            let mut source: Written = entries.next_value()?;
            if source.name.replace(name).is_some() {
                let text = "a source that is named in its heading needs no name";
                return Err(de::Error::custom(text));
            }
            sources.push(source);
        }
        Ok(Sources(sources))
    }
}

impl Sources {
    /// The files and the databases, checked.
    pub(super) fn checked(self) -> Result<(Vec<Source>, Vec<DatabaseSource>), String> {
        if self.0.is_empty() {
            return Err(
                "it has no [[source]]: name the files, or the database, that the SQL reads"
                    .to_owned(),
            );
        }
        let (mut files, mut databases) = (Vec::new(), Vec::new());
        let mut names: Vec<String> = Vec::new();
        for written in self.0 {
            let name = written.name.clone().unwrap_or_default();
            check_name(&name, "source.name")?;
            if names.contains(&name) {
                return Err(format!("two sources are named `{name}`: rename one"));
            }
            let fail = |problem| format!("source `{name}`: {problem}");
            if written.url_env.is_some() {
                databases.push(written.database().map_err(fail)?);
            } else {
                files.push(written.file().map_err(fail)?);
            }
            names.push(name);
        }
        match databases.as_slice() {
            [_, second, ..] => Err(format!(
                "source `{}`: one database is read at a time, so that all of it is of one moment",
                second.name
            )),
            _ => Ok((files, databases)),
        }
    }
}

impl Written {
    fn database(self) -> Result<DatabaseSource, String> {
        if self.path.is_some() || self.format.is_some() {
            return Err(
                "it has url_env, so it is a database: leave path and format out".to_owned(),
            );
        }
        let (name, url_env, schema) =
            (self.name.clone(), self.url_env.clone(), self.schema.clone());
        let (Some(name), Some(url_env)) = (name, url_env) else {
            return Err("a database has a name and url_env".to_owned());
        };
        if ["public", "information_schema"].contains(&name.as_str()) {
            return Err("this name is taken: choose another one".to_owned());
        }
        let as_file = self.into_source(name.clone(), PathBuf::new(), Format::Parquet);
        match csv_key(&as_file) {
            Some(key) => Err(format!("it is a database: leave {key} out")),
            None if !as_file.types.is_empty() || as_file.example.is_some() => {
                Err("a database has its types: cast in the SQL instead".to_owned())
            }
            None => Ok(DatabaseSource {
                name,
                url_env,
                schema,
            }),
        }
    }

    fn file(mut self) -> Result<Source, String> {
        let missing = "it needs path and format for a file, or url_env for a database";
        if self.schema.is_some() {
            return Err("schema is for a database, which has url_env".to_owned());
        }
        let path = self.path.take().ok_or(missing)?;
        let format = self.format.ok_or(missing)?;
        let name = self.name.take().unwrap_or_default();
        let source = self.into_source(name, path, format);
        check(&source)?;
        Ok(source)
    }

    fn into_source(self, name: String, path: PathBuf, format: Format) -> Source {
        Source {
            name,
            path,
            format,
            delimiter: self.delimiter,
            header: self.header,
            nulls: self.nulls,
            encoding: self.encoding,
            decimal: self.decimal,
            date_format: self.date_format,
            quote: self.quote,
            multiline: self.multiline,
            types: self.types,
            example: self.example,
            optional: self.optional.unwrap_or(false),
        }
    }
}

/// What of a file's keys does not fit together.
fn check(source: &Source) -> Result<(), String> {
    if source.delimiter.is_some_and(|d| !d.is_ascii()) {
        return Err("the delimiter must be one ASCII character, like \",\" or \"\\t\"".to_owned());
    }
    if let Some(key) = csv_key(source)
        && source.format != Format::Csv
    {
        return Err(format!("{key} is for format = \"csv\" only"));
    }
    if !source.types.is_empty() && source.format == Format::Parquet {
        return Err("a Parquet file has its types; cast in the SQL instead".to_owned());
    }
    if source.example.is_some() && source.format != Format::Ndjson {
        return Err("example is for format = \"ndjson\" only".to_owned());
    }
    if source.optional && source.example.is_none() {
        return Err("optional is for format = \"ndjson\" with an example, which tells the columns where there is no file".to_owned());
    }
    check_csv(source)?;
    check_path(source)
}

/// A key of the source that only a CSV has.
fn csv_key(source: &Source) -> Option<&'static str> {
    let keys = [
        ("delimiter", source.delimiter.is_some()),
        ("header", source.header.is_some()),
        ("nulls", !source.nulls.is_empty()),
        ("encoding", source.encoding.is_some()),
        ("decimal", source.decimal.is_some()),
        ("date_format", source.date_format.is_some()),
        ("quote", source.quote.is_some()),
        ("multiline", source.multiline.is_some()),
    ];
    keys.iter().find(|(_, there)| *there).map(|(key, _)| *key)
}

fn check_csv(source: &Source) -> Result<(), String> {
    if let Some(label) = &source.encoding {
        let known = Encoding::for_label(label.as_bytes()).filter(|e| *e != REPLACEMENT);
        if known.is_none() {
            return Err(format!(
                "encoding is `{label}`, which is no known character set: write for example \"windows-1252\", \
                 \"iso-8859-15\" or \"utf-16le\""
            ));
        }
    }
    match (source.decimal, source.delimiter.unwrap_or(',')) {
        (None | Some('.'), _) => {}
        (Some(','), ',') => {
            return Err(
                "decimal = \",\" needs another delimiter, such as delimiter = \";\"".to_owned(),
            );
        }
        (Some(','), _) => {}
        (Some(_), _) => return Err("decimal is \".\" or \",\"".to_owned()),
    }
    if let Some(problem) = source.date_format.as_deref().and_then(date_format_problem) {
        return Err(format!("date_format: {problem}"));
    }
    if source.multiline == Some(true) && source.quote.is_some() {
        return Err("multiline needs quotes: leave one of multiline and quote out".to_owned());
    }
    Ok(())
}

fn check_path(source: &Source) -> Result<(), String> {
    let path = source.path.to_string_lossy();
    if path.contains(['[', ']']) || path.contains("**") {
        return Err("path may hold * and ? for many files, but no [, ] or **".to_owned());
    }
    let name = path.to_ascii_lowercase();
    if source.format == Format::Parquet && (name.ends_with(".gz") || name.ends_with(".zst")) {
        return Err("a Parquet file compresses itself: unpack it".to_owned());
    }
    Ok(())
}
