//! The binary as people and scripts meet it: process output, exit status, files.

// Clippy excuses only functions marked as tests, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod asks;
mod chain;
mod demo;
mod evidence;
mod exports;
mod help;
mod publish;
mod refusals;
mod study;
mod study_page;
mod tables;
