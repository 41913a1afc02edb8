//! What members say: hospitals of their datasets and answers, researchers of their queries.

use galen_query::text::hex;

use super::{
    Proposal, RuleError, absent,
    known::{
        self, DatasetFact, EpochFact, KeyFact, ParameterSetFact, QueryFact, RegistryFact, name,
    },
};
use crate::{
    LedgerError,
    facts::{Effects, Facts, Row},
    statement::{
        AnnouncementStatement, AnswerStatement, DatasetStatement, DisclosureStatement,
        QueryStatement, RefusalStatement, Role,
    },
};

/// What an answer or refusal is about.
pub(super) struct Over<'a> {
    query: &'a str,
    hospital: &'a str,
    dataset: &'a str,
    epoch: u32,
    manifest: &'a str,
}

impl Proposal {
    pub(super) fn dataset(
        &self,
        s: &DatasetStatement,
        facts: &Facts,
    ) -> Result<Effects, RuleError> {
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

    pub(super) fn query(&self, s: &QueryStatement, facts: &Facts) -> Result<Effects, RuleError> {
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

    /// What is announced tells nothing, so nothing of it can be checked.
    pub(super) fn announcement(
        &self,
        s: &AnnouncementStatement,
        facts: &Facts,
    ) -> Result<Effects, RuleError> {
        self.by_researcher(&s.researcher, facts)?;
        let announced = announcement(&s.researcher, &s.commitment);
        absent(facts, "this announcement", &announced)?;
        Ok(Effects {
            writes: vec![(announced, known::value(&s.researcher))],
            row: self.row(Some(&s.researcher)),
        })
    }

    /// Of a query that is registered, whoever registered it, and that its signer had announced.
    pub(super) fn disclosure(
        &self,
        s: &DisclosureStatement,
        facts: &Facts,
    ) -> Result<Effects, RuleError> {
        self.by_researcher(&s.researcher, facts)?;
        let query = QueryFact::find(facts, &s.query)?;
        let commitment = s.commitment();
        let announced = facts.get(&announcement(&s.researcher, &commitment));
        let announced = announced.ok_or_else(|| RuleError::NotAnnounced {
            researcher: s.researcher.clone(),
        })?;
        let disclosed = disclosure(&s.researcher, &commitment);
        absent(facts, "the disclosure of this announcement", &disclosed)?;
        Ok(Effects {
            writes: vec![(disclosed, known::value(&announced.index))],
            row: Row {
                registry: Some(query.registry),
                query: Some(s.query.clone()),
                ..self.row(Some(&s.researcher))
            },
        })
    }

    fn by_researcher(&self, researcher: &str, facts: &Facts) -> Result<(), RuleError> {
        let member = self.by_member(facts, Role::Researcher)?;
        if member.name == researcher {
            return Ok(());
        }
        Err(RuleError::AnotherResearcher {
            signer: member.name,
            researcher: researcher.into(),
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

    pub(super) fn answer(&self, s: &AnswerStatement, facts: &Facts) -> Result<Effects, RuleError> {
        let over = Over::from(s);
        Ok(Effects {
            row: self.about(&over, facts)?,
            writes: vec![(over.slot("answer"), known::value(&s.bundle.sha256))],
        })
    }

    /// A refusal may be followed by an answer, never the other way round.
    pub(super) fn refusal(
        &self,
        s: &RefusalStatement,
        facts: &Facts,
    ) -> Result<Effects, RuleError> {
        let over = Over::from(s);
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

impl<'a> From<&'a AnswerStatement> for Over<'a> {
    fn from(s: &'a AnswerStatement) -> Self {
        Self {
            query: &s.query,
            hospital: &s.hospital,
            dataset: &s.dataset,
            epoch: s.epoch,
            manifest: &s.manifest,
        }
    }
}

impl<'a> From<&'a RefusalStatement> for Over<'a> {
    fn from(s: &'a RefusalStatement) -> Self {
        Self {
            query: &s.query,
            hospital: &s.hospital,
            dataset: &s.dataset,
            epoch: s.epoch,
            manifest: &s.manifest,
        }
    }
}

impl Over<'_> {
    /// The facts that it depends on.
    pub(super) fn reads(&self) -> Vec<String> {
        vec![
            name(&["query", self.query]),
            name(&["dataset", self.manifest]),
            name(&["epoch", self.hospital, self.dataset]),
            self.slot("answer"),
            self.slot("refusal"),
        ]
    }

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

/// The fact that a researcher has announced something.
pub(super) fn announcement(researcher: &str, commitment: &str) -> String {
    name(&["announcement", researcher, commitment])
}

/// The fact that a researcher has disclosed an announcement: one after the other, where there are several of a query.
pub(super) fn disclosure(researcher: &str, commitment: &str) -> String {
    name(&["disclosure", researcher, commitment])
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
