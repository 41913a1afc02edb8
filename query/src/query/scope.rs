//! The names of a query: which column one means, or why none.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use sqlparser::ast::{Expr, Ident, SelectItem};

use crate::registry::{Column, ColumnKind, Encoder, Registry};

use super::QueryError;
use super::names::is_known;
use super::normal::Normal;
use super::refuse::{from_span, stripped};
use super::suggest::{identifier, nearest, short};

/// The names that a query can use.
pub(super) struct Scope<'a> {
    registry: &'a Registry,
    pub(super) normal: Normal<'a>,
    /// The table's name, or its alias where it has one.
    table: String,
    /// The labels that the SELECT list gives with AS.
    aliases: Vec<String>,
    encoders: RefCell<HashMap<usize, Rc<Encoder<'a>>>>,
}

/// An identifier's name as PostgreSQL folds it: lower case unless quoted.
pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}

impl<'a> Scope<'a> {
    pub fn new(registry: &'a Registry, table: String, list: &[SelectItem]) -> Self {
        let aliases = list.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
            _ => None,
        });
        Self {
            registry,
            normal: Normal {
                columns: &registry.columns,
            },
            table,
            aliases: aliases.collect(),
            encoders: RefCell::default(),
        }
    }

    pub fn definition(&self, column: usize) -> &'a Column {
        &self.registry.columns[column]
    }

    /// Whether GROUP BY takes the column: boolean and category columns.
    pub fn groupable(&self, column: usize) -> bool {
        let kind = &self.definition(column).kind;
        matches!(kind, ColumnKind::Boolean | ColumnKind::Category { .. })
    }

    /// Whether there is a column of that name.
    pub fn is_column(&self, name: &str) -> bool {
        self.registry.column_index(name).is_some()
    }

    /// The column that an expression names; `None` when the expression is no name.
    pub fn column(&self, expr: &Expr) -> Result<Option<usize>, QueryError> {
        let ident = match stripped(expr) {
            Expr::Identifier(ident) => ident,
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, ident] if folded(table) == self.table => ident,
                [first, ..] => {
                    let parts: Vec<&str> = parts.iter().map(|p| p.value.as_str()).collect();
                    let table = identifier(&self.table);
                    let help = format!("write {table}.column or the column alone");
                    let name = short(&parts.join("."));
                    return Err(QueryError::UnknownColumn {
                        at: from_span(first.span),
                        name,
                        help,
                    });
                }
                [] => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.named(ident).map(Some)
    }

    /// The data column that an expression names; `None` also where it names none or something unknown.
    pub fn known(&self, expr: &Expr) -> Option<&'a Column> {
        let ident = match stripped(expr) {
            Expr::Identifier(ident) => ident,
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, ident] if folded(table) == self.table => ident,
                _ => return None,
            },
            _ => return None,
        };
        let column = self.registry.column_index(&folded(ident))?;
        Some(self.definition(column))
    }

    fn named(&self, ident: &Ident) -> Result<usize, QueryError> {
        let name = folded(ident);
        if let Some(column) = self.registry.column_index(&name) {
            return Ok(column);
        }
        let at = from_span(ident.span);
        if name == self.registry.patient_id {
            let reason = "it names the patient and is never committed, so nothing can be proven \
                          about it; count(*) counts the patients";
            return Err(QueryError::PrivateColumn { at, name, reason });
        }
        if self.registry.purposes.iter().any(|p| p.column == name) {
            let reason = "it holds the patients' consent; every answer counts only those who \
                          consented to the query's purpose, and the proof shows it";
            return Err(QueryError::PrivateColumn { at, name, reason });
        }
        let names = self.registry.columns.iter().map(|c| c.name.as_str());
        let near = nearest(&name, names, 3);
        let help = if self.aliases.contains(&name) {
            "it is a label of the SELECT list, whose values come after WHERE and FILTER chose the \
             patients; write the columns themselves"
                .to_owned()
        } else if near.is_empty() && is_known(&name) {
            format!("to call the function write {name}(…)")
        } else if ident.quote_style == Some('"') && near.is_empty() {
            "write text constants in 'single quotes'".to_owned()
        } else if near.is_empty() {
            self.all_columns()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        let name = short(&name);
        Err(QueryError::UnknownColumn { at, name, help })
    }

    /// The names of all columns, or of the first ones.
    fn all_columns(&self) -> String {
        const SHOWN: usize = 12;
        let all = &self.registry.columns;
        let names: Vec<&str> = all.iter().take(SHOWN).map(|c| c.name.as_str()).collect();
        let more = match all.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more, which the registry lists"),
        };
        format!("the columns are {}{more}", names.join(", "))
    }

    /// The column's encoder; its table of codes is made once per query.
    pub fn encoder(&self, column: usize) -> Rc<Encoder<'a>> {
        let mut encoders = self.encoders.borrow_mut();
        let made = encoders
            .entry(column)
            .or_insert_with(|| Rc::new(self.definition(column).encoder()));
        Rc::clone(made)
    }
}
