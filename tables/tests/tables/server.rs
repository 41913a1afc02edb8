//! A PostgreSQL server for the tests, named by GALEN_TEST_POSTGRES (see `.ci/postgres`), and the program over it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use tokio::runtime::Runtime;

use crate::common::{Folder, query};

/// A database of a test's own, with one connection to it.
pub struct Server {
    runtime: Runtime,
    connection: PgConnection,
    /// Its URL, which the program is given.
    pub url: String,
    pub name: String,
}

impl Server {
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var("GALEN_TEST_POSTGRES") else {
            eprintln!("skipped: GALEN_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!(
            "tables_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let options: PgConnectOptions = url.parse().unwrap();
        let connection = runtime.block_on(async {
            let mut first = options.clone().connect().await.unwrap();
            let create = format!("CREATE DATABASE {name}");
            first.execute(AssertSqlSafe(create)).await.unwrap();
            options.database(&name).connect().await.unwrap()
        });
        let url = url.replace("/postgres?", &format!("/{name}?"));
        assert!(url.contains(&name), "the URL names the database postgres");
        Some(Self {
            runtime,
            connection,
            url,
            name,
        })
    }

    pub fn run(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }

    pub fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let row = self
            .runtime
            .block_on(self.connection.fetch_one(sql))
            .unwrap();
        row.try_get(0).unwrap()
    }

    /// Loads a CSV with a header as COPY does.
    pub fn load(&mut self, table: &str, csv: &[u8]) {
        let sql = format!("COPY {table} FROM STDIN WITH (FORMAT csv, HEADER)");
        self.runtime.block_on(async {
            let mut copy = self.connection.copy_in_raw(&sql).await.unwrap();
            copy.send(csv).await.unwrap();
            copy.finish().await.unwrap();
        });
    }

    /// Runs `galen-tables build` over a mapping with the database as `omop`.
    pub fn build(&self, folder: &Folder, sql: &str) -> Output {
        let mapping = format!(
            "[mapping]\ntitle = \"test\"\nsql = \"\"\"{sql}\"\"\"\n[source.omop]\nurl_env = \"OMOP_URL\"\n"
        );
        std::fs::write(folder.path("db.toml"), mapping).unwrap();
        program(
            &folder.path("db.toml"),
            &folder.path("db.parquet"),
            &self.url,
        )
        .output()
        .unwrap()
    }

    pub fn rows(&self, folder: &Folder, sql: &str) -> Vec<Vec<String>> {
        let output = self.build(folder, sql);
        assert!(output.status.success(), "{}", text(&output));
        query(&folder.path("db.parquet"), "SELECT * FROM t")
    }

    /// What is said where nothing is built.
    pub fn refused(&self, folder: &Folder, sql: &str) -> String {
        let output = self.build(folder, sql);
        assert!(!output.status.success());
        assert!(!folder.path("db.parquet").exists());
        text(&output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let options: PgConnectOptions = std::env::var("GALEN_TEST_POSTGRES")
            .unwrap()
            .parse()
            .unwrap();
        self.runtime.block_on(async {
            if let Ok(mut first) = options.connect().await {
                let _ = first.execute(AssertSqlSafe(drop)).await;
            }
        });
    }
}

pub fn program(mapping: &Path, out: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galen-tables"));
    command
        .arg("build")
        .arg(mapping)
        .arg("--out")
        .arg(out)
        .env("OMOP_URL", url);
    command
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
