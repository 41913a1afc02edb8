//! What is said of a text that is not SQL: where reading stopped, and what is often meant there.

use sqlparser::keywords::Keyword;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, TokenizerError};

use super::error::unsupported;
use super::refuse::{from_location, from_span};
use super::{Position, QueryError};

/// The error for a text that has no tokens.
pub(super) fn tokenizing(error: &TokenizerError) -> QueryError {
    let message = if error.message.contains("nterminated string") {
        format!(
            "{}; close it with ', and double a ' that is part of it",
            error.message
        )
    } else if error.message.contains("nterminated encoded string") {
        format!("{}; close it with '", error.message)
    } else {
        error.message.clone()
    };
    QueryError::Syntax {
        at: from_location(error.location),
        message,
    }
}

/// The error for tokens that are no statement.
pub(super) fn syntax(error: &ParserError, tokens: &[TokenWithSpan]) -> QueryError {
    let message = match error {
        ParserError::RecursionLimitExceeded => return QueryError::TooDeep,
        ParserError::TokenizerError(m) | ParserError::ParserError(m) => m,
    };
    let (message, at) = match message.rsplit_once(" at Line: ") {
        Some((head, tail)) => (head, location(tail)),
        None => (message.as_str(), None),
    };
    let end = || {
        tokens
            .last()
            .map_or_else(Position::start, |t| from_location(t.span.end))
    };
    let at = at.unwrap_or_else(end);
    let tokens: Vec<&TokenWithSpan> = tokens
        .iter()
        .filter(|t| !matches!(t.token, Token::Whitespace(_)))
        .collect();
    let stopped = tokens.iter().position(|t| from_span(t.span) == at);
    let stopped = stopped.unwrap_or(tokens.len());
    if let Some(error) = symmetric(&tokens, stopped) {
        return error;
    }
    let mut message = message.trim_start_matches("sql parser error: ").to_owned();
    if let Some(cut) = message.find("[NOT] NULL | TRUE") {
        let found = message.rfind(", found: ").unwrap_or(message.len());
        message.replace_range(cut..found, "[NOT] NULL, TRUE, FALSE or UNKNOWN after IS");
    }
    if let Some(help) = help(&tokens, stopped) {
        message += "; ";
        message += help;
    }
    QueryError::Syntax { at, message }
}

fn location(text: &str) -> Option<Position> {
    let (line, column) = text.split_once(", Column: ")?;
    let (line, column) = (line.parse().ok()?, column.trim().parse().ok()?);
    Some(from_location(Location { line, column }))
}

fn word(token: &Token) -> &str {
    match token {
        Token::Word(w) => &w.value,
        _ => "",
    }
}

fn is_keyword(token: Option<&Token>, keyword: Keyword) -> bool {
    matches!(token, Some(Token::Word(w)) if w.keyword == keyword)
}

/// BETWEEN SYMMETRIC is PostgreSQL's; the reader takes its second word for a column.
fn symmetric(tokens: &[&TokenWithSpan], stopped: usize) -> Option<QueryError> {
    let before = stopped.checked_sub(1)?;
    if !is_keyword(
        before.checked_sub(1).map(|i| &tokens[i].token),
        Keyword::BETWEEN,
    ) {
        return None;
    }
    let at = from_span(tokens[before].span);
    match word(&tokens[before].token).to_ascii_uppercase().as_str() {
        "SYMMETRIC" => Some(unsupported(
            at,
            "BETWEEN SYMMETRIC",
            "leave SYMMETRIC out and write the smaller bound first",
        )),
        "ASYMMETRIC" => {
            let help = "leave ASYMMETRIC out: BETWEEN alone means it";
            Some(unsupported(at, "BETWEEN ASYMMETRIC", help))
        }
        _ => None,
    }
}

/// What is often meant where reading stopped.
fn help(tokens: &[&TokenWithSpan], stopped: usize) -> Option<&'static str> {
    let token = |i: Option<usize>| i.and_then(|i| tokens.get(i)).map(|t| &t.token);
    let found = token(Some(stopped));
    let before = token(stopped.checked_sub(1));
    let text = found.map(Token::to_string).unwrap_or_default();
    let help = match (before, found) {
        (Some(b), _)
            if is_keyword(Some(b), Keyword::FROM)
                && token(stopped.checked_sub(2)) == Some(&Token::Comma) =>
        {
            "leave the last comma out"
        }
        (_, None) => "the text ends before it is complete",
        (_, Some(Token::RArrow)) => "write >=",
        (Some(Token::Eq), Some(Token::Lt)) => "write <=",
        (Some(Token::Eq), Some(Token::Gt)) => "write >=",
        (Some(Token::Eq | Token::DoubleEq), Some(Token::Eq | Token::DoubleEq)) => {
            "write one =, with a value behind it"
        }
        (Some(b), Some(Token::Eq)) if is_keyword(Some(b), Keyword::OR) => {
            "repeat the column: a = 1 OR a = 2, or a IN (1, 2)"
        }
        (_, Some(Token::Char('`'))) => "write names bare, or in \"double quotes\"",
        (_, Some(Token::ExclamationMark)) => "write NOT",
        (_, Some(Token::Placeholder(_) | Token::Question | Token::LBrace)) => {
            "write the value itself: the query's text is what is proven"
        }
        (Some(b), Some(_)) if is_keyword(Some(b), Keyword::IN) => {
            "write the values in parentheses: IN (1, 2)"
        }
        (Some(b), Some(Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_)))
            if is_keyword(Some(b), Keyword::IS) =>
        {
            "compare values with ="
        }
        (Some(Token::LParen), Some(Token::RParen)) => "something has to stand in the parentheses",
        (Some(Token::Comma), Some(_)) => "leave the last comma out, or write what follows it",
        (Some(Token::Number(..)), Some(Token::Comma)) => {
            "write decimals with a point; a list of values stands behind IN"
        }
        (Some(Token::SingleQuotedString(_)), Some(Token::SingleQuotedString(_))) => {
            "write a comma between values"
        }
        (Some(Token::Number(..)), Some(Token::SemiColon)) => "write commas between values",
        (Some(Token::Word(_)), Some(Token::Minus)) => {
            "a name with - in it stands in \"double quotes\""
        }
        (_, Some(f)) if is_keyword(Some(f), Keyword::FROM) => {
            "the order is SELECT … FROM … WHERE … GROUP BY …"
        }
        (_, Some(Token::RParen)) => "there are more ) than (",
        (None, Some(_)) => "a query begins with SELECT",
        _ => match text.to_ascii_uppercase().as_str() {
            "ISNULL" => "write IS NULL",
            "NOTNULL" => "write IS NOT NULL",
            t if t.starts_with('≥') => "write >=",
            t if t.starts_with('≤') => "write <=",
            t if t.starts_with('≠') => "write <>",
            _ => return None,
        },
    };
    Some(help)
}
