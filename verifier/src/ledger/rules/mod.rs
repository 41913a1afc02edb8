//! The rules of the ledger: which entry may stand after which (`docs/spec/ledger.md`).

mod error;
mod known;

use std::collections::BTreeSet;

pub use error::RuleError;
pub use known::name as fact_name;
use known::{DatasetFact, EpochFact, KeyFact, ParameterSetFact, QueryFact, RegistryFact, name};

use super::{
    LedgerError,
    entry::{Entry, Envelope, KeySet, key_id},
    facts::{Effects, Facts, Proposed, Row},
    statement::{
        AnswerStatement, Consortium, DatasetStatement, Member, ParameterSetStatement,
        QueryStatement, RefusalStatement, RegistryStatement, Revocation, Role, Statement,
    },
};
use crate::text::hex;

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
/// stewards', and for a consortium's statement its own stewards'.
///
/// # Errors
/// Facts that do not parse: a damaged ledger.
pub fn read_keys(envelope: &Envelope, facts: &Facts) -> Result<KeySet, LedgerError> {
    let mut keys = Vec::new();
    for id in envelope.signers() {
        if let Some((_, fact)) = KeyFact::find(facts, id)? {
            keys.push(fact.key);
        }
    }
    if let Some((_, consortium)) = known::consortium(facts)? {
        keys.extend(consortium.stewards);
    }
    if let Ok(Statement::Consortium(own)) = Statement::read(envelope) {
        keys.extend(own.stewards);
    }
    Ok(keys.iter().filter_map(|k| known::public_key(k)).collect())
}

/// The digest that a statement's entry is known by; `None` for a refusal, known by its entry's bytes.
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
        Statement::Refusal(_) => return None,
    })
}

/// The first key that signed an envelope and that is neither a member's nor a steward's.
///
/// # Errors
/// Facts that do not parse: a damaged ledger.
pub fn unknown_signer(envelope: &Envelope, facts: &Facts) -> Result<Option<String>, LedgerError> {
    let keys = read_keys(envelope, facts)?;
    let unknown = envelope.signers().find(|id| !keys.contains(id));
    Ok(unknown.map(Into::into))
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

    /// Reads an envelope, checks its signatures with the keys in `facts` (those of [`key_facts`]) and reads
    /// its statement.
    ///
    /// # Errors
    /// What is malformed, or the key that is unknown or did not sign this.
    pub fn read(envelope: Envelope, facts: &Facts) -> Result<Self, LedgerError> {
        let keys = read_keys(&envelope, facts)?;
        Self::new(envelope.verify(&keys)?)
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
            Statement::Query(s) => vec![
                name(&["registry", &s.query.registry_digest]),
                name(&["query", &hex(&s.query.digest())]),
            ],
            Statement::Answer(s) => over(&s.query, &s.manifest, &s.hospital, &s.dataset, s.epoch),
            Statement::Refusal(s) => over(&s.query, &s.manifest, &s.hospital, &s.dataset, s.epoch),
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
            Statement::Query(s) => self.query(s, facts),
            Statement::Answer(s) => self.answer(s, facts),
            Statement::Refusal(s) => self.refusal(s, facts),
        }
    }
}

fn over(query: &str, manifest: &str, hospital: &str, dataset: &str, epoch: u32) -> Vec<String> {
    vec![
        name(&["query", query]),
        name(&["dataset", manifest]),
        name(&["epoch", hospital, dataset]),
        name(&["answer", query, hospital, dataset, &epoch.to_string()]),
        name(&["refusal", query, hospital, dataset, &epoch.to_string()]),
    ]
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

/// What an answer or refusal is about.
struct Over<'a> {
    query: &'a str,
    hospital: &'a str,
    dataset: &'a str,
    epoch: u32,
    manifest: &'a str,
}

impl Proposal {
    fn consortium(&self, s: &Consortium, facts: &Facts) -> Result<Effects, RuleError> {
        let before = known::consortium(facts)?;
        let expected = before
            .as_ref()
            .map_or(1, |(_, c)| c.version.saturating_add(1));
        if s.version != expected {
            return Err(RuleError::Version {
                expected,
                got: s.version,
            });
        }
        let distinct: BTreeSet<&String> = s.stewards.iter().collect();
        let keys = s.stewards.iter().all(|k| known::public_key(k).is_some());
        let threshold = usize::try_from(s.threshold).unwrap_or(usize::MAX);
        if !keys || distinct.len() != s.stewards.len() || !(1..=distinct.len()).contains(&threshold)
        {
            return Err(RuleError::Stewards);
        }
        // As for TUF's root: the new set is signed by a threshold of the old one and of itself.
        self.signed_by(s, false)?;
        if let Some((_, before)) = &before {
            self.signed_by(before, false)?;
        }
        let either: BTreeSet<String> = before
            .iter()
            .flat_map(|(_, c)| &c.stewards)
            .chain(&s.stewards)
            .map(|k| known::id_of(k))
            .collect();
        if let Some(key) = self.entry.signers().find(|id| !either.contains(*id)) {
            return Err(RuleError::NotASteward { key: key.into() });
        }
        Ok(Effects {
            writes: vec![(name(&["consortium"]), known::value(s))],
            row: self.row(Some(&s.name)),
        })
    }

    fn member(&self, s: &Member, facts: &Facts) -> Result<Effects, RuleError> {
        self.by_stewards(facts)?;
        if known::public_key(&s.key).is_none() {
            return Err(RuleError::NotAKey { key: s.key.clone() });
        }
        let key = name(&["key", &known::id_of(&s.key)]);
        absent(facts, "this key", &key)?;
        let member = name(&["member", &s.name]);
        if let Some(fact) = facts.get(&member)
            && fact.value != known::value(&s.role)
        {
            return Err(RuleError::Exists {
                what: "a member of this name with another role",
                index: fact.index,
            });
        }
        let fact = KeyFact {
            name: s.name.clone(),
            role: s.role,
            key: s.key.clone(),
            revoked: false,
        };
        Ok(Effects {
            writes: vec![(key, known::value(&fact)), (member, known::value(&s.role))],
            row: self.row(Some(&s.name)),
        })
    }

    fn revocation(&self, s: &Revocation, facts: &Facts) -> Result<Effects, RuleError> {
        self.by_stewards(facts)?;
        let id = known::id_of(&s.key);
        let unknown = || RuleError::UnknownKey { key: id.clone() };
        let (index, mut fact) = KeyFact::find(facts, &id)?.ok_or_else(unknown)?;
        if fact.revoked {
            return Err(RuleError::Exists {
                what: "this key's revocation",
                index,
            });
        }
        fact.revoked = true;
        Ok(Effects {
            row: self.row(Some(&fact.name)),
            writes: vec![(name(&["key", &id]), known::value(&fact))],
        })
    }

    fn registry(&self, s: &RegistryStatement, facts: &Facts) -> Result<Effects, RuleError> {
        self.by_stewards(facts)?;
        let by_digest = name(&["registry", &s.digest]);
        absent(facts, "this registry", &by_digest)?;
        let by_name = name(&["registry-name", &s.registry]);
        absent(facts, "another registry of this name and version", &by_name)?;
        let fact = RegistryFact {
            registry: s.registry.clone(),
        };
        Ok(Effects {
            writes: vec![
                (by_digest, known::value(&fact)),
                (by_name, known::value(&s.digest)),
            ],
            row: Row {
                registry: Some(s.digest.clone()),
                ..self.row(None)
            },
        })
    }

    fn parameter_set(
        &self,
        s: &ParameterSetStatement,
        facts: &Facts,
    ) -> Result<Effects, RuleError> {
        self.by_stewards(facts)?;
        let by_id = name(&["parameter-set", &s.verifying.sha256]);
        absent(facts, "this parameter set", &by_id)?;
        let fact = ParameterSetFact {
            shape: s.shape.clone(),
        };
        Ok(Effects {
            writes: vec![(by_id, known::value(&fact))],
            row: self.row(None),
        })
    }

    fn dataset(&self, s: &DatasetStatement, facts: &Facts) -> Result<Effects, RuleError> {
        let member = self.by_member(facts, Role::Hospital)?;
        own(&member, &s.hospital)?;
        RegistryFact::find(facts, &s.registry)?;
        ParameterSetFact::find(facts, &s.parameter_set)?;
        let by_digest = name(&["dataset", &s.digest]);
        absent(facts, "this dataset epoch", &by_digest)?;
        if let Some((_, current)) = EpochFact::find(facts, &s.hospital, &s.dataset)?
            && s.epoch <= current.epoch
        {
            return Err(RuleError::Epoch {
                dataset: s.dataset.clone(),
                epoch: s.epoch,
                current: current.epoch,
            });
        }
        let epoch = EpochFact {
            epoch: s.epoch,
            digest: s.digest.clone(),
        };
        let fact = DatasetFact {
            hospital: s.hospital.clone(),
            dataset: s.dataset.clone(),
            epoch: s.epoch,
            registry: s.registry.clone(),
            parameter_set: s.parameter_set.clone(),
        };
        Ok(Effects {
            writes: vec![
                (by_digest, known::value(&fact)),
                (
                    name(&["epoch", &s.hospital, &s.dataset]),
                    known::value(&epoch),
                ),
            ],
            row: Row {
                registry: Some(s.registry.clone()),
                dataset: Some(s.digest.clone()),
                ..self.row(Some(&s.hospital))
            },
        })
    }

    fn query(&self, s: &QueryStatement, facts: &Facts) -> Result<Effects, RuleError> {
        let member = self.by_member(facts, Role::Researcher)?;
        RegistryFact::find(facts, &s.query.registry_digest)?;
        let digest = hex(&s.query.digest());
        let by_digest = name(&["query", &digest]);
        absent(facts, "this query", &by_digest)?;
        let fact = QueryFact {
            registry: s.query.registry_digest.clone(),
            purpose: s.query.purpose.clone(),
        };
        Ok(Effects {
            writes: vec![(by_digest, known::value(&fact))],
            row: Row {
                registry: Some(s.query.registry_digest.clone()),
                query: Some(digest),
                ..self.row(Some(&member.name))
            },
        })
    }

    /// The hospital that signed may say something about this query over this epoch, and has not yet.
    fn about(&self, over: &Over<'_>, facts: &Facts) -> Result<Row, RuleError> {
        let member = self.by_member(facts, Role::Hospital)?;
        own(&member, over.hospital)?;
        let query = QueryFact::find(facts, over.query)?;
        let dataset = DatasetFact::find(facts, over.manifest)?;
        let named = (over.hospital, over.dataset, over.epoch);
        if (
            dataset.hospital.as_str(),
            dataset.dataset.as_str(),
            dataset.epoch,
        ) != named
        {
            return Err(RuleError::AnotherDataset {
                manifest: over.manifest.into(),
            });
        }
        if query.registry != dataset.registry {
            return Err(RuleError::AnotherRegistry);
        }
        let (_, current) = EpochFact::find(facts, over.hospital, over.dataset)?
            .ok_or_else(|| LedgerError::damaged("a dataset without a current epoch"))?;
        if current.digest != over.manifest {
            return Err(RuleError::NotCurrent {
                dataset: over.dataset.into(),
                epoch: over.epoch,
                current: current.epoch,
            });
        }
        if let Some(answer) = facts.get(&over.slot("answer")) {
            return Err(RuleError::SecondAnswer {
                index: answer.index,
            });
        }
        Ok(Row {
            registry: Some(query.registry),
            dataset: Some(over.manifest.into()),
            query: Some(over.query.into()),
            ..self.row(Some(over.hospital))
        })
    }

    fn answer(&self, s: &AnswerStatement, facts: &Facts) -> Result<Effects, RuleError> {
        let over = Over {
            query: &s.query,
            hospital: &s.hospital,
            dataset: &s.dataset,
            epoch: s.epoch,
            manifest: &s.manifest,
        };
        Ok(Effects {
            row: self.about(&over, facts)?,
            writes: vec![(over.slot("answer"), known::value(&s.bundle.sha256))],
        })
    }

    /// A refusal may be followed by an answer, never the other way round.
    fn refusal(&self, s: &RefusalStatement, facts: &Facts) -> Result<Effects, RuleError> {
        let over = Over {
            query: &s.query,
            hospital: &s.hospital,
            dataset: &s.dataset,
            epoch: s.epoch,
            manifest: &s.manifest,
        };
        absent(
            facts,
            "a refusal of this query over this epoch",
            &over.slot("refusal"),
        )?;
        Ok(Effects {
            row: self.about(&over, facts)?,
            writes: vec![(over.slot("refusal"), known::value(&s.reason))],
        })
    }
}

impl Over<'_> {
    fn slot(&self, kind: &str) -> String {
        name(&[
            kind,
            self.query,
            self.hospital,
            self.dataset,
            &self.epoch.to_string(),
        ])
    }
}

/// A hospital speaks for itself alone.
fn own(member: &KeyFact, hospital: &str) -> Result<(), RuleError> {
    if member.name == hospital {
        Ok(())
    } else {
        Err(RuleError::AnotherHospital {
            signer: member.name.clone(),
            hospital: hospital.into(),
        })
    }
}

/// A key's id, from its hex.
#[must_use]
pub fn id_of_hex(key: &str) -> Option<String> {
    known::public_key(key).map(|k| key_id(&k))
}
