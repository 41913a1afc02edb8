//! Reading the registry file.

use super::check::Checker;
use super::raw::{RawFile, line_of};
use super::{Registry, RegistryError};

/// The longest registry file, bytes.
pub const MAX_BYTES: usize = 1 << 20;

impl Registry {
    /// Reads a registry file (`docs/spec/registry.md`).
    ///
    /// # Errors
    /// When the text is not TOML, has unknown or missing fields, contradicts itself, or exceeds
    /// a limit. The error names the line, the table and the field, and says what to do.
    pub fn from_toml(text: &str) -> Result<Self, RegistryError> {
        if text.len() > MAX_BYTES {
            return Err(RegistryError::TooLarge {
                what: "bytes of registry file",
                found: text.len(),
                limit: MAX_BYTES,
                help: "split long code lists off or shorten titles and labels",
            });
        }
        let raw: RawFile = toml::from_str(text).map_err(|e| syntax(text, &e))?;
        let mut registry = Checker::new(text).registry(raw)?;
        registry.digest = registry.compute_digest();
        Ok(registry)
    }
}

/// The line for people, where it is one of TOML.
fn quoted(line: &str) -> String {
    if line.contains('=') || line.starts_with('[') {
        let shown: String = line.chars().take(80).collect();
        format!("; the line is `{shown}`")
    } else {
        String::new()
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> RegistryError {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let source = text[line_start..].lines().next().unwrap_or_default();
    let (line, column) = (line_of(text, at), before[line_start..].chars().count() + 1);
    // A patient table or a secret key given by mistake is not repeated.
    if !text.lines().any(|l| l.trim().starts_with("[registry]")) {
        return RegistryError::Syntax {
            line,
            column,
            message: "is this a registry? It has no table [registry]".into(),
        };
    }
    RegistryError::Syntax {
        line,
        column,
        message: format!(
            "{}{}",
            error
                .message()
                .trim()
                .replace('\n', "; ")
                .replace("u32", "a whole number"),
            quoted(source.trim()),
        ),
    }
}
