//! What an analysis's inputs must be to one another: whose numbers do not belong together are not registered.

use crate::{
    query::{Aggregate, CohortQuery, Output, OutputValue, Predicate},
    registry::{ColumnKind, Registry},
};

use super::spec::{Analysis, Outcome, Rates, Survival};

/// An analysis's query, to check its inputs against.
pub(super) struct Inputs<'a> {
    pub query: &'a CohortQuery,
    pub registry: &'a Registry,
}

type Checked = Result<(), String>;

impl Inputs<'_> {
    /// That what the analysis puts together belongs together.
    pub fn check(&self, analysis: &Analysis) -> Checked {
        match analysis {
            Analysis::TwoByTwo(spec) => match &spec.outcome {
                Outcome::Key { outcome, .. } => {
                    self.different_keys(("exposure", &spec.exposure), ("outcome", outcome))?;
                    self.all_keys([&spec.exposure, outcome])
                }
                Outcome::Counts { cases, total } => {
                    self.among(("cases", cases), ("total", total))?;
                    self.not_of_key(("cases", cases), total, &spec.exposure)?;
                    self.all_keys([&spec.exposure])
                }
            },
            Analysis::Contingency(spec) => {
                self.different_keys(("rows", &spec.rows), ("columns", &spec.columns))?;
                self.all_keys([&spec.rows, &spec.columns])
            }
            Analysis::Means(_) => Ok(()),
            Analysis::Welch(spec) => {
                let mean = self.output(&spec.sample.mean);
                let of = mean.and_then(|o| o.value.only_column());
                if self.column(&spec.by) == of {
                    return Err(format!(
                        "{} is a mean of the column that tells the groups apart",
                        spec.sample.mean
                    ));
                }
                self.all_keys([&spec.by])
            }
            Analysis::Proportions(spec) => {
                self.among(("cases", &spec.cases), ("total", &spec.total))
            }
            Analysis::Survival(spec) => self.survival(spec),
            Analysis::Rates(spec) => self.rates(spec),
            Analysis::Standardised(spec) => {
                self.rates(&spec.rates)?;
                let Rates { events, time, .. } = &spec.rates;
                for key in spec.by.iter().chain([&spec.strata]) {
                    self.not_of_key(("events", events), time, key)?;
                }
                if let Some(by) = &spec.by {
                    self.different_keys(("strata", &spec.strata), ("by", by))?;
                }
                self.all_keys(spec.by.iter().chain([&spec.strata]))
            }
        }
    }

    fn survival(&self, spec: &Survival) -> Checked {
        if let Some(by) = &spec.by {
            self.different_keys(("time", &spec.time), ("by", by))?;
        }
        self.among(("events", &spec.events), ("leaving", &spec.leaving))?;
        if let Some(by) = &spec.by {
            self.not_of_key(("events", &spec.events), &spec.leaving, by)?;
        }
        self.all_times(spec)?;
        self.all_keys(spec.by.iter().chain([&spec.time]))
    }

    /// That `leaving` counts patients whatever their time is: who is at risk is not known of others.
    fn all_times(&self, spec: &Survival) -> Checked {
        let (Some(time), Some(leaving)) = (self.column(&spec.time), self.output(&spec.leaving))
        else {
            return Ok(());
        };
        if !asks_for_values(&self.population(leaving), time) {
            return Ok(());
        }
        Err(format!(
            "WHERE or the FILTER of {} chooses patients by {}, their time itself, and nobody can tell who else was at risk; \
             leave that out, the buckets cut times off",
            spec.leaving, self.registry.columns[time].name
        ))
    }

    /// That what makes a case of a patient is not the key that tells the groups apart.
    fn not_of_key(&self, (part, inner): (&str, &str), outer: &str, key: &str) -> Checked {
        let outputs = (self.output(inner), self.output(outer), self.column(key));
        let (Some(inside), Some(around), Some(column)) = outputs else {
            return Ok(());
        };
        let deciding = self.query.deciding(self.registry, inside, around);
        match deciding.iter().any(|c| asks_for_values(c, column)) {
            true => Err(format!(
                "{part}={inner} is decided by {}, which {key} tells the groups apart by: each group would have all or none",
                self.registry.columns[column].name
            )),
            false => Ok(()),
        }
    }

    /// Events of patients whose time is counted, and of nobody else.
    fn rates(&self, spec: &Rates) -> Checked {
        self.among(("events", &spec.events), ("time", &spec.time))?;
        let time = self.output(&spec.time);
        let Some(column) = time.and_then(|o| o.value.only_column()) else {
            return Ok(());
        };
        let column = &self.registry.columns[column];
        match column.kind {
            ColumnKind::Number { min, .. } if min < 0 => Err(format!(
                "time={}: {} can be negative, which no time at risk is",
                spec.time, column.name
            )),
            _ => Ok(()),
        }
    }

    /// That two counts are different, and whom the first counts the second counts, too.
    fn among(&self, (part, inner): (&str, &str), (whole, outer): (&str, &str)) -> Checked {
        if inner == outer {
            return Err(format!("{part} and {whole} are the same output, {inner}"));
        }
        let (Some(inside), Some(around)) = (self.output(inner), self.output(outer)) else {
            return Ok(());
        };
        if self
            .population(inside)
            .lies_within(&self.population(around))
        {
            return Ok(());
        }
        Err(format!(
            "{part}={inner} counts patients whom {whole}={outer} does not, as far as their FILTERs tell: {}",
            self.cure(inner, inside, outer, around)
        ))
    }

    /// How to let `inner` count only whom `outer` counts.
    fn cure(&self, inner: &str, inside: &Output, outer: &str, around: &Output) -> String {
        let with_missing = Output {
            value: OutputValue::Aggregate(Aggregate::CountAll),
            ..around.clone()
        };
        let is_alike = self
            .population(inside)
            .lies_within(&self.population(&with_missing));
        let column = around.value.only_column();
        let column = column.map(|c| &self.registry.columns[c]);
        match column.filter(|c| c.nullable && is_alike) {
            Some(column) => format!(
                "a patient whose {column} is NULL may be in {inner} and is not in {outer}; add `{column} IS NOT NULL` to \
                 the FILTER of {inner}, or to WHERE",
                column = column.name
            ),
            None => format!("give {inner} the FILTER of {outer}, and its own condition AND that"),
        }
    }

    /// That two keys are of different columns.
    fn different_keys(&self, (a, first): (&str, &str), (b, second): (&str, &str)) -> Checked {
        if first == second {
            return Err(format!("{a} and {b} are the same key, {first}"));
        }
        match self.column(first) {
            Some(c) if self.column(second) == Some(c) => Err(format!(
                "{a}={first} and {b}={second} are keys of one column, {}",
                self.registry.columns[c].name
            )),
            _ => Ok(()),
        }
    }

    /// That GROUP BY has no further key: each group is one row then.
    fn all_keys<'a>(&self, labels: impl IntoIterator<Item = &'a String>) -> Checked {
        let used: Vec<usize> = labels.into_iter().filter_map(|l| self.column(l)).collect();
        let columns = self.query.group_by.iter().map(|g| g.column);
        let others = columns.filter(|c| !used.contains(c));
        let names: Vec<&str> = others
            .map(|c| self.registry.columns[c].name.as_str())
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the query also groups by {}, and this analysis would take each of its groups for the whole; name it as one \
             of the analysis's keys, or ask without it",
            names.join(", ")
        ))
    }

    fn output(&self, label: &str) -> Option<&Output> {
        self.query.output(label)
    }

    fn population(&self, output: &Output) -> Predicate {
        self.query.population(self.registry, output)
    }

    /// A key's registry column.
    fn column(&self, label: &str) -> Option<usize> {
        Some(self.query.grouping(label)?.column)
    }
}

/// Whether a predicate looks at a column's values, and not only whether there is one.
fn asks_for_values(predicate: &Predicate, of: usize) -> bool {
    match predicate {
        Predicate::In { column, .. } => *column == of,
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().any(|m| asks_for_values(m, of))
        }
        _ => false,
    }
}
