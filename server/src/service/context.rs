//! What statements refer to, read back from the ledger and its files: registries, parameter sets, datasets
//! and queries. All of it was checked when it was recorded and is checked again when it is read.

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use ed25519_dalek::VerifyingKey;
use galen_ledger::{
    RuleError,
    documents::{check_dataset_statement, check_parameter_set, check_registration, check_registry},
    entry::{Envelope, KeySet},
    fact_name,
    facts::Facts,
    key_facts, member_key,
    statement::{Blob, Statement},
};
use galen_params::VerifyingSet;
use galen_query::{question::Question, registry::Registry, text::from_hex};
use galen_verifier::registration::Registered;
use lru::LruCache;

use super::{Service, ServiceError, turns::SERVICE};

/// Things kept of each kind. A dataset of a million patients takes a MB.
const KEPT: NonZero<usize> = NonZero::new(64).expect("not zero");

/// Queries kept: as many answers may wait at once, each to another one. No query is larger than an entry.
const QUESTIONS_KEPT: NonZero<usize> = NonZero::new(1_024).expect("not zero");

/// Keys kept, of some 300 bytes each.
const KEYS_KEPT: NonZero<usize> = NonZero::new(4_096).expect("not zero");

/// A dataset epoch with what it is made with.
#[derive(Debug)]
pub(super) struct DatasetContext {
    pub(super) registered: Registered,
    pub(super) registry: Arc<Registry>,
    pub(super) keys: Arc<VerifyingSet>,
}

/// The last used of a kind, by digest.
#[derive(Debug)]
pub(super) struct Kept<T>(Mutex<LruCache<String, Arc<T>>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self::of(KEPT)
    }
}

impl<T> Kept<T> {
    fn of(most: NonZero<usize>) -> Self {
        Self(Mutex::new(LruCache::new(most)))
    }

    pub(super) fn get(&self, digest: &str) -> Option<Arc<T>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(digest).cloned()
    }

    pub(super) fn put(&self, digest: &str, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(digest.to_owned(), Arc::clone(&value));
        value
    }
}

/// Members' keys by their ids. The ledger knows a member's key for good, also one that was revoked; who may sign what is
/// for the rules to say.
#[derive(Debug)]
pub(super) struct Signers(Kept<VerifyingKey>);

impl Default for Signers {
    fn default() -> Self {
        Self(Kept::of(KEYS_KEPT))
    }
}

impl Signers {
    /// The keys of all who have signed, if they are kept.
    pub(super) fn all(&self, envelope: &Envelope) -> Option<KeySet> {
        envelope
            .signers()
            .map(|id| Some(*self.0.get(id)?))
            .collect()
    }

    /// Keeps the keys of those members who have signed. (A steward's may be unknown after the next consortium.)
    pub(super) fn keep(&self, envelope: &Envelope, keys: &KeySet, facts: &Facts) {
        let is_member = |id: &&str| facts.contains_key(&fact_name(&["key", id]));
        for id in envelope.signers().filter(is_member) {
            if let Some(key) = keys.get(id) {
                self.0.put(id, *key);
            }
        }
    }
}

/// Everything that is kept.
#[derive(Debug)]
pub(super) struct Contexts {
    registries: Kept<Registry>,
    keys: Kept<VerifyingSet>,
    datasets: Kept<DatasetContext>,
    questions: Kept<Question>,
}

impl Default for Contexts {
    fn default() -> Self {
        Self {
            registries: Kept::default(),
            keys: Kept::default(),
            datasets: Kept::default(),
            questions: Kept::of(QUESTIONS_KEPT),
        }
    }
}

fn broken(what: &str) -> ServiceError {
    ServiceError::Internal(format!("the ledger's {what} is not what its facts say"))
}

impl Service {
    /// The statement and the entry that a fact rests on.
    async fn stated(
        &self,
        what: &'static str,
        digest: &str,
    ) -> Result<(u64, Envelope, Statement), ServiceError> {
        let name = fact_name(&[what, digest]);
        let facts = self.store.facts(std::slice::from_ref(&name)).await?;
        let unknown = || RuleError::Unknown {
            what,
            digest: digest.into(),
        };
        let index = facts.get(&name).ok_or_else(unknown)?.index;
        let bytes = self.store.entry(index).await?.ok_or_else(|| broken(what))?;
        let envelope = Envelope::parse(&bytes).map_err(|_| broken(what))?;
        let statement = Statement::read(&envelope).map_err(|_| broken(what))?;
        Ok((index, envelope, statement))
    }

    pub(super) async fn file(&self, blob: &Blob) -> Result<Bytes, ServiceError> {
        let digest = from_hex(&blob.sha256).ok_or_else(|| broken("blob digest"))?;
        let bytes = self.blob(&digest).await?;
        bytes.ok_or_else(|| ServiceError::Internal(format!("the file {} is missing", blob.sha256)))
    }

    /// A recorded registry.
    pub(super) async fn registry(&self, digest: &str) -> Result<Arc<Registry>, ServiceError> {
        if let Some(registry) = self.contexts.registries.get(digest) {
            return Ok(registry);
        }
        let (_, _, statement) = self.stated("registry", digest).await?;
        let Statement::Registry(s) = statement else {
            return Err(broken("registry"));
        };
        let toml = self.file(&s.toml).await?;
        let registry = self
            .pool
            .run(&SERVICE.into(), move || check_registry(&s, &toml))
            .await??;
        Ok(self.contexts.registries.put(digest, registry))
    }

    /// A recorded parameter set.
    pub(super) async fn keys(&self, id: &str) -> Result<Arc<VerifyingSet>, ServiceError> {
        if let Some(keys) = self.contexts.keys.get(id) {
            return Ok(keys);
        }
        let (_, _, statement) = self.stated("parameter-set", id).await?;
        let Statement::ParameterSet(s) = statement else {
            return Err(broken("parameter set"));
        };
        let bytes = self.file(&s.verifying).await?;
        let keys = self
            .pool
            .run(&SERVICE.into(), move || check_parameter_set(&s, &bytes))
            .await??;
        Ok(self.contexts.keys.put(id, keys))
    }

    /// A recorded dataset epoch.
    pub(super) async fn dataset(&self, digest: &str) -> Result<Arc<DatasetContext>, ServiceError> {
        if let Some(context) = self.contexts.datasets.get(digest) {
            return Ok(context);
        }
        let (_, envelope, statement) = self.stated("dataset", digest).await?;
        let Statement::Dataset(s) = statement else {
            return Err(broken("dataset"));
        };
        let registry = self.registry(&s.registry).await?;
        let keys = self.keys(&s.parameter_set).await?;
        let manifest = self.file(&s.manifest).await?;
        let signer = self.signer_key(&envelope).await?;
        let registration = self.file(&s.registration).await?;
        let (r, k) = (Arc::clone(&registry), Arc::clone(&keys));
        let check = move || {
            let dataset = check_dataset_statement(&s, &signer, &manifest, &r, &k)?;
            check_registration(&s, &registration, dataset, &r, &k)
        };
        let context = DatasetContext {
            registered: self.pool.run(&SERVICE.into(), check).await??,
            registry,
            keys,
        };
        Ok(self.contexts.datasets.put(digest, context))
    }

    /// The public key of the one member who signed, hex.
    pub(super) async fn signer_key(&self, envelope: &Envelope) -> Result<String, ServiceError> {
        let facts = self.store.facts(&key_facts(envelope)).await?;
        let signer = member_key(envelope, &facts).map_err(RuleError::from)?;
        signer.ok_or_else(|| broken("signer"))
    }

    /// A recorded query.
    pub(super) async fn question(&self, digest: &str) -> Result<Arc<Question>, ServiceError> {
        if let Some(question) = self.contexts.questions.get(digest) {
            return Ok(question);
        }
        let (_, _, statement) = self.stated("query", digest).await?;
        let Statement::Query(s) = statement else {
            return Err(broken("query"));
        };
        Ok(self.contexts.questions.put(digest, s.query))
    }
}
