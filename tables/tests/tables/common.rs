//! Shared by the tests: a folder of sources, and SQL over a built table.

use std::path::{Path, PathBuf};

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use galen_tables::{Report, TablesError, build};
use tempfile::TempDir;

/// A folder of source files, and what is built from it.
pub struct Folder(TempDir);

impl Folder {
    /// With these files.
    pub fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, bytes) in files {
            std::fs::write(folder.path(name), bytes).unwrap();
        }
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A mapping of `sql` over one source `t`, with the lines `source` about it.
    pub fn mapping(&self, source: &str, sql: &str) -> PathBuf {
        let text = format!(
            "[mapping]\ntitle = \"test\"\nsql = \"\"\"{sql}\"\"\"\n[[source]]\nname = \"t\"\n{source}\n"
        );
        let path = self.path("mapping.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn build(&self, source: &str, sql: &str) -> Result<Report, TablesError> {
        build(&self.mapping(source, sql), None, &self.path("out.parquet"))
    }

    /// The rows that are built.
    pub fn rows(&self, source: &str, sql: &str) -> Vec<Vec<String>> {
        let report = self.build(source, sql).unwrap();
        query(&report.out, "SELECT * FROM t")
    }

    /// What is said where nothing is built; it may not hold any of `secrets`, and nothing is left behind.
    pub fn refused(&self, source: &str, sql: &str, secrets: &[&str]) -> String {
        let text = self.build(source, sql).unwrap_err().to_string();
        for secret in secrets {
            assert!(!text.contains(secret), "a value in: {text}");
        }
        assert!(!self.path("out.parquet").exists());
        text
    }
}

/// The rows `sql` gives over the Parquet file `table`, known as `t`; NULL is `-`.
pub fn query(table: &Path, sql: &str) -> Vec<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let session = SessionContext::new();
        let path = table.to_str().unwrap();
        session
            .register_parquet("t", path, ParquetReadOptions::default())
            .await
            .unwrap();
        let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
        let options = FormatOptions::new().with_null("-");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|c| c.value(row).to_string()).collect());
            }
        }
        rows
    })
}
