//! What the log says of requests.

use std::{cell::RefCell, io, sync::Once, time::Instant};

use galen_server::service::Limits;
use tracing::Level;

use crate::world::{World, count, header};

thread_local! {
    /// A test's thread runs its whole service.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThisThreads;

impl io::Write for ThisThreads {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to keep lines. One subscriber for all threads: with one for each, the library may forget who wants a line.
fn keep_lines() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(Level::DEBUG)
            .with_writer(|| ThisThreads)
            .init();
    });
}

fn lines() -> Vec<String> {
    let text = LINES.with_borrow(|lines| String::from_utf8(lines.clone()).unwrap());
    text.lines().map(str::to_owned).collect()
}

/// What a service says that was not asked to say everything.
fn above_debug() -> Vec<String> {
    let mut lines = lines();
    lines.retain(|line| !line.contains(" DEBUG "));
    lines
}

#[tokio::test]
async fn a_refusal_is_no_error() {
    keep_lines();
    let world = World::with(Limits {
        streams: 0,
        ..Limits::default()
    })
    .await;
    let one = "GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n";
    let answers = world.answers(one.repeat(100) + "end\r\n\r\n").await;
    assert_eq!(count(&answers, 503), 100, "{answers}");
    assert_eq!(above_debug(), Vec::<String>::new());
    // They are counted.
    let metrics = world.get("/metrics").await;
    assert!(
        metrics.contains(r#"route="/v1/events",status="503"} 100"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_line_holds_no_long_text_of_a_client() {
    keep_lines();
    let world = World::new().await;
    let long = "a".repeat(20_000);
    let head = format!("host: x\r\nconnection: close\r\nx-request-id: {long}");
    world
        .answers(format!("{long} /{long} HTTP/1.1\r\n{head}\r\n\r\n"))
        .await;
    let lines = lines();
    let told = |line: &String| line.contains("finished processing request");
    assert!(lines.iter().any(told), "{lines:?}");
    let longest = lines.iter().map(String::len).max().unwrap();
    assert!(longest < 1_000, "{longest}");
}

#[tokio::test]
async fn failures_of_one_cause_are_some_lines_a_second() {
    keep_lines();
    let world = World::new().await;
    world.tamper("ALTER TABLE entries RENAME TO gone").await;
    let begun = Instant::now();
    let one = "GET /v1/entries/0 HTTP/1.1\r\nhost: x\r\n\r\n";
    let answers = world.answers(one.repeat(500) + "end\r\n\r\n").await;
    let seconds = begun.elapsed().as_secs() + 1;
    assert_eq!(count(&answers, 500), 500, "{answers}");
    let lines = above_debug();
    let failed = |line: &&String| line.contains("ERROR") && line.contains("a request failed");
    let written = lines.iter().filter(failed).count() as u64;
    assert!(
        (1..=5 * seconds).contains(&written),
        "{seconds} s: {lines:?}"
    );
}

#[tokio::test]
async fn an_id_is_kept_if_it_is_short_and_plain() {
    let world = World::new().await;
    let long = "a".repeat(60_000);
    for (sent, kept) in [("Az-09._", true), ("a b", false), (&long, false)] {
        let head = format!("host: x\r\nconnection: close\r\nx-request-id: {sent}");
        let answer = world
            .answers(format!("GET /livez HTTP/1.1\r\n{head}\r\n\r\n"))
            .await;
        let id = header(&answer, "x-request-id").unwrap();
        assert_eq!(id == sent, kept, "{answer}");
        assert!(id.len() <= 64, "{answer}");
    }
}
