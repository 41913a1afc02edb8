//! Registries for the tests of other crates, until they can parse one.

use super::types::{Column, Purpose, Registry};

impl Registry {
    /// A registry with these columns, named `test`, without a digest. Nothing is checked.
    #[doc(hidden)]
    #[must_use]
    pub fn for_tests(patient_id: &str, purposes: Vec<Purpose>, columns: Vec<Column>) -> Self {
        Self {
            name: "test".to_owned(),
            version: 1,
            title: None,
            patient_id: patient_id.to_owned(),
            purposes,
            columns,
            digest: [0; 32],
        }
    }
}
