//! The clauses around SELECT's list and WHERE's condition: which may stand, and which not.

use sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SetExpr, SetOperator, Statement, TableAlias, TableFactor,
    TableWithJoins,
};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::registry::{ColumnKind, Registry};

use super::error::unsupported;
use super::instead::refuse_group;
use super::refuse::{from_span, name_position, name_text, position};
use super::scope::{Scope, folded};
use super::suggest::short;
use super::{Grouping, MAX_GROUP_COLUMNS, Position, QueryError, grouping};

/// The query's tokens, for the positions that the syntax tree leaves out.
pub(super) struct Text<'a> {
    pub tokens: &'a [TokenWithSpan],
}

impl Text<'_> {
    /// The first place of a keyword.
    pub fn keyword(&self, keyword: Keyword) -> Position {
        let is = |t: &&TokenWithSpan| matches!(&t.token, Token::Word(w) if w.keyword == keyword);
        let found = self.tokens.iter().find(is);
        found.map_or_else(Position::start, |t| from_span(t.span))
    }

    fn refuse(&self, keyword: Keyword, construct: &str, help: &str) -> QueryError {
        unsupported(self.keyword(keyword), construct, help)
    }

    pub fn only_select<'s>(&self, statements: &'s [Statement]) -> Result<&'s Select, QueryError> {
        let query = match statements {
            [Statement::Query(query)] => query,
            [_] => {
                let help = "a cohort query is one SELECT";
                return Err(unsupported(
                    Position::start(),
                    "a statement that is no query",
                    help,
                ));
            }
            [] => {
                return Err(QueryError::Syntax {
                    at: Position::start(),
                    message: "empty; write SELECT count(*) FROM …".to_owned(),
                });
            }
            [_, _, ..] => {
                let help = "ask one query at a time";
                let first = self.tokens.iter().find(|t| t.token == Token::SemiColon);
                let at = first.map_or_else(Position::start, |t| from_span(t.span));
                return Err(unsupported(at, "more than one statement", help));
            }
        };
        self.no_query_clauses(query)?;
        let mut body = query.body.as_ref();
        loop {
            body = match body {
                SetExpr::Select(select) => {
                    self.no_select_clauses(select)?;
                    return Ok(select);
                }
                SetExpr::Query(inner) => {
                    self.no_query_clauses(inner)?;
                    &inner.body
                }
                SetExpr::SetOperation { op, .. } => {
                    let help = "join the conditions with OR, or ask a query for each";
                    let keyword = match op {
                        SetOperator::Union => Keyword::UNION,
                        SetOperator::Intersect => Keyword::INTERSECT,
                        SetOperator::Except | SetOperator::Minus => Keyword::EXCEPT,
                    };
                    return Err(self.refuse(keyword, &op.to_string(), help));
                }
                _ => {
                    let help = "a cohort query is one SELECT";
                    return Err(unsupported(Position::start(), "this query", help));
                }
            };
        }
    }

    fn no_query_clauses(&self, q: &Query) -> Result<(), QueryError> {
        let order = "leave it out: the groups come in the order of the registry's codes";
        let limit = "leave it out: every group is in the answer";
        let plain = "leave it out";
        let refused = [
            (
                q.with.is_some(),
                Keyword::WITH,
                "WITH",
                "write the conditions into one WHERE",
            ),
            (q.order_by.is_some(), Keyword::ORDER, "ORDER BY", order),
            (
                q.limit_clause.is_some(),
                Keyword::LIMIT,
                "LIMIT or OFFSET",
                limit,
            ),
            (q.fetch.is_some(), Keyword::FETCH, "FETCH", limit),
            (!q.locks.is_empty(), Keyword::FOR, "FOR UPDATE", plain),
            (q.for_clause.is_some(), Keyword::FOR, "FOR", plain),
            (q.settings.is_some(), Keyword::SETTINGS, "SETTINGS", plain),
            (q.format_clause.is_some(), Keyword::FORMAT, "FORMAT", plain),
            (
                !q.pipe_operators.is_empty(),
                Keyword::NoKeyword,
                "|>",
                plain,
            ),
        ];
        self.first_of(&refused)
    }

    fn no_select_clauses(&self, s: &Select) -> Result<(), QueryError> {
        let having = "leave it out: groups below the release threshold are withheld anyway, and \
                      the others can be chosen from the answer";
        let distinct = "leave it out: GROUP BY gives each group once";
        let plain = "leave it out";
        let odd = !s.optimizer_hints.is_empty()
            || s.select_modifiers.is_some()
            || s.exclude.is_some()
            || s.prewhere.is_some()
            || !s.lateral_views.is_empty()
            || !s.connect_by.is_empty()
            || !s.cluster_by.is_empty()
            || !s.distribute_by.is_empty()
            || !s.sort_by.is_empty()
            || s.value_table_mode.is_some();
        let refused = [
            (
                s.distinct.is_some(),
                Keyword::DISTINCT,
                "DISTINCT",
                distinct,
            ),
            (s.having.is_some(), Keyword::HAVING, "HAVING", having),
            (s.top.is_some(), Keyword::TOP, "TOP", plain),
            (s.into.is_some(), Keyword::INTO, "INTO", plain),
            (!s.named_window.is_empty(), Keyword::WINDOW, "WINDOW", plain),
            (s.qualify.is_some(), Keyword::QUALIFY, "QUALIFY", plain),
            (
                odd,
                Keyword::SELECT,
                "this form of SELECT",
                "write SELECT … FROM … WHERE … GROUP BY …",
            ),
        ];
        self.first_of(&refused)
    }

    fn first_of(&self, refused: &[(bool, Keyword, &str, &str)]) -> Result<(), QueryError> {
        match refused.iter().find(|r| r.0) {
            None => Ok(()),
            Some((_, keyword, construct, help)) => Err(self.refuse(*keyword, construct, help)),
        }
    }

    fn refuse_relation(&self, relation: &TableFactor, expected: &str) -> QueryError {
        if matches!(relation, TableFactor::Derived { .. }) {
            let help = "write its conditions into WHERE";
            return self.refuse(Keyword::FROM, "a subquery in FROM", help);
        }
        let help = format!("write FROM {expected}");
        self.refuse(Keyword::FROM, "this kind of table", &help)
    }

    /// Checks FROM; the name by which the columns can be qualified.
    pub fn table(
        &self,
        from: &[TableWithJoins],
        registry: &Registry,
    ) -> Result<String, QueryError> {
        let expected = quoted(&registry.name);
        let join = "a query reads one row per patient: the hospitals join their tables before";
        let [TableWithJoins { relation, joins }] = from else {
            if from.is_empty() {
                let at = self.keyword(Keyword::SELECT);
                let found = "(no FROM)".to_owned();
                return Err(QueryError::UnknownTable {
                    at,
                    found,
                    expected,
                });
            }
            return Err(self.refuse(Keyword::FROM, "more than one table", join));
        };
        if !joins.is_empty() {
            return Err(self.refuse(Keyword::JOIN, "JOIN", join));
        }
        let TableFactor::Table {
            name,
            alias,
            args: None,
            version: None,
            with_ordinality: false,
            json_path: None,
            sample: None,
            with_hints,
            partitions,
            index_hints,
        } = relation
        else {
            return Err(self.refuse_relation(relation, &expected));
        };
        let found = name_text(name);
        if found != registry.name {
            let (at, found) = (name_position(name), short(&found));
            return Err(QueryError::UnknownTable {
                at,
                found,
                expected,
            });
        }
        if !with_hints.is_empty() || !partitions.is_empty() || !index_hints.is_empty() {
            return Err(self.refuse(Keyword::FROM, "a hint on the table", "leave it out"));
        }
        alias.as_ref().map_or(Ok(found), table_alias)
    }

    pub fn group_by(
        &self,
        scope: &Scope<'_>,
        select: &Select,
    ) -> Result<Vec<Grouping>, QueryError> {
        let at = self.keyword(Keyword::GROUP);
        let names = "write GROUP BY and the columns' names";
        let expressions = match &select.group_by {
            GroupByExpr::All(_) => return Err(unsupported(at, "GROUP BY ALL", names)),
            GroupByExpr::Expressions(list, modifiers) if modifiers.is_empty() => list,
            GroupByExpr::Expressions(..) => {
                return Err(unsupported(at, "a modifier of GROUP BY", names));
            }
        };
        if expressions.len() > MAX_GROUP_COLUMNS {
            return Err(QueryError::TooLarge {
                what: "columns in GROUP BY",
                found: expressions.len(),
                limit: MAX_GROUP_COLUMNS,
                help: "group by fewer, and for the others ask a query for each value, or count(*) FILTER \
                       (WHERE column = value)",
            });
        }
        let mut groupings: Vec<Grouping> = Vec::with_capacity(expressions.len());
        for written in expressions {
            let expr = grouping::referred(scope, written, &select.projection)?;
            let grouping = match grouping::bins(scope, expr)? {
                Some((bins, _)) => bins,
                None => Grouping {
                    column: group_column(scope, expr, at)?,
                    bins: None,
                },
            };
            if groupings.iter().any(|g| g.column == grouping.column) {
                return Err(QueryError::Grouping {
                    at: position(written),
                    message: format!(
                        "column {} stands twice in GROUP BY",
                        scope.definition(grouping.column).name
                    ),
                    help: "keep one".to_owned(),
                });
            }
            groupings.push(grouping);
        }
        Ok(groupings)
    }
}

fn table_alias(alias: &TableAlias) -> Result<String, QueryError> {
    if alias.columns.is_empty() && alias.at.is_none() {
        return Ok(folded(&alias.name));
    }
    let at = from_span(alias.name.span);
    Err(unsupported(
        at,
        "renaming columns",
        "use the registry's names",
    ))
}

fn group_column(scope: &Scope<'_>, expr: &Expr, clause: Position) -> Result<usize, QueryError> {
    let Some(column) = scope.column(expr)? else {
        let each = "ask a query for each grouping";
        return Err(match expr {
            Expr::Rollup(_) => unsupported(clause, "ROLLUP", each),
            Expr::Cube(_) => unsupported(clause, "CUBE", each),
            Expr::GroupingSets(_) => unsupported(clause, "GROUPING SETS", each),
            Expr::Tuple(list) if list.is_empty() => {
                unsupported(clause, "GROUP BY ()", "leave it out")
            }
            _ => refuse_group(scope, expr),
        });
    };
    let definition = scope.definition(column);
    if scope.groupable(column) {
        return Ok(column);
    }
    Err(QueryError::Grouping {
        at: position(expr),
        message: format!(
            "column {} is a {}: its groups would be single patients",
            definition.name,
            definition.type_name()
        ),
        help: match definition.kind {
            ColumnKind::Date { .. } => format!("group by extract(year FROM {})", definition.name),
            _ => format!(
                "group by width_bucket({}, low, high, count)",
                definition.name
            ),
        },
    })
}

/// The registry's name as FROM must write it.
fn quoted(name: &str) -> String {
    let plain = name.bytes().all(|b| b != b'-') && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}
