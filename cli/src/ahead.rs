//! Bundles of entries, fetched while those before them are checked.

use std::{ops::Range, sync::mpsc, thread};

use anyhow::{Result, anyhow};
use galen_ledger::tiles::{Level, TILE_WIDTH, TilePath};

use crate::source::Source;

/// So many bundles are asked for at the same time, and handed out together. A bundle has at most 16 MiB, and three times as
/// many are in memory: those that are checked, those that come next, and those that are fetched.
const TOGETHER: u64 = 4;

/// A bundle with its name, as the source has it.
pub type Fetched = (TilePath, Vec<u8>);

/// Hands out the bundles with the entries from one index up to another, in order.
///
/// # Errors
/// The source's, or `take`'s; nothing is handed out after the first.
pub fn bundles(
    source: &dyn Source,
    from: u64,
    to: u64,
    mut take: impl FnMut(Vec<Fetched>) -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(1);
        scope.spawn(move || {
            // One chunk after the other: how large a log is, its source says.
            let mut at = from / TILE_WIDTH;
            while at * TILE_WIDTH < to {
                let end = (at + TOGETHER).min(to.div_ceil(TILE_WIDTH));
                let fetched = fetch(source, at..end, to);
                let failed = fetched.is_err();
                // Nobody receives any more after an error of theirs.
                if send.send(fetched).is_err() || failed {
                    return;
                }
                at = end;
            }
        });
        for fetched in receive {
            take(fetched?)?;
        }
        Ok(())
    })
}

/// Bundles by their numbers, of a log of so many entries.
fn fetch(source: &dyn Source, numbers: Range<u64>, size: u64) -> Result<Vec<Fetched>> {
    let one = |n: u64| {
        let width = (size - n * TILE_WIDTH).min(TILE_WIDTH);
        let width = u16::try_from(width).expect("at most 256");
        let path = TilePath::new(Level::Entries, n, width)?;
        Ok((path, source.tile(&path)?))
    };
    thread::scope(|scope| {
        let asked: Vec<_> = numbers.map(|n| scope.spawn(move || one(n))).collect();
        let failed = |_| Err(anyhow!("a bundle could not be fetched"));
        let joined = asked.into_iter().map(|a| a.join().unwrap_or_else(failed));
        joined.collect()
    })
}
