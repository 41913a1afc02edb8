//! When a value set's expansion is taken.

use super::{expansion, lines, read, refused, value_set};

const WHOLE: &str = r#"{"include": [{"system": "urn:a"}]}"#;

#[test]
fn an_expansion_gives_its_codes_without_headings() {
    let nested = r#"{"identifier": "urn:uuid:1", "timestamp": "2026-01-01", "total": 4, "offset": 0,
        "parameter": [{"name": "count", "valueInteger": 4}, {"name": "limitedExpansion", "valueBoolean": false},
            {"name": "version", "valueUri": "urn:a|1"}, {"name": "activeOnly", "valueBoolean": false}],
        "contains": [
            {"system": "urn:a", "abstract": true, "display": "all", "contains": [
                {"system": "urn:a", "code": "b", "inactive": true, "contains": [{"system": "urn:a", "code": "c"}]}]},
            {"system": "urn:a", "code": "d"}]}"#;
    assert_eq!(lines(&expansion(nested)), ["urn:a b", "urn:a c", "urn:a d"]);
    assert_eq!(read(&expansion(nested)).notes(), [""; 0]);
    let both = value_set(WHOLE, &format!(r#", "expansion": {nested}"#));
    assert_eq!(read(&both).digest(), read(&expansion(nested)).digest());
    let expected = "compose.include[0] is a whole code system: the expansion was taken, which is of one \
                    day and one server";
    assert_eq!(read(&both).notes(), [expected]);
}

#[test]
fn a_definition_that_names_its_codes_comes_first() {
    let compose = r#"{"include": [{"system": "urn:a", "concept": [{"code": "x"}]}]}"#;
    let more = r#", "expansion": {"total": 9, "contains": [{"system": "urn:a", "code": "y"}]}"#;
    assert_eq!(lines(&value_set(compose, more)), ["urn:a x"]);
}

#[test]
fn what_a_server_was_asked_to_leave_out_is_noted() {
    let set = r#"{"parameter": [{"name": "activeOnly", "valueBoolean": true}],
        "contains": [{"system": "urn:a", "version": "3", "code": "x"}]}"#;
    let expected = [
        "the expansion was asked for with activeOnly: codes that records have may be missing",
        "the codes of urn:a are of version \"3\", which the digest leaves out: see that the \
         hospitals' codes mean the same",
    ];
    assert_eq!(read(&expansion(set)).notes(), expected);
}

#[test]
fn an_expansion_that_may_lack_codes_is_refused() {
    let x = r#""contains": [{"system": "urn:a", "code": "x"}]"#;
    let cases = [
        (r#""total": 2"#, "the expansion has 1 of 2 codes"),
        (r#""offset": 10"#, "the expansion is one page of several"),
        (
            r#""next": "http://x""#,
            "the expansion is one page of several",
        ),
        (
            r#""extension": [{"valueBoolean": true,
                "url": "http://hl7.org/fhir/StructureDefinition/valueset-toocostly"}]"#,
            "the expansion says \"http://hl7.org/fhir/StructureDefinition/valueset-toocostly\"",
        ),
        (
            r#""extension": [{"url": "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"}]"#,
            "the expansion says \"http://hl7.org/fhir/StructureDefinition/valueset-unclosed\"",
        ),
        (
            r#""parameter": [{"name": "filter", "valueString": "heart"}]"#,
            "the expansion was limited by its parameter \"filter\"",
        ),
        (
            r#""parameter": [{"name": "limitedExpansion", "valueBoolean": true}]"#,
            "the expansion was limited by its parameter \"limitedExpansion\"",
        ),
        (
            r#""parameter": [{"name": "offset", "valueInteger": 3}]"#,
            "the expansion was limited by its parameter \"offset\"",
        ),
        (
            r#""parameter": [{"name": "count", "valueInteger": 1}]"#,
            "the expansion was limited by its parameter \"count\"",
        ),
    ];
    let cure = "let a terminology server expand it (ValueSet/$expand) and give its answer in full";
    for (limit, expected) in cases {
        let alone = expansion(&format!("{{{limit}, {x}}}"));
        refused(&alone, &format!("{expected}: {cure}"));
        let both = value_set(WHOLE, &format!(r#", "expansion": {{{limit}, {x}}}"#));
        let why = "compose.include[0] is a whole code system";
        refused(&both, &format!("{why}, and {expected}: {cure}"));
    }
    // Fewer codes than were asked for are all.
    let few = format!(r#"{{"parameter": [{{"name": "count", "valueInteger": 2}}], {x}}}"#);
    assert_eq!(lines(&expansion(&few)), ["urn:a x"]);
}
