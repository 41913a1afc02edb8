//! What is refused of FHIR value sets.

use super::{expansion, refused, value_set};

#[test]
fn value_sets() {
    let cases = [
        (
            r#"{"include": []}"#,
            "no items: a concept set names at least one code",
        ),
        (
            r#"{"include": [{"concept": [{"code": "x"}]}]}"#,
            "compose.include[0] has no system: add the code system's URI",
        ),
        (
            r#"{"include": [{"system": "ICD-10"}]}"#,
            "line 1, column 93: the system is \"ICD-10\": write \
             http://hl7.org/fhir/sid/icd-10 for ICD-10",
        ),
        (
            r#"{"include": [{"concept": [{"code": "x "}]}]}"#,
            "line 1, column 100: the code \"x \" has white space before or after it: take it \
             out",
        ),
        (
            r#"{"include": [{"system": "urn:a", "filter": [
                {"property": "concept", "op": "is-a", "value": ""}]}]}"#,
            "compose.include[0].filter[0]: the code is empty: write it, or delete the item",
        ),
    ];
    for (compose, expected) in cases {
        refused(&value_set(compose, ""), expected);
    }
    let cases = [
        ("{}", "line 1, column 62: missing field `include`"),
        (
            r#"{"include": [], "includes": []}"#,
            "line 1, column 86: unknown field `includes`, expected one of `include`, \
             `exclude`, `inactive`, `lockedDate`, `property`, `id`, `extension`",
        ),
        (
            r#"{"include": [{"concept": [{"display": "x"}]}]}"#,
            "line 1, column 102: missing field `code`",
        ),
        (
            r#"{"include": [{"concept": [{"code": "x", "modifierExtension": []}]}]}"#,
            "line 1, column 119: unknown field `modifierExtension`, expected one of `code`, \
             `display`, `designation`, `id`, `extension`",
        ),
        (
            r#"{"include": [{"concept": [], "concept": []}]}"#,
            "line 1, column 98: duplicate field `concept`",
        ),
    ];
    for (compose, expected) in cases {
        let cure = "correct it there, or export the set again";
        refused(&value_set(compose, ""), &format!("{expected}; {cure}"));
    }
    let cases = [
        (
            r#"{"contains": []}"#,
            "no items: a concept set names at least one code",
        ),
        (
            r#"{"contains": [{"code": "x"}]}"#,
            "expansion.contains[0] lacks a system or a code and is not abstract: add them, or \
             say \"abstract\": true",
        ),
        (
            r#"{"contains": [{"system": "urn:a", "contains": [{"code": "x"}]}]}"#,
            "expansion.contains[0].contains[0] lacks a system or a code and is not abstract: \
             add them, or say \"abstract\": true",
        ),
    ];
    for (text, expected) in cases {
        refused(&expansion(text), expected);
    }
}

#[test]
fn value_sets_that_do_not_name_their_codes() {
    let filter =
        |filters: &str| format!(r#"{{"include": [{{"system": "urn:a", "filter": [{filters}]}}]}}"#);
    let tree = r#"{"property": "concept", "op": "is-a", "value": "x"}"#;
    let cases = [
        (
            r#"{"include": [{"system": "urn:a"}]}"#,
            "compose.include[0] is a whole code system",
        ),
        (
            r#"{"include": [{"valueSet": ["http://x"]}]}"#,
            "compose.include[0] refers to another value set",
        ),
        (
            &filter(&tree.replace("is-a", "descendent-of")),
            "compose.include[0].filter[0] is \"concept\" \"descendent-of\" \"x\", and of \
             filters only \"concept\" \"is-a\" names its codes",
        ),
        (
            &filter(&tree.replace("concept", "parent")),
            "compose.include[0].filter[0] is \"parent\" \"is-a\" \"x\", and of filters only \
             \"concept\" \"is-a\" names its codes",
        ),
        (
            &filter(&format!("{tree}, {tree}")),
            "compose.include[0] has several filters that must all hold",
        ),
        (
            &filter(tree).replace("filter", r#"concept": [{"code": "x"}], "filter"#),
            "compose.include[0] has both concept and filter",
        ),
        (
            r#"{"include": [], "exclude": [{"system": "urn:a"}]}"#,
            "compose.exclude[0] is a whole code system",
        ),
        (
            r#"{"include": [], "inactive": false}"#,
            "compose.inactive is false, which leaves out codes and does not say which",
        ),
    ];
    let cure = "let a terminology server expand it (ValueSet/$expand) and give its answer";
    for (compose, expected) in cases {
        refused(&value_set(compose, ""), &format!("{expected}: {cure}"));
    }
    let cases = [
        (
            r#"{"resourceType": "ValueSet"}"#,
            "neither compose nor expansion",
        ),
        (
            r#"{"resourceType": "ValueSet", "implicitRules": "http://x"}"#,
            "it has a modifierExtension or implicitRules, which change what the rest means",
        ),
    ];
    for (text, expected) in cases {
        refused(text, &format!("{expected}: {cure}"));
    }
}
