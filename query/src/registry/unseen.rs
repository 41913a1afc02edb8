//! What cannot be seen of a text (`docs/spec/registry.md`, "Cells"): two texts that differ by it alone look the same.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use crate::text::is_invisible;

/// What a reader does not see of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unseen {
    /// White space (Unicode's) before or after it.
    OuterSpace,
    /// A control character, or one that leaves no mark of its own.
    Invisible(char),
    /// White space other than U+0020 within it.
    OtherSpace(char),
    /// Letters that Unicode's normalization form C writes in another way.
    NotNormal,
}

impl Unseen {
    /// The first of them that the text has; none in most texts.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        if text.trim().len() != text.len() {
            return Some(Self::OuterSpace);
        }
        if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return None;
        }
        if let Some(c) = text.chars().find(|c| is_invisible(*c)) {
            return Some(Self::Invisible(c));
        }
        if let Some(c) = text.chars().find(|c| *c != ' ' && c.is_whitespace()) {
            return Some(Self::OtherSpace(c));
        }
        (!text.nfc().eq(text.chars())).then_some(Self::NotNormal)
    }
}

impl Unseen {
    /// What the text has, without any character of it: "white space before or after it".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OuterSpace => "white space before or after it",
            Self::Invisible(_) => "a character that cannot be seen",
            Self::OtherSpace(_) => "a space that is not the ordinary one",
            Self::NotNormal => "letters that are not in Unicode's normalization form C",
        }
    }
}

impl Unseen {
    /// What to write instead of a code that has it.
    pub(super) fn cure(self, code: &str) -> String {
        match self {
            Self::OuterSpace if code.trim().is_empty() => "write what is seen".to_owned(),
            Self::OuterSpace => format!("write {:?}, and trim the tables' cells", code.trim()),
            Self::Invisible(_) => "leave it out, in the tables too".to_owned(),
            Self::OtherSpace(_) => "write an ordinary one, in the tables too".to_owned(),
            Self::NotNormal => {
                let normal: String = code.nfc().collect();
                format!("copy {normal:?} from here, into the tables too")
            }
        }
    }
}

/// Its name, and the character where it is one.
impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Invisible(c) | Self::OtherSpace(c) => write!(f, ", U+{:04X}", u32::from(*c)),
            _ => Ok(()),
        }
    }
}

/// A text as it looks: runs of spaces are one. Of texts without anything [`Unseen`].
pub(super) fn look(text: &str) -> String {
    text.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found() {
        for text in ["", "a", "a  b", "é", "I21.0", "µg", "m²", "男", "👍"] {
            assert_eq!(Unseen::of(text), None, "{text:?}");
        }
        for (text, found) in [
            (" a", Unseen::OuterSpace),
            ("a\t", Unseen::OuterSpace),
            ("a\u{a0}", Unseen::OuterSpace),
            ("\u{3000}", Unseen::OuterSpace),
            ("a\u{200b}", Unseen::Invisible('\u{200b}')),
            ("\u{feff}a", Unseen::Invisible('\u{feff}')),
            ("a\u{ad}b", Unseen::Invisible('\u{ad}')),
            ("a\u{202e}b", Unseen::Invisible('\u{202e}')),
            ("a\tb", Unseen::Invisible('\t')),
            ("a\u{7f}", Unseen::Invisible('\u{7f}')),
            ("a\u{a0}b", Unseen::OtherSpace('\u{a0}')),
            ("e\u{301}", Unseen::NotNormal),
            ("\u{212b}", Unseen::NotNormal),
        ] {
            assert_eq!(Unseen::of(text), Some(found), "{text:?}");
        }
    }
}
