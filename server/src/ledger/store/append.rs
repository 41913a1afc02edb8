//! One batch, one transaction: what is new gets an index, what breaks a rule is passed over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use galen_ledger::{
    RuleError,
    facts::{Fact, Facts, Proposed, Row},
    tiles::{Hash, MAX_SIZE},
};
use sqlx::{
    Any, AnyConnection, AnyPool, Connection as _, Row as _, any::AnyArguments, query::Query,
};

use super::{Dialect, Key, MOST_BINDS, column, ended, facts, number, pick, prepare};
use crate::ledger::LedgerStoreError;

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its index, from 0.
    pub index: u64,
    /// Whether it was there before: the submission was a retry.
    pub duplicate: bool,
}

/// What became of an entry of a batch: its place, or the rule that it breaks.
pub type Outcome = Result<Receipt, RuleError>;

/// An entry that gets an index.
struct New<'a> {
    index: u64,
    dedup: Hash,
    body: &'a [u8],
    row: Row,
}

/// What a batch comes to.
struct Decided<'a> {
    outcomes: Vec<Outcome>,
    entries: Vec<New<'a>>,
    /// The facts that are set, as the last entry has left them.
    facts: Facts,
    size: u64,
}

pub(super) async fn append(
    writer: &AnyPool,
    dialect: Dialect,
    batch: &[Arc<dyn Proposed>],
) -> Result<(Vec<Outcome>, u64), LedgerStoreError> {
    let mut connection = writer.acquire().await?;
    let appended = transaction(&mut connection, dialect, batch).await;
    ended(connection, appended)
}

async fn transaction(
    connection: &mut AnyConnection,
    dialect: Dialect,
    batch: &[Arc<dyn Proposed>],
) -> Result<(Vec<Outcome>, u64), LedgerStoreError> {
    // All that needs no lock comes before it.
    let keys: Vec<Hash> = batch.iter().map(|p| p.entry().dedup()).collect();
    let reads: Vec<Vec<String>> = batch.iter().map(|p| p.reads()).collect();
    let names: BTreeSet<&String> = reads.iter().flatten().collect();
    let names: Vec<String> = names.into_iter().cloned().collect();

    let mut tx = connection.begin_with(dialect.begin()).await?;
    let (size, halted): (i64, Option<String>) =
        sqlx::query_as(dialect.lock()).fetch_one(&mut *tx).await?;
    if let Some(why) = halted {
        return Err(LedgerStoreError::Halted { why });
    }
    let before = number(size)?;
    let known = known(&mut tx, dialect, &keys).await?;
    let facts = facts(&mut tx, dialect, &names).await?;
    let decided = decide(batch, &keys, &reads, before, known, facts)?;
    if decided.size != before {
        write(&mut tx, dialect, &decided).await?;
    }
    tx.commit().await?;
    Ok((decided.outcomes, decided.size))
}

/// The indices of the entries that are there already.
async fn known(
    connection: &mut AnyConnection,
    dialect: Dialect,
    keys: &[Hash],
) -> Result<BTreeMap<Hash, u64>, LedgerStoreError> {
    let select = "SELECT idx, dedup FROM entries WHERE dedup";
    let rows = pick(connection, dialect, select, keys, |k| Key::Bytes(k)).await?;
    let one = |row: &sqlx::any::AnyRow| {
        let dedup: Vec<u8> = row.try_get(1)?;
        let torn = |_| LedgerStoreError::damaged("a dedup key of another length");
        Ok((
            Hash::try_from(dedup).map_err(torn)?,
            number(row.try_get(0)?)?,
        ))
    };
    rows.iter().map(one).collect()
}

/// Goes through the batch in order. Each entry sees the facts that it names and no others, so that what it
/// says does not hang on what else happens to be in its batch.
fn decide<'a>(
    batch: &'a [Arc<dyn Proposed>],
    keys: &[Hash],
    reads: &[Vec<String>],
    before: u64,
    mut known: BTreeMap<Hash, u64>,
    mut facts: Facts,
) -> Result<Decided<'a>, LedgerStoreError> {
    let mut decided = Decided {
        outcomes: Vec::with_capacity(batch.len()),
        entries: Vec::new(),
        facts: Facts::new(),
        size: before,
    };
    for ((proposed, dedup), reads) in batch.iter().zip(keys).zip(reads) {
        if let Some(&index) = known.get(dedup) {
            let duplicate = true;
            decided.outcomes.push(Ok(Receipt { index, duplicate }));
            continue;
        }
        let effects = match proposed.apply(&select(&facts, reads)) {
            Ok(effects) => effects,
            Err(rule) => {
                decided.outcomes.push(Err(rule));
                continue;
            }
        };
        let index = decided.size;
        if index >= MAX_SIZE {
            return Err(LedgerStoreError::range("the log's size"));
        }
        decided.size += 1;
        known.insert(*dedup, index);
        for (name, value) in effects.writes {
            let fact = Fact { index, value };
            facts.insert(name.clone(), fact.clone());
            decided.facts.insert(name, fact);
        }
        decided.entries.push(New {
            index,
            dedup: *dedup,
            body: proposed.entry().bytes(),
            row: effects.row,
        });
        decided.outcomes.push(Ok(Receipt {
            index,
            duplicate: false,
        }));
    }
    Ok(decided)
}

/// The facts with these names.
pub(in crate::ledger) fn select(facts: &Facts, names: &[String]) -> Facts {
    let one = |name: &String| Some((name.clone(), facts.get(name)?.clone()));
    names.iter().filter_map(one).collect()
}

type Bound = Query<'static, Any, AnyArguments>;

/// Inserts rows of so many columns, in one statement for all that fit.
async fn insert<T>(
    connection: &mut AnyConnection,
    dialect: Dialect,
    (into, columns, conflict): (&str, usize, &str),
    rows: &[T],
    bind: impl Fn(Bound, &T) -> Result<Bound, LedgerStoreError>,
) -> Result<(), LedgerStoreError> {
    for chunk in rows.chunks(MOST_BINDS / columns) {
        let values = dialect.rows(chunk.len(), columns);
        let mut query = prepare(
            &format!("INSERT INTO {into} VALUES {values}{conflict}"),
            chunk.len(),
        );
        for row in chunk {
            query = bind(query, row)?;
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn write(
    connection: &mut AnyConnection,
    dialect: Dialect,
    decided: &Decided<'_>,
) -> Result<(), LedgerStoreError> {
    let entries = ("entries (idx, dedup, body)", 3, "");
    insert(
        connection,
        dialect,
        entries,
        &decided.entries,
        |query, e| {
            let query = query.bind(column(e.index)?).bind(e.dedup.to_vec());
            Ok(query.bind(e.body.to_vec()))
        },
    )
    .await?;
    let upsert = " ON CONFLICT (name) DO UPDATE SET idx = excluded.idx, value = excluded.value";
    let facts: Vec<_> = decided.facts.iter().collect();
    let into = ("facts (name, idx, value)", 3, upsert);
    insert(connection, dialect, into, &facts, |query, (name, fact)| {
        let query = query.bind((*name).clone()).bind(column(fact.index)?);
        Ok(query.bind(fact.value.clone()))
    })
    .await?;
    let into = (
        "catalogue (idx, kind, digest, member, registry, dataset, query)",
        7,
        "",
    );
    insert(connection, dialect, into, &decided.entries, |query, e| {
        Ok(query
            .bind(column(e.index)?)
            .bind(e.row.kind.to_owned())
            .bind(e.row.digest.clone())
            .bind(e.row.member.clone())
            .bind(e.row.registry.clone())
            .bind(e.row.dataset.clone())
            .bind(e.row.query.clone()))
    })
    .await?;
    sqlx::query("UPDATE log_state SET size = $1 WHERE id = 1")
        .bind(column(decided.size)?)
        .execute(&mut *connection)
        .await?;
    Ok(())
}
