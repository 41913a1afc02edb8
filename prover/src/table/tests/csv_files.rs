//! CSV: what is accepted, and each refusal with its line.

use super::*;
use crate::table::{Place, ValueProblem};

const HEADER: &str = "pid,ok,age,ldl,sex,grade,mi,seen";

fn csv(name: &str, bytes: impl AsRef<[u8]>) -> Result<Vec<TableChunk>, TableError> {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), name, bytes.as_ref());
    read(&path, &small(), 100)
}

fn rows(rows: &str) -> Result<Vec<TableChunk>, TableError> {
    csv("t.csv", format!("{HEADER}\n{rows}"))
}

/// The column, line and problem of a refused cell.
fn refused(text: &str) -> (String, u64, ValueProblem) {
    match rows(text).unwrap_err() {
        TableError::Value {
            column,
            place: Place::Line(line),
            problem,
            ..
        } => (column, line, problem),
        other => panic!("{other}"),
    }
}

#[test]
fn values_are_stored_as_the_registry_says() {
    let chunks = rows("a1,true,18,-1,F,1,no,2000-01-01\nb2,0,,9999.99,NA,,1,\n").unwrap();
    let [chunk] = chunks.as_slice() else { panic!() };
    assert_eq!(chunk.rows(), 2);
    assert_eq!(chunk.ids(), ["a1", "b2"]);
    assert_eq!(column(chunk, "consent:DUO:0000042"), [1, 0]);
    assert_eq!(column(chunk, "age"), [0, 0]);
    assert_eq!(column(chunk, "age.known"), [1, 0]);
    // (9999.99 + 1)·100 = 1,000,099 = 15·65,536 + 17,059
    assert_eq!(column(chunk, "ldl.lo"), [0, 17_059]);
    assert_eq!(column(chunk, "ldl.hi"), [0, 15]);
    assert_eq!(column(chunk, "sex"), [0, 2]);
    assert_eq!(column(chunk, "grade"), [0, 0]);
    assert_eq!(column(chunk, "grade.known"), [1, 0]);
    assert_eq!(column(chunk, "mi"), [0, 1]);
    assert_eq!(column(chunk, "mi.known"), [1, 1]);
    assert_eq!(column(chunk, "seen"), [0, 0]);
    assert_eq!(column(chunk, "seen.known"), [1, 0]);
}

#[test]
fn chunks_are_full_but_for_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let text: String = (0..7).map(|i| format!("p{i},1,50,1,F,2,,\n")).collect();
    let path = file(dir.path(), "t.csv", format!("{HEADER}\n{text}").as_bytes());
    let sizes = |n| -> Vec<usize> {
        let chunks = read(&path, &small(), n).unwrap();
        chunks.iter().map(TableChunk::rows).collect()
    };
    assert_eq!(sizes(3), [3, 3, 1]);
    assert_eq!(sizes(7), [7]);
    assert_eq!(sizes(0), [1; 7]);
}

#[test]
fn spelling_variants_give_the_same_table() {
    let plain = "pid,ok,age,ldl,sex,grade,mi,seen,note\nä1,1,20,1.5,F,,1,2020-02-29,x y\nb2,0,NA,2,M,3,,,\n";
    let expected = csv("t.csv", plain).unwrap();
    let variants = [
        ("bom.csv", format!("\u{feff}{plain}")),
        ("crlf.csv", plain.replace('\n', "\r\n")),
        ("cr.csv", plain.replace('\n', "\r")),
        ("noend.csv", plain.trim_end().to_owned()),
        ("blank.csv", plain.replace("\nb2", "\n\nb2")),
        ("semicolon.csv", plain.replace(',', ";")),
        ("tab.tsv", plain.replace(',', "\t")),
        ("upper.CSV", plain.to_owned()),
        ("space.csv", plain.replace(',', " , ")),
        (
            "quoted.csv",
            plain
                .replace("ä1", "\"ä1\"")
                .replace("x y", "\"x,\r\n\"\"y\""),
        ),
        ("null.csv", plain.replace("NA,2", "NULL,2.00")),
    ];
    for (name, text) in variants {
        assert_eq!(csv(name, text).unwrap(), expected, "{name}");
    }
}

#[test]
fn extra_columns_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let text = "note,seen,mi,grade,sex,ldl,age,ok,pid,ward\nx,,,,F,,,1,p1,w\n";
    let path = file(dir.path(), "t.csv", text.as_bytes());
    let mut reader = TableReader::open(&path, &small()).unwrap();
    assert_eq!(reader.ignored_columns(), ["note", "ward"]);
    assert_eq!(reader.size_hint(), None);
    let chunk = reader.next_chunk(10).unwrap().unwrap();
    assert_eq!((chunk.rows(), reader.rows_read()), (1, 1));
    assert!(reader.next_chunk(10).unwrap().is_none());
}

#[test]
fn bad_header() {
    let error = csv("t.csv", "pid,ok,age,ldl,sex,grade,mi\n").unwrap_err();
    assert!(matches!(&error, TableError::MissingColumn { column, .. } if column == "seen"));
    let error = csv("t.csv", format!("{HEADER},age\n")).unwrap_err();
    assert!(matches!(&error, TableError::AmbiguousColumn { column, .. } if column == "age"));
    let error = csv("t.csv", b"pid,ok\xff\n").unwrap_err();
    assert!(matches!(error, TableError::HeaderNotUtf8 { .. }));
}

#[test]
fn bad_emptiness() {
    for empty in ["", "\n\n", "\u{feff}"] {
        let error = csv("t.csv", empty).unwrap_err();
        assert!(matches!(error, TableError::Empty { .. }), "{error}");
    }
    for header_only in [HEADER.to_owned(), format!("{HEADER}\r\n\r\n")] {
        let error = csv("t.csv", header_only).unwrap_err();
        assert!(matches!(error, TableError::NoRows { .. }), "{error}");
    }
}

#[test]
fn bad_null() {
    use ValueProblem::Null;
    assert_eq!(refused(",1,20,1,F,1,1,\n"), ("pid".into(), 2, Null));
    assert_eq!(refused("NA,1,20,1,F,1,1,\n"), ("pid".into(), 2, Null));
    assert_eq!(refused("p,,20,1,F,1,1,\n"), ("ok".into(), 2, Null));
    assert_eq!(refused("p,1,20,1,,1,1,\n"), ("sex".into(), 2, Null));
}

#[test]
fn bad_values() {
    let good = "p0,1,20,1,F,1,1,2020-01-01\n";
    let cases = [
        ("p1,2,,,F,,,", "ok", ValueProblem::NotBoolean),
        (
            "p1,1,121,,F,,,",
            "age",
            ValueProblem::AboveMaximum { max: "120".into() },
        ),
        (
            "p1,1,17,,F,,,",
            "age",
            ValueProblem::BelowMinimum { min: "18".into() },
        ),
        (
            "p1,1,20.5,,F,,,",
            "age",
            ValueProblem::TooManyDecimals { decimals: 0 },
        ),
        ("p1,1,old,,F,,,", "age", ValueProblem::NotNumber),
        (
            "p1,1,,1e4,F,,,",
            "ldl",
            ValueProblem::AboveMaximum {
                max: "9999.99".into(),
            },
        ),
        (
            "p1,1,,-1.01,F,,,",
            "ldl",
            ValueProblem::BelowMinimum {
                min: "-1.00".into(),
            },
        ),
        (
            "p1,1,,1.001,F,,,",
            "ldl",
            ValueProblem::TooManyDecimals { decimals: 2 },
        ),
        ("p1,1,,,f,,,", "sex", ValueProblem::UnknownCode),
        ("p1,1,,,F,01,,", "grade", ValueProblem::UnknownCode),
        ("p1,1,,,F,,maybe,", "mi", ValueProblem::NotBoolean),
        ("p1,1,,,F,,,2021-02-29", "seen", ValueProblem::NotDate),
    ];
    for (row, column, problem) in cases {
        assert_eq!(
            refused(&format!("{good}{row}\n")),
            (column.into(), 3, problem)
        );
    }
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let bad = "p9,1,999,1,F,1,1,\n";
    for (text, line) in [
        (bad.to_owned(), 2),
        (format!("\n\np1,1,20,1,F,1,1,\n\n{bad}"), 6),
        (format!("\"p\n\n1\",1,20,1,F,1,1,\n{bad}"), 5),
        (format!("p1,1,20,1,F,1,1,\n\"p\n9\",{}", &bad[3..]), 3),
        (bad.trim_end().to_owned(), 2),
    ] {
        assert_eq!(refused(&text).1, line, "{text:?}");
        assert_eq!(refused(&text.replace('\n', "\r\n")).1, line, "{text:?}");
    }
}

#[test]
fn bad_utf8_is_refused_with_its_line() {
    let mut bytes = format!("{HEADER}\np1,1,20,1,").into_bytes();
    bytes.extend(b"\xe9,1,1,\n");
    match csv("t.csv", bytes).unwrap_err() {
        TableError::Value {
            column,
            place,
            problem,
            ..
        } => {
            assert_eq!((column.as_str(), place), ("sex", Place::Line(2)));
            assert_eq!(problem, ValueProblem::NotUtf8);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn bad_ragged() {
    let good = "p0,1,20,1,F,1,1,\n";
    for (bad, found_fields) in [
        ("p1,1,20\n", 3),
        ("p1,1,20,1,5,F,1,1,\n", 9),
        ("\"p1,1,20\n", 1),
    ] {
        match rows(&format!("{good}{bad}")).unwrap_err() {
            TableError::Ragged {
                line,
                expected,
                found,
                ..
            } => {
                assert_eq!((line, expected, found), (3, 8, found_fields), "{bad}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn bad_double_patient_names_both_lines() {
    let text = "a,1,20,1,F,1,1,\nb,1,20,1,F,1,1,\n a ,1,20,1,F,1,1,\n";
    match rows(text).unwrap_err() {
        TableError::DuplicatePatient {
            first,
            second,
            column,
            ..
        } => {
            assert_eq!((first, second), (Place::Line(2), Place::Line(4)));
            assert_eq!(column, "pid");
        }
        other => panic!("{other}"),
    }
    // Also where the two stand in different chunks.
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "t.csv", format!("{HEADER}\n{text}").as_bytes());
    let error = read(&path, &small(), 1).unwrap_err();
    assert!(matches!(error, TableError::DuplicatePatient { .. }));
}

#[test]
fn a_refused_table_stays_refused() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{HEADER}\np1,1,999,1,F,1,1,\np2,1,20,1,F,1,1,\n");
    let path = file(dir.path(), "t.csv", text.as_bytes());
    let mut reader = TableReader::open(&path, &small()).unwrap();
    assert!(reader.next_chunk(1).is_err());
    let again = reader.next_chunk(1).unwrap_err();
    assert!(matches!(again, TableError::Abandoned { .. }));
}

#[test]
fn no_text_holds_a_value() {
    let secret = "4711-secret";
    for row in 0..8 {
        let mut cells = ["p", "1", "20", "1", "F", "1", "1", "2020-01-01"].map(str::to_owned);
        cells[row] = secret.to_owned();
        let twice = format!("{}\n", cells.join(",")).repeat(2);
        let error = rows(&twice).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("4711"), "{error}");
    }
    let chunks = rows("4711,1,20,1,F,1,1,\n").unwrap();
    assert!(!format!("{chunks:?}").contains("4711"));
    let error = rows("p1,1,4711,1,F,1,1,\n").unwrap_err().to_string();
    assert!(error.ends_with(
        "column age, line 2: number above the maximum 120; correct the table or the registry"
    ));
}
