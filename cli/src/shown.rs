//! An answer, or several added up, as commands show them.

use galen_ledger::evidence::PooledReport;
use galen_verifier::{
    analysis::Derived,
    answer::{Answer, Cell},
};

/// What is printed, written and drawn alike of one answer or of several that are added up.
pub struct Shown<'a> {
    /// The output columns' labels.
    pub columns: &'a [String],
    /// One row a group.
    pub rows: &'a [Vec<Cell>],
    /// What the query's analyses make of the rows.
    pub derived: &'a [Derived],
    /// Whose patients.
    pub of: String,
    /// What is proven and what is derived.
    pub reading: String,
    /// Whether development parameters were used.
    pub insecure: bool,
    /// How far rounding can take a count from the exact one.
    pub slack: u64,
}

impl<'a> From<&'a Answer> for Shown<'a> {
    fn from(answer: &'a Answer) -> Self {
        let s = &answer.source;
        Self {
            columns: &answer.columns,
            rows: &answer.rows,
            derived: &answer.derived,
            of: format!("{}, {}, epoch {}", s.hospital, s.dataset, s.epoch),
            reading: answer.reading(),
            insecure: answer.insecure,
            slack: s.profile.count_error(),
        }
    }
}

impl<'a> From<&'a PooledReport> for Shown<'a> {
    fn from(report: &'a PooledReport) -> Self {
        let sites = report.sites.iter().map(|s| &s.answer.source);
        let sites: Vec<String> = sites
            .map(|s| format!("{}, {}", s.hospital, s.dataset))
            .collect();
        Self {
            columns: &report.pooled.columns,
            rows: &report.pooled.rows,
            derived: &report.pooled.derived,
            of: sites.join(" + "),
            reading: report.reading(),
            insecure: report.pooled.insecure,
            slack: report.pooled.count_error,
        }
    }
}
