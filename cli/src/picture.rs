//! Which picture an answer makes.

use anyhow::Result;
use galen_verifier::{
    analysis::{Derived, Table, Value, titles},
    answer::Cell,
};
use num_traits::ToPrimitive;

use crate::failure::refusal;
use crate::plot::{Bar, Bars, Curve, Flow, Series, Survival};
use crate::shown::Shown;

/// The SVG of an answer.
///
/// # Errors
/// When there is nothing to draw, or too much.
pub fn svg(answer: &Shown<'_>, title: &str) -> Result<String> {
    let tables = || {
        answer
            .derived
            .iter()
            .flat_map(|d| d.tables.iter().map(move |t| (d, t)))
    };
    // A curve that ends before it begins leaves the counts to draw.
    let named = |name: &str| tables().find(|(_, t)| t.title == name && !t.rows.is_empty());
    let drawn = if let Some((d, table)) = named(titles::SURVIVAL) {
        survival(answer, title, d, table).svg()
    } else if named(titles::ATTRITION).is_some() {
        flow(answer, title).svg()
    } else if let Some((_, table)) = named(titles::MEANS).or_else(|| named(titles::PROPORTIONS)) {
        intervals(answer, title, table).svg()
    } else {
        counts(answer, title)?.svg()
    };
    drawn.map_err(|e| refusal("plot", e.to_string()))
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

/// One key: its values are the categories and each number a series, if they are numbers of one sort. Two keys:
/// the values of the one with buckets, or the first, are the categories, those of the other the series.
fn counts(answer: &Shown<'_>, title: &str) -> Result<Bars> {
    let columns = 0..answer.columns.len();
    let (keys, numbers): (Vec<usize>, Vec<usize>) = columns.partition(|c| is_key(answer, *c));
    let (Some(first), Some(number)) = (keys.first(), numbers.first()) else {
        let why = "the answer has one row and nothing to draw; plots are of groups, of attrition tables and of survival analyses";
        return Err(refusal("plot", why));
    };
    let is_bucket = |c: &usize| answer.rows.iter().any(|r| matches!(r[*c], Cell::Bucket(_)));
    let by = keys.iter().find(|c| is_bucket(c)).unwrap_or(first);
    let categories = distinct(answer, *by);
    let (series, y_label) = match keys.iter().find(|c| *c != by) {
        Some(other) => {
            let names = distinct(answer, *other);
            let of = |name: &String| one_of(answer, (*by, &categories), (*other, name), *number);
            (
                names.iter().map(of).collect(),
                answer.columns[*number].clone(),
            )
        }
        None => of_numbers(answer, &numbers),
    };
    Ok(Bars {
        title: title.to_owned(),
        subtitle: answer.of.clone(),
        x_label: answer.columns[*by].clone(),
        y_label,
        categories,
        series,
        histogram: is_bucket(by),
        footer: footer(answer),
    })
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
fn of_numbers(answer: &Shown<'_>, numbers: &[usize]) -> (Vec<Series>, String) {
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
    let label = if drawn.len() > 1 {
        "patients"
    } else {
        &answer.columns[drawn[0]]
    };
    (drawn.iter().map(series).collect(), label.to_owned())
}

/// Means or proportions with their intervals: the last three columns of their table.
fn intervals(answer: &Shown<'_>, title: &str, table: &Table) -> Bars {
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
    Bars {
        title: title.to_owned(),
        subtitle: answer.of.clone(),
        x_label: table.columns[0].clone(),
        y_label: format!(
            "{} with 95 % interval",
            table.columns[table.columns.len() - 3]
        ),
        categories: table.rows.iter().map(|r| r[0].to_string()).collect(),
        series: vec![Series {
            name: String::new(),
            bars: table.rows.iter().map(bar).collect(),
        }],
        histogram: false,
        footer: footer(answer),
    }
}

fn survival(answer: &Shown<'_>, title: &str, derived: &Derived, table: &Table) -> Survival {
    let mut curves: Vec<Curve> = Vec::new();
    for row in &table.rows {
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
            Some(curve) if curve.name == name => curve.points.push(point),
            _ => curves.push(Curve {
                name,
                points: vec![point],
            }),
        }
    }
    let notes = derived.notes.join(" ");
    Survival {
        title: title.to_owned(),
        subtitle: answer.of.clone(),
        x_label: "time".to_owned(),
        y_label: "survival".to_owned(),
        curves,
        footer: format!("{} {notes}", footer(answer)).trim_end().to_owned(),
    }
}

fn flow(answer: &Shown<'_>, title: &str) -> Flow {
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
        title: title.to_owned(),
        subtitle: answer.of.clone(),
        steps: steps.map(|r| (r[0].to_string(), count(&r[1]))).collect(),
        footer: footer(answer),
    }
}
