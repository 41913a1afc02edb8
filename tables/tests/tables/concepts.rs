//! Concept sets: what the SQL reads of them, and that they are the registry's.

use std::fs;
use std::path::Path;

use galen_query::registry::Registry;
use galen_query::text::hex;
use galen_tables::{OmopPlace, Report, StartFrom, TablesError, build, concept_sets, init};

use crate::common::{Folder, query};

/// Hypertension (316866) has 320128 below it, of which 4 is taken out with what is below; 7 stands for itself.
const HTN: &str =
    "concept_id,include_descendants,is_excluded\n316866,true,false\n4,true,true\n7,false,false\n";
const ANCESTOR: &str = "ancestor_concept_id,descendant_concept_id\n316866,316866\n316866,320128\n316866,4\n316866,5\n\
                        4,4\n4,5\n7,7\n7,8\n";
const PERSON: &str =
    "id,concept,code\n1,316866,I10\n2,320128,I10.9\n3,4,I11\n4,5,E11\n5,7,38341003\n6,8,x\n";
const ICD: &str = "http://hl7.org/fhir/sid/icd-10";

const SQL: &str = "SELECT p.id AS patient_id, true AS consent, s.concept_id IS NOT NULL AS htn FROM p \
                   LEFT JOIN concept_set s ON s.concept_id = p.concept AND s.name = 'htn' ORDER BY 1";

fn folder() -> Folder {
    Folder::with(&[
        ("p.csv", PERSON.as_bytes()),
        ("concept_ancestor.csv", ANCESTOR.as_bytes()),
        ("htn.csv", HTN.as_bytes()),
    ])
}

fn registry(folder: &Folder, digest: &str) {
    let text = format!(
        "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"patient_id\"\n[[purpose]]\ncode = \"DUO:0000042\"\n\
         column = \"consent\"\n[[concept_set]]\nname = \"htn\"\ndigest = \"{digest}\"\n[[column]]\nname = \"htn\"\n\
         type = \"boolean\"\nconcept_sets = [\"htn\"]\n"
    );
    fs::write(folder.path("registry.toml"), text).unwrap();
}

fn digest(folder: &Folder) -> String {
    concept_sets(&[folder.path("htn.csv")]).unwrap().0[0]
        .digest
        .clone()
}

const SET: &str = "[concept_set.htn]\npath = \"htn.csv\"\n";

fn made(folder: &Folder, head: &str, sql: &str, rest: &str) -> Result<Report, TablesError> {
    let text = format!(
        "[mapping]\ntitle = \"t\"\n{head}\nsql = \"\"\"{sql}\"\"\"\n{rest}\n[source.p]\npath = \"p.csv\"\nformat = \"csv\"\n\
         types = {{ code = \"utf8\" }}\n"
    );
    fs::write(folder.path("mapping.toml"), text).unwrap();
    build(
        &folder.path("mapping.toml"),
        None,
        &folder.path("p.parquet"),
    )
}

const VOCABULARY: &str =
    "[source.concept_ancestor]\npath = \"concept_ancestor.csv\"\nformat = \"csv\"\n";

#[test]
fn omop_concepts_come_with_what_is_below_them_and_without_what_is_taken_out() {
    let folder = folder();
    registry(&folder, &digest(&folder));
    let head = "registry = \"registry.toml\"";
    let report = made(&folder, head, SQL, &format!("{SET}{VOCABULARY}")).unwrap();
    let rows = query(&report.out, "SELECT patient_id FROM t WHERE htn ORDER BY 1");
    assert_eq!(rows, [["1"], ["2"], ["5"]]);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn codes_are_joined_as_they_are_written_and_by_their_beginning() {
    let folder = folder();
    let codes = format!(
        "system,code,include_descendants\n{ICD},I10,true\nhttp://snomed.info/sct,38341003,false\n"
    );
    fs::write(folder.path("htn.csv"), codes).unwrap();
    let sql = "SELECT DISTINCT p.id AS patient_id, s.name IS NOT NULL AS htn FROM p LEFT JOIN concept_set_item s \
               ON s.code = p.code OR (s.descendants AND starts_with(p.code, s.code)) ORDER BY 1";
    let report = made(&folder, "", sql, SET).unwrap();
    let rows = query(&report.out, "SELECT patient_id FROM t WHERE htn ORDER BY 1");
    assert_eq!(rows, [["1"], ["2"], ["5"]]);
    // SNOMED CT's codes do not tell what is below them.
    let codes = "system,code,include_descendants\nhttp://snomed.info/sct,38341003,true\n";
    fs::write(folder.path("htn.csv"), codes).unwrap();
    let text = made(&folder, "", sql, SET).unwrap_err().to_string();
    assert!(
        text.contains("htn.csv") && text.contains("list the codes"),
        "{text}"
    );
    // Nor would a join of the items know what is taken out.
    let codes = format!("system,code,is_excluded\n{ICD},I10,false\n{ICD},I10.9,true\n");
    fs::write(folder.path("htn.csv"), codes).unwrap();
    let text = made(&folder, "", sql, SET).unwrap_err().to_string();
    assert!(text.contains("takes codes out of others"), "{text}");
}

#[test]
fn a_disease_that_nobody_has_is_told() {
    let folder = folder();
    registry(&folder, &digest(&folder));
    let misspelt = SQL.replace("s.name = 'htn'", "s.name = 'hnt'");
    let both = format!("{SET}{VOCABULARY}");
    let report = made(&folder, "registry = \"registry.toml\"", &misspelt, &both).unwrap();
    let told = |w: &String| w.starts_with("`htn` is false for everybody");
    assert!(report.warnings.iter().any(told), "{:?}", report.warnings);
}

#[test]
fn a_hierarchy_of_other_columns_is_refused() {
    for (ancestor, what) in [
        (
            "ANCESTOR_CONCEPT_ID,descendant_concept_id\n316866,5\n4,4\n",
            "ancestor_concept_id",
        ),
        (
            "ancestor_concept_id,descendant_concept_id\n316866,05\n4,4\n",
            "descendant_concept_id",
        ),
        (
            "ancestor_concept_id,descendant_concept_id\n316866,2.4\n4,4\n",
            "descendant_concept_id",
        ),
    ] {
        let folder = folder();
        fs::write(folder.path("concept_ancestor.csv"), ancestor).unwrap();
        let text = made(&folder, "", SQL, &format!("{SET}{VOCABULARY}"))
            .unwrap_err()
            .to_string();
        assert!(
            text.contains(&format!("no column {what} of whole numbers")),
            "{text}"
        );
    }
    // A row without a descendant is none.
    let folder = folder();
    fs::write(
        folder.path("concept_ancestor.csv"),
        format!("{ANCESTOR}316866,\n"),
    )
    .unwrap();
    let sql = "SELECT count(*) AS patient_id FROM concept_set WHERE concept_id IS NULL ORDER BY 1";
    let report = made(&folder, "", sql, &format!("{SET}{VOCABULARY}")).unwrap();
    assert_eq!(query(&report.out, "SELECT patient_id FROM t"), [["0"]]);
}

#[test]
fn what_the_vocabulary_does_not_know_refuses_the_build() {
    let folder = folder();
    let text = made(&folder, "", SQL, SET).unwrap_err().to_string();
    assert!(
        text.contains("no source is named concept_ancestor"),
        "{text}"
    );
    fs::write(
        folder.path("concept_ancestor.csv"),
        "ancestor_concept_id,descendant_concept_id\n4,4\n",
    )
    .unwrap();
    let both = format!("{SET}{VOCABULARY}");
    let text = made(&folder, "", SQL, &both).unwrap_err().to_string();
    assert!(
        text.contains("htn 316866.") && !text.contains("htn 4"),
        "{text}"
    );
}

#[test]
fn a_set_is_the_registrys_or_the_build_is_refused() {
    let folder = folder();
    let head = "registry = \"registry.toml\"";
    let both = format!("{SET}{VOCABULARY}");
    let own = digest(&folder);
    registry(&folder, &"ab".repeat(32));
    let text = made(&folder, head, SQL, &both).unwrap_err().to_string();
    assert!(
        text.contains(&own) && text.contains("abab") && text.contains("htn.csv"),
        "{text}"
    );
    registry(&folder, &own);
    let text = made(&folder, head, SQL, VOCABULARY)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("column `htn` means the concept set htn"),
        "{text}"
    );
    let more = format!("{both}[concept_set.other]\npath = \"htn.csv\"\n");
    let text = made(&folder, head, SQL, &more).unwrap_err().to_string();
    assert!(
        text.contains("[concept_set.other]") && text.contains("declare it"),
        "{text}"
    );
    let blind = "SELECT id AS patient_id, true AS consent, id = 1 AS htn FROM p ORDER BY 1";
    let report = made(&folder, head, blind, &both).unwrap();
    assert!(
        report.warnings.iter().any(|w| w.contains("reads neither")),
        "{:?}",
        report.warnings
    );
    let named = "[source.concept_set]\npath = \"p.csv\"\nformat = \"csv\"\n";
    let text = made(&folder, "", SQL, &format!("{both}{named}"))
        .unwrap_err()
        .to_string();
    assert!(text.contains("named concept_set"), "{text}");
    fs::write(folder.path("htn.csv"), "concept_id\n0\n").unwrap();
    let text = made(&folder, "", SQL, &both).unwrap_err().to_string();
    assert!(
        text.contains("htn.csv") && text.contains("line 2"),
        "{text}"
    );
}

/// Every set of the shipped registries, by the files that `init` writes for OMOP and for FHIR.
#[test]
fn the_shipped_registries_have_the_digests_of_the_shipped_files() {
    let folder = Folder::with(&[
        ("Patient.ndjson", b"{}"),
        ("Condition.ndjson", b"{}"),
        ("Observation.ndjson", b"{}"),
    ]);
    let name = "cardiometabolic".to_owned();
    let omop = StartFrom::Omop {
        registry: name.clone(),
        place: OmopPlace::Database {
            url_env: "X".to_owned(),
            schema: None,
        },
    };
    let fhir = StartFrom::Fhir {
        registry: name,
        folder: folder.path("."),
    };
    let mut found = Vec::new();
    for (from, out) in [(omop, "omop"), (fhir, "fhir")] {
        let start = init(&from, &folder.path(out)).unwrap();
        let is_set =
            |file: &&std::path::PathBuf| file.parent().is_some_and(|p| p.ends_with("concept_sets"));
        let files: Vec<_> = start.files.iter().filter(is_set).cloned().collect();
        assert_eq!(files.len(), 7);
        found.extend(concept_sets(&files).unwrap().0);
    }
    let registry = fs::read_to_string(Path::new(&folder.path("omop/registry.toml"))).unwrap();
    let registry = Registry::from_toml(&registry).unwrap();
    assert_eq!(registry.concept_sets.len(), 14);
    for set in registry.concept_sets {
        let file = found.iter().find(|f| f.name == set.name).unwrap();
        assert_eq!(file.digest, hex(&set.digest), "{}", set.name);
        assert_eq!(file.notes, Vec::<String>::new());
    }
}
