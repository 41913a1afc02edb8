//! Between published states and cells.

use galen_circuits::equation::{Cells, Rows};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{
    VerifyError,
    answer::{Cell, Source, build},
    plan::{Plan, PlanError},
    rules::{ReleaseProfile, State, cells, publish},
};

use crate::{
    data::{Dice, Table, study},
    evaluate, plan,
    random::holds,
};

struct Case {
    registry: Registry,
    question: Question,
    plan: Plan,
    totals: Vec<i128>,
}

fn case(sql: &str, patients: usize) -> Case {
    let registry = study();
    let question = Question::new(&registry, "DUO:0000042", sql, None).unwrap();
    let resolved = question.resolve(&registry).unwrap();
    let table = Table::random(&registry, patients, &mut Dice(3));
    let plan = plan(&resolved.query, &registry, &table).unwrap();
    let totals = evaluate::cells(&plan.equation, &table.bases(&registry));
    Case {
        registry,
        question,
        plan,
        totals,
    }
}

fn opensafely() -> ReleaseProfile {
    ReleaseProfile::named("opensafely").unwrap()
}

#[test]
fn a_changed_state_changes_what_is_proven_or_is_refused() {
    let sql = "SELECT code_n, flag_n, count(*), count(age_n), avg(lab_n) FROM t GROUP BY 1, 2";
    let Case { plan, totals, .. } = case(sql, 300);
    let profile = ReleaseProfile::exact("test", 20, true);
    let (published, honest) = publish(&plan, &profile, &totals).unwrap();
    holds(&honest, &totals);
    let mut refused = 0;
    for group in 0..published.len() {
        for statistic in 0..published[group].len() {
            let mut others = vec![
                State::Small,
                State::Guarded,
                State::Difference,
                State::Margin(0),
            ];
            if let State::Shown(n) = published[group][statistic] {
                others.extend([n + 1, n - 1, -1].map(State::Shown));
            }
            for other in others {
                let mut changed = published.clone();
                changed[group][statistic] = other;
                if changed == published {
                    continue;
                }
                match cells(&plan, &profile, &changed) {
                    Err(_) => refused += 1,
                    Ok(other) => assert!(!is_true(&other, &totals), "{other:?}"),
                }
            }
        }
    }
    assert!(refused > 0);
}

fn is_true(cells: &Cells, totals: &[i128]) -> bool {
    let published = cells.published.iter().zip(totals);
    let hidden = cells.hidden();
    let value = |i: &galen_circuits::equation::Inequality| {
        let terms = i.terms.iter();
        let sum: i128 = terms
            .map(|(at, c)| i128::from(*c) * totals[hidden[*at]])
            .sum();
        sum - i128::from(i.bound)
    };
    published
        .into_iter()
        .all(|(v, t)| v.is_none_or(|v| v == *t))
        && cells.inequalities.iter().all(|i| value(i) >= 0)
}

#[test]
fn percentiles_are_placed() {
    let sql = "SELECT code, count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY lab_n) FROM t GROUP BY 1";
    let Case { plan, totals, .. } = case(sql, 300);
    let profile = ReleaseProfile::exact("test", 2, false);
    let (published, honest) = publish(&plan, &profile, &totals).unwrap();
    holds(&honest, &totals);
    // Bounds of m, and two comparisons, for each of four groups.
    assert_eq!(honest.inequalities.len(), 3 * 4);
    // Another value of the column is no median.
    for change in [-1i64, 1] {
        let mut quantiles = plan.quantiles.clone();
        quantiles[2] = quantiles[2].map(|q| q.checked_add_signed(change).unwrap());
        let registry = study();
        let query = Question::new(&registry, "DUO:0000042", sql, None).unwrap();
        let resolved = query.resolve(&registry).unwrap();
        let rows = Rows::of(300).unwrap();
        let other = Plan::new(&resolved.query, 0, &registry, rows, &quantiles).unwrap();
        let table = Table::random(&registry, 300, &mut Dice(3));
        let totals = evaluate::cells(&other.equation, &table.bases(&registry));
        let proven = cells(&other, &profile, &published).unwrap();
        assert!(!is_true(&proven, &totals));
    }
    // Too few values.
    let strict = ReleaseProfile::exact("test", 40, false);
    let error = cells(&plan, &strict, &published).unwrap_err();
    assert!(!matches!(error, VerifyError::Malformed(_)), "{error}");
}

#[test]
fn rounded_counts_are_between_bounds() {
    let Case { plan, totals, .. } = case("SELECT code, count(*) FROM t GROUP BY 1", 200);
    let (published, cells) = publish(&plan, &opensafely(), &totals).unwrap();
    assert!(
        published
            .iter()
            .flatten()
            .all(|s| s.shown().is_some_and(|n| n % 5 == 0))
    );
    assert!(cells.published.iter().all(Option::is_none));
    assert_eq!(cells.inequalities.len(), 8);
    holds(&cells, &totals);
    let Case { plan, totals, .. } = case("SELECT avg(age) FROM t", 200);
    let error = publish(&plan, &opensafely(), &totals).unwrap_err();
    assert!(matches!(
        error,
        VerifyError::Plan(PlanError::Rounded { base: 5 })
    ));
}

/// Limbs are as many as a true value may need: a statement about a small count has one, one about what is left of all
/// patients as many as their number.
#[test]
fn limbs_are_derived_from_what_is_public() {
    let Case { plan, totals, .. } = case("SELECT code, flag, count(*) FROM t GROUP BY 1, 2", 300);
    let limbs = |profile: &ReleaseProfile| {
        let (_, cells) = publish(&plan, profile, &totals).unwrap();
        holds(&cells, &totals);
        let limbs: Vec<usize> = cells.inequalities.iter().map(|i| i.limbs).collect();
        limbs
    };
    let one = limbs(&ReleaseProfile::exact("test", 60, false));
    assert!(!one.is_empty() && one.iter().all(|l| *l == 1), "{one:?}");
    assert!(limbs(&opensafely()).iter().all(|l| *l == 1));
    // Some cells are hidden for the sake of a line, and are between k and what is left of 300.
    let lines = limbs(&ReleaseProfile::exact("test", 25, true));
    assert!(lines.contains(&1), "{lines:?}");
    let most = Rows::of(300).unwrap().all();
    assert!(lines.iter().sum::<usize>() <= most);
}

#[test]
fn bundles_of_another_shape_are_refused() {
    let Case { plan, totals, .. } =
        case("SELECT code, count(*), sum(age_n) FROM t GROUP BY 1", 200);
    let profile = ReleaseProfile::default();
    let (published, _) = publish(&plan, &profile, &totals).unwrap();
    let refused = |published: &[Vec<State>]| cells(&plan, &profile, published).is_err();
    assert!(!refused(&published));
    assert!(refused(&published[1..]));
    let mut longer = published.clone();
    longer[0].push(State::Guarded);
    assert!(refused(&longer));
    // A sum that no table of this size has, or a negative one.
    for sum in [-1, 200 * 93 + 1] {
        let mut other = published.clone();
        *other[0].last_mut().unwrap() = State::Shown(sum);
        assert!(refused(&other));
    }
}

#[test]
fn an_answer_has_offsets_undone() {
    let sql =
        "SELECT count(*), sum(age), avg(age), sum(wide_n), sum(lab * lab), count(wide_n) FROM t";
    let Case {
        registry,
        question,
        plan,
        totals,
    } = case(sql, 250);
    let profile = ReleaseProfile::exact("test", 5, true);
    let (published, _) = publish(&plan, &profile, &totals).unwrap();
    let source = Source {
        query: question.digest(),
        hospital: "H".into(),
        hospital_key: [1; 32],
        dataset: "d".into(),
        epoch: 1,
        manifest: [2; 32],
        parameter_set: [3; 32],
        rows: 250,
        profile,
    };
    let resolved = question.resolve(&registry).unwrap();
    let answer = build(&plan, &resolved, &registry, source, &published, true);
    let table = Table::random(&registry, 250, &mut Dice(3));
    let cohort: Vec<_> = table.cohort(&resolved.query).collect();
    let values = |name: &str, min: i64| -> Vec<i64> {
        let column = registry.column_index(name).unwrap();
        cohort
            .iter()
            .filter_map(|r| Some(r[column]? as i64 + min))
            .collect()
    };
    let (ages, wides) = (values("age", -3), values("wide_n", -10));
    let squares: i64 = values("lab", 20).iter().map(|v| v * v).sum();
    let sum: i64 = ages.iter().sum();
    assert_eq!(
        answer.rows,
        [[
            Cell::Integer(cohort.len().into()),
            Cell::Integer(sum.into()),
            Cell::Real(sum as f64 / cohort.len() as f64),
            Cell::Integer(wides.iter().sum::<i64>().into()),
            Cell::Decimal(format!("{}.{:02}", squares / 100, squares % 100)),
            Cell::Integer(wides.len().into()),
        ]]
    );
}
