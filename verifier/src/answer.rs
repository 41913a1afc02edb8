//! From released cells to the answer's table. Everything here is computed from proven cells only.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use serde::Serialize;

use crate::{
    hash::{Fields, separator},
    manifest::{Dataset, ReleaseProfile},
    plan::{Field, FieldKind, GroupKey, Place, Plan, Release, contributors, payload::minimum},
    query::{Aggregate, OutputValue},
    question::{Question, Resolved},
    registry::{ColumnKind, Registry},
    rules::{Published, State},
    text::hex,
};

/// One cell of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Cell {
    /// A group's value, as text.
    Key(String),
    /// SQL NULL: a NULL group, or an aggregate over no values.
    Null,
    /// Hidden by the release rule: the count is at least 1 (or 0 where zero is not releasable) and
    /// below this threshold.
    Suppressed(u64),
    /// Hidden by the release rule although its count may be large, because a hidden one could be computed
    /// from it; or hidden together with the count that contains it.
    Withheld,
    /// An exact integer.
    Integer(#[serde(serialize_with = "as_text")] BigInt),
    /// An exact decimal, as text.
    Decimal(String),
    /// A rounded real, computed exactly up to one last division (and, for a deviation, one root).
    Real(f64),
}

/// Integers beyond 2^53 lose digits as JSON numbers, so they are numbers only where they fit.
fn as_text<S: serde::Serializer>(n: &BigInt, s: S) -> Result<S::Ok, S::Error> {
    match n.to_i64().filter(|v| v.unsigned_abs() < 1 << 53) {
        Some(v) => s.serialize_i64(v),
        None => s.serialize_str(&n.to_string()),
    }
}

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
}

/// `cells[release][limb]`; unused limbs are shown zeros.
type Cells = Vec<Vec<State>>;

/// Puts the published states of the used limbs where the limbs stand.
fn by_limb(plan: &Plan, published: &Published) -> Cells {
    let spread = |(release, states): (&Release, &Vec<State>)| {
        let mut states = states.iter();
        let uses = release.uses.iter();
        uses.map(|used| {
            let state = used.as_ref().and_then(|_| states.next());
            state.copied().unwrap_or(State::Shown(0))
        })
        .collect()
    };
    plan.releases.iter().zip(published).map(spread).collect()
}

pub(crate) fn build(
    plan: &Plan,
    resolved: &Resolved,
    registry: &Registry,
    dataset: &Dataset,
    question: &Question,
    published: &Published,
    insecure: bool,
) -> Answer {
    let m = &dataset.manifest;
    let cells = &by_limb(plan, published);
    let filters = resolved.query.filters();
    let rows = plan
        .layout
        .groups
        .iter()
        .map(|(keys, places)| {
            let group = |filter| Group {
                registry,
                places,
                cells,
                filter,
            };
            resolved
                .query
                .outputs
                .iter()
                .map(|o| match &o.value {
                    OutputValue::Key(i) => {
                        key_cell(registry, resolved.query.group_by[*i], keys[*i])
                    }
                    OutputValue::Aggregate(a) => {
                        let filter = filters.iter().position(|f| **f == o.filter);
                        let cell = group(filter).aggregate(a);
                        cell.unwrap_or_else(|why| match why {
                            State::Small => Cell::Suppressed(m.release.k),
                            _ => Cell::Withheld,
                        })
                    }
                })
                .collect()
        })
        .collect();
    let source = Source {
        query: question.digest(),
        hospital: m.hospital.clone(),
        hospital_key: dataset.hospital_key,
        dataset: m.dataset.clone(),
        epoch: m.epoch,
        manifest: dataset.digest,
        parameter_set: dataset.parameter_set,
        rows: m.rows,
        profile: m.release.clone(),
    };
    Answer {
        columns: resolved
            .query
            .outputs
            .iter()
            .map(|o| o.label.clone())
            .collect(),
        rows,
        identity: identity(&source, cells),
        source,
        insecure,
    }
}

fn identity(source: &Source, cells: &Cells) -> [u8; 32] {
    let mut fields = Fields::new(separator::ANSWER)
        .bytes(&source.query)
        .bytes(&source.hospital_key)
        .text(&source.dataset)
        .number(u64::from(source.epoch));
    for cell in cells.iter().flatten() {
        let (kind, value) = match cell {
            State::Shown(n) => (1, *n),
            State::Small => (2, 0),
            State::Difference => (3, 0),
            State::Margin(line) => (4, u64::from(*line)),
            State::Guarded => (5, 0),
        };
        fields = fields.number(kind).number(value);
    }
    fields.digest()
}

fn key_cell(registry: &Registry, column: usize, key: GroupKey) -> Cell {
    match key {
        GroupKey::Value(v) => Cell::Key(registry.columns[column].format_stored(v)),
        GroupKey::Null => Cell::Null,
    }
}

struct Group<'a> {
    registry: &'a Registry,
    places: &'a BTreeMap<Field, Place>,
    cells: &'a Cells,
    /// The aggregate's own.
    filter: Option<usize>,
}

/// A published value, or why it is hidden.
type Released<T> = Result<T, State>;

impl Group<'_> {
    fn field(&self, kind: FieldKind, column: Option<usize>) -> Released<BigInt> {
        let field = Field {
            kind,
            column,
            filter: self.filter,
        };
        let place = self
            .places
            .get(&field)
            .expect("the plan places every field of every output");
        let limbs = &self.cells[place.release][place.limb..place.limb + place.limbs];
        limbs.iter().rev().try_fold(BigInt::zero(), |sum, limb| {
            Ok((sum << 40u32) + limb.shown().ok_or_else(|| self.reason(field, *limb))?)
        })
    }

    /// What is guarded by a small count is about fewer than k patients, and is told as small itself.
    fn reason(&self, field: Field, state: State) -> State {
        let is_small = |containing: Field| {
            let place = self.places.get(&containing);
            place.is_some_and(|p| self.cells[p.release][p.limb] == State::Small)
        };
        if state == State::Guarded && field.containing().into_iter().any(is_small) {
            State::Small
        } else {
            state
        }
    }

    fn count(&self, column: usize) -> Released<BigInt> {
        let f = contributors(self.registry, column, self.filter);
        self.field(f.kind, f.column)
    }

    fn boolean(&self, column: usize) -> bool {
        matches!(self.registry.columns[column].kind, ColumnKind::Boolean)
    }

    fn decimals(&self, column: usize) -> u32 {
        match self.registry.columns[column].kind {
            ColumnKind::Number { decimals, .. } => decimals,
            _ => 0,
        }
    }

    /// Σ of the column's values in units of 10^-decimals.
    fn sum(&self, column: usize, n: &BigInt) -> Released<BigInt> {
        if self.boolean(column) {
            return self.field(FieldKind::Trues, Some(column));
        }
        let stored = self.field(FieldKind::Sum, Some(column))?;
        Ok(stored + n * minimum(self.registry, column))
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Released<Cell> {
        Ok(match aggregate {
            Aggregate::CountAll => Cell::Integer(self.field(FieldKind::Count, None)?),
            Aggregate::Count(c) => Cell::Integer(self.count(*c)?),
            Aggregate::Sum(c) | Aggregate::SumOfSquares(c) if self.boolean(*c) => {
                Cell::Integer(self.field(FieldKind::Trues, Some(*c))?)
            }
            Aggregate::Sum(c) => {
                let n = self.count(*c)?;
                let sum = self.sum(*c, &n)?;
                if n.is_zero() {
                    Cell::Null
                } else {
                    decimal(&sum, self.decimals(*c))
                }
            }
            Aggregate::SumOfSquares(c) => self.sum_of_squares(*c)?,
            Aggregate::Avg(c) => {
                let n = self.count(*c)?;
                let sum = self.sum(*c, &n)?;
                ratio(sum, n * power_of_ten(self.decimals(*c)))
            }
            Aggregate::VarPop(c) => self.variance(*c, 0)?,
            Aggregate::VarSamp(c) => self.variance(*c, 1)?,
            Aggregate::StddevPop(c) => root(self.variance(*c, 0)?),
            Aggregate::StddevSamp(c) => root(self.variance(*c, 1)?),
        })
    }

    /// Σ(u + min)² = Σu² + 2·min·Σu + n·min² over committed values u.
    fn sum_of_squares(&self, column: usize) -> Released<Cell> {
        let n = self.count(column)?;
        let min = BigInt::from(minimum(self.registry, column));
        let mut sum = self.field(FieldKind::SumOfSquares, Some(column))?;
        if !min.is_zero() {
            let stored = self.field(FieldKind::Sum, Some(column))?;
            sum += 2 * &min * stored + &n * &min * &min;
        }
        Ok(if n.is_zero() {
            Cell::Null
        } else {
            decimal(&sum, 2 * self.decimals(column))
        })
    }

    /// (n·Σu² − (Σu)²) / (n·(n − correction)): the offset of the stored values cancels.
    fn variance(&self, column: usize, correction: u32) -> Released<Cell> {
        let n = self.count(column)?;
        let (sum, squares) = if self.boolean(column) {
            let trues = self.field(FieldKind::Trues, Some(column))?;
            (trues.clone(), trues)
        } else {
            let sum = self.field(FieldKind::Sum, Some(column))?;
            (sum, self.field(FieldKind::SumOfSquares, Some(column))?)
        };
        let scale = power_of_ten(2 * self.decimals(column));
        if n <= BigInt::from(correction) {
            return Ok(Cell::Null);
        }
        Ok(ratio(
            &n * squares - &sum * &sum,
            &n * (&n - correction) * scale,
        ))
    }
}

fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

fn ratio(numerator: BigInt, denominator: BigInt) -> Cell {
    if denominator.is_zero() {
        return Cell::Null;
    }
    BigRational::new(numerator, denominator)
        .to_f64()
        .map_or(Cell::Null, Cell::Real)
}

fn root(cell: Cell) -> Cell {
    match cell {
        Cell::Real(v) => Cell::Real(v.sqrt()),
        other => other,
    }
}

/// An exact decimal: an integer where the scale is 0.
fn decimal(unscaled: &BigInt, scale: u32) -> Cell {
    if scale == 0 {
        return Cell::Integer(unscaled.clone());
    }
    let width = scale as usize + 1;
    let digits = format!("{:0>width$}", unscaled.magnitude().to_string());
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let sign = if unscaled < &BigInt::zero() { "-" } else { "" };
    Cell::Decimal(format!("{sign}{whole}.{fraction}"))
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Key(text) | Cell::Decimal(text) => f.pad(text),
            Cell::Null => f.pad("NULL"),
            Cell::Suppressed(k) => f.pad(&format!("<{k}")),
            Cell::Withheld => f.pad("*"),
            Cell::Integer(n) => f.pad(&n.to_string()),
            Cell::Real(v) => f.pad(&v.to_string()),
        }
    }
}

impl Answer {
    /// The answer as JSON: columns, rows of typed cells, and where it comes from.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let s = &self.source;
        serde_json::json!({
            "columns": self.columns,
            "rows": self.rows,
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
    fn decimals_are_exact_text() {
        let text = |n: i64, scale| decimal(&BigInt::from(n), scale).to_string();
        assert_eq!(text(1234, 2), "12.34");
        assert_eq!(text(-5, 2), "-0.05");
        assert_eq!(text(0, 3), "0.000");
        assert_eq!(text(7, 0), "7");
    }

    #[test]
    fn suppressed_is_neither_zero_nor_blank() {
        assert_eq!(Cell::Suppressed(11).to_string(), "<11");
    }
}
