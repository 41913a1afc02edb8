//! The checks, numbered as in `docs/spec/evidence.md`.

use std::collections::{BTreeMap, BTreeSet};

use galen_query::{ReadError, text::from_hex};

use super::{
    Evidence, EvidenceError, FORMAT, WireEntry,
    chain::{Blobs, Chain},
    needs,
    report::{LogReport, Report},
    seen::{Read, Seen, Stated},
};
use crate::{
    LedgerError, Proposal,
    entry::Envelope,
    facts::{Facts, Proposed},
    rules::known_by,
    statement::Statement,
    tiles::{Checkpoint, Hash, LogVerifier, Span, leaf_hash, proven_nodes, verify_inclusion},
};

impl Evidence {
    /// Checks everything, as if an adversary had made the file, and says what it shows and what it does not.
    /// `trusted`: the log that the reader trusts; without it the key in the file is taken, which the
    /// [`Report`] says: the evidence then shows only that somebody's log says so.
    ///
    /// # Errors
    /// Names the first thing that is wrong, with the entry.
    pub fn verify(&self, trusted: Option<&LogVerifier>) -> Result<Report, EvidenceError> {
        if self.format != FORMAT {
            return Err(EvidenceError::File(ReadError::Format {
                what: "evidence",
                expected: FORMAT,
            }));
        }
        let (log, checkpoint) = self.open(trusted)?;
        let (entries, nodes) = self.read_entries(&checkpoint)?;
        let answer = one_answer(&entries)?;
        let parts = parts(&entries, answer)?;
        let stated = replay(&entries)?;
        of_this_log(&entries, &log)?;
        if let Some(s) = stated.iter().find(|s| !parts.contains(&s.index)) {
            let (index, kind) = (s.index, s.statement.kind());
            return Err(EvidenceError::NoPart { index, kind });
        }
        let blobs = self.blobs(&stated)?;
        let log = LogReport {
            key: log.encoded(),
            origin: checkpoint.origin,
            compared: trusted.is_some(),
            size: checkpoint.size,
            root: checkpoint.root,
        };
        let seen = Seen { entries, nodes };
        Chain::of(&stated).check(&blobs, log, &stated, seen)
    }

    /// Checks 2 and 3: the log's key and the checkpoint.
    fn open(
        &self,
        trusted: Option<&LogVerifier>,
    ) -> Result<(LogVerifier, Checkpoint), EvidenceError> {
        let log = LogVerifier::parse(&self.log).map_err(EvidenceError::LogKey)?;
        if let Some(trusted) = trusted
            && *trusted != log
        {
            return Err(EvidenceError::AnotherLog {
                expected: trusted.encoded(),
                got: log.encoded(),
            });
        }
        let checkpoint = log
            .open(self.checkpoint.as_bytes())
            .map_err(EvidenceError::Checkpoint)?;
        Ok((log, checkpoint))
    }

    /// Checks 4 and 5: order, inclusion, form.
    fn read_entries(
        &self,
        checkpoint: &Checkpoint,
    ) -> Result<(Vec<Read>, BTreeMap<Span, Hash>), EvidenceError> {
        let (mut before, mut nodes) = (None, BTreeMap::new());
        for entry in &self.entries {
            let index = entry.index;
            if let Some(before) = before.filter(|b| *b >= index) {
                return Err(EvidenceError::Order { index, before });
            }
            before = Some(index);
            let shown = included(entry, checkpoint)
                .map_err(|source| EvidenceError::Inclusion { index, source })?;
            nodes.extend(shown);
        }
        let entries = self.entries.iter().map(read_entry);
        Ok((entries.collect::<Result<_, _>>()?, nodes))
    }

    /// Check 9: the files, by digest: those that the entries name, each once, and no other.
    fn blobs(&self, stated: &[Stated]) -> Result<Blobs<'_>, EvidenceError> {
        let mut blobs = BTreeMap::new();
        for blob in &self.blobs {
            if blobs.insert(&*blob.sha256, &*blob.base64).is_some() {
                return Err(EvidenceError::BlobTwice {
                    sha256: blob.sha256.clone(),
                });
            }
        }
        let mut extra: BTreeSet<&str> = blobs.keys().copied().collect();
        for s in stated {
            for (what, blob) in s.statement.blobs() {
                if !blobs.contains_key(&*blob.sha256) {
                    return Err(EvidenceError::BlobMissing {
                        index: s.index,
                        what,
                        sha256: blob.sha256.clone(),
                    });
                }
                extra.remove(&*blob.sha256);
            }
        }
        if let Some(sha256) = extra.first() {
            return Err(EvidenceError::BlobExtra {
                sha256: (*sha256).to_owned(),
            });
        }
        Ok(Blobs(blobs))
    }
}

/// Checks the proof, and says what it shows of the tree.
fn included(
    entry: &WireEntry,
    checkpoint: &Checkpoint,
) -> Result<BTreeMap<Span, Hash>, LedgerError> {
    let proof: Option<Vec<Hash>> = entry.proof.iter().map(|h| from_hex(h)).collect();
    let proof = proof.ok_or_else(|| LedgerError::Proof {
        why: "a hash is not 64 lower-case hex digits".into(),
    })?;
    let leaf = leaf_hash(entry.envelope.as_bytes());
    let (size, index) = (checkpoint.size, entry.index);
    verify_inclusion(size, &checkpoint.root, index, &leaf, &proof)?;
    Ok(proven_nodes(size, index, &leaf, &proof))
}

fn read_entry(entry: &WireEntry) -> Result<Read, EvidenceError> {
    let index = entry.index;
    let refused = |source| EvidenceError::Entry { index, source };
    let envelope = Envelope::parse(entry.envelope.as_bytes()).map_err(refused)?;
    let statement = Statement::read(&envelope).map_err(refused)?;
    Ok(Read {
        index,
        envelope,
        statement,
    })
}

/// The stewards govern the log that signed the checkpoint, and the first of them began it: else its keeper could put a
/// second beginning anywhere.
fn of_this_log(entries: &[Read], log: &LogVerifier) -> Result<(), EvidenceError> {
    for entry in entries {
        if let Statement::Consortium(consortium) = &entry.statement {
            let index = entry.index;
            if consortium.version == 1 && index != 0 {
                return Err(EvidenceError::Beginning { index });
            }
            consortium
                .check_log(log)
                .map_err(|source| EvidenceError::Entry { index, source })?;
        }
    }
    Ok(())
}

/// Check 6.
fn one_answer(entries: &[Read]) -> Result<&Read, EvidenceError> {
    let is_answer = |e: &&Read| matches!(e.statement, Statement::Answer(_));
    let mut answers = entries.iter().filter(is_answer);
    match (answers.next(), answers.count()) {
        (Some(answer), 0) => Ok(answer),
        (first, more) => Err(EvidenceError::Answers {
            got: more + usize::from(first.is_some()),
        }),
    }
}

/// Check 7: the indices of the entries that the answer rests on, itself and every consortium before it
/// included.
fn parts(entries: &[Read], answer: &Read) -> Result<BTreeSet<u64>, EvidenceError> {
    let mut named = BTreeMap::new();
    let mut parts = BTreeSet::new();
    for entry in entries {
        match &entry.statement {
            Statement::Consortium(_) if entry.index < answer.index => {
                parts.insert(entry.index);
            }
            statement => {
                let name = (statement.kind(), known_by(statement));
                named.entry(name).or_insert(entry);
            }
        }
    }
    let mut open = vec![answer];
    while let Some(entry) = open.pop() {
        if !parts.insert(entry.index) {
            continue;
        }
        let refused = |source| EvidenceError::Entry {
            index: entry.index,
            source,
        };
        for need in needs(&entry.envelope).map_err(refused)? {
            let found = named.get(&(need.kind, Some(need.digest.clone())));
            let Some(found) = found else {
                return Err(EvidenceError::Missing {
                    by: entry.index,
                    kind: need.kind,
                    digest: need.digest,
                });
            };
            open.push(found);
        }
    }
    Ok(parts)
}

/// Check 8: each entry is signed by keys known before it, and may stand after those before it. The facts are
/// those that these entries set, under their real indices.
pub(super) fn replay(entries: &[Read]) -> Result<Vec<Stated>, EvidenceError> {
    let mut facts = Facts::new();
    let mut stated = Vec::with_capacity(entries.len());
    for entry in entries {
        let index = entry.index;
        let refused = |source| EvidenceError::Entry { index, source };
        let proposal = Proposal::read(entry.envelope.clone(), &facts).map_err(refused)?;
        let kind = entry.statement.kind();
        let effects = proposal
            .apply(&facts)
            .map_err(|source| EvidenceError::Rule {
                index,
                kind,
                source,
            })?;
        let signer_key = proposal.signer_key(&facts).map_err(refused)?;
        stated.push(Stated {
            index,
            statement: proposal.statement().clone(),
            row: effects.set(&mut facts, index),
            signers: proposal.entry().signers().map(Into::into).collect(),
            signer_key,
        });
    }
    Ok(stated)
}
