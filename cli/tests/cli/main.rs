//! The binary as people and scripts meet it: process output, exit status, files.

mod chain;
mod demo;
mod help;
mod refusals;
mod study;
mod tables;
