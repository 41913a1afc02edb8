//! The file was tampered with after an honest gatherer made it.

use galen_ledger::{
    LedgerError,
    documents::DocumentError,
    evidence::{
        Evidence, EvidenceError, MAX_BLOBS, MAX_ENTRIES, MAX_EVIDENCE_BYTES, MAX_PROOF_HASHES,
    },
    tiles::LogKey,
};
use galen_query::ReadError;
use serde_json::{Value, json};

use crate::{
    hospital::signing_key,
    log::{LOG, Log, log_key},
    story::{HONEST, NEEDED, blobs, honest, story, verify},
};

fn refused(change: impl FnOnce(&mut Value)) -> EvidenceError {
    let mut file: Value = serde_json::from_slice(&honest().to_json()).unwrap();
    change(&mut file);
    verify(file.to_string().as_bytes()).unwrap_err()
}

/// The file as text, with a part replaced.
fn refused_text(from: &str, to: &str) -> EvidenceError {
    let text = String::from_utf8(honest().to_json()).unwrap();
    assert!(text.contains(from), "{from}");
    verify(text.replacen(from, to, 1).as_bytes()).unwrap_err()
}

fn json_error(e: &EvidenceError) -> &str {
    match e {
        EvidenceError::File(ReadError::Json {
            what: "evidence",
            why,
        }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_format() {
    let e = refused(|f| f["format"] = json!("galen/evidence/v2"));
    assert!(
        matches!(
            &e,
            EvidenceError::File(ReadError::Format {
                what: "evidence",
                ..
            })
        ),
        "{e:?}"
    );
}

#[test]
fn a_field_that_is_not_listed() {
    for place in ["", "/entries/3", "/blobs/0"] {
        let e = refused(|f| f.pointer_mut(place).unwrap()["note"] = json!(1));
        assert!(json_error(&e).contains("unknown field `note`"), "{e}");
    }
}

#[test]
fn a_field_missing_or_twice() {
    for field in ["format", "log", "checkpoint", "entries", "blobs"] {
        let e = refused(|f| drop(f.as_object_mut().unwrap().remove(field)));
        assert!(json_error(&e).contains("missing field"), "{e}");
    }
    let e = refused_text("\"log\":", "\"log\": \"x\", \"log\":");
    assert!(json_error(&e).contains("duplicate field"), "{e}");
}

#[test]
fn an_index_that_is_none() {
    for index in [
        "NaN",
        "-1",
        "0.0",
        "\"0\"",
        "18446744073709551616",
        "null",
        "1e0",
    ] {
        let e = refused_text("\"index\": 0", &format!("\"index\": {index}"));
        json_error(&e);
    }
}

#[test]
fn lists_that_are_too_long() {
    let longer = |place: &str, n: usize| {
        refused(|f| {
            let list = f.pointer_mut(place).unwrap().as_array_mut().unwrap();
            let first = list[0].clone();
            list.resize(n + 1, first);
        })
    };
    for (place, most) in [
        ("/entries", MAX_ENTRIES),
        ("/entries/0/proof", MAX_PROOF_HASHES),
        ("/blobs", MAX_BLOBS),
    ] {
        let e = longer(place, most);
        assert!(
            json_error(&e).contains(&format!("more than {most} items")),
            "{e}"
        );
        // One less is read, and refused for what it is.
        let e = longer(place, most - 1);
        assert!(!matches!(e, EvidenceError::File(_)), "{place}: {e}");
    }
}

#[test]
fn a_file_that_is_too_large() {
    let e = Evidence::from_json(&vec![b' '; MAX_EVIDENCE_BYTES + 1]).unwrap_err();
    assert!(
        matches!(
            &e,
            EvidenceError::File(ReadError::TooLarge {
                what: "evidence",
                ..
            })
        ),
        "{e:?}"
    );
}

#[test]
fn half_a_file() {
    let whole = honest().to_json();
    json_error(&verify(&whole[..whole.len() / 2]).unwrap_err());
}

#[test]
fn a_log_key_that_is_none() {
    for key in ["", "log.example/galen", "log.example/galen+00000000+AAAA"] {
        let e = refused(|f| f["log"] = json!(key));
        assert!(matches!(e, EvidenceError::LogKey(_)), "{key}: {e:?}");
    }
}

#[test]
fn a_log_that_the_reader_does_not_trust() {
    let key = |origin: &str, seed| LogKey::new(origin, signing_key(seed)).unwrap();
    let bytes = honest().to_json();
    for trusted in [log_key(LOG + 1), key("log.example/other", LOG)] {
        let e = Evidence::from_json(&bytes)
            .unwrap()
            .verify(Some(trusted.verifier()));
        match e.unwrap_err() {
            EvidenceError::AnotherLog { expected, got } => {
                assert_eq!(expected, trusted.verifier().encoded());
                assert_eq!(got, log_key(LOG).verifier().encoded());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_file_is_made_for_another_key_of_the_log() {
    let other = log_key(LOG + 1);
    let other = other.verifier().encoded();
    let e = refused(|f| f["log"] = json!(other));
    assert!(matches!(e, EvidenceError::AnotherLog { .. }), "{e:?}");
    // Nor without a key to compare: the checkpoint is not signed by it.
    let text = String::from_utf8(honest().to_json()).unwrap();
    let ours = log_key(LOG).verifier().encoded();
    let e = Evidence::from_json(text.replace(&ours, &other).as_bytes());
    let e = e.unwrap().verify(None).unwrap_err();
    assert!(matches!(e, EvidenceError::Checkpoint(_)), "{e:?}");
}

#[test]
fn the_checkpoint_is_another_logs() {
    let root = [7; 32];
    let foreign = LogKey::new("log.example/other", signing_key(LOG)).unwrap();
    for text in [
        log_key(LOG + 1).sign(13, &root).unwrap(),
        foreign.sign(13, &root).unwrap(),
        String::new(),
    ] {
        let e = refused(|f| f["checkpoint"] = json!(text));
        assert!(matches!(e, EvidenceError::Checkpoint(_)), "{e:?}");
    }
}

#[test]
fn the_checkpoint_is_edited() {
    let e = refused(|f| {
        let text = f["checkpoint"].as_str().unwrap();
        f["checkpoint"] = json!(text.replacen("\n13\n", "\n14\n", 1));
    });
    assert!(matches!(e, EvidenceError::Checkpoint(_)), "{e:?}");
}

fn inclusion(e: &EvidenceError) -> u64 {
    match e {
        EvidenceError::Inclusion { index, .. } => *index,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_checkpoint_is_of_an_older_or_forked_tree() {
    let older = Log::of(HONEST.envelopes[..11].to_vec());
    let e = refused(|f| f["checkpoint"] = json!(older.checkpoint()));
    assert_eq!(inclusion(&e), 0);
    let mut story = story();
    story.pop();
    story.push(story[0].clone());
    let fork = Log::new(&story);
    assert_eq!(fork.size(), HONEST.size());
    let e = refused(|f| f["checkpoint"] = json!(fork.checkpoint()));
    assert_eq!(inclusion(&e), 0);
}

#[test]
fn proofs_are_swapped_cut_or_respelled() {
    let e = refused(|f| {
        let first = f["entries"][0]["proof"].take();
        let second = f["entries"][1]["proof"].take();
        f["entries"][0]["proof"] = second;
        f["entries"][1]["proof"] = first;
    });
    assert_eq!(inclusion(&e), 0);
    let e = refused(|f| drop(f["entries"][2]["proof"].as_array_mut().unwrap().pop()));
    assert_eq!(inclusion(&e), 2);
    let e = refused(|f| f["entries"][4]["proof"] = json!([]));
    assert_eq!(inclusion(&e), 5);
    let e = refused(|f| {
        let hash = &mut f["entries"][2]["proof"][0];
        *hash = json!(hash.as_str().unwrap().to_uppercase());
    });
    match e {
        EvidenceError::Inclusion {
            index: 2,
            source: LedgerError::Proof { why },
        } => assert!(why.contains("lower-case hex"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_byte_of_an_entry_is_changed() {
    // The same statement and signatures, but other bytes: another leaf.
    let e = refused(|f| {
        let text = f["entries"][3]["envelope"].as_str().unwrap();
        f["entries"][3]["envelope"] = json!(format!("{text} "));
    });
    assert_eq!(inclusion(&e), 3);
}

#[test]
fn an_entry_stands_elsewhere() {
    let e = refused(|f| f["entries"][8]["index"] = json!(12));
    assert_eq!(inclusion(&e), 12);
    let e = refused(|f| f["entries"][8]["index"] = json!(1_u64 << 40));
    assert_eq!(inclusion(&e), 1 << 40);
}

#[test]
fn entries_out_of_order_or_twice() {
    let e = refused(|f| f["entries"].as_array_mut().unwrap().swap(2, 3));
    assert!(
        matches!(
            e,
            EvidenceError::Order {
                index: 2,
                before: 3
            }
        ),
        "{e:?}"
    );
    let e = refused(|f| {
        let list = f["entries"].as_array_mut().unwrap();
        let answer = list[8].clone();
        list.push(answer);
    });
    assert!(
        matches!(
            e,
            EvidenceError::Order {
                index: 11,
                before: 11
            }
        ),
        "{e:?}"
    );
}

#[test]
fn nothing_in_it() {
    let e = refused(|f| f["entries"] = json!([]));
    assert!(matches!(e, EvidenceError::Answers { got: 0 }), "{e:?}");
}

#[test]
fn a_file_is_missing() {
    let mut kinds = Vec::new();
    for i in 0..blobs().len() {
        match refused(|f| drop(f["blobs"].as_array_mut().unwrap().remove(i))) {
            EvidenceError::BlobMissing { what, .. } => kinds.push(what),
            other => panic!("{other:?}"),
        }
    }
    let expected = ["toml", "verifying", "manifest", "registration", "bundle"];
    assert_eq!(kinds, expected);
}

#[test]
fn a_file_too_many() {
    let mut more = blobs();
    more.push(b"more".to_vec());
    let e = verify(&HONEST.evidence(&NEEDED, &more).to_json()).unwrap_err();
    assert!(matches!(e, EvidenceError::BlobExtra { .. }), "{e:?}");
    let e = refused(|f| {
        let list = f["blobs"].as_array_mut().unwrap();
        let first = list[0].clone();
        list.push(first);
    });
    assert!(matches!(e, EvidenceError::BlobTwice { .. }), "{e:?}");
}

#[test]
fn files_are_swapped_or_edited() {
    let blob_error = |e: EvidenceError| match e {
        EvidenceError::Document { index, source, .. } => match *source {
            DocumentError::Blob { document, .. } => (index, document),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let e = refused(|f| {
        let manifest = f["blobs"][2]["base64"].take();
        let registration = f["blobs"][3]["base64"].take();
        f["blobs"][2]["base64"] = registration;
        f["blobs"][3]["base64"] = manifest;
    });
    assert_eq!(blob_error(e), (7, "manifest"));
    let entries = [
        (2, "registry"),
        (3, "parameter set"),
        (7, "manifest"),
        (7, "registration"),
        (11, "bundle"),
    ];
    for (i, expected) in entries.into_iter().enumerate() {
        let e = refused(|f| {
            let text = f["blobs"][i]["base64"].as_str().unwrap().to_owned();
            let flipped = if text.starts_with('A') { "B" } else { "A" };
            f["blobs"][i]["base64"] = json!(format!("{flipped}{}", &text[1..]));
        });
        assert_eq!(blob_error(e), expected);
        let e = refused(|f| f["blobs"][i]["base64"] = json!(""));
        assert_eq!(blob_error(e), expected);
    }
}

#[test]
fn a_file_in_another_encoding() {
    for change in [|t: &str| format!("{t}="), |t: &str| format!("+{}", &t[1..])] {
        let e = refused(|f| {
            let text = f["blobs"][0]["base64"].as_str().unwrap();
            f["blobs"][0]["base64"] = json!(change(text));
        });
        assert!(matches!(e, EvidenceError::BlobEncoding { .. }), "{e:?}");
    }
}

#[test]
fn a_byte_anywhere() {
    let bytes = honest().to_json();
    let read = Evidence::from_json(&bytes).unwrap();
    let step = bytes.len() / 500;
    for at in (0..bytes.len()).step_by(step) {
        let mut edited = bytes.clone();
        edited[at] ^= 1;
        // What says the same, as another white space does, is the same file.
        if Evidence::from_json(&edited).is_ok_and(|e| e == read) {
            continue;
        }
        assert!(verify(&edited).is_err(), "byte {at}");
    }
}
