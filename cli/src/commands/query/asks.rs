//! What a query asks, in words: who is counted, in which groups, of which columns, all in the columns' own units.

use galen_query::{
    query::{Aggregate, Bin, BinName, CohortQuery, Grouping, IntervalSet, OutputValue, Predicate},
    registry::{Column, ColumnKind, Registry},
};
use num_traits::ToPrimitive;

use crate::{caption::number_unit, show};

/// Values, members of a condition and groups that a line lists.
const LISTED: usize = 12;

/// A line each: what, and what of it.
pub fn lines(query: &CohortQuery, registry: &Registry) -> Vec<(String, String)> {
    let words = Words(&registry.columns);
    let mut lines = vec![("who".to_owned(), words.who(&query.filter))];
    for (at, grouping) in query.group_by.iter().enumerate() {
        let is_key = |value: &OutputValue| matches!(value, OutputValue::Key(key) if *key == at);
        let output = query.outputs.iter().find(|o| is_key(&o.value));
        let name = output.map_or_else(|| words.name(grouping.column), |o| o.label.clone());
        lines.push((format!("groups by {name}"), words.groups(grouping)));
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
            .map(|c| (words.name(c), words.range(&registry.columns[c]))),
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

struct Words<'a>(&'a [Column]);

impl Words<'_> {
    fn name(&self, column: usize) -> String {
        self.0[column].name.clone()
    }

    fn who(&self, filter: &Predicate) -> String {
        match filter {
            Predicate::Always => "everyone who consented to the purpose".to_owned(),
            Predicate::Never => "nobody".to_owned(),
            other => format!("those who consented, with {}", self.condition(other, false)),
        }
    }

    /// `inner` ones stand in parentheses where they have members.
    fn condition(&self, predicate: &Predicate, inner: bool) -> String {
        let (members, joint) = match predicate {
            Predicate::Always => return "anything".to_owned(),
            Predicate::Never => return "what nobody has".to_owned(),
            Predicate::In { column, set } => return self.values(&self.0[*column], set),
            Predicate::IsNull { column } => return format!("no {}", self.name(*column)),
            Predicate::IsNotNull { column } => return format!("a known {}", self.name(*column)),
            Predicate::All(members) => (members, " and "),
            Predicate::Any(members) => (members, " or "),
        };
        let texts = members.iter().map(|m| self.condition(m, true)).collect();
        let text = listed(texts, joint);
        if inner { format!("({text})") } else { text }
    }

    /// `ldl 2.50 to 5.40 mmol/L`.
    fn values(&self, column: &Column, set: &IntervalSet) -> String {
        let range = |(first, last): &(u64, u64)| between(column, *first, *last);
        let texts = set.intervals().iter().map(range).collect();
        let unit = number_unit(column).map_or_else(String::new, |u| format!(" {u}"));
        format!("{} {}{unit}", column.name, listed(texts, " or "))
    }

    fn groups(&self, grouping: &Grouping) -> String {
        let column = &self.0[grouping.column];
        let null = if column.nullable { "; and NULL" } else { "" };
        let Some(bins) = &grouping.bins else {
            let all = (0..=column.span()).take(LISTED + 1);
            let texts = all.map(|v| column.format_stored(v)).collect::<Vec<_>>();
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
    fn range(&self, column: &Column) -> String {
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
}

fn between(column: &Column, first: u64, last: u64) -> String {
    let first_text = column.format_stored(first);
    match first == last {
        true => first_text,
        false => format!("{first_text} to {}", column.format_stored(last)),
    }
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

fn listed(items: Vec<String>, joint: &str) -> String {
    let more = items.len().saturating_sub(LISTED);
    let shown = items[..items.len() - more].join(joint);
    match more {
        0 => shown,
        more => format!("{shown}{joint}{more} more"),
    }
}
