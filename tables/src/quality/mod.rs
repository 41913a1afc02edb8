//! The result against the registry that the hospital will commit to: each value is judged by the registry's own
//! encoding, as the prover judges it, and the table is written in the registry's types and order.

mod cells;
mod column;
mod page;
mod policy;
mod spread;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use galen_query::registry::{Column, ColumnKind, Encoder, Registry};
use time::{Date, OffsetDateTime};

pub(crate) use column::ROWS_NAMED;
pub use column::{ColumnFindings, Problem};
pub(crate) use page::REPORT_FILES;
pub(crate) use page::rows_text;
pub use page::{Counted, Quality};
pub use policy::{Action, Kind};
pub(crate) use policy::{Policy, Rules};
pub use spread::Histogram;

use crate::columns::type_name;
use crate::error::TablesError;
use column::Counts;

/// A registry, and what is done with what it does not take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) registry: Registry,
    pub(crate) policy: Policy,
    /// The columns after the patient id: consents, then data.
    columns: Vec<Column>,
}

impl Wanted {
    pub(crate) fn new(registry: Registry, policy: Policy) -> Self {
        let consents = registry.purposes.iter().map(|purpose| Column {
            name: purpose.column.clone(),
            kind: ColumnKind::Boolean,
            nullable: false,
            title: purpose.label.clone(),
            system: None,
            code: None,
            concept_sets: Vec::new(),
        });
        let columns = consents.chain(registry.columns.iter().cloned()).collect();
        Self {
            registry,
            policy,
            columns,
        }
    }

    /// Where the result has each column, the patient id first, and the schema of the table. What the registry does not
    /// have is left out, with a warning.
    ///
    /// # Errors
    /// [`TablesError::Column`]: one that lacks, or of a type that cannot hold its values.
    pub(crate) fn lay_out(
        &self,
        result: &Schema,
        warnings: &mut Vec<String>,
    ) -> Result<Layout, TablesError> {
        let id = result.index_of(&self.registry.patient_id).unwrap_or(0);
        let (mut places, mut fields) = (vec![id], vec![result.field(id).clone()]);
        for column in &self.columns {
            let fail = |message: String| TablesError::Column {
                column: column.name.clone(),
                message,
            };
            let Ok(place) = result.index_of(&column.name) else {
                let registry = self.registry.label();
                return Err(fail(format!(
                    "the registry {registry} has it and the SELECT does not: give it with AS {}",
                    column.name
                )));
            };
            let found = result.field(place).data_type();
            if let Some(cure) = cells::misfit(column, found) {
                let (found, wanted) = (type_name(found), column.type_name());
                return Err(fail(format!(
                    "{found} cannot be a {wanted} of the registry: {cure}"
                )));
            }
            places.push(place);
            let data_type = cells::table_type(&column.kind);
            fields.push(Field::new(&column.name, data_type, column.nullable));
        }
        let extra = result.fields().iter().enumerate();
        let extra = extra.filter(|(place, _)| !places.contains(place));
        warnings.extend(extra.map(|(_, field)| {
            let (name, registry) = (field.name(), self.registry.label());
            format!("`{name}` is no column of the registry {registry}: it is left out")
        }));
        Ok(Layout {
            places,
            schema: Arc::new(Schema::new(fields)),
        })
    }
}

/// Where the result has what the table is to have.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    places: Vec<usize>,
    pub(crate) schema: SchemaRef,
}

/// Judges a result's cells while they pass.
pub(crate) struct Judge<'a> {
    wanted: &'a Wanted,
    layout: Layout,
    encoders: Vec<Encoder<'a>>,
    counts: Vec<Counts>,
    rows: u64,
    today: Date,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(wanted: &'a Wanted, layout: Layout) -> Self {
        Self {
            wanted,
            layout,
            encoders: wanted.columns.iter().map(Column::encoder).collect(),
            counts: wanted.columns.iter().map(Counts::new).collect(),
            rows: 0,
            today: OffsetDateTime::now_utc().date(),
        }
    }

    /// The table's columns for the next rows of the result.
    ///
    /// # Errors
    /// A result of another schema than the plan's.
    pub(crate) fn take(&mut self, result: &[ArrayRef]) -> Result<Vec<ArrayRef>, ArrowError> {
        let id = Arc::clone(&result[self.layout.places[0]]);
        let rows = id.len() as u64;
        let mut table = vec![id];
        for (at, column) in self.wanted.columns.iter().enumerate() {
            let cells = &result[self.layout.places[at + 1]];
            table.push(self.column(at, column, cells)?);
        }
        self.rows += rows;
        Ok(table)
    }

    fn column(
        &mut self,
        at: usize,
        column: &Column,
        cells: &ArrayRef,
    ) -> Result<ArrayRef, ArrowError> {
        let encoded = cells::encode(cells, column, &self.encoders[at])?;
        let options = FormatOptions::new();
        let texts = ArrayFormatter::try_new(cells.as_ref(), &options)?;
        let (counts, policy) = (&mut self.counts[at], &self.wanted.policy);
        let kept = encoded.iter().enumerate().map(|(i, cell)| {
            let place = (self.rows + i as u64 + 1, self.today);
            counts.note(column, policy, place, cell, || texts.value(i).to_string())
        });
        let kept: Vec<Option<u64>> = kept.collect();
        cells::decode(&kept, &column.kind)
    }

    /// Whether nothing was rejected so far.
    pub(crate) fn is_sound(&self) -> bool {
        let mut columns = self.counts.iter().zip(&self.wanted.columns);
        columns.all(|(counts, column)| !counts.rejects(column, &self.wanted.policy))
    }

    /// What was found, once all rows have passed.
    pub(crate) fn findings(&self) -> Vec<ColumnFindings> {
        let columns = self.counts.iter().zip(&self.wanted.columns);
        columns
            .map(|(counts, column)| counts.findings(column, &self.wanted.policy))
            .collect()
    }
}

/// Diseases that nobody has: where the codes come from a concept set, its name may be misspelt in the SQL, or a system or a
/// vocabulary may be another one.
pub(crate) fn nobody(registry: &Registry, findings: &[ColumnFindings]) -> Vec<String> {
    let by_set = registry
        .columns
        .iter()
        .filter(|c| c.kind == ColumnKind::Boolean && !c.concept_sets.is_empty());
    let nobody = by_set.filter(|c| {
        let found = findings.iter().find(|f| f.name == c.name);
        found.is_some_and(|f| {
            f.known > 0 && f.counts.iter().all(|(value, n)| value != "true" || *n == 0)
        })
    });
    let warnings = nobody.map(|c| {
        format!(
            "`{}` is false for everybody: see whether the SQL asks for its concept set by its name, and whether the \
             sources' codes are of its systems",
            c.name
        )
    });
    warnings.collect()
}

/// What was rejected: each problem with its count and first rows, and what to do.
pub(crate) fn rejected(findings: &[ColumnFindings]) -> Vec<String> {
    let problems = findings
        .iter()
        .flat_map(|f| f.problems.iter().map(move |p| (f, p)))
        .filter(|(_, p)| p.action == Action::Reject);
    let lines = problems.map(|(column, problem)| {
        format!(
            "column `{}`: {} {} (row {} of the result): {}",
            column.name,
            problem.count,
            problem.kind.label(),
            problem.rows_text(),
            problem.kind.cure()
        )
    });
    lines.collect()
}
