//! One file a subcommand: its arguments and `run`.

pub mod audit;
pub mod commit;
pub mod demo;
pub mod evidence;
pub mod inspect;
pub mod key;
pub mod ledger;
pub mod mirror;
pub mod params;
pub mod prove;
pub mod publish;
pub mod queries;
pub mod query;
pub mod serve;
pub mod table;
pub mod verify;
pub mod version;
