//! From SQL text to a cohort query.

use sqlparser::ast::Select;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::registry::Registry;

use super::clauses::Text;
use super::filters::{Filters, MAX_COMPARISONS};
use super::scope::Scope;
use super::syntax::{syntax, tokenizing};
use super::{
    CohortQuery, MAX_BYTES, MAX_OUTPUTS, MAX_TOKENS, OutputValue, Predicate, QueryError, aggregate,
    attrition,
};

/// The deepest nesting that the SQL reader follows, in its own count.
const MAX_RECURSION: usize = 100;
/// Bytes of stack for the reader: enough for that nesting in a debug build, whose frames are
/// large, and for the deepest tree of `MAX_TOKENS`.
const STACK: usize = 32 << 20;

/// Reads a cohort query (`docs/spec/query-language.md`) and resolves its names and constants.
///
/// The same text and registry always give the same result.
///
/// # Errors
/// When the text is not SQL, uses what the query language leaves out, does not fit the registry,
/// or exceeds a limit. The error says where and what works instead.
pub fn parse_query(sql: &str, registry: &Registry) -> Result<CohortQuery, QueryError> {
    if sql.len() > MAX_BYTES {
        return Err(QueryError::TooLarge {
            what: "bytes of query text",
            found: sql.len(),
            limit: MAX_BYTES,
            help: "use ranges with BETWEEN instead of long lists",
        });
    }
    stacker::maybe_grow(STACK, STACK, || read(sql, registry))
}

/// Runs with enough stack, so that the limits do not depend on the caller's.
fn read(sql: &str, registry: &Registry) -> Result<CohortQuery, QueryError> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|e| tokenizing(&e))?;
    check_size(&tokens)?;
    check_calls(&tokens)?;
    let (tokens, explained) = attrition::without_prefix(tokens)?;
    let statements = Parser::new(&dialect)
        .with_recursion_limit(MAX_RECURSION)
        .with_tokens_with_locations(tokens.clone())
        .parse_statements()
        .map_err(|e| syntax(&e, &tokens))?;
    let text = Text { tokens: &tokens };
    let select = text.only_select(&statements)?;
    let query = resolve(&text, select, registry)?;
    if explained {
        return attrition::explain(&text, select, query, registry);
    }
    Ok(query)
}

/// Chains of operators become trees as deep as the chain: few enough for any stack.
fn check_size(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    let light = |t: &Token| {
        matches!(
            t,
            Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_)
        )
    };
    let found = tokens.iter().filter(|t| !light(&t.token)).count();
    if found <= MAX_TOKENS {
        return Ok(());
    }
    Err(QueryError::TooLarge {
        what: "words and operators",
        found,
        limit: MAX_TOKENS,
        help: "use IN lists and BETWEEN instead of long chains",
    })
}

/// Calls within calls, at most: `sum(CASE … END)` is one, `width_bucket(age, ARRAY[…])` too.
const MAX_CALLS: usize = 6;

/// The parser tries a call in more than one way, each try reading what is in it: the work doubles with every
/// call within a call. Words after which a parenthesis is no call nest as deep as they like.
fn check_calls(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    const NO_CALLS: [Keyword; 6] = [
        Keyword::AND,
        Keyword::OR,
        Keyword::NOT,
        Keyword::IN,
        Keyword::WHERE,
        Keyword::BETWEEN,
    ];
    let mut open = Vec::new();
    let mut calls = 0;
    let mut before: Option<&Token> = None;
    for token in tokens.iter().map(|t| &t.token) {
        match token {
            Token::Whitespace(_) => continue,
            Token::LParen => {
                let called =
                    matches!(before, Some(Token::Word(w)) if !NO_CALLS.contains(&w.keyword));
                calls += usize::from(called);
                open.push(called);
            }
            Token::RParen => calls -= usize::from(open.pop().unwrap_or_default()),
            _ => {}
        }
        if calls > MAX_CALLS {
            return Err(QueryError::TooDeep);
        }
        before = Some(token);
    }
    Ok(())
}

fn resolve(
    text: &Text<'_>,
    select: &Select,
    registry: &Registry,
) -> Result<CohortQuery, QueryError> {
    let scope = Scope::new(
        registry,
        text.table(&select.from, registry)?,
        &select.projection,
    );
    let group_by = text.group_by(&scope, select)?;
    if select.projection.len() > MAX_OUTPUTS {
        return Err(QueryError::TooLarge {
            what: "outputs",
            found: select.projection.len(),
            limit: MAX_OUTPUTS,
            help: "ask several queries",
        });
    }
    let outputs = select
        .projection
        .iter()
        .map(|item| aggregate::output(&scope, item, &group_by))
        .collect::<Result<Vec<_>, _>>()?;
    if !outputs
        .iter()
        .any(|o| matches!(o.value, OutputValue::Aggregate(_)))
    {
        return Err(QueryError::Grouping {
            at: text.keyword(Keyword::SELECT),
            message: "the query asks for no aggregate".to_owned(),
            help: "add one, e.g. count(*)".to_owned(),
        });
    }
    let filter = match &select.selection {
        None => Predicate::Always,
        Some(condition) => scope.bounded_condition(condition)?,
    };
    let filters = Filters::compared(&outputs).ok_or(QueryError::TooLarge {
        what: "parts of filters to compare with one another",
        found: MAX_COMPARISONS,
        limit: MAX_COMPARISONS - 1,
        help: "ask for some of them in another query, or write shorter ones",
    })?;
    let query = CohortQuery {
        filters,
        outputs,
        filter,
        group_by,
        criteria: Vec::new(),
    };
    query.check_percentiles(text.keyword(Keyword::SELECT))?;
    Ok(query)
}
