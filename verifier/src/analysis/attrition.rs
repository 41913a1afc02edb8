//! What an attrition table's counts make together.

use super::{Derived, Table, Value, View};

const METHOD: &str =
    "Excluded: the count before minus the count after. Left: the share of the first count";

/// Patients excluded by each criterion, where both counts are released.
pub(crate) fn attrition(view: &View<'_>) -> Derived {
    let mut table = Table::new("Attrition", &["criterion", "patients", "excluded", "left"]);
    let count = |row: usize| view.count(row, 1).ok();
    for row in 0..view.rows.len() {
        let (own, first) = (count(row), count(0));
        let before = row.checked_sub(1).and_then(count);
        let excluded = match (before, own) {
            (Some(before), Some(own)) => before.checked_sub(own).map(Value::Count),
            _ => None,
        };
        let left = match (own, first) {
            (Some(own), Some(first)) if first > 0 => share(own, first),
            _ => Value::Missing,
        };
        table.rows.push(vec![
            Value::Text(view.key(row, 0)),
            own.map_or(Value::Missing, Value::Count),
            excluded.unwrap_or(Value::Missing),
            left,
        ]);
    }
    Derived {
        analysis: "attrition".to_owned(),
        method: METHOD,
        tables: vec![table],
        notes: Vec::new(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^40")]
fn share(part: u64, whole: u64) -> Value {
    Value::Number(part as f64 / whole as f64)
}
