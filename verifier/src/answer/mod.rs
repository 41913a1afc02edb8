//! From released cells to the answer's table. Everything here is computed from proven cells only.

mod cell;
mod group;
mod hidden;
mod pair;
mod pool;

use galen_query::{
    hash::Fields,
    query::{BinName, CohortQuery, Grouping, OutputValue},
    question::{Question, Resolved},
    registry::Registry,
    text::hex,
};

use crate::{
    analysis::{self, Derived, View},
    hash::separator,
    manifest::Dataset,
    plan::{GroupKey, Plan, Quantile},
    rules::{Published, ReleaseProfile, State},
};
pub use cell::{Bucket, Cell};
use group::Group;
pub use hidden::Hidden;
use pool::Released;
pub use pool::{PoolError, Pooled, pool};

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Query digest.
    pub query: [u8; 32],
    /// The hospital's name.
    pub hospital: String,
    /// Its public key.
    pub hospital_key: [u8; 32],
    /// The dataset's name.
    pub dataset: String,
    /// Its epoch.
    pub epoch: u32,
    /// The manifest's digest.
    pub manifest: [u8; 32],
    /// Parameter-set id.
    pub parameter_set: [u8; 32],
    /// R, public.
    pub rows: u64,
    /// The release profile.
    pub profile: ReleaseProfile,
}

impl Source {
    /// The answer to `question` over `dataset`.
    #[must_use]
    pub fn of(dataset: &Dataset, question: &Question) -> Self {
        let manifest = &dataset.manifest;
        Self {
            query: question.digest(),
            hospital: manifest.hospital.clone(),
            hospital_key: dataset.hospital_key,
            dataset: manifest.dataset.clone(),
            epoch: manifest.epoch,
            manifest: dataset.digest,
            parameter_set: dataset.parameter_set,
            rows: manifest.rows,
            profile: manifest.release.clone(),
        }
    }
}

/// A verified answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The output columns' labels.
    pub columns: Vec<String>,
    /// One row a group (one in all without GROUP BY), in the registry's code order, NULL last.
    pub rows: Vec<Vec<Cell>>,
    /// Where it comes from.
    pub source: Source,
    /// Digest of query, hospital, dataset, epoch and published values: what tells answers apart.
    pub identity: [u8; 32],
    /// Whether it was proven with development parameters.
    pub insecure: bool,
    /// What the query's analyses make of the cells: computed here, not proven apart.
    pub derived: Vec<Derived>,
    /// Counts that are hidden though they are not told to be small, and why.
    pub hidden: Vec<Hidden>,
    /// What it was computed from.
    released: Released,
}

/// Counts that are hidden together that a reading lists.
const LISTED: usize = 6;

/// The answer that a plan's published states make. `source` is what the caller has checked it against.
#[must_use]
pub fn build(
    plan: &Plan,
    resolved: &Resolved,
    registry: &Registry,
    source: Source,
    published: &Published,
    insecure: bool,
) -> Answer {
    let released = Released::of(plan, published);
    let profile = &source.profile;
    let (columns, rows) = table(&released, resolved, registry, profile.k);
    let derived = derive(resolved, registry, &columns, &rows, profile.count_error());
    Answer {
        columns,
        rows,
        derived,
        identity: identity(&source, published, &plan.quantiles),
        hidden: hidden::hidden(plan, (resolved, registry), published, profile.k),
        released,
        source,
        insecure,
    }
}

/// An answer's table: columns and rows.
fn table(
    released: &Released,
    resolved: &Resolved,
    registry: &Registry,
    k: u64,
) -> (Vec<String>, Vec<Vec<Cell>>) {
    let groups = Groups {
        released,
        query: &resolved.query,
        filters: resolved.query.filter_indices().to_vec(),
        registry,
        k,
    };
    if resolved.query.criteria.is_empty() {
        let rows = (0..released.groups.len()).map(|g| groups.row(g));
        let labels = resolved.query.outputs.iter().map(|o| o.label.clone());
        (labels.collect(), rows.collect())
    } else {
        attrition(&resolved.query, groups.row(0))
    }
}

/// The places of the keys among a query's outputs.
pub(crate) fn key_columns(query: &CohortQuery) -> Vec<usize> {
    let outputs = query.outputs.iter().enumerate();
    let keys = outputs.filter(|(_, o)| matches!(o.value, OutputValue::Key(_)));
    keys.map(|(at, _)| at).collect()
}

/// What the query's analyses make of a table.
fn derive(
    resolved: &Resolved,
    registry: &Registry,
    columns: &[String],
    rows: &[Vec<Cell>],
    count_error: u64,
) -> Vec<Derived> {
    let view = View {
        columns,
        rows,
        key_columns: &key_columns(&resolved.query),
        count_error,
    };
    if resolved.query.criteria.is_empty() {
        analysis::derive(&resolved.analyses, &resolved.query, registry, &view)
    } else {
        vec![analysis::attrition(&view)]
    }
}

/// What the rows of an answer are computed from.
struct Groups<'a> {
    released: &'a Released,
    query: &'a CohortQuery,
    /// For each output which of the query's filters it has.
    filters: Vec<Option<usize>>,
    registry: &'a Registry,
    k: u64,
}

impl Groups<'_> {
    fn row(&self, index: usize) -> Vec<Cell> {
        let released = self.released;
        let (keys, states) = &released.groups[index];
        let percentiles = released.percentiles.len();
        let outputs = self.query.outputs.iter().zip(&self.filters);
        outputs
            .map(|(o, filter)| match &o.value {
                OutputValue::Key(i) => key_cell(self.registry, &self.query.group_by[*i], keys[*i]),
                OutputValue::Aggregate(a) => {
                    let group = Group {
                        registry: self.registry,
                        states,
                        filter: *filter,
                        percentiles: &released.percentiles,
                        quantiles: &released.quantiles[index * percentiles..][..percentiles],
                        k: self.k,
                        within: &released.within,
                    };
                    group.aggregate(a).unwrap_or_else(|why| match why {
                        State::Small => Cell::Suppressed(self.k),
                        _ => Cell::Withheld,
                    })
                }
            })
            .collect()
    }
}

/// One row for the whole cohort and one after each criterion.
fn attrition(query: &CohortQuery, counts: Vec<Cell>) -> (Vec<String>, Vec<Vec<Cell>>) {
    let all = "(all who consented to the purpose)".to_owned();
    let criteria = std::iter::once(all).chain(query.criteria.iter().cloned());
    let rows = criteria
        .zip(counts)
        .map(|(criterion, count)| vec![Cell::Key(criterion), count]);
    let labels = ["criterion", "patients"].map(str::to_owned);
    (labels.into(), rows.collect())
}

fn identity(source: &Source, published: &Published, quantiles: &[Quantile]) -> [u8; 32] {
    let mut fields = Fields::new(separator::ANSWER)
        .bytes(&source.query)
        .bytes(&source.hospital_key)
        .text(&source.dataset)
        .number(u64::from(source.epoch));
    for state in published.iter().flatten() {
        let (kind, value) = match state {
            State::Shown(n) => (1, *n),
            State::Small => (2, 0),
            State::Difference => (3, 0),
            State::Margin(line) => (4, i128::from(*line)),
            State::Guarded => (5, 0),
            State::Tied(region) => (8, i128::from(*region)),
            State::Whole(turn) => (9, i128::from(*turn)),
        };
        fields = fields.number(kind).bytes(&value.to_le_bytes());
    }
    for quantile in quantiles {
        let (kind, value) = quantile.map_or((7, 0), |q| (6, q));
        fields = fields.number(kind).number(value);
    }
    fields.digest()
}

/// A group's key as its answer shows it: a missing one so that no code can look like it.
#[must_use]
pub(crate) fn key_cell(registry: &Registry, grouping: &Grouping, key: GroupKey) -> Cell {
    let column = &registry.columns[grouping.column];
    let value = match key {
        GroupKey::Null => return Cell::Null,
        GroupKey::Value(v) => v,
    };
    let index = usize::try_from(value).unwrap_or(usize::MAX);
    let bin = grouping.bins.as_ref().and_then(|bins| bins.get(index));
    match bin.map(|b| (&b.name, b.stored)) {
        None => Cell::Key(column.format_stored(value)),
        Some((BinName::Year(year), _)) => Cell::Key(year.to_string()),
        Some((BinName::Bucket { number, .. }, (first, last))) => Cell::Bucket(Bucket {
            number: *number,
            from: column.format_stored(first),
            to: column.format_stored(last),
        }),
    }
}

impl Answer {
    /// What is proven and what is derived, in a line or two for people.
    #[must_use]
    pub fn reading(&self) -> String {
        let s = &self.source;
        let mut text = format!(
            "Proven: each number of the answer's table, over the patients of {} who consented to the purpose, \
             hidden and shown as the release rule says ({}).",
            s.hospital,
            s.profile.in_words()
        );
        if let Some(why) = self.why_hidden() {
            text += &format!(" {why}");
        }
        if !self.derived.is_empty() {
            text += " Derived: everything else, computed from those numbers by whoever verifies the answer; \
                     its intervals and tests hold under their methods' assumptions, which nobody proves.";
        }
        text
    }

    /// Why cells are hidden that are not told to be small; `None` if there are none.
    #[must_use]
    pub fn why_hidden(&self) -> Option<String> {
        let reasons = hidden::listed(&self.hidden);
        let reasons = reasons.map(|r| format!("Why other cells are hidden: {r}."));
        let both: Vec<String> = self.together().into_iter().chain(reasons).collect();
        (!both.is_empty()).then(|| both.join(" "))
    }

    /// Which counts are hidden for what all of them tell together, and of whom each would tell.
    fn together(&self) -> Option<String> {
        let hidden: Vec<&Hidden> = self.hidden.iter().filter(|h| h.is_for_all()).collect();
        if hidden.is_empty() {
            return None;
        }
        let each = |h: &&Hidden| match &h.of {
            Some(who) => format!("{}, of the patients {who}", h.count),
            None => format!("{}, of small groups", h.count),
        };
        let listed: Vec<String> = hidden.iter().take(LISTED).map(each).collect();
        let more = match hidden.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Some(format!(
            "{} of its counts {} hidden because all of them together, or with the number of patients, would tell how few some \
             are: {}{more}.",
            hidden.len(),
            if hidden.len() == 1 { "is" } else { "are" },
            listed.join("; ")
        ))
    }

    /// The answer as JSON: columns, rows of typed cells, and where it comes from.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let s = &self.source;
        serde_json::json!({
            "columns": self.columns,
            "rows": self.rows,
            "derived": self.derived,
            "reading": self.reading(),
            "hidden_together": self.hidden.iter().filter(|h| h.is_for_all()).count(),
            "hidden_for": self.hidden,
            "query": hex(&s.query),
            "hospital": s.hospital,
            "dataset": s.dataset,
            "epoch": s.epoch,
            "manifest": hex(&s.manifest),
            "parameter_set": hex(&s.parameter_set),
            "rows_committed": s.rows,
            "release_profile": s.profile,
            "hospital_key": hex(&s.hospital_key),
            "identity": hex(&self.identity),
            "insecure_parameters": self.insecure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppressed_is_neither_zero_nor_blank() {
        assert_eq!(Cell::Suppressed(11).to_string(), "<11");
    }
}
