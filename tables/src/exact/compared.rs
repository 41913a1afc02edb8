//! Comparisons of a text with a number or a truth value, which PostgreSQL refuses: the engine casts one of them without a word, and
//! `007` and `7`, or ` 13` and `13`, would be one patient.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::{Between, Case, InList, InSubquery};
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
        if let LogicalPlan::Join(join) = node {
            for (left, right) in &join.on {
                check(left, right, &schema)?;
            }
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

fn expression(expr: &Expr, schema: &DFSchema) -> Result<()> {
    match expr {
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
        Expr::Case(Case {
            expr: Some(of),
            when_then_expr,
            ..
        }) => when_then_expr
            .iter()
            .try_for_each(|(when, _)| check(of, when, schema)),
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
    let mixed = (is_text(of_left) && blind(of_right)) || (blind(of_left) && is_text(of_right));
    if !mixed {
        return Ok(());
    }
    let (text, other) = if is_text(of_left) {
        (left, (right, of_right))
    } else {
        (right, (left, of_left))
    };
    let (other, of_other) = other;
    let of_other = sql_name(of_other);
    plan_err!(
        "{text} is a text and {other} a {of_other}, and whether 007 is 7 is for you to say: compare CAST({other} AS \
         VARCHAR) with it, or CAST({text} AS {of_other}), or give the columns one type in the sources' types"
    )
}
