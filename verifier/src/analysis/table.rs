//! Contingency tables.

use galen_query::analysis::{Contingency, Outcome, TwoByTwo};
use galen_statistics::Test;

use super::{Computed, Table, Value, View, interval, test};

pub(super) const TWO_BY_TWO: &str = "Odds ratio with Woolf's interval, risk ratio with Katz's, risk difference with \
    Newcombe's score interval, Pearson's chi-square without correction, Fisher's exact test (two-sided); 95 %";
pub(super) const CONTINGENCY: &str =
    "Pearson's chi-square without correction; empty rows and columns left out";

pub(super) fn two_by_two(spec: &TwoByTwo, view: &View<'_>) -> Computed {
    let [
        (exposed_cases, exposed_others),
        (unexposed_cases, unexposed_others),
    ] = match &spec.outcome {
        Outcome::Key {
            outcome,
            values,
            count,
        } => by_key(spec, (outcome, values), count, view)?,
        Outcome::Counts { cases, total } => by_counts(spec, cases, total, view)?,
    };
    let table = galen_statistics::TwoByTwo {
        exposed_cases,
        exposed_others,
        unexposed_cases,
        unexposed_others,
    };
    let mut counts = Table::new("Counts", &[&spec.exposure, "cases", "others"]);
    for (group, cases, others) in [
        (&spec.groups[0], exposed_cases, exposed_others),
        (&spec.groups[1], unexposed_cases, unexposed_others),
    ] {
        let row = vec![
            Value::Text(group.clone()),
            Value::Count(cases),
            Value::Count(others),
        ];
        counts.rows.push(row);
    }
    let mut effects = Table::new("Effects", &["measure", "estimate", "lower", "upper"]);
    for (name, estimate) in [
        ("odds ratio", table.odds_ratio()),
        ("risk ratio", table.risk_ratio()),
        ("risk difference", table.risk_difference()),
    ] {
        let cells = interval(estimate);
        effects
            .rows
            .push([name.into()].into_iter().chain(cells).collect());
    }
    let fisher = table.fisher().map(|p| {
        vec![
            "Fisher's exact".into(),
            Value::Missing,
            Value::Missing,
            p.into(),
        ]
    });
    let mut tests = tests("chi-square", table.chi_square());
    // Fisher's test has no statistic: nothing is left out there.
    tests.rows.extend(fisher.map(|mut row| {
        row[1] = "".into();
        row[2] = "".into();
        row
    }));
    Ok((vec![counts, effects, tests], Vec::new()))
}

fn tests(name: &str, result: Option<Test>) -> Table {
    let mut table = Table::new("Tests", &["test", "statistic", "df", "p"]);
    table
        .rows
        .push([name.into()].into_iter().chain(test(result)).collect());
    table
}

type Counts = [(u64, u64); 2];

/// Cases and others of both groups, from a count by two keys.
fn by_key(
    spec: &TwoByTwo,
    (outcome, values): (&str, &[String; 2]),
    count: &str,
    view: &View<'_>,
) -> Result<Counts, String> {
    let (exposure, outcome) = (view.column(&spec.exposure)?, view.column(outcome)?);
    let count = view.column(count)?;
    let cell = |group: &str, value: &str| {
        let rows = view.rows_with(exposure, group).into_iter();
        match rows
            .filter(|r| view.key(*r, outcome) == value)
            .collect::<Vec<_>>()[..]
        {
            [row] => view.count(row, count),
            _ => Err(format!("The answer has no row for {group}, {value}.")),
        }
    };
    let group = |g: &str| Ok::<_, String>((cell(g, &values[0])?, cell(g, &values[1])?));
    Ok([group(&spec.groups[0])?, group(&spec.groups[1])?])
}

/// The same from a count of cases and one of all.
fn by_counts(spec: &TwoByTwo, cases: &str, total: &str, view: &View<'_>) -> Result<Counts, String> {
    let exposure = view.column(&spec.exposure)?;
    let (cases, total) = (view.column(cases)?, view.column(total)?);
    let group = |g: &String| {
        let row = view.single_row(view.all_rows(), exposure, g)?;
        let (with, all) = (view.count(row, cases)?, view.count(row, total)?);
        let without = all.checked_sub(with);
        let without = without.ok_or_else(|| format!("{g} has more cases than patients."))?;
        Ok::<_, String>((with, without))
    };
    Ok([group(&spec.groups[0])?, group(&spec.groups[1])?])
}

pub(super) fn contingency(spec: &Contingency, view: &View<'_>) -> Computed {
    let (rows, columns) = (view.column(&spec.rows)?, view.column(&spec.columns)?);
    let count = view.column(&spec.count)?;
    let (row_keys, column_keys) = (view.keys(rows), view.keys(columns));
    let mut counts = Vec::new();
    for row_key in &row_keys {
        let mut line = Vec::new();
        for column_key in &column_keys {
            let of_row = view.rows_with(rows, row_key).into_iter();
            let mut both = of_row.filter(|r| view.key(*r, columns) == *column_key);
            let row = both.next().ok_or("The answer's groups are no table.")?;
            line.push(view.count(row, count)?);
        }
        counts.push(line);
    }
    let header: Vec<&str> = std::iter::once(spec.rows.as_str())
        .chain(column_keys.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(format!("{} by {}", spec.rows, spec.columns), &header);
    for (key, line) in row_keys.iter().zip(&counts) {
        let cells = line.iter().map(|n| Value::Count(*n));
        table.rows.push(
            std::iter::once(Value::Text(key.clone()))
                .chain(cells)
                .collect(),
        );
    }
    let tests = tests("chi-square", galen_statistics::contingency(&counts));
    Ok((vec![table, tests], Vec::new()))
}
