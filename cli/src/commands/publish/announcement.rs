//! A query's announcement, and what discloses it later.

use std::path::Path;

use anyhow::{Context, Result};
use galen_ledger::statement::{AnnouncementStatement, DisclosureStatement, Statement, check_name};
use galen_query::text::{from_hex, hex, parse_exact};

use crate::{failure::refusal, files, keys};

/// More than such a file has.
const MOST: u64 = 4_096;

/// The announcement of a query. What discloses it is on the disk before anything is sent: without its salt nobody could
/// show what was announced.
pub fn announce(query: &Path, researcher: &str, keep: &Path) -> Result<Statement> {
    let question = files::question(query)?;
    check_name("--researcher", researcher)?;
    if keep.exists() {
        let kept = kept(keep)?;
        check_same(&kept, researcher, &hex(&question.digest()), keep)?;
        return Ok(Statement::Announcement(AnnouncementStatement {
            researcher: researcher.into(),
            commitment: kept.commitment(),
        }));
    }
    let (announcement, disclosure) =
        AnnouncementStatement::of(&question, researcher, &keys::random());
    files::check_folder(keep).with_context(|| format!("--keep {}", keep.display()))?;
    files::write_secret(keep, &files::pretty(&disclosure)?)?;
    Ok(Statement::Announcement(announcement))
}

fn check_same(
    kept: &DisclosureStatement,
    researcher: &str,
    query: &str,
    keep: &Path,
) -> Result<()> {
    let other = if kept.researcher != researcher {
        format!("is {}'s, not {researcher}'s", kept.researcher)
    } else if kept.query != query {
        format!("is of the query {}, not of {query}", kept.query)
    } else {
        return Ok(());
    };
    let why = format!(
        "{} {other}: choose another --keep. (Remove that file only if its announcement was not recorded.)",
        keep.display()
    );
    Err(refusal("usage.Keep", why))
}

/// What was kept of an announcement.
pub fn kept(path: &Path) -> Result<DisclosureStatement> {
    let shown = path.display();
    if !path.exists() {
        let why = format!(
            "there is no {shown}: without what `galen publish announcement --keep` has written, nobody can show what was \
             announced; announce the query anew"
        );
        return Err(refusal("io.NotFound", why));
    }
    let not_kept = |why: &str| {
        let why = format!("{shown}: not what `galen publish announcement --keep` writes: {why}");
        refusal("usage.Announced", why)
    };
    let bytes = files::read_limited(path, "disclosure", MOST)?;
    let kept: DisclosureStatement = parse_exact(&bytes).map_err(|why| not_kept(&why))?;
    for (what, digits) in [("salt", &kept.salt), ("query", &kept.query)] {
        if from_hex::<32>(digits).is_none() {
            return Err(not_kept(&format!("{what}: not 64 lower-case hex digits")));
        }
    }
    Ok(kept)
}
