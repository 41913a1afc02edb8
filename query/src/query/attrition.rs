//! `EXPLAIN COHORT SELECT count(*) FROM … WHERE …`: how many patients are left after each criterion.

use sqlparser::ast::{BinaryOperator, Expr, Select};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::registry::Registry;

use super::clauses::Text;
use super::error::{mismatch, unsupported};
use super::filters::Filters;
use super::refuse::{from_span, stripped};
use super::scope::Scope;
use super::{Aggregate, CohortQuery, MAX_CRITERIA, Output, OutputValue, Predicate, QueryError};

/// The longest text of a criterion, characters; longer ones are cut.
const MAX_CRITERION: usize = 160;

/// The tokens without the words EXPLAIN COHORT before them, and whether they stood there.
pub(super) fn without_prefix(
    tokens: Vec<TokenWithSpan>,
) -> Result<(Vec<TokenWithSpan>, bool), QueryError> {
    let is = |t: &TokenWithSpan, word: &str| matches!(&t.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word));
    let mut words = tokens
        .iter()
        .enumerate()
        .filter(|(_, t)| !matches!(t.token, Token::Whitespace(_)));
    match words.next() {
        Some((_, t)) if is(t, "explain") => match words.next() {
            Some((second, t)) if is(t, "cohort") => Ok((tokens[second + 1..].to_vec(), true)),
            _ => {
                let help = "write EXPLAIN COHORT SELECT count(*) FROM … WHERE … for the number of \
                            patients after each criterion";
                Err(unsupported(from_span(t.span), "EXPLAIN alone", help))
            }
        },
        _ => Ok((tokens, false)),
    }
}

/// One count for the whole cohort and one after each criterion of WHERE.
pub(super) fn explain(
    text: &Text<'_>,
    select: &Select,
    query: CohortQuery,
    registry: &Registry,
) -> Result<CohortQuery, QueryError> {
    let plain = match query.outputs.as_slice() {
        [o] => {
            o.value == OutputValue::Aggregate(Aggregate::CountAll) && o.filter == Predicate::Always
        }
        _ => false,
    };
    if !plain || !query.group_by.is_empty() {
        let help = "write EXPLAIN COHORT SELECT count(*) FROM … WHERE …";
        let at = text.keyword(Keyword::SELECT);
        return Err(unsupported(
            at,
            "EXPLAIN COHORT of anything but count(*)",
            help,
        ));
    }
    let Some(condition) = &select.selection else {
        let help = "write the inclusion criteria into WHERE, with AND between them";
        let at = text.keyword(Keyword::SELECT);
        return Err(mismatch(at, "EXPLAIN COHORT without criteria", help));
    };
    let criteria = conjuncts(condition);
    if criteria.len() > MAX_CRITERIA {
        return Err(QueryError::TooLarge {
            what: "criteria",
            found: criteria.len(),
            limit: MAX_CRITERIA,
            help: "put those that belong together into parentheses",
        });
    }
    let scope = Scope::new(
        registry,
        text.table(&select.from, registry)?,
        &select.projection,
    );
    let mut so_far = Predicate::Always;
    let mut outputs = query.outputs;
    for criterion in &criteria {
        let own = scope.bounded_condition(criterion)?;
        so_far = scope.normal.all([so_far, own]);
        outputs.push(Output {
            label: outputs[0].label.clone(),
            value: OutputValue::Aggregate(Aggregate::CountAll),
            filter: so_far.clone(),
        });
    }
    Ok(CohortQuery {
        filters: Filters::nested(&outputs),
        outputs,
        filter: Predicate::Always,
        group_by: Vec::new(),
        criteria: criteria.iter().map(|c| written(c)).collect(),
    })
}

/// The members of a chain of ANDs, in order. One in parentheses is one criterion.
fn conjuncts(mut expr: &Expr) -> Vec<&Expr> {
    let mut members = Vec::new();
    while let Expr::BinaryOp {
        left,
        op: BinaryOperator::And,
        right,
    } = expr
    {
        members.push(&**right);
        expr = left;
    }
    members.push(expr);
    members.reverse();
    members
}

fn written(criterion: &Expr) -> String {
    let text = stripped(criterion).to_string();
    let mut cut: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_CRITERION)
        .collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
