//! The registry's types: what a hospital's patient table must look like, and how each
//! value is stored as small non-negative integers before it is committed.

use time::Date;

/// A registry: the published schema that every hospital of a study maps its table to.
///
/// Parsed from TOML by [`Registry::from_toml`](super::Registry::from_toml).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registry {
    /// Short name, `[a-z0-9_-]{1,64}`; it is what a query writes after `FROM`.
    pub name: String,
    /// Version, counted from 1.
    pub version: u32,
    /// A line for people.
    pub title: Option<String>,
    /// The table's column that names the patient; never committed, only used to refuse doubles.
    pub patient_id: String,
    /// Purposes that a patient can consent to, at least one.
    pub purposes: Vec<Purpose>,
    /// The concept sets that columns refer to, in the order of the file.
    pub concept_sets: Vec<ConceptSet>,
    /// The data columns in the order of the file.
    pub columns: Vec<Column>,
    /// SHA-256 of the registry's canonical form (see `docs/spec/registry.md`).
    pub digest: [u8; 32],
}

/// A purpose of use, as a GA4GH Data Use Ontology code, with the column that says who consented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// The DUO code, e.g. `DUO:0000042`.
    pub code: String,
    /// A line for people, e.g. "general research use".
    pub label: Option<String>,
    /// The table's boolean column with the patient's consent; never NULL.
    pub column: String,
}

/// A value set of codes, by the digest of its content: what "hypertension" means to every hospital of the study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConceptSet {
    /// Its name, `[a-z_][a-z0-9_]{0,62}`, unique among concept sets.
    pub name: String,
    /// A line for people.
    pub title: Option<String>,
    /// SHA-256 of its canonical form (`docs/spec/concept-sets.md`).
    pub digest: [u8; 32],
}

/// One data column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// SQL name, `[a-z_][a-z0-9_]{0,62}`, unique in the registry (consent columns and id included).
    pub name: String,
    /// Type and bounds.
    pub kind: ColumnKind,
    /// Whether the table may hold NULL here.
    pub nullable: bool,
    /// A line for people.
    pub title: Option<String>,
    /// Code system that defines the column or its codes, e.g. `http://loinc.org`.
    pub system: Option<String>,
    /// The column's own code in that system, e.g. `4548-4`.
    pub code: Option<String>,
    /// The names of the concept sets that say what is meant, as for each kind of source one.
    pub concept_sets: Vec<String>,
}

/// A column's type and bounds. The *stored* value is what is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKind {
    /// false/true, stored as 0/1.
    Boolean,
    /// One of the codes, stored as its place in the list (0-based). 1 to 65,536 codes.
    Category {
        /// The codes in stored order, unique.
        codes: Vec<Code>,
    },
    /// A decimal number v, stored as (v − min)·10^decimals. At most 2^32 values.
    Number {
        /// Smallest value, in units of 10^-decimals.
        min: i64,
        /// Largest value, in units of 10^-decimals; at least `min`.
        max: i64,
        /// Digits after the decimal point, at most 9.
        decimals: u32,
        /// UCUM unit for people, e.g. `mm[Hg]`.
        unit: Option<String>,
    },
    /// A calendar date, stored as days since `min`.
    Date {
        /// First day.
        min: Date,
        /// Last day; not before `min`.
        max: Date,
    },
}

/// A code of a category column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The text that stands in the table and in queries.
    pub code: String,
    /// A line for people.
    pub label: Option<String>,
}

/// One committed vector of the dataset. A registry column has one to three of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseColumn {
    /// Unique name: `consent:DUO:0000042`, `age`, `chol.lo`, `chol.hi`, `smoker.known`.
    pub name: String,
    /// What it holds.
    pub role: Role,
}

/// What a base column holds: which range of it is proven at registration follows from its column's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Consent bit of purpose `purposes[i]`; 0 outside of the rows that hold a patient.
    Consent(usize),
    /// The bit of boolean column `columns[i]`, 0 on NULL rows.
    Bit(usize),
    /// The stored value of `columns[i]`, of at most 16 bits, 0 on NULL rows.
    Value(usize),
    /// The low 16 bits of a stored value that needs more than 16, 0 on NULL rows.
    Low(usize),
    /// The bits above the low 16, 0 on NULL rows.
    High(usize),
    /// 1 where nullable column `columns[i]` has a value, 0 on NULL rows.
    Known(usize),
}

impl Column {
    /// The largest stored value (inclusive): 1 for booleans, codes − 1, (max − min), days.
    #[must_use]
    pub fn span(&self) -> u64 {
        match &self.kind {
            ColumnKind::Boolean => 1,
            ColumnKind::Category { codes } => codes.len().saturating_sub(1) as u64,
            ColumnKind::Number { min, max, .. } => max.abs_diff(*min),
            ColumnKind::Date { min, max } => (*max - *min).whole_days().unsigned_abs(),
        }
    }

    /// Whether a stored value needs more than 16 bits, and so two base columns.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.span() >= 1 << 16
    }
}

impl Registry {
    /// The base columns in committed order: consent bits first, in the order of `purposes`;
    /// then for each data column its value parts (`Bit` | `Value` | `Low`, `High`) and, where it
    /// is nullable, `Known`.
    #[must_use]
    pub fn base_columns(&self) -> Vec<BaseColumn> {
        let consent = self.purposes.iter().enumerate().map(|(i, p)| BaseColumn {
            name: format!("consent:{}", p.code),
            role: Role::Consent(i),
        });
        let data = self
            .columns
            .iter()
            .enumerate()
            .flat_map(|(i, c)| column_parts(i, c));
        consent.chain(data).collect()
    }
}

fn column_parts(column: usize, c: &Column) -> Vec<BaseColumn> {
    let part = |suffix: &str, role| BaseColumn {
        name: format!("{}{suffix}", c.name),
        role,
    };
    let mut parts = match c.kind {
        ColumnKind::Boolean => vec![part("", Role::Bit(column))],
        _ if !c.is_wide() => vec![part("", Role::Value(column))],
        _ => vec![
            part(".lo", Role::Low(column)),
            part(".hi", Role::High(column)),
        ],
    };
    if c.nullable {
        parts.push(part(".known", Role::Known(column)));
    }
    parts
}
