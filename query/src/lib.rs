//! Galen's schema and questions: what can be asked of a patient table, before anything is proven.
//!
//! [`registry`] is the schema with its bounds and purposes, [`query`] the SQL subset and its normal form,
//! [`analysis`] what a researcher wants derived from the answer, and [`question`] the document that says it
//! all and has a digest. [`provenance`] is how a patient table was made. [`quotes`] are a CSV's, as every reader of one has to check them. [`words`] says conditions as people do. [`text`], [`hash`] and [`bounded`] are how every document stands in JSON and is
//! hashed. No cryptography beyond SHA-256, no I/O: a hospital's ETL, a page and other implementations need
//! this and no proofs.

pub mod analysis;
pub mod bounded;
mod error;
pub mod hash;
pub mod provenance;
pub mod query;
pub mod question;
pub mod quotes;
pub mod registry;
mod shape;
pub mod text;
pub mod words;

pub use error::ReadError;
