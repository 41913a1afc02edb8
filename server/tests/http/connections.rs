//! Which connections go on after an answer.

use crate::{
    common::people::beginning,
    world::{World, count, header},
};

fn post(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

const LAST: &str = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn requests_that_are_sent_together_are_all_answered() {
    let world = World::new().await;
    let one = "GET /v1/log HTTP/1.1\r\nhost: x\r\n\r\n";
    let answers = world.answers(one.repeat(500) + LAST).await;
    assert_eq!(count(&answers, 200), 501);
    assert_eq!(header(&answers, "connection"), None);
}

#[tokio::test]
async fn a_body_that_was_read_whole_keeps_its_connection() {
    let world = World::new().await;
    let statement = beginning()[1].entry().bytes().to_vec();
    let statement = String::from_utf8(statement).unwrap();
    let form = format!(
        "--B\r\ncontent-disposition: form-data; name=\"statement\"\r\n\r\n{statement}\r\n--B--\r\n"
    );
    let json = "application/json";
    let requests = [
        post("/v1/members", json, &statement),
        post("/v1/members", json, &statement),
        post("/v1/members", "multipart/form-data; boundary=B", &form),
        post("/v1/members", json, "{"),
        LAST.into(),
    ];
    let answers = world.answers(requests.concat()).await;
    let statuses = [201, 200, 400].map(|status| count(&answers, status));
    assert_eq!(statuses, [1, 3, 1], "{answers}");
}

#[tokio::test]
async fn a_body_that_was_not_read_ends_its_connection() {
    let world = World::new().await;
    let refused = post("/v1/members", "text/plain", "x");
    let answers = world.answers(refused + LAST).await;
    assert_eq!((count(&answers, 415), count(&answers, 200)), (1, 0));
    assert_eq!(header(&answers, "connection"), Some("close"));
}
