//! How source files may be written, and what of them is refused.

use std::io::Write;

use crate::common::Folder;

const ALL: &str = "SELECT * FROM t ORDER BY patient_id";
const CSV: &str = "path = \"t.csv\"\nformat = \"csv\"";
const NDJSON: &str = "path = \"t.ndjson\"\nformat = \"ndjson\"";

fn csv(text: &str) -> Folder {
    Folder::with(&[("t.csv", text.as_bytes())])
}

fn ndjson(text: &str) -> Folder {
    Folder::with(&[("t.ndjson", text.as_bytes())])
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A quote that is not closed once dropped patients without a word.
#[test]
fn bad_quotes() {
    let head = "patient_id,consent,x,note\n1,true,true,ok\n";
    for (rows, line, what) in [
        (
            "2,true,true,\"cut\n3,true,true,fine\n4,true,true,fine\n",
            3,
            "goes on in the next line",
        ),
        (
            "2,true,true,\"cut\" off\n3,true,true,fine\n",
            3,
            "follows a closing quote",
        ),
        (
            "2,true,true,5\" tall\n3,true,true,fine\n",
            3,
            "inside a cell",
        ),
        ("2,true,true,ok\n3,true,true,\"", 4, "never closed"),
    ] {
        let text = csv(&format!("{head}{rows}")).refused(CSV, ALL, &["cut"]);
        assert!(
            text.contains(&format!("line {line}")) && text.contains(what),
            "{text}"
        );
    }
    let mut long = "patient_id,note\n".to_owned();
    for n in 0..20_000 {
        long.push_str(&format!("{n},{}\n", if n == 99 { "\"" } else { "" }));
    }
    let text = csv(&long).refused(CSV, ALL, &[]);
    assert!(text.contains("line 101"), "{text}");
    let unclosed = csv(&long).refused(&format!("{CSV}\nmultiline = true"), ALL, &[]);
    assert!(
        unclosed.contains("line 101") && unclosed.contains("never closed"),
        "{unclosed}"
    );
    let unquoted = format!("{CSV}\nquote = \"none\"");
    assert_eq!(csv(&long).build(&unquoted, ALL).unwrap().rows, 20_000);
}

#[test]
fn cells_of_many_lines_are_read_where_they_are_allowed() {
    let folder = csv("patient_id,note\n1,\"a\n\"\"b\"\"\"\n2,c\n");
    assert_eq!(
        folder.rows(&format!("{CSV}\nmultiline = true"), ALL),
        [["1", "a\n\"b\""], ["2", "c"]]
    );
}

#[test]
fn a_cut_or_padded_file_is_told() {
    let report = csv("patient_id,x\n1,100\n2,10").build(CSV, ALL).unwrap();
    assert!(
        report.warnings[0].contains("last line has no end"),
        "{:?}",
        report.warnings
    );
    let report = csv("patient_id,x\n1,100\n2, 10\n").build(CSV, ALL).unwrap();
    let warning = &report.warnings[0];
    assert!(
        warning.contains("line 3") && warning.contains("trim(x)"),
        "{warning}"
    );
    assert!(report.to_string().contains(warning));
}

#[test]
fn files_in_parts_are_one_table() {
    let folder = Folder::with(&[
        ("m-1.csv", b"patient_id,x\n1,1\n2,\n"),
        ("m-2.csv", b"patient_id,x\n3,2.5\n"),
        ("other.csv", b"a\n1\n"),
    ]);
    let source = "path = \"m-*.csv\"\nformat = \"csv\"";
    assert_eq!(
        folder.rows(source, ALL),
        [["1", "1.0"], ["2", "-"], ["3", "2.5"]]
    );
    let report = folder.build(source, ALL).unwrap();
    let files = report.sources[0].files.iter();
    let files: Vec<_> = files
        .map(|f| (f.file.file_name().unwrap().to_str().unwrap(), f.rows))
        .collect();
    assert_eq!(files, [("m-1.csv", 2), ("m-2.csv", 1)]);
    assert!(report.to_string().contains("m-2.csv"));
    std::fs::remove_file(&report.out).unwrap();

    std::fs::write(folder.path("m-3.csv"), "x,patient_id\n1,4\n").unwrap();
    let text = folder.refused(source, ALL, &[]);
    assert!(
        text.contains("m-3.csv") && text.contains("which have: patient_id, x"),
        "{text}"
    );
    std::fs::write(folder.path("m-3.csv"), "patient_id,x\n4,x,5\n").unwrap();
    let text = folder.refused(source, ALL, &[]);
    assert!(
        text.contains("m-3.csv") && text.contains("line 2"),
        "{text}"
    );
    std::fs::remove_file(folder.path("m-3.csv")).unwrap();
    std::fs::create_dir(folder.path("m-3.csv")).unwrap();
    let text = folder.refused(source, ALL, &[]);
    assert!(text.contains("m-3.csv"), "{text}");
    let text = folder.refused("path = \"n-*.csv\"\nformat = \"csv\"", ALL, &[]);
    assert!(text.contains("no file has a name like this"), "{text}");
    for path in ["[a]*.csv", "**/a.csv"] {
        let text = folder.refused(&format!("path = \"{path}\"\nformat = \"csv\""), ALL, &[]);
        assert!(text.contains("path may hold"), "{text}");
    }
}

#[test]
fn parts_in_parquet_and_ndjson_have_one_shape() {
    let folder = csv("patient_id,x\n1,1\n2,2\n");
    let first = folder.build(CSV, ALL).unwrap().out;
    std::fs::rename(&first, folder.path("p1.parquet")).unwrap();
    let second = folder
        .build(
            CSV,
            "SELECT patient_id + 2 AS patient_id, x FROM t ORDER BY 1",
        )
        .unwrap()
        .out;
    std::fs::rename(&second, folder.path("p2.parquet")).unwrap();
    let source = "path = \"p*.parquet\"\nformat = \"parquet\"";
    let report = folder.build(source, ALL).unwrap();
    assert_eq!(report.rows, 4);
    assert_eq!(report.sources[0].files.len(), 2);
    std::fs::remove_file(&report.out).unwrap();
    let other = folder
        .build(CSV, "SELECT patient_id + 4 AS patient_id FROM t ORDER BY 1")
        .unwrap()
        .out;
    std::fs::rename(&other, folder.path("p3.parquet")).unwrap();
    let text = folder.refused(source, ALL, &[]);
    assert!(
        text.contains("p3.parquet") && text.contains("not those of the files before it"),
        "{text}"
    );

    let folder = Folder::with(&[
        (
            "a.ndjson",
            b"{\"patient_id\":1}\n{\"patient_id\":2,\"x\":1}\n",
        ),
        ("b.ndjson", b"{\"x\":2.5,\"patient_id\":3}\n"),
    ]);
    let source = "path = \"?.ndjson\"\nformat = \"ndjson\"";
    assert_eq!(
        folder.rows(source, ALL),
        [["1", "-"], ["2", "1.0"], ["3", "2.5"]]
    );
    std::fs::remove_file(folder.path("out.parquet")).unwrap();
    std::fs::write(
        folder.path("c.ndjson"),
        "{\"patient_id\":4,\"x\":\"Roe\"}\n",
    )
    .unwrap();
    let text = folder.refused(source, ALL, &["Roe"]);
    assert!(
        text.contains("`x` is a number in line 2 of a.ndjson and text in line 1 of c.ndjson"),
        "{text}"
    );
}

#[test]
fn compressed_files_give_the_same_table() {
    let text = b"patient_id,x\n1,1.5\n2,\n";
    let zst = zstd::encode_all(&text[..], 1).unwrap();
    let folder = Folder::with(&[
        ("t.csv", text),
        ("t.csv.gz", &gz(text)),
        ("t.csv.zst", &zst),
    ]);
    let plain = folder.build(CSV, ALL).unwrap().sha256;
    for name in ["t.csv.gz", "t.csv.zst"] {
        let source = format!("path = \"{name}\"\nformat = \"csv\"");
        assert_eq!(folder.build(&source, ALL).unwrap().sha256, plain);
    }
    let cut = Folder::with(&[("t.csv.gz", &gz(text)[..30])]);
    let text = cut.refused("path = \"t.csv.gz\"\nformat = \"csv\"", ALL, &[]);
    assert!(
        text.contains("t.csv.gz") && text.contains("copy the file again"),
        "{text}"
    );
    let zipped = Folder::with(&[("t.csv", &gz(b"patient_id\n1\n"))]);
    zipped.refused(CSV, ALL, &[]);
}

#[test]
fn a_european_export_is_read_as_it_is_declared() {
    let text =
        b"patient_id;name;crp;seen\r\n1;M\xfcller;3,25;02.01.2020\r\n2;\x80;-;31.12.2019\r\n";
    let folder = Folder::with(&[("t.csv", text)]);
    let source = format!(
        "{CSV}\ndelimiter = \";\"\nencoding = \"windows-1252\"\ndecimal = \",\"\ndate_format = \"%d.%m.%Y\"\nnulls = [\"-\"]"
    );
    let report = folder.build(&source, ALL).unwrap();
    let types: Vec<&str> = report
        .columns
        .iter()
        .map(|c| c.data_type.as_str())
        .collect();
    assert_eq!(types, ["int64", "utf8", "float64", "date"]);
    assert_eq!(
        crate::common::query(&report.out, "SELECT * FROM t"),
        [
            ["1", "Müller", "3.25", "2020-01-02"],
            ["2", "€", "-", "2019-12-31"]
        ]
    );
    std::fs::remove_file(&report.out).unwrap();
    let undeclared = folder.refused(&format!("{CSV}\ndelimiter = \";\""), ALL, &["ller"]);
    assert!(
        undeclared.contains("line 2, column `name`") && undeclared.contains("windows-1252"),
        "{undeclared}"
    );
    for (key, cure) in [
        ("encoding = \"klingon\"", "no known character set"),
        ("decimal = \",\"", "another delimiter"),
        ("decimal = \"x\"", "\".\" or \",\""),
        ("date_format = \"%d.%m.%y\"", "two digits"),
        ("quote = \"none\"\nmultiline = true", "leave one"),
        ("quote = \"single\"", "none"),
    ] {
        let text = folder.refused(&format!("{CSV}\n{key}"), ALL, &[]);
        assert!(text.contains(cure), "{key}: {text}");
    }
    let text = folder.refused(&format!("{NDJSON}\nencoding = \"latin1\""), ALL, &[]);
    assert!(text.contains("csv\" only"), "{text}");
}

#[test]
fn declared_types_read_dates_as_written() {
    let line = "{\"patient_id\":1,\"d\":\"1976-01-19T22:58:16-05:00\",\"t\":\"1976-01-19T22:58:16\",\
                \"z\":\"1976-01-19T22:58:16-05:00\",\"n\":5.50}\n{\"patient_id\":2,\"n\":\"x\"}\n";
    let types = "types = { d = \"date\", t = \"timestamp\", z = \"timestamptz\", n = \"utf8\" }";
    let json = ndjson(line).rows(&format!("{NDJSON}\n{types}"), ALL);
    let first = [
        "1",
        "1976-01-19",
        "1976-01-19T22:58:16",
        "1976-01-20T03:58:16Z",
    ];
    assert_eq!(json[0][..4], first);
    assert_eq!(json[1], ["2", "-", "-", "-", "x"]);
    let text = "patient_id,d,t,z,n\n1,1976-01-19T22:58:16-05:00,1976-01-19 22:58:16,1976-01-19T22:58:16-05:00,5.50\n";
    let rows = csv(text).rows(&format!("{CSV}\n{types}"), ALL);
    assert_eq!(rows[0][..4], first);
    for name in ["t.csv", "t.ndjson"] {
        let format = name.split('.').nth(1).unwrap();
        let folder = Folder::with(&[("t.csv", text.as_bytes()), ("t.ndjson", line.as_bytes())]);
        let source =
            format!("path = \"{name}\"\nformat = \"{format}\"\ntypes = {{ d = \"timestamp\" }}");
        let text = folder.refused(&source, ALL, &["1976"]);
        assert!(text.contains("timestamptz"), "{text}");
    }
}

/// As exports write a time that has no end.
#[test]
fn times_far_away_are_times() {
    let folder = csv("patient_id,t\n1,9999-12-31 23:59:59\n2,1500-01-01 00:00:00\n");
    assert_eq!(
        folder.rows(
            CSV,
            "SELECT patient_id, t, CAST(t AS DATE) AS d FROM t ORDER BY 1"
        ),
        [
            ["1", "9999-12-31T23:59:59", "9999-12-31"],
            ["2", "1500-01-01T00:00:00", "1500-01-01"]
        ]
    );
}

#[test]
fn numbers_that_json_cannot_hold_are_refused() {
    for (text, what) in [
        (
            "{\"patient_id\":1}\n{\"patient_id\":12345678901234567890}\n",
            "line 2: element `patient_id`: a whole number too long",
        ),
        (
            "{\"patient_id\":1,\"x\":{\"y\":1}}\n{\"patient_id\":2,\"x\":{\"y\":\"Roe\"}}\n",
            "`x.y` is a number in line 1 and text in line 2",
        ),
        ("\u{feff}{\"patient_id\":1}\n", "byte order mark"),
        ("{\"patient_id\":1}\n{\"patient_id\":2", "line 2, column"),
    ] {
        let text = ndjson(text).refused(NDJSON, ALL, &["Roe", "1234567"]);
        assert!(text.contains(what), "{text}");
    }
    let ids = ndjson(&format!(
        "{{\"patient_id\":{}}}\n{{\"patient_id\":{}}}\n{{\"patient_id\":9007199254740993}}\n",
        i64::MAX,
        i64::MIN
    ));
    assert_eq!(
        ids.rows(NDJSON, ALL),
        [
            ["-9223372036854775808"],
            ["9007199254740993"],
            ["9223372036854775807"]
        ]
    );
}

#[test]
fn columns_that_are_not_asked_for_cost_nothing_and_rows_are_still_counted() {
    let folder = Folder::with(&[
        ("t.csv", b"patient_id,x\n1,1\n2,2\n"),
        ("t.ndjson", b"{\"a\":1}\n{\"b\":{\"c\":2}}\n\n{}\n"),
    ]);
    let count = "SELECT count(*) AS patient_id FROM t ORDER BY 1";
    assert_eq!(folder.rows(CSV, count), [["2"]]);
    assert_eq!(folder.rows(NDJSON, count), [["3"]]);
}

/// A file that grows between the look at its types and the end of the query.
#[test]
fn bad_file_that_changes_while_it_is_read() {
    let mut text = "patient_id,x\n".to_owned();
    for n in 0..400_000 {
        text.push_str(&format!("{n},{}\n", n % 7));
    }
    let folder = csv(&text);
    let path = folder.path("t.csv");
    let writer = std::thread::spawn(move || {
        for _ in 0..400 {
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .open(&path)
                .unwrap();
            file.write_all(b"x").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    let text = folder.refused(CSV, ALL, &[]);
    writer.join().unwrap();
    assert!(
        text.contains("changed while it was read") || text.contains("line 400002"),
        "{text}"
    );
}

/// A column that a few cells make text is told, where the query reads it.
#[test]
fn an_odd_cell_among_numbers_is_told_where_it_matters() {
    let mut csv = String::from("patient_id,crp,note\n");
    for i in 0..40 {
        let odd = if i == 9 { "n/a" } else { "1.5" };
        csv += &format!("{i},{odd},{odd}\n");
    }
    let folder = Folder::with(&[("t.csv", csv.as_bytes())]);
    let source = "path = \"t.csv\"\nformat = \"csv\"";
    let report = folder
        .build(source, "SELECT patient_id, crp FROM t ORDER BY patient_id")
        .unwrap();
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    assert!(
        report.warnings[0].contains("`crp`: 1 of 40 cells are no number (the first in line 11)")
    );
    let seconds = "SELECT patient_id, CAST('2024-01-31 10:00:00' AS TIMESTAMP(0)) AS t FROM t ORDER BY patient_id";
    let report = folder.build(source, seconds).unwrap();
    assert_eq!(report.columns[1].data_type, "timestamp(us)");
    assert_eq!(
        crate::common::query(&report.out, "SELECT DISTINCT t FROM t"),
        [["2024-01-31T10:00:00"]]
    );
}

/// Elements that a query reads and no line has are known by the mapping's example.
#[test]
fn an_example_tells_elements_that_no_line_has() {
    let folder = Folder::with(&[(
        "t.ndjson",
        b"{\"patient_id\":1}\n{\"patient_id\":2,\"a\":{\"b\":[7]}}\n",
    )]);
    let source =
        |example: &str| format!("path = \"t.ndjson\"\nformat = \"ndjson\"\nexample = '{example}'");
    let sql = "SELECT patient_id, a['b'][1] AS b, a['c'] AS c, d FROM t ORDER BY patient_id";
    let rows = folder.rows(&source(r#"{"a": {"b": [0.5], "c": ""}, "d": true}"#), sql);
    assert_eq!(rows, [["1", "-", "-", "-"], ["2", "7.0", "-", "-"]]);
    std::fs::remove_file(folder.path("out.parquet")).unwrap();
    let text = folder.refused(&source(r#"{"patient_id": "", "a": {}}"#), sql, &[]);
    assert!(
        text.contains("`patient_id` is a number in line 1 and text in the mapping's example"),
        "{text}"
    );
    let text = folder.refused(&source("{"), sql, &[]);
    assert!(text.contains("the mapping's example"), "{text}");
    let text = folder.refused(
        "path = \"t.csv\"\nformat = \"csv\"\nexample = '{}'",
        sql,
        &[],
    );
    assert!(text.contains("example is for format"), "{text}");
}

/// Parquet's statistics leave NaN out: the engine would take a file's one other value for all of its rows.
#[test]
fn a_float_that_is_no_number_is_no_other_patients_value() {
    use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
    use datafusion::parquet::arrow::ArrowWriter;
    let folder = Folder::with(&[]);
    let write = |values: Vec<f64>| {
        let ids = Int64Array::from_iter_values(1..=i64::try_from(values.len()).unwrap());
        let columns: [(&str, ArrayRef); 2] = [
            ("id", std::sync::Arc::new(ids)),
            ("x", std::sync::Arc::new(Float64Array::from(values))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(folder.path("t.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    let source = "path = \"t.parquet\"\nformat = \"parquet\"";
    for values in [vec![f64::NAN, 1.25, f64::NAN], vec![f64::NAN, 1.25, 2.5]] {
        write(values);
        let rows = folder.rows(
            source,
            "SELECT id AS patient_id, isnan(x) AS n, x <> 1.25 AS o FROM t ORDER BY 1",
        );
        assert_eq!(rows[0], ["1", "true", "true"]);
        assert_eq!(rows[1], ["2", "false", "false"]);
        let rows = folder.rows(
            source,
            "SELECT id AS patient_id FROM t WHERE x <> 1.25 ORDER BY 1",
        );
        assert_eq!(rows, [["1"], ["3"]]);
        let rows = folder.rows(
            source,
            "SELECT count(*) AS patient_id, isnan(max(x)) AS m FROM t ORDER BY 1",
        );
        assert_eq!(rows, [["3", "true"]]);
    }
}

/// A source that need not be there says so in the mapping, with its columns, and each build says that it is not.
#[test]
fn an_optional_source_that_is_not_there_has_no_rows() {
    let folder = csv("id\n1\n2\n");
    let text = |optional: &str| {
        format!(
            "{CSV}\n[[source]]\nname = \"o\"\npath = \"o.*.ndjson\"\nformat = \"ndjson\"\n{optional}\n\
             example = '{{\"id\": 0, \"x\": {{\"y\": \"\"}}}}'"
        )
    };
    let sql =
        "SELECT t.id AS patient_id, o.x['y'] AS y FROM t LEFT JOIN o ON o.id = t.id ORDER BY 1";
    let report = folder.build(&text("optional = true"), sql).unwrap();
    assert!(
        report
            .warnings
            .iter()
            .any(|w| w.contains("source `o`: no file is named o.*.ndjson"))
    );
    assert_eq!(
        folder.rows(&text("optional = true"), sql),
        [["1", "-"], ["2", "-"]]
    );
    std::fs::remove_file(folder.path("out.parquet")).unwrap();
    assert!(
        folder
            .refused(&text(""), sql, &[])
            .contains("no file has a name like this")
    );
    std::fs::write(
        folder.path("o.1.ndjson"),
        "{\"id\":2,\"x\":{\"y\":\"a\"}}\n",
    )
    .unwrap();
    assert_eq!(
        folder.rows(&text("optional = true"), sql),
        [["1", "-"], ["2", "a"]]
    );
}
