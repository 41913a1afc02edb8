//! The interface itself: hostile and mistaken requests, paging, pages for people.

use galen_server::service::Limits;
use galen_verifier::ledger::{
    entry::Entry,
    statement::{Member, Role, Statement},
};

use crate::{
    hospital::SQL,
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
    let sha256 = galen_verifier::ledger::statement::Blob::of(&[0; 200_000]).sha256;
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
