//! What an analysis's inputs must be to one another: whose numbers do not belong together are not registered.

use crate::{
    query::{Aggregate, CohortQuery, Output, OutputValue, Predicate},
    registry::{ColumnKind, Registry},
    words::Words,
};

use super::{
    selection::{asks_for_values, chain},
    spec::{Analysis, Means, Outcome, Rates, Survival, TwoByTwo},
};

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
            Analysis::TwoByTwo(spec) => self.two_by_two(spec),
            Analysis::Contingency(spec) => {
                self.different_keys(("rows", &spec.rows), ("columns", &spec.columns))?;
                self.not_tied(
                    &self.of([&spec.rows]),
                    &self.of([&spec.columns]),
                    &spec.count,
                )?;
                self.all_keys([&spec.rows, &spec.columns])
            }
            Analysis::Means(spec) => self.means(spec, &self.grouped()),
            Analysis::Welch(spec) => {
                let mean = self.output(&spec.sample.mean);
                let of = mean.and_then(|o| o.value.only_column());
                if self.column(&spec.by) == of {
                    return Err(format!(
                        "{} is a mean of the column that tells the groups apart",
                        spec.sample.mean
                    ));
                }
                self.means(&spec.sample, &self.of([&spec.by]))?;
                self.all_keys([&spec.by])
            }
            Analysis::Proportions(spec) => {
                self.among(("cases", &spec.cases), ("total", &spec.total))?;
                let outcome = self.outcome(&spec.cases, &spec.total);
                self.not_tied(&self.grouped(), &outcome, &spec.total)
            }
            Analysis::Survival(spec) => self.survival(spec),
            Analysis::Rates(spec) => self.rates(spec, &self.grouped()),
            Analysis::Standardised(spec) => {
                let keys = self.of(spec.by.iter().chain([&spec.strata]));
                self.rates(&spec.rates, &keys)?;
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

    fn two_by_two(&self, spec: &TwoByTwo) -> Checked {
        let exposure = &spec.exposure;
        match &spec.outcome {
            Outcome::Key { outcome, count, .. } => {
                self.different_keys(("exposure", exposure), ("outcome", outcome))?;
                self.not_of_outcome(count, outcome)?;
                self.not_tied(&self.of([exposure]), &self.of([outcome]), count)?;
                self.all_keys([exposure, outcome])
            }
            Outcome::Counts { cases, total } => {
                self.among(("cases", cases), ("total", total))?;
                self.not_of_key(("cases", cases), total, exposure)?;
                self.not_tied(&self.of([exposure]), &self.outcome(cases, total), total)?;
                self.all_keys([exposure])
            }
        }
    }

    fn means(&self, spec: &Means, keys: &[usize]) -> Checked {
        let mean = self.output(&spec.mean);
        let of = mean.and_then(|o| o.value.only_column());
        self.not_tied(keys, &Vec::from_iter(of), &spec.mean)
    }

    fn survival(&self, spec: &Survival) -> Checked {
        if let Some(by) = &spec.by {
            self.different_keys(("time", &spec.time), ("by", by))?;
        }
        self.among(("events", &spec.events), ("leaving", &spec.leaving))?;
        if let Some(by) = &spec.by {
            self.not_of_key(("events", &spec.events), &spec.leaving, by)?;
        }
        let time = self.of([&spec.time]);
        for counted in [&spec.leaving, &spec.events] {
            let cure =
                "nobody can tell who else was at risk; leave that out, the buckets cut times off";
            self.all_times(&time, counted, cure)?;
        }
        let mut outcome = self.outcome(&spec.events, &spec.leaving);
        outcome.extend(time);
        self.not_tied(&self.of(&spec.by), &outcome, &spec.leaving)?;
        self.all_keys(spec.by.iter().chain([&spec.time]))
    }

    /// That an output is of patients whatever their time is: it is known only afterwards who they are otherwise.
    fn all_times(&self, time: &[usize], label: &str, why: &str) -> Checked {
        let Some(output) = self.output(label) else {
            return Ok(());
        };
        let of = self.population(output);
        match time.iter().find(|t| asks_for_values(&of, **t)) {
            Some(time) => Err(format!(
                "WHERE or the FILTER of {label} chooses patients by {}, their time itself, and {why}",
                self.registry.columns[*time].name
            )),
            None => Ok(()),
        }
    }

    /// That no condition of those whom `of` is about ties a key's column to one that the outcome comes from: the groups
    /// would differ because of the condition.
    fn not_tied(&self, keys: &[usize], outcome: &[usize], of: &str) -> Checked {
        let Some(output) = self.output(of) else {
            return Ok(());
        };
        let all = self.population(output);
        let written = [
            (&self.query.filter, "WHERE".to_owned()),
            (&all, format!("WHERE with the FILTER of {of}")),
        ];
        let words = Words(&self.registry.columns);
        for (conditions, clause) in written {
            let found = keys.iter().find_map(|key| {
                let (outcome, path) = chain(conditions, *key, outcome)?;
                Some((words.name(*key), words.name(outcome), path))
            });
            let Some((key, outcome, path)) = found else {
                continue;
            };
            let path: Vec<String> = path.iter().map(|p| words.condition(p, true)).collect();
            return Err(format!(
                "{clause} chooses patients by {key} and {outcome} together: {}. One group is chosen by {outcome} otherwise than \
                 another then, and differs from it for that alone. Ask for each in a condition of its own, with AND between \
                 them, or for one of them only",
                path.join(" and ")
            ));
        }
        Ok(())
    }

    /// The columns that decide who of `whole` is in `part`.
    fn outcome(&self, part: &str, whole: &str) -> Vec<usize> {
        let (Some(part), Some(whole)) = (self.output(part), self.output(whole)) else {
            return Vec::new();
        };
        let deciding = self.query.deciding(self.registry, part, whole);
        deciding.iter().flat_map(Predicate::columns).collect()
    }

    /// That a count by two keys does not count by the outcome: each group would have all or none.
    fn not_of_outcome(&self, count: &str, outcome: &str) -> Checked {
        let (Some(counted), Some(column)) = (self.output(count), self.column(outcome)) else {
            return Ok(());
        };
        let all = Output {
            value: OutputValue::Aggregate(Aggregate::CountAll),
            filter: Predicate::Always,
            ..counted.clone()
        };
        let deciding = self.query.deciding(self.registry, counted, &all);
        match deciding.iter().any(|c| asks_for_values(c, column)) {
            true => Err(format!(
                "count={count} is decided by {}, which outcome={outcome} tells cases from others by: each group would have all \
                 or none; count without that condition",
                self.registry.columns[column].name
            )),
            false => Ok(()),
        }
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

    /// Events of patients whose time is counted, and of nobody else, in groups of these keys' columns.
    fn rates(&self, spec: &Rates, keys: &[usize]) -> Checked {
        self.among(("events", &spec.events), ("time", &spec.time))?;
        let mut outcome = self.outcome(&spec.events, &spec.time);
        if let Some(time) = self.time_at_risk(spec)? {
            for counted in [&spec.events, &spec.time] {
                let why = "how long a patient was followed depends on the event; choose by what was known when it \
                     began, and leave that out";
                self.all_times(&[time], counted, why)?;
            }
            if keys.contains(&time) {
                return Err(format!(
                    "GROUP BY chooses patients by {}, their time itself, and how long a patient was followed depends on the \
                     event; group by what was known when it began",
                    self.registry.columns[time].name
                ));
            }
            outcome.push(time);
        }
        self.not_tied(keys, &outcome, &spec.time)
    }

    /// The column that times at risk are summed of; none where persons are counted.
    fn time_at_risk(&self, spec: &Rates) -> Result<Option<usize>, String> {
        let time = self.output(&spec.time);
        let Some(index) = time.and_then(|o| match o.value {
            OutputValue::Aggregate(Aggregate::Sum(c)) => Some(c),
            _ => None,
        }) else {
            return Ok(None);
        };
        let column = &self.registry.columns[index];
        match column.kind {
            ColumnKind::Number { min, .. } if min < 0 => Err(format!(
                "time={}: {} can be negative, which no time at risk is",
                spec.time, column.name
            )),
            ColumnKind::Number { .. } => Ok(Some(index)),
            _ => Ok(None),
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

    /// The registry columns of GROUP BY.
    fn grouped(&self) -> Vec<usize> {
        self.query.group_by.iter().map(|g| g.column).collect()
    }

    /// The registry columns of keys.
    fn of<'a>(&self, labels: impl IntoIterator<Item = &'a String>) -> Vec<usize> {
        labels.into_iter().filter_map(|l| self.column(l)).collect()
    }

    /// A key's registry column.
    fn column(&self, label: &str) -> Option<usize> {
        Some(self.query.grouping(label)?.column)
    }
}
