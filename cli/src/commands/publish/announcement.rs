//! A query's announcement, and what discloses it later.

use std::path::Path;

use anyhow::Result;
use galen_ledger::statement::{AnnouncementStatement, DisclosureStatement, Statement};
use galen_query::text::{hex, parse_exact};

use crate::{failure::refusal, files, keys};

/// More than such a file has.
const MOST: u64 = 4_096;

/// The announcement of a query. What discloses it is on the disk before anything is sent: without its salt nobody could
/// show what was announced.
pub fn announce(query: &Path, researcher: &str, keep: &Path) -> Result<Statement> {
    let question = files::question(query)?;
    if keep.exists() {
        let kept = kept(keep)?;
        if kept.researcher != researcher || kept.query != hex(&question.digest()) {
            let why = format!(
                "{} is of another query or researcher; choose another --keep",
                keep.display()
            );
            return Err(refusal("usage.Keep", why));
        }
        return Ok(Statement::Announcement(AnnouncementStatement {
            researcher: researcher.into(),
            commitment: kept.commitment(),
        }));
    }
    let (announcement, disclosure) =
        AnnouncementStatement::of(&question, researcher, &keys::random());
    files::check_place(keep)?;
    files::write_secret(keep, &files::pretty(&disclosure)?)?;
    Ok(Statement::Announcement(announcement))
}

/// What was kept of an announcement.
pub fn kept(path: &Path) -> Result<DisclosureStatement> {
    let bytes = files::read_limited(path, "announcement's secret", MOST)?;
    parse_exact(&bytes).map_err(|why| {
        let why = format!(
            "{}: not what `galen publish announcement --keep` writes: {why}",
            path.display()
        );
        refusal("usage.Announced", why)
    })
}
