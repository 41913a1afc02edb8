//! What is refused of JSON, and of ATLAS's.

use super::{item, refused};

#[test]
fn files_of_other_forms() {
    let one = item("");
    let cases = [
        (
            "[]",
            "a list, where one concept set is an object: put each set in a file of its own",
        ),
        (
            "{}",
            "neither `items`, as ATLAS writes it, nor `resourceType`, as FHIR does: export \
             the set as JSON",
        ),
        (
            r#"{"items": []}"#,
            "no items: a concept set names at least one code",
        ),
        (
            r#"{"items": ["#,
            "line 1, column 11: not JSON: EOF while parsing a list; export the set again, as \
             a copy may have been cut",
        ),
        (
            r#"{"items": []} {}"#,
            "line 1, column 15: not JSON: trailing characters; export the set again, as a \
             copy may have been cut",
        ),
        (
            r#"{"ConceptSets": [], "PrimaryCriteria": {}}"#,
            "a cohort definition, whose ConceptSets are several: export the one set from \
             ATLAS",
        ),
        (
            r#"{"expression": {"cdmVersionRange": "5", "ConceptSets": [1]}}"#,
            "a cohort definition, whose ConceptSets are several: export the one set from \
             ATLAS",
        ),
        (
            &format!(r#"{{"items": [{one}], "expression": {{"items": []}}}}"#),
            "it has both `items` and `expression`: keep one",
        ),
        (
            r#"{"resourceType": "Bundle"}"#,
            "a FHIR resource of type \"Bundle\": give the ValueSet in a file of its own",
        ),
    ];
    for (text, expected) in cases {
        refused(text, expected);
    }
}

#[test]
fn objects_of_another_shape() {
    let cases = [
        (
            r#"{"expression": "{}"}"#,
            "line 1, column 19: invalid type: string \"{}\", expected an object",
        ),
        (
            r#"{"expression": {"items": [], "mapped": true}}"#,
            "line 1, column 37: unknown field `mapped`, expected `items`",
        ),
        (
            r#"{"items": [[{"CONCEPT_ID": 1}]]}"#,
            "line 1, column 11: invalid type: sequence, expected an object",
        ),
        (
            r#"{"items": [{"concept": [1]}]}"#,
            "line 1, column 23: invalid type: sequence, expected an object",
        ),
        (
            r#"{"items": [{"concept": {"CONCEPT_NAME": "x"}}]}"#,
            "line 1, column 44: missing field `CONCEPT_ID`",
        ),
        (
            r#"{"items": [{"concept": {"CONCEPT_ID": 1, "conceptId": 2}}]}"#,
            "line 1, column 52: duplicate field `CONCEPT_ID`",
        ),
        (
            r#"{"items": [{"concept": {"CONCEPT_ID": 316866.0}}]}"#,
            "line 1, column 46: invalid type: floating point `316866.0`, expected a \
             concept_id, which is a whole number such as 316866",
        ),
        (
            r#"{"items": [{"concept": {"CONCEPT_ID": "316866"}}]}"#,
            "line 1, column 46: invalid type: string \"316866\", expected a concept_id, which \
             is a whole number such as 316866",
        ),
        (
            r#"{"items": [{"concept": {"CONCEPT_ID": 9223372036854775808}}]}"#,
            "line 1, column 57: invalid value: integer `9223372036854775808`, expected a \
             concept_id, which is a whole number such as 316866",
        ),
        (
            "{\"items\": [\n{\"concept\": {\"CONCEPT_ID\": 1},\n\"isexcluded\": true}]}",
            "line 3, column 12: unknown field `isexcluded`, expected one of `concept`, \
             `isExcluded`, `includeDescendants`, `includeMapped`",
        ),
        (
            r#"{"items": [{"concept": {"CONCEPT_ID": 1}, "isExcluded": 1}]}"#,
            "line 1, column 57: invalid type: integer `1`, expected a boolean",
        ),
        (
            r#"{"items": [{"isExcluded": true, "isExcluded": false}]}"#,
            "line 1, column 44: duplicate field `isExcluded`",
        ),
        (
            r#"{"resourceType": "ValueSet", "resourceType": "ValueSet"}"#,
            "line 1, column 43: duplicate field `resourceType`",
        ),
    ];
    for (text, expected) in cases {
        let cure = "correct it there, or export the set again";
        refused(text, &format!("{expected}; {cure}"));
    }
}

#[test]
fn items_of_atlas() {
    let cases = [
        (
            r#"{"concept": {"CONCEPT_ID": 0}}"#,
            "line 1, column 39: concept_id 0 is OMOP's \"no matching concept\": delete it",
        ),
        (
            r#"{"concept": {"CONCEPT_ID": -5}}"#,
            "line 1, column 40: concept_id -5 is negative: take it from the vocabulary",
        ),
        (
            &item(r#", "includeMapped": true"#),
            "items[0]: includeMapped is true, which adds concepts that are not in the file: \
             list them, and say false",
        ),
        (
            r#"{"concept": {"CONCEPT_ID": 1, "includeDescendants": true}}"#,
            "items[0]: a flag stands within `concept`: move isExcluded and includeDescendants \
             beside it",
        ),
    ];
    for (text, expected) in cases {
        refused(&format!(r#"{{"items": [{text}]}}"#), expected);
    }
}
