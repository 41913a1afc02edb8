//! Running a planned query: into the table's file, and past the counts that the reports are made from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::DataFrame;
use futures::StreamExt;
use galen_query::provenance::note_file;
use galen_query::text::hex;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Options;
use crate::columns::type_name;
use crate::engine_error;
use crate::error::{TablesError, told};
use crate::mapping::{Mapping, Otherwise};
use crate::plan::{self, Planned, Resources};
use crate::progress::{self, Reading};
use crate::provenance;
use crate::quality::{self, ColumnFindings, Counted, Judge, Quality, REPORT_FILES, Wanted};
use crate::report::{ColumnReport, Plan, ProblemReport, Report};
use crate::source::SourceColumns;
use crate::tally::Tally;
use crate::write::{self, TableWriter, Written};

/// Rows of a `[[count]]` that are shown.
const ROWS_COUNTED: usize = 100;

/// Builds the table.
pub(crate) async fn build(
    mapping_file: &Path,
    source_dir: Option<&Path>,
    out: &Path,
    options: &Options,
) -> Result<Report, TablesError> {
    let started = Instant::now();
    refuse_other_ending(out)?;
    let run = Run::plan(mapping_file, source_dir, out, options).await?;
    let mut written = vec![out.to_owned(), note_file(out)];
    written.extend(report_files(options));
    refuse_what_is_read(&run, mapping_file, &written)?;
    let table = TableWriter::create(out, &run.planned.table)?;
    let (mut warnings, sources) = (run.planned.warnings.clone(), run.planned.sources.clone());
    let (snapshot, title) = (run.planned.snapshot().cloned(), run.mapping.title.clone());
    let done = run.finish(Some(table)).await?;
    warnings.extend(done.warnings);
    let Written { bytes, sha256 } = done.written.unwrap_or_default();
    Ok(Report {
        title,
        sources,
        snapshot,
        rows: done.rows,
        columns: done.columns,
        out: out.to_owned(),
        note: note_file(out),
        bytes,
        sha256,
        report: options.report.clone(),
        seconds: started.elapsed().as_secs_f64(),
        warnings,
    })
}

/// Plans the SQL; runs it, too, where there is to be a report.
pub(crate) async fn check(
    mapping_file: &Path,
    source_dir: Option<&Path>,
    options: &Options,
) -> Result<Plan, TablesError> {
    // What the query spills lies beside the report.
    let beside = options.report.clone().unwrap_or_default();
    let run = Run::plan(mapping_file, source_dir, &beside, options).await?;
    refuse_what_is_read(&run, mapping_file, &report_files(options))?;
    let planned = &run.planned;
    let columns = planned.table.fields().iter();
    let mut plan = Plan {
        title: run.mapping.title.clone(),
        snapshot: planned.snapshot().cloned(),
        sources: planned.sources.clone(),
        columns: columns
            .map(|f| (f.name().clone(), type_name(f.data_type())))
            .collect(),
        rows: None,
        problems: Vec::new(),
        report: options.report.clone(),
        warnings: planned.warnings.clone(),
    };
    if options.report.is_some() {
        let done = run.finish(None).await?;
        plan.rows = Some(done.rows);
        plan.warnings.extend(done.warnings);
        plan.problems = done
            .columns
            .into_iter()
            .filter(|c| !c.problems.is_empty())
            .collect();
    }
    Ok(plan)
}

/// By its ending the prover knows what a table is.
fn refuse_other_ending(out: &Path) -> Result<(), TablesError> {
    let ending = out.extension().unwrap_or_default();
    // A folder is told as one.
    if ending.eq_ignore_ascii_case("parquet") || out.is_dir() {
        return Ok(());
    }
    Err(TablesError::Write {
        file: out.to_owned(),
        next: "the table is a Parquet file: end its name in .parquet",
        source: std::io::Error::from(std::io::ErrorKind::InvalidFilename),
    })
}

/// Refuses to write over what is read: the table, the note beside it, or a file of the report.
fn refuse_what_is_read(
    run: &Run<'_>,
    mapping_file: &Path,
    written: &[PathBuf],
) -> Result<(), TablesError> {
    let mapping = &run.mapping;
    let sets = mapping.concept_sets.iter().map(|s| s.file.as_path());
    let sources = run.planned.sources.iter().flat_map(|s| &s.files);
    let read = [mapping_file, &mapping.sql_file].into_iter().chain(sets);
    let read = read.chain(mapping.registry_file.as_deref());
    let read = read.chain(sources.map(|f| f.file.as_path()));
    let read: Vec<PathBuf> = read.filter_map(|r| r.canonicalize().ok()).collect();
    let written = written.iter().filter_map(|w| w.canonicalize().ok());
    for existing in written {
        if read.contains(&existing) {
            return Err(TablesError::Mapping {
                file: existing,
                message: "it is read, and also --out, the note beside that, or a file of --report, and would be replaced: \
                          choose another output"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// The files that a report will be.
fn report_files(options: &Options) -> Vec<PathBuf> {
    let folder = options.report.iter();
    folder
        .flat_map(|f| REPORT_FILES.iter().map(move |name| f.join(name)))
        .collect()
}

/// A mapping about to be run.
struct Run<'a> {
    mapping: Mapping,
    planned: Planned,
    /// The output, or what is beside it.
    out: PathBuf,
    options: &'a Options,
    /// Where the query spills; gone with it.
    _spill: Option<tempfile::TempDir>,
}

/// What came of it.
struct Done {
    rows: u64,
    columns: Vec<ColumnReport>,
    warnings: Vec<String>,
    written: Option<Written>,
}

impl<'a> Run<'a> {
    async fn plan(
        mapping_file: &Path,
        source_dir: Option<&Path>,
        out: &Path,
        options: &'a Options,
    ) -> Result<Self, TablesError> {
        let mapping = Mapping::read(mapping_file)?;
        if options.report.is_some() && mapping.wanted.is_none() {
            return Err(TablesError::Mapping {
                file: mapping_file.to_owned(),
                message: "--report shows the data against a registry: name it under [mapping], as registry = \
                          \"registry.toml\""
                    .to_owned(),
            });
        }
        let spill = match out.as_os_str().is_empty() {
            true => None,
            false => Some(write::spill_directory(out)?),
        };
        let resources = Resources {
            memory_mib: options.memory_mib,
            spill: spill.as_ref().map(|s| s.path().to_owned()),
            watch: options.watch.clone(),
        };
        let planned = plan::plan(&mapping, mapping_file, source_dir, &resources).await?;
        Ok(Self {
            mapping,
            planned,
            out: out.to_owned(),
            options,
            _spill: spill,
        })
    }

    /// Runs the query into the table, which is put in place only if the sources are still what was planned with, each
    /// patient has one row, and the registry takes all values.
    async fn finish(self, table: Option<TableWriter>) -> Result<Done, TablesError> {
        let (sources, database) = (self.planned.sources.clone(), self.planned.database());
        let unchanged = || sources.iter().try_for_each(SourceColumns::check_unchanged);
        let streamed = self.stream(table).await;
        if let Some(database) = database {
            database.end().await;
        }
        // A file that changed is the cause of whatever else went wrong.
        unchanged()?;
        let mut streamed = streamed?;
        let report = self.options.report.as_deref();
        let refused = self.refused(&streamed).err();
        if let (Some(folder), Some(wanted)) = (report, &self.mapping.wanted) {
            self.quality(wanted, &streamed, refused.as_ref())
                .write(folder)?;
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        let columns = self.columns(&streamed);
        let (rows, warnings) = (streamed.tally.rows, streamed.warnings.clone());
        let made = provenance::provenance(&self.mapping, &self.planned);
        let note = |sha256: &str| provenance::note(sha256, made);
        let written = match streamed.table.take().map(|table| table.finish(note)) {
            Some(Err(error)) => {
                // The report said that the table was there.
                if let (Some(folder), Some(wanted)) = (report, &self.mapping.wanted) {
                    self.quality(wanted, &streamed, Some(&error))
                        .write(folder)?;
                }
                return Err(error);
            }
            written => written.transpose()?,
        };
        Ok(Done {
            rows,
            columns,
            warnings,
            written,
        })
    }

    /// Whether the table may not be written: for its patients, its values, or what the mapping expects.
    fn refused(&self, streamed: &Streamed) -> Result<(), TablesError> {
        streamed.tally.check()?;
        let findings = streamed.findings.as_deref().unwrap_or_default();
        let mut problems = quality::rejected(findings);
        problems.extend(streamed.unexpected.iter().cloned());
        if problems.is_empty() {
            return Ok(());
        }
        let warnings = self.planned.warnings.iter().chain(&streamed.warnings);
        Err(TablesError::Rejected {
            problems,
            warnings: warnings.cloned().collect(),
            report: self.options.report.clone(),
        })
    }

    /// Streams the result into the table, if there is one. Once it proves to be none that can be kept, rows are only
    /// counted.
    async fn stream(&self, mut table: Option<TableWriter>) -> Result<Streamed, TablesError> {
        let failed =
            |e: DataFusionError| engine_error::running(&e, &self.out, self.options.memory_mib);
        // Texts become plain ones; no value may be lost by it.
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let planned = &self.planned;
        let mut tally = Tally::new(&planned.schema, &self.mapping.patient_id);
        let against = self.mapping.wanted.as_ref().zip(planned.layout.as_ref());
        let mut judge = against.map(|(wanted, layout)| Judge::new(wanted, layout.clone()));
        let context = Arc::new(planned.frame.task_ctx());
        let meter = progress::meter(context.session_config());
        meter.reset();
        let plan = planned.frame.clone().create_physical_plan().await;
        let plan = plan.map_err(failed)?;
        let reading = Reading::of(&plan, &planned.sources, meter);
        let (rows, total) = reading.now();
        self.options.watch.tell("reading", rows, total);
        let mut stream = execute_stream(plan, context).map_err(failed)?;
        while let Some(batch) = self.next(&mut stream, &reading).await {
            let batch = batch.map_err(failed)?;
            let mut columns = batch
                .columns()
                .iter()
                .zip(planned.schema.fields())
                .map(|(column, field)| cast_with_options(column, field.data_type(), &strict))
                .collect::<Result<Vec<ArrayRef>, _>>()
                .map_err(|e| failed(e.into()))?;
            tally
                .note(&columns, batch.num_rows())
                .map_err(|e| failed(e.into()))?;
            if let Some(judge) = &mut judge {
                columns = judge.take(&columns).map_err(|e| failed(e.into()))?;
            }
            let sound = tally.is_sound() && judge.as_ref().is_none_or(Judge::is_sound);
            if let Some(table) = table.as_mut().filter(|_| sound) {
                let batch = RecordBatch::try_new(planned.table.clone(), columns)
                    .map_err(|e| failed(e.into()))?;
                table.write(batch)?;
            }
        }
        self.options.watch.tell("counting", 0, None);
        let mut counts = Vec::new();
        if self.options.report.is_some() {
            for (title, frame) in &planned.counts {
                counts.push(counted(title, frame.clone()).await.map_err(failed)?);
            }
        }
        let (mut unexpected, mut warnings) = (Vec::new(), Vec::new());
        for (title, otherwise, frame) in &planned.expected {
            let Some(found) = found(title, frame.clone()).await.map_err(failed)? else {
                continue;
            };
            match otherwise {
                Otherwise::Reject => unexpected.push(found),
                Otherwise::Warn => warnings.push(found),
            }
        }
        let findings = judge.map(|j| j.findings());
        if let (Some(wanted), Some(findings)) = (&self.mapping.wanted, &findings) {
            warnings.extend(quality::nobody(&wanted.registry, findings));
        }
        Ok(Streamed {
            table,
            tally,
            findings,
            counts,
            unexpected,
            warnings,
        })
    }

    /// The next rows; who watches is told how far the reading is meanwhile.
    async fn next(
        &self,
        stream: &mut SendableRecordBatchStream,
        reading: &Reading,
    ) -> Option<Result<RecordBatch, DataFusionError>> {
        let mut ticks = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                biased;
                batch = stream.next() => return batch,
                _ = ticks.tick() => {
                    let (rows, total) = reading.now();
                    // Behind the reading, rows are sorted, joined and written.
                    let stage = if total.is_some_and(|t| rows >= t) { "computing" } else { "reading" };
                    self.options.watch.tell(stage, rows, total);
                }
            }
        }
    }

    /// The table's columns, without a value.
    fn columns(&self, streamed: &Streamed) -> Vec<ColumnReport> {
        let fields = self.planned.table.fields().iter().enumerate();
        let columns = fields.map(|(at, field)| {
            // The patient id comes first, and is no column of the findings.
            let found = streamed
                .findings
                .as_ref()
                .map(|f| at.checked_sub(1).and_then(|at| f.get(at)));
            let (nulls, problems) = match found {
                None => (streamed.tally.nulls[at], Vec::new()),
                Some(None) => (0, Vec::new()),
                Some(Some(found)) => (found.missing, problems(found)),
            };
            ColumnReport {
                name: field.name().clone(),
                data_type: type_name(field.data_type()),
                nulls,
                problems,
            }
        });
        columns.collect()
    }

    fn quality(
        &self,
        wanted: &Wanted,
        streamed: &Streamed,
        refused: Option<&TablesError>,
    ) -> Quality {
        let made = OffsetDateTime::now_utc();
        let made = made.replace_nanosecond(0).unwrap_or(made);
        Quality {
            notice: Quality::notice(),
            title: self.mapping.title.clone(),
            registry: wanted.registry.label(),
            registry_digest: hex(&wanted.registry.digest),
            mapping_sha256: self.mapping.sha256.clone(),
            version: env!("CARGO_PKG_VERSION"),
            made: made.format(&Rfc3339).unwrap_or_default(),
            sources: self.planned.sources.clone(),
            snapshot: self.planned.snapshot().cloned(),
            rows: streamed.tally.rows,
            refused: refused.map(|error| match error {
                TablesError::Rejected { .. } => "values were rejected".to_owned(),
                error => error.to_string(),
            }),
            columns: streamed.findings.clone().unwrap_or_default(),
            counts: streamed.counts.clone(),
            warnings: self
                .planned
                .warnings
                .iter()
                .chain(&streamed.warnings)
                .cloned()
                .collect(),
        }
    }
}

/// What has streamed.
struct Streamed {
    table: Option<TableWriter>,
    tally: Tally,
    findings: Option<Vec<ColumnFindings>>,
    counts: Vec<Counted>,
    /// What there should be none of, and refuses the table.
    unexpected: Vec<String>,
    /// What there should be none of, and is told.
    warnings: Vec<String>,
}

fn problems(found: &ColumnFindings) -> Vec<ProblemReport> {
    let problems = found.problems.iter().map(|p| ProblemReport {
        kind: p.kind,
        action: p.action,
        count: p.count,
        rows: p.rows.clone(),
    });
    problems.collect()
}

/// What an `[[expect]]` counts, if it is not 0.
async fn found(title: &str, frame: DataFrame) -> Result<Option<String>, DataFusionError> {
    let batches = frame.collect().await?;
    let mut columns = batches.iter().filter(|b| b.num_rows() > 0);
    let cell = match (columns.next(), columns.next()) {
        (Some(one), None) if one.num_rows() == 1 && one.num_columns() == 1 => {
            cast(one.column(0), &DataType::Int64)?
        }
        _ => return Err(no_count(title)),
    };
    let count = cell.as_primitive::<Int64Type>().iter().next().flatten();
    match count {
        None => Err(no_count(title)),
        Some(0) => Ok(None),
        Some(count) => Ok(Some(format!("{count}: {title}"))),
    }
}

fn no_count(title: &str) -> DataFusionError {
    told(format!(
        "[[expect]] `{title}` gives something else than one row with one whole number: write SELECT count(*) FROM … \
         WHERE …, of what there should be none"
    ))
}

/// The rows of a `[[count]]`.
async fn counted(title: &str, frame: DataFrame) -> Result<Counted, DataFusionError> {
    let names = frame.schema().fields().iter().map(|f| f.name().clone());
    let columns = names.collect();
    let batches = frame.limit(0, Some(ROWS_COUNTED + 1))?.collect().await?;
    let options = FormatOptions::new().with_null("NULL");
    let mut rows: Vec<Vec<String>> = Vec::new();
    for batch in &batches {
        let cells = batch.columns().iter();
        let cells = cells.map(|c| ArrayFormatter::try_new(c.as_ref(), &options));
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        rows.extend((0..batch.num_rows()).map(|row| {
            let row = cells.iter().map(|c| c.value(row).to_string());
            row.collect()
        }));
    }
    let more = rows.len() > ROWS_COUNTED;
    rows.truncate(ROWS_COUNTED);
    Ok(Counted {
        title: title.to_owned(),
        columns,
        rows,
        more,
    })
}
