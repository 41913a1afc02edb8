//! Bundles of entries, fetched while those before them are checked.

use std::{sync::mpsc, thread};

use anyhow::{Result, anyhow};
use galen_ledger::tiles::{Level, TILE_WIDTH, TilePath};

use crate::source::Source;

/// So many bundles are asked for at the same time, and handed out together. A bundle has at most 16 MiB.
const TOGETHER: usize = 8;

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
    let paths: Result<Vec<TilePath>> = (from / TILE_WIDTH..to.div_ceil(TILE_WIDTH))
        .map(|n| {
            let width = (to - n * TILE_WIDTH).min(TILE_WIDTH);
            let width = u16::try_from(width).expect("at most 256");
            Ok(TilePath::new(Level::Entries, n, width)?)
        })
        .collect();
    let paths = paths?;
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(1);
        scope.spawn(move || {
            for chunk in paths.chunks(TOGETHER) {
                let fetched = fetch(source, chunk);
                let failed = fetched.is_err();
                // Nobody receives any more after an error of theirs.
                if send.send(fetched).is_err() || failed {
                    return;
                }
            }
        });
        for fetched in receive {
            take(fetched?)?;
        }
        Ok(())
    })
}

fn fetch(source: &dyn Source, paths: &[TilePath]) -> Result<Vec<Fetched>> {
    thread::scope(|scope| {
        let asked: Vec<_> = paths
            .iter()
            .map(|path| scope.spawn(|| Ok((*path, source.tile(path)?))))
            .collect();
        asked
            .into_iter()
            .map(|asked| {
                let failed = |_| Err(anyhow!("a bundle could not be fetched"));
                asked.join().unwrap_or_else(failed)
            })
            .collect()
    })
}
