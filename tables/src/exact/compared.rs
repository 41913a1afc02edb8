//! Comparisons of a text with a number or a truth value, which PostgreSQL refuses: the engine casts one of them without a word, and
//! `007` and `7`, or ` 13` and `13`, would be one patient.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::{Between, InList, InSubquery};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan};

use super::is_text;
use super::refused::is_comparison;
use crate::columns::sql_name;

/// Looks at each comparison of a plan whose types are those of the SQL, before any is cast.
///
/// # Errors
/// The comparison, and what to write.
pub(crate) fn check_comparisons(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        match node {
            LogicalPlan::Join(join) => {
                for (left, right) in &join.on {
                    check(left, right, &schema)?;
                }
            }
            LogicalPlan::Union(union) => {
                for input in union.inputs.iter().skip(1) {
                    columns(union.inputs[0].schema(), input.schema())?;
                }
            }
            LogicalPlan::RecursiveQuery(query) => {
                columns(query.static_term.schema(), query.recursive_term.schema())?;
            }
            _ => {}
        }
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                expression(e, &schema)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// The columns of two queries whose rows come together.
fn columns(one: &DFSchema, other: &DFSchema) -> Result<()> {
    let columns = one.fields().iter().zip(other.fields());
    columns
        .into_iter()
        .try_for_each(|(a, b)| refuse(a.name(), a.data_type(), b.name(), b.data_type()))
}

/// A text that stands for a truth value: 'yes' would be one.
fn condition(expr: &Expr, schema: &DFSchema) -> Result<()> {
    if expr.get_type(schema).is_ok_and(|found| is_text(&found)) {
        return plan_err!(
            "{expr} is a text and no condition: write what of it is true, as in {expr} = 'yes'"
        );
    }
    Ok(())
}

/// Values of which one is taken, or that are looked for among each other.
fn together<'e>(values: impl Iterator<Item = &'e Expr>, schema: &DFSchema) -> Result<()> {
    let values: Vec<&Expr> = values.collect();
    for (at, one) in values.iter().enumerate() {
        for other in &values[at + 1..] {
            check(one, other, schema)?;
        }
    }
    Ok(())
}

/// Functions whose arguments are of one type.
const OF_ONE_TYPE: [&str; 7] = [
    "coalesce",
    "nullif",
    "nvl",
    "ifnull",
    "greatest",
    "least",
    "make_array",
];

/// Functions that look for their last argument in an array.
const LOOKING: [&str; 6] = [
    "array_has",
    "array_contains",
    "list_has",
    "list_contains",
    "array_position",
    "array_positions",
];

fn expression(expr: &Expr, schema: &DFSchema) -> Result<()> {
    match expr {
        Expr::ScalarFunction(f) if OF_ONE_TYPE.contains(&f.name()) => {
            together(f.args.iter(), schema)
        }
        Expr::ScalarFunction(f) if LOOKING.contains(&f.name()) => {
            let [array, value] = f.args.as_slice() else {
                return Ok(());
            };
            let (Ok(of_array), Ok(of_value)) = (array.get_type(schema), value.get_type(schema))
            else {
                return Ok(());
            };
            match (&of_array, value) {
                (_, Expr::Literal(..)) if is_text(&of_value) => Ok(()),
                (DataType::List(item) | DataType::LargeList(item), _) => refuse(
                    &array.to_string(),
                    item.data_type(),
                    &value.to_string(),
                    &of_value,
                ),
                _ => Ok(()),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            check(left, right, schema)
        }
        Expr::Between(Between {
            expr, low, high, ..
        }) => {
            check(expr, low, schema)?;
            check(expr, high, schema)
        }
        Expr::InList(InList { expr, list, .. }) => {
            list.iter().try_for_each(|item| check(expr, item, schema))
        }
        Expr::Case(case) => {
            for (when, _) in &case.when_then_expr {
                match &case.expr {
                    Some(of) => check(of, when, schema)?,
                    None => condition(when, schema)?,
                }
            }
            let results = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
            together(results.chain(case.else_expr.as_deref()), schema)
        }
        Expr::InSubquery(InSubquery { expr, subquery, .. }) => {
            let Ok(found) = expr.get_type(schema) else {
                return Ok(());
            };
            let inner = subquery.subquery.schema().field(0);
            refuse(&expr.to_string(), &found, inner.name(), inner.data_type())
        }
        _ => Ok(()),
    }
}

/// A literal text has no type yet, as in PostgreSQL: `x = '5'` compares numbers where x is one.
fn check(left: &Expr, right: &Expr, schema: &DFSchema) -> Result<()> {
    let types = (left.get_type(schema), right.get_type(schema));
    let (Ok(of_left), Ok(of_right)) = types else {
        return Ok(());
    };
    let untyped =
        |expr: &Expr, found: &DataType| is_text(found) && matches!(expr, Expr::Literal(..));
    if untyped(left, &of_left) || untyped(right, &of_right) {
        return Ok(());
    }
    refuse(&left.to_string(), &of_left, &right.to_string(), &of_right)
}

fn refuse(left: &str, of_left: &DataType, right: &str, of_right: &DataType) -> Result<()> {
    // Of dates and times the engine reads a text as they are written, or fails.
    let blind = |found: &DataType| found.is_numeric() || *found == DataType::Boolean;
    let (text, other, of_other) = match (is_text(of_left), is_text(of_right)) {
        (true, false) if blind(of_right) => (left, right, of_right),
        (false, true) if blind(of_left) => (right, left, of_left),
        _ => return Ok(()),
    };
    let of_other = sql_name(of_other);
    plan_err!(
        "{text} is a text and {other} a {of_other}, and whether 007 is 7 is for you to say: compare CAST({other} AS \
         VARCHAR) with it, or CAST({text} AS {of_other}), or give the columns one type in the sources' types"
    )
}
