//! The result's cells as the registry stores them, judged by the registry's own encoding, and back to columns in its
//! types.

use std::sync::Arc;

use datafusion::arrow::array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DecimalType, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, StringArray,
};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::error::ArrowError;
use galen_query::registry::{Column, ColumnKind, Encoder, ValueError};
use time::{Date, Duration};

/// The day that Arrow counts from.
const EPOCH: Date = time::macros::date!(1970 - 01 - 01);

/// A cell's stored value, NULL, or why it has none.
pub(super) type Stored = Result<Option<u64>, ValueError>;

/// Whether columns of this type can hold the registry column's values at all; if not, what to write.
pub(super) fn misfit(column: &Column, found: &DataType) -> Option<String> {
    use DataType::{Boolean, Date32, Decimal128, Timestamp, Utf8};
    let number = found.is_integer() || found.is_floating() || matches!(found, Decimal128(..));
    let fits = match &column.kind {
        ColumnKind::Boolean => number || matches!(found, Boolean | Utf8),
        ColumnKind::Category { codes } => {
            let digits = codes.iter().any(|c| c.code.parse::<i64>().is_ok());
            *found == Utf8 || (number && digits)
        }
        ColumnKind::Number { .. } => number || *found == Utf8,
        ColumnKind::Date { .. } => matches!(found, Date32 | Timestamp(..) | Utf8),
    };
    let name = &column.name;
    (!fits).then(|| match &column.kind {
        ColumnKind::Boolean => format!("write a condition, such as {name} = 1 AS {name}"),
        ColumnKind::Category { .. } => format!("write CAST({name} AS VARCHAR) AS {name}"),
        ColumnKind::Number { .. } if *found == DataType::Boolean => {
            format!("write CASE WHEN {name} THEN 1 WHEN NOT {name} THEN 0 END AS {name}")
        }
        ColumnKind::Number { decimals: 0, .. } => format!("write CAST({name} AS BIGINT) AS {name}"),
        ColumnKind::Number { decimals, .. } => {
            format!("write CAST({name} AS DECIMAL(18, {decimals})) AS {name}")
        }
        ColumnKind::Date { .. } => format!("write CAST({name} AS DATE) AS {name}"),
    })
}

/// Each cell of a column, in order.
///
/// # Errors
/// A type that [`misfit`] would have refused.
pub(super) fn encode(
    cells: &ArrayRef,
    column: &Column,
    encoder: &Encoder<'_>,
) -> Result<Vec<Stored>, ArrowError> {
    macro_rules! integers {
        ($type:ty) => {
            numbers::<$type>(cells, |v| encoder.encode_text(&v.to_string()))
        };
    }
    Ok(match cells.data_type() {
        DataType::Boolean => {
            let values = cells.as_boolean().iter();
            values
                .map(|v| v.map(|v| column.encode_bool(v)).transpose())
                .collect()
        }
        DataType::Utf8 => {
            let texts = cells.as_string::<i32>().iter();
            texts
                .map(|t| t.map(|t| encoder.encode_text(t)).transpose())
                .collect()
        }
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        // By its own shortest text: as a wider float it would have more digits.
        DataType::Float32 => {
            numbers::<Float32Type>(cells, |v| encoder.encode_float(v.into(), &v.to_string()))
        }
        DataType::Float64 => {
            numbers::<Float64Type>(cells, |v| encoder.encode_float(v, &v.to_string()))
        }
        DataType::Decimal128(precision, scale) => numbers::<Decimal128Type>(cells, |v| {
            encoder.encode_text(&Decimal128Type::format_decimal(v, *precision, *scale))
        }),
        DataType::Date32 => {
            numbers::<Date32Type>(cells, |days| column.encode_date(day(days.into())?))
        }
        DataType::Timestamp(unit, _) => {
            let moment = |ticks: i64, second: i64| {
                let per_day = second * 86_400;
                if ticks.rem_euclid(per_day) != 0 {
                    return Err(ValueError::NotDate);
                }
                column.encode_date(day(ticks.div_euclid(per_day))?)
            };
            match unit {
                TimeUnit::Second => numbers::<TimestampSecondType>(cells, |t| moment(t, 1)),
                TimeUnit::Millisecond => {
                    numbers::<TimestampMillisecondType>(cells, |t| moment(t, 1_000))
                }
                TimeUnit::Microsecond => {
                    numbers::<TimestampMicrosecondType>(cells, |t| moment(t, 1_000_000))
                }
                TimeUnit::Nanosecond => {
                    numbers::<TimestampNanosecondType>(cells, |t| moment(t, 1_000_000_000))
                }
            }
        }
        other => {
            let message = format!("{other} cannot stand in a patient table");
            return Err(ArrowError::SchemaError(message));
        }
    })
}

fn numbers<T: ArrowPrimitiveType>(
    cells: &ArrayRef,
    one: impl Fn(T::Native) -> Result<u64, ValueError>,
) -> Vec<Stored> {
    let values = cells.as_primitive::<T>().iter();
    values.map(|v| v.map(&one).transpose()).collect()
}

/// The day so many days after 1970-01-01.
fn day(days: i64) -> Result<Date, ValueError> {
    EPOCH
        .checked_add(Duration::days(days))
        .ok_or(ValueError::NotDate)
}

/// A day as Arrow counts it.
pub(super) fn unix_day(date: Date) -> i64 {
    (date - EPOCH).whole_days()
}

/// The type in which the table has a registry's column.
pub(super) fn table_type(kind: &ColumnKind) -> DataType {
    match kind {
        ColumnKind::Boolean => DataType::Boolean,
        ColumnKind::Category { .. } => DataType::Utf8,
        ColumnKind::Number { decimals: 0, .. } => DataType::Int64,
        ColumnKind::Number { decimals, .. } => {
            // Bounds are of 64 bits: 19 digits. At most 9 decimals.
            DataType::Decimal128(19, i8::try_from(*decimals).unwrap_or(i8::MAX))
        }
        ColumnKind::Date { .. } => DataType::Date32,
    }
}

/// Stored values as a column of [`table_type`].
///
/// # Errors
/// Never, for what [`encode`] gives.
pub(super) fn decode(stored: &[Option<u64>], kind: &ColumnKind) -> Result<ArrayRef, ArrowError> {
    // Stored values are below 2^32.
    let signed = |stored: u64| i64::try_from(stored).unwrap_or(i64::MAX);
    Ok(match kind {
        ColumnKind::Boolean => Arc::new(BooleanArray::from_iter(
            stored.iter().map(|s| s.map(|s| s == 1)),
        )),
        ColumnKind::Category { codes } => {
            let code = |s: u64| {
                let code = usize::try_from(s).ok().and_then(|i| codes.get(i));
                code.map(|c| c.code.as_str())
            };
            Arc::new(StringArray::from_iter(
                stored.iter().map(|s| s.and_then(code)),
            ))
        }
        ColumnKind::Number {
            min, decimals: 0, ..
        } => Arc::new(Int64Array::from_iter(
            stored.iter().map(|s| s.map(|s| min + signed(s))),
        )),
        ColumnKind::Number { min, .. } => {
            let units = stored
                .iter()
                .map(|s| s.map(|s| i128::from(*min) + i128::from(s)));
            let units: Decimal128Array = units.collect();
            Arc::new(units.with_data_type(table_type(kind)))
        }
        ColumnKind::Date { min, .. } => {
            let first = unix_day(*min);
            let days = stored
                .iter()
                .map(|s| s.and_then(|s| i32::try_from(first + signed(s)).ok()));
            Arc::new(Date32Array::from_iter(days))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Float32Array, TimestampMicrosecondArray};
    use galen_query::registry::Registry;

    fn registry() -> Registry {
        Registry::from_toml(
            r#"
[registry]
name = "t"
version = 1
patient_id = "patient_id"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "x"
type = "number"
min = -10.0
max = 10.0
decimals = 1

[[column]]
name = "d"
type = "date"
min = "1960-01-01"
max = "2020-12-31"

[[column]]
name = "c"
type = "category"
codes = ["a", "7"]

[[column]]
name = "b"
type = "boolean"

[[column]]
name = "n"
type = "number"
min = -5
max = 5
decimals = 0
"#,
        )
        .unwrap()
    }

    /// What a cell of a column becomes, or why it does not.
    fn judged(cells: ArrayRef, column: usize) -> Vec<String> {
        let column = &registry().columns[column];
        let encoded = encode(&cells, column, &column.encoder()).unwrap();
        let shown = encoded.iter().map(|cell| match cell {
            Ok(None) => "-".to_owned(),
            Ok(Some(stored)) => column.format_stored(*stored),
            Err(e) => format!("{e:?}")
                .split([' ', '{'])
                .next()
                .unwrap()
                .to_owned(),
        });
        shown.collect()
    }

    #[test]
    fn each_type_is_judged_by_its_exact_value() {
        let floats: ArrayRef = Arc::new(Float32Array::from(vec![
            Some(0.1),
            Some(-10.0),
            Some(10.1),
            Some(-11.0),
            Some(0.25),
            Some(f32::NAN),
            None,
        ]));
        let said = [
            "0.1",
            "-10.0",
            "AboveMaximum",
            "BelowMinimum",
            "TooPrecise",
            "NotNumber",
            "-",
        ];
        assert_eq!(judged(Arc::clone(&floats), 0), said);
        let decimals = Decimal128Array::from(vec![15, -1_000, 25, 101_000])
            .with_precision_and_scale(10, 2)
            .unwrap();
        let said = ["TooPrecise", "-10.0", "TooPrecise", "AboveMaximum"];
        assert_eq!(judged(Arc::new(decimals), 0), said);
        let moments = TimestampMicrosecondArray::from(vec![0, 1, -86_400_000_000, i64::MAX]);
        let said = ["1970-01-01", "NotDate", "1969-12-31", "NotDate"];
        assert_eq!(judged(Arc::new(moments), 1), said);
        let days = Date32Array::from(vec![-3_653, -3_654, i32::MAX]);
        assert_eq!(
            judged(Arc::new(days), 1),
            ["1960-01-01", "BelowMinimum", "NotDate"]
        );
        let texts = StringArray::from(vec!["a", " a", "A", "", "7"]);
        let said = ["a", "UnknownCode", "UnknownCode", "UnknownCode", "7"];
        assert_eq!(judged(Arc::new(texts), 2), said);
        let numbers = Int64Array::from(vec![7, 8]);
        assert_eq!(judged(Arc::new(numbers), 2), ["7", "UnknownCode"]);
        let wide = datafusion::arrow::array::UInt64Array::from(vec![1, u64::MAX, 2]);
        let said = ["true", "NotBoolean", "NotBoolean"];
        assert_eq!(judged(Arc::new(wide), 3), said);
    }

    #[test]
    fn what_is_stored_comes_back_in_the_registrys_types() {
        for (column, kind) in registry().columns.iter().map(|c| (c, &c.kind)) {
            let stored = [Some(0), None, Some(column.span())];
            let decoded = decode(&stored, kind).unwrap();
            assert_eq!(decoded.data_type(), &table_type(kind));
            let again = encode(&decoded, column, &column.encoder()).unwrap();
            assert_eq!(
                again.into_iter().collect::<Result<Vec<_>, _>>().unwrap(),
                stored
            );
        }
    }

    #[test]
    fn types_that_cannot_fit_say_what_to_write() {
        let columns = registry().columns;
        let fits = |column: usize, found| misfit(&columns[column], &found);
        assert_eq!(fits(0, DataType::Int32), None);
        assert!(
            fits(0, DataType::Date32)
                .unwrap()
                .contains("DECIMAL(18, 1)")
        );
        assert_eq!(fits(2, DataType::Int64), None);
        assert!(
            fits(0, DataType::Boolean)
                .unwrap()
                .contains("CASE WHEN x THEN 1")
        );
        assert!(
            fits(1, DataType::Int64)
                .unwrap()
                .contains("CAST(d AS DATE)")
        );
        assert!(fits(2, DataType::Boolean).unwrap().contains("VARCHAR"));
        assert!(fits(3, DataType::Date32).unwrap().contains("b = 1 AS b"));
        assert!(fits(4, DataType::Date32).unwrap().contains("BIGINT"));
    }
}
