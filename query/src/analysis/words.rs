//! An analysis's text as words, and a word's value as a list (`docs/spec/analyses.md`, "Grammar").

use std::fmt;

/// A word's characters, each with whether it stood within quotes: then it separates nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Word(Vec<(char, bool)>);

/// Blanks separate words outside double quotes; within them a backslash takes the next character as it is.
pub(super) fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut any) = (Word::default(), false, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => word.0.extend(chars.next().map(|c| (c, true))),
            '"' => (quoted, any) = (!quoted, true),
            c if c.is_control() => return Err("it has control characters".to_owned()),
            c if c.is_whitespace() && !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.0.push((c, quoted));
                any = true;
            }
        }
    }
    if quoted {
        return Err(NOT_CLOSED.to_owned());
    }
    if any {
        words.push(word);
    }
    Ok(words)
}

const NOT_CLOSED: &str = "a \" is not closed";

impl Word {
    /// Name and value.
    pub fn field(&self) -> Option<(String, Self)> {
        let at = self.0.iter().position(|(c, _)| *c == '=')?;
        let (name, value) = self.0.split_at(at);
        let name = name.iter().map(|(c, _)| c).collect();
        Some((name, Self(value[1..].to_vec())))
    }

    /// What commas separate. In a value that stands within quotes as a whole a member may begin with quotes of its own.
    pub fn list(self) -> Result<Vec<Self>, String> {
        let word = match self.0.iter().all(|(_, quoted)| *quoted) {
            true => self.members_unquoted()?,
            false => self,
        };
        let members = word.0.split(|c| *c == (',', false));
        Ok(members.map(|m| Self(m.to_vec())).collect())
    }

    /// The quotes with which members begin are read once more.
    fn members_unquoted(&self) -> Result<Self, String> {
        let mut word = Self::default();
        let (mut quoted, mut begins) = (false, true);
        let mut chars = self.0.iter().map(|(c, _)| *c);
        while let Some(c) = chars.next() {
            match c {
                '\\' if quoted => word.0.extend(chars.next().map(|c| (c, true))),
                '"' if quoted || begins => quoted = !quoted,
                c => word.0.push((c, quoted)),
            }
            begins = c == ',' && !quoted;
        }
        match quoted {
            true => Err(NOT_CLOSED.to_owned()),
            false => Ok(word),
        }
    }

    /// What stands before and after the last colon.
    pub fn pair(&self) -> Option<(String, String)> {
        let at = self.0.iter().rposition(|c| *c == (':', false))?;
        let text = |part: &[(char, bool)]| part.iter().map(|(c, _)| c).collect();
        Some((text(&self.0[..at]), text(&self.0[at + 1..])))
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.0.iter().try_for_each(|(c, _)| f.write_char(*c))
    }
}
