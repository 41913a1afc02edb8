//! The interface itself: hostile and mistaken requests, paging, pages for people.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

use galen_ledger::{
    entry::Entry,
    statement::{Blob, Member, RegistryStatement, Role, Statement},
};
use galen_server::service::Limits;

use crate::{
    hospital::{REGISTRY, SQL},
    world::{World, key, public, steward},
};

fn member(seed: u8) -> Statement {
    let (name, key) = (format!("m{seed}"), public(&key(seed)));
    Statement::Member(Member {
        name,
        role: Role::Hospital,
        key,
    })
}

#[test]
fn what_cannot_be_read_is_refused_with_a_problem() {
    let world = World::new();
    let entry = Entry::state(&member(1), &[&steward()]).unwrap();
    let text = String::from_utf8(entry.bytes().to_vec()).unwrap();
    let json = "application/json";
    let big = vec![b' '; 70_000];
    let huge = vec![b' '; 200_000];
    let extra = text.replacen('{', "{\"x\":1,", 1);
    let cases: [(&str, &str, &[u8], u16, &str); 10] = [
        ("/v1/members", json, b"{", 400, "malformed-entry"),
        ("/v1/members", json, b"", 400, "malformed-entry"),
        ("/v1/members", json, b"null", 400, "malformed-entry"),
        ("/v1/members", json, &[0xff; 40], 400, "malformed-entry"),
        (
            "/v1/members",
            json,
            extra.as_bytes(),
            400,
            "malformed-entry",
        ),
        ("/v1/members", json, &big, 413, "too-large"),
        (
            "/v1/members",
            "text/plain",
            text.as_bytes(),
            415,
            "unsupported-media-type",
        ),
        (
            "/v1/members",
            "multipart/form-data",
            text.as_bytes(),
            400,
            "bad-request",
        ),
        ("/v1/nothing", json, text.as_bytes(), 404, "not-found"),
        (
            "/v1/members?wait=forever",
            json,
            text.as_bytes(),
            400,
            "bad-request",
        ),
    ];
    for (path, kind, body, status, code) in cases {
        let response = world.post(path, kind, body);
        assert_eq!(
            (response.status, response.problem().as_str()),
            (status, code),
            "{path} {kind}"
        );
    }
    let response = world.post("/v1/members", json, &huge);
    assert_eq!(
        (response.status, response.problem().as_str()),
        (413, "too-large")
    );
    let damaged = text.replace("payload\":\"eyJ", "payload\":\"fyJ");
    assert_ne!(damaged, text);
    assert!(matches!(
        world.post("/v1/members", json, damaged.as_bytes()).status,
        400 | 403
    ));
    assert_eq!(world.size(), 1);
    assert_eq!(world.post("/v1/members", json, text.as_bytes()).status, 201);
}

#[test]
fn a_statement_has_one_form() {
    let world = World::new();
    let steward = steward();
    let good = member(1);
    let Statement::Member(Member { name, key, .. }) = &good else {
        unreachable!()
    };
    let payloads = [
        format!(r#"["{name}","hospital","{key}"]"#),
        format!(r#"{{"name":"{name}","role":{{"hospital":null}},"key":"{key}"}}"#),
        format!(r#"{{"name":"{name} ","role":"hospital","key":"{key}"}}"#),
        format!(r#"{{"name":"{name}\u200b","role":"hospital","key":"{key}"}}"#),
    ];
    for payload in payloads {
        let entry = Entry::sign(&good.payload_type(), payload.as_bytes(), &[&steward]).unwrap();
        let refused = world.post("/v1/members", "application/json", entry.bytes());
        assert_eq!(refused.problem(), "malformed-entry", "{payload}");
    }
    let entry: serde_json::Value =
        serde_json::from_slice(Entry::state(&good, &[&steward]).unwrap().bytes()).unwrap();
    let signature = &entry["signatures"][0];
    let listed = serde_json::json!([
        entry["payloadType"],
        entry["payload"],
        [[signature["keyid"], signature["sig"]]]
    ]);
    let refused = world.post(
        "/v1/members",
        "application/json",
        listed.to_string().as_bytes(),
    );
    assert_eq!(refused.problem(), "malformed-entry");
    // Spaces and the order of members are free.
    let spaced = serde_json::to_vec_pretty(&entry).unwrap();
    assert_eq!(
        world
            .post("/v1/members", "application/json", &spaced)
            .status,
        201
    );
}

/// A registry whose file is of so many bytes, as it says.
fn registry_of(bytes: u64) -> Statement {
    Statement::Registry(RegistryStatement {
        registry: "big v1".into(),
        digest: "0".repeat(64),
        toml: Blob {
            sha256: "0".repeat(64),
            bytes,
        },
    })
}

#[test]
fn a_files_length_is_bounded_and_has_its_room() {
    let world = World::with(Limits {
        uploads: 1_000,
        ..Limits::default()
    });
    for (bytes, status, code) in [
        (1_000, 422, "missing-files"),
        (1_001, 503, "busy"),
        (256 << 20, 503, "busy"),
        ((256 << 20) + 1, 400, "malformed-entry"),
    ] {
        let refused = world.submit("registries", &registry_of(bytes), &steward());
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (status, code),
            "{bytes}"
        );
    }
}

#[test]
fn nothing_is_kept_of_what_comes_before_a_part() {
    let world = World::new();
    let kind = "multipart/form-data; boundary=BB";
    let endless = vec![b'a'; 1 << 20];
    let headers = [b"--BB\r\nx: ".as_slice(), &endless].concat();
    for body in [endless, headers] {
        let refused = world.post("/v1/queries", kind, &body);
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, "bad-request")
        );
        assert!(
            refused.text().contains("too much comes before"),
            "{}",
            refused.text()
        );
    }
}

#[test]
fn files_are_sent_as_they_are() {
    let world = World::begun();
    let sha256 = Blob::of(REGISTRY.as_bytes()).sha256;
    let head = "host: x\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n";
    let text = answered(
        &world,
        &format!("GET /v1/blobs/{sha256} HTTP/1.1\r\n{head}"),
        5,
    );
    assert!(!text.contains("content-encoding"), "{text}");
    assert!(text.ends_with(REGISTRY), "{text}");
}

#[test]
fn reading_what_is_not_there_is_a_404_and_a_wrong_method_a_405() {
    let world = World::new();
    for path in [
        "/nothing",
        "/v1/entries/1",
        "/v1/entries/x",
        "/v1/entries/18446744073709551615",
        "/v1/entries/99999999999999999999",
        "/v1/entries/1/proof",
        "/v1/blobs/00",
        "/v1/queries/00",
        "/v1/queries/00/results",
        "/tile/0/001",
        "/tile/7/000",
        "/tile/entries/../checkpoint",
        "/problems/none",
    ] {
        let response = world.get(path);
        assert_eq!(
            (response.status, response.problem().as_str()),
            (404, "not-found"),
            "{path}"
        );
    }
    let missing = world.get(&format!("/v1/blobs/{}", "0".repeat(64)));
    assert_eq!(missing.status, 404);
    let response = world.post("/checkpoint", "application/json", b"{}");
    assert_eq!(
        (response.status, response.problem().as_str()),
        (405, "method-not-allowed")
    );
    for path in [
        "/v1/members?limit=0",
        "/v1/members?limit=201",
        "/v1/members?color=red",
        "/v1/members?after=9223372036854775808",
        "/v1/events?after=9223372036854775808",
    ] {
        assert_eq!(world.get(path).problem(), "bad-request", "{path}");
    }
}

#[test]
fn lists_have_pages_and_filters() {
    let world = World::new();
    for seed in 1..=5 {
        world.recorded("members", &member(seed), &steward());
    }
    let first = world.get("/v1/members?limit=2").json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_u64().unwrap();
    let rest = world.get(&format!("/v1/members?after={next}")).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
    assert!(rest.get("next").is_none());
    // Databases refuse a NUL in a text: nothing has such a name.
    let none = world.get("/v1/members?member=m%003");
    assert_eq!(none.status, 200, "{}", none.text());
    assert_eq!(none.json()["items"], serde_json::json!([]));
    let one = world.get("/v1/members?member=m3").json();
    assert_eq!(one["items"][0]["statement"]["name"], "m3");
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let digest = one["items"][0]["digest"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/v1/members/{digest}")).json()["index"],
        one["items"][0]["index"]
    );
}

#[test]
fn twins_of_a_submission_get_one_index() {
    let world = World::new();
    for seed in 1..=20 {
        let entry = Entry::state(&member(seed), &[&steward()]).unwrap();
        let post = || world.post("/v1/members", "application/json", entry.bytes());
        let (statuses, indices): (Vec<u16>, Vec<u64>) = thread::scope(|scope| {
            let twins: Vec<_> = (0..8).map(|_| scope.spawn(post)).collect();
            twins
                .into_iter()
                .map(|twin| twin.join().unwrap())
                .map(|r| (r.status, r.json()["index"].as_u64().unwrap()))
                .unzip()
        });
        assert_eq!(indices, [u64::from(seed); 8]);
        let recorded = statuses.iter().filter(|s| **s == 201).count();
        let known = statuses.iter().filter(|s| **s == 200).count();
        assert_eq!((recorded, known), (1, 7), "{statuses:?}");
    }
    world.stop_clean();
}

/// What is answered to raw bytes, until the connection is closed or `seconds` are over.
fn answered(world: &World, request: &str, seconds: u64) -> String {
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://")).unwrap();
    let patience = Duration::from_secs(seconds);
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it is closed");
    text
}

#[test]
fn what_is_refused_before_it_has_come_ends_its_connection() {
    let world = World::new();
    let head = "POST /v1/members HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n";
    let text = answered(
        &world,
        &format!("{head}content-length: 1000000\r\n\r\nx"),
        5,
    );
    assert!(text.starts_with("HTTP/1.1 415"), "{text}");
    assert!(text.contains("connection: close"), "{text}");
}

#[test]
fn only_http_1_is_spoken_here() {
    let world = World::new();
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert!(!answered(&world, preface, 5).contains("200"));
}

#[test]
fn a_lame_duck_serves_but_is_not_ready() {
    let world = World::new();
    world.begin_to_stop();
    assert_eq!(world.get("/readyz").status, 503);
    let text = answered(&world, "GET /v1/log HTTP/1.1\r\nhost: x\r\n\r\n", 5);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("connection: close"), "{text}");
    world.recorded("members", &member(1), &steward());
    world.stop_clean();
}

#[test]
fn the_pages_for_people_and_tools_are_there() {
    let world = World::new();
    assert!(world.get("/").text().contains("localhost/test"));
    assert!(world.get("/docs/").text().contains("swagger"));
    let description = world.get("/openapi.json").json();
    assert!(description["paths"]["/v1/{collection}"]["post"].is_object());
    assert!(world.get("/problems/proof-refused").text().contains("gate"));
    assert_eq!(world.get("/livez").status, 200);
    assert_eq!(world.get("/readyz").status, 200);
    assert!(
        world
            .get("/metrics")
            .text()
            .contains("galen_requests_total")
    );
}

#[test]
fn a_file_beyond_the_limit_is_refused() {
    let world = World::with(Limits {
        blob: 1_000,
        ..Limits::default()
    });
    let sha256 = Blob::of(&[0; 200_000]).sha256;
    let response = world.put_as(&sha256, &[0; 200_000]);
    assert_eq!(
        (response.status, response.problem().as_str()),
        (413, "too-large")
    );
}

#[test]
fn a_full_queue_says_when_to_come_back() {
    let world = World::with(Limits {
        uploads: 0,
        ..Limits::default()
    });
    let response = world.put_as(&"0".repeat(64), SQL.as_bytes());
    assert_eq!(
        (response.status, response.problem().as_str()),
        (503, "busy")
    );
    assert!(response.retry_after.is_some());
}

#[test]
fn who_sends_files_for_nothing_hears_why() {
    let world = World::new();
    let entry = Entry::state(&member(1), &[&steward()]).unwrap();
    let kind = "multipart/form-data; boundary=BB";
    let head = "--BB\r\ncontent-disposition: form-data; name=\"statement\"\r\n\r\n";
    let next = "\r\n--BB\r\ncontent-disposition: form-data; name=\"blob\"; filename=\"f\"\r\n\r\n";
    let file = vec![b'x'; 5 << 20];
    let parts = [head.as_bytes(), entry.bytes(), next.as_bytes(), &file];
    let body = [&parts.concat()[..], b"\r\n--BB--\r\n"].concat();
    let refused = world.post("/v1/members", kind, &body);
    assert_eq!(refused.problem(), "bad-request");
    let recorded = world.post("/v1/members", "application/json", entry.bytes());
    assert_eq!(recorded.status, 201);
    // What is recorded already needs no files.
    assert_eq!(world.post("/v1/members", kind, &body).status, 200);
}
