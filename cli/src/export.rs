//! Answers as files: CSV (`docs/guide/reviewer.md`, "Answers as CSV"), and an SVG picture.

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
    /// Write the answer as CSV; derived tables go beside it as NAME-1-1.csv and so on. No file is replaced.
    /// NULL is an empty field, which no code is. A text that a spreadsheet would run as a formula, since it begins with
    /// = + - or @ and is no number, has a ' before it
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the texts of --csv as they are, without a ' before formulas: for programs, not for spreadsheets
    #[arg(long, requires = "csv")]
    csv_plain: bool,
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
            let texts = match self.csv_plain {
                true => Texts::Plain,
                false => Texts::Guarded,
            };
            all.extend(csv_files(path, answer, texts));
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

/// How texts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    /// As they are.
    Plain,
    /// What a spreadsheet would run has a `'` before it.
    Guarded,
}

/// A field of a CSV.
enum Field {
    /// SQL NULL, or a value that is not defined.
    Null,
    /// A code, a name or a heading.
    Text(String),
    /// A number, a date, or the mark of what is hidden.
    Value(String),
}

fn csv_files(path: &Path, answer: &Shown<'_>, texts: Texts) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = vec![(path.to_owned(), answer_csv(answer, texts))];
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    for (i, derived) in (1..).zip(answer.derived) {
        for (j, table) in (1..).zip(&derived.tables) {
            let beside = path.with_file_name(format!("{stem}-{i}-{j}.csv"));
            all.push((beside, bytes(&table.columns, derived_rows(table), texts)));
        }
    }
    all
}

fn derived_rows(table: &Table) -> impl Iterator<Item = Vec<Field>> {
    let field = |value: &Value| match value {
        Value::Text(text) | Value::Key(Some(text)) => Field::Text(text.clone()),
        Value::Missing | Value::Key(None) => Field::Null,
        number => Field::Value(derived_text(number)),
    };
    let rows = table.rows.iter();
    rows.map(move |r| r.iter().map(field).collect())
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
fn answer_csv(answer: &Shown<'_>, texts: Texts) -> Vec<u8> {
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
        cells.flat_map(|(cell, wide)| fields(cell, *wide)).collect()
    });
    bytes(&header, rows, texts)
}

/// A hidden cell says that it is hidden.
fn fields(cell: &Cell, wide: bool) -> Vec<Field> {
    match cell {
        Cell::Bucket(b) => {
            let values = [b.number.to_string(), b.from.clone(), b.to.clone()];
            values.map(Field::Value).into()
        }
        Cell::Null if wide => vec![Field::Null, Field::Null, Field::Null],
        Cell::Null => vec![Field::Null],
        Cell::Key(text) => vec![Field::Text(text.clone())],
        other => vec![Field::Value(other.to_string())],
    }
}

fn bytes(header: &[String], rows: impl Iterator<Item = Vec<Field>>, texts: Texts) -> Vec<u8> {
    let header = header.iter().cloned().map(Field::Text).collect();
    let mut csv = String::new();
    for record in std::iter::once(header).chain(rows) {
        let fields: Vec<String> = record.iter().map(|f| written(f, texts)).collect();
        // A record of one NULL would be an empty line, which readers skip.
        match fields.as_slice() {
            [only] if only.is_empty() => csv += "\"\"",
            all => csv += &all.join(","),
        }
        csv.push('\n');
    }
    csv.into_bytes()
}

/// A field as it stands in the file: NULL is nothing, an empty text is `""`.
fn written(field: &Field, texts: Texts) -> String {
    let text = match field {
        Field::Null => return String::new(),
        Field::Value(value) => value.clone(),
        Field::Text(text) if texts == Texts::Guarded => guarded(text),
        Field::Text(text) => text.clone(),
    };
    // In quotes also what separates fields elsewhere, lest a spreadsheet cut a text there and run its rest.
    let quoted = [',', ';', '|', '\t', '"', '\n', '\r'];
    if text.is_empty() || text.contains(quoted) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// With a `'` before what a spreadsheet would run as a formula (OWASP, "CSV Injection"): a text that begins with
/// `=`, `+`, `-`, `@` or their wide forms, also behind white space, and is no number. A text that looks guarded gets
/// one more, so that taking one away gives every text back.
fn guarded(text: &str) -> String {
    let starts = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let control = text.starts_with(['\t', '\r', '\n']);
    let bare = text.trim_start_matches(|c: char| c == '\'' || c.is_whitespace());
    if (control || bare.starts_with(starts)) && !is_number(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Digits with a sign and a point, and nothing that computes.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    are(whole) && are(fraction)
}

#[cfg(test)]
mod tests {
    use galen_verifier::answer::Bucket;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded() {
        for text in [
            "=1+1", "+1+1", "-1+1", "-a", "@SUM(A1)", "＝1", "\t=1", "\rx", " =1", "+49 30", "'=1",
            "''@x", "-1.2.3", "-", "-e5",
        ] {
            assert_eq!(guarded(text), format!("'{text}"), "{text:?}");
        }
        for text in [
            "", "a", "F", "1=1", "-9", "+1", "-0.5", "<11", "*", "'a", "I21.0", "O'Brien",
        ] {
            assert_eq!(guarded(text), text, "{text:?}");
        }
    }

    /// What begins with a `'` and would be guarded without it has one too many.
    #[test]
    fn a_guard_can_be_taken_away() {
        for text in ["=1", "'=1", "''=1", "-9", "'a", "a"] {
            let written = guarded(text);
            let again = match written.strip_prefix('\'') {
                Some(rest) if guarded(rest) == written => rest,
                _ => &written,
            };
            assert_eq!(again, text);
        }
    }

    fn csv(columns: &[&str], rows: &[Vec<Cell>], texts: Texts) -> String {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        let answer = Shown {
            columns: &columns,
            rows,
            derived: &[],
            of: String::new(),
            reading: String::new(),
            insecure: false,
            slack: 0,
        };
        String::from_utf8(answer_csv(&answer, texts)).expect("text")
    }

    #[test]
    fn null_and_codes_are_told_apart() {
        let key = |text: &str| Cell::Key(text.to_owned());
        let rows = [
            vec![
                key("=HYPERLINK(\"x\",\"y\")"),
                Cell::Decimal("-1.50".into()),
            ],
            vec![key("NULL"), Cell::Real(-0.25)],
            vec![key("-9"), Cell::Suppressed(11)],
            vec![key("a;=1"), Cell::Withheld],
            vec![key("-a, \"b\""), Cell::Null],
            vec![Cell::Null, Cell::Integer((-3).into())],
        ];
        let lines = [
            "'@code,sum",
            r#""'=HYPERLINK(""x"",""y"")",-1.50"#,
            "NULL,-0.25",
            "-9,<11",
            r#""a;=1",*"#,
            r#""'-a, ""b""","#,
            ",-3",
            "",
        ];
        let columns = ["@code", "sum"];
        assert_eq!(csv(&columns, &rows, Texts::Guarded), lines.join("\n"));
        let plain = csv(&columns, &rows, Texts::Plain);
        assert_eq!(plain, lines.join("\n").replace('\'', ""));
    }

    /// A NULL alone is no empty line, and buckets' NULL has as many fields as a bucket.
    #[test]
    fn null_takes_as_many_fields_as_values() {
        let only = [vec![Cell::Null]];
        assert_eq!(csv(&["a"], &only, Texts::Guarded), "a\n\"\"\n");
        let bucket = Cell::Bucket(Bucket {
            number: 1,
            from: "-5".into(),
            to: "4".into(),
        });
        let rows = [vec![bucket], vec![Cell::Null]];
        let expected = "'=b,'=b_from,'=b_to\n1,-5,4\n,,\n";
        assert_eq!(csv(&["=b"], &rows, Texts::Guarded), expected);
    }
}
