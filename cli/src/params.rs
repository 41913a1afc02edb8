//! Opening development parameters, the same way for every command.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use galen_params::{ParameterStore, Shape, default_cache};

use crate::{output::Output, progress::Bars};

/// What is said wherever development parameters are used.
pub const INSECURE: &str = "\
INSECURE development parameters: they were made on one machine, and whoever made them could have
kept the secrets that forge any answer. Use them to try Galen out, never for real patients.";

/// Where parameters are kept.
#[derive(Debug, Clone, clap::Args)]
pub struct Cache {
    /// Folder for parameter sets [default: the user's cache folder]
    #[arg(long = "cache", value_name = "DIR", env = "GALEN_CACHE")]
    folder: Option<PathBuf>,
}

impl Cache {
    /// The folder given, or the user's.
    pub fn folder(&self) -> Result<PathBuf> {
        match &self.folder {
            Some(folder) => Ok(folder.clone()),
            None => Ok(default_cache()?),
        }
    }

    /// The folder given, if any.
    pub fn given(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Opens the development set, making what is missing.
    pub fn open(&self, shape: Shape, output: &Output) -> Result<ParameterStore> {
        let folder = self.folder()?;
        ParameterStore::open_development(&folder, shape, &Bars::new(output))
            .with_context(|| format!("development parameters in {}", folder.display()))
    }
}

/// Reads `--shape`.
pub fn parse_shape(text: &str) -> Result<Shape, String> {
    Shape::from_name(text).ok_or_else(|| {
        let all: Vec<String> = Shape::ALL.iter().map(ToString::to_string).collect();
        format!(
            "the shapes are {}, each for so many patients at most",
            all.join(", ")
        )
    })
}
