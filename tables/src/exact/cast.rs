//! Casts that can fail or lose something: from text, and from one number type to another.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    TimestampMicrosecondArray,
};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::is_text;
use crate::columns::sql_name;
use crate::dates;
use crate::error::told;

/// `CAST(… AS to)`, or `TRY_CAST`, as PostgreSQL computes it; what cannot be cast fails with its place in the SQL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ExactCast {
    to: DataType,
    /// Gives NULL where the cast fails.
    tries: bool,
    /// What is cast, as the SQL says it.
    shown: String,
    signature: Signature,
}

impl ExactCast {
    pub(crate) fn new(to: DataType, tries: bool, shown: String) -> Self {
        Self {
            to,
            tries,
            shown,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }

    /// Whether the engine's own cast between these types could fail, or lose something.
    pub(super) fn is_needed(from: &DataType, to: &DataType) -> bool {
        let value = value_type(from);
        if is_text(value) {
            return to.is_numeric() || to.is_temporal() || *to == DataType::Boolean;
        }
        value.is_numeric() && to.is_numeric() && value != to
    }

    /// Casts; NULL where it fails.
    fn tried(&self, from: &ArrayRef) -> Result<ArrayRef> {
        let safe = CastOptions {
            safe: true,
            ..CastOptions::default()
        };
        let to = |array: &dyn Array| Ok(cast_with_options(array, &self.to, &safe)?);
        match (from.data_type(), &self.to) {
            (DataType::Utf8, DataType::Date32 | DataType::Date64) => {
                let texts = from.as_string::<i32>().iter();
                let days: Date32Array = texts.map(|t| t.and_then(dates::day)).collect();
                to(&days)
            }
            (DataType::Utf8, DataType::Timestamp(_, None)) => {
                let texts = from.as_string::<i32>().iter();
                let moments: TimestampMicrosecondArray =
                    texts.map(|t| t.and_then(dates::moment)).collect();
                to(&moments)
            }
            (DataType::Float64, whole) if whole.is_integer() => {
                let rounded: Float64Array = from
                    .as_primitive::<Float64Type>()
                    .unary(f64::round_ties_even);
                to(&rounded)
            }
            (DataType::Float32, whole) if whole.is_integer() => {
                let rounded: Float32Array = from
                    .as_primitive::<Float32Type>()
                    .unary(f32::round_ties_even);
                to(&rounded)
            }
            (DataType::Decimal128(p, _), whole) if whole.is_integer() => {
                to(&cast(from, &DataType::Decimal128((*p + 1).min(38), 0))?)
            }
            (DataType::Decimal256(p, _), whole) if whole.is_integer() => {
                to(&cast(from, &DataType::Decimal256((*p + 1).min(76), 0))?)
            }
            // With as many digits as each float of its width keeps: 15, or 6.
            (DataType::Float64, &DataType::Decimal128(p, scale)) => {
                let floats = from.as_primitive::<Float64Type>().iter();
                let written = floats.map(|f| f.map(|f| format!("{f:.14e}")));
                Ok(decimals(written, p, scale))
            }
            (DataType::Float32, &DataType::Decimal128(p, scale)) => {
                let floats = from.as_primitive::<Float32Type>().iter();
                let written = floats.map(|f| f.map(|f| format!("{f:.5e}")));
                Ok(decimals(written, p, scale))
            }
            _ => to(from),
        }
    }

    fn cast(&self, from: &ArrayRef) -> Result<ArrayRef> {
        let from = match value_type(from.data_type()) {
            text if is_text(text) => cast(from, &DataType::Utf8)?,
            number => cast(from, number)?,
        };
        let found = self.tried(&from)?;
        let failed = |at: &usize| from.is_valid(*at) && found.is_null(*at);
        if self.tries || found.null_count() == from.null_count() {
            return Ok(found);
        }
        let first = (0..from.len()).find(failed).unwrap_or(0);
        let text = is_text(from.data_type()).then(|| from.as_string::<i32>().value(first));
        let count = (0..from.len()).filter(failed).count();
        Err(told(fault(
            &self.shown,
            &self.to,
            count,
            cure(text, &self.to),
        )))
    }
}

/// Floats that are written in scientific notation, as decimals; NULL where one does not fit.
fn decimals(written: impl Iterator<Item = Option<String>>, precision: u8, scale: i8) -> ArrayRef {
    let units = written.map(|text| decimal(&text?, precision, scale));
    let units: Decimal128Array = units.collect();
    Arc::new(units.with_data_type(DataType::Decimal128(precision, scale)))
}

/// A float that is written in scientific notation, as units of 10^-scale of a decimal.
/// Halves go away from zero: 0.145 is 0.15, though the float is a little less. None beyond the precision.
fn decimal(written: &str, precision: u8, scale: i8) -> Option<i128> {
    let (digits, exponent) = written.split_once('e')?;
    let decimals = digits.split_once('.').map_or(0, |(_, after)| after.len());
    let digits: i128 = digits.replace('.', "").parse().ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent - i32::try_from(decimals).ok()? + i32::from(scale);
    let power = |n: i32| 10_i128.checked_pow(u32::try_from(n).ok()?);
    let units = if shift >= 0 {
        if digits == 0 {
            0
        } else {
            digits.checked_mul(power(shift)?)?
        }
    } else {
        // What is divided by more than it has digits is nothing.
        let Some(by) = power(-shift) else {
            return Some(0);
        };
        (digits + digits.signum() * (by / 2)) / by
    };
    (units.abs() < power(i32::from(precision))?).then_some(units)
}

fn value_type(found: &DataType) -> &DataType {
    match found {
        DataType::Dictionary(_, value) => value,
        other => other,
    }
}

/// What is the matter with the first text that could not be cast, by its kind and not by its letters.
fn cure(text: Option<&str>, to: &DataType) -> &'static str {
    let Some(text) = text else {
        return "too large for that type, or no finite number: cast to a wider one, or find the values with WHERE";
    };
    let bare = text.trim();
    let number = bare.parse::<f64>().is_ok_and(f64::is_finite);
    let point = bare.replace(',', ".");
    if bare.is_empty() {
        return "without a letter, or only blanks: NULLIF(trim(x), '') gives NULL there";
    }
    if bare.len() < text.len() {
        return "with blanks before or behind it: cast trim(x)";
    }
    match to {
        DataType::Timestamp(_, None) if dates::has_offset_behind(text) => {
            "a time with an offset: CAST(x AS DATE) gives the day as written, CAST(x AS TIMESTAMP WITH TIME \
             ZONE) the moment in UTC, CAST(left(x, 19) AS TIMESTAMP) the time as written"
        }
        DataType::Timestamp(_, None) if dates::moment(text).is_some() => {
            "outside the years 1678 to 2261, which a TIMESTAMP holds: CAST(x AS DATE) holds it"
        }
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            "no date as YYYY-MM-DD: to_date(x, '%d.%m.%Y') reads another order; a date without its day needs a \
             rule of yours"
        }
        t if t.is_numeric() && !number && point.parse::<f64>().is_ok() => {
            "with a comma: of decimals? Cast replace(x, ',', '.'), or say decimal = \",\" for the source. Of thousands? \
             Cast replace(x, ',', '')"
        }
        t if t.is_integer() && number => {
            "no whole number, or too large for that type: cast to DECIMAL or DOUBLE first, which then rounds"
        }
        t if t.is_numeric() && number => "too large for that type: cast to a wider one",
        t if t.is_numeric() => "no number",
        _ => "no value of that type",
    }
}

impl ScalarUDFImpl for ExactCast {
    fn name(&self) -> &str {
        if self.tries { "try_cast" } else { "cast" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match &args.args[0] {
            ColumnarValue::Array(array) => ColumnarValue::Array(self.cast(array)?),
            ColumnarValue::Scalar(scalar) => {
                let one = self.cast(&scalar.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&one, 0)?)
            }
        })
    }
}

/// What is said of values that a cast could not take, `failed` of one batch of rows; none of them is in it.
fn fault(shown: &str, to: &DataType, failed: usize, cure: &str) -> String {
    let to = sql_name(to);
    let values = match failed {
        1 => "a value that is".to_owned(),
        n => format!("{n} values, the first of which is"),
    };
    // A long expression is said once.
    let x = if shown.len() > 40 { "x" } else { shown };
    format!(
        "CAST({shown} AS {to}) met {values} (not shown) {cure}; TRY_CAST gives NULL instead, and WHERE {x} IS NOT \
         NULL AND TRY_CAST({x} AS {to}) IS NULL finds the rows"
    )
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Decimal128Array, Int64Array, StringArray};
    use datafusion::arrow::datatypes::{Decimal128Type, TimeUnit};

    use super::*;

    fn cast_to(to: DataType, from: impl Array + 'static) -> Result<ArrayRef> {
        ExactCast::new(to, false, "x".into()).cast(&(Arc::new(from) as ArrayRef))
    }

    #[test]
    fn numbers_round_as_in_postgresql() {
        let floats = Float64Array::from(vec![79.9, 2.5, 3.5, -2.5, -0.4]);
        let found = cast_to(DataType::Int64, floats).unwrap();
        assert_eq!(
            found.as_ref(),
            &Int64Array::from(vec![80, 2, 4, -2, 0]) as &dyn Array
        );
        // A decimal's half goes away from zero, a float's to the even neighbour.
        let decimals = Decimal128Array::from(vec![799, 25, 35, -25, -4])
            .with_precision_and_scale(5, 1)
            .unwrap();
        let found = cast_to(DataType::Int64, decimals).unwrap();
        assert_eq!(
            found.as_ref(),
            &Int64Array::from(vec![80, 3, 4, -3, 0]) as &dyn Array
        );
        let widest = Decimal128Array::from(vec![999_995])
            .with_precision_and_scale(6, 1)
            .unwrap();
        let found = cast_to(DataType::Int64, widest).unwrap();
        assert_eq!(
            found.as_ref(),
            &Int64Array::from(vec![100_000]) as &dyn Array
        );
    }

    /// What PostgreSQL 15 gives for `x::float8::numeric(9, 2)`, and of a `float4`.
    #[test]
    fn floats_become_decimals_as_in_postgresql() {
        let to = DataType::Decimal128(9, 2);
        let floats = vec![
            0.145,
            1.005,
            0.285,
            -0.145,
            1e-9,
            0.0,
            2.675,
            1_234_567.894_999,
            1e-300,
        ];
        let found = cast_to(to.clone(), Float64Array::from(floats)).unwrap();
        let found: Vec<i128> = found.as_primitive::<Decimal128Type>().values().to_vec();
        assert_eq!(found, [15, 101, 29, -15, 0, 0, 268, 123_456_789, 0]);
        let narrow = cast_to(to.clone(), Float32Array::from(vec![0.145, 1.005, 0.1])).unwrap();
        let narrow: Vec<i128> = narrow.as_primitive::<Decimal128Type>().values().to_vec();
        assert_eq!(narrow, [15, 101, 10]);
        for large in [1e7, -1e7, 1e300, f64::NAN, f64::INFINITY] {
            cast_to(to.clone(), Float64Array::from(vec![large])).unwrap_err();
        }
        let wide = cast_to(DataType::Decimal128(38, 0), Float64Array::from(vec![1e30])).unwrap();
        assert_eq!(
            wide.as_primitive::<Decimal128Type>().value(0),
            10_i128.pow(30)
        );
    }

    #[test]
    fn a_fault_names_the_cast_and_the_cure_but_no_value() {
        let decimal = DataType::Decimal128(5, 1);
        for (text, to, cure) in [
            ("3,25", &decimal, "replace(x, ',', '.')"),
            ("1,200", &decimal, "replace(x, ',', '')"),
            ("123456.7", &decimal, "wider"),
            (" 1,5", &decimal, "trim(x)"),
            ("", &decimal, "NULLIF"),
            ("Roe", &decimal, "no number"),
            ("7.5", &DataType::Int64, "DOUBLE first"),
            ("19.1.1976", &DataType::Date32, "to_date"),
            ("1976-01", &DataType::Date32, "without its day"),
            (
                "9999-12-31 00:00:00",
                &DataType::Timestamp(TimeUnit::Nanosecond, None),
                "CAST(x AS DATE)",
            ),
            (
                "1976-01-19T22:58:16-05:00",
                &DataType::Timestamp(TimeUnit::Nanosecond, None),
                "as written",
            ),
        ] {
            let texts = StringArray::from(vec![None, Some(text)]);
            let error = cast_to(to.clone(), texts).unwrap_err().to_string();
            assert!(
                error.contains("CAST(x AS ") && error.contains(cure),
                "{error}"
            );
            assert!(text.len() < 3 || !error.contains(text), "{error}");
        }
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("2020-01-02")]));
        let tried = ExactCast::new(DataType::Date32, true, String::new());
        assert_eq!(tried.cast(&texts).unwrap().null_count(), 1);
    }

    #[test]
    fn what_cannot_fail_is_left_to_the_engine() {
        assert!(!ExactCast::is_needed(&DataType::Int64, &DataType::Utf8));
        assert!(!ExactCast::is_needed(&DataType::Null, &DataType::Date32));
        assert!(ExactCast::is_needed(&DataType::Utf8View, &DataType::Date32));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert!(ExactCast::is_needed(&dictionary, &DataType::Date32));
    }
}
