//! A copy of a log, checked entry by entry by whoever keeps it.
//!
//! Tiles are not copied but made anew from the entries, so the tree is the copy's own; only the entries, the
//! files beside them and the signed checkpoint are taken from the source. What lies in the folder beyond its
//! checkpoint counts for nothing, and is written over by the next run: a run that breaks off does no harm.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use galen_ledger::{
    statement::{Blob, Statement},
    tiles::{
        Checkpoint, Edge, Hash, LogVerifier, MAX_CHECKPOINT_BYTES, TILE_WIDTH, Tile, TilePath,
        TileSet, parse_bundle, prove_consistency, tiles_for_consistency, verify_consistency,
    },
};
use galen_params::Progress;
use galen_query::text::hex;
use rayon::prelude::*;

use crate::{
    ahead::bundles,
    failure::refusal,
    files, keys, show,
    source::{Replay, Source, blob_path, folder_at},
};

/// The kind of the error that is no fault of a source or a disk.
pub const FORK: &str = "ledger.Fork";

/// How the file begins that holds a checkpoint of another past.
const FORK_FILE: &str = "fork-";

/// Entries that break the rules and are told in full.
const MOST_FINDINGS: usize = 100;

/// A log's copy.
pub struct Mirror {
    folder: PathBuf,
    log: LogVerifier,
    /// The last checkpoint, signed; of the tree in `edge`.
    head: Option<Checkpoint>,
    edge: Edge,
    replay: Replay,
    /// Full tiles and bundles whose partial ones may be left.
    full: Vec<TilePath>,
    /// Files that entries name and that are not in the folder yet, with why not.
    missing: BTreeMap<(String, u64), String>,
    /// Forks that were found, and entries that break the ledger's rules: its keeper's fault, and evidence of it.
    findings: Vec<String>,
    /// Further ones, that are only counted.
    more_findings: u64,
}

/// What a run has brought.
#[derive(Debug, Default, Clone, Copy)]
pub struct Gain {
    /// New entries.
    pub entries: u64,
    /// New files.
    pub files: u64,
}

impl Mirror {
    /// The copy in a folder, every entry read and checked again; an empty one where there is none.
    ///
    /// # Errors
    /// A copy of another log, or one that is damaged.
    pub fn open(folder: &Path, log: LogVerifier, progress: &dyn Progress) -> Result<Self> {
        let mut mirror = Self {
            folder: folder.into(),
            findings: earlier_forks(folder, &log),
            log,
            head: None,
            edge: Edge::new(),
            replay: Replay::default(),
            full: Vec::new(),
            missing: BTreeMap::new(),
            more_findings: 0,
        };
        if folder.join("checkpoint").is_file() {
            let own = folder_at(folder.into());
            let text = own.checkpoint()?;
            let named = || format!("the copy in {}", folder.display());
            let head = keys::open_checkpoint(&mirror.log, text.as_bytes(), "its checkpoint")
                .with_context(named)?;
            mirror
                .read(own.as_ref(), &head, false, progress)
                .with_context(named)?;
            if mirror.edge.root() != head.root {
                let why = "its entries are not those of its checkpoint; begin a new copy elsewhere";
                return Err(refusal("ledger.Damaged", why)).with_context(named);
            }
            mirror.head = Some(head);
        }
        Ok(mirror)
    }

    /// Entries in the copy.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Takes what is new in a source.
    ///
    /// # Errors
    /// A source that shows another log, entries that are not those of its checkpoint, or a tree that does not go on
    /// from this copy's: then the checkpoint that shows it is kept in the folder, as evidence. After an error the copy
    /// must be opened anew.
    pub fn follow(&mut self, source: &dyn Source, progress: &dyn Progress) -> Result<Gain> {
        let text = source.checkpoint()?;
        let head = keys::open_checkpoint(&self.log, text.as_bytes(), "the source's checkpoint")?;
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("creating {}", self.folder.display()))?;
        let before = self.size();
        if head.size <= before {
            self.agree(&head, &text)?;
        } else {
            let read = self.read(source, &head, true, progress);
            if read.is_err() || self.edge.root() != head.root {
                self.goes_on(source, &head, &text)?;
                read?;
                return Err(not_its_entries());
            }
            for tile in self.edge.partials()? {
                self.write(&tile)?;
            }
        }
        let files = self.fetch(source)?;
        // With it, everything before it counts.
        if head.size > before || self.head.is_none() {
            files::write_atomic(&self.folder.join("checkpoint"), text.as_bytes())?;
            self.head = Some(head);
        }
        // Who reads by an earlier checkpoint takes the full ones (c2sp.org/tlog-tiles).
        for path in std::mem::take(&mut self.full) {
            let partials = self.folder.join(format!("{path}.p"));
            if partials.is_dir() {
                fs::remove_dir_all(&partials)
                    .with_context(|| format!("removing {}", partials.display()))?;
            }
        }
        let entries = self.size() - before;
        Ok(Gain { entries, files })
    }

    /// Appends the entries of a source below a checkpoint's size; `write`: and writes what they fill.
    fn read(
        &mut self,
        source: &dyn Source,
        head: &Checkpoint,
        write: bool,
        progress: &dyn Progress,
    ) -> Result<()> {
        bundles(source, self.size(), head.size, |bundles| {
            let mut entries = Vec::new();
            for (path, bundle) in &bundles {
                let found = parse_bundle(bundle)?;
                let width = usize::from(path.width());
                ensure!(
                    found.len() >= width,
                    "{path} holds {} entries only",
                    found.len()
                );
                // The first may have been read in part.
                let known = self.size().saturating_sub(path.number() * TILE_WIDTH);
                let known = usize::try_from(known).unwrap_or(width).min(width);
                entries.extend_from_slice(&found[known..width]);
            }
            self.entries(&entries, write)?;
            progress.report("checking entries", self.size(), head.size);
            Ok(())
        })
    }

    /// Appends entries; `write`: and writes what they fill.
    fn entries(&mut self, entries: &[&[u8]], write: bool) -> Result<()> {
        let statements = self.replay.take_all(self.size(), entries);
        let mut full = Vec::new();
        for (bytes, statement) in entries.iter().zip(statements) {
            self.entry(statement);
            self.edge.push(bytes, &mut full)?;
        }
        if write {
            full.par_iter().try_for_each(|tile| self.write(tile))?;
        }
        self.full.extend(full.iter().map(|t| t.path));
        Ok(())
    }

    /// Whether an entry may stand where it does, by the ledger's rules; and which files it names.
    fn entry(&mut self, statement: Result<Statement>) {
        let index = self.size();
        match statement.and_then(|s| self.state(&s)) {
            Err(e) if self.findings.len() < MOST_FINDINGS => {
                self.findings.push(format!("entry {index}: {e:#}"));
            }
            Err(_) => self.more_findings += 1,
            Ok(()) => {}
        }
    }

    fn state(&mut self, statement: &Statement) -> Result<()> {
        for (_, blob) in statement.blobs() {
            if !self.holds(blob) {
                let why = "not asked for yet".to_owned();
                self.missing.insert((blob.sha256.clone(), blob.bytes), why);
            }
        }
        if let Statement::Consortium(consortium) = statement {
            consortium.check_log(&self.log)?;
        }
        Ok(())
    }

    /// What is wrong with the log itself.
    pub fn findings(&self) -> Vec<String> {
        let mut all = self.findings.clone();
        if self.more_findings > 0 {
            all.push(format!("and {} entries more", self.more_findings));
        }
        all
    }

    /// The files that did not come, with why not.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.missing.iter();
        all.map(|((sha256, _), why)| (sha256.as_str(), why.as_str()))
    }

    fn holds(&self, blob: &Blob) -> bool {
        fs::read(self.folder.join(blob_path(blob))).is_ok_and(|bytes| Blob::of(&bytes) == *blob)
    }

    /// Fetches the files that are missing; how many came. One that does not come is asked for again the next time.
    fn fetch(&mut self, source: &dyn Source) -> Result<u64> {
        let mut came = 0;
        for (sha256, bytes) in self.missing.keys().cloned().collect::<Vec<_>>() {
            let blob = Blob { sha256, bytes };
            let why = match source.blob(&blob) {
                Ok(bytes) if Blob::of(&bytes) == blob => {
                    let path = self.folder.join(blob_path(&blob));
                    fs::create_dir_all(path.parent().expect("below the folder"))?;
                    files::write_atomic(&path, &bytes)?;
                    self.missing.remove(&(blob.sha256, blob.bytes));
                    came += 1;
                    continue;
                }
                Ok(_) => "other bytes came".to_owned(),
                Err(e) => format!("{e:#}"),
            };
            self.missing.insert((blob.sha256, blob.bytes), why);
        }
        Ok(came)
    }

    fn write(&self, tile: &Tile) -> Result<()> {
        let path = self.folder.join(tile.path.to_string());
        fs::create_dir_all(path.parent().expect("below the folder"))?;
        files::write_atomic(&path, &tile.bytes)
    }

    /// An older or equal checkpoint is of a tree that this copy begins with.
    fn agree(&self, head: &Checkpoint, text: &str) -> Result<()> {
        let begins = match &self.head {
            Some(own) if head.size < own.size => {
                let folder = folder_at(self.folder.clone());
                let proof = consistency(folder.as_ref(), head.size, own)?;
                verify_consistency((head.size, &head.root), (own.size, &own.root), &proof).is_ok()
            }
            // Of the same size, or both empty.
            _ => head.root == self.edge.root(),
        };
        if begins {
            Ok(())
        } else {
            Err(self.fork(head, text))
        }
    }

    /// Whether a greater checkpoint is of a tree that begins with this copy, where the source's tiles can show it. If
    /// they cannot, the source is at fault, and nobody is to be accused of anything.
    fn goes_on(&self, source: &dyn Source, head: &Checkpoint, text: &str) -> Result<()> {
        let Some(own) = self.head.as_ref().filter(|own| own.size > 0) else {
            return Ok(());
        };
        let Ok(proof) = consistency(source, own.size, head) else {
            return Ok(());
        };
        let (old, new) = ((own.size, &own.root), (head.size, &head.root));
        match verify_consistency(old, new, &proof) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.fork(head, text)),
        }
    }

    /// The log's key has signed two trees that do not fit. Both checkpoints are kept; where their sizes differ, the
    /// larger tree's tiles are the rest of the proof.
    fn fork(&self, head: &Checkpoint, text: &str) -> anyhow::Error {
        let root = hex(head.root.get(..4).unwrap_or_default());
        let name = format!("{FORK_FILE}{}-{root}.checkpoint", head.size);
        let path = self.folder.join(name);
        let kept = match files::write_atomic(&path, text.as_bytes()) {
            Ok(()) => format!("it is kept as {}", path.display()),
            Err(e) => format!("{e:#}"),
        };
        let why = format!(
            "the log's key has signed a tree of {} entries that does not fit the {} entries of this copy ({kept}); \
             show both checkpoints to the other members",
            head.size,
            self.head.as_ref().map_or(0, |h| h.size),
        );
        refusal(FORK, why)
    }
}

/// What earlier runs found does not become untrue when the log shows its first face again.
fn earlier_forks(folder: &Path, log: &LogVerifier) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|e| e.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(FORK_FILE) && name.ends_with(".checkpoint")
    });
    let mut forks: Vec<String> = paths.map(|path| told_before(&path, log)).collect();
    forks.sort();
    forks
}

fn told_before(path: &Path, log: &LogVerifier) -> String {
    let text = files::read_limited(path, "checkpoint", MAX_CHECKPOINT_BYTES as u64);
    let signed = text.is_ok_and(|text| log.open(&text).is_ok());
    let name = show::plain_line(&path.display().to_string());
    if signed {
        format!(
            "an earlier run found that the log has another past: its key has signed {name} too, which did not fit this \
             copy. Show both to the other members; once that is settled, move the file away"
        )
    } else {
        format!("{name} is no checkpoint of this log; move the file away")
    }
}

/// The proof that the tree under a checkpoint begins with some tree of this size, from tiles that are of its root.
fn consistency(source: &dyn Source, old: u64, head: &Checkpoint) -> Result<Vec<Hash>> {
    let mut tiles = TileSet::new();
    for path in tiles_for_consistency(old, head.size)? {
        let bytes = source.tile(&path)?;
        tiles.insert(path, bytes);
    }
    Ok(prove_consistency(old, head.size, &head.root, &tiles)?)
}

fn not_its_entries() -> anyhow::Error {
    let why = "the source's entries are not those of the checkpoint that it shows; nothing of them counts";
    refusal("ledger.Source", why)
}
