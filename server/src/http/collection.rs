use galen_ledger::statement::Statement;
use serde::Deserialize;
use utoipa::ToSchema;

/// The kinds of statements, as they stand in paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Collection {
    /// The stewards, each version of them.
    Consortia,
    /// Members' keys, admitted by the stewards.
    Members,
    /// Keys that no longer count.
    Revocations,
    /// Studies' registries.
    Registries,
    /// Parameter sets.
    ParameterSets,
    /// Dataset epochs.
    Datasets,
    /// Queries that are to come, by a digest that tells nothing of them.
    Announcements,
    /// Queries.
    Queries,
    /// Which queries were announced, and by whom.
    Disclosures,
    /// Answers, each verified before it was recorded.
    Answers,
    /// Refusals to answer.
    Refusals,
}

impl Collection {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Consortia,
        Self::Members,
        Self::Revocations,
        Self::Registries,
        Self::ParameterSets,
        Self::Datasets,
        Self::Announcements,
        Self::Queries,
        Self::Disclosures,
        Self::Answers,
        Self::Refusals,
    ];

    /// The kind of its statements.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Consortia => "consortium",
            Self::Members => "member",
            Self::Revocations => "revocation",
            Self::Registries => "registry",
            Self::ParameterSets => "parameter-set",
            Self::Datasets => "dataset",
            Self::Announcements => "announcement",
            Self::Queries => "query",
            Self::Disclosures => "disclosure",
            Self::Answers => "answer",
            Self::Refusals => "refusal",
        }
    }

    /// Its name in paths.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Consortia => "consortia",
            Self::Members => "members",
            Self::Revocations => "revocations",
            Self::Registries => "registries",
            Self::ParameterSets => "parameter-sets",
            Self::Datasets => "datasets",
            Self::Announcements => "announcements",
            Self::Queries => "queries",
            Self::Disclosures => "disclosures",
            Self::Answers => "answers",
            Self::Refusals => "refusals",
        }
    }

    /// The collection of a kind.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.kind() == kind)
    }

    /// The collection of a statement.
    #[must_use]
    pub fn of(statement: &Statement) -> Option<Self> {
        Self::of_kind(statement.kind())
    }
}
