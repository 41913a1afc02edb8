//! Which table columns a registry wants, and which base columns each of them fills.

use galen_query::registry::{Registry, Role};

use super::encode::Encoder;

/// What is read from a table, in a fixed order.
#[derive(Debug)]
pub(super) struct Layout {
    /// Name of the column with the patient's id.
    pub patient_id: String,
    /// Consent columns in the order of the purposes, then data columns in the registry's order.
    pub fields: Vec<Field>,
    /// Number of base columns.
    pub width: usize,
}

/// One table column and the base columns that it fills.
#[derive(Debug)]
pub(super) struct Field {
    pub name: String,
    pub encoder: Encoder,
    /// Base column of the bit, the value, or the low 16 bits.
    pub low: usize,
    /// Base column of the bits above them, where the value is wider than 16 bits.
    pub high: Option<usize>,
    /// Base column of the `known` bit, where there is one.
    pub known: Option<usize>,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Added to a value that is not NULL.
    pub offset: u64,
}

impl Layout {
    pub fn new(registry: &Registry) -> Self {
        let base = registry.base_columns();
        let width = base.len();
        let mut fields: Vec<Field> = Vec::new();
        for (at, column) in base.iter().enumerate() {
            match column.role {
                Role::Consent(i) => fields.push(Field {
                    name: registry.purposes[i].column.clone(),
                    encoder: Encoder::boolean(),
                    low: at,
                    high: None,
                    known: None,
                    nullable: false,
                    offset: 0,
                }),
                Role::Bit(i) | Role::Value { column: i, .. } | Role::Low(i) => fields.push(Field {
                    name: registry.columns[i].name.clone(),
                    encoder: Encoder::new(&registry.columns[i]),
                    low: at,
                    high: None,
                    known: None,
                    nullable: registry.columns[i].nullable,
                    offset: registry.columns[i].null_offset(),
                }),
                // `base_columns` lists these right after the value part that they belong to.
                Role::High { .. } => last(&mut fields).high = Some(at),
                Role::Known(_) => last(&mut fields).known = Some(at),
            }
        }
        Self {
            patient_id: registry.patient_id.clone(),
            fields,
            width,
        }
    }
}

fn last(fields: &mut [Field]) -> &mut Field {
    fields
        .last_mut()
        .expect("a column's value part comes before its other parts")
}

/// Where each wanted column stands in the file's header.
#[derive(Debug)]
pub(super) struct Places {
    /// Index of the patient id.
    pub patient_id: usize,
    /// Index of each of `Layout::fields`.
    pub fields: Vec<usize>,
    /// The file's columns that nobody wants.
    pub ignored: Vec<String>,
}

/// A wanted column that is not there exactly once.
#[derive(Debug)]
pub(super) enum Unplaced {
    Missing(String),
    Ambiguous(String),
}

impl Places {
    pub fn find(layout: &Layout, header: &[&str]) -> Result<Self, Unplaced> {
        let place = |name: &str| {
            let mut found = (0..header.len()).filter(|&i| header[i] == name);
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (None, _) => Err(Unplaced::Missing(name.to_owned())),
                (Some(_), Some(_)) => Err(Unplaced::Ambiguous(name.to_owned())),
            }
        };
        let patient_id = place(&layout.patient_id)?;
        let fields: Vec<usize> = layout
            .fields
            .iter()
            .map(|f| place(&f.name))
            .collect::<Result<_, _>>()?;
        let ignored = (0..header.len())
            .filter(|i| *i != patient_id && !fields.contains(i))
            .map(|i| header[i].to_owned())
            .collect();
        Ok(Self {
            patient_id,
            fields,
            ignored,
        })
    }
}
