//! Parquet's columns, as Arrow arrays, to stored values.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

use super::encode::Encoder;
use super::error::ValueProblem;

/// Stored value of a cell, `None` where it is NULL.
type Stored = Result<Option<u64>, ValueProblem>;

/// Takes the cells of an array in order and may stop it with an error.
pub(super) trait Sink {
    type Error;
    /// Takes the cell at index `at` of the array.
    fn take(&mut self, at: usize, stored: Stored) -> Result<(), Self::Error>;
}

/// Whether [`encode`] converts a column of this type exactly.
pub(super) fn accepts(encoder: &Encoder, found: &DataType) -> bool {
    match found {
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        DataType::Boolean => encoder.is_boolean(),
        DataType::Float32 | DataType::Float64 => encoder.is_number() || encoder.takes_integers(),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale) => {
            encoder.is_number() || (*scale == 0 && encoder.takes_integers())
        }
        DataType::Date32 | DataType::Date64 => encoder.is_date(),
        DataType::Timestamp(_, zone) => {
            let utc = ["UTC", "Z", "+00:00", "Etc/UTC"];
            encoder.is_date() && zone.as_deref().is_none_or(|z| utc.contains(&z))
        }
        integer => integer.is_integer() && encoder.takes_integers(),
    }
}

/// What [`accepts`] takes, for people.
pub(super) fn expected(encoder: &Encoder) -> &'static str {
    if encoder.is_boolean() {
        "boolean, integer, whole float or text"
    } else if encoder.is_number() {
        "integer, decimal, float32, float64 or text"
    } else if encoder.is_date() {
        "date, timestamp without a zone or in UTC, or text"
    } else if encoder.takes_integers() {
        "text, integer or whole float"
    } else {
        "text"
    }
}

/// Whether a column of this type can name patients.
pub(super) fn accepts_id(found: &DataType) -> bool {
    found.is_integer()
        || is_text(found)
        || matches!(found, DataType::Dictionary(_, values) if is_text(values))
}

fn is_text(found: &DataType) -> bool {
    matches!(
        found,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// Passes the stored value of each cell on. The array's type is one that [`accepts`] has let in;
/// on any other, every cell is [`ValueProblem::NotUtf8`].
pub(super) fn encode<S: Sink>(
    encoder: &Encoder,
    array: &ArrayRef,
    sink: &mut S,
) -> Result<(), S::Error> {
    match array.data_type() {
        DataType::Boolean => {
            let cells = array.as_boolean();
            each(array, sink, |at| Ok(Some(u64::from(cells.value(at)))))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = texts(array);
            each(array, sink, |at| encoder.typed_text(text(at)).map(Some))
        }
        DataType::Dictionary(..) => dictionary(encoder, array, sink),
        DataType::Float32 => {
            let cells = array.as_primitive::<Float32Type>();
            each(array, sink, |at| {
                let cell = cells.value(at);
                float(encoder, f64::from(cell), format_args!("{cell:e}"))
            })
        }
        DataType::Float64 => {
            let cells = array.as_primitive::<Float64Type>();
            each(array, sink, |at| {
                let cell = cells.value(at);
                float(encoder, cell, format_args!("{cell:e}"))
            })
        }
        DataType::Decimal32(_, s) => scaled::<Decimal32Type, _>(encoder, array, *s, sink),
        DataType::Decimal64(_, s) => scaled::<Decimal64Type, _>(encoder, array, *s, sink),
        DataType::Decimal128(_, s) => scaled::<Decimal128Type, _>(encoder, array, *s, sink),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            dates(encoder, array, sink)
        }
        _ => integers(encoder, array, sink),
    }
}

fn float(encoder: &Encoder, value: f64, shortest: std::fmt::Arguments<'_>) -> Stored {
    encoder.float(value, shortest).map(Some)
}

/// Passes each cell on, nulls as `None`.
fn each<S: Sink>(
    array: &dyn Array,
    sink: &mut S,
    cell: impl Fn(usize) -> Stored,
) -> Result<(), S::Error> {
    match array.logical_nulls() {
        None => (0..array.len()).try_for_each(|at| sink.take(at, cell(at))),
        Some(nulls) => (0..array.len()).try_for_each(|at| {
            let stored = if nulls.is_null(at) {
                Ok(None)
            } else {
                cell(at)
            };
            sink.take(at, stored)
        }),
    }
}

fn scaled<T: ArrowPrimitiveType<Native: Into<i128>>, S: Sink>(
    encoder: &Encoder,
    array: &ArrayRef,
    scale: i8,
    sink: &mut S,
) -> Result<(), S::Error> {
    let cells = array.as_primitive::<T>();
    each(array, sink, |at| {
        let value = cells.value(at).into();
        encoder.scaled(value, i32::from(scale)).map(Some)
    })
}

fn integers<S: Sink>(encoder: &Encoder, array: &ArrayRef, sink: &mut S) -> Result<(), S::Error> {
    match array.data_type() {
        DataType::Int8 => scaled::<Int8Type, _>(encoder, array, 0, sink),
        DataType::Int16 => scaled::<Int16Type, _>(encoder, array, 0, sink),
        DataType::Int32 => scaled::<Int32Type, _>(encoder, array, 0, sink),
        DataType::Int64 => scaled::<Int64Type, _>(encoder, array, 0, sink),
        DataType::UInt8 => scaled::<UInt8Type, _>(encoder, array, 0, sink),
        DataType::UInt16 => scaled::<UInt16Type, _>(encoder, array, 0, sink),
        DataType::UInt32 => scaled::<UInt32Type, _>(encoder, array, 0, sink),
        DataType::UInt64 => scaled::<UInt64Type, _>(encoder, array, 0, sink),
        // A column of type Null has no cell that is not NULL.
        _ => each(array, sink, |_| Err(ValueProblem::NotUtf8)),
    }
}

fn dates<S: Sink>(encoder: &Encoder, array: &ArrayRef, sink: &mut S) -> Result<(), S::Error> {
    const DAY_SECONDS: i64 = 86_400;
    match array.data_type() {
        DataType::Date64 => moments::<Date64Type, _>(encoder, array, DAY_SECONDS * 1_000, sink),
        DataType::Timestamp(TimeUnit::Second, _) => {
            moments::<TimestampSecondType, _>(encoder, array, DAY_SECONDS, sink)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            moments::<TimestampMillisecondType, _>(encoder, array, DAY_SECONDS * 1_000, sink)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            moments::<TimestampMicrosecondType, _>(encoder, array, DAY_SECONDS * 1_000_000, sink)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            moments::<TimestampNanosecondType, _>(encoder, array, DAY_SECONDS * 1_000_000_000, sink)
        }
        _ => moments::<Date32Type, _>(encoder, array, 1, sink),
    }
}

/// Dates counted from 1970 in parts of a day, of which `day` make one.
fn moments<T: ArrowPrimitiveType<Native: Into<i64>>, S: Sink>(
    encoder: &Encoder,
    array: &ArrayRef,
    day: i64,
    sink: &mut S,
) -> Result<(), S::Error> {
    let cells = array.as_primitive::<T>();
    each(array, sink, |at| {
        let moment: i64 = cells.value(at).into();
        if moment.rem_euclid(day) != 0 {
            return Err(ValueProblem::TimeOfDay);
        }
        encoder.unix_day(moment.div_euclid(day)).map(Some)
    })
}

/// A column of texts: its text at an index. On any other array all texts are empty.
fn texts<'a>(array: &'a ArrayRef) -> Box<dyn Fn(usize) -> &'a str + 'a> {
    match array.data_type() {
        DataType::Utf8 => Box::new(|at| array.as_string::<i32>().value(at)),
        DataType::LargeUtf8 => Box::new(|at| array.as_string::<i64>().value(at)),
        DataType::Utf8View => Box::new(|at| array.as_string_view().value(at)),
        _ => Box::new(|_| ""),
    }
}

/// A dictionary of texts: each text is encoded once, unless they are more than the cells.
fn dictionary<S: Sink>(encoder: &Encoder, array: &ArrayRef, sink: &mut S) -> Result<(), S::Error> {
    let values = array.as_any_dictionary().values();
    let keys = keys(array);
    let text = texts(values);
    let stored = |key: usize| {
        // A dictionary may hold NULL among its texts; `each` skips the cells that point to it.
        if values.is_null(key) {
            return Ok(None);
        }
        encoder.typed_text(text(key)).map(Some)
    };
    if values.len() > array.len() {
        return each(array, sink, |at| stored(keys[at]));
    }
    let encoded: Vec<Stored> = (0..values.len()).map(stored).collect();
    each(array, sink, |at| encoded[keys[at]].clone())
}

/// The dictionary's keys, below its length; those of NULL cells mean nothing.
fn keys(array: &ArrayRef) -> Vec<usize> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return Vec::new();
    }
    dictionary.normalized_keys()
}

/// Takes the id at an index of an array, `None` where it is NULL.
pub(super) type TakeId<'a, E> = dyn FnMut(usize, Option<&str>) -> Result<(), E> + 'a;

/// Passes each patient id on as text. The array's type is one that [`accepts_id`] has let in; on
/// any other, every id is NULL.
pub(super) fn ids<E>(array: &ArrayRef, take: &mut TakeId<'_, E>) -> Result<(), E> {
    let valid = array.logical_nulls();
    let valid = |at: usize| valid.as_ref().is_none_or(|nulls| nulls.is_valid(at));
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = texts(array);
            (0..array.len()).try_for_each(|at| take(at, valid(at).then(|| text(at))))
        }
        DataType::Dictionary(..) => {
            let text = texts(array.as_any_dictionary().values());
            let keys = keys(array);
            (0..array.len()).try_for_each(|at| take(at, valid(at).then(|| text(keys[at]))))
        }
        _ => integer_ids(array, take),
    }
}

fn integer_ids<E>(array: &ArrayRef, take: &mut TakeId<'_, E>) -> Result<(), E> {
    match array.data_type() {
        DataType::Int8 => decimal_ids::<Int8Type, E>(array, take),
        DataType::Int16 => decimal_ids::<Int16Type, E>(array, take),
        DataType::Int32 => decimal_ids::<Int32Type, E>(array, take),
        DataType::Int64 => decimal_ids::<Int64Type, E>(array, take),
        DataType::UInt8 => decimal_ids::<UInt8Type, E>(array, take),
        DataType::UInt16 => decimal_ids::<UInt16Type, E>(array, take),
        DataType::UInt32 => decimal_ids::<UInt32Type, E>(array, take),
        DataType::UInt64 => decimal_ids::<UInt64Type, E>(array, take),
        _ => (0..array.len()).try_for_each(|i| take(i, None)),
    }
}

fn decimal_ids<T: ArrowPrimitiveType<Native: std::fmt::Display>, E>(
    array: &ArrayRef,
    take: &mut TakeId<'_, E>,
) -> Result<(), E> {
    let cells = array.as_primitive::<T>();
    (0..cells.len()).try_for_each(|i| {
        let id = cells.is_valid(i).then(|| cells.value(i).to_string());
        take(i, id.as_deref())
    })
}
