use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn keys() -> KeySet {
    [key(1), key(2)]
        .iter()
        .map(SigningKey::verifying_key)
        .collect()
}

/// The example of DSSE's protocol.md.
#[test]
fn pae_is_as_the_dsse_specification_has_it() {
    assert_eq!(
        pae("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
    assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    // Lengths are of bytes, not of characters.
    assert_eq!(pae("é", "ü".as_bytes()), "DSSEv1 2 é 2 ü".as_bytes());
}

#[test]
fn what_is_signed_is_read_back_byte_for_byte() {
    let entry = Entry::sign("text/plain", b"hello", &[&key(1), &key(2)]).unwrap();
    let read = Entry::read(entry.bytes(), &keys()).unwrap();
    assert_eq!(read, entry);
    assert_eq!(read.envelope().payload(), b"hello");
    assert_eq!(read.envelope().payload_type(), "text/plain");
    assert_eq!(read.signers().count(), 2);
    assert_eq!(read.dedup(), <Hash>::from(Sha256::digest(entry.bytes())));
}

#[test]
fn another_spelling_is_another_entry_of_the_same_statement() {
    let entry = Entry::sign("text/plain", b"hello", &[&key(1)]).unwrap();
    let spaced = [b" ", entry.bytes()].concat();
    let other = Entry::read(&spaced, &keys()).unwrap();
    assert_eq!(other.bytes(), spaced);
    assert_ne!(other.dedup(), entry.dedup());
    assert_eq!(other.statement(), entry.statement());
}

#[test]
fn every_flipped_bit_is_refused() {
    let entry = Entry::sign("text/plain", b"hello", &[&key(1)]).unwrap();
    for at in 0..entry.bytes().len() {
        for bit in 0..8 {
            let mut bytes = entry.bytes().to_vec();
            bytes[at] ^= 1 << bit;
            assert!(Entry::read(&bytes, &keys()).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn malformed_envelopes_are_refused() {
    let entry = Entry::sign("text/plain", b"hello", &[&key(1)]).unwrap();
    let text = String::from_utf8(entry.bytes().to_vec()).unwrap();
    let id = key_id(&key(1).verifying_key());
    let signature = text.split_once("[").unwrap().1.split_once("]").unwrap().0;
    let cases = [
        ("extra member", text.replacen('{', r#"{"extra":1,"#, 1)),
        (
            "extra in signature",
            text.replace(r#"{"keyid""#, r#"{"x":1,"keyid""#),
        ),
        (
            "member twice",
            text.replacen('{', r#"{"payload":"aGVsbG8=","#, 1),
        ),
        ("no signatures", text.replace(signature, "")),
        (
            "signed twice",
            text.replace(signature, &format!("{signature},{signature}")),
        ),
        (
            "no key id",
            text.replace(&format!(r#""keyid":"{id}","#), ""),
        ),
        ("upper-case key id", text.replace(&id, &id.to_uppercase())),
        (
            "unknown key",
            text.replace(&id, &key_id(&key(3).verifying_key())),
        ),
        (
            "another's signature",
            text.replace(&id, &key_id(&key(2).verifying_key())),
        ),
        ("unpadded base64", text.replace("aGVsbG8=", "aGVsbG8")),
        ("loose base64 bits", text.replace("aGVsbG8=", "aGVsbG9=")),
        ("other payload", text.replace("aGVsbG8=", "aGVsbGk=")),
        ("other type", text.replace("text/plain", "text/plaim")),
        ("empty type", text.replace("text/plain", "")),
        ("trailing bytes", format!("{text}x")),
        ("nothing", String::new()),
    ];
    for (name, bad) in cases {
        assert_ne!(bad, text, "{name} changes nothing");
        assert!(Entry::read(bad.as_bytes(), &keys()).is_err(), "{name}");
    }
    assert!(Entry::read(&[0xff, 0xfe], &keys()).is_err());
}

#[test]
fn the_limit_is_65_535_bytes() {
    let entry = Entry::sign("text/plain", b"hello", &[&key(1)]).unwrap();
    let padded = |n: usize| [vec![b' '; n - entry.bytes().len()], entry.bytes().to_vec()].concat();
    assert!(Entry::read(&padded(65_535), &keys()).is_ok());
    let e = Entry::read(&padded(65_536), &keys()).unwrap_err();
    assert!(matches!(e, LedgerError::EntryTooLarge { bytes: 65_536 }));
    assert!(Entry::sign("text/plain", &[0; 60_000], &[&key(1)]).is_err());
    assert!(Entry::sign("text/plain", b"", &[]).is_err());
}
