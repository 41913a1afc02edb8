//! A pre-registered cohort query: SQL text, registry and purpose. Format: `docs/spec/query.md`.

use serde::{Deserialize, Serialize};

use crate::{
    ReadError,
    analysis::{Analysis, AnalysisError, MAX_ANALYSES},
    hash::{Fields, separator},
    query::{CohortQuery, parse_query},
    registry::Registry,
    text::{hex, parse_json},
};

const FORMAT: &str = "galen/query/v1";

/// A query document larger than this is refused unread.
pub const MAX_QUERY_BYTES: usize = 1 << 20;

/// A query as a researcher registers it, before any answer exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    format: String,
    /// The registry's name and version, for people.
    pub registry: String,
    /// SHA-256 of the registry's canonical form, in hex.
    pub registry_digest: String,
    /// The purpose of use, a DUO code that the registry lists.
    pub purpose: String,
    /// The SQL text, as the researcher wrote it.
    pub sql: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is to be derived from the released cells (`docs/spec/analyses.md`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<String>,
}

/// A question resolved against its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The query.
    pub query: CohortQuery,
    /// Index into `Registry::purposes`.
    pub purpose: usize,
    /// What is derived from the answer.
    pub analyses: Vec<Analysis>,
}

impl Question {
    /// Writes a question and checks at once that it can be asked.
    ///
    /// # Errors
    /// When the SQL or the purpose does not fit the registry.
    pub fn new(
        registry: &Registry,
        purpose: &str,
        sql: &str,
        title: Option<String>,
    ) -> Result<Self, ReadError> {
        Self::with_analyses(registry, purpose, sql, title, Vec::new())
    }

    /// The same with analyses of the answer.
    ///
    /// # Errors
    /// As [`Self::new`], or when an analysis does not fit the query.
    pub fn with_analyses(
        registry: &Registry,
        purpose: &str,
        sql: &str,
        title: Option<String>,
        analyses: Vec<String>,
    ) -> Result<Self, ReadError> {
        let question = Self {
            format: FORMAT.into(),
            registry: registry.label(),
            registry_digest: hex(&registry.digest),
            purpose: purpose.into(),
            sql: sql.into(),
            title,
            analyses,
        };
        question.resolve(registry)?;
        Ok(question)
    }

    /// Parses a query document.
    ///
    /// # Errors
    /// Too large, or not JSON of this form (with line and column).
    pub fn from_json(bytes: &[u8]) -> Result<Self, ReadError> {
        parse_json(bytes, "query", MAX_QUERY_BYTES)
    }

    /// Parses the query against the registry that it names.
    ///
    /// # Errors
    /// Another format or registry, an unknown purpose, or SQL that cannot be asked.
    pub fn resolve(&self, registry: &Registry) -> Result<Resolved, ReadError> {
        if self.format != FORMAT {
            return Err(ReadError::Format {
                what: "query",
                expected: FORMAT,
            });
        }
        if self.registry_digest != hex(&registry.digest) || self.registry != registry.label() {
            return Err(ReadError::Registry { what: "query" });
        }
        let purpose = registry.purpose_index(&self.purpose).ok_or_else(|| {
            let known = registry.purposes.iter().map(|p| p.code.clone()).collect();
            ReadError::Purpose {
                purpose: self.purpose.clone(),
                known,
            }
        })?;
        let query = parse_query(&self.sql, registry)?;
        query.check_groups(registry)?;
        let analyses = self.read_analyses(&query, registry)?;
        Ok(Resolved {
            query,
            purpose,
            analyses,
        })
    }

    fn read_analyses(
        &self,
        query: &CohortQuery,
        registry: &Registry,
    ) -> Result<Vec<Analysis>, AnalysisError> {
        let refuse = |what: &str| AnalysisError {
            analysis: self.analyses.first().cloned().unwrap_or_default(),
            what: what.to_owned(),
        };
        if self.analyses.len() > MAX_ANALYSES {
            return Err(refuse(
                "too many analyses of one query, at most 16 are possible",
            ));
        }
        if !self.analyses.is_empty() && !query.criteria.is_empty() {
            return Err(refuse("there is nothing to analyse in an attrition table"));
        }
        let read = |text: &String| Analysis::parse(text, query, registry);
        self.analyses.iter().map(read).collect()
    }

    /// The query's identity.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let fields = Fields::new(separator::QUERY)
            .text(&self.registry)
            .text(&self.registry_digest)
            .text(&self.purpose)
            .text(&self.sql)
            .number(u64::from(self.title.is_some()))
            .text(self.title.as_deref().unwrap_or_default())
            .number(self.analyses.len() as u64);
        let analyses = self.analyses.iter();
        analyses.fold(fields, |fields, a| fields.text(a)).digest()
    }
}
