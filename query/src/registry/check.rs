//! What a registry file must satisfy beyond its shape.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use toml::{Spanned, Value};

use super::concepts::names;
use super::decimal::{self, Decimal};
use super::raw::{RawCode, RawColumn, RawFile, RawPurpose, line_of};
use super::unseen::look;
use super::words::is_reserved;
use super::{Code, Column, ColumnKind, Purpose, Registry, RegistryError, Unseen, value};

/// The most data columns.
pub const MAX_COLUMNS: usize = 512;
/// The most purposes.
pub const MAX_PURPOSES: usize = 64;
/// The most codes of one category column.
pub const MAX_CODES: usize = 1 << 16;
/// The most digits after the decimal point.
pub const MAX_DECIMALS: u32 = 9;
/// The longest code, label, title, unit or system, bytes.
pub const MAX_TEXT: usize = 256;

type Outcome<T> = Result<T, RegistryError>;

/// Reads checked parts; keeps the names in use and, in `place`, the table that is being read.
pub(super) struct Checker<'a> {
    text: &'a str,
    pub(super) place: String,
    names: HashMap<String, String>,
}

impl<'a> Checker<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            place: "[registry]".into(),
            names: HashMap::new(),
        }
    }

    pub fn registry(&mut self, raw: RawFile) -> Outcome<Registry> {
        let header = raw.registry;
        let name = self.registry_name(&header.name)?;
        let version = *header.version.get_ref();
        if version == 0 {
            return Err(self.refuse(&header.version.span(), "version", "count versions from 1"));
        }
        let title = self.line(header.title, "title")?;
        let patient_id = self.column_name(&header.patient_id, "patient_id")?;
        limit("purposes", raw.purpose.len(), MAX_PURPOSES)?;
        limit("data columns", raw.column.len(), MAX_COLUMNS)?;
        if raw.purpose.is_empty() {
            let reason = "no purpose is declared; add a [[purpose]] with `code` and `column`: \
                          every query runs for one purpose and counts who consented to it";
            return Err(self.refuse(&header.name.span(), "purpose", reason));
        }
        if raw.column.is_empty() {
            let reason = "no data column is declared; add a [[column]] with `name` and `type`";
            return Err(self.refuse(&header.name.span(), "column", reason));
        }
        let purposes = self.purposes(raw.purpose)?;
        let concept_sets = self.concept_sets(&raw.concept_set, &raw.column)?;
        Ok(Registry {
            name,
            version,
            title,
            patient_id,
            purposes,
            concept_sets,
            columns: self.columns(raw.column)?,
            digest: [0; 32],
        })
    }

    fn purposes(&mut self, raw: Vec<RawPurpose>) -> Outcome<Vec<Purpose>> {
        let mut seen = HashSet::new();
        let mut purposes = Vec::with_capacity(raw.len());
        for purpose in raw {
            let code = purpose.code.get_ref().clone();
            self.place = format!("purpose {}", shown(&code));
            let span = purpose.code.span();
            let digits = code.strip_prefix("DUO:").unwrap_or_default();
            if digits.len() != 7 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                let reason = "not a Data Use Ontology code; write DUO: and seven digits, \
                              e.g. DUO:0000042 for general research use";
                return Err(self.refuse(&span, "code", reason));
            }
            if !seen.insert(code.clone()) {
                return Err(self.refuse(&span, "code", "declared twice; keep one"));
            }
            purposes.push(Purpose {
                code,
                label: self.line(purpose.label, "label")?,
                column: self.column_name(&purpose.column, "column")?,
            });
        }
        Ok(purposes)
    }

    fn columns(&mut self, raw: Vec<RawColumn>) -> Outcome<Vec<Column>> {
        let mut columns = Vec::with_capacity(raw.len());
        for mut column in raw {
            self.place = format!("column {}", shown(column.name.get_ref()));
            let name = self.column_name(&column.name, "name")?;
            let kind = self.kind(&mut column)?;
            self.no_foreign_fields(&column)?;
            columns.push(Column {
                name,
                kind,
                nullable: column.nullable,
                title: self.line(column.title, "title")?,
                system: self.line(column.system, "system")?,
                code: self.line(column.code, "code")?,
                concept_sets: names(column.concept_sets),
            });
        }
        Ok(columns)
    }

    /// Takes the fields that belong to the column's type.
    fn kind(&mut self, column: &mut RawColumn) -> Outcome<ColumnKind> {
        let at = column.kind.span();
        match column.kind.get_ref().as_str() {
            "boolean" => Ok(ColumnKind::Boolean),
            "category" => match column.codes.take() {
                Some(codes) => self.category(codes),
                None => Err(self.refuse(&at, "codes", "missing; list the codes as texts")),
            },
            "number" => {
                let decimals = column.decimals.take();
                let decimals = self.decimals(decimals)?;
                let (min, max) = self.bounds(column, |c, b, f| c.number(b, f, decimals))?;
                let places = |n: i64| decimal::format(i128::from(n), decimals);
                self.span_fits(
                    &at,
                    min.abs_diff(max),
                    min <= max,
                    &places(min),
                    &places(max),
                )?;
                Ok(ColumnKind::Number {
                    min,
                    max,
                    decimals,
                    unit: self.line(column.unit.take(), "unit")?,
                })
            }
            "date" => {
                let (min, max) = self.bounds(column, Self::date)?;
                let days = (max - min).whole_days().unsigned_abs();
                self.span_fits(&at, days, min <= max, &min.to_string(), &max.to_string())?;
                Ok(ColumnKind::Date { min, max })
            }
            _ => {
                let reason = "unknown; write \"boolean\", \"category\", \"number\" or \"date\"";
                Err(self.refuse(&at, "type", reason))
            }
        }
    }

    fn no_foreign_fields(&self, column: &RawColumn) -> Outcome<()> {
        let left = [
            ("codes", column.codes.as_ref().map(Spanned::span)),
            ("min", column.min.as_ref().map(Spanned::span)),
            ("max", column.max.as_ref().map(Spanned::span)),
            ("decimals", column.decimals.as_ref().map(Spanned::span)),
            ("unit", column.unit.as_ref().map(Spanned::span)),
        ];
        for (field, span) in left {
            if let Some(span) = span {
                let kind = column.kind.get_ref();
                let reason = format!("a {kind} column has no such field; remove it");
                return Err(self.refuse(&span, field, &reason));
            }
        }
        Ok(())
    }

    fn category(&self, raw: Spanned<Vec<RawCode>>) -> Outcome<ColumnKind> {
        let at = raw.span();
        let raw = raw.into_inner();
        limit("codes of a category column", raw.len(), MAX_CODES)?;
        if raw.is_empty() {
            return Err(self.refuse(&at, "codes", "empty; list at least one code"));
        }
        let mut seen: HashMap<String, String> = HashMap::with_capacity(raw.len());
        let mut codes = Vec::with_capacity(raw.len());
        for code in raw {
            let (code, label) = match code {
                RawCode::Text(code) => (code, None),
                RawCode::Labelled(c) => (c.code, c.label),
            };
            self.text(&code, &at, "codes")?;
            self.is_seen(&code, &at)?;
            if let Some(label) = &label {
                self.text(label, &at, "codes")?;
            }
            if let Some(first) = seen.insert(look(&code), code.clone()) {
                let reason = if first == code {
                    format!("code {} stands twice; keep one", shown(&code))
                } else {
                    let (first, code) = (shown(&first), shown(&code));
                    format!("codes {first} and {code} look the same; keep one")
                };
                return Err(self.refuse(&at, "codes", &reason));
            }
            codes.push(Code { code, label });
        }
        Ok(ColumnKind::Category { codes })
    }

    /// A code is all that is seen of it: the table's cells and the queries' constants are matched exactly.
    fn is_seen(&self, code: &str, at: &Range<usize>) -> Outcome<()> {
        let Some(unseen) = Unseen::of(code) else {
            return Ok(());
        };
        let reason = format!("code {} has {unseen}; {}", shown(code), unseen.cure(code));
        Err(self.refuse(at, "codes", &reason))
    }

    fn decimals(&self, raw: Option<Spanned<u32>>) -> Outcome<u32> {
        let Some(raw) = raw else { return Ok(0) };
        if *raw.get_ref() > MAX_DECIMALS {
            let reason = format!("at most {MAX_DECIMALS} digits after the point are possible");
            return Err(self.refuse(&raw.span(), "decimals", &reason));
        }
        Ok(*raw.get_ref())
    }

    fn bounds<T>(
        &self,
        column: &mut RawColumn,
        read: impl Fn(&Self, &Spanned<Value>, &'static str) -> Outcome<T>,
    ) -> Outcome<(T, T)> {
        let bound = |raw: Option<Spanned<Value>>, field| match raw {
            Some(raw) => read(self, &raw, field),
            None => {
                let kind = column.kind.get_ref();
                let reason = format!("missing; every {kind} column declares its range");
                Err(self.refuse(&column.kind.span(), field, &reason))
            }
        };
        Ok((
            bound(column.min.take(), "min")?,
            bound(column.max.take(), "max")?,
        ))
    }

    /// A number bound in units of 10^-decimals, read from the text that stands in the file.
    fn number(&self, raw: &Spanned<Value>, field: &'static str, decimals: u32) -> Outcome<i64> {
        let text = match raw.get_ref() {
            Value::Integer(n) => n.to_string(),
            Value::String(text) => text.clone(),
            Value::Float(_) => {
                let source = self.text.get(raw.span()).unwrap_or_default();
                source.trim().replace('_', "")
            }
            _ => String::new(),
        };
        let Some(number) = Decimal::parse(&text) else {
            let reason = "not a number; write it as 120, 0.5 or \"0.5\"";
            return Err(self.refuse(&raw.span(), field, reason));
        };
        let scaled = number.at_scale(decimals);
        if !scaled.exact {
            let reason = format!(
                "more digits after the point than decimals = {decimals}; raise `decimals` or \
                 round the bound"
            );
            return Err(self.refuse(&raw.span(), field, &reason));
        }
        i64::try_from(scaled.floor).map_err(|_| {
            let reason = "too far from zero: with its decimals it must stay within 2^63";
            self.refuse(&raw.span(), field, reason)
        })
    }

    fn date(&self, raw: &Spanned<Value>, field: &'static str) -> Outcome<time::Date> {
        let text = match raw.get_ref() {
            Value::String(text) => text.clone(),
            Value::Datetime(date) => date.to_string(),
            _ => String::new(),
        };
        value::date(&text).ok_or_else(|| {
            let reason = "not a calendar date; write \"YYYY-MM-DD\"";
            self.refuse(&raw.span(), field, reason)
        })
    }

    fn span_fits(
        &self,
        at: &Range<usize>,
        span: u64,
        ordered: bool,
        min: &str,
        max: &str,
    ) -> Outcome<()> {
        if !ordered {
            let reason = format!("min {min} is above max {max}; exchange them");
            return Err(self.refuse(at, "min", &reason));
        }
        if span >= 1 << 32 {
            let reason = format!(
                "from {min} to {max} there are more than 2^32 values; narrow the range or lower \
                 `decimals`"
            );
            return Err(self.refuse(at, "max", &reason));
        }
        Ok(())
    }

    fn registry_name(&self, raw: &Spanned<String>) -> Outcome<String> {
        let name = raw.get_ref();
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(legal) {
            let reason = "write 1 to 64 of a-z, 0-9, _ and -";
            return Err(self.refuse(&raw.span(), "name", reason));
        }
        self.not_reserved(raw, "name")?;
        Ok(name.clone())
    }

    fn column_name(&mut self, raw: &Spanned<String>, field: &'static str) -> Outcome<String> {
        let name = raw.get_ref();
        self.legal_name(raw, field)?;
        self.not_reserved(raw, field)?;
        let owner = if field == "patient_id" {
            "the patient id".to_owned()
        } else {
            self.place.clone()
        };
        if let Some(first) = self.names.insert(name.clone(), owner) {
            let reason = format!("the name {name} is taken by {first}; choose another");
            return Err(self.refuse(&raw.span(), field, &reason));
        }
        Ok(name.clone())
    }

    pub(super) fn legal_name(&self, raw: &Spanned<String>, field: &'static str) -> Outcome<()> {
        let name = raw.get_ref();
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let start = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if !start || name.len() > 63 || !name.bytes().all(legal) {
            let reason = "write at most 63 of a-z, 0-9 and _, not starting with a digit";
            return Err(self.refuse(&raw.span(), field, reason));
        }
        Ok(())
    }

    fn not_reserved(&self, raw: &Spanned<String>, field: &'static str) -> Outcome<()> {
        if is_reserved(raw.get_ref()) {
            let reason = format!(
                "{0} is a word of SQL; choose another name, e.g. {0}_value",
                raw.get_ref()
            );
            return Err(self.refuse(&raw.span(), field, &reason));
        }
        Ok(())
    }

    pub(super) fn line(
        &self,
        raw: Option<Spanned<String>>,
        field: &'static str,
    ) -> Outcome<Option<String>> {
        if let Some(raw) = &raw {
            self.text(raw.get_ref(), &raw.span(), field)?;
        }
        Ok(raw.map(Spanned::into_inner))
    }

    fn text(&self, text: &str, at: &Range<usize>, field: &'static str) -> Outcome<()> {
        if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
            let reason = format!(
                "{} is empty, longer than {MAX_TEXT} bytes, or has control characters; write one \
                 short line",
                shown(text)
            );
            return Err(self.refuse(at, field, &reason));
        }
        Ok(())
    }

    pub(super) fn refuse(
        &self,
        at: &Range<usize>,
        field: &'static str,
        reason: &str,
    ) -> RegistryError {
        RegistryError::Field {
            line: line_of(self.text, at.start),
            place: self.place.clone(),
            field,
            reason: reason.to_owned(),
        }
    }
}

pub(super) fn limit(what: &'static str, found: usize, limit: usize) -> Outcome<()> {
    if found <= limit {
        return Ok(());
    }
    Err(RegistryError::TooLarge {
        what,
        found,
        limit,
        help: "make the registry smaller, or split the study into two registries",
    })
}

/// A name for a message: quoted, escaped and shortened.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(64).collect();
    format!("{short:?}")
}
