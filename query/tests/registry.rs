//! Registry files: what is read, what is refused with which message, digests, and values.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use galen_query::query::parse_query;
use galen_query::registry::{Column, ColumnKind, Registry, RegistryError, Role, ValueError};
use proptest::prelude::*;

const STUDY: &str = include_str!("study.toml");

fn study() -> Registry {
    Registry::from_toml(STUDY).unwrap()
}

#[test]
fn reads_a_study() {
    let r = study();
    assert_eq!((r.name.as_str(), r.version), ("breast_cancer", 1));
    assert_eq!(r.purpose_index("DUO:0000007"), Some(1));
    assert_eq!(r.purpose_index("DUO:0000001"), None);
    assert_eq!(r.column_index("bmi"), Some(1));
    assert_eq!(r.column_index("consent_research"), None);
    let ColumnKind::Number {
        min, max, decimals, ..
    } = &r.columns[1].kind
    else {
        panic!("bmi is a number")
    };
    assert_eq!((*min, *max, *decimals), (100, 800, 1));
    assert_eq!(r.columns[5].span(), 46_020);
    let names: Vec<_> = r.base_columns().into_iter().map(|b| b.name).collect();
    let expected = "consent:DUO:0000042 consent:DUO:0000007 age age.known bmi platelets.lo \
                    platelets.hi platelets.known grade grade.known gender birth htn htn.known";
    assert_eq!(names.join(" "), expected);
    assert_eq!(r.base_columns()[6].role, Role::High(2));
}

#[test]
fn the_digest_follows_the_meaning() {
    let digest = |text: &str| Registry::from_toml(text).unwrap().digest;
    let one = digest(STUDY);
    assert_eq!(one, study().compute_digest());
    for (from, to) in [
        ("# A made-up study", "# Another comment"),
        ("max = 120", "max = \"120.0\""),
        ("max = 80.0", "max = 8e1"),
        ("max = 2_000_000", "max    = 2000000 # a million or two"),
        ("max = 2025-12-31", "max = \"2025-12-31\""),
        ("\"1\", \"2\", \"3\"", "\"1\", { code = \"2\" }, \"3\""),
    ] {
        assert!(STUDY.contains(from));
        assert_eq!(digest(&STUDY.replace(from, to)), one, "{to}");
    }
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("Breast cancer cohort", "Cohort"),
        ("\"patient_id\"", "\"pid\""),
        ("general research use", "research"),
        ("consent_disease", "consent_d"),
        ("max = 120", "max = 121"),
        ("\"1\", \"2\", \"3\"", "\"1\", \"3\", \"2\""),
        ("\"kg/m2\"", "\"g/cm2\""),
        ("39156-5", "39156-6"),
        ("\"male\"", "\"man\""),
        ("1900-01-01", "1900-01-02"),
        ("decimals = 1", "decimals = 2"),
        (
            "name = \"htn\"\ntype = \"boolean\"\nnullable = true",
            "name = \"htn\"\ntype = \"boolean\"",
        ),
        ("name = \"htn_omop\"\ntitle", "name = \"htn_omop\"\n# title"),
        (
            "[\"htn_omop\", \"htn_codes\"]",
            "[\"htn_codes\", \"htn_omop\"]",
        ),
        ("e3b0c442", "e3b0c443"),
    ] {
        assert!(STUDY.contains(from));
        assert_ne!(digest(&STUDY.replace(from, to)), one, "{to}");
    }
}

/// The digest of the example study. A change here changes every registry's identity.
#[test]
fn the_digest_is_pinned() {
    let hex: String = study().digest.iter().map(|b| format!("{b:02x}")).collect();
    insta::assert_snapshot!(hex, @r##"76dd01d6d03319941d6f7cc18efa9e79fbec758de9e83e1bd098962ecfabde2a"##);
}

/// Every refusal: the change to the study, and the message.
#[test]
fn refusals() {
    let changes = [
        ("version = 1", "version = 0"),
        ("version = 1", "version = 1\nauthor = \"x\""),
        ("version = 1", ""),
        ("version = 1", "version = \"one\""),
        ("\"htn_omop\", \"htn_codes\"", "\"htn_omop\""),
        (
            "\"htn_omop\", \"htn_codes\"",
            "\"htn_omop\", \"htn_codes\", \"htn_omop\"",
        ),
        ("\"htn_omop\", \"htn_codes\"", "\"htn_omop\", \"htn_code\""),
        ("name = \"htn_codes\"", "name = \"htn_omop\""),
        ("name = \"htn_omop\"", "name = \"HTN\""),
        (
            "name = \"htn_omop\"",
            "name = \"htn_omop\"\nfile = \"x.json\"",
        ),
        ("e3b0c442", "E3B0C442"),
        ("version = 1", "version = = 1"),
        ("\"breast_cancer\"", "\"Breast Cancer\""),
        ("\"breast_cancer\"", "\"select\""),
        ("\"patient_id\"", "\"age\""),
        ("DUO:0000007", "DUO:7"),
        ("DUO:0000007", "DUO:0000042"),
        ("consent_disease", "consent_research"),
        ("\"htn\"", "\"consent_research\""),
        ("\"htn\"", "\"age\""),
        ("\"htn\"", "\"order\""),
        ("\"htn\"", "\"HTN\""),
        ("\"htn\"", "\"2nd\""),
        ("\"boolean\"", "\"bool\""),
        ("\"boolean\"", "\"boolean\"\nmin = 0"),
        ("\"boolean\"", "\"boolean\"\nmininum = 0"),
        ("min = 0\nmax = 120", "min = 0"),
        ("min = 0\nmax = 120", "min = 120\nmax = 0"),
        ("min = 0\nmax = 120", "min = 0\nmax = 4294967296"),
        ("min = 0\nmax = 120", "min = 0\nmax = 120.5"),
        ("min = 0\nmax = 120", "min = 0\nmax = \"120.5\""),
        ("min = 0\nmax = 120", "min = 0\nmax = inf"),
        ("min = 0\nmax = 120", "min = 0\nmax = true"),
        ("min = 0\nmax = 120", "min = 0\nmax = 1e30"),
        ("max = 80.0", "max = 80.05"),
        ("decimals = 1", "decimals = 10"),
        ("decimals = 1", "decimals = -1"),
        ("max = 2025-12-31", "max = 2025-02-30"),
        ("max = 2025-12-31", "max = \"31.12.2025\""),
        ("max = 2025-12-31", "max = \"1899-12-31\""),
        ("codes = [\"1\", \"2\", \"3\"]", ""),
        ("\"1\", \"2\", \"3\"", ""),
        ("\"1\", \"2\", \"3\"", "\"1\", \"2\", \"1\""),
        ("\"1\", \"2\", \"3\"", "\"1\", \"\""),
        ("\"1\", \"2\", \"3\"", "1, 2"),
        ("\"1\", \"2\", \"3\"", "{ code = \"1\", text = \"x\" }"),
        ("\"kg/m2\"", "\"kg\\nm2\""),
        ("\"1\", \"2\", \"3\"", "\"1\", \" 1\""),
        ("\"1\", \"2\", \"3\"", "{ code = \"1\\u00A0\" }"),
        ("\"1\", \"2\", \"3\"", "\" \""),
        ("\"1\", \"2\", \"3\"", "\"1\", \"1\\u200B\""),
        ("\"1\", \"2\", \"3\"", "\"T1\\u00A0N0\""),
        ("\"1\", \"2\", \"3\"", "\"\\u00E9\", \"e\\u0301\""),
        ("\"1\", \"2\", \"3\"", "\"T1 N0\", \"T1  N0\""),
    ];
    let mut text = String::new();
    for (from, to) in changes {
        assert!(STUDY.contains(from), "{from}");
        let answer = match Registry::from_toml(&STUDY.replacen(from, to, 1)) {
            Ok(_) => "ACCEPTED".to_owned(),
            Err(e) => e.to_string(),
        };
        text += &format!("{}\n    {answer}\n", to.replace('\n', "; "));
    }
    let header = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"pid\"\n";
    let purpose = "[[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"c\"\n";
    for whole in [
        header.to_owned(),
        format!("{header}{purpose}"),
        String::new(),
    ] {
        text += &format!("{}\n", Registry::from_toml(&whole).unwrap_err());
    }
    assert!(!text.contains("ACCEPTED"), "{text}");
    insta::assert_snapshot!(text, @r##"
version = 0
    line 4, [registry], version: count versions from 1
version = 1; author = "x"
    line 5, column 1: unknown field `author`, expected one of `name`, `version`, `title`, `patient_id`; the line is `author = "x"`

    line 2, column 1: missing field `version`; the line is `[registry]`
version = "one"
    line 4, column 11: invalid type: string "one", expected a whole number; the line is `version = "one"`
"htn_omop"
    line 24, concept set "htn_codes", name: no column refers to it; say concept_sets = ["…"] in one, or remove it
"htn_omop", "htn_codes", "htn_omop"
    line 74, column "htn", concept_sets: named twice; keep one
"htn_omop", "htn_code"
    line 74, column "htn", concept_sets: there is no such [[concept_set]]; declare it with `name` and `digest`
name = "htn_omop"
    line 24, concept set "htn_omop", name: declared twice; keep one
name = "HTN"
    line 19, concept set "HTN", name: write at most 63 of a-z, 0-9 and _, not starting with a digit
name = "htn_omop"; file = "x.json"
    line 20, column 1: unknown field `file`, expected one of `name`, `title`, `digest`; the line is `file = "x.json"`
E3B0C442
    line 21, concept set "htn_omop", digest: not 64 lower-case hex digits; `galen-tables concepts FILE` prints a set's digest
version = = 1
    line 4, column 11: extra `=`, expected nothing; the line is `version = = 1`
"Breast Cancer"
    line 3, [registry], name: write 1 to 64 of a-z, 0-9, _ and -
"select"
    line 3, [registry], name: select is a word of SQL; choose another name, e.g. select_value
"age"
    line 28, column "age", name: the name age is taken by the patient id; choose another
DUO:7
    line 14, purpose "DUO:7", code: not a Data Use Ontology code; write DUO: and seven digits, e.g. DUO:0000042 for general research use
DUO:0000042
    line 14, purpose "DUO:0000042", code: declared twice; keep one
consent_research
    line 16, purpose "DUO:0000007", column: the name consent_research is taken by purpose "DUO:0000042"; choose another
"consent_research"
    line 71, column "consent_research", name: the name consent_research is taken by purpose "DUO:0000042"; choose another
"age"
    line 71, column "age", name: the name age is taken by column "age"; choose another
"order"
    line 71, column "order", name: order is a word of SQL; choose another name, e.g. order_value
"HTN"
    line 71, column "HTN", name: write at most 63 of a-z, 0-9 and _, not starting with a digit
"2nd"
    line 71, column "2nd", name: write at most 63 of a-z, 0-9 and _, not starting with a digit
"bool"
    line 72, column "htn", type: unknown; write "boolean", "category", "number" or "date"
"boolean"; min = 0
    line 73, column "htn", min: a boolean column has no such field; remove it
"boolean"; mininum = 0
    line 73, column 1: unknown field `mininum`, expected one of `name`, `type`, `nullable`, `title`, `system`, `code`, `concept_sets`, `codes`, `min`, `max`, `decimals`, `unit`; the line is `mininum = 0`
min = 0
    line 29, column "age", max: missing; every number column declares its range
min = 120; max = 0
    line 29, column "age", min: min 120 is above max 0; exchange them
min = 0; max = 4294967296
    line 29, column "age", max: from 0 to 4294967296 there are more than 2^32 values; narrow the range or lower `decimals`
min = 0; max = 120.5
    line 31, column "age", max: more digits after the point than decimals = 0; raise `decimals` or round the bound
min = 0; max = "120.5"
    line 31, column "age", max: more digits after the point than decimals = 0; raise `decimals` or round the bound
min = 0; max = inf
    line 31, column "age", max: not a number; write it as 120, 0.5 or "0.5"
min = 0; max = true
    line 31, column "age", max: not a number; write it as 120, 0.5 or "0.5"
min = 0; max = 1e30
    line 31, column "age", max: too far from zero: with its decimals it must stay within 2^63
max = 80.05
    line 40, column "bmi", max: more digits after the point than decimals = 1; raise `decimals` or round the bound
decimals = 10
    line 41, column "bmi", decimals: at most 9 digits after the point are possible
decimals = -1
    line 41, column 12: invalid value: integer `-1`, expected a whole number; the line is `decimals = -1`
max = 2025-02-30
    line 68, column 7: invalid date, expected day between 01 and 28; the line is `max = 2025-02-30`
max = "31.12.2025"
    line 68, column "birth", max: not a calendar date; write "YYYY-MM-DD"
max = "1899-12-31"
    line 66, column "birth", min: min 1900-01-01 is above max 1899-12-31; exchange them

    line 55, column "grade", codes: missing; list the codes as texts

    line 56, column "grade", codes: empty; list at least one code
"1", "2", "1"
    line 56, column "grade", codes: code "1" stands twice; keep one
"1", ""
    line 56, column "grade", codes: "" is empty, longer than 256 bytes, or has control characters; write one short line
1, 2
    line 56, column 9: a code as text, e.g. "1", or { code = "1", label = "low" }; the line is `codes = [1, 2]`
{ code = "1", text = "x" }
    line 56, column 9: a code as text, e.g. "1", or { code = "1", label = "low" }; the line is `codes = [{ code = "1", text = "x" }]`
"kg\nm2"
    line 42, column "bmi", unit: "kg\nm2" is empty, longer than 256 bytes, or has control characters; write one short line
"1", " 1"
    line 56, column "grade", codes: code " 1" has white space before or after it; write "1", and trim the tables' cells
{ code = "1\u00A0" }
    line 56, column "grade", codes: code "1\u{a0}" has white space before or after it; write "1", and trim the tables' cells
" "
    line 56, column "grade", codes: code " " has white space before or after it; write what is seen
"1", "1\u200B"
    line 56, column "grade", codes: code "1\u{200b}" has a character that cannot be seen, U+200B; leave it out, in the tables too
"T1\u00A0N0"
    line 56, column "grade", codes: code "T1\u{a0}N0" has a space that is not the ordinary one, U+00A0; write an ordinary one, in the tables too
"\u00E9", "e\u0301"
    line 56, column "grade", codes: code "e\u{301}" has letters that are not in Unicode's normalization form C; copy "é" from here, into the tables too
"T1 N0", "T1  N0"
    line 56, column "grade", codes: codes "T1 N0" and "T1  N0" look the same; keep one
line 2, [registry], purpose: no purpose is declared; add a [[purpose]] with `code` and `column`: every query runs for one purpose and counts who consented to it
line 2, [registry], column: no data column is declared; add a [[column]] with `name` and `type`
line 1, column 1: is this a registry? It has no table [registry]
"##);
}

#[test]
fn sizes() {
    let too_large = |text: &str| {
        matches!(
            Registry::from_toml(text),
            Err(RegistryError::TooLarge { .. })
        )
    };
    let codes = |n: usize| {
        let codes: Vec<String> = (0..n).map(|i| format!("'{i}'")).collect();
        STUDY.replace("\"1\", \"2\", \"3\"", &codes.join(","))
    };
    assert!(Registry::from_toml(&codes(1 << 16)).is_ok());
    assert!(too_large(&codes((1 << 16) + 1)));
    let columns = |n: usize| {
        (0..n).fold(STUDY.to_owned(), |s, i| {
            s + &format!("[[column]]\nname = 'b{i}'\ntype = 'boolean'\n")
        })
    };
    assert!(Registry::from_toml(&columns(512 - 7)).is_ok());
    assert!(too_large(&columns(513 - 7)));
    assert!(too_large(&format!("{STUDY}#{}", "x".repeat(1 << 20))));
    let wide = STUDY.replace("max = 120", "max = 4294967295");
    assert_eq!(
        Registry::from_toml(&wide).unwrap().columns[0].span(),
        (1 << 32) - 1
    );
}

#[test]
fn values_are_stored_and_refused() {
    let r = study();
    let text = |name: &str, text: &str| {
        let column = &r.columns[r.column_index(name).unwrap()];
        let stored = column.encode_text(text);
        assert_eq!(column.encoder().encode_text(text), stored);
        stored.map_err(|e| e.to_string())
    };
    for (column, value, stored) in [
        ("age", "40", 40),
        ("age", "1.2e2", 120),
        ("age", "+7.000", 7),
        ("bmi", "10", 0),
        ("bmi", "24.90", 149),
        ("grade", "3", 2),
        ("gender", "8532", 1),
        ("birth", "1900-01-01", 0),
        ("birth", "1900-03-01 00:00:00", 59),
        ("birth", "2025-12-31T00:00:00", 46_020),
        ("htn", "YES", 1),
        ("htn", "f", 0),
    ] {
        assert_eq!(text(column, value), Ok(stored), "{column} {value}");
    }
    let mut refused = String::new();
    for (column, value) in [
        ("age", "121"),
        ("age", "120.5"),
        ("age", "-0.5"),
        ("age", "40.5"),
        ("age", "forty"),
        ("age", ""),
        ("bmi", "24.95"),
        ("bmi", "9"),
        ("grade", "4"),
        ("grade", "1 "),
        ("birth", "1899-12-31"),
        ("birth", "2026-01-01"),
        ("birth", "2021-02-29"),
        ("birth", "2021-02-03 04:05:06"),
        ("birth", "2021-2-3"),
        ("birth", "٢٠٢١-02-03"),
        ("htn", "maybe"),
    ] {
        refused += &format!("{column} {value:?}: {}\n", text(column, value).unwrap_err());
    }
    insta::assert_snapshot!(refused, @r##"
age "121": number above the maximum 120
age "120.5": number above the maximum 120
age "-0.5": number below the minimum 0
age "40.5": number with more than 0 digits after the point; round it, or raise the column's `decimals`
age "forty": not a number; write decimal digits with a point, such as -12.5
age "": not a number; write decimal digits with a point, such as -12.5
bmi "24.95": number with more than 1 digits after the point; round it, or raise the column's `decimals`
bmi "9": number below the minimum 10.0
grade "4": not one of the column's codes (1, 2, 3); spelling and case must be exact
grade "1 ": not one of the column's codes (1, 2, 3); spelling and case must be exact
birth "1899-12-31": date below the minimum 1900-01-01
birth "2026-01-01": date above the maximum 2025-12-31
birth "2021-02-29": not a date; write YYYY-MM-DD, with no time of day but 00:00:00
birth "2021-02-03 04:05:06": not a date; write YYYY-MM-DD, with no time of day but 00:00:00
birth "2021-2-3": not a date; write YYYY-MM-DD, with no time of day but 00:00:00
birth "٢٠٢١-02-03": not a date; write YYYY-MM-DD, with no time of day but 00:00:00
htn "maybe": not a boolean; write true or false (t, f, yes, no, 1 and 0 are read too)
"##);
}

#[test]
fn typed_values() {
    let r = study();
    let [age, bmi, _, grade, gender, birth, htn] = &r.columns[..] else {
        panic!("seven columns")
    };
    let float = |column: &Column, v: f64| column.encoder().encode_float(v, &v.to_string());
    assert_eq!(age.encode_integer(40), Ok(40));
    assert_eq!(float(age, 40.0), Ok(40));
    assert_eq!(float(bmi, 24.9), Ok(149));
    assert_eq!(float(bmi, 0.1 + 0.2 + 20.0), Ok(103));
    assert_eq!(
        float(bmi, 0.1 + 0.2),
        Err(ValueError::BelowMinimum {
            what: "number",
            min: "10.0".into()
        })
    );
    assert_eq!(float(bmi, f64::NAN), Err(ValueError::NotNumber));
    assert_eq!(float(grade, 2.0), Ok(1));
    assert_eq!(float(grade, 2.5).ok(), None);
    assert_eq!(float(htn, -0.0), Ok(0));
    assert_eq!(float(htn, 0.5), Err(ValueError::NotBoolean));
    assert_eq!(gender.encode_integer(8507), Ok(0));
    assert_eq!(htn.encode_bool(true), Ok(1));
    assert_eq!(htn.encode_integer(0), Ok(0));
    assert!(age.encode_bool(true).is_err() && birth.encode_integer(1).is_err());
    assert!(
        htn.encode_date(time::macros::date!(2020 - 01 - 01))
            .is_err()
    );
    assert_eq!(
        birth.encode_date(time::macros::date!(1900 - 01 - 02)),
        Ok(1)
    );
}

proptest! {
    #[test]
    fn stored_values_survive_text(column in 0_usize..7, pick in any::<u64>()) {
        let c = &study().columns[column];
        let stored = pick % (c.span() + 1);
        prop_assert_eq!(c.encode_text(&c.format_stored(stored)), Ok(stored));
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), numeric in "[-+0-9.eE]{0,12}") {
        let _ = Registry::from_toml(&text);
        for c in &study().columns {
            for t in [&text, &numeric] {
                if let Ok(stored) = c.encode_text(t) {
                    prop_assert!(stored <= c.span());
                }
            }
        }
    }
}

/// Every word that a registry allows as a column's name can be queried without quotes.
#[test]
fn allowed_names_need_no_quotes() {
    for keyword in sqlparser::keywords::ALL_KEYWORDS {
        let word = keyword.to_lowercase();
        let text = STUDY
            .replace("\"htn\"", &format!("{word:?}"))
            .replace("\"age\"", &format!("{:?}", format!("{word}_")));
        let Ok(r) = Registry::from_toml(&text) else {
            continue;
        };
        let sql = format!(
            "SELECT {word}, count({word}), sum({word}_) n FROM breast_cancer \
             WHERE {word} AND {word} = TRUE AND NOT {word} OR {word} IS NULL OR {word} IN (TRUE) \
             GROUP BY {word}"
        );
        if let Err(e) = parse_query(&sql, &r) {
            panic!("{word}: {e}");
        }
    }
}
