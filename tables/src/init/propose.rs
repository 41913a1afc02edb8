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
    /// The boolean column that says who consented.
    fn consent(&self) -> Option<&Profile> {
        self.profiles.iter().find(|p| {
            let boolean = matches!(p.proposal, Proposal::Boolean { .. });
            boolean && p.name.to_lowercase().contains("consent")
        })
    }

    fn data(&self) -> impl Iterator<Item = (String, &Profile)> {
        let consent = self.consent().map(|c| c.name.as_str());
        let mut taken = vec!["patient_id".to_owned(), "consent_research".to_owned()];
        self.profiles
            .iter()
            .filter(move |p| Some(p.name.as_str()) != consent)
            .map(move |p| {
                let name = name(&p.name, &taken);
                taken.push(name.clone());
                (name, p)
            })
    }

    /// Why the proposal cannot be used as it is.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.consent().is_none() {
            let note = "no column says who consented: write it into the mapping's SQL, where EDIT stands; until then no \
                        table is built";
            notes.push(note.to_owned());
        }
        for (name, profile) in self.data() {
            match &profile.proposal {
                Proposal::Left { why } => notes.push(format!("{name} is left out: {why}")),
                Proposal::Number {
                    decimals, rounded, ..
                } if *rounded => notes.push(format!("{name} is rounded to {decimals} decimals")),
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
             # around what was found; codes are those that at least 5 patients have.\n\
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
        let mut items = vec![format!("{} AS patient_id", quoted(self.id))];
        items.push(match self.consent() {
            Some(Profile {
                proposal: Proposal::Boolean { sql },
                ..
            }) => {
                format!("{sql} AS consent_research")
            }
            _ => "CAST(NULL AS BOOLEAN) AS consent_research  -- EDIT: who consented, true or false"
                .to_owned(),
        });
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
        let last = items.len() - 1;
        let items = items.iter().enumerate().map(|(at, item)| {
            let comma = if at == last { "" } else { "," };
            match item.split_once("  --") {
                None => format!("  {item}{comma}\n"),
                Some((item, comment)) => format!("  {item}{comma}  --{comment}\n"),
            }
        });
        let items: String = items.collect();
        let mut mapping = format!(
            "# Proposed from what was found; to be edited. One row per patient: what stands in other tables is\n\
             # aggregated by patient and joined, as docs/tables.md shows.\n\
             [mapping]\ntitle = {}\nregistry = \"registry.toml\"\nsql = '''\nSELECT\n{items}FROM {}\nORDER BY patient_id\n'''\n",
            text(title),
            self.patients.file.table
        );
        for table in self.tables {
            let columns = table.columns.iter().map(|(n, t)| format!("{n} {t}"));
            let columns: Vec<String> = columns.collect();
            let section = section(&table.file, &table.file.table, "");
            // What a file's header holds is no more of the comment than its line.
            let columns = columns.join(", ").replace(char::is_control, " ");
            let _ = writeln!(mapping, "{section}# {columns}");
        }
        mapping
    }
}

/// What a registry says of a column with this proposal.
fn about(proposal: &Proposal) -> Option<String> {
    Some(match proposal {
        Proposal::Left { .. } => return None,
        Proposal::Boolean { .. } => "type = \"boolean\"\n".to_owned(),
        Proposal::Date { first, last } => {
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
