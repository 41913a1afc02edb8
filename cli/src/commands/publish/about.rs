use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use galen_ledger::statement::{
    AnswerStatement, Consortium, DatasetStatement, Member, ParameterSetStatement, QueryStatement,
    RefusalStatement, RegistryStatement, Revocation, Role, Statement,
};
use galen_params::{MAX_VERIFYING_BYTES, Shape, VerifyingSet};
use galen_prover::dataset::CommittedDataset;
use galen_verifier::bundle::{Bundle, MAX_BUNDLE_BYTES};

use super::{Stated, announcement};
use crate::{failure::refusal, files, keys, kind::Kind, output::Output, params::Cache};

/// What is stated.
#[derive(Debug, clap::Subcommand)]
pub enum About {
    /// The stewards, at first or anew (stewards sign; a new set is signed by old and new ones)
    Consortium {
        /// The public key of the log that they govern, or a file with it (`galen key log.key --origin NAME` shows it);
        /// with --origin the log's signing key's file, too
        #[arg(long, value_name = "KEY|FILE")]
        log_key: String,
        /// The log's name, as `galen serve` will be given it
        #[arg(long, value_name = "NAME", value_parser = keys::parse_origin)]
        origin: Option<String>,
        /// The consortium's name
        #[arg(long)]
        name: String,
        /// How many stewards must sign
        #[arg(long, default_value_t = 1)]
        threshold: u32,
        /// A steward's public key in hex, or a file with it (`galen key`); once for each
        #[arg(long = "steward", value_name = "HEX|FILE", required = true)]
        stewards: Vec<String>,
        /// 1 for the first, one more for each that replaces it
        #[arg(long, default_value_t = 1)]
        version: u32,
    },
    /// Admit a member, or a further key of one (stewards sign)
    Member {
        /// The member's name; a hospital's is the one in its manifests
        #[arg(long)]
        name: String,
        /// hospital or researcher
        #[arg(long, value_parser = parse_role)]
        role: Role,
        /// The member's public key in hex, or a file with it, as `galen key` shows it
        #[arg(long, value_name = "HEX|FILE")]
        member_key: String,
    },
    /// Declare a member's key invalid (stewards sign)
    Revocation {
        /// The public key in hex, or a file with it
        #[arg(long, value_name = "HEX|FILE")]
        member_key: String,
        /// Why, for people
        #[arg(long)]
        reason: String,
    },
    /// Publish a study's registry (stewards sign)
    Registry {
        /// The registry
        #[arg(long, value_name = "FILE")]
        registry: PathBuf,
    },
    /// Publish a parameter set's verifying part (stewards sign)
    Parameters {
        /// The verifying part, as `galen params` writes it
        #[arg(long, value_name = "FILE")]
        parameters: PathBuf,
    },
    /// Register a committed dataset, with the proofs that it is well-formed (the hospital signs)
    Dataset {
        /// The dataset's folder, as `galen commit` made it
        #[arg(long, value_name = "DIR")]
        dataset: PathBuf,
        #[command(flatten)]
        cache: Cache,
    },
    /// Announce a query by a digest that tells nothing of it, before it is sent to anyone (the researcher signs)
    Announcement {
        /// The query, as `galen query` wrote it
        #[arg(long, value_name = "FILE")]
        query: PathBuf,
        /// The researcher's name, as the stewards admitted it
        #[arg(long, value_name = "NAME")]
        researcher: String,
        /// What `galen publish disclosure` will need, to be kept secret until then; a file that is there must be of the
        /// same query and researcher, and is used again
        #[arg(long, value_name = "FILE")]
        keep: PathBuf,
    },
    /// Disclose which query was announced, once it is registered, by whomever (the researcher signs)
    Disclosure {
        /// What `galen publish announcement` wrote
        #[arg(long, value_name = "FILE")]
        announced: PathBuf,
    },
    /// Register a query before anyone answers it (the researcher signs)
    Query {
        /// The query, as `galen query` wrote it
        #[arg(long, value_name = "FILE")]
        query: PathBuf,
    },
    /// Publish the answer to a registered query (the hospital signs)
    Answer {
        /// The answer's bundle, as `galen prove` wrote it
        #[arg(long, value_name = "FILE")]
        bundle: PathBuf,
        /// The dataset's folder
        #[arg(long, value_name = "DIR")]
        dataset: PathBuf,
    },
    /// Say that a registered query is not answered, and why (the hospital signs)
    Refusal {
        /// The query
        #[arg(long, value_name = "FILE")]
        query: PathBuf,
        /// The dataset's folder
        #[arg(long, value_name = "DIR")]
        dataset: PathBuf,
        /// Why, for people; it is public for good
        #[arg(long)]
        reason: String,
    },
}

fn parse_role(text: &str) -> Result<Role, String> {
    match text {
        "hospital" => Ok(Role::Hospital),
        "researcher" => Ok(Role::Researcher),
        _ => Err("the roles are hospital and researcher".into()),
    }
}

/// The manifest of a dataset folder, with its bytes.
fn manifest(folder: &Path) -> Result<(galen_verifier::manifest::Manifest, Vec<u8>)> {
    let path = folder.join("manifest.json");
    let bytes = files::read(&path, Kind::Manifest, files::MAX_MANIFEST_BYTES)?;
    Ok((files::manifest(&path)?, bytes))
}

impl About {
    /// The statement, with the files that it names.
    pub fn state(&self, output: &Output) -> Result<Stated> {
        Ok(match self {
            Self::Consortium {
                log_key,
                origin,
                name,
                threshold,
                stewards,
                version,
            } => Stated::alone(Statement::Consortium(Consortium {
                log: keys::log_or_own(log_key, origin.as_deref())?.encoded(),
                version: *version,
                name: name.clone(),
                threshold: *threshold,
                stewards: stewards
                    .iter()
                    .map(|key| keys::public("--steward", key))
                    .collect::<Result<_>>()?,
            })),
            Self::Member {
                name,
                role,
                member_key,
            } => Stated::alone(Statement::Member(Member {
                name: name.clone(),
                role: *role,
                key: keys::public("--member-key", member_key)?,
            })),
            Self::Revocation { member_key, reason } => {
                let key = keys::public("--member-key", member_key)?;
                let reason = reason.clone();
                Stated::alone(Statement::Revocation(Revocation { key, reason }))
            }
            Self::Registry { registry } => {
                let (toml, registry) = files::registry(registry)?;
                let statement = RegistryStatement::of(&registry, toml.as_bytes());
                Stated {
                    statement: Statement::Registry(statement),
                    files: vec![toml.into_bytes()],
                }
            }
            Self::Parameters { parameters } => state_parameters(parameters)?,
            Self::Dataset { dataset, cache } => state_dataset(dataset, cache, output)?,
            Self::Announcement {
                query,
                researcher,
                keep,
            } => Stated::alone(announcement::announce(query, researcher, keep)?),
            Self::Disclosure { announced } => {
                Stated::alone(Statement::Disclosure(announcement::kept(announced)?))
            }
            Self::Query { query } => {
                let query = files::question(query)?;
                Stated::alone(Statement::Query(QueryStatement { query }))
            }
            Self::Answer { bundle, dataset } => {
                let (manifest, _) = manifest(dataset)?;
                let bytes = files::read(bundle, Kind::Bundle, MAX_BUNDLE_BYTES as u64)?;
                let named = || format!("bundle {}", bundle.display());
                let parsed = Bundle::from_json(&bytes).with_context(named)?;
                let statement = AnswerStatement::of(&parsed, &bytes, &manifest);
                Stated {
                    statement: Statement::Answer(statement),
                    files: vec![bytes],
                }
            }
            Self::Refusal {
                query,
                dataset,
                reason,
            } => {
                let (question, (manifest, _)) = (files::question(query)?, manifest(dataset)?);
                let statement = RefusalStatement::of(&question, &manifest, reason);
                Stated::alone(Statement::Refusal(statement))
            }
        })
    }
}

fn state_parameters(path: &Path) -> Result<Stated> {
    let bytes = files::read(path, Kind::Parameters, MAX_VERIFYING_BYTES)?;
    let named = || format!("parameters {}", path.display());
    let keys = VerifyingSet::from_bytes(&bytes).with_context(named)?;
    let statement = ParameterSetStatement::of(&keys, &bytes);
    Ok(Stated {
        statement: Statement::ParameterSet(statement),
        files: vec![bytes],
    })
}

fn state_dataset(folder: &Path, cache: &Cache, output: &Output) -> Result<Stated> {
    let (manifest, bytes) = manifest(folder)?;
    let shape = Shape::from_name(&manifest.shape).ok_or_else(|| {
        let why = format!("the manifest is of an unknown shape, {:?}", manifest.shape);
        refusal("Manifest", why)
    })?;
    let params = cache.open(shape, output)?;
    let dataset = CommittedDataset::open(folder, &params)?;
    let registration = dataset.registration()?;
    let registration = serde_json::to_vec(&registration)?;
    let statement = DatasetStatement::of(&manifest, &bytes, &registration);
    Ok(Stated {
        statement: Statement::Dataset(statement),
        files: vec![bytes, registration],
    })
}
