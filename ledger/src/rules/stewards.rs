//! What stewards say: who they are, who is a member, which registries and parameter sets count.

use std::collections::BTreeSet;

use super::{
    Proposal, RuleError, absent,
    known::{self, KeyFact, ParameterSetFact, RegistryFact, name},
};
use crate::{
    facts::{Effects, Facts, Row},
    statement::{Consortium, Member, ParameterSetStatement, RegistryStatement, Revocation},
};

impl Proposal {
    pub(super) fn consortium(&self, s: &Consortium, facts: &Facts) -> Result<Effects, RuleError> {
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
        if let Some((_, before)) = before.as_ref().filter(|(_, b)| b.log != s.log) {
            return Err(RuleError::AnotherLog {
                expected: before.log.clone(),
                got: s.log.clone(),
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

    pub(super) fn member(&self, s: &Member, facts: &Facts) -> Result<Effects, RuleError> {
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

    pub(super) fn revocation(&self, s: &Revocation, facts: &Facts) -> Result<Effects, RuleError> {
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

    pub(super) fn registry(
        &self,
        s: &RegistryStatement,
        facts: &Facts,
    ) -> Result<Effects, RuleError> {
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

    pub(super) fn parameter_set(
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
}
