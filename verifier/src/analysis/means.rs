//! Means and proportions.

use galen_query::analysis::{Means, Shares, Welch};
use galen_statistics::Sample;

use super::{
    Computed, Table, Value, View, interval, test, titles,
    view::{both, named},
};

pub(super) const MEANS: &str = "Means with Student's t intervals; 95 %";
pub(super) const WELCH: &str =
    "Difference of two means with Welch's unequal-variances t-test and interval; 95 %";
pub(super) const PROPORTIONS: &str = "Proportions with Wilson's score intervals; 95 %";

fn sample(spec: &Means, view: &View<'_>, row: usize) -> Result<Sample, String> {
    let mean = view.number(row, view.column(&spec.mean)?);
    let spread = view.number(row, view.column(&spec.spread)?);
    let n = view.count(row, view.column(&spec.n)?);
    let ((mean, spread), n) = both(both(mean, spread), n)?;
    Ok(Sample {
        n,
        mean,
        variance: if spec.is_variance {
            spread
        } else {
            spread * spread
        },
    })
}

/// Rows that can be computed, and a note for each that cannot.
pub(super) fn each_row(
    view: &View<'_>,
    table: &mut Table,
    row: impl Fn(usize) -> Result<Vec<Value>, String>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for index in 0..view.rows.len() {
        let name = view.title(index);
        let cells = row(index).unwrap_or_else(|note| {
            notes.push(note);
            vec![Value::Missing; table.columns.len() - 1]
        });
        table
            .rows
            .push(std::iter::once(name).chain(cells).collect());
    }
    notes
}

pub(super) fn means(spec: &Means, view: &View<'_>) -> Computed {
    let mut table = Table::new(titles::MEANS, &["group", "n", &spec.mean, "lower", "upper"]);
    let notes = each_row(view, &mut table, |row| {
        let sample = sample(spec, view, row)?;
        let n = [Value::Count(sample.n)];
        Ok(n.into_iter()
            .chain(interval(galen_statistics::mean(sample)))
            .collect())
    });
    Ok((vec![table], notes))
}

pub(super) fn welch(spec: &Welch, view: &View<'_>) -> Computed {
    let by = view.column(&spec.by)?;
    let group = |value: &String| {
        let row = view.single_row(view.all_rows(), by, value)?;
        sample(&spec.sample, view, row)
    };
    let [first, second] = spec.groups.each_ref().map(group);
    let samples = <[Sample; 2]>::from(both(first, second)?);
    let mut means = Table::new(
        titles::MEANS,
        &[&spec.by, "n", &spec.sample.mean, "lower", "upper"],
    );
    for (name, sample) in spec.groups.iter().zip(samples) {
        let head = [Value::Key(Some(name.clone())), Value::Count(sample.n)];
        means.rows.push(
            head.into_iter()
                .chain(interval(galen_statistics::mean(sample)))
                .collect(),
        );
    }
    let found = galen_statistics::welch(samples[0], samples[1]);
    let columns = ["comparison", "difference", "lower", "upper", "t", "df", "p"];
    let mut difference = Table::new("Difference", &columns);
    let [first, second] = spec.groups.each_ref().map(|g| named(Some(g)));
    let name = Value::Text(format!("{first} − {second}"));
    let cells = interval(found.map(|w| w.difference));
    let tests = test(found.map(|w| w.test));
    difference
        .rows
        .push([name].into_iter().chain(cells).chain(tests).collect());
    let used = |row: &usize| spec.groups.iter().any(|g| view.is(*row, by, g));
    let others = view.all_rows().filter(|r| !used(r));
    let what = format!("patients of other groups, or none, of {}", spec.by);
    let left_out = view.left_out(others, view.column(&spec.sample.n)?, &what);
    Ok((vec![means, difference], left_out.into_iter().collect()))
}

pub(super) fn proportions(spec: &Shares, view: &View<'_>) -> Computed {
    let columns = ["group", "cases", "total", "proportion", "lower", "upper"];
    let mut table = Table::new(titles::PROPORTIONS, &columns);
    let (cases, total) = (view.column(&spec.cases)?, view.column(&spec.total)?);
    let notes = each_row(view, &mut table, |row| {
        let (with, all) = both(view.count(row, cases), view.count(row, total))?;
        if with > all {
            return Err(format!("{} has more cases than patients.", view.name(row)));
        }
        let head = [Value::Count(with), Value::Count(all)];
        let share = galen_statistics::proportion(with, all);
        Ok(head.into_iter().chain(interval(share)).collect())
    });
    Ok((vec![table], notes))
}
