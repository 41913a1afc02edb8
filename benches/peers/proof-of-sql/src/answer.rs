//! A verified result as rows of numbers.

use std::error::Error;

use proof_of_sql::base::{
    database::{OwnedColumn, OwnedTable},
    scalar::Scalar,
};

use crate::queries::Answer;

/// Rows in the order of their first column: a query without ORDER BY promises none.
pub fn rows<S: Scalar>(table: &OwnedTable<S>) -> Result<Answer, Box<dyn Error>> {
    let columns: Vec<Vec<i64>> = table
        .inner_table()
        .values()
        .map(numbers)
        .collect::<Result<_, _>>()?;
    let mut rows: Answer = (0..table.num_rows())
        .map(|i| columns.iter().map(|column| column[i]).collect())
        .collect();
    rows.sort_unstable();
    Ok(rows)
}

fn numbers<S: Scalar>(column: &OwnedColumn<S>) -> Result<Vec<i64>, Box<dyn Error>> {
    Ok(match column {
        OwnedColumn::Boolean(values) => values.iter().map(|v| i64::from(*v)).collect(),
        OwnedColumn::BigInt(values) => values.clone(),
        // What a sum is, whatever it is a sum of.
        OwnedColumn::Scalar(values) | OwnedColumn::Decimal75(_, 0, values) => values
            .iter()
            .map(|v| number(*v))
            .collect::<Result<_, _>>()?,
        other => return Err(format!("a column of type {:?}", other.column_type()).into()),
    })
}

fn number<S: Scalar>(value: S) -> Result<i64, Box<dyn Error>> {
    TryInto::<i64>::try_into(value).map_err(|_| "a number of the result is too large".into())
}
