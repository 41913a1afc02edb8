//! What a folder's proposal may not tell, and may not take for consent or for a patient.

use std::fs;

use galen_tables::{StartFrom, TablesError, init};

use crate::common::Folder;

/// The registry, the mapping and what is said, of a folder's proposal.
fn proposed(files: &[(&str, &str)]) -> Result<(String, String, String), TablesError> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, t)| (*n, t.as_bytes())).collect();
    let folder = Folder::with(&files);
    let out = folder.path("site");
    let start = StartFrom::Folder {
        folder: folder.path("."),
        registry: Some("t".to_owned()),
        patient_id: None,
    };
    let said = init(&start, &out)?.to_string();
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    Ok((read("registry.toml"), read("mapping.toml"), said))
}

/// A table of `rows` patients with these columns.
fn patients(head: &str, rows: usize, cells: impl Fn(usize) -> String) -> String {
    let lines = (0..rows).map(|i| format!("p{i},{}\n", cells(i)));
    format!("patient_id,{head}\n") + &lines.collect::<String>()
}

#[test]
fn no_column_is_taken_for_consent_by_its_name() {
    let csv = patients("consent_withdrawn,surgery_consent,age", 60, |i| {
        format!("{},{},{}", i % 3 == 0, i % 2 == 0, 20 + i % 9)
    });
    let (registry, mapping, said) = proposed(&[("patients.csv", &csv)]).unwrap();
    assert!(
        mapping.contains("CAST(NULL AS BOOLEAN) AS consent_research"),
        "{mapping}"
    );
    let candidates = "columns that may say it: consent_withdrawn, surgery_consent";
    assert!(
        mapping.contains(candidates) && said.contains(candidates),
        "{said}"
    );
    assert!(
        !registry.contains("withdrawn") && !registry.contains("surgery"),
        "{registry}"
    );
}

#[test]
fn visits_and_drugs_are_no_patients() {
    let mut visits = String::from("id,patient,diagnosis\n");
    for i in 0..80 {
        visits += &format!("{i},p{},{}\n", i % 40, ["flu", "asthma"][i % 2]);
    }
    let drugs = "id,label\n1,a\n2,b\n";
    let text = proposed(&[("visits.csv", &visits), ("drugs.csv", drugs)])
        .unwrap_err()
        .to_string();
    assert!(text.contains("--patient-id"), "{text}");
    // A mere id is the patients' in a table of that name, or where there is no other.
    let people = patients("age", 60, |i| (20 + i % 9).to_string()).replace("patient_id", "id");
    let (_, mapping, _) = proposed(&[("patients.csv", &people), ("drugs.csv", drugs)]).unwrap();
    assert!(mapping.contains("FROM patients"), "{mapping}");
}

#[test]
fn what_few_have_and_what_names_a_patient_is_in_no_registry() {
    let csv = patients("rare,dx_date,ssn,Last Name,phone_nr,almost,age", 100, |i| {
        let few = i < 10;
        format!(
            "{},{},{},N{},{},{},{}",
            if few { "7.5" } else { "" },
            if few { "1931-02-03" } else { "" },
            100_000 + i,
            i % 5,
            i % 7,
            5_000_000 + i.min(95),
            20 + i % 9
        )
    });
    let (registry, _, said) = proposed(&[("patients.csv", &csv)]).unwrap();
    for left in ["rare", "dx_date", "ssn", "last_name", "phone_nr", "almost"] {
        assert!(
            !registry.contains(&format!("\"{left}\"")),
            "{left}: {registry}"
        );
        assert!(
            said.contains(&format!("{left} is left out")),
            "{left}: {said}"
        );
    }
    assert!(registry.contains("\"age\""), "{registry}");
}

#[test]
fn small_numbers_and_times_of_day_are_not_lost_without_a_word() {
    let csv = patients("tiny,exact,seen,bad_day", 60, |i| {
        format!(
            "{}e-7,1.{}e-3,2020-01-{:02} 23:40:00,{}",
            1 + i % 50,
            25 + i % 9,
            1 + i % 28,
            if i == 7 {
                "1950-02-31".to_owned()
            } else {
                format!("1950-02-{:02}", 1 + i % 28)
            }
        )
    });
    let (registry, _, said) = proposed(&[("patients.csv", &csv)]).unwrap();
    assert!(
        said.contains("tiny is left out: its values differ beyond 4 decimals"),
        "{said}"
    );
    assert!(
        said.contains("exact is left out: its values differ beyond 4 decimals"),
        "{said}"
    );
    assert!(
        said.contains("seen is a date: the time of day is left out"),
        "{said}"
    );
    // An impossible day is no day, and no reason to propose nothing.
    assert!(said.contains("bad_day"), "{said}");
    assert!(registry.contains("\"seen\""), "{registry}");
}

/// A file without a header is left out, by a number of it or by its name.
#[test]
fn no_patients_values_are_names() {
    let people = patients("age", 60, |i| (20 + i % 9).to_string());
    let files = [
        ("patients.csv", people.as_str()),
        ("labs.csv", "4711,F,70.5,Doe Jane\n4712,M,60.5,Roe Rick\n"),
        ("notes.csv", "Smith John,female,12 High Street\nx,y,z\n"),
        ("Smith_John_HIV.pdf", ""),
    ];
    let (_, mapping, said) = proposed(&files).unwrap();
    for value in ["4711", "Doe", "Smith", "High Street"] {
        assert!(!mapping.contains(value), "{value}: {mapping}");
        assert!(!said.contains(value), "{value}: {said}");
    }
}

#[test]
fn odd_names_of_columns_make_no_other_toml_or_sql() {
    let csv = patients("\"a'''b\",\"x  --y\",age", 60, |i| {
        format!("{},{},{}", i % 2, i % 2, 20 + i % 9)
    });
    let (_, mapping, _) = proposed(&[("patients.csv", &csv)]).unwrap();
    let parsed: toml::Value = toml::from_str(&mapping).unwrap();
    let sql = parsed["mapping"]["sql"].as_str().unwrap();
    assert!(
        sql.contains("\"a'''b\" = 1") && sql.contains("\"x  --y\" = 1"),
        "{sql}"
    );
}

/// As a spreadsheet in much of Europe writes it.
#[test]
fn decimal_commas_days_first_and_words_for_null_are_proposed_as_such() {
    let rows = (0..60).map(|i| {
        let crp = if i % 7 == 0 {
            "NA".to_owned()
        } else {
            format!("{},{}", i, i % 10)
        };
        format!(
            "p{i};{:02}.{:02}.{};{crp}\n",
            1 + i % 28,
            1 + i % 12,
            1930 + i
        )
    });
    let csv = "patient_id;born;crp\n".to_owned() + &rows.collect::<String>();
    let (registry, mapping, said) = proposed(&[("patients.csv", &csv)]).unwrap();
    let section =
        "delimiter = \";\"\ndecimal = \",\"\ndate_format = \"%d.%m.%Y\"\nnulls = [\"NA\"]\n";
    assert!(mapping.contains(section), "{mapping}");
    for wanted in [
        "name = \"born\"\ntype = \"date\"\nmin = \"1920-01-01\"",
        "name = \"crp\"\ntype = \"number\"\nmin = 0\nmax = 100\ndecimals = 1\n",
    ] {
        assert!(registry.contains(wanted), "{wanted}: {registry} {said}");
    }
}
