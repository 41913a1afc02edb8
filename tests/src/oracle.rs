//! SQLite as an independent engine over the plain table. Booleans are stored as 0 and 1, codes and
//! dates as text, numbers as integers in units of 10^-decimals, so that all its sums are exact.

use std::{collections::BTreeMap, sync::Mutex};

use sqlx::{
    AssertSqlSafe, Connection, Row, SqliteConnection,
    sqlite::{SqliteArguments, SqliteRow},
};
use tokio::runtime::Runtime;

use crate::plain::{PlainTable, Value};

/// A loaded table.
pub struct Oracle {
    runtime: Runtime,
    connection: Mutex<SqliteConnection>,
    table: String,
}

/// What SQLite says of one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// The keys as text; booleans as `0` and `1`.
    pub keys: Vec<Option<String>>,
    /// `count(*)`.
    pub count: i64,
    /// By column.
    pub columns: BTreeMap<String, Sums>,
}

/// `count(c)`, and `sum(c)`, `sum(c*c)` where the column is numeric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// `count(c)`.
    pub count: i64,
    /// `sum(c)` in units; `None` for NULL.
    pub sum: Option<i64>,
    /// `sum(c*c)` in squared units; `None` for NULL.
    pub squares: Option<i64>,
}

impl Oracle {
    /// Loads `table` under `name` into memory.
    #[must_use]
    pub fn load(name: &str, table: &PlainTable) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let connection = runtime.block_on(fill(name, table)).unwrap();
        Self {
            runtime,
            connection: Mutex::new(connection),
            table: name.into(),
        }
    }

    /// The rows of a query for a text and two integers.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Vec<(Option<String>, i64, i64)> {
        let mut connection = self.connection.lock().unwrap();
        let rows = self
            .runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut *connection))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        rows.iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect()
    }

    /// `columns` names each wanted column and whether it is numeric. Only consenting patients count.
    #[must_use]
    pub fn groups(&self, keys: &[&str], columns: &[(&str, bool)], condition: &str) -> Vec<Group> {
        let mut outputs: Vec<String> = keys.iter().map(|k| format!("CAST({k} AS TEXT)")).collect();
        outputs.push("count(*)".into());
        for (c, numeric) in columns {
            outputs.push(format!("count({c})"));
            if *numeric {
                outputs.push(format!("sum({c})"));
                outputs.push(format!("sum({c}*{c})"));
            }
        }
        let group_by = if keys.is_empty() {
            String::new()
        } else {
            format!(" GROUP BY {}", keys.join(", "))
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE consent = 1 AND ({condition}){group_by}",
            outputs.join(", "),
            self.table
        );
        let mut connection = self.connection.lock().unwrap();
        let rows = self
            .runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.clone())).fetch_all(&mut *connection))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        rows.iter().map(|row| group(row, keys, columns)).collect()
    }
}

fn group(row: &SqliteRow, keys: &[&str], columns: &[(&str, bool)]) -> Group {
    let mut at = keys.len();
    let mut next = || -> Option<i64> {
        at += 1;
        row.get(at - 1)
    };
    Group {
        count: next().unwrap(),
        columns: columns
            .iter()
            .map(|(c, numeric)| {
                let sums = Sums {
                    count: next().unwrap(),
                    sum: numeric.then(&mut next).flatten(),
                    squares: numeric.then(&mut next).flatten(),
                };
                ((*c).to_owned(), sums)
            })
            .collect(),
        keys: (0..keys.len()).map(|i| row.get(i)).collect(),
    }
}

async fn fill(name: &str, table: &PlainTable) -> Result<SqliteConnection, sqlx::Error> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
    let create = format!("CREATE TABLE {name} ({})", table.columns.join(", "));
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut connection)
        .await?;
    let places = vec!["?"; table.columns.len()].join(", ");
    let insert = format!("INSERT INTO {name} VALUES ({places})");
    for row in &table.rows {
        let mut query = sqlx::query::<_>(AssertSqlSafe(insert.clone()))
            as sqlx::query::Query<'_, sqlx::Sqlite, SqliteArguments>;
        for value in row {
            query = match value {
                Value::Null => query.bind(None::<i64>),
                Value::Bool(b) => query.bind(i64::from(*b)),
                Value::Text(t) => query.bind(t.clone()),
                Value::Number { units, .. } => query.bind(*units),
            };
        }
        query.execute(&mut connection).await?;
    }
    Ok(connection)
}
