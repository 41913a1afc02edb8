//! What the crate's tests share.

use galen_query::registry::Registry;
use toml::{Table, Value};

/// A registry from TOML; tests that do not care may leave name and version out.
pub(crate) fn registry(text: &str) -> Registry {
    let mut toml: Table = text.parse().unwrap();
    let head = toml["registry"].as_table_mut().unwrap();
    head.entry("name").or_insert_with(|| Value::from("test"));
    head.entry("version").or_insert_with(|| Value::from(1));
    Registry::from_toml(&toml::to_string(&toml).unwrap()).unwrap()
}
