//! What `galen-tables` says of a value against a registry is what the prover says of the table that has it: cell by cell,
//! for every type of column that a table can have.

use std::fs;
use std::path::Path;

use galen_prover::table::TableReader;
use galen_query::registry::Registry;
use galen_tables::TablesError;

const REGISTRY: &str = r#"
[registry]
name = "verdicts"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "x"
"#;

const COLUMNS: [&str; 6] = [
    "type = \"boolean\"",
    "type = \"category\"\ncodes = [\"a\", \"A\", \"7\", \"NA\", \"-1\"]",
    "type = \"number\"\nmin = -10.0\nmax = 100.0\ndecimals = 1",
    "type = \"number\"\nmin = 0\nmax = 4294967295\ndecimals = 0",
    "type = \"number\"\nmin = 0.0\nmax = 1.0\ndecimals = 9",
    "type = \"date\"\nmin = \"1900-01-01\"\nmax = \"2099-12-31\"",
];

const CELLS: [&str; 62] = [
    "true",
    "false",
    "CAST(NULL AS BOOLEAN)",
    "1",
    "0",
    "7",
    "-1",
    "-10",
    "-11",
    "100",
    "101",
    "2",
    "9007199254740993",
    "9223372036854775807",
    "4294967295",
    "4294967296",
    "CAST(1 AS SMALLINT)",
    "CAST(7 AS TINYINT)",
    "CAST(255 AS TINYINT UNSIGNED)",
    "1.0",
    "0.1",
    "0.3",
    "7.0",
    "0.25",
    "1e-9",
    "1e-10",
    "1e300",
    "-0.0",
    "100.04",
    "-10.04",
    "99.96",
    "CAST(0.1 AS REAL)",
    "CAST(16777217 AS REAL)",
    "CAST(NULL AS DOUBLE)",
    "CAST('NaN' AS DOUBLE)",
    "CAST(0.1 AS DECIMAL(10, 1))",
    "CAST(0.10 AS DECIMAL(10, 5))",
    "CAST(0.12 AS DECIMAL(10, 2))",
    "CAST(7 AS DECIMAL(10, 0))",
    "CAST(100.1 AS DECIMAL(10, 1))",
    "CAST(-10 AS DECIMAL(10, 3))",
    "'a'",
    "'A'",
    "' a'",
    "'7'",
    "''",
    "'NA'",
    "'NULL'",
    "'yes'",
    "'T'",
    "'1.5'",
    "'1,5'",
    "'1e1'",
    "'+5'",
    "'2020-02-29'",
    "'2020-02-30'",
    "'2020-02-29T00:00:00'",
    "CAST('2020-02-29' AS DATE)",
    "CAST('1899-12-31' AS DATE)",
    "CAST('2020-02-29 00:00:00' AS TIMESTAMP)",
    "CAST('2020-02-29 00:00:01' AS TIMESTAMP)",
    "CAST('2020-02-29T00:00:00Z' AS TIMESTAMP WITH TIME ZONE)",
];

/// A table's one row as the prover stores it.
fn stored(table: &Path, registry: &Registry) -> Result<Vec<u16>, String> {
    let mut reader = TableReader::open(table, registry).map_err(|e| e.to_string())?;
    let chunk = reader.next_chunk(2).map_err(|e| e.to_string())?.unwrap();
    Ok(chunk.columns().iter().map(|column| column[0]).collect())
}

#[test]
fn a_check_and_a_commit_judge_each_cell_alike() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("t.csv"), "pid\n1\n").unwrap();
    let (mut taken, mut refused, mut apart) = (0, 0, Vec::new());
    for column in COLUMNS {
        for nullable in ["", "\nnullable = true"] {
            let text = format!("{REGISTRY}{column}{nullable}\n");
            let registry = Registry::from_toml(&text).unwrap();
            fs::write(at("registry.toml"), text).unwrap();
            for cell in CELLS {
                let build = |registry: &str, out: &str| {
                    let mapping = format!(
                        "[mapping]\ntitle = \"t\"\npatient_id = \"pid\"\n{registry}\nsql = \"\"\"SELECT pid, true AS consent, {cell} AS x FROM t ORDER BY pid\"\"\"\n[source.t]\npath = \"t.csv\"\nformat = \"csv\"\ntypes = {{ pid = \"int\" }}\n"
                    );
                    fs::write(at("mapping.toml"), mapping).unwrap();
                    galen_tables::build(&at("mapping.toml"), None, &at(out))
                };
                build("", "plain.parquet").unwrap();
                let prover = stored(&at("plain.parquet"), &registry);
                let judged = match build("registry = \"registry.toml\"", "judged.parquet") {
                    Ok(_) => Some(stored(&at("judged.parquet"), &registry).unwrap()),
                    Err(TablesError::Rejected { .. } | TablesError::Column { .. }) => None,
                    Err(other) => panic!("{cell} in {column}: {other}"),
                };
                if judged != prover.clone().ok() {
                    apart.push(format!(
                        "{cell} in {column}{nullable}: {judged:?}, {prover:?}"
                    ));
                }
                *(if judged.is_some() {
                    &mut taken
                } else {
                    &mut refused
                }) += 1;
            }
        }
    }
    assert!(apart.is_empty(), "{}", apart.join("\n"));
    assert!(
        taken > 100 && refused > 300,
        "{taken} taken, {refused} refused"
    );
}
