//! Lists by what stands in the catalogue.

use galen_ledger::facts::Row;
use sqlx::{AnyPool, AssertSqlSafe};

use super::{column, number};
use crate::ledger::LedgerStoreError;

/// Which lines; those named are met all together. Each with [`Filter::kind`] or one other is answered from an
/// index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The statement's kind.
    pub kind: Option<String>,
    /// What the entry is known by.
    pub digest: Option<String>,
    /// The member's name.
    pub member: Option<String>,
    /// The registry's digest, hex.
    pub registry: Option<String>,
    /// The manifest's digest, hex.
    pub dataset: Option<String>,
    /// The query's digest, hex.
    pub query: Option<String>,
}

/// A line of the catalogue: [`Row`](galen_ledger::facts::Row) with its entry's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The entry's index.
    pub index: u64,
    /// The statement's kind.
    pub kind: String,
    /// What the entry is known by.
    pub digest: String,
    /// The member's name.
    pub member: Option<String>,
    /// The registry's digest, hex.
    pub registry: Option<String>,
    /// The manifest's digest, hex.
    pub dataset: Option<String>,
    /// The query's digest, hex.
    pub query: Option<String>,
}

impl Line {
    /// The line of an entry.
    pub(in crate::ledger) fn new(index: u64, row: Row) -> Self {
        Self {
            index,
            kind: row.kind.to_owned(),
            digest: row.digest,
            member: row.member,
            registry: row.registry,
            dataset: row.dataset,
            query: row.query,
        }
    }
}

/// In which order, and from where on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// By index, upward, after this one.
    Oldest(Option<u64>),
    /// By index, downward, before this one.
    Newest(Option<u64>),
}

impl Filter {
    fn terms(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [
            ("kind", &self.kind),
            ("digest", &self.digest),
            ("member", &self.member),
            ("registry", &self.registry),
            ("dataset", &self.dataset),
            ("query", &self.query),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }
}

type Columns = (
    i64,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

pub(super) async fn list(
    readers: &AnyPool,
    filter: &Filter,
    order: Order,
    limit: u64,
) -> Result<Vec<Line>, LedgerStoreError> {
    // Without a start: before the first index, or after any that there can be.
    let (beyond, direction, start) = match order {
        Order::Oldest(after) => (">", "ASC", after.map_or(Ok(-1), column)?),
        Order::Newest(before) => ("<", "DESC", before.map_or(Ok(i64::MAX), column)?),
    };
    let mut sql = format!(
        "SELECT idx, kind, digest, member, registry, dataset, query FROM catalogue WHERE idx {beyond} $1"
    );
    for (n, (name, _)) in (3..).zip(filter.terms()) {
        sql += &format!(" AND {name} = ${n}");
    }
    sql += &format!(" ORDER BY idx {direction} LIMIT $2");
    // Safe: made of constants and placeholders.
    let mut query = sqlx::query_as(AssertSqlSafe(sql))
        .bind(start)
        .bind(column(limit)?);
    for (_, value) in filter.terms() {
        query = query.bind(value.clone());
    }
    let rows: Vec<Columns> = query.fetch_all(readers).await?;
    rows.into_iter().map(line).collect()
}

fn line(columns: Columns) -> Result<Line, LedgerStoreError> {
    let (index, kind, digest, member, registry, dataset, query) = columns;
    Ok(Line {
        index: number(index)?,
        kind,
        digest,
        member,
        registry,
        dataset,
        query,
    })
}
