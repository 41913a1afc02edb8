//! What is refused of CSV.

use super::{refused, try_read};

#[test]
fn headings() {
    let cases = [
        (
            "",
            "the file is empty: the first line must name the columns concept_id, or system \
             and code",
        ),
        (
            "name,domain\nx,y",
            "line 1: no codes: the first line must name the columns concept_id, or system and \
             code",
        ),
        (
            "concept_id",
            "no items: a concept set names at least one code",
        ),
        (
            "concept_id,exclude,is_excluded\n1,1,1",
            "line 1: 2 columns are named is_excluded or exclude or excluded: keep one",
        ),
        (
            "concept_id,Concept ID\n1,1",
            "line 1: 2 columns are named concept_id: keep one",
        ),
        (
            "concept_id,system,code\n1,urn:a,x",
            "line 1: concept_id and system are both there: a set is of OMOP's ids or of \
             systems' codes, so delete one column",
        ),
        (
            "system\nurn:a",
            "line 1: system has no code beside it: add a column code",
        ),
        (
            "code\nx",
            "line 1: code has no system beside it: add a column system, with its URI",
        ),
        (
            "concept_id,exclud\n1,1",
            "line 1: the column \"exclud\" is not known: delete it, or rename it to one of \
             concept_id, system, code, is_excluded, exclude, excluded, include_descendants, \
             descendants, include_mapped, mapped, standard_concept, invalid_reason, \
             concept_set_id, name, label, display, title, comment, concept_name, \
             concept_code, concept_class_id, concept_set_name, domain, domain_id, vocabulary, \
             vocabulary_id, standard_concept_caption, invalid_reason_caption, \
             valid_start_date, valid_end_date",
        ),
    ];
    for (text, expected) in cases {
        refused(text, expected);
    }
}

#[test]
fn rows() {
    let cases = [
        (
            "concept_id,name\n1",
            "line 2: 1 fields where the first line has 2; check the separators and the quotes",
        ),
        (
            "concept_id,name\n1,\"x\ny\"",
            "line 2: a quote opens a cell that goes on in the next line; close the quote, or \
             double it",
        ),
        (
            "concept_id,name\n1,\"x",
            "line 2: a quote opens a cell and is never closed; close it, or double a quote \
             that is part of the cell",
        ),
        (
            "concept_id,name\n1,5\" wide",
            "line 2: a quote stands inside a cell that does not begin with one; quote the \
             whole cell and double the quote",
        ),
        (
            "concept_id\n0",
            "line 2: concept_id 0 is OMOP's \"no matching concept\": delete it",
        ),
        (
            "concept_id,name\n,x",
            "line 2: the concept_id is \"\": write a whole number such as 316866",
        ),
        (
            "concept_id\n1\n-1",
            "line 3: the concept_id is \"-1\": write a whole number such as 316866",
        ),
        (
            "concept_id\n+1",
            "line 2: the concept_id is \"+1\": write a whole number such as 316866",
        ),
        (
            "concept_id\n01",
            "line 2: the concept_id is \"01\": write a whole number such as 316866",
        ),
        (
            "concept_id\n1.0",
            "line 2: the concept_id is \"1.0\": write a whole number such as 316866",
        ),
        (
            "concept_id\n 1",
            "line 2: the concept_id is \" 1\": write a whole number such as 316866",
        ),
        (
            "concept_id\n9223372036854775808",
            "line 2: the concept_id is \"9223372036854775808\": write a whole number such as \
             316866",
        ),
        (
            "concept_id,exclude\n1,maybe",
            "line 2: excluded is \"maybe\": write true or false",
        ),
        (
            "concept_id,mapped\n1,TRUE",
            "line 2: include_mapped is true, which adds concepts that are not in the file: \
             list them, and say false",
        ),
        (
            "Concept Set ID,Concept ID\n7,1\n8,2",
            "line 3: another concept_set_id than above: put each set in a file of its own",
        ),
    ];
    for (text, expected) in cases {
        refused(text, expected);
    }
}

#[test]
fn codes_and_systems() {
    let long = format!("urn:a,{}", "x".repeat(257));
    let cases = [
        ("urn:a,", "the code is empty: write it, or delete the item"),
        (
            "urn:a, x",
            "the code \" x\" has white space before or after it: take it out",
        ),
        (
            "urn:a,x\u{200b}",
            "the code \"x\\u{200b}\" has a character that cannot be seen, U+200B: take it out",
        ),
        (
            "urn:a,x\u{a0}y",
            "the code \"x\\u{a0}y\" has a space that is not the ordinary one, U+00A0: take it \
             out",
        ),
        (
            &long,
            "the code \
             \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"… \
             has 257 bytes, and 256 is the most: is it one code?",
        ),
        (",x", "the system is empty: write it, or delete the item"),
        (
            "ICD10,I10",
            "the system is \"ICD10\": write http://hl7.org/fhir/sid/icd-10 for ICD-10",
        ),
        (
            "SNOMED,1",
            "the system is \"SNOMED\": write http://snomed.info/sct for SNOMED CT",
        ),
        (
            "https://loinc.org/,1",
            "the system is \"https://loinc.org/\": write http://loinc.org for LOINC",
        ),
        (
            "http://snomed.info/sct|2024,x",
            "the system is \"http://snomed.info/sct|2024\", with a version: write \
             http://snomed.info/sct, as the set is of codes and not of a version",
        ),
        (
            "OPS,5-470",
            "the system is \"OPS\": write its URI, such as http://snomed.info/sct (SNOMED \
             CT), http://loinc.org (LOINC), http://hl7.org/fhir/sid/icd-10 (ICD-10), \
             http://hl7.org/fhir/sid/icd-10-cm (ICD-10-CM), http://www.whocc.no/atc (ATC), \
             http://www.nlm.nih.gov/research/umls/rxnorm (RxNorm)",
        ),
    ];
    for (text, expected) in cases {
        refused(
            &format!("system,code\n{text}"),
            &format!("line 2: {expected}"),
        );
    }
    for system in ["http://", "urn:", "http://a b", "ftp://x"] {
        let message = try_read(&format!("system,code\n{system},x")).unwrap_err();
        assert!(message.contains("write its URI, such as "), "{message}");
    }
}
