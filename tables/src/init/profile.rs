//! What stands in a table's columns, and what a registry could say of it. Few values of patients come out of it: bounds
//! are rounded outwards, and a code that few patients have is none.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use super::folder::IDS;

/// Patients that must have a code before it is proposed: a registry is public.
const FEWEST: i64 = 11;

/// Codes that a proposal has, at most.
const CODES: usize = 60;

/// Decimals that a proposal has, at most.
const DECIMALS: i64 = 4;

/// What a registry could say of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Proposal {
    /// `sql` makes it of the column.
    Boolean {
        sql: String,
    },
    Number {
        min: i64,
        max: i64,
        decimals: i64,
        /// Whether what was found has more.
        rounded: bool,
    },
    Date {
        /// First and last year.
        first: i64,
        last: i64,
        /// Whether a time of day is left out.
        timed: bool,
    },
    Category {
        sql: String,
        codes: Vec<String>,
        /// Patients with another code than these, which few have.
        others: i64,
    },
    Left {
        why: String,
    },
}

/// A column of the patients' table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) nullable: bool,
    pub(super) proposal: Proposal,
}

/// A name as the SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether each row of the table has a value of its own in the column.
pub(super) async fn is_unique(
    session: &SessionContext,
    table: &str,
    column: &str,
) -> Result<bool, DataFusionError> {
    let (table, column) = (quoted(table), quoted(column));
    let sql = format!("SELECT count(*), count({column}), count(DISTINCT {column}) FROM {table}");
    let counts = row(session, &sql).await?;
    let [rows, known, distinct] = [0, 1, 2].map(|i| integer(&counts, i));
    Ok(rows > 0 && rows == known && known == distinct)
}

/// Looks at a column.
pub(super) async fn profile(
    session: &SessionContext,
    table: &str,
    name: &str,
    data_type: &DataType,
) -> Result<Profile, DataFusionError> {
    let (from, column) = (quoted(table), quoted(name));
    let sql = format!("SELECT count(*), count({column}) FROM {from}");
    let counts = row(session, &sql).await?;
    let [rows, known] = [0, 1].map(|i| integer(&counts, i));
    let left = |why: &str| Proposal::Left {
        why: why.to_owned(),
    };
    let proposal = if known == 0 {
        left("NULL in every row")
    } else if known < FEWEST {
        left("fewer than 11 patients have a value, and bounds or codes would tell of them")
    } else if is_identifying(name) {
        left("its name is that of something that tells who a patient is")
    } else {
        match data_type {
            DataType::Boolean => Proposal::Boolean { sql: column },
            DataType::Date32 => dates(session, &from, &column, "false").await?,
            DataType::Timestamp(..) => {
                let timed = format!("{column} <> date_trunc('day', {column})");
                dates(session, &from, &column, &timed).await?
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                texts(session, &from, &column).await?
            }
            t if t.is_integer() => integers(session, &from, &column).await?,
            DataType::Decimal128(_, scale) => {
                numbers(session, &from, &column, i64::from(*scale)).await?
            }
            t if t.is_floating() => {
                let decimals = digits(session, &from, &column).await?;
                numbers(session, &from, &column, decimals).await?
            }
            _ => Proposal::Left {
                why: "nested: take an element, as column['element'] or column[1]".to_owned(),
            },
        }
    };
    Ok(Profile {
        name: name.to_owned(),
        nullable: known < rows,
        proposal,
    })
}

async fn dates(
    session: &SessionContext,
    from: &str,
    column: &str,
    timed: &str,
) -> Result<Proposal, DataFusionError> {
    let day = format!("CAST({column} AS DATE)");
    let sql = format!(
        "SELECT CAST(date_part('year', min({day})) AS BIGINT), CAST(date_part('year', max({day})) AS BIGINT),
                count(*) FILTER (WHERE {timed}) FROM {from}"
    );
    let found = row(session, &sql).await?;
    // Whole decades, and one more, tell nobody's day.
    let [first, last, timed] = [0, 1, 2].map(|i| integer(&found, i));
    Ok(Proposal::Date {
        first: (first.div_euclid(10) * 10 - 10).max(1),
        last: (last.div_euclid(10) * 10 + 19).min(9_999),
        timed: timed > 0,
    })
}

/// Integers as a truth value, as codes where they are called so, or as a number.
async fn integers(
    session: &SessionContext,
    from: &str,
    column: &str,
) -> Result<Proposal, DataFusionError> {
    let sql = format!(
        "SELECT count({column}), count(DISTINCT {column}), count(*) FILTER (WHERE {column} NOT IN (0, 1)) FROM {from}"
    );
    let counts = row(session, &sql).await?;
    let [known, distinct, others] = [0, 1, 2].map(|i| integer(&counts, i));
    if let Some(left) = tells_nothing(known, distinct) {
        return Ok(left);
    }
    if others == 0 {
        return Ok(Proposal::Boolean {
            sql: format!("{column} = 1"),
        });
    }
    let name = column.trim_matches('"').to_lowercase();
    if name.ends_with("_id") || name.ends_with("code") {
        return texts(session, from, &format!("CAST({column} AS VARCHAR)")).await;
    }
    numbers(session, from, column, 0).await
}

/// A column that is the same in each row, or another: nothing to ask for, or an identifier.
fn tells_nothing(known: i64, distinct: i64) -> Option<Proposal> {
    let why = match distinct {
        1 => "the same in each row",
        // Some patients are there twice, some have no number of their own.
        _ if distinct * 10 >= known * 9 && known > i64::try_from(CODES).unwrap_or(0) => {
            "another value in nearly each row, as an identifier is"
        }
        _ => return None,
    };
    Some(Proposal::Left {
        why: why.to_owned(),
    })
}

async fn numbers(
    session: &SessionContext,
    from: &str,
    column: &str,
    decimals: i64,
) -> Result<Proposal, DataFusionError> {
    let sql =
        format!("SELECT CAST(min({column}) AS DOUBLE), CAST(max({column}) AS DOUBLE) FROM {from}");
    let found = row(session, &sql).await?;
    let (Some(least), Some(most)) = (whole(&found, 0, f64::floor), whole(&found, 1, f64::ceil))
    else {
        return Ok(Proposal::Left {
            why: "numbers beyond all bounds, as identifiers are".to_owned(),
        });
    };
    let rounded = decimals > DECIMALS;
    if rounded && loses(session, from, column).await? {
        return Ok(Proposal::Left {
            why: format!(
                "its values differ beyond {DECIMALS} decimals: take it in a smaller unit in the SQL"
            ),
        });
    }
    let decimals = decimals.clamp(0, DECIMALS);
    let (min, max) = bounds(least, most);
    let values =
        (i128::from(max) - i128::from(min)) * 10i128.pow(u32::try_from(decimals).unwrap_or(0));
    if values >= 1 << 32 {
        return Ok(Proposal::Left {
            why: "a number of more than 2^32 values, as an identifier is".to_owned(),
        });
    }
    Ok(Proposal::Number {
        min,
        max,
        decimals,
        rounded,
    })
}

/// Whether a number's values are told apart less by as many decimals as a proposal has.
async fn loses(
    session: &SessionContext,
    from: &str,
    column: &str,
) -> Result<bool, DataFusionError> {
    let mut distinct = [0, 0];
    let rounded = format!("CAST({column} AS DECIMAL(38, {DECIMALS}))");
    // One by one: the engine takes both for one column of a result.
    for (count, what) in distinct.iter_mut().zip([column, &rounded]) {
        let sql = format!("SELECT count(DISTINCT {what}) FROM {from}");
        *count = integer(&row(session, &sql).await?, 0);
    }
    let [exact, rounded] = distinct;
    Ok(rounded * 10 < exact * 9)
}

/// Digits after the point of a float's values, however small.
async fn digits(
    session: &SessionContext,
    from: &str,
    column: &str,
) -> Result<i64, DataFusionError> {
    let sql = format!("SELECT CAST({column} AS DOUBLE) FROM {from}");
    let mut rows = session.sql(&sql).await?.execute_stream().await?;
    let mut most = 0;
    while let Some(batch) = rows.next().await {
        for value in batch?
            .column(0)
            .as_primitive::<Float64Type>()
            .iter()
            .flatten()
        {
            // Without an exponent, whatever its size.
            let text = value.to_string();
            let digits = text.split_once('.').map_or(0, |(_, after)| after.len());
            most = most.max(i64::try_from(digits).unwrap_or(i64::MAX));
        }
    }
    Ok(most)
}

/// Whether a column is called as what tells who a patient is.
fn is_identifying(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    IDS.contains(&lower.as_str()) || words.any(|w| IDENTIFYING.contains(&w))
}

/// Words in the names of such columns.
const IDENTIFYING: [&str; 26] = [
    "name",
    "names",
    "surname",
    "forename",
    "firstname",
    "lastname",
    "maidenname",
    "ssn",
    "nhs",
    "mrn",
    "phone",
    "telephone",
    "mobile",
    "fax",
    "email",
    "mail",
    "address",
    "street",
    "zip",
    "zipcode",
    "postcode",
    "postal",
    "plz",
    "passport",
    "iban",
    "account",
];

/// Texts as dates, if all are, or as codes. `column` is what the mapping writes.
async fn texts(
    session: &SessionContext,
    from: &str,
    column: &str,
) -> Result<Proposal, DataFusionError> {
    let day = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?$'";
    let sql = format!(
        "SELECT count({column}), count(DISTINCT {column}), count(*) FILTER (WHERE {column} !~ {day}
                OR TRY_CAST({column} AS DATE) IS NULL) FROM {from}"
    );
    let counts = row(session, &sql).await?;
    let [known, distinct, others] = [0, 1, 2].map(|i| integer(&counts, i));
    if others == 0 {
        return dates(session, from, column, &format!("length({column}) > 10")).await;
    }
    if let Some(left) = tells_nothing(known, distinct) {
        return Ok(left);
    }
    let sql = format!(
        "SELECT {column}, count(*) FROM {from} WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    );
    let batches = session.sql(&sql).await?.collect().await?;
    let (mut codes, mut others, mut all) = (Vec::new(), 0, 0);
    for batch in &batches {
        let texts = cast(batch.column(0), &DataType::Utf8)?;
        let counts = batch.column(1).as_primitive::<Int64Type>();
        for (text, n) in texts.as_string::<i32>().iter().zip(counts.iter()) {
            let (text, n) = (text.unwrap_or_default(), n.unwrap_or(0));
            all += 1;
            if n >= FEWEST && codes.len() < CODES {
                codes.push(text.to_owned());
            } else {
                others += n;
            }
        }
    }
    if codes.is_empty() || all > 4 * CODES {
        return Ok(Proposal::Left {
            why: format!("text with {all} different values, as names and notes have"),
        });
    }
    codes.sort();
    Ok(Proposal::Category {
        sql: column.to_owned(),
        codes,
        others,
    })
}

/// Bounds around what was found that are round, so that they are nobody's values.
fn bounds(least: i64, most: i64) -> (i64, i64) {
    if (1800..=2100).contains(&least) && most <= 2100 {
        return (1800, 2100); // years
    }
    let min = if least >= 0 {
        0
    } else {
        round_up(least.saturating_neg().saturating_add(1)).saturating_neg()
    };
    (min, round_up(most.max(0).saturating_add(1)))
}

/// This or the next of 1, 2, 5, 10, 20, 50, …
fn round_up(value: i64) -> i64 {
    let mut step: i64 = 1;
    loop {
        for factor in [1, 2, 5] {
            match step.checked_mul(factor) {
                Some(bound) if bound >= value => return bound,
                Some(_) => {}
                None => return i64::MAX,
            }
        }
        step = step.saturating_mul(10);
    }
}

/// The one row that a query gives.
async fn row(session: &SessionContext, sql: &str) -> Result<Vec<ArrayRef>, DataFusionError> {
    let batches = session.sql(sql).await?.collect().await?;
    let one = batches.into_iter().find(|b| b.num_rows() > 0);
    Ok(one.map(|b| b.columns().to_vec()).unwrap_or_default())
}

/// A float as the integer beside it, unless it is too large for what a registry holds.
fn whole(row: &[ArrayRef], at: usize, round: impl Fn(f64) -> f64) -> Option<i64> {
    let cell = cast(row.get(at)?, &DataType::Float64).ok()?;
    let value = round(cell.as_primitive::<Float64Type>().iter().next()??);
    #[allow(clippy::cast_possible_truncation)] // whole, and within 50 bits
    (value.abs() < 1e15).then_some(value as i64)
}

fn integer(row: &[ArrayRef], at: usize) -> i64 {
    let cell = row.get(at).and_then(|c| cast(c, &DataType::Int64).ok());
    let cell = cell.filter(|c| !c.is_empty() && c.is_valid(0));
    cell.map_or(0, |c| c.as_primitive::<Int64Type>().value(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_round_and_hold_what_was_found() {
        assert_eq!(bounds(0, 93), (0, 100));
        assert_eq!(bounds(0, 100), (0, 200));
        assert_eq!(bounds(-5, 312), (-10, 500));
        assert_eq!(bounds(1908, 1986), (1800, 2100));
        assert_eq!(bounds(3, 3), (0, 5));
        assert_eq!(bounds(0, 0), (0, 1));
        assert_eq!(bounds(i64::MIN, i64::MAX), (-i64::MAX, i64::MAX));
    }
}
