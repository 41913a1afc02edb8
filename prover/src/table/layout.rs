//! Which table columns a registry wants, and which base columns each of them fills.

use galen_query::registry::{Registry, Role};

use super::encode::Encoder;
use super::heading;

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
                }),
                Role::Bit(i) | Role::Value(i) | Role::Low(i) => fields.push(Field {
                    name: registry.columns[i].name.clone(),
                    encoder: Encoder::new(&registry.columns[i]),
                    low: at,
                    high: None,
                    known: None,
                    nullable: registry.columns[i].nullable,
                }),
                // `base_columns` lists these right after the value part that they belong to.
                Role::High(_) => last(&mut fields).high = Some(at),
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

impl Layout {
    /// The names of all columns that a table must have.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().map(|f| f.name.as_str());
        std::iter::once(self.patient_id.as_str()).chain(fields)
    }

    /// What to do about a column that is not in the header.
    fn help(&self, name: &str, header: &[&str]) -> &'static str {
        if let Some(help) = heading::other_spelling(name, header) {
            return help;
        }
        let mut names = self.names();
        if names.any(|n| header.contains(&n) || heading::other_spelling(n, header).is_some()) {
            return "add it to the table, spelled like this";
        }
        "nor is any other of the registry's columns there: choose the right table, with the \
         columns' names at its top"
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
    /// Its name, and what to do.
    Missing(String, &'static str),
    Ambiguous(String),
}

impl Places {
    pub fn find(layout: &Layout, header: &[&str]) -> Result<Self, Unplaced> {
        let place = |name: &str| {
            let mut found = (0..header.len()).filter(|&i| header[i] == name);
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (None, _) => Err(Unplaced::Missing(
                    name.to_owned(),
                    layout.help(name, header),
                )),
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
