//! What a picture is called: the query's title, and the units of what stands on its axes.

use galen_query::{
    query::{Aggregate, CohortQuery, OutputValue, PairFunction},
    question::Question,
    registry::{Column, ColumnKind, Registry},
    words::unit,
};

use crate::show;

/// A query's title, and its outputs' units.
#[derive(Debug, Default)]
pub struct Caption {
    /// The query's title, whole and on one line, if it has one.
    pub title: Option<String>,
    /// Labels of outputs, and the unit of each that has one.
    units: Vec<(String, String)>,
}

impl Caption {
    /// Of a query that was answered; one that does not resolve has no units.
    pub fn of(question: &Question, registry: &Registry) -> Self {
        let title = question.title.as_deref().map(show::plain_line);
        let resolved = question.resolve(registry);
        let units = resolved.map_or_else(|_| Vec::new(), |r| units(&r.query, registry));
        Self { title, units }
    }

    /// The unit of the output with this label.
    pub fn unit(&self, label: &str) -> Option<&str> {
        let mut units = self.units.iter();
        units.find(|(of, _)| of == label).map(|(_, u)| u.as_str())
    }

    /// A name with the unit of the output of this label behind it.
    pub fn with_unit(&self, name: &str, label: &str) -> String {
        match self.unit(label) {
            Some(unit) if unit != name => format!("{name} ({unit})"),
            _ => name.to_owned(),
        }
    }
}

fn units(query: &CohortQuery, registry: &Registry) -> Vec<(String, String)> {
    if !query.criteria.is_empty() {
        return Vec::new();
    }
    let unit = |value: &OutputValue| match value {
        OutputValue::Key(i) => {
            let grouping = &query.group_by[*i];
            number_unit(&registry.columns[grouping.column])
        }
        OutputValue::Aggregate(aggregate) => aggregate_unit(aggregate, &registry.columns),
    };
    let outputs = query.outputs.iter();
    outputs
        .filter_map(|o| Some((o.label.clone(), unit(&o.value)?)))
        .collect()
}

fn aggregate_unit(aggregate: &Aggregate, columns: &[Column]) -> Option<String> {
    let is_boolean = |c: &usize| matches!(columns[*c].kind, ColumnKind::Boolean);
    let unit = |c: &usize| number_unit(&columns[*c]);
    let patients = || Some("patients".to_owned());
    match aggregate {
        Aggregate::CountAll | Aggregate::Count(_) => patients(),
        Aggregate::Sum(c) | Aggregate::SumOfSquares(c) if is_boolean(c) => patients(),
        Aggregate::Avg(c) if is_boolean(c) => Some("share of patients".to_owned()),
        Aggregate::Sum(c)
        | Aggregate::Avg(c)
        | Aggregate::StddevSamp(c)
        | Aggregate::StddevPop(c)
        | Aggregate::PercentileDisc { column: c, .. } => unit(c),
        Aggregate::SumOfSquares(c) | Aggregate::VarSamp(c) | Aggregate::VarPop(c) => {
            unit(c).map(|u| format!("({u})²"))
        }
        Aggregate::Pair { function, y, x } => match function {
            PairFunction::Count => patients(),
            PairFunction::AvgX => unit(x),
            PairFunction::AvgY | PairFunction::Intercept => unit(y),
            PairFunction::Slope => Some(format!("{} / {}", unit(y)?, unit(x)?)),
            _ => None,
        },
    }
}

/// A number column's unit as people write it, which may come from anyone.
pub fn number_unit(column: &Column) -> Option<String> {
    unit(column).map(show::plain_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "id"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "age"
type = "number"
min = 0
max = 110
unit = "a"

[[column]]
name = "sbp"
type = "number"
min = 0
max = 300
unit = "mm[Hg]"

[[column]]
name = "ill"
type = "boolean"
"#;

    #[test]
    fn outputs_have_the_units_of_their_columns() {
        let registry = Registry::from_toml(REGISTRY).unwrap();
        let sql = "SELECT width_bucket(age, 20, 80, 6) AS band, count(*) AS n, avg(sbp) AS m, var_samp(sbp) AS v, \
                   avg(ill) AS share, sum(ill) AS cases, regr_slope(sbp, age) AS b FROM t GROUP BY band";
        let question = Question::new(&registry, "DUO:0000042", sql, None).unwrap();
        let caption = Caption::of(&question, &registry);
        assert_eq!(caption.title, None);
        let units = ["band", "n", "m", "v", "share", "cases", "b", "x"].map(|l| caption.unit(l));
        assert_eq!(
            units,
            [
                Some("years"),
                Some("patients"),
                Some("mmHg"),
                Some("(mmHg)²"),
                Some("share of patients"),
                Some("patients"),
                Some("mmHg / years"),
                None
            ]
        );
        assert_eq!(caption.with_unit("band", "band"), "band (years)");
        assert_eq!(caption.with_unit("patients", "n"), "patients");
    }
}
