//! axum's extractors, with refusals as problems.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{FromRequestParts, Path, Query, Request},
    http::{StatusCode, header, request::Parts},
};
use futures::{StreamExt as _, stream};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::Problem;
use crate::service::Room;

/// Parameters of the path; one that does not parse names nothing.
pub struct PathOf<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value))
            .map_err(|e| Problem::not_found(format!("no such resource: {}", e.body_text())))
    }
}

/// Parameters of the query string; unknown ones are refused.
pub struct QueryOf<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|e| Problem::bad_request(e.body_text()))
    }
}

/// What is read of a body after it is refused, so that a client that is still sending hears why.
const DRAINED: usize = 1 << 20;

/// How long it is read on at most: who waits for an answer before sending on gets it then.
const DRAINING: Duration = Duration::from_secs(1);

/// The whole body, of at most `limit` bytes.
///
/// # Errors
/// A longer one, one that there is no room for now, or one that breaks off.
pub async fn body(request: Request, limit: usize, room: &mut Room) -> Result<Bytes, Problem> {
    let broken = |e| Problem::bad_request(format!("the body did not arrive whole: {e}"));
    let mut frames = request.into_body().into_data_stream();
    let mut bytes = Vec::new();
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(broken)?;
        if let Err(why) = add(&mut bytes, &frame, limit, room) {
            drain(frames).await;
            return Err(why);
        }
    }
    Ok(bytes.into())
}

/// One piece more of a body.
///
/// # Errors
/// A body that becomes too large, or that there is no room for now.
pub fn add(
    bytes: &mut Vec<u8>,
    piece: &[u8],
    limit: usize,
    room: &mut Room,
) -> Result<(), Problem> {
    if bytes.len().saturating_add(piece.len()) > limit {
        return Err(too_large());
    }
    room.take(piece.len())?;
    bytes.extend_from_slice(piece);
    Ok(())
}

/// Bytes of a body of several parts that may have come and not been read: two pieces and the parts' headers. The
/// reader of parts keeps whatever comes until it finds the end of what it looks for.
const AHEAD: usize = 192 << 10;

/// A body for the reader of parts: one piece at a time, and no more than is used soon. `used`: what was read of
/// the parts' contents.
pub fn paced(body: Body, used: Arc<AtomicUsize>) -> Body {
    let mut frames = body.into_data_stream();
    let (mut given, mut pause) = (0_usize, false);
    Body::from_stream(stream::poll_fn(move |context| {
        // The reader takes all there is before it looks at any of it: so it looks after each piece.
        if std::mem::take(&mut pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            let ahead = given.saturating_sub(used.load(Ordering::Relaxed));
            if ahead > AHEAD + DRAINED {
                return Poll::Ready(Some(too_far_ahead()));
            }
            let frame = ready!(frames.poll_next_unpin(context));
            given = given.saturating_add(
                frame
                    .as_ref()
                    .map_or(0, |f| f.as_ref().map_or(0, Bytes::len)),
            );
            if ahead <= AHEAD {
                pause = true;
                return Poll::Ready(frame);
            }
            if !matches!(frame, Some(Ok(_))) {
                return Poll::Ready(Some(too_far_ahead()));
            }
        }
    }))
}

fn too_far_ahead() -> Result<Bytes, axum::Error> {
    let why = "too much comes before a part or between two";
    Err(axum::Error::new(why))
}

async fn drain(mut frames: BodyDataStream) {
    let mut length = 0;
    let read = async {
        while let Some(Ok(frame)) = frames.next().await
            && length <= DRAINED
        {
            length += frame.len();
        }
    };
    // Answered in any case; what was read is for nobody.
    let _ = timeout(DRAINING, read).await;
}

/// A body beyond its route's limit.
pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "the body is larger than this service takes; the limits are at /problems/too-large",
    )
}

/// An index as the description has it: a number of 63 bits.
///
/// # Errors
/// A larger one.
pub fn within(after: Option<u64>) -> Result<(), Problem> {
    match after {
        Some(index) if i64::try_from(index).is_err() => {
            Err(Problem::bad_request("after is at most 2^63 - 1"))
        }
        _ => Ok(()),
    }
}

/// The media type of a request's body, without its parameters, in lower case.
pub fn media_type(parts: &axum::http::HeaderMap) -> String {
    let text = parts
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let essence = text.and_then(|t| t.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
