//! How bytes stand in JSON: digests and keys as lower-case hex, points and proofs as base64url.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{ReadError, shape::Shape};

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut s, b| {
            let _ = write!(s, "{b:02x}");
            s
        })
}

/// Exactly N bytes of lower-case hex.
#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let nibble = |d: u8| match d {
        b'0'..=b'9' => Some(d - b'0'),
        b'a'..=b'f' => Some(d - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

/// base64url without padding (RFC 4648 §5).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Canonical base64url of at most `limit` bytes.
#[must_use]
pub fn from_base64(text: &str, limit: usize) -> Option<Vec<u8>> {
    if text.len() > limit.div_ceil(3) * 4 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Parses a JSON document of bounded size, which says [exactly](parse_exact) what is read of it.
///
/// # Errors
/// Too large, which is found before anything is parsed; or not JSON of this form.
pub fn parse_json<T: DeserializeOwned + Serialize>(
    bytes: &[u8],
    what: &'static str,
    limit: usize,
) -> Result<T, ReadError> {
    if bytes.len() > limit {
        return Err(ReadError::TooLarge {
            what,
            bytes: bytes.len(),
            limit,
        });
    }
    parse_exact(bytes).map_err(|why| ReadError::Json { what, why })
}

/// Parses JSON that says exactly what is read of it: a struct is an object and no list of its fields, and no
/// member is null or empty where it can be left out. Spaces and the order of members are free.
pub fn parse_exact<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, String> {
    let read: T = serde_json::from_slice(bytes).map_err(|e| without_content(&e.to_string()))?;
    let said: Shape = serde_json::from_slice(bytes).map_err(|e| without_content(&e.to_string()))?;
    let again = serde_json::to_vec(&read).map_err(|e| e.to_string())?;
    if serde_json::from_slice::<Shape>(&again).is_ok_and(|shape| shape == said) {
        Ok(read)
    } else {
        Err(
            "a list in the place of an object, or a null or empty list that is better left out"
                .into(),
        )
    }
}

/// What is wrong with JSON, without the values that stand in it: a secret key or a patient's record may have been given
/// by mistake. An unknown member is named where its name could be one of ours.
fn without_content(message: &str) -> String {
    let expected = message.rfind(", expected ").unwrap_or(message.len());
    let (found, rest) = message.split_at(expected);
    let is_name = |name: &str| {
        let of_ours = |c: char| c.is_ascii_lowercase() || c == '_';
        name.len() < 32 && name.chars().all(of_ours)
    };
    for kind in ["unknown field", "unknown variant"] {
        let Some(name) = found.strip_prefix(kind) else {
            continue;
        };
        return match name.trim_matches([' ', '`']) {
            name if is_name(name) => message.to_owned(),
            _ => format!("{kind}{rest}"),
        };
    }
    for kind in ["invalid type", "invalid value"] {
        let Some(value) = found.strip_prefix(kind) else {
            continue;
        };
        let word = value
            .trim_start_matches([':', ' '])
            .split([' ', '`'])
            .next();
        return format!("{kind}: {}{rest}", word.unwrap_or_default());
    }
    message.to_owned()
}

/// Whether a character leaves no mark of its own, or moves others about: control characters, direction marks,
/// zero-width and other default-ignorable ones (Unicode, DerivedCoreProperties).
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// What to call a text that means NULL in a CSV where it is no code, and is no patient's id anywhere.
#[must_use]
pub fn null_word(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("of no letters"),
        "NA" => Some("NA"),
        "NULL" => Some("NULL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_exactly_what_is_read() {
        #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Thing {
            name: String,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            title: Option<String>,
        }
        let thing = Thing {
            name: "a".into(),
            title: None,
        };
        assert_eq!(parse_exact(b" {\"name\" : \"\\u0061\"} "), Ok(thing));
        for bad in [
            r#"["a"]"#,
            r#"["a",null]"#,
            r#"{"name":"a","title":null}"#,
            r#"{"name":"a","name":"a"}"#,
            r#"{"name":"a"} {}"#,
        ] {
            assert!(parse_exact::<Thing>(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn errors_repeat_nothing_of_a_file_given_by_mistake() {
        #[derive(Debug, Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Thing {
            name: String,
        }
        let secrets = [
            "3101ab",
            "\"Jane Doe, expected never\"",
            "[\"Jane Doe\"]",
            "{\"Jane Doe\": 1}",
            "{\"name\": 19500102}",
            "{\"Jane`, expected `Doe\": 1}",
        ];
        for text in secrets {
            let why = parse_exact::<Thing>(text.as_bytes()).unwrap_err();
            let told = ["3101", "Jane", "Doe", "1950"];
            assert!(!told.iter().any(|t| why.contains(t)), "{why}");
        }
        let why = parse_exact::<Thing>(b"{\"note\": 1}").unwrap_err();
        assert!(
            why.starts_with("unknown field `note`, expected `name`"),
            "{why}"
        );
        let why = parse_exact::<Thing>(b"{\"name\": 1}").unwrap_err();
        assert!(
            why.starts_with("invalid type: integer, expected a string"),
            "{why}"
        );
    }

    #[test]
    fn structs_within_are_objects_too() {
        #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
        struct Outer {
            inner: Vec<Inner>,
        }
        #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
        struct Inner {
            n: i64,
        }
        let read = |text: &str| parse_json::<Outer>(text.as_bytes(), "thing", 30);
        let inner = vec![Inner { n: -1 }];
        assert_eq!(read(r#"{"inner":[{"n":-1}]}"#).unwrap(), Outer { inner });
        for bad in [r#"{"inner":[[-1]]}"#, r#"[[{"n":-1}]]"#, "[[]]"] {
            let error = read(bad).unwrap_err();
            assert!(matches!(error, ReadError::Json { .. }), "{bad}");
        }
        let error = read(&" ".repeat(31)).unwrap_err();
        assert!(matches!(error, ReadError::TooLarge { .. }));
    }

    #[test]
    fn marks_are_seen_and_joiners_are_not() {
        for c in ['\u{200b}', '\u{202e}', '\u{feff}', '\n', '\u{2028}'] {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in ['a', ' ', 'é', '山', '\u{301}', '€'] {
            assert!(!is_invisible(c), "{c:?}");
        }
    }

    #[test]
    fn only_canonical_text_is_taken() {
        assert_eq!(from_hex::<2>("00ff"), Some([0, 255]));
        for bad in ["00fF", "00f", "00ff0", "0x00", "ééé"] {
            assert_eq!(from_hex::<2>(bad), None, "{bad}");
        }
        assert_eq!(from_base64("AAE", 2), Some(vec![0, 1]));
        // Trailing bits, padding, standard alphabet, too long.
        for bad in ["AAF", "AAE=", "+/8", "AAECAwQFBgc"] {
            assert_eq!(from_base64(bad, 2), None, "{bad}");
        }
    }
}
