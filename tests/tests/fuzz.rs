//! Readers of bytes from outside, on bytes that are almost right: it refuses or reads them, and neither panics nor
//! takes long. What a verifier takes is what was proven.
//!
//! `GALEN_FUZZ_SECONDS=600 cargo test --release -p galen-tests --test fuzz` tries each reader for so long; without it, one
//! second. `GALEN_FUZZ_SEED` chooses other bytes. What fails is written to the temporary folder.

#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::{Entry, Envelope},
    evidence::{Evidence, ProvenEntry},
    statement::{Consortium, Member, QueryStatement, Role, Statement},
    tiles::{Edge, Level, LogKey, LogVerifier, TilePath, narrowed, parse_bundle},
};
use galen_params::VerifyingSet;
use galen_prover::table::TableReader;
use galen_query::{query::parse_query, question::Question, registry::Registry, text::hex};
use galen_tables::Mapping;
use galen_tests::{Asked, Hospital, Setup, ask, dice::Dice, keys};
use galen_verifier::{bundle::Bundle, manifest::Manifest, registration::Registration};
use parquet::arrow::ArrowWriter;

const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "n"
type = "number"
min = 0
max = 600

[[column]]
name = "sex"
type = "category"
codes = ["F", "M"]
nullable = true
"#;

const SQL: &str =
    "SELECT sex, count(*), avg(n) FROM t WHERE n BETWEEN 10 AND 500 AND sex = 'F' GROUP BY sex";

const MAPPING: &str = r#"
[mapping]
title = "People"
patient_id = "pid"
sql = "SELECT pid, consent, n, sex FROM people"

[[source]]
name = "people"
path = "people.csv"
format = "csv"
nulls = ["NA"]
types = { pid = "utf8", n = "int" }
"#;

/// The longest that a reader may take for an input of at most some ten kilobytes.
const LONG: Duration = Duration::from_secs(3);

/// What is put where a byte was: what formats are made of, and what numbers end at.
const BYTES: &[u8] = b"\0\xff\x80\x7f\"\\{}[]:,'();-+.=0919 \n\r\tEe_aZ";

/// What is put where a number was.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1e309",
    "-0",
    "255",
    "256",
    "65535",
    "65536",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "0.1",
    "NaN",
];

fn seconds() -> Duration {
    let given = env::var("GALEN_FUZZ_SECONDS").ok();
    given.map_or(Duration::from_secs(1), |s| {
        Duration::from_secs(s.parse().unwrap())
    })
}

fn at(dice: &mut Dice, length: usize) -> usize {
    usize::try_from(dice.below(length as u64 + 1)).unwrap()
}

/// One change.
fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], dice: &mut Dice) {
    let (a, b) = (at(dice, bytes.len()), at(dice, bytes.len()));
    let (from, to) = (a.min(b), a.max(b));
    match dice.below(9) {
        0 if from < bytes.len() => bytes[from] ^= 1 << dice.below(8),
        1 if from < bytes.len() => bytes[from] = *dice.pick(BYTES),
        2 => bytes.insert(from, *dice.pick(BYTES)),
        3 => bytes.truncate(to),
        4 => {
            bytes.drain(from..to.min(from + 40));
        }
        5 => {
            let copy = bytes[from..to.min(from + 40)].to_vec();
            bytes.splice(to..to, copy);
        }
        6 => {
            let other = dice.pick(others);
            let (a, b) = (at(dice, other.len()), at(dice, other.len()));
            bytes.splice(from..to, other[a.min(b)..a.max(b)].iter().copied());
        }
        7 => renumber(bytes, from, dice),
        // The same again and again: what is deep or long.
        _ => {
            let piece = bytes[from..to.min(from + 8)].to_vec();
            let times = usize::try_from(dice.below(400)).unwrap();
            bytes.splice(from..from, piece.repeat(times));
        }
    }
}

/// Puts another number in the place of the next one.
fn renumber(bytes: &mut Vec<u8>, from: usize, dice: &mut Dice) {
    let Some(begin) = bytes[from..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let begin = from + begin;
    let end = bytes[begin..].iter().position(|b| !b.is_ascii_digit());
    let end = end.map_or(bytes.len(), |n| begin + n);
    bytes.splice(begin..end, dice.pick(NUMBERS).bytes());
}

/// Tries a reader on changed seeds, all of which it must read as they are.
fn fuzz(name: &str, seeds: &[Vec<u8>], read: &mut dyn FnMut(&[u8]) -> bool) {
    for seed in seeds {
        assert!(read(seed), "{name} does not read what is right");
    }
    let start: u64 = env::var("GALEN_FUZZ_SEED").map_or(1, |s| s.parse().unwrap());
    let mut dice = Dice::new(start);
    let (until, mut rounds, mut taken) = (Instant::now() + seconds(), 0, 0);
    while Instant::now() < until {
        let mut bytes = dice.pick(seeds).clone();
        for _ in 0..=dice.below(4) {
            change(&mut bytes, seeds, &mut dice);
        }
        let before = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| read(&bytes)));
        let failed = match done {
            Ok(read) => {
                taken += u64::from(read);
                before.elapsed() > LONG
            }
            Err(_) => true,
        };
        if failed {
            let path = env::temp_dir().join(format!("galen-fuzz-{}", name.replace(' ', "-")));
            fs::write(&path, &bytes).unwrap();
            panic!(
                "{name}, seed {start}, round {rounds}, {:?}: {}",
                before.elapsed(),
                path.display()
            );
        }
        rounds += 1;
    }
    eprintln!("{name}: {rounds} inputs, {taken} of them read");
    assert!(rounds > 20, "{name} was hardly tried: {rounds}");
}

fn csv() -> String {
    let rows = (0..40).map(|i| {
        let sex = ["F", "M", ""][i % 3];
        format!("p{i},true,{},{sex}\n", i * 14)
    });
    "pid,consent,n,sex\n".to_owned() + &rows.collect::<String>()
}

fn hospital() -> Hospital {
    Setup::new(&csv(), REGISTRY).open().commit()
}

fn log_key() -> LogKey {
    LogKey::new("fuzz.example/log", SigningKey::from_bytes(&[9; 32])).unwrap()
}

/// Statements of some kinds, signed.
fn entries(question: &Question) -> Vec<Vec<u8>> {
    let key = SigningKey::from_bytes(&[3; 32]);
    let public = hex(key.verifying_key().as_bytes());
    let statements = [
        Statement::Consortium(Consortium {
            log: log_key().verifier().encoded(),
            version: 1,
            name: "Fuzz".into(),
            threshold: 1,
            stewards: vec![public.clone()],
        }),
        Statement::Member(Member {
            name: "Researcher".into(),
            role: Role::Researcher,
            key: public,
        }),
        Statement::Query(QueryStatement {
            query: question.clone(),
        }),
    ];
    let signed = |s| Entry::state(s, &[&key]).unwrap().bytes().to_vec();
    statements.iter().map(signed).collect()
}

#[test]
fn documents_of_an_answer() {
    let hospital = hospital();
    let asked = ask(&hospital, SQL);
    let manifest = json(hospital.manifest());
    fuzz("manifest", &[manifest], &mut |b| {
        Manifest::from_json(b).is_ok()
    });
    let registration = json(&hospital.dataset.registration().unwrap());
    fuzz("registration", &[registration], &mut |b| {
        Registration::from_json(b).is_ok()
    });
    let question = json(&asked.question);
    fuzz("query", &[question], &mut |b| {
        let registry = hospital.dataset.registry();
        Question::from_json(b).is_ok_and(|q| q.resolve(registry).is_ok())
    });
    let set = keys().verifying_bytes().to_vec();
    fuzz("parameter set", &[set], &mut |b| {
        VerifyingSet::from_bytes(b).is_ok()
    });
    bundles(&hospital, &asked);
}

/// Whatever is read of a changed bundle, only what was proven is verified.
fn bundles(hospital: &Hospital, asked: &Asked) {
    let proven = json(&asked.bundle);
    fuzz("bundle", &[proven], &mut |bytes| {
        let Ok(bundle) = Bundle::from_json(bytes) else {
            return false;
        };
        if let Ok(answer) = hospital.verify(&asked.question, &bundle) {
            assert_eq!(answer, asked.answer, "another answer is verified");
        }
        true
    });
}

fn json(of: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(of).unwrap()
}

#[test]
fn texts_that_people_write() {
    fuzz("registry", &[REGISTRY.into()], &mut |b| {
        std::str::from_utf8(b).is_ok_and(|t| Registry::from_toml(t).is_ok())
    });
    let registry = Registry::from_toml(REGISTRY).unwrap();
    let asks = [
        SQL,
        "SELECT count(*) FROM t WHERE NOT (n < 5 OR sex IS NULL) AND n NOT IN (7, 8, 9)",
        "SELECT width_bucket(n, 0, 600, 12), count(*), sum(n), percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM t GROUP BY width_bucket(n, 0, 600, 12)",
    ];
    let asks = asks.map(|sql| sql.as_bytes().to_vec());
    fuzz("SQL", &asks, &mut |b| {
        std::str::from_utf8(b).is_ok_and(|sql| parse_query(sql, &registry).is_ok())
    });
    fuzz("mapping", &[MAPPING.into()], &mut |b| {
        std::str::from_utf8(b).is_ok_and(|t| Mapping::from_toml(t, Path::new("m.toml")).is_ok())
    });
}

#[test]
fn what_a_ledger_is_sent_and_serves() {
    let hospital = hospital();
    let question = hospital.question(SQL);
    let entries = entries(&question);
    fuzz("envelope", &entries, &mut |b| {
        Envelope::parse(b).is_ok_and(|e| Statement::read(&e).is_ok())
    });
    let (key, mut edge) = (log_key(), Edge::new());
    let mut tiles = Vec::new();
    for n in 0..300 {
        edge.push(&entries[n % 3], &mut tiles).unwrap();
    }
    tiles.extend(edge.partials().unwrap());
    let checkpoint = key.sign(300, &edge.root()).unwrap();
    let cosigned = format!("{checkpoint}— witness.example AAAAAAAA\n");
    let checkpoints = [checkpoint.clone().into_bytes(), cosigned.into_bytes()];
    fuzz("checkpoint", &checkpoints, &mut |b| {
        match key.verifier().open(b) {
            // Whatever stands around it, it is the one that was signed.
            Ok(head) => {
                assert_eq!((head.size, head.root), (300, edge.root()));
                true
            }
            Err(_) => false,
        }
    });
    let encoded = [key.verifier().encoded().into_bytes()];
    fuzz("log key", &encoded, &mut |b| {
        std::str::from_utf8(b).is_ok_and(|t| LogVerifier::parse(t).is_ok())
    });
    let of = |level| tiles.iter().filter(move |t| t.path.level() == level);
    let paths: Vec<Vec<u8>> = tiles.iter().map(|t| t.path.to_string().into()).collect();
    fuzz("tile's path", &paths, &mut |b| {
        let text = std::str::from_utf8(b).unwrap_or_default();
        TilePath::parse(text).is_ok_and(|path| {
            assert_eq!(path.to_string(), text);
            true
        })
    });
    let bundles: Vec<Vec<u8>> = of(Level::Entries).map(|t| t.bytes.clone()).collect();
    fuzz("entry bundle", &bundles, &mut |b| {
        let _ = narrowed(Level::Entries, b, 44);
        parse_bundle(b).is_ok()
    });
    let hashes: Vec<Vec<u8>> = of(Level::Hashes(0)).map(|t| t.bytes.clone()).collect();
    fuzz("tile", &hashes, &mut |b| {
        narrowed(Level::Hashes(0), b, 44).is_ok()
    });
    let proven = ProvenEntry {
        index: 0,
        envelope: entries[0].clone(),
        proof: vec![[1; 32]; 9],
    };
    let evidence = Evidence::new(
        key.verifier(),
        checkpoint,
        vec![proven],
        &[entries[1].clone()],
    );
    fuzz("evidence", &[evidence.unwrap().to_json()], &mut |b| {
        Evidence::from_json(b).is_ok()
    });
}

#[test]
fn patient_tables() {
    let registry = Registry::from_toml(REGISTRY).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &'static str| {
        let (path, registry) = (folder.path().join(name), registry.clone());
        move |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let Ok(mut reader) = TableReader::open(&path, &registry) else {
                return false;
            };
            loop {
                match reader.next_chunk(16) {
                    Ok(Some(_)) => {}
                    Ok(None) => return true,
                    Err(_) => return false,
                }
            }
        }
    };
    let quoted = "\"pid\",\"consent\",\"n\",\"sex\"\r\n\"a,b\",\"true\",\"5\",\"F\"\r\n";
    fuzz(
        "CSV table",
        &[csv().into(), quoted.into()],
        &mut read("t.csv"),
    );
    fuzz("Parquet table", &[parquet()], &mut read("t.parquet"));
}

fn parquet() -> Vec<u8> {
    let ids: Vec<String> = (0..40).map(|i| format!("p{i}")).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("pid", Arc::new(StringArray::from(ids))),
        ("consent", Arc::new(BooleanArray::from(vec![true; 40]))),
        ("n", Arc::new(Int64Array::from_iter_values(0..40))),
        (
            "sex",
            Arc::new(
                (0..40)
                    .map(|i| [Some("F"), Some("M"), None][i % 3])
                    .collect::<StringArray>(),
            ),
        ),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}
