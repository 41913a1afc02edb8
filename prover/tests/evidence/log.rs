//! A log in memory that signs whatever it is given: an honest keeper's, or an adversary's.

use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::{Entry, Envelope},
    evidence::{Evidence, Gathering, Need, ProvenEntry},
    known_by,
    statement::Statement,
    tiles::{Edge, Hash, Level, LogKey, TileSet, leaf_hash, prove_inclusion},
};

use crate::hospital::signing_key;

pub const ORIGIN: &str = "log.example/galen";

/// The seed of the log's key.
pub const LOG: u8 = 100;

pub fn log_key(seed: u8) -> LogKey {
    LogKey::new(ORIGIN, signing_key(seed)).unwrap()
}

/// A statement and the seeds of the keys that sign it.
#[derive(Clone)]
pub struct Said {
    pub statement: Statement,
    pub signers: Vec<u8>,
}

pub struct Log {
    pub envelopes: Vec<Vec<u8>>,
    root: Hash,
    tiles: TileSet,
}

impl Log {
    pub fn new(story: &[Said]) -> Self {
        Self::of(story.iter().map(sign).collect())
    }

    pub fn of(envelopes: Vec<Vec<u8>>) -> Self {
        let (mut edge, mut tiles) = (Edge::new(), Vec::new());
        for envelope in &envelopes {
            edge.push(envelope, &mut tiles).unwrap();
        }
        tiles.extend(edge.partials().unwrap());
        tiles.retain(|t| t.path.level() != Level::Entries);
        Self {
            envelopes,
            root: edge.root(),
            tiles: tiles.into_iter().map(|t| (t.path, t.bytes)).collect(),
        }
    }

    pub fn size(&self) -> u64 {
        self.envelopes.len() as u64
    }

    pub fn checkpoint(&self) -> String {
        log_key(LOG).sign(self.size(), &self.root).unwrap()
    }

    pub fn entry(&self, index: u64) -> ProvenEntry {
        let envelope = self.envelopes[usize::try_from(index).unwrap()].clone();
        let leaf = leaf_hash(&envelope);
        let proof = prove_inclusion(self.size(), &self.root, index, &leaf, &self.tiles).unwrap();
        ProvenEntry {
            index,
            envelope,
            proof,
        }
    }

    /// These entries and files, whatever they are.
    pub fn evidence(&self, indices: &[u64], blobs: &[Vec<u8>]) -> Evidence {
        let entries = indices.iter().map(|i| self.entry(*i)).collect();
        let key = log_key(LOG);
        Evidence::new(key.verifier(), self.checkpoint(), entries, blobs).unwrap()
    }

    /// The entries of an answer's evidence, as a gatherer finds them.
    pub fn gather(&self, answer: u64) -> Gathering {
        let envelope = |i: u64| {
            let bytes = &self.envelopes[usize::try_from(i).unwrap()];
            Envelope::parse(bytes).unwrap()
        };
        let mut gathering = Gathering::new(answer, &envelope(answer)).unwrap();
        for i in 0..answer {
            if is(&envelope(i), "consortium") {
                gathering.add(i, &envelope(i)).unwrap();
            }
        }
        while let Some(need) = gathering.wanted() {
            let found = (0..self.size()).find(|i| names(&envelope(*i), &need));
            let found = found.unwrap_or_else(|| panic!("{need:?} is not in the log"));
            gathering.add(found, &envelope(found)).unwrap();
        }
        gathering
    }
}

fn is(envelope: &Envelope, kind: &str) -> bool {
    Statement::read(envelope).unwrap().kind() == kind
}

/// As a ledger's catalogue knows it.
fn names(envelope: &Envelope, need: &Need) -> bool {
    let digest = known_by(&Statement::read(envelope).unwrap());
    is(envelope, need.kind) && digest.as_ref() == Some(&need.digest)
}

pub fn sign(said: &Said) -> Vec<u8> {
    let keys: Vec<SigningKey> = said.signers.iter().map(|s| signing_key(*s)).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let statement = &said.statement;
    let entry = Entry::sign(&statement.payload_type(), &statement.payload(), &keys).unwrap();
    entry.bytes().to_vec()
}
