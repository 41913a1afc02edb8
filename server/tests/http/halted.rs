//! A service whose log has halted, as it is until its operator ends it.

use crate::{
    common::people::beginning,
    world::{World, count, header},
};

#[tokio::test]
async fn a_halted_service_is_read_and_takes_nothing() {
    let world = World::new().await;
    world
        .tamper("UPDATE log_state SET halted = 'a test' WHERE id = 1")
        .await;
    for path in ["/v1/log", "/checkpoint", "/v1/entries/0", "/livez"] {
        let answer = world.get(path).await;
        assert_eq!(count(&answer, 200), 1, "{path}: {answer}");
    }
    let entry = beginning()[1].entry().bytes().to_vec();
    let (entry, length) = (String::from_utf8(entry.clone()).unwrap(), entry.len());
    let post = "POST /v1/members HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json";
    let post = format!("{post}\r\ncontent-length: {length}\r\n\r\n{entry}");
    for refused in [world.answers(post).await, world.get("/readyz").await] {
        assert_eq!(count(&refused, 503), 1, "{refused}");
        assert!(
            refused.contains(r#""type":"/problems/halted""#),
            "{refused}"
        );
        assert_eq!(header(&refused, "retry-after"), Some("300"));
    }
    let page = world.get("/problems/halted").await;
    assert!(page.contains("contradicts itself"), "{page}");
    assert!(world.get("/v1/log").await.contains(r#""size":1"#));
}
