//! One text at a time.

use galen_query::registry::{Code, Column, ColumnKind};
use proptest::prelude::*;
use time::macros::date;

use crate::table::{Encoder, ValueProblem, encode_text};

fn column(kind: ColumnKind) -> Column {
    Column {
        name: "x".to_owned(),
        kind,
        nullable: false,
        title: None,
        system: None,
        code: None,
        concept_sets: Vec::new(),
    }
}

fn number(min: i64, max: i64, decimals: u32) -> Column {
    column(ColumnKind::Number {
        min,
        max,
        decimals,
        unit: None,
    })
}

#[test]
fn booleans() {
    let c = column(ColumnKind::Boolean);
    for yes in ["true", "TRUE", "t", "T", "1", "yes", "Yes"] {
        assert_eq!(encode_text(&c, yes), Ok(1), "{yes}");
    }
    for no in ["false", "F", "0", "no"] {
        assert_eq!(encode_text(&c, no), Ok(0), "{no}");
    }
    for bad in ["", "2", "y", "01", "1.0", "tru", "NA"] {
        assert_eq!(encode_text(&c, bad), Err(ValueProblem::NotBoolean), "{bad}");
    }
}

#[test]
fn texts_are_read_as_they_stand() {
    let code = |code: &str| Code {
        code: code.to_owned(),
        label: None,
    };
    let date = ColumnKind::Date {
        min: date!(2000 - 01 - 01),
        max: date!(2025 - 12 - 31),
    };
    let codes = vec![code("a"), code("é"), code("T1 N0"), code("NA")];
    let columns = [
        (column(ColumnKind::Boolean), "true"),
        (column(ColumnKind::Category { codes }), "a"),
        (number(0, 100, 1), "5.5"),
        (column(date), "2001-02-03"),
    ];
    let space = ValueProblem::Unseen("white space before or after it");
    let invisible = ValueProblem::Unseen("a character that cannot be seen");
    for (column, good) in &columns {
        let encoder = Encoder::new(column);
        assert!(encoder.nullable_text(good).unwrap().is_some());
        for null in ["", "NULL"] {
            assert_eq!(encoder.nullable_text(null), Ok(None));
        }
        for around in [" ", "\t", "\u{a0}", "\u{3000}", "\r\n"] {
            let space = || Err(space.clone());
            let (before, behind) = (format!("{around}{good}"), format!("{good}{around}"));
            assert_eq!(encoder.nullable_text(&before), space(), "{before:?}");
            assert_eq!(encoder.nullable_text(&behind), space(), "{behind:?}");
            assert_eq!(encoder.nullable_text(around), space(), "{around:?}");
            assert_eq!(encoder.nullable_text(&format!("{around}NULL")), space());
        }
        let marked = format!("\u{feff}{good}");
        assert_eq!(encode_text(column, &marked), Err(invisible.clone()));
        let joined = format!("{good}\u{200b}");
        assert_eq!(encode_text(column, &joined), Err(invisible.clone()));
    }
    let category = &columns[1].0;
    assert_eq!(encode_text(category, "T1 N0"), Ok(2));
    for (text, what) in [
        ("T1\u{a0}N0", "a space that is not the ordinary one"),
        (
            "e\u{301}",
            "letters that are not in Unicode's normalization form C",
        ),
    ] {
        let problem = ValueProblem::Unseen(what);
        assert_eq!(encode_text(category, text), Err(problem), "{text}");
    }
}

#[test]
fn categories() {
    let codes = ["I21.0", "NA", "é"].map(|code| Code {
        code: code.to_owned(),
        label: None,
    });
    let c = column(ColumnKind::Category {
        codes: codes.to_vec(),
    });
    assert_eq!(encode_text(&c, "I21.0"), Ok(0));
    assert_eq!(encode_text(&c, "NA"), Ok(1));
    assert_eq!(encode_text(&c, "é"), Ok(2));
    for bad in ["i21.0", "I21", "", "E"] {
        assert_eq!(encode_text(&c, bad), Err(ValueProblem::UnknownCode));
    }
}

#[test]
fn numbers_are_exact() {
    let c = number(-1_000, 100_000, 2);
    for (text, stored) in [
        ("-10", 0),
        ("-10.00", 0),
        ("0", 1_000),
        ("-0", 1_000),
        ("0e999999999999", 1_000),
        ("+1.5", 1_150),
        (".25", 1_025),
        ("5.", 1_500),
        ("001.10", 1_110),
        ("1.2e2", 13_000),
        ("12345E-2", 13_345),
        ("1.500000000000000000000000000000000000000000000", 1_150),
        ("0.0000000000000000000000000000000000000000015e42", 1_150),
        ("1000", 101_000),
    ] {
        assert_eq!(encode_text(&c, text), Ok(stored), "{text}");
    }
    for bad in [
        "", ".", "-", "+", "e5", "1e", "1e+", "1,5", "1.2.3", "0x10", "NaN", "inf", "1 0", "--1",
        "1e5.0", "٣", "1_000",
    ] {
        assert_eq!(encode_text(&c, bad), Err(ValueProblem::NotNumber), "{bad}");
    }
    for bad in [
        "1.234",
        "1e-3",
        "0.0000000000000000000000000000000000000000000001",
    ] {
        let problem = ValueProblem::TooManyDecimals { decimals: 2 };
        assert_eq!(encode_text(&c, bad), Err(problem), "{bad}");
    }
    for bad in [
        "1000.01",
        "1e30",
        "1e999999999999999999999",
        &"9".repeat(400),
    ] {
        let max = "1000.00".to_owned();
        assert_eq!(
            encode_text(&c, bad),
            Err(ValueProblem::AboveMaximum { max }),
            "{bad}"
        );
    }
    for bad in ["-10.01", "-1e30", "-1e999999999"] {
        let min = "-10.00".to_owned();
        assert_eq!(
            encode_text(&c, bad),
            Err(ValueProblem::BelowMinimum { min }),
            "{bad}"
        );
    }
}

#[test]
fn numbers_at_the_ends_of_i64() {
    let c = number(i64::MIN, i64::MIN + 1, 0);
    assert_eq!(encode_text(&c, "-9223372036854775808"), Ok(0));
    assert!(encode_text(&c, "-9223372036854775809").is_err());
    let c = number(i64::MAX - 1, i64::MAX, 9);
    assert_eq!(encode_text(&c, "9223372036.854775807"), Ok(1));
    assert!(encode_text(&c, "9223372036.854775808").is_err());
}

#[test]
fn dates() {
    let c = column(ColumnKind::Date {
        min: date!(2000 - 01 - 01),
        max: date!(2025 - 12 - 31),
    });
    for (text, stored) in [
        ("2000-01-01", 0),
        ("2000-12-31", 365),
        ("2000-03-01T00:00:00", 60),
        ("2000-03-01 00:00:00.000Z", 60),
        ("2000-03-01 00:00:00+00:00", 60),
        ("2025-12-31", 9_496),
    ] {
        assert_eq!(encode_text(&c, text), Ok(stored), "{text}");
    }
    for bad in [
        "",
        "2001-02-29",
        "2001-13-01",
        "01.02.2003",
        "2001-1-1",
        "20010101",
        "2001-01-0١",
        "+2001-01-01",
        "2001-01-01x",
        "2001/01/01",
        "2001-01-011",
    ] {
        assert_eq!(encode_text(&c, bad), Err(ValueProblem::NotDate), "{bad}");
    }
    for bad in [
        "2001-01-01 12:00:00",
        "2001-01-01T00:00:00.1",
        "2001-01-01T00:00:00+02:00",
    ] {
        assert_eq!(encode_text(&c, bad), Err(ValueProblem::TimeOfDay), "{bad}");
    }
    let min = date!(2000 - 01 - 01);
    assert_eq!(
        encode_text(&c, "1999-12-31"),
        Err(ValueProblem::BeforeFirstDay { min })
    );
    let max = date!(2025 - 12 - 31);
    assert_eq!(
        encode_text(&c, "2026-01-01"),
        Err(ValueProblem::AfterLastDay { max })
    );
}

proptest! {
    #[test]
    fn any_spelling_of_a_number_in_range(
        units in -5_000i64..70_000,
        exponent in -6i64..0,
        zeros in 0usize..30,
    ) {
        // units·10^-3, with the point moved by the exponent and zeros behind it.
        let c = number(-5_000, 70_000, 3);
        let digits = i128::from(units) * 10i128.pow(u32::try_from(exponent + 6).unwrap());
        let text = format!("{digits}.{}e{}", "0".repeat(zeros), -9 - exponent);
        prop_assert_eq!(encode_text(&c, &text), Ok(u64::try_from(units + 5_000).unwrap()));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = encode_text(&number(-5, 5, 1), &text);
        let _ = encode_text(&column(ColumnKind::Boolean), &text);
        let range = ColumnKind::Date { min: date!(2000-01-01), max: date!(2001-01-01) };
        let _ = encode_text(&column(range), &text);
    }
}
