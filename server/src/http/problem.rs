//! Refusals and failures as `application/problem+json` (RFC 9457). Each has a `type` that stays the same from
//! version to version: `/problems/<code>`, a page of this service that says what to do.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use problem_details::ProblemDetails;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::failures::failed;

/// A refusal or failure of a request.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    members: Map<String, Value>,
    retry_after: Option<u64>,
}

/// The documented form of a problem.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct ProblemBody {
    /// What went wrong, as a path of this service: `/problems/unknown-key`.
    #[schema(value_type = String)]
    r#type: String,
    /// The HTTP status.
    status: u16,
    /// The code in words.
    title: String,
    /// What exactly is wrong, and what to do.
    detail: String,
}

/// What a response tells the service of itself: its problem's code.
#[derive(Debug, Clone)]
pub(super) struct Code(pub(super) Cow<'static, str>);

impl Problem {
    /// The code of an answer that could not be read from the database.
    pub(crate) const DAMAGED: &'static str = "damaged";

    /// A problem with a code and what to tell.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            members: Map::new(),
            retry_after: None,
        }
    }

    /// With one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    /// To be tried again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Nothing of this name.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// A request that cannot be read.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// A failure of the service itself. The cause goes to the log, not to the client.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        failed("a request failed", cause);
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the service failed; nothing was recorded by this request, or it can be repeated safely",
        )
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What is wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let uri: Uri = format!("/problems/{}", self.code)
            .parse()
            .expect("codes are made of lower-case letters and hyphens");
        let details = ProblemDetails::from_status_code(self.status)
            .with_type(uri)
            .with_title(self.code.replace('-', " "))
            .with_detail(self.detail)
            .with_extensions(self.members);
        let mut response = (self.status, Json(details)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Code(self.code));
        response
    }
}
