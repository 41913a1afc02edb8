//! What the service says to a statement, for people.

use anyhow::Result;
use galen_ledger::{known_by, statement::Statement};
use serde_json::Value;

use super::Stated;
use crate::{
    client::Client,
    failure::{refusal, told},
    output::Output,
    source,
};

fn text(receipt: &Value, name: &str) -> String {
    receipt[name].as_str().unwrap_or_default().to_owned()
}

/// Where a query's answers will be.
pub fn results(stated: &Stated, receipt: &Value, client: &Client) -> Option<String> {
    let digest = text(receipt, "digest");
    let is_query = matches!(stated.statement, Statement::Query(_));
    is_query.then(|| client.url(&format!("/v1/queries/{digest}/results")))
}

/// Shows the receipt.
pub fn show(stated: &Stated, receipt: &Value, client: &Client, output: &Output) -> Result<()> {
    let again = receipt["duplicate"] == true;
    output.line(format!(
        "{}  entry {}: {}",
        if again { "recorded before" } else { "recorded" },
        receipt["index"],
        client.url(&text(receipt, "entry")),
    ))?;
    let label = match stated.statement {
        Statement::Member(_) | Statement::Revocation(_) => "known by its key id",
        _ => "known by",
    };
    output.line(format!("{label}  {}", text(receipt, "digest")))?;
    if let Some(url) = results(stated, receipt, client) {
        output.line(format!("its answers and refusals, as they come  {url}"))?;
    }
    if receipt["inclusion"].is_null() {
        output.line(
            "durable, but no checkpoint covers it yet: its inclusion proof can be fetched later",
        )?;
    }
    Ok(())
}

/// A member's key that was revoked is not admitted again: the same bytes are the old entry, and change nothing.
pub fn check_not_revoked(stated: &Stated, receipt: &Value, client: &Client) -> Result<()> {
    let Statement::Member(member) = &stated.statement else {
        return Ok(());
    };
    if receipt["duplicate"] != true {
        return Ok(());
    }
    let service = source::open(&client.url(""))?;
    let revoked = service.list("revocation")?.into_iter();
    let mut revoked = revoked.filter(|r| r.statement["key"] == member.key.as_str());
    let Some(revocation) = revoked.next() else {
        return Ok(());
    };
    let why = format!(
        "this key of {} (key id {}) was revoked by entry {} and is not admitted again: {} makes a new key",
        member.name,
        known_by(&stated.statement).unwrap_or_default(),
        revocation.index,
        member.name,
    );
    Err(told(refusal("ledger.Revoked", why)))
}
