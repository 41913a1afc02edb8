//! The registry: schema, bounds and consent purposes of a study.

mod check;
mod concepts;
pub(crate) mod decimal;
mod digest;
mod error;
mod parse;
mod raw;
mod types;
mod unseen;
pub(crate) mod value;
mod words;

pub use check::{MAX_CODES, MAX_COLUMNS, MAX_DECIMALS, MAX_PURPOSES, MAX_TEXT};
pub use concepts::{MAX_CONCEPT_SETS, MAX_SETS_OF_COLUMN};
pub use error::{RegistryError, ValueError};
pub use parse::MAX_BYTES;
pub use types::{BaseColumn, Code, Column, ColumnKind, ConceptSet, Purpose, Registry, Role};
pub use unseen::Unseen;
pub use value::Encoder;

impl Registry {
    /// Name and version for people: `cardio v1`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} v{}", self.name, self.version)
    }

    /// The index in `columns` of the data column with this name.
    #[must_use]
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// The index in `purposes` of the purpose with this DUO code.
    #[must_use]
    pub fn purpose_index(&self, code: &str) -> Option<usize> {
        self.purposes.iter().position(|p| p.code == code)
    }
}
