//! What types columns are found to have, and what is refused on the way.

use datafusion::arrow::datatypes::TimeUnit;

use super::*;

fn dialect(nulls: &[&str]) -> Dialect {
    Dialect {
        header_declared: false,
        delimiter: b',',
        header: true,
        nulls: nulls.iter().map(|s| (*s).to_owned()).collect(),
        quoted: true,
        multiline: false,
        decimal_comma: false,
        date: None,
    }
}

/// The columns of files with these texts, and the warnings about them.
fn inferred(
    texts: &[&str],
    dialect: &Dialect,
    types: &[(&str, ColumnType)],
) -> Result<(Vec<Found>, Vec<String>), String> {
    let types = types.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
    let mut inference = Inference::new(dialect, &types);
    for text in texts {
        inference.read(text.as_bytes())?;
    }
    let mut warnings = inference.warnings();
    let (columns, texts) = inference.finish();
    warnings.extend(texts.into_iter().map(|(_, warning)| warning));
    Ok((columns, warnings))
}

fn types_of(text: &str, dialect: &Dialect) -> Vec<DataType> {
    let (columns, _) = inferred(&[text], dialect, &[]).unwrap();
    columns.into_iter().map(|c| c.data_type).collect()
}

fn refused(text: &str, types: &[(&str, ColumnType)]) -> String {
    let error = inferred(&[text], &dialect(&[]), types).unwrap_err();
    assert!(!error.contains("Smith"), "{error}");
    error
}

#[test]
fn each_kind_is_told_from_all_rows() {
    let text = "a,b,c,d,e,f,g,h\n\
                1,1,007,2020-01-01,2020-01-01,true,x,\n\
                -2,2.5,8,2020-02-29,2020-01-01 10:00:00,FALSE,1,\n";
    let us = DataType::Timestamp(TimeUnit::Microsecond, None);
    assert_eq!(
        types_of(text, &dialect(&[])),
        [
            DataType::Int64,
            DataType::Float64,
            DataType::Utf8,
            DataType::Date32,
            us,
            DataType::Boolean,
            DataType::Utf8,
            DataType::Utf8
        ]
    );
}

#[test]
fn what_would_lose_digits_or_meaning_stays_text() {
    for cell in [
        "01",
        "-05",
        "99999999999999999999",
        "1e999",
        "NaN",
        "2020-02-30",
        "1-2",
        "+5",
        "3,5",
        "02.01.2020",
        "2020-01-01T10:00:00-05:00",
        "2020-01-01T10:00:00Z",
    ] {
        let text = format!("a\n\"{cell}\"\n");
        assert_eq!(types_of(&text, &dialect(&[])), [DataType::Utf8], "{cell}");
    }
}

#[test]
fn null_words_do_not_count() {
    let text = "a,b\n1,NA\nNA,2\n,3\n";
    let ints = [DataType::Int64, DataType::Int64];
    assert_eq!(types_of(text, &dialect(&["NA"])), ints);
    assert_eq!(
        types_of(text, &dialect(&[])),
        [DataType::Utf8, DataType::Utf8]
    );
}

#[test]
fn declared_commas_and_dates_are_read_and_others_are_not() {
    let european = Dialect {
        delimiter: b';',
        decimal_comma: true,
        date: Some(Convert::Format("%d.%m.%Y".into())),
        ..dialect(&[])
    };
    let text = "a;b;c;d;e\n3,25;1;02.01.2020;2020-01-02;3.25.x\n-7;2;03.01.2020;2020-01-02;I10.9\n";
    let (columns, _) = inferred(&[text], &european, &[]).unwrap();
    let types: Vec<&DataType> = columns.iter().map(|c| &c.data_type).collect();
    use DataType::{Date32, Float64, Int64, Utf8};
    assert_eq!(types, [&Float64, &Int64, &Date32, &Utf8, &Utf8]);
    assert_eq!(columns[0].convert, Some(Convert::Comma));
    assert_eq!(columns[1].convert, None);
    assert_eq!(columns[2].convert, Some(Convert::Format("%d.%m.%Y".into())));
    let error = inferred(&[text], &european, &[("d", ColumnType::Date)]).unwrap_err();
    assert!(error.contains("line 2, column `d`: not a date"), "{error}");
    // A number with a point is of thousands, or of another hand.
    for cell in ["3.25", "1.200", "-1.234.567", "1.234,5", " 1.200"] {
        let text = format!("a\n2,5\n{cell}\n");
        let error = inferred(&[&text], &european, &[]).unwrap_err();
        assert!(
            error.contains("line 3, column `a`: a number with a point"),
            "{error}"
        );
        inferred(&[&text], &european, &[("a", ColumnType::Utf8)]).unwrap();
    }
}

/// `9007199254740993` as a float would be another patient.
#[test]
fn numbers_that_a_float_does_not_keep_are_text() {
    for cell in ["9007199254740993.0", "-12345678901234567.5"] {
        let text = format!("a\n\"{cell}\"\n");
        assert_eq!(types_of(&text, &dialect(&[])), [DataType::Utf8], "{cell}");
    }
    for cell in ["9007199254740991.0", "1e20"] {
        let text = format!("a\n\"{cell}\"\n");
        assert_eq!(
            types_of(&text, &dialect(&[])),
            [DataType::Float64],
            "{cell}"
        );
    }
    for cell in ["01", " 1", "1 ", "+1", "-", "1.0"] {
        let text = format!("a\n5\n\"{cell}\"\n");
        let error = inferred(&[&text], &dialect(&[]), &[("a", ColumnType::Int)]).unwrap_err();
        assert!(
            error.contains("line 3, column `a`: not a whole number"),
            "{cell}: {error}"
        );
    }
}

#[test]
fn a_bom_is_dropped_and_quotes_are_checked() {
    let (columns, _) = inferred(&["\u{feff}a,b\n\"x y\",1\n"], &dialect(&[]), &[]).unwrap();
    assert_eq!(columns[0].name, "a");
    let many_lines = "a,b\n\"x\ny\",1\n";
    assert!(refused(many_lines, &[]).contains("line 2: a quote opens"));
    assert!(refused(many_lines, &[]).contains("multiline = true"));
    let multiline = Dialect {
        multiline: true,
        ..dialect(&[])
    };
    assert!(inferred(&[many_lines], &multiline, &[]).is_ok());
    let error = inferred(&["a\n\"Smith\n"], &multiline, &[]).unwrap_err();
    assert!(
        error.contains("line 2") && error.contains("never closed"),
        "{error}"
    );
    let stray = "a,b\n5\" tall,1\n";
    assert!(refused(stray, &[]).contains("quote = \"none\""));
    let unquoted = Dialect {
        quoted: false,
        ..dialect(&[])
    };
    assert!(inferred(&[stray, "a,b\n\"x,1\n"], &unquoted, &[]).is_ok());
}

#[test]
fn what_looks_cut_or_padded_is_told() {
    let warnings = |text: &str| inferred(&[text], &dialect(&[]), &[]).unwrap().1;
    assert_eq!(warnings("a\n100\n"), [""; 0]);
    assert!(warnings("a\n10")[0].contains("last line has no end"));
    let padded = warnings("a,b\n1,x\n 2,y\n");
    assert!(
        padded[0].contains("column `a`") && padded[0].contains("line 3"),
        "{padded:?}"
    );
    assert_eq!(warnings("a\n 2\nx\n"), [""; 0]);
}

#[test]
fn errors_name_line_and_column_but_no_value() {
    let int = [("b", ColumnType::Int)];
    let error = refused("a,b\n1,2\n3,Smith\n", &int);
    assert!(error.contains("line 3, column `b`"), "{error}");
    let error = refused("a,b\r\n\r\n1,2,Smith\r\n", &[]);
    assert!(error.contains("line 3: 3 fields"), "{error}");
    let error = refused("a,b\n", &[("c", ColumnType::Int)]);
    assert!(error.contains("`c`") && error.contains("a, b"), "{error}");
    let error = inferred(&["a,b\n1,2\n", "b,a\n1,2\n"], &dialect(&[]), &[]).unwrap_err();
    assert!(error.contains("which have: a, b"), "{error}");
}

#[test]
fn whole_numbers_that_a_float_would_change_are_no_floats() {
    let text = "a,b,c\n9007199254740993,9007199254740992,9007199254740993\n0.5,0.5,1\n";
    let (columns, warnings) = inferred(&[text], &dialect(&[]), &[]).unwrap();
    let types: Vec<_> = columns.into_iter().map(|c| c.data_type).collect();
    assert_eq!(types, [DataType::Utf8, DataType::Float64, DataType::Int64]);
    assert!(
        warnings[0].contains("column `a`: whole numbers beyond 2^53"),
        "{warnings:?}"
    );
    assert_eq!(warnings.len(), 1);
}

#[test]
fn columns_that_few_cells_make_text_are_told() {
    let mut text = String::from("n,d,t,ward,zip\n");
    for i in 0..50 {
        let n = if i == 20 {
            "<0.5".to_owned()
        } else {
            i.to_string()
        };
        let d = if i == 30 { "2020-02-30" } else { "2020-02-28" };
        text += &format!("{n},{d},2020-02-28,w{i},{:05}\n", i);
    }
    let (columns, warnings) = inferred(&[&text], &dialect(&[]), &[]).unwrap();
    assert_eq!(columns[0].data_type, DataType::Utf8);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("column `n`: 1 of 50 cells are no number (the first in line 22)"));
    assert!(warnings[1].contains("column `d`: 1 of 50 cells are no date (the first in line 32)"));
    assert!(!warnings.concat().contains("0.5"));
    let (_, none) = inferred(&[&text], &dialect(&["<0.5"]), &[("d", ColumnType::Utf8)]).unwrap();
    assert_eq!(none, Vec::<String>::new());
}

#[test]
fn a_first_line_of_data_is_not_shown_as_names() {
    let long = format!("{}\nx\n", "Ł".repeat(65));
    assert!(refused(&long, &[]).contains("more than 128 bytes"));
    let texts = [
        "4711,1950-01-01,F\n",
        "1,2\n3,4\n",
        "7\n",
        "4711,F,x,Müller\n",
        "F,true\n",
        "x,1950-01-01\n",
    ];
    for text in texts {
        let error = refused(text, &[]);
        assert!(error.contains("header = false"), "{error}");
        assert!(
            !error.contains("4711") && !error.contains("1950"),
            "{error}"
        );
    }
    inferred(&["id,2019,x\n1,2,3\n"], &dialect(&[]), &[]).unwrap();
    let declared = Dialect {
        header_declared: true,
        ..dialect(&[])
    };
    inferred(&["id,7,x\n1,2,3\n"], &declared, &[]).unwrap();
}
