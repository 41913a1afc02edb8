//! How bytes stand in JSON: digests and keys as lower-case hex, points and proofs as base64url.

use std::fmt::Write as _;

use crate::VerifyError;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

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

/// Parses a JSON document of bounded size.
pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    what: &'static str,
    limit: usize,
) -> Result<T, VerifyError> {
    if bytes.len() > limit {
        return Err(VerifyError::TooLarge {
            what,
            bytes: bytes.len(),
            limit,
        });
    }
    serde_json::from_slice(bytes).map_err(|e| VerifyError::Json {
        what,
        why: e.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
