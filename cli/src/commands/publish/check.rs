//! What can be told of a statement before it is signed, and of two that should be one.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;
use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::Envelope,
    statement::{Consortium, Statement},
};
use galen_query::text::hex;
use serde_json::Value;

use crate::failure::refusal;

/// Refuses to sign what no ledger takes. Who is a member or steward by now, only the ledger knows.
pub fn before_signing(statement: &Statement, keys: &[SigningKey]) -> Result<()> {
    match statement {
        Statement::Consortium(consortium) => stewards(consortium, keys),
        _ => Ok(()),
    }
}

fn stewards(consortium: &Consortium, keys: &[SigningKey]) -> Result<()> {
    let refused = |why: String| Err(refusal("usage.Stewards", why));
    let stewards: BTreeSet<&String> = consortium.stewards.iter().collect();
    if let Some(twice) = twice(&consortium.stewards) {
        return refused(format!("the steward {twice} is given twice"));
    }
    let (threshold, all) = (consortium.threshold, stewards.len());
    if !(1..=all).contains(&usize::try_from(threshold).unwrap_or(usize::MAX)) {
        return refused(format!(
            "--threshold {threshold}: it is from 1 to the number of stewards, which is {all}"
        ));
    }
    if consortium.version == 0 {
        return refused("--version 0: the first consortium is version 1".into());
    }
    // Those of a later version sign together with the ones that they replace.
    let public = keys.iter().map(|k| hex(k.verifying_key().as_bytes()));
    let stranger = public.into_iter().find(|k| !stewards.contains(k));
    match stranger {
        Some(key) if consortium.version == 1 => refused(format!(
            "the signing key with the public key {key} is no --steward's: the first consortium is signed by its own stewards"
        )),
        _ => Ok(()),
    }
}

/// How many stewards more must sign a first consortium; of others only the ledger knows.
pub fn still_to_sign(statement: &Statement, signed: usize) -> Option<usize> {
    match statement {
        Statement::Consortium(c) if c.version == 1 => {
            let threshold = usize::try_from(c.threshold).ok()?;
            threshold.checked_sub(signed).filter(|more| *more > 0)
        }
        _ => None,
    }
}

fn twice(keys: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    keys.iter().find(|key| !seen.insert(*key))
}

/// Refuses to add a signature to another statement than the one given.
pub fn same(own: &Statement, earlier: &Envelope, path: &Path) -> Result<()> {
    let read = |payload: &[u8]| serde_json::from_slice::<Value>(payload).unwrap_or_default();
    let kind = |payload_type: &str| {
        let end = payload_type.strip_prefix("application/vnd.galen.");
        end.unwrap_or(payload_type)
            .trim_end_matches(".v1+json")
            .to_owned()
    };
    let difference = if earlier.payload_type() == own.payload_type() {
        difference("", &read(earlier.payload()), &read(&own.payload()))
    } else {
        let theirs = kind(earlier.payload_type());
        Some(format!("its kind is {theirs}, and here {}", own.kind()))
    };
    match difference {
        Some(what) => {
            let why = format!("{} states something else: {what}", path.display());
            Err(refusal("usage.AddTo", why))
        }
        None => Ok(()),
    }
}

/// The first field that differs, by its path.
fn difference(at: &str, theirs: &Value, own: &Value) -> Option<String> {
    let (Value::Object(left), Value::Object(right)) = (theirs, own) else {
        return (theirs != own).then(|| format!("its `{at}` is {theirs}, and here {own}"));
    };
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    names.into_iter().find_map(|name| {
        let dot = if at.is_empty() { "" } else { "." };
        difference(&format!("{at}{dot}{name}"), &theirs[name], &own[name])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_field_that_differs_is_named() {
        let one = json!({ "name": "A", "query": { "sql": "x", "title": "t" } });
        assert_eq!(difference("", &one, &one), None);
        let other = json!({ "name": "A", "query": { "sql": "y", "title": "t" } });
        let told = difference("", &one, &other).unwrap();
        assert_eq!(told, "its `query.sql` is \"x\", and here \"y\"");
        let less = json!({ "name": "A" });
        assert!(difference("", &less, &one).unwrap().contains("`query`"));
    }
}
