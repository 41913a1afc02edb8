//! Which picture an answer makes.

use anyhow::Result;
use galen_verifier::{
    analysis::{Derived, Table, Value, titles},
    answer::Cell,
};
use num_traits::ToPrimitive;

use crate::{
    caption::Caption,
    failure::refusal,
    plot::{Bar, Bars, Curve, Flow, PlotError, Series, Survival},
    shown::Shown,
};

/// The SVG of an answer.
///
/// # Errors
/// When there is nothing to draw, or too much.
pub fn svg(answer: &Shown<'_>, caption: &Caption) -> Result<String> {
    let tables = || {
        answer
            .derived
            .iter()
            .flat_map(|d| d.tables.iter().map(move |t| (d, t)))
    };
    // A curve that ends before it begins leaves the counts to draw.
    let named = |name: &str| tables().find(|(_, t)| t.title == name && !t.rows.is_empty());
    let drawn = if let Some((d, table)) = named(titles::SURVIVAL) {
        survival(answer, caption, d, table).svg()
    } else if named(titles::ATTRITION).is_some() {
        flow(answer, caption).svg()
    } else if let Some((d, table)) = named(titles::MEANS).or_else(|| named(titles::PROPORTIONS)) {
        intervals(answer, caption, d, table).svg()
    } else {
        counts(answer, caption)?.svg()
    };
    drawn.map_err(|e| refusal("plot", format!("{e}; {}", next_step(&e))))
}

/// What to do where a picture cannot be drawn.
fn next_step(error: &PlotError) -> &'static str {
    match error {
        PlotError::TooMany { .. } => {
            "ask for fewer groups (wider buckets, fewer keys), or draw the file of --csv with another tool"
        }
        PlotError::Empty(_) => "ask with GROUP BY, or see the table",
        _ => "the file of --csv has the numbers",
    }
}

/// The query's title, else what is drawn.
fn title(caption: &Caption, drawn: impl FnOnce() -> String) -> String {
    caption.title.clone().unwrap_or_else(drawn)
}

/// The value of a field of an analysis' text, `kind name=value …`; nothing where it is quoted.
fn field<'a>(derived: &'a Derived, name: &str) -> Option<&'a str> {
    let mut words = derived.analysis.split(' ').skip(1);
    let value = words.find_map(|w| w.strip_prefix(name)?.strip_prefix('='))?;
    (!value.starts_with('"')).then_some(value)
}

fn footer(answer: &Shown<'_>) -> String {
    let warning = if answer.insecure {
        " Made with development parameters: not to be relied on."
    } else {
        ""
    };
    answer.reading.clone() + warning
}

/// A cell as a bar; `None` where it is no number.
fn bar(cell: &Cell) -> Option<Bar> {
    Some(match cell {
        Cell::Integer(n) => Bar::Value(n.to_f64()?),
        Cell::Decimal(text) => Bar::Value(text.parse().ok()?),
        Cell::Real(v) => Bar::Value(*v),
        Cell::Suppressed(_) | Cell::Withheld | Cell::TooFew(_) | Cell::Null => {
            Bar::Hidden(cell.to_string())
        }
        Cell::Key(_) | Cell::Date(_) | Cell::Bucket(_) => return None,
    })
}

fn is_key(answer: &Shown<'_>, column: usize) -> bool {
    let mut cells = answer.rows.iter().map(|r| &r[column]);
    cells.any(|c| matches!(c, Cell::Key(_) | Cell::Bucket(_)))
}

/// A bucket by its values, any other key as it is.
fn key(cell: &Cell) -> String {
    match cell {
        Cell::Bucket(b) if b.from == b.to => b.from.clone(),
        Cell::Bucket(b) => format!("{}–{}", b.from, b.to),
        other => other.to_string(),
    }
}

/// What to ask instead of a query whose answer makes no picture.
const NOTHING: &str = "the answer has one row and nothing to draw. A picture needs groups (GROUP BY a category, width_bucket or a year), an \
    attrition table (EXPLAIN COHORT) or a survival analysis (--analysis 'survival …'): register such a query, or leave --plot out";

/// One key: its values are the categories and each number a series, if they are numbers of one sort. Two keys:
/// the values of the one with buckets, or the first, are the categories, those of the other the series.
fn counts(answer: &Shown<'_>, caption: &Caption) -> Result<Bars> {
    let columns = 0..answer.columns.len();
    let (keys, numbers): (Vec<usize>, Vec<usize>) = columns.partition(|c| is_key(answer, *c));
    let (Some(first), Some(number)) = (keys.first(), numbers.first()) else {
        return Err(refusal("plot", NOTHING));
    };
    let is_bucket = |c: &usize| answer.rows.iter().any(|r| matches!(r[*c], Cell::Bucket(_)));
    let by = keys.iter().find(|c| is_bucket(c)).unwrap_or(first);
    let categories = distinct(answer, *by);
    let (series, y_label) = match keys.iter().find(|c| *c != by) {
        Some(other) => {
            let names = distinct(answer, *other);
            let of = |name: &String| one_of(answer, (*by, &categories), (*other, name), *number);
            let label = &answer.columns[*number];
            (
                names.iter().map(of).collect(),
                caption.with_unit(label, label),
            )
        }
        None => of_numbers(answer, &numbers, caption),
    };
    let name = &answer.columns[*by];
    let (of_keys, _) = keys_of(answer, caption);
    Ok(Bars {
        title: title(caption, || format!("{y_label} by {of_keys}")),
        subtitle: answer.of.clone(),
        x_label: caption.with_unit(name, name),
        y_label,
        categories,
        series,
        histogram: is_bucket(by),
        footer: footer(answer),
    })
}

/// The answer's keys by name, and the same with the unit of a single one.
fn keys_of(answer: &Shown<'_>, caption: &Caption) -> (String, String) {
    let keys = (0..answer.columns.len()).filter(|c| is_key(answer, *c));
    let names: Vec<&str> = keys.map(|c| answer.columns[c].as_str()).collect();
    let joined = names.join(" and ");
    let label = match names[..] {
        [name] => caption.with_unit(name, name),
        _ => joined.clone(),
    };
    (joined, label)
}

fn distinct(answer: &Shown<'_>, column: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in answer.rows {
        let name = key(&row[column]);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn hidden() -> Bar {
    Bar::Hidden("hidden".to_owned())
}

/// The bars of one value of the second key.
fn one_of(
    answer: &Shown<'_>,
    (by, categories): (usize, &[String]),
    (other, name): (usize, &String),
    number: usize,
) -> Series {
    let bar_of = |category: &String| {
        let mut rows = answer.rows.iter();
        let row = rows.find(|r| key(&r[by]) == *category && key(&r[other]) == *name);
        row.and_then(|r| bar(&r[number])).unwrap_or_else(hidden)
    };
    Series {
        name: format!("{} {name}", answer.columns[other]),
        bars: categories.iter().map(bar_of).collect(),
    }
}

/// Counts beside one another; else the first number alone, as others have another scale.
fn of_numbers(answer: &Shown<'_>, numbers: &[usize], caption: &Caption) -> (Vec<Series>, String) {
    let is_count = |c: &&usize| {
        let mut cells = answer.rows.iter().map(|r| &r[**c]);
        let counted = cells.clone().any(|c| matches!(c, Cell::Integer(_)));
        let hidden = |c| {
            matches!(
                c,
                &Cell::Integer(_) | &Cell::Suppressed(_) | &Cell::Withheld
            )
        };
        counted && cells.all(hidden)
    };
    let counts: Vec<usize> = numbers.iter().filter(is_count).copied().collect();
    let drawn = if counts.is_empty() {
        &numbers[..1]
    } else {
        &counts
    };
    let series = |c: &usize| Series {
        name: if drawn.len() > 1 {
            answer.columns[*c].clone()
        } else {
            String::new()
        },
        bars: answer
            .rows
            .iter()
            .map(|r| bar(&r[*c]).unwrap_or_else(hidden))
            .collect(),
    };
    let first = &answer.columns[drawn[0]];
    let label = match drawn.len() {
        1 => caption.with_unit(first, first),
        _ => "patients".to_owned(),
    };
    (drawn.iter().map(series).collect(), label)
}

/// Means or proportions with their intervals: the last three columns of their table.
fn intervals(answer: &Shown<'_>, caption: &Caption, derived: &Derived, table: &Table) -> Bars {
    let bar = |row: &Vec<Value>| match row[row.len() - 3..] {
        [
            Value::Number(value),
            Value::Number(lower),
            Value::Number(upper),
        ] => Bar::Interval {
            value,
            lower,
            upper,
        },
        _ => hidden(),
    };
    // The tables that have a row for each of the answer's say `group`, whatever its keys are.
    let (by, x_label) = match table.columns[0].as_str() {
        "group" => keys_of(answer, caption),
        by => (by.to_owned(), caption.with_unit(by, by)),
    };
    let number = &table.columns[table.columns.len() - 3];
    // Of means, the output that they are of; of proportions, the count of cases among all.
    let (name, unit) = match (field(derived, "mean"), field(derived, "cases")) {
        (Some(mean), _) => (format!("{mean}, mean"), caption.unit(mean)),
        (None, Some(cases)) => (cases.to_owned(), Some("share of patients")),
        (None, None) => (number.clone(), None),
    };
    let unit = unit.map_or_else(String::new, |unit| format!(" ({unit})"));
    Bars {
        title: title(caption, || match by.is_empty() {
            true => format!("{name}{unit}"),
            false => format!("{name}{unit} by {by}"),
        }),
        subtitle: answer.of.clone(),
        x_label,
        y_label: format!("{name} with 95 % interval{unit}"),
        categories: table.rows.iter().map(|r| r[0].to_string()).collect(),
        series: vec![Series {
            name: String::new(),
            bars: table.rows.iter().map(bar).collect(),
        }],
        histogram: false,
        footer: footer(answer),
    }
}

fn survival(answer: &Shown<'_>, caption: &Caption, derived: &Derived, table: &Table) -> Survival {
    let mut curves: Vec<Curve> = Vec::new();
    for row in &table.rows {
        let at_risk = match row[2] {
            Value::Count(n) => Some(n),
            _ => None,
        };
        let number = |i: usize| match row[i] {
            Value::Number(n) => n,
            _ => f64::NAN,
        };
        let point = (number(1), number(4), number(5), number(6));
        let name = match table.columns[0].as_str() {
            "group" => row[0].to_string(),
            by => format!("{by}: {}", row[0]),
        };
        match curves.last_mut() {
            Some(curve) if curve.name == name => {
                curve.points.push(point);
                curve.at_risk.push(at_risk);
            }
            _ => curves.push(Curve {
                name,
                points: vec![point],
                at_risk: vec![at_risk],
            }),
        }
    }
    let by = match table.columns[0].as_str() {
        "group" => String::new(),
        by => format!(" by {by}"),
    };
    let unit = field(derived, "time").and_then(|time| caption.unit(time));
    let notes = derived.notes.join(" ");
    Survival {
        title: title(caption, || format!("Survival{by}")),
        subtitle: answer.of.clone(),
        x_label: unit.map_or_else(|| "time".to_owned(), |unit| format!("time ({unit})")),
        y_label: "survival (share of patients)".to_owned(),
        curves,
        footer: format!("{} {notes}", footer(answer)).trim_end().to_owned(),
    }
}

fn flow(answer: &Shown<'_>, caption: &Caption) -> Flow {
    let steps = answer.rows.iter();
    #[expect(clippy::cast_precision_loss, reason = "at most 5 a site")]
    let slack = answer.slack as f64;
    // A rounded count is told as what it is, so that nobody reads the difference of two as exact.
    let count = |cell: &Cell| match bar(cell) {
        Some(Bar::Value(value)) if slack > 0.0 => Bar::Interval {
            value,
            lower: (value - slack).max(0.0),
            upper: value + slack,
        },
        other => other.unwrap_or_else(hidden),
    };
    Flow {
        title: title(caption, || "Patients left after each criterion".to_owned()),
        subtitle: answer.of.clone(),
        steps: steps.map(|r| (r[0].to_string(), count(&r[1]))).collect(),
        footer: footer(answer),
    }
}
