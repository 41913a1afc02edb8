//! Every refused construct with its message: snapshots to read through.

#![allow(clippy::unwrap_used)]

mod conditions;
mod habits;
mod queries;

use galen_query::{query::parse_query, registry::Registry};

/// For each text that is shown and query that is refused, the text and the message below it.
fn messages<'a>(refused: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let registry = Registry::from_toml(include_str!("../study.toml")).unwrap();
    let mut text = String::new();
    for (shown, sql) in refused {
        let answer = match parse_query(&sql, &registry) {
            Ok(query) => format!("ACCEPTED {query:?}"),
            Err(e) => e.to_string(),
        };
        text += &format!("{shown}\n    {answer}\n");
    }
    assert!(!text.contains("ACCEPTED"), "{text}");
    text
}
