//! Parquet: every accepted type, and each refusal with its row.

use std::fs::File;
use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::*;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::table::{Place, ValueProblem};

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

/// Two patients that are right in every column.
fn good() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("pid", array(StringArray::from(vec!["p1", "p2"]))),
        ("ok", array(BooleanArray::from(vec![true, false]))),
        ("age", array(Int32Array::from(vec![Some(20), None]))),
        ("ldl", array(Float64Array::from(vec![Some(1.13), None]))),
        ("sex", array(StringArray::from(vec!["F", "NA"]))),
        ("grade", array(StringArray::from(vec![Some("3"), None]))),
        ("mi", array(BooleanArray::from(vec![Some(true), None]))),
        ("seen", array(Date32Array::from(vec![Some(11_017), None]))),
    ]
}

fn with(name: &str, replaced: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let mut columns = good();
    let column = columns.iter_mut().find(|c| c.0 == name).unwrap();
    column.1 = replaced;
    columns
}

fn write(path: &Path, columns: Vec<(&'static str, ArrayRef)>, compression: Compression) {
    let columns = columns.into_iter().map(|(name, a)| (name, a, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder().set_compression(compression);
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn parquet(columns: Vec<(&'static str, ArrayRef)>) -> Result<Vec<TableChunk>, TableError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    write(&path, columns, Compression::SNAPPY);
    read(&path, &small(), 100)
}

fn refused(name: &str, replaced: ArrayRef) -> (String, Place, ValueProblem) {
    match parquet(with(name, replaced)).unwrap_err() {
        TableError::Value {
            column,
            place,
            problem,
            ..
        } => (column, place, problem),
        other => panic!("{other}"),
    }
}

#[test]
fn a_parquet_reads_like_its_csv() {
    let dir = tempfile::tempdir().unwrap();
    let text = "pid,ok,age,ldl,sex,grade,mi,seen\np1,1,20,1.13,F,3,1,2000-03-01\np2,0,,,NA,,,\n";
    let csv = file(dir.path(), "t.csv", text.as_bytes());
    let expected = read(&csv, &small(), 100).unwrap();
    assert_eq!(parquet(good()).unwrap(), expected);
}

#[test]
fn every_type_that_converts_exactly_is_accepted() {
    let expected = parquet(good()).unwrap();
    let decimal = |v: i128, p, s| {
        let a = Decimal128Array::from(vec![Some(v), None]);
        array(a.with_precision_and_scale(p, s).unwrap())
    };
    let us = 11_017 * 86_400_000_000i64;
    let midnight = || TimestampMicrosecondArray::from(vec![Some(us), None]);
    let keyed: DictionaryArray<Int8Type> = [Some("3"), None].into_iter().collect();
    let sexes: DictionaryArray<Int32Type> = ["F", "NA"].into_iter().map(Some).collect();
    let ages: DictionaryArray<Int32Type> = [Some("20"), None].into_iter().collect();
    let accepted = vec![
        ("pid", array(StringViewArray::from(vec!["p1", "p2"]))),
        ("pid", array(LargeStringArray::from(vec!["p1", "p2"]))),
        (
            "pid",
            array(
                ["p1", "p2"]
                    .into_iter()
                    .map(Some)
                    .collect::<DictionaryArray<Int8Type>>(),
            ),
        ),
        ("ok", array(Int8Array::from(vec![1, 0]))),
        ("ok", array(UInt64Array::from(vec![1, 0]))),
        ("ok", array(StringArray::from(vec!["yes", "F"]))),
        ("mi", decimal(1, 1, 0)),
        ("age", array(UInt8Array::from(vec![Some(20), None]))),
        ("age", array(Float32Array::from(vec![Some(20.0), None]))),
        ("age", decimal(20_000, 9, 3)),
        (
            "age",
            array(LargeStringArray::from(vec![Some("2e1"), None])),
        ),
        ("age", array(ages)),
        ("ldl", array(Float32Array::from(vec![Some(1.13), None]))),
        ("ldl", decimal(113, 10, 2)),
        ("ldl", decimal(11_300, 38, 4)),
        ("ldl", array(StringArray::from(vec![Some("1.130"), None]))),
        ("sex", array(sexes)),
        ("sex", array(StringViewArray::from(vec!["F", "NA"]))),
        ("grade", array(Int64Array::from(vec![Some(3), None]))),
        ("grade", array(keyed)),
        (
            "seen",
            array(Date64Array::from(vec![Some(us / 1_000), None])),
        ),
        (
            "seen",
            array(TimestampSecondArray::from(vec![Some(us / 1_000_000), None])),
        ),
        (
            "seen",
            array(TimestampMillisecondArray::from(vec![
                Some(us / 1_000),
                None,
            ])),
        ),
        ("seen", array(midnight())),
        ("seen", array(midnight().with_timezone("UTC"))),
        (
            "seen",
            array(TimestampNanosecondArray::from(vec![Some(us * 1_000), None])),
        ),
        (
            "seen",
            array(StringArray::from(vec![Some("2000-03-01"), None])),
        ),
    ];
    for (name, column) in accepted {
        let kind = column.data_type().clone();
        let chunks = parquet(with(name, column)).unwrap_or_else(|e| panic!("{name} {kind}: {e}"));
        assert_eq!(chunks, expected, "{name} {kind}");
    }
}

#[test]
fn integers_name_patients() {
    let chunks = parquet(with("pid", array(Int64Array::from(vec![-7, 12])))).unwrap();
    assert_eq!(chunks[0].ids(), ["-7", "12"]);
}

#[test]
fn a_column_without_any_value_is_null() {
    let chunks = parquet(with("ldl", array(NullArray::new(2)))).unwrap();
    assert_eq!(column(&chunks[0], "ldl.known"), [0, 0]);
    let (name, place, problem) = refused("sex", array(NullArray::new(2)));
    assert_eq!(
        (name.as_str(), place, problem),
        ("sex", Place::Row(1), ValueProblem::Null)
    );
}

/// As pandas writes integers with gaps.
#[test]
fn whole_floats_are_the_integers_they_are() {
    let floats = || array(Float64Array::from(vec![Some(1.0), None]));
    let chunks = parquet(with("mi", floats())).unwrap();
    assert_eq!(column(&chunks[0], "mi"), [1, 0]);
    assert_eq!(column(&chunks[0], "mi.known"), [1, 0]);
    let chunks = parquet(with("grade", floats())).unwrap();
    assert_eq!(column(&chunks[0], "grade.known"), [1, 0]);
    let chunks = parquet(with("grade", array(Float32Array::from(vec![2.0, 3.0])))).unwrap();
    assert_eq!(column(&chunks[0], "grade"), [1, 2]);
    for bad in [0.5, 2.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        let (name, _, problem) = refused("mi", array(Float64Array::from(vec![1.0, bad])));
        assert_eq!((name.as_str(), problem), ("mi", ValueProblem::NotBoolean));
    }
    for bad in [0.5, 4.0, f64::NAN] {
        let (_, _, problem) = refused("grade", array(Float64Array::from(vec![1.0, bad])));
        assert_eq!(problem, ValueProblem::UnknownCode);
    }
}

/// A Parquet file has a NULL of its own: what reads like a CSV's is a text, and told.
#[test]
fn bad_words_for_null() {
    for (name, good, word) in [
        ("age", "20", "NA"),
        ("ldl", "1", "NULL"),
        ("grade", "1", ""),
        ("grade", "1", "NA"),
        ("mi", "1", "NA"),
        ("seen", "2020-01-01", ""),
    ] {
        let texts = StringArray::from(vec![good, word]);
        let dictionary: DictionaryArray<Int32Type> = vec![good, word].into_iter().collect();
        for array in [array(texts), array(dictionary)] {
            let (column, place, problem) = refused(name, array);
            assert_eq!((column.as_str(), place), (name, Place::Row(2)));
            assert!(matches!(problem, ValueProblem::NullWord(_)), "{problem}");
        }
    }
    // A code of the category is one, whatever it reads like.
    let chunks = parquet(with("sex", array(StringArray::from(vec!["F", "NA"])))).unwrap();
    assert_eq!(column(&chunks[0], "sex"), [0, 2]);
}

/// Codes are matched to the byte, so that ` a` is no `a`.
#[test]
fn bad_blank_before_a_code() {
    let (column, _, problem) = refused("sex", array(StringArray::from(vec!["F", " F"])));
    assert_eq!(column, "sex");
    assert_eq!(
        problem,
        ValueProblem::Unseen("white space before or after it")
    );
}

#[test]
fn bad_types() {
    let zoned = TimestampSecondArray::from(vec![0, 0]).with_timezone("Europe/Berlin");
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)]); 2]);
    let half = Float64Array::from(vec![1.0, 0.0]);
    let cases = vec![
        ("pid", array(half.clone())),
        ("pid", array(NullArray::new(2))),
        ("ok", array(Date32Array::from(vec![0, 1]))),
        ("age", array(BooleanArray::from(vec![true, false]))),
        ("age", array(BinaryArray::from(vec![&b"20"[..], b"30"]))),
        ("age", array(lists)),
        ("sex", array(Int32Array::from(vec![0, 1]))),
        ("sex", array(half)),
        ("seen", array(Int32Array::from(vec![0, 1]))),
        ("seen", array(zoned)),
    ];
    for (name, bad) in cases {
        let kind = bad.data_type().clone();
        match parquet(with(name, bad)).unwrap_err() {
            TableError::WrongType { column, found, .. } => {
                assert_eq!((column.as_str(), found), (name, kind.to_string()));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn bad_values() {
    let space = || ValueProblem::Unseen("white space before or after it");
    let dictionary = |texts: &[&str]| {
        array(
            texts
                .iter()
                .copied()
                .collect::<DictionaryArray<Int32Type>>(),
        )
    };
    let max = || ValueProblem::AboveMaximum { max: "120".into() };
    let many = |decimals| ValueProblem::TooManyDecimals { decimals };
    let day = 86_400i64;
    let noon = TimestampSecondArray::from(vec![11_017 * day, 11_017 * day + day / 2]);
    let old = time::macros::date!(2000 - 01 - 01);
    let fractions = Decimal128Array::from(vec![1_000, 1_001]);
    let fractions = fractions.with_precision_and_scale(9, 3).unwrap();
    let cases = vec![
        (
            "ok",
            array(Int32Array::from(vec![1, 2])),
            ValueProblem::NotBoolean,
        ),
        (
            "ok",
            array(BooleanArray::from(vec![Some(true), None])),
            ValueProblem::Null,
        ),
        ("age", array(UInt64Array::from(vec![20, u64::MAX])), max()),
        ("age", array(Float64Array::from(vec![20.0, 1e300])), max()),
        ("age", array(Float64Array::from(vec![20.0, 20.5])), many(0)),
        (
            "age",
            array(Float64Array::from(vec![20.0, f64::MIN_POSITIVE])),
            many(0),
        ),
        (
            "age",
            array(Float32Array::from(vec![20.0, f32::NAN])),
            ValueProblem::NotNumber,
        ),
        (
            "age",
            array(Float64Array::from(vec![20.0, f64::INFINITY])),
            ValueProblem::NotNumber,
        ),
        (
            "ldl",
            array(Float64Array::from(vec![1.13, 0.1 + 0.2])),
            many(2),
        ),
        ("ldl", array(fractions), many(2)),
        (
            "sex",
            array(StringArray::from(vec!["F", "f"])),
            ValueProblem::UnknownCode,
        ),
        (
            "sex",
            array(StringArray::from(vec!["F", ""])),
            ValueProblem::NullWord("of no letters"),
        ),
        (
            "grade",
            array(Int32Array::from(vec![1, 4])),
            ValueProblem::UnknownCode,
        ),
        (
            "mi",
            array(StringArray::from(vec!["t", "x"])),
            ValueProblem::NotBoolean,
        ),
        ("seen", array(noon), ValueProblem::TimeOfDay),
        (
            "seen",
            array(Date32Array::from(vec![11_017, i32::MIN])),
            ValueProblem::BeforeFirstDay { min: old },
        ),
        (
            "pid",
            array(StringArray::from(vec![Some("p1"), None])),
            ValueProblem::Null,
        ),
        (
            "pid",
            array(StringArray::from(vec!["p1", ""])),
            ValueProblem::Null,
        ),
        ("pid", array(StringArray::from(vec!["p1", " "])), space()),
        ("pid", array(StringArray::from(vec!["p1", "p1 "])), space()),
        ("pid", dictionary(&["p1", " p1"]), space()),
        ("ok", array(StringArray::from(vec!["1", "1 "])), space()),
        ("age", array(StringArray::from(vec!["20", " 20"])), space()),
        ("sex", array(StringArray::from(vec!["F", " F"])), space()),
        (
            "sex",
            array(LargeStringArray::from(vec!["F", "NA "])),
            space(),
        ),
        ("sex", dictionary(&["F", "F "]), space()),
        (
            "grade",
            array(StringViewArray::from(vec!["1", " "])),
            space(),
        ),
        (
            "seen",
            array(StringArray::from(vec!["2020-01-01", "2020-01-01\t"])),
            space(),
        ),
    ];
    for (name, bad, problem) in cases {
        let expected = (name.to_owned(), Place::Row(2), problem);
        assert_eq!(refused(name, bad), expected);
    }
}

#[test]
fn bad_double_patient_and_row_numbers_across_batches() {
    let rows = 20_000;
    let table = |ids: Vec<String>, ages: Vec<i32>| {
        let same = |text: &str| array(StringArray::from(vec![text; rows]));
        let columns = vec![
            ("pid", array(StringArray::from(ids))),
            ("ok", same("1")),
            ("age", array(Int32Array::from(ages))),
            ("ldl", array(NullArray::new(rows))),
            ("sex", same("M")),
            ("grade", same("1")),
            ("mi", array(NullArray::new(rows))),
            ("seen", array(NullArray::new(rows))),
        ];
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        write(&path, columns, Compression::ZSTD(Default::default()));
        (read(&path, &small(), 6_000), dir)
    };
    let ids: Vec<String> = (0..rows).map(|i| format!("p{i}")).collect();

    let (chunks, _dir) = table(ids.clone(), (0..20_000).map(|i| 18 + i % 100).collect());
    let chunks = chunks.unwrap();
    let sizes: Vec<usize> = chunks.iter().map(TableChunk::rows).collect();
    assert_eq!(sizes, [6_000, 6_000, 6_000, 2_000]);
    assert_eq!(chunks[3].ids()[1_999], "p19999");
    assert_eq!(column(&chunks[2], "age")[4_567], 67);

    let mut ages = vec![50; rows];
    ages[17_000] = 121;
    match table(ids.clone(), ages).0.unwrap_err() {
        TableError::Value { place, .. } => assert_eq!(place, Place::Row(17_001)),
        other => panic!("{other}"),
    }
    let mut twice = ids;
    twice[19_998] = twice[3].clone();
    match table(twice, vec![50; rows]).0.unwrap_err() {
        TableError::DuplicatePatient { first, second, .. } => {
            assert_eq!((first, second), (Place::Row(4), Place::Row(19_999)));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn bad_columns() {
    let mut columns = good();
    columns.remove(4);
    let error = parquet(columns).unwrap_err();
    assert!(matches!(&error, TableError::MissingColumn { column, .. } if column == "sex"));
    for (heading, part) in [("Sex", "small letters"), ("sex ", "white space")] {
        let mut columns = good();
        columns[4].0 = heading;
        let error = parquet(columns).unwrap_err().to_string();
        assert!(
            error.contains("column sex is missing") && error.contains(part),
            "{error}"
        );
    }
    let mut columns = good();
    columns.push(("age", columns[2].1.clone()));
    let error = parquet(columns).unwrap_err();
    assert!(matches!(&error, TableError::AmbiguousColumn { column, .. } if column == "age"));
}

#[test]
fn extra_columns_are_listed_and_need_no_known_type() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let mut columns = good();
    columns.insert(
        0,
        ("photo", array(BinaryArray::from(vec![&b"\xff"[..], b""]))),
    );
    columns.insert(3, ("note", array(StringArray::from(vec!["a", "b"]))));
    write(&path, columns, Compression::UNCOMPRESSED);
    let mut reader = TableReader::open(&path, &small()).unwrap();
    assert_eq!(reader.ignored_columns(), ["photo", "note"]);
    assert_eq!(reader.size_hint(), Some(2));
    let chunk = reader.next_chunk(100).unwrap().unwrap();
    assert_eq!(vec![chunk], parquet(good()).unwrap());
}

#[test]
fn bad_emptiness() {
    let empty = good()
        .into_iter()
        .map(|(n, a)| (n, a.slice(0, 0)))
        .collect();
    let error = parquet(empty).unwrap_err();
    assert!(matches!(error, TableError::NoRows { .. }));
}

#[test]
fn a_truncated_or_foreign_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("whole.parquet");
    write(&path, good(), Compression::SNAPPY);
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 3, 8, bytes.len() / 2, bytes.len() - 1] {
        let path = file(dir.path(), "t.parquet", &bytes[..length]);
        let error = TableReader::open(&path, &small()).unwrap_err();
        assert!(
            matches!(error, TableError::NotParquet { .. }),
            "{length}: {error}"
        );
    }
    let path = file(dir.path(), "t.parquet", b"pid,ok,age\n1,2,3\n");
    let error = TableReader::open(&path, &small()).unwrap_err();
    assert!(matches!(error, TableError::NotParquet { .. }));
}

#[test]
fn a_damaged_page_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("whole.parquet");
    write(&path, good(), Compression::ZSTD(Default::default()));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4..200].fill(0xff);
    let path = file(dir.path(), "t.parquet", &bytes);
    let error = read(&path, &small(), 10).unwrap_err();
    assert!(
        matches!(error, TableError::Damaged { rows: 0, .. }),
        "{error}"
    );
}
