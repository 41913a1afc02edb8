//! What a hospital starts from: the shipped mappings on open and on made data, and proposals for a folder.

use std::fs;
use std::path::{Path, PathBuf};

use galen_tables::{
    OmopPlace, Options, Report, StartFrom, TablesError, build, build_with, init, shipped_registries,
};

use crate::common::{Folder, query};
use crate::fixtures::data;
use crate::server::{Server, program, text};

fn omop(registry: &str, folder: &Path) -> StartFrom {
    StartFrom::Omop {
        registry: registry.to_owned(),
        place: OmopPlace::Files(folder.to_owned()),
    }
}

fn folder(folder: &Path, patient_id: Option<&str>) -> StartFrom {
    StartFrom::Folder {
        folder: folder.to_owned(),
        registry: Some("study".to_owned()),
        patient_id: patient_id.map(str::to_owned),
    }
}

/// A small CDM: five persons, of whom four consented.
fn cdm() -> Folder {
    let person = "person_id,gender_concept_id,year_of_birth,month_of_birth,race_concept_id,ethnicity_concept_id\n\
                  1,8532,1950,1,8527,38003564\n-2,8507,1961,2,8516,38003563\n9007199254740993,0,1970,3,0,0\n\
                  4,8521,1980,,8515,38003564\n5,8507,1990,,8557,0\n";
    let condition = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date\n\
                     1,1,320128,2010-01-01\n2,1,201826,2011-01-01\n3,-2,4329847,2012-01-01\n4,4,9999,2012-01-01\n";
    let ancestor = "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\tmax_levels_of_separation\n\
                    316866\t316866\t0\t0\n316866\t320128\t1\t1\n201826\t201826\t0\t0\n432867\t432867\t0\t0\n\
                    4185932\t4185932\t0\t0\n4185932\t4329847\t2\t3\n316139\t316139\t0\t0\n313217\t313217\t0\t0\n\
                    381316\t381316\t0\t0\n";
    let measurement = "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,value_as_number,unit_concept_id,unit_source_value\n\
                       1,1,3028437,2020-01-01,2020-01-01 08:00:00,,100,8840,mg/dL\n2,1,3009966,2021-01-01,2021-01-01 08:00:00,,3.0,8753,mmol/L\n\
                       3,1,3004410,2021-01-01,2021-01-01 08:00:00,,53,9579,mmol/mol\n4,1,3004249,2021-01-01,2021-01-01 08:00:00,,140,8876,mm[Hg]\n\
                       5,1,3004249,2021-01-01,2021-01-01 08:00:00,,128.5,8876,mm[Hg]\n6,1,3004249,2022-01-01,2022-01-01 08:00:00,,,8876,mm[Hg]\n\
                       7,-2,3022192,2021-01-01,2021-01-01 08:00:00,,2,8753,mmol/L\n8,4,3036277,2021-01-01,2021-01-01 08:00:00,,180,8582,cm\n";
    Folder::with(&[
        ("person.csv", person.as_bytes()),
        ("Condition_Occurrence.csv", condition.as_bytes()),
        ("concept_ancestor.csv", ancestor.as_bytes()),
        ("measurement.csv", measurement.as_bytes()),
        ("death.csv", b"person_id,death_date\n-2,2015-05-05\n"),
        (
            "consent.csv",
            b"person_id,consent_research\n1,true\n-2,true\n9007199254740993,false\n5,true\n",
        ),
    ])
}

/// What is built from a start in `out`, over `source`.
fn built(out: &Path, source: &Path) -> Result<Report, TablesError> {
    build(
        &out.join("mapping.toml"),
        Some(source),
        &out.join("p.parquet"),
    )
}

#[test]
fn an_omop_cdm_becomes_the_cardiometabolic_registry() {
    let cdm = cdm();
    let (source, out) = (cdm.path("."), cdm.path("site"));
    let start = init(&omop("cardiometabolic", &source), &out).unwrap();
    assert!(start.next.contains("galen-tables check"), "{start}");
    let report = built(&out, &source).unwrap();
    let columns = "patient_id, consent_research AS c, sex, year_of_birth AS y, deceased, hypertension, type_2_diabetes, \
                   ischaemic_heart_disease, stroke, systolic, hba1c, ldl, triglycerides";
    assert_eq!(
        query(&report.out, &format!("SELECT {columns} FROM t")),
        [
            // 128.5 is 129; 3 mmol/L of LDL are 116 mg/dL; 53 mmol/mol of HbA1c are 7.0 %.
            [
                "-2", "true", "male", "1961", "true", "false", "false", "true", "false", "-", "-",
                "-", "177"
            ],
            [
                "1", "true", "female", "1950", "false", "true", "true", "false", "false", "129",
                "7.0", "116", "-"
            ],
            [
                "4", "false", "other", "1980", "false", "false", "false", "false", "false", "-",
                "-", "-", "-"
            ],
            [
                "5", "true", "male", "1990", "false", "false", "false", "false", "false", "-", "-",
                "-", "-"
            ],
            [
                "9007199254740993",
                "false",
                "unknown",
                "1970",
                "false",
                "false",
                "false",
                "false",
                "false",
                "-",
                "-",
                "-",
                "-"
            ],
        ]
    );
}

/// The latest of a day is so by its time, and not by the letters that write it.
#[test]
fn the_later_of_a_day_is_the_latest() {
    let cdm = cdm();
    let (source, out) = (cdm.path("."), cdm.path("site"));
    init(&omop("cardiometabolic", &source), &out).unwrap();
    let measurement = fs::read_to_string(cdm.path("measurement.csv")).unwrap();
    let at = |time: &str, value: u32, id: u32| {
        format!("{id},5,3004249,2021-01-01,{time},,{value},8876,mm[Hg]\n")
    };
    let later = at("2021-01-01 20:00:00", 120, 90) + &at("2021-01-01 08:00:00", 180, 91);
    let undated = "92,5,3004249,,,,99,8876,mm[Hg]\n";
    fs::write(
        cdm.path("measurement.csv"),
        measurement.clone() + &later + undated,
    )
    .unwrap();
    let report = built(&out, &source).unwrap();
    let found = query(&report.out, "SELECT systolic FROM t WHERE patient_id = 5");
    assert_eq!(found, [["120"]]);
    for time in ["9:00", "2021-01-01T08:00:00+02:00"] {
        fs::write(
            cdm.path("measurement.csv"),
            measurement.clone() + &at(time, 1, 90),
        )
        .unwrap();
        let text = built(&out, &source).unwrap_err().to_string();
        assert!(
            text.contains("column `measurement_datetime`: not a timestamp"),
            "{text}"
        );
    }
    let future = at("", 120, 90).replace("2021-01-01", "2999-01-01");
    fs::write(cdm.path("measurement.csv"), measurement + &future).unwrap();
    let text = built(&out, &source).unwrap_err().to_string();
    assert!(text.contains("1: measurements of days to come"), "{text}");
}

#[test]
fn an_omop_cdm_becomes_the_demographics_registry() {
    let cdm = cdm();
    let (source, out) = (cdm.path("."), cdm.path("site"));
    init(&omop("demographics", &source), &out).unwrap();
    let report = built(&out, &source).unwrap();
    assert_eq!(
        query(
            &report.out,
            "SELECT patient_id, sex, race, ethnicity, deceased FROM t"
        ),
        [
            ["-2", "male", "black", "hispanic", "true"],
            ["1", "female", "white", "not_hispanic", "false"],
            ["4", "other", "asian", "not_hispanic", "false"],
            ["5", "male", "pacific_islander", "unknown", "false"],
            [
                "9007199254740993",
                "unknown",
                "other_or_unknown",
                "unknown",
                "false"
            ],
        ]
    );
}

#[test]
fn a_unit_or_a_vocabulary_that_lacks_is_no_number_and_no_health() {
    let cdm = cdm();
    let (source, out) = (cdm.path("."), cdm.path("site"));
    init(&omop("cardiometabolic", &source), &out).unwrap();
    let measurement = fs::read_to_string(cdm.path("measurement.csv")).unwrap();
    fs::write(
        cdm.path("measurement.csv"),
        measurement.replace("8753", "8636"),
    )
    .unwrap();
    let text = built(&out, &source).unwrap_err().to_string();
    assert!(
        text.contains("2: measurements in a unit that the mapping does not list"),
        "{text}"
    );
    // No policy makes a number of it.
    edit(
        &out.join("mapping.toml"),
        "# [policy]\n# out_of_range = \"null\"",
        "[policy]\nout_of_range = \"clamp\"",
    );
    assert_eq!(built(&out, &source).unwrap_err().to_string(), text);
    edit(
        &out.join("mapping.toml"),
        "\notherwise = \"reject\"",
        "\notherwise = \"warn\"",
    );
    let report = built(&out, &source).unwrap();
    let left_out = |w: &String| w.starts_with("2: measurements in a unit");
    assert!(
        report.warnings.iter().any(left_out),
        "{:?}",
        report.warnings
    );
    assert_eq!(
        query(&report.out, "SELECT ldl FROM t WHERE patient_id = 1"),
        [["100"]]
    );
    fs::write(cdm.path("measurement.csv"), measurement).unwrap();

    let ancestor = fs::read_to_string(cdm.path("concept_ancestor.csv")).unwrap();
    fs::write(
        cdm.path("concept_ancestor.csv"),
        ancestor.replace("381316\t381316\t0\t0\n", ""),
    )
    .unwrap();
    let text = built(&out, &source).unwrap_err().to_string();
    assert!(
        text.contains("does not know these concepts") && text.contains("stroke 381316"),
        "{text}"
    );
    assert!(!text.contains("hypertension"), "{text}");
}

#[test]
fn a_cdm_in_a_database_gives_the_table_of_its_files() {
    let Some(mut server) = Server::new() else {
        return;
    };
    let cdm = cdm();
    server.run("CREATE SCHEMA cdm");
    for (file, columns) in [
        (
            "person.csv",
            "person_id bigint, gender_concept_id integer, year_of_birth integer, month_of_birth integer, \
             race_concept_id integer, ethnicity_concept_id integer",
        ),
        (
            "Condition_Occurrence.csv",
            "condition_occurrence_id bigint, person_id bigint, condition_concept_id integer, condition_start_date date",
        ),
        (
            "concept_ancestor.csv",
            "ancestor_concept_id integer, descendant_concept_id integer, min_levels_of_separation integer, \
             max_levels_of_separation integer",
        ),
        (
            "measurement.csv",
            "measurement_id bigint, person_id bigint, measurement_concept_id integer, measurement_date date, \
             measurement_datetime timestamp, operator_concept_id integer, value_as_number numeric, unit_concept_id integer, unit_source_value varchar(50)",
        ),
        ("death.csv", "person_id bigint, death_date date"),
    ] {
        let table = format!("cdm.{}", file.trim_end_matches(".csv"));
        server.run(&format!("CREATE TABLE {table} ({columns})"));
        let csv = fs::read_to_string(cdm.path(file)).unwrap();
        server.load(&table, csv.replace('\t', ",").as_bytes());
    }
    for registry in shipped_registries() {
        let (files, tables) = (cdm.path("files"), cdm.path("tables"));
        init(&omop(registry, &cdm.path(".")), &files.join(registry)).unwrap();
        let from_files = built(&files.join(registry), &cdm.path(".")).unwrap();
        let from = StartFrom::Omop {
            registry: registry.to_owned(),
            place: OmopPlace::Database {
                url_env: "OMOP_URL".to_owned(),
                schema: Some("cdm".to_owned()),
            },
        };
        let out = tables.join(registry);
        init(&from, &out).unwrap();
        fs::copy(cdm.path("consent.csv"), out.join("consent.csv")).unwrap();
        let table = out.join("p.parquet");
        let output = program(&out.join("mapping.toml"), &table, &server.url)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(
            fs::read(&table).unwrap(),
            fs::read(&from_files.out).unwrap()
        );
    }
}

/// The OMOP data sets, which have no consents, and a vocabulary of which little was left.
#[test]
fn the_open_cdms_become_the_shipped_registries() {
    for (set, persons, vocabulary) in [
        ("omop-synthea27nj", 28, false),
        ("omop-gibleed", 2_694, true),
    ] {
        let Some(set) = data(set) else { continue };
        let cdm = Folder::with(&[]);
        let mut ids = String::from("person_id,consent_research\n");
        for entry in fs::read_dir(set).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
            let tables = [
                "person.csv",
                "death.csv",
                "condition_occurrence.csv",
                "measurement.csv",
                "concept_ancestor.csv",
            ];
            if !tables.contains(&name.as_str()) {
                continue;
            }
            let mut text = fs::read_to_string(&path).unwrap();
            if name == "person.csv" {
                for line in text.lines().skip(1) {
                    ids += &format!("{},true\n", line.split(',').next().unwrap());
                }
            }
            if name == "concept_ancestor.csv" {
                for id in [
                    316_866, 201_826, 432_867, 4_185_932, 316_139, 313_217, 381_316,
                ] {
                    text += &format!("{id},{id},0,0\n");
                }
                text += "316866,320128,1,1\n4185932,317576,1,1\n";
            }
            fs::write(cdm.path(&name), text).unwrap();
        }
        fs::write(cdm.path("consent.csv"), ids).unwrap();
        let source = cdm.path(".");
        for registry in shipped_registries() {
            let out = cdm.path(registry);
            init(&omop(registry, &source), &out).unwrap();
            let report = built(&out, &source).unwrap();
            assert_eq!(report.rows, persons, "{registry}");
            assert!(
                report.columns.iter().all(|c| c.problems.is_empty()),
                "{report}"
            );
        }
        // As counted by a program that reads the files without any SQL.
        let counts = "SELECT count(*) FILTER (WHERE hypertension), count(*) FILTER (WHERE hyperlipidaemia), \
                      count(*) FILTER (WHERE ischaemic_heart_disease), count(*) FILTER (WHERE deceased), sum(systolic), \
                      sum(hba1c), sum(ldl) FROM t";
        let found = query(&cdm.path("cardiometabolic/p.parquet"), counts);
        let expected: [&str; 7] = if vocabulary { GIBLEED } else { SYNTHEA27 };
        assert_eq!(found, [expected]);
    }
}

const SYNTHEA27: [&str; 7] = ["5", "2", "2", "3", "3302", "58.6", "1574"];
const GIBLEED: [&str; 7] = ["0", "0", "192", "0", "-", "-", "-"];

#[test]
fn a_start_is_refused_with_its_cause_and_nothing_is_overwritten() {
    let cdm = cdm();
    let (source, out) = (cdm.path("."), cdm.path("site"));
    let refused = |from: &StartFrom| init(from, &out).unwrap_err().to_string();
    assert!(refused(&omop("oncology", &source)).contains("cardiometabolic, demographics"));
    fs::rename(cdm.path("death.csv"), cdm.path("deaths.csv")).unwrap();
    assert!(refused(&omop("demographics", &source)).contains("no file for the OMOP table `death`"));
    fs::copy(cdm.path("deaths.csv"), cdm.path("death.csv")).unwrap();
    fs::copy(cdm.path("deaths.csv"), cdm.path("DEATH.csv.gz")).unwrap();
    assert!(refused(&omop("demographics", &source)).contains("two files"));
    fs::remove_file(cdm.path("DEATH.csv.gz")).unwrap();
    assert!(!out.exists());
    init(&omop("demographics", &source), &out).unwrap();
    let before = fs::read_to_string(out.join("registry.toml")).unwrap();
    assert!(refused(&omop("cardiometabolic", &source)).contains("there already"));
    assert_eq!(
        fs::read_to_string(out.join("registry.toml")).unwrap(),
        before
    );
    assert!(refused(&folder(&cdm.path("nowhere"), None)).contains("cannot be read"));
    let empty = Folder::with(&[("README.md", b"no data")]);
    assert!(refused(&folder(&empty.path("."), None)).contains("no CSV, Parquet or NDJSON"));
    let nameless = Folder::with(&[("t.csv", b"key,x\na,1\nb,2\n")]);
    let text = init(&folder(&nameless.path("."), None), &nameless.path("s"))
        .unwrap_err()
        .to_string();
    assert!(text.contains("--patient-id"), "{text}");
    init(
        &folder(&nameless.path("."), Some("key")),
        &nameless.path("s"),
    )
    .unwrap();
}

#[test]
fn a_folder_is_proposed_as_a_registry_that_can_be_built() {
    let mut csv = String::from("MRN;Sex;born;Weight;visits;smoker;note;site_id;unused;name\n");
    for i in 0..100 {
        let sex = if i == 7 { "X" } else { ["F", "M"][i % 2] };
        let weight = if i % 10 == 3 {
            String::new()
        } else {
            format!("{}.{}", 50 + i, i % 10)
        };
        csv += &format!(
            "p{i};{sex};19{:02}-03-04;{weight};{};{};free text {i};{};7;N{i}\n",
            30 + i % 50,
            i % 9,
            i % 2,
            40 + i % 3
        );
    }
    let place = Folder::with(&[
        ("patients.csv", csv.as_bytes()),
        (
            "labs.ndjson",
            b"{\"mrn\":\"p1\",\"value\":1.5}\n{\"mrn\":\"p1\",\"value\":2}\n",
        ),
        ("broken.csv", b"a,b\n1\n"),
        ("README.md", b""),
    ]);
    let (source, out) = (place.path("."), place.path("site"));
    let start = init(&folder(&source, None), &out).unwrap();
    let said = start.to_string();
    for note in [
        "one row per patient: patients.csv, by MRN",
        "who consented is for you to write",
        "sex: 1 patients have a code that few have",
        "note is left out",
        "name is left out: its name is that of something",
        "unused is left out: the same in each row",
        "broken.csv",
        "no CSV, Parquet or NDJSON by their names: 1",
    ] {
        assert!(said.contains(note), "{note}: {said}");
    }
    let registry = fs::read_to_string(out.join("registry.toml")).unwrap();
    for wanted in [
        "name = \"sex\"\ntype = \"category\"\ncodes = [\"F\", \"M\"]\n",
        "name = \"born\"\ntype = \"date\"\nmin = \"1920-01-01\"\nmax = \"1989-12-31\"\n",
        "name = \"weight\"\ntype = \"number\"\nmin = 0\nmax = 200\ndecimals = 1\n# unit = \"…\"\nnullable = true\n",
        "name = \"visits\"\ntype = \"number\"\nmin = 0\nmax = 10\ndecimals = 0\n",
        "name = \"smoker\"\ntype = \"boolean\"\n",
        "name = \"site_id\"\ntype = \"category\"\ncodes = [\"40\", \"41\", \"42\"]\n",
    ] {
        assert!(registry.contains(wanted), "{wanted}: {registry}");
    }
    assert!(
        !registry.contains('X') && !registry.contains("free"),
        "{registry}"
    );

    // As proposed it is refused: nobody is known to have consented, and one code is rare.
    let text = built(&out, &source).unwrap_err().to_string();
    assert!(
        text.contains("column `consent_research`: 100 NULL"),
        "{text}"
    );
    assert!(
        text.contains("column `sex`: 1 none of the registry's codes"),
        "{text}"
    );
    edit(
        &out.join("mapping.toml"),
        "CAST(NULL AS BOOLEAN) AS consent",
        "true AS consent",
    );
    edit(
        &out.join("registry.toml"),
        "codes = [\"F\", \"M\"]",
        "codes = [\"F\", \"M\", \"X\"]",
    );
    let mut options = Options::default();
    options.report = Some(out.join("report"));
    let table: PathBuf = out.join("p.parquet");
    let report = build_with(&out.join("mapping.toml"), Some(&source), &table, &options).unwrap();
    assert_eq!(report.rows, 100);
    assert_eq!(
        query(
            &table,
            "SELECT * FROM t WHERE patient_id IN ('p3', 'p99') ORDER BY 1"
        ),
        [
            ["p3", "true", "M", "1933-03-04", "-", "3", "true", "40"],
            ["p99", "true", "M", "1979-03-04", "149.9", "0", "true", "40"],
        ]
    );
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

/// Columns whose names are words of SQL, or one name but for their case, and texts that no registry takes as codes.
#[test]
fn whatever_the_columns_are_called_the_proposal_is_a_registry() {
    let mut csv = String::from("id,Order,select,Age,age,\"a \"\"b\"\"\",größe,ratio,padded\n");
    for i in 0..40 {
        csv += &format!(
            "{i},{},u{},{},{},p{},{},0.{:06},{}\n",
            ["A", "B"][i % 2],
            i % 2,
            20 + i % 9,
            30 + i % 9,
            i % 3,
            150 + i % 30,
            7 * i + 1,
            [" x", "y "][i % 2],
        );
    }
    let place = Folder::with(&[("my patients (1).csv", csv.as_bytes())]);
    let (source, out) = (place.path("."), place.path("site"));
    let said = init(&folder(&source, None), &out).unwrap().to_string();
    assert!(
        said.contains("ratio is left out: its values differ beyond 4 decimals"),
        "{said}"
    );
    assert!(
        said.contains("padded is left out: what stands in it cannot be"),
        "{said}"
    );
    edit(
        &out.join("mapping.toml"),
        "CAST(NULL AS BOOLEAN) AS consent",
        "true AS consent",
    );
    let report = built(&out, &source).unwrap();
    let names: Vec<&str> = report.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names[2..],
        [
            "order_value",
            "select_value",
            "age",
            "age_2",
            "a__b_",
            "gr__e"
        ]
    );
}
