//! What the engine computes in another way than PostgreSQL, or not to the end, and that is refused for it.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};

/// Operators over types for which the engine's value is another one.
///
/// # Errors
/// What to write instead.
pub(super) fn operation(
    op: Operator,
    left: &DataType,
    right: &DataType,
    operands: &[&Expr; 2],
) -> Result<()> {
    if op == Operator::BitwiseXor {
        return plan_err!("^ is not a power here: write power(x, y), or x * x");
    }
    if !is_comparison(op) {
        return date_and_hours(left, right, operands);
    }
    if [left, right]
        .iter()
        .any(|t| matches!(t, DataType::Interval(_)))
    {
        return plan_err!(
            "intervals are not compared as in PostgreSQL: compare numbers, as in CAST(a AS DATE) - CAST(b AS DATE) > 29, \
             or times, as in a > b + INTERVAL '29 days'"
        );
    }
    if [left, right]
        .iter()
        .any(|t| matches!(t, DataType::Struct(_)))
    {
        return plan_err!(
            "rows are not compared as in PostgreSQL: compare their columns one by one"
        );
    }
    Ok(())
}

pub(super) fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(
        op,
        Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom
    )
}

/// A DATE stays one whatever is added, so that hours would be dropped.
fn date_and_hours(left: &DataType, right: &DataType, operands: &[&Expr; 2]) -> Result<()> {
    let date = [left, right]
        .iter()
        .any(|t| matches!(t, DataType::Date32 | DataType::Date64));
    let hours = operands.iter().any(|e| match e {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(i)), _) => i.nanoseconds != 0,
        Expr::Literal(ScalarValue::IntervalDayTime(Some(i)), _) => i.milliseconds != 0,
        _ => false,
    });
    if date && hours {
        return plan_err!(
            "a DATE with hours added stays a DATE here and drops them: CAST it AS TIMESTAMP first"
        );
    }
    Ok(())
}

/// Functions likewise.
///
/// # Errors
/// What to write instead.
pub(super) fn function(f: &ScalarFunction, schema: &DFSchema) -> Result<()> {
    let name = f.name();
    match name {
        "arrow_cast" | "arrow_try_cast" => {
            plan_err!("{name} casts otherwise than PostgreSQL: write CAST or TRY_CAST")
        }
        "date_part" => {
            let of = f.args.last().map(|a| a.get_type(schema)).transpose()?;
            if matches!(of, Some(DataType::Interval(_) | DataType::Duration(_))) {
                return plan_err!(
                    "date_part of a difference loses what does not fit: as days write CAST(a AS DATE) - CAST(b AS \
                     DATE), as seconds date_part('epoch', a) - date_part('epoch', b)"
                );
            }
            Ok(())
        }
        "to_char" => to_char(f, schema),
        _ => Ok(()),
    }
}

fn to_char(f: &ScalarFunction, schema: &DFSchema) -> Result<()> {
    let [time, format] = f.args.as_slice() else {
        return Ok(());
    };
    let from_text =
        matches!(time, Expr::ScalarFunction(inner) if matches!(inner.name(), "cast" | "try_cast"));
    if from_text && matches!(time.get_type(schema)?, DataType::Timestamp(_, Some(_))) {
        return plan_err!(
            "to_char of a text moves its time to UTC: write to_char(CAST(x AS DATE), …)"
        );
    }
    match format {
        Expr::Literal(text, _)
            if text
                .try_as_str()
                .flatten()
                .is_some_and(|t| !t.contains('%')) =>
        {
            plan_err!("to_char's formats are those of strftime: write '%Y-%m-%d' for 'YYYY-MM-DD'")
        }
        _ => Ok(()),
    }
}
