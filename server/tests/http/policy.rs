//! What every answer tells browsers.

use crate::world::{World, header};

const STRICT: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer's policy; the rest is the same for all.
fn policy(answer: &str) -> &str {
    assert_eq!(header(answer, "x-content-type-options"), Some("nosniff"));
    assert_eq!(header(answer, "referrer-policy"), Some("no-referrer"));
    header(answer, "content-security-policy").unwrap()
}

#[tokio::test]
async fn what_is_no_page_may_do_nothing() {
    let world = World::new().await;
    for path in [
        "/v1/log",
        "/v1/members",
        "/v1/entries/0",
        "/checkpoint",
        "/tile/0/000.p/1",
        "/metrics",
        "/readyz",
        "/problems/busy",
        "/problems/none",
        "/nothing",
    ] {
        let answer = world.get(path).await;
        assert_eq!(policy(&answer), STRICT, "{path}");
    }
    let refused = world
        .answers("GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        .await;
    assert_eq!(policy(&refused), STRICT);
}

#[tokio::test]
async fn the_front_page_has_its_style_and_nothing_else() {
    let world = World::new().await;
    let page = world.get("/").await;
    let style = page.split_once("<style>").unwrap().1;
    let style = style.split_once("</style>").unwrap().0;
    let own = format!("style-src 'sha256-{}'; ", sha256(style));
    assert_eq!(policy(&page).replace(&own, ""), STRICT);
    assert!(!page.contains("<script") && !page.contains("style="));
}

fn sha256(text: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use sha2::{Digest as _, Sha256};
    BASE64_STANDARD.encode(Sha256::digest(text))
}

#[tokio::test]
async fn the_interface_runs_its_own_scripts_only() {
    let world = World::new().await;
    let page = world.get("/docs/").await;
    let policy = policy(&page);
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "connect-src 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    // No script stands within the page.
    for script in page.split("<script").skip(1) {
        let (attributes, rest) = script.split_once('>').unwrap();
        assert!(attributes.contains("src=\"./"), "{attributes}");
        assert!(rest.trim_start().starts_with("</script>"), "{rest}");
    }
    assert!(!page.contains("onload=") && !page.contains("javascript:"));
}
