//! What an attrition table's counts make together.

use super::{Derived, Table, Value, View, titles};

const METHOD: &str =
    "Excluded: the count before minus the count after. Left: the share of the first count";

/// Patients excluded by each criterion, where both counts are released as they are.
pub(crate) fn attrition(view: &View<'_>) -> Derived {
    let mut table = Table::new(
        titles::ATTRITION,
        &["criterion", "patients", "excluded", "left"],
    );
    let count = |row: usize| view.count(row, 1).ok();
    let is_exact = view.count_error == 0;
    let hidden = || Value::from("hidden");
    for row in 0..view.rows.len() {
        let (own, first) = (count(row), count(0));
        let excluded = match (row.checked_sub(1).map(count), own) {
            (None, _) => "".into(),
            (Some(Some(before)), Some(own)) if is_exact => Value::Count(before.saturating_sub(own)),
            (Some(Some(_)), Some(_)) => "rounded".into(),
            _ => hidden(),
        };
        let left = match (own, first) {
            (Some(own), Some(first)) if first > 0 => share(own, first),
            (Some(_), Some(_)) => Value::Missing,
            _ => hidden(),
        };
        let shown = || Value::Text(view.shown(row, 1));
        let patients = own.map_or_else(shown, Value::Count);
        table.rows.push(vec![
            Value::Text(view.key(row, 0).unwrap_or_default().into_owned()),
            patients,
            excluded,
            left,
        ]);
    }
    let rounded = format!(
        "Counts are rounded, each off by up to {}: how many a criterion excludes cannot be told from them.",
        view.count_error
    );
    Derived {
        analysis: "attrition".to_owned(),
        method: METHOD,
        tables: vec![table],
        notes: (!is_exact).then_some(rounded).into_iter().collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^40")]
fn share(part: u64, whole: u64) -> Value {
    Value::Number(part as f64 / whole as f64)
}
