//! Where the engine's arithmetic departs from PostgreSQL's without a word, PostgreSQL's.
//!
//! By itself the engine reads a text's date in UTC (`1976-01-19T22:58:16-05:00` becomes the 20th), lets integers
//! and their sums wrap around, and cuts what a cast to an integer should round. Each plan's expressions are
//! therefore rewritten once their types are known: casts that can fail or lose go through [`cast::ExactCast`],
//! integer arithmetic through [`arithmetic::Checked`], and `sum` is [`sum::CheckedSum`].

mod arithmetic;
mod cast;
mod compared;
mod refused;
mod sum;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{AggregateFunction, Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    AggregateUDF, BinaryExpr, Expr, ExprSchemable, Operator, ScalarUDF, lit,
};
use datafusion::optimizer::analyzer::function_rewrite::ApplyFunctionRewrites;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use cast::ExactCast;
pub(crate) use compared::check_comparisons;

/// Makes `session` compute as PostgreSQL does.
pub(crate) fn install(session: &SessionContext) {
    session.register_udaf(AggregateUDF::from(sum::CheckedSum::default()));
    // The analyzer's own rules come first, so that types are settled when this one runs.
    session.add_analyzer_rule(Arc::new(ApplyFunctionRewrites::new(vec![Arc::new(Exact)])));
}

#[derive(Debug)]
struct Exact;

impl FunctionRewrite for Exact {
    fn name(&self) -> &str {
        "exact"
    }

    fn rewrite(
        &self,
        expr: Expr,
        schema: &DFSchema,
        _: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        Ok(match expr {
            Expr::Cast(Cast { expr, field }) => match exact_cast(&expr, &field, false, schema)? {
                Some(exact) => Transformed::yes(call(exact, vec![*expr])),
                None => Transformed::no(Expr::Cast(Cast { expr, field })),
            },
            Expr::TryCast(TryCast { expr, field }) => {
                match exact_cast(&expr, &field, true, schema)? {
                    Some(exact) => Transformed::yes(call(exact, vec![*expr])),
                    None => Transformed::no(Expr::TryCast(TryCast { expr, field })),
                }
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let types = (left.get_type(schema)?, right.get_type(schema)?);
                refused::operation(op, &types.0, &types.1, &[left.as_ref(), right.as_ref()])?;
                match arithmetic::Checked::of(op, &types.0, &types.1) {
                    Some(checked) => Transformed::yes(call(checked, vec![*left, *right])),
                    None => Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
                }
            }
            Expr::Negative(inner) => {
                let found = inner.get_type(schema)?;
                match arithmetic::Checked::of(Operator::Minus, &found, &found) {
                    Some(checked) => {
                        let zero = lit(ScalarValue::new_zero(&found)?);
                        Transformed::yes(call(checked, vec![zero, *inner]))
                    }
                    None => Transformed::no(Expr::Negative(inner)),
                }
            }
            Expr::SimilarTo(_) => {
                return plan_err!(
                    "SIMILAR TO has another meaning here than in PostgreSQL: write a regular expression, x ~ '^…$'"
                );
            }
            Expr::ScalarFunction(f) => {
                refused::function(&f, schema)?;
                function(f, schema)?
            }
            Expr::AggregateFunction(f) => {
                check_aggregate(&f, schema)?;
                Transformed::no(Expr::AggregateFunction(f))
            }
            other => Transformed::no(other),
        })
    }
}

/// The exact cast of `expr`, where the engine's own could fail or lose something.
fn exact_cast(
    expr: &Expr,
    field: &FieldRef,
    tries: bool,
    schema: &DFSchema,
) -> Result<Option<ExactCast>> {
    let to = field.data_type();
    let needed = ExactCast::is_needed(&expr.get_type(schema)?, to);
    Ok(needed.then(|| ExactCast::new(to.clone(), tries, expr.to_string())))
}

fn call(function: impl Into<ScalarUDF>, arguments: Vec<Expr>) -> Expr {
    let function = Arc::new(function.into());
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}

/// `to_date` and `to_timestamp` of a text: the day as it is written, or not at all.
fn function(f: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let name = f.name().to_owned();
    if !(name == "to_date" || name.starts_with("to_timestamp")) {
        return Ok(Transformed::no(Expr::ScalarFunction(f)));
    }
    let of_text = match f.args.first() {
        Some(first) => is_text(&first.get_type(schema)?),
        None => false,
    };
    if !of_text {
        return Ok(Transformed::no(Expr::ScalarFunction(f)));
    }
    if f.args.len() == 1 {
        if name == "to_date" {
            let argument = f.args[0].clone();
            let cast = ExactCast::new(DataType::Date32, false, argument.to_string());
            return Ok(Transformed::yes(call(cast, vec![argument])));
        }
        return plan_err!(
            "{name} of a text without a format moves its time to UTC: write CAST(x AS TIMESTAMP) for the time \
             as written, or CAST(x AS TIMESTAMP WITH TIME ZONE) for the moment in UTC"
        );
    }
    if f.args[1..].iter().any(|format| !is_zoneless(format)) {
        return plan_err!(
            "{name} would move a time to UTC by the offset in it, and the day with it: its format must be a \
             literal without %z, %Z, %s and %+; take the first ten characters, as in \
             to_date(left(x, 10), '%Y-%m-%d')"
        );
    }
    Ok(Transformed::no(Expr::ScalarFunction(f)))
}

/// Whether a format is a literal that reads no offset.
fn is_zoneless(format: &Expr) -> bool {
    let text = match format {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    };
    let Some(text) = text else { return false };
    !["z", "Z", "s", "+", "c"].iter().any(|zone| {
        text.split('%')
            .skip(1)
            .any(|part| part.trim_start_matches([':', '#']).starts_with(zone))
    })
}

fn is_text(found: &DataType) -> bool {
    matches!(
        found,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

/// Sums of the widest decimals could leave their type within few rows, and the engine would not say so.
fn check_aggregate(f: &AggregateFunction, schema: &DFSchema) -> Result<()> {
    let name = f.func.name();
    if !matches!(name, "sum" | "avg") {
        return Ok(());
    }
    let Some(argument) = f.params.args.first() else {
        return Ok(());
    };
    match argument.get_type(schema)? {
        DataType::Decimal128(p, s) if p > sum::WIDEST => plan_err!(
            "{name} of a DECIMAL({p}, {s}) could exceed its 38 digits: sum a CAST({argument} AS DECIMAL({}, {s}))",
            sum::WIDEST
        ),
        DataType::Decimal256(p, s) => plan_err!(
            "{name} of a DECIMAL({p}, {s}) could exceed its digits: sum a CAST({argument} AS DECIMAL({}, {s}))",
            sum::WIDEST
        ),
        _ => Ok(()),
    }
}
