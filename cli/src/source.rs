//! Where a ledger is read from: a service, or the folder of a mirror.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use galen_ledger::{
    Proposal,
    entry::Envelope,
    facts::{Facts, Proposed as _},
    known_by,
    statement::{Blob, Statement},
    tiles::{Level, MAX_CHECKPOINT_BYTES, TILE_WIDTH, TilePath, narrowed, parse_bundle},
};
use galen_server::http::Collection;
use rayon::prelude::*;
use serde_json::Value;

use crate::{client::Client, failure::refusal, files};

/// The largest bundle of entries, bytes.
const MAX_BUNDLE: u64 = 256 * (65_535 + 2);

/// Entries whose signatures are checked together.
const TOGETHER: usize = 2_048;

/// What the entries so far have said.
#[derive(Default)]
pub struct Replay(Facts);

fn read(bytes: &[u8], facts: &Facts) -> Result<Proposal> {
    Ok(Proposal::read(Envelope::parse(bytes)?, facts)?)
}

impl Replay {
    /// What the next entry states, if it may stand where it does: by its form, its signatures and the ledger's rules.
    pub fn take(&mut self, index: u64, bytes: &[u8]) -> Result<Statement> {
        let proposal = read(bytes, &self.0)?;
        self.apply(index, &proposal)
    }

    fn apply(&mut self, index: u64, proposal: &Proposal) -> Result<Statement> {
        let effects = proposal.apply(&self.0)?;
        effects.set(&mut self.0, index);
        Ok(proposal.statement().clone())
    }

    /// What the next entries state, each as [`take`](Self::take) says it; signatures are checked on all cores, by the keys
    /// that were known before the first entry. A member's key is its id for good: where it was known, what was read is what
    /// would be read. Stewards' keys go with their consortium: after a new one all is read again.
    pub fn take_all(&mut self, first: u64, entries: &[&[u8]]) -> Vec<Result<Statement>> {
        let facts = &self.0;
        let early: Vec<Option<Proposal>> =
            entries.par_iter().map(|e| read(e, facts).ok()).collect();
        let mut same_stewards = true;
        let numbered = (first..).zip(entries.iter().zip(early));
        let take = |(index, (bytes, early)): (u64, (&&[u8], Option<Proposal>))| {
            let taken = match early.filter(|_| same_stewards) {
                Some(proposal) => self.apply(index, &proposal),
                None => self.take(index, bytes),
            };
            same_stewards &= !matches!(taken, Ok(Statement::Consortium(_)));
            taken
        };
        numbered.map(take).collect()
    }
}

fn most_bytes(path: &TilePath) -> u64 {
    match path.level() {
        Level::Entries => MAX_BUNDLE,
        Level::Hashes(_) => 32 * TILE_WIDTH,
    }
}

/// A full tile's bytes as those of a partial one, which may be gone once the full one is there (c2sp.org/tlog-tiles).
fn cut(path: &TilePath, full: &[u8]) -> Result<Vec<u8>> {
    Ok(narrowed(path.level(), full, path.width())?)
}

/// A ledger to read. Nothing of it is believed: whoever gathers from it verifies.
pub trait Source: Sync {
    /// The log's key, if the source tells it.
    fn log_key(&self) -> Result<Option<String>>;
    /// The signed checkpoint.
    fn checkpoint(&self) -> Result<String>;
    /// Prepares to find entries below this size.
    fn read_until(&mut self, size: u64) -> Result<()>;
    /// The bytes of a tile.
    fn tile(&self, path: &TilePath) -> Result<Vec<u8>>;
    /// The bytes of an entry.
    fn entry(&self, index: u64) -> Result<Vec<u8>>;
    /// The entry of this kind and digest.
    fn find(&self, kind: &str, digest: &str) -> Result<Option<u64>>;
    /// All entries of a kind.
    fn all(&self, kind: &str) -> Result<Vec<u64>>;
    /// All statements of a kind, as the source has them.
    fn list(&self, kind: &str) -> Result<Vec<Listed>>;
    /// A file beside the log.
    fn blob(&self, blob: &Blob) -> Result<Vec<u8>>;
}

/// A statement in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The entry's index.
    pub index: u64,
    /// Who signed it or who it is about, by name.
    pub member: Option<String>,
    /// The statement's JSON.
    pub statement: Value,
}

/// A service by its URL, or a mirror by its folder.
pub fn open(from: &str) -> Result<Box<dyn Source>> {
    if from.starts_with("http://") || from.starts_with("https://") {
        return Ok(Box::new(Service(Client::new(from)?)));
    }
    let folder = PathBuf::from(from);
    if folder.join("checkpoint").is_file() {
        return Ok(folder_at(folder));
    }
    let files = folder.join("files");
    if files.join("checkpoint").is_file() {
        let why = format!(
            "{from} is a service's own folder; what it publishes is in {}",
            files.display()
        );
        return Err(refusal("usage.From", why));
    }
    let why = format!("{from} is neither a URL nor a folder with a log's checkpoint in it");
    Err(refusal("usage.From", why))
}

/// A folder with a log's files.
pub fn folder_at(folder: PathBuf) -> Box<dyn Source> {
    Box::new(Folder {
        folder,
        ..Folder::default()
    })
}

struct Service(Client);

fn collection(kind: &str) -> &'static str {
    let collection = Collection::of_kind(kind);
    collection.expect("every kind has a collection").path()
}

fn listed(page: &mut Value) -> Vec<Listed> {
    let Value::Array(items) = page["items"].take() else {
        return Vec::new();
    };
    let read = |mut item: Value| {
        Some(Listed {
            index: item["index"].as_u64()?,
            member: item["member"].as_str().map(str::to_owned),
            statement: item["statement"].take(),
        })
    };
    items.into_iter().filter_map(read).collect()
}

impl Source for Service {
    fn log_key(&self) -> Result<Option<String>> {
        let log = self.0.json("/v1/log")?;
        Ok(log["verifier_key"].as_str().map(Into::into))
    }

    fn checkpoint(&self) -> Result<String> {
        let bytes = self.0.bytes("/checkpoint", MAX_CHECKPOINT_BYTES as u64)?;
        String::from_utf8(bytes).context("the checkpoint is no text")
    }

    fn read_until(&mut self, _size: u64) -> Result<()> {
        Ok(())
    }

    fn tile(&self, path: &TilePath) -> Result<Vec<u8>> {
        if path.is_full() {
            return self.0.bytes(&format!("/{path}"), most_bytes(path));
        }
        let own = self.0.bytes_if_there(&format!("/{path}"), most_bytes(path));
        own?.map_or_else(|| cut(path, &self.tile(&path.full())?), Ok)
    }

    fn entry(&self, index: u64) -> Result<Vec<u8>> {
        let entry = self.0.json(&format!("/v1/entries/{index}"))?;
        let text = entry["envelope"].as_str().unwrap_or_default();
        Ok(text.as_bytes().to_vec())
    }

    fn find(&self, kind: &str, digest: &str) -> Result<Option<u64>> {
        let item = self.0.json(&format!("/v1/{}/{digest}", collection(kind)))?;
        Ok(item["index"].as_u64())
    }

    fn all(&self, kind: &str) -> Result<Vec<u64>> {
        Ok(self.list(kind)?.iter().map(|l| l.index).collect())
    }

    fn list(&self, kind: &str) -> Result<Vec<Listed>> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/v1/{}?limit=200{after}", collection(kind));
            let mut page = self.0.json(&path)?;
            all.extend(listed(&mut page));
            match page["next"].as_u64() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(all),
            }
        }
    }

    fn blob(&self, blob: &Blob) -> Result<Vec<u8>> {
        self.0
            .bytes(&format!("/v1/blobs/{}", blob.sha256), blob.bytes)
    }
}

/// The files of a log in a folder, as the service keeps and serves them.
#[derive(Default)]
struct Folder {
    folder: PathBuf,
    entries: Vec<Vec<u8>>,
    by_name: BTreeMap<(String, String), u64>,
    by_kind: BTreeMap<String, Vec<u64>>,
    /// Members' names by their keys' ids.
    names: BTreeMap<String, String>,
}

impl Folder {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>> {
        files::read_limited(&self.folder.join(path), "mirrored file", limit)
    }
}

fn is_missing(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|e| e.kind() == io::ErrorKind::NotFound)
}

impl Source for Folder {
    fn log_key(&self) -> Result<Option<String>> {
        Ok(None)
    }

    fn checkpoint(&self) -> Result<String> {
        let bytes = self.read(Path::new("checkpoint"), MAX_CHECKPOINT_BYTES as u64)?;
        String::from_utf8(bytes).context("the checkpoint is no text")
    }

    /// Reads every bundle: a folder has no catalogue.
    fn read_until(&mut self, size: u64) -> Result<()> {
        for n in 0..size.div_ceil(TILE_WIDTH) {
            let width = (size - n * TILE_WIDTH).min(TILE_WIDTH);
            let width = u16::try_from(width).expect("at most 256");
            let path = TilePath::new(Level::Entries, n, width)?;
            let bundle = self.tile(&path)?;
            for entry in parse_bundle(&bundle)?.into_iter().take(width.into()) {
                self.entries.push(entry.to_vec());
            }
        }
        let mut replay = Replay::default();
        let entries: Vec<&[u8]> = self.entries.iter().map(Vec::as_slice).collect();
        let chunks = entries.chunks(TOGETHER);
        let statements = chunks.scan(0, |first, chunk| {
            let taken = replay.take_all(*first, chunk);
            *first += chunk.len() as u64;
            Some(taken)
        });
        for (index, statement) in (0..).zip(statements.flatten()) {
            // One that the log's keeper should not have taken hides none of those that stand.
            let Ok(statement) = statement else {
                continue;
            };
            let kind = statement.kind();
            if let Some(digest) = known_by(&statement) {
                if let Statement::Member(member) = &statement {
                    self.names.insert(digest.clone(), member.name.clone());
                }
                self.by_name.entry((kind.into(), digest)).or_insert(index);
            }
            self.by_kind.entry(kind.into()).or_default().push(index);
        }
        Ok(())
    }

    fn tile(&self, path: &TilePath) -> Result<Vec<u8>> {
        let own = self.read(Path::new(&path.to_string()), most_bytes(path));
        match own {
            // Whoever keeps the folder deletes partial ones once the full one is there.
            Err(e) if !path.is_full() && is_missing(&e) => cut(path, &self.tile(&path.full())?),
            own => own,
        }
    }

    fn entry(&self, index: u64) -> Result<Vec<u8>> {
        let found = usize::try_from(index)
            .ok()
            .and_then(|i| self.entries.get(i));
        found.cloned().ok_or_else(|| {
            let why = format!("the mirror's checkpoint covers no entry {index}");
            refusal("ledger.NotFound", why)
        })
    }

    fn find(&self, kind: &str, digest: &str) -> Result<Option<u64>> {
        Ok(self
            .by_name
            .get(&(kind.to_owned(), digest.to_owned()))
            .copied())
    }

    fn all(&self, kind: &str) -> Result<Vec<u64>> {
        Ok(self.by_kind.get(kind).cloned().unwrap_or_default())
    }

    fn list(&self, kind: &str) -> Result<Vec<Listed>> {
        let mut all = Vec::new();
        for index in self.all(kind)? {
            let envelope = Envelope::parse(&self.entry(index)?)?;
            let member = envelope.signers().find_map(|id| self.names.get(id));
            all.push(Listed {
                index,
                member: member.cloned(),
                statement: serde_json::from_slice(envelope.payload())?,
            });
        }
        Ok(all)
    }

    fn blob(&self, blob: &Blob) -> Result<Vec<u8>> {
        self.read(&blob_path(blob), blob.bytes)
    }
}

/// Where a folder keeps a file beside the log.
pub fn blob_path(blob: &Blob) -> PathBuf {
    let folder = blob.sha256.get(..2).unwrap_or_default();
    Path::new("blobs").join(folder).join(&blob.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpListener,
        thread,
    };

    use ed25519_dalek::SigningKey;
    use galen_ledger::{
        entry::Entry,
        statement::{AnnouncementStatement, Consortium, Member, Revocation, Role},
        tiles::LogKey,
    };
    use galen_query::text::hex;

    /// A service that has full tiles only, for two requests; each on a connection of its own.
    fn without_partial_tiles(full: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let asked: Vec<_> = lines
                    .map(Result::unwrap)
                    .take_while(|l| !l.is_empty())
                    .collect();
                let (status, body) = if asked[0].contains(".p/") {
                    ("404 Not Found", &b""[..])
                } else {
                    ("200 OK", &full[..])
                };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
                );
                stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
            }
        });
        url
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn public(seed: u8) -> String {
        hex(key(seed).verifying_key().as_bytes())
    }

    fn signed(statement: &Statement, signers: &[u8]) -> Vec<u8> {
        let keys: Vec<SigningKey> = signers.iter().map(|s| key(*s)).collect();
        let keys: Vec<&SigningKey> = keys.iter().collect();
        Entry::state(statement, &keys).unwrap().bytes().to_vec()
    }

    fn consortium(version: u32, stewards: &[u8]) -> Statement {
        Statement::Consortium(Consortium {
            log: LogKey::new("a/log", key(99)).unwrap().verifier().encoded(),
            version,
            name: "C".into(),
            threshold: 1,
            stewards: stewards.iter().map(|s| public(*s)).collect(),
        })
    }

    fn member(name: &str, seed: u8) -> Statement {
        Statement::Member(Member {
            name: name.into(),
            role: Role::Researcher,
            key: public(seed),
        })
    }

    #[test]
    fn entries_that_are_read_together_are_judged_as_one_after_the_other() {
        let revoked = Statement::Revocation(Revocation {
            key: public(11),
            reason: "lost".into(),
        });
        let announced = Statement::Announcement(AnnouncementStatement {
            researcher: "Ada".into(),
            commitment: "0".repeat(64),
        });
        let mut forged = signed(&member("Eve", 14), &[2]);
        let at = forged.windows(3).position(|w| w == b"sig").unwrap() + 20;
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let entries = [
            signed(&consortium(1, &[1, 2]), &[1]),
            signed(&member("Ada", 11), &[1]),
            signed(&announced, &[11]),
            signed(&consortium(2, &[2, 3]), &[1, 2]),
            // A steward no more.
            signed(&member("Ben", 12), &[1]),
            signed(&member("Ben", 12), &[3]),
            signed(&revoked, &[2]),
            signed(&announced, &[11]),
            forged,
            b"no entry".to_vec(),
            signed(&consortium(3, &[1]), &[1, 2]),
            signed(&member("Cid", 13), &[2]),
            signed(&member("Cid", 13), &[1]),
        ];
        let told = |taken: Result<Statement>| taken.map_err(|e| format!("{e:#}"));
        let mut alone = Replay::default();
        let one_by_one: Vec<_> = (0..)
            .zip(&entries)
            .map(|(index, entry)| told(alone.take(index, entry)))
            .collect();
        let stand = one_by_one.iter().map(|taken| u8::from(taken.is_ok()));
        let stand: Vec<u8> = stand.collect();
        assert_eq!(stand, [1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1]);
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        for chunk in [1, 2, 3, 5, 13] {
            let mut replay = Replay::default();
            let mut together = Vec::new();
            for chunk in entries.chunks(chunk) {
                let first = together.len() as u64;
                together.extend(replay.take_all(first, chunk).into_iter().map(told));
            }
            assert_eq!(together, one_by_one, "chunks of {chunk}");
            assert_eq!(replay.0, alone.0);
        }
    }

    #[test]
    fn a_partial_tile_that_is_gone_is_cut_from_the_full_one() {
        let full: Vec<u8> = (0..=255).flat_map(|n| [n; 32]).collect();
        let source = open(&without_partial_tiles(full.clone())).unwrap();
        let path = TilePath::new(Level::Hashes(0), 3, 5).unwrap();
        assert_eq!(source.tile(&path).unwrap(), full[..5 * 32]);
    }
}
