//! Bodies: read whole or in parts, within a limit and a room, and drained where they are refused.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use futures::{Stream, StreamExt as _, stream};
use tokio::time::timeout;

use super::Problem;
use crate::service::Room;

/// What is read of a body after it is refused, so that a client that is still sending hears why.
const DRAINED: usize = 8 << 20;

/// How long it is read on at most: who waits for an answer before sending on gets it then.
const DRAINING: Duration = Duration::from_secs(1);

/// The whole body, of at most `limit` bytes.
///
/// # Errors
/// A longer one, one that there is no room for now, or one that breaks off.
pub async fn whole(request: Request, limit: usize, room: &mut Room) -> Result<Bytes, Problem> {
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
/// reader of parts keeps whatever comes until it finds the end of what it looks for, and looks through all of it again
/// with each piece.
const AHEAD: usize = 64 << 10;

/// The longest piece that the reader of parts gets.
const PIECE: usize = 16 << 10;

/// A body that is read by one and drained by another.
#[derive(Clone)]
pub struct Incoming(Arc<Mutex<BodyDataStream>>);

impl Incoming {
    /// The body of a request.
    pub fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(body.into_data_stream())))
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frames.poll_next_unpin(context)
    }

    /// For the reader of parts: one piece at a time, and no more than is used soon. `used`: what was read of the
    /// parts' contents.
    pub fn paced(&self, used: Arc<AtomicUsize>) -> Body {
        let body = self.clone();
        let (mut given, mut rest, mut pause) = (0_usize, Bytes::new(), false);
        Body::from_stream(stream::poll_fn(move |context| {
            // The reader takes all there is before it looks at any of it: so it looks after each piece.
            if std::mem::take(&mut pause) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if given.saturating_sub(used.load(Ordering::Relaxed)) > AHEAD {
                let why = "too much comes before a part or between two";
                return Poll::Ready(Some(Err(axum::Error::new(why))));
            }
            if rest.is_empty() {
                match ready!(body.poll(context)) {
                    Some(Ok(frame)) => rest = frame,
                    ended => return Poll::Ready(ended),
                }
            }
            let piece = rest.split_to(rest.len().min(PIECE));
            given = given.saturating_add(piece.len());
            pause = true;
            Poll::Ready(Some(Ok(piece)))
        }))
    }

    /// Reads on for a while, so that a client that is still sending hears what was said.
    pub async fn drain(self) {
        drain(stream::poll_fn(move |context| self.poll(context))).await;
    }
}

async fn drain(mut frames: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin) {
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

/// The media type of a request's body, without its parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let essence = text.and_then(|t| t.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
