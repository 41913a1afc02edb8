//! A copy of a log, checked entry by entry by whoever keeps it.
//!
//! Tiles are not copied but made anew from the entries, so the tree is the copy's own; only the entries, the
//! files beside them and the signed checkpoint are taken from the source. What lies in the folder beyond its
//! checkpoint counts for nothing, and is written over by the next run: a run that breaks off does no harm.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use galen_params::Progress;
use galen_verifier::ledger::{
    Proposal,
    entry::Envelope,
    facts::{Fact, Facts, Proposed as _},
    statement::{Blob, Statement},
    tiles::{
        Checkpoint, Edge, Level, LogVerifier, TILE_WIDTH, Tile, TilePath, TileSet, parse_bundle,
        prove_consistency, tiles_for_consistency, verify_consistency,
    },
};

use crate::{
    failure::refusal,
    files, keys,
    source::{Source, blob_path, folder_at},
};

/// A log's copy.
pub struct Mirror {
    folder: PathBuf,
    log: LogVerifier,
    /// The last checkpoint, signed; of the tree in `edge`.
    head: Option<Checkpoint>,
    edge: Edge,
    facts: Facts,
    /// Files that entries name and that are not in the folder yet.
    missing: BTreeSet<(String, u64)>,
    /// Entries that break the ledger's rules: its keeper's fault, and evidence of it.
    pub findings: Vec<String>,
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
            log,
            head: None,
            edge: Edge::new(),
            facts: Facts::new(),
            missing: BTreeSet::new(),
            findings: Vec::new(),
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
    /// A source that shows another log, or a tree that does not go on from this copy's: then the checkpoint that
    /// shows it is kept in the folder, as evidence.
    pub fn follow(&mut self, source: &dyn Source, progress: &dyn Progress) -> Result<Gain> {
        let text = source.checkpoint()?;
        let head = keys::open_checkpoint(&self.log, text.as_bytes(), "the source's checkpoint")?;
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("creating {}", self.folder.display()))?;
        let before = self.size();
        if head.size <= before {
            self.agree(&head, &text)?;
        } else {
            self.read(source, &head, true, progress)?;
            if self.edge.root() != head.root {
                return Err(self.fork(&head, &text));
            }
            for tile in self.edge.partials()? {
                self.write(&tile)?;
            }
        }
        let files = self.fetch(source)?;
        // Last: with it, everything before it counts.
        if head.size > before || self.head.is_none() {
            files::write_atomic(&self.folder.join("checkpoint"), text.as_bytes())?;
            self.head = Some(head);
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
        while self.size() < head.size {
            let n = self.size() / TILE_WIDTH;
            let begin = n * TILE_WIDTH;
            let width = u16::try_from((head.size - begin).min(TILE_WIDTH)).expect("at most 256");
            let path = TilePath::new(Level::Entries, n, width)?;
            let bundle = source.tile(&path)?;
            let entries = parse_bundle(&bundle)?;
            ensure!(
                entries.len() >= width.into(),
                "{path} holds {} entries only",
                entries.len()
            );
            let known = usize::try_from(self.size() - begin).expect("at most 256");
            let mut full = Vec::new();
            for entry in &entries[known..width.into()] {
                self.entry(entry);
                self.edge.push(entry, &mut full)?;
            }
            for tile in full.iter().filter(|_| write) {
                self.write(tile)?;
            }
            progress.report("checking entries", self.size(), head.size);
        }
        Ok(())
    }

    /// Whether an entry may stand where it does, by the ledger's rules; and which files it names.
    fn entry(&mut self, bytes: &[u8]) {
        let index = self.size();
        if let Err(e) = self.state(index, bytes) {
            self.findings.push(format!("entry {index}: {e:#}"));
        }
    }

    fn state(&mut self, index: u64, bytes: &[u8]) -> Result<()> {
        let proposal = Proposal::read(Envelope::parse(bytes)?, &self.facts)?;
        let effects = proposal.apply(&self.facts)?;
        if let Statement::Consortium(consortium) = proposal.statement() {
            consortium.check_log(&self.log)?;
        }
        let writes = effects.writes.into_iter();
        self.facts
            .extend(writes.map(|(name, value)| (name, Fact { index, value })));
        for (_, blob) in proposal.statement().blobs() {
            if !self.holds(blob) {
                self.missing.insert((blob.sha256.clone(), blob.bytes));
            }
        }
        Ok(())
    }

    fn holds(&self, blob: &Blob) -> bool {
        fs::read(self.folder.join(blob_path(blob))).is_ok_and(|bytes| Blob::of(&bytes) == *blob)
    }

    /// Fetches the files that are missing; how many came. One that the source has not is a finding, and is asked
    /// for again the next time.
    fn fetch(&mut self, source: &dyn Source) -> Result<u64> {
        let mut came = 0;
        for (sha256, bytes) in std::mem::take(&mut self.missing) {
            let blob = Blob { sha256, bytes };
            let path = self.folder.join(blob_path(&blob));
            match source.blob(&blob) {
                Ok(bytes) if Blob::of(&bytes) == blob => {
                    fs::create_dir_all(path.parent().expect("below the folder"))?;
                    files::write_atomic(&path, &bytes)?;
                    came += 1;
                }
                Ok(_) => self.lack(blob, "other bytes came"),
                Err(e) => self.lack(blob, &format!("{e:#}")),
            }
        }
        Ok(came)
    }

    fn lack(&mut self, blob: Blob, why: &str) {
        let finding = format!("the file {}: {why}", blob.sha256);
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
        self.missing.insert((blob.sha256, blob.bytes));
    }

    fn write(&self, tile: &Tile) -> Result<()> {
        let path = self.folder.join(tile.path.to_string());
        fs::create_dir_all(path.parent().expect("below the folder"))?;
        files::write_atomic(&path, &tile.bytes)
    }

    /// An older or equal checkpoint is of a tree that this copy begins with.
    fn agree(&self, head: &Checkpoint, text: &str) -> Result<()> {
        let Some(own) = &self.head else {
            return Ok(());
        };
        let begins = if head.size == own.size {
            head.root == own.root
        } else {
            self.begins_with(head, own)?
        };
        if begins {
            Ok(())
        } else {
            Err(self.fork(head, text))
        }
    }

    fn begins_with(&self, old: &Checkpoint, own: &Checkpoint) -> Result<bool> {
        let folder = folder_at(self.folder.clone());
        let mut tiles = TileSet::new();
        for path in tiles_for_consistency(old.size, own.size)? {
            let bytes = folder.tile(&path)?;
            tiles.insert(path, bytes);
        }
        let proof = prove_consistency(old.size, own.size, &own.root, &tiles)?;
        let (old, new) = ((old.size, &old.root), (own.size, &own.root));
        Ok(verify_consistency(old, new, &proof).is_ok())
    }

    /// The log's key has signed two trees that do not fit. Both checkpoints are kept: with both, anyone can see it.
    fn fork(&self, head: &Checkpoint, text: &str) -> anyhow::Error {
        let path = self.folder.join(format!("fork-{}.checkpoint", head.size));
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
        refusal("ledger.Fork", why)
    }
}
