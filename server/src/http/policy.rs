//! What every response tells browsers: to take it for what it says it is, and to run, load, frame and pass on nothing
//! that a page here does not need.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use tower_http::set_header::SetResponseHeaderLayer;

/// Swagger UI runs its own scripts, which fetch from here and set styles, and shows icons that its style sheet holds.
const DOCS: &str = "script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; ";

/// A policy under which there is nothing but what is allowed.
fn only(allowed: &str) -> HeaderValue {
    format!(
        "default-src 'none'; {allowed}base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    .try_into()
    .expect("policies are of visible characters")
}

/// The policy of a page that has this style and nothing else.
pub(super) fn with_style(style: &str) -> HeaderValue {
    let digest = BASE64_STANDARD.encode(Sha256::digest(style));
    only(&format!("style-src 'sha256-{digest}'; "))
}

fn unless_set(name: HeaderName, value: HeaderValue) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, value)
}

/// For the pages of Swagger UI.
pub(super) fn of_docs<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(unless_set(header::CONTENT_SECURITY_POLICY, only(DOCS)))
}

/// For everything that has no policy of its own.
pub(super) fn of_all(router: Router) -> Router {
    let fixed = |name, value| unless_set(name, HeaderValue::from_static(value));
    router
        .layer(unless_set(header::CONTENT_SECURITY_POLICY, only("")))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
}
