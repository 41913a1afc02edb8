//! Random registries, queries and tables.

use galen_circuits::equation::{Cells, LIMB_BITS, Layout};
use galen_query::{
    query::parse_query,
    registry::{ColumnKind, Registry},
};
use galen_verifier::{
    VerifyError,
    plan::{Plan, PlanError, quantile_count},
    rules::{Published, ReleaseProfile, State, cells, check_profile, publish},
};
use proptest::prelude::*;

use crate::{
    compare,
    data::{Dice, Table, literal, registry},
    direct, evaluate, plan, plan_with,
};

fn random_registry(dice: &mut Dice) -> Registry {
    let mut text = String::new();
    for index in 0..3 + dice.below(4) {
        let kind = match dice.below(7) {
            0 => "type = \"boolean\"".to_owned(),
            1 => "type = \"category\"\ncodes = [\"a\", \"b\", \"c\"]".to_owned(),
            2 => "type = \"category\"\ncodes = [\"only\"]".to_owned(),
            3 => format!("type = \"number\"\nmin = -2\nmax = {}", dice.below(5)),
            4 => format!(
                "type = \"number\"\nmin = 5\nmax = {}",
                100 + dice.below(5000)
            ),
            5 => format!(
                "type = \"number\"\nmin = -7\nmax = {}",
                65_520 + dice.below(200_000)
            ),
            _ => "type = \"date\"\nmin = \"1999-05-01\"\nmax = \"2003-02-03\"".to_owned(),
        };
        let nullable = dice.once_in(2);
        text += &format!("[[column]]\nname = \"c{index}\"\n{kind}\nnullable = {nullable}\n");
    }
    registry(&text)
}

/// A registry with a table, and SQL over it.
struct Writer<'a> {
    registry: &'a Registry,
    dice: Dice,
}

impl Writer<'_> {
    fn column(&mut self, wanted: impl Fn(&ColumnKind) -> bool) -> Option<usize> {
        let all = 0..self.registry.columns.len();
        let fitting: Vec<usize> = all
            .filter(|c| wanted(&self.registry.columns[*c].kind))
            .collect();
        (!fitting.is_empty()).then(|| self.dice.pick(&fitting))
    }

    fn name(&self, column: usize) -> &str {
        &self.registry.columns[column].name
    }

    fn value(&mut self, column: usize) -> String {
        let span = self.registry.columns[column].span();
        let stored = match self.dice.below(4) {
            0 => 0,
            1 => span,
            2 => (65_536u64 * (1 + self.dice.below(3)))
                .saturating_sub(self.dice.below(2))
                .min(span),
            _ => self.dice.below(span + 1),
        };
        literal(self.registry, column, stored)
    }

    fn condition(&mut self, depth: u64) -> String {
        if depth > 0 && !self.dice.once_in(3) {
            let parts: Vec<String> = (0..2 + self.dice.below(2))
                .map(|_| self.condition(depth - 1))
                .collect();
            let word = if self.dice.once_in(2) {
                " AND "
            } else {
                " OR "
            };
            let negated = if self.dice.once_in(4) { "NOT " } else { "" };
            return format!("{negated}({})", parts.join(word));
        }
        let column = self.column(|_| true).unwrap();
        let name = self.name(column).to_owned();
        if self.dice.once_in(6) {
            let not = if self.dice.once_in(2) { "NOT " } else { "" };
            return format!("{name} IS {not}NULL");
        }
        let (a, b) = (self.value(column), self.value(column));
        match self.registry.columns[column].kind {
            ColumnKind::Boolean => self.dice.pick(&[name.clone(), format!("NOT {name}")]),
            ColumnKind::Category { .. } => self.dice.pick(&[
                format!("{name} = {a}"),
                format!("{name} <> {a}"),
                format!("{name} IN ({a}, {b})"),
            ]),
            _ => self.dice.pick(&[
                format!("{name} > {a}"),
                format!("{name} <= {a}"),
                format!("{name} BETWEEN {a} AND {b}"),
                format!("{name} NOT IN ({a}, {b})"),
                format!("NOT ({name} < {a} OR {name} = {b})"),
            ]),
        }
    }

    fn aggregate(&mut self) -> String {
        let is_number = |k: &ColumnKind| matches!(k, ColumnKind::Number { .. });
        let any = self.column(|_| true).unwrap();
        let (a, b) = (self.column(is_number), self.column(is_number));
        let name = |c: Option<usize>| c.map(|c| self.registry.columns[c].name.clone());
        let of = match (name(a), name(b), self.dice.below(9)) {
            (Some(a), _, 0) => format!("sum({a})"),
            (Some(a), _, 1) => format!("avg({a})"),
            (Some(a), _, 2) => format!("stddev({a})"),
            (Some(a), _, 3) => format!("sum({a} * {a})"),
            (Some(a), Some(b), 4) => format!("corr({a}, {b})"),
            (Some(a), Some(b), 5) => format!("regr_slope({a}, {b})"),
            (Some(a), _, 6) => format!(
                "percentile_disc({}) WITHIN GROUP (ORDER BY {a})",
                self.dice.pick(&["0.25", "0.5", "0.75"])
            ),
            (_, _, 7) => format!("count({})", self.name(any)),
            _ => "count(*)".into(),
        };
        match self.dice.once_in(3) {
            true => format!("{of} FILTER (WHERE {})", self.condition(1)),
            false => of,
        }
    }

    fn group(&mut self) -> String {
        let column = self.column(|_| true).unwrap();
        let name = self.name(column).to_owned();
        match self.registry.columns[column].kind {
            ColumnKind::Number { .. } => {
                let n = 1 + self.dice.below(6);
                format!(
                    "width_bucket({name}, 3, {}, {n})",
                    4 + self.dice.below(70_000)
                )
            }
            ColumnKind::Date { .. } => format!("extract(year FROM {name})"),
            _ => name,
        }
    }

    fn query(&mut self) -> String {
        let mut outputs: Vec<String> = (0..1 + self.dice.below(4))
            .map(|_| self.aggregate())
            .collect();
        let mut groups: Vec<String> = (0..self.dice.below(3)).map(|_| self.group()).collect();
        groups.dedup();
        outputs.extend(groups.iter().cloned());
        let mut sql = format!("SELECT {} FROM t", outputs.join(", "));
        if !self.dice.once_in(4) {
            let depth = self.dice.below(3);
            sql += &format!(" WHERE {}", self.condition(depth));
        }
        if !groups.is_empty() {
            sql += &format!(" GROUP BY {}", groups.join(", "));
        }
        sql
    }
}

/// What is proven of hidden cells holds, and what is published is so.
fn released(plan: &Plan, profile: &ReleaseProfile, totals: &[i128]) {
    let (published, cells) = match publish(plan, profile, totals) {
        Ok(both) => both,
        // The counts would tell too much together.
        Err(VerifyError::Told { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    holds(&cells, totals);
    assert!(Layout::new(&plan.equation, &cells).is_ok());
    for (group, states) in published.iter().enumerate() {
        for (field, state) in plan.statistics.keys().zip(states) {
            let cell = plan.cell(group, *field).unwrap();
            if let (State::Shown(n), 1) = (state, profile.rounding) {
                assert_eq!((totals[cell], cells.published[cell]), (*n, Some(*n)));
            }
        }
    }
    for (cell, place) in plan.places().iter().enumerate() {
        let is_hidden = place.is_none_or(|(_, field)| field.is_rank());
        assert!(!is_hidden || cells.published[cell].is_none());
    }
}

pub fn holds(cells: &Cells, totals: &[i128]) {
    for (value, total) in cells.published.iter().zip(totals) {
        assert!(value.is_none_or(|v| v == *total));
    }
    let hidden = cells.hidden();
    for inequality in &cells.inequalities {
        let terms = inequality.terms.iter();
        let sum: i128 = terms
            .map(|(at, c)| i128::from(*c) * totals[hidden[*at]])
            .sum();
        let value = sum - i128::from(inequality.bound);
        let range = 0..1 << (LIMB_BITS as usize * inequality.limbs);
        assert!(range.contains(&value), "{inequality:?}: {value}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn plans_mean_their_queries(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let registry = random_registry(&mut dice);
        let table = Table::random(&registry, 1 + dice.below(60) as usize, &mut dice);
        let mut writer = Writer { registry: &registry, dice };
        let sql = writer.query();
        // Some are no queries: groups that are one, an aggregate that has no such column.
        let Ok(query) = parse_query(&sql, &registry) else { return Ok(()) };
        let plan = match plan(&query, &registry, &table) {
            Ok(plan) => plan,
            Err(PlanError::TooLarge { .. }) => return Ok(()),
            Err(error) => panic!("{sql}: {error}"),
        };
        compare(&sql, &query, &plan, &registry, &table);
        let totals = evaluate::cells(&plan.equation, &table.bases(&registry));
        // With k = 1 every percentile of some value is released, which is what the plan was made for.
        let profile = ReleaseProfile::exact("all", 1, false);
        released(&plan, &profile, &totals);
    }

    #[test]
    fn hidden_numbers_are_proven_hidden(seed in any::<u64>(), k in 2u64..8, complementary in any::<bool>(), rounding in prop_oneof![Just(1u64), Just(5)]) {
        let mut dice = Dice(seed);
        let registry = random_registry(&mut dice);
        let table = Table::random(&registry, 1 + dice.below(300) as usize, &mut dice);
        let mut writer = Writer { registry: &registry, dice };
        let sql = writer.query();
        let Ok(query) = parse_query(&sql, &registry) else { return Ok(()) };
        let profile = ReleaseProfile { rounding, ..ReleaseProfile::exact("test", k, complementary) };
        if profile.problem().is_some() {
            return Ok(());
        }
        let none = vec![None; quantile_count(&query, &registry)];
        let Ok(first) = plan_with(&query, &registry, table.len(), &none) else { return Ok(()) };
        if check_profile(&first, &profile).is_err() {
            return Ok(());
        }
        let totals = evaluate::cells(&first.equation, &table.bases(&registry));
        let quantiles = direct::released(&query, &registry, &table, &profile, (&first, &totals));
        let Ok(plan) = plan_with(&query, &registry, table.len(), &quantiles) else { return Ok(()) };
        let totals = evaluate::cells(&plan.equation, &table.bases(&registry));
        released(&plan, &profile, &totals);
        if let Ok((published, _)) = publish(&plan, &profile, &totals) {
            changed(&plan, &profile, &published, &mut writer.dice);
        }
    }
}

/// Whatever a hospital publishes, it is refused with a reason, or has something to be proven.
fn changed(plan: &Plan, profile: &ReleaseProfile, published: &Published, dice: &mut Dice) {
    if plan.statistics.is_empty() {
        return;
    }
    for _ in 0..20 {
        let mut other = published.clone();
        for _ in 0..1 + dice.below(4) {
            let group = dice.below(other.len() as u64) as usize;
            let cell = dice.below(other[group].len() as u64) as usize;
            let number = u32::try_from(dice.pick(&[0, 1, 2, 7, 40, 1 << 20, u64::from(u32::MAX)]));
            let number = number.unwrap();
            other[group][cell] = match dice.below(8) {
                0 => State::Small,
                1 => State::Difference,
                2 => State::Margin(number),
                3 => State::Tied(dice.below(60) as u32),
                4 => State::Tied(number),
                5 => State::Whole(number % 3),
                6 => State::Guarded,
                _ => State::Shown(i128::from(number) - 3),
            };
        }
        if let Ok(cells) = cells(plan, profile, &other) {
            // Statements that take more room than there is are refused here.
            let _ = Layout::new(&plan.equation, &cells);
        }
    }
}
