//! Text columns of a file to the types that the mapping says, where a reader's own rules would differ.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use datafusion::arrow::array::types::{Date32Type, Float64Type};
use datafusion::arrow::array::{
    ArrayRef, AsArray, Date32Array, Float64Array, RecordBatch, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Result;

use super::text_table::Batches;
use crate::dates;
use crate::error::told;

/// How a text column is converted once it is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Convert {
    /// A date as written: what follows the day moves nothing.
    Day,
    /// A time without an offset.
    Moment,
    /// A number with a decimal comma.
    Comma,
    /// A date in this order.
    Format(String),
}

impl Convert {
    /// Whether `text` can be converted.
    pub(super) fn takes(&self, text: &str) -> bool {
        match self {
            Self::Day => dates::day(text).is_some(),
            Self::Moment => dates::moment(text).is_some(),
            Self::Comma => comma(text).is_some(),
            Self::Format(format) => in_format(text, format).is_some(),
        }
    }

    fn column(&self, texts: &ArrayRef) -> ArrayRef {
        let texts = texts.as_string::<i32>().iter();
        match self {
            Self::Day => Arc::new(Date32Array::from_iter(texts.map(|t| dates::day(t?)))),
            Self::Format(format) => {
                Arc::new(Date32Array::from_iter(texts.map(|t| in_format(t?, format))))
            }
            Self::Comma => Arc::new(Float64Array::from_iter(texts.map(|t| comma(t?)))),
            Self::Moment => {
                let moments = texts.map(|t| dates::moment(t?));
                Arc::new(TimestampMicrosecondArray::from_iter(moments))
            }
        }
    }
}

/// A number with a decimal comma or none; a point would be a separator of thousands, or another number.
fn comma(text: &str) -> Option<f64> {
    if text.contains('.') || text.matches(',').count() > 1 {
        return None;
    }
    Float64Type::parse(&text.replace(',', ".")).filter(|n| n.is_finite())
}

fn in_format(text: &str, format: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, format).ok()?;
    // A year of two digits would be one of the first century.
    if date.year() < 1000 {
        return None;
    }
    Some(Date32Type::from_naive_date(date))
}

/// Why `format` cannot be one of dates.
pub(crate) fn date_format_problem(format: &str) -> Option<&'static str> {
    let specifiers: Vec<char> = format
        .split('%')
        .skip(1)
        .map(|s| s.chars().next().unwrap_or('%'))
        .collect();
    let count = |wanted: &[char]| specifiers.iter().filter(|s| wanted.contains(s)).count();
    if count(&['y']) > 0 {
        return Some("a year of two digits may be of two centuries: convert the file to %Y");
    }
    let once = count(&['d']) == 1 && count(&['m', 'b', 'B']) == 1 && count(&['Y']) == 1;
    (!once || specifiers.len() != 3).then_some(
        "it needs %d, %m (or %b, %B) and %Y, once each and nothing else, as in \"%d.%m.%Y\"",
    )
}

/// A text source's columns, as a reader reads them and as they are given.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// Those that are converted as text.
    pub(super) read_as: SchemaRef,
    pub(super) given: SchemaRef,
    converts: Vec<Option<Convert>>,
}

impl Columns {
    /// From names, types and conversions, in file order.
    pub(super) fn new(columns: Vec<(String, DataType, Option<Convert>)>) -> Self {
        let schema = |read: bool| {
            let fields = columns
                .iter()
                .map(|(name, data_type, convert)| match convert {
                    Some(_) if read => Field::new(name, DataType::Utf8, true),
                    _ => Field::new(name, data_type.clone(), true),
                });
            Arc::new(Schema::new(fields.collect::<Vec<_>>()))
        };
        Self {
            read_as: schema(true),
            given: schema(false),
            converts: columns.into_iter().map(|(_, _, convert)| convert).collect(),
        }
    }

    /// The places of the columns to read for those `wanted`: rows are counted by a column, also where none is.
    pub(super) fn to_read(wanted: &[usize]) -> Vec<usize> {
        if wanted.is_empty() {
            vec![0]
        } else {
            wanted.to_vec()
        }
    }

    /// Converts what a reader of [`Columns::to_read`] gives.
    pub(super) fn convert(
        &self,
        wanted: &[usize],
        read: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static,
    ) -> Result<Batches> {
        let given = Arc::new(self.given.project(wanted)?);
        let converts: Vec<_> = wanted.iter().map(|&i| self.converts[i].clone()).collect();
        Ok(Box::new(read.map(move |batch| {
            let batch = batch?;
            if converts.is_empty() {
                return Ok(batch.project(&[])?);
            }
            convert(&batch, &converts, &given)
        })))
    }
}

/// Converts the columns of `batch` that need it and gives it its schema.
fn convert(
    batch: &RecordBatch,
    converts: &[Option<Convert>],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(converts)
        .map(|(column, convert)| {
            let Some(convert) = convert else {
                return Ok(Arc::clone(column));
            };
            let converted = convert.column(column);
            if converted.null_count() == column.null_count() {
                return Ok(converted);
            }
            Err(told(
                "a text does not read as it did a moment ago: was the file changed meanwhile?"
                    .to_owned(),
            ))
        });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_orders_are_read_as_declared() {
        assert_eq!(comma("3,25"), Some(3.25));
        assert_eq!(comma("-3"), Some(-3.0));
        for text in ["3.25", "1.234,5", "1,2,3", "x", "", "1,", "NaN"] {
            // `1,` is a number for some; here a digit has to follow.
            let expected = if text == "1," {
                Float64Type::parse("1.")
            } else {
                None
            };
            assert_eq!(comma(text), expected, "{text}");
        }
        assert_eq!(in_format("02.01.1970", "%d.%m.%Y"), Some(1));
        assert_eq!(in_format("30.02.1970", "%d.%m.%Y"), None);
        assert_eq!(in_format("02.01.1970 10:00", "%d.%m.%Y"), None);
        assert_eq!(in_format("02.01.70", "%d.%m.%Y"), None);
    }

    #[test]
    fn a_format_is_one_date() {
        for good in ["%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%Y%m%d"] {
            assert_eq!(date_format_problem(good), None, "{good}");
        }
        for bad in [
            "",
            "%d.%m.%y",
            "%Y-%m",
            "%d.%m.%Y %H",
            "%d.%d.%m.%Y",
            "%D",
            "%",
        ] {
            assert!(date_format_problem(bad).is_some(), "{bad}");
        }
    }
}
