//! What a query asks, in words: who is counted, in which groups, of which columns, all in the columns' own units.

use galen_query::{
    query::{Aggregate, Bin, BinName, CohortQuery, Grouping, OutputValue, Predicate},
    registry::{Column, ColumnKind, Registry},
    words::{LISTED, Words, between, listed, value_among},
};
use num_traits::ToPrimitive;

use crate::{caption::number_unit, show};

/// A line each: what, and what of it.
pub fn lines(query: &CohortQuery, registry: &Registry) -> Vec<(String, String)> {
    let words = Words(&registry.columns);
    let mut lines = vec![("who".to_owned(), who(words, &query.filter))];
    for (at, grouping) in query.group_by.iter().enumerate() {
        let is_key = |value: &OutputValue| matches!(value, OutputValue::Key(key) if *key == at);
        let output = query.outputs.iter().find(|o| is_key(&o.value));
        let name = output.map_or_else(|| words.name(grouping.column), |o| &o.label);
        let groups = groups(&registry.columns[grouping.column], grouping);
        lines.push((format!("groups by {name}"), groups));
    }
    for output in &query.outputs {
        let filtered = !matches!(output.filter, Predicate::Always) && query.criteria.is_empty();
        if filtered {
            let who = words.condition(&output.filter, false);
            lines.push((output.label.clone(), format!("only those with {who}")));
        }
    }
    let mut columns = query.aggregate_columns();
    columns.extend(query.group_by.iter().map(|g| g.column));
    columns.sort_unstable();
    columns.dedup();
    lines.extend(
        columns
            .into_iter()
            .map(|c| (words.name(c).to_owned(), range(&registry.columns[c]))),
    );
    let plain = |text: String| show::plain_line(&text);
    lines
        .into_iter()
        .map(|(what, text)| (plain(what), plain(text)))
        .collect()
}

/// An aggregate as SQL writes it, for messages.
pub fn function(aggregate: &Aggregate, columns: &[Column]) -> String {
    let of = |name: &str, c: &usize| format!("{name}({})", columns[*c].name);
    match aggregate {
        Aggregate::CountAll => "count(*)".to_owned(),
        Aggregate::Count(c) => of("count", c),
        Aggregate::Sum(c) => of("sum", c),
        Aggregate::SumOfSquares(c) => format!("sum({0} * {0})", columns[*c].name),
        Aggregate::Avg(c) => of("avg", c),
        Aggregate::VarSamp(c) => of("var_samp", c),
        Aggregate::VarPop(c) => of("var_pop", c),
        Aggregate::StddevSamp(c) => of("stddev_samp", c),
        Aggregate::StddevPop(c) => of("stddev_pop", c),
        Aggregate::Pair { function, y, x } => {
            use galen_query::query::PairFunction;
            let mut names = PairFunction::NAMES.iter();
            let name = names.find(|(_, f)| f == function).map_or("", |(n, _)| n);
            format!("{name}({}, {})", columns[*y].name, columns[*x].name)
        }
        Aggregate::PercentileDisc { column, .. } => of("percentile of ", column),
    }
}

fn who(words: Words<'_>, filter: &Predicate) -> String {
    match filter {
        Predicate::Always => "everyone who consented to the purpose".to_owned(),
        Predicate::Never => "nobody".to_owned(),
        other => format!(
            "those who consented, with {}",
            words.condition(other, false)
        ),
    }
}

fn groups(column: &Column, grouping: &Grouping) -> String {
    let null = if column.nullable { "; and NULL" } else { "" };
    let Some(bins) = &grouping.bins else {
        let all = (0..=column.span()).take(LISTED + 1);
        let text = |v| value_among(&column.format_stored(v)).into_owned();
        let texts = all.map(text).collect::<Vec<_>>();
        let more = usize::try_from(column.span()).unwrap_or(usize::MAX);
        let more = more.saturating_add(1).saturating_sub(texts.len());
        let beyond = texts.len().min(LISTED);
        let more = more + texts.len() - beyond;
        let shown = texts[..beyond].join(", ");
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        return format!("{shown}{rest}{null}");
    };
    let of = format!("{} of {}", show::plural(bins.len(), "group"), column.name);
    let unit = number_unit(column).map_or_else(String::new, |u| format!(" {u}"));
    let width = width(bins).map_or_else(String::new, |w| format!(", each {w}{unit} wide"));
    let bin = |b: &Bin| format!("{}: {}", b.name, between(column, b.stored.0, b.stored.1));
    let texts = bins.iter().map(bin).collect();
    format!("{of}{width}: {}{null}", listed(texts, ", "))
}

/// `0.00 to 12.00 mmol/L in steps of 0.01, NULL where it is not known`.
fn range(column: &Column) -> String {
    let unit = number_unit(column).map_or_else(String::new, |u| format!(" {u}"));
    let text = match &column.kind {
        ColumnKind::Boolean => "true or false".to_owned(),
        ColumnKind::Category { codes } => show::plural(codes.len(), "code"),
        ColumnKind::Number { decimals, .. } => {
            let step = 10f64.powi(-i32::try_from(*decimals).unwrap_or(0));
            let range = between(column, 0, column.span());
            format!("{range}{unit}, in steps of {step}")
        }
        ColumnKind::Date { .. } => format!("{}, by day", between(column, 0, column.span())),
    };
    let null = if column.nullable { "; may be NULL" } else { "" };
    text + null
}

/// The width of buckets, which is the same of all that have both ends.
fn width(bins: &[Bin]) -> Option<f64> {
    let until = |bin: &Bin| match &bin.name {
        BinName::Bucket { until, .. } => *until,
        BinName::Year(_) => None,
    };
    let (first, second) = bins.iter().zip(bins.iter().skip(1)).find_map(|(a, b)| {
        let both = (until(a)?, until(b)?);
        Some(both)
    })?;
    (second - first).to_f64()
}
