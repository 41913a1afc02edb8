//! Shared by the tests: a scratch directory, and SQL over a built table.

use std::path::Path;

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::{ParquetReadOptions, SessionContext};

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
