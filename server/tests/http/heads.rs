//! Requests' heads: hosts and sizes.

use crate::world::{World, count, header};

/// A request whose head has so many bytes.
fn of_bytes(bytes: usize) -> String {
    let head = "GET /v1/log HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-filler: ";
    let filler = "a".repeat(bytes - head.len() - 4);
    format!("{head}{filler}\r\n\r\n")
}

#[tokio::test]
async fn a_head_has_64_kib() {
    let world = World::new().await;
    let taken = world.answers(of_bytes(64 << 10)).await;
    assert_eq!(count(&taken, 200), 1, "{taken}");
    for bytes in [(64 << 10) + 1, (64 << 10) + 1_000, 100_000, 1 << 20] {
        let refused = world.answers(of_bytes(bytes)).await;
        assert_eq!(count(&refused, 431), 1, "{bytes}: {refused}");
    }
}

#[tokio::test]
async fn a_head_has_100_headers() {
    let world = World::new().await;
    for (fillers, status) in [(98, 200), (99, 431)] {
        let fillers = "x-filler: a\r\n".repeat(fillers);
        let head = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
        let answer = world.answers(format!("{head}{fillers}\r\n")).await;
        assert_eq!(count(&answer, status), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_request_names_one_host() {
    let world = World::new().await;
    for (version, hosts, status) in [
        ("1.1", "", 400),
        ("1.1", "host: x\r\n", 200),
        ("1.1", "host: x\r\nhost: x\r\n", 400),
        ("1.1", "host: x\r\nHost: y\r\n", 400),
        ("1.0", "", 200),
        ("1.0", "host: x\r\nhost: y\r\n", 400),
    ] {
        let request = format!("GET /livez HTTP/{version}\r\n{hosts}connection: close\r\n\r\n");
        let answer = world.answers(request).await;
        let line = format!("HTTP/{version} {status} ");
        assert!(answer.starts_with(&line), "{version} {hosts}: {answer}");
        let kind = header(&answer, "content-type");
        let problem = kind == Some("application/problem+json");
        assert_eq!(problem, status == 400, "{answer}");
    }
}
