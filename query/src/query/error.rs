//! Why a query is refused: the construct, where it stands, and the nearest thing that works.

use std::fmt;

use thiserror::Error;

/// A place in the query's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Character in the line, from 1.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// More of something than the limits allow.
    #[error("{what}: {found}, at most {limit} are possible; {help}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
        /// What to do.
        help: &'static str,
    },
    /// GROUP BY makes more groups than an answer can have.
    #[error(
        "GROUP BY makes {groups} groups ({of}), at most {limit} are possible; a condition in WHERE leaves groups empty and \
         takes none away: {help}"
    )]
    TooManyGroups {
        /// How many there would be.
        groups: usize,
        /// How many there may be.
        limit: usize,
        /// Each column's.
        of: String,
        /// What to do.
        help: String,
    },
    /// Parentheses, NOT or IS nested too deeply.
    #[error("the query is nested too deeply; write it with fewer parentheses")]
    TooDeep,
    /// Not SQL.
    #[error("{at}: {message}")]
    Syntax {
        /// Where reading stopped.
        at: Position,
        /// What the SQL reader says.
        message: String,
    },
    /// SQL that the query language leaves out.
    #[error("{at}: {construct} is not supported; {help}")]
    Unsupported {
        /// Where it stands.
        at: Position,
        /// The construct, e.g. `ORDER BY`.
        construct: String,
        /// The nearest thing that works.
        help: String,
    },
    /// An output that would show single patients' values.
    #[error("{at}: {construct} discloses individuals; {help}")]
    Disclosing {
        /// Where it stands.
        at: Position,
        /// The construct, e.g. `min`.
        construct: String,
        /// The nearest thing that works.
        help: String,
    },
    /// A table other than the registry's.
    #[error("{at}: there is no table {found}; write FROM {expected}")]
    UnknownTable {
        /// Where it stands.
        at: Position,
        /// What the query says.
        found: String,
        /// What works.
        expected: String,
    },
    /// A name that is no data column.
    #[error("{at}: there is no column {name}; {help}")]
    UnknownColumn {
        /// Where it stands.
        at: Position,
        /// The name.
        name: String,
        /// The nearest names.
        help: String,
    },
    /// The patient id or a consent column.
    #[error("{at}: column {name} cannot be queried: {reason}")]
    PrivateColumn {
        /// Where it stands.
        at: Position,
        /// The name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A constant that is none of a category column's codes.
    #[error("{at}: column {column} has no code {code}; {help}")]
    UnknownCode {
        /// Where it stands.
        at: Position,
        /// The column.
        column: String,
        /// The constant.
        code: String,
        /// The nearest codes.
        help: String,
    },
    /// Types that do not go together.
    #[error("{at}: {message}; {help}")]
    Type {
        /// Where it stands.
        at: Position,
        /// What does not fit.
        message: String,
        /// What works.
        help: String,
    },
    /// A SELECT list and a GROUP BY clause that do not fit together.
    #[error("{at}: {message}; {help}")]
    Grouping {
        /// Where it stands.
        at: Position,
        /// What does not fit.
        message: String,
        /// What works.
        help: String,
    },
}

/// The longest text of a message that comes from the query, characters.
const MAX_TEXT: usize = 4_000;

/// A text for a message: bounded, and without control characters.
fn bounded(text: String) -> String {
    if text.len() <= MAX_TEXT && !text.contains(char::is_control) {
        return text;
    }
    let shown = text.chars().filter(|c| !c.is_control());
    let mut cut: String = shown.take(MAX_TEXT).collect();
    cut.push('…');
    cut
}

/// A shorthand for [`QueryError::Unsupported`].
pub(super) fn unsupported(
    at: Position,
    construct: impl Into<String>,
    help: impl Into<String>,
) -> QueryError {
    QueryError::Unsupported {
        at,
        construct: construct.into(),
        help: bounded(help.into()),
    }
}

/// A shorthand for [`QueryError::Type`].
pub(super) fn mismatch(
    at: Position,
    message: impl Into<String>,
    help: impl Into<String>,
) -> QueryError {
    QueryError::Type {
        at,
        message: message.into(),
        help: bounded(help.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_of_a_query_is_bounded() {
        let said = |help: String| unsupported(Position::default(), "x", help).to_string();
        assert!(said("a\u{1b}[31m".into()).ends_with("; a[31m…"));
        assert_eq!(
            said("é".repeat(60_000)).chars().count(),
            4_001 + said(String::new()).len()
        );
    }
}
