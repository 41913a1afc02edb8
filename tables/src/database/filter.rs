//! Conditions that the server may apply before rows travel; the engine applies each of them again.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::columns::TableColumn;
use datafusion::arrow::datatypes::DataType;

/// The condition as PostgreSQL's SQL; `None` where the server could drop a row that the engine would keep: texts
/// are compared for equality alone, since their order is the server's collation, and fractions not at all.
pub(super) fn sql(condition: &Expr, columns: &[TableColumn]) -> Option<String> {
    match condition {
        Expr::IsNull(e) => Some(format!("{} IS NULL", quoted(column(e, columns)?))),
        Expr::IsNotNull(e) => Some(format!("{} IS NOT NULL", quoted(column(e, columns)?))),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => binary(left, *op, right, columns),
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => {
            let column = column(expr, columns)?;
            let values = list.iter().map(|v| literal(v, column));
            let values = values.collect::<Option<Vec<_>>>()?;
            Some(format!("{} IN ({})", quoted(column), values.join(", ")))
        }
        _ => None,
    }
}

fn binary(left: &Expr, op: Operator, right: &Expr, columns: &[TableColumn]) -> Option<String> {
    if matches!(op, Operator::And | Operator::Or) {
        let (left, right) = (sql(left, columns)?, sql(right, columns)?);
        return Some(format!("({left} {op} {right})"));
    }
    let (column, op, value) = match (column(left, columns), column(right, columns)) {
        (Some(c), None) => (c, op, right),
        (None, Some(c)) => (c, op.swap()?, left),
        _ => return None,
    };
    let ordering = matches!(
        op,
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq
    );
    if op != Operator::Eq && !(ordering && column.ordered) {
        return None;
    }
    Some(format!(
        "{} {op} {}",
        quoted(column),
        literal(value, column)?
    ))
}

fn column<'a>(expr: &Expr, columns: &'a [TableColumn]) -> Option<&'a TableColumn> {
    match expr {
        Expr::Column(c) => columns.iter().find(|known| known.name == c.name),
        _ => None,
    }
}

/// A value that the server compares with the column as the engine does.
fn literal(value: &Expr, column: &TableColumn) -> Option<String> {
    let Expr::Literal(value, _) = value else {
        return None;
    };
    match (value, &column.data_type) {
        (ScalarValue::Int64(Some(n)), DataType::Int64) => Some(format!("({n})")),
        (ScalarValue::Boolean(Some(b)), DataType::Boolean) => Some(b.to_string()),
        (ScalarValue::Date32(Some(_)), DataType::Date32) => Some(format!("DATE '{value}'")),
        (ScalarValue::Utf8(Some(text)), DataType::Utf8)
            if !column.as_text && !text.contains('\0') =>
        {
            Some(format!("'{}'", text.replace('\'', "''")))
        }
        _ => None,
    }
}

/// A column's name between quotes.
pub(super) fn quoted(column: &TableColumn) -> String {
    identifier(&column.name)
}

/// A name as an identifier, whatever is in it.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn columns() -> Vec<TableColumn> {
        let column = |name: &str, data_type, ordered| TableColumn {
            name: name.to_owned(),
            data_type,
            as_text: false,
            ordered,
        };
        vec![
            column("n", DataType::Int64, true),
            column("d", DataType::Date32, true),
            column("t", DataType::Utf8, false),
            column("f", DataType::Float64, false),
        ]
    }

    #[test]
    fn what_the_server_decides_alike_goes_to_it() {
        let day = lit(ScalarValue::Date32(Some(18_262)));
        for (condition, expected) in [
            (col("n").eq(lit(5i64)), "\"n\" = (5)"),
            (lit(5i64).lt(col("n")), "\"n\" > (5)"),
            (
                col("n").in_list(vec![lit(1i64), lit(-2i64)], false),
                "\"n\" IN ((1), (-2))",
            ),
            (col("d").gt_eq(day), "\"d\" >= DATE '2020-01-01'"),
            (col("t").eq(lit("o'k")), "\"t\" = 'o''k'"),
            (
                col("t").is_null().or(col("f").is_not_null()),
                "(\"t\" IS NULL OR \"f\" IS NOT NULL)",
            ),
        ] {
            assert_eq!(sql(&condition, &columns()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_it_could_decide_otherwise_does_not() {
        for condition in [
            col("t").lt(lit("a")),
            col("t").not_eq(lit("a")),
            col("f").eq(lit(0.1)),
            col("n").eq(col("n")),
            col("n").not_eq(lit(5i64)),
            col("n").in_list(vec![lit(1i64)], true),
            col("n").eq(lit(ScalarValue::Int64(None))),
            col("t").eq(lit("a")).and(col("f").gt(lit(0.1))),
            col("x").eq(lit(1i64)),
        ] {
            assert_eq!(sql(&condition, &columns()), None, "{condition}");
        }
    }
}
