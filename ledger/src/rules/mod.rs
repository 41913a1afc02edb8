//! The rules of the ledger: which entry may stand after which (`docs/spec/ledger.md`).

mod error;
mod known;
mod members;
mod stewards;

use std::collections::BTreeSet;

pub use error::RuleError;
use galen_query::text::hex;
use known::{KeyFact, name};
pub use known::{id_of, name as fact_name, public_key};
use members::{Over, announcement, disclosure};

use crate::{
    LedgerError,
    entry::{Entry, Envelope, KeySet},
    facts::{Effects, Facts, Proposed, Row},
    statement::{Consortium, Member, Revocation, Role, Statement},
};

/// An entry with its statement, as it is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    entry: Entry,
    statement: Statement,
}

/// The names of the facts that tell which keys may sign an envelope.
fn signing_facts<'a>(signers: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names = vec![name(&["consortium"])];
    names.extend(signers.map(|id| name(&["key", id])));
    names
}

/// The facts to look up before an envelope's signatures can be checked.
#[must_use]
pub fn key_facts(envelope: &Envelope) -> Vec<String> {
    signing_facts(envelope.signers())
}

/// The keys with which an envelope's signatures are checked, whether or not they still count: members', the
/// stewards', and for a consortium's statement its own stewards'. `facts` are those of [`key_facts`].
///
/// # Errors
/// Facts that do not parse: a damaged ledger.
pub fn read_keys(
    envelope: &Envelope,
    statement: &Statement,
    facts: &Facts,
) -> Result<KeySet, LedgerError> {
    let mut keys = Vec::new();
    for id in envelope.signers() {
        if let Some((_, fact)) = KeyFact::find(facts, id)? {
            keys.push(fact.key);
        }
    }
    let mut stewards = Vec::new();
    if let Some((_, consortium)) = known::consortium(facts)? {
        stewards.extend(consortium.stewards);
    }
    if let Statement::Consortium(own) = statement {
        stewards.extend(own.stewards.iter().cloned());
    }
    // Reading a key takes a square root: only those who have signed are read.
    let signers: BTreeSet<&str> = envelope.signers().collect();
    stewards.retain(|key| signers.contains(known::id_of(key).as_str()));
    keys.extend(stewards);
    Ok(keys.iter().filter_map(|k| known::public_key(k)).collect())
}

/// The digest that a statement's entry is known by; `None` for those that are known by their entry's bytes.
pub fn known_by(statement: &Statement) -> Option<String> {
    Some(match statement {
        Statement::Consortium(s) => s.version.to_string(),
        Statement::Member(Member { key, .. }) | Statement::Revocation(Revocation { key, .. }) => {
            known::id_of(key)
        }
        Statement::Registry(s) => s.digest.clone(),
        Statement::ParameterSet(s) => s.verifying.sha256.clone(),
        Statement::Dataset(s) => s.digest.clone(),
        Statement::Query(s) => hex(&s.query.digest()),
        Statement::Answer(s) => s.bundle.sha256.clone(),
        Statement::Announcement(_) | Statement::Disclosure(_) | Statement::Refusal(_) => {
            return None;
        }
    })
}

/// The public key, hex, of the one member who signed an envelope, whether or not it is valid still; `None`
/// where it is no member's, or more than one key signed.
///
/// # Errors
/// Facts that do not parse: a damaged ledger.
pub fn member_key(envelope: &Envelope, facts: &Facts) -> Result<Option<String>, LedgerError> {
    let mut signers = envelope.signers();
    let (Some(id), None) = (signers.next(), signers.next()) else {
        return Ok(None);
    };
    Ok(KeyFact::find(facts, id)?.map(|(_, fact)| fact.key))
}

impl Proposal {
    /// Reads what an entry states.
    ///
    /// # Errors
    /// As [`Statement::read`].
    pub fn new(entry: Entry) -> Result<Self, LedgerError> {
        let statement = Statement::read(entry.envelope())?;
        Ok(Self { entry, statement })
    }

    /// Reads an envelope's statement, and checks its signatures with the keys in `facts` (those of
    /// [`key_facts`]).
    ///
    /// # Errors
    /// What is malformed, or the key that is unknown or did not sign this.
    pub fn read(envelope: Envelope, facts: &Facts) -> Result<Self, LedgerError> {
        let statement = Statement::read(&envelope)?;
        let keys = read_keys(&envelope, &statement, facts)?;
        Self::verify(envelope, statement, &keys)
    }

    /// As [`read`](Self::read), of an envelope whose statement was read and whose keys are known: a key is its id for
    /// good, and whether it may sign this is for [`apply`](Proposed::apply) to say.
    ///
    /// # Errors
    /// The key that is unknown or did not sign this.
    pub fn verify(
        envelope: Envelope,
        statement: Statement,
        keys: &KeySet,
    ) -> Result<Self, LedgerError> {
        let entry = envelope.verify(keys)?;
        Ok(Self { entry, statement })
    }

    /// The statement.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The digest that the entry is known by.
    #[must_use]
    pub fn digest(&self) -> String {
        known_by(&self.statement).unwrap_or_else(|| hex(&self.entry.dedup()))
    }

    /// The public key, hex, of the member who signed, whether or not it is valid still; `None` where it is no
    /// member's, or more than one key signed.
    ///
    /// # Errors
    /// Facts that do not parse: a damaged ledger.
    pub fn signer_key(&self, facts: &Facts) -> Result<Option<String>, LedgerError> {
        member_key(self.entry.envelope(), facts)
    }

    /// Enough stewards signed, and nobody else did.
    fn by_stewards(&self, facts: &Facts) -> Result<(), RuleError> {
        let (_, consortium) = known::consortium(facts)?.ok_or(RuleError::NoConsortium)?;
        self.signed_by(&consortium, true)
    }

    /// At least a threshold of these stewards signed; `only`: and nobody else.
    fn signed_by(&self, consortium: &Consortium, only: bool) -> Result<(), RuleError> {
        let stewards: BTreeSet<String> = consortium
            .stewards
            .iter()
            .map(|k| known::id_of(k))
            .collect();
        let (theirs, others): (Vec<&str>, Vec<&str>) =
            self.entry.signers().partition(|id| stewards.contains(*id));
        if let (true, Some(key)) = (only, others.first()) {
            return Err(RuleError::NotASteward { key: (*key).into() });
        }
        let needed = consortium.threshold as usize;
        if theirs.len() < needed {
            return Err(RuleError::Threshold {
                needed,
                got: theirs.len(),
            });
        }
        Ok(())
    }

    /// The one member who signed, whose key is valid and who has this role.
    fn by_member(&self, facts: &Facts, role: Role) -> Result<KeyFact, RuleError> {
        let mut signers = self.entry.signers();
        let (Some(id), None) = (signers.next(), signers.next()) else {
            return Err(RuleError::OneSigner);
        };
        let unknown = || RuleError::UnknownKey { key: id.into() };
        let (index, key) = KeyFact::find(facts, id)?.ok_or_else(unknown)?;
        if key.revoked {
            return Err(RuleError::Revoked {
                key: id.into(),
                index,
            });
        }
        if key.role != role {
            return Err(RuleError::Role {
                name: key.name,
                role: key.role.name(),
                needed: role.name(),
            });
        }
        Ok(key)
    }

    fn row(&self, member: Option<&str>) -> Row {
        Row {
            kind: self.statement.kind(),
            digest: self.digest(),
            member: member.map(Into::into),
            ..Row::default()
        }
    }
}

impl Proposed for Proposal {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn reads(&self) -> Vec<String> {
        let mut names = signing_facts(self.entry.signers());
        names.extend(match &self.statement {
            Statement::Consortium(_) => vec![],
            Statement::Member(s) => {
                vec![
                    name(&["key", &known::id_of(&s.key)]),
                    name(&["member", &s.name]),
                ]
            }
            Statement::Revocation(s) => vec![name(&["key", &known::id_of(&s.key)])],
            Statement::Registry(s) => {
                vec![
                    name(&["registry", &s.digest]),
                    name(&["registry-name", &s.registry]),
                ]
            }
            Statement::ParameterSet(s) => vec![name(&["parameter-set", &s.verifying.sha256])],
            Statement::Dataset(s) => vec![
                name(&["registry", &s.registry]),
                name(&["parameter-set", &s.parameter_set]),
                name(&["dataset", &s.digest]),
                name(&["epoch", &s.hospital, &s.dataset]),
            ],
            Statement::Announcement(s) => vec![announcement(&s.researcher, &s.commitment)],
            Statement::Disclosure(s) => vec![
                name(&["query", &s.query]),
                announcement(&s.researcher, &s.commitment()),
                disclosure(&s.researcher, &s.commitment()),
            ],
            Statement::Query(s) => vec![
                name(&["registry", &s.query.registry_digest]),
                name(&["query", &hex(&s.query.digest())]),
            ],
            Statement::Answer(s) => Over::from(s).reads(),
            Statement::Refusal(s) => Over::from(s).reads(),
        });
        names
    }

    fn apply(&self, facts: &Facts) -> Result<Effects, RuleError> {
        match &self.statement {
            Statement::Consortium(s) => self.consortium(s, facts),
            Statement::Member(s) => self.member(s, facts),
            Statement::Revocation(s) => self.revocation(s, facts),
            Statement::Registry(s) => self.registry(s, facts),
            Statement::ParameterSet(s) => self.parameter_set(s, facts),
            Statement::Dataset(s) => self.dataset(s, facts),
            Statement::Announcement(s) => self.announcement(s, facts),
            Statement::Query(s) => self.query(s, facts),
            Statement::Disclosure(s) => self.disclosure(s, facts),
            Statement::Answer(s) => self.answer(s, facts),
            Statement::Refusal(s) => self.refusal(s, facts),
        }
    }
}

/// What must not be there yet.
fn absent(facts: &Facts, what: &'static str, name: &str) -> Result<(), RuleError> {
    match facts.get(name) {
        Some(fact) => Err(RuleError::Exists {
            what,
            index: fact.index,
        }),
        None => Ok(()),
    }
}
