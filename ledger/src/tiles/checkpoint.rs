//! Checkpoints (c2sp.org/tlog-checkpoint): three lines, signed as a note (c2sp.org/signed-note).
//!
//! ```text
//! galen.example/ledger
//! 923748
//! nND/nri//U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=
//!
//! — galen.example/ledger x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
//! ```
//! No time and no other extension: the same tree always gives the same bytes, so that signing twice is
//! signing once.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use signed_note::{Note, Signer, Verifier, VerifierList};

use super::{Hash, MAX_SIZE};
use crate::LedgerError;

/// The most bytes of a signed checkpoint that is read: room for 100 cosignatures.
pub const MAX_CHECKPOINT_BYTES: usize = 65_536;

const ED25519: u8 = 1;

/// A tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Entries in the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// The log's signing key; the key's name is the log's origin.
#[derive(Clone)]
pub struct LogKey {
    key: SigningKey,
    verifier: LogVerifier,
}

/// The log's public key; the key's name is the log's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerifier {
    origin: String,
    id: u32,
    key: VerifyingKey,
}

fn refused(why: impl fmt::Display) -> LedgerError {
    LedgerError::Checkpoint {
        why: why.to_string(),
    }
}

impl LogKey {
    /// A key for a log.
    ///
    /// # Errors
    /// An origin that is empty or has spaces, pluses or control characters.
    pub fn new(origin: &str, key: SigningKey) -> Result<Self, LedgerError> {
        let verifier = LogVerifier::new(origin, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &LogVerifier {
        &self.verifier
    }

    /// The signed checkpoint of a tree: always the same bytes for the same size and root.
    ///
    /// # Errors
    /// A size beyond [`MAX_SIZE`].
    pub fn sign(&self, size: u64, root: &Hash) -> Result<String, LedgerError> {
        if size > MAX_SIZE {
            return Err(LedgerError::range("a checkpoint's size"));
        }
        let head =
            tlog_tiles::Checkpoint::new(&self.verifier.origin, size, tlog_tiles::Hash(*root), "")
                .map_err(refused)?;
        self.sign_text(&head.to_bytes())
    }

    fn sign_text(&self, text: &[u8]) -> Result<String, LedgerError> {
        let mut note = Note::new(text, &[]).map_err(refused)?;
        note.add_sigs(&[self]).map_err(refused)?;
        String::from_utf8(note.to_bytes()).map_err(refused)
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

impl Signer for LogKey {
    fn name(&self) -> &str {
        &self.verifier.origin
    }

    fn key_id(&self) -> u32 {
        self.verifier.id
    }

    fn sign(&self, msg: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.key.sign(msg).to_bytes().to_vec())
    }
}

impl LogVerifier {
    /// The public key of a log.
    ///
    /// # Errors
    /// An origin that is empty or has spaces, pluses or control characters.
    pub fn new(origin: &str, key: VerifyingKey) -> Result<Self, LedgerError> {
        if !signed_note::is_key_name_valid(origin) || origin.chars().any(char::is_control) {
            return Err(refused(
                "an origin has no spaces, pluses or control characters",
            ));
        }
        let mut typed = vec![ED25519];
        typed.extend_from_slice(key.as_bytes());
        Ok(Self {
            origin: origin.to_owned(),
            id: signed_note::key_id(origin, &typed),
            key,
        })
    }

    /// Reads the form that [`encoded`](Self::encoded) writes.
    ///
    /// # Errors
    /// A text that is not `<origin>+<id>+<key>` with an ed25519 key and its own id.
    pub fn parse(encoded: &str) -> Result<Self, LedgerError> {
        let wrong = || refused("a log's key is written <origin>+<id>+<key>, with an ed25519 key");
        // An origin has no plus; base64 may have some.
        let (origin, rest) = encoded.split_once('+').ok_or_else(wrong)?;
        let (_, key) = rest.split_once('+').ok_or_else(wrong)?;
        let typed = BASE64_STANDARD.decode(key).map_err(|_| wrong())?;
        let key = typed.strip_prefix(&[ED25519]).ok_or_else(wrong)?;
        let key: [u8; 32] = key.try_into().map_err(|_| wrong())?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong())?;
        let verifier = Self::new(origin, key)?;
        // The id and the spelling, all at once.
        if verifier.encoded() != encoded {
            return Err(refused("the key's id is not that of its origin and key"));
        }
        Ok(verifier)
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key as `<origin>+<id>+<key>`, the form that Go's `note` and other C2SP tools take.
    #[must_use]
    pub fn encoded(&self) -> String {
        signed_note::new_ed25519_verifier_key(&self.origin, &self.key)
    }

    /// Opens a signed checkpoint: this log's, with a valid signature by this key. Signatures by other keys
    /// (cosigners') are passed over.
    ///
    /// # Errors
    /// [`LedgerError::Checkpoint`].
    pub fn open(&self, signed: &[u8]) -> Result<Checkpoint, LedgerError> {
        if signed.len() > MAX_CHECKPOINT_BYTES {
            return Err(refused("it is too long"));
        }
        let note = Note::from_bytes(signed).map_err(refused)?;
        note.verify(&VerifierList::new(vec![Box::new(self.clone())]))
            .map_err(refused)?;
        let head = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(refused)?;
        if head.origin() != self.origin {
            return Err(refused("it is another log's"));
        }
        if !head.extension().is_empty() {
            return Err(refused("it has extension lines"));
        }
        if head.size() > MAX_SIZE {
            return Err(LedgerError::range("a checkpoint's size"));
        }
        Ok(Checkpoint {
            origin: self.origin.clone(),
            size: head.size(),
            root: head.hash().0,
        })
    }
}

impl Verifier for LogVerifier {
    fn name(&self) -> &str {
        &self.origin
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, msg: &[u8], sig: &[u8]) -> bool {
        Signature::from_slice(sig).is_ok_and(|s| self.key.verify_strict(msg, &s).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and note of Go's golang.org/x/mod/sumdb/note documentation.
    fn neumann() -> LogKey {
        let typed = BASE64_STANDARD
            .decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
            .unwrap();
        let seed: [u8; 32] = typed[1..].try_into().unwrap();
        LogKey::new("PeterNeumann", SigningKey::from_bytes(&seed)).unwrap()
    }

    #[test]
    fn a_note_is_signed_as_go_signs_it() {
        let key = neumann();
        assert_eq!(
            key.verifier().encoded(),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        );
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let signature = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert_eq!(
            key.sign_text(text.as_bytes()).unwrap(),
            format!("{text}\n{signature}")
        );
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let text = neumann().verifier().encoded();
        assert_eq!(LogVerifier::parse(&text).unwrap(), *neumann().verifier());
        let cut = text.len() - 1;
        for bad in [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a3",
            &text[..cut],
            &format!("{text}="),
            &format!("{text}\n"),
            &text.replace("c74f20a3", "c74f20a4"),
            &text.replace("c74f20a3", "C74F20A3"),
            &text.replace("Peter", "Petra"),
            &text.replace("+ARpc", "+Arpc"),
        ] {
            assert!(LogVerifier::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_checkpoint_opens_with_its_key_only() {
        let key = neumann();
        let signed = key.sign(923_748, &[7; 32]).unwrap();
        assert!(signed.starts_with(
            "PeterNeumann\n923748\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— PeterNeumann "
        ));
        assert_eq!(signed, key.sign(923_748, &[7; 32]).unwrap());
        let head = key.verifier().open(signed.as_bytes()).unwrap();
        assert_eq!((head.size, head.root), (923_748, [7; 32]));

        let other = LogKey::new("PeterNeumann", SigningKey::from_bytes(&[1; 32])).unwrap();
        assert!(other.verifier().open(signed.as_bytes()).is_err());
        let renamed = LogKey::new("Peter", key.key.clone()).unwrap();
        assert!(renamed.verifier().open(signed.as_bytes()).is_err());
        for at in 0..signed.len() {
            let mut bytes = signed.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(key.verifier().open(&bytes).is_err(), "byte {at}");
        }
        let extended = key
            .sign_text(b"PeterNeumann\n1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\nmore\n")
            .unwrap();
        assert!(key.verifier().open(extended.as_bytes()).is_err());
        let foreign = key
            .sign_text(b"Another\n1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n")
            .unwrap();
        assert!(key.verifier().open(foreign.as_bytes()).is_err());
        assert!(key.sign(MAX_SIZE + 1, &[0; 32]).is_err());
        assert!(LogKey::new("a b", SigningKey::from_bytes(&[1; 32])).is_err());
    }
}
