//! What the crate's tests share.

use galen_verifier::registry::{Code, Column, ColumnKind, Purpose, Registry};
use time::Date;
use toml::{Table, Value};

/// A registry from TOML that is trusted to be right.
pub(crate) fn registry(text: &str) -> Registry {
    let toml: Table = text.parse().unwrap();
    let list = |key: &str| toml[key].as_array().unwrap().iter();
    let purposes = list("purpose").map(|p| Purpose {
        code: text_of(p, "code").unwrap(),
        label: text_of(p, "label"),
        column: text_of(p, "column").unwrap(),
    });
    let columns = list("column").map(|c| Column {
        name: text_of(c, "name").unwrap(),
        kind: kind(c),
        nullable: c.get("nullable").is_some_and(|n| n.as_bool().unwrap()),
        title: text_of(c, "title"),
        system: text_of(c, "system"),
        code: text_of(c, "code"),
    });
    let id = text_of(&toml["registry"], "patient_id").unwrap();
    Registry::for_tests(&id, purposes.collect(), columns.collect())
}

fn text_of(table: &Value, key: &str) -> Option<String> {
    table.get(key).map(|v| v.as_str().unwrap().to_owned())
}

fn kind(column: &Value) -> ColumnKind {
    match column["type"].as_str().unwrap() {
        "boolean" => ColumnKind::Boolean,
        "category" => ColumnKind::Category {
            codes: column["codes"]
                .as_array()
                .unwrap()
                .iter()
                .map(code)
                .collect(),
        },
        "number" => {
            let decimals = column
                .get("decimals")
                .map_or(0, |d| u32::try_from(d.as_integer().unwrap()).unwrap());
            ColumnKind::Number {
                min: units(&column["min"], decimals),
                max: units(&column["max"], decimals),
                decimals,
                unit: text_of(column, "unit"),
            }
        }
        "date" => ColumnKind::Date {
            min: day(&column["min"]),
            max: day(&column["max"]),
        },
        other => panic!("unknown type {other}"),
    }
}

fn code(value: &Value) -> Code {
    match value {
        Value::String(code) => Code {
            code: code.clone(),
            label: None,
        },
        table => Code {
            code: text_of(table, "code").unwrap(),
            label: text_of(table, "label"),
        },
    }
}

fn units(bound: &Value, decimals: u32) -> i64 {
    let text = bound.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{fraction:0<width$}", width = decimals as usize);
    digits.parse().unwrap()
}

fn day(bound: &Value) -> Date {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(bound.as_str().unwrap(), format).unwrap()
}
