//! One made population, written as an OMOP CDM and as a FHIR bulk export, as sites write them: the shipped mappings make
//! the same table of either.

use std::fmt::Write as _;
use std::fs;

use galen_tables::{OmopPlace, StartFrom, build, init, shipped_registries};

use crate::common::{Folder, query};
use crate::fixtures::data;

/// A disease's OMOP concept and SNOMED CT code; the last is none of the registry's.
const DISEASES: [(u32, &str); 8] = [
    (320_128, "59621000"),
    (201_826, "44054006"),
    (432_867, "55822004"),
    (4_329_847, "22298006"),
    (316_139, "84114007"),
    (313_217, "49436004"),
    (381_316, "230690007"),
    (40_481_087, "444814009"),
];

/// A measurement: concept, LOINC, and its units with the values' least and step.
type Kind = (u32, &'static str, &'static [(u32, &'static str, f64, f64)]);

const KINDS: [Kind; 8] = [
    (3_004_249, "8480-6", &[(8876, "mm[Hg]", 90.0, 1.0)]),
    (3_012_888, "8462-4", &[(8876, "mm[Hg]", 50.0, 1.0)]),
    (3_038_553, "39156-5", &[(9531, "kg/m2", 18.0, 0.3)]),
    (
        3_004_410,
        "4548-4",
        &[(8554, "%", 4.5, 0.1), (9579, "mmol/mol", 30.0, 1.0)],
    ),
    (
        3_009_966,
        "18262-6",
        &[(8840, "mg/dL", 60.0, 2.0), (8753, "mmol/L", 1.5, 0.1)],
    ),
    (
        3_007_070,
        "2085-9",
        &[(8840, "mg/dL", 30.0, 1.0), (8753, "mmol/L", 0.8, 0.02)],
    ),
    (
        3_027_114,
        "2093-3",
        &[(8840, "mg/dL", 120.0, 3.0), (8753, "mmol/L", 3.0, 0.1)],
    ),
    (
        3_022_192,
        "2571-8",
        &[(8840, "mg/dL", 50.0, 4.0), (8753, "mmol/L", 0.6, 0.1)],
    ),
];

const SEXES: [(u32, Option<&str>); 4] = [
    (8532, Some("female")),
    (8507, Some("male")),
    (8521, Some("other")),
    (0, None),
];

const RACES: [(u32, Option<&str>); 6] = [
    (8657, Some("1002-5")),
    (8515, Some("2028-9")),
    (8516, Some("2054-5")),
    (8557, Some("2076-8")),
    (8527, Some("2106-3")),
    (0, None),
];

const ETHNICITIES: [(u32, Option<&str>); 3] = [
    (38_003_563, Some("2135-2")),
    (38_003_564, Some("2186-5")),
    (0, None),
];

/// Numbers from a fixed seed (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Both exports, file by file.
#[derive(Default)]
struct Exports {
    person: String,
    death: String,
    condition: String,
    measurement: String,
    patients: String,
    conditions: String,
    observations: String,
    rows: u64,
}

/// A reference as one server or another writes it.
fn reference(dice: &mut Dice, patient: usize) -> String {
    match dice.below(4) {
        0 => format!("urn:uuid:{patient}"),
        1 => format!("https://fhir.example/R4/Patient/{patient}"),
        2 => format!("Patient/{patient}/_history/3"),
        _ => format!("Patient/{patient}"),
    }
}

impl Exports {
    fn row(&mut self) -> u64 {
        self.rows += 1;
        self.rows
    }

    fn patient(&mut self, dice: &mut Dice, id: usize) {
        let (sex, race, ethnicity) = (*dice.of(&SEXES), *dice.of(&RACES), *dice.of(&ETHNICITIES));
        let (year, dead) = (1930 + dice.below(70), dice.below(5) == 0);
        let _ = writeln!(
            self.person,
            "{id},{},{year},{},{}",
            sex.0, race.0, ethnicity.0
        );
        let omb = |url: &str, code: &str| {
            format!(
                r#"{{"url":"http://hl7.org/fhir/us/core/StructureDefinition/{url}","extension":[{{"url":"ombCategory","valueCoding":{{"code":"{code}"}}}},{{"url":"text","valueString":"x"}}]}}"#
            )
        };
        let race = race.1.map(|code| omb("us-core-race", code));
        let ethnicity = ethnicity.1.map(|code| omb("us-core-ethnicity", code));
        let extensions: Vec<String> = race.into_iter().chain(ethnicity).collect();
        let gender = sex.1.map(|g| format!(r#","gender":"{g}""#));
        let mut deceased = "";
        if dead {
            let _ = writeln!(self.death, "{id},2020-02-02");
            deceased = *dice.of(&[
                r#","deceasedBoolean":true"#,
                r#","deceasedDateTime":"2020-02-02T01:00:00-05:00""#,
            ]);
        }
        let birth = dice.of(&["", "-06", "-06-30"]);
        let resource = |updated: &str, year: usize| {
            format!(
                r#"{{"resourceType":"Patient","id":"{id}","meta":{{"lastUpdated":"{updated}"}},"birthDate":"{year}{birth}"{}{deceased},"extension":[{}]}}"#,
                gender.as_deref().unwrap_or_default(),
                extensions.join(",")
            )
        };
        // An older version, which has another year, in another zone: later by its letters alone.
        if dice.below(10) == 0 {
            let _ = writeln!(
                self.patients,
                "{}",
                resource("2024-03-01T09:30:00+12:00", 1900)
            );
        }
        let _ = writeln!(self.patients, "{}", resource("2024-03-01T00:30:00Z", year));
    }

    fn diseases(&mut self, dice: &mut Dice, id: usize) {
        for _ in 0..dice.below(4) {
            let (concept, code) = *dice.of(&DISEASES);
            let row = self.row();
            let wrong = dice.below(8) == 0;
            if !wrong {
                let _ = writeln!(self.condition, "{row},{id},{concept},2019-01-01");
            }
            let status = if wrong {
                *dice.of(&["entered-in-error", "refuted"])
            } else {
                "confirmed"
            };
            let subject = reference(dice, id);
            let _ = writeln!(
                self.conditions,
                r#"{{"resourceType":"Condition","id":"c{row}","verificationStatus":{{"coding":[{{"code":"{status}"}}]}},"code":{{"coding":[{{"system":"urn:local","code":"x"}},{{"system":"http://snomed.info/sct","code":"{code}"}}]}},"subject":{{"reference":"{subject}"}}}}"#
            );
        }
    }

    fn measurements(&mut self, dice: &mut Dice, id: usize) {
        // Every second day: from one zone to another a day's evening may be later than the next day's morning.
        for day in (1..=dice.below(12)).map(|n| 2 * n) {
            let at = dice.below(KINDS.len());
            let both = if at == 0 { vec![0, 1] } else { vec![at.max(2)] };
            let (mut components, mut comparator) = (Vec::new(), false);
            for kind in both {
                let (concept, loinc, units) = KINDS[kind];
                let (unit, ucum, least, step) = *dice.of(units);
                #[allow(clippy::cast_precision_loss)]
                let value = ((least + step * dice.below(40) as f64) * 100.0).round() / 100.0;
                comparator |= dice.below(15) == 0;
                let (operator, less) = if comparator {
                    (4_171_756, r#","comparator":"<""#)
                } else {
                    (0, "")
                };
                let row = self.row();
                let _ = writeln!(
                    self.measurement,
                    "{row},{id},{concept},2021-01-{day:02},2021-01-{day:02} 08:00:00,{operator},{value},{unit},{ucum}"
                );
                components.push(format!(
                    r#""code":{{"coding":[{{"system":"http://loinc.org","code":"{loinc}"}}]}},"valueQuantity":{{"value":{value},"unit":"{ucum}","code":"{ucum}"{less}}}"#
                ));
            }
            let row = self.row();
            let time = dice.of(&["", "T12:00:00Z", "T23:30:00-01:00", "T00:10:00+02:00"]);
            let what = match components.as_slice() {
                [one] => one.clone(),
                parts => format!(
                    r#""code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},"component":[{{{}}}]"#,
                    parts.join("},{")
                ),
            };
            let subject = reference(dice, id);
            let _ = writeln!(
                self.observations,
                r#"{{"resourceType":"Observation","id":"o{row}","status":"final","effectiveDateTime":"2021-01-{day:02}{time}","subject":{{"reference":"{subject}"}},{what}}}"#
            );
        }
    }
}

#[test]
fn the_same_patients_in_omop_and_in_fhir_are_the_same_table() {
    let mut dice = Dice(14);
    let mut exports = Exports::default();
    let mut consents = (
        "person_id,consent_research\n".to_owned(),
        "patient_id,consent_research\n".to_owned(),
    );
    for id in 1..=400 {
        exports.patient(&mut dice, id);
        exports.diseases(&mut dice, id);
        exports.measurements(&mut dice, id);
        let consent = *dice.of(&["true", "true", "false"]);
        let _ = writeln!(consents.0, "{id},{consent}");
        let _ = writeln!(consents.1, "{id},{consent}");
    }
    let mut ancestors =
        "ancestor_concept_id,descendant_concept_id\n316866,320128\n4185932,4329847\n".to_owned();
    for concept in [
        316_866, 201_826, 432_867, 4_185_932, 316_139, 313_217, 381_316,
    ] {
        let _ = writeln!(ancestors, "{concept},{concept}");
    }
    let omop = Folder::with(&[
        ("person.csv", format!("person_id,gender_concept_id,year_of_birth,race_concept_id,ethnicity_concept_id\n{}", exports.person).as_bytes()),
        ("death.csv", format!("person_id,death_date\n{}", exports.death).as_bytes()),
        ("condition_occurrence.csv", format!("condition_occurrence_id,person_id,condition_concept_id,condition_start_date\n{}", exports.condition).as_bytes()),
        ("measurement.csv", format!("measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,value_as_number,unit_concept_id,unit_source_value\n{}", exports.measurement).as_bytes()),
        ("concept_ancestor.csv", ancestors.as_bytes()),
        ("consent.csv", consents.0.as_bytes()),
    ]);
    let half = exports.observations.len() / 2;
    let half = half + exports.observations[half..].find('\n').unwrap() + 1;
    let fhir = Folder::with(&[
        ("Patient.ndjson", exports.patients.as_bytes()),
        ("Condition.000.ndjson", exports.conditions.as_bytes()),
        (
            "Observation.000.ndjson",
            &exports.observations.as_bytes()[..half],
        ),
        (
            "Observation.001.ndjson",
            &exports.observations.as_bytes()[half..],
        ),
        ("log.ndjson", b"{\"exportId\":1}\n"),
        ("consent.csv", consents.1.as_bytes()),
    ]);
    for registry in shipped_registries() {
        let starts = [
            (
                &omop,
                StartFrom::Omop {
                    registry: registry.to_owned(),
                    place: OmopPlace::Files(omop.path(".")),
                },
            ),
            (
                &fhir,
                StartFrom::Fhir {
                    registry: registry.to_owned(),
                    folder: fhir.path("."),
                },
            ),
        ];
        let tables = starts.map(|(folder, from)| {
            let out = folder.path(registry);
            init(&from, &out).unwrap();
            let table = out.join("p.parquet");
            let built = build(&out.join("mapping.toml"), Some(&folder.path(".")), &table).unwrap();
            assert_eq!(built.rows, 400);
            // One site's ids are numbers, the other's are texts.
            query(
                &table,
                "SELECT * FROM t ORDER BY CAST(patient_id AS BIGINT)",
            )
        });
        for (one, other) in tables[0].iter().zip(&tables[1]) {
            assert_eq!(one, other);
        }
        // Not by chance: every column has more than one value.
        for column in 1..tables[0][0].len() {
            assert!(
                tables[0]
                    .iter()
                    .any(|row| row[column] != tables[0][0][column]),
                "{column}"
            );
        }
    }
}

/// What the mapping does not take: units that it does not know, two versions of a patient of the same time.
#[test]
fn fhir_resources_that_cannot_be_understood_are_refused() {
    let patient = r#"{"resourceType":"Patient","id":"1","birthDate":"1950-01-01","gender":"male"}"#;
    let observation = r#"{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/1"},"code":{"coding":[{"system":"http://loinc.org","code":"2085-9"}]},"valueQuantity":{"value":50,"unit":"mg/dL","code":"mg/dL"}}"#;
    let condition = r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/1"},"code":{"text":"none"}}"#;
    let of = |patient: &str, observation: &str| {
        let site = Folder::with(&[
            ("Patient.ndjson", patient.as_bytes()),
            ("Condition.ndjson", condition.as_bytes()),
            ("Observation.ndjson", observation.as_bytes()),
            ("consent.csv", b"patient_id,consent_research\n1,true\n"),
        ]);
        let from = StartFrom::Fhir {
            registry: "cardiometabolic".to_owned(),
            folder: site.path("."),
        };
        init(&from, &site.path("site")).unwrap();
        let out = site.path("p.parquet");
        let built = build(&site.path("site/mapping.toml"), Some(&site.path(".")), &out);
        built
            .map(|_| query(&out, "SELECT hdl, hypertension FROM t"))
            .map_err(|e| e.to_string())
    };
    assert_eq!(of(patient, observation).unwrap(), [["50", "false"]]);
    let text = of(
        patient,
        &observation.replace(r#""code":"mg/dL""#, r#""code":"g/L""#),
    )
    .unwrap_err();
    assert!(
        text.contains("1: measurements in a unit that the mapping does not list"),
        "{text}"
    );
    // Nobody can tell the versions of what has no id, or an id of two patients.
    let text = of(patient, &observation.replace(r#""id":"o","#, "")).unwrap_err();
    assert!(
        text.contains("1: conditions and observations without an id"),
        "{text}"
    );
    let another = observation.replace("Patient/1", "Patient/2");
    let text = of(patient, &format!("{observation}\n{another}")).unwrap_err();
    assert!(
        text.contains("1: ids of conditions or observations that several patients have"),
        "{text}"
    );
    let other = patient.replace("1950", "1951");
    let text = of(&format!("{patient}\n{other}\n"), observation).unwrap_err();
    assert!(text.contains("repeat the `patient_id`"), "{text}");
    // The same twice is the same once.
    assert!(of(&format!("{patient}\n{patient}\n"), observation).is_ok());
    let text = of(&patient.replace(r#""male""#, r#""M""#), observation).unwrap_err();
    assert!(
        text.contains("column `sex`: 1 none of the registry's codes"),
        "{text}"
    );
}

#[test]
fn a_folder_without_a_resource_is_told() {
    let site = Folder::with(&[("Patient.ndjson", b"{}"), ("Conditions.ndjson", b"{}")]);
    let from = StartFrom::Fhir {
        registry: "cardiometabolic".to_owned(),
        folder: site.path("."),
    };
    let text = init(&from, &site.path("s")).unwrap_err().to_string();
    assert!(text.contains("no file Condition.ndjson"), "{text}");
    assert!(!fs::exists(site.path("s")).unwrap());
}

/// The open export of ten patients (thirteen, in fact) has no observations: both registries are made of it, and that all
/// measurements are missing is told. The counts are those of a program without SQL.
#[test]
fn the_open_export_without_observations_becomes_both_registries() {
    let Some(export) = data("fhir-bulk-10") else {
        return;
    };
    let site = Folder::with(&[("consent.csv", b"patient_id,consent_research\n")]);
    for registry in shipped_registries() {
        let from = StartFrom::Fhir {
            registry: registry.to_owned(),
            folder: export.clone(),
        };
        let out = site.path(registry);
        init(&from, &out).unwrap();
        // The export's folder is not ours to write to.
        let mapping = fs::read_to_string(out.join("mapping.toml")).unwrap();
        let consent = format!("path = {:?}", site.path("consent.csv"));
        fs::write(
            out.join("mapping.toml"),
            mapping.replace("path = \"consent.csv\"", &consent),
        )
        .unwrap();
        let table = out.join("p.parquet");
        let built = build(&out.join("mapping.toml"), Some(&export), &table).unwrap();
        assert_eq!(built.rows, 13);
        if registry == "cardiometabolic" {
            let told = |w: &String| w.starts_with("source `observation`: no file is named");
            assert!(built.warnings.iter().any(told), "{:?}", built.warnings);
            let counts = "SELECT count(*) FILTER (WHERE deceased), count(*) FILTER (WHERE hypertension), \
                          count(*) FILTER (WHERE type_2_diabetes), count(*) FILTER (WHERE hyperlipidaemia), \
                          count(*) FILTER (WHERE ischaemic_heart_disease), count(*) FILTER (WHERE stroke), count(ldl), \
                          count(*) FILTER (WHERE consent_research) FROM t";
            assert_eq!(
                query(&table, counts),
                [["3", "2", "1", "3", "2", "0", "0", "0"]]
            );
        }
    }
}
