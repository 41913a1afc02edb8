//! From a mapping to a planned query: the session, its tables, the SQL checked and
//! its result's columns settled.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{LogicalPlan, TableScan};
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast;

use crate::columns::table_schema;
use crate::concepts::{self, Named};
use crate::database::{self, Database, Snapshot};
use crate::engine_error::{self, plan_message};
use crate::error::TablesError;
use crate::exact;
use crate::mapping::{Mapping, Otherwise, directory};
use crate::progress::{Meter, Watch};
use crate::quality::Layout;
use crate::source::{SourceColumns, Warning, register};

/// A mapping's query, ready to run.
pub(crate) struct Planned {
    pub(crate) frame: DataFrame,
    /// The result's schema, with its types as they can be written.
    pub(crate) schema: SchemaRef,
    /// The table's: the result's, or what a registry wants of it.
    pub(crate) table: SchemaRef,
    /// Where the result has what the registry wants.
    pub(crate) layout: Option<Layout>,
    /// What the report counts: titles and queries.
    pub(crate) counts: Vec<(String, DataFrame)>,
    /// What there should be none of: what it is, what is done where there is some, and the query that counts it.
    pub(crate) expected: Vec<(String, Otherwise, DataFrame)>,
    pub(crate) sources: Vec<SourceColumns>,
    pub(crate) warnings: Vec<String>,
    /// Keeps the snapshot until the query has run.
    database: Option<Database>,
}

impl Planned {
    /// The moment of the database, where one is read.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.database.as_ref().map(Database::seen)
    }

    /// The database, whose snapshot has to be ended.
    pub(crate) fn database(&self) -> Option<Database> {
        self.database.clone()
    }
}

/// Where the engine may put what does not fit its memory, and how much memory that is.
pub(crate) struct Resources {
    pub(crate) memory_mib: usize,
    pub(crate) spill: Option<PathBuf>,
    pub(crate) watch: Watch,
}

/// Registers the mapping's sources, which lie under `source_dir` or beside the mapping,
/// and plans its SQL.
pub(crate) async fn plan(
    mapping: &Mapping,
    mapping_file: &Path,
    source_dir: Option<&Path>,
    resources: &Resources,
) -> Result<Planned, TablesError> {
    let fail = |message: String| TablesError::Sql {
        file: mapping.sql_file.clone(),
        message,
    };
    let mut warnings = check_statement(&mapping.sql).map_err(fail)?;
    let session = session(resources)?;
    let looking = |name: &str| resources.watch.tell(&format!("looking at {name}"), 0, None);
    let base = source_dir.unwrap_or_else(|| directory(mapping_file));
    let mut about_sources = Vec::new();
    let mut sources = Vec::with_capacity(mapping.sources.len());
    for source in &mapping.sources {
        looking(&source.name);
        sources.push(register(&session, source, base, &mut about_sources).await?);
    }
    let mut database = None;
    for source in &mapping.databases {
        looking(&source.name);
        let (connected, tables) = database::register(&session, source).await?;
        database = Some(connected);
        sources.extend(tables);
    }
    concepts::register(&session, &mapping.concept_sets).await?;
    let of_section = |section: &str, title: &str, message: String| TablesError::Sql {
        file: mapping_file.to_owned(),
        message: format!("[[{section}]] `{title}`: {message}"),
    };
    for view in &mapping.views {
        let fail = |message: String| of_section("view", &view.name, message);
        if session
            .table_exist(view.name.as_str())
            .map_err(|e| fail(e.strip_backtrace()))?
        {
            return Err(fail(
                "another table has this name: choose another one".to_owned(),
            ));
        }
        let frame = query(&session, &view.sql, &sources).await.map_err(fail)?;
        session
            .register_table(view.name.as_str(), frame.into_view())
            .map_err(|e| fail(e.strip_backtrace()))?;
    }
    let frame = query(&session, &mapping.sql, &sources)
        .await
        .map_err(fail)?;
    // Type coercion, and with it most type errors, comes with the optimizer: before it a CASE or a UNION has the type
    // of its first branch, into which the others would be cut.
    let optimized = frame
        .clone()
        .into_optimized_plan()
        .map_err(|e| fail(plan_message(&e, &mapping.sql, &sources)))?;
    let schema = table_schema(optimized.schema().as_arrow(), &mapping.patient_id)?;
    let layout = match &mapping.wanted {
        None => None,
        Some(wanted) => Some(wanted.lay_out(&schema, &mut warnings)?),
    };
    let mut counts = Vec::with_capacity(mapping.counts.len());
    for count in &mapping.counts {
        let planned = query(&session, &count.sql, &sources).await;
        let planned = planned.map_err(|m| of_section("count", &count.title, m))?;
        counts.push((count.title.clone(), planned));
    }
    let mut expected = Vec::with_capacity(mapping.expected.len());
    for expect in &mapping.expected {
        let planned = query(&session, &expect.sql, &sources).await;
        let planned = planned.map_err(|m| of_section("expect", &expect.title, m))?;
        let fields = planned.schema().fields();
        if fields.len() != 1 || !fields[0].data_type().is_integer() {
            let message = "it gives no whole number alone: write SELECT count(*) FROM … WHERE …, of what there should be \
                           none";
            return Err(of_section("expect", &expect.title, message.to_owned()));
        }
        expected.push((expect.title.clone(), expect.otherwise, planned));
    }
    let read = columns_read(&optimized)?;
    let told = |w: &Warning| w.column.as_ref().is_none_or(|column| read.contains(column));
    warnings.extend(about_sources.into_iter().filter(told).map(|w| w.text));
    let queries = counts.iter().map(|(_, frame)| frame);
    let queries = queries.chain(expected.iter().map(|(_, _, frame)| frame));
    let queries = queries.chain([&frame]);
    let sources = keep_used(sources, queries.map(DataFrame::logical_plan), mapping)?;
    if !mapping.concept_sets.is_empty() && !read.iter().any(|(table, _)| table == concepts::ITEMS) {
        warnings.push(format!(
            "the SQL reads neither {} nor {}: its columns mean something else than the mapping's concept sets",
            concepts::EXPANDED,
            concepts::ITEMS
        ));
    }
    warnings.extend(mapping.concept_sets.iter().flat_map(Named::notes));
    let table = layout.as_ref().map_or(&schema, |l| &l.schema).clone();
    Ok(Planned {
        frame,
        schema,
        table,
        layout,
        counts,
        expected,
        sources,
        warnings,
        database,
    })
}

/// A query planned: one SELECT, in which nothing is compared that PostgreSQL does not compare.
///
/// # Errors
/// What is wrong, with its place.
async fn query(
    session: &SessionContext,
    sql: &str,
    sources: &[SourceColumns],
) -> Result<DataFrame, String> {
    check_statement(sql)?;
    let select_only = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let message = |e| plan_message(&e, sql, sources);
    let frame = session
        .sql_with_options(sql, select_only)
        .await
        .map_err(message)?;
    exact::check_comparisons(frame.logical_plan()).map_err(message)?;
    Ok(frame)
}

/// Shows each scan of a table in a plan, those of its subqueries too.
fn for_each_scan(plan: &LogicalPlan, mut each: impl FnMut(&TableScan)) -> Result<(), TablesError> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            each(scan);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(|e| TablesError::Run(e.strip_backtrace()))?;
    Ok(())
}

/// The tables' columns that an optimized plan reads.
fn columns_read(plan: &LogicalPlan) -> Result<HashSet<(String, String)>, TablesError> {
    let mut read = HashSet::new();
    for_each_scan(plan, |scan| {
        let columns = scan.projected_schema.fields().iter();
        let table = scan.table_name.table();
        read.extend(columns.map(|c| (table.to_owned(), c.name().clone())));
    })?;
    Ok(read)
}

/// The sources without the tables of a database that no query names: there may be hundreds.
fn keep_used<'a>(
    sources: Vec<SourceColumns>,
    plans: impl Iterator<Item = &'a LogicalPlan>,
    mapping: &Mapping,
) -> Result<Vec<SourceColumns>, TablesError> {
    let mut named = HashSet::new();
    for plan in plans {
        for_each_scan(plan, |scan| {
            named.insert(scan.table_name.table().to_owned());
        })?;
    }
    let is_file = |s: &SourceColumns| mapping.sources.iter().any(|f| f.name == s.name);
    let is_named = |s: &SourceColumns| {
        let table = s.name.split_once('.').map_or("", |(_, table)| table);
        named.contains(table)
    };
    Ok(sources
        .into_iter()
        .filter(|s| is_file(s) || is_named(s))
        .collect())
}

/// One query and nothing else; the warnings are about its order.
fn check_statement(sql: &str) -> Result<Vec<String>, String> {
    let statements = DFParser::parse_sql(sql).map_err(|e| plan_message(&e, sql, &[]))?;
    let query = match (statements.front(), statements.len()) {
        (Some(Statement::Statement(statement)), 1) => match statement.as_ref() {
            ast::Statement::Query(query) => Some(query),
            _ => None,
        },
        (None, _) => return Err("it is empty: write one SELECT".to_owned()),
        _ => None,
    };
    let query = query.ok_or(
        "it must be one SELECT (WITH … SELECT too): nothing that creates, changes, copies, sets \
         or explains, and no second statement",
    )?;
    if query.order_by.is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![
        "the SQL has no ORDER BY, so another run may order the rows otherwise and give another \
         SHA-256: end it with ORDER BY and the patient id"
            .to_owned(),
    ])
}

/// One partition per core, UTC whatever the machine's zone, plain UTF-8 text, and
/// spill files, which hold patients' rows, only in `resources.spill`.
pub(crate) fn session(resources: &Resources) -> Result<SessionContext, TablesError> {
    let mut config = SessionConfig::new().with_extension(Arc::new(Meter::default()));
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    // Parquet's least and greatest values leave out NaN, and the engine would take them for those of all rows.
    options.execution.collect_statistics = false;
    options.execution.parquet.pruning = false;
    options.execution.parquet.enable_page_index = false;
    options.sql_parser.collect_spans = true;
    let mode = match &resources.spill {
        Some(directory) => DiskManagerMode::Directories(vec![directory.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let bytes = resources.memory_mib.saturating_mul(1024 * 1024);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(bytes)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode))
        .build_arc()
        .map_err(|e| engine_error::starting(&e))?;
    let session = SessionContext::new_with_config_rt(config, runtime);
    exact::install(&session);
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_select_passes() {
        for sql in [
            "CREATE TABLE t AS SELECT 1",
            "INSERT INTO t VALUES (1)",
            "DELETE FROM t",
            "COPY t TO 'x.parquet'",
            "SET datafusion.execution.batch_size = 1",
            "RESET datafusion.execution.batch_size",
            "EXPLAIN SELECT 1",
            "SHOW TABLES",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x'",
            "SELECT 1; SELECT 2",
            "",
            "-- nothing",
        ] {
            let message = check_statement(sql).unwrap_err();
            assert!(message.contains("one SELECT"), "{sql}: {message}");
        }
        assert!(check_statement("SELECT 1 ORDER BY 1;").unwrap().is_empty());
        assert_eq!(
            check_statement("WITH a AS (SELECT 1) SELECT * FROM a")
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn a_syntax_error_shows_its_place() {
        let message = check_statement("SELECT a\n  FRM t").unwrap_err();
        assert!(
            message.contains("line 2") && message.contains('^'),
            "{message}"
        );
    }
}
