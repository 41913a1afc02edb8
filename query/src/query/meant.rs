//! What constant somebody may have meant, for error messages: as text that can be pasted.

use sqlparser::ast::Ident;

use crate::registry::{Column, ColumnKind, decimal::Decimal, value};

use super::suggest::{literal, nearest};

/// Why there is no NaN.
pub(super) const NO_NAN: &str =
    "number columns have no NaN and no infinity; what has no value is NULL: column IS NULL";

/// Whether it is one of the texts for what is no number.
pub(super) fn is_no_number(text: &str) -> bool {
    let bare = text.trim_start_matches(['+', '-']);
    ["nan", "inf", "infinity"]
        .iter()
        .any(|n| bare.eq_ignore_ascii_case(n))
}

/// What to write for a date that is written in another way: year first is understood, and a bare year.
pub(super) fn date(text: &str) -> String {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = text
        .split(['-', '/', '.', ' ', 'T'])
        .filter(is_number)
        .collect();
    let joined = match parts.as_slice() {
        [year, month, day, ..] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            format!("{year}-{month:0>2}-{day:0>2}")
        }
        [whole] if whole.len() == 8 && *whole == text => {
            format!("{}-{}-{}", &whole[..4], &whole[4..6], &whole[6..])
        }
        [year] if year.len() == 4 && *year == text => {
            return format!(
                "write a day, DATE '{year}-01-01' or DATE '{year}-12-31'; for all of the year \
                 BETWEEN these two"
            );
        }
        _ => return "write DATE 'YYYY-MM-DD', the year first".to_owned(),
    };
    match value::date(&joined) {
        Some(_) => format!("write DATE '{joined}'"),
        None => "write DATE 'YYYY-MM-DD'".to_owned(),
    }
}

/// What to write instead of a text that is cast to another type.
pub(super) fn bare(text: &str) -> String {
    if is_no_number(text) {
        return NO_NAN.to_owned();
    }
    if Decimal::parse(text).is_some() {
        return format!(
            "leave it out: write {text} for a number, {} for a code",
            literal(text)
        );
    }
    let date = date(text);
    if date.starts_with("write DATE '") && !date.contains("YYYY") {
        return format!(
            "leave it out: {date} for a date, {} for a code",
            literal(text)
        );
    }
    format!("leave it out: write {}", literal(text))
}

/// Which codes of a category column may be meant by a text.
pub(super) fn codes(column: &Column, text: &str) -> String {
    let codes = match &column.kind {
        ColumnKind::Category { codes } => codes.as_slice(),
        _ => &[],
    };
    let shown = |code: &str| {
        let found = codes.iter().find(|c| c.code == code);
        match found.and_then(|c| c.label.as_deref()) {
            Some(label) => format!("{} ({label})", literal(code)),
            None => literal(code),
        }
    };
    let wanted = text.trim().to_lowercase();
    let is_wanted = |text: &str| text.to_lowercase() == wanted;
    let labelled = codes
        .iter()
        .find(|c| is_wanted(&c.code) || c.label.as_deref().is_some_and(is_wanted));
    if let Some(code) = labelled {
        return format!("did you mean {}?", shown(&code.code));
    }
    let near = nearest(text, codes.iter().map(|c| c.code.as_str()), 5);
    if near.is_empty() {
        let first = codes.first().map_or("", |c| c.code.as_str());
        return format!(
            "its {} codes are in the registry, e.g. {}",
            codes.len(),
            shown(first)
        );
    }
    let list: Vec<String> = near.into_iter().map(shown).collect();
    format!("near ones: {}", list.join(", "))
}

/// What to write instead of LIKE: the codes that the pattern fits, where they are few.
pub(super) fn like(
    column: &Column,
    pattern: &str,
    negated: bool,
    any_case: bool,
) -> Option<String> {
    const MOST: usize = 20;
    let ColumnKind::Category { codes } = &column.kind else {
        return None;
    };
    if pattern.contains('\\') {
        return None;
    }
    let folded = |text: &str| -> Vec<char> {
        if any_case {
            text.to_lowercase().chars().collect()
        } else {
            text.chars().collect()
        }
    };
    let pattern = folded(pattern);
    let fitting = codes.iter().filter(|c| fits(&folded(&c.code), &pattern));
    let fitting: Vec<String> = fitting.take(MOST + 1).map(|c| literal(&c.code)).collect();
    let not = if negated { "NOT " } else { "" };
    match fitting.len() {
        0 => Some("no code of the column fits the pattern".to_owned()),
        n if n <= MOST => Some(format!(
            "write {} {not}IN ({})",
            column.name,
            fitting.join(", ")
        )),
        _ => None,
    }
}

/// Whether a text fits a pattern of LIKE: `%` is any text, `_` any character.
fn fits(text: &[char], pattern: &[char]) -> bool {
    // Where the text may stand after each part of the pattern.
    let mut places = vec![false; text.len() + 1];
    places[0] = true;
    for p in pattern {
        if *p == '%' {
            let first = places.iter().position(|at| *at).unwrap_or(places.len());
            places[first..].fill(true);
        } else {
            let next = |at: usize| at > 0 && places[at - 1] && (*p == '_' || *p == text[at - 1]);
            places = (0..=text.len()).map(next).collect();
        }
    }
    places[text.len()]
}

/// What constant may be meant by a name that is no column's, beside a column; `None` where none is likely.
pub(super) fn by_name(column: &Column, ident: &Ident) -> Option<String> {
    const CURLY: [char; 8] = ['‘', '’', '‚', '“', '”', '„', '`', '´'];
    let name = ident.value.trim_matches(CURLY);
    let is_quoted = ident.quote_style.is_some() || name != ident.value;
    match &column.kind {
        ColumnKind::Category { .. } => Some(format!(
            "text constants stand in 'single quotes'; {}",
            codes(column, name)
        )),
        ColumnKind::Boolean => {
            let help = match value::boolean(name) {
                Some(true) => "write TRUE",
                Some(false) => "write FALSE",
                None if name.eq_ignore_ascii_case("y") => "write TRUE",
                None if name.eq_ignore_ascii_case("n") => "write FALSE",
                None if name.eq_ignore_ascii_case("unknown") => {
                    return Some(format!("write {} IS UNKNOWN", column.name));
                }
                None => return None,
            };
            Some(help.to_owned())
        }
        ColumnKind::Number { .. } if is_no_number(name) => Some(NO_NAN.to_owned()),
        ColumnKind::Number { .. } => {
            let number = Decimal::parse(name).filter(|_| is_quoted);
            number.map(|_| format!("write {name} without quotes"))
        }
        ColumnKind::Date { .. } => is_quoted.then(|| date(name)),
    }
}
