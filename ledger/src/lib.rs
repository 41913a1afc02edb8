//! The ledger as a reader sees it: signed entries, what they state, the rules that they keep, and the
//! tree that binds them. Format: `docs/spec/ledger.md`. No I/O: the service that keeps a ledger and the
//! reviewer who checks a page of it offline run this same code.

pub mod documents;
pub mod entry;
mod error;
pub mod evidence;
pub mod facts;
mod rules;
pub mod statement;
pub mod tiles;

pub use error::LedgerError;
pub use rules::{
    Proposal, RuleError, fact_name, key_facts, known_by, member_key, public_key, read_keys,
};
