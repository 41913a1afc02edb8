//! What manifest, registration and bundle have in common: a format line, and what they were made for.

use galen_params::VerifyingSet;
use galen_query::{
    ReadError,
    text::{hex, parse_json},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{VerifyError, manifest::Dataset};

/// The warning in every bundle and registration made with a development set.
pub const INSECURE: &str =
    "INSECURE: made with development parameters, whose maker could forge any answer";

/// A kind of document: its name in errors, and the format line that is understood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) what: &'static str,
    pub(crate) format: &'static str,
    /// Its formats before, which nobody reads any more, and what to do about one.
    pub(crate) old: (&'static [&'static str], &'static str),
    /// A document larger than so many bytes is refused unread.
    pub(crate) limit: usize,
}

/// What is left to do with a table that was committed in an older format.
pub(crate) const COMMIT_AGAIN: &str = "commit the table again as a new epoch";

/// All that is read of a document of another format.
#[derive(Deserialize)]
struct Head {
    format: String,
}

impl Kind {
    /// Reads a document. One of another format is refused for that, whatever else stands in it.
    pub(crate) fn read<T: DeserializeOwned + Serialize>(
        &self,
        bytes: &[u8],
    ) -> Result<T, VerifyError> {
        parse_json(bytes, self.what, self.limit).map_err(|error| match error {
            // Only of a document that is not too large is anything parsed.
            ReadError::Json { .. } => self.another_format(bytes).unwrap_or_else(|| error.into()),
            _ => error.into(),
        })
    }

    /// What is wrong with the format line, if there is one.
    fn another_format(&self, bytes: &[u8]) -> Option<VerifyError> {
        let head: Head = serde_json::from_slice(bytes).ok()?;
        self.check_format(&head.format).err()
    }

    pub(crate) fn check_format(&self, format: &str) -> Result<(), VerifyError> {
        let (what, expected) = (self.what, self.format);
        let (old, cure) = self.old;
        match format {
            _ if format == expected => Ok(()),
            _ if old.contains(&format) => Err(VerifyError::Old { what, cure }),
            _ => Err(VerifyError::Format { what, expected }),
        }
    }
}

/// What a document with proofs says that it was made for.
pub(crate) struct MadeFor<'a> {
    pub(crate) kind: &'a Kind,
    /// Its format line.
    pub(crate) format: &'a str,
    /// Parameter-set id, hex.
    pub(crate) parameter_set: &'a str,
    /// The warning about development parameters.
    pub(crate) warning: Option<&'a str>,
    /// Manifest digest, hex.
    pub(crate) manifest: &'a str,
}

impl MadeFor<'_> {
    /// Checks it against the dataset and the parameter set at hand.
    pub(crate) fn check(&self, dataset: &Dataset, keys: &VerifyingSet) -> Result<(), VerifyError> {
        let what = self.kind.what;
        self.kind.check_format(self.format)?;
        let (expected, got) = (hex(keys.id()), self.parameter_set.to_owned());
        if expected != got {
            return Err(VerifyError::ParameterSet {
                what,
                expected,
                got,
            });
        }
        if self.warning != keys.is_insecure().then_some(INSECURE) {
            return Err(VerifyError::Warning { what });
        }
        let (expected, got) = (hex(&dataset.digest), self.manifest.to_owned());
        if expected != got {
            return Err(VerifyError::AnotherDataset {
                what,
                expected,
                got,
            });
        }
        Ok(())
    }
}
