//! CSV: what is accepted, and each refusal with its line.

use galen_query::quotes::QuoteFault;

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
        (
            "quoted.csv",
            plain.replace("ä1", "\"ä1\"").replace("x y", "\"x, \"\"y\""),
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
    let utf16: Vec<u8> = HEADER.bytes().flat_map(|b| [b, 0]).collect();
    for header in [&b"pid,ok\xff\n"[..], &utf16] {
        let error = csv("t.csv", header).unwrap_err();
        assert!(matches!(error, TableError::HeaderNotUtf8 { .. }));
    }
}

/// What is said of a header, without the file's name.
fn said(name: &str, header: &str) -> String {
    let error = csv(name, format!("{header}\n4711,1,50,1,F,2,,\n")).unwrap_err();
    let text = error.to_string();
    assert!(!text.contains("4711"), "{text}");
    text.split_once(&format!("{name}: ")).unwrap().1.to_owned()
}

#[test]
fn headers_that_look_right() {
    let all: String = [
        ("t.csv", HEADER.replace("age", "Age")),
        ("t.csv", HEADER.to_uppercase()),
        ("t.csv", HEADER.replace("age", " age")),
        ("t.csv", HEADER.replace(',', ", ")),
        ("t.csv", HEADER.replace("age", "\"age \"")),
        ("t.csv", HEADER.replace("age", "'age'")),
        ("t.csv", format!("\u{feff}\u{feff}{HEADER}")),
        ("t.csv", HEADER.replace("age", "Age\u{200b}")),
        ("t.csv", HEADER.replace("age", "alter")),
        ("t.csv", "4711,1,50,1,F,2,,".to_owned()),
        ("t.csv", HEADER.replace(',', "\t")),
        ("t.csv", HEADER.replace(',', "|")),
        ("t.csv", HEADER.replace(',', ";") + ";\"weight, kg\""),
        ("t.tsv", HEADER.to_owned()),
        ("t.tsv", HEADER.replace(',', ";")),
        ("t.csv", format!("\"{HEADER}\"")),
        ("t.csv", format!("sep=,\n{HEADER}")),
    ]
    .iter()
    .map(|(name, header)| format!("{header:?} in {name}\n    {}\n", said(name, header)))
    .collect();
    insta::assert_snapshot!(all, @r##"
"pid,ok,Age,ldl,sex,grade,mi,seen" in t.csv
    column age is missing; its heading has other capitals: names are matched exactly, so write it in small letters
"PID,OK,AGE,LDL,SEX,GRADE,MI,SEEN" in t.csv
    column pid is missing; its heading has other capitals: names are matched exactly, so write it in small letters
"pid,ok, age,ldl,sex,grade,mi,seen" in t.csv
    column age is missing; its heading has white space, or a mark that is not seen, around it: names are matched exactly, so leave that out
"pid, ok, age, ldl, sex, grade, mi, seen" in t.csv
    column ok is missing; its heading has white space, or a mark that is not seen, around it: names are matched exactly, so leave that out
"pid,ok,\"age \",ldl,sex,grade,mi,seen" in t.csv
    column age is missing; its heading has white space, or a mark that is not seen, around it: names are matched exactly, so leave that out
"pid,ok,'age',ldl,sex,grade,mi,seen" in t.csv
    column age is missing; its heading has quotes that are part of it: names are matched exactly, so leave them out, or write "double" ones once
"\u{feff}\u{feff}pid,ok,age,ldl,sex,grade,mi,seen" in t.csv
    column pid is missing; its heading has white space, or a mark that is not seen, around it: names are matched exactly, so leave that out
"pid,ok,Age\u{200b},ldl,sex,grade,mi,seen" in t.csv
    column age is missing; its heading has other capitals, and something around it: names are matched exactly, so write the bare name
"pid,ok,alter,ldl,sex,grade,mi,seen" in t.csv
    column age is missing; add it to the table, spelled like this
"4711,1,50,1,F,2,," in t.csv
    column pid is missing; nor is any other of the registry's columns there: choose the right table, with the columns' names at its top
"pid\tok\tage\tldl\tsex\tgrade\tmi\tseen" in t.csv
    the fields look separated by tabs; name the file .tsv
"pid|ok|age|ldl|sex|grade|mi|seen" in t.csv
    the fields look separated by |; export the table with commas, or with tabs as .tsv
"pid;ok;age;ldl;sex;grade;mi;seen;\"weight, kg\"" in t.csv
    the fields look separated by semicolons; name the file .csv, with no comma in the header, or export the table with commas
"pid,ok,age,ldl,sex,grade,mi,seen" in t.tsv
    the fields look separated by commas; name the file .csv
"pid;ok;age;ldl;sex;grade;mi;seen" in t.tsv
    the fields look separated by semicolons; name the file .csv, with no comma in the header, or export the table with commas
"\"pid,ok,age,ldl,sex,grade,mi,seen\"" in t.csv
    the header stands in quotes as a whole; export the table again, with quotes around single fields or none
"sep=,\npid,ok,age,ldl,sex,grade,mi,seen" in t.csv
    the first line tells a spreadsheet the separator; leave it out, so that the table begins with its header
"##);
    // Each of these is right.
    for header in [
        format!("\u{feff}{HEADER}"),
        format!("\u{feff}\"pid\",{}", &HEADER[4..]),
        format!("\n\n{HEADER}"),
        format!("{HEADER},Age, age"),
        format!("\"{}\"", HEADER.replace(',', "\",\"")),
    ] {
        let extra = if header.ends_with(" age") { ",," } else { "" };
        let text = format!("{header}\np1,1,50,1,F,2,,{extra}\n");
        csv("t.csv", text).unwrap();
    }
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
    let (_, _, problem) = refused(" ,1,20,1,F,1,1,\n");
    assert_eq!(
        problem,
        ValueProblem::Unseen("white space before or after it")
    );
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

/// Nothing is trimmed, in whatever column: what differs by white space is another text.
#[test]
fn bad_white_space() {
    let good = ["p1", "1", "20", "1.5", "F", "2", "1", "2020-01-01"];
    let names: Vec<&str> = HEADER.split(',').collect();
    for (at, name) in names.iter().enumerate() {
        let texts = [format!(" {}", good[at]), format!("{} ", good[at])];
        for cell in texts.iter().flat_map(|t| [t.clone(), format!("\"{t}\"")]) {
            let mut cells = good.map(str::to_owned);
            cells[at] = cell;
            let row = format!("p0,1,20,1.5,F,2,1,\n{}\n", cells.join(","));
            let problem = ValueProblem::Unseen("white space before or after it");
            assert_eq!(refused(&row), ((*name).to_owned(), 3, problem), "{row}");
        }
    }
    let error = rows("p1,1,20,1, F,2,1,\n").unwrap_err().to_string();
    assert!(
        error.ends_with(
            "column sex, line 2: no value as it stands: there is white space before or after it, \
             and nothing is trimmed or cleaned; correct the table or the registry"
        ),
        "{error}"
    );
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let bad = "p9,1,999,1,F,1,1,,\n";
    for (text, line) in [
        (bad.to_owned(), 2),
        (format!("\n\np1,1,20,1,F,1,1,,\n\n{bad}"), 6),
        (
            "p1,1,20,1,F,1,1,,\n\np9,1,999,1,F,1,1,,\"x\"\n".to_owned(),
            4,
        ),
        (bad.trim_end().to_owned(), 2),
    ] {
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            match csv("t.csv", format!("{HEADER},note\n{text}")).unwrap_err() {
                TableError::Value { place, .. } => assert_eq!(place, Place::Line(line), "{text:?}"),
                other => panic!("{other}"),
            }
        }
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
        ("\"p1,1,20\"\n", 1),
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

/// The quotes of a note that is not even read: each of these loses or joins rows in some reader.
#[test]
fn bad_quotes() {
    let table = |notes: [&str; 4]| {
        let rows = (1..).zip(notes);
        let rows: String = rows
            .map(|(n, note)| format!("{n},true,20,1,F,1,1,,{note}\n"))
            .collect();
        csv("t.csv", format!("{HEADER},note\n{rows}"))
    };
    use QuoteFault::{AfterQuote, ManyLines, Stray, Unclosed};
    for (notes, expected) in [
        (["ok", "\"cut", "fine", "fine"], ManyLines { opened: 3 }),
        (["\"", "a", "\"", "b"], ManyLines { opened: 2 }),
        (
            ["ok", "\"cut\" off", "fine", "fine"],
            AfterQuote { line: 3 },
        ),
        (["ok", "ok", "5\" tall", "fine"], Stray { line: 4 }),
    ] {
        match table(notes).unwrap_err() {
            TableError::Quotes { fault, .. } => assert_eq!(fault, expected, "{notes:?}"),
            other => panic!("{other}"),
        }
    }
    match rows("1,1,20,1,F,1,1,\n2,1,20,1,F,1,1,\"").unwrap_err() {
        TableError::Quotes { fault, .. } => assert_eq!(fault, Unclosed { opened: 3 }),
        other => panic!("{other}"),
    }
    let chunks = table(["\"5\"\" tall, or so\"", "\"\"", "", "x"]).unwrap();
    assert_eq!(chunks[0].rows(), 4);
}

/// A whole chunk stands before the quote; nothing of the table is kept.
#[test]
fn bad_quote_far_down() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = format!("{HEADER}\n");
    for n in 0..20_000 {
        let seen = if n == 10_100 { "\"" } else { "" };
        text.push_str(&format!("p{n},1,20,1,F,1,1,{seen}\n"));
    }
    let path = file(dir.path(), "t.csv", text.as_bytes());
    match read(&path, &small(), 100).unwrap_err() {
        TableError::Quotes { fault, .. } => {
            assert_eq!(fault, QuoteFault::ManyLines { opened: 10_102 });
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_last_line_without_its_end_is_told() {
    for (text, warnings) in [("p1,1,20,1,F,1,1,\n", 0), ("p1,1,20,1,F,1,1,", 1)] {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), "t.csv", format!("{HEADER}\n{text}").as_bytes());
        let mut reader = TableReader::open(&path, &small()).unwrap();
        while reader.next_chunk(10).unwrap().is_some() {}
        assert_eq!(reader.warnings().len(), warnings, "{text:?}");
    }
}

#[test]
fn bad_double_patient_names_both_lines() {
    let text = "a,1,20,1,F,1,1,\nb,1,20,1,F,1,1,\n\"a\",1,20,1,F,1,1,\n";
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
