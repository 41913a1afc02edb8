//! What is refused of items together, and of whole files.

use std::path::Path;

use super::super::{ConceptSet, ConceptSetError, MAX_BYTES, MAX_ITEMS};
use super::{expansion, item, refused, try_read, value_set};

#[test]
fn items_that_do_not_go_together() {
    let with = item(r#", "includeDescendants": true"#);
    let twice = format!(r#"{{"items": [{}, {with}]}}"#, item(""));
    let compose = r#"{"include": [{"system": "urn:a", "concept": [{"code": "x"}]}],
        "exclude": [{"system": "urn:a", "concept": [{"code": "y"}, {"code": "x"}]}]}"#;
    let cases = [
        (
            "concept_id,excluded\n1,1\n2,1",
            "all items are excluded, from nothing: include what they are to be taken out of",
        ),
        (
            "concept_id,excluded\n1,1\n2,0\n1,0",
            "line 2 and line 4: concept_id 1 is both included and excluded: delete one of \
             them",
        ),
        (
            "concept_id,descendants\n1,1\n2,0\n1,0",
            "line 2 and line 4: concept_id 1 stands with its descendants and without: delete \
             line 4, or, where the descendants are not meant, line 2",
        ),
        (
            "concept_id,excluded,descendants\n1,1,1\n1,0,1",
            "line 2 and line 3: concept_id 1 is both included and excluded: delete one of \
             them",
        ),
        (
            &twice,
            "items[0] and items[1]: concept_id 1 stands with its descendants and without: \
             delete items[0], or, where the descendants are not meant, items[1]",
        ),
        (
            &value_set(compose, ""),
            "compose.include[0].concept[0] and compose.exclude[0].concept[1]: code x of urn:a \
             is both included and excluded: delete one of them",
        ),
    ];
    for (text, expected) in cases {
        refused(text, expected);
    }
}

/// All that is below a concept, and not the concept.
#[test]
fn a_concept_can_be_taken_out_of_its_descendants() {
    let set = try_read("concept_id,excluded,descendants\n1,1,0\n1,0,1").unwrap();
    assert_eq!(set.items().len(), 2);
}

#[test]
fn bytes_of_other_forms() {
    let cases: [(&str, &[u8], &str); 3] = [
        (
            "a/set.CSV",
            b"concept_id,name\n1,x\n2,\xfc\n",
            "a/set.CSV: line 3: not UTF-8; save the file as UTF-8",
        ),
        (
            "set.json",
            b"{\n\"\xff",
            "set.json: line 2: not UTF-8; save the file as UTF-8",
        ),
        (
            "set.txt",
            b"concept_id\n1\n",
            "set.txt: neither JSON nor named .csv: export the set from ATLAS as JSON, or name \
             a CSV file .csv",
        ),
    ];
    for (name, bytes, expected) in cases {
        let error = ConceptSet::from_bytes(Path::new(name), bytes).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn too_much() {
    let large = vec![b' '; MAX_BYTES + 1];
    let error = ConceptSet::from_bytes(Path::new("set.csv"), &large).unwrap_err();
    assert!(matches!(error, ConceptSetError::TooLarge { .. }));
    let expected = "set.csv: 16777217 bytes, and a concept set has at most 16777216: is it the \
                    right file?";
    assert_eq!(error.to_string(), expected);

    let rows = |count| format!("concept_id\n{}", "1\n".repeat(count));
    let node = r#"{"system": "urn:a", "code": "x"},"#;
    let nodes = |count| {
        format!(
            r#"{{"contains": [{}]}}"#,
            node.repeat(count).trim_end_matches(',')
        )
    };
    for text in [rows(MAX_ITEMS + 1), expansion(&nodes(MAX_ITEMS + 1))] {
        let expected = "100001 items, and a set has at most 100000: name parents with their \
                        descendants instead";
        refused(&text, expected);
    }
    for text in [rows(MAX_ITEMS), expansion(&nodes(MAX_ITEMS))] {
        assert!(try_read(&text).is_ok());
    }
}
