//! The registry's canonical bytes and their digest (`docs/spec/registry.md`).

use sha2::{Digest, Sha256};

use super::{Code, Column, ColumnKind, ConceptSet, Purpose, Registry};

/// Domain of the canonical encoding.
const DOMAIN: &str = "galen/v2/registry";

impl Registry {
    /// The canonical encoding of every field but the digest.
    ///
    /// Two files have equal encodings exactly when they differ in spelling only: comments,
    /// spacing, the order of fields within a table, `1.0` for `1`. Strings, lists and optional
    /// fields are length-prefixed, integers are big-endian.
    #[must_use]
    pub fn to_canonical(&self) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        out.text(DOMAIN);
        out.text(&self.name);
        out.integer(i64::from(self.version));
        out.optional(self.title.as_deref());
        out.text(&self.patient_id);
        out.list(&self.purposes, Writer::purpose);
        out.list(&self.concept_sets, Writer::concept_set);
        out.list(&self.columns, Writer::column);
        out.0
    }

    /// SHA-256 of [`Registry::to_canonical`]; 32 bytes.
    #[must_use]
    pub fn compute_digest(&self) -> [u8; 32] {
        Sha256::digest(self.to_canonical()).into()
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn length(&mut self, n: usize) {
        self.0.extend((n as u64).to_be_bytes());
    }

    fn integer(&mut self, n: i64) {
        self.0.extend(n.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.0.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.length(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn purpose(&mut self, purpose: &Purpose) {
        self.text(&purpose.code);
        self.optional(purpose.label.as_deref());
        self.text(&purpose.column);
    }

    fn concept_set(&mut self, set: &ConceptSet) {
        self.text(&set.name);
        self.optional(set.title.as_deref());
        self.0.extend(set.digest);
    }

    fn code(&mut self, code: &Code) {
        self.text(&code.code);
        self.optional(code.label.as_deref());
    }

    fn column(&mut self, column: &Column) {
        self.text(&column.name);
        self.text(column.type_name());
        match &column.kind {
            ColumnKind::Boolean => {}
            ColumnKind::Category { codes } => self.list(codes, Self::code),
            ColumnKind::Number {
                min,
                max,
                decimals,
                unit,
            } => {
                self.integer(*min);
                self.integer(*max);
                self.integer(i64::from(*decimals));
                self.optional(unit.as_deref());
            }
            ColumnKind::Date { min, max } => {
                self.text(&min.to_string());
                self.text(&max.to_string());
            }
        }
        self.0.push(u8::from(column.nullable));
        self.optional(column.title.as_deref());
        self.optional(column.system.as_deref());
        self.optional(column.code.as_deref());
        self.list(&column.concept_sets, |out, name| out.text(name));
    }
}
