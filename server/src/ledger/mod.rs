//! The ledger's keeper: an append-only, tamper-evident log of DSSE envelopes, served as a C2SP tiled log.
//!
//! An entry's way: [`sequencer`] gives it an index, durable in [`store`] before anyone is told; [`publish`]
//! writes its tiles and then the signed checkpoint; [`fsck`] rebuilds everything from the entries alone and
//! compares. [`objects`] holds the public files and makes proofs, [`blobs`] the files that entries name. What
//! an entry is, which may stand after which, and the tree over them: [`galen_ledger`].
//!
//! The database is the authority: tiles and bundles are a pure function of its entries, and a checkpoint is in
//! it before it is anywhere else.

pub mod blobs;
mod bucket;
mod edge;
mod error;
pub(crate) mod fence;
pub mod fsck;
mod lead;
mod lock;
pub mod mend;
mod near;
pub mod objects;
pub mod publish;
pub mod sequencer;
pub mod store;

pub use blobs::Blobs;
pub use error::LedgerStoreError;
pub use objects::Objects;
pub use publish::Publisher;
pub use sequencer::{Sequencer, Submitter};
pub use store::{Receipt, Store};
