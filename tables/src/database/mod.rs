//! A PostgreSQL database as a source: its tables, all of one snapshot, read where the SQL names them.

mod columns;
mod connect;
mod filter;
mod table;

use std::sync::Arc;

use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use serde::Serialize;

use crate::columns::type_name;
use crate::error::TablesError;
use crate::mapping::DatabaseSource;
use crate::source::SourceColumns;
use columns::TableColumns;
pub(crate) use connect::Database;
use table::DatabaseTable;

/// A database as it was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The source's name in the mapping.
    pub source: String,
    /// The server's version, as in `15.8`.
    pub server: String,
    /// The moment of the snapshot that all tables were read from, by the server's clock, in UTC.
    pub taken: String,
}

/// Connects to the database and registers its tables: as `name.table`, and as `table` where no file source has
/// that name.
///
/// # Errors
/// [`TablesError::Database`].
pub(crate) async fn register(
    session: &SessionContext,
    source: &DatabaseSource,
) -> Result<(Database, Vec<SourceColumns>), TablesError> {
    let database = Database::connect(source).await?;
    let tables = columns::list(&database).await?;
    let fail = |e: datafusion::common::DataFusionError| database.error(e.strip_backtrace());
    let schema = MemorySchemaProvider::new();
    for table in &tables {
        let provider = Arc::new(DatabaseTable::new(&database, table));
        schema
            .register_table(table.name.clone(), Arc::clone(&provider) as _)
            .map_err(fail)?;
        let bare = TableReference::bare(table.name.as_str());
        if !session.table_exist(bare.clone()).map_err(fail)? {
            session.register_table(bare, provider).map_err(fail)?;
        }
    }
    let catalog = session
        .catalog("datafusion")
        .ok_or_else(|| database.error("the engine has no catalog".to_owned()))?;
    catalog
        .register_schema(&source.name, Arc::new(schema))
        .map_err(fail)?;
    let seen = tables.iter().map(|t| source_columns(source, t)).collect();
    Ok((database, seen))
}

fn source_columns(source: &DatabaseSource, table: &TableColumns) -> SourceColumns {
    let columns = table.columns.iter();
    SourceColumns {
        name: format!("{}.{}", source.name, table.name),
        files: Vec::new(),
        columns: columns
            .map(|c| (c.name.clone(), type_name(&c.data_type)))
            .collect(),
    }
}
