//! One file a subcommand: its arguments and `run`.

pub mod commit;
pub mod demo;
pub mod inspect;
pub mod params;
pub mod prove;
pub mod query;
pub mod table;
pub mod verify;
