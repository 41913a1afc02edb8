//! What is read, and that the form a set is written in does not matter.

use std::fmt::Write as _;

use super::{lines, read, value_set};

const ATLAS: &str = r#"{
  "items": [
    {
      "concept": {
        "CONCEPT_ID": 316866, "CONCEPT_NAME": "Hypertensive disorder", "STANDARD_CONCEPT": "S",
        "STANDARD_CONCEPT_CAPTION": "Standard", "INVALID_REASON": "V", "INVALID_REASON_CAPTION": "Valid",
        "CONCEPT_CODE": "38341003", "DOMAIN_ID": "Condition", "VOCABULARY_ID": "SNOMED",
        "CONCEPT_CLASS_ID": "Clinical Finding", "VALID_START_DATE": 1012435200000
      },
      "isExcluded": false, "includeDescendants": true, "includeMapped": false
    },
    {"concept": {"CONCEPT_ID": 4167493}, "isExcluded": true, "includeDescendants": true},
    {"concept": {"CONCEPT_ID": 320128}}
  ]
}"#;

const WRAPPED: &str = r#"{"id": 7, "name": "x", "createdDate": 1700000000000, "tags": [], "expression": {"items": [
  {"concept": {"conceptId": 320128, "standardConcept": "S"}, "isExcluded": false, "includeDescendants": false},
  {"concept": {"conceptId": 316866}, "includeDescendants": true},
  {"concept": {"conceptId": 4167493, "invalidReason": null}, "isExcluded": true, "includeDescendants": true}]}}"#;

/// As `conceptSetExpression.csv` in the archive that ATLAS exports.
const CSV: &str = "\u{feff}\"Concept Set ID\",\"Name\",\"Concept ID\",\"Concept Code\",\"Concept Name\",\
\"Domain\",\"Vocabulary\",\"Standard Concept\",\"Exclude\",\"Descendants\",\"Mapped\"\r
\"7\",\"x\",\"4167493\",\"48146000\",\"In pregnancy, or so\",\"Condition\",\"SNOMED\",\"S\",\"TRUE\",\"TRUE\",\"F\"\r
\"7\",\"x\",\"320128\",\"59621000\",\"Essential\",\"Condition\",\"SNOMED\",\"S\",\"FALSE\",\"\",\"FALSE\"\r
\"7\",\"x\",\"316866\",\"38341003\",\"Hypertensive\",\"Condition\",\"SNOMED\",\"S\",\"F\",\"t\",\"0\"\r
";

const CODES: &str = "System;CODE;display;exclude;include descendants
http://hl7.org/fhir/sid/icd-10;I10;\"Essential; primary\";no;0
http://hl7.org/fhir/sid/icd-10;I15;Secondary;No;yes
http://hl7.org/fhir/sid/icd-10;I15.9;;1;
urn:oid:1.2.276.0.76.5.311;I11;;;";

fn hex(digest: [u8; 32]) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[test]
fn the_form_is_not_in_the_digest() {
    let marked = format!("\u{feff}{WRAPPED}");
    for text in [ATLAS, WRAPPED, &marked, CSV] {
        assert_eq!(lines(text), ["316866+", "320128", "-4167493+"]);
        assert_eq!(read(text).notes(), [""; 0]);
        assert_eq!(
            hex(read(text).digest()),
            "58e42f0c6995ae6178537a599223025a33f4178d9c3384aa4ba86fd730afb27c"
        );
    }
    let compose = r#"{"include": [
        {"system": "urn:oid:1.2.276.0.76.5.311", "concept": [{"code": "I11", "display": "x"}]},
        {"system": "http://hl7.org/fhir/sid/icd-10", "filter": [{"property": "concept", "op": "is-a", "value": "I15"}]},
        {"system": "http://hl7.org/fhir/sid/icd-10", "concept": [{"code": "I10"}]}],
        "exclude": [{"system": "http://hl7.org/fhir/sid/icd-10", "concept": [{"code": "I15.9"}]}]}"#;
    for text in [CODES, &value_set(compose, r#", "title": "x""#)] {
        let icd = "http://hl7.org/fhir/sid/icd-10";
        let expected = [
            format!("{icd} I10"),
            format!("{icd} I15+"),
            format!("-{icd} I15.9"),
            "urn:oid:1.2.276.0.76.5.311 I11".to_owned(),
        ];
        assert_eq!(lines(text), expected);
        assert_eq!(read(text).notes(), [""; 0]);
        assert_eq!(
            hex(read(text).digest()),
            "8688f1a247f99bb507c0d3f082ff0d97a2ed72add3a0981b0c738f1b27b654e7"
        );
    }
}

#[test]
fn all_that_an_item_says_is_in_the_digest() {
    let mut digests = [
        "concept_id\n1",
        "concept_id\n2",
        "concept_id\n1\n2",
        "concept_id,descendants\n1,1",
        "concept_id,descendants\n1,1\n2,0",
        "concept_id,excluded\n1,1\n2,0",
        "system,code\nurn:a,1",
        "system,code\nurn:a1,1",
        "system,code\nurn:a,11",
    ]
    .map(|text| read(text).digest());
    digests.sort_unstable();
    assert!(digests.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn order_repetitions_and_labels_are_not_in_the_digest() {
    let one = read("concept_id,descendants\n9,0\n10,1\n");
    for text in [
        "concept_id,descendants\n10,1\n9,0\n",
        "name,CONCEPT_ID,include_descendants,code\nx,10,YES,a\ny,9,,b",
        "Concept Id;Descendants\n9;\n\n10;True\n9;f\n",
    ] {
        assert_eq!(read(text).digest(), one.digest(), "{text}");
    }
}

#[test]
fn repetitions_are_noted() {
    let set = read("system,code\nurn:a,x\nurn:a,y\nurn:a,x\nurn:a,x\n");
    assert_eq!(set.items().len(), 2);
    let expected =
        "items that repeat another and count once: 2, the first code x of urn:a in line 4";
    assert_eq!(set.notes(), [expected]);
}

#[test]
fn what_no_record_may_have_is_noted() {
    let omop = r#"{"items": [
        {"concept": {"CONCEPT_ID": 1, "STANDARD_CONCEPT": "N", "INVALID_REASON": "U"}},
        {"concept": {"CONCEPT_ID": 2, "STANDARD_CONCEPT": "C"}},
        {"concept": {"CONCEPT_ID": 3, "STANDARD_CONCEPT": "C"}, "includeDescendants": true},
        {"concept": {"CONCEPT_ID": 4, "STANDARD_CONCEPT": null, "INVALID_REASON": null}}]}"#;
    let csv =
        "concept_id,standard_concept,invalid_reason,descendants\n1,N,U,\n2,C,V,\n3,C,,1\n4,,,\n";
    for text in [omop, csv] {
        let expected = [
            "concepts that are not standard: 1, 2; OMOP's event tables hold standard concepts only, \
             so look up what they map to",
            "concepts that are invalid: 1; the vocabulary has replaced or withdrawn them, so look up \
             what came in their place",
        ];
        assert_eq!(read(text).notes(), expected);
    }
    let many: Vec<String> = (1..=7).map(|id| format!("{id},N\n")).collect();
    let many = read(&format!("concept_id,standard_concept\n{}", many.concat()));
    let expected = "concepts that are not standard: 1, 2, 3, 4, 5 and 2 more; ";
    assert!(many.notes()[0].starts_with(expected));
}

#[test]
fn what_the_digest_leaves_out_of_a_value_set_is_noted() {
    let compose = r#"{"lockedDate": "2024-01-01", "include": [
        {"system": "urn:a", "version": "2024", "concept": [{"code": "x"}]},
        {"system": "urn:a", "version": "2024", "concept": [{"code": "y"}]}]}"#;
    let set = read(&value_set(compose, "").replace("active", "retired"));
    let expected = [
        "compose.lockedDate is \"2024-01-01\": the digest leaves it out, so see that the hospitals' \
         codes mean the same",
        "the value set is retired: look for the one in its place",
        "the codes of urn:a are of version \"2024\", which the digest leaves out: see that the hospitals' codes mean \
         the same",
    ];
    assert_eq!(set.notes(), expected);
    let plain = value_set(
        r#"{"include": [{"system": "urn:a", "concept": [{"code": "y"}, {"code": "x"}]}]}"#,
        "",
    );
    assert_eq!(set.digest(), read(&plain).digest());
}
