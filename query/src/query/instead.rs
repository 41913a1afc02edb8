//! What to write instead of a group, or an output, of something computed: buckets, years, FILTER.

use sqlparser::ast::Expr;

use crate::registry::{Column, ColumnKind};

use super::QueryError;
use super::error::unsupported;
use super::names::{is_known, is_of_dates, is_of_texts};
use super::refuse::{inner, name_text, position, stripped};
use super::rewrite::{
    Cases, Filter, MAX_CASES, column_within, is_condition, is_default, kind_of, written,
};
use super::scope::Scope;
use super::suggest::short;

/// The refusal of a group that is none.
pub(super) fn refuse_group(scope: &Scope<'_>, expr: &Expr) -> QueryError {
    let at = position(expr);
    if let Some(help) = instead_of_group(scope, expr) {
        return unsupported(at, format!("GROUP BY {}", kind_of(expr)), help);
    }
    let help = "write GROUP BY and the columns' names, width_bucket(column, low, high, count), or \
                extract(year FROM column)";
    unsupported(at, format!("GROUP BY {}", kind_of(expr)), help)
}

/// What to group by, or to ask for, instead of a computed value; `None` where there is nothing to say.
pub(super) fn instead_of_group(scope: &Scope<'_>, expr: &Expr) -> Option<String> {
    let column = column_within(scope, expr);
    if let Some(cases) = Cases::of(expr) {
        let conditions = cases.whens.iter().take(MAX_CASES);
        let each: Vec<String> = conditions
            .map(|(c, _)| format!("count(*) FILTER (WHERE {c})"))
            .collect();
        return Some(format!(
            "ask for an output of each case: {}{}",
            each.join(", "),
            buckets(column, ", or group by ", "")
        ));
    }
    if is_condition(expr) {
        let condition = written(expr.to_string());
        return Some(format!(
            "ask for count(*) FILTER (WHERE {condition}) beside count(*)"
        ));
    }
    let function = match stripped(expr) {
        Expr::Function(f) => name_text(&f.name),
        _ => String::new(),
    };
    if is_default(&function) {
        let name = &column?.name;
        return Some(format!("write GROUP BY {name}: NULL is a group of its own"));
    }
    match &column?.kind {
        ColumnKind::Date { .. } => {
            let name = &column?.name;
            Some(format!(
                "dates are grouped by year: write extract(year FROM {name}); count other periods \
                 each by itself: count(*) FILTER (WHERE {name} BETWEEN DATE 'YYYY-MM-DD' AND DATE \
                 'YYYY-MM-DD')"
            ))
        }
        ColumnKind::Number { .. } => Some(buckets(column, "write GROUP BY ", ", in equal widths")),
        ColumnKind::Category { .. } => {
            let name = &column?.name;
            Some(format!(
                "write GROUP BY {name} and add groups up in the answer, or count(*) FILTER (WHERE \
                 {name} IN (…)) for each set of codes"
            ))
        }
        ColumnKind::Boolean => Some(format!("write GROUP BY {}", column?.name)),
    }
}

fn buckets(column: Option<&Column>, before: &str, behind: &str) -> String {
    match column {
        Some(c) if matches!(c.kind, ColumnKind::Number { .. }) => {
            format!("{before}width_bucket({}, low, high, count){behind}", c.name)
        }
        _ => String::new(),
    }
}

/// The refusal of an item of the SELECT list that is no aggregate and no group; `None` where another message is better.
pub(super) fn refuse_output(scope: &Scope<'_>, expr: &Expr) -> Option<QueryError> {
    let at = position(expr);
    let computed = |at| {
        let help = "ask for the aggregates alone and compute with the released answer";
        unsupported(at, "computing with outputs", help)
    };
    match stripped(expr) {
        Expr::Function(f) => {
            let name = name_text(&f.name);
            if is_known(&name) {
                return None;
            }
            if f.over.is_some() {
                let help = "leave OVER out; GROUP BY gives one value per group";
                return Some(unsupported(at, "a window function", help));
            }
            if has_aggregate(expr) {
                return Some(computed(at));
            }
            let of_conditions = ["count_if", "countif", "bool_or", "bool_and", "every"];
            if of_conditions.contains(&name.as_str()) {
                let [condition] = inner(expr)[..] else {
                    return None;
                };
                let count =
                    Filter(f.filter.as_deref()).of("count(*)", &written(condition.to_string()));
                return Some(unsupported(
                    at,
                    format!("{name}()"),
                    format!("write {count}"),
                ));
            }
            let computes = is_of_dates(&name) || is_of_texts(&name) || is_default(&name);
            let help = instead_of_group(scope, expr).filter(|_| computes || name == "if");
            help.map(|help| unsupported(at, format!("{}() in the SELECT list", short(&name)), help))
        }
        e if is_condition(e) && !has_aggregate(expr) => {
            let condition = written(expr.to_string());
            let help = format!("write count(*) FILTER (WHERE {condition})");
            Some(unsupported(at, "a condition in the SELECT list", help))
        }
        Expr::Case { .. } => {
            let help = instead_of_group(scope, expr)?;
            Some(unsupported(at, "CASE in the SELECT list", help))
        }
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => Some(unsupported(
            at,
            "a subquery",
            "ask for it as an aggregate with FILTER (WHERE …), or in a query of its own",
        )),
        _ if has_aggregate(expr) => Some(computed(at)),
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Cast { .. } => {
            let named = column_within(scope, expr).map_or("column", |c| c.name.as_str());
            let help = format!("ask for an aggregate of the bare column, e.g. count({named})");
            Some(unsupported(at, "computing with rows", help))
        }
        _ => None,
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    let is = |e: &Expr| matches!(stripped(e), Expr::Function(f) if is_known(&name_text(&f.name)));
    is(expr) || inner(expr).into_iter().any(has_aggregate)
}
