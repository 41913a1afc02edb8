//! Which tables a schema has, and how their columns are read.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use sqlx::Row;

use super::connect::{Database, message};
use crate::error::TablesError;

/// A table's columns, in its order.
#[derive(Debug, Clone)]
pub(super) struct TableColumns {
    pub(super) name: String,
    pub(super) columns: Vec<TableColumn>,
}

/// A column and the type that it is read as.
#[derive(Debug, Clone)]
pub(super) struct TableColumn {
    pub(super) name: String,
    pub(super) data_type: DataType,
    /// Whether the server writes it as text, since its own form is another.
    pub(super) as_text: bool,
    /// Whether the server orders its values as the engine does.
    pub(super) ordered: bool,
}

const LIST: &str = "\
SELECT c.relname, a.attname,
       CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
ORDER BY c.relname, a.attnum";

/// All tables and views of the database's schema.
///
/// # Errors
/// [`TablesError::Database`], also where there is none.
pub(super) async fn list(database: &Database) -> Result<Vec<TableColumns>, TablesError> {
    let fail = |e: sqlx::Error| database.error(message(&e));
    let mut keeper = database.keeper().await;
    let rows = sqlx::query(LIST)
        .bind(database.schema())
        .fetch_all(&mut *keeper)
        .await
        .map_err(fail)?;
    let mut tables: Vec<TableColumns> = Vec::new();
    for row in rows {
        let table: String = row.try_get(0).map_err(fail)?;
        let kind: String = row.try_get(2).map_err(fail)?;
        let column = column(
            row.try_get(1).map_err(fail)?,
            &kind,
            row.try_get(3).map_err(fail)?,
        );
        match tables.last_mut() {
            Some(last) if last.name == table => last.columns.push(column),
            _ => tables.push(TableColumns {
                name: table,
                columns: vec![column],
            }),
        }
    }
    if tables.is_empty() {
        return Err(database.error(format!(
            "its schema `{}` has no tables, or they may not be seen by this user: name another one with schema = \"…\"",
            database.schema()
        )));
    }
    Ok(tables)
}

/// How a column of PostgreSQL's type `kind` is read: whole numbers as 64 bits and others as a CSV's, so that a
/// table is the same from either.
fn column(name: String, kind: &str, modifier: i32) -> TableColumn {
    let (data_type, as_text, ordered) = match kind {
        "int2" | "int4" | "int8" => (DataType::Int64, false, true),
        "float4" | "float8" => (DataType::Float64, false, false),
        "numeric" => (numeric(modifier), false, false),
        "bool" => (DataType::Boolean, true, true),
        "date" => (DataType::Date32, false, true),
        "timestamp" => (
            DataType::Timestamp(TimeUnit::Microsecond, None),
            false,
            false,
        ),
        "timestamptz" => (
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            false,
            false,
        ),
        "text" | "varchar" => (DataType::Utf8, false, false),
        _ => (DataType::Utf8, true, false),
    };
    TableColumn {
        name,
        data_type,
        as_text,
        ordered,
    }
}

/// A `numeric` that says its digits is a decimal; one that does not may have any, and is read as a CSV's number.
fn numeric(modifier: i32) -> DataType {
    let declared = u32::try_from(modifier - 4).ok();
    let precision = declared.and_then(|m| u8::try_from(m >> 16).ok());
    let scale = declared.and_then(|m| i8::try_from(m & 0x7ff).ok());
    match (precision, scale) {
        (Some(p), Some(s)) if modifier >= 4 && p <= 38 && s >= 0 && s.unsigned_abs() <= p => {
            DataType::Decimal128(p, s)
        }
        _ => DataType::Float64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_is_read_by_its_digits() {
        // As PostgreSQL packs them: precision << 16 | scale, plus 4; -1 without any.
        assert_eq!(numeric((5 << 16 | 1) + 4), DataType::Decimal128(5, 1));
        assert_eq!(numeric((38 << 16) + 4), DataType::Decimal128(38, 0));
        assert_eq!(numeric((60 << 16 | 1) + 4), DataType::Float64);
        assert_eq!(numeric(-1), DataType::Float64);
    }
}
