//! Entries that are about nothing, for the mechanics of the log.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use galen_ledger::{
    LedgerError, RuleError,
    entry::{Entry, Envelope, KeySet},
    facts::{Effects, Facts, Proposed, Row},
};
use galen_query::text::hex;

fn member() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// An entry that says `entry <n>`, or `claim <name> <n>`: the first claim of a name stands, others are refused.
pub struct Plain {
    entry: Entry,
    text: String,
}

impl Plain {
    fn new(text: String) -> Self {
        let entry = Entry::sign("text/plain", text.as_bytes(), &[&member()]).unwrap();
        Self { entry, text }
    }

    /// The name of the fact that it sets.
    fn name(&self) -> &str {
        match self.text.strip_prefix("claim ") {
            Some(claim) => claim.rsplit_once(' ').unwrap().0,
            None => &self.text,
        }
    }
}

impl Proposed for Plain {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn reads(&self) -> Vec<String> {
        vec![self.name().into()]
    }

    fn apply(&self, facts: &Facts) -> Result<Effects, RuleError> {
        if let Some(fact) = facts.get(self.name()) {
            return Err(RuleError::Exists {
                what: "this claim",
                index: fact.index,
            });
        }
        Ok(Effects {
            writes: vec![(self.name().into(), format!("{:?}", self.text))],
            row: Row {
                kind: "plain",
                digest: hex(&self.entry.dedup()),
                member: self.text.split(' ').next_back().map(Into::into),
                ..Row::default()
            },
        })
    }
}

/// The `n`-th entry.
pub fn entry(n: u64) -> Entry {
    Plain::new(format!("entry {n}")).entry
}

/// The `n`-th entry, to be submitted.
pub fn plain(n: u64) -> Arc<dyn Proposed> {
    Arc::new(Plain::new(format!("entry {n}")))
}

/// The `n`-th claim of a name.
pub fn claim(name: &str, n: u64) -> Arc<dyn Proposed> {
    Arc::new(Plain::new(format!("claim {name} {n}")))
}

/// Any entry, to be submitted.
pub fn proposed(proposed: impl Proposed + 'static) -> Arc<dyn Proposed> {
    Arc::new(proposed)
}

/// How an audit reads these entries.
pub fn read_plain(envelope: Envelope, _: &Facts) -> Result<Box<dyn Proposed>, LedgerError> {
    let keys: KeySet = [member().verifying_key()].into_iter().collect();
    let entry = envelope.verify(&keys)?;
    let text = String::from_utf8(entry.envelope().payload().to_vec()).unwrap();
    Ok(Box::new(Plain { entry, text }))
}
