//! The HTTP service: routes by resource, and what stands around them.

mod blobs;
mod body;
mod collection;
mod entries;
mod events;
mod extract;
mod guard;
mod head;
mod health;
mod lists;
mod log;
mod page;
mod policy;
mod problem;
mod results;
mod results_page;
mod submit;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode},
    middleware,
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, DefaultPredicate, Predicate as _, predicate::NotForContentType,
    },
    cors::{Any, CorsLayer},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::RequestBodyTimeoutLayer,
    trace::TraceLayer,
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

pub use collection::Collection;
pub(crate) use head::HEAD_BYTES;
pub use problem::Problem;

use crate::service::Service;

/// How long a client may take between two pieces of a body.
const BODY_PAUSE: Duration = Duration::from_secs(10);

/// A JSON body: an entry and some space around it.
const JSON_BODY: usize = 128 << 10;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Galen",
        description = "A public verifier of cohort queries over patient tables that never leave their hospital, and its \
            append-only ledger. The log is a C2SP tiled transparency log: `/checkpoint`, `/tile/<L>/<N>[.p/<W>]` and \
            `/tile/entries/<N>[.p/<W>]` are what other people's tools read and check.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Collection)),
    tags(
        (name = "statements", description = "Signed statements of members: queries, datasets, answers, …"),
        (name = "files", description = "Files beside the log, by SHA-256"),
        (name = "log", description = "The append-only log"),
        (name = "operation", description = "For operators"),
    )
)]
struct Description;

/// Everything that the service serves.
pub fn router(service: Arc<Service>) -> Router {
    let limits = service.limits().clone();
    let json = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(page::log))
        .routes(routes!(log::checkpoint))
        .routes(routes!(lists::one))
        .routes(routes!(results::results))
        .routes(routes!(entries::entry))
        .routes(routes!(entries::proof))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .layer(middleware::from_fn_with_state(
            limits.request,
            guard::deadline,
        ))
        .layer(DefaultBodyLimit::max(JSON_BODY));
    let uploads = OpenApiRouter::new()
        .routes(routes!(lists::list, submit::submit))
        .routes(routes!(blobs::get, blobs::put))
        .layer(middleware::from_fn_with_state(
            limits.upload,
            guard::deadline,
        ))
        // Two files at most, and each by itself within its limit.
        .layer(DefaultBodyLimit::max(
            limits.blob.saturating_mul(2).saturating_add(JSON_BODY),
        ));
    let (router, description) = json
        .merge(uploads)
        .merge(OpenApiRouter::new().routes(routes!(events::events)))
        .split_for_parts();
    let docs = SwaggerUi::new("/docs").url("/openapi.json", description);
    let router = router
        .route("/tile/{*path}", get(log::tile))
        .route("/", get(page::front))
        .route("/problems/{code}", get(page::problem))
        .merge(policy::of_docs(docs.into()))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(Arc::clone(&service))
        .layer(middleware::map_request(head::checked))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&service),
            guard::measure,
        ))
        // Points, proofs and digests do not get smaller.
        .layer(CompressionLayer::new().compress_when(
            DefaultPredicate::new().and(NotForContentType::const_new("application/octet-stream")),
        ))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        // Around the timeout, whose body does not tell that it has ended.
        .layer(middleware::from_fn_with_state(service, guard::parting))
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_methods([Method::GET, Method::HEAD]),
        );
    policy::of_all(router)
        // A refusal is no failure, be it a 503: those that are say so themselves.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(head::span)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(middleware::map_request(head::arrived))
}

async fn no_route() -> Problem {
    Problem::not_found("there is nothing here; /docs describes what there is")
}

async fn no_method() -> Problem {
    let detail = "this resource does not take this method; /docs describes what it takes";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}
