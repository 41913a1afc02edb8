//! Contingency tables.

use galen_query::analysis::{Contingency, Outcome, TwoByTwo};
use galen_statistics::Test;

use super::{Computed, Table, Value, View, interval, probability, test, view::named};

pub(super) const TWO_BY_TWO: &str = "Odds ratio with Woolf's interval, risk ratio with Katz's, risk difference with \
    Newcombe's score interval, Pearson's chi-square without correction, Fisher's exact test (two-sided); 95 %";
pub(super) const CONTINGENCY: &str =
    "Pearson's chi-square without correction; empty rows and columns left out";

pub(super) fn two_by_two(spec: &TwoByTwo, view: &View<'_>) -> Computed {
    let exposure = view.column(&spec.exposure)?;
    let (counts, count) = match &spec.outcome {
        Outcome::Key {
            outcome,
            values,
            count,
        } => (by_key(spec, (outcome, values), count, view)?, count),
        Outcome::Counts { cases, total } => (by_counts(spec, cases, total, view)?, total),
    };
    let mut notes = Vec::new();
    let used = |row: &usize| spec.groups.iter().any(|g| view.is(*row, exposure, g));
    let others = view.all_rows().filter(|r| !used(r));
    let what = format!("patients of other groups, or none, of {}", spec.exposure);
    notes.extend(view.left_out(others, view.column(count)?, &what));
    if let Outcome::Key {
        outcome, values, ..
    } = &spec.outcome
    {
        let at = view.column(outcome)?;
        let known = |row: &usize| values.iter().any(|v| view.is(*row, at, v));
        let others = view.all_rows().filter(|r| used(r) && !known(r));
        let what = format!("patients of both groups with another value, or none, of {outcome}");
        notes.extend(view.left_out(others, view.column(count)?, &what));
    }
    let [
        (exposed_cases, exposed_others),
        (unexposed_cases, unexposed_others),
    ] = counts;
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
            Value::Key(Some(group.clone())),
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
            probability(p),
        ]
    });
    let mut tests = tests("chi-square", table.chi_square());
    // Fisher's test has no statistic: nothing is left out there.
    tests.rows.extend(fisher.map(|mut row| {
        row[1] = "".into();
        row[2] = "".into();
        row
    }));
    Ok((vec![counts, effects, tests], notes))
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
        let of_group = view.rows_with(exposure, group).into_iter();
        view.only_count(of_group.filter(|r| view.is(*r, outcome, value)), count)
    };
    let cells = spec
        .groups
        .each_ref()
        .map(|g| values.each_ref().map(|v| cell(g, v)));
    let [[a, b], [c, d]] = all(cells)?;
    Ok([(a, b), (c, d)])
}

/// All of a table, or why each is missing that is.
fn all<const N: usize, const M: usize>(
    cells: [[Result<u64, String>; M]; N],
) -> Result<[[u64; M]; N], String> {
    let missing = cells.iter().flatten().filter_map(|c| c.as_ref().err());
    let reasons: Vec<&str> = missing.map(String::as_str).collect();
    if reasons.is_empty() {
        return Ok(cells.map(|line| line.map(Result::unwrap_or_default)));
    }
    Err(reasons.join(" "))
}

/// The same from a count of cases and one of all.
fn by_counts(spec: &TwoByTwo, cases: &str, total: &str, view: &View<'_>) -> Result<Counts, String> {
    let exposure = view.column(&spec.exposure)?;
    let (cases, total) = (view.column(cases)?, view.column(total)?);
    let counts = |g: &String| {
        let row = view.single_row(view.all_rows(), exposure, g);
        let of = |column| row.clone().and_then(|r| view.count(r, column));
        [of(cases), of(total)]
    };
    let without = |g: &str, [with, all]: [u64; 2]| {
        let without = all.checked_sub(with);
        let without = without.ok_or_else(|| format!("{g} has more cases than patients."))?;
        Ok::<_, String>((with, without))
    };
    let [a, b] = all(spec.groups.each_ref().map(counts))?;
    Ok([without(&spec.groups[0], a)?, without(&spec.groups[1], b)?])
}

pub(super) fn contingency(spec: &Contingency, view: &View<'_>) -> Computed {
    let (rows, columns) = (view.column(&spec.rows)?, view.column(&spec.columns)?);
    let count = view.column(&spec.count)?;
    let (row_keys, column_keys) = (view.keys(rows), view.keys(columns));
    let header: Vec<String> = std::iter::once(spec.rows.clone())
        .chain(column_keys.iter().map(|k| named(Some(k))))
        .collect();
    let mut table = Table {
        title: format!("{} by {}", spec.rows, spec.columns),
        columns: header,
        rows: Vec::new(),
    };
    let (mut counts, mut notes) = (Vec::new(), Vec::new());
    for row_key in &row_keys {
        let mut cells = vec![Value::Key(Some(row_key.clone()))];
        let mut line = Vec::new();
        for column_key in &column_keys {
            let of_row = view.rows_with(rows, row_key).into_iter();
            let both = of_row.filter(|r| view.is(*r, columns, column_key));
            match view.only_count(both, count) {
                Ok(n) => {
                    line.push(n);
                    cells.push(Value::Count(n));
                }
                Err(why) => {
                    notes.push(why);
                    cells.push("hidden".into());
                }
            }
        }
        counts.push(line);
        table.rows.push(cells);
    }
    let mut tables = vec![table];
    if notes.is_empty() {
        tables.push(tests("chi-square", galen_statistics::contingency(&counts)));
    } else {
        notes.push("Without these counts there is no test; ask for fewer or larger groups.".into());
    }
    let mut unknown = view.rows_without(rows);
    unknown.extend(view.rows_without(columns));
    unknown.sort_unstable();
    unknown.dedup();
    let what = format!(
        "patients without a value of {} or {}",
        spec.rows, spec.columns
    );
    notes.extend(view.left_out(unknown, count, &what));
    Ok((tables, notes))
}
