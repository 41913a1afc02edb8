//! Which columns a patient table may have, and under which names.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::error::TablesError;
use crate::mapping::is_name;

/// A type as reports and messages name it.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "utf8".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => format!("decimal({p}, {s})"),
        DataType::Timestamp(unit, zone) => {
            let unit = match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            };
            match zone {
                Some(zone) => format!("timestamp({unit}, {zone})"),
                None => format!("timestamp({unit})"),
            }
        }
        DataType::Struct(_) => "struct".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => {
            format!("list of {}", type_name(item.data_type()))
        }
        DataType::Dictionary(_, value) => type_name(value),
        other => other.to_string().to_lowercase(),
    }
}

/// A type as it stands in a CAST.
pub(crate) fn sql_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INT",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "REAL",
        DataType::Float64 => "DOUBLE",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        DataType::Timestamp(_, None) => "TIMESTAMP",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        other => return type_name(other).to_uppercase(),
    };
    name.to_owned()
}

/// The schema the table is written with: the result's columns, text as plain UTF-8,
/// the patient id not null.
///
/// # Errors
/// [`TablesError::Column`] with the cast or alias to write.
pub(crate) fn table_schema(result: &Schema, patient_id: &str) -> Result<SchemaRef, TablesError> {
    let mut fields: Vec<Field> = Vec::with_capacity(result.fields().len());
    for field in result.fields() {
        let name = field.name();
        let fail = |message: String| TablesError::Column {
            column: name.clone(),
            message,
        };
        if !is_name(name) {
            return Err(fail(
                "name it with AS: lower-case letters, digits and _, beginning with no digit"
                    .to_owned(),
            ));
        }
        if fields.iter().any(|f| f.name() == name) {
            return Err(fail(
                "the SELECT gives it twice: rename one with AS".to_owned(),
            ));
        }
        let written = written_type(name, field.data_type()).map_err(fail)?;
        fields.push(Field::new(name, written, name != patient_id));
    }
    let id = fields
        .iter()
        .find(|f| f.name() == patient_id)
        .ok_or_else(|| {
            let found: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
            TablesError::Column {
                column: patient_id.to_owned(),
                message: format!(
                    "the SELECT does not give this, the mapping's patient_id; it gives: {}",
                    found.join(", ")
                ),
            }
        })?;
    if !(id.data_type() == &DataType::Utf8 || id.data_type().is_integer()) {
        return Err(TablesError::Column {
            column: patient_id.to_owned(),
            message: format!(
                "a patient id is a whole number or text, not {}: write CAST({patient_id} AS \
                 VARCHAR)",
                type_name(id.data_type())
            ),
        });
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Whether a time is without a zone, or in UTC.
fn is_utc(zone: Option<&str>) -> bool {
    matches!(zone, None | Some("UTC" | "+00:00" | "Z"))
}

/// The type `found` is written as, or the cast that makes it writable.
fn written_type(name: &str, found: &DataType) -> Result<DataType, String> {
    let cast = |to: &str| {
        Err(format!(
            "{} cannot stand in a patient table: write CAST({name} AS {to})",
            type_name(found)
        ))
    };
    match found {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32 => Ok(found.clone()),
        DataType::Decimal128(_, scale) if *scale >= 0 => Ok(found.clone()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(DataType::Utf8),
        DataType::Dictionary(_, value) => written_type(name, value),
        // Parquet has no seconds: others would read them back as integers.
        DataType::Timestamp(TimeUnit::Second, zone) if is_utc(zone.as_deref()) => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        DataType::Timestamp(_, zone) if is_utc(zone.as_deref()) => Ok(found.clone()),
        DataType::Timestamp(..) => cast("TIMESTAMP"),
        DataType::Date64 => cast("DATE"),
        DataType::Float16 => cast("DOUBLE"),
        DataType::Decimal128(..) | DataType::Decimal256(..) => cast("DECIMAL(18, 6)"),
        DataType::Decimal32(..) | DataType::Decimal64(..) => cast("DECIMAL(18, 6)"),
        DataType::Null => Err(format!(
            "it is NULL in every row and has no type: write CAST(NULL AS VARCHAR) AS {name}, or \
             another type"
        )),
        DataType::Struct(_) => Err(format!(
            "a JSON object cannot stand in a patient table: take one element, such as \
             {name}['code']"
        )),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Err(format!(
            "an array cannot stand in a patient table: take one element, such as {name}[1]"
        )),
        DataType::Duration(_) | DataType::Interval(_) => Err(format!(
            "a difference of times cannot stand in a patient table: as days write CAST(a AS DATE) - CAST(b AS \
             DATE), as seconds date_part('epoch', a) - date_part('epoch', b) AS {name}"
        )),
        _ => cast("VARCHAR"),
    }
}

/// Names of columns in a message: those that look like names, and as many as help.
pub(crate) fn shown_names(names: &[impl AsRef<str>]) -> String {
    const MOST: usize = 60;
    let is_name = |name: &&str| {
        let letter = |c: char| c.is_alphanumeric() || "_ -.()%/[]#".contains(c);
        name.len() <= 64 && name.contains(char::is_alphabetic) && name.chars().all(letter)
    };
    let all = names.iter().map(AsRef::as_ref);
    let shown: Vec<&str> = all.filter(is_name).take(MOST).collect();
    let text = shown.join(", ");
    match (names.len() - shown.len(), shown.is_empty()) {
        (0, _) => text,
        (more, true) => format!("{more} columns, whose names are not shown"),
        (more, false) => format!("{text}, and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(fields: Vec<Field>) -> String {
        table_schema(&Schema::new(fields), "patient_id")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn refusals_name_the_column_and_the_remedy() {
        let id = || Field::new("patient_id", DataType::Int64, true);
        let with = |name: &str, t: DataType| refusal(vec![id(), Field::new(name, t, true)]);
        assert!(with("x", DataType::Date64).contains("CAST(x AS DATE)"));
        assert!(with("x", DataType::Binary).contains("`x`"));
        assert!(with("x", DataType::Null).contains("CAST(NULL AS VARCHAR) AS x"));
        assert!(with("count(*)", DataType::Int64).contains("AS"));
        assert!(with("Age", DataType::Int64).contains("lower-case"));
        assert!(with("patient_id", DataType::Int64).contains("twice"));
        let paris = DataType::Timestamp(TimeUnit::Second, Some("Europe/Paris".into()));
        assert!(with("x", paris).contains("CAST(x AS TIMESTAMP)"));
        assert!(refusal(vec![Field::new("id", DataType::Int64, true)]).contains("gives: id"));
        assert!(
            refusal(vec![Field::new("patient_id", DataType::Float64, true)]).contains("VARCHAR")
        );
    }

    #[test]
    fn text_is_written_plain_and_the_id_not_null() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let result = Schema::new(vec![
            Field::new("patient_id", DataType::Utf8View, true),
            Field::new("d", dictionary, true),
        ]);
        let schema = table_schema(&result, "patient_id").unwrap();
        assert_eq!(
            schema.field(0),
            &Field::new("patient_id", DataType::Utf8, false)
        );
        assert_eq!(schema.field(1), &Field::new("d", DataType::Utf8, true));
    }
}
