//! A proposal's texts: the registry, and the mapping over the folder's files.

use std::fmt::Write as _;

use super::files::{Found, section};
use super::profile::{Profile, Proposal, quoted};
use crate::mapping::is_name;
use galen_query::registry::Registry;

/// A file of the folder as a table, and its columns' names and types.
pub(super) struct TableFound {
    pub(super) file: Found,
    pub(super) columns: Vec<(String, String)>,
}

/// What was found in a folder.
pub(super) struct Proposed<'a> {
    /// The registry's name.
    pub(super) registry: &'a str,
    /// The patients' table, and the column that tells them apart.
    pub(super) patients: &'a TableFound,
    pub(super) id: &'a str,
    pub(super) profiles: &'a [Profile],
    pub(super) tables: &'a [TableFound],
}

/// A text as a string of TOML.
fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Proposed<'_> {
    /// Columns whose names have to do with consent. Whether one says that a patient agreed to research, refused it, or
    /// agreed to an operation, is for people to say.
    fn consents(&self) -> Vec<&str> {
        let names = self.profiles.iter().map(|p| p.name.as_str());
        names.filter(|n| is_about_consent(n)).collect()
    }

    fn data(&self) -> impl Iterator<Item = (String, &Profile)> {
        let mut taken = vec!["patient_id".to_owned(), "consent_research".to_owned()];
        self.profiles
            .iter()
            .filter(|p| !is_about_consent(&p.name))
            .map(move |p| {
                let name = name(&p.name, &taken);
                taken.push(name.clone());
                (name, p)
            })
    }

    /// What is said of them in the mapping.
    fn candidates(&self) -> String {
        let consents = self.consents();
        let plain: Vec<&str> = consents.iter().copied().filter(|n| is_plain(n)).collect();
        if plain.is_empty() {
            "no column's name says so".to_owned()
        } else {
            format!("columns that may say it: {}", plain.join(", "))
        }
    }

    /// Why the proposal cannot be used as it is.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let consents = self.candidates();
        notes.push(format!(
            "who consented is for you to write into the mapping's SQL, where EDIT stands ({consents}); until then no \
             table is built"
        ));
        for (name, profile) in self.data() {
            match &profile.proposal {
                Proposal::Left { why } => notes.push(format!("{name} is left out: {why}")),
                Proposal::Number {
                    decimals, rounded, ..
                } if *rounded => notes.push(format!("{name} is rounded to {decimals} decimals")),
                Proposal::Date { timed: true, .. } => notes.push(format!(
                    "{name} is a date: the time of day is left out"
                )),
                Proposal::Category { others, .. } if *others > 0 => notes.push(format!(
                    "{name}: {others} patients have a code that few have; such codes are not in the registry, which \
                     is public: add those that may be, or map them to another"
                )),
                _ => {}
            }
        }
        notes
    }

    pub(super) fn registry(&self) -> String {
        let mut registry = format!(
            "# Proposed from what was found in the hospital's files; to be edited before it is used. A registry is\n\
             # public: look at each code, bound and title as one that everybody will read. Bounds are round numbers\n\
             # around what was found; codes are those that at least 11 patients have.\n\
             [registry]\nname = {}\nversion = 1\ntitle = \"EDIT: a line about the study\"\npatient_id = \"patient_id\"\n\n\
             [[purpose]]\ncode = \"DUO:0000042\"\nlabel = \"general research use\"\ncolumn = \"consent_research\"\n",
            text(self.registry)
        );
        for (name, profile) in self.data() {
            let Some(about) = about(&profile.proposal) else {
                continue;
            };
            let nullable = if profile.nullable {
                "nullable = true\n"
            } else {
                ""
            };
            let _ = write!(
                registry,
                "\n[[column]]\nname = \"{name}\"\n{about}{nullable}"
            );
        }
        registry
    }

    pub(super) fn mapping(&self, title: &str) -> String {
        let mut items = vec![
            format!("{} AS patient_id", quoted(self.id)),
            CONSENT.to_owned(),
        ];
        for (name, profile) in self.data() {
            let column = quoted(&profile.name);
            let item = match &profile.proposal {
                Proposal::Left { .. } => continue,
                Proposal::Boolean { sql } | Proposal::Category { sql, .. } => sql.clone(),
                Proposal::Date { .. } => format!("CAST({column} AS DATE)"),
                Proposal::Number { decimals: 0, .. } => column,
                Proposal::Number { decimals, .. } => {
                    format!("CAST({column} AS DECIMAL(18, {decimals}))")
                }
            };
            items.push(format!("{item} AS {name}"));
        }
        let sql = format!(
            "\nSELECT\n  {}\nFROM {}\nORDER BY patient_id\n",
            items.join(",\n  "),
            self.patients.file.table
        );
        let mut mapping = format!(
            "# Proposed from what was found; to be edited. One row per patient: what stands in other tables is\n\
             # aggregated by patient and joined, as docs/tables.md shows.\n\
             [mapping]\ntitle = {}\nregistry = \"registry.toml\"\n\
             # EDIT: consent_research is true where the patient agreed to research; {}\nsql = {}\n",
            text(title),
            self.candidates(),
            multiline(&sql)
        );
        for table in self.tables {
            // Without a header they would be a patient's values.
            let named = table.columns.iter().filter(|(n, _)| is_plain(n));
            let mut columns: Vec<String> = named.map(|(n, t)| format!("{n} {t}")).collect();
            if columns.len() < table.columns.len() {
                columns.push(format!("and {} more", table.columns.len() - columns.len()));
            }
            let section = section(&table.file, &table.file.table, "");
            let _ = writeln!(mapping, "{section}# {}", columns.join(", "));
        }
        mapping
    }
}

/// The line that says who consented, until it is edited.
const CONSENT: &str = "CAST(NULL AS BOOLEAN) AS consent_research";

fn is_about_consent(name: &str) -> bool {
    name.to_lowercase().contains("consent")
}

/// Whether a column's name is one of a program's.
fn is_plain(name: &str) -> bool {
    name.len() <= 64 && is_name(&name.to_ascii_lowercase())
}

/// A text of several lines as TOML: as it stands, where it can.
fn multiline(sql: &str) -> String {
    let control = |c: char| c.is_control() && c != '\n';
    if sql.contains("'''") || sql.contains(control) {
        return text(sql);
    }
    format!("'''{sql}'''")
}

/// What a registry says of a column with this proposal.
fn about(proposal: &Proposal) -> Option<String> {
    Some(match proposal {
        Proposal::Left { .. } => return None,
        Proposal::Boolean { .. } => "type = \"boolean\"\n".to_owned(),
        Proposal::Date { first, last, .. } => {
            format!("type = \"date\"\nmin = \"{first:04}-01-01\"\nmax = \"{last:04}-12-31\"\n")
        }
        Proposal::Number {
            min, max, decimals, ..
        } => format!(
            "type = \"number\"\nmin = {min}\nmax = {max}\ndecimals = {decimals}\n# unit = \"…\"\n"
        ),
        Proposal::Category { codes, .. } => {
            let codes: Vec<String> = codes.iter().map(|c| text(c)).collect();
            format!("type = \"category\"\ncodes = [{}]\n", codes.join(", "))
        }
    })
}

/// Whether a registry may have a column of this name and description: what it says itself.
fn is_allowed(name: &str, about: &str) -> bool {
    let registry = format!(
        "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"patient_id\"\n[[purpose]]\ncode = \"DUO:0000042\"\n\
         column = \"consent_research\"\n[[column]]\nname = \"{name}\"\n{about}"
    );
    Registry::from_toml(&registry).is_ok()
}

/// The proposal, unless no registry could have it.
pub(super) fn checked(profile: Profile) -> Profile {
    match about(&profile.proposal) {
        Some(text) if !is_allowed("x", &text) => Profile {
            proposal: Proposal::Left {
                why: "what stands in it cannot be the values or codes of a registry".to_owned(),
            },
            ..profile
        },
        _ => profile,
    }
}

/// A column's name as a registry has it, and no other column.
fn name(found: &str, taken: &[String]) -> String {
    let letter = |c: char| {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            c
        } else {
            '_'
        }
    };
    let mut name: String = found.chars().map(letter).take(50).collect();
    if !is_name(&name) {
        name.insert_str(0, "c_");
    }
    if !is_allowed(&name, "type = \"boolean\"\n") {
        name += "_value"; // a word of SQL
    }
    let free = |name: &String| !taken.contains(name);
    if free(&name) {
        return name;
    }
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    numbered.into_iter().find(free).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_registrys_and_each_once() {
        let taken = ["age".to_owned(), "age_2".to_owned()];
        assert_eq!(name("Age", &taken), "age_3");
        assert_eq!(name("birthDate", &taken), "birthdate");
        assert_eq!(name("2nd visit", &taken), "c_2nd_visit");
        assert_eq!(name("größe", &taken), "gr__e");
        assert_eq!(name(&"x".repeat(100), &taken).len(), 50);
        assert_eq!(name("Order", &taken), "order_value");
    }
}
