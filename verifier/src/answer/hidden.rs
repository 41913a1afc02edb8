//! Why an answer's counts are hidden, in words: all of it follows from the published states and the plan
//! (`docs/spec/release-rules.md`).

use std::collections::BTreeMap;

use galen_query::{
    query::{Aggregate, OutputValue, Percentile},
    question::Resolved,
    registry::Registry,
};
use serde::Serialize;

use crate::{
    plan::{Field, FieldKind, GroupKey, Plan, fields_of, key_in_words},
    rules::{Counts, Published, State, is_hidden},
};

/// A count that is hidden though it is not told to be small, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// The outputs that it hides, with its group's keys.
    pub count: String,
    /// The release rule's state, or `percentile`.
    pub rule: &'static str,
    /// Of a tied count, of which patients it would tell, after "the patients": the bundle names them.
    pub of: Option<String>,
    /// Why it is hidden, in words.
    pub why: String,
}

impl Hidden {
    /// Whether it is hidden for what all counts tell together, or with the number of all patients.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        matches!(self.rule, "tied" | "whole")
    }
}

/// What hides an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// This count, which it is computed from.
    Own(Field),
    /// This one, of more patients.
    With(Field),
    /// Too few values.
    Fewer(u64),
}

struct Reasons<'a> {
    plan: &'a Plan,
    resolved: &'a Resolved,
    registry: &'a Registry,
    counts: Counts,
    states: Vec<State>,
    k: u64,
}

/// All that are hidden and not told to be small, group by group.
pub(super) fn hidden(
    plan: &Plan,
    (resolved, registry): (&Resolved, &Registry),
    published: &Published,
    k: u64,
) -> Vec<Hidden> {
    let counts = Counts::of(plan);
    let Ok(states) = counts.states(plan, published) else {
        return Vec::new();
    };
    let reasons = Reasons {
        plan,
        resolved,
        registry,
        counts,
        states,
        k,
    };
    let groups = 0..published.len();
    groups.flat_map(|group| reasons.of_group(group)).collect()
}

impl Reasons<'_> {
    fn state(&self, field: Field, group: usize) -> Option<State> {
        Some(self.states[self.counts.cell(field, group)?])
    }

    fn of_group(&self, group: usize) -> Vec<Hidden> {
        let mut causes: Vec<(Cause, Vec<&str>)> = Vec::new();
        let query = &self.resolved.query;
        for (output, filter) in query.outputs.iter().zip(query.filter_indices()) {
            let OutputValue::Aggregate(aggregate) = &output.value else {
                continue;
            };
            let Some(cause) = self.cause(aggregate, *filter, group) else {
                continue;
            };
            match causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, labels)) => labels.push(&output.label),
                None => causes.push((cause, vec![&output.label])),
            }
        }
        let hidden = causes.into_iter();
        hidden
            .filter_map(|(cause, labels)| self.hidden(group, cause, &labels))
            .collect()
    }

    /// What hides an output; `None` if nothing does.
    fn cause(&self, aggregate: &Aggregate, filter: Option<usize>, group: usize) -> Option<Cause> {
        if let Aggregate::PercentileDisc { column, share } = aggregate {
            let wanted = (*column, *share, filter);
            let is_own = |p: &Percentile| (p.column, p.share, p.filter) == wanted;
            let at = self.plan.percentiles.iter().position(is_own)?;
            return self.of_percentile(at, group);
        }
        let fields = fields_of(aggregate, filter, self.registry);
        let hidden = |f: &Field| matches!(self.state(*f, group), Some(s) if s.shown().is_none());
        let field = fields.into_iter().filter(|f| f.is_count()).find(hidden)?;
        match self.state(field, group)? {
            State::Guarded => self.containing(field, group).map(Cause::With),
            _ => Some(Cause::Own(field)),
        }
    }

    fn of_percentile(&self, at: usize, group: usize) -> Option<Cause> {
        let percentile = &self.plan.percentiles[at];
        let all = self.plan.percentiles.len();
        if self.plan.quantiles.get(group * all + at)?.is_some() {
            return None;
        }
        let known = Field::known(percentile);
        if !is_hidden(&self.counts, &self.states, percentile, group) {
            let is_empty = |f: &Field| {
                f.contains(known, &self.plan.within)
                    && self.state(*f, group) == Some(State::Shown(0))
            };
            let fewest = percentile.fewest(self.k);
            let is_null = fewest == 1 || self.counts.fields.iter().any(is_empty);
            return (!is_null).then_some(Cause::Fewer(fewest));
        }
        match self.state(known, group) {
            Some(State::Guarded) | None => self.containing(known, group).map(Cause::With),
            Some(_) => Some(Cause::Own(known)),
        }
    }

    /// A hidden count that contains another one, and is not itself hidden with one.
    fn containing(&self, field: Field, group: usize) -> Option<Field> {
        let within = &self.plan.within;
        let is_hidden = |state: State| state.shown().is_none() && state != State::Guarded;
        let all = self.counts.fields.iter().copied();
        let mut hidden = all
            .filter(|f| *f != field && f.contains(field, within))
            .filter(|f| self.state(*f, group).is_some_and(is_hidden));
        // What goes with a small count is told as small.
        let first = hidden.clone().next();
        let small = hidden.find(|f| self.state(*f, group) == Some(State::Small));
        small.or(first)
    }

    /// The words for it; none for what is told as small.
    fn hidden(&self, group: usize, cause: Cause, labels: &[&str]) -> Option<Hidden> {
        let names = &self.plan.names;
        let label = match (&cause, self.plan.is_chain) {
            (Cause::Own(field), true) => names.field(*field).to_owned(),
            _ => labels.join(", "),
        };
        let count = match names.group(group) {
            Some(keys) => format!("{label} ({keys})"),
            None => label,
        };
        let mut of = None;
        let (rule, why) = match cause {
            Cause::Fewer(fewest) => (
                "percentile",
                format!("fewer than {fewest} patients have a value"),
            ),
            Cause::With(field) => {
                if self.state(field, group) == Some(State::Small) {
                    return None;
                }
                let with = names.field(field);
                (
                    "guarded",
                    format!("its patients are some of those of {with}, which is hidden"),
                )
            }
            Cause::Own(field) => match self.state(field, group)? {
                State::Difference => ("difference", self.beside(field, group)),
                State::Margin(line) => ("margin", self.of_line(field, group, line)?),
                State::Tied(region) => {
                    let who = self.counts.words(group, region as usize);
                    let why =
                        format!("all counts together would tell how few patients there are {who}");
                    of = Some(who);
                    ("tied", why)
                }
                State::Whole(_) => (
                    "whole",
                    "with the number of all patients it would tell small groups".to_owned(),
                ),
                State::Shown(_) | State::Small | State::Guarded => return None,
            },
        };
        Some(Hidden {
            count,
            rule,
            of,
            why,
        })
    }

    /// Beside which shown count it would tell what.
    fn beside(&self, field: Field, group: usize) -> String {
        let cell = self.counts.cell(field, group);
        let least = cell.map(|cell| self.counts.least_shown(&self.states, cell));
        let Some(outer) = least.and_then(|least| least.first().copied()) else {
            return "a count beside it would tell how few there are".to_owned();
        };
        let shown = self.states[outer].shown().unwrap_or_default();
        // Then either its patients or the others are few.
        let is_either = shown < i128::from(self.k) * 2 - 1;
        let (outer, _) = self.counts.place(outer);
        let columns = |f: Field| [f.column, f.other].into_iter().flatten();
        let missing = columns(field).filter(|c| columns(outer).all(|o| o != *c));
        let missing: Vec<&str> = missing
            .map(|c| self.registry.columns[c].name.as_str())
            .collect();
        let is_known_only = (field.kind, field.filter) == (FieldKind::Count, outer.filter);
        let (rest, own) = match (self.plan.is_chain, is_known_only && !missing.is_empty()) {
            (true, _) => ("the step leaves out".to_owned(), "it keeps"),
            (_, true) => (
                format!("of its patients have no {}", missing.join(" or no ")),
                "have one",
            ),
            _ => (
                "of its patients are not counted here".to_owned(),
                "are counted here",
            ),
        };
        let or = match is_either {
            true => format!(", or {own}"),
            false => String::new(),
        };
        let with = self.plan.names.field(outer);
        format!("{with} beside it would tell how few {rest}{or}")
    }

    /// Which count of its line it would tell with the line's total.
    fn of_line(&self, field: Field, group: usize, line: u32) -> Option<String> {
        let at = usize::try_from(line).ok()?;
        let groups = self.counts.lines.get(at)?;
        // Hidden by the turn of its line.
        let is_before = |state: State| match state {
            State::Shown(_) | State::Whole(_) => false,
            State::Margin(other) => other < line,
            _ => true,
        };
        let before = |g: &&usize| {
            let state = self.state(field, **g);
            **g != group && state.is_some_and(is_before)
        };
        let keys = groups.iter().find(before);
        let keys = keys.and_then(|g| self.plan.names.group(*g));
        let which = keys.map_or_else(|| "the hidden one".to_owned(), |k| format!("({k})"));
        let of = match self.common(groups) {
            Some(key) => format!("the groups with {key}"),
            None => "all groups".to_owned(),
        };
        Some(format!("with the total of {of} it would tell {which}"))
    }

    /// The key that all groups of a line have, if there are two.
    fn common(&self, groups: &[usize]) -> Option<String> {
        let query = &self.resolved.query;
        let keys: Vec<&Vec<GroupKey>> = groups
            .iter()
            .map(|g| &self.plan.layout.groups[*g].0)
            .collect();
        let first = *keys.first()?;
        let at = (0..first.len()).find(|at| keys.iter().all(|k| k[*at] == first[*at]))?;
        let grouping = query.group_by.get(at)?;
        Some(key_in_words(self.registry, grouping, first[at]))
    }
}

/// Names of one reason that a reading lists.
const NAMES: usize = 4;
/// Reasons that it lists.
const REASONS: usize = 6;

/// Counts and their reasons, each reason once.
pub(super) fn listed(hidden: &[Hidden]) -> Option<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for one in hidden.iter().filter(|h| !h.is_for_all()) {
        let at = *places.entry(&one.why).or_insert(reasons.len());
        match reasons.get_mut(at) {
            Some((_, names)) => names.push(&one.count),
            None => reasons.push((&one.why, vec![&one.count])),
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let more: usize = reasons.iter().skip(REASONS).map(|(_, n)| n.len()).sum();
    let each = reasons.iter().take(REASONS).map(|(why, names)| {
        let beyond = names.len().saturating_sub(NAMES);
        let mut text = names[..names.len() - beyond].join(", ");
        if beyond > 0 {
            text += &format!(" and {beyond} more");
        }
        format!("{text}: {why}")
    });
    let mut text = each.collect::<Vec<_>>().join("; ");
    if more > 0 {
        text += &format!("; and {more} more for such reasons");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use galen_circuits::equation::Rows;
    use galen_query::query::parse_query;

    use super::*;
    use State::{Difference, Guarded, Margin, Shown, Small};

    const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "id"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "sex"
type = "category"
codes = ["F", "M"]

[[column]]
name = "site"
type = "category"
codes = ["x", "y", "NULL"]

[[column]]
name = "ldl"
type = "number"
min = 0
max = 60
nullable = true
"#;

    fn of(sql: &str, published: &[&[State]]) -> Vec<Hidden> {
        let registry = Registry::from_toml(REGISTRY).unwrap();
        let query = parse_query(sql, &registry).unwrap();
        let rows = Rows::of(1_000).unwrap();
        let quantiles = vec![None; query.percentiles().len() * published.len()];
        let plan = Plan::new(&query, 0, &registry, rows, &quantiles).unwrap();
        let resolved = Resolved {
            query,
            purpose: 0,
            analyses: Vec::new(),
        };
        let published: Published = published.iter().map(|g| g.to_vec()).collect();
        hidden(&plan, (&resolved, &registry), &published, 11)
    }

    fn said(hidden: &[Hidden]) -> Vec<(&str, &str, &str)> {
        let each = hidden.iter();
        each.map(|h| (h.count.as_str(), h.rule, h.why.as_str()))
            .collect()
    }

    #[test]
    fn missing_values_are_told_beside_which_count() {
        let sql = "SELECT sex, count(*) AS n, avg(ldl) AS m, count(ldl) AS k FROM t GROUP BY sex";
        let group = [Shown(150), Difference, Guarded];
        let few = [Shown(15), Difference, Guarded];
        let why = "n beside it would tell how few of its patients have no ldl";
        let found = of(sql, &[&group, &few]);
        assert_eq!(
            said(&found),
            [
                ("m, k (sex = F)", "difference", why),
                (
                    "m, k (sex = M)",
                    "difference",
                    &format!("{why}, or have one")
                ),
            ]
        );
        assert_eq!(of(sql, &[&[Small, Guarded, Guarded], &[Shown(0); 3]]), []);
        let found = of(sql, &[&group, &group]);
        let reading = listed(&found).unwrap();
        assert_eq!(reading, format!("m, k (sex = F), m, k (sex = M): {why}"));
    }

    #[test]
    fn lines_are_told_with_whom_they_would_tell() {
        let sql = "SELECT site, sex, count(*) AS n FROM t GROUP BY site, sex";
        let (small, margin, shown) = ([Small], [Margin(3)], [Shown(100)]);
        let found = of(sql, &[&margin, &shown, &shown, &shown, &small, &shown]);
        let why =
            "with the total of the groups with sex = F it would tell (site = \"NULL\", sex = F)";
        assert_eq!(said(&found), [("n (site = x, sex = F)", "margin", why)]);
        let sql = "SELECT site, count(*) AS n, avg(ldl) AS m FROM t GROUP BY site";
        let margin = [Margin(0), Guarded, Guarded];
        let shown = [Shown(100); 3];
        let found = of(sql, &[&[Small, Guarded, Guarded], &margin, &shown]);
        let why = "with the total of all groups it would tell (site = x)";
        let goes = "its patients are some of those of n, which is hidden";
        assert_eq!(
            said(&found),
            [
                ("n (site = y)", "margin", why),
                ("m (site = y)", "guarded", goes)
            ]
        );
    }

    #[test]
    fn percentiles_are_told_with_their_number_of_values() {
        let sql = "SELECT percentile_disc(0.05) WITHIN GROUP (ORDER BY ldl) AS p FROM t";
        let why = "fewer than 201 patients have a value";
        assert_eq!(said(&of(sql, &[&[]])), [("p", "percentile", why)]);
    }
}
