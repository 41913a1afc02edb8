//! From submitted bytes to a recorded entry.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use galen_ledger::{
    LedgerError, Proposal,
    documents::{
        DocumentError, check_dataset_statement, check_parameter_set, check_query,
        check_registration, check_registry,
    },
    entry::{Envelope, KeySet},
    facts::Proposed as _,
    key_facts, read_keys,
    statement::{
        AnswerStatement, Blob, DatasetStatement, ParameterSetStatement, QueryStatement,
        RegistryStatement, Statement,
    },
};
use galen_query::text::{from_hex, hex};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::{Room, Service, ServiceError, pool::AnswerJob, turns::Who};
use crate::ledger::Receipt;

fn other_length(blob: &Blob, bytes: usize) -> ServiceError {
    let (sha256, named) = (&blob.sha256, blob.bytes);
    ServiceError::Blob {
        why: format!("the file {sha256} has {bytes} bytes, and the statement says {named}"),
    }
}

/// How long a refused answer is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);

/// A text that is read in less time than it takes to hand it to another thread and back: fractions of a millisecond.
const SHORT_QUERY: usize = 1 << 10;

/// An answer that was refused.
#[derive(Debug)]
pub(super) struct Refused {
    at: Instant,
    why: Arc<DocumentError>,
}

/// On whose behalf a statement is checked: the first key that has signed it.
fn signer(proposal: &Proposal) -> Who {
    proposal.entry().signers().next().unwrap_or_default().into()
}

/// The files of a statement, by SHA-256 in hex.
type Files = BTreeMap<String, Bytes>;

impl Service {
    /// The index and statement of an entry that was recorded before with these bytes.
    ///
    /// # Errors
    /// A failing store.
    pub async fn recorded(&self, bytes: &[u8]) -> Result<Option<(u64, Statement)>, ServiceError> {
        let Some(index) = self.store.find(&Sha256::digest(bytes).into()).await? else {
            return Ok(None);
        };
        let envelope = Envelope::parse(bytes).map_err(ServiceError::Entry)?;
        let statement = Statement::read(&envelope).map_err(ServiceError::Entry)?;
        Ok(Some((index, statement)))
    }

    /// Reads an envelope and checks its form and signatures.
    ///
    /// # Errors
    /// What is malformed, or the key that is unknown or did not sign this.
    pub async fn read(&self, bytes: &[u8]) -> Result<Proposal, ServiceError> {
        if self.store.damaged() {
            let cause = "an earlier request found it".to_owned();
            return Err(ServiceError::Damaged { cause });
        }
        let envelope = Envelope::parse(bytes).map_err(ServiceError::Entry)?;
        let statement = Statement::read(&envelope).map_err(ServiceError::Entry)?;
        let keys = match self.signers.all(&envelope) {
            Some(keys) => keys,
            None => self.signing_keys(&envelope, &statement).await?,
        };
        Proposal::verify(envelope, statement, &keys).map_err(|e| match e {
            LedgerError::UnknownKey { key } => ServiceError::UnknownKey { key },
            _ => ServiceError::Signature(e),
        })
    }

    /// The keys that the ledger knows of those who have signed, and those that a consortium's statement brings.
    async fn signing_keys(
        &self,
        envelope: &Envelope,
        statement: &Statement,
    ) -> Result<KeySet, ServiceError> {
        let facts = self.store.facts(&key_facts(envelope)).await?;
        let keys = read_keys(envelope, statement, &facts)
            .map_err(|e| ServiceError::Internal(e.to_string()))?;
        self.signers.keep(envelope, &keys, &facts);
        Ok(keys)
    }

    /// Whether the ledger's rules let the statement stand now: known before its files are looked at, and
    /// decided when it is recorded.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub async fn precheck(&self, proposal: &Proposal) -> Result<(), ServiceError> {
        let checked = self.check_rules(proposal).await;
        self.count(proposal, checked.as_ref().err());
        checked
    }

    async fn check_rules(&self, proposal: &Proposal) -> Result<(), ServiceError> {
        let facts = self.store.facts(&proposal.reads()).await?;
        match proposal.apply(&facts) {
            Ok(_) => Ok(()),
            // Recorded meanwhile by a twin of this submission, which is what the rule found: the sequencer
            // gives its index.
            Err(_) if self.store.find(&proposal.entry().dedup()).await?.is_some() => Ok(()),
            Err(rule) => Err(rule.into()),
        }
    }

    fn count(&self, proposal: &Proposal, error: Option<&ServiceError>) {
        let outcome = match error {
            None => return,
            Some(
                ServiceError::Internal(_)
                | ServiceError::Unavailable { .. }
                | ServiceError::Damaged { .. }
                | ServiceError::Unacknowledged
                | ServiceError::Halted,
            ) => "failed",
            Some(ServiceError::Busy | ServiceError::Closed) => "busy",
            Some(ServiceError::Quota { .. }) => "quota",
            Some(_) => "refused",
        };
        self.metrics.statement(proposal.statement().kind(), outcome);
    }

    /// Checks the documents and proofs of a statement that was [prechecked](Self::precheck), and records it.
    /// `blobs`: files that came with it, and `room` what they take, which is held until the verdict.
    ///
    /// # Errors
    /// The first thing that is wrong; nothing is recorded then.
    pub async fn accept(
        &self,
        proposal: Proposal,
        blobs: &[Bytes],
        room: Room,
    ) -> Result<Receipt, ServiceError> {
        let proposal = Arc::new(proposal);
        let recorded = self
            .check_and_record(Arc::clone(&proposal), blobs, room)
            .await;
        let accepted = match recorded {
            // Of one that names no files nobody has asked whether it was recorded before.
            Err(e) if proposal.statement().blobs().is_empty() => {
                self.duplicate(&proposal).await.ok_or(e)
            }
            recorded => recorded,
        };
        self.count(&proposal, accepted.as_ref().err());
        if let Ok(receipt) = &accepted {
            let outcome = if receipt.duplicate {
                "duplicate"
            } else {
                "recorded"
            };
            self.metrics.statement(proposal.statement().kind(), outcome);
        }
        accepted
    }

    /// Where an entry is that was recorded before with these bytes, as far as that is known.
    async fn duplicate(&self, proposal: &Proposal) -> Option<Receipt> {
        let index = self.store.find(&proposal.entry().dedup()).await.ok()??;
        let duplicate = true;
        Some(Receipt { index, duplicate })
    }

    async fn check_and_record(
        &self,
        proposal: Arc<Proposal>,
        blobs: &[Bytes],
        mut room: Room,
    ) -> Result<Receipt, ServiceError> {
        let files = self.gather(proposal.statement(), blobs, &mut room).await?;
        self.check_documents(&proposal, &files).await?;
        // On disk before the entry that names them.
        for (sha256, bytes) in files {
            let digest = from_hex(&sha256).expect("checked with the statement's form");
            self.blobs.keep(&digest, bytes).await?;
        }
        Ok(self.submitter.submit(proposal).await?)
    }

    /// The files that the statement names: from the request, from those uploaded before, or recorded already.
    async fn gather(
        &self,
        statement: &Statement,
        blobs: &[Bytes],
        room: &mut Room,
    ) -> Result<Files, ServiceError> {
        let named = statement.blobs();
        let mut files = Files::new();
        for bytes in blobs {
            let sha256 = hex(&Sha256::digest(bytes));
            if !named.iter().any(|(_, b)| b.sha256 == sha256) {
                let why = format!(
                    "a file with SHA-256 {sha256} came along, but the statement does not name it"
                );
                return Err(ServiceError::Blob { why });
            }
            files.insert(sha256, bytes.clone());
        }
        let mut missing = Vec::new();
        for (_, blob) in named {
            if files.contains_key(&blob.sha256) {
                continue;
            }
            let digest = from_hex(&blob.sha256).expect("checked with the statement's form");
            room.take(usize::try_from(blob.bytes).map_err(|_| ServiceError::Busy)?)?;
            match self.blobs.find(&digest).await? {
                Some(bytes) if bytes.len() as u64 != blob.bytes => {
                    return Err(other_length(blob, bytes.len()));
                }
                Some(bytes) => {
                    files.insert(blob.sha256.clone(), bytes);
                }
                None => missing.push(blob.sha256.clone()),
            }
        }
        if missing.is_empty() {
            Ok(files)
        } else {
            Err(ServiceError::MissingBlobs { missing })
        }
    }

    async fn check_documents(
        &self,
        proposal: &Proposal,
        files: &Files,
    ) -> Result<(), ServiceError> {
        let who = signer(proposal);
        match proposal.statement() {
            Statement::Registry(s) => self.check_registry(&who, s, files).await,
            Statement::ParameterSet(s) => self.check_parameter_set(&who, s, files).await,
            Statement::Dataset(s) => self.check_dataset(&who, s, proposal, files).await,
            Statement::Consortium(c) if c.version == 1 => Err(ServiceError::FirstConsortium),
            Statement::Query(s) => self.check_query(s).await,
            Statement::Answer(s) => self.check_answer(&who, s, proposal, files).await,
            // What the others say stands in them alone.
            _ => Ok(()),
        }
    }

    async fn check_registry(
        &self,
        who: &Who,
        s: &RegistryStatement,
        files: &Files,
    ) -> Result<(), ServiceError> {
        let (s, toml) = (s.clone(), files[&s.toml.sha256].clone());
        self.pool
            .run(who, move || check_registry(&s, &toml))
            .await??;
        Ok(())
    }

    async fn check_parameter_set(
        &self,
        who: &Who,
        s: &ParameterSetStatement,
        files: &Files,
    ) -> Result<(), ServiceError> {
        let (s, bytes) = (s.clone(), files[&s.verifying.sha256].clone());
        self.pool
            .run(who, move || check_parameter_set(&s, &bytes))
            .await??;
        Ok(())
    }

    async fn check_dataset(
        &self,
        who: &Who,
        s: &DatasetStatement,
        proposal: &Proposal,
        files: &Files,
    ) -> Result<(), ServiceError> {
        let registry = self.registry(&s.registry).await?;
        let keys = self.keys(&s.parameter_set).await?;
        let signer = self.signer_key(proposal.entry().envelope()).await?;
        let manifest = files[&s.manifest.sha256].clone();
        let registration = files[&s.registration.sha256].clone();
        let s = s.clone();
        let check = move || {
            let dataset = check_dataset_statement(&s, &signer, &manifest, &registry, &keys)?;
            check_registration(&s, &registration, dataset, &registry, &keys)
        };
        self.pool.run(who, check).await??;
        Ok(())
    }

    async fn check_query(&self, s: &QueryStatement) -> Result<(), ServiceError> {
        let registry = self.registry(&s.query.registry_digest).await?;
        if s.query.sql.len() <= SHORT_QUERY {
            check_query(s, &registry)?;
            return Ok(());
        }
        let s = s.clone();
        // Beside the verification: this takes milliseconds, and many come at once.
        let _turn = self.reading.acquire().await;
        let read = spawn_blocking(move || check_query(&s, &registry)).await;
        read.map_err(|e| ServiceError::Internal(e.to_string()))??;
        Ok(())
    }

    /// Verifies an answer, but for one whose statement was refused a while ago: what it is verified against never changes.
    async fn check_answer(
        &self,
        who: &Who,
        s: &AnswerStatement,
        proposal: &Proposal,
        files: &Files,
    ) -> Result<(), ServiceError> {
        // The whole of it: another statement about the same bundle may stand.
        let same = hex(&proposal.entry().statement());
        if let Some(refused) = self.refused.get(&same)
            && refused.at.elapsed() < REMEMBERED
        {
            return Err(ServiceError::Document(Arc::clone(&refused.why)));
        }
        let job = AnswerJob {
            statement: s.clone(),
            bundle: files[&s.bundle.sha256].clone(),
            context: self.dataset(&s.manifest).await?,
            question: self.question(&s.query).await?,
        };
        let answer = self.pool.answer(who, job).await;
        if let Err(ServiceError::Document(why)) = &answer {
            let (at, why) = (Instant::now(), Arc::clone(why));
            self.refused.put(&same, Refused { at, why });
        }
        let answer = answer?;
        self.answers.put(&s.bundle.sha256, answer);
        Ok(())
    }
}
