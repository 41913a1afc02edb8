//! Numbers, tables and answers as people read them.

use std::{collections::BTreeSet, fmt::Display, time::Duration};

use comfy_table::{CellAlignment, Table, TableComponent, presets};
use galen_query::text::hex;
use galen_verifier::{
    analysis::Value,
    answer::{Answer, Cell},
    manifest::ReleaseProfile,
};

use crate::{
    number::{align, p_value, real},
    shown::Shown,
};

/// A table with a rule under its header; columns in `right` (from 0) are aligned to the right.
pub fn table<R>(header: &[&str], right: &[usize], rows: R) -> String
where
    R: IntoIterator<Item = Vec<String>>,
{
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    finish(&table)
}

/// Labels and what belongs to them, in two aligned columns.
pub fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(l, _)| l.chars().count()).max();
    let width = width.unwrap_or(0);
    let lines: Vec<String> = rows
        .iter()
        .map(|(label, text)| format!("{label:<width$}  {text}"))
        .collect();
    lines.join("\n")
}

/// The same for a file that may come from anyone: each fact on one line of its own.
pub fn plain_facts(rows: &[(&str, String)]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|(l, text)| (*l, plain_line(text)))
        .collect();
    facts(&rows)
}

/// The answer's rows; where they are few and long, one line for each output.
pub fn answer(answer: &Shown<'_>) -> String {
    if answer.rows.len() <= 4 && answer.columns.len() > 8 {
        return upright(answer);
    }
    let header: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    let is_text = |index: usize| {
        let cells = answer.rows.iter().filter_map(|r| r.get(index));
        cells.clone().any(|c| matches!(c, Cell::Key(_)))
    };
    let right: Vec<usize> = (0..header.len()).filter(|i| !is_text(*i)).collect();
    let rows = answer.rows.iter().map(|r| r.iter().map(cell).collect());
    table(&header, &right, aligned(&right, rows.collect()))
}

/// The rows with the decimal points of each column of `right` below one another.
fn aligned(right: &[usize], mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    for column in right {
        align(rows.iter_mut().filter_map(|row| row.get_mut(*column)));
    }
    rows
}

/// One line for each output, as table 1 of a paper has it.
fn upright(answer: &Shown<'_>) -> String {
    let lines = answer.columns.iter().enumerate().map(|(column, name)| {
        let cells = answer.rows.iter().map(|r| cell(&r[column]));
        std::iter::once(name.clone())
            .chain(cells)
            .collect::<Vec<_>>()
    });
    let mut lines = lines.peekable();
    let is_key = |c: &Cell| matches!(c, Cell::Key(_) | Cell::Bucket(_));
    let keyed = answer.rows.iter().any(|r| is_key(&r[0]));
    let header = match lines.next_if(|_| keyed) {
        Some(header) => header,
        None => vec![String::new(); answer.rows.len() + 1],
    };
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let right: Vec<usize> = (1..header.len()).collect();
    table(&header, &right, lines)
}

/// A cell: reals with some five significant digits, everything else as it is.
pub fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Real(value) => real(*value),
        other => other.to_string(),
    }
}

/// What was derived from the answer, and what is proven of all of it.
pub fn derived(answer: &Shown<'_>) -> String {
    let mut parts = Vec::new();
    for derived in answer.derived {
        parts.push(format!("derived: {}", derived.analysis));
        for t in &derived.tables {
            let header: Vec<&str> = t.columns.iter().map(String::as_str).collect();
            let is_text = |v: &Value| {
                matches!(v, Value::Text(text) if !text.is_empty()) || matches!(v, Value::Key(_))
            };
            let is_text = |i: usize| t.rows.iter().any(|r| is_text(&r[i]));
            let right: Vec<usize> = (0..header.len()).filter(|i| !is_text(*i)).collect();
            let each = |r: &Vec<Value>| r.iter().zip(&header).map(value).collect();
            let rows = aligned(&right, t.rows.iter().map(each).collect());
            let body = indent(&table(&header, &right, rows));
            parts.push(format!("  {}\n{body}", t.title));
        }
        let notes: Vec<String> = derived.notes.iter().map(|n| format!("note: {n}")).collect();
        parts.extend((!notes.is_empty()).then(|| wrapped(&notes.join("\n"), "  ")));
        if !derived.tables.is_empty() {
            parts.push(wrapped(derived.method, "  "));
        }
    }
    parts.push(wrapped(&answer.reading, ""));
    parts.join("\n\n")
}

/// Lines of at most some 96 characters, each after `margin`.
pub fn wrapped(text: &str, margin: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut current = margin.to_owned();
        for word in line.split_whitespace() {
            if current.chars().count() + word.chars().count() > 95 {
                lines.push(std::mem::replace(&mut current, margin.to_owned()));
            }
            if current.len() > margin.len() {
                current.push(' ');
            }
            current += word;
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// A sentence of a list, behind a dash.
pub fn item(text: &str) -> String {
    wrapped(text, "    ").replacen("    ", "  - ", 1)
}

/// An entry of a derived table's column.
fn value((value, column): (&Value, &&str)) -> String {
    match value {
        Value::Number(n) if *column == "p" => p_value(*n),
        Value::Number(n) => real(*n),
        Value::Missing => "–".to_owned(),
        other => other.to_string(),
    }
}

/// What a suppressed cell means, where the answer has one.
pub fn suppression(answer: &Answer, rule: &ReleaseProfile) -> Option<String> {
    let cells = answer.rows.iter().flatten();
    let mut notes = Vec::new();
    if cells.clone().any(|c| matches!(c, Cell::Suppressed(_))) {
        notes.push(format!(
            "<{k}: hidden by the release rule {name}; the count behind it, or its patients' number, is from {lowest} to {top}",
            k = rule.k,
            name = rule.name,
            lowest = u64::from(rule.zero_releasable),
            top = rule.k - 1,
        ));
    }
    if cells.clone().any(|c| matches!(c, Cell::Withheld)) {
        notes.push(format!(
            "*: hidden by the release rule {}, though it can be large, because a count below {} could be computed from it",
            rule.name, rule.k
        ));
    }
    let fewest = cells.filter_map(|c| match c {
        Cell::TooFew(fewest) => Some(*fewest),
        _ => None,
    });
    notes.extend(fewest.collect::<BTreeSet<_>>().into_iter().map(|fewest| {
        format!(
            "(<{fewest}): a percentile that is hidden by the release rule {name}: fewer than {fewest} patients have a value (k = {k})",
            name = rule.name,
            k = rule.k
        )
    }));
    if rule.rounding > 1 {
        notes.push(format!(
            "counts are rounded to multiples of {}",
            rule.rounding
        ));
    }
    (!notes.is_empty()).then(|| notes.join("\n"))
}

/// Where an answer comes from.
pub fn source(answer: &Answer) -> Vec<(&'static str, String)> {
    let s = &answer.source;
    vec![
        (
            "hospital",
            format!("{} (public key {})", s.hospital, short(&s.hospital_key)),
        ),
        (
            "dataset",
            format!(
                "{}, epoch {}, {} patients committed",
                s.dataset,
                s.epoch,
                thousands(s.rows)
            ),
        ),
        ("manifest", short(&s.manifest)),
        ("query", short(&s.query)),
        ("parameters", parameters(&s.parameter_set, answer.insecure)),
        ("answer", short(&answer.identity)),
    ]
}

/// A parameter set's id and mark.
pub fn parameters(id: &[u8; 32], insecure: bool) -> String {
    let mark = if insecure { " (INSECURE)" } else { "" };
    format!("{}{mark}", short(id))
}

/// The first eight bytes of a digest.
pub fn short(digest: &[u8]) -> String {
    format!("{}…", hex(&digest[..digest.len().min(8)]))
}

/// A time with three digits or so.
pub fn time(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    match s {
        s if s >= 60.0 => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), s % 60.0),
        s if s >= 10.0 => format!("{s:.1} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.001 => format!("{:.0} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

/// Microseconds for each patient.
pub fn per_patient(duration: Duration, patients: u64) -> String {
    if patients == 0 {
        return "–".into();
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let each = duration.as_secs_f64() * 1e6 / patients as f64;
    format!("{each:.1} µs")
}

/// A size in decimal units.
pub fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let n = count as f64;
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", n / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n / 1e6),
        _ => format!("{:.2} GB", n / 1e9),
    }
}

/// 1,234,567.
pub fn thousands(number: impl Display) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 proof", "2 proofs".
pub fn plural(count: usize, word: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {word}{s}", thousands(count))
}

/// Text of a file that may come from anyone, so that it cannot pass for output of ours: control characters
/// other than line breaks and tabs, and those that turn the direction of writing, are spelled out.
pub fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() && c != '\n' && c != '\t') || turns(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// The same on one line.
pub fn plain_line(text: &str) -> String {
    plain(&text.replace(['\n', '\t'], " "))
}

/// The same, cut to a width in characters.
pub fn cut(text: &str, width: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = plain(&words.join(" "));
    if line.chars().count() <= width {
        return line;
    }
    let start: String = line.chars().take(width - 1).collect();
    start.trim_end().to_owned() + "…"
}

/// Text moved in by two.
pub fn indent(text: &str) -> String {
    let moved = |line: &str| format!("  {line}").trim_end().to_owned();
    let lines: Vec<String> = text.lines().map(moved).collect();
    lines.join("\n")
}

/// comfy-table pads to the right edge; nobody wants trailing blanks in a log.
fn finish(table: &Table) -> String {
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(4_321), "4.3 kB");
        assert_eq!(time(Duration::from_millis(2_340)), "2.34 s");
        assert_eq!(time(Duration::from_secs(125)), "2 min 05 s");
        assert_eq!(time(Duration::from_micros(2_900)), "3 ms");
    }

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(plain("a\n\tä 1"), "a\n\tä 1");
        assert_eq!(plain("\u{1b}[2J\r\u{202e}x"), "\\u{1b}[2J\\u{d}\\u{202e}x");
    }

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(plain_line("a\nlog key  mine\r\n"), "a log key  mine\\u{d} ");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(cut("a  b\nc", 5), "a b c");
        assert_eq!(cut("äbcdef", 5), "äbcd…");
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [("a", "1"), ("bcd", "1,000")];
        let rows = rows.map(|(a, b)| vec![a.to_owned(), b.to_owned()]);
        let text = table(&["name", "n"], &[1], rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[2].starts_with("a ") && lines[2].ends_with("    1"),
            "{text}"
        );
        assert!(lines[3].ends_with("1,000"), "{text}");
    }
}
