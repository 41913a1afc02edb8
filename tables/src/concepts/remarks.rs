//! What a file says of its OMOP concepts beyond their ids, and what that means for a hospital's tables.

/// How many ids a note names.
const NAMED: usize = 5;

/// The concepts that no record may have.
#[derive(Default)]
pub(super) struct Remarks {
    not_standard: Vec<i64>,
    invalid: Vec<i64>,
}

impl Remarks {
    /// Takes in what OMOP's `standard_concept` and `invalid_reason` say of a concept; files often leave them out.
    pub(super) fn take(
        &mut self,
        id: i64,
        descendants: bool,
        standard: Option<&str>,
        invalid: Option<&str>,
    ) {
        match standard {
            None | Some("" | "S") => {}
            // A classification is never recorded, but what is below it is.
            Some("C") if descendants => {}
            Some(_) => self.not_standard.push(id),
        }
        // ATLAS writes V for what the vocabulary leaves empty.
        if !matches!(invalid, None | Some("" | "V")) {
            self.invalid.push(id);
        }
    }

    /// One note of each kind.
    pub(super) fn notes(&self) -> Vec<String> {
        let not_standard = note(
            "not standard",
            &self.not_standard,
            "OMOP's event tables hold standard concepts only, so look up what they map to",
        );
        let invalid = note(
            "invalid",
            &self.invalid,
            "the vocabulary has replaced or withdrawn them, so look up what came in their place",
        );
        not_standard.into_iter().chain(invalid).collect()
    }
}

fn note(what: &str, ids: &[i64], cure: &str) -> Option<String> {
    if ids.is_empty() {
        return None;
    }
    let named: Vec<String> = ids.iter().take(NAMED).map(i64::to_string).collect();
    let named = named.join(", ");
    let more = match ids.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("concepts that are {what}: {named}{more}; {cure}"))
}
