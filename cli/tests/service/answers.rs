//! Datasets, queries and answers: what is taken, and what is refused with its reason and leaves no entry.

use galen_ledger::{
    entry::Entry,
    statement::{AnswerStatement, DatasetStatement, QueryStatement, Statement},
};
use galen_verifier::{bundle::Bundle, registration::Registration};
use serde_json::Value;

use crate::{
    hospital::{BUNDLE, FIRST, Hospital, NEXT, OTHER, SQL, question},
    world::{World, researcher, steward},
};

#[test]
fn an_answer_is_recorded_shown_and_pooled() {
    let world = World::begun();
    world.register(&FIRST);
    world.register(&OTHER);
    let query = world.ask(SQL);
    world.put(&BUNDLE);
    let receipt = world.recorded("answers", &FIRST.answer(&BUNDLE), &FIRST.key);
    assert!(receipt["inclusion"]["checkpoint"].is_string());

    let results = world.get(&format!("/v1/queries/{query}/results")).json();
    assert_eq!(results["sites"].as_array().unwrap().len(), 1);
    assert!(results.get("pooled").is_none());

    let other = OTHER.bundle(SQL);
    world.put(&other);
    world.recorded("answers", &OTHER.answer(&other), &OTHER.key);
    let results = world.get(&format!("/v1/queries/{query}/results")).json();
    let table = |site: &Value| site["rows"].as_array().unwrap().clone();
    let sites: Vec<_> = results["sites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| table(&s["answer"]))
        .collect();
    let pooled = table(&results["pooled"]);
    assert_eq!(sites.len(), 2);
    let number = |cell: &Value| {
        cell["value"]
            .as_str()
            .map_or_else(|| cell["value"].as_f64(), |t| t.parse().ok())
    };
    for (row, pooled) in pooled.iter().enumerate() {
        let of = |column: usize| sites.iter().map(move |s| number(&s[row][column]).unwrap());
        let (n, total): (f64, f64) = (of(1).sum(), of(2).sum());
        assert_eq!(number(&pooled[1]), Some(n));
        assert_eq!(number(&pooled[2]), Some(total));
        let mean = number(&pooled[3]).unwrap();
        assert!((mean - total / n).abs() < 1e-3, "{mean} is not {total}/{n}");
    }
    world.stop_clean();
}

/// The first site has enough patients in each group to show them, the other has not.
#[test]
fn what_one_site_hides_stays_hidden_in_the_pooled_table() {
    let sql = "SELECT b, count(*) AS patients, percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS median \
               FROM t WHERE n <= 60 GROUP BY b";
    let world = World::begun();
    let query = world.ask(sql);
    for hospital in [&FIRST, &OTHER] {
        world.register(hospital);
        let bundle = hospital.bundle(sql);
        world.put(&bundle);
        world.recorded("answers", &hospital.answer(&bundle), &hospital.key);
    }
    let results = world.get(&format!("/v1/queries/{query}/results")).json();
    let types = |answer: &Value, column: usize| -> Vec<String> {
        let rows = answer["rows"].as_array().unwrap().iter();
        rows.map(|r| r[column]["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let sites = results["sites"].as_array().unwrap();
    let shown = |hospital: &Hospital| {
        let name = hospital.document().hospital.as_str();
        let site = sites.iter().find(|s| s["answer"]["hospital"] == name);
        types(&site.unwrap()["answer"], 1)
    };
    assert_eq!(shown(&FIRST), ["integer"; 3]);
    assert!(!shown(&OTHER).contains(&"integer".to_owned()));
    for column in [1, 2] {
        assert_eq!(types(&results["pooled"], column), ["withheld"; 3]);
    }
    assert_eq!(
        results["pooled"]["not_pooled"],
        serde_json::json!(["median"])
    );
    world.stop_clean();
}

#[test]
fn a_second_answer_is_refused_be_it_with_the_same_values() {
    let world = World::begun();
    world.register(&FIRST);
    world.ask(SQL);
    world.put(&BUNDLE);
    let first = world.recorded("answers", &FIRST.answer(&BUNDLE), &FIRST.key);
    let again = FIRST.bundle(SQL);
    assert_ne!(again, *BUNDLE);
    world.put(&again);
    let size = world.size();
    let refused = world.submit("answers", &FIRST.answer(&again), &FIRST.key);
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "second-answer")
    );
    assert_eq!(refused.json()["entry"], first["entry"]);
    // The same bytes are no second answer.
    let replayed = world.submit("answers", &FIRST.answer(&BUNDLE), &FIRST.key);
    assert_eq!(replayed.status, 200);
    assert_eq!(replayed.json()["index"], first["index"]);
    // And a refusal after the answer is one too.
    let refusal = world.submit("refusals", &FIRST.refusal(SQL), &FIRST.key);
    assert_eq!(refusal.problem(), "second-answer");
    assert_eq!(world.size(), size);
}

#[test]
fn an_answer_needs_its_query_and_the_current_epoch() {
    let world = World::begun();
    world.register(&FIRST);
    world.put(&BUNDLE);
    let answer = FIRST.answer(&BUNDLE);
    let early = world.submit("answers", &answer, &FIRST.key);
    assert_eq!(
        (early.status, early.problem().as_str()),
        (422, "not-registered")
    );
    world.ask(SQL);
    world.register(&NEXT);
    let late = world.submit("answers", &answer, &FIRST.key);
    assert_eq!(
        (late.status, late.problem().as_str()),
        (409, "epoch-not-current")
    );
    assert_eq!(late.json()["current_epoch"], 2);
    let back = world.submit("datasets", &FIRST.statement(), &FIRST.key);
    assert_eq!(back.status, 200, "the same bytes as before");
    world.stop_clean();
}

/// Batches of answers that were verified so far.
fn batches(world: &World) -> u32 {
    let text = world.get("/metrics").text();
    let mut lines = text.lines();
    let count = lines.find_map(|l| l.strip_prefix("galen_verification_batch_count "));
    count.unwrap().parse().unwrap()
}

/// Bundles that say more than they prove: each is refused with the failing place, and leaves no entry.
#[test]
fn a_bad_bundle_is_refused_with_the_failing_gate() {
    let world = World::begun();
    world.register(&FIRST);
    let query = world.ask(SQL);
    let size = world.size();
    let honest: Bundle = Bundle::from_json(&BUNDLE).unwrap();

    let mut swapped = honest.clone();
    let registration = Registration::from_json(&FIRST.registration).unwrap();
    swapped
        .proof
        .replace_range(..100, &registration.proofs[0][..100]);
    let mut shifted = honest.clone();
    let cell = serde_json::to_value(shifted.cells[0][0]).unwrap();
    let text = serde_json::to_string(&shifted).unwrap();
    assert!(text.contains(&cell.to_string()));
    if let galen_verifier::rules::State::Shown(n) = &mut shifted.cells[0][0] {
        *n += 1;
    }
    for (name, bad) in [("another proof", swapped), ("another number", shifted)] {
        let bytes = serde_json::to_vec(&bad).unwrap();
        world.put(&bytes);
        let refused = world.submit("answers", &FIRST.answer(&bytes), &FIRST.key);
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (422, "proof-refused"),
            "{name}"
        );
        let problem = refused.json();
        assert_eq!(problem["proof"], "bundle", "{name}");
        assert_eq!(problem["document"], "bundle");
        assert!(problem["check"] == "circuit" || problem["check"] == "opening");
        let again = world.submit("answers", &FIRST.answer(&bytes), &FIRST.key);
        assert_eq!(again.json(), problem, "{name}");
    }
    // What a false statement says of a good bundle is nothing against the bundle.
    world.put(&BUNDLE);
    let Statement::Answer(mut lie) = FIRST.answer(&BUNDLE) else {
        unreachable!()
    };
    lie.bundle.bytes += 1;
    let refused = world.submit("answers", &Statement::Answer(lie), &FIRST.key);
    assert_eq!(refused.status, 422);
    assert_eq!(world.size(), size);
    assert_eq!(
        world.get(&format!("/v1/queries/{query}/results")).json()["sites"],
        Value::Array(vec![])
    );
    // The honest one is not held up by them.
    world.put(&BUNDLE);
    world.recorded("answers", &FIRST.answer(&BUNDLE), &FIRST.key);
    // What was sent again was refused for the same, and not verified again. A batch is counted after its verdicts.
    while batches(&world) < 3 {
        std::thread::yield_now();
    }
    assert_eq!(batches(&world), 3);
}

/// The bundle is verified against the logged query and dataset, whatever it names itself.
#[test]
fn another_querys_or_hospitals_bundle_is_refused() {
    let world = World::begun();
    world.register(&FIRST);
    world.register(&OTHER);
    world.ask(SQL);
    let sql = "SELECT count(*) FROM t";
    world.ask(sql);
    let bundle = FIRST.bundle(sql);
    world.put(&bundle);
    let Statement::Answer(mut statement) = FIRST.answer(&bundle) else {
        unreachable!()
    };
    statement.query = galen_query::text::hex(&question(SQL).digest());
    let refused = world.submit("answers", &Statement::Answer(statement), &FIRST.key);
    assert_eq!(refused.problem(), "document-refused");
    // St. Other signs St. Test's answer; and says that it is its own.
    let refused = world.submit("answers", &FIRST.answer(&bundle), &OTHER.key);
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "another-hospital")
    );
    let parsed = Bundle::from_json(&bundle).unwrap();
    let stolen = AnswerStatement::of(&parsed, &bundle, OTHER.document());
    let refused = world.submit("answers", &Statement::Answer(stolen), &OTHER.key);
    assert_eq!(refused.problem(), "document-refused");
}

#[test]
fn files_must_be_there_and_be_those_that_are_named() {
    let world = World::begun();
    let missing = world.submit("datasets", &FIRST.statement(), &FIRST.key);
    assert_eq!(
        (missing.status, missing.problem().as_str()),
        (422, "missing-files")
    );
    assert_eq!(missing.json()["missing"].as_array().unwrap().len(), 2);
    let wrong = world.put_as(&"0".repeat(64), b"other bytes");
    assert_eq!(
        (wrong.status, wrong.problem().as_str()),
        (422, "wrong-file")
    );

    // The registration of another dataset.
    let statement = DatasetStatement::of(FIRST.document(), &FIRST.manifest, &OTHER.registration);
    world.put(&FIRST.manifest);
    world.put(&OTHER.registration);
    let refused = world.submit("datasets", &Statement::Dataset(statement), &FIRST.key);
    assert_eq!(refused.problem(), "document-refused");
    // A statement that says another epoch than its manifest.
    let Statement::Dataset(mut statement) = FIRST.statement() else {
        unreachable!()
    };
    statement.epoch = 7;
    world.put(&FIRST.registration);
    let refused = world.submit("datasets", &Statement::Dataset(statement), &FIRST.key);
    assert_eq!(refused.problem(), "document-mismatch");
}

#[test]
fn statement_and_files_may_come_in_one_request() {
    let world = World::begun();
    let entry = Entry::state(&FIRST.statement(), &[&FIRST.key]).unwrap();
    let parts: [(&str, &[u8]); 3] = [
        ("statement", entry.bytes()),
        ("blob", &FIRST.registration),
        ("blob", &FIRST.manifest),
    ];
    let send = |parts: &[(&str, &[u8])]| {
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let head = format!(
                "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n"
            );
            body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        }
        body.extend_from_slice(b"--b--\r\n");
        world.post("/v1/datasets", "multipart/form-data; boundary=b", &body)
    };
    let late = [parts[1], parts[0]];
    assert_eq!(send(&late).problem(), "bad-request");
    let stranger = [parts[0], ("blob", b"a file of nobody's".as_slice())];
    assert_eq!(send(&stranger).problem(), "wrong-file");
    let response = send(&parts);
    assert_eq!(response.status, 201, "{}", response.text());
}

#[test]
fn queries_must_make_sense_and_be_new() {
    let world = World::begun();
    world.ask(SQL);
    let again = Statement::Query(QueryStatement {
        query: question(SQL),
    });
    // Signed by the same key it is the same entry; under another spelling it is not.
    let entry = Entry::state(&again, &[&researcher()]).unwrap();
    let spaced = [b" ", entry.bytes()].concat();
    let refused = world.post("/v1/queries", "application/json", &spaced);
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "already-registered")
    );
    let mut query = question(SQL);
    query.sql = "SELECT min(n) FROM t".into();
    let refused = world.submit(
        "queries",
        &Statement::Query(QueryStatement { query }),
        &researcher(),
    );
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "document-refused")
    );
    let query = question("SELECT count(*) FROM t");
    let refused = world.submit(
        "queries",
        &Statement::Query(QueryStatement { query }),
        &steward(),
    );
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "unknown-key")
    );
}

#[test]
fn browsers_read_results_as_a_page_that_runs_nothing() {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let (world, receipt) = crate::reading::answered();
    let mut query = question(SQL);
    let digest = galen_query::text::hex(&query.digest());
    let path = format!("/v1/queries/{digest}/results");
    let page = world.get_as(&path, BROWSER);
    assert_eq!(
        (page.status, page.kind.as_str()),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.policy.clone().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = page.text();
    for part in [
        "St. Test, main, epoch 1",
        "<th>patients</th>",
        "<td>true</td>",
        "Made with development",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let entry = format!("/v1/entries/{}", receipt["index"]);
    assert!(text.contains(&entry), "{text}");
    // A program gets JSON, as it did.
    for accept in ["*/*", "application/json"] {
        let json = world.get_as(&path, accept);
        assert_eq!(json.kind, "application/json");
        assert_eq!(json.json()["query"], digest);
    }
    // Whatever a member writes is text.
    query.title = Some("<script>alert(1)</script>".into());
    let digest = galen_query::text::hex(&query.digest());
    let statement =
        galen_ledger::statement::Statement::Query(galen_ledger::statement::QueryStatement {
            query,
        });
    world.recorded("queries", &statement, &researcher());
    let text = world
        .get_as(&format!("/v1/queries/{digest}/results"), BROWSER)
        .text();
    assert!(
        text.contains("&lt;script&gt;alert(1)") && !text.contains("<script"),
        "{text}"
    );
    assert!(text.contains("No hospital has answered it yet"), "{text}");
}
